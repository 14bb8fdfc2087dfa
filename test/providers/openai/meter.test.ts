import fc from 'fast-check'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { openai } from '../../../src/providers/openai/index.ts'
import { aCall, billable, JSON_ANSWER, metered, pass, SSE } from '../builders.ts'
import { cpuMs } from '../../cpu-ms.ts'

const usage = {
  prompt_tokens: 100,
  completion_tokens: 7,
  total_tokens: 107,
  prompt_tokens_details: { cached_tokens: 40, cache_write_tokens: 10, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 3, audio_tokens: 0, rejected_prediction_tokens: 0 },
}
const USED = {
  inputTokens: 50,
  cacheReadTokens: 40,
  cacheWrite5mTokens: 10,
  cacheWrite1hTokens: 0,
  outputTokens: 7,
  reasoningTokens: 3,
  webSearches: 0,
  tier: 'default',
}
const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-2024-08-06', service_tier: 'default' }
/** one event as OpenAI writes it; `asked`: as it writes it when usage was asked for */
const chunk = (rest: object, end = '\n') => `data: ${JSON.stringify({ ...head, ...rest })}${end}${end}`
const words = ['Hello', ' "usage":null', ' wörld 🎉', ' data: [DONE]\n\n', '{"usage":{"prompt_tokens":1}}']
const stream = (asked: boolean, end?: string) => words.map((content) => chunk({
  choices: [{ index: 0, delta: { content }, usage: null, finish_reason: null }], ...asked ? { usage: null } : {}, obfuscation: 'aB3',
}, end)).join('')
const last = chunk({ choices: [], usage })
const done = 'data: [DONE]\n\n'
const streaming = { model: 'gpt-4o', stream: true, messages: [] }
const unasked = aCall(openai, streaming)
const asking = aCall(openai, { ...streaming, stream_options: { include_usage: true } })
const plain = aCall(openai, { model: 'gpt-4o', messages: [] })

t.test('a client that did not ask for usage gets the very bytes it would have got, however they are cut', async (t) => {
  for (const end of ['\n', '\r\n', '\r']) {
    const bytes = Buffer.from(`: hi${end}${end}${stream(true, end)}${chunk({ choices: [], usage }, end)}data: [DONE]${end}${end}`)
    const expected = `: hi${end}${end}${stream(false, end)}data: [DONE]${end}${end}`
    fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 12 }), (at) => {
      const meter = billable(openai).meter(unasked, SSE)
      return pass(meter, bytes, at).toString() === expected && meter.reading().usage?.inputTokens === 50
    }))
    for (let i = 0; i <= bytes.length; i++) {
      const meter = billable(openai).meter(unasked, SSE)
      if (pass(meter, bytes, [i]).toString() !== expected) t.fail(`cut at ${i}`)
    }
  }
  t.strictSame(metered(openai, unasked, SSE, stream(true) + last + done).reading, {
    usage: USED,
    final: true,
    modelUsed: 'gpt-4o-2024-08-06',
    providerRequestId: 'chatcmpl-1',
    bodyBytes: Buffer.byteLength(stream(true) + last + done),
  })
})

t.test('a client that asked for usage gets every byte, at once', async (t) => {
  const meter = billable(openai).meter(asking, SSE)
  const bytes = Buffer.from(stream(true) + last + done)
  const parts = [bytes.subarray(0, 5), bytes.subarray(5, 300), bytes.subarray(300)]
  for (const part of parts) t.equal(meter.data(part), part)
  t.equal(meter.end(), null)
  t.strictSame(meter.reading().usage, USED)
})

t.test('an event goes on as soon as its own end has come', async (t) => {
  const meter = billable(openai).meter(unasked, SSE)
  const one = Buffer.from(chunk({ choices: [{ delta: { content: 'x' } }] }))
  t.equal(meter.data(one), one)
  t.equal(meter.data(one.subarray(0, 9)), null)
  t.same(meter.data(one.subarray(9)), one)
})

