import t from 'tap'
import { ownCatalog } from '../../src/pricing/catalog-file.ts'
import { costNano } from '../../src/pricing/cost.ts'
import { laid, type PriceOverride } from '../../src/pricing/layers.ts'
import { LivePrices } from '../../src/pricing/live-prices.ts'
import { NamedPrices } from '../../src/pricing/named-prices.ts'
import { CatalogPriceBook } from '../../src/pricing/price-book.ts'
import { readPriceFile } from '../../src/pricing/price-file.ts'
import { quoteNano } from '../../src/pricing/quote.ts'
import { AT, aBound, aUsage, book } from './builders.ts'

const usd = (price: number) => BigInt(Math.round(price * 1e9))
const of = (over: Partial<PriceOverride>): PriceOverride =>
  ({ provider: 'openai', model: 'gpt-6-sol', since: 0, said: {}, version: 'ours', ...over })
const withAll = (...overrides: PriceOverride[]) => new CatalogPriceBook(laid(ownCatalog(), overrides))

t.test('a price that is said is the whole price of text; what is not said stays', async (t) => {
  const priced = withAll(of({ said: { input: '1', output: '3' } })).find('openai', 'gpt-6-sol', AT)
  t.match(priced?.rates, {
    input: usd(1), cacheRead: usd(1), cacheWrite5m: usd(1), cacheWrite1h: usd(1), output: usd(3),
  })
  t.same(priced?.tiers, [])
  t.match(priced?.multipliers, { priority: '2' })
  t.equal(priced?.unitRates['fileSearches'], usd(2_500))
  t.match(priced, { contextWindow: 1_050_000, priceVersion: 'openai/gpt-6-sol@ours' })
  const units = withAll(of({ said: { units: { fileSearches: '1000' }, multipliers: { priority: '3' } } })).find('openai', 'gpt-6-sol', AT)
  t.match(units?.rates, book.find('openai', 'gpt-6-sol', AT)?.rates as object)
  t.equal(units?.tiers.length, 1)
  t.equal(units?.unitRates['fileSearches'], usd(1_000))
  t.match(units?.multipliers, { priority: '3', flex: '0.5' })
})

t.test('an override counts from its start on, and the next one from its own', async (t) => {
  const [first, second] = [Date.UTC(2026, 11, 1), Date.UTC(2027, 0, 1)]
  const prices = withAll(of({ since: second, said: { input: '5', output: '5' }, version: 'b' }), of({ since: first, said: { input: '3', output: '4' }, version: 'a' }))
  const at = (time: number) => prices.find('openai', 'gpt-6-sol', time)
  t.equal(at(first - 1), at(0))
  t.equal(at(first - 1)?.priceVersion, book.find('openai', 'gpt-6-sol', AT)?.priceVersion)
  t.match(at(first), { rates: { input: usd(3) }, priceVersion: 'openai/gpt-6-sol@a' })
  t.match(at(second), { rates: { input: usd(5) }, priceVersion: 'openai/gpt-6-sol@b' })
})

t.test('an alias and a snapshot have what is said of their model', async (t) => {
  const prices = withAll(of({ model: 'gpt-5.6', said: { input: '7', output: '7' } }))
  for (const name of ['gpt-5.6', 'gpt-5.6-sol', 'gpt-5.6-sol-2026-07-09']) t.equal(prices.find('openai', name, AT)?.rates.input, usd(7), name)
})

t.test('a new model has to say what bounds it; zero is a price where somebody says it', async (t) => {
  const said = { input: '0', output: '0', contextWindow: 8_000, maxOutput: 1_000, aliases: ['tiny'] }
  const free = withAll(of({ provider: 'house', model: 'tiny-1', said })).find('house', 'tiny', AT)
  t.equal(quoteNano(free as never, aBound()), 0n)
  t.equal(costNano(free as never, aUsage({ inputTokens: 5, units: { seconds: 1 } })), null, 'what nobody said has no price')
  t.throws(() => withAll(of({ provider: 'house', model: 'x', said: { input: '1', output: '1' } })), { message: /house\/x has no contextWindow/ })
  t.throws(() => withAll(of({ said: { input: 'x', output: '1' } })), { message: /input of openai\/gpt-6-sol is not a price: x/ })
  t.throws(() => withAll(of({ said: { surprise: 1 } as never, provider: 'house' })), { message: /surprise is not a known field|has no price/ })
})

t.test('what administrators add is there at once, and calls that opened before keep their price', async (t) => {
  const live = new LivePrices(ownCatalog())
  let wrong = 0
  const leftOut = () => { wrong++ }
  const before = live.find('openai', 'gpt-6-sol', AT)
  live.replace([of({ since: AT, said: { input: '9', output: '9' } })], leftOut)
  t.equal(live.find('openai', 'gpt-6-sol', AT)?.rates.input, usd(9))
  t.same(live.find('openai', 'gpt-6-sol', AT - 1)?.rates, before?.rates)
  live.replace([of({ said: { input: 'x' } })], leftOut)
  t.equal(wrong, 1)
  t.same(live.find('openai', 'gpt-6-sol', AT)?.rates, before?.rates)
})

