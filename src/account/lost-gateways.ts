/** A gateway that has leased something and does not answer. */
export interface GatewayInDoubt {
  incarnation: number
  host: string
  state: string
  /** its last sign of life, ms since the epoch */
  since: number
  /** so long by PostgreSQL's own clock */
  silentMs: number
  accounts: number
}

/** What was counted as spent on one account. */
export interface WrittenOff {
  accountId: number
  budgetId: string
  amountNano: bigint
  currency: string
}

export interface LostGatewaysOptions {
  authority: { gateways: () => Promise<GatewayInDoubt[]> }
  writeOff: (incarnation: number) => Promise<WrittenOff[]>
  /** a gateway is given up after so long; 0: never */
  afterMs: number
  log: { warn (details: object, message: string): void, error (details: object, message: string): void }
}

/**
 * Gives up gateways that have been silent for a set time: what they had leased is counted as spent. Nothing is freed by
 * it, and it is taken back as far as their journals, should they turn up, say otherwise. Every gateway looks; of two
 * that find the same one, the second finds it written off.
 */
export class LostGateways {
  readonly #o: LostGatewaysOptions

  constructor (options: LostGatewaysOptions) { this.#o = options }

  async look (): Promise<void> {
    const { authority, afterMs, log } = this.#o
    if (afterMs === 0) return
    try {
      for (const lost of await authority.gateways()) {
        if (lost.silentMs >= afterMs) await this.#giveUp(lost)
      }
    } catch (err) {
      log.warn({ err }, 'whether gateways are lost could not be looked up')
    }
  }

  async #giveUp ({ incarnation, host, silentMs }: Pick<GatewayInDoubt, 'incarnation' | 'host' | 'silentMs'>): Promise<void> {
    const { writeOff, log } = this.#o
    try {
      const accounts = (await writeOff(incarnation)).length
      log.error({ incarnation, host, silentMs, accounts }, 'a gateway is given up: what it had leased counts as spent')
    } catch (err) {
      log.warn({ err, incarnation }, 'a lost gateway was not written off')
    }
  }
}
