import { Type } from 'typebox'
import { UNIT } from '../../src/usage/units.ts'
import { Nullable, Text, Time, UUID } from './schemas.ts'

/** Shapes of long holds. */
const Name = (description: string) => Type.String({ minLength: 1, maxLength: 256, pattern: '\\S', description })
const Tags = Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.String({ maxLength: 256 }), {
  maxProperties: 64, examples: [{ costCenter: '4711' }],
})
const Metadata = Type.Record(Type.String({ maxLength: 128 }), Type.Unknown(), {
  maxProperties: 64, description: 'kept and given back as it is', examples: [{ job: 'nightly-42' }],
})
const Currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217; USD if not given', examples: ['USD'] })
const Uuid = Type.String({
  pattern: UUID, examples: ['01912d68-783e-7a03-8467-5661c1243ad4'],
})
const Count = (description: string) => Type.Integer({ minimum: 0, maximum: 1_000_000_000, description })
const Money = (description: string) => Type.Union([Type.String({ maxLength: 64 }), Type.Number({ minimum: 0 })], {
  description: `${description}; at most 9,000,000,000, at most 9 decimals`, examples: ['12.50'],
})
export const LONGEST_SECONDS = 31 * 86_400
export const USUAL_SECONDS = 3_600

export const Identity = Type.Object({
  organizationId: Name('whom it is for'),
  teamId: Type.Optional(Name('and of it')),
  projectId: Type.Optional(Name('and of it')),
  userId: Type.Optional(Name('and of it')),
  sessionId: Type.Optional(Name('of it')),
  endUserId: Type.Optional(Name('for whom a client of yours works')),
  tags: Type.Optional(Tags),
}, { additionalProperties: false, description: 'every budget that applies to it is held', examples: [{ organizationId: 'acme', teamId: 'search' }] })

const Until = {
  ttlSeconds: Type.Optional(Type.Integer({
    minimum: 1, maximum: LONGEST_SECONDS, description: `how long it may take; ${USUAL_SECONDS} if not given. Or expiresAt`,
  })),
  expiresAt: Type.Optional(Type.String({
    description: 'RFC 3339, in the future, at most 31 days ahead: after it the hold is charged at its amount until it is settled or released',
  })),
}

export const NewHold = Type.Object({
  identity: Type.Optional(Identity),
  budgetId: Type.Optional(Type.String({ ...Uuid, description: 'this budget and those above it, whatever their scopes and filters. Or identity; of a budget for each of many both' })),
  amount: Type.Optional(Money('what to set aside; or inputTokens and outputTokens of a provider\'s model')),
  currency: Type.Optional(Currency),
  provider: Type.Optional(Name('counts for the filters of budgets, too')),
  model: Type.Optional(Name('counts for the filters of budgets, too')),
  inputTokens: Type.Optional(Count('at most; not given: the whole context window')),
  outputTokens: Type.Optional(Count('at most; not given: the model\'s maximum')),
  tier: Type.Optional(Name('of the provider, e.g. priority')),
  ...Until,
  source: Type.Optional(Type.Enum(['relaycore', 'auterity', 'manual'], { description: 'who spends; manual if not given' })),
  externalId: Type.Optional(Name('the caller\'s own id, once per organization and source')),
  description: Type.Optional(Type.String({ maxLength: 4096 })),
  metadata: Type.Optional(Metadata),
}, {
  additionalProperties: false,
  examples: [{ identity: { organizationId: 'acme', teamId: 'search' }, amount: '2.5', currency: 'USD', ttlSeconds: 86_400 }],
})

