import { type CopyBatch, type CopyStore } from '../../src/journal/copy.ts'
import { type Process } from './machine.ts'
import { type World } from './world.ts'

/**
 * Where gateways keep copies of their journals: what is written may be lost, late, or done without its writer hearing
 * of it; all of it may be gone from one moment to the next, of which writers hear once they are connected again.
 */
export class Copies {
  readonly #world: World
  readonly #lives = new Map<number, Map<number, CopyBatch>>()
  readonly #back = new Map<Process, () => void>()

  constructor (world: World) { this.#world = world }

  wipe (): void {
    const { scheduler, random } = this.#world
    this.#lives.clear()
    for (const [process, back] of this.#back) scheduler.after(random.latency(50, 2_000), 'is connected again', back, process)
  }

  /** as one process reaches it */
  of (process: Process): CopyStore {
    return {
      write: (incarnation, batches, needed, anew) => this.#ask(process, false, () => {
        const life = (anew ? undefined : this.#lives.get(incarnation)) ?? new Map<number, CopyBatch>()
        this.#lives.set(incarnation, life)
        for (const batch of batches) life.set(batch.number, batch)
        if (needed !== null) for (const number of life.keys()) if (number < needed) life.delete(number)
        return true
      }),
      read: (incarnation, after, most) => this.#ask<CopyBatch[] | null>(process, null, () => {
        const batches = [...this.#lives.get(incarnation)?.values() ?? []].filter(({ number }) => number > after)
        return batches.sort((one, other) => one.number - other.number).slice(0, most)
      }),
      drop: (incarnation, through = Infinity) => this.#ask(process, undefined, () => {
        const life = this.#lives.get(incarnation)
        for (const number of life?.keys() ?? []) if (number <= through) life?.delete(number)
      }),
      onBack: (listener) => { this.#back.set(process, listener) },
    }
  }

  #ask<T> (process: Process, away: T, run: () => T): Promise<T> {
    const { scheduler, random, faults: { hotLost, hotDelay } } = this.#world
    if (!process.effect()) return new Promise(() => {})
    const [isLost, isUnheard] = [random.chance(hotLost), random.chance(hotLost)]
    return new Promise((resolve) => {
      scheduler.after(random.latency(hotDelay, 2_000), '', () => {
        const answer = isLost ? away : run()
        scheduler.after(random.latency(hotDelay, 2_000), '', () => { resolve(isUnheard ? away : answer) }, process)
      }, null)
    })
  }
}
