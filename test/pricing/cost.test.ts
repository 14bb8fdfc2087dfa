import fc from 'fast-check'
import t from 'tap'
import { type CatalogModel, type CatalogProvider, type CatalogRates } from '../../src/pricing/catalog.ts'
import { ownCatalog } from '../../src/pricing/catalog-file.ts'
import { costNano, parseFactor } from '../../src/pricing/cost.ts'
import { isToolUnit } from '../../src/usage/units.ts'
import { type Usage } from '../../src/usage/usage.ts'
import { aCallWithinItsBound, aCount, aModel, AT, aUsage } from './builders.ts'

t.test('a cost is the exact sum, rounded up once', async (t) => {
  const mini = aModel('openai', 'gpt-4o-mini')
  t.equal(costNano(mini, aUsage({ inputTokens: 1 })), 150n)
  t.equal(costNano(mini, aUsage({ cacheReadTokens: 1 })), 75n)
  t.equal(costNano(mini, aUsage({ inputTokens: 1000, outputTokens: 500 })), 450_000n)
  t.equal(costNano(mini, aUsage({ inputTokens: 1, tier: 'priority' })), 250n, 'five thirds')
  t.equal(costNano(mini, aUsage()), 0n)
  const nano = aModel('openai', 'gpt-5-nano')
  t.equal(costNano(nano, aUsage({ cacheReadTokens: 1, tier: 'flex' })), 3n, '2.5 nano-USD is charged as 3')
  t.equal(costNano(nano, aUsage({ cacheReadTokens: 2, tier: 'flex' })), 5n)
  const claude = aModel('anthropic', 'claude-sonnet-5-5')
  t.equal(costNano(claude, aUsage({ webSearches: 2, tier: 'us' })), 20_000_000n, 'searches have no modifier')
  t.equal(costNano(claude, aUsage({ cacheWrite5mTokens: 1, cacheWrite1hTokens: 1 })), 2_500n + 4_000n)
})

/** Numerator and denominator of a decimal or a ratio, read without the code under test. */
function fraction (text: string): [bigint, bigint] {
  const [over = '', under = '1'] = text.split('/')
  const point = over.indexOf('.')
  const decimals = point < 0 ? 0 : over.length - point - 1
  return [BigInt(over.replace('.', '')), 10n ** BigInt(decimals) * BigInt(under)]
}

/** The cost from the catalog's own text, as one fraction that is rounded up at the very end. */
function referenceNano ({ asText = [], units: common }: CatalogProvider, entry: CatalogModel, usage: Usage): bigint {
  const { units: beside = {} } = usage
  const inputUnits = ['inputAudioTokens', 'cachedAudioTokens', 'inputImageTokens', 'cachedImageTokens', 'inputVideoTokens']
  const total = inputUnits.reduce((sum, unit) => sum + (beside[unit] ?? 0),
    usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens)
  const base: CatalogRates & Pick<CatalogModel, 'tiers'> =
    entry.changes?.findLast(({ since }) => Date.parse(since) <= AT) ?? entry
  const rates: CatalogRates = base.tiers?.findLast(({ fromInputTokens }) => total >= fromInputTokens) ?? base
  const ofUnits: Record<string, string> = { ...common, ...entry.units, ...base.units, ...rates.units }
  const text = new Set([...asText, ...entry.asText ?? []])
  const rateOf = (unit: string): string => {
    if (ofUnits[unit] !== undefined) return ofUnits[unit]
    const cached = unit.startsWith('cached')
    const input = cached ? rates.cacheRead ?? rates.input : rates.input
    if (text.has(unit)) return (unit.startsWith('output') ? rates.output : input) as string
    return rateOf(unit.replace('cached', 'input'))
  }
  const { input, cacheRead = input, cacheWrite5m = input, output } = rates
  const cacheWrite1h = rates.cacheWrite1h ?? (rates.cacheWrite5m === undefined ? input : undefined)
  const parts: [number, string | undefined][] = [
    [usage.inputTokens, input], [usage.cacheReadTokens, cacheRead], [usage.outputTokens, output],
    [usage.cacheWrite5mTokens, cacheWrite5m], [usage.cacheWrite1hTokens, cacheWrite1h],
  ]
  for (const [unit, count] of Object.entries(beside)) if (!isToolUnit(unit)) parts.push([count, rateOf(unit)])
  const tools = Object.entries(beside).filter(([unit]) => isToolUnit(unit))
  let [numerator, denominator] = [0n, 1n]
  const add = (count: number, price: string) => {
    const [over, under] = fraction(price)
    numerator = numerator * under + BigInt(count) * over * denominator
    denominator *= under
  }
  for (const [count, price] of parts) if (count > 0) add(count, price as string)
  for (const modifier of usage.tier?.split('+') ?? []) {
    const [over, under] = fraction((entry.multipliers ?? {})[modifier] as string)
    numerator *= over
    denominator *= under
  }
  for (const [unit, count] of tools) add(count, rateOf(unit))
  // USD per million tokens is a thousand nano-USD per token
  numerator *= 1_000n
  return numerator / denominator + (numerator % denominator === 0n ? 0n : 1n)
}

