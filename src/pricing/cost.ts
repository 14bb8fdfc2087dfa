import { ceilDiv } from '../money/amount.ts'
import { isToolUnit } from '../usage/units.ts'
import { tokensIn, type Usage } from '../usage/usage.ts'
import { type PricedModel, type Prices } from './price.ts'

export const FEMTO_PER_NANO = 1_000_000n

/** An exact multiplier. Some tiers have prices that no decimal times the standard gives, e.g. 5/3 of it. */
export interface Factor { numerator: bigint, denominator: bigint }

const ONE: Factor = { numerator: 1n, denominator: 1n }
/** the modifier of requests that are sent many at once and answered within a day */
export const BATCH = 'batch'
const FACTOR = /^(\d{1,3})(?:\.(\d{1,3}))?(?:\/(\d{1,3}))?$/
/** more modifiers on one call than any provider has are no modifiers */
const MAX_MODIFIERS = 4

/**
 * What requests and answers call the price without a modifier. OpenAI's `auto` is the project's own default: where that
 * is not the standard, whoever reads the request has to say so in the bound. `scale` is capacity paid for in advance.
 */
const STANDARD = new Set(['default', 'standard', 'auto', 'standard_only', 'scale', 'global', 'not_available'])

/** the catalog's own texts only, so it stays as small as they are few */
const parsed = new Map<string, Factor>()

/** `0.5`, `2` or `5/3`; null: not a multiplier */
export function parseFactor (text: string): Factor | null {
  const match = FACTOR.exec(text)
  if (match === null) return null
  const decimals = match[2] ?? ''
  const numerator = BigInt(`${match[1]}${decimals}`)
  const denominator = 10n ** BigInt(decimals.length) * BigInt(match[3] ?? 1)
  return numerator === 0n || denominator === 0n ? null : { numerator, denominator }
}

/**
 * The multiplier of a tier, a speed, a region, or several joined by `+`; null: the catalog has no price for it.
 * `atLeast` one: a modifier that is cheaper than the standard counts as the standard, modifier by modifier.
 */
export function factorOf (model: PricedModel, tier: string | null, atLeastOne = false): Factor | null {
  if (tier === null || STANDARD.has(tier)) return ONE
  if (Object.hasOwn(model.multipliers, tier)) return known(model.multipliers[tier] as string, atLeastOne)
  const modifiers = tier.split('+', MAX_MODIFIERS + 1)
  if (modifiers.length < 2 || modifiers.length > MAX_MODIFIERS) return null
  let { numerator, denominator } = ONE
  for (const modifier of modifiers) {
    const factor = factorOf(model, modifier, atLeastOne)
    if (factor === null) return null
    numerator *= factor.numerator
    denominator *= factor.denominator
  }
  return { numerator, denominator }
}

/** a tier, and what is multiplied with it whatever it is */
export function surcharged (tier: string | null, surcharge: string | undefined): string | null {
  if (surcharge === undefined) return tier
  return tier === null ? surcharge : `${tier}+${surcharge}`
}

function known (text: string, atLeastOne: boolean): Factor | null {
  let factor = parsed.get(text)
  if (factor === undefined) {
    const read = parseFactor(text)
    if (read === null) return null
    parsed.set(text, factor = read)
  }
  return atLeastOne && factor.numerator < factor.denominator ? ONE : factor
}

/** the prices of the whole call, by its input tokens of every kind together */
export function pricesAt (model: PricedModel, inputTokens: number): Prices {
  let prices: Prices = model
  for (const tier of model.tiers) if (inputTokens >= tier.fromInputTokens) prices = tier
  return prices
}

/** femto-USD per unit; null: it has no price */
export function unitRate ({ unitRates }: Prices, unit: string): bigint | null {
  return Object.hasOwn(unitRates, unit) ? unitRates[unit] as bigint : null
}

/**
 * What a call cost, nano-USD, exact and rounded up once. null: it cannot be known by this catalog, because the answer
 * names a tier or counts something without a price, or counts that are no counts. What the provider itself says of the
 * cost is not looked at.
 */
export function costNano (model: PricedModel, usage: Usage): bigint | null {
  if (model.assumed === 'unpriced') return 0n
  const { inputTokens, cacheReadTokens, cacheWrite5mTokens, cacheWrite1hTokens, outputTokens, webSearches } = usage
  const factor = factorOf(model, usage.tier)
  if (factor === null || (webSearches > 0 && model.webSearchNano === null)) return null
  if (!(isCount(inputTokens) && isCount(cacheReadTokens) && isCount(cacheWrite5mTokens) &&
    isCount(cacheWrite1hTokens) && isCount(outputTokens) && isCount(webSearches))) return null
  const prices = pricesAt(model, tokensIn(usage))
  const { rates } = prices
  if ((inputTokens > 0 && rates.input === null) || (cacheReadTokens > 0 && rates.cacheRead === null) ||
    (cacheWrite5mTokens > 0 && rates.cacheWrite5m === null) || (outputTokens > 0 && rates.output === null) ||
    (cacheWrite1hTokens > 0 && rates.cacheWrite1h === null)) return null
  const text = BigInt(inputTokens) * (rates.input ?? 0n) + BigInt(cacheReadTokens) * (rates.cacheRead ?? 0n) +
    BigInt(cacheWrite5mTokens) * (rates.cacheWrite5m ?? 0n) + BigInt(cacheWrite1hTokens) * (rates.cacheWrite1h ?? 0n) +
    BigInt(outputTokens) * (rates.output ?? 0n)
  const searches = webSearches === 0 ? 0n : BigInt(webSearches) * (model.webSearchNano ?? 0n)
  if (usage.units === undefined) return toNano(text, factor) + searches
  const beside = besideText(prices, usage.units)
  return beside === null ? null : toNano(text + beside.metered, factor, beside.tools) + searches
}

/** femto-USD of all units; modifiers do not multiply what is of tools. null: one has no price, or is none */
export function besideText (
  prices: Prices, units: Readonly<Record<string, number>>
): { metered: bigint, tools: bigint } | null {
  let [metered, tools] = [0n, 0n]
  for (const name of Object.keys(units)) {
    const count = units[name] as number
    const rate = unitRate(prices, name)
    if (rate === null || !isCount(count)) return null
    if (isToolUnit(name)) tools += BigInt(count) * rate
    else metered += BigInt(count) * rate
  }
  return { metered, tools }
}

export function isCount (value: number): boolean { return Number.isSafeInteger(value) && value >= 0 }

/** femto-USD times a multiplier, and `more` that is not multiplied, in nano-USD, rounded up */
export function toNano (femto: bigint, { numerator, denominator }: Factor, more = 0n): bigint {
  return ceilDiv(femto * numerator + more * denominator, FEMTO_PER_NANO * denominator)
}
