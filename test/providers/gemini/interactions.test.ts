import fc from 'fast-check'
import t from 'tap'
import { finalCost } from '../../../src/gateway/final-cost.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { AS_ASKED } from '../../../src/providers/provider.ts'
import { JSON_ANSWER, SSE } from '../builders.ts'
import { aCall, costOf, endpoint, FLASH, metered, PRO, read } from './builders.ts'

const of = endpoint('/v1beta/interactions')
const HELLO = { model: 'gemini-2.5-flash', input: 'Hello' }
const length = (body: object) => Buffer.byteLength(JSON.stringify(body))
const USAGE = {
  total_input_tokens: 100,
  total_cached_tokens: 40,
  total_output_tokens: 10,
  total_thought_tokens: 20,
  total_tokens: 130,
}
const completed = (usage: object) => ({
  event_type: 'interaction.completed', interaction: { id: 'int-1', model: 'gemini-2.5-flash', status: 'completed', usage },
})
const stream = (...events: object[]) =>
  events.map((one) => `event: x\ndata: ${JSON.stringify(one)}\n\n`).join('') + 'data: [DONE]\n\n'

t.test('an interaction is read as the provider will read it', async (t) => {
  t.strictSame(aCall(HELLO, { of }), {
    model: 'gemini-2.5-flash',
    stream: false,
    usageAsked: true,
    thinking: 'open',
    endUser: null,
    endUserField: 'labels.user',
    bound: { inputTokens: length(HELLO), outputTokens: null, choices: 1, cacheWrite: 'none', tier: null, webSearches: 0 },
  })
  const full = {
    ...HELLO, model: 'models/gemini-2.5-pro', stream: true, store: false, generation_config: { max_output_tokens: 50, thinking_level: 'low' }, service_tier: 'flex', labels: { user: 'u-1' }, tools: [{ type: 'function', name: 'f' }],
  }
  t.match(aCall(full, { of, model: 'gemini-2.5-pro' }), {
    model: 'gemini-2.5-pro', stream: true, endUser: 'u-1', bound: { outputTokens: 50, tier: 'flex', inputTokens: length(full) + 1_000 },
  })
})

t.test('text is bounded by its bytes, an image has a cap, and what is elsewhere may fill the window', async (t) => {
  const asked = (input: unknown) => {
    const body = { ...HELLO, input }
    const { bound } = aCall(body, { of })
    return { more: bound.inputTokens - length(body), units: bound.inputUnits ?? [] }
  }
  const text = { type: 'text', text: 'x' }
  const data = 'iVBORw0KGgo'.repeat(2_000)
  for (const input of ['x', text, [text, text], [{ type: 'user_input', content: [text] }, { type: 'model_output', content: [text] }],
    [{ type: 'function_call', arguments: {} }, { type: 'function_result', result: 'x' }, { type: 'thought', signature: 's' }],
    [{ type: 'function_result', result: [text] }]]) {
    t.same(asked(input), { more: 0, units: [] }, JSON.stringify(input))
  }
  const image = { type: 'image', data, mime_type: 'image/png' }
  for (const input of [image, [text, image], [{ type: 'user_input', content: [image] }], [{ type: 'function_result', result: [image] }]]) {
    t.same(asked(input), { more: 10_000 - data.length, units: ['inputImageTokens'] })
  }
  t.same(asked({ type: 'audio', data: 'AAAA' }), { more: Infinity, units: ['inputAudioTokens'] })
  const all = ['inputImageTokens', 'inputAudioTokens', 'inputVideoTokens']
  for (const input of [{ type: 'video', uri: 'x' }, { type: 'not_known_yet' }, { text: 'x' }, { type: 'function_result', result: {} }]) {
    t.same(asked(input), { more: Infinity, units: all }, JSON.stringify(input))
  }
  t.same(asked({ type: 'image', uri: 'https://x/' }), { more: Infinity, units: ['inputImageTokens'] })
  for (const kept of [{ previous_interaction_id: 'int-0' }, { cached_content: 'cachedContents/x' }, { continuation_token: 'c' }]) {
    t.match(aCall({ ...HELLO, ...kept }, { of }), { bound: { inputTokens: Infinity, inputUnits: all } })
  }
})

t.test('what works at the provider, or is not known, is refused by its name', async (t) => {
  const cases: [object, RegExp][] = [
    [{ background: true }, /^background /], [{ agent: 'deep-research' }, /^agent /], [{ environment: 'e' }, /^environment /],
    [{ webhook_config: {} }, /^webhookConfig /], [{ tools: [{ type: 'google_search' }] }, /the tool "google_search"/],
    [{ tools: [{ type: 'mcp_server' }] }, /mcp_server/], [{ tools: ['x'] }, /the tool "x"/],
    [{ generation_config: { video_config: {} } }, /^generation_config.videoConfig /], [{ response_modalities: ['video'] }, /modality "video"/],
  ]
  for (const [more, message] of cases) t.match(read({ ...HELLO, ...more }, { of }), { code: 'feature_not_metered', message })
  t.match(read({ input: 'x' }, { of }), { code: 'invalid_request', field: 'model' })
  t.match(read({ ...HELLO, stream: 1 }, { of }), { code: 'invalid_request', field: 'stream' })
  t.match(read({ ...HELLO, generation_config: { max_output_tokens: 0 } }, { of }), { field: 'generation_config.max_output_tokens' })
  t.match(read({ ...HELLO, system_instruction: 'a', systemInstruction: 'b' }, { of }), { message: /two spellings/ })
})