t.test('a cost equals the exact fraction of the catalog\'s text, for every model', async () => {
  const entries = new Map(ownCatalog().providers.flatMap((provider) =>
    provider.models.map((entry) => [`${provider.provider}/${entry.model}`, [provider, entry] as const])))
  const call = aCallWithinItsBound.filter(({ model }) => model.provider !== 'invented')
  fc.assert(fc.property(call, ({ model, usage }) => {
    const [provider, entry] = entries.get(`${model.provider}/${model.model}`) as readonly [CatalogProvider, CatalogModel]
    const searches = BigInt(usage.webSearches) * (model.webSearchNano ?? 0n)
    return costNano(model, usage) === referenceNano(provider, entry, usage) + searches
  }), { numRuns: 4_000 })
})

t.test('more of anything never costs less', async () => {
  const field = fc.constantFrom('inputTokens', 'cacheReadTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens',
    'outputTokens')
  const call = aCallWithinItsBound.filter(({ model }) => model.provider !== 'invented')
  fc.assert(fc.property(call, field, aCount, ({ model, usage }, more, by) => {
    const cost = costNano(model, usage) as bigint
    const dearer = costNano(model, { ...usage, [more]: usage[more] + by })
    // a model may have none of these tokens
    return dearer === null || dearer >= cost
  }), { numRuns: 2_000 })
})

t.test('the whole call is charged at the context tier that its input reaches', async (t) => {
  const sol = aModel('openai', 'gpt-6-sol')
  t.equal(costNano(sol, aUsage({ inputTokens: 271_999, outputTokens: 1 })), 543_998_000n + 10_000n)
  t.equal(costNano(sol, aUsage({ inputTokens: 272_000, outputTokens: 1 })), 1_088_000_000n + 15_000n)
  t.equal(costNano(sol, aUsage({ inputTokens: 1, cacheReadTokens: 271_999 })), 4_000n + 108_799_600n, 'of every kind')
  const haiku = aModel('anthropic', 'claude-haiku-5-5')
  t.equal(costNano(haiku, aUsage({ inputTokens: 100_000 })), 10_000_000n)
  t.equal(costNano(haiku, aUsage({ inputTokens: 100_001 })), 50_000_500n)
})

t.test('what has no price has no cost', async (t) => {
  const model = aModel('openai', 'gpt-4o')
  for (const tier of ['ultrafast', 'constructor', '__proto__', 'priority+', '+', '', 'flex']) {
    t.equal(costNano(model, aUsage({ tier })), null, JSON.stringify(tier))
  }
  for (const count of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
    t.equal(costNano(model, aUsage({ inputTokens: count })), null, `${count} input tokens`)
    t.equal(costNano(model, aUsage({ outputTokens: count })), null, `${count} output tokens`)
  }
  t.equal(costNano(model, aUsage({ webSearches: 1 })), 10_000_000n)
  t.equal(costNano(aModel('demo', 'demo-small'), aUsage({ webSearches: 1 })), null)
})

