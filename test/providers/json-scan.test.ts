import fc from 'fast-check'
import t from 'tap'
import { parseBody } from '../../src/providers/body.ts'
import { topLevelMembers } from '../../src/providers/json-scan.ts'
import { withUsage } from '../../src/providers/openai/include-usage.ts'

const aKey = fc.oneof(fc.constantFrom('model', 'n', 'stream', 'a"b', 'back\\slash', 'ünï', '', '__proto__'), fc.string())
const anObject = fc.dictionary(aKey, fc.jsonValue({ maxDepth: 4 }), { noNullPrototype: true })
const someBlanks = fc.constantFrom(undefined, 1, '\t', ' \n ')

t.test('the members of an object are found where JSON.parse finds them', async () => {
  fc.assert(fc.property(anObject, someBlanks, (object, blanks) => {
    const bytes = Buffer.from(JSON.stringify(object, null, blanks))
    const members = topLevelMembers(bytes)
    const entries = Object.entries(JSON.parse(bytes.toString()) as object)
    return members.length === entries.length && entries.every(([key, value]) => members.some((m) =>
      m.key === key && JSON.stringify(JSON.parse(bytes.toString('utf8', m.valueStart, m.valueEnd))) === JSON.stringify(value)))
  }), { numRuns: 1_000 })
})

t.test('a field that is there twice is refused, also with an escaped name', async (t) => {
  for (const text of ['{"model":"a","model":"b"}', '{"model":"a","mod\\u0065l":"b"}', '{"n":1 , "x":{"n":2}, "n":3}']) {
    t.match(parseBody(Buffer.from(text)), { refusal: { code: 'invalid_request', message: /there twice/ } }, text)
  }
  t.match(parseBody(Buffer.from('{"n":1,"x":{"n":2},"y":["n","n"]}')), { body: { n: 1 } })
})

t.test('what is not a JSON object is refused with what is wrong', async (t) => {
  t.match(parseBody(Buffer.alloc(0)), { refusal: { code: 'invalid_request', message: /no body/ } })
  for (const text of ['{', 'null', '[]', '1', '"x"', '\ufeff{}', '{"a":1,}', '{"a":NaN}']) {
    t.match(parseBody(Buffer.from(text)), { refusal: { code: 'invalid_request' } }, text)
  }
  const poisoned = parseBody(Buffer.from('{"__proto__":{"model":"x"}}'))
  t.same('body' in poisoned && Object.keys(poisoned.body), ['__proto__'])
  const posing = parseBody(Buffer.from('{"code":"budget_exhausted","message":"","retryable":true}'))
  t.ok('body' in posing, 'a body that looks like a refusal is a body')
})

t.test('deep nesting and long runs neither overflow nor stall', async (t) => {
  const deep = Buffer.from(`{"model":"x","messages":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)
  const long = Buffer.from(JSON.stringify({ model: 'x', messages: [{ role: 'user', content: 'a'.repeat(200_000) }] }))
  const quoted = Buffer.from(JSON.stringify({ model: '\\"'.repeat(100_000) }))
  for (const bytes of [deep, long, quoted]) {
    // the best of five: other processes share the machine
    const times = Array.from({ length: 5 }, () => {
      const started = performance.now()
      parseBody(bytes)
      return performance.now() - started
    })
    t.ok(Math.min(...times) < 20, `${Math.min(...times)} ms`)
    const parsed = parseBody(bytes)
    t.type(parsed, 'object')
  }
})

t.test('usage reporting is switched on without touching another byte', async () => {
  const options = fc.oneof(fc.constant(null), fc.constant({}), fc.constant({ include_usage: false }), fc.constant({ other: [1, '}'] }))
  fc.assert(fc.property(anObject, options, someBlanks, fc.boolean(), (object, given, blanks, there) => {
    delete object['stream_options']
    const whole = there ? { ...object, stream_options: given } : object
    const bytes = Buffer.from(JSON.stringify(whole, null, blanks))
    const asked = JSON.parse(withUsage(bytes).toString()) as Record<string, unknown>
    const { stream_options: after, ...rest } = asked
    const expected = { ...(there ? given : null), include_usage: true }
    return JSON.stringify(rest) === JSON.stringify(JSON.parse(JSON.stringify(object))) &&
      JSON.stringify(after) === JSON.stringify(expected)
  }), { numRuns: 1_000 })
})
