import { type Refusal, type RefusalCode } from './errors.ts'

/**
 * Every code that an answer can carry: what it means and what helps. docs/ERRORS.md is this table, the API's
 * description takes its errors from it, and an answer never carries a code that is not here.
 */
export interface ErrorCode {
  status: number
  meaning: string
  remedy: string
}

/** of the admin API, as `code` of application/problem+json */
export const ADMIN_CODES = {
  bad_request: {
    status: 400,
    meaning: 'The request cannot be read as HTTP.',
    remedy: 'Look at what the client or a proxy before the gateway sends.',
  },
  invalid_url: {
    status: 400,
    meaning: 'The URL is malformed.',
    remedy: 'Percent-encode what goes into the path.',
  },
  invalid_body: {
    status: 400,
    meaning: 'The body is not the JSON that the route takes: empty, cut off, malformed, or with a forbidden name.',
    remedy: 'Send one well-formed JSON value in UTF-8, as long as its content-length says.',
  },
  invalid_field: {
    status: 400,
    meaning: 'One field, parameter or header is wrong; `field` names it, `expected` says what would be right.',
    remedy: 'Send what `expected` says.',
  },
  unauthorized: {
    status: 401,
    meaning: 'There is no token, or it is not, or no longer, a valid one.',
    remedy: 'Send `Authorization: Bearer <admin token>`.',
  },
  forbidden: {
    status: 403,
    meaning: 'The token is valid and does not allow this.',
    remedy: 'Ask with a token whose role allows it.',
  },
  not_found: {
    status: 404,
    meaning: 'There is no such object, or it is out of the reach of who asks.',
    remedy: 'Check the id.',
  },
  route_not_found: {
    status: 404,
    meaning: 'There is no route with this path.',
    remedy: 'Look the path up in the API reference at /docs.',
  },
  method_not_allowed: {
    status: 405,
    meaning: 'The path exists, not with this method; the header `allow` lists those it has.',
    remedy: 'Use one of them.',
  },
  conflict: {
    status: 409,
    meaning: 'The change contradicts what is there.',
    remedy: 'Read the object again, and change what `detail` says.',
  },
  budget_in_use: {
    status: 409,
    meaning: 'The budget was charged, so this field of it cannot change any more.',
    remedy: 'Archive it and make a new one.',
  },
  hold_settled: {
    status: 409,
    meaning: 'The hold has ended in another way before.',
    remedy: 'Read it; what it cost can be corrected by recorded usage.',
  },
  no_budget: {
    status: 409,
    meaning: 'No budget applies to what is to be set aside.',
    remedy: 'Create one, or name what its filters ask for.',
  },
  quote_exceeds_budget: {
    status: 409,
    meaning: 'The amount alone is more than the budget\'s limit.',
    remedy: 'Ask for less, or raise the amount of the budget.',
  },
  budget_exhausted: {
    status: 409,
    meaning: 'What is spent leaves less than the amount.',
    remedy: 'Wait for the reset that `budget` names, or raise the amount of the budget.',
  },
  approval_required: {
    status: 409,
    meaning: 'Past what is left of it the budget requires approval.',
    remedy: 'Ask for one: `POST /api/v1/approval-requests`.',
  },
  budget_in_doubt: {
    status: 409,
    meaning: 'What is left is leased to a gateway that is silent.',
    remedy: 'Start it again, or see `relaycore reconcile`.',
  },
  budget_held: {
    status: 409,
    meaning: 'Long holds set aside what is left; `hold` names the largest.',
    remedy: 'Settle or release it, or raise the amount of the budget.',
  },
  budget_paused: {
    status: 409,
    meaning: 'A budget that applies is paused.',
    remedy: 'Resume it.',
  },
  budget_contention: {
    status: 429,
    meaning: 'Open calls hold what is left.',
    remedy: 'Try again after `retry-after` seconds.',
  },
  precondition_failed: {
    status: 412,
    meaning: 'The object is another version by now than the one that `if-match` names; nothing was changed.',
    remedy: 'Read it again, and decide again.',
  },
  body_too_large: {
    status: 413,
    meaning: 'The body is larger than the route takes.',
    remedy: 'Send less at once.',
  },
  url_too_long: {
    status: 414,
    meaning: 'A part of the path is longer than any id.',
    remedy: 'Check the id.',
  },
  unsupported_media_type: {
    status: 415,
    meaning: 'The body is not application/json.',
    remedy: 'Send JSON, with `content-type: application/json`.',
  },
  unprocessable: {
    status: 422,
    meaning: 'The request is well formed and cannot be done as it is.',
    remedy: 'Change what `detail` says.',
  },
  idempotency_key_reused: {
    status: 422,
    meaning: 'This `idempotency-key` came before with another request.',
    remedy: 'Send a new key with a new request.',
  },
  too_many_failures: {
    status: 429,
    meaning: 'This address brought too many wrong tokens. A token that the gateway made passes all the same.',
    remedy: 'Try again after `retry-after` seconds, with a valid token.',
  },
  internal_error: {
    status: 500,
    meaning: 'The gateway failed.',
    remedy: 'Look for `requestId` in its log.',
  },
  dependency_unavailable: {
    status: 503,
    meaning: 'PostgreSQL, or what else the gateway needs for this, does not answer.',
    remedy: 'Try again after `retry-after` seconds.',
  },
} as const satisfies Record<string, ErrorCode>

