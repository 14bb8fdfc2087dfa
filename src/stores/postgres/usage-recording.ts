import { type AccountSpec } from '../../account/authority.ts'
import { type Budget } from '../../budget/budget.ts'
import { Unprocessable } from '../../errors.ts'
import { type UsageRecord } from '../../usage/history.ts'
import {
  type CacheCheck, type KnownRate, type NewReversal, type NewUsage, type Recorded, type RecordProblem,
  type UsageRecording,
} from '../../usage/recording.ts'
import { accountSpecs } from './authority.ts'
import { COLUMNS, selectBudgets } from './budget-rows.ts'
import { bigintOf, idOf, isUuid, reached, sqlStateOf, type Queryable } from './pool.ts'
import { RECORD_COLUMNS, recordOf, type RecordRow } from './record-rows.ts'
import { dayOf, jsonOf, text, timeOf } from './usage-rows.ts'

/** An account that a change has charged; null: its period never ends. */
export interface ChargedAccount { accountId: number, periodEnd: number | null }

/** Usage recorded beside what gateways post, in the transaction of a change. */
export class PostgresUsageRecording implements UsageRecording {
  readonly #tx: Queryable
  /** for what is to be done when the change is committed */
  readonly charged: ChargedAccount[] = []

  constructor (tx: Queryable) { this.#tx = tx }

  async lines (budgetIds: string[]): Promise<Map<string, Budget>> {
    const asked = new Set(budgetIds.filter(isUuid).map((id) => id.toLowerCase()))
    for (;;) {
      const budgets = await reached(selectBudgets(this.#tx, { name: 'budget_lines', text: LINES, values: [[...asked]] }))
      const found = new Map(budgets.map((budget) => [budget.id, budget]))
      // who got another parent between the look and the lock has it now for as long as this change lasts
      const missing = budgets.flatMap(({ parentBudgetId }) =>
        parentBudgetId === null || found.has(parentBudgetId) ? [] : [parentBudgetId])
      if (missing.length === 0) return found
      for (const id of missing) asked.add(id)
    }
  }

  async rates (asked: { currency: string, at: number }[]): Promise<KnownRate[]> {
    return await reached(this.#tx.query<KnownRate & Record<string, unknown>>({
      name: 'rates_then',
      text: RATES,
      values: [asked.map(({ currency }) => currency), asked.map(({ at }) => new Date(at))],
    }))
  }

  async accounts (specs: AccountSpec[]): Promise<number[]> {
    if (specs.length === 0) return []
    const rows = await reached(this.#tx.query<{ account_id: string }>({
      name: 'ensure_accounts_in_order',
      text: 'select account_id from ensure_accounts($1) order by ordinal',
      values: [accountSpecs(specs)],
    }))
    return rows.map((row) => idOf(row.account_id))
  }

  async record (usage: NewUsage[], reversals: NewReversal[]): Promise<Recorded | RecordProblem> {
    const rows = await reached(withinBounds(this.#tx.query<OutcomeRow>({
      name: 'record_usage',
      text: `select ordinal, problem, id, base_nano, event_currency, budget_currency, account_id, period_end, recorded_at
        from record_usage($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      values: batchOf(usage, reversals),
    })))
    const wrong = rows.filter(({ problem }) => problem !== null).sort((a, b) => (a.ordinal ?? 0) - (b.ordinal ?? 0))[0]
    if (wrong !== undefined) return problemOf(wrong)
    const known = new Map<number, string>()
    let recordedAt = 0
    for (const row of rows) {
      if (row.account_id !== null) {
        recordedAt = row.recorded_at?.getTime() ?? recordedAt
        this.charged.push({ accountId: idOf(row.account_id), periodEnd: row.period_end?.getTime() ?? null })
      } else if (row.ordinal !== null && row.id !== null) {
        known.set(row.ordinal, row.id)
      }
    }
    const records: UsageRecord[] = []
    // what was recorded just now is known without reading it again
    for (const one of usage) if (!known.has(one.ordinal)) records[one.ordinal] = newRecord(one, recordedAt)
    for (const { ordinal, id } of reversals) if (!known.has(ordinal)) known.set(ordinal, id)
    return { records: await this.#filled(records, known), known: new Set(rows.flatMap(({ ordinal }) => ordinal ?? [])) }
  }

  /** those that are missing among the records, by ordinal */
  async #filled (records: UsageRecord[], missing: Map<number, string>): Promise<UsageRecord[]> {
    if (missing.size === 0) return records
    const ids = [...missing.values()]
    const rows = await reached(this.#tx.query<RecordRow>({ name: 'recorded_usage', text: READ, values: [ids.map(dayOf), ids] }))
    const found = new Map(rows.map((row) => [row.id, recordOf(row)]))
    for (const [ordinal, id] of missing) {
      const record = found.get(id)
      if (record === undefined) throw new Error(`record ${id} is known and not in the ledger`)
      records[ordinal] = record
    }
    return records
  }

  async refreshCache (budgetId: string): Promise<CacheCheck> {
    const [row] = await reached(this.#tx.query<{ accounts: number, healed: number, accounts_differing: number }>({
      text: 'select accounts, healed, accounts_differing from refresh_budget_status_cache($1)', values: [budgetId],
    }))
    if (row === undefined) throw new Error('PostgreSQL returned no row for a check of the cache')
    return { accounts: row.accounts, healed: row.healed, accountsDiffering: row.accounts_differing }
  }
}

/** Locked in the order of their ids, and as they are once they are locked. */
const LINES = `
  with recursive line as (
    select id, parent_budget_id from budget_definitions where id = any ($1::uuid[])
    union
    select p.id, p.parent_budget_id from line l join budget_definitions p on p.id = l.parent_budget_id
  )
  select ${COLUMNS} where b.id in (select id from line) order by b.id for share of b`

const RATES = `
  select trim_scale(now.rate)::text as rate, trim_scale(first.rate)::text as first
  from unnest($1::text[], $2::timestamptz[]) with ordinality k (currency, at, n)
  left join lateral (
    select r.rate from exchange_rates r where r.currency = k.currency and r.effective_at <= k.at
    order by r.effective_at desc limit 1
  ) now on true
  left join lateral (
    select r.rate from exchange_rates r where r.currency = k.currency order by r.effective_at limit 1
  ) first on true
  order by k.n`

const READ = `
  select ${RECORD_COLUMNS}
  from unnest($1::date[], $2::uuid[]) with ordinality k (day, id, n)
  cross join lateral (select * from usage_events e where e.day = k.day and e.id = k.id limit 1) e
  cross join lateral (
    select r.*, a.budget_id, a.currency
    from budget_usage_records r join budget_accounts a on a.id = r.account_id
    where r.day = k.day and r.event_id = k.id and a.budget_id = e.budget_id limit 1
  ) r
  order by k.n`

interface OutcomeRow {
  ordinal: number | null
  problem: RecordProblem['problem'] | null
  id: string | null
  base_nano: string | null
  event_currency: string | null
  budget_currency: string | null
  account_id: string | null
  period_end: Date | null
  recorded_at: Date | null
}

function problemOf (row: OutcomeRow): RecordProblem {
  const ordinal = row.ordinal ?? 0
  switch (row.problem) {
    case 'currency': return {
      ordinal, problem: 'currency', currencies: [...new Set([row.budget_currency ?? '', row.event_currency ?? ''])],
    }
    case 'too much': return { ordinal, problem: 'too much', leftNano: bigintOf(row.base_nano ?? '0') }
    default: return { ordinal, problem: row.problem ?? 'unknown' }
  }
}

/** An account holds some 9.2 billion units, and no more. */
async function withinBounds<T> (query: Promise<T>): Promise<T> {
  try {
    return await query
  } catch (error) {
    if (sqlStateOf(error) !== '22003') throw error
    throw new Unprocessable('amount would bring an account past what it can hold, 9,223,372,036 units', { cause: error })
  }
}

/** What record_usage() takes: of what there is four times as much, charges, lists of numbers. */
function batchOf (usage: NewUsage[], reversals: NewReversal[]): unknown[] {
  const ids: string[] = []
  const callers: string[] = []
  for (const one of [...usage, ...reversals]) {
    ids[one.ordinal] = one.id
    if (one.callerId !== null) callers.push(callerJson(one, one.callerId))
  }
  const [of, accounts, amounts, rates]: [number[], number[], bigint[], string[]] = [[], [], [], []]
  for (const { ordinal, charges } of usage) {
    for (const { accountId, amountNano, rate } of charges) {
      of.push(ordinal)
      accounts.push(accountId)
      amounts.push(amountNano)
      rates.push(rate ?? 'NULL')
    }
  }
  const list = (values: unknown[]) => `{${values.join()}}`
  return [
    list(ids.map(dayOf)), list(ids), `[${callers.join()}]`, `[${usage.map(eventJson).join()}]`,
    jsonOf(reversals.map(reversalRow)), list(of), list(accounts), list(amounts), list(rates),
  ]
}

function callerJson (one: NewUsage | NewReversal, callerId: string): string {
  const { ordinal, organizationId, contentHash, draft } = one
  return `{"ordinal":${ordinal},"content_hash":"\\\\x${contentHash.toString('hex')}"` +
    text('organization_id', organizationId) + text('source', draft.source) + text('caller_id', callerId) + '}'
}

function eventJson ({ ordinal, at, callerId, organizationId, currency, rate, costNano, draft }: NewUsage): string {
  const { requestId, provider, modelId, teamId, projectId, userId, tags, more } = draft.metadata
  return `{"ordinal":${ordinal},"cost_nano":"${costNano}","amount_nano":"${draft.amountNano}","at":"${timeOf(at)}"` +
    text('source', draft.source) +
    text('organization_id', organizationId === '' ? null : organizationId) +
    text('team_id', teamId) +
    text('project_id', projectId) +
    text('user_id', userId) +
    (tags === null ? '' : `,"tags":${jsonOf(tags)}`) +
    text('provider', provider ?? NONE) +
    text('model', modelId ?? NONE) +
    text('request_id', requestId) +
    text('budget_id', draft.budgetId) +
    text('caller_id', callerId) +
    text('currency', currency) +
    text('rate', rate) +
    text('description', draft.description) +
    (Object.keys(more).length === 0 ? '' : `,"metadata":${jsonOf(more)}`) + '}'
}

/** where nothing was said */
const NONE = 'none'

/** as recordOf() has it, once it is stored */
function newRecord (one: NewUsage, recordedAt: number): UsageRecord {
  const { id, at, callerId, organizationId, currency, budgetCurrency, charges, draft } = one
  const { requestId, provider, modelId, teamId, projectId, userId, tags, more } = draft.metadata
  const [charge] = charges
  if (charge === undefined) throw new Error(`record ${id} charges nothing`)
  return {
    id,
    budgetId: draft.budgetId,
    amountNano: charge.amountNano,
    quoteNano: 0n,
    currency: budgetCurrency,
    rate: charge.rate,
    original: { amountNano: draft.amountNano, currency },
    recordedOn: draft.budgetId,
    callerId,
    reverses: null,
    description: draft.description,
    source: draft.source,
    certainty: 'exact',
    outcome: 'recorded',
    provider: provider ?? NONE,
    endpoint: 'recorded',
    model: modelId ?? NONE,
    requestId,
    organizationId: organizationId === '' ? null : organizationId,
    teamId,
    projectId,
    userId,
    keyId: null,
    sessionId: null,
    tags,
    consumed: null,
    more,
    openedAt: at,
    endedAt: at,
    recordedAt,
  }
}

function reversalRow ({ ordinal, id, callerId, reverses, currency, backNano, draft }: NewReversal) {
  const { requestId, more } = draft.metadata
  return {
    ordinal,
    day: dayOf(id),
    budget_id: draft.budgetId,
    corrects: reverses,
    currency,
    back_nano: String(backNano),
    source: draft.source,
    caller_id: callerId,
    request_id: requestId,
    description: draft.description,
    metadata: Object.keys(more).length === 0 ? null : more,
  }
}
