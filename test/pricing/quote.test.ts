import fc from 'fast-check'
import t from 'tap'
import { costNano } from '../../src/pricing/cost.ts'
import { estimateNano, quoteNano } from '../../src/pricing/quote.ts'
import { isOutputUnit } from '../../src/usage/units.ts'
import { aBound, aCallWithinItsBound, aCount, aModel, aUsage } from './builders.ts'

t.test('no usage within the bound costs more than the quote', async (t) => {
  let tight = 0
  fc.assert(fc.property(aCallWithinItsBound, ({ model, bound, usage }) => {
    const quote = quoteNano(model, bound)
    const cost = costNano(model, usage)
    if (cost === quote) tight++
    return quote !== null && cost !== null && cost <= quote
  }), { numRuns: 8_000 })
  t.ok(tight > 20, `${tight} of the usages cost all of their quote, so the bound is not merely loose`)
})

t.test('a wider bound never has a smaller quote', async () => {
  const wider = fc.record({ input: aCount, output: aCount, choices: fc.nat({ max: 3 }) })
  fc.assert(fc.property(aCallWithinItsBound, wider, ({ model, bound }, more) => {
    const quote = quoteNano(model, bound) as bigint
    const wide = {
      ...bound,
      inputTokens: bound.inputTokens + more.input,
      outputTokens: bound.outputTokens === null ? null : bound.outputTokens + more.output,
      choices: bound.choices + more.choices,
    }
    return (quoteNano(model, wide) as bigint) >= quote &&
      (quoteNano(model, { ...wide, outputTokens: null }) as bigint) >= quote &&
      (model.rates.cacheWrite1h === null ||
        (quoteNano(model, { ...wide, inputTokens: Infinity, cacheWrite: '1h' }) as bigint) >= quote)
  }), { numRuns: 2_000 })
})

t.test('a quote is the dearest input, and the whole length of every choice', async (t) => {
  const demo = aModel('demo', 'demo-small')
  t.equal(quoteNano(demo, aBound()), 100n * 1_000n + 1_000n * 4_000n)
  t.equal(quoteNano(demo, aBound({ choices: 3 })), 100n * 1_000n + 3n * 1_000n * 4_000n)
  t.equal(quoteNano(demo, aBound({ cacheWrite: '5m' })), 100n * 1_250n + 4_000_000n)
  t.equal(quoteNano(demo, aBound({ cacheWrite: '1h' })), 100n * 2_000n + 4_000_000n)
  t.equal(quoteNano(demo, aBound({ outputTokens: null })), 100_000n + 8_192n * 4_000n, 'no limit: that of the model')
  t.equal(quoteNano(demo, aBound({ outputTokens: 1e9 })), 100_000n + 8_192n * 4_000n, 'a limit beyond that of the model')
  t.equal(quoteNano(demo, aBound({ inputTokens: Infinity })), 200_000n * 1_000n + 4_000_000n, 'the context window')
  t.equal(quoteNano(demo, aBound({ inputTokens: 99.5 })), 100n * 1_000n + 4_000_000n)
})

t.test('what a model writes to its cache unasked is in its quote', async (t) => {
  t.equal(quoteNano(aModel('openai', 'gpt-6-sol'), aBound({ outputTokens: 0 })), 100n * 2_500n)
  t.equal(quoteNano(aModel('anthropic', 'claude-sonnet-5'), aBound({ outputTokens: 0 })), 100n * 2_000n)
})

t.test('the long-context price is in the quote from the first token that can reach it', async (t) => {
  const model = aModel('openai', 'gpt-6-sol')
  t.equal(quoteNano(model, aBound({ inputTokens: 271_999, outputTokens: 1 })), 271_999n * 2_500n + 10_000n)
  t.equal(quoteNano(model, aBound({ inputTokens: 272_000, outputTokens: 1 })), 272_000n * 5_000n + 15_000n)
})

t.test('a quote has the modifiers that were asked for, and never less than the standard', async (t) => {
  const sol = aModel('openai', 'gpt-6-sol')
  const standard = quoteNano(sol, aBound()) as bigint
  t.equal(quoteNano(sol, aBound({ tier: 'priority' })), 2n * standard)
  t.equal(quoteNano(sol, aBound({ tier: 'flex' })), standard, 'the provider may serve the standard instead')
  t.equal(quoteNano(sol, aBound({ tier: 'auto' })), standard)
  const opus = aModel('anthropic', 'claude-opus-5')
  t.equal((quoteNano(opus, aBound({ tier: 'fast+us' })) as bigint) * 10n, 22n * (quoteNano(opus, aBound()) as bigint))
})

t.test('after each web search the model may read its whole context window again', async (t) => {
  const model = aModel('anthropic', 'claude-haiku-4-5')
  t.equal(quoteNano(model, aBound({ webSearches: 2 })),
    3n * 200_000n * 1_000n + 3n * 1_000n * 5_000n + 2n * 10_000_000n)
})