t.test('a whole answer is read, and passed as it is', async (t) => {
  const text = JSON.stringify({ ...head, choices: [{ message: { content: '{"usage":1}' } }], usage }, null, 1)
  const { out, reading } = metered(openai, plain, JSON_ANSWER, text)
  t.equal(out, text)
  t.match(reading, { usage: USED, final: true, modelUsed: 'gpt-4o-2024-08-06', providerRequestId: 'chatcmpl-1' })
})

t.test('an answer without usage has none, whatever its form, and is passed as it is', async (t) => {
  const broken = [stream(false) + done, 'data: {broken\n\n', '', 'data: {"usage":{"prompt_tokens":-1}}\n\n', stream(true).slice(0, 400)]
  for (const text of broken) {
    const { out, reading } = metered(openai, asking, SSE, text)
    t.equal(out, text)
    t.match(reading, { usage: null, final: false })
  }
  for (const text of ['', '<html>', '{}', '[]', '{"usage":7}', '{"usage":{"prompt_tokens":"7","completion_tokens":1}}', '{"usage":{"prompt_tokens":7}}',
    '{"usage":{"prompt_tokens":7.5,"completion_tokens":1}}', '{"usage":{"prompt_tokens":7,"completion_tokens":-1}}', '{"usage":{']) {
    const { out, reading } = metered(openai, plain, JSON_ANSWER, text)
    t.equal(out, text)
    t.match(reading, { usage: null, final: false }, text)
  }
})

t.test('an answer that is an error says nothing of usage', async (t) => {
  for (const status of [400, 401, 429, 500, 529]) {
    const text = JSON.stringify({ error: { message: 'x' }, usage })
    const { out, reading } = metered(openai, plain, { ...JSON_ANSWER, status }, text)
    t.equal(out, text)
    t.match(reading, { usage: null, final: false })
    const events = metered(openai, unasked, { ...SSE, status }, last)
    t.equal(events.out, last)
    t.equal(events.reading.usage, null)
  }
})

t.test('running figures are not final before the stream has ended, and the last ones count', async (t) => {
  const running = (n: number) => chunk({ choices: [{ delta: {} }], usage: { prompt_tokens: 5, completion_tokens: n } })
  const meter = billable(openai).meter(unasked, SSE)
  const text = running(1) + running(2)
  t.equal(meter.data(Buffer.from(text))?.toString(), text, 'nobody switched them on, so they stay')
  t.match(meter.reading(), { final: false, usage: { outputTokens: 2 } })
  meter.data(Buffer.from(done))
  t.match(meter.reading(), { final: true, usage: { outputTokens: 2 } })
  const undone = billable(openai).meter(unasked, SSE)
  undone.data(Buffer.from(running(3)))
  t.match(undone.reading(), { final: false })
  undone.end()
  t.match(undone.reading(), { final: true, usage: { outputTokens: 3 } }, 'some providers do not say [DONE]')
})

t.test('a stream that broke off before its usage can be looked up by its id', async (t) => {
  const meter = billable(openai).meter(unasked, SSE)
  const azure = `data: ${JSON.stringify({ id: '', model: '', choices: [], prompt_filter_results: [] })}\n\n`
  t.equal(meter.data(Buffer.from(azure + stream(false)))?.toString(), azure + stream(false))
  t.match(meter.reading(), { usage: null, final: false, modelUsed: 'gpt-4o-2024-08-06', providerRequestId: 'chatcmpl-1' })
})

t.test('answers in an encoding pass unchanged and are metered', async (t) => {
  const body = gzipSync(JSON.stringify({ ...head, usage }))
  const meter = billable(openai).meter(plain, { ...JSON_ANSWER, contentEncoding: 'gzip' })
  t.ok(pass(meter, body, [3, 17]).equals(body))
  t.strictSame(meter.reading().usage, USED)
  const events = billable(openai).meter(unasked, { ...SSE, contentEncoding: 'gzip' })
  const zipped = gzipSync(stream(true) + last + done)
  t.ok(pass(events, zipped).equals(zipped))
  t.match(events.reading(), { usage: USED, final: true })
})

