import { remedyOf, toldOf } from '../../error-codes.ts'
import { type Refusal, REFUSAL_STATUS, type RefusalCode } from '../../errors.ts'
import { type RateStanding } from '../../limits/limiter.ts'
import { type RenderedRefusal } from '../provider.ts'
import { retryHeaders } from '../retry-headers.ts'

const OUT_OF_BUDGET = new Set<RefusalCode>(['budget_exhausted', 'quote_exceeds_budget', 'approval_required', 'budget_in_doubt', 'budget_held',
  'model_restricted'])

const CODES: Partial<Record<RefusalCode, string>> = {
  key_missing: 'invalid_api_key',
  key_invalid: 'invalid_api_key',
  key_revoked: 'invalid_api_key',
  key_expired: 'invalid_api_key',
  key_disabled: 'invalid_api_key',
  model_unpriced: 'model_not_found',
  budget_contention: 'rate_limit_exceeded',
  rate_limited: 'rate_limit_exceeded',
}

/** Codex sends a 403 twelve times, by WebSocket and HTTP, and a 400 once */
const STATUS: Partial<Record<RefusalCode, number>> = { feature_not_metered: 400 }

/**
 * OpenAI's envelope. Measured: its SDKs do not retry a 429 that says `x-should-retry: false`, Codex retries 402 and
 * 403; the Vercel AI SDK (`ai/`) ignores that header and does not retry a 402. Never Retry-After for what is final.
 */
export function renderOpenAiRefusal (refusal: Refusal, callId: string, userAgent: string): RenderedRefusal {
  const spent = OUT_OF_BUDGET.has(refusal.code)
  const status = spent ? (userAgent.startsWith('ai/') ? 402 : 429) : STATUS[refusal.code] ?? REFUSAL_STATUS[refusal.code]
  return {
    status,
    headers: { ...refusal.rates === undefined ? {} : openAiRateHeaders(refusal.rates), ...retryHeaders(refusal) },
    body: JSON.stringify({
      error: {
        message: toldOf(refusal),
        type: spent ? 'insufficient_quota' : typeOf(status),
        param: refusal.field ?? null,
        code: spent ? 'insufficient_quota' : CODES[refusal.code] ?? refusal.code,
        relaycore: { code: refusal.code, callId, remedy: remedyOf(refusal), budget: refusal.budget ?? null },
      },
    }),
  }
}

function typeOf (status: number): string {
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

/** as OpenAI names them; times like `1s`, `6m0s`, `120ms` */
export function openAiRateHeaders ({ requests, tokens }: RateStanding): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [kind, one] of Object.entries({ requests, tokens })) {
    if (one === null) continue
    headers[`x-ratelimit-limit-${kind}`] = String(one.limit)
    headers[`x-ratelimit-remaining-${kind}`] = String(one.remaining)
    headers[`x-ratelimit-reset-${kind}`] = duration(one.resetMs)
  }
  return headers
}

function duration (ms: number): string {
  if (ms < 1_000) return `${ms}ms`
  const seconds = Math.ceil(ms / 100) / 10
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${Math.ceil(seconds % 60)}s`
}
