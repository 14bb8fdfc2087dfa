import { remedyOf, toldOf } from '../../error-codes.ts'
import { type Refusal, REFUSAL_STATUS, type RefusalCode } from '../../errors.ts'
import { type RateStanding } from '../../limits/limiter.ts'
import { type RenderedRefusal } from '../provider.ts'
import { retryHeaders } from '../retry-headers.ts'

const TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
}

const BUDGET: Partial<Record<RefusalCode, string>> = {
  budget_exhausted: 'gateway_budget_exhausted',
  quote_exceeds_budget: 'gateway_quote_exceeds_budget',
  approval_required: 'gateway_approval_required',
  budget_in_doubt: 'gateway_budget_in_doubt',
  budget_held: 'gateway_budget_held',
  model_restricted: 'gateway_model_restricted',
}

/** Anthropic's envelope. Measured: its SDK and Claude Code stop at a 402 and show its message; a 400 is sent again. */
export function renderAnthropicRefusal (refusal: Refusal, callId: string): RenderedRefusal {
  const status = REFUSAL_STATUS[refusal.code]
  return {
    status,
    headers: {
      ...refusal.rates === undefined ? {} : anthropicRateHeaders(refusal.rates, Date.now()),
      ...retryHeaders(refusal),
      'request-id': callId,
    },
    body: JSON.stringify({
      type: 'error',
      error: {
        type: refusal.code === 'overloaded' ? 'overloaded_error' : TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error'),
        message: messageOf(refusal),
        details: { error_code: BUDGET[refusal.code] ?? refusal.code },
        relaycore: { code: refusal.code, callId, remedy: remedyOf(refusal), budget: refusal.budget ?? null },
      },
      request_id: callId,
    }),
  }
}

/** The envelope has no place for the field, so the message names it. */
function messageOf (refusal: Refusal): string {
  const { field } = refusal
  const message = toldOf(refusal)
  return field === undefined || message.includes(field) ? message : `${field}: ${message}`
}

/** as Anthropic names them; times in RFC 3339 */
export function anthropicRateHeaders ({ requests, tokens }: RateStanding, now: number): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [kind, one] of Object.entries({ requests, tokens })) {
    if (one === null) continue
    headers[`anthropic-ratelimit-${kind}-limit`] = String(one.limit)
    headers[`anthropic-ratelimit-${kind}-remaining`] = String(one.remaining)
    headers[`anthropic-ratelimit-${kind}-reset`] = new Date(now + one.resetMs).toISOString()
  }
  return headers
}