t.test('what comes in another form than was asked for is read all the same', async (t) => {
  const whole = metered(openai, unasked, JSON_ANSWER, JSON.stringify({ ...head, usage }))
  t.match(whole.reading, { usage: USED, final: true })
  const unnamed = metered(openai, unasked, { ...SSE, contentType: 'text/plain' }, stream(true) + last + done)
  t.match(unnamed.reading, { usage: USED, final: true })
  const events = metered(openai, plain, SSE, stream(true) + last + done)
  t.equal(events.out, stream(true) + last + done, 'nothing was switched on, so nothing is taken out')
  t.strictSame(events.reading.usage, USED)
})

t.test('usage over several data lines is read', async (t) => {
  const text = `data: {"choices":[],\ndata: "usage":${JSON.stringify(usage)}}\n\n`
  t.equal(metered(openai, unasked, SSE, text).out, '')
  t.equal(metered(openai, unasked, SSE, text).reading.usage?.outputTokens, 7)
})

t.test('each kind of token is counted once', async (t) => {
  const of = (more: object) =>
    metered(openai, plain, JSON_ANSWER, JSON.stringify({ usage: { ...usage, ...more } })).reading.usage
  const bare = { prompt_tokens_details: null, completion_tokens_details: null }
  t.match(of(bare), { inputTokens: 100, cacheReadTokens: 0, reasoningTokens: 0, tier: null })
  t.match(of({ prompt_tokens_details: { cached_tokens: 90, cache_write_tokens: 90 } }),
    { inputTokens: 0, cacheReadTokens: 90, cacheWrite5mTokens: 10 }, 'never more than there are')
  t.match(of({ total_tokens: 130 }), { outputTokens: 30 }, 'reasoning that only the total has')
  t.match(of({ total_tokens: 5 }), { outputTokens: 7 })
  const [heard, spoken] = [{ audio_tokens: 60, cached_tokens: 50 }, { audio_tokens: 5 }]
  t.match(of({ prompt_tokens_details: heard, completion_tokens_details: spoken }),
    { inputTokens: 0, cacheReadTokens: 40, outputTokens: 2, units: { inputAudioTokens: 60, outputAudioTokens: 5 } },
    'sounds have another price, and text is what came out of the cache')
  t.match(of({ completion_tokens_details: { audio_tokens: 900 } }),
    { outputTokens: 0, units: { outputAudioTokens: 7 } })
})

t.test('an event of 1 MB is metered without a stall', async (t) => {
  const text = chunk({ choices: [{ delta: { content: '\\"'.repeat(250_000) } }], usage: null })
  const bytes = Buffer.from(text + last + done)
  const busy = cpuMs(() => {
    const meter = billable(openai).meter(unasked, SSE)
    for (let i = 0; i < bytes.length; i += 65_536) meter.data(bytes.subarray(i, i + 65_536))
    t.equal(meter.reading().usage?.outputTokens, 7)
  })
  t.ok(busy < 40, `${busy} ms`)
})

t.test('usage is read out of an event of 10 MB, and behind one', async (t) => {
  const long = 'x'.repeat(10_000_000)
  const usage = { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 }
  const within = chunk({ choices: [], padding: long, usage })
  for (const text of [within, chunk({ choices: [{ delta: { content: long } }] }) + last]) {
    const meter = billable(openai).meter({ ...unasked, usageAsked: true }, SSE)
    const bytes = Buffer.from(text + done)
    t.ok(pass(meter, bytes, [1_000, 5_000_000, 9_999_999]).equals(bytes))
    t.match(meter.reading(), { final: true, usage: { outputTokens: 7 } })
  }
})
