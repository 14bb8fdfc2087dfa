import { type Refusal, REFUSAL_STATUS } from '../../errors.ts'
import { openAiRateHeaders } from '../openai/errors.ts'
import { type RenderedRefusal } from '../provider.ts'
import { messageWithField, refusalDetails } from '../refusal-details.ts'
import { retryHeaders } from '../retry-headers.ts'

/** OpenRouter's envelope. Its SDK finds none in an answer whose code is no number; out of credits is 402 there. */
export function renderOpenRouterRefusal (refusal: Refusal, callId: string): RenderedRefusal {
  const status = REFUSAL_STATUS[refusal.code]
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
