import fc from 'fast-check'
import t from 'tap'
import { type Refusal } from '../../src/errors.ts'
import { countField, eachObject, parseBody, shown } from '../../src/providers/body.ts'
import { anthropic } from '../../src/providers/anthropic/index.ts'
import { openai } from '../../src/providers/openai/index.ts'
import { billable } from './builders.ts'
import { AS_ASKED, NO_TARGET } from '../../src/providers/provider.ts'
import { cpuMs } from '../cpu-ms.ts'

function refusal (text: string | Buffer): Refusal | null {
  const parsed = parseBody(Buffer.from(text))
  return 'refusal' in parsed ? parsed.refusal : null
}

t.test('a field that is there twice is refused by its name, also nested or escaped', async (t) => {
  const twice = {
    '{"model":"a","model":"b"}': 'model',
    '{"model":"a","mod\\u0065l":"b"}': 'model',
    '{"n":1 , "x":{"n":2}, "n":3}': 'n',
    '{"messages":[{"role":"user","content":[{"type":"input_audio","type":"text"}]}]}': 'type',
    '{"messages":[{"content":[{"type":"input_audio"}],"content":"x"}]}': 'content',
    '{"stream_options":{"include_usage":true,"include_usage":false}}': 'include_usage',
    '{"a":1,"__proto__":1,"__proto__":2}': '__proto__',
  }
  for (const [text, field] of Object.entries(twice)) {
    t.match(refusal(text), { code: 'invalid_request', retryable: false, message: /twice/, field }, text)
  }
  t.match(parseBody(Buffer.from('{"n":1,"x":{"n":2},"y":["n","n"]}')), { body: { n: 1 } })
})

t.test('what is not a JSON object is refused with what is wrong', async (t) => {
  t.match(refusal(''), { code: 'invalid_request', message: /no body/ })
  for (const text of ['{', '{"a":1,}', '{"a":NaN}', '\ufeff{}', '{"a":"\n"}', '{} {}', 'undefined']) {
    t.match(refusal(text), { code: 'invalid_request', message: /^The request body is not JSON: [^"]+\.$/ }, text)
  }
  for (const text of ['null', '[]', '1', '"x"']) t.match(refusal(text), { message: /must be a JSON object/ }, text)
  t.match(refusal(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), { message: /not valid UTF-8/ })
  t.equal(refusal(Buffer.from('{"a":"\\ud800"}')), null, 'a lone surrogate is bounded by its escape')
})

t.test('nothing of the body but a single character comes back in the message', async (t) => {
  for (const text of ['{"prompt": secret words here}', '{"prompt": "secret words"', 'secret words', '{"a":1} secret words']) {
    t.notMatch(refusal(text)?.message, /secret|words|ecret/, text)
  }
})

t.test('__proto__ is a field like any other, and a body that looks like a refusal is a body', async (t) => {
  const poisoned = parseBody(Buffer.from('{"__proto__":{"model":"x"}}'))
  t.same('body' in poisoned && Object.keys(poisoned.body), ['__proto__'])
  t.equal(({} as Record<string, unknown>)['model'], undefined)
  const posing = parseBody(Buffer.from('{"code":"budget_exhausted","message":"","retryable":true}'))
  t.ok('body' in posing)
  for (const provider of [openai, anthropic]) {
    const body = JSON.parse('{"__proto__":{"model":"x","max_tokens":1},"messages":[]}') as object
    t.match(billable(provider).read(body, Buffer.from('x'), NO_TARGET), { code: 'invalid_request', field: 'model' })
  }
})

t.test('whatever JSON comes, it is a body or a refusal, and reading it throws nothing', async () => {
  const names = ['model', 'stream', 'n', 'max_tokens', 'max_completion_tokens', 'stream_options', 'service_tier', 'messages',
    'content', 'type', 'image_url', 'tools', 'source', 'system', 'thinking', 'cache_control', 'citations', 'tool_changes',
    'modalities', 'prompt_cache_options', 'context_management', 'edits', 'tool', 'definition', '__proto__']
  const leaf = fc.oneof(fc.constantFrom<unknown>('text', 'image', 'image_url', 'document', 'tool_addition', 'gpt-4o', null, 0, 1.5, -1, true),
    fc.string())
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof({ maxDepth: 6, withCrossShrink: true }, leaf, fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...names), tie('tree'), { maxKeys: 8 })),
  }))
  fc.assert(fc.property(fc.dictionary(fc.constantFrom(...names), tree), (body) => {
    const bytes = Buffer.from(JSON.stringify(body))
    const parsed = parseBody(bytes)
    if (!('body' in parsed)) return false
    return [openai, anthropic].every((provider) => {
      const request = billable(provider).read(parsed.body, bytes, NO_TARGET)
      if ('code' in request) return request.message.length < 1_000
      const sent = billable(provider).forwardBody(request, parsed.body, bytes, AS_ASKED)
      return request.bound.inputTokens >= 0 && sent.length >= bytes.length
    })
  }), { numRuns: 5_000 })
})

