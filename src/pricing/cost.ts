import { type Usage } from '../usage/usage.ts'
import { type PricedModel, type Rates } from './price.ts'

const FEMTO_PER_NANO = 1_000_000n
const THOUSAND = 1_000n

/** Thousandths of the price at a tier or speed; null: the catalog has no price for it. */
export function multiplierOf (model: PricedModel, tier: string | null): bigint | null {
  if (tier === null || STANDARD.has(tier)) return THOUSAND
  if (!Object.hasOwn(model.multipliers, tier)) return null
  const [units, decimals = ''] = (model.multipliers[tier] as string).split('.')
  return BigInt(units as string) * THOUSAND + BigInt(decimals.padEnd(3, '0'))
}

/** what providers call the price without a modifier; Anthropic's `priority` is capacity that was paid for in advance */
const STANDARD = new Set(['default', 'standard', 'auto', 'standard_only', 'scale'])

export function ratesAt (model: PricedModel, inputTokens: number): Rates {
  let rates = model.rates
  for (const tier of model.tiers) if (inputTokens >= tier.fromInputTokens) rates = tier.rates
  return rates
}

/**
 * What a call cost, nano-USD, exact and rounded up once. null: it cannot be known by this catalog, because the answer
 * names a tier without a price or counts that are no counts.
 */
export function costNano (model: PricedModel, usage: Usage): bigint | null {
  const { inputTokens, cacheReadTokens, cacheWrite5mTokens, cacheWrite1hTokens, outputTokens, webSearches } = usage
  const multiplier = multiplierOf(model, usage.tier)
  if (multiplier === null || (webSearches > 0 && model.webSearchNano === null)) return null
  const counts = [inputTokens, cacheReadTokens, cacheWrite5mTokens, cacheWrite1hTokens, outputTokens, webSearches]
  if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0)) return null
  const rates = ratesAt(model, inputTokens + cacheReadTokens + cacheWrite5mTokens + cacheWrite1hTokens)
  const femto = BigInt(inputTokens) * rates.input + BigInt(cacheReadTokens) * rates.cacheRead +
    BigInt(cacheWrite5mTokens) * rates.cacheWrite5m + BigInt(cacheWrite1hTokens) * rates.cacheWrite1h +
    BigInt(outputTokens) * rates.output
  return toNano(femto, multiplier) + BigInt(webSearches) * (model.webSearchNano ?? 0n)
}

/** femto-USD times thousandths, in nano-USD, rounded up */
export function toNano (femto: bigint, multiplier: bigint): bigint {
  const divisor = FEMTO_PER_NANO * THOUSAND
  return (femto * multiplier + divisor - 1n) / divisor
}
