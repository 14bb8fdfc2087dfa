import { type Budget } from '../../budget/budget.ts'
import { type BudgetOrder, type BudgetQuery } from '../../budget/budget-catalog.ts'
import { COLUMNS } from './budget-rows.ts'
import { Conditions, orderBy, parentWithinReach, withinReach, type Order } from './conditions.ts'
import { cursorOf, positionOf } from './cursor.ts'

/** Lists of budgets as statements: one page by the keyset of its order, and the count of all of it. */
const ORDERS: Record<BudgetOrder, Omit<Order, 'descending'>> = {
  name: { column: 'b.name', type: 'text' },
  createdAt: { column: 'b.created_at', type: 'timestamptz' },
  updatedAt: { column: 'b.updated_at', type: 'timestamptz' },
  amount: { column: 'b.amount_nano', type: 'bigint' },
}

const VALUES: Record<BudgetOrder, (budget: Budget) => string> = {
  name: ({ name }) => name,
  createdAt: ({ createdAt }) => new Date(createdAt).toISOString(),
  updatedAt: ({ updatedAt }) => new Date(updatedAt).toISOString(),
  amount: ({ amountNano }) => String(amountNano),
}

interface Statement { text: string, values: unknown[] }

/** one row more than the page has, where there is one */
export function pageQuery (query: BudgetQuery): Statement {
  const { limit, cursor } = query
  const order = { ...ORDERS[query.sort], descending: query.descending }
  const conditions = conditionsOf(query)
  conditions.after(order, cursor === undefined ? null : positionOf(listOf(query), cursor))
  const text = `select ${COLUMNS} where ${conditions.text} ${orderBy(order)} limit ${conditions.value(limit + 1)}`
  return { text, values: conditions.values }
}

export function totalQuery (query: BudgetQuery): Statement {
  const conditions = conditionsOf(query)
  return {
    text: `select count(*) as total from budget_definitions b where ${conditions.text}`, values: conditions.values,
  }
}

/** the cursor of the page behind this one */
export function nextCursor (query: BudgetQuery, last: Budget): string {
  return cursorOf(listOf(query), { value: VALUES[query.sort](last), id: last.id })
}

/** pages may have different lengths, and be counted or not */
function listOf ({ limit: _limit, cursor: _cursor, total: _total, ...list }: BudgetQuery) { return list }

function conditionsOf (query: BudgetQuery): Conditions {
  const conditions = new Conditions()
  if (!query.includeArchived) conditions.and('b.archived_at is null')
  conditions.same('b.scope_type', query.scopeType)
  conditions.same('b.scope_id', query.scopeId)
  conditions.same('b.organization_id', query.organizationId)
  conditions.same('b.parent_budget_id', query.parentBudgetId)
  conditions.same('b.mode', query.mode)
  conditions.same('b.currency', query.currency)
  conditions.same('b.period', query.period)
  for (const [name, value] of query.tags ?? []) {
    conditions.and(value === null
      ? `b.tags ? ${conditions.value(name)}`
      : `b.tags @> ${conditions.value(JSON.stringify({ [name]: value }))}::jsonb`)
  }
  if (query.q !== undefined) conditions.and(`strpos(lower(b.name), lower(${conditions.value(query.q)})) > 0`)
  withinReach(conditions, query.reach)
  // that a budget out of reach is somebody's parent is not told
  if (query.parentBudgetId !== undefined) parentWithinReach(conditions, query.reach)
  return conditions
}
