import { type UsageHistory, type UsagePage, type UsageQuery, type UsageRecord } from '../../usage/history.ts'
import { cursorOf, positionOf } from './cursor.ts'
import { isUuid, reached, type Database, type Query } from './pool.ts'
import { RECORD_COLUMNS, recordOf, type RecordRow } from './record-rows.ts'
import { pageQuery } from './usage-page.ts'
import { dayOf, LAST_TIME, openedAtOf } from './usage-rows.ts'

/** The history of usage as the ledger has it. */
export class PostgresUsageStore implements UsageHistory {
  readonly #database: Database

  constructor (database: Database) {
    this.#database = database
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
}

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
