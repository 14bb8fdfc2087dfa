import { type RouteDefinition, type Serializer, SerializerSelector } from '@fastify/fast-json-stringify-compiler'

/**
 * Fastify's own serializers, each compiled when its route first gives such an answer: to compile all of them would take
 * longer than the rest of a start, and most are for errors, which are written another way.
 */
const compile = SerializerSelector()({}, {})

export function serializerCompiler (route: object): Serializer {
  let serialize: Serializer | null = null
  return (data) => {
    serialize ??= compile(route as RouteDefinition)
    return serialize(data)
  }
}
