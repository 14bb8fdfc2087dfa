import { type FastifyReply, type FastifyRequest } from 'fastify'
import { invalidField, PreconditionFailed } from '../../src/errors.ts'

/**
 * Entity tags (RFC 9110): an object's version in quotes. `If-Match` is judged within the change's transaction, with the
 * object locked, so that of two who read the same version only one changes it.
 */
const LIST = /^(?:W\/)?"[\x21\x23-\x7e]*"(?:[ \t]*,[ \t]*(?:W\/)?"[\x21\x23-\x7e]*")*$/
const EXPECTED = '* or entity tags in quotes, e.g. "42"'

export function etagOf ({ version }: { version: number }): string { return `"${version}"` }

/** Throws where the request expects another version than the one there is. */
export type Expectation = (current: { version: number }) => void

export function ifMatch ({ headers }: FastifyRequest): Expectation {
  const tags = tagsOf('if-match', headers['if-match'])
  return (current) => {
    // a weak tag never matches here, as the standard has it
    if (tags === null || tags === '*' || tags.includes(etagOf(current))) return
    throw Object.assign(new PreconditionFailed(
      `If-Match expects ${tags.join(', ')}, and the version is ${etagOf(current)} by now: read it again`), { field: 'if-match' })
  }
}

/** Names the version in the answer; true: the asker has it already, and the answer has no body. */
export function notModified ({ headers }: FastifyRequest, reply: FastifyReply, current: { version: number }): boolean {
  const etag = etagOf(current)
  reply.header('etag', etag)
  const tags = tagsOf('if-none-match', headers['if-none-match'])
  if (tags === null) return false
  return tags === '*' || tags.some((tag) => tag.replace(/^W\//, '') === etag)
}

/** 304 with nothing behind it, not even the four letters of `null` in its content-length */
export function withoutBody (reply: FastifyReply): FastifyReply { return reply.code(304).send() }

function tagsOf (name: string, value: string | undefined): string[] | '*' | null {
  if (value === undefined) return null
  const text = value.trim()
  if (text === '*') return '*'
  if (!LIST.test(text)) throw invalidField(name, EXPECTED, value)
  return text.split(',').map((tag) => tag.trim())
}
