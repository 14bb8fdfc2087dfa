import { calcPrice } from '@pydantic/genai-prices'
import fc from 'fast-check'
import t from 'tap'
import { CATALOG } from '../../src/pricing/catalog-data.ts'
import { costNano } from '../../src/pricing/cost.ts'
import { CatalogPriceBook } from '../../src/pricing/price-book.ts'
import { type CallBound, type PricedModel } from '../../src/pricing/price.ts'
import { estimateNano, quoteNano } from '../../src/pricing/quote.ts'
import { type Usage } from '../../src/usage/usage.ts'

const book = new CatalogPriceBook()
const models = ['openai', 'anthropic', 'demo'].flatMap((provider) => book.list(provider))

const aModel = fc.constantFrom(...models)
const aCount = fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 0, max: 2_000_000 }),
  fc.constantFrom(99_999, 100_000, 100_001, 199_999, 200_000, 200_001, 271_999, 272_000, 272_001))

function aUsage (over: Partial<Usage> = {}): Usage {
  return {
    inputTokens: 0,
    cacheReadTokens: 0,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    webSearches: 0,
    tier: null,
    ...over,
  }
}

/** a bound, and a usage that keeps within it */
const aCall = fc.record({
  model: aModel,
  inputTokens: fc.oneof(aCount, fc.constant(Infinity)),
  outputTokens: fc.option(aCount),
  choices: fc.integer({ min: 1, max: 5 }),
  cacheWrite: fc.constantFrom('none' as const, '5m' as const, '1h' as const),
  fractions: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 }),
  askedTier: fc.nat(),
  usedTier: fc.nat(),
}).map((raw) => {
  const { model } = raw
  const tiers = [null, ...Object.keys(model.multipliers)]
  const tier = tiers[raw.askedTier % tiers.length] ?? null
  // the provider may answer with what was asked, or fall back to the standard
  const used = raw.usedTier % 2 === 0 ? tier : null
  const bound: CallBound = {
    inputTokens: raw.inputTokens,
    outputTokens: raw.outputTokens,
    choices: raw.choices,
    cacheWrite: model.provider === 'openai' ? '5m' : raw.cacheWrite,
    tier,
    webSearches: 0,
  }
  const share = (i: number) => raw.fractions[i] as number
  let left = Math.floor(Math.min(raw.inputTokens, model.contextWindow) * share(0))
  const take = (i: number) => {
    const taken = Math.floor(left * share(i))
    left -= taken
    return taken
  }
  const most = Math.min(raw.outputTokens ?? model.maxOutput, model.maxOutput) * raw.choices
  const usage = aUsage({
    cacheReadTokens: take(1),
    cacheWrite5mTokens: bound.cacheWrite === 'none' ? 0 : take(2),
    cacheWrite1hTokens: bound.cacheWrite === '1h' ? take(3) : 0,
    inputTokens: left,
    outputTokens: Math.floor(most * share(4)),
    tier: used,
  })
  return { model, bound, usage }
})

t.test('no usage within the bound costs more than the quote', async () => {
  fc.assert(fc.property(aCall, ({ model, bound, usage }) => {
    const quote = quoteNano(model, bound)
    const cost = costNano(model, usage)
    return quote !== null && cost !== null && cost <= quote
  }), { numRuns: 5_000 })
})

t.test('a cost is the exact sum, rounded up once', async (t) => {
  const model = book.find('openai', 'gpt-4o-mini') as PricedModel
  t.equal(costNano(model, aUsage({ inputTokens: 1 })), 150n)
  t.equal(costNano(model, aUsage({ cacheReadTokens: 1 })), 75n)
  t.equal(costNano(model, aUsage({ inputTokens: 1000, outputTokens: 500 })), 450_000n)
  const nano = book.find('openai', 'gpt-5-nano') as PricedModel
  t.equal(costNano(nano, aUsage({ cacheReadTokens: 1, tier: 'flex' })), 3n, '2.5 nano-USD is charged as 3')
  t.equal(costNano(nano, aUsage({ cacheReadTokens: 2, tier: 'flex' })), 5n)
  const claude = book.find('anthropic', 'claude-sonnet-5-5') as PricedModel
  t.equal(costNano(claude, aUsage({ webSearches: 2 })), 20_000_000n)
})

t.test('more usage never costs less', async () => {
  fc.assert(fc.property(aCall, aCount, ({ model, usage }, more) => {
    const cost = costNano(model, usage) as bigint
    const dearer = costNano(model, { ...usage, outputTokens: usage.outputTokens + more }) as bigint
    return dearer >= cost
  }))
})

