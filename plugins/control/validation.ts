import { type FastifySchemaCompiler } from 'fastify'
import { type TSchema } from 'typebox'
import { Value } from 'typebox/value'

/** Checks by TypeBox itself. Query strings are text, so they alone are converted; nothing is ever dropped silently. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => (data) => {
  const value = httpPart === 'querystring' ? Value.Default(schema, Value.Convert(schema, data)) : data
  if (Value.Check(schema, value)) return { value }
  const [first] = Value.Errors(schema, value).filter(({ keyword }) => keyword !== 'boolean')
  const error = Object.assign(new Error(first?.message ?? 'is not valid'), {
    validation: [{ instancePath: '', message: 'is not valid', params: {}, ...first }], validationContext: httpPart,
  })
  return { error }
}
