import { type Refusal } from '../../errors.ts'
import { type Usage } from '../../usage/usage.ts'
import { isGiven, isObject, notMetered } from '../body.ts'
import { openaiCompatible } from '../compatible.ts'
import { responses } from '../openai/index.ts'
import { chatUsage } from '../openai/meter.ts'
import { speech } from '../openai/speech.ts'
import { transcriptions, translations } from '../openai/transcriptions.ts'
import { type CallRequest } from '../provider.ts'

/** all at the same price; `auto` takes one of the others (Groq's pages on service tiers and on flex processing) */
const ONE_PRICE = new Set<string | null>(['auto', 'on_demand', 'flex'])

/** Each request is billed as ten seconds at least (Groq's guide to speech to text). */
const SOUNDS = { least: 10, elsewhere: ['url'] }

/**
 * Groq. Its compound systems call other models and tools, whose cost is not in tokens of the model that was asked for,
 * so they are refused.
 */
export const groq = openaiCompatible({
  name: 'groq',
  title: 'Groq',
  url: 'https://api.groq.com',
  base: '/openai/v1',
  needsKey: true,
  chat: {
    about: { usage: '`usage`; in a stream its last chunk, or `x_groq.usage` in the one before' },
    fields: { unmetered: ['compound_custom', 'search_settings'] },
    also: readTier,
    usageOf,
  },
  more: [
    responses('/openai/v1/responses', {
      fields: { hostedTools: false },
      also: readTier,
      usageOf: (_response, usage) => atOnePrice(usage),
    }),
    speech('/openai/v1/audio/speech'),
    transcriptions('/openai/v1/audio/transcriptions', SOUNDS),
    translations('/openai/v1/audio/translations', SOUNDS),
  ],
})

function readTier (request: CallRequest): CallRequest | Refusal {
  if (/(^|\/)compound(-|$)/.test(request.model)) return notMetered(`the system ${request.model.slice(0, 100)}`)
  return ONE_PRICE.has(request.bound.tier) ? { ...request, bound: { ...request.bound, tier: null } } : request
}

/** null where more than the model that was asked for has worked: the breakdown has another price for each */
function usageOf (answer: Record<string, unknown>): Usage | null {
  const own = isObject(answer['x_groq']) ? answer['x_groq'] : {}
  if (isGiven(answer['usage_breakdown']) || isGiven(own['usage_breakdown'])) return null
  const usage = chatUsage(answer) ?? chatUsage({ ...answer, usage: own['usage'] })
  return usage === null ? null : atOnePrice(usage)
}

function atOnePrice (usage: Usage): Usage { return ONE_PRICE.has(usage.tier) ? { ...usage, tier: null } : usage }
