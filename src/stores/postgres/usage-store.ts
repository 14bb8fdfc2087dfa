import {
  type AccountKey, type AccountState, type AlertRecord, type UsageHistory, type UsagePage, type UsageQuery,
  type UsageRecord,
} from '../../usage/history.ts'
import { cursorOf, positionOf } from './cursor.ts'
import { bigintOf, idOf, isUuid, reached, type Database, type Query } from './pool.ts'
import { RECORD_COLUMNS, recordOf, type RecordRow } from './record-rows.ts'
import { pageQuery } from './usage-page.ts'
import { dayOf, LAST_TIME, openedAtOf } from './usage-rows.ts'

/** The ledger as it is read for status and history. */
export class PostgresUsageStore implements UsageHistory {
  readonly #database: Database

  constructor (database: Database) {
    this.#database = database
  }

  async accounts (keys: AccountKey[]): Promise<AccountState[]> {
    const known = keys.filter(({ budgetId }) => isUuid(budgetId))
    if (known.length === 0) return []
    const rows = await reached(this.#database.query<AccountRow>({
      name: 'accounts',
      text: ACCOUNTS,
      values: [
        known.map(({ budgetId }) => budgetId), known.map(({ subject }) => subject),
        known.map(({ periodStart }) => new Date(periodStart)),
      ],
    }))
    return rows.map(accountOf)
  }

  async page (budgetId: string, query: UsageQuery): Promise<UsagePage> {
    const { limit, cursor, ...filters } = query
    const list = [budgetId, filters]
    const position = cursor === undefined ? null : positionOf(list, cursor)
    if (!isUuid(budgetId)) return { records: [], nextCursor: null }
    const page = pageQuery(budgetId, query, position)
    const rows = await reached(this.#database.query<RecordRow & { period_start: Date }>(page.records))
    const shown = rows.slice(0, limit)
    const last = rows.length > limit ? shown.at(-1) : await this.#scanned(page.scanned)
    return {
      records: shown.map(recordOf),
      nextCursor: last === undefined ? null : cursorOf(list, { value: last.period_start.toISOString(), id: last.id }),
    }
  }

  async get (id: string): Promise<UsageRecord[]> {
    const at = isUuid(id) ? openedAtOf(id) : Infinity
    if (at > LAST_TIME) return []
    const rows = await reached(this.#database.query<RecordRow>({ name: 'usage_record', text: ONE, values: [dayOf(id), id] }))
    return rows.map(recordOf)
  }

  /** where a page with filters stopped looking, though there may be more */
  async #scanned (query: Query | null): Promise<{ period_start: Date, id: string } | undefined> {
    if (query === null) return undefined
    const [row] = await reached(this.#database.query<{ period_start: Date, id: string }>(query))
    return row
  }

  async alerts (accountId: number): Promise<AlertRecord[]> {
    const rows = await reached(this.#database.query<AlertRow>({ text: ALERTS, values: [accountId] }))
    return rows.map((row) => ({
      threshold: Number(row.threshold),
      actions: row.actions,
      settledNano: bigintOf(row.settled_nano),
      triggeredAt: row.triggered_at.getTime(),
      acknowledgedAt: row.acknowledged_at?.getTime() ?? null,
      acknowledgedBy: row.acknowledged_by,
    }))
  }
}

const ACCOUNTS = `
  select a.id, a.budget_id, a.subject, a.currency, a.period_start, a.period_end, f.limit_nano, f.settled_nano,
    f.leased_nano, f.in_doubt_nano, coalesce(c.charges, 0) as charges, c.last_updated
  from unnest($1::uuid[], $2::text[], $3::timestamptz[]) k (budget_id, subject, period_start)
  join budget_accounts a using (budget_id, subject, period_start)
  cross join lateral account_figures(0, array[a.id]) f
  left join budget_status_cache c on c.account_id = a.id`

const ONE = `
  select ${RECORD_COLUMNS}
  from usage_events e
  cross join lateral (
    select r.*, a.budget_id, a.currency
    from budget_usage_records r join budget_accounts a on a.id = r.account_id
    where r.day = e.day and r.event_id = e.id
  ) r
  where e.day = $1 and e.id = $2
  order by r.budget_id is distinct from e.budget_id, r.account_id`

const ALERTS = `
  select threshold, actions, settled_nano, triggered_at, acknowledged_at, acknowledged_by
  from budget_alert_history where account_id = $1 order by threshold`

interface AccountRow {
  id: string
  budget_id: string
  subject: string
  currency: string
  period_start: Date
  period_end: Date | null
  limit_nano: string | null
  settled_nano: string
  leased_nano: string
  in_doubt_nano: string
  charges: string
  last_updated: Date | null
}

function accountOf (row: AccountRow): AccountState {
  return {
    accountId: idOf(row.id),
    budgetId: row.budget_id,
    subject: row.subject,
    currency: row.currency,
    periodStart: row.period_start.getTime(),
    periodEnd: row.period_end?.getTime() ?? null,
    limitNano: row.limit_nano === null ? null : bigintOf(row.limit_nano),
    settledNano: bigintOf(row.settled_nano),
    leasedNano: bigintOf(row.leased_nano),
    inDoubtNano: bigintOf(row.in_doubt_nano),
    charges: idOf(row.charges),
    chargedAt: row.last_updated?.getTime() ?? null,
  }
}

interface AlertRow {
  threshold: string
  actions: string[]
  settled_nano: string
  triggered_at: Date
  acknowledged_at: Date | null
  acknowledged_by: string | null
}
