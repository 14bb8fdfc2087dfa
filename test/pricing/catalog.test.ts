import { calcPrice } from '@pydantic/genai-prices'
import fc from 'fast-check'
import t from 'tap'
import {
  type CatalogModel, type CatalogProvider, checkProvider, compileModel,
} from '../../src/pricing/catalog.ts'
import { ownCatalog } from '../../src/pricing/catalog-file.ts'
import { costNano } from '../../src/pricing/cost.ts'
import { type PricedModel, type Rates } from '../../src/pricing/price.ts'
import { CatalogPriceBook } from '../../src/pricing/price-book.ts'
import { tokensIn, type Usage } from '../../src/usage/usage.ts'
import { AT, aUsage, book, models } from './builders.ts'

/** checked and compiled, at the newest prices */
function compileProvider (provider: CatalogProvider, version: string): PricedModel[] {
  checkProvider(provider)
  return provider.models.map((model) => compileModel(provider, model, version).at(-1)?.model as PricedModel)
}

t.test('the catalog is what its schema says, and every price in it is one, with its source and its day', async (t) => {
  const { providers, version } = ownCatalog()
  for (const provider of providers) {
    t.doesNotThrow(() => checkProvider(provider), provider.provider)
    for (const model of provider.models) {
      t.doesNotThrow(() => compileModel(provider, model, version), model.model)
      t.ok(model.source !== undefined && model.checkedAt !== undefined, model.model)
    }
  }
})

t.test('there are prices of each provider that sells something', async (t) => {
  const expected = {
    openai: 80,
    anthropic: 25,
    gemini: 35,
    vertex: 50,
    azure: 70,
    bedrock: 200,
    mistral: 30,
    cohere: 9,
    openrouter: 400,
    groq: 10,
    deepseek: 5,
    xai: 15,
  }
  for (const [provider, least] of Object.entries(expected)) t.ok(book.list(provider, AT).length >= least, provider)
})

t.test('the catalog is read and ready in less than 50 ms', async (t) => {
  const text = JSON.stringify(ownCatalog())
  const took = [1, 2, 3].map(() => {
    const from = process.cpuUsage()
    t.ok(new CatalogPriceBook(JSON.parse(text)).find('openai', 'gpt-5', AT))
    return process.cpuUsage(from).user / 1_000
  })
  t.ok(Math.min(...took) < 50, `${took} ms`)
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
    [{ units: { webSearches: '0' } }, /catalog: webSearches of acme\/one is not a price/],
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
  const more = (one: bigint | null, other: bigint | null) => one === null || other === null || one >= other
  // what resells others' models has whatever prices they make
  const own = models.filter(({ provider }) => ['openai', 'anthropic', 'gemini', 'vertex', 'azure', 'bedrock'].includes(provider))
  for (const { provider, model, rates: standard, tiers } of own) {
    let below = standard
    for (const rates of [standard, ...tiers.map((tier) => tier.rates)]) {
      const name = `${provider}/${model}`
      t.ok((Object.keys(rates) as (keyof Rates)[]).every((rate) => more(rates[rate], below[rate])), name)
      t.ok(more(rates.input, rates.cacheRead) && more(rates.cacheWrite5m, rates.input), name)
      t.ok(more(rates.cacheWrite1h, rates.cacheWrite5m) && more(rates.output, rates.input), name)
      below = rates
    }
  }
})

t.test('OpenAI reads `fast` back as `priority`, so both cost the same', async (t) => {
  for (const { model, multipliers } of book.list('openai', AT)) t.equal(multipliers['fast'], multipliers['priority'], model)
})

t.test('the models of the demo provider are named as such and cost something', async (t) => {
  t.same(book.list('demo', AT).map(({ model }) => model), ['demo-large', 'demo-reasoning', 'demo-small'])
})

/** Where we differ from the other catalog, and why. An entry that no longer differs fails the test. */
const DIFFERENT: Record<string, string> = {
  'openai/gpt-4o-audio-preview': 'they have no price of audio for it',
  'openai/gpt-4o-mini-audio-preview': 'they have no price of audio for it',
  'anthropic/claude-2': 'searches of the web have a price with all models here, there only with those that can',
  'anthropic/claude-3-haiku': 'as claude-2',
  'anthropic/claude-3-opus-latest': 'as claude-2',
  'anthropic/claude-3-sonnet': 'as claude-2',
  'anthropic/claude-sonnet-4-5': 'past 200,000 tokens, which is more than its context window, they have another price',
  'mistral/mistral-nemo': 'a newer source has a price of cached tokens',
  'mistral/mistral-small-latest': 'a newer source has another price: the name stands for a newer model',
  'mistral/pixtral-12b': 'a newer source has a price of cached tokens',
  'deepseek/deepseek-chat': 'the price of the dearest hour counts for the whole day',
  'deepseek/deepseek-reasoner': 'the price of the dearest hour counts for the whole day',
  'deepseek/deepseek-v4-flash': 'the price of the dearest hour counts for the whole day',
  'deepseek/deepseek-v4-pro': 'the price of the dearest hour counts for the whole day',
}

