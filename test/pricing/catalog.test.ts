import { calcPrice } from '@pydantic/genai-prices'
import t from 'tap'
import { CATALOG } from '../../src/pricing/catalog-data.ts'
import { type CatalogModel, type CatalogProvider, compileProvider } from '../../src/pricing/catalog.ts'
import { costNano } from '../../src/pricing/cost.ts'
import { type PricedModel } from '../../src/pricing/price.ts'
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
    [{ input: undefined }, /catalog: acme\/one: .*must be string|required/],
    [{ contextWindow: 0 }, /catalog: acme\/one: \/contextWindow/],
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

t.test('a tier is never cheaper than the shorter context, nor a longer cache life cheaper than a shorter', async (t) => {
  for (const { model, rates: standard, tiers } of models) {
    let below = standard
    for (const { rates } of [{ rates: standard }, ...tiers]) {
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
