import { ceilDiv } from '../money/amount.ts'
import { type Usage } from '../usage/usage.ts'
import { type PricedModel, type Rates } from './price.ts'

const FEMTO_PER_NANO = 1_000_000n

/** An exact multiplier. Some tiers have prices that no decimal times the standard gives, e.g. 5/3 of it. */
export interface Factor { numerator: bigint, denominator: bigint }

const ONE: Factor = { numerator: 1n, denominator: 1n }
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

function known (text: string, atLeastOne: boolean): Factor | null {
  let factor = parsed.get(text)
  if (factor === undefined) {
    const read = parseFactor(text)
    if (read === null) return null
    parsed.set(text, factor = read)
  }
  return atLeastOne && factor.numerator < factor.denominator ? ONE : factor
}

/** the rates of the whole call, by its input tokens of every kind together */
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
  const factor = factorOf(model, usage.tier)
  if (factor === null || (webSearches > 0 && model.webSearchNano === null)) return null
  if (!(isCount(inputTokens) && isCount(cacheReadTokens) && isCount(cacheWrite5mTokens) &&
    isCount(cacheWrite1hTokens) && isCount(outputTokens) && isCount(webSearches))) return null
  const rates = ratesAt(model, inputTokens + cacheReadTokens + cacheWrite5mTokens + cacheWrite1hTokens)
  const femto = BigInt(inputTokens) * rates.input + BigInt(cacheReadTokens) * rates.cacheRead +
    BigInt(cacheWrite5mTokens) * rates.cacheWrite5m + BigInt(cacheWrite1hTokens) * rates.cacheWrite1h +
    BigInt(outputTokens) * rates.output
  return toNano(femto, factor) + BigInt(webSearches) * (model.webSearchNano ?? 0n)
}

export function isCount (value: number): boolean { return Number.isSafeInteger(value) && value >= 0 }

/** femto-USD times a multiplier, in nano-USD, rounded up */
export function toNano (femto: bigint, { numerator, denominator }: Factor): bigint {
  return ceilDiv(femto * numerator, FEMTO_PER_NANO * denominator)
}