/** what the other one calls our providers */
const THEIRS: Record<string, string> = {
  openai: 'openai',
  anthropic: 'anthropic',
  gemini: 'google',
  mistral: 'mistral',
  cohere: 'cohere',
  groq: 'groq',
  xai: 'x-ai',
  deepseek: 'deepseek',
}

t.test('ten thousand random usages cost what an independent catalog says, wherever both know the model', async (t) => {
  const known = Object.keys(THEIRS).flatMap((provider) => book.list(provider, AT))
    .filter((model) => theirUsd(model, aUsage({ inputTokens: 1 })) !== null)
  t.ok(known.length >= 150, `${known.length} models are compared`)
  const differing = new Set<string>()
  fc.sample(aMix, 10_000).forEach((mix, i) => {
    const model = known[i % known.length] as PricedModel
    const name = `${model.provider}/${model.model}`
    const usage = usageOf(model, mix)
    const [ours, theirs] = [costNano(model, usage), theirUsd(model, usage)]
    // ours is rounded up to a whole nano-USD, once
    const more = ours === null || theirs === null ? NaN : Number(ours) / 1e9 - theirs
    if (more > -1e-12 && more < 1e-9 + 1e-12) return
    differing.add(name)
    if (!Object.hasOwn(DIFFERENT, name)) t.fail(`${name} costs ${ours} and ${theirs}: ${JSON.stringify(usage)}`)
  })
  t.same([...differing].sort(), Object.keys(DIFFERENT).sort())
})

/** numbers of which each becomes a count of what the model has a price for */
const aMix = fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 2_000 }), fc.nat({ max: 400_000 })), {
  minLength: 9, maxLength: 9,
})

function usageOf ({ provider, rates, unitRates, webSearchNano }: PricedModel, mix: number[]): Usage {
  const [input = 0, read = 0, short = 0, long = 0, output = 0, ...more] = mix
  const [audioIn = 0, audioRead = 0, audioOut = 0, searches = 0] = more
  const units: Record<string, number> = {}
  // they know nothing of tokens that are billed like text
  if (unitRates['inputAudioTokens'] !== undefined && unitRates['inputAudioTokens'] !== rates.input) {
    units['inputAudioTokens'] = audioIn
    if (unitRates['cachedAudioTokens'] !== unitRates['inputAudioTokens']) units['cachedAudioTokens'] = audioRead
  }
  if (unitRates['outputAudioTokens'] !== undefined) units['outputAudioTokens'] = audioOut
  return aUsage({
    inputTokens: rates.input === null ? 0 : input,
    cacheReadTokens: rates.cacheRead === rates.input ? 0 : read,
    cacheWrite5mTokens: rates.cacheWrite5m === rates.input ? 0 : short,
    cacheWrite1hTokens: provider === 'anthropic' ? long : 0,
    outputTokens: rates.output === null ? 0 : output,
    webSearches: webSearchNano === null ? 0 : searches,
    units,
  })
}

/** null: the other catalog does not know the model, or takes it for one that only begins like it */
function theirUsd (model: PricedModel, usage: Usage): number | null {
  const { units = {} } = usage
  const { inputAudioTokens: audioIn = 0, cachedAudioTokens: audioRead = 0, outputAudioTokens: audioOut = 0 } = units
  const price = calcPrice({
    input_tokens: tokensIn(usage),
    cache_read_tokens: usage.cacheReadTokens + audioRead,
    cache_write_tokens: usage.cacheWrite5mTokens + usage.cacheWrite1hTokens,
    cache_write_1h_tokens: usage.cacheWrite1hTokens,
    output_tokens: usage.outputTokens + audioOut,
    web_searches: usage.webSearches,
    ...audioIn + audioRead === 0 ? {} : { input_audio_tokens: audioIn + audioRead, cache_audio_read_tokens: audioRead },
    ...audioOut === 0 ? {} : { output_audio_tokens: audioOut },
  }, model.model, { providerId: THEIRS[model.provider] as string, timestamp: new Date(AT) })
  return price === null || price.model.id !== model.model ? null : price.total_price
}

const UNCACHED = { cacheRead: undefined, cacheWrite5m: undefined, cacheWrite1h: undefined }

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