t.test('60 in, 40 of a cache and 30 out cost 60 x 0.3 + 40 x 0.03 + 30 x 2.5 = 94.2 micro-USD, however they come', async (t) => {
  const call = aCall(HELLO, { of })
  const whole = metered(call, JSON_ANSWER, JSON.stringify({ id: 'int-1', status: 'completed', usage: USAGE }), { of }).reading
  t.equal(costOf(FLASH, whole.usage), 94_200n)
  t.match(whole, { final: true, providerRequestId: 'int-1' })
  const events = stream({ event_type: 'interaction.created', interaction: { id: 'int-1', status: 'in_progress' } },
    { event_type: 'step.delta', delta: { text: 'say "interaction.completed" ö' } }, completed(USAGE))
  for (let at = 0; at < events.length; at += 7) {
    const { out, reading } = metered(call, SSE, events, { of, at: [at] })
    t.equal(out.toString(), events)
    t.equal(costOf(FLASH, reading.usage), 94_200n)
    t.match(reading, { final: true, modelUsed: 'gemini-2.5-flash' })
  }
  t.match(metered(call, SSE, events.slice(0, 200), { of }).reading, { final: false, usage: null })
  t.match(metered(call, JSON_ANSWER, '{"status":"completed"}', { of }).reading, { final: false, usage: null })
  const failed = metered(call, { ...JSON_ANSWER, status: 429 }, JSON.stringify({ usage: USAGE }), { of })
  t.match(failed.reading, { usage: null })
})

t.test('another model and a lower limit are written between its bytes', async (t) => {
  const forward = (text: string, changes = AS_ASKED) => {
    const body: unknown = JSON.parse(text)
    return of.forwardBody(aCall(body as object, { of }), body, Buffer.from(text), changes).toString()
  }
  const text = '{ "model":"gemini-2.5-flash", "input":"x" }'
  t.equal(forward(text), text)
  t.equal(forward(text, { model: 'gemini-2.5-flash-lite', outputTokens: 9 }),
    '{ "model":"gemini-2.5-flash-lite", "input":"x" ,"generation_config":{"max_output_tokens":9}}')
  const limited = '{"model":"m","generation_config":{"seed":1,"max_output_tokens":50}}'
  t.equal(forward(limited, { model: null, outputTokens: 9 }),
    '{"model":"m","generation_config":{"seed":1,"max_output_tokens":9}}')
})

t.test('whatever usage the rules allow, no interaction costs more than its quote', async () => {
  const share = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }))
  const request = fc.record({
    text: fc.string({ maxLength: 200 }),
    limit: fc.option(fc.integer({ min: 1, max: 70_000 })),
    tier: fc.constantFrom(null, 'flex', 'priority'),
    kept: fc.boolean(),
    streams: fc.boolean(),
  })
  const part = (whole: number, of: number) => Math.floor(whole * of)
  const five = fc.array(share, { minLength: 5, maxLength: 5 })
  fc.assert(fc.property(fc.constantFrom(PRO, FLASH), request, five, (model, asked, shares) => {
    const { text, limit, tier, kept, streams } = asked
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = shares
    const body = {
      model: model.model,
      input: text,
      stream: streams,
      ...limit === null ? {} : { generation_config: { max_output_tokens: limit } },
      ...kept ? { previous_interaction_id: 'int-0' } : {},
      service_tier: tier,
    }
    const call = aCall(body, { of, model: model.model })
    const quote = quoteNano(model, call.bound)
    const input = part(Math.min(model.contextWindow, kept ? Infinity : length(body)), a)
    const output = part(Math.min(limit ?? model.maxOutput, model.maxOutput), b)
    const heard = kept ? part(input, d) : 0
    const usage = {
      total_input_tokens: input,
      total_cached_tokens: part(input, c),
      total_output_tokens: part(output, e),
      total_thought_tokens: output - part(output, e),
      total_tokens: input + output,
      input_tokens_by_modality: [{ modality: 'audio', tokens: heard }, { modality: 'text', tokens: input - heard }],
    }
    const { reading } = streams
      ? metered(call, SSE, stream(completed(usage)), { of })
      : metered(call, JSON_ANSWER, JSON.stringify({ id: 'int-1', usage }), { of })
    const ending = { outcome: 'completed' as const, status: 200, reading, error: null }
    const { costNano, certainty } = finalCost(ending, model, call.bound, quote ?? 0n)
    return quote !== null && certainty === 'exact' && costNano <= quote
  }), { numRuns: 300 })
})
