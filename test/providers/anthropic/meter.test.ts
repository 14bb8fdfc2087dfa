import fc from 'fast-check'
import { brotliCompressSync } from 'node:zlib'
import t from 'tap'
import { anthropic } from '../../../src/providers/anthropic/index.ts'
import { aCall, billable, JSON_ANSWER, metered, pass, SSE } from '../builders.ts'

const message = { model: 'claude-sonnet-5-5', max_tokens: 10, messages: [] }
const streaming = aCall(anthropic, { ...message, stream: true })
const plain = aCall(anthropic, message)
const event = (type: string, rest: object, end = '\n') => `event: ${type}${end}data: ${JSON.stringify({ type, ...rest })}${end}${end}`
const started = (end?: string) => event('message_start', {
  message: {
    id: 'msg_1',
    model: 'claude-sonnet-5-5-20261001',
    usage: {
      input_tokens: 10,
      cache_creation_input_tokens: 30,
      cache_read_input_tokens: 5,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      output_tokens: 2,
      service_tier: 'standard',
    },
  },
}, end)
const text = (words: string, end?: string) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: words } }, end)
const delta = (usage: object, reason: string | null = null, end?: string) => event('message_delta', { delta: { stop_reason: reason }, usage }, end)
const stop = event('message_stop', {})
const USED = {
  inputTokens: 10,
  cacheReadTokens: 5,
  cacheWrite5mTokens: 10,
  cacheWrite1hTokens: 20,
  outputTokens: 9,
  reasoningTokens: 0,
  webSearches: 0,
  tier: null,
}

t.test('usage of a stream is cumulative: it replaces and is never added, however the bytes are cut', async (t) => {
  for (const end of ['\n', '\r\n', '\r']) {
    const bytes = Buffer.from(started(end) + text('hi "message_delta" wörld 🎉', end) + delta({ output_tokens: 4 }, null, end) +
      event('ping', {}, end) + delta({ input_tokens: 10, output_tokens: 9, cache_read_input_tokens: null }, 'end_turn', end) + stop)
    fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 12 }), (at) => {
      const meter = billable(anthropic).meter(streaming, SSE)
      const out = pass(meter, bytes, at)
      return out.equals(bytes) && JSON.stringify(meter.reading()) === JSON.stringify({
        usage: USED, final: true, modelUsed: 'claude-sonnet-5-5-20261001', providerRequestId: 'msg_1', bodyBytes: bytes.length,
      })
    }))
  }
  const whole = Buffer.from(started())
  t.equal(billable(anthropic).meter(streaming, SSE).data(whole), whole, 'the very same buffer')
})

t.test('what came before the end is a running figure, and a placeholder is never final', async (t) => {
  const upTo = (...events: string[]) => metered(anthropic, streaming, SSE, events.join('')).reading
  t.match(upTo(started()), { final: false, usage: { outputTokens: 2 } })
  t.match(upTo(started(), text('hi')), { final: false })
  t.match(upTo(started(), stop), { final: false }, 'nothing was counted')
  t.match(upTo(started(), delta({ output_tokens: 4 })), { final: false, usage: { outputTokens: 4 } })
  t.match(upTo(started(), delta({ output_tokens: 4 }), stop), { final: true, usage: { outputTokens: 4 } })
  t.match(upTo(started(), delta({ output_tokens: 4 }, 'end_turn')), { final: true })
  t.match(upTo(started(), event('error', { error: { type: 'overloaded_error' } })), { final: false })
  t.match(upTo(started(), event('message_delta', { delta: { stop_reason: 'end_turn' } })), { final: false })
})

t.test('an answer without usage has none, whatever its form, and is passed as it is', async (t) => {
  for (const events of ['', text('hi') + stop, 'data: {"type":"message_start"', 'event: message_start\ndata: {broken "message_start"\n\n',
    event('message_start', { message: 7 }), event('message_start', { message: { usage: { input_tokens: '1' } } })]) {
    const { out, reading } = metered(anthropic, streaming, SSE, events)
    t.equal(out, events)
    t.match(reading, { usage: null, final: false })
  }
  for (const body of ['', '<html>', '[]', '{}', '{"usage":7}', '{"usage":{"input_tokens":1}}', '{"usage":{"input_tokens":1,"output_tokens":-1}}']) {
    const { out, reading } = metered(anthropic, plain, JSON_ANSWER, body)
    t.equal(out, body)
    t.match(reading, { usage: null, final: false })
  }
  const error = JSON.stringify({ type: 'error', usage: { input_tokens: 1, output_tokens: 1 } })
  t.equal(metered(anthropic, plain, { ...JSON_ANSWER, status: 529 }, error).reading.usage, null, 'an error has none')
})

