import { type Refusal, REFUSAL_STATUS } from '../../errors.ts'
import { openAiRateHeaders } from '../openai/errors.ts'
import { type RenderedRefusal } from '../provider.ts'
import { messageWithField, refusalDetails } from '../refusal-details.ts'
import { retryHeaders } from '../retry-headers.ts'

/** Mistral's envelope. Measured: its SDK sends nothing again, whatever the status. */
export function renderMistralRefusal (refusal: Refusal, callId: string): RenderedRefusal {
  return {
    status: REFUSAL_STATUS[refusal.code],
    headers: { ...refusal.rates === undefined ? {} : openAiRateHeaders(refusal.rates), ...retryHeaders(refusal) },
    body: JSON.stringify({
      object: 'error',
      message: messageWithField(refusal),
      type: refusal.code,
      param: refusal.field ?? null,
      code: String(REFUSAL_STATUS[refusal.code]),
      relaycore: refusalDetails(refusal, callId),
    }),
  }
}
