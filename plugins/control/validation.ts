import { type FastifyRequest, type FastifySchemaCompiler } from 'fastify'
import { type TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Value } from 'typebox/value'
import { invalidField } from '../../src/errors.ts'
import { brokenPath } from '../../src/text.ts'
import { UUID } from './schemas.ts'

const compiled = new WeakMap<TSchema, Validator>()

/**
 * Checks by TypeBox itself, compiled when a schema is first needed: without that a batch of a thousand records takes
 * longer to be checked than to be recorded. Query strings are text, so they alone are converted; nothing is ever
 * dropped silently.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  return (data) => {
    const value = httpPart === 'querystring' ? Value.Default(schema, Value.Convert(schema, data)) : data
    let validator = compiled.get(schema)
    if (validator === undefined) compiled.set(schema, validator = Compile(schema))
    if (validator.Check(value)) return { value }
    const { path, expected } = whatIsWrong(schema, value)
    return { error: invalidField(path.slice(1) || httpPart || 'request', expected, at(value, path)) }
  }
}

interface Wrong {
  /** a JSON pointer */
  path: string
  expected: string
}

function whatIsWrong (schema: TSchema, value: unknown): Wrong {
  const told = toTell(Value.Errors(schema, value).filter(({ keyword }) => keyword !== 'boolean'), schema, value)
  if (told === undefined) return { path: '', expected: expectation(schema) }
  const { keyword, params, message, ...error } = told
  const { requiredProperties: [missing] = [], additionalProperties: [extra] = [] } = params as Named
  const there = at(schema, error.schemaPath.slice(1)) as Shape | undefined
  if (keyword === 'required' && missing !== undefined) {
    return { path: `${error.instancePath}/${missing}`, expected: 'given' }
  }
  if (keyword === 'additionalProperties' && extra !== undefined) {
    const names = Object.keys(there?.properties ?? {})
    return { path: `${error.instancePath}/${extra}`, expected: `absent: the fields are ${names.join(', ')}` }
  }
  return { path: error.instancePath, expected: there === undefined ? message : expectation(there, error.instancePath) }
}

type Complaint = ReturnType<typeof Value.Errors>[number]

/**
 * Of a union that fails as a whole its first variant's complaint would mislead: told is what the union expects, or, of
 * an object or a list that one of its variants alone can be, what is wrong with it as that.
 */
function toTell (errors: readonly Complaint[], schema: TSchema, value: unknown): Complaint | undefined {
  const [first] = errors
  const union = first && errors.find(({ keyword, schemaPath, instancePath }) => keyword === 'anyOf' &&
    first.schemaPath.startsWith(`${schemaPath}/`) && first.instancePath === instancePath)
  if (union === undefined) return first
  const { anyOf = [] } = at(schema, union.schemaPath.slice(1)) as Shape
  const given = at(value, union.instancePath)
  const type = Array.isArray(given) ? 'array' : typeof given
  const meant = anyOf.flatMap((variant, i) => variant.type === type ? [`${union.schemaPath}/anyOf/${i}`] : [])
  if (meant.length !== 1 || (type !== 'object' && type !== 'array')) return union
  return toTell(errors.filter(({ schemaPath }) => `${schemaPath}/`.startsWith(`${meant[0]}/`)), schema, value) ?? union
}

/** what a field with an id names */
function whose (path: string): string {
  return /budgetId$/i.test(path) ? 'a budget' : path.endsWith('/reverses') ? 'a usage record' : 'what it names'
}

interface Named {
  requiredProperties?: string[]
  additionalProperties?: string[]
}

interface Shape {
  type?: string
  anyOf?: Shape[]
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, Shape>
  format?: string
  pattern?: string
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  minimum?: number
  maximum?: number
}

const NOUNS: Record<string, string> = {
  boolean: 'true or false', integer: 'a whole number', null: 'null', number: 'a number', object: 'an object',
}

/** in words, what a schema takes at `path` */
function expectation (shape: Shape, path = ''): string {
  if (shape.anyOf !== undefined) return [...new Set(shape.anyOf.map((one) => expectation(one, path)))].join(' or ')
  if (shape.const !== undefined) return JSON.stringify(shape.const)
  if (shape.enum !== undefined) return `one of ${shape.enum.map(String).join(', ')}`
  if (shape.pattern === UUID) return `the id of ${whose(path)}, a UUID`
  if (shape.type === 'string') {
    const like = shape.format ?? shape.pattern
    return `a string${range(shape.minLength, shape.maxLength, ' characters')}${like === undefined ? '' : ` (${like})`}`
  }
  if (shape.type === 'array') return `a list${range(shape.minItems, shape.maxItems, ' items')}`
  return `${NOUNS[shape.type ?? ''] ?? 'another value'}${range(shape.minimum, shape.maximum, '')}`
}

function range (from: number | undefined, to: number | undefined, unit: string): string {
  if (from !== undefined && to !== undefined) return unit === '' ? ` from ${from} to ${to}` : ` of ${from} to ${to}${unit}`
  if (from !== undefined) return unit === '' ? `, ${from} or more` : ` of at least ${from}${unit}`
  return to === undefined ? '' : unit === '' ? ` up to ${to}` : ` of at most ${to}${unit}`
}

/** what a JSON pointer leads to */
function at (value: unknown, pointer: string): unknown {
  return pointer.split('/').slice(1).reduce<unknown>((inner, name) => {
    const key = name.replaceAll('~1', '/').replaceAll('~0', '~')
    return typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key) ? inner[key as never] : undefined
  }, value)
}

/** On every route and before everything else that reads them: texts that cannot be stored as they are. */
export async function refuseBrokenText ({ params, query, body }: FastifyRequest): Promise<void> {
  for (const [name, value] of Object.entries({ params, query, body })) {
    const path = brokenPath(value)
    if (path === null) continue
    throw invalidField(path === '' ? name : path,
      'at most 32 levels of texts without the null character and without halves of surrogate pairs', undefined)
  }
}
