import { type FastifyReply, type FastifyRequest } from 'fastify'
import { STATUS_CODES } from 'node:http'
import { ADMIN_CODES, type AdminCode } from '../../src/error-codes.ts'
import { type HoldRefusalDetails } from '../../src/errors.ts'

interface Failure extends Error, Partial<HoldRefusalDetails> {
  statusCode?: number
  code?: string
  field?: string
  expected?: string
  /** seconds */
  retryAfter?: number
}

export const PROBLEM_TYPE = 'application/problem+json'

/** A request may succeed when it is sent again after so many seconds. */
const RETRY_SECONDS = 1

/** where a gateway that is mounted under no prefix says what each code means */
export const ERRORS_PAGE = '/docs/errors'

/**
 * RFC 9457: `type, title, status, detail, code, requestId` and, where one is wrong, `field` and what was `expected`;
 * where a budget has not enough, `budget`, `remedy` and the `hold` in the way. `type` leads to the code on `page`.
 * Code and status are always those of a row of ADMIN_CODES; what went wrong inside is for the log alone.
 */
export function answerProblem (
  thrown: unknown, request: FastifyRequest, reply: FastifyReply, page = ERRORS_PAGE
): FastifyReply {
  const error = (thrown instanceof Error ? thrown : new Error(String(thrown))) as Failure
  const code = codeOf(error)
  const { status } = ADMIN_CODES[code]
  if (status >= 500) request.log.error({ err: error, requestId: request.id }, 'an admin request failed')
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  if (status === 429 || status === 503) reply.header('retry-after', error.retryAfter ?? RETRY_SECONDS)
  const problem = {
    type: `${page}#${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: detailOf(error, code),
    code,
    requestId: request.id,
    ...fieldOf(error, code),
    ...error.expected === undefined ? {} : { expected: error.expected },
    ...error.remedy === undefined ? {} : { remedy: error.remedy, budget: error.budget, hold: error.hold },
  }
  return reply.code(status).header('content-type', `${PROBLEM_TYPE}; charset=utf-8`).send(JSON.stringify(problem))
}

function detailOf ({ message }: Failure, code: AdminCode): string {
  const { status, meaning, remedy } = ADMIN_CODES[code]
  return status === 500 ? meaning : OF_URL.has(code) || code === 'unsupported_media_type' ? `${meaning} ${remedy}` : message
}

/** the framework's own words repeat the URL, however long */
const OF_URL = new Set<AdminCode>(['invalid_url', 'url_too_long'])

function fieldOf ({ field }: Failure, code: AdminCode): { field?: string } {
  if (field !== undefined) return { field }
  if (code === 'unsupported_media_type') return { field: 'content-type' }
  if (OF_URL.has(code)) return { field: 'url' }
  return code === 'invalid_body' || code === 'body_too_large' ? { field: 'body' } : {}
}

const OF_FRAMEWORK: Record<string, AdminCode> = {
  FST_ERR_BAD_URL: 'invalid_url',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_body',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_body',
  FST_ERR_MAX_PARAM_LENGTH: 'url_too_long',
}

const OF_STATUS: Record<number, AdminCode> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  413: 'body_too_large',
  414: 'url_too_long',
  415: 'unsupported_media_type',
  422: 'unprocessable',
  503: 'dependency_unavailable',
}

function codeOf ({ code, statusCode = 500 }: Failure): AdminCode {
  // @fastify/error writes codes in capital letters
  const own = code?.toLowerCase()
  if (own !== undefined && isAdminCode(own)) return own
  return OF_FRAMEWORK[code ?? ''] ?? OF_STATUS[statusCode] ?? (statusCode < 500 ? 'bad_request' : 'internal_error')
}

function isAdminCode (code: string): code is AdminCode { return Object.hasOwn(ADMIN_CODES, code) }
