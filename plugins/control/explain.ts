import { Type } from 'typebox'
import { Call, Link } from './constraints.ts'
import { Identity as HoldIdentity } from './hold-schemas.ts'
import { type Scope, type Tools } from './index.ts'
import { Nullable, problems } from './schemas.ts'

const Question = Type.Object({
  identity: Type.Optional(Type.Object(HoldIdentity.properties, {
    additionalProperties: false, description: 'whom the call would be for; a gateway key asks for itself', examples: [{ organizationId: 'acme', teamId: 'search' }],
  })),
  keyId: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'the gateway key that would bring it. Or identity' })),
  headers: Type.Optional(Type.Record(Type.String({ pattern: '^[xX]-[a-zA-Z0-9-]{1,64}$' }), Type.String({ maxLength: 8_192 }), {
    maxProperties: 20, description: 'identity headers that it would carry, with keyId', examples: [{ 'x-relaycore-user': 'ann' }],
  })),
  path: Type.Optional(Type.String({ maxLength: 200, description: 'of the call, with its body', examples: ['/v1/chat/completions'] })),
  body: Type.Optional(Type.Unknown({
    description: 'as JSON, or as the very text that would be sent: its bytes bound the input', examples: [{ model: 'gpt-4o', messages: [] }],
  })),
  ...Type.Partial(Call).properties,
}, {
  additionalProperties: false,
  title: 'ExplainQuestion',
  examples: [{ identity: { organizationId: 'acme', teamId: 'search' }, provider: 'openai', model: 'gpt-4o', inputTokens: 2_000, outputTokens: 500 }],
})

const Code = Nullable(Type.String({ description: 'as the call would be refused with; docs/ERRORS.md has them all', examples: ['budget_exhausted'] }))
const Usd = Type.String({ description: 'USD', examples: ['0.0125'] })

const Candidate = Type.Object({
  kind: Type.Enum(['as_asked', 'downgraded', 'capped']),
  model: Type.String({ examples: ['gpt-4o'] }),
  outputLimit: Nullable(Type.Integer({ description: 'tokens of each answer; null: as the call asks' })),
  quote: Nullable(Type.String({ ...Usd, description: 'USD, the most it can cost; null: it was not come to' })),
  outcome: Type.Enum(['admitted', 'replaced', 'refused'], { description: 'replaced: a threshold puts another model in its place' }),
  code: Code,
  reason: Type.String({ examples: ['All of its budgets let it through.'] }),
  budgetIds: Type.Array(Type.String(), { description: 'that it is held on, as far as they are in reach' }),
})

const Bucket = Type.Object({
  limit: Type.Integer(),
  remaining: Type.Integer(),
  resetMs: Type.Integer({ description: 'ms until it is as if nothing had been taken' }),
})

const Answer = Type.Object({
  admitted: Type.Boolean({ description: 'whether the call would be forwarded now, if nothing else happens' }),
  status: Nullable(Type.Integer({ description: 'of HTTP, as its SDK would see it; null: it would be forwarded' })),
  code: Code,
  message: Type.String({ examples: ['The call would be forwarded as it is asked; 0.0125 USD would be set aside, on 2 budgets.'] }),
  remedy: Nullable(Type.String({ description: 'what would help, as the call would be told' })),
  retryable: Type.Boolean({ description: 'true: the same call may pass in a moment' }),
  decidingBudgetId: Nullable(Type.String({ description: 'that refuses; null: none does, or it is out of reach' })),
  identity: Nullable(Type.Object({
    organizationId: Type.String(),
    teamId: Nullable(Type.String()),
    projectId: Nullable(Type.String()),
    userId: Nullable(Type.String()),
    keyId: Nullable(Type.String()),
    sessionId: Nullable(Type.String()),
    tags: Nullable(Type.Record(Type.String(), Type.String())),
  }, { description: 'whom the call would be for; null: its key is refused' })),
  call: Nullable(Type.Object({
    provider: Type.String({ examples: ['openai'] }),
    model: Type.String({ examples: ['gpt-4o'] }),
    inputTokens: Type.Union([Type.Integer(), Type.Null()], { description: 'at most; null: the whole context window' }),
    outputTokens: Type.Union([Type.Integer(), Type.Null()], { description: 'of each answer, as asked; null: the model\'s maximum' }),
    modelUsed: Nullable(Type.String({ description: 'null: it would not be forwarded' })),
    outputLimit: Type.Union([Type.Integer(), Type.Null()], { description: 'to which its output would be capped' }),
    quote: Nullable(Type.String({ ...Usd, description: 'USD that would be set aside' })),
  }, { description: 'null: it cannot be read' })),
  candidates: Type.Array(Candidate, { description: 'in the order in which they are tried; the first that is admitted is forwarded' }),
  budgets: Type.Array(Link, { description: 'all that were found, each followed by those above it; estimatedCost is what the last candidate needs' }),
  rateLimits: Type.Array(Type.Object({
    of: Type.String({ description: 'whose calls are counted together', examples: ['key "search service"'] }),
    budgetId: Nullable(Type.String({ description: 'null: a key\'s' })),
    requestsPerMinute: Nullable(Bucket),
    tokensPerMinute: Nullable(Bucket),
    concurrentCalls: Type.Union([Type.Integer(), Type.Null()], { description: 'at most' }),
  }), { description: 'that the call is under, and how they stand' }),
  shadow: Type.Array(Type.Object({
    budgetId: Type.String(),
    verdict: Type.Enum(['refused', 'restricted', 'downgraded']),
  }), { description: 'what budgets that are only tried would have done' }),
  suggestedActions: Type.Array(Type.String(), {
    description: 'what would help, each by itself, but for several raises, which help together',
    examples: [['Set max_tokens to 300 or less.']],
  }),
})

export function explainRoutes (scope: Scope, { explainer }: Tools): void {
  scope.post('/explain', {
    config: { access: 'check' },
    schema: {
      summary: 'Ask what would become of a call',
      description: 'Which budgets apply to it, which candidates there are, how each account stands, and the verdict that the call ' +
        'would get now, with its code, message and remedy. Nothing is held and nothing changes.',
      body: Question,
      response: { 200: Answer, ...problems(404, 413) },
      tags: ['budgets'],
    },
  }, async (request) => await explainer.explain(request.body, request.actor))
}
