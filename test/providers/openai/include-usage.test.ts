import fc from 'fast-check'
import t from 'tap'
import { withoutMember, withUsage } from '../../../src/providers/openai/include-usage.ts'
import { findMember } from '../../../src/providers/json-scan.ts'

const asked = (text: string) => withUsage(Buffer.from(text)).toString()

t.test('usage reporting is switched on without another byte being touched', async (t) => {
  const cases = {
    '{}': '{"stream_options":{"include_usage":true}}',
    ' { } ': ' { "stream_options":{"include_usage":true}} ',
    '{"a":1.0,"b":12345678901234567890}\n': '{"a":1.0,"b":12345678901234567890,"stream_options":{"include_usage":true}}\n',
    '{"stream_options":null,"n":1}': '{"stream_options":{"include_usage":true},"n":1}',
    '{"stream_options" : { } }': '{"stream_options" : {"include_usage":true } }',
    '{"stream_options":{"include_usage": false }}': '{"stream_options":{"include_usage": true }}',
    '{"stream_options":{"include_usage":null,"x":1.0}}': '{"stream_options":{"include_usage":true,"x":1.0}}',
    '{"stream_options":{ "x":1.0, "y":{"include_usage":false}}}':
      '{"stream_options":{"include_usage":true, "x":1.0, "y":{"include_usage":false}}}',
    '{"str\\u0065am_options":{"include_us\\u0061ge":false},"m":"}"}':
      '{"str\\u0065am_options":{"include_us\\u0061ge":true},"m":"}"}',
    '{"x":{"stream_options":{}},"y":["stream_options"],"z":"\\"stream_options\\":{"}':
      '{"x":{"stream_options":{}},"y":["stream_options"],"z":"\\"stream_options\\":{","stream_options":{"include_usage":true}}',
  }
  for (const [before, after] of Object.entries(cases)) t.equal(asked(before), after)
})

t.test('whatever the request, it is the same request but for the usage', async () => {
  const aKey = fc.oneof(fc.constantFrom('model', 'n', 'stream', 'a"b', 'back\\slash', 'ünï', '', '}'), fc.string())
  const anObject = fc.dictionary(aKey, fc.jsonValue({ maxDepth: 4 }), { noNullPrototype: true })
  const others = fc.dictionary(aKey, fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true })
  const options = fc.oneof(fc.constant(null), others,
    others.chain((other) => fc.constantFrom(true, false, null).map((value) => ({ ...other, include_usage: value }))))
  const blanks = fc.constantFrom(undefined, 1, '\t', ' \n ')
  fc.assert(fc.property(anObject, options, blanks, fc.boolean(), (object, given, blank, there) => {
    const { stream_options: _, ...rest } = object
    const whole = there ? { ...rest, stream_options: given } : rest
    const after = JSON.parse(asked(JSON.stringify(whole, null, blank))) as Record<string, unknown>
    const expected = { ...rest, stream_options: { ...(there ? given : null), include_usage: true } }
    return JSON.stringify(sorted(after)) === JSON.stringify(sorted(JSON.parse(JSON.stringify(expected))))
  }), { numRuns: 2_000 })
})

function sorted (value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, one]) => [key, sorted(one)])
}

t.test('a member is cut out of an event as if it had never been written', async (t) => {
  const cutOut = (event: string) => {
    const bytes = Buffer.from(event)
    const member = findMember(bytes, Buffer.from('"usage"'), 0, bytes.length)
    return member === null ? null : Buffer.concat(withoutMember(bytes, member)).toString()
  }
  const cases = {
    '{"a":1,"usage":null}': '{"a":1}',
    '{"a":1,"usage":null,"b":2}': '{"a":1,"b":2}',
    '{"usage":null,"b":2}': '{"b":2}',
    '{"usage":null}': '{}',
    '{"a": 1, "usage": null, "b": 2}': '{"a": 1, "b": 2}',
    '{"a": 1, "usage": null}': '{"a": 1}',
    '{ "usage" : null , "b": 2 }': '{ "b": 2 }',
    '{"choices":[{"usage":null,"delta":{"content":"\\"usage\\":null"}}],"usage":null}':
      '{"choices":[{"usage":null,"delta":{"content":"\\"usage\\":null"}}]}',
  }
  for (const [before, after] of Object.entries(cases)) t.equal(cutOut(before), after)
})
