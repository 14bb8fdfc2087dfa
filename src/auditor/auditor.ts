import { describeDrift, isDerived, type Drift, type DriftKind } from './drift.ts'

export interface Look {
  /** that were compared with their records */
  accounts: number
  /** all that is wrong on them */
  drifts: Drift[]
  /** those of them that no look had found before */
  found: Drift[]
}

export interface AuditorBooks {
  /** null: another gateway looks, or one has looked within this time */
  look (everyMs: number): Promise<Look | null>
  /** how many figures are known to be wrong, by kind */
  open (): Promise<Map<DriftKind, number>>
}

export interface AuditorOptions {
  books: AuditorBooks
  /** makes what is derived on an account anew; answers what was wrong */
  heal: (accountId: number) => Promise<DriftKind[]>
  everyMs: number
  log: Record<'info' | 'warn' | 'error', (details: object, message: string) => void>
}

/** Compares the ledger with itself while it is used, heals what is derived, and tells of the rest. */
export class Auditor {
  readonly #o: AuditorOptions
  #looking = false
  /** by kind, as last heard; whichever gateway found them */
  drifts: ReadonlyMap<DriftKind, number> = new Map()
  readonly found = new Map<DriftKind, number>()
  readonly healed = new Map<DriftKind, number>()

  constructor (options: AuditorOptions) { this.#o = options }

  /** never rejects; nothing where a look is under way */
  async look (): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const look = await this.#o.books.look(this.#o.everyMs)
      for (const drift of look?.found ?? []) this.#tell(drift)
      const derived = new Set(look?.drifts.filter(isDerived).map(({ accountId }) => accountId))
      for (const accountId of derived) await this.#heal(accountId)
      this.drifts = await this.#o.books.open()
    } catch (err) {
      this.#o.log.warn({ err }, 'the ledger could not be compared with itself')
    }
    this.#looking = false
  }

  #tell (drift: Drift): void {
    const { kind, accountId, object } = drift
    count(this.found, kind)
    this.#o.log.error({ drift: kind, account: accountId, object },
      `the ledger does not agree with itself: ${describeDrift(drift)}${isDerived(drift) ? '' : '; see `relaycore reconcile`'}`)
  }

  async #heal (accountId: number): Promise<void> {
    const { heal, log } = this.#o
    try {
      const kinds = await heal(accountId)
      for (const kind of kinds) count(this.healed, kind)
      log.info({ account: accountId, kinds }, 'what is derived from records was made anew')
    } catch (err) {
      log.warn({ err, account: accountId }, 'what is derived from records could not be made anew')
    }
  }
}

function count (by: Map<DriftKind, number>, kind: DriftKind): void { by.set(kind, (by.get(kind) ?? 0) + 1) }
