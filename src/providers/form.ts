import { isUtf8 } from 'node:buffer'
import { badRequest, type ParsedBody } from './body.ts'
import { changedBody } from './changed-body.ts'
import { type CallChanges } from './provider.ts'

/**
 * Multipart forms (RFC 7578). The client's own bytes go upstream, so what counts is that no parser reads them otherwise
 * than this one: a form is as the usual clients write it, or it is refused. Nothing is copied.
 */

/** A part that has a name of a file; all others are text. */
export class FormFile {
  readonly bytes: Buffer

  constructor (bytes: Buffer) { this.bytes = bytes }
}

/** A text, a file, or a list of them, for names that end in brackets or are there several times. */
export type FormValue = string | FormFile | (string | FormFile)[]

const FORM = /^\s*multipart\/form-data\s*(?:;|$)/i
const BOUNDARY =
  /^\s*multipart\/form-data(?:; ?charset=[\w-]+)?\s*;\s*boundary=(?:"([\w'()+,./:=?-]{1,70})"|([\w'+.-]{1,70}))\s*$/i
/** no request has more */
const MOST_PARTS = 1_000
const LONGEST_HEAD = 4_096
const [CR, LF, DASH] = [0x0d, 0x0a, 0x2d]
const END_OF_HEAD = Buffer.from('\r\n\r\n')

export function isForm (contentType: string | undefined): boolean {
  return contentType !== undefined && FORM.test(contentType)
}

/**
 * The fields of a form, or why it is none. Linear; never throws. `x[]` and `x[y]` are elements of the list `x`, and so
 * is each `x` where there are several: who wants one of it refuses them.
 */
export function parseForm (bytes: Buffer, contentType: string): ParsedBody {
  const [, quoted, bare] = BOUNDARY.exec(contentType) ?? []
  const boundary = quoted ?? bare
  if (boundary === undefined) return refused('The content-type must be multipart/form-data with one boundary.')
  const parts = partsOf(bytes, boundary)
  if (typeof parts === 'string') return refused(`The form cannot be read: ${parts}.`)
  const body = Object.create(null) as Record<string, FormValue>
  for (const { name, file, from, to } of parts) {
    const value = bytes.subarray(from, to)
    const bracket = name.indexOf('[')
    const field = bracket === -1 ? name : name.slice(0, bracket)
    if (!file && !isUtf8(value)) return refused(`The field ${JSON.stringify(field)} is not valid UTF-8.`, field)
    const one = file ? new FormFile(value) : value.toString('utf8')
    const known = body[field]
    if (known === undefined) body[field] = bracket === -1 ? one : [one]
    else if (Array.isArray(known)) known.push(one)
    else body[field] = [known, one]
  }
  return { body }
}

/** The same form with another text in this field, byte for byte unchanged around it. */
export function withField (bytes: Buffer, name: string, text: string): Buffer {
  const boundary = bytes.toString('latin1', DASHES, bytes.indexOf(CR))
  const parts = partsOf(bytes, boundary)
  const part = typeof parts === 'string' ? undefined : parts.find((one) => one.name === name)
  const [before, behind] = part === undefined
    ? [`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`, bytes]
    : [text, bytes.subarray(part.to)]
  return Buffer.concat([bytes.subarray(0, part?.from ?? 0), Buffer.from(before), behind])
}

const DASHES = 2

/** A body, JSON or a form, with another model where one takes the place of the one that was asked for. */
export function withModel (body: unknown, bytes: Buffer, { model }: CallChanges): Buffer {
  if (model === null) return bytes
  return bytes[0] === DASH ? withField(bytes, 'model', model) : changedBody(body, bytes, { model, outputTokens: null }, [])
}

/** Those of these fields that are written as numbers or as true and false, as what they say. */
export function typed (
  body: Record<string, unknown>, fields: { numbers?: readonly string[], flags?: readonly string[] }
): Record<string, unknown> {
  const read: Record<string, unknown> = { ...body }
  for (const name of fields.numbers ?? []) {
    const value = read[name]
    if (typeof value === 'string' && /^\d{1,15}$/.test(value)) read[name] = Number(value)
  }
  for (const name of fields.flags ?? []) {
    if (read[name] === 'true' || read[name] === 'false') read[name] = read[name] === 'true'
  }
  return read
}

/** all files of a form, in lists too */
export function filesOf (body: Record<string, unknown>): FormFile[] {
  return Object.values(body).flat().filter((value) => value instanceof FormFile)
}

interface Part { name: string, file: boolean, from: number, to: number }

/** a text: why it is no form */
function partsOf (bytes: Buffer, boundary: string): Part[] | string {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1')
  const parts: Part[] = []
  if (bytes.indexOf(delimiter) !== 0) return 'it does not begin with its boundary'
  for (let at = delimiter.length; ;) {
    if (bytes[at] === DASH && bytes[at + 1] === DASH) {
      const rest = bytes.length - at - 2
      const ended = rest === 0 || (rest === 2 && isLineEnd(bytes, at + 2))
      return ended ? parts : 'something stands behind its end'
    }
    if (!isLineEnd(bytes, at)) return 'a line with its boundary has something else in it'
    if (parts.length === MOST_PARTS) return `it has more than ${MOST_PARTS} parts`
    const next = bytes.indexOf(delimiter, at + 2)
    if (next === -1) return 'it has no end'
    const part = partOf(bytes, at + 2, next)
    if (typeof part === 'string') return part
    parts.push(part)
    at = next + delimiter.length
  }
}

/** between the line of a boundary and the next boundary */
function partOf (bytes: Buffer, start: number, next: number): Part | string {
  if (!isLineEnd(bytes, next - 2)) return 'its boundary stands within a part'
  const head = bytes.subarray(start, Math.min(next, start + LONGEST_HEAD)).indexOf(END_OF_HEAD)
  const from = start + head + END_OF_HEAD.length
  if (head === -1 || from > next - 2) return 'a part has no head, or one that is too long'
  const named = readHead(bytes.toString('latin1', start, start + head))
  return typeof named === 'string' ? named : { ...named, from, to: next - 2 }
}

function isLineEnd (bytes: Buffer, at: number): boolean { return bytes[at] === CR && bytes[at + 1] === LF }

const HEADER = /^([A-Za-z-]+): ?([^\r\n\0]*)$/
const PARAMETER = /; ?(name|filename|filename\*)=(?:"([^"\\\r\n\0]*)"|([\w.'%*!#$&+^`|~-]+))/gy
const NAME = /^[\w.-]{1,100}(?:\[[\w.-]{0,100}\])?$/
/** of parts that are text */
const TYPE = /^(?:text\/plain|application\/json|application\/octet-stream)(?:; ?charset="?(?:utf-?8|us-ascii)"?)?$/i

function readHead (head: string): Pick<Part, 'name' | 'file'> | string {
  const headers = new Map<string, string>()
  for (const line of head.split('\r\n')) {
    const [, name, value] = HEADER.exec(line) ?? []
    if (name === undefined || value === undefined) return 'a part has a header that is none'
    const known = name.toLowerCase()
    if (headers.has(known)) return 'a part has a header twice'
    headers.set(known, value)
  }
  const disposition = headers.get('content-disposition') ?? ''
  const encoding = headers.get('content-transfer-encoding') ?? 'binary'
  if (!/^(?:binary|[78]bit)$/i.test(encoding)) return 'a part is in another encoding'
  for (const name of headers.keys()) if (!KNOWN_HEADERS.has(name)) return `a part has the header ${JSON.stringify(name)}`
  const parameters = parametersOf(disposition)
  const name = parameters?.get('name')
  if (parameters === null || name === undefined || !NAME.test(name)) return 'a part has no name, or one that is not plain'
  const file = parameters.has('filename') || parameters.has('filename*')
  const type = headers.get('content-type') ?? 'text/plain'
  return file || TYPE.test(type) ? { name, file } : 'a part that is no file has a type that is no text'
}

const KNOWN_HEADERS = new Set(['content-disposition', 'content-type', 'content-length', 'content-transfer-encoding'])

/** null: it is not written as one */
function parametersOf (disposition: string): Map<string, string> | null {
  if (!disposition.startsWith('form-data')) return null
  const parameters = new Map<string, string>()
  PARAMETER.lastIndex = 'form-data'.length
  while (PARAMETER.lastIndex < disposition.length) {
    const [, name, quoted, bare] = PARAMETER.exec(disposition) ?? []
    if (name === undefined || parameters.has(name)) return null
    parameters.set(name, quoted ?? bare ?? '')
  }
  return parameters
}

function refused (message: string, field?: string): ParsedBody { return { refusal: badRequest(message, field) } }