t.test('what is billed beside text has its own price, and no cost without one', async (t) => {
  const model = aModel('demo', 'demo-small', {
    unitRates: {
      inputAudioTokens: 32_000_000n, cachedAudioTokens: 1n, seconds: 100_000_000_000n, fileSearches: 2_500_000_000_000n,
    },
    multipliers: { batch: '0.5' },
  })
  const ofUnits = (units: Record<string, number>, tier: string | null = null) =>
    costNano(model, aUsage({ units, tier }))
  t.equal(ofUnits({ inputAudioTokens: 2 }), 64n)
  t.equal(ofUnits({ seconds: 60 }), 6_000_000n, '0.006 USD per minute')
  t.equal(ofUnits({ cachedAudioTokens: 1 }), 1n, 'a part of a nano-USD is one')
  t.equal(ofUnits({ inputAudioTokens: 2, fileSearches: 2 }, 'batch'), 32n + 5_000_000n, 'no modifier is for tools')
  t.equal(ofUnits({}), 0n)
  t.equal(costNano(model, aUsage({ inputTokens: 1, units: { seconds: 1 } })), 1_000n + 100_000n)
  for (const unit of ['inputImageTokens', 'pages', 'constructor', '__proto__', 'toString']) {
    t.equal(ofUnits(Object.fromEntries([[unit, 1]])), null, unit)
  }
  for (const count of [-1, 1.5, NaN, Infinity, 2 ** 53]) t.equal(ofUnits({ seconds: count }), null, `${count} seconds`)
})

t.test('tokens of every kind choose the context tier', async (t) => {
  const { tiers } = aModel('openai', 'gpt-6-sol')
  const model = aModel('openai', 'gpt-6-sol', {
    unitRates: { inputImageTokens: 1_000_000n },
    tiers: tiers.map((tier) => ({ ...tier, unitRates: { inputImageTokens: 2_000_000n } })),
  })
  const ofImages = (tokens: number) => costNano(model, aUsage({ inputTokens: 1, units: { inputImageTokens: tokens } }))
  t.equal(ofImages(271_998), 2_000n + 271_998n)
  t.equal(ofImages(271_999), 4_000n + 543_998n)
})

t.test('a model without a price of text has no cost for it', async (t) => {
  const model = aModel('demo', 'demo-small', {
    rates: { input: null, cacheRead: null, cacheWrite5m: null, cacheWrite1h: null, output: null },
    unitRates: { seconds: 1_000_000n },
  })
  t.equal(costNano(model, aUsage({ units: { seconds: 3 } })), 3n)
  for (const field of ['inputTokens', 'cacheReadTokens', 'cacheWrite5mTokens', 'cacheWrite1hTokens', 'outputTokens']) {
    t.equal(costNano(model, aUsage({ [field]: 1, units: { seconds: 3 } })), null, field)
  }
})

t.test('names of the standard, and of capacity paid for in advance, cost the standard', async (t) => {
  const model = aModel('openai', 'gpt-5')
  const standard = costNano(model, aUsage({ inputTokens: 1_000 }))
  for (const tier of ['default', 'standard', 'auto', 'scale', 'global', 'not_available']) {
    t.equal(costNano(model, aUsage({ inputTokens: 1_000, tier })), standard, tier)
  }
})

t.test('a multiplier is a decimal or a ratio', async (t) => {
  t.same(parseFactor('0.5'), { numerator: 5n, denominator: 10n })
  t.same(parseFactor('20/11'), { numerator: 20n, denominator: 11n })
  for (const text of ['', '0', '0.0', '1/0', '-1', '1e3', '1.0001', '2x', '1/2/3', ' 2']) {
    t.equal(parseFactor(text), null, JSON.stringify(text))
  }
})
