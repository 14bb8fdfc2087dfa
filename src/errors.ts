import createError, { type FastifyError } from '@fastify/error'
import { type RateStanding } from './limits/limiter.ts'

/**
 * Why a call is not forwarded. Each code is part of the API: clients and dashboards match on it.
 * A refusal is an expected outcome, so it is a value; providers/<name>/errors.ts renders it in the
 * envelope of the SDK that asked.
 */
export type RefusalCode =
  | 'key_missing' | 'key_invalid' | 'key_revoked' | 'key_expired' | 'key_disabled' | 'header_not_allowed' | 'header_required'
  | 'invalid_request' | 'body_too_large' | 'unsupported_media_type'
  | 'provider_not_allowed' | 'model_not_allowed' | 'model_not_found' | 'model_unpriced' | 'path_not_allowed' | 'feature_not_metered'
  | 'no_budget' | 'budget_exhausted' | 'quote_exceeds_budget' | 'budget_contention'
  | 'approval_required' | 'budget_in_doubt' | 'budget_held' | 'budget_paused' | 'model_restricted' | 'no_exchange_rate'
  | 'job_not_found' | 'job_not_over'
  | 'rate_limited' | 'call_exceeds_rate_limit'
  | 'provider_not_configured' | 'upstream_unreachable' | 'upstream_timeout'
  | 'journal_unavailable' | 'ledger_unavailable' | 'ledger_backlog' | 'overloaded' | 'shutting_down' | 'websocket_unsupported'
  | 'client_gone' | 'internal_error'

/** The budget that decided, as the client is told about it. Amounts are decimal strings in `currency`. */
export interface RefusalBudget {
  id: string
  name: string
  scopeType: string
  scopeId: string
  /** of a budget for each of many: whose account it is */
  subject?: string
  currency: string
  limit: string
  spent: string
  held: string
  needed: string
  remaining: string
  /** RFC 3339, null when the period never ends */
  resetsAt: string | null
}

export interface Refusal {
  code: RefusalCode
  /** one or two plain sentences: what happened */
  message: string
  /** what would help, in a sentence, where more is known of it than what REFUSAL_CODES says of the code */
  remedy?: string
  /** contention and passing faults only: the same call may succeed a moment later */
  retryable: boolean
  retryAfterMs?: number
  /** the field of the request that is wrong, where one is */
  field?: string
  budget?: RefusalBudget
  /** of the budget that decided */
  budgetId?: string
  /** for the provider's own headers, where rates are limited */
  rates?: RateStanding
  /** by which the log and the answer name what was refused */
  callId?: string
}

/** HTTP status of a refusal where the dialect has no rule of its own (DESIGN section 9). */
export const REFUSAL_STATUS: Record<RefusalCode, number> = {
  key_missing: 401,
  key_invalid: 401,
  key_revoked: 401,
  key_expired: 401,
  key_disabled: 401,
  header_not_allowed: 403,
  header_required: 403,
  invalid_request: 400,
  body_too_large: 413,
  unsupported_media_type: 415,
  provider_not_allowed: 403,
  model_not_allowed: 403,
  model_not_found: 404,
  model_unpriced: 404,
  path_not_allowed: 403,
  feature_not_metered: 403,
  no_budget: 403,
  budget_exhausted: 402,
  quote_exceeds_budget: 402,
  budget_contention: 429,
  approval_required: 402,
  budget_in_doubt: 402,
  budget_held: 402,
  budget_paused: 403,
  model_restricted: 402,
  no_exchange_rate: 503,
  job_not_found: 404,
  job_not_over: 400,
  rate_limited: 429,
  call_exceeds_rate_limit: 413,
  provider_not_configured: 503,
  upstream_unreachable: 502,
  upstream_timeout: 504,
  journal_unavailable: 503,
  ledger_unavailable: 503,
  ledger_backlog: 503,
  overloaded: 503,
  shutting_down: 503,
  websocket_unsupported: 426,
  client_gone: 499,
  internal_error: 500,
}

