import { type FastifyReply, type FastifyRequest } from 'fastify'
import { STATUS_CODES } from 'node:http'

interface Problematic { instancePath: string, message?: string, params?: Record<string, unknown> }

interface Failure extends Error {
  statusCode?: number
  code?: string
  field?: string
  validation?: Problematic[]
  validationContext?: string
}

/** RFC 9457: `type, title, status, detail, code` and, where one is wrong, `field`. */
export function answerProblem (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = (thrown instanceof Error ? thrown : new Error(String(thrown))) as Failure
  const status = error.validation !== undefined ? 400 : error.statusCode ?? 500
  if (status >= 500) request.log.error({ err: error }, 'an admin request failed')
  const problem = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: detailOf(error, status),
    code: error.validation !== undefined ? 'invalid_field' : codeOf(error, status),
    ...fieldOf(error),
  }
  return reply.code(status).header('content-type', 'application/problem+json; charset=utf-8').send(JSON.stringify(problem))
}

function codeOf (error: Failure, status: number): string {
  // @fastify/error writes codes in capital letters
  if (error.code !== undefined && /^(?!FST_)[A-Z_]+$/i.test(error.code)) return error.code.toLowerCase()
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return 'body_too_large'
  if (error.code?.startsWith('FST_ERR_CTP_') === true) return 'invalid_body'
  if (error instanceof SyntaxError) return 'invalid_body'
  return status === 404 ? 'not_found' : status < 500 ? 'bad_request' : 'internal_error'
}

function detailOf (error: Failure, status: number): string {
  const [first] = error.validation ?? []
  if (first !== undefined) {
    const where = `${error.validationContext ?? 'request'}${first.instancePath}`
    const extra = first.params?.['additionalProperties']
    return `${where} ${first.message ?? 'is wrong'}${extra === undefined ? '' : `: ${JSON.stringify(extra)}`}`
  }
  // what went wrong inside is for the log
  return status >= 500 && status !== 503 ? 'The gateway failed; see its log.' : error.message
}

function fieldOf (error: Failure): { field?: string } {
  if (error.field !== undefined) return { field: error.field }
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return { field: 'content-type' }
  if (error.code?.startsWith('FST_ERR_CTP_') === true || error instanceof SyntaxError) return { field: 'body' }
  const [first] = error.validation ?? []
  return first === undefined ? {} : { field: pathOf(first) ?? error.validationContext ?? 'body' }
}

/** what is missing or too much has no path of its own: its parent has it, and its name is beside */
function pathOf ({ instancePath, params }: Problematic): string | null {
  const names = params?.['requiredProperties'] ?? params?.['additionalProperties']
  const named = Array.isArray(names) ? String(names[0]) : ''
  const path = [instancePath.slice(1), named].filter((part) => part !== '').join('/')
  return path === '' ? null : path
}
