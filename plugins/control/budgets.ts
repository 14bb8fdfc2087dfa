import { type BudgetFilter } from '../../src/budget/budget-catalog.ts'
import { type ScopeType } from '../../src/budget/budget.ts'
import { changeBudget, defineBudget, renderBudget } from '../../src/budget/define.ts'
import { formatNano } from '../../src/money/amount.ts'
import { type UsageRecord } from '../../src/usage/history.ts'
import { type Scope, type Tools } from './index.ts'
import {
  BudgetAnswer, BudgetBody, BudgetList, Id, ListQuery, Problem, StatusAnswer, UsageAnswer, UsageQuery,
} from './schemas.ts'

const LIST_LIMIT = 1_000
/** bodies are checked by src/budget/define.ts, which names the field; the schema describes them */
const unchecked = () => () => true

export function budgetRoutes (scope: Scope, { budgets, guard, mutate, reporter, usage }: Tools): void {
  scope.post('/budgets', {
    schema: { body: BudgetBody, response: { 201: BudgetAnswer, default: Problem }, tags: ['budgets'] },
    validatorCompiler: unchecked,
  }, async (request, reply) => await mutate(request, reply, async (stores) => {
    const budget = await stores.budgets.insert(defineBudget(request.body, Date.now()))
    return { status: 201, headers: { location: `/api/v1/budgets/${budget.id}` }, body: renderBudget(budget) }
  }))

  scope.get('/budgets', {
    schema: { querystring: ListQuery, response: { 200: BudgetList, default: Problem }, tags: ['budgets'] },
  }, async ({ query }) => {
    const filter: BudgetFilter = { limit: LIST_LIMIT, includeArchived: query.includeInactive ?? false }
    if (query.parentBudgetId !== undefined) filter.parentBudgetId = query.parentBudgetId
    if (query.scopeType !== undefined) filter.scopeType = query.scopeType as ScopeType
    if (query.scopeId !== undefined) filter.scopeId = query.scopeId
    const found = await budgets.list(filter)
    return { budgets: found.map(renderBudget), count: found.length }
  })

  scope.get('/budgets/:id', {
    schema: { params: Id, response: { 200: BudgetAnswer, default: Problem }, tags: ['budgets'] },
  }, async (request) => renderBudget(await guard.budget(request, request.params.id)))

  scope.put('/budgets/:id', {
    schema: { body: BudgetBody, response: { 200: BudgetAnswer, default: Problem }, tags: ['budgets'] },
    validatorCompiler: unchecked,
  }, async (request, reply) => {
    const { id } = await guard.budget(request, (request.params as { id: string }).id, 'change')
    return await mutate(request, reply, async (stores) => {
      const budget = await stores.budgets.update(id, (current) => changeBudget(current, request.body))
      return { status: 200, body: renderBudget(budget) }
    })
  })

  scope.delete('/budgets/:id', {
    schema: { params: Id, response: { 204: { type: 'null' }, default: Problem }, tags: ['budgets'] },
  }, async (request, reply) => {
    const { id } = await guard.budget(request, request.params.id, 'change')
    return await mutate(request, reply, async (stores) => {
      await stores.budgets.archive(id)
      return { status: 204, body: null }
    })
  })

  scope.get('/budgets/:id/status', {
    schema: { params: Id, response: { 200: StatusAnswer, default: Problem }, tags: ['budgets'] },
  }, async (request) => await reporter.status(await guard.budget(request, request.params.id)))

  scope.get('/budgets/:id/usage', {
    schema: { params: Id, querystring: UsageQuery, response: { 200: UsageAnswer, default: Problem }, tags: ['budgets'] },
  }, async (request) => {
    const { limit, cursor } = request.query
    const budget = await guard.budget(request, request.params.id)
    const page = await usage.page(budget.id, cursor === undefined ? { limit } : { limit, cursor })
    return { usage: page.records.map(renderUsage), count: page.records.length, limit, nextCursor: page.nextCursor }
  })
}

function renderUsage (record: UsageRecord) {
  const time = (at: number) => new Date(at).toISOString()
  const { id, budgetId, currency, source, certainty, requestId, model, userId, teamId, projectId, tags } = record
  return {
    id,
    budgetId,
    amount: formatNano(record.amountNano),
    currency,
    timestamp: time(record.recordedAt),
    source,
    description: null,
    certainty,
    quote: formatNano(record.quoteNano),
    openedAt: time(record.openedAt),
    endedAt: time(record.endedAt),
    metadata: {
      requestId, modelId: model, userId, teamId, projectId, tags, provider: record.provider, outcome: record.outcome,
    },
  }
}
