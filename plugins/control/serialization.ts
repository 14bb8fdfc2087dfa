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
