import { type AuditDraft } from '../../access/audit.ts'
import { type Link } from '../../access/audit-chain.ts'
import { type Authorship, type Changes, type Stores } from '../../access/changes.ts'
import { PostgresAdjustmentStore } from './adjustment-store.ts'
import { PostgresAlertStore } from './alert-store.ts'
import { PostgresApprovalStore } from './approval-store.ts'
import { append } from './audit-log.ts'
import { PostgresHoldStore } from './hold-store.ts'
import { PostgresIdempotencyStore } from './idempotency-store.ts'
import { NotedBudgets, NotedGateways, NotedKeys, NotedPrices, NotedRates, NotedTokens, NotedUsage, Trail } from './noted.ts'
import { reached, type Database } from './pool.ts'
import { NotedRepairs } from './repairs.ts'
import { type ChargedAccount } from './usage-recording.ts'

export interface PostgresChangesOptions {
  database: Database
  /** this was changed, or may have been: nothing that was read of it before may be used after */
  changed: (what: Changed) => void
  /** these accounts were charged; what it returns is waited for before the change is answered, and does not fail it */
  charged?: (accounts: ChargedAccount[]) => Promise<void>
  /** prices were added; waited for before the change is answered, and does not fail it */
  priced?: () => Promise<void>
  /** these accounts were moved by long holds */
  moved?: (accountIds: readonly number[]) => Promise<void>
  /** hears of each entry of the audit log once it is committed */
  noted?: (by: Authorship, draft: AuditDraft, link: Link) => void
}

export interface Changed {
  /** budgets, and what else they are read with */
  budgets: boolean
  /** ids of keys */
  keys: ReadonlySet<string>
  tokens: boolean
}

/** Changes in PostgreSQL: one transaction each. */
export class PostgresChanges implements Changes {
  readonly #o: PostgresChangesOptions

  constructor (options: PostgresChangesOptions) { this.#o = options }

  async run<T> (by: Authorship, work: (stores: Stores) => Promise<T>): Promise<T> {
    const { database, changed, charged, moved, noted, priced } = this.#o
    const held = new Set<number>()
    const note = (ids: readonly number[]) => { for (const id of ids) held.add(id) }
    const keys = new Set<string>()
    let [defining, pricing, ofTokens] = [false, false, false]
    let outcome: { result: T, drafts: AuditDraft[], links: Link[], accounts: ChargedAccount[] }
    try {
      outcome = await reached(database.transaction(async (tx) => {
        const trail = new Trail(tx)
        const usage = new NotedUsage(tx, trail)
        const prices = <S>(store: S): S => {
          pricing = true
          return defines(store)
        }
        const defines = <S>(store: S): S => {
          defining = true
          return store
        }
        const result = await work({
          // usage comes all the time, and must not make the gateway read all definitions again
          get budgets () { return defines(new NotedBudgets(tx, trail, by.actor.reach)) },
          keys: new NotedKeys(tx, trail, by.actor.reach, (id) => { keys.add(id) }),
          get tokens () {
            ofTokens = true
            return new NotedTokens(tx, trail, by.actor.reach)
          },
          get adjustments () { return defines(new PostgresAdjustmentStore(tx, by.actor.reach)) },
          get rates () { return defines(new NotedRates(tx, trail)) },
          get prices () { return prices(new NotedPrices(tx, trail)) },
          approvals: new PostgresApprovalStore(tx),
          alerts: new PostgresAlertStore(tx),
          usage,
          holds: new PostgresHoldStore(tx, { moved: note, reach: by.actor.reach }),
          gateways: new NotedGateways(tx, trail),
          repairs: new NotedRepairs(tx, trail, note),
          idempotency: new PostgresIdempotencyStore(tx),
          audit: trail,
        })
        return { result, drafts: trail.drafts, links: await append(tx, by, trail.drafts), accounts: usage.charged }
      }))
    } finally {
      // also after an error: the commit's answer may have been lost
      if (defining || ofTokens || keys.size > 0) changed({ budgets: defining, keys, tokens: ofTokens })
    }
    const { result, drafts, links, accounts } = outcome
    links.forEach((link, i) => { noted?.(by, drafts[i] as AuditDraft, link) })
    if (pricing) await priced?.()
    if (accounts.length > 0) await charged?.(accounts)
    if (held.size > 0) await moved?.([...held])
    return result
  }
}