export type AdminCode = keyof typeof ADMIN_CODES

/** of calls that are not forwarded; the status is that of errors.ts, or of the dialect */
export const REFUSAL_CODES: Record<RefusalCode, Omit<ErrorCode, 'status'>> = {
  key_missing: { meaning: 'The call has no gateway key.', remedy: 'Set the SDK\'s API key to a gateway key.' },
  key_invalid: { meaning: 'The key is none of this gateway.', remedy: 'Make one with POST /api/v1/keys.' },
  key_revoked: { meaning: 'The key was revoked.', remedy: 'Make a new one.' },
  key_expired: { meaning: 'The key\'s time is over.', remedy: 'Make a new one, or give it another `expiresAt`.' },
  key_disabled: { meaning: 'The key is disabled.', remedy: 'Enable it, or use another.' },
  provider_not_allowed: { meaning: 'The key may not call this provider.', remedy: 'Add it to the key\'s `allowedProviders`.' },
  model_not_allowed: { meaning: 'The key may not call this model.', remedy: 'Add it to the key\'s `allowedModels`.' },
  header_not_allowed: {
    meaning: 'An identity header that this key does not allow.', remedy: 'Leave it out, or allow it in the key\'s `allowHeaders`.',
  },
  header_required: { meaning: 'An identity header that this key demands is missing.', remedy: 'Send it.' },
  invalid_request: {
    meaning: 'The request cannot be read, so its cost cannot be bounded.', remedy: 'Send what the provider\'s API describes.',
  },
  body_too_large: {
    meaning: 'The body is larger than this gateway takes.', remedy: 'Send less, or raise `RELAYCORE_BODY_LIMIT`.',
  },
  unsupported_media_type: { meaning: 'The body is not application/json.', remedy: 'Send JSON.' },
  model_not_found: { meaning: 'No provider of this gateway has such a model.', remedy: 'See GET /v1/models.' },
  model_unpriced: { meaning: 'The model has no price, so its cost is not known.', remedy: 'Use a model with a price.' },
  path_not_allowed: { meaning: 'The path is none that the gateway can meter.', remedy: 'Use a path that it serves.' },
  feature_not_metered: {
    meaning: 'A feature whose cost tokens do not bound.', remedy: 'Leave out what the message names.',
  },
  no_budget: {
    meaning: 'No budget applies to the call.', remedy: 'Make a budget for its key\'s scope, or set `RELAYCORE_UNBUDGETED=allow`.',
  },
  budget_exhausted: {
    meaning: 'What is spent leaves less than the call can cost.', remedy: 'Wait for the reset that it names, or raise the amount.',
  },
  quote_exceeds_budget: {
    meaning: 'The call alone can cost more than the budget has.', remedy: 'Set a smaller `max_tokens`, or raise the amount.',
  },
  approval_required: {
    meaning: 'Past what is left of it the budget requires approval.', remedy: 'Ask for one: `POST /api/v1/approval-requests`.',
  },
  budget_contention: { meaning: 'Open calls hold what is left.', remedy: 'Try again; SDKs do so by themselves.' },
  budget_in_doubt: {
    meaning: 'What is left is leased to a gateway that is silent.', remedy: 'Start it again, or see `relaycore reconcile`.',
  },
  budget_held: {
    meaning: 'Long holds set aside what is left.', remedy: 'Settle or release the one that it names, or raise the amount.',
  },
  budget_paused: { meaning: 'A budget that applies is paused.', remedy: 'Resume it.' },
  model_restricted: {
    meaning: 'A budget has passed a threshold from which on it allows other models only.',
    remedy: 'Ask for one of the models that the message names, wait for the reset, or raise the amount.',
  },
  no_exchange_rate: {
    meaning: 'There is no exchange rate for a budget\'s currency, or only one that is too old.',
    remedy: 'Add one: POST /api/v1/exchange-rates, or RELAYCORE_RATES_URL.',
  },
  job_not_found: {
    meaning: 'No key of this organization made such a response in the background, or such a batch, through this gateway.',
    remedy: 'Check the id, and ask with a key of the organization that made it.',
  },
  job_not_over: {
    meaning: 'It goes on at the provider, and could not be charged once it is deleted there.', remedy: 'Cancel it first, or wait for its end.',
  },
  rate_limited: {
    meaning: 'The key, or a budget of the call, has no more requests, tokens or concurrent calls for now.',
    remedy: 'Wait for as long as `retry-after` says; SDKs do so by themselves.',
  },
  call_exceeds_rate_limit: {
    meaning: 'The call alone may use more tokens than a minute allows.', remedy: 'Set a smaller `max_tokens`, or raise `tokensPerMinute`.',
  },
  provider_not_configured: {
    meaning: 'The provider has no credential here.', remedy: 'Set the setting that the message names.',
  },
  upstream_unreachable: { meaning: 'The provider cannot be reached.', remedy: 'Try again.' },
  upstream_timeout: { meaning: 'The provider did not answer in time.', remedy: 'Try again.' },
  journal_unavailable: { meaning: 'The journal cannot be written.', remedy: 'Look at the gateway\'s disk.' },
  ledger_unavailable: { meaning: 'PostgreSQL does not answer.', remedy: 'Try again.' },
  ledger_backlog: { meaning: 'Too much waits to be recorded.', remedy: 'Try again; look at PostgreSQL.' },
  overloaded: {
    meaning: 'The gateway has taken on all that it takes at once.',
    remedy: 'Try again after `retry-after` seconds; SDKs do so by themselves. Its operator can add gateways, or raise `RELAYCORE_MAX_CALLS` and the like.',
  },
  shutting_down: { meaning: 'The gateway is stopping.', remedy: 'Try again.' },
  websocket_unsupported: { meaning: 'This path has no WebSocket here: what it costs could not be metered.', remedy: 'Use the HTTP endpoints.' },
  client_gone: { meaning: 'The client left before its call was forwarded.', remedy: 'Nothing.' },
  internal_error: { meaning: 'The gateway failed.', remedy: 'Look for the call\'s id in its log.' },
}

/** what would help against a refusal, in a sentence; every answer that tells of one says so */
export function remedyOf ({ code, remedy }: Refusal): string { return remedy ?? REFUSAL_CODES[code].remedy }

/** what SDKs show of a refusal: what happened and, where more is known than its code says, what would help */
export function toldOf ({ message, remedy }: Refusal): string {
  return remedy === undefined ? message : `${message} ${remedy}`
}
