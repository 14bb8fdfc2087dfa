/** The API as it describes itself, in the form that the fuzzer works with. */
export interface Shape {
  type?: string
  examples?: unknown[]
  example?: unknown
  default?: unknown
  enum?: unknown[]
  const?: unknown
  anyOf?: Shape[]
  allOf?: Shape[]
  properties?: Record<string, Shape>
  additionalProperties?: Shape | boolean
  required?: string[]
  items?: Shape
  pattern?: string
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required: boolean
  schema: Shape
  example?: unknown
}

export interface Operation {
  /** e.g. `post /budgets/{id}/restore` */
  name: string
  method: string
  /** with its base, e.g. `/api/v1/budgets/{id}/restore` */
  path: string
  parameters: Parameter[]
  /** by content type; empty: it takes no body */
  body: Record<string, Shape>
  bodyRequired: boolean
  examples: unknown[]
  /** by status, by content type */
  answers: Map<number, Record<string, Shape>>
}

type Json = Record<string, unknown>

interface Described {
  parameters?: Parameter[]
  requestBody?: { required?: boolean, content: Record<string, { schema: Shape, example?: unknown }> }
  responses: Record<string, { content?: Record<string, { schema: Shape }> }>
}

interface Document {
  paths: Record<string, Record<string, Described>>
  servers: { url: string }[]
}

/** `document`: what /api/v1/openapi.json answers */
export function operationsOf (document: unknown): Operation[] {
  const { paths, servers } = withoutRefs(document) as Document
  const base = servers[0]?.url ?? ''
  return Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, one]) => {
    const content = one.requestBody?.content ?? {}
    return {
      name: `${method} ${path}`,
      method: method.toUpperCase(),
      path: `${base}${path}`,
      parameters: one.parameters ?? [],
      body: mapValues(content, ({ schema, example }) => example === undefined ? schema : { ...schema, example }),
      bodyRequired: one.requestBody?.required === true,
      examples: Object.values(content).flatMap(({ schema, example }) =>
        [...example === undefined ? [] : [example], ...schema.examples ?? []]),
      answers: new Map(Object.entries(one.responses).map(([status, answer]) =>
        [Number(status), mapValues(answer.content ?? {}, ({ schema }) => schema)])),
    }
  }))
}

function mapValues<T, U> (object: Record<string, T>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]))
}

/** with what `$ref` stands for in its place, but for a shape within itself, where anything goes */
export function withoutRefs<T> (document: T): T {
  const walk = (value: unknown, within: readonly string[] = []): unknown => {
    if (Array.isArray(value)) return value.map((one) => walk(one, within))
    if (typeof value !== 'object' || value === null) return value
    const { $ref } = value as { $ref?: unknown }
    if (typeof $ref !== 'string') return mapValues(value as Json, (one) => walk(one, within))
    if (within.includes($ref)) return {}
    const named = $ref.split('/').slice(1).reduce((inner, name) =>
      (inner as Json)[name.replaceAll('~1', '/').replaceAll('~0', '~')], document as unknown)
    return walk(named, [...within, $ref])
  }
  return walk(document) as T
}
