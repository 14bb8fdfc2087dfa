import { invalidField } from '../../errors.ts'
import {
  type AccountKey, type AccountState, type AlertRecord, type UsageHistory, type UsagePage, type UsageRecord,
} from '../../usage/history.ts'
import { bigintOf, idOf, isUuid, reached, type Database } from './pool.ts'
import { openedAtOf } from './usage-rows.ts'

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

  async page (budgetId: string, options: { limit: number, cursor?: string }): Promise<UsagePage> {
    const { limit, cursor } = options
    if (cursor !== undefined && !isUuid(cursor)) throw invalidField('cursor', 'the nextCursor of an earlier answer', cursor)
    if (!isUuid(budgetId)) return { records: [], nextCursor: null }
    const before = cursor === undefined ? null : new Date(openedAtOf(cursor))
    const rows = await reached(this.#database.query<RecordRow>({
      name: 'usage_page', text: PAGE, values: [budgetId, limit + 1, cursor ?? null, before],
    }))
    const records = rows.slice(0, limit).map(recordOf)
    return { records, nextCursor: rows.length > limit ? records.at(-1)?.id ?? null : null }
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

/**
 * The accounts of a budget, the newest period first, as many as have the page together, and from each what is left of
 * the page. An event's id begins with the time at which its call opened, and that time lies in its account's period,
 * so this is the order of ids. What an account has before a cursor in its own period is not known, so it counts as
 * nothing. No bound on the day: each month's index is asked once per account, and the planner would rather read days.
 * `limit 1` keeps it from reading whole months of events for what it cannot know to be a few records.
 */
const PAGE = `
  with account as materialized (
    select a.id, a.budget_id, a.currency, a.period_start,
      sum(case when $4 < a.period_end or (a.period_end is null and $4::timestamptz is not null) then 0 else c.charges end)
        over (order by a.period_start desc rows between unbounded preceding and 1 preceding) as newer
    from budget_accounts a join budget_status_cache c on c.account_id = a.id
    where a.budget_id = $1 and ($4::timestamptz is null or a.period_start <= $4)
  ),
  record as materialized (
    select a.budget_id, a.currency, a.period_start, r.*
    from account a
    cross join lateral (
      select r.* from budget_usage_records r
      where r.account_id = a.id and r.event_id < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      order by r.event_id desc limit $2
    ) r
    where coalesce(a.newer, 0) < $2
    order by a.period_start desc, r.event_id desc
    limit $2
  )
  select e.id, r.budget_id, r.amount_nano, r.quote_nano, r.currency, r.rate, e.source, e.certainty, e.outcome, e.provider,
    e.endpoint, coalesce(e.model_used, e.model) as model, e.request_id, e.organization_id, e.team_id, e.project_id,
    e.user_id, e.tags, e.opened_at, e.ended_at, e.recorded_at
  from record r cross join lateral (
    select * from usage_events e where e.day = r.day and e.id = r.event_id limit 1
  ) e
  order by r.period_start desc, r.event_id desc`

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

interface RecordRow {
  id: string
  budget_id: string
  amount_nano: string
  quote_nano: string
  currency: string
  rate: string | null
  source: UsageRecord['source']
  certainty: UsageRecord['certainty']
  outcome: string
  provider: string
  endpoint: string
  model: string
  request_id: string | null
  organization_id: string | null
  team_id: string | null
  project_id: string | null
  user_id: string | null
  tags: Record<string, string> | null
  opened_at: Date
  ended_at: Date
  recorded_at: Date
}

function recordOf (row: RecordRow): UsageRecord {
  return {
    id: row.id,
    budgetId: row.budget_id,
    amountNano: bigintOf(row.amount_nano),
    quoteNano: bigintOf(row.quote_nano),
    currency: row.currency,
    rate: row.rate,
    source: row.source,
    certainty: row.certainty,
    outcome: row.outcome,
    provider: row.provider,
    endpoint: row.endpoint,
    model: row.model,
    requestId: row.request_id,
    organizationId: row.organization_id,
    teamId: row.team_id,
    projectId: row.project_id,
    userId: row.user_id,
    tags: row.tags,
    openedAt: row.opened_at.getTime(),
    endedAt: row.ended_at.getTime(),
    recordedAt: row.recorded_at.getTime(),
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
