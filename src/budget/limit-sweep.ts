/**
 * Adjustments begin and end by time alone. What uses an account works its limit out anew when that is due; of accounts
 * that nobody uses this does it, so that status and thresholds are right. Every gateway looks.
 */
export interface LimitSweepOptions {
  /** works out at most so many; answers the accounts */
  apply: (most: number) => Promise<number[]>
  tracker: { refresh (accountIds: readonly number[]): Promise<void> }
  log: { warn (details: object, message: string): void }
}

const AT_ONCE = 500

export class LimitSweep {
  readonly #o: LimitSweepOptions
  #looking = false

  constructor (options: LimitSweepOptions) { this.#o = options }

  async look (): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      while (await this.#apply() === AT_ONCE);
    } catch (err) {
      this.#o.log.warn({ err }, 'whether adjustments have begun or ended could not be looked up')
    }
    this.#looking = false
  }

  async #apply (): Promise<number> {
    const changed = await this.#o.apply(AT_ONCE)
    if (changed.length > 0) await this.#o.tracker.refresh(changed)
    return changed.length
  }
}
