import { type Reach } from '../../access/actor.ts'
import {
  budgetChange, common, keyChange, ownersOfBudget, type AuditDraft, type AuditTrail, type Owners,
} from '../../access/audit.ts'
import { type Link } from '../../access/audit-chain.ts'
import { type Authorship, type Changes, type Stores } from '../../access/changes.ts'
import { type Budget } from '../../budget/budget.ts'
import { type Allow } from '../../budget/budget-catalog.ts'
import { type BudgetDraft } from '../../budget/hierarchy.ts'
import { systemNow } from '../../clock.ts'
import { type AllowKey, type GatewayKey, type KeyDraft, type KeyTerms } from '../../keys/key.ts'
import { PostgresAlertStore } from './alert-store.ts'
import { PostgresAdminTokenStore } from './admin-token-store.ts'
import { append } from './audit-log.ts'
import { ANCESTORS, selectBudgets } from './budget-rows.ts'
import { PostgresBudgetStore } from './budget-store.ts'
import { PostgresIdempotencyStore } from './idempotency-store.ts'
import { PostgresKeyStore } from './key-store.ts'
import { reached, type Database, type Queryable, type Transactional } from './pool.ts'
import { type ChargedAccount, PostgresUsageRecording } from './usage-recording.ts'

export interface PostgresChangesOptions {
  database: Database
  /** definitions were changed, or may have been: nothing that was read before may be used after */
  changed: () => void
  /** these accounts were charged; what it returns is waited for before the change is answered, and does not fail it */
  charged?: (accounts: ChargedAccount[]) => Promise<void>
  /** hears of each entry of the audit log once it is committed */
  noted?: (by: Authorship, draft: AuditDraft, link: Link) => void
}

/** Changes in PostgreSQL: one transaction each. */
export class PostgresChanges implements Changes {
  readonly #o: PostgresChangesOptions

  constructor (options: PostgresChangesOptions) { this.#o = options }

  async run<T> (by: Authorship, work: (stores: Stores) => Promise<T>): Promise<T> {
    const { database, changed, charged, noted } = this.#o
    let defining = false
    let outcome: { result: T, drafts: AuditDraft[], links: Link[], accounts: ChargedAccount[] }
    try {
      outcome = await reached(database.transaction(async (tx) => {
        const trail = new Trail(tx)
        const usage = new PostgresUsageRecording(tx)
        const defines = <S>(store: S): S => {
          defining = true
          return store
        }
        const result = await work({
          // usage comes all the time, and must not make the gateway read all definitions again
          get budgets () { return defines(new NotedBudgets(tx, trail, by.actor.reach)) },
          get keys () { return defines(new NotedKeys(tx, trail, by.actor.reach)) },
          get tokens () { return defines(new PostgresAdminTokenStore(tx, by.actor.reach)) },
          alerts: new PostgresAlertStore(tx),
          usage,
          idempotency: new PostgresIdempotencyStore(tx),
          audit: trail,
        })
        return { result, drafts: trail.drafts, links: await append(tx, by, trail.drafts), accounts: usage.charged }
      }))
    } finally {
      // also after an error: the commit's answer may have been lost
      if (defining) changed()
    }
    const { result, drafts, links, accounts } = outcome
    links.forEach((link, i) => { noted?.(by, drafts[i] as AuditDraft, link) })
    if (accounts.length > 0) await charged?.(accounts)
    return result
  }
}

class Trail implements AuditTrail {
  readonly drafts: AuditDraft[] = []
  readonly #tx: Queryable

