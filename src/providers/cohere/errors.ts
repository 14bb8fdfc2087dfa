import { type Refusal } from '../../errors.ts'
import { openAiRateHeaders } from '../openai/errors.ts'
import { type RenderedRefusal } from '../provider.ts'
import { messageWithField, refusalDetails } from '../refusal-details.ts'
import { retryHeaders, statusSentOnce } from '../retry-headers.ts'

/**
 * Cohere's envelope. Measured: its SDK sends a 429 and a 503 three times whatever its headers say, and a 402 once; it
 * really sleeps for as long as Retry-After says.
 */
export function renderCohereRefusal (refusal: Refusal, callId: string): RenderedRefusal {
  return {
    status: statusSentOnce(refusal),
    headers: { ...refusal.rates === undefined ? {} : openAiRateHeaders(refusal.rates), ...retryHeaders(refusal) },
    body: JSON.stringify({
      id: callId, message: messageWithField(refusal), relaycore: refusalDetails(refusal, callId),
    }),
  }
}

/** a stream that fails ends with a reason (cohere-ai 8.1, ChatMessageEndEventDelta) */
export function renderCohereCut (refusal: Refusal, callId: string): string {
  const delta = { finish_reason: 'ERROR', error: messageWithField(refusal), relaycore: refusalDetails(refusal, callId) }
  return `event: message-end\ndata: ${JSON.stringify({ id: callId, type: 'message-end', delta })}\n\n`
}
