import { type Refusal } from '../errors.ts'

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
