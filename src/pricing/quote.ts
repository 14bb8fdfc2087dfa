import { isCountedUnit, isInputUnit, isOutputUnit } from '../usage/units.ts'
import { besideText, type Factor, factorOf, isCount, surcharged, toNano, unitRate } from './cost.ts'
import { type CallBound, type PricedModel, type Prices } from './price.ts'

/**
 * The most that a call may cost. For every usage within the bound, `costNano` is at most `quoteNano`: that is what
 * keeps a budget from being overspent, so each step here rounds towards the dearer side, and what cannot be bounded is
 * null.
 */

/**
 * Nano-USD: every input token at the dearest rate that the request permits, every choice at its full length, at the
 * dearest context tier that the input can reach, at what is asked for or the standard, whichever is dearer, since a
 * provider may serve the standard instead. null: it asks for a tier without a price, or the bound is not one.
 */
export function quoteNano (model: PricedModel, bound: CallBound): bigint | null {
  if (bound.parts !== undefined) return sumOf(model, bound.parts)
  return isBound(bound) ? mostNano(model, bound, outputBound(model, bound)) : null
}

function sumOf (model: PricedModel, parts: readonly CallBound[]): bigint | null {
  let sum = 0n
  for (const part of parts) {
    const nano = quoteNano(model, part)
    if (nano === null) return null
    sum += nano
  }
  return sum
}

/**
 * The cost of an answer that was cut off, as far as it was seen, nano-USD: a token has at least one byte, so the
 * visible bytes of all choices together bound the output. Never above the quote. A reasoning model may have put out
 * more than it showed: its quote stands.
 */
export function estimateNano (model: PricedModel, bound: CallBound, visibleBytes: number): bigint | null {
  if (bound.parts !== undefined) return quoteNano(model, bound)
  if (!isBound(bound)) return null
  const most = outputBound(model, bound)
  // of images and sounds next to nothing may be seen before they are made
  const hidden = model.reasoning || bound.outputUnits !== undefined || !isCount(visibleBytes)
  const seen = hidden ? most : Math.min(visibleBytes, most)
  return mostNano(model, bound, seen)
}

function mostNano (model: PricedModel, bound: CallBound, output: number): bigint | null {
  let most = ownNano(model, bound, output)
  for (const { priced, bound: theirs } of bound.others ?? []) {
    const more = priced === undefined ? null : quoteNano(priced, theirs)
    most = most === null || more === null ? null : most + more
  }
  return most
}

/** without other models */
function ownNano (model: PricedModel, bound: CallBound, output: number): bigint | null {
  if (model.assumed === 'unpriced') return 0n
  const { webSearches } = bound
  const factor = dearestFactor(model, bound)
  const units = unitsOf(model, bound)
  if (factor === null || units === null || (webSearches > 0 && model.webSearchNano === null)) return null
  if (isTooLong(model, bound)) return null
  const input = inputBound(model, bound)
  let most = nano(model, model, factor, input, output, bound, units)
  for (const tier of model.tiers) {
    if (most === null || input < tier.fromInputTokens) break
    const dearer = nano(model, tier, factor, input, output, bound, units)
    if (dearer === null || dearer > most) most = dearer
  }
  return most === null || webSearches === 0 ? most : most + BigInt(webSearches) * (model.webSearchNano ?? 0n)
}

/** What of a call without a quote has no price, for people, as it follows the name of its model. */
export function withoutPrice (model: PricedModel, bound: CallBound): string {
  const part = bound.parts?.find((one) => quoteNano(model, one) === null)
  if (part !== undefined) return withoutPrice(model, part)
  const tier = surcharged(bound.tier, bound.surcharge)
  if (factorOf(model, tier, true) === null) return `at ${JSON.stringify(tier)}`
  if (bound.webSearches > 0 && model.webSearchNano === null) return 'with web searches'
  if (isTooLong(model, bound)) return `with a context of ${bound.contextWindow} tokens`
  const counted = hasTokens(model) ? bound.units ?? {} : bound.instead?.[0] ?? bound.units ?? {}
  const endless = Object.keys(counted).find((unit) => !isCount(counted[unit] as number))
  if (endless !== undefined) return `for an input of which it cannot be told how many ${endless} it has`
  const tokens = hasTokens(model) ? [...bound.inputUnits ?? [], ...bound.outputUnits ?? []] : []
  const units = [...tokens, ...Object.keys(counted)]
  const unpriced = units.filter((unit) => unitRate(model, unit) === null)
  if (unpriced.includes('groundedPrompts') && unitRate(model, 'groundedQueries') !== null) {
    return 'with searches that it bills by the query, since nothing says how many there may be'
  }
  return unpriced.length === 0 ? 'as it is asked' : `with ${unpriced.join(', ')}`
}

/** A tier that is asked for may not be served; a surcharge is certain, also one that is cheaper, as a batch is. */
function dearestFactor (model: PricedModel, { tier, surcharge }: CallBound): Factor | null {
  const factor = factorOf(model, tier, true)
  const sure = surcharge === undefined ? null : factorOf(model, surcharge)
  if (factor === null || surcharge === undefined) return factor
  if (sure === null) return null
  return { numerator: factor.numerator * sure.numerator, denominator: factor.denominator * sure.denominator }
}

