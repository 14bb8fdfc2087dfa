import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { parseAmount } from '../money/amount.ts'
import { parseFactor } from './cost.ts'
import { type ContextTier, type PricedModel, type Rates } from './price.ts'

/**
 * What a catalog is made of, and its text as exact integers. A catalog with anything in it that is not a price, or that
 * would make a call free or unbounded, is refused whole, at the start, by an error that names the entry.
 */

const usdPerMillion = (what: string) =>
  Type.String({ description: `USD per million ${what}, a decimal with at most nine decimals` })

const RatesSchema = Type.Object({
  input: usdPerMillion('input tokens'),
  cacheRead: usdPerMillion('input tokens read from the cache; where caching has no price of its own, that of input'),
  cacheWrite5m: usdPerMillion('input tokens written to the cache for the shorter time (Anthropic 5 min, OpenAI 30 min)'),
  cacheWrite1h: usdPerMillion('input tokens written to the cache for the longer time (Anthropic 1 h, OpenAI 12 h)'),
  output: usdPerMillion('output tokens, reasoning included'),
}, { additionalProperties: false })

const NAME = '^[a-z0-9][a-z0-9._-]{0,99}$'

export const CatalogModelSchema = Type.Object({
  ...RatesSchema.properties,
  model: Type.String({ pattern: NAME }),
  aliases: Type.Optional(Type.Array(Type.String({ pattern: NAME }))),
  contextWindow: Type.Integer({ minimum: 1, maximum: 100_000_000 }),
  maxOutput: Type.Integer({ minimum: 1, maximum: 100_000_000 }),
  reasoning: Type.Boolean(),
  tiers: Type.Optional(Type.Array(Type.Object({
    ...RatesSchema.properties,
    fromInputTokens: Type.Integer({ minimum: 1 }),
  }, { additionalProperties: false }))),
  multipliers: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z_]+$' }), Type.String(), {
    additionalProperties: false,
  })),
}, { additionalProperties: false })

export const CatalogProviderSchema = Type.Object({
  provider: Type.String({ pattern: NAME }),
  source: Type.String({ minLength: 1 }),
  /** the day of the data behind the prices */
  checkedAt: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }),
  /** true: its models may write a prompt to their cache, at the price of a cache write, without being asked to */
  cachesUnasked: Type.Boolean(),
  /** USD per thousand web searches; absent: a call with web searches has no price */
  webSearch: Type.Optional(Type.String()),
  models: Type.Array(CatalogModelSchema, { minItems: 1 }),
}, { additionalProperties: false })

export type CatalogRates = Static<typeof RatesSchema>
export type CatalogModel = Static<typeof CatalogModelSchema>
export type CatalogProvider = Static<typeof CatalogProviderSchema>

/** One provider's models in their order, as exact integers; throws, naming the entry, where one cannot be a price. */
export function compileProvider (provider: CatalogProvider, version: string): PricedModel[] {
  const models = Array.isArray(provider.models) ? provider.models : []
  for (const model of models) check(CatalogModelSchema, model, `${provider.provider}/${model.model}`)
  check(CatalogProviderSchema, provider, `provider ${provider.provider}`)
  const webSearchNano = perThousandNano(provider)
  return provider.models.map((model) => compileModel(provider, model, version, webSearchNano))
}

function check (schema: typeof CatalogModelSchema | typeof CatalogProviderSchema, value: unknown, name: string): void {
  const [wrong] = Value.Errors(schema, value)
  if (wrong === undefined) return
  const problem = wrong.keyword === 'boolean' ? 'is not a known field' : wrong.message
  throw new Error(`catalog: ${name}: ${wrong.instancePath || 'the entry'} ${problem}`)
}

function compileModel (
  { provider, cachesUnasked }: CatalogProvider, model: CatalogModel, version: string, webSearchNano: bigint | null
): PricedModel {
  const name = `${provider}/${model.model}`
  if (model.maxOutput > model.contextWindow) throw new Error(`catalog: maxOutput of ${name} exceeds its contextWindow`)
  for (const [tier, factor] of Object.entries(model.multipliers ?? {})) {
    if (parseFactor(factor) === null) throw new Error(`catalog: multiplier ${tier} of ${name} is not one: ${factor}`)
  }
  return {
    provider,
    model: model.model,
    contextWindow: model.contextWindow,
    maxOutput: model.maxOutput,
    reasoning: model.reasoning,
    cachesUnasked,
    rates: ratesOf(name, model),
    tiers: tiersOf(name, model),
    multipliers: model.multipliers ?? {},
    webSearchNano,
    priceVersion: `${name}@${version}`,
  }
}

function tiersOf (name: string, { tiers = [], contextWindow }: CatalogModel): ContextTier[] {
  return tiers.map((tier, i) => {
    const ascends = i === 0 || tier.fromInputTokens > (tiers[i - 1] as typeof tier).fromInputTokens
    if (!ascends || tier.fromInputTokens > contextWindow) {
      throw new Error(`catalog: tier ${tier.fromInputTokens} of ${name} is out of order or past its contextWindow`)
    }
    return { fromInputTokens: tier.fromInputTokens, rates: ratesOf(name, tier) }
  })
}

function ratesOf (name: string, rates: CatalogRates): Rates {
  const rate = (field: keyof CatalogRates): bigint => {
    // USD per million tokens in nano-USD is femto-USD per token
    const femto = parseAmount(rates[field])
    if (femto === null || femto === 0n) throw new Error(`catalog: ${field} of ${name} is not a price: ${rates[field]}`)
    return femto
  }
  return {
    input: rate('input'),
    cacheRead: rate('cacheRead'),
    cacheWrite5m: rate('cacheWrite5m'),
    cacheWrite1h: rate('cacheWrite1h'),
    output: rate('output'),
  }
}

function perThousandNano ({ provider, webSearch }: CatalogProvider): bigint | null {
  if (webSearch === undefined) return null
  const thousand = parseAmount(webSearch)
  if (thousand === null || thousand === 0n || thousand % 1_000n !== 0n) {
    throw new Error(`catalog: webSearch of ${provider} is not a price: ${webSearch}`)
  }
  return thousand / 1_000n
}
