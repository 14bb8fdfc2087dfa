/** Ends holds whose deadline has passed. Every gateway looks; one at a time does it, and a hold ends once. */
export interface SweepOptions {
  /** at most so many at once; answers each hold that it ended, with its accounts */
  expire: (most: number) => Promise<{ id: string, accountIds: number[] }[]>
  tracker: { refresh (accountIds: readonly number[]): Promise<void> }
  log: { warn (details: object, message: string): void }
}

const AT_ONCE = 100

export class LongHoldSweep {
  readonly #o: SweepOptions
  #looking = false

  constructor (options: SweepOptions) { this.#o = options }

  async look (): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      while (await this.#expire() === AT_ONCE);
    } catch (err) {
      this.#o.log.warn({ err }, 'whether long holds are past their deadline could not be looked up')
    }
    this.#looking = false
  }

  async #expire (): Promise<number> {
    const expired = await this.#o.expire(AT_ONCE)
    for (const { id } of expired) {
      this.#o.log.warn({ hold: id }, 'a hold is past its deadline: it is charged at its amount until it is settled or released')
    }
    if (expired.length > 0) await this.#o.tracker.refresh([...new Set(expired.flatMap(({ accountIds }) => accountIds))])
    return expired.length
  }
}