export const Settle = Type.Object({
  amount: Type.Optional(Money('what it cost, be it more than was held; not given: priced by what was used')),
  currency: Type.Optional(Type.String({ ...Currency, description: 'that of the hold if not given, or USD' })),
  inputTokens: Type.Optional(Count('without those read from or written to a cache')),
  outputTokens: Type.Optional(Count('with those of reasoning')),
  cacheReadTokens: Type.Optional(Count('0 if not given')),
  cacheWrite5mTokens: Type.Optional(Count('0 if not given')),
  cacheWrite1hTokens: Type.Optional(Count('0 if not given')),
  reasoningTokens: Type.Optional(Count('part of outputTokens')),
  webSearches: Type.Optional(Count('0 if not given')),
  units: Type.Optional(Type.Record(Type.String({ pattern: UNIT }), Count('of that unit'), {
    additionalProperties: false,
    maxProperties: 16,
    description: 'what is billed beside tokens of text, by its name',
    examples: [{ inputAudioTokens: 1_200 }],
  })),
  tier: Type.Optional(Name('that the provider says it used')),
  modelUsed: Type.Optional(Name('that the provider says it used')),
  requestId: Type.Optional(Name('by which logs name it')),
}, { additionalProperties: false, examples: [{ amount: '1.75', inputTokens: 120_000, outputTokens: 4_000 }] })

export const Extend = Type.Object(Until, { additionalProperties: false, examples: [{ ttlSeconds: 86_400 }] })

const HeldOn = Type.Object({
  budgetId: Type.String(),
  name: Type.String(),
  currency: Type.String(),
  periodStart: Time,
  periodEnd: Nullable(Time),
  amount: Type.String({ description: 'what it was opened for', examples: ['2.5'] }),
  held: Type.String({ description: 'set aside now; 0 where the budget is soft, or the hold has ended', examples: ['2.5'] }),
  charged: Type.String({ description: 'so far', examples: ['0'] }),
})

export const HoldAnswer = Type.Object({
  id: Type.String({ description: 'UUIDv7; also that of its usage event' }),
  state: Type.Enum(['open', 'settled', 'released', 'uncertain'], {
    description: 'uncertain: its deadline has passed, and it is charged at its amount until it is settled or released',
  }),
  amount: Text,
  currency: Type.String(),
  cost: Nullable(Type.String({ description: 'charged so far, in the currency of the hold or as it was settled', examples: ['1.75'] })),
  costCurrency: Nullable(Type.String({ examples: ['USD'] })),
  expiresAt: Time,
  expiredAt: Nullable(Time),
  createdAt: Time,
  endedAt: Nullable(Time),
  organizationId: Nullable(Type.String()),
  teamId: Nullable(Type.String()),
  projectId: Nullable(Type.String()),
  userId: Nullable(Type.String()),
  tags: Nullable(Tags),
  provider: Nullable(Type.String({ examples: ['openai'] })),
  model: Nullable(Type.String({ examples: ['gpt-4o'] })),
  source: Type.String(),
  externalId: Nullable(Type.String({ examples: ['nightly-42'] })),
  jobId: Nullable(Type.String({
    description: 'of a call that goes on at its provider (a response in the background, a batch): what it is called there',
  })),
  description: Nullable(Type.String()),
  metadata: Nullable(Metadata),
  createdBy: Type.String(),
  budgets: Type.Array(HeldOn, { description: 'each in the period in which the hold was opened, whenever it ends' }),
})

export const HoldListQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'most that are answered at once' }),
  cursor: Type.Optional(Type.String({ maxLength: 4096, description: 'nextCursor of the page before' })),
  state: Type.Optional(Type.Enum(['open', 'settled', 'released', 'uncertain'])),
  budgetId: Type.Optional(Uuid),
  organizationId: Type.Optional(Name('exactly')),
  externalId: Type.Optional(Name('exactly')),
}, { additionalProperties: false })

export const HoldPageAnswer = Type.Object({
  holds: Type.Array(HoldAnswer, { description: 'the newest first' }),
  count: Type.Integer({ description: 'of this page' }),
  limit: Type.Integer(),
  nextCursor: Nullable(Type.String({ description: 'of the next page; null: this is the last' })),
})
