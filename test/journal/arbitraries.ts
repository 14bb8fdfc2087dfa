import * as fc from 'fast-check'
import { type CallEnd, type CallOpening } from '../../src/usage/usage.ts'

const PLAIN = { noNullPrototype: true } as const
const text = fc.string({ unit: 'binary', maxLength: 12 })
const textOrNull = fc.option(text)
const count = fc.maxSafeNat()
const nano = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n })

const usage = fc.record({
  inputTokens: count,
  cacheReadTokens: count,
  cacheWrite5mTokens: count,
  cacheWrite1hTokens: count,
  outputTokens: count,
  reasoningTokens: count,
  webSearches: count,
  tier: textOrNull,
  units: fc.dictionary(text, count, { noNullPrototype: true, maxKeys: 3 }),
  reportedNano: nano,
}, {
  ...PLAIN,
  requiredKeys: ['inputTokens', 'cacheReadTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens', 'outputTokens', 'reasoningTokens',
    'webSearches', 'tier'],
})

export const openings: fc.Arbitrary<CallOpening> = fc.record({
  id: text,
  openedAt: count,
  organizationId: text,
  teamId: textOrNull,
  projectId: textOrNull,
  userId: textOrNull,
  keyId: text,
  sessionId: textOrNull,
  tags: fc.option(fc.dictionary(text, text, { noNullPrototype: true, maxKeys: 3 })),
  provider: text,
  endpoint: text,
  model: text,
  stream: fc.boolean(),
  requestId: textOrNull,
  quoteNano: nano,
  priceVersion: text,
  holds: fc.array(fc.record({ accountId: count, quoteNano: nano, rate: textOrNull, enforced: fc.boolean() }, PLAIN),
    { maxLength: 4 }),
}, PLAIN)

export const callEnds: fc.Arbitrary<CallEnd> = fc.record({
  id: text,
  endedAt: count,
  outcome: fc.constantFrom('completed', 'client_gone', 'upstream_error', 'upstream_broken', 'crashed'),
  status: fc.option(count),
  certainty: fc.constantFrom('exact', 'estimated', 'uncertain'),
  modelUsed: textOrNull,
  usage: fc.option(usage),
  costNano: nano,
  charges: fc.array(fc.record({ accountId: count, amountNano: nano, coveredNano: nano }, PLAIN), { maxLength: 4 }),
  providerRequestId: textOrNull,
}, PLAIN)