  constructor (tx: Queryable) { this.#tx = tx }

  note (draft: AuditDraft): void { this.drafts.push(draft) }

  async ownersOf (budgetId: string): Promise<Owners> {
    const [budget, ...above] = await selectBudgets(this.#tx, { text: ANCESTORS, values: [budgetId] })
    if (budget === undefined) throw new Error(`There is no budget ${budgetId} whose owners are asked for`)
    return ownersOfBudget(budget, above)
  }

  /** of a budget that is not as it is stored any more */
  async ownersOfFormer (budget: Budget): Promise<Owners> {
    const { parentBudgetId } = budget
    if (parentBudgetId === null) return ownersOfBudget(budget, [])
    return ownersOfBudget(budget, await selectBudgets(this.#tx, { text: ANCESTORS, values: [parentBudgetId] }))
  }
}

/** Every change of a budget leaves an entry; what changed nothing leaves none. */
class NotedBudgets extends PostgresBudgetStore {
  readonly #trail: Trail

  constructor (tx: Transactional, trail: Trail, reach: Reach | null) {
    super(tx, systemNow, reach)
    this.#trail = trail
  }

  override async insert (draft: BudgetDraft): Promise<Budget> {
    return await this.#note('created', null, await super.insert(draft))
  }

  override async update (id: string, change: (current: Budget) => BudgetDraft): Promise<Budget> {
    const seen: Budget[] = []
    const after = await super.update(id, (current) => {
      seen.push(current)
      return change(current)
    })
    return await this.#note('changed', seenOf(seen), after)
  }

  override async archive (id: string, allow: Allow = () => undefined): Promise<Budget> {
    const seen: Budget[] = []
    const after = await super.archive(id, (current) => { seen.push(current); allow(current) })
    return await this.#note('archived', seenOf(seen), after)
  }

  override async restore (id: string, allow: Allow = () => undefined): Promise<Budget> {
    const seen: Budget[] = []
    const after = await super.restore(id, (current) => { seen.push(current); allow(current) })
    return await this.#note('restored', seenOf(seen), after)
  }

  async #note (action: string, before: Budget | null, after: Budget): Promise<Budget> {
    if (before?.version === after.version) return after
    const now = await this.#trail.ownersOf(after.id)
    const owners = before === null ? now : common(await this.#trail.ownersOfFormer(before), now)
    this.#trail.note(budgetChange(action, owners, before, after))
    return after
  }
}

/** The same of keys. Their secrets are nowhere in what is noted. */
class NotedKeys extends PostgresKeyStore {
  readonly #trail: Trail

  constructor (tx: Transactional, trail: Trail, reach: Reach | null) {
    super(tx, reach)
    this.#trail = trail
  }

  override async insert (draft: KeyDraft, hash: Buffer, hint: string): Promise<GatewayKey> {
    const after = await super.insert(draft, hash, hint)
    this.#trail.note(keyChange('created', null, after))
    return after
  }

  override async update (
    id: string, change: (current: GatewayKey) => KeyTerms & { disabled: boolean }
  ): Promise<GatewayKey | null> {
    const seen: GatewayKey[] = []
    return this.#note('changed', seen, await super.update(id, (current) => {
      seen.push(current)
      return change(current)
    }))
  }

  override async rotate (
    id: string, hash: Buffer, hint: string, overlapSeconds: number, allow: AllowKey = () => undefined
  ): Promise<GatewayKey | null> {
    const seen: GatewayKey[] = []
    const looked = (current: GatewayKey) => { seen.push(current); allow(current) }
    return this.#note('rotated', seen, await super.rotate(id, hash, hint, overlapSeconds, looked))
  }

  override async revoke (id: string, allow: AllowKey = () => undefined): Promise<GatewayKey | null> {
    const seen: GatewayKey[] = []
    return this.#note('revoked', seen, await super.revoke(id, (current) => { seen.push(current); allow(current) }))
  }

  #note (action: string, seen: GatewayKey[], after: GatewayKey | null): GatewayKey | null {
    if (after === null) return null
    const before = seenOf(seen)
    if (before.version !== after.version) this.#trail.note(keyChange(action, before, after))
    return after
  }
}

function seenOf<T> ([seen]: T[]): T {
  if (seen === undefined) throw new Error('A change did not show what it changes')
  return seen
}
