import { type Reach } from '../../access/actor.ts'
import {
  budgetChange, cacheChange, common, gatewayChange, keyChange,
  ownersOfBudget, priceChange, rateChange, tokenChange, usageChange,
  type AuditDraft, type AuditTrail, type Owners,
} from '../../access/audit.ts'
import { type WrittenOff } from '../../account/lost-gateways.ts'
import { type Budget } from '../../budget/budget.ts'
import { type Allow } from '../../budget/budget-catalog.ts'
import { type BudgetDraft } from '../../budget/hierarchy.ts'
import { Conflict } from '../../errors.ts'
import { systemNow } from '../../clock.ts'
import { type ExchangeRate } from '../../money/exchange-rates.ts'
import { type PriceOverride } from '../../pricing/layers.ts'
import { type AdminToken, type TokenDraft } from '../../keys/admin-tokens.ts'
import { type AllowKey, type GatewayKey, type KeyDraft, type KeyTerms } from '../../keys/key.ts'
import {
  type CacheCheck, type NewReversal, type NewUsage, type Recorded, type RecordProblem,
} from '../../usage/recording.ts'
import { PostgresAdminTokenStore } from './admin-token-store.ts'
import { ANCESTORS, selectBudgets } from './budget-rows.ts'
import { PostgresBudgetStore } from './budget-store.ts'
import { PostgresPriceStore } from './price-store.ts'
import { PostgresRateStore } from './rates.ts'
import { PostgresKeyStore } from './key-store.ts'
import { bigintOf, idOf, sqlStateOf, type Queryable, type Transactional } from './pool.ts'
import { PostgresUsageRecording } from './usage-recording.ts'

/**
 * The stores of a change: what they change they note, in the change's own transaction, so that nobody can forget it.
 * What changed nothing leaves no entry.
 */
export class Trail implements AuditTrail {
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

export class NotedBudgets extends PostgresBudgetStore {
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

/** Their secrets are nowhere in what is noted, and neither are those of tokens. */
export class NotedKeys extends PostgresKeyStore {
  readonly #trail: Trail
  readonly #changed: (id: string) => void

  /** `changed`: hears which key is changed */
  constructor (tx: Transactional, trail: Trail, reach: Reach | null, changed: (id: string) => void) {
    super(tx, reach)
    this.#trail = trail
    this.#changed = changed
  }

  override async insert (draft: KeyDraft, hash: Buffer, hint: string): Promise<GatewayKey> {
    const after = await super.insert(draft, hash, hint)
    this.#changed(after.id)
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
    if (before.version !== after.version) {
      this.#changed(after.id)
      this.#trail.note(keyChange(action, before, after))
    }
    return after
  }
}

export class NotedTokens extends PostgresAdminTokenStore {
  readonly #tx: Transactional
  readonly #trail: Trail

  constructor (tx: Transactional, trail: Trail, reach: Reach | null) {
    super(tx, reach)
    this.#tx = tx
    this.#trail = trail
  }

  override async insert (draft: TokenDraft, hash: Buffer, hint: string): Promise<AdminToken> {
    const after = await super.insert(draft, hash, hint)
    this.#trail.note(tokenChange('created', null, after))
    return after
  }

  override async replaceAdministrators (draft: TokenDraft, hash: Buffer, hint: string): Promise<void> {
    await this.#tx.query({ text: LOCK_TOKENS })
    const before = await this.#administrators()
    await super.replaceAdministrators(draft, hash, hint)
    for (const token of before) this.#trail.note(tokenChange('revoked', token, await this.#stored(token.id)))
    const known = new Set(before.map(({ id }) => id))
    for (const token of await this.#administrators()) {
      if (!known.has(token.id)) this.#trail.note(tokenChange('created', null, token))
    }
  }

  override async revoke (id: string): Promise<AdminToken | null> {
    // of two at once the second sees what the first did
    await this.#tx.query({ text: LOCK_TOKENS })
    const before = await this.get(id)
    const after = await super.revoke(id)
    if (before !== null && after !== null && before.revokedAt === null) this.#trail.note(tokenChange('revoked', before, after))
    return after
  }

  async #administrators (): Promise<AdminToken[]> {
    const rows = await this.#tx.query<{ id: string }>({ text: ADMINISTRATORS })
    const tokens = []
    for (const { id } of rows) tokens.push(await this.#stored(id))
    return tokens
  }

