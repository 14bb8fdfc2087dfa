import t from 'tap'
import { gzipSync } from 'node:zlib'
import { type PricedModel } from '../../src/pricing/price.ts'
import { quoteNano } from '../../src/pricing/quote.ts'
import { ollama } from '../../src/providers/ollama/index.ts'
import { AS_ASKED, type CallChanges, type CallRequest, NO_TARGET } from '../../src/providers/provider.ts'
import { named, pass } from './builders.ts'

const MODEL = {
  provider: 'ollama',
  model: 'm',
  contextWindow: 8_000,
  maxOutput: 2_000,
  reasoning: true,
  cachesUnasked: false,
  rates: { input: 1n, cacheRead: 1n, cacheWrite5m: 1n, cacheWrite1h: 1n, output: 1n },
  unitRates: {},
  tiers: [],
  multipliers: {},
  webSearchNano: null,
  priceVersion: 'x',
} satisfies PricedModel
const CHAT = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }
const LINES = { status: 200, contentType: 'application/x-ndjson', contentEncoding: 'identity', headers: {} }
const LAST = {
  model: 'm', message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', prompt_eval_count: 26, eval_count: 9,
}

const ask = (path: string, body: object) => named(ollama, path).read(body, Buffer.from(JSON.stringify(body)), NO_TARGET)
const sent = (path: string, body: object, priced?: PricedModel, changes: CallChanges = AS_ASKED) =>
  named(ollama, path)
    .forwardBody(ask(path, body) as CallRequest, body, Buffer.from(JSON.stringify(body)), changes, priced).toString()
const read = (text: string, at: number[] = []) => {
  const meter = named(ollama, '/api/chat').meter(ask('/api/chat', CHAT) as CallRequest, LINES)
  const out = pass(meter, Buffer.from(text), at).toString()
  return { out, reading: meter.reading() }
}

t.test('the last line has the usage, however the lines are cut, and all pass as they came', async (t) => {
  const line = (content: string) => `${JSON.stringify({ model: 'm', message: { role: 'assistant', content }, done: false })}\n`
  const text = `${line('"eval_count": 7')}${line('é🙂')}${JSON.stringify(LAST)}\n`
  for (let at = 0; at < Buffer.byteLength(text); at++) {
    const { out, reading } = read(text, [at])
    t.equal(out, text)
    t.match(reading, { final: true, modelUsed: 'm', usage: { inputTokens: 26, outputTokens: 9 } })
  }
  t.match(read(JSON.stringify(LAST)).reading, { final: true, usage: { outputTokens: 9 } }, 'one answer is one line')
  t.match(read(text.slice(0, -30)).reading, { final: false, usage: null }, 'cut off')
  t.match(read(`${line('x')}{"error":"out of memory"}\n`).reading, { final: false, usage: null })
  const zipped = named(ollama, '/api/chat').meter(ask('/api/chat', CHAT) as CallRequest, { ...LINES, contentEncoding: 'gzip' })
  pass(zipped, gzipSync(text), [9])
  t.match(zipped.reading(), { usage: { inputTokens: 26 } })
})

t.test('what is not counted is not known; loading a model costs nothing', async (t) => {
  const { prompt_eval_count: _, ...cached } = LAST
  t.equal(read(JSON.stringify(cached)).reading.usage, null, 'an older server had it in its cache')
  t.match(read(JSON.stringify({ model: 'm', done: true, done_reason: 'load' })).reading, { final: true, usage: { inputTokens: 0 } })
  t.equal(read('').reading.usage, null)
  t.equal(read(`${'x'.repeat(17_000_000)}\n${JSON.stringify(LAST)}`).reading.usage, null, 'a line too long hides what it said')
})

t.test('the context bounds the input, of the model or of the request', async (t) => {
  t.match(ask('/api/chat', CHAT), { stream: true, bound: { inputTokens: Infinity, outputTokens: null } })
  t.match(ask('/api/chat', { ...CHAT, stream: false }), { stream: false })
  t.match(ask('/api/generate', { model: 'm', prompt: 'x', options: { num_ctx: 512, num_predict: 64 } }),
    { bound: { inputTokens: 512, outputTokens: 64 } })
  for (const none of [-1, -2, 0]) t.match(ask('/api/chat', { ...CHAT, options: { num_predict: none } }), { bound: { outputTokens: null } })
  t.match(ask('/api/embed', { model: 'm', input: ['a', 'b', 'c'] }), { stream: false, bound: { inputs: 3, outputTokens: 0 } })
  const embed = ask('/api/embed', { model: 'm', input: ['a', 'b', 'c'] })
  t.equal('bound' in embed ? quoteNano({ ...MODEL, rates: { ...MODEL.rates, input: 1_000_000n } }, embed.bound) : null, 24_000n)
  for (const [field, value] of [['num_ctx', 'x'], ['num_predict', 1.5]] as const) {
    t.match(ask('/api/chat', { ...CHAT, options: { [field]: value } }), { code: 'invalid_request', field: `options.${field}` })
  }
  t.match(ask('/api/chat', { ...CHAT, options: 7 }), { code: 'invalid_request', field: 'options' })
  t.match(ask('/api/chat', { ...CHAT, stream: 'x' }), { code: 'invalid_request', field: 'stream' })
  t.match(ask('/v1/chat/completions', CHAT), { bound: { inputTokens: Infinity } })
})

t.test('no answer is longer than what it was quoted for', async (t) => {
  const raw = JSON.stringify(CHAT)
  t.equal(sent('/api/chat', CHAT, MODEL), raw.replace(/}$/, ',"options":{"num_predict":2000}}'))
  t.equal(sent('/api/chat', { ...CHAT, options: { num_predict: 64 } }, MODEL), JSON.stringify({ ...CHAT, options: { num_predict: 64 } }))
  t.match(JSON.parse(sent('/api/chat', { ...CHAT, options: { seed: 1, num_predict: -1 } }, MODEL)), { options: { seed: 1, num_predict: 2_000 } })
  t.match(JSON.parse(sent('/api/chat', { ...CHAT, options: null }, MODEL)), { options: { num_predict: 2_000 } })
  t.match(JSON.parse(sent('/api/chat', CHAT, MODEL, { model: 'other', outputTokens: 5 })), { model: 'other', options: { num_predict: 5 } })
  t.match(JSON.parse(sent('/v1/chat/completions', CHAT, MODEL)), { max_tokens: 2_000 })
  t.match(JSON.parse(sent('/v1/chat/completions', { ...CHAT, max_tokens: 3, max_completion_tokens: 9 }, MODEL)), { max_tokens: 3 })
  t.equal(sent('/api/embed', { model: 'm', input: 'x' }, MODEL), '{"model":"m","input":"x"}')
})

t.test('what tells of the server is free, and what changes it is not there', async (t) => {
  const paths = ollama.endpoints.map(({ method, path }) => `${method} ${path}`)
  for (const free of ['GET /api/tags', 'GET /api/ps', 'GET /api/version', 'POST /api/show']) t.ok(paths.includes(free), free)
  for (const path of ['POST /api/pull', 'POST /api/create', 'DELETE /api/delete', 'POST /api/embeddings']) t.notOk(paths.includes(path), path)
})
