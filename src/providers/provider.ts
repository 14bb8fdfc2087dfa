import type { Refusal } from '../errors.ts'
import type { RateStanding } from '../limits/limiter.ts'
import type { CallBound } from '../pricing/price.ts'
import type { Meter } from '../usage/meter.ts'

/** What the gateway reads of a billable request before it forwards it. */
export interface CallRequest {
  model: string
  stream: boolean
  bound: CallBound
  /** the client itself asked for usage in the stream; false: it is switched on upstream and taken out again */
  usageAsked: boolean
  /**
   * Tokens of stated thinking, for which a lowered output limit must leave room. 'open': the request lets a model that
   * thinks do so for as long as it likes. null: a lowered limit would not bound what the call costs.
   */
  thinking: number | 'open' | null
  /** for whom the client works, as the body says it and unchecked; null or absent: it does not say */
  endUser?: unknown
  /** where the body says so */
  endUserField: string
}

/** What goes upstream otherwise than the client asked. null: as it asked. */
export interface CallChanges {
  /** a name that the provider knows */
  model: string | null
  /** of each answer, thinking included; never above the client's own limit */
  outputTokens: number | null
}

export const AS_ASKED: CallChanges = { model: null, outputTokens: null }

export interface RenderedRefusal {
  status: number
  headers: Record<string, string>
  /** JSON text */
  body: string
}

export interface BillableEndpoint {
  kind: 'billable'
  /** written to the ledger, e.g. `chat.completions` */
  name: string
  method: 'POST'
  /** below the provider's /v1, e.g. `/chat/completions` */
  path: string
  /** `body` is the parsed JSON of `bytes`. Pure, linear in the body, never throws. */
  read (body: unknown, bytes: Buffer): CallRequest | Refusal
  /** the bytes to send: `bytes` itself unless something of it is changed, or usage reporting must be switched on */
  forwardBody (call: CallRequest, body: unknown, bytes: Buffer, changes: CallChanges): Buffer
  meter (call: CallRequest, answer: { status: number, contentType: string, contentEncoding: string }): Meter
}

/** Answered by the gateway itself or passed on without a hold: known to cost nothing. */
export interface FreeEndpoint {
  kind: 'free'
  name: string
  method: 'GET' | 'POST'
  path: string
  /** 'models': answered from the catalog; 'forward': passed to the provider with its credential */
  served: 'models' | 'forward'
}

/** One provider's dialect: its paths, what its requests may cost, what its answers say, how it puts errors. */
export interface Provider {
  name: string
  endpoints: (BillableEndpoint | FreeEndpoint)[]
  /** headers that carry the provider's own credential upstream */
  credential (apiKey: string): Record<string, string>
  /** answer of GET /models and GET /models/:id for the catalog's models; undefined id: the list; null: not there */
  renderModels (models: string[], id?: string): string | null
  renderRefusal (refusal: Refusal, callId: string, userAgent: string): RenderedRefusal
  /** how the provider itself tells of limited rates, at `now` (ms since the epoch) */
  rateHeaders (standing: RateStanding, now: number): Record<string, string>
}

export function isRefusal (value: object): value is Refusal {
  return 'code' in value && 'retryable' in value
}
