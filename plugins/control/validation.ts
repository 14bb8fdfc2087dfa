import { type FastifyRequest, type FastifySchemaCompiler } from 'fastify'
import { type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { invalidField } from '../../src/errors.ts'
import { brokenPath } from '../../src/text.ts'

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

/** On every route and before everything else that reads them: texts that cannot be stored as they are. */
export async function refuseBrokenText ({ params, query, body }: FastifyRequest): Promise<void> {
  for (const [name, value] of Object.entries({ params, query, body })) {
    const path = brokenPath(value)
    if (path === null) continue
    throw invalidField(path === '' ? name : path,
      'at most 32 levels of texts without the null character and without halves of surrogate pairs', undefined)
  }
}
