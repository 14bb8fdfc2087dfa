import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { ceilDiv, parseAmount } from '../money/amount.ts'
import { isOutputUnit, UNCACHED, UNIT } from '../usage/units.ts'
import { FEMTO_PER_NANO, parseFactor } from './cost.ts'
import { type ContextTier, type PricedModel, type Prices, type Rates } from './price.ts'

/**
 * What a catalog is made of, and its text as exact integers. A catalog with anything in it that is not a price, or that
 * would make a call free or unbounded, is refused whole, by an error that names the entry: an overlay at the start, our
 * own before it is published.
 */

/** among the units of the text; of a call they are counted by themselves */
const SEARCHES = 'webSearches'

const usdPerMillion = (what: string) =>
  Type.String({ description: `USD per million ${what}, a decimal with at most nine decimals` })

const Unit = Type.String({ pattern: UNIT })
/** one rule for all: of a unit too, and of searches of the web, the price of a million */
const Units = Type.Record(Type.String({ pattern: `${UNIT}|^${SEARCHES}$` }), Type.String(), {
  additionalProperties: false, description: 'USD per million of each unit',
})

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

const Day = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' })

const Tiers = Type.Array(Type.Object({
  ...RatesSchema.properties,
  fromInputTokens: Type.Integer({ minimum: 1 }),
}, { additionalProperties: false, description: 'units that are not given cost here what they cost below it' }))

const Multipliers = Type.Record(Type.String({ pattern: '^[a-z_]+$' }), Type.String(), { additionalProperties: false })

export const CatalogModelSchema = Type.Object({
  ...RatesSchema.properties,
  model: Type.String({ pattern: NAME }),
  aliases: Type.Optional(Type.Array(Type.String({ pattern: NAME }))),
  contextWindow: Type.Integer({ minimum: 0, maximum: 100_000_000, description: '0: it reads no tokens' }),
  maxOutput: Type.Integer({ minimum: 0, maximum: 100_000_000, description: '0: it puts out no tokens' }),
  reasoning: Type.Boolean(),
  tiers: Type.Optional(Tiers),
  multipliers: Type.Optional(Multipliers),
  changes: Type.Optional(Type.Array(Type.Object({
    ...RatesSchema.properties,
    since: Type.String({ pattern: '^20\\d{2}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$', description: 'calls that open from then on' }),
    tiers: Type.Optional(Tiers),
    contextWindow: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000_000 })),
    maxOutput: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000_000 })),
    reasoning: Type.Optional(Type.Boolean()),
    multipliers: Type.Optional(Multipliers),
    /** in the `priceVersion`, if not that of the catalog */
    version: Type.Optional(Type.String({ maxLength: 200 })),
  }, { additionalProperties: false }), {
    description: 'prices that replaced those of the entry, the oldest first; limits and multipliers stay where they are not said',
  })),
  /** beside those of its provider */
  asText: Type.Optional(Type.Array(Unit)),
  /** if not as its provider */
  cachesUnasked: Type.Optional(Type.Boolean()),
  source: Type.Optional(Type.String({ minLength: 1 })),
  checkedAt: Type.Optional(Day),
}, { additionalProperties: false })

export const CatalogProviderSchema = Type.Object({
  provider: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,99}$' }),
  /** of those of its models that do not say another one */
  source: Type.Optional(Type.String({ minLength: 1 })),
  /** the day of the data behind the prices */
  checkedAt: Type.Optional(Day),
  /** true: its models may write a prompt to their cache, at the price of a cache write, without being asked to */
  cachesUnasked: Type.Boolean(),
  /** units that cost the same with all of its models, where those do not say otherwise */
  units: Type.Optional(Units),
  /** units of tokens that its models bill like text, where they have no price of their own */
  asText: Type.Optional(Type.Array(Unit)),
  models: Type.Array(CatalogModelSchema, { minItems: 1 }),
}, { additionalProperties: false })

/** What the file prices/catalog.json is, and what an overlay of ours is. */
export const CatalogFileSchema = Type.Object({
  schema: Type.Literal(1),
  /** in the `priceVersion` of everything in it */
  version: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }),
  providers: Type.Array(CatalogProviderSchema),
}, { additionalProperties: false })

export type CatalogRates = Static<typeof RatesSchema>
export type CatalogModel = Static<typeof CatalogModelSchema>
export type ModelChange = NonNullable<CatalogModel['changes']>[number]
export type CatalogProvider = Static<typeof CatalogProviderSchema>
export type CatalogFile = Static<typeof CatalogFileSchema>

/** The prices of a model from a time on. */
export interface Period {
  /** ms since the epoch; calls that open from then on */
  since: number
  model: PricedModel
}

/** Throws, naming the entry, where a provider is not what the schema says. Prices themselves are seen when compiled. */
export function checkProvider (provider: CatalogProvider): void {
  const models = Array.isArray(provider.models) ? provider.models : []
  for (const model of models) checkModel(model, `${provider.provider}/${model.model}`)
  check(CatalogProviderSchema, provider, `provider ${provider.provider}`)
}

/** `version` and `free` are our own, and no matter of the schema */
export function checkModel (
  { version: _, free: __, ...model }: CatalogModel & { version?: string, free?: boolean }, name: string
): void {
  check(CatalogModelSchema, model, name)
}

