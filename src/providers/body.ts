import { type Refusal } from '../errors.ts'
import { topLevelMembers } from './json-scan.ts'

/** An object, an array excluded. */
export function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

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
 * The parsed body of a billable call, or why it is none. A top-level field that is there twice is refused: which one
 * counts differs by parser, so the provider might be asked for something else than what was checked. Never throws.
 */
export function parseBody (bytes: Buffer): ParsedBody {
  if (bytes.length === 0) return refused('The request has no body; a JSON object is expected.')
  let body: unknown
  try {
    body = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    return refused(`The request body is not JSON: ${(error as Error).message.slice(0, 200)}`)
  }
  if (!isObject(body)) return refused('The request body must be a JSON object.')
  const seen = new Set<string>()
  for (const { key } of topLevelMembers(bytes)) {
    if (seen.has(key)) return refused(`The field "${key.slice(0, 100)}" is there twice; send it once.`, key.slice(0, 100))
    seen.add(key)
  }
  return { body }
}

function refused (message: string, field?: string): ParsedBody { return { refusal: badRequest(message, field) } }

/** A field that must be a whole number from `min` on where it is there at all; null: it is not there. */
export function countField (
  body: Record<string, unknown>, field: string, min: number, max = Number.MAX_SAFE_INTEGER
): number | null | Refusal {
  const value = body[field]
  if (value === undefined || value === null) return null
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `from ${min} to ${max}`
  return badRequest(`${field} must be a whole number ${range}; got ${shown(value)}.`, field)
}

export function flagField (body: Record<string, unknown>, field: string): boolean | Refusal {
  const value = body[field]
  if (value === undefined || value === null) return false
  return typeof value === 'boolean' ? value : badRequest(`${field} must be true or false; got ${shown(value)}.`, field)
}

export function modelField (body: Record<string, unknown>): string | Refusal {
  const { model } = body
  if (typeof model === 'string' && model !== '' && model.length <= 256) return model
  return badRequest(`model must be the name of a model; got ${shown(model)}.`, 'model')
}

export function tierField (body: Record<string, unknown>, field: string): string | null | Refusal {
  const value = body[field]
  if (value === undefined || value === null) return null
  return typeof value === 'string' ? value.slice(0, 64) : badRequest(`${field} must be a string; got ${shown(value)}.`, field)
}

/** calls `visit` with every content part of every message, in whichever nesting providers allow */
export function eachPart (messages: unknown, visit: (part: Record<string, unknown>) => void): void {
  const open: unknown[] = [messages]
  while (open.length > 0) {
    const next = open.pop()
    if (Array.isArray(next)) open.push(...next.length > 10_000 ? chunked(next) : next)
    else if (isObject(next)) {
      if (typeof next['type'] === 'string') visit(next)
      if (typeof next['content'] === 'object') open.push(next['content'])
    }
  }
}

/** a spread of very long lists would overflow the stack */
function chunked (list: unknown[]): unknown[][] {
  const parts: unknown[][] = []
  for (let i = 0; i < list.length; i += 10_000) parts.push(list.slice(i, i + 10_000))
  return parts
}

function shown (value: unknown): string {
  return value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value)).slice(0, 100)
}
