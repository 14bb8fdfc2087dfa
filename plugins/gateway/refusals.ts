import { type FastifyReply, type FastifyRequest } from 'fastify'
import { type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import { v7 as uuidv7 } from 'uuid'
import { REFUSAL_STATUS, type Refusal } from '../../src/errors.ts'
import { type CallGate } from '../../src/gateway/call.ts'
import { type Provider, type RenderedRefusal } from '../../src/providers/provider.ts'

/**
 * Refusals and accidents, put in the error envelope of the client's own SDK. A detail of an accident stays in the log.
 */
export const CALL_ID_HEADER = 'x-relaycore-call-id'

/** Counts a refusal that the data plane made itself, and answers with it. */
export function refuse (
  gate: CallGate, provider: Provider, refusal: Refusal, request: FastifyRequest, reply: FastifyReply
): void {
  const named = withCallId(refusal, reply.getHeaders())
  gate.refused(named, provider.name)
  sendRefusal(provider, named, request, reply)
}

/** Answers with a refusal that has been counted already. */
export function sendRefusal (
  provider: Provider, refusal: Refusal, request: FastifyRequest, reply: FastifyReply
): void {
  const { callId } = withCallId(refusal, reply.getHeaders())
  const { status, headers, body } = render(provider, refusal, callId, request.headers['user-agent'] ?? '')
  reply.code(status).headers({ ...headers, [CALL_ID_HEADER]: callId })
  if (!reply.hasHeader('content-type')) reply.header('content-type', JSON_TYPE)
  reply.header('x-content-type-options', 'nosniff')
  reply.send(body)
}

/** The same straight onto a response that Fastify no longer minds. */
export function writeRefusal (
  provider: Provider, refusal: Refusal, response: ServerResponse, own: OutgoingHttpHeaders, userAgent: string
): void {
  const { callId } = withCallId(refusal, own)
  const { status, headers, body } = render(provider, refusal, callId, userAgent)
  response.writeHead(status, {
    'content-type': JSON_TYPE, 'x-content-type-options': 'nosniff', [CALL_ID_HEADER]: callId, ...own, ...headers, 'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

/** the log and the answer name a refusal alike: by its call's id, or one of its own where no call came about */
export function withCallId (
  refusal: Refusal, headers: Record<string, unknown>
): Refusal & { callId: string } {
  return { ...refusal, callId: refusal.callId ?? String(headers[CALL_ID_HEADER] ?? uuidv7()) }
}

export function internalError (): Refusal {
  return { code: 'internal_error', message: 'The gateway failed on this request.', retryable: false }
}

export function shuttingDown (): Refusal {
  return { code: 'shutting_down', message: 'This gateway is stopping. Try again.', retryable: true }
}

/** What became of the request before it reached a handler, by the code or status that Fastify gives it. */
export function refusalOf (error: unknown, bodyLimit: number): Refusal {
  if (error instanceof Refused) return error.refusal
  const { code, status } = describe(error)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const message = `The request body is larger than this gateway takes (${bodyLimit} bytes).`
    return { code: 'body_too_large', message, retryable: false }
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return unsupportedType('The body must be application/json.')
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH') {
    return invalid('The body is not as long as its content-length says.')
  }
  if (code === 'FST_ERR_BAD_URL') return notAllowed('The URL is malformed.')
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return notAllowed('The URL is too long.')
  if (status === 400) return invalid('The request cannot be read.')
  return internalError()
}

/** A refusal where only an error gets through. */
export class Refused extends Error {
  readonly refusal: Refusal

  constructor (refusal: Refusal) {
    super(refusal.message)
    this.refusal = refusal
  }
}

export function unsupportedType (message: string): Refusal {
  return { code: 'unsupported_media_type', message, retryable: false }
}

export function invalid (message: string): Refusal {
  return { code: 'invalid_request', message, retryable: false }
}

export function notAllowed (message: string): Refusal {
  return { code: 'path_not_allowed', message, retryable: false }
}

const JSON_TYPE = 'application/json; charset=utf-8'

/** A provider that cannot render its own error still must not leave its client without an answer. */
function render (provider: Provider, refusal: Refusal, callId: string, userAgent: string): RenderedRefusal {
  try {
    return provider.dialect.renderRefusal(refusal, callId, userAgent)
  } catch {
    const body = JSON.stringify({ error: { type: refusal.code, code: refusal.code, message: refusal.message } })
    return { status: REFUSAL_STATUS[refusal.code] ?? 500, headers: {}, body }
  }
}

function describe (error: unknown): { code: string, status: number } {
  if (typeof error !== 'object' || error === null) return { code: '', status: 500 }
  const code = 'code' in error ? String(error.code) : ''
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
  return { code, status }
}
