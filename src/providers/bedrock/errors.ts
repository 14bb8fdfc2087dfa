import { remedyOf, toldOf } from '../../error-codes.ts'
import { type Refusal } from '../../errors.ts'
import { type RenderedRefusal } from '../provider.ts'
import { retryHeaders, statusSentOnce } from '../retry-headers.ts'

/** Exceptions that AWS's SDKs know, by status (Amazon Bedrock API reference, "Common errors"). */
const EXCEPTIONS: Record<number, string> = {
  400: 'ValidationException',
  401: 'UnrecognizedClientException',
  402: 'ServiceQuotaExceededException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  408: 'ModelTimeoutException',
  413: 'ValidationException',
  415: 'ValidationException',
  429: 'ThrottlingException',
  503: 'ServiceUnavailableException',
  504: 'ModelTimeoutException',
}

/** AWS's envelope: the exception is named in a header. Measured: its SDK does not retry a 402, whatever its name. */
export function renderBedrockRefusal (refusal: Refusal, callId: string): RenderedRefusal {
  const status = statusSentOnce(refusal)
  const type = EXCEPTIONS[status] ?? (status >= 500 ? 'InternalServerException' : 'ValidationException')
  const told = toldOf(refusal)
  const { field } = refusal
  return {
    status,
    headers: { 'x-amzn-errortype': type, 'x-amzn-requestid': callId, ...retryHeaders(refusal) },
    body: JSON.stringify({
      message: field === undefined || told.includes(field) ? told : `${field}: ${told}`,
      relaycore: { code: refusal.code, callId, remedy: remedyOf(refusal), budget: refusal.budget ?? null },
    }),
  }
}
