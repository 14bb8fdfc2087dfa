import fc from 'fast-check'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { anthropic } from '../../src/providers/anthropic/index.ts'
import { openai } from '../../src/providers/openai/index.ts'
import { type BillableEndpoint, type CallRequest, type Provider } from '../../src/providers/provider.ts'
import { type Meter } from '../../src/usage/meter.ts'

const SSE = { status: 200, contentType: 'text/event-stream; charset=utf-8', contentEncoding: '' }
const JSON_ANSWER = { status: 200, contentType: 'application/json', contentEncoding: '' }

function billable (provider: Provider): BillableEndpoint {
  return provider.endpoints.find((endpoint) => endpoint.kind === 'billable') as BillableEndpoint
}

function read (provider: Provider, body: object) {
  return billable(provider).read(body, Buffer.from(JSON.stringify(body)))
}

function call (provider: Provider, body: object): CallRequest {
  const request = read(provider, body)
  if ('code' in request) throw new Error(request.message)
  return request
}

/** what passes through a meter when the bytes come cut in these places */
function pass (meter: Meter, bytes: Buffer, at: number[] = []): Buffer {
  const points = [...new Set(at.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b)
  const out = [0, ...points].map((from, i) => meter.data(bytes.subarray(from, points[i] ?? bytes.length)))
  out.push(meter.end())
  return Buffer.concat(out.filter((part) => part !== null))
}

const chunk = (rest: object) => `data: ${JSON.stringify({ id: 'c1', model: 'gpt-4o-2024-08-06', ...rest })}\n\n`
const usage = {
  prompt_tokens: 100,
  completion_tokens: 7,
  prompt_tokens_details: { cached_tokens: 40, cache_write_tokens: 10 },
  completion_tokens_details: { reasoning_tokens: 3 },
}
const words = ['Hello', ' "usage":null', ' wörld 🎉', ' data: [DONE]\n\n']
const plain = words.map((content) => chunk({ choices: [{ delta: { content } }] })).join('')
const asked = words.map((content) => chunk({ choices: [{ delta: { content } }], usage: null })).join('')
const end = chunk({ choices: [], usage, service_tier: 'default' })
const done = 'data: [DONE]\n\n'
const streaming = { model: 'gpt-4o', stream: true, messages: [] }

t.test('a client that did not ask for usage gets the very bytes it would have got', async (t) => {
  const request = call(openai, streaming)
  fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 12 }), (at) => {
    const meter = billable(openai).meter(request, SSE)
    const out = pass(meter, Buffer.from(asked + end + done), at)
    return out.toString() === plain + done && meter.reading().usage?.inputTokens === 50
  }))
  const meter = billable(openai).meter(request, SSE)
  pass(meter, Buffer.from(asked + end + done))
  t.match(meter.reading(), {
    final: true,
    modelUsed: 'gpt-4o-2024-08-06',
    providerRequestId: 'c1',
    usage: {
      inputTokens: 50, cacheReadTokens: 40, cacheWrite5mTokens: 10, outputTokens: 7, reasoningTokens: 3, tier: 'default',
    },
  })
})

t.test('a client that asked for usage gets every byte, at once', async (t) => {
  const request = call(openai, { ...streaming, stream_options: { include_usage: true } })
  const meter = billable(openai).meter(request, SSE)
  const bytes = Buffer.from(asked + end + done)
  for (const byte of [bytes.subarray(0, 5), bytes.subarray(5)]) t.equal(meter.data(byte), byte)
  t.equal(meter.end(), null)
  t.equal(meter.reading().usage?.outputTokens, 7)
})

t.test('an answer without usage has none, whatever its form', async (t) => {
  const request = call(openai, streaming)
  for (const text of [plain + done, 'data: {broken\n\n', '', 'data: {"usage":{"prompt_tokens":-1}}\n\n']) {
    const meter = billable(openai).meter(request, SSE)
    t.equal(pass(meter, Buffer.from(text)).toString(), text)
    t.equal(meter.reading().usage, null)
  }
  for (const text of ['<html>', '{}', '[]', '{"usage":7}', '{"usage":{"prompt_tokens":"7","completion_tokens":1}}']) {
    for (const provider of [openai, anthropic]) {
      const meter = billable(provider).meter(request, JSON_ANSWER)
      t.equal(pass(meter, Buffer.from(text)).toString(), text)
      t.equal(meter.reading().usage, null)
    }
  }
})

t.test('answers in an encoding pass unchanged and are metered', async (t) => {
  const body = gzipSync(JSON.stringify({ id: 'x', model: 'gpt-4o', usage }))
  const meter = billable(openai).meter(call(openai, { model: 'gpt-4o', messages: [] }),
    { ...JSON_ANSWER, contentEncoding: 'gzip' })
  t.ok(pass(meter, body, [3, 17]).equals(body))
  t.equal(meter.reading().usage?.outputTokens, 7)
  const stream = billable(openai).meter(call(openai, streaming), { ...SSE, contentEncoding: 'gzip' })
  const zipped = gzipSync(asked + end + done)
  t.ok(pass(stream, zipped).equals(zipped))
  t.equal(stream.reading().usage?.outputTokens, 7)
  const broken = billable(openai).meter(call(openai, streaming), { ...SSE, contentEncoding: 'gzip' })
  t.equal(pass(broken, Buffer.from('no gzip')).toString(), 'no gzip')
  t.equal(broken.reading().usage, null)
})

