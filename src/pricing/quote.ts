import { factorOf, isCount, toNano } from './cost.ts'
import { type CallBound, type PricedModel, type Rates } from './price.ts'

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
  return isBound(bound) ? mostNano(model, bound, outputBound(model, bound)) : null
}

/**
 * The cost of an answer that was cut off, as far as it was seen, nano-USD: a token has at least one byte, so the
 * visible bytes of all choices together bound the output. Never above the quote. A reasoning model may have put out
 * more than it showed: its quote stands.
 */
export function estimateNano (model: PricedModel, bound: CallBound, visibleBytes: number): bigint | null {
  if (!isBound(bound)) return null
  const most = outputBound(model, bound)
  const seen = model.reasoning || !isCount(visibleBytes) ? most : Math.min(visibleBytes, most)
  return mostNano(model, bound, seen)
}

function mostNano (model: PricedModel, bound: CallBound, output: number): bigint | null {
  const { webSearches } = bound
  const factor = factorOf(model, bound.tier, true)
  if (factor === null || (webSearches > 0 && model.webSearchNano === null)) return null
  const input = inputBound(model, bound)
  let most = femto(model, model.rates, input, output, bound)
  for (const { fromInputTokens, rates } of model.tiers) {
    if (input < fromInputTokens) break
    const dearer = femto(model, rates, input, output, bound)
    if (dearer > most) most = dearer
  }
  const nano = toNano(most, factor)
  return webSearches === 0 ? nano : nano + BigInt(webSearches) * (model.webSearchNano ?? 0n)
}

/** The most tokens that a call may use, of input and of output: those that its quote is for. */
export function mostTokens (model: PricedModel, bound: CallBound): { input: number, output: number } {
  return { input: inputBound(model, bound), output: outputBound(model, bound) }
}

/** An input may be without bound, since the context window bounds it; nothing else may. */
function isBound ({ inputTokens, outputTokens, choices, webSearches }: CallBound): boolean {
  return inputTokens >= 0 && (outputTokens === null || isCount(outputTokens)) && isCount(choices) && choices > 0 &&
    choices <= MAX_CHOICES && isCount(webSearches) && webSearches <= MAX_WEB_SEARCHES
}

/** so that no product of counts leaves the exact integers */
const MAX_CHOICES = 1_000
const MAX_WEB_SEARCHES = 1_000

/** After each web search the model reads everything again with what was found, and that is billed again. */
function inputBound (model: PricedModel, { inputTokens, webSearches }: CallBound): number {
  if (webSearches > 0) return model.contextWindow * (webSearches + 1)
  return Math.min(Math.ceil(inputTokens), model.contextWindow)
}

/** As with input, each run of the model after a web search may be as long as the first. */
function outputBound (model: PricedModel, { outputTokens, choices, webSearches }: CallBound): number {
  const perRun = outputTokens === null ? model.maxOutput : Math.min(outputTokens, model.maxOutput)
  return perRun * choices * (webSearches + 1)
}

function femto (model: PricedModel, rates: Rates, input: number, output: number, { cacheWrite }: CallBound): bigint {
  let dearest = rates.input > rates.cacheRead ? rates.input : rates.cacheRead
  if ((cacheWrite !== 'none' || model.cachesUnasked) && rates.cacheWrite5m > dearest) dearest = rates.cacheWrite5m
  if (cacheWrite === '1h' && rates.cacheWrite1h > dearest) dearest = rates.cacheWrite1h
  return BigInt(input) * dearest + BigInt(output) * rates.output
}
