import { calcPrice } from '@pydantic/genai-prices'
import t from 'tap'
import { CATALOG } from '../../src/pricing/catalog-data.ts'
import { type CatalogModel, type CatalogProvider, compileProvider } from '../../src/pricing/catalog.ts'
import { costNano } from '../../src/pricing/cost.ts'
import { type PricedModel, type Rates } from '../../src/pricing/price.ts'
import { type Usage } from '../../src/usage/usage.ts'
import { aUsage, book, models } from './builders.ts'

t.test('there are prices of at least thirty models of OpenAI and Anthropic', async (t) => {
  t.ok(book.list('openai').length + book.list('anthropic').length >= 30)
})

t.test('a price is exact to nine decimals per million tokens', async (t) => {
  const [priced] = compileProvider(aProvider({ input: '0.000000001', output: '123.456789012' }), '1')
  t.equal(priced?.rates.input, 1n)
  t.equal(priced?.rates.output, 123_456_789_012n)
})

t.test('an entry that is not a price stops the start with its name', async (t) => {
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ input: '0.0000000001' }, /catalog: input of acme\/one is not a price: 0\.0000000001/],
    [{ output: '1e3' }, /catalog: output of acme\/one is not a price: 1e3/],
    [{ cacheRead: '0' }, /catalog: cacheRead of acme\/one is not a price: 0/],
    [{ cacheWrite1h: '-1' }, /catalog: cacheWrite1h of acme\/one is not a price/],
    [{ input: 1.5 }, /catalog: acme\/one: \/input must be string/],
    [{ input: undefined }, /catalog: acme\/one has no price/],
    [{ units: { parsecs: '1' } }, /catalog: acme\/one: \/units/],
    [{ units: { seconds: '0' } }, /catalog: seconds of acme\/one is not a price: 0/],
    [{ tiers: [{ ...aTier(500), output: undefined }] }, /output of acme\/one has to have a price in each of its tiers/],
    [{ model: 'two words' }, /catalog: acme\/two words: \/model/],
    [{ contextWindow: -1 }, /catalog: acme\/one: \/contextWindow/],
    [{ maxOutput: 1_001 }, /catalog: maxOutput of acme\/one exceeds its contextWindow/],
    [{ surprise: 1 }, /catalog: acme\/one: \/surprise is not a known field/],
    [{ multipliers: { flex: 'half' } }, /catalog: multiplier flex of acme\/one is not one: half/],
    [{ multipliers: { flex: '0' } }, /catalog: multiplier flex of acme\/one is not one: 0/],
    [{ multipliers: { 'a+b': '1' } }, /catalog: acme\/one: \/multipliers/],
    [{ tiers: [aTier(500), aTier(500)] }, /catalog: tier 500 of acme\/one is out of order/],
    [{ tiers: [aTier(1_001)] }, /catalog: tier 1001 of acme\/one is .*past its contextWindow/],
    [{ tiers: [{ ...aTier(500), input: 'x' }] }, /catalog: input of acme\/one is not a price: x/],
  ]
  for (const [over, message] of wrong) t.throws(() => compileProvider(aProvider(over), '1'), { message }, String(message))
  const heads: [Partial<CatalogProvider>, RegExp][] = [
    [{ checkedAt: 'yesterday' }, /catalog: provider acme: \/checkedAt/],
    [{ webSearch: '0.000000001' }, /catalog: webSearch of acme is not a price/],
    [{ webSearch: '0' }, /catalog: webSearch of acme is not a price/],
    [{ models: [] }, /catalog: provider acme: \/models/],
  ]
  for (const [over, message] of heads) {
    t.throws(() => compileProvider({ ...aProvider({}), ...over }, '1'), { message }, String(message))
  }
})

t.test('what a catalog leaves out costs what it is a part of, or has no price', async (t) => {
  const tiers = [{ fromInputTokens: 500, input: '4', output: '4', units: { inputAudioTokens: '9' } }]
  const [priced] = compileProvider({
    ...aProvider({ ...UNCACHED, cacheWrite5m: '2', units: { inputAudioTokens: '3', 'images/hd/1024x1792': '80000' }, tiers }),
    asText: ['inputImageTokens', 'cachedImageTokens', 'outputImageTokens', 'inputAudioTokens'],
  }, '1')
  const usd = (price: number) => BigInt(price) * 1_000_000_000n
  t.same(priced?.rates, {
    input: usd(1), cacheRead: usd(1), cacheWrite5m: usd(2), cacheWrite1h: null, output: usd(1),
  })
  t.same(priced?.unitRates, {
    inputAudioTokens: usd(3),
    'images/hd/1024x1792': usd(80_000),
    inputImageTokens: usd(1),
    cachedImageTokens: usd(1),
    outputImageTokens: usd(1),
    cachedAudioTokens: usd(3),
  })
  const [tier] = priced?.tiers ?? []
  t.same(tier?.rates, {
    input: usd(4), cacheRead: usd(4), cacheWrite5m: usd(4), cacheWrite1h: usd(4), output: usd(4),
  })
  t.match(tier?.unitRates, { inputAudioTokens: usd(9), 'images/hd/1024x1792': usd(80_000), inputImageTokens: usd(4) })
})

t.test('a model may be billed by something else than tokens alone', async (t) => {
  const spoken = { ...UNCACHED, input: undefined, output: undefined, contextWindow: 0, maxOutput: 0 }
  const [priced] = compileProvider(aProvider({ ...spoken, units: { characters: '15' } }), '1')
  t.same(priced?.rates, { input: null, cacheRead: null, cacheWrite5m: null, cacheWrite1h: null, output: null })
  t.same(priced?.unitRates, { characters: 15_000_000_000n })
})