type Units = Readonly<Record<string, number>>

/**
 * What a model without tokens bills for a call, of each unit the most. null: nothing that it has a price for;
 * undefined: it has tokens.
 */
export function insteadOf (model: PricedModel, { instead = [] }: CallBound): Units | null | undefined {
  if (hasTokens(model)) return undefined
  const priced = (units: Units) => Object.entries(units)
    .every(([unit, count]) => isCountedUnit(unit) && isCount(count) && unitRate(model, unit) !== null)
  return instead.find(priced) ?? null
}

function hasTokens ({ contextWindow, maxOutput }: PricedModel): boolean { return contextWindow > 0 || maxOutput > 0 }

/** all that a call may be billed beside tokens; null: there is no telling, and nothing that has none is free */
function unitsOf (model: PricedModel, bound: CallBound): CallBound['units'] | null {
  const instead = insteadOf(model, bound)
  if (instead === undefined) return bound.units
  return instead === null ? bound.units ?? null : { ...bound.units, ...instead }
}

/** The most tokens that a call may use, of input and of output: those that its quote is for. */
export function mostTokens (model: PricedModel, bound: CallBound): { input: number, output: number } {
  const { parts, others = [] } = bound
  const most = { input: 0, output: 0 }
  if (parts === undefined) Object.assign(most, { input: inputBound(model, bound), output: outputBound(model, bound) })
  const add = (of: PricedModel, one: CallBound): void => {
    const { input, output } = mostTokens(of, one)
    most.input += input
    most.output += output
  }
  for (const part of parts ?? []) add(model, part)
  for (const { priced, bound: theirs } of others) if (priced !== undefined) add(priced, theirs)
  return most
}

/** what is past the context window has prices of its own, which nobody has said */
function isTooLong (model: PricedModel, { contextWindow = 0 }: CallBound): boolean {
  return contextWindow > model.contextWindow
}

/** An input may be without bound, since the context window bounds it; nothing else may. */
function isBound ({ inputTokens, inputs, outputTokens, choices, webSearches, runs = 1, units }: CallBound): boolean {
  return inputTokens >= 0 && (outputTokens === null || isCount(outputTokens)) && isCount(choices) && choices > 0 &&
    choices <= MAX_CHOICES && isCount(webSearches) && webSearches <= MAX_WEB_SEARCHES &&
    isCount(runs) && runs > 0 && runs <= MAX_RUNS &&
    (inputs === undefined || (isCount(inputs) && inputs > 0 && inputs <= MAX_INPUTS)) &&
    (units === undefined || Object.keys(units).every(isCountedUnit))
}

/** so that no product of counts leaves the exact integers */
const MAX_CHOICES = 1_000
const MAX_WEB_SEARCHES = 1_000
const MAX_RUNS = 3_000
const MAX_INPUTS = 100_000

/** After each web search the model reads everything again with what was found, and that is billed again. */
function runsOf ({ webSearches, runs = webSearches + 1 }: CallBound): number { return runs }

function inputBound ({ contextWindow }: PricedModel, bound: CallBound): number {
  const { inputTokens, inputs = 1 } = bound
  const [longest, runs] = [contextWindow * inputs, runsOf(bound)]
  return runs > 1 ? longest * runs : Math.min(Math.ceil(inputTokens), longest)
}

/** As with input, each run of the model may be as long as the first. */
function outputBound (model: PricedModel, bound: CallBound): number {
  const { outputTokens, choices } = bound
  const perRun = outputTokens === null ? model.maxOutput : Math.min(outputTokens, model.maxOutput)
  return perRun * choices * runsOf(bound)
}

/** at these prices; null: something that the call may turn out to be has none */
function nano (
  model: PricedModel, prices: Prices, factor: Factor, input: number, output: number, bound: CallBound,
  units: CallBound['units']
): bigint | null {
  const { cacheWrite, inputUnits, outputUnits } = bound
  const { rates } = prices
  let inRate = dearest(rates.input, rates.cacheRead)
  if (cacheWrite !== 'none' || model.cachesUnasked) inRate = dearest(inRate, rates.cacheWrite5m)
  if (cacheWrite === '1h') inRate = dearest(inRate, rates.cacheWrite1h)
  if (inputUnits !== undefined) inRate = dearestOf(inRate, prices, inputUnits, isInputUnit)
  const outRate = outputUnits === undefined
    ? rates.output
    : dearestOf(rates.output, prices, outputUnits, isOutputUnit)
  if ((inRate === null && input > 0) || (outRate === null && output > 0)) return null
  const femto = BigInt(input) * (inRate ?? 0n) + BigInt(output) * (outRate ?? 0n)
  if (units === undefined) return toNano(femto, factor)
  const beside = besideText(prices, units)
  return beside === null ? null : toNano(femto + beside.metered, factor, beside.tools)
}

function dearest (one: bigint | null, other: bigint | null): bigint | null {
  return one === null || other === null ? null : one > other ? one : other
}

/** null: one has no price, or is none of these tokens */
function dearestOf (
  text: bigint | null, prices: Prices, units: readonly string[], belongs: (unit: string) => boolean
): bigint | null {
  let rate = text
  for (const unit of units) rate = belongs(unit) ? dearest(rate, unitRate(prices, unit)) : null
  return rate
}
