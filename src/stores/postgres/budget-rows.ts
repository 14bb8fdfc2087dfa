import { type Budget } from '../../budget/budget.ts'
import { bigintOf, idOf, type Queryable } from './pool.ts'

/** Budgets as PostgreSQL has them, and as the domain does. */
export async function oneBudget (on: Queryable, id: string): Promise<Budget | null> {
  const [budget] = await selectBudgets(on, { name: 'one_budget', text: `select ${COLUMNS} where b.id = $1`, values: [id] })
  return budget ?? null
}

/** `text` selects COLUMNS */
export async function selectBudgets (
  on: Queryable, query: { name?: string, text: string, values: unknown[] }
): Promise<Budget[]> {
  const rows = await on.query<BudgetRow>(query)
  return rows.map(budgetOf)
}

/** Where currency is USD there is nothing to pin. A rate is in force from its moment on. */
export const COLUMNS = `b.id, b.organization_id, b.name, b.description, b.scope_type, b.scope_id, b.amount_nano,
  b.enforced_limit_nano, b.currency, b.period, b.timezone, b.start_date, b.end_date, b.recurring, b.mode, b.paused,
  b.cap_to_fit, b.fail_open_nano, b.carry_over, b.rate_limits, b.filters, b.alerts, b.overrides, b.tags, b.parent_budget_id, b.created_at, b.updated_at, b.created_by, b.archived_at, b.version,
  fx.rate, fx.effective_at as rate_at
  from budget_definitions b
  left join lateral (
    select trim_scale(r.rate)::text as rate, r.effective_at from exchange_rates r
    where r.currency = b.currency and b.currency <> 'USD' and r.effective_at <= clock_timestamp()
    order by r.effective_at desc limit 1
  ) fx on true`

/** a budget and those above it, upwards */
export const ANCESTORS = `
  with recursive line as (
    select id, parent_budget_id, 0 as depth from budget_definitions where id = $1
    union all
    select p.id, p.parent_budget_id, l.depth + 1 from line l join budget_definitions p on p.id = l.parent_budget_id
  )
  select ${COLUMNS} join line on line.id = b.id order by line.depth`

interface BudgetRow {
  id: string
  organization_id: string | null
  name: string
  description: string | null
  scope_type: Budget['scopeType']
  scope_id: string
  amount_nano: string
  enforced_limit_nano: string
  currency: string
  rate: string | null
  rate_at: Date | null
  period: Budget['period']
  timezone: string
  start_date: Date
  end_date: Date | null
  recurring: boolean
  mode: Budget['mode']
  paused: boolean
  cap_to_fit: Budget['capToFit']
  carry_over: Budget['carryOver']
  fail_open_nano: string | null
  rate_limits: Budget['rateLimits']
  filters: Budget['filters']
  alerts: Budget['alerts']
  tags: Budget['tags']
  overrides: Budget['overrides']
  parent_budget_id: string | null
  created_at: Date
  updated_at: Date
  created_by: string | null
  archived_at: Date | null
  version: string
}

function budgetOf (row: BudgetRow): Budget {
  return {
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    description: row.description,
    scopeType: row.scope_type,
    scopeId: row.scope_id,
    amountNano: bigintOf(row.amount_nano),
    enforcedLimitNano: bigintOf(row.enforced_limit_nano),
    currency: row.currency,
    rate: row.rate,
    rateAt: row.rate_at?.getTime() ?? null,
    period: row.period,
    timezone: row.timezone,
    startDate: row.start_date.getTime(),
    endDate: row.end_date?.getTime() ?? null,
    recurring: row.recurring,
    mode: row.mode,
    paused: row.paused,
    capToFit: row.cap_to_fit,
    carryOver: row.carry_over,
    failOpenNano: row.fail_open_nano === null ? null : bigintOf(row.fail_open_nano),
    rateLimits: row.rate_limits,
    filters: row.filters,
    alerts: row.alerts,
    tags: row.tags,
    overrides: row.overrides,
    parentBudgetId: row.parent_budget_id,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
    createdBy: row.created_by,
    archivedAt: row.archived_at?.getTime() ?? null,
    version: idOf(row.version),
  }
}
