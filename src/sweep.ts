/**
 * What becomes due by time alone is looked up again and again. Every gateway looks; what one has done the others do not
 * find any more.
 */
export interface SweepOptions {
  /** does at most so many; answers the accounts of each */
  run: (most: number) => Promise<(readonly number[])[]>
  tracker: { refresh (accountIds: readonly number[]): Promise<void> }
  /** it could not be looked up */
  failed: (error: unknown) => void
}

const AT_ONCE = 100

export class Sweep {
  readonly #o: SweepOptions
  #looking = false

  constructor (options: SweepOptions) { this.#o = options }

  /** never rejects; nothing where a look is under way */
  async look (): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      while (await this.#step() >= AT_ONCE);
    } catch (error) {
      this.#o.failed(error)
    }
    this.#looking = false
  }

  async #step (): Promise<number> {
    const done = await this.#o.run(AT_ONCE)
    if (done.length > 0) await this.#o.tracker.refresh([...new Set(done.flat())])
    return done.length
  }
}
