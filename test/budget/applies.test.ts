import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { Applicability, appliedTo } from '../../src/budget/applies.ts'
import { type Budget, type Identity } from '../../src/budget/budget.ts'

const DAY = 86_400_000
const CALL = { provider: 'openai', model: 'gpt-4o', endpoint: 'chat.completions' }
const START = Date.UTC(2026, 2, 1)

const identity: Identity = {
  organizationId: 'acme', teamId: 'search', projectId: null, userId: null, keyId: 'key', sessionId: null, tags: null,
}

function aBudget (over: Partial<Budget>): Budget {
  return {
    id: 'budget',
    organizationId: 'acme',
    name: 'budget',
    description: null,
    scopeType: 'organization',
    scopeId: 'acme',
    amountNano: 1n,
    enforcedLimitNano: 1n,
    currency: 'USD',
    rate: null,
    rateAt: null,
    period: 'monthly',
    timezone: 'UTC',
    startDate: START,
    endDate: null,
    recurring: true,
    mode: 'enforced',
    paused: false,
    capToFit: null,
    carryOver: null,
    failOpenNano: null,
    rateLimits: null,
    filters: {},
    overrides: {},
    alerts: [],
    tags: {},
    parentBudgetId: null,
    createdAt: 0,
    updatedAt: 0,
    createdBy: null,
    archivedAt: null,
    version: 1,
    ...over,
  }
}

const aMoment = fc.integer({ min: START - 3 * DAY, max: START + 60 * DAY })

const budgets = fc.array(fc.record({
  period: fc.constantFrom('daily', 'weekly', 'monthly', 'custom'),
  timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
  startDate: aMoment,
  days: fc.option(fc.integer({ min: 1, max: 20 })),
  recurring: fc.boolean(),
  teamScoped: fc.boolean(),
}), { maxLength: 4 }).map((list) => list.map(({ days, teamScoped, ...rest }, i) => aBudget({
  ...rest,
  id: `budget ${i}`,
  endDate: days === null ? null : rest.startDate + days * DAY,
  parentBudgetId: i > 0 && teamScoped ? `budget ${i - 1}` : null,
  ...teamScoped ? { scopeType: 'team', scopeId: 'search' } as const : {},
})))

t.test('what is remembered to apply is what applies, at every moment and also when the clock goes back', async () => {
  const times = fc.array(aMoment, { maxLength: 30 })
  fc.assert(fc.property(budgets, times, (list, asked) => {
    const remembered = new Applicability()
    const later = asked.toSorted((a, b) => a - b)
    // close together, so that most of them are answered from memory
    const moments = [...later.flatMap((time) => [time, time + 1, time + 3_600_000]), ...asked]
    return moments.every((at) => isDeepStrictEqual(
      remembered.of(list, identity, CALL, at), appliedTo(list, identity, CALL, at)
    ))
  }), { numRuns: 200 })
})

t.test('is found once while no period begins or ends, and for each model and each set of tags', async (t) => {
  const list = [aBudget({ filters: { models: ['gpt-*'] } }), aBudget({ id: 'tagged', filters: { tags: { stage: 'test' } } })]
  const remembered = new Applicability()
  const ids = (model: string, tags: Identity['tags'] = null) =>
    remembered.of(list, { ...identity, tags }, { ...CALL, model }, START).map(({ budget }) => budget.id)

  t.equal(remembered.of(list, identity, CALL, START), remembered.of(list, identity, CALL, START + DAY))
  t.strictSame(ids('gpt-4o'), ['budget'])
  t.strictSame(ids('o3'), [])
  t.strictSame(ids('gpt-4o', { stage: 'test' }), ['budget', 'tagged'])
  t.strictSame(ids('gpt-4o', { stage: 'live' }), ['budget'])
})
