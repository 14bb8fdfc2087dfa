import { ceilDiv } from '../../money/amount.ts'
import { type Usage } from '../../usage/usage.ts'
import { isObject } from '../body.ts'
import { chatUsage } from '../openai/meter.ts'

/** a price has at most as many decimals; below that is what a binary number adds */
const DECIMALS = 12

/**
 * OpenAI's usage with what the call cost, `usage.cost` in USD: what OpenRouter takes, which counts before any price of
 * a catalog (OpenRouter, "Usage accounting"). Where somebody's own key for the provider was used, it is OpenRouter's
 * fee alone, and what the provider takes is `cost_details.upstream_inference_cost`.
 */
export function openRouterUsage (answer: Record<string, unknown>): Usage | null {
  const usage = chatUsage(answer)
  return usage === null ? null : withCost(usage, answer)
}

/** of an answer of whatever kind, with the usage that OpenAI's reader found in it */
export function withCost (usage: Usage, { usage: told }: Record<string, unknown>): Usage {
  if (!isObject(told)) return usage
  const fee = nanoOf(told['cost'])
  if (fee === null) return usage
  if (told['is_byok'] !== true) return { ...usage, reportedNano: fee }
  const details = told['cost_details']
  const upstream = isObject(details) ? nanoOf(details['upstream_inference_cost']) : null
  return upstream === null ? usage : { ...usage, reportedNano: fee + upstream }
}

/** nano-USD, rounded up; null: it is no amount */
function nanoOf (usd: unknown): bigint | null {
  if (typeof usd !== 'number' || !(usd >= 0 && usd < 1e9)) return null
  return ceilDiv(BigInt(usd.toFixed(DECIMALS).replace('.', '')), 10n ** BigInt(DECIMALS - 9))
}
