import { type Refusal } from '../../errors.ts'
import { ceilDiv } from '../../money/amount.ts'
import { count, isCount } from '../../usage/body-meter.ts'
import { NOTHING_USED, type Usage } from '../../usage/usage.ts'
import { isObject, notMetered } from '../body.ts'
import { openaiCompatible } from '../compatible.ts'
import { images } from '../openai/images.ts'
import { responses } from '../openai/index.ts'
import { chatUsage } from '../openai/meter.ts'
import { objectOf } from '../openai/usage.ts'
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
  more: [
    responses('/v1/responses', {
      about: { usage: '`usage`, its cost as `cost_in_usd_ticks`; in a stream `response.completed`' },
      fields: { hostedTools: false },
      usageOf: ({ usage: told }, usage) => withCost(usage, told),
    }),
    images('/v1/images/generations', {
      size: ({ resolution = '1k' }) => resolution,
      // where it does not say its cost the images count
      usageOf: ({ usage: told }) => isCount(objectOf(told)['cost_in_usd_ticks']) ? withCost(NOTHING_USED, told) : null,
    }),
  ],
})

/** its answer is fetched elsewhere, later */
function refuseDeferred (request: CallRequest, { deferred }: Record<string, unknown>): CallRequest | Refusal {
  return deferred === undefined || deferred === null || deferred === false ? request : notMetered('deferred')
}

/** `completion_tokens` are without reasoning, `total_tokens` with it. */
function usageOf (answer: Record<string, unknown>): Usage | null {
  const usage = chatUsage(answer)
  const told = answer['usage']
  if (usage === null || !isObject(told)) return usage
  const { total_tokens: total } = told
  const output = isCount(total) ? usage.outputTokens : count(told['completion_tokens']) + usage.reasoningTokens
  return withCost({ ...usage, outputTokens: output }, told)
}

/** with what it cost, of which ten ticks are a nano-USD (xAI, "Cost tracking": 10,000,000,000 are one USD) */
function withCost (usage: Usage, told: unknown): Usage {
  const { cost_in_usd_ticks: ticks } = objectOf(told)
  return isCount(ticks) ? { ...usage, reportedNano: ceilDiv(BigInt(ticks), TICKS_PER_NANO) } : usage
}
