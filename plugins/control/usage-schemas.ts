import { Type } from 'typebox'
import { Nullable, PageAnswer, PageQuery, Subject, Text, Time, UUID } from './schemas.ts'

/** Shapes of recorded usage. */
const Sources = Type.Enum(['relaycore', 'auterity', 'manual'], { description: 'who says so' })
const Certainties = Type.Enum(['exact', 'estimated', 'uncertain'], {
  description: 'exact: reported by the provider, or recorded; estimated: from what was seen of the answer; uncertain: charged at the quote',
})
const Currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217; that of the budget if not given', examples: ['USD'] })
const Uuid = (description: string) => Type.String({
  pattern: UUID,
  description,
  examples: ['01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55'],
})
const Name = (description: string) => Nullable(Type.String({ minLength: 1, maxLength: 256, description }))
const Absent = <T extends Parameters<typeof Type.Optional>[0]> (schema: T) => Type.Optional(Nullable(schema))

const Metadata = Type.Object({
  requestId: Type.Optional(Name('by which others know the call')),
  provider: Type.Optional(Name('e.g. openai')),
  modelId: Type.Optional(Name('what was used')),
  userId: Type.Optional(Name('for whom it was')),
  teamId: Type.Optional(Name('for whom it was')),
  projectId: Type.Optional(Name('for whom it was')),
  tags: Absent(Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.String({ maxLength: 256 }), {
    maxProperties: 64, examples: [{ costCenter: '4711' }],
  })),
}, { additionalProperties: true, description: 'and whatever else is to be kept with it: at most 8,192 characters of JSON in all' })

const Record = {
  id: Absent(Type.String({
    minLength: 1,
    maxLength: 256,
    description: 'the caller\'s own, unique for good within the organization and source: the same record again is answered ' +
      'as the first, and is not counted twice; other content is a conflict',
    examples: ['invoice-2026-11/17'],
  })),
  amount: Type.Union([Type.String({ maxLength: 64 }), Type.Number()], {
    description: '0 or more, at most 9,000,000,000, at most 9 decimals; negative where it reverses a record: what is taken back of it',
    examples: ['12.50'],
  }),
  currency: Absent(Currency),
  timestamp: Absent(Type.String({ description: 'when it was used, RFC 3339: it counts in the period that holds this time; now if not given', examples: ['2026-11-24T09:15:00.000Z'] })),
  source: Type.Optional(Type.Enum(['relaycore', 'auterity', 'manual'], { description: 'who says so', default: 'manual' })),
  description: Absent(Type.String({ minLength: 1, maxLength: 4096, description: 'for people' })),
  metadata: Absent(Metadata),
  reverses: Absent(Uuid('id of the record of which this one takes something back, on all budgets that it was charged to')),
}

const EXAMPLE = {
  id: 'invoice-2026-11/17',
  amount: '12.50',
  currency: 'USD',
  timestamp: '2026-01-15T09:15:00.000Z',
  source: 'auterity',
  description: 'Nightly classification',
  metadata: { requestId: 'req-1f', modelId: 'gpt-4o', teamId: 'search' },
}

export const NewUsage = Type.Object(Record, { additionalProperties: false, examples: [EXAMPLE] })

export const NewUsageBatch = Type.Object({
  records: Type.Array(Type.Object({ budgetId: Uuid('on which it is counted, and on all above it'), ...Record }, { additionalProperties: false }), {
    minItems: 1, maxItems: 1000, description: 'all of them are recorded, or none',
  }),
}, { additionalProperties: false, examples: [{ records: [{ budgetId: '01912d68-783e-7a03-8467-5661c1243ad4', ...EXAMPLE }] }] })

const Money = { amount: Text, currency: Type.String({ examples: ['USD'] }) }

const Fields = {
  id: Uuid('of the record; it begins with the time at which it counts'),
  budgetId: Type.String(),
  ...Money,
  timestamp: Type.String({ description: 'when it counts: when the call opened, or what its recorder said', examples: ['2026-11-24T09:15:00.000Z'] }),
  source: Sources,
  description: Nullable(Type.String()),
  certainty: Certainties,
  quote: Type.String({ description: 'the most that the call could cost; 0 for what was not held', examples: ['0.0124'] }),
  rate: Nullable(Type.String({ description: 'units of the currency per USD that it was charged at; null: USD', examples: ['0.92'] })),
  original: Type.Object(Money, { description: 'as it was recorded; of a call, its cost in USD' }),
  callerId: Nullable(Type.String({ description: 'the id that its recorder gave', examples: ['invoice-2026-11/17'] })),
  reverses: Nullable(Type.String({ description: 'id of the record that this one takes back, or corrects' })),
  openedAt: Time,
  endedAt: Time,
  recordedAt: Time,
  consumed: Nullable(Type.Object({
    inputTokens: Type.Integer({ description: 'of text, without those read from or written to a cache' }),
    cacheReadTokens: Type.Integer(),
    cacheWrite5mTokens: Type.Integer({ description: 'written to the cache for the shorter time that the provider has' }),
    cacheWrite1hTokens: Type.Integer({ description: 'for the longer time' }),
    outputTokens: Type.Integer({ description: 'of text, with those of reasoning' }),
    reasoningTokens: Type.Integer(),
    webSearches: Type.Integer(),
    tier: Nullable(Type.String({ description: 'that the provider says it used' })),
    units: Type.Optional(Type.Record(Type.String(), Type.Integer(), {
      description: 'what is billed beside text, by name; absent: nothing', examples: [{ inputAudioTokens: 1_200 }],
    })),
  }, { description: 'what was used, as far as it is known; null: it is not' })),
  metadata: Type.Object({
    requestId: Nullable(Type.String()),
    provider: Nullable(Type.String()),
    modelId: Nullable(Type.String()),
    userId: Nullable(Type.String()),
    teamId: Nullable(Type.String()),
    projectId: Nullable(Type.String()),
    tags: Nullable(Type.Record(Type.String(), Type.String())),
    outcome: Type.String({ description: 'how the call ended; recorded, or reversed', examples: ['completed'] }),
  }, { additionalProperties: true }),
}

export const UsageObject = Type.Object(Fields)

export const UsageRecordAnswer = Type.Object({
  ...Fields,
  charges: Type.Array(Type.Object({
    budgetId: Type.String(), ...Money, rate: Fields.rate,
  }), { description: 'what it costs each budget that it was charged to, as far as you may see them' }),
})

export const UsageBatchAnswer = Type.Object({
  usage: Type.Array(UsageObject, { description: 'in the order of the records' }), count: Type.Integer(),
})

export const UsageListQuery = Type.Object({
  ...PageQuery,
  subject: Type.Optional(Subject),
  from: Type.Optional(Type.String({ description: 'RFC 3339: what counts from then on', examples: ['2026-11-01T00:00:00Z'] })),
  to: Type.Optional(Type.String({ description: 'RFC 3339: what counts before', examples: ['2026-12-01T00:00:00Z'] })),
  source: Type.Optional(Sources),
  certainty: Type.Optional(Certainties),
  userId: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  teamId: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  projectId: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  model: Type.Optional(Type.String({ minLength: 1, maxLength: 256, examples: ['gpt-4o'] })),
}, { additionalProperties: false })

const { total: _total, ...Page } = PageAnswer

export const UsagePageAnswer = Type.Object({
  usage: Type.Array(UsageObject, {
    description: 'the newest first; with filters a page may have less than its limit, and a nextCursor to go on with',
  }),
  ...Page,
})

export const Message = Type.Object({ message: Type.String({ description: 'for people', examples: ['The cache agrees with the records of 3 accounts.'] }) })
