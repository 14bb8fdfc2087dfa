import { parseAmount } from '../money/amount.ts'
import { CATALOG_VERSION, type CatalogModel, type CatalogProvider, type CatalogRates } from './catalog-data.ts'
import { type PricedModel, type Rates } from './price.ts'

/** Anthropic's web search, $10 per 1,000 (wire reference, price modifiers) */
const WEB_SEARCH_NANO: Record<string, bigint> = { anthropic: 10_000_000n }

/** The catalog's text as exact integers; throws, naming the entry, where one is not a price. */
export function compileCatalog (catalog: readonly CatalogProvider[], version = CATALOG_VERSION): PricedModel[] {
  return catalog.flatMap(({ provider, models }) => models.map((model) => compileModel(provider, model, version)))
}

export function compileModel (provider: string, model: CatalogModel, version: string): PricedModel {
  const name = `${provider}/${model.model}`
  const tiers = (model.tiers ?? []).map((tier) => ({
    fromInputTokens: tier.fromInputTokens, rates: ratesOf(name, tier),
  }))
  for (const [tier, factor] of Object.entries(model.multipliers ?? {})) {
    if (/^\d{1,3}(\.\d{1,3})?$/.test(factor)) continue
    throw new Error(`catalog: multiplier ${tier} of ${name} is not one: ${factor}`)
  }
  return {
    provider,
    model: model.model,
    contextWindow: model.contextWindow,
    maxOutput: model.maxOutput,
    reasoning: model.reasoning,
    rates: ratesOf(name, model),
    tiers: tiers.sort((a, b) => a.fromInputTokens - b.fromInputTokens),
    multipliers: model.multipliers ?? {},
    webSearchNano: WEB_SEARCH_NANO[provider] ?? null,
    priceVersion: `${name}@${version}`,
  }
}

function ratesOf (name: string, rates: CatalogRates): Rates {
  const rate = (field: keyof CatalogRates): bigint => {
    // USD per million tokens in nano-USD is femto-USD per token
    const femto = parseAmount(rates[field])
    if (femto === null) throw new Error(`catalog: ${field} of ${name} is not a price: ${rates[field]}`)
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
