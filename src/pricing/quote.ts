import { multiplierOf, toNano } from './cost.ts'
import { type CallBound, type PricedModel, type Rates } from './price.ts'

const NO_MORE_THAN_STANDARD = 1_000n

/**
 * The most that a call may cost, nano-USD: every input token at the dearest rate that the request permits, every choice
 * at its full length, at the dearest context tier that the input can reach. null: it asks for a tier without a price.
 */
export function quoteNano (model: PricedModel, bound: CallBound): bigint | null {
  const asked = multiplierOf(model, bound.tier)
  if (asked === null || (bound.webSearches > 0 && model.webSearchNano === null)) return null
  // a cheaper tier may be answered by the standard one
  const multiplier = asked > NO_MORE_THAN_STANDARD ? asked : NO_MORE_THAN_STANDARD
  const input = inputBound(model, bound)
  const output = outputBound(model, bound)
  let most = femto(model.rates, input, output, bound)
  for (const tier of model.tiers) {
    if (input < tier.fromInputTokens) break
    const dearer = femto(tier.rates, input, output, bound)
    if (dearer > most) most = dearer
  }
  return toNano(most, multiplier) + BigInt(bound.webSearches) * (model.webSearchNano ?? 0n)
}

/**
 * The cost of an answer that was cut off, as far as it was seen: a token has at least one byte, so the visible bytes
 * bound the output. A reasoning model may have put out more than it showed: its quote stands.
 */
export function estimateNano (model: PricedModel, bound: CallBound, visibleBytes: number): bigint | null {
  if (model.reasoning) return quoteNano(model, bound)
  const perChoice = Math.min(outputBound(model, bound) / bound.choices, Math.max(0, visibleBytes))
  return quoteNano(model, { ...bound, outputTokens: Math.ceil(perChoice) })
}

function inputBound (model: PricedModel, bound: CallBound): number {
  return Math.min(Math.ceil(bound.inputTokens), model.contextWindow)
}

function outputBound (model: PricedModel, bound: CallBound): number {
  const perChoice = bound.outputTokens === null ? model.maxOutput : Math.min(bound.outputTokens, model.maxOutput)
  return perChoice * bound.choices
}

function femto (rates: Rates, input: number, output: number, { cacheWrite }: CallBound): bigint {
  let dearest = rates.input > rates.cacheRead ? rates.input : rates.cacheRead
  if (cacheWrite !== 'none' && rates.cacheWrite5m > dearest) dearest = rates.cacheWrite5m
  if (cacheWrite === '1h' && rates.cacheWrite1h > dearest) dearest = rates.cacheWrite1h
  return BigInt(input) * dearest + BigInt(output) * rates.output
}
