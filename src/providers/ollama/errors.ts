import { type Refusal, REFUSAL_STATUS } from '../../errors.ts'
import { openAiRateHeaders } from '../openai/errors.ts'
import { type RenderedRefusal } from '../provider.ts'
import { messageWithField, refusalDetails } from '../refusal-details.ts'
import { retryHeaders } from '../retry-headers.ts'

/** Ollama's envelope. Measured: its library sends nothing again, whatever the status. */
export function renderOllamaRefusal (refusal: Refusal, callId: string): RenderedRefusal {
  return {
    status: REFUSAL_STATUS[refusal.code],
    headers: { ...refusal.rates === undefined ? {} : openAiRateHeaders(refusal.rates), ...retryHeaders(refusal) },
    body: JSON.stringify({ error: messageWithField(refusal), relaycore: refusalDetails(refusal, callId) }),
  }
}