  async #stored (id: string): Promise<AdminToken> {
    const token = await this.get(id)
    if (token === null) throw new Error(`Token ${id} is not in the transaction that has it`)
    return token
  }
}

const LOCK_TOKENS = 'lock table admin_tokens in share row exclusive mode'

const ADMINISTRATORS = `
  select id from admin_tokens where revoked_at is null and role = 'administrator' order by created_at, id`

/** One entry for each budget that a request records usage on, however many records those are. */
export class NotedUsage extends PostgresUsageRecording {
  readonly #trail: Trail
  readonly #budgets = new Map<string, Budget>()

  constructor (tx: Queryable, trail: Trail) {
    super(tx)
    this.#trail = trail
  }

  override async lines (budgetIds: string[]): Promise<Map<string, Budget>> {
    const found = await super.lines(budgetIds)
    for (const [id, budget] of found) this.#budgets.set(id, budget)
    return found
  }

  override async record (usage: NewUsage[], reversals: NewReversal[]): Promise<Recorded | RecordProblem> {
    const done = await super.record(usage, reversals)
    if ('problem' in done) return done
    const made = new Map<string, (NewUsage | NewReversal)[]>()
    for (const one of [...usage, ...reversals]) {
      if (done.known.has(one.ordinal)) continue
      const { budgetId } = one.draft
      const ofBudget = made.get(budgetId) ?? []
      made.set(budgetId, ofBudget)
      ofBudget.push(one)
    }
    for (const [budgetId, ofBudget] of made) {
      this.#trail.note(usageChange(budgetId, await this.#ownersOf(budgetId), ofBudget))
    }
    return done
  }

  override async refreshCache (budgetId: string): Promise<CacheCheck> {
    const done = await super.refreshCache(budgetId)
    if (done.healed > 0) this.#trail.note(cacheChange(budgetId, await this.#trail.ownersOf(budgetId), done))
    return done
  }

  async #ownersOf (budgetId: string): Promise<Owners> {
    const line: Budget[] = []
    for (let id: string | null = budgetId; id !== null;) {
      const budget = this.#budgets.get(id)
      if (budget === undefined) return await this.#trail.ownersOf(budgetId)
      line.push(budget)
      id = budget.parentBudgetId
    }
    const [budget, ...above] = line as [Budget, ...Budget[]]
    return ownersOfBudget(budget, above)
  }
}

export class NotedGateways {
  readonly #tx: Queryable
  readonly #trail: Trail

  constructor (tx: Queryable, trail: Trail) {
    this.#tx = tx
    this.#trail = trail
  }

  async writeOff (incarnation: number): Promise<WrittenOff[]> {
    const [gateway] = await this.#tx.query<{ host: string, state: string }>({ text: GATEWAY, values: [incarnation] })
    const query = { text: WRITE_OFF, values: [incarnation] }
    const rows = await this.#tx.query<WriteOffRow>(query).catch((error: unknown) => {
      if (sqlStateOf(error) === 'RC002') throw new Conflict((error as Error).message, { cause: error })
      throw error
    })
    const written = rows.map((row) => ({
      accountId: idOf(row.account_id),
      budgetId: row.budget_id,
      amountNano: bigintOf(row.amount_nano),
      currency: row.currency,
    }))
    // what is unknown was refused
    if (gateway !== undefined) this.#trail.note(gatewayChange(incarnation, gateway, written))
    return written
  }
}

export class NotedRates extends PostgresRateStore {
  readonly #trail: Trail

  constructor (tx: Queryable, trail: Trail) {
    super(tx)
    this.#trail = trail
  }

  override async add (rates: readonly ExchangeRate[]): Promise<ExchangeRate[]> {
    const added = await super.add(rates)
    for (const rate of added) this.#trail.note(rateChange(rate))
    return added
  }
}

export class NotedPrices extends PostgresPriceStore {
  readonly #trail: Trail

  constructor (tx: Queryable, trail: Trail) {
    super(tx)
    this.#trail = trail
  }

  override async add (override: PriceOverride): Promise<boolean> {
    const added = await super.add(override)
    if (added) this.#trail.note(priceChange(override))
    return added
  }
}

const GATEWAY = 'select host, state from gateways where incarnation = $1 for update'

const WRITE_OFF = `
  select w.account_id, w.amount_nano, a.budget_id, a.currency
  from write_off($1) w join budget_accounts a on a.id = w.account_id order by w.account_id`

interface WriteOffRow {
  account_id: string
  amount_nano: string
  budget_id: string
  currency: string
}

function seenOf<T> ([seen]: T[]): T {
  if (seen === undefined) throw new Error('A change did not show what it changes')
  return seen
}
