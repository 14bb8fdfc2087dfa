import { segmentOf } from './calls.ts'
import { type Operation, type Parameter } from './description.ts'
import { type Known } from './values.ts'

interface ExampleCall {
  /** what of the description it tries out */
  what: string
  call: { path: string, body: unknown, headers: Record<string, string> }
}

/** One request for each example of a body, and one for each of a parameter; ids are of objects that there are. */
export function exampleCalls (operation: Operation, known: Known): ExampleCall[] {
  const id = known.ids.get(segmentOf(operation.path))?.[0] ?? '0198f4f4-0000-7000-8000-000000000000'
  const valueOf = ({ name, schema, example }: Parameter) =>
    example ?? schema.examples?.[0] ?? schema.enum?.[0] ?? (name === 'id' ? id : undefined)
  const path = operation.path.replace('/api/v1', '').replace(/\{(\w+)\}/g, (_, name: string) => {
    const parameter = operation.parameters.find((one) => one.in === 'path' && one.name === name)
    return encodeURIComponent(String(parameter === undefined ? id : valueOf(parameter)))
  })
  const bodies = operation.examples.map((body) => ({ what: 'body', call: { path, body, headers: {} } }))
  const [body] = operation.examples
  const parameters = operation.parameters.filter((one) => one.in !== 'path' && valueOf(one) !== undefined).map((one) => {
    const value = String(valueOf(one))
    return {
      what: one.name,
      call: one.in === 'header'
        ? { path, body, headers: { [one.name]: value } }
        : { path: `${path}?${one.name}=${encodeURIComponent(value)}`, body, headers: {} },
    }
  })
  return [...bodies, ...parameters]
}
