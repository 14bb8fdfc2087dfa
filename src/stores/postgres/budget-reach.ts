import { type Reach } from '../../access/actor.ts'
import { type Budget, type ScopeType } from '../../budget/budget.ts'
import { type Queryable } from './pool.ts'

/** Budgets as somebody sees them who reaches only some. null: everything is in reach. */

/** Of these budgets, those within reach, and of each whether its parent is within reach too. */
export async function standings (on: Queryable, ids: string[], reach: Reach | null): Promise<Map<string, boolean>> {
  if (reach === null) return new Map(ids.map((id) => [id.toLowerCase(), true]))
  const { organizationId, scope } = reach
  const rows = await on.query<{ start: string, depth: number }>({
    name: 'standings', text: STANDINGS, values: [ids, organizationId, scope?.type ?? null, scope?.id ?? null],
  })
  return new Map(rows.map(({ start, depth }) => [start, depth > 0]))
}

/** Those of the budgets that are within reach; a parent that is out of it is not told. */
export async function withinReachOf (on: Queryable, budgets: Budget[], reach: Reach | null): Promise<Budget[]> {
  if (reach === null || budgets.length === 0) return budgets
  const found = await standings(on, budgets.map(({ id }) => id), reach)
  return budgets.filter(({ id }) => found.has(id))
    .map((budget) => found.get(budget.id) === true ? budget : { ...budget, parentBudgetId: null })
}

/** whether a budget within reach, not archived, has this scope */
export async function hasMember (on: Queryable, type: ScopeType, id: string, reach: Reach): Promise<boolean> {
  const rows = await on.query<{ id: string }>({ text: OF_SCOPE, values: [reach.organizationId, type, id] })
  return (await standings(on, rows.map((row) => row.id), reach)).size > 0
}

/** Up from each budget, at most as far as hierarchies go: the same work for one that is out of reach as for none. */
const STANDINGS = `
  with recursive line as (
    select id as start, 0 as depth, parent_budget_id, organization_id, scope_type, scope_id
    from budget_definitions where id = any($1::uuid[])
    union all
    select l.start, l.depth + 1, p.parent_budget_id, p.organization_id, p.scope_type, p.scope_id
    from line l join budget_definitions p on p.id = l.parent_budget_id
  )
  select start, max(depth) as depth from line
  where organization_id = $2 and ($3::text is null or (scope_type = $3 and scope_id = $4))
  group by start`

const OF_SCOPE = `
  select id from budget_definitions
  where organization_id = $1 and scope_type = $2 and scope_id = $3 and archived_at is null`