t.test('the whole call is charged at the context tier that its input reaches', async (t) => {
  const model = book.find('openai', 'gpt-6-sol') as PricedModel
  t.equal(costNano(model, aUsage({ inputTokens: 271_999, outputTokens: 1 })), 543_998_000n + 10_000n)
  t.equal(costNano(model, aUsage({ inputTokens: 272_000, outputTokens: 1 })), 1_088_000_000n + 15_000n)
  t.equal(costNano(model, aUsage({ inputTokens: 1, cacheReadTokens: 271_999 })), 4_000n + 108_799_600n)
})

t.test('what has no price has no cost and no quote', async (t) => {
  const model = book.find('openai', 'gpt-4o') as PricedModel
  const bound: CallBound = { inputTokens: 1, outputTokens: 1, choices: 1, cacheWrite: '5m', tier: null, webSearches: 0 }
  t.equal(costNano(model, aUsage({ tier: 'ultrafast' })), null)
  t.equal(costNano(model, aUsage({ tier: 'constructor' })), null)
  t.equal(costNano(model, aUsage({ inputTokens: -1 })), null)
  t.equal(costNano(model, aUsage({ inputTokens: 1.5 })), null)
  t.equal(quoteNano(model, { ...bound, tier: 'ultrafast' }), null)
  t.equal(quoteNano(model, { ...bound, webSearches: 1 }), null)
  t.not(quoteNano(model, bound), null)
})

t.test('a model is found by its name, an alias or a dated snapshot, never by a prefix', async (t) => {
  t.equal(book.find('openai', 'gpt-5-2025-08-07')?.model, 'gpt-5')
  t.equal(book.find('anthropic', 'claude-haiku-4-5-20251001')?.model, 'claude-haiku-4-5')
  t.equal(book.find('anthropic', 'claude-opus-4-20250514')?.model, 'claude-opus-4-0')
  t.equal(book.find('openai', 'gpt-4o-2024-05-13')?.rates.input, 5_000_000_000n, 'a snapshot with its own price')
  for (const name of ['gpt-4o-foo', 'gpt', '', 'claude-sonnet-5-7', '__proto__', 'constructor', 'GPT-4o', 'gpt-4o-2024']) {
    t.equal(book.find('openai', name), null, name)
  }
  t.equal(book.find('constructor', 'gpt-4o'), null)
  t.equal(book.find('anthropic', 'gpt-4o'), null)
})

t.test('there are prices of at least thirty models of OpenAI and Anthropic', async (t) => {
  t.ok(book.list('openai').length + book.list('anthropic').length >= 30)
  for (const { models } of CATALOG) t.ok(models.every((model) => model.maxOutput <= model.contextWindow))
})

t.test('prices agree with an independent catalog wherever both know the model', async (t) => {
  // The other catalog prices these by the prefix of an older model, or with an outdated rate.
  const differs = new Set(['claude-sonnet-5-5', 'claude-haiku-5-5', 'claude-fable-5-2'])
  let compared = 0
  for (const model of models) {
    if (model.provider === 'demo' || differs.has(model.model)) continue
    const usage = aUsage({ inputTokens: 5_000, cacheReadTokens: 2_000, outputTokens: 700 })
    const other = calcPrice({ input_tokens: 7_000, cache_read_tokens: 2_000, output_tokens: 700 }, model.model,
      { providerId: model.provider })
    if (other === null || other.model.id.startsWith('ft:')) continue
    compared++
    const cost = Number(costNano(model, usage)) / 1e9
    t.ok(Math.abs(cost - other.total_price) < 2e-9, `${model.model}: ${cost} and ${other.total_price}`)
  }
  t.ok(compared > 30, `${compared} models compared`)
})

t.test('the estimate of a cut answer is bounded by what was seen, and by the quote', async (t) => {
  const bound: CallBound = { inputTokens: 100, outputTokens: 1000, choices: 1, cacheWrite: 'none', tier: null, webSearches: 0 }
  const plain = book.find('demo', 'demo-small') as PricedModel
  const reasoning = book.find('demo', 'demo-reasoning') as PricedModel
  t.equal(estimateNano(plain, bound, 10), 100n * 1_000n + 10n * 4_000n)
  t.equal(estimateNano(plain, bound, 1e9), quoteNano(plain, bound))
  t.equal(estimateNano(reasoning, bound, 10), quoteNano(reasoning, bound))
})
