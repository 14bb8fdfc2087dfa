import fc from 'fast-check'
import { brotliCompressSync } from 'node:zlib'
import t from 'tap'
import { finalCost, usedNano } from '../../../src/gateway/final-cost.ts'
import { type CallBound } from '../../../src/pricing/price.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { anthropic } from '../../../src/providers/anthropic/index.ts'
import { aModel } from '../../pricing/builders.ts'
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

t.test('summaries count beside the totals, and work of other models makes the usage unknown', async (t) => {
  const of = (iterations: unknown) => usageIn({ iterations }, message)
  const summary = { type: 'compaction', input_tokens: 180_000, output_tokens: 3_500, cache_read_input_tokens: 5, cache_creation_input_tokens: 7 }
  const own = { type: 'message', input_tokens: 1, output_tokens: 1 }
  t.match(of([summary, own]), { inputTokens: 180_001, outputTokens: 3_501, cacheReadTokens: 5, cacheWrite5mTokens: 7 })
  t.match(of([summary, own, summary, own]), { inputTokens: 360_001, outputTokens: 7_001 })
  t.equal(of([{ type: 'message' }, { type: 'compaction', input_tokens: 9 }]), null)
  t.equal(of([{ type: 'advisor_message', input_tokens: 1, output_tokens: 1 }]), null)
  t.equal(of([{ type: 'advisor_message', model: 'x', input_tokens: 1 }]), null)
  t.equal(of([{ type: 'fallback_message', model: 'x', input_tokens: 1, output_tokens: 1 }]), null)
  for (const fine of [null, [], [{ type: 'message' }]]) t.match(of(fine), { inputTokens: 1 })
})

