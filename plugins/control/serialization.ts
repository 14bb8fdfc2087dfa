import { type RouteDefinition, type Serializer, SerializerSelector } from '@fastify/fast-json-stringify-compiler'

/**
 * Fastify's own serializers, each compiled when such an answer is first given, once for all routes and gateways of a
 * process that share its schema: to compile all of them would take longer than the rest of a start, and most are for
 * errors, which are written another way.
 */
const compile = SerializerSelector()({}, {})
const compiled = new WeakMap<object, Serializer>()

export function serializerCompiler (route: { schema: object }): Serializer {
  return (data) => {
    let serialize = compiled.get(route.schema)
    if (serialize === undefined) compiled.set(route.schema, serialize = compile(route as RouteDefinition))
    return serialize(data)
  }
}

/**
 * For large answers, which routes make field by field: a serializer that goes by the schema takes longer than it takes
 * to work them out. Encoded here: of a string the length is worked out first, and then it is encoded again. Fastify
 * takes a buffer where its type says a string.
 */
export function largeSerializer (): (answer: unknown) => string {
  return (answer) => Buffer.from(JSON.stringify(answer)) as unknown as string
}
