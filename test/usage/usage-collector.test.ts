import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { type AccountSpec } from '../../src/account/authority.ts'
import { type Budget } from '../../src/budget/budget.ts'
import { type NewUsage, type UsageDraft, type UsageRecording } from '../../src/usage/recording.ts'
import { hashOf, UsageCollector } from '../../src/usage/usage-collector.ts'

const PLAIN: UsageDraft = {
  budgetId: '01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55',
  callerId: 'x',
  amountNano: 1_250_000_000n,
  currency: null,
  timestamp: null,
  source: 'manual',
  description: null,
  metadata: {
    requestId: null, provider: null, modelId: null, teamId: null, projectId: null, userId: null, tags: null, more: {},
  },
  reverses: null,
}

const FULL: UsageDraft = {
  ...PLAIN,
  amountNano: -1n,
  currency: 'JPY',
  timestamp: 1_700_000_000_123,
  source: 'auterity',
  description: 'a "quoted"\nßü🚀',
  metadata: {
    requestId: 'r',
    provider: 'p',
    modelId: 'm\\',
    teamId: 't',
    projectId: 'p2',
    userId: 'u',
    tags: { b: '2', a: '1' },
    more: { z: [1, { y: null, x: 1.5 }], a: {} },
  },
  reverses: '01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a56',
}

t.test('what ids are compared by is for good: a ledger holds these hashes from the first version on', async (t) => {
  const hex = (draft: UsageDraft, currency = 'USD') => hashOf(draft, { currency }).toString('hex')
  t.equal(hex(PLAIN), '9fac4881d79bbe4b79a3815eb645aed210c3102d2126bcd40fc1bef0569fac62')
  t.equal(hex(FULL), 'f34bd25edb60a30383a5ec8d0370cab3bb67a1a3ddfa93e7b7c483d07e466549')
  t.equal(hex({ ...PLAIN, callerId: 'y', currency: 'USD' }), hex(PLAIN), 'the id itself and a currency that goes without saying are no part')
  t.equal(hex({ ...FULL, metadata: { ...FULL.metadata, tags: { a: '1', b: '2' } } }), hex(FULL), 'nor is an order of names')
  t.not(hex(PLAIN, 'EUR'), hex(PLAIN))
  for (const change of [{ amountNano: 1n }, { description: 'd' }, { timestamp: 0 }, { metadata: { ...PLAIN.metadata, more: { a: 1 } } }]) {
    t.not(hex({ ...PLAIN, ...change }), hex(PLAIN))
  }
})

const DAY = 86_400_000
const START = Date.UTC(2026, 2, 1)
const moment = fc.integer({ min: START - 10 * DAY, max: START + 40 * DAY })

const level = fc.record({
  period: fc.constantFrom<Budget['period'][]>('daily', 'monthly', 'quarterly', 'custom'),
  timezone: fc.constantFrom('UTC', 'Europe/Berlin'),
  startDate: moment,
  lasts: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.integer({ min: 1, max: 90 })),
  recurring: fc.constantFrom(true, true, true, false),
  archivedAt: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, moment),
  scopeId: fc.constantFrom(...Array<string>(7).fill('ann'), '*'),
})

type Level = typeof level extends fc.Arbitrary<infer L> ? L : never

/** each below the one before */
function aLine (levels: Level[]): Map<string, Budget> {
  const budgets = levels.map(({ lasts, ...one }, i) => ({
    ...one,
    id: `budget ${i}`,
    organizationId: 'acme',
    scopeType: 'user',
    endDate: lasts === null && one.period !== 'custom' ? null : one.startDate + (lasts ?? 7) * DAY,
    currency: 'USD',
    carryOver: null,
    parentBudgetId: i === 0 ? null : `budget ${i - 1}`,
  }) as unknown as Budget)
  return new Map(budgets.map((budget) => [budget.id, budget]))
}

/** a ledger that charges nothing: what it would have charged, by draft, and in words which accounts */
async function chargedBy (budgets: Map<string, Budget>, drafts: UsageDraft[]): Promise<string[] | string> {
  const names: string[] = []
  let usage: NewUsage[] = []
  const ledger = {
    lines: async () => budgets,
    rates: async () => [],
    accounts: async (specs: AccountSpec[]) => specs.map(({ budgetId, subject, periodStart, periodEnd }) =>
      names.push([budgetId, subject, periodStart, periodEnd].join(' ')) - 1),
    record: async (given: NewUsage[]) => {
      usage = given
      return { records: [], known: new Set<number>() }
    },
  } as unknown as UsageRecording
  try {
    await new UsageCollector({ now: () => START + 100 * DAY }).record(ledger, drafts, (i) => `${i}/`)
  } catch (error) {
    return (error as Error).message
  }
  if (new Set(names).size < names.length) throw new Error(`an account is asked for twice: ${names.join()}`)
  return usage.map(({ charges }) => charges.map(({ accountId, amountNano }) => `${names[accountId]}: ${amountNano}`).join())
}

t.test('a batch is charged where each of its records would be by itself', async (t) => {
  const draft = fc.record({ budget: fc.nat(2), at: moment, userId: fc.constantFrom('ann', 'bob', null) })
  const some = fc.array(draft, { minLength: 1, maxLength: 12 })
  let charged = 0
  await fc.assert(fc.asyncProperty(fc.array(level, { minLength: 3, maxLength: 3 }), some, async (levels, records) => {
    const budgets = aLine(levels)
    const drafts = records.map(({ budget, at, userId }): UsageDraft => ({
      ...PLAIN, budgetId: `budget ${budget}`, callerId: null, timestamp: at, metadata: { ...PLAIN.metadata, userId },
    }))
    const alone = await Promise.all(drafts.map((one) => chargedBy(budgets, [one])))
    const taken = drafts.filter((_, i) => typeof alone[i] !== 'string')
    charged += taken.length
    const together = await chargedBy(budgets, taken)
    return isDeepStrictEqual(together, alone.filter((one) => typeof one !== 'string').flat())
  }), { numRuns: 1_000 })
  t.ok(charged > 300, `${charged} of them were charged`)
})
