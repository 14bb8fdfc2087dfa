import { type Refusal } from '../../errors.ts'
import { badRequest, isGiven, isObject, notMetered, shown } from '../body.ts'

/**
 * Google reads the name of a field in camelCase and in snake_case alike (ProtoJSON), so either is what counts. Both of
 * one field in an object are refused, since nobody can say which of them does.
 */
export type Fields = Record<string, unknown>

/** Ends the reading of a body, from however deep in it; `reading` makes it a value again. */
class Refused extends Error {
  readonly refusal: Refusal

  constructor (refusal: Refusal) {
    super(refusal.message)
    this.refusal = refusal
  }
}

/** Refusals cannot be told from what a client sent by looking at them, so within a body they are thrown. */
export function reading<Read> (read: () => Read): Read | Refusal {
  try {
    return read()
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
}

export function wrong (message: string, field: string): never { throw new Refused(badRequest(message, field)) }

export function unmetered (feature: string): never { throw new Refused(notMetered(feature)) }

/** what one of the readers of body.ts answers for a field that is no object */
export function checked<Value extends string | number | boolean | null> (value: Value | Refusal): Value {
  if (typeof value === 'object' && value !== null) throw new Refused(value)
  return value
}

/** `max_output_tokens` to `maxOutputTokens`; each run of `_` is looked at once, however long it is */
export function camelCase (name: string): string {
  return name.includes('_') ? name.replace(/(?<!_)_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) : name
}

/** The object with its names in camelCase; what it holds is left as it is. */
export function fieldsOf (value: unknown, path: string): Fields {
  if (!isObject(value)) return wrong(`${path} must be an object; got ${shown(value)}.`, path)
  const names = Object.keys(value)
  if (!names.some((name) => name.includes('_'))) return value
  const fields = Object.create(null) as Fields
  for (const name of names) {
    const field = camelCase(name)
    if (field in fields) return wrong(`${path}: ${field} is there in two spellings; send it once.`, field)
    fields[field] = value[name]
  }
  return fields
}

/** The fields of an object that may be left out. */
export function partOf (fields: Fields, field: string, path = field): Fields {
  return isGiven(fields[field]) ? fieldsOf(fields[field], path) : {}
}

/** How a field is spelled in an object; null: it is not there. */
export function spelling (object: unknown, field: string): string | null {
  if (!isObject(object)) return null
  return Object.keys(object).find((name) => camelCase(name) === field) ?? null
}

/** Google takes a list of one without its brackets in many places. */
export function listOf (value: unknown): unknown[] {
  return Array.isArray(value) ? value as unknown[] : isGiven(value) ? [value] : []
}
