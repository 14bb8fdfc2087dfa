import { type Reach } from '../../access/actor.ts'
import { outOfReach } from '../../access/reach.ts'
import { type AccountFigures } from '../../account/authority.ts'
import { accountSpec } from '../../budget/account-spec.ts'
import { type AppliedBudget } from '../../budget/applies.ts'
import { type Budget } from '../../budget/budget.ts'
import { Conflict } from '../../errors.ts'
import { type HoldAmount, type HoldDraft, type Holder, type LongHold } from '../../holds/hold.ts'
import { type HoldEnd, type HoldPage, type HoldQuery, type HoldStore } from '../../holds/hold-store.ts'
import { othersIn } from '../../holds/holder.ts'
import { identityOf } from '../../holds/placing.ts'
import { accountSpecs, FIGURES, figuresOf, type FiguresRow } from './authority.ts'
import { hasMember } from './budget-reach.ts'
import { PostgresBudgetStore } from './budget-store.ts'
import { Conditions } from './conditions.ts'
import { pageById, positionOf } from './cursor.ts'
import { amountJson, endJson, holdJson, holdOf, HOLDS, type HoldRow } from './hold-rows.ts'
import { constraintOf, idOf, isUuid, reached, type Transactional } from './pool.ts'
import { rateNow } from './rates.ts'

export interface HoldStoreOptions {
  /** hears of accounts whose figures a change has moved */
  moved?: (accountIds: readonly number[]) => void
  /** of whose store this is; null: everything */
  reach?: Reach | null
}

/** Long holds in PostgreSQL: each change of one is one SQL function, which locks its accounts in id order first. */
export class PostgresHoldStore implements HoldStore {
  readonly #database: Transactional
  readonly #moved: (accountIds: readonly number[]) => void
  readonly #reach: Reach | null

  constructor (database: Transactional, { moved = () => undefined, reach = null }: HoldStoreOptions = {}) {
    this.#database = database
    this.#moved = moved
    this.#reach = reach
  }

  async budgetsOf (holder: Holder): Promise<Budget[]> {
    for (const { field, scopeType, scopeId } of othersIn(holder, this.#reach)) {
      if (this.#reach === null || await hasMember(this.#database, scopeType, scopeId, this.#reach)) continue
      throw outOfReach(field, 'absent, or of a scope that a budget within what you manage has already')
    }
    return await new PostgresBudgetStore(this.#database).forIdentity(identityOf(holder))
  }

  async budgetLine (id: string): Promise<Budget[]> { return await new PostgresBudgetStore(this.#database).line(id) }

  async rate (currency: string): Promise<string | null> { return await reached(rateNow(this.#database, currency)) }

  async accountsOf (applied: readonly AppliedBudget[]): Promise<number[]> {
    const specs = applied.map(({ budget, subject, periodStart, periodEnd }) =>
      accountSpec(budget, subject, { start: periodStart, end: periodEnd }))
    const rows = await reached(this.#database.query<{ ordinal: number, account_id: string }>({
      text: 'select ordinal, account_id from ensure_accounts($1)', values: [accountSpecs(specs)],
    }))
    const ids = new Map(rows.map(({ ordinal, account_id: id }) => [ordinal, idOf(id)]))
    return specs.map(({ budgetId }, i) => {
      const id = ids.get(i)
      if (id === undefined) throw new Error(`The ledger has no budget ${budgetId}`)
      return id
    })
  }

  async open (
    hold: HoldDraft, amounts: readonly HoldAmount[]
  ): Promise<{ opened: boolean, figures: AccountFigures[] }> {
    const rows = await reached(this.#database.query<FiguresRow & { opened: boolean }>({
      text: `select opened, ${FIGURES} from open_long_hold($1, $2)`, values: [holdJson(hold), amountJson(amounts)],
    }).catch((error: unknown) => { throw inUse(error, hold) }))
    this.#moved(amounts.map(({ accountId }) => accountId))
    return { opened: rows[0]?.opened === true, figures: rows.map(figuresOf) }
  }

  async get (id: string): Promise<LongHold | null> {
    if (!isUuid(id)) return null
    const [row] = await reached(this.#database.query<HoldRow>({ text: `${HOLDS} where h.id = $1`, values: [id] }))
    return row === undefined ? null : holdOf(row)
  }

  async page (query: HoldQuery): Promise<HoldPage> {
    const { limit, cursor, ...list } = query
    const conditions = conditionsOf(query)
    if (cursor !== undefined) conditions.and(`h.id < ${conditions.value(positionOf(list, cursor).id)}::uuid`)
    const rows = await reached(this.#database.query<HoldRow>({
      text: `${HOLDS} where ${conditions.text} order by h.id desc limit ${conditions.value(limit + 1)}`,
      values: conditions.values,
    }))
    const page = pageById(list, rows, limit)
    return { holds: page.rows.map(holdOf), nextCursor: page.nextCursor }
  }

  async lock (id: string): Promise<LongHold | null> {
    if (!isUuid(id)) return null
    await reached(this.#database.query({ text: 'select lock_long_hold($1)', values: [id] }))
    return await this.get(id)
  }

  async end (id: string, end: HoldEnd): Promise<void> {
    const [row] = await reached(this.#database.query<{ ended: boolean }>({
      text: 'select end_long_hold($1, $2, $3, $4) as ended',
      values: [id, end.settlement.outcome, endJson(end), amountJson(end.costs)],
    }))
    if (row?.ended !== true) throw new Error(`hold ${id} had ended, though it was locked before`)
    this.#moved(end.costs.map(({ accountId }) => accountId))
  }

  async expire (most: number): Promise<LongHold[]> {
    const [row] = await reached(this.#database.query<{ ids: string[] | null }>({
      name: 'expire_long_holds', text: EXPIRE, values: [most],
    }))
    if (row?.ids == null) return []
    const rows = await reached(this.#database.query<HoldRow>({ text: `${HOLDS} where h.id = any ($1) order by h.id`, values: [row.ids] }))
    return rows.map(holdOf)
  }

  async extend (id: string, expiresAt: number): Promise<void> {
    await reached(this.#database.query({
      text: "update long_holds set expires_at = $2 where id = $1 and state = 'open'", values: [id, new Date(expiresAt)],
    }))
  }
}

const EXPIRE = 'select array_agg(distinct hold_id) as ids from expire_long_holds($1)'

function conditionsOf ({ state, budgetId, organizationId, externalId, keyId, reach }: HoldQuery): Conditions {
  const conditions = new Conditions()
  conditions.same('h.state', state)
  conditions.same('h.organization_id', organizationId)
  conditions.same('h.external_id', externalId)
  conditions.same('h.key_id', keyId)
  if (budgetId !== undefined) {
    conditions.and(`exists (select from long_hold_accounts r join budget_accounts a on a.id = r.account_id
      where r.hold_id = h.id and a.budget_id = ${conditions.value(isUuid(budgetId) ? budgetId : null)})`)
  }
  if (reach === null) return conditions
  conditions.same('h.organization_id', reach.organizationId)
  if (reach.scope !== null) conditions.same(`h.${reach.scope.type}_id`, reach.scope.id)
  return conditions
}

function inUse (error: unknown, { externalId, source }: HoldDraft): unknown {
  if (constraintOf(error) !== 'long_holds_external') return error
  const conflict = new Conflict(`externalId ${JSON.stringify(externalId)} names another hold of this organization and source ${source}`)
  return Object.assign(conflict, { field: 'externalId' })
}
