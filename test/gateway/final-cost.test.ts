import t from 'tap'
import { finalCost } from '../../src/gateway/final-cost.ts'
import { aBound, aModel, aUsage } from '../pricing/builders.ts'

const MODEL = aModel('demo', 'demo-small')
const QUOTE = 5_000_000n
const ofUsage = (over: Parameters<typeof aUsage>[0], final = true) => finalCost({
  outcome: 'completed',
  status: 200,
  reading: { usage: aUsage(over), final, modelUsed: null, providerRequestId: null, bodyBytes: 10 },
  error: null,
}, MODEL, aBound(), QUOTE)

t.test('what the provider says that a call cost counts before any price', async (t) => {
  const reported = ofUsage({ inputTokens: 10, reportedNano: 7n })
  t.same(reported, { costNano: 7n, certainty: 'exact', outcome: 'completed' })
  t.match(ofUsage({ reportedNano: 7n, units: { pages: 1 } }), { costNano: 7n, certainty: 'exact' }, 'also of what has no price')
  t.match(ofUsage({ reportedNano: QUOTE * 2n }), { costNano: QUOTE * 2n }, 'more than the quote is an overrun, and charged')
})

t.test('a call that was let through without a price is recorded at zero, as uncertain, unless the provider says its cost', async (t) => {
  const model = { ...MODEL, assumed: 'unpriced' as const }
  const of = (reportedNano?: bigint) => finalCost({
    outcome: 'completed',
    status: 200,
    reading: {
      usage: aUsage({ inputTokens: 1_000, ...reportedNano === undefined ? {} : { reportedNano } }),
      final: true,
      modelUsed: null,
      providerRequestId: null,
      bodyBytes: 10,
    },
    error: null,
  }, model, aBound(), 0n)
  t.same(of(), { costNano: 0n, certainty: 'uncertain', outcome: 'completed' })
  t.same(of(7n), { costNano: 7n, certainty: 'exact', outcome: 'completed' })
})

t.test('what cannot be a cost is not one: the price counts, and without one the quote', async (t) => {
  for (const reportedNano of [0n, -1n, 10n ** 19n]) {
    t.match(ofUsage({ inputTokens: 10, reportedNano }), { costNano: 10_000n, certainty: 'exact' }, String(reportedNano))
    t.match(ofUsage({ units: { pages: 1 }, reportedNano }), { costNano: QUOTE, certainty: 'uncertain' }, String(reportedNano))
  }
  t.match(ofUsage({ reportedNano: 7n }, false), { costNano: QUOTE, certainty: 'uncertain' }, 'a running figure is not the end')
})

t.test('an answer that its client left has cost what its running figures say, where it has them', async (t) => {
  const seen = { final: false, modelUsed: null, providerRequestId: null, bodyBytes: 1e6 }
  const left = (running: object, outcome: 'client_gone' | 'upstream_broken' = 'client_gone') => finalCost({
    outcome,
    status: 200,
    reading: { usage: aUsage({ inputTokens: 10 }), ...seen, ...running },
    error: null,
  }, { ...MODEL, reasoning: true }, aBound(), QUOTE)
  t.match(left({ running: true }), { costNano: 10_000n, certainty: 'estimated' })
  t.match(left({}), { costNano: QUOTE, certainty: 'uncertain' })
  t.match(left({ running: true }, 'upstream_broken'), { costNano: QUOTE, certainty: 'uncertain' }, 'nobody stopped it here')
})

t.test('running figures past the quote are charged, for how much more it was nobody says', async (t) => {
  for (const outcome of ['budget_cut', 'client_gone', 'upstream_broken'] as const) {
    const seen = { final: false, modelUsed: null, providerRequestId: null, bodyBytes: 10 }
    const reading = { usage: aUsage({ inputTokens: 10 }), ...seen }
    const ended = finalCost({ outcome, status: 200, reading, error: null }, MODEL, aBound(), 9_999n)
    t.same(ended, { costNano: 10_000n, certainty: 'estimated', outcome })
  }
})
