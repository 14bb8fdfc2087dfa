import { type Reach } from '../../access/actor.ts'
import { type LeaseFigures } from '../../account/authority.ts'
import { type Budget, type ScopeType } from '../../budget/budget.ts'
import {
  type AccountKey, type AccountSums, type BudgetPeriod, type ReportStore, type SubjectPage,
} from '../../reports/report-store.ts'
import { type LedgerAccount, type Untouched } from '../../reports/standing.ts'
import { type AlertRecord } from '../../usage/history.ts'
import { withinReachOf } from './budget-reach.ts'
import { ANCESTORS, COLUMNS, selectBudgets } from './budget-rows.ts'
import { Conditions, withinReach } from './conditions.ts'
import { cursorOf, positionOf } from './cursor.ts'
import { bigintOf, idOf, isUuid, reached, type Queryable } from './pool.ts'
import { rateNow } from './rates.ts'

/** The ledger as reports read it. */
export class PostgresReportStore implements ReportStore {
  readonly #database: Queryable

  constructor (database: Queryable) { this.#database = database }

  async accounts (keys: readonly AccountKey[]): Promise<(LedgerAccount | Untouched)[]> {
    if (keys.length === 0) return []
    const rows = await reached(this.#database.query<AccountRow | LimitsRow>({
      name: 'report_accounts',
      text: ACCOUNTS,
      values: [
        keys.map(({ budgetId }) => budgetId), keys.map(({ subject }) => subject),
        keys.map(({ periodStart }) => new Date(periodStart)),
        keys.map(({ periodEnd }) => periodEnd === null ? null : new Date(periodEnd)),
      ],
    }))
    return rows.map((row) => row.id === null ? limitsOf(row) : accountOf(row))
  }

  async sums (periods: readonly BudgetPeriod[]): Promise<AccountSums[]> {
    if (periods.length === 0) return []
    const rows = await reached(this.#database.query<SumsRow>({
      name: 'report_sums',
      text: SUMS,
      values: [periods.map(({ budgetId }) => budgetId), periods.map(({ periodStart }) => new Date(periodStart))],
    }))
    return rows.map((row) => ({
      budgetId: row.budget_id,
      subjects: idOf(row.subjects),
      amountNano: bigintOf(row.amount_nano),
      totalNano: bigintOf(row.total_nano),
      carriedNano: bigintOf(row.carried_nano),
      limitNano: row.limit_nano === null ? null : bigintOf(row.limit_nano),
      settledNano: bigintOf(row.settled_nano),
      belowNano: bigintOf(row.below_nano),
      leasedNano: bigintOf(row.leased_nano),
      inDoubtNano: bigintOf(row.in_doubt_nano),
      chargedAt: row.last_updated?.getTime() ?? null,
    }))
  }

  async subjects (
    { budgetId, periodStart }: BudgetPeriod, { limit, cursor }: SubjectPage
  ): Promise<{ subjects: string[], nextCursor: string | null }> {
    const list = ['subjects', budgetId, periodStart]
    const after = cursor === undefined ? null : positionOf(list, cursor)
    const rows = await reached(this.#database.query<{ subject: string, settled_nano: string }>({
      name: 'report_subjects',
      text: SUBJECTS,
      values: [budgetId, new Date(periodStart), after?.value ?? null, after?.id ?? null, limit + 1],
    }))
    const last = rows[limit - 1]
    return {
      subjects: rows.slice(0, limit).map(({ subject }) => subject),
      nextCursor: rows.length > limit && last !== undefined
        ? cursorOf(list, { value: last.settled_nano, id: last.subject })
        : null,
    }
  }

  async chain (id: string): Promise<Budget[]> {
    if (!isUuid(id)) return []
    return await reached(selectBudgets(this.#database, { name: 'report_chain', text: ANCESTORS, values: [id] }))
  }

  async tree (scope: { type: ScopeType, id: string }, reach: Reach | null, limit: number): Promise<Budget[]> {
    const conditions = new Conditions()
    conditions.same('b.scope_type', scope.type)
    conditions.same('b.scope_id', scope.id)
    withinReach(conditions, reach)
    const text = `
      with recursive tree as (
        select b.id from budget_definitions b where ${conditions.text}
        union
        select c.id from tree t join budget_definitions c on c.parent_budget_id = t.id
      )
      select ${COLUMNS} where b.id in (select id from tree) order by b.created_at, b.id limit ${conditions.value(limit)}`
    // the text goes by how far the reach goes, and by nothing else
    const name = `report_tree_${reach === null ? 'all' : reach.scope === null ? 'organization' : 'scope'}`
    const found = await reached(selectBudgets(this.#database, { name, text, values: conditions.values }))
    return await reached(withinReachOf(this.#database, found, reach))
  }

  async rate (currency: string): Promise<string | null> {
    return await reached(rateNow(this.#database, currency))
  }
}

const ACCOUNTS = `
  select a.id, k.budget_id, k.subject, k.period_start, coalesce(d.total_nano, a.total_nano) as total_nano,
    coalesce(a.carried_nano, e.carried_nano, 0) as carried_nano,
    case when d.total_nano is null then a.limit_nano else d.limit_nano end as limit_nano, a.settled_nano, a.leased_nano,
    coalesce(c.below_nano, 0) as below_nano, c.last_updated, l.leases, l.holder, l.since, h.alerts
  from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[])
    k (budget_id, subject, period_start, period_end)
  join budget_definitions b on b.id = k.budget_id
  left join budget_accounts a on a.budget_id = k.budget_id and a.subject = k.subject and a.period_start = k.period_start
  -- what is worked out for few is asked for behind its condition, or it would be worked out for all
  left join lateral (
    select carried_of(b, p) as carried_nano
    from (select where a.id is null and b.carry_over is not null offset 0) fresh
    join budget_accounts p on p.budget_id = b.id and p.subject = k.subject and p.period_end = k.period_start
  ) e on true
  left join lateral (
    select f.* from (select where a.id is null or a.limit_until <= clock_timestamp() offset 0) due
    cross join lateral limits_of(b, k.subject, coalesce(a.carried_nano, e.carried_nano, 0), k.period_end, clock_timestamp()) f
  ) d on true
  left join budget_status_cache c on c.account_id = a.id
  left join lateral (
    select json_agg(json_build_object('incarnation', o.incarnation::text, 'posted_nano', o.posted_nano::text,
        'rest_nano', o.rest_nano::text, 'responds', o.responds)) as leases,
      (array_agg(o.host || ' (gateway ' || o.incarnation || ')' order by o.heartbeat_at)
        filter (where not o.responds and o.rest_nano > 0))[1] as holder,
      min(o.heartbeat_at) filter (where not o.responds and o.rest_nano > 0) as since
    from (
      select l.incarnation, l.posted_nano, l.granted_nano - l.returned_nano - l.posted_nano as rest_nano,
        g.host, g.heartbeat_at, responds(g) as responds
      from leases l join gateways g on g.incarnation = l.incarnation
      where l.account_id = a.id and l.state <> 'closed'
    ) o
  ) l on true
  left join lateral (
    select json_agg(json_build_object('threshold', h.threshold::text, 'amount_nano', h.amount_nano::text, 'actions', h.actions,
      'settled_nano', h.settled_nano::text, 'triggered_at', h.triggered_at, 'acknowledged_at', h.acknowledged_at,
      'acknowledged_by', h.acknowledged_by) order by coalesce(h.amount_nano, h.threshold * a.total_nano / 100)) as alerts
    from budget_alert_history h where h.account_id = a.id
  ) h on true`

const SUMS = `
  select k.budget_id, count(*) as subjects,
    sum(coalesce((b.overrides ->> a.subject)::numeric * 1000000000, b.amount_nano))::bigint as amount_nano, sum(a.total_nano) as total_nano,
    sum(a.carried_nano) as carried_nano, sum(a.limit_nano) as limit_nano, sum(a.settled_nano) as settled_nano,
    sum(coalesce(c.below_nano, 0)) as below_nano, sum(a.leased_nano) as leased_nano, max(c.last_updated) as last_updated,
    coalesce((
      select sum(l.granted_nano - l.returned_nano - l.posted_nano)
      from gateways g join leases l on l.incarnation = g.incarnation and l.state = 'open'
      join budget_accounts d on d.id = l.account_id
      where g.state <> 'closed' and not responds(g) and d.budget_id = k.budget_id and d.period_start = k.period_start
    ), 0) as in_doubt_nano
  from unnest($1::uuid[], $2::timestamptz[]) k (budget_id, period_start)
  join budget_definitions b on b.id = k.budget_id
  join budget_accounts a on a.budget_id = k.budget_id and a.period_start = k.period_start
  left join budget_status_cache c on c.account_id = a.id
  group by k.budget_id, k.period_start`

/** What is spent grows while pages are read, so one who spends meanwhile may come twice. */
const SUBJECTS = `
  select subject, settled_nano from budget_accounts
  where budget_id = $1 and period_start = $2
    and ($3::bigint is null or settled_nano < $3 or (settled_nano = $3 and subject > $4::text))
  order by settled_nano desc, subject limit $5`

interface SumsRow {
  budget_id: string
  subjects: string
  amount_nano: string
  total_nano: string
  carried_nano: string
  limit_nano: string | null
  settled_nano: string
  below_nano: string
  leased_nano: string
  in_doubt_nano: string
  last_updated: Date | null
}

interface LeaseRow { incarnation: string, posted_nano: string, rest_nano: string, responds: boolean }

interface AlertRow {
  threshold: string | null
  amount_nano: string | null
  actions: string[]
  settled_nano: string
  triggered_at: string
  acknowledged_at: string | null
  acknowledged_by: string | null
}

interface LimitsRow {
  id: null
  budget_id: string
  subject: string
  total_nano: string
  carried_nano: string
  limit_nano: string | null
}

interface AccountRow extends Omit<LimitsRow, 'id'> {
  id: string
  period_start: Date
  settled_nano: string
  leased_nano: string
  below_nano: string
  last_updated: Date | null
  leases: LeaseRow[] | null
  holder: string | null
  since: Date | null
  alerts: AlertRow[] | null
}

function limitsOf (row: Omit<LimitsRow, 'id'>): Untouched {
  return {
    budgetId: row.budget_id,
    subject: row.subject,
    totalNano: bigintOf(row.total_nano),
    carriedNano: bigintOf(row.carried_nano),
    limitNano: row.limit_nano === null ? null : bigintOf(row.limit_nano),
  }
}

function accountOf (row: AccountRow): LedgerAccount {
  const accountId = idOf(row.id)
  return {
    accountId,
    ...limitsOf(row),
    periodStart: row.period_start.getTime(),
    settledNano: bigintOf(row.settled_nano),
    belowNano: bigintOf(row.below_nano),
    leasedNano: bigintOf(row.leased_nano),
    leases: (row.leases ?? []).map((lease) => leaseOf(accountId, lease)),
    alerts: (row.alerts ?? []).map(alertOf),
    doubt: row.holder === null || row.since === null ? null : { holder: row.holder, since: row.since.getTime() },
    chargedAt: row.last_updated?.getTime() ?? null,
  }
}

function leaseOf (accountId: number, row: LeaseRow): LeaseFigures {
  return {
    accountId,
    incarnation: idOf(row.incarnation),
    restNano: bigintOf(row.rest_nano),
    postedNano: bigintOf(row.posted_nano),
    responds: row.responds,
  }
}

function alertOf (row: AlertRow): AlertRecord {
  return {
    threshold: row.threshold === null ? null : Number(row.threshold),
    amountNano: row.amount_nano === null ? null : bigintOf(row.amount_nano),
    actions: row.actions,
    settledNano: bigintOf(row.settled_nano),
    triggeredAt: Date.parse(row.triggered_at),
    acknowledgedAt: row.acknowledged_at === null ? null : Date.parse(row.acknowledged_at),
    acknowledgedBy: row.acknowledged_by,
  }
}