t.test('what has no price or no bound has no quote', async (t) => {
  const model = aModel('openai', 'gpt-4o')
  const unbounded = [
    { tier: 'ultrafast' }, { tier: 'constructor' }, { tier: '__proto__' }, { tier: 'fast+ultrafast' }, { tier: '+' },
    { tier: 'fast+fast+fast+fast+fast' }, { webSearches: -1 }, { webSearches: Infinity },
    { inputTokens: NaN }, { inputTokens: -1 }, { outputTokens: -1 }, { outputTokens: 1.5 }, { outputTokens: NaN },
    { outputTokens: Infinity }, { choices: 0 }, { choices: 0.5 }, { choices: Infinity }, { choices: 1e15 },
  ]
  for (const over of unbounded) t.equal(quoteNano(model, aBound(over)), null, JSON.stringify(over))
  for (const over of unbounded) t.equal(estimateNano(model, aBound(over), 1), null, JSON.stringify(over))
  t.type(quoteNano(model, aBound()), 'bigint')
  t.equal(quoteNano(aModel('demo', 'demo-small'), aBound({ webSearches: 1 })), null)
})

t.test('a quote is for the dearest that tokens may turn out to be, and for the most of all that is counted', async (t) => {
  const unitRates = {
    inputAudioTokens: 32_000_000_000n,
    cachedAudioTokens: 1n,
    outputAudioTokens: 64_000_000n,
    seconds: 1_000_000n,
    fileSearches: 5_000_000n,
  }
  const demo = aModel('demo', 'demo-small', { unitRates, multipliers: { priority: '2' } })
  const bound = (over: Parameters<typeof aBound>[0]) => quoteNano(demo, aBound({ outputTokens: 10, ...over }))
  t.equal(bound({ inputUnits: ['inputAudioTokens', 'cachedAudioTokens'] }), 100n * 32_000n + 40_000n)
  t.equal(bound({ outputUnits: ['outputAudioTokens'] }), 100_000n + 40_000n, 'text is dearer')
  t.equal(bound({ units: { seconds: 60, fileSearches: 3 }, tier: 'priority' }), 2n * (140_000n + 60n) + 15n)
  for (const over of [
    { inputUnits: ['inputVideoTokens'] }, { inputUnits: ['outputAudioTokens'] }, { outputUnits: ['inputAudioTokens'] },
    { units: { pages: 1 } }, { units: { inputAudioTokens: 1 } },
    { units: { seconds: -1 } }, { units: { seconds: 0.5 } }, { units: { seconds: Infinity } },
    { units: JSON.parse('{"__proto__":1}') }, { inputs: 0 }, { inputs: 1.5 },
  ]) t.equal(bound(over), null, JSON.stringify(over))
})

t.test('several inputs may each be as long as the context window', async (t) => {
  const demo = aModel('demo', 'demo-small')
  t.equal(quoteNano(demo, aBound({ inputTokens: 500_000, inputs: 3, outputTokens: 0 })), 500_000n * 1_000n)
  t.equal(quoteNano(demo, aBound({ inputTokens: Infinity, inputs: 3, outputTokens: 0 })), 600_000n * 1_000n)
})

t.test('the estimate of a cut answer is bounded by what was seen, and by the quote', async (t) => {
  const plain = aModel('demo', 'demo-small')
  const reasoning = aModel('demo', 'demo-reasoning')
  t.equal(estimateNano(plain, aBound(), 10), 100n * 1_000n + 10n * 4_000n)
  t.equal(estimateNano(plain, aBound({ choices: 3 }), 10), 100n * 1_000n + 10n * 4_000n, 'the bytes are of all choices')
  t.equal(estimateNano(plain, aBound(), 1e9), quoteNano(plain, aBound()))
  t.equal(estimateNano(plain, aBound(), NaN), quoteNano(plain, aBound()), 'nobody counted')
  t.equal(estimateNano(reasoning, aBound(), 10), quoteNano(reasoning, aBound()))
  fc.assert(fc.property(aCallWithinItsBound, aCount, ({ model, bound, usage }, bytes) => {
    const estimate = estimateNano(model, bound, bytes) as bigint
    // what is put out is at most the bytes, whatever it is
    const units = Object.fromEntries(Object.entries(usage.units ?? {}).filter(([unit]) => !isOutputUnit(unit)))
    const seen = aUsage({ ...usage, units, outputTokens: Math.min(usage.outputTokens, bytes) })
    return estimate <= (quoteNano(model, bound) as bigint) && estimate >= (costNano(model, seen) as bigint)
  }), { numRuns: 2_000 })
})

t.test('a quote takes no longer than two microseconds', async (t) => {
  const model = aModel('openai', 'gpt-6-sol')
  const bound = aBound({ inputTokens: 300_000, cacheWrite: '5m', tier: 'priority' })
  let fastest = Infinity
  for (let round = 0; round < 20; round++) {
    const from = process.hrtime.bigint()
    for (let i = 0; i < 2_000; i++) quoteNano(model, bound)
    fastest = Math.min(fastest, Number(process.hrtime.bigint() - from) / 2_000)
  }
  t.ok(fastest < 2_000, `${fastest.toFixed(0)} ns`)
})
