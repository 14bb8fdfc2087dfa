import { type Refusal } from '../../errors.ts'
import { count, isCount } from '../../usage/body-meter.ts'
import { type Usage } from '../../usage/usage.ts'
import { isObject, notMetered } from '../body.ts'
import { openaiCompatible } from '../compatible.ts'
import { chatUsage } from '../openai/meter.ts'
import { type CallRequest } from '../provider.ts'

const TICKS_PER_NANO = 10n

/**
 * xAI. Only `max_completion_tokens` is said to bound reasoning too, so `max_tokens` alone bounds nothing here. Searches
 * and tools at the provider's have no bound and are refused.
 */
export const xai = openaiCompatible({
  name: 'xai',
  title: 'xAI',
  url: 'https://api.x.ai',
  base: '/v1',
  needsKey: true,
  chat: {
    about: { output: '`max_completion_tokens`, times `n`', usage: '`usage`, its cost as `cost_in_usd_ticks`; in a stream its last chunk' },
    limits: ['max_completion_tokens'],
    fields: { limits: ['max_completion_tokens'] },
    also: refuseDeferred,
    usageOf,
  },
})

/** its answer is fetched elsewhere, later */
function refuseDeferred (request: CallRequest, { deferred }: Record<string, unknown>): CallRequest | Refusal {
  return deferred === undefined || deferred === null || deferred === false ? request : notMetered('deferred')
}

/**
 * `completion_tokens` are without reasoning, `total_tokens` with it. What the call cost is said in ticks, of which ten
 * are a nano-USD (xAI, "Cost tracking": 10,000,000,000 are one USD).
 */
function usageOf (answer: Record<string, unknown>): Usage | null {
  const usage = chatUsage(answer)
  const told = answer['usage']
  if (usage === null || !isObject(told)) return usage
  const { total_tokens: total, cost_in_usd_ticks: ticks } = told
  const output = isCount(total) ? usage.outputTokens : count(told['completion_tokens']) + usage.reasoningTokens
  const whole = { ...usage, outputTokens: output }
  return isCount(ticks) ? { ...whole, reportedNano: (BigInt(ticks) + TICKS_PER_NANO - 1n) / TICKS_PER_NANO } : whole
}