t.test('a whole answer is read, encoded or not, as JSON or as events', async (t) => {
  const body = JSON.stringify({ id: 'msg_2', model: 'm', content: [{ text: '"usage":{' }], usage: { input_tokens: 3, output_tokens: 4 } }, null, 1)
  t.match(metered(anthropic, plain, JSON_ANSWER, body), {
    out: body, reading: { final: true, modelUsed: 'm', providerRequestId: 'msg_2', usage: { inputTokens: 3, outputTokens: 4 } },
  })
  t.match(metered(anthropic, plain, { ...JSON_ANSWER, contentEncoding: 'br' }, brotliCompressSync(body)).reading, { final: true, usage: { outputTokens: 4 } })
  const events = started() + delta({ output_tokens: 9 }, 'end_turn') + stop
  t.strictSame(metered(anthropic, streaming, { ...SSE, contentEncoding: 'br' }, brotliCompressSync(events)).reading.usage, USED)
  t.strictSame(metered(anthropic, plain, { ...JSON_ANSWER, contentType: '' }, events).reading.usage, USED)
})

/** what is read of a whole answer's usage block */
function usageIn (more: object, body: object) {
  const usage = { input_tokens: 1, output_tokens: 1, ...more }
  return metered(anthropic, aCall(anthropic, body), JSON_ANSWER, JSON.stringify({ usage })).reading.usage
}

t.test('each kind of token is counted once', async (t) => {
  const of = (more: object, body: object = message) => usageIn({ output_tokens: 2, ...more }, body)
  t.match(of({ output_tokens_details: { thinking_tokens: 2 } }), { outputTokens: 2, reasoningTokens: 2 })
  t.match(of({ server_tool_use: { web_search_requests: 3 } }), { webSearches: 3 })
  const written = { cache_creation_input_tokens: 30 }
  t.match(of(written), { cacheWrite5mTokens: 30, cacheWrite1hTokens: 0 })
  const partly = { ...written, cache_creation: { ephemeral_1h_input_tokens: 20, ephemeral_5m_input_tokens: 0 } }
  t.match(of(partly), { cacheWrite5mTokens: 10, cacheWrite1hTokens: 20 })
  const hour = { ...message, cache_control: { type: 'ephemeral', ttl: '1h' } }
  t.match(of(written, hour), { cacheWrite5mTokens: 0, cacheWrite1hTokens: 30 }, 'without a split, the dearest that was asked for')
  const short = { ...written, cache_creation: { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 0 } }
  t.match(of(short, hour), { cacheWrite5mTokens: 30, cacheWrite1hTokens: 0 })
  t.match(of({ cache_creation: { ephemeral_1h_input_tokens: 20 } }), { cacheWrite1hTokens: 20 }, 'the split alone counts too')
})

t.test('work of other models inside an answer makes its usage unknown', async (t) => {
  const of = (iterations: unknown) => usageIn({ iterations }, message)
  t.equal(of([{ type: 'message' }, { type: 'compaction', input_tokens: 9 }]), null)
  t.equal(of([{ type: 'advisor_message', model: 'x' }]), null)
  for (const fine of [null, [], [{ type: 'message' }]]) t.match(of(fine), { inputTokens: 1 })
})

t.test('the tier is what the answer says was used, and else what was asked for', async (t) => {
  const of = (said: object, asked: object) => usageIn(said, { ...message, ...asked })?.tier
  t.equal(of({}, { speed: 'fast' }), null, 'nothing is said: the call\'s own stands')
  t.equal(of({ speed: 'standard' }, { speed: 'fast' }), 'standard', 'not as fast as asked')
  t.equal(of({ speed: 'fast' }, { inference_geo: 'us' }), 'fast+us')
  t.equal(of({ inference_geo: 'us' }, { speed: 'fast' }), 'fast+us')
  t.equal(of({ speed: 'standard', inference_geo: 'us' }, {}), 'us')
  t.equal(of({ speed: 'standard', inference_geo: 'not_available' }, { speed: 'fast', inference_geo: 'us' }), 'standard')
  t.equal(of({ service_tier: 'priority' }, {}), null, 'capacity paid for in advance is no modifier')
})
