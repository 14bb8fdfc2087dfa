import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { parseAmount } from '../money/amount.ts'
import { isOutputUnit, UNCACHED, UNIT } from '../usage/units.ts'
import { parseFactor } from './cost.ts'
import { type ContextTier, type PricedModel, type Prices, type Rates } from './price.ts'

/**
 * What a catalog is made of, and its text as exact integers. A catalog with anything in it that is not a price, or that
 * would make a call free or unbounded, is refused whole, at the start, by an error that names the entry.
 */

const usdPerMillion = (what: string) =>
  Type.String({ description: `USD per million ${what}, a decimal with at most nine decimals` })

const Unit = Type.String({ pattern: UNIT })
/** one rule for all: of a unit too, the price of a million */
const Units = Type.Record(Unit, Type.String(), { additionalProperties: false, description: 'USD per million of each unit' })

const RatesSchema = Type.Object({
  input: Type.Optional(usdPerMillion('input tokens')),
  cacheRead: Type.Optional(usdPerMillion('input tokens read from the cache; as input if not given')),
  cacheWrite5m: Type.Optional(usdPerMillion('input tokens written to the cache for the shorter time (Anthropic 5 min, OpenAI 30 min); as input if not given')),
  cacheWrite1h: Type.Optional(usdPerMillion('input tokens written to the cache for the longer time (Anthropic 1 h, OpenAI 12 h); ' +
    'as input if writing has no price of its own, else none if not given')),
  output: Type.Optional(usdPerMillion('output tokens, reasoning included')),
  units: Type.Optional(Units),
}, { additionalProperties: false })

/** upper case, and all that providers put into names: `anthropic/claude-x`, `us.meta.llama-v1:0`, `model@20250929` */
const NAME = '^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}$'

export const CatalogModelSchema = Type.Object({
  ...RatesSchema.properties,
  model: Type.String({ pattern: NAME }),
  aliases: Type.Optional(Type.Array(Type.String({ pattern: NAME }))),
  contextWindow: Type.Integer({ minimum: 0, maximum: 100_000_000, description: '0: it reads no tokens' }),
  maxOutput: Type.Integer({ minimum: 0, maximum: 100_000_000, description: '0: it puts out no tokens' }),
  reasoning: Type.Boolean(),
  tiers: Type.Optional(Type.Array(Type.Object({
    ...RatesSchema.properties,
    fromInputTokens: Type.Integer({ minimum: 1 }),
  }, { additionalProperties: false, description: 'units that are not given cost here what they cost below it' }))),
  multipliers: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z_]+$' }), Type.String(), {
    additionalProperties: false,
  })),
}, { additionalProperties: false })

export const CatalogProviderSchema = Type.Object({
  provider: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,99}$' }),
  source: Type.String({ minLength: 1 }),
  /** the day of the data behind the prices */
  checkedAt: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }),
  /** true: its models may write a prompt to their cache, at the price of a cache write, without being asked to */
  cachesUnasked: Type.Boolean(),
  /** USD per thousand web searches; absent: a call with web searches has no price */
  webSearch: Type.Optional(Type.String()),
  /** units of tokens that its models bill like text, where they have no price of their own */
  asText: Type.Optional(Type.Array(Unit)),
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
  provider: CatalogProvider, model: CatalogModel, version: string, webSearchNano: bigint | null
): PricedModel {
  const name = `${provider.provider}/${model.model}`
  if (model.maxOutput > model.contextWindow) throw new Error(`catalog: maxOutput of ${name} exceeds its contextWindow`)
  for (const [tier, factor] of Object.entries(model.multipliers ?? {})) {
    if (parseFactor(factor) === null) throw new Error(`catalog: multiplier ${tier} of ${name} is not one: ${factor}`)
  }
  const prices = pricesOf(name, model, provider.asText, {})
  if (prices.rates.input === null && Object.keys(prices.unitRates).length === 0) throw new Error(`catalog: ${name} has no price`)
  return {
    provider: provider.provider,
    model: model.model,
    contextWindow: model.contextWindow,
    maxOutput: model.maxOutput,
    reasoning: model.reasoning,
    cachesUnasked: provider.cachesUnasked,
    ...prices,
    tiers: tiersOf(name, model, provider.asText),
    multipliers: model.multipliers ?? {},
    webSearchNano,
    priceVersion: `${name}@${version}`,
  }
}

function tiersOf (name: string, model: CatalogModel, asText: string[] | undefined): ContextTier[] {
  const { tiers = [], contextWindow, units } = model
  return tiers.map((tier, i) => {
    const ascends = i === 0 || tier.fromInputTokens > (tiers[i - 1] as typeof tier).fromInputTokens
    if (!ascends || tier.fromInputTokens > contextWindow) {
      throw new Error(`catalog: tier ${tier.fromInputTokens} of ${name} is out of order or past its contextWindow`)
    }
    for (const rate of ['input', 'output'] as const) {
      if ((model[rate] === undefined) !== (tier[rate] === undefined)) {
        throw new Error(`catalog: ${rate} of ${name} has to have a price in each of its tiers, or in none`)
      }
    }
    return { fromInputTokens: tier.fromInputTokens, ...pricesOf(name, tier, asText, units) }
  })
}

function pricesOf (name: string, text: CatalogRates, asText: readonly string[] = [], below: CatalogRates['units']): Prices {
  const femto = (field: string, price: string): bigint => {
    // USD per million in nano-USD is femto-USD each
    const rate = parseAmount(price)
    if (rate === null || rate === 0n) throw new Error(`catalog: ${field} of ${name} is not a price: ${price}`)
    return rate
  }
  const rate = (field: Exclude<keyof CatalogRates, 'units'>, otherwise: bigint | null): bigint | null =>
    text[field] === undefined ? otherwise : femto(field, text[field])
  const input = rate('input', null)
  const rates: Rates = {
    input,
    cacheRead: rate('cacheRead', input),
    cacheWrite5m: rate('cacheWrite5m', input),
    cacheWrite1h: rate('cacheWrite1h', text.cacheWrite5m === undefined ? input : null),
    output: rate('output', null),
  }
  const unitRates: Record<string, bigint> = {}
  for (const [unit, price] of Object.entries({ ...below, ...text.units })) unitRates[unit] = femto(unit, price)
  for (const unit of asText) {
    const like = isOutputUnit(unit) ? rates.output : unit in UNCACHED ? rates.cacheRead : rates.input
    if (like !== null && !Object.hasOwn(unitRates, unit)) unitRates[unit] = like
  }
  for (const [cached, unit] of Object.entries(UNCACHED)) {
    if (unitRates[unit] !== undefined) unitRates[cached] ??= unitRates[unit]
  }
  return { rates, unitRates }
}

function perThousandNano ({ provider, webSearch }: CatalogProvider): bigint | null {
  if (webSearch === undefined) return null
  const thousand = parseAmount(webSearch)
  if (thousand === null || thousand === 0n || thousand % 1_000n !== 0n) {
    throw new Error(`catalog: webSearch of ${provider} is not a price: ${webSearch}`)
  }
  return thousand / 1_000n
}
