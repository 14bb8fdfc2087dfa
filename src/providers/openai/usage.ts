import { count, isCount } from '../../usage/body-meter.ts'
import { type Usage } from '../../usage/usage.ts'
import { isObject } from '../body.ts'

/** A usage block as OpenAI's surfaces have it, under whatever names. */
export interface ReportedTokens {
  input: unknown
  output: unknown
  total: unknown
  inputDetails: unknown
  outputDetails: unknown
  tier: string | null
}

/**
 * Input includes what was read from and written to the cache, output includes reasoning and rejected predictions
 * (OpenAI API reference, CompletionUsage and ResponseUsage). xAI and Gemini leave reasoning out of it, but not out of
 * the total. What is written for 12 hours is dearer than for 30 minutes; what the split leaves out is taken for what
 * the request allowed, `longest`. null: these are no counts.
 */
export function textUsage (reported: ReportedTokens, longest: 'none' | '5m' | '1h'): Usage | null {
  const { input, output, total, tier } = reported
  if (!isCount(input) || !isCount(output)) return null
  const inDetails = objectOf(reported.inputDetails)
  const read = Math.min(count(inDetails['cached_tokens']), input)
  const written = Math.min(count(inDetails['cache_write_tokens']), input - read)
  const split = objectOf(inDetails['cache_write_tokens_details'])
  const short = count(split['ttl_30m_tokens'])
  const long = longest === '1h' ? Math.max(0, written - short) : count(split['ttl_12h_tokens'])
  const kept = Math.min(long, written)
  return {
    inputTokens: input - read - written,
    cacheReadTokens: read,
    cacheWrite5mTokens: written - kept,
    cacheWrite1hTokens: kept,
    outputTokens: Math.max(output, count(total) - input),
    reasoningTokens: count(objectOf(reported.outputDetails)['reasoning_tokens']),
    webSearches: 0,
    tier,
  }
}

export function objectOf (value: unknown): Record<string, unknown> { return isObject(value) ? value : {} }