t.test('deep nesting and long runs neither overflow nor stall', async (t) => {
  const [open, close] = ['['.repeat(20_000), ']'.repeat(20_000)]
  const objects = `${'{"content":'.repeat(20_000)}1${'}'.repeat(20_000)}`
  const bodies = {
    deepMessages: `{"model":"x","max_tokens":1,"messages":${open}${close}}`,
    deepContent: `{"model":"x","max_tokens":1,"messages":[${objects}]}`,
    deepModel: `{"model":${open}${close},"max_tokens":1}`,
    deepTool: `{"model":"x","max_tokens":1,"tools":[{"type":${open}${close}}]}`,
    deepOptions: `{"model":"x","max_tokens":1,"stream":true,"stream_options":{"x":${open}${close}}}`,
    tooDeep: `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    longRun: JSON.stringify({ model: 'x', max_tokens: 1, messages: [{ role: 'user', content: 'a'.repeat(200_000) }] }),
    quotes: JSON.stringify({ model: 'x', max_tokens: 1, messages: [{ role: 'user', content: '\\"'.repeat(100_000) }] }),
    manyParts: JSON.stringify({ model: 'x', max_tokens: 1, messages: Array.from({ length: 6_000 }, () => ({ content: [{ type: 'text' }] })) }),
  }
  for (const [name, text] of Object.entries(bodies)) {
    const bytes = Buffer.from(text)
    for (const provider of [openai, anthropic]) {
      const work = () => {
        const parsed = parseBody(bytes)
        if (!('body' in parsed)) return
        const request = billable(provider).read(parsed.body, bytes, NO_TARGET)
        if (!('code' in request)) billable(provider).forwardBody(request, parsed.body, bytes, AS_ASKED)
      }
      const took = cpuMs(work)
      // on a machine whose own parser alone takes longer, in proportion to that, as it is at this moment
      const limit = Math.max(20, 3 * cpuMs(() => { JSON.parse(text) }))
      t.ok(took < limit, `${name}, ${provider.name}: ${took.toFixed(1)} ms`)
    }
  }
})

t.test('a body of more structure than any request has is refused before it is parsed', async (t) => {
  const [deep, wide] = [70_000, 600_000]
  t.match(refusal(`{"a":${'['.repeat(deep)}${']'.repeat(deep)}}`), { code: 'invalid_request', message: /nested too deeply/ })
  t.match(refusal(`{"a":${'['.repeat(deep)}`), { message: /nested too deeply/ }, 'JSON or not')
  t.match(refusal(`{"a":[${'1,'.repeat(wide)}1]}`), { message: /too many values/ })
  t.match(refusal(`{"a":[${'[],'.repeat(wide)}1]}`), { message: /too many values/ })
  t.equal(refusal(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`), null)
  t.equal(refusal(`{"a":"${'[{,:'.repeat(300_000)}"}`), null, 'a long string has no structure')
})

t.test('a count is a whole number in its range', async (t) => {
  for (const good of [1, 5, 128]) t.equal(countField({ n: good }, 'n', 1, 128), good)
  for (const none of [null, undefined]) t.equal(countField({ n: none }, 'n', 1), null)
  for (const bad of [0, 129, 1.5, -1, NaN, Infinity, 2 ** 53, '5', true, [], {}]) {
    t.match(countField({ n: bad }, 'n', 1, 128), { code: 'invalid_request', field: 'n', message: /^n must be a whole number from 1 to 128; got / })
  }
})

t.test('a value is shown shortly', async (t) => {
  t.same([undefined, null, 1, 'a"b', [1], { a: 1 }].map(shown), ['nothing', 'null', '1', '"a\\"b"', 'a list', 'an object'])
  t.ok(shown('x'.repeat(1e6)).length < 100)
})

t.test('every object of a list is visited once, however the lists are nested', async (t) => {
  const seen: unknown[] = []
  eachObject([{ a: 1 }, [[{ a: 2 }, 'x', null, [{ a: 3 }]]], 4], ({ a }) => { seen.push(a) })
  t.same(seen.sort(), [1, 2, 3])
  for (const none of [undefined, null, 'x', 4]) eachObject(none, () => { t.fail('nothing to visit') })
})
