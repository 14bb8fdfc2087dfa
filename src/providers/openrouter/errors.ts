import { type Refusal } from '../../errors.ts'
import { openAiRateHeaders } from '../openai/errors.ts'
import { type RenderedRefusal } from '../provider.ts'
import { messageWithField, refusalDetails } from '../refusal-details.ts'
import { retryHeaders, statusSentOnce } from '../retry-headers.ts'

/** OpenRouter's envelope. Its SDK finds none in an answer whose code is no number; out of credits is 402 there. */
export function renderOpenRouterRefusal (refusal: Refusal, callId: string): RenderedRefusal {
  const status = statusSentOnce(refusal)
  return {
    status,
    headers: { ...refusal.rates === undefined ? {} : openAiRateHeaders(refusal.rates), ...retryHeaders(refusal) },
    body: JSON.stringify({
      error: {
        code: status,
        message: messageWithField(refusal),
        relaycore: refusalDetails(refusal, callId),
      },
    }),
  }
}

/** an error within a stream is a chunk that has it ("Errors and debugging", mid-stream errors) */
export function renderOpenRouterCut (refusal: Refusal, callId: string): string {
  const { error } = JSON.parse(renderOpenRouterRefusal(refusal, callId).body) as { error: object }
  const choices = [{ index: 0, delta: { content: '' }, finish_reason: 'error' }]
  const chunk = { id: callId, object: 'chat.completion.chunk', created: 0, model: '', error, choices }
  return `data: ${JSON.stringify(chunk)}\n\n`
}
