import { type Placed, Underway } from '../../src/underway.ts'

/**
 * Which exchanges with providers are under way, and how long each may go on without moving.
 * Decides: how many abandoned answers are read to their end at once, and when one that stands still is given up.
 * One timer looks after all of them, so that a call needs none of its own; limits are kept to within that timer's pace.
 * Fails towards ending: whatever passes its limit is cut, and its call is settled with what is known by then.
 */
export interface ExchangeLimits {
  /** how long a call may wait for a connection to the provider, opening one included */
  queueMs: number
  /** how long a client may take nothing of an answer that waits for it */
  stalledClientMs: number
  drain: DrainLimits
}

/** How far an answer is read on after its client left, to know its exact usage. */
export interface DrainLimits {
  ms: number
  bytes: number
  /** at once, over all providers */
  calls: number
}

export interface Sweepable extends Placed {
  sweep (now: number): void
  cut (error: Error): void
}

const SLOWEST_PACE_MS = 1000
const FASTEST_PACE_MS = 10

export class Exchanges {
  readonly limits: ExchangeLimits
  readonly #open = new Underway<Sweepable>()
  readonly #pace: number
  #opening = 0
  #draining = 0
  #timer: NodeJS.Timeout | null = null
  #closing = false
  #closed = false
  #empty: (() => void) | null = null

  constructor (limits: ExchangeLimits) {
    this.limits = limits
    const tightest = Math.min(limits.queueMs, limits.stalledClientMs, limits.drain.ms)
    this.#pace = Math.max(FASTEST_PACE_MS, Math.min(SLOWEST_PACE_MS, tightest / 4))
  }

  /** exchanges whose provider or client side is not over yet */
  get open (): number { return this.#open.size }
  /** answers that are read on although their client left */
  get draining (): number { return this.#draining }
  /** true from the moment that `close` was called: no new calls */
  get closing (): boolean { return this.#closing }
  /** true once the deadline of `close` has passed: what opens now is released at once */
  get closed (): boolean { return this.#closed }

  /** A call is being decided; `close` waits for it too. */
  opening (): void {
    this.#opening++
  }

  opened (): void {
    this.#opening--
    this.#tellIfEmpty()
  }

  add (exchange: Sweepable): void {
    this.#open.add(exchange)
    this.#timer ??= setInterval(() => { this.#sweep() }, this.#pace).unref()
  }

  delete (exchange: Sweepable): void {
    this.#open.delete(exchange)
    this.#tellIfEmpty()
  }

  /** false: as many answers as allowed are being drained already */
  startDrain (): boolean {
    if (this.#closed || this.#draining >= this.limits.drain.calls) return false
    this.#draining++
    return true
  }

  endDrain (): void {
    this.#draining--
  }

  /** Waits until nothing is under way; after `ms` what is left is cut and settled. Answers how many were cut. */
  async close (ms: number): Promise<number> {
    this.#closing = true
    if (this.#open.size + this.#opening > 0) await this.#emptyWithin(ms)
    this.#closed = true
    const left = this.#open.list()
    for (const exchange of left) exchange.cut(new Error('the gateway is stopping'))
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    return left.length
  }

  #emptyWithin (ms: number): Promise<void> {
    return new Promise((resolve) => {
      const deadline = setTimeout(resolve, ms)
      this.#empty = () => {
        clearTimeout(deadline)
        resolve()
      }
    })
  }

  #tellIfEmpty (): void {
    if (this.#empty !== null && this.#open.size + this.#opening === 0) this.#empty()
  }

  #sweep (): void {
    const now = performance.now()
    for (const exchange of this.#open.list()) exchange.sweep(now)
    if (this.#open.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }
}
