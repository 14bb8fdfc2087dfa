import { Type } from 'typebox'
import { type Budget } from '../../src/budget/budget.ts'
import { type BudgetCatalog, type BudgetOrder, type BudgetQuery } from '../../src/budget/budget-catalog.ts'
import { changeBudget, defineBudget, patchBudget, renderBudget } from '../../src/budget/define.ts'
import { type BudgetDraft } from '../../src/budget/hierarchy.ts'
import { sharesWarning, type Warning } from '../../src/budget/shares.ts'
import { checkDowngrades } from '../../src/pricing/downgrade.ts'
import {
  BudgetAnswer, BudgetChange, BudgetListQuery, BudgetPageAnswer, NewBudget, ScopeParams, ScopeQuery,
} from './budget-schemas.ts'
import { type Scope, type Tools } from './index.ts'
import { type Outcome } from './mutation.ts'
import { etagOf, ifMatch, notModified, withoutBody } from './preconditions.ts'
import { Id, IfMatch, IfNoneMatch, Once, problems } from './schemas.ts'

/** bodies are checked by src/budget/define.ts, which names the field; the schema describes them */
const unchecked = () => () => true
const tags = ['budgets']

export function budgetRoutes (scope: Scope, tools: Tools): void {
  listRoutes(scope, tools)
  changeRoutes(scope, tools)
  readRoutes(scope, tools)
}

function listRoutes (scope: Scope, { budgets, guard }: Tools): void {
  scope.get('/budgets', {
    config: { access: 'see' },
    schema: {
      summary: 'List budgets',
      querystring: BudgetListQuery,
      response: { 200: BudgetPageAnswer, ...problems() },
      tags,
    },
  }, async (request) => {
    const { sort, includeInactive, tag, ...rest } = request.query
    return await answerPage(budgets, {
      ...rest,
      ...tag === undefined ? {} : { tags: [tag].flat().map(tagOf) },
      includeArchived: includeInactive,
      reach: guard.reach(request),
      sort: sort.replace('-', '') as BudgetOrder,
      descending: sort.startsWith('-'),
    })
  })

  scope.get('/budgets/scope/:type/:id', {
    config: { access: 'see' },
    schema: {
      summary: 'List the budgets of a scope',
      params: ScopeParams,
      querystring: ScopeQuery,
      response: { 200: BudgetPageAnswer, ...problems() },
      tags,
    },
  }, async (request) => {
    const { includeInactive, ...rest } = request.query
    const { type, id } = request.params
    return await answerPage(budgets, {
      ...rest,
      scopeType: type,
      scopeId: id,
      includeArchived: includeInactive,
      reach: guard.reach(request),
      sort: 'createdAt',
      descending: false,
      total: false,
    })
  })
}

/** `costCenter:4711`, or a name alone */
function tagOf (text: string): [string, string | null] {
  const at = text.indexOf(':')
  return at < 1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
}

async function answerPage (budgets: Tools['budgets'], query: BudgetQuery) {
  const { budgets: found, nextCursor, total } = await budgets.page(query)
  return {
    budgets: found.map(renderBudget),
    count: found.length,
    limit: query.limit,
    nextCursor,
    ...total === null ? {} : { total },
  }
}

function changeRoutes (scope: Scope, { guard, mutate, prices }: Tools): void {
  const priced = (draft: BudgetDraft): BudgetDraft => {
    checkDowngrades(draft.alerts, prices, Date.now())
    return draft
  }

  scope.post('/budgets', {
    config: { access: 'change' },
    schema: {
      summary: 'Create a budget',
      headers: Once,
      body: NewBudget,
      response: { 201: BudgetAnswer, ...problems(409, 413, 422) },
      tags,
    },
    validatorCompiler: unchecked,
  }, async (request, reply) => await mutate(request, reply, async ({ budgets }) => {
    const budget = await budgets.insert(priced(defineBudget(request.body, Date.now())))
    const headers = { location: `/api/v1/budgets/${budget.id}` }
    return answer(201, budget, await warningsOf(budgets, budget), headers)
  }))

  for (const [method, change, summary] of CHANGES) {
    scope.route({
      method,
      url: '/budgets/:id',
      config: { access: 'change' },
      schema: {
        summary,
        params: Id,
        headers: IfMatch,
        body: BudgetChange,
        response: { 200: BudgetAnswer, ...problems(404, 409, 412, 413, 422) },
        tags,
      },
      validatorCompiler: unchecked,
      handler: async (request, reply) => {
        const expect = ifMatch(request)
        const { id } = await guard.budget(request, request.params.id, 'change')
        return await mutate(request, reply, async ({ budgets }) => {
          const budget = await budgets.update(id, (current) => {
            expect(current)
            return priced(change(current, request.body))
          })
          return answer(200, budget, await warningsOf(budgets, budget))
        })
      },
    })
  }

  scope.delete('/budgets/:id', {
    config: { access: 'change' },
    schema: {
      summary: 'Archive a budget',
      description: 'It applies no more; its usage is money and stays.',
      params: Id,
      headers: IfMatch,
      response: { 204: Type.Null(), ...problems(404, 412) },
      tags,
    },
  }, async (request, reply) => {
    const expect = ifMatch(request)
    const { id } = await guard.budget(request, request.params.id, 'change')
    return await mutate(request, reply, async ({ budgets }) => {
      await budgets.archive(id, expect)
      return { status: 204, body: null }
    })
  })

  scope.post('/budgets/:id/restore', {
    config: { access: 'change' },
    schema: {
      summary: 'Restore an archived budget',
      description: 'Its parent must not be archived. One that is not archived stays as it is.',
      params: Id,
      headers: Type.Object({ ...IfMatch.properties, ...Once.properties }),
      response: { 200: BudgetAnswer, ...problems(404, 409, 412, 422) },
      tags,
    },
  }, async (request, reply) => {
    const expect = ifMatch(request)
    const { id } = await guard.budget(request, request.params.id, 'change')
    return await mutate(request, reply, async ({ budgets }) => {
      const budget = await budgets.restore(id, expect)
      return answer(200, budget, await warningsOf(budgets, budget))
    })
  })
}

const CHANGES = [
  ['PUT', changeBudget, 'Change a budget'],
  ['PATCH', patchBudget, 'Change a budget by a JSON merge patch (RFC 7396)'],
] as const

function answer (
  status: number, budget: Budget, warnings: Warning[], headers: Record<string, string> = {}
): Outcome {
  const body = { ...renderBudget(budget), ...warnings.length === 0 ? {} : { warnings } }
  return { status, headers: { ...headers, etag: etagOf(budget) }, body }
}

/** of the budget as it is now, and of the one above it */
async function warningsOf (budgets: Pick<BudgetCatalog, 'family'>, budget: Budget): Promise<Warning[]> {
  const { above, siblings, below } = await budgets.family(budget.id)
  const now = Date.now()
  return [sharesWarning(budget, below, now), above === null ? null : sharesWarning(above, siblings, now)]
    .filter((one) => one !== null)
}

function readRoutes (scope: Scope, { guard }: Tools): void {
  scope.get('/budgets/:id', {
    config: { access: 'see' },
    schema: {
      summary: 'Read a budget',
      params: Id,
      headers: IfNoneMatch,
      response: { 200: BudgetAnswer, 304: Type.Null(), ...problems(404) },
      tags,
    },
  }, async (request, reply) => {
    const budget = await guard.budget(request, request.params.id)
    return notModified(request, reply, budget) ? await withoutBody(reply) : renderBudget(budget)
  })
}
