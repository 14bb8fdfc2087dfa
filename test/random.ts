/** A seeded source of chance: the same seed, the same numbers. (mulberry32) */
export class Random {
  #state: number

  constructor (seed: number) { this.#state = (seed ^ 0x9e3779b9) >>> 0 }

  /** at least 0, below 1 */
  next (): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  chance (p: number): boolean { return this.next() < p }

  /** a whole number from `least` to `most`, both of them too */
  int (least: number, most: number): number { return least + Math.floor(this.next() * (most - least + 1)) }

  between (least: number, most: number): number { return least + this.next() * (most - least) }

  pick<T> (list: readonly T[]): T {
    const one = list[Math.floor(this.next() * list.length)]
    if (one === undefined) throw new RangeError('nothing to pick from')
    return one
  }

  /** time until the next of events that come this often, ms; Infinity: never */
  until (everyMs: number): number { return everyMs === Infinity ? Infinity : -Math.log(1 - this.next()) * everyMs }

  /** mostly about `usual`, now and then many times as long, at most `longest` */
  latency (usual: number, longest: number): number {
    const tail = this.chance(0.05) ? 20 : 1
    return Math.min(longest, usual * (0.2 + this.next() * 1.6) * tail)
  }
}
