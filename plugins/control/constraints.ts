import { Type } from 'typebox'
import { type Scope, type Tools } from './index.ts'
import { Id, Nullable, problems, Text, Time } from './schemas.ts'
import { State } from './status-schemas.ts'
import { validatorCompiler } from './validation.ts'

const Name = Type.String({ minLength: 1, maxLength: 256, pattern: '\\S' })
const Tokens = (description: string) => Type.Integer({ minimum: 0, maximum: 100_000_000, description })

const Amount = Type.Object({
  estimatedCost: Type.Union([Type.String(), Type.Number()], {
    description: 'at most 9,000,000,000, at most 9 decimals', examples: ['0.25'],
  }),
  currency: Type.Optional(Type.String({ description: 'of estimatedCost; the budget\'s if it is not given', examples: ['USD'] })),
}, { additionalProperties: false, title: 'AmountQuestion' })

/** a call in figures, as the catalog prices it */
export const Call = Type.Object({
  provider: Type.String({ maxLength: 200, examples: ['openai'] }),
  model: Type.String({ maxLength: 200, examples: ['gpt-4o'] }),
  inputTokens: Tokens('of every kind together'),
  outputTokens: Type.Optional(Tokens('of each choice; the model\'s maximum if it is not given')),
  choices: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  cacheWrite: Type.Optional(Type.Enum(['none', '5m', '1h'])),
  tier: Type.Optional(Type.String({ maxLength: 100, description: 'e.g. flex, priority, fast+us', examples: ['default'] })),
  webSearches: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })),
}, { additionalProperties: false, title: 'CallQuestion' })

const Whom = Type.Optional(Type.Object({
  teamId: Type.Optional(Name),
  projectId: Type.Optional(Name),
  userId: Type.Optional(Name),
  keyId: Type.Optional(Name),
  sessionId: Type.Optional(Name),
  endUserId: Type.Optional(Name),
  tags: Type.Optional(Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.String({ maxLength: 256 }), {
    maxProperties: 64,
  })),
}, {
  additionalProperties: false,
  description: 'for whom: of budgets for each of many, whose account; a gateway key asks for itself',
  examples: [{ userId: 'ann' }],
}))

const OfAmount = Type.Object({ ...Amount.properties, identity: Whom }, { additionalProperties: false, title: 'AmountQuestion' })
const OfCall = Type.Object({ ...Call.properties, identity: Whom }, { additionalProperties: false, title: 'CallQuestion' })

const Question = Type.Union([OfAmount, OfCall], {
  description: 'an amount, or a call that the catalog prices at the most it can cost',
  examples: [{ provider: 'openai', model: 'gpt-4o', inputTokens: 2_000, outputTokens: 500 }],
})

/** of a union no validator can say which of its shapes was meant; src/reports/question.ts can */
const Either = Type.Partial(Type.Object({ ...Amount.properties, ...Call.properties, identity: Whom }), {
  additionalProperties: false,
})

export const Link = Type.Object({
  visible: Type.Boolean({ description: 'false: a budget above that is out of your reach; only canProceed is told of it' }),
  canProceed: Type.Boolean(),
  budgetId: Type.Optional(Type.String()),
  name: Type.Optional(Type.String()),
  scopeType: Type.Optional(Type.String()),
  scopeId: Type.Optional(Type.String()),
  subject: Type.Optional(Type.String({ description: 'whose account it is, where the budget is for each of many' })),
  state: Type.Optional(State),
  mode: Type.Optional(Type.String({ description: 'soft budgets refuse nothing for their amount' })),
  currency: Type.Optional(Type.String()),
  estimatedCost: Type.Optional(Type.String({ description: 'in the currency of this budget', examples: ['0.0125'] })),
  limit: Type.Optional(Type.String({ description: 'the enforced one', examples: ['250'] })),
  currentAmount: Type.Optional(Text),
  held: Type.Optional(Text),
  inDoubt: Type.Optional(Text),
  leased: Type.Optional(Text),
  heldIsUpperBound: Type.Optional(Type.Boolean()),
  remaining: Type.Optional(Text),
  resetsAt: Type.Optional(Nullable(Time)),
}, { title: 'ConstraintLink' })

const Answer = Type.Object({
  budgetId: Type.String(),
  estimatedCost: Type.String({ description: 'as asked, or what the catalog makes of the call', examples: ['0.0125'] }),
  currency: Type.String(),
  canProceed: Type.Boolean({
    description: 'whether a hold of so much on this budget and all above it would be granted now, if nothing else happens',
  }),
  code: Nullable(Type.Enum(['no_budget', 'budget_paused', 'approval_required', 'quote_exceeds_budget', 'budget_exhausted', 'budget_in_doubt',
    'budget_held', 'budget_contention'], { description: 'that a call would be refused with; null: it would not be' })),
  reason: Type.String({ examples: ['Budget "Search team" (team search) has room for it: 137.25 USD of 250 USD remain.'] }),
  retryable: Type.Boolean({
    description: 'true: only open calls are in the way (contention); false: it can proceed, or the refusal is final',
  }),
  decidingBudgetId: Nullable(Type.String({
    description: 'the budget that refuses, else the enforced one with the least room; null: none is, or it is out of reach',
  })),
  resetsAt: Nullable(Type.String({ description: 'when the deciding budget starts anew, RFC 3339', examples: ['2026-12-01T00:00:00.000Z'] })),
  thresholds: Type.Array(Type.Object({
    budgetId: Type.String(),
    threshold: Nullable(Type.Number({ description: 'percent of the limit; null: it is an amount' })),
    amount: Nullable(Type.String({ description: 'the threshold, where it is an amount', examples: ['250'] })),
    actions: Type.Array(Type.String(), { examples: [['notify']] }),
  }), { description: 'of the whole chain: not crossed yet, and crossed if it costs all of the estimate' }),
  suggestedActions: Type.Array(Type.String(), {
    description: 'what would help, each by itself, but for several raises and approvals, which help together',
    examples: [['Set max_tokens to 300 or less.', 'Use the model gpt-4o-mini: the same tokens fit at its price.']],
  }),
  chain: Type.Array(Link, { description: 'the budget, the one above it, and so on to the topmost' }),
})

export function constraintRoutes (scope: Scope, { guard, reporter }: Tools): void {
  scope.post('/budgets/:id/check-constraints', {
    config: { access: 'check' },
    schema: {
      summary: 'Ask whether a budget has room',
      description: 'What a hold would decide, for the budget and all above it, by the figures of the status. Nothing is held ' +
        'and nothing changes.',
      params: Id,
      body: Question,
      response: { 200: Answer, ...problems(404, 413, 422) },
      tags: ['budgets'],
    },
    validatorCompiler: (route) => validatorCompiler(route.httpPart === 'body' ? { ...route, schema: Either } : route),
  }, async (request) => {
    const budget = await guard.budget(request, request.params.id)
    const { identity, ...question } = request.body
    return await reporter.check(budget, question, guard.whom(request, identity), guard.reachAbove(request))
  })
}