t.test('names are what providers make them', async (t) => {
  for (const model of [
    'anthropic/claude-sonnet-5', 'us.anthropic.claude-opus-4-1-20250805-v1:0', 'claude-haiku-4-5@20251001', 'MiniMax-M2',
    'a'.repeat(200),
  ]) t.equal(compileProvider(aProvider({ model }), '1')[0]?.model, model)
  for (const model of ['', ' ', '/x', 'x y', 'x\n', 'ä', 'a'.repeat(201)]) {
    t.throws(() => compileProvider(aProvider({ model }), '1'), { message: /\/model/ })
  }
})

t.test('a tier is never cheaper than the shorter context, nor a longer cache life cheaper than a shorter', async (t) => {
  for (const { model, rates: standard, tiers } of models) {
    let below = numbersOf(standard)
    for (const rates of [standard, ...tiers.map((tier) => tier.rates)].map(numbersOf)) {
      t.ok(rates.input >= below.input && rates.output >= below.output && rates.cacheRead >= below.cacheRead, model)
      t.ok(rates.cacheRead <= rates.input && rates.input <= rates.cacheWrite5m, model)
      t.ok(rates.cacheWrite5m <= rates.cacheWrite1h && rates.input <= rates.output, model)
      below = rates
    }
  }
})

t.test('OpenAI reads `fast` back as `priority`, so both cost the same', async (t) => {
  for (const { model, multipliers } of book.list('openai')) t.equal(multipliers['fast'], multipliers['priority'], model)
})

t.test('the models of the demo provider are named as such and cost something', async (t) => {
  t.same(book.list('demo').map(({ model }) => model), ['demo-small', 'demo-large', 'demo-reasoning'])
  t.match(CATALOG.find(({ provider }) => provider === 'demo')?.source, /invented/)
})

/** Where the other catalog is known to be wrong, and how. An entry that no longer differs fails the test. */
const OTHERS_MISTAKES: Record<string, string> = {
  'claude-sonnet-5-5': 'matched by the prefix claude-sonnet-5, whose cache reads cost twice as much',
}

t.test('prices agree with an independent catalog wherever both know the model', async (t) => {
  const differing = new Set<string>()
  let compared = 0
  for (const model of [...book.list('openai'), ...book.list('anthropic')]) {
    if (otherUsd(model, aUsage({ inputTokens: 1 })) === null) continue
    compared++
    for (const usage of samples(model)) {
      const other = otherUsd(model, usage) as number
      const cost = Number(costNano(model, usage)) / 1e9
      if (Math.abs(cost - other) < 2e-9 + other * 1e-12) continue
      differing.add(model.model)
      const what = `${model.model}: ${cost} and ${other} for ${JSON.stringify(usage)}`
      t.ok(Object.hasOwn(OTHERS_MISTAKES, model.model), what)
    }
  }
  t.ok(compared >= 40, `${compared} models compared`)
  t.same([...differing], Object.keys(OTHERS_MISTAKES))
})

/** One of each kind of token, and a mix on both sides of each context tier. */
function samples ({ provider, contextWindow, tiers }: PricedModel): Usage[] {
  const writes = provider === 'anthropic' ? { cacheWrite5mTokens: 300, cacheWrite1hTokens: 200 } : {}
  const mixes = [7_000, ...tiers.flatMap(({ fromInputTokens: from }) => [from - 2, from + 1]), contextWindow]
    .map((total) => aUsage({ inputTokens: total - 1_500, cacheReadTokens: 1_000, outputTokens: 700, ...writes }))
  const singles = [{ inputTokens: 1_000 }, { cacheReadTokens: 1_000 }, { outputTokens: 1_000 }].map(aUsage)
  if (provider !== 'anthropic') return [...singles, ...mixes, aUsage({ cacheWrite5mTokens: 1_000 })]
  return [...singles, ...mixes, aUsage({ cacheWrite5mTokens: 1_000 }), aUsage({ cacheWrite1hTokens: 1_000 })]
}

/** In USD; null: the other catalog does not know the model. */
function otherUsd ({ provider, model }: PricedModel, usage: Usage): number | null {
  const written = usage.cacheWrite5mTokens + usage.cacheWrite1hTokens
  const price = calcPrice({
    input_tokens: usage.inputTokens + usage.cacheReadTokens + written,
    cache_read_tokens: usage.cacheReadTokens,
    cache_write_tokens: written,
    cache_write_1h_tokens: usage.cacheWrite1hTokens,
    output_tokens: usage.outputTokens,
  }, model, { providerId: provider })
  return price === null ? null : price.total_price
}

const UNCACHED = { cacheRead: undefined, cacheWrite5m: undefined, cacheWrite1h: undefined }

function numbersOf (rates: Rates): Record<keyof Rates, bigint> {
  if (Object.values(rates).includes(null)) throw new Error('a rate is missing')
  return rates as Record<keyof Rates, bigint>
}

function aTier (fromInputTokens: number): Record<string, unknown> {
  return { fromInputTokens, input: '2', cacheRead: '2', cacheWrite5m: '2', cacheWrite1h: '2', output: '2' }
}

function aProvider (over: Record<string, unknown>): CatalogProvider {
  const rates = { input: '1', cacheRead: '1', cacheWrite5m: '1', cacheWrite1h: '1', output: '1' }
  const model = { model: 'one', contextWindow: 1_000, maxOutput: 1_000, reasoning: false, ...rates, ...over }
  return {
    provider: 'acme', source: 'test', checkedAt: '2026-01-01', cachesUnasked: false, models: [model as CatalogModel],
  }
}
