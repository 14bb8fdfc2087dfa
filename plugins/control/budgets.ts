import { type BudgetFilter } from '../../src/budget/budget-catalog.ts'
import { type ScopeType } from '../../src/budget/budget.ts'
import { changeBudget, defineBudget, renderBudget } from '../../src/budget/define.ts'
import { NotFound } from '../../src/errors.ts'
import { formatNano } from '../../src/money/amount.ts'
import { type UsageRecord } from '../../src/usage/history.ts'
import { type ControlOptions, type Scope } from './index.ts'
import {
  BudgetAnswer, BudgetBody, BudgetList, Id, ListQuery, Problem, StatusAnswer, UsageAnswer, UsageQuery,
} from './schemas.ts'

const LIST_LIMIT = 1_000
/** bodies are checked by src/budget/define.ts, which names the field; the schema describes them */
const unchecked = () => () => true

export function budgetRoutes (scope: Scope, { budgets, usage, reporter, changed }: ControlOptions): void {
  const existing = async (id: string) => {
    const budget = await budgets.get(id)
    if (budget === null) throw new NotFound(`There is no budget ${id}`)
    return budget
  }

  scope.post('/budgets', {
    schema: { body: BudgetBody, response: { 201: BudgetAnswer, default: Problem }, tags: ['budgets'] },
    validatorCompiler: unchecked,
  }, async (request, reply) => {
    const budget = await budgets.insert(defineBudget(request.body, Date.now()))
    changed()
    return await reply.code(201).header('location', `/api/v1/budgets/${budget.id}`).send(renderBudget(budget))
  })

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
  }, async ({ params }) => renderBudget(await existing(params.id)))

  scope.put('/budgets/:id', {
    schema: { body: BudgetBody, response: { 200: BudgetAnswer, default: Problem }, tags: ['budgets'] },
    validatorCompiler: unchecked,
  }, async (request) => {
    const { id } = request.params as { id: string }
    const budget = await budgets.update(id, (current) => changeBudget(current, request.body))
    changed()
    return renderBudget(budget)
  })

  scope.delete('/budgets/:id', {
    schema: { params: Id, response: { 204: { type: 'null' }, default: Problem }, tags: ['budgets'] },
  }, async ({ params }, reply) => {
    await budgets.archive(params.id)
    changed()
    return await reply.code(204).send(null)
  })

  scope.get('/budgets/:id/status', {
    schema: { params: Id, response: { 200: StatusAnswer, default: Problem }, tags: ['budgets'] },
  }, async ({ params }) => await reporter.status(await existing(params.id)))

  scope.get('/budgets/:id/usage', {
    schema: { params: Id, querystring: UsageQuery, response: { 200: UsageAnswer, default: Problem }, tags: ['budgets'] },
  }, async ({ params, query }) => {
    const budget = await existing(params.id)
    const { limit, cursor } = query
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
