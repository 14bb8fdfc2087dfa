import { isUtf8 } from 'node:buffer'
import { type Refusal } from '../errors.ts'
import { duplicateKey, outline } from './json-scan.ts'

/** An object, an array excluded. */
export function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A field that is there and says something; clients send null for what they leave out. */
export function isGiven (value: unknown): boolean { return value !== undefined && value !== null }

export function badRequest (message: string, field?: string): Refusal {
  return { code: 'invalid_request', message, retryable: false, ...field === undefined ? {} : { field } }
}

export function notMetered (feature: string): Refusal {
  return {
    code: 'feature_not_metered',
    message: `${feature} may cost more than tokens, and this gateway cannot bound or meter that: the call was not forwarded.`,
    retryable: false,
  }
}

/** Told apart by its own field: a client's JSON may look like a refusal. */
export type ParsedBody = { body: Record<string, unknown> } | { refusal: Refusal }

/**
 * No request has as much structure as this; parsing more would hold up the event loop for longer than other calls can
 * wait, while long strings cost next to nothing.
 */
const MAX_DEPTH = 65_536
const MAX_VALUES = 500_000

/**
 * The parsed body of a call, or why it is none. Linear; never throws.
 *
 * What different parsers would read differently is refused, so that the provider cannot be asked for something else
 * than what was checked: a name that an object has twice, at any depth, and bytes that are not UTF-8 (each of which a
 * provider may replace by a character of three bytes, more tokens than were counted).
 */
export function parseBody (bytes: Buffer): ParsedBody {
  if (bytes.length === 0) return refused('The request has no body; a JSON object is expected.')
  if (!isUtf8(bytes)) return refused('The request body is not valid UTF-8.')
  const { members, values, depth } = outline(bytes)
  if (depth > MAX_DEPTH) return refused(`The request body is nested too deeply: more than ${MAX_DEPTH} levels.`)
  if (values > MAX_VALUES) return refused(`The request body is made of too many values: more than ${MAX_VALUES}.`)
  let body: unknown
  try {
    body = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    return refused(`The request body is not JSON: ${whyNotJson(error)}.`)
  }
  if (!isObject(body)) return refused('The request body must be a JSON object.')
  // the parsed tree has each name once, so where the bytes have more names, one is there twice
  if (members === countMembers(body)) return { body }
  const name = (duplicateKey(bytes) ?? '').slice(0, 100)
  return refused(`The field ${JSON.stringify(name)} is there twice in one object; send it once.`, name)
}

function refused (message: string, field?: string): ParsedBody { return { refusal: badRequest(message, field) } }

/** The parser's words without its excerpt of the body: that may be somebody's prompt. */
function whyNotJson (error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/(^|,? )("|\.\.\.)[\s\S]*$/, '').slice(0, 200) || 'no value was found'
}

/** how many members all objects of the tree have together */
function countMembers (tree: object): number {
  let count = 0
  const open: object[] = [tree]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const values: unknown[] = Array.isArray(node) ? node : Object.values(node)
    if (values !== node) count += values.length
    for (const value of values) if (typeof value === 'object' && value !== null) open.push(value)
  }
  return count
}

/** A field that must be a whole number from `min` on where it is there at all; null: it is not there. */
export function countField (
  body: Record<string, unknown>, field: string, min: number, max = Number.MAX_SAFE_INTEGER, path = field
): number | null | Refusal {
  const value = body[field]
  if (value === undefined || value === null) return null
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`
  return badRequest(`${path} must be a whole number ${range}; got ${shown(value)}.`, path)
}

export function flagField (body: Record<string, unknown>, field: string, path = field): boolean | Refusal {
  const value = body[field]
  if (value === undefined || value === null) return false
  return typeof value === 'boolean' ? value : badRequest(`${path} must be true or false; got ${shown(value)}.`, path)
}

export function modelField (body: Record<string, unknown>): string | Refusal {
  const { model } = body
  if (typeof model === 'string' && model !== '' && model.length <= 256) return model
  return badRequest(`model must be the name of a model; got ${shown(model)}.`, 'model')
}

/** A field that names a tier, a speed or a region. */
export function tierField (body: Record<string, unknown>, field: string): string | null | Refusal {
  const value = body[field]
  if (value === undefined || value === null) return null
  if (typeof value === 'string' && value !== '' && value.length <= 64) return value
  return badRequest(`${field} must be a short string; got ${shown(value)}.`, field)
}

/** A field that must be a list where it is there at all. */
export function listField (body: Record<string, unknown>, field: string): unknown[] | Refusal {
  const value = body[field]
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value as unknown[] : badRequest(`${field} must be a list; got ${shown(value)}.`, field)
}

/** the first of them that is a refusal */
export function firstRefusal (fields: readonly unknown[]): Refusal | null {
  for (const field of fields) if (isObject(field) && 'retryable' in field) return field as unknown as Refusal
  return null
}

/** Every object in a list, and in the lists within it; an object that stands alone is one of one. */
export function eachObject (list: unknown, visit: (object: Record<string, unknown>) => void): void {
  const open: unknown[] = [list]
  while (open.length > 0) {
    const next = open.pop()
    if (isObject(next)) visit(next)
    else if (Array.isArray(next)) for (const one of next) if (typeof one === 'object') open.push(one)
  }
}

/** a value as a message shows it: short, however long or deep it is */
export function shown (value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60))
  if (Array.isArray(value)) return 'a list'
  return isObject(value) ? 'an object' : String(value)
}
