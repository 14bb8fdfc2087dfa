import { type Refusal, REFUSAL_STATUS } from '../../errors.ts'
import { type RenderedRefusal } from '../provider.ts'
import { messageWithField, refusalDetails } from '../refusal-details.ts'
import { retryHeaders } from '../retry-headers.ts'

/** google.rpc.Code by HTTP status (googleapis, google/rpc/code.proto), and what its SDKs make of others */
const STATUSES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'RESOURCE_EXHAUSTED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'INVALID_ARGUMENT',
  415: 'INVALID_ARGUMENT',
  426: 'FAILED_PRECONDITION',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

const TYPE = 'type.googleapis.com/google.rpc.'

/**
 * Google's envelope. Measured: its SDK and the Gemini CLI stop at a 402; the CLI sends a bare 429 ten times, but one
 * with a quota whose id speaks of a day once.
 */
export function renderGeminiRefusal (refusal: Refusal, callId: string): RenderedRefusal {
  const status = REFUSAL_STATUS[refusal.code]
  return {
    status,
    headers: retryHeaders(refusal),
    body: JSON.stringify({
      error: {
        code: status,
        message: messageWithField(refusal),
        status: STATUSES[status] ?? 'UNKNOWN',
        details: detailsOf(refusal, status, callId),
        relaycore: refusalDetails(refusal, callId),
      },
    }),
  }
}

function detailsOf (refusal: Refusal, status: number, callId: string): object[] {
  const { code, field, budget, retryable, retryAfterMs } = refusal
  const details: object[] = [{
    '@type': `${TYPE}ErrorInfo`, reason: code.toUpperCase(), domain: 'relaycore', metadata: { callId },
  }]
  if (status === 402) {
    details.push({
      '@type': `${TYPE}QuotaFailure`,
      violations: [{
        subject: budget === undefined ? 'budget' : `budget:${budget.id}`,
        description: refusal.message,
        quotaMetric: 'relaycore/budget',
        quotaId: 'GatewayBudgetDaily',
        ...budget === undefined ? {} : { quotaValue: budget.limit, quotaDimensions: { budget: budget.name } },
      }],
    })
  }
  if (retryable && retryAfterMs !== undefined) {
    details.push({ '@type': `${TYPE}RetryInfo`, retryDelay: `${Math.ceil(Math.min(Math.max(0, retryAfterMs), 60_000)) / 1_000}s` })
  }
  if (field !== undefined) {
    details.push({ '@type': `${TYPE}BadRequest`, fieldViolations: [{ field, description: refusal.message }] })
  }
  return details
}