t.test('a file of ours, by JSON or YAML', async (t) => {
  const { format, overrides } = readPriceFile('version: v7\nproviders:\n  openai:\n    gpt-4o: { input: "1.5", output: "5", since: 2026-12-01 }\n')
  t.equal(format, 'relaycore')
  t.match(overrides, [{ provider: 'openai', model: 'gpt-4o', since: Date.UTC(2026, 11, 1), said: { input: '1.5', output: '5' }, version: 'v7' }])
  t.equal(readPriceFile('{"version":"1","providers":{}}').overrides.length, 0)
  for (const [text, message] of [
    ['[]', /no object/], ['{}', /neither/], ['{"version":"1","providers":{"openai":{"x":{"price":"1"}}}}', /not a known field/],
    ['{"version":"1","providers":{"openai":{"x":{"input":1}}}}', /input must be string/], ['{"version', /JSON|Expected|position/],
  ] as const) t.throws(() => readPriceFile(text), { message }, text)
})

t.test('LiteLLM\'s list', async (t) => {
  const { format, overrides, leftOut } = readPriceFile(JSON.stringify({
    sample_spec: { litellm_provider: 'one of https://docs', input_cost_per_token: 0 },
    'gpt-9': {
      litellm_provider: 'openai',
      input_cost_per_token: 2.5e-6,
      output_cost_per_token: 1e-5,
      cache_read_input_token_cost: 2.5e-7,
      input_cost_per_token_above_200k_tokens: 5e-6,
      max_input_tokens: 400_000,
      max_output_tokens: 128_000,
      supports_reasoning: true,
    },
    'azure/whisper-9': { litellm_provider: 'azure', input_cost_per_second: 0.0001 },
    'vertex_ai/gemini-9': { litellm_provider: 'vertex_ai-language-models', input_cost_per_token: 1e-7, max_tokens: 8192, regional_endpoint_uplift_multiplier: 1.1 },
    'groq/free': { litellm_provider: 'groq', input_cost_per_token: 0, output_cost_per_token: 0, max_tokens: 10 },
  }))
  t.equal(format, 'litellm')
  t.match(overrides, [
    {
      provider: 'openai',
      model: 'gpt-9',
      since: 0,
      said: {
        input: '2.5',
        output: '10',
        cacheRead: '0.25',
        contextWindow: 400_000,
        maxOutput: 128_000,
        reasoning: true,
        tiers: [{ fromInputTokens: 200_001, input: '5', output: '10', cacheRead: '0.25' }],
      },
    },
    { provider: 'azure', model: 'whisper-9', said: { units: { seconds: '100' } } },
    { provider: 'vertex', model: 'gemini-9', said: { input: '0.1', multipliers: { regional: '1.1' } } },
  ])
  t.same(leftOut.map(({ name }) => name), ['one of https://docs/sample_spec', 'groq/free'])
  t.equal(new CatalogPriceBook(laid(ownCatalog(), overrides)).find('openai', 'gpt-9', AT)?.tiers.length, 1)
})

t.test('the list of models.dev', async (t) => {
  const { format, overrides } = readPriceFile(JSON.stringify({
    google: {
      id: 'google',
      models: {
        'gemini-9': {
          reasoning: true,
          cost: {
            input: 0.3,
            output: 2.5,
            cache_read: 0.075,
            input_audio: 1,
            context_over_200k: { input: 0.6, output: 5 },
          },
          limit: { context: 1_048_576, output: 65_536 },
        },
        free: { cost: { input: 0, output: 0 }, limit: { context: 10, output: 10 } },
      },
    },
  }))
  t.equal(format, 'models.dev')
  t.match(overrides, [{
    provider: 'gemini',
    model: 'gemini-9',
    said: {
      input: '0.3',
      output: '2.5',
      cacheRead: '0.075',
      units: { inputAudioTokens: '1' },
      contextWindow: 1_048_576,
      tiers: [{ fromInputTokens: 200_001, input: '0.6', output: '5', cacheRead: '0.075' }],
    },
  }])
})

t.test('calls of a model without a price are refused, priced as another, or let through, as is said', async (t) => {
  const by = (unknownModels?: 'block' | 'allowUnpriced' | `priceAs:${string}`) => new NamedPrices(book, { openai: { unknownModels } })
  t.equal(by().find('openai', 'gpt-0', AT), null)
  t.equal(by('block').find('openai', 'gpt-0', AT), null)
  const like = by('priceAs:gpt-5').find('openai', 'gpt-0', AT)
  t.match(like, { model: 'gpt-0', assumed: 'priced', rates: book.find('openai', 'gpt-5', AT)?.rates as object })
  t.equal(by('priceAs:gpt-00').find('openai', 'gpt-0', AT), null, 'no price of the other one either')
  const through = by('allowUnpriced').find('openai', 'gpt-0', AT)
  t.match(through, { model: 'gpt-0', assumed: 'unpriced', priceVersion: 'openai/gpt-0@unpriced' })
  t.equal(quoteNano(through as never, aBound({ tier: 'whatever', units: { pages: 1 } })), 0n)
  t.equal(costNano(through as never, aUsage({ inputTokens: 1e6, units: { pages: 1 } })), 0n)
  t.equal(by('allowUnpriced').find('openai', 'gpt-5', AT), book.find('openai', 'gpt-5', AT), 'what has a price keeps it')
  for (const name of ['', ' ', 'a\nb', 'x'.repeat(201)]) t.equal(by('allowUnpriced').find('openai', name, AT), null, name.slice(0, 9))
})
