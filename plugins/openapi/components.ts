import { type SwaggerTransformObject } from '@fastify/swagger'

type Description = ReturnType<SwaggerTransformObject>
type Json = Record<string, unknown>

/** what is data, not description */
const DATA = new Set(['example', 'examples', 'default', 'enum', 'const'])

/**
 * The same description with everything that occurs again and again said once: schemas with a title, and errors. So
 * types that are generated from it have names. In alphabetical order: it does not depend on who registers first.
 */
export function withComponents (document: Description & { components?: object }): Description {
  const schemas: Json = {}
  const responses: Json = {}
  const paths = Object.fromEntries(sorted(document.paths ?? {}).map(([path, item]) =>
    [path, mapValues(item as Json, (operation) =>
      shareErrors(withOptionalBody(shareSchemas(operation, schemas) as Json), responses))]))
  return {
    ...document,
    paths,
    components: {
      ...document.components,
      schemas: Object.fromEntries(sorted(schemas)),
      responses: Object.fromEntries(sorted(responses)),
    },
  } as Description
}

function shareSchemas (value: unknown, schemas: Json): unknown {
  if (Array.isArray(value)) return value.map((one) => shareSchemas(one, schemas))
  if (!isObject(value)) return value
  const inner = Object.fromEntries(Object.entries(value)
    .map(([name, one]) => [name, DATA.has(name) ? one : shareSchemas(one, schemas)]))
  // of a shape that holds others like itself; in a route's own schema it cannot be named
  if (typeof inner['sameAs'] === 'string') return { $ref: `#/components/schemas/${inner['sameAs']}` }
  const { title, examples: _, ...rest } = inner
  if (typeof title !== 'string') return inner
  return { $ref: share(schemas, 'schemas', title, rest) }
}

/** a body that may be null need not be sent at all */
function withOptionalBody (operation: Json): Json {
  const body = operation['requestBody'] as { content: Json } | undefined
  const nullable = Object.values(body?.content ?? {}).some((media) =>
    (media as { schema?: { anyOf?: Json[] } }).schema?.anyOf?.some(({ type }) => type === 'null'))
  return nullable ? { ...operation, requestBody: { ...body, required: false } } : operation
}

/** an error is named after the codes that it can have */
function shareErrors (operation: Json, responses: Json): Json {
  const shared = mapValues(operation['responses'] as Json, (response, status) => {
    if (Number(status) < 400) return response
    const [media] = Object.values((response as { content?: Json }).content ?? {}) as { examples?: Json }[]
    const codes = Object.keys(media?.examples ?? {})
    return codes.length === 0 ? response : { $ref: share(responses, 'responses', codes.join('.'), response) }
  })
  return { ...operation, responses: shared }
}

function share (components: Json, kind: string, name: string, value: unknown): string {
  const before = components[name]
  if (before !== undefined && JSON.stringify(before) !== JSON.stringify(value)) {
    throw new Error(`Two ${kind} of the API's description are called ${name}`)
  }
  components[name] = value
  return `#/components/${kind}/${name}`
}

function sorted (object: object): [string, unknown][] {
  return Object.entries(object).sort(([a], [b]) => a < b ? -1 : 1)
}

function mapValues (object: Json, change: (value: unknown, name: string) => unknown): Json {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]))
}

function isObject (value: unknown): value is Json { return typeof value === 'object' && value !== null }
