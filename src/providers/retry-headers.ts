import { type Refusal, REFUSAL_STATUS } from '../errors.ts'

/** Anthropic's SDK really sleeps for as long as it is told; no bucket takes longer than that to drain. */
const LONGEST_WAIT_MS = 60_000

/**
 * What tells SDKs whether to send a call again; OpenAI's and Anthropic's read the same headers. For what is final there
 * is never a time to wait for.
 */
export function retryHeaders (refusal: Refusal): Record<string, string> {
  const headers: Record<string, string> = { 'x-should-retry': String(refusal.retryable) }
  if (!refusal.retryable || refusal.retryAfterMs === undefined) return headers
  const wait = Math.min(Math.max(0, Math.ceil(refusal.retryAfterMs)), LONGEST_WAIT_MS)
  headers['retry-after-ms'] = String(wait)
  headers['retry-after'] = String(Math.ceil(wait / 1000))
  return headers
}

/**
 * The status for SDKs that read no such headers and send again whatever is 5xx, OpenRouter's for an hour: what only the
 * operator can mend is a 403 there.
 */
export function statusSentOnce ({ code }: Refusal): number {
  return code === 'provider_not_configured' || code === 'no_exchange_rate' ? 403 : REFUSAL_STATUS[code]
}