const event = (type: string, rest: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`
const started = event('message_start', {
  message: {
    id: 'msg_1',
    model: 'claude-sonnet-5-5',
    usage: {
      input_tokens: 10,
      cache_creation_input_tokens: 30,
      cache_read_input_tokens: 5,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      output_tokens: 2,
    },
  },
})

t.test('usage of a message stream is cumulative: it replaces and is never added', async (t) => {
  const request = call(anthropic, { model: 'claude-sonnet-5-5', max_tokens: 10, stream: true, messages: [] })
  const text = started + event('content_block_delta', { delta: { text: 'hi' } }) +
    event('message_delta', { delta: {}, usage: { output_tokens: 4 } }) +
    event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { input_tokens: 10, output_tokens: 9 } })
  const meter = billable(anthropic).meter(request, SSE)
  t.equal(pass(meter, Buffer.from(text), [1, 50, 51, 300]).toString(), text)
  t.match(meter.reading(), {
    final: true,
    modelUsed: 'claude-sonnet-5-5',
    usage: { inputTokens: 10, cacheReadTokens: 5, cacheWrite5mTokens: 10, cacheWrite1hTokens: 20, outputTokens: 9 },
  })
  const cut = billable(anthropic).meter(request, SSE)
  pass(cut, Buffer.from(started))
  t.match(cut.reading(), { final: false, usage: { outputTokens: 2 } })
})

t.test('work of other models inside an answer makes its usage unknown', async (t) => {
  const meter = billable(anthropic).meter(call(anthropic, { model: 'm', max_tokens: 1, messages: [] }), JSON_ANSWER)
  pass(meter, Buffer.from(JSON.stringify({
    usage: { input_tokens: 1, output_tokens: 1, iterations: [{ type: 'compaction', input_tokens: 9 }] },
  })))
  t.equal(meter.reading().usage, null)
})

t.test('the bound of a chat completion covers what it may cost', async (t) => {
  const body = { model: 'gpt-5', n: 3, max_completion_tokens: 50, max_tokens: 80, service_tier: 'priority', messages: [] }
  t.match(call(openai, body).bound, {
    inputTokens: JSON.stringify(body).length, outputTokens: 80, choices: 3, tier: 'priority', cacheWrite: '5m',
  })
  t.equal(call(openai, streaming).bound.outputTokens, null)
  const image = { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x/y' } }] }
  t.ok(call(openai, { ...streaming, messages: [image] }).bound.inputTokens > 50_000)
  const file = { role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }
  t.equal(call(openai, { ...streaming, messages: [file] }).bound.inputTokens, Infinity)
})

t.test('the bound of a message covers caching, speed and documents', async (t) => {
  const body = { model: 'm', max_tokens: 10, messages: [] as object[] }
  t.equal(call(anthropic, body).bound.cacheWrite, 'none')
  t.equal(call(anthropic, { ...body, cache_control: { type: 'ephemeral' } }).bound.cacheWrite, '5m')
  t.equal(call(anthropic, { ...body, cache_control: { type: 'ephemeral', ttl: '1h' } }).bound.cacheWrite, '1h')
  t.equal(call(anthropic, { ...body, speed: 'fast', inference_geo: 'us' }).bound.tier, 'fast+us')
  const pdf = { role: 'user', content: [{ type: 'document', source: { type: 'base64', data: '' } }] }
  t.equal(call(anthropic, { ...body, messages: [pdf] }).bound.inputTokens, Infinity)
  const result = { role: 'user', content: [{ type: 'tool_result', content: [{ type: 'image', source: {} }] }] }
  t.ok(call(anthropic, { ...body, messages: [result] }).bound.inputTokens > 5_000)
})

t.test('what tokens do not bound is refused', async (t) => {
  const chat = { model: 'gpt-4o', messages: [] as object[] }
  for (const more of [{ web_search_options: {} }, { audio: {} }, { modalities: ['text', 'audio'] }, { prediction: {} },
    { tools: [{ type: 'web_search' }] }, { messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] }]) {
    t.match(read(openai, { ...chat, ...more }), { code: 'feature_not_metered' }, JSON.stringify(more))
  }
  const message = { model: 'm', max_tokens: 1, messages: [] }
  for (const more of [{ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, { mcp_servers: [{}] }, { container: 'c' },
    { context_management: { edits: [{ type: 'compact_20260112' }] } }, { fallbacks: [{}] }]) {
    t.match(read(anthropic, { ...message, ...more }), { code: 'feature_not_metered' }, JSON.stringify(more))
  }
  t.match(read(anthropic, { ...message, tools: [{ name: 'x', input_schema: {} }, { type: 'bash_20250124' }] }), { model: 'm' })
})

t.test('a field of the wrong type is refused by its name', async (t) => {
  const chat = { model: 'gpt-4o', messages: [] }
  for (const [field, value] of [['model', 7], ['model', ''], ['n', 1.5], ['n', 0], ['n', 1e9], ['stream', 'yes'],
    ['max_tokens', -1], ['max_completion_tokens', '5'], ['service_tier', 1], ['stream_options', 'x']]) {
    t.match(read(openai, { ...chat, [field as string]: value }), { code: 'invalid_request', field }, `${field}`)
  }
  t.match(read(anthropic, { model: 'm', messages: [] }), { code: 'invalid_request', field: 'max_tokens' })
  t.match(read(anthropic, { model: 'm', max_tokens: 1, stream: 1 }), { code: 'invalid_request', field: 'stream' })
})