/** Errors of the admin API, rendered as RFC 9457 problem+json with `code`. */
export const Unauthorized = createError('unauthorized', '%s', 401)
export const Forbidden = createError('forbidden', '%s', 403)
export const NotFound = createError('not_found', '%s', 404)
export const RouteNotFound = createError('route_not_found', '%s', 404)
export const MethodNotAllowed = createError('method_not_allowed', '%s', 405)
export const Conflict = createError('conflict', '%s', 409)
export const BudgetInUse = createError('budget_in_use', '%s', 409)
export const TooManyFailures = createError('too_many_failures', '%s', 429)
export const Unprocessable = createError('unprocessable', '%s', 422)
export const IdempotencyKeyReused = createError('idempotency_key_reused', '%s', 422)
export const PreconditionFailed = createError('precondition_failed', '%s', 412)
export const InvalidBody = createError('invalid_body', '%s', 400)
/** A field of the request is wrong; `field` is its JSON path, `expected` what would be right. */
export const InvalidField = createError('invalid_field', '%s', 400)
export const DependencyUnavailable = createError('dependency_unavailable', '%s', 503)

export const HoldSettled = createError('hold_settled', '%s', 409)

/**
 * Why an amount is not set aside for another system, by the codes that calls are refused with. 409 for all that is
 * final, since the state of a budget refuses it and no client sends it again by itself; contention alone is a 429.
 */
const HOLD_REFUSALS = {
  no_budget: createError('no_budget', '%s', 409),
  quote_exceeds_budget: createError('quote_exceeds_budget', '%s', 409),
  budget_exhausted: createError('budget_exhausted', '%s', 409),
  approval_required: createError('approval_required', '%s', 409),
  budget_in_doubt: createError('budget_in_doubt', '%s', 409),
  budget_held: createError('budget_held', '%s', 409),
  budget_paused: createError('budget_paused', '%s', 409),
  budget_contention: createError('budget_contention', '%s', 429),
}

export type HoldRefusalCode = keyof typeof HOLD_REFUSALS

/** What a refusal says besides its message; the API shows all but `budgetId` and `accounts`. */
export interface HoldRefusalDetails {
  remedy: string
  /** of the budget that decided */
  budgetId?: string
  budget?: RefusalBudget
  /** the long hold in the way */
  hold?: { id: string, until: string }
  /** those on which leases are in the way that may not be in use */
  accounts?: number[]
}

export function holdRefusal (code: HoldRefusalCode, message: string, details: HoldRefusalDetails): FastifyError {
  return Object.assign(new HOLD_REFUSALS[code](message), details)
}

/** the accounts on which something may be given back at will; empty: nothing would help */
export function shortAccounts (error: unknown): number[] {
  return error instanceof HOLD_REFUSALS.budget_contention ? (error as Partial<HoldRefusalDetails>).accounts ?? [] : []
}

/** what is right by itself and cannot be done with what there is; `message` says what would help */
export function unprocessable (field: string, message: string): FastifyError {
  return Object.assign(new Unprocessable(message), { field })
}

export interface FieldError extends FastifyError {
  field: string
  expected: string
}

export function invalidField (field: string, expected: string, got: unknown): FieldError {
  return Object.assign(new InvalidField(`${field} must be ${expected}; got ${shown(got)}`), { field, expected })
}

/** As JSON and short; what is nested is not gone into, since it may be nested deeper than a stack goes. */
function shown (got: unknown): string {
  if (got === undefined) return 'nothing'
  if (Array.isArray(got)) return `a list of ${got.length}`
  if (typeof got === 'object' && got !== null) {
    const names = Object.keys(got)
    return names.length === 0 ? 'an empty object' : `an object with ${names.slice(0, 5).join(', ').slice(0, 100)}`
  }
  return JSON.stringify(got)?.slice(0, 100) ?? String(got)
}