function check (schema: typeof CatalogModelSchema | typeof CatalogProviderSchema, value: unknown, name: string): void {
  const [wrong] = Value.Errors(schema, value)
  if (wrong === undefined) return
  const problem = wrong.keyword === 'boolean' ? 'is not a known field' : wrong.message
  throw new Error(`catalog: ${name}: ${wrong.instancePath || 'the entry'} ${problem}`)
}

/**
 * One model's prices as exact integers, the oldest first; throws, naming the entry, where one cannot be a price.
 * `free`: a price may be zero, since somebody here said so.
 */
export function compileModel (
  provider: Omit<CatalogProvider, 'models'>, model: CatalogModel, version: string, free = false
): Period[] {
  const name = `${provider.provider}/${model.model}`
  const asText = [...provider.asText ?? [], ...model.asText ?? []]
  let before = -Infinity
  return [model, ...model.changes ?? []].map((prices) => {
    const since = 'since' in prices ? Date.parse(prices.since) : 0
    if (!(since > before)) throw new Error(`catalog: changes of ${name} are out of order`)
    before = since
    const units = { ...provider.units, ...model.units, ...prices.units }
    const { contextWindow, maxOutput, reasoning, multipliers = {} } = { ...model, ...limitsOf(prices) }
    if (prices.input !== undefined && contextWindow === 0) throw new Error(`catalog: ${name} has no contextWindow`)
    if (maxOutput > contextWindow) throw new Error(`catalog: maxOutput of ${name} exceeds its contextWindow`)
    for (const [tier, factor] of Object.entries(multipliers)) {
      if (parseFactor(factor) === null) throw new Error(`catalog: multiplier ${tier} of ${name} is not one: ${factor}`)
    }
    const text = { name, free, asText, contextWindow }
    const said = 'since' in prices ? prices.version ?? `${version}+${prices.since.slice(0, 10)}` : version
    return {
      since,
      model: {
        provider: provider.provider,
        model: model.model,
        contextWindow,
        maxOutput,
        reasoning,
        cachesUnasked: model.cachesUnasked ?? provider.cachesUnasked,
        ...pricesOf(text, prices, units),
        tiers: tiersOf(text, prices, units),
        multipliers,
        webSearchNano: searchesOf(text, units),
        priceVersion: `${name}@${said}`,
      },
    }
  })
}

function limitsOf (change: CatalogModel | ModelChange): Partial<CatalogModel> {
  const { contextWindow, maxOutput, reasoning, multipliers } = change
  const all = Object.entries({ contextWindow, maxOutput, reasoning, multipliers })
  return Object.fromEntries(all.filter(([, one]) => one !== undefined))
}

/** whose prices are read, and how */
interface Reading { name: string, free: boolean, asText: readonly string[], contextWindow: number }
type UnitPrices = NonNullable<CatalogRates['units']>

function tiersOf (
  of: Reading, { tiers = [], ...base }: CatalogRates & Pick<CatalogModel, 'tiers'>, units: UnitPrices
): ContextTier[] {
  return tiers.map((tier, i) => {
    const ascends = i === 0 || tier.fromInputTokens > (tiers[i - 1] as typeof tier).fromInputTokens
    if (!ascends || tier.fromInputTokens > of.contextWindow) {
      throw new Error(`catalog: tier ${tier.fromInputTokens} of ${of.name} is out of order or past its contextWindow`)
    }
    for (const rate of ['input', 'output'] as const) {
      if ((base[rate] === undefined) !== (tier[rate] === undefined)) {
        throw new Error(`catalog: ${rate} of ${of.name} has to have a price in each of its tiers, or in none`)
      }
    }
    return { fromInputTokens: tier.fromInputTokens, ...pricesOf(of, tier, { ...units, ...tier.units }) }
  })
}

function pricesOf (of: Reading, text: CatalogRates, units: UnitPrices): Prices {
  const rate = (field: Exclude<keyof CatalogRates, 'units'>, otherwise: bigint | null): bigint | null =>
    text[field] === undefined ? otherwise : femtoOf(of, field, text[field])
  const input = rate('input', null)
  const rates: Rates = {
    input,
    cacheRead: rate('cacheRead', input),
    cacheWrite5m: rate('cacheWrite5m', input),
    cacheWrite1h: rate('cacheWrite1h', text.cacheWrite5m === undefined ? input : null),
    output: rate('output', null),
  }
  const unitRates: Record<string, bigint> = {}
  for (const unit in units) if (unit !== SEARCHES) unitRates[unit] = femtoOf(of, unit, units[unit] as string)
  for (const unit of of.asText) {
    const like = isOutputUnit(unit) ? rates.output : unit in UNCACHED ? rates.cacheRead : rates.input
    if (like !== null && !Object.hasOwn(unitRates, unit)) unitRates[unit] = like
  }
  for (const [cached, unit] of Object.entries(UNCACHED)) {
    if (unitRates[unit] !== undefined) unitRates[cached] ??= unitRates[unit]
  }
  if (input === null && Object.keys(unitRates).length === 0) throw new Error(`catalog: ${of.name} has no price`)
  return { rates, unitRates }
}

/** USD per million in nano-USD is femto-USD each */
function femtoOf ({ name, free }: Reading, field: string, price: string): bigint {
  const femto = parseAmount(price)
  if (femto === null || (femto === 0n && !free)) throw new Error(`catalog: ${field} of ${name} is not a price: ${price}`)
  return femto
}

function searchesOf (of: Reading, { [SEARCHES]: price }: UnitPrices): bigint | null {
  return price === undefined ? null : ceilDiv(femtoOf(of, SEARCHES, price), FEMTO_PER_NANO)
}
