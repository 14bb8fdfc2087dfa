import timers from 'node:timers/promises'
import { syncBuiltinESMExports } from 'node:module'

/**
 * One scheduler for everything that happens: virtual time, and one queue of steps in the order of their times. Between
 * two steps all promises that have come about are followed to their end, so that a run depends on its seed alone.
 *
 * Timers of the code under test are steps of the process in whose step they were set; a process that is dead has
 * no steps any more, one that is stopped gets them later, in their order.
 */
export interface Owner {
  readonly name: string
  dead: boolean
  /** the steps that came due while it was stopped; null: it runs */
  stopped: Step[] | null
}

export interface Step {
  at: number
  order: number
  owner: Owner | null
  what: string
  run: (() => void) | null
}

const realImmediate = setImmediate

export class Scheduler {
  /** ms since the beginning */
  now = 0
  /** whose code runs now; null: nobody's that can die */
  current: Owner | null = null
  steps = 0
  /** what comes again and again does so no sooner: event loops are late */
  leastMs = 0
  /** null: nobody wants to know */
  trace: ((line: string) => void) | null = null
  readonly #heap: Step[] = []
  #order = 0
  /** how much from outside of the run is waited for before the next step */
  #awaited = 0
  /** goes on once all of it is there; null: nobody waits */
  #goOn: (() => void) | null = null
  /** what was waited for has failed */
  #broken: Error | null = null

  after (ms: number, what: string, run: () => void, owner = this.current): Step {
    const step: Step = { at: this.now + Math.max(0, ms), order: this.#order++, owner, what, run }
    if (owner?.dead === true) step.run = null
    else push(this.#heap, step)
    return step
  }

  cancel (step: Step): void { step.run = null }

  /** what comes from outside of the run, e.g. a database's answer */
  awaiting (promise: Promise<unknown>): void {
    this.#awaited++
    const come = (): void => {
      if (--this.#awaited > 0 || this.#goOn === null) return
      realImmediate(this.#goOn)
      this.#goOn = null
    }
    promise.then(come, (error: unknown) => {
      this.#broken ??= error as Error
      come()
    })
  }

  stop (owner: Owner): void { owner.stopped ??= [] }

  resume (owner: Owner): void {
    const late = owner.stopped ?? []
    owner.stopped = null
    for (const step of late) {
      if (step.run === null) continue
      step.at = this.now
      step.order = this.#order++
      push(this.#heap, step)
    }
  }

  /**
   * Until `until` (ms) or until `enough` says so; after each step `check` is asked. Steps follow one another in one
   * turn of the event loop, as long as nothing from outside is waited for.
   */
  run (until: number, enough: () => boolean, check: () => void | Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      let unchecked = false
      const goOn = (): void => {
        try {
          for (;;) {
            if (this.#broken !== null) throw this.#broken
            if (this.#awaited > 0) {
              this.#goOn = goOn
              return
            }
            if (unchecked) {
              unchecked = false
              this.current = null
              const checked = check()
              if (checked !== undefined) this.awaiting(checked)
              continue
            }
            if (enough() || !this.#next(until)) break
            unchecked = true
            followAll()
          }
          resolve()
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      }
      realImmediate(goOn)
    })
  }

  /** the next step is taken; false: none is due until then */
  #next (until: number): boolean {
    for (;;) {
      const step = pop(this.#heap)
      if (step === undefined) return false
      if (step.at > until) {
        push(this.#heap, step)
        this.now = until
        return false
      }
      const { run, owner } = step
      if (run === null || owner?.dead === true) continue
      if (step.at > this.now) this.now = step.at
      if (owner !== null && owner.stopped !== null) {
        owner.stopped.push(step)
        continue
      }
      this.steps++
      step.run = null
      this.current = owner
      if (this.trace !== null && step.what !== '') this.trace(this.line(step.what, owner))
      run()
      return true
    }
  }

  line (what: string, owner: Owner | null): string {
    return `${(this.now / 1000).toFixed(4).padStart(10)}  ${(owner?.name ?? '').padEnd(12)} ${what}`
  }
}

/**
 * All promises that can come about by themselves do: what Node itself does between two turns of its event loop, and
 * has no public name for. A turn of the event loop for each step costs as much as the step. Nothing where promises are
 * being followed already.
 */
const followAll = (process as unknown as { _tickCallback: () => void })._tickCallback

/** by time, and those of one time in the order in which they were asked for */
function before (a: Step, b: Step): boolean { return a.at < b.at || (a.at === b.at && a.order < b.order) }

function push (heap: Step[], step: Step): void {
  let i = heap.length
  heap.push(step)
  while (i > 0) {
    const parent = (i - 1) >> 1
    const above = heap[parent] as Step
    if (!before(step, above)) break
    heap[i] = above
    i = parent
  }
  heap[i] = step
}

function pop (heap: Step[]): Step | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  let i = 0
  for (;;) {
    let child = 2 * i + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1] as Step, heap[child] as Step)) child++
    const below = heap[child] as Step
    if (!before(below, last)) break
    heap[i] = below
    i = child
  }
  heap[i] = last
  return first
}

/** Stands where the code under test expects a timer of Node's. */
class VirtualTimer {
  #step: Step
  readonly #of: Scheduler

  constructor (of: Scheduler, ms: number, what: string, run: () => void, everyMs: number | null) {
    this.#of = of
    const again = (): void => {
      if (everyMs !== null) this.#step = of.after(Math.max(everyMs, of.leastMs), what, again)
      run()
    }
    this.#step = of.after(ms, what, again)
  }

  cancel (): void { this.#of.cancel(this.#step) }
  ref (): this { return this }
  unref (): this { return this }
  hasRef (): boolean { return true }
}

/**
 * From now on, and for good, every timer of this process or thread is a virtual one of the scheduler that is `current`.
 * So nothing but simulations may run in it.
 */
export function takeOverTimers (current: () => Scheduler): void {
  const clear = (timer: unknown): void => { if (timer instanceof VirtualTimer) timer.cancel() }
  type Signal = { signal?: AbortSignal }
  const wait = (ms: number, value?: unknown, { signal }: Signal = {}) => new Promise((resolve, reject) => {
    const aborted = () => { timer.cancel(); reject(new Error('aborted')) }
    const timer = new VirtualTimer(current(), Math.max(1, ms), '', () => {
      signal?.removeEventListener('abort', aborted)
      resolve(value)
    }, null)
    if (signal?.aborted === true) aborted()
    else signal?.addEventListener('abort', aborted, { once: true })
  })
  const later = (run: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) =>
    new VirtualTimer(current(), Math.max(1, ms), '', () => { run(...args) }, null)
  Object.assign(globalThis, {
    setTimeout: later,
    setInterval: (run: () => void, ms = 1) => new VirtualTimer(current(), Math.max(1, ms), '', run, Math.max(1, ms)),
    setImmediate: (run: (...args: unknown[]) => void, ...args: unknown[]) =>
      new VirtualTimer(current(), 0, '', () => { run(...args) }, null),
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  })
  Object.assign(timers, { setTimeout: wait })
  syncBuiltinESMExports()
}