t.test('what an advisor has used is told by its model, beside what the call\'s own has', async (t) => {
  const tools = [{ type: 'advisor_20260301', model: 'claude-opus-5', max_uses: 2, caching: { type: 'ephemeral', ttl: '1h' } }]
  const call = aCall(anthropic, { ...message, tools })
  const advice = { type: 'advisor_message', model: 'claude-opus-5', input_tokens: 7, output_tokens: 3, cache_creation_input_tokens: 5 }
  const usage = { input_tokens: 1, output_tokens: 1, iterations: [{ type: 'message' }, advice, { type: 'message' }, advice] }
  const { reading } = metered(anthropic, call, JSON_ANSWER, JSON.stringify({ usage }))
  t.match(reading.usage, { inputTokens: 1, outputTokens: 1 })
  t.match(reading.others, [
    { model: 'claude-opus-5', usage: { inputTokens: 7, outputTokens: 3, cacheWrite5mTokens: 0, cacheWrite1hTokens: 5 } },
    { model: 'claude-opus-5' },
  ])
  const streamed = metered(anthropic, { ...call, stream: true }, SSE, started() + delta(usage, 'end_turn') + stop)
  t.strictSame(streamed.reading.others, reading.others)
  const priced = { ...call.bound, others: call.bound.others?.map((other) => ({ ...other, priced: aModel('anthropic', other.model) })) }
  const cost = (bound: CallBound, others = reading.others) =>
    usedNano({ ...reading, ...others === undefined ? {} : { others } }, aModel('anthropic', 'claude-haiku-4-5'), bound)
  // 1 x 1 and 1 x 5 of claude-haiku-4-5; twice 7 x 5, 5 x 10 and 3 x 25 of claude-opus-5
  t.equal(cost(priced as CallBound), 6_000n + 2n * 160_000n)
  t.equal(cost(call.bound), null)
  t.equal(cost(priced as CallBound, [{ model: 'claude-sonnet-5', usage: USED }]), null, 'one that was not asked for')
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

/** of a whole, no more than it */
const part = (whole: number, share: number): number => Math.floor(whole * share)

t.test('whatever usage the rules allow, no call costs more than its quote', async () => {
  const anInput = fc.record({
    model: fc.constantFrom('claude-sonnet-4-6', 'claude-opus-4-6', 'claude-haiku-5-5', 'claude-opus-5', 'claude-haiku-4-5'),
    text: fc.string({ maxLength: 200 }),
    limit: fc.integer({ min: 1, max: 200_000 }),
    budget: fc.option(fc.integer({ min: 1, max: 50_000 })),
    ttl: fc.constantFrom(null, '5m', '1h'),
    tools: fc.uniqueArray(fc.constantFrom('search', 'fetch'), { maxLength: 2 }),
    uses: fc.integer({ min: 1, max: 4 }),
    summed: fc.constantFrom(null, 10, 150_000),
    advised: fc.option(fc.integer({ min: 1, max: 2_000 })),
    image: fc.boolean(),
    speed: fc.constantFrom(null, 'standard', 'fast'),
    geo: fc.constantFrom(null, 'us', 'global'),
  })
  // all of it, or nothing, is what shows a bound that is too low
  const share = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(0, 1) }, fc.double({ min: 0, max: 1, noNaN: true }))
  const shares = fc.array(share, { minLength: 9, maxLength: 9 })
  const types = { search: 'web_search_20250305', fetch: 'web_fetch_20250910' }
  fc.assert(fc.property(anInput, shares, fc.boolean(), (asked, some, streams) => {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0] = some
    const { model: name, text, limit, budget, ttl, tools, uses, summed, advised, image, speed, geo } = asked
    const advisor = { type: 'advisor_20260301', model: 'claude-sonnet-5', max_uses: uses, max_tokens: advised }
    const edit = { type: 'compact_20260112', trigger: { type: 'input_tokens', value: summed } }
    const body = {
      model: name,
      max_tokens: limit,
      messages: [{ role: 'user', content: [{ type: 'text', text }, ...image ? [{ type: 'image', source: { type: 'url', url: 'https://x/' } }] : []] }],
      ...budget === null ? {} : { thinking: { type: 'enabled', budget_tokens: budget } },
      ...ttl === null ? {} : { cache_control: { type: 'ephemeral', ttl } },
      tools: [
        ...tools.map((tool) => ({ type: types[tool], name: tool, max_uses: uses })),
        ...advised === null || speed === 'fast' ? [] : [advisor],
      ],
      ...summed === null ? {} : { context_management: { edits: [edit] } },
      speed,
      inference_geo: geo,
      stream: streams,
    }
    const model = aModel('anthropic', name)
    const read = aCall(anthropic, body)
    const other = aModel('anthropic', 'claude-sonnet-5')
    const { others } = read.bound
    const call = others === undefined
      ? read
      : { ...read, bound: { ...read.bound, others: others.map((one) => ({ ...one, priced: other })) } }
    const quote = quoteNano(model, call.bound)
    // some have no such speed, which is refused
    if (quote === null) return speed === 'fast' || geo === 'us'
    const bytes = Buffer.byteLength(JSON.stringify(body))
    const one = Math.min(model.contextWindow, image ? Infinity : bytes + 1_000)
    const runs = 1 + (tools.length + (others?.length ?? 0)) * (uses + 1)
    const longest = Math.min(model.maxOutput, Math.max(limit, budget ?? 0))
    const summaries = summed !== null && (runs > 1 || image || bytes >= summed) ? part(runs, h) : 0
    const figures = (input: number, output: number) => {
      const [read, written] = [part(input, c), ttl === null ? 0 : part(input - part(input, c), d)]
      const long = ttl === '1h' ? part(written, e) : 0
      const split = { ephemeral_5m_input_tokens: written - long, ephemeral_1h_input_tokens: long }
      return {
        input_tokens: input - read - written,
        cache_read_input_tokens: read,
        cache_creation_input_tokens: written,
        ...e > 0.5 ? { cache_creation: split } : {},
        output_tokens: output,
      }
    }
    const usage = {
      ...figures(part(runs > 1 || summaries > 0 ? model.contextWindow * runs : one, a), part(longest * runs, b)),
      server_tool_use: { web_search_requests: tools.includes('search') ? part(uses, f) : 0, web_fetch_requests: uses },
      iterations: [
        ...Array.from({ length: summaries }, () =>
          ({ type: 'compaction', ...figures(part(model.contextWindow, g), part(model.maxOutput, b)) })),
        ...Array.from({ length: others === undefined ? 0 : part(uses, f) }, () => ({
          type: 'advisor_message', model: advisor.model, input_tokens: part(other.contextWindow, g), output_tokens: part(advised ?? 0, b),
        })),
      ],
      ...i > 0.5 ? { speed: i > 0.75 ? speed ?? 'standard' : 'standard', inference_geo: geo ?? 'not_available' } : {},
    }
    const first = event('message_start', { message: { usage: { ...usage, output_tokens: 1, iterations: null } } })
    const { reading } = streams
      ? metered(anthropic, call, SSE, first + delta(usage, 'end_turn') + stop)
      : metered(anthropic, call, JSON_ANSWER, JSON.stringify({ usage }))
    const ending = { outcome: 'completed' as const, status: 200, reading, error: null }
    const { costNano, certainty } = finalCost(ending, model, call.bound, quote)
    return certainty === 'exact' && costNano <= quote
  }), { numRuns: 1_000 })
})
