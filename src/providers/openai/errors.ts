import { remedyOf, toldOf } from '../../error-codes.ts'
import { type Refusal, REFUSAL_STATUS, type RefusalCode } from '../../errors.ts'
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
}

/**
 * OpenAI's envelope. Measured: its SDKs do not retry a 429 that says `x-should-retry: false`, Codex retries 402 and
 * 403; the Vercel AI SDK (`ai/`) ignores that header and does not retry a 402. Never Retry-After for what is final.
 */
export function renderOpenAiRefusal (refusal: Refusal, callId: string, userAgent: string): RenderedRefusal {
  const spent = OUT_OF_BUDGET.has(refusal.code)
  const status = spent ? (userAgent.startsWith('ai/') ? 402 : 429) : REFUSAL_STATUS[refusal.code]
  return {
    status,
    headers: retryHeaders(refusal),
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
