import { type Refusal } from '../errors.ts'
import { type RateShort } from './limiter.ts'

/** when nobody knows how long an open call takes */
const TRY_AGAIN_MS = 1_000

/** The refusal as the client is told about it. `inputTokens`: the most of those that the call would use. */
export function rateRefusal (short: RateShort, tokens: number, inputTokens: number): Refusal {
  const { subject, kind, limit, remaining, waitMs, standing } = short
  const { name, budgetId } = subject
  const whose = budgetId === undefined ? {} : { budgetId }
  const common = { ...whose, retryable: true, rates: standing }
  switch (kind) {
    case 'requests':
      return {
        ...common,
        code: 'rate_limited',
        message: `The ${name} allows ${limit} requests per minute, and they are used up.`,
        remedy: `Try again in ${seconds(waitMs ?? 0)} s.`,
        retryAfterMs: waitMs ?? 0,
      }
    case 'calls':
      return {
        ...common,
        code: 'rate_limited',
        message: `The ${name} allows ${limit} ${limit === 1 ? 'call' : 'calls'} at once, and as many are open.`,
        remedy: 'Try again when one of them has ended.',
        retryAfterMs: TRY_AGAIN_MS,
      }
    case 'tokens': {
      if (waitMs === null) return { ...tooLarge(name, limit, tokens, inputTokens), ...whose }
      return {
        ...common,
        code: 'rate_limited',
        message: `The ${name} allows ${limit} tokens per minute, of which ${remaining} are left, and this call may use up to ${tokens}.`,
        remedy: `Try again in ${seconds(waitMs)} s, or set a lower max_tokens: what a call does not use is given back at its end.`,
        retryAfterMs: waitMs,
      }
    }
  }
}

function tooLarge (name: string, limit: number, tokens: number, inputTokens: number): Refusal {
  const room = limit - inputTokens
  return {
    code: 'call_exceeds_rate_limit',
    message: `This call may use up to ${tokens} tokens, more than the ${limit} tokens per minute that the ${name} allows.`,
    remedy: room > 0
      ? 'Set a lower max_tokens, or ask an administrator to raise tokensPerMinute.'
      : 'Shorten the input, or ask an administrator to raise tokensPerMinute.',
    retryable: false,
  }
}

function seconds (ms: number): string { return String(Math.ceil(ms / 100) / 10) }
