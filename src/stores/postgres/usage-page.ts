import { type UsageQuery } from '../../usage/history.ts'
import { Conditions } from './conditions.ts'
import { type Position } from './cursor.ts'
import { type Query } from './pool.ts'
import { RECORD_COLUMNS } from './record-rows.ts'

/** records that a page with filters looks at; then it is answered as it is, with a cursor to go on */
const SCANNED = 10_000

export interface PageQueries {
  records: Query
  /** the last record that was looked at, where there may be more behind it; null: without filters there is no such */
  scanned: Query | null
}

/**
 * A page of a budget's history: its accounts, the newest period first, and of each its records by their ids, which
 * begin with the time at which they count. Each level is sorted as the one above it wants it, so PostgreSQL stops
 * reading where the page is full. No bound on the day: each month's index is asked once per account, and the planner
 * would rather read days. `limit 1` keeps it from reading whole months of events for what it cannot know to be few.
 */
export function pageQuery (budgetId: string, query: UsageQuery, position: Position | null): PageQueries {
  const { limit, subject, from, to, source, certainty, userId, teamId, projectId, model } = query
  const filtered = [source, certainty, userId, teamId, projectId, model].some((filter) => filter !== undefined)
  const c = new Conditions()
  const budget = c.value(budgetId)
  const accounts = [`a.budget_id = ${budget}`]
  const records = ['r.account_id = a.id']
  if (subject !== undefined) accounts.push(`a.subject = ${c.value(subject)}`)
  if (from !== undefined) {
    const at = c.value(new Date(from))
    // a correction, or what a write-off counts, may be younger than the period that it counts in
    accounts.push(`(a.period_end is null or a.period_end > ${at} or c.last_updated > ${at})`)
    records.push(`r.event_id >= ${c.value(firstId(from))}::uuid`)
  }
  if (to !== undefined) {
    accounts.push(`a.period_start < ${c.value(new Date(to))}`)
    records.push(`r.event_id < ${c.value(firstId(to))}::uuid`)
  }
  if (position !== null) {
    const [period, id] = [c.value(position.value), c.value(position.id)]
    accounts.push(`a.period_start <= ${period}::timestamptz`)
    records.push(`(a.period_start < ${period}::timestamptz or r.event_id < ${id}::uuid)`)
  }
  const most = c.value(filtered ? SCANNED : limit + 1)
  const looked = `
    select a.budget_id, a.currency, a.period_start, r.*
    from (
      select a.* from budget_accounts a join budget_status_cache c on c.account_id = a.id
      where ${accounts.join(' and ')} order by a.period_start desc
    ) a
    cross join lateral (
      select r.* from budget_usage_records r where ${records.join(' and ')} order by r.event_id desc limit ${most}
    ) r
    order by a.period_start desc, r.event_id desc limit ${most}`
  const values = [...c.values]
  c.same('e.source', source)
  c.same('e.certainty', certainty)
  c.same('e.user_id', userId)
  c.same('e.team_id', teamId)
  c.same('e.project_id', projectId)
  c.same('coalesce(e.model_used, e.model)', model)
  const text = `
    select ${RECORD_COLUMNS}, r.period_start
    from (${looked}) r cross join lateral (
      select * from usage_events e where e.day = r.day and e.id = r.event_id limit 1
    ) e
    where ${c.text}
    order by r.period_start desc, r.event_id desc limit ${c.value(limit + 1)}`
  return {
    records: { text, values: c.values },
    scanned: filtered
      ? { text: `select r.period_start, r.event_id as id from (${looked}) r offset ${SCANNED - 1}`, values }
      : null,
  }
}

/** the least id of that time */
function firstId (at: number): string {
  const hex = Math.max(0, at).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}
