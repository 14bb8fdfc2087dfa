import fc from 'fast-check'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { cappedOutput } from '../../../src/pricing/cap.ts'
import { costNano } from '../../../src/pricing/cost.ts'
import { type PricedModel } from '../../../src/pricing/price.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { openai, responses as responsesOf } from '../../../src/providers/openai/index.ts'
import { meterStoredResponse } from '../../../src/providers/openai/responses-meter.ts'
import { AS_ASKED } from '../../../src/providers/provider.ts'
import { aModel } from '../../pricing/builders.ts'
import { aCall, billable, JSON_ANSWER, metered, pass, read, SSE, surface } from '../builders.ts'

const responses = surface(openai, 'responses')
const compact = surface(openai, 'responses.compact')
const asked = { model: 'gpt-5', input: 'Hello' }
const length = (body: object) => Buffer.byteLength(JSON.stringify(body))
const withItem = (item: unknown) => ({ ...asked, input: [{ role: 'user', content: 'x' }, item] })
const withPart = (part: unknown) => withItem({ role: 'user', content: [{ type: 'input_text', text: 'x' }, part] })
const shownBody = (body: object) => JSON.stringify(body).slice(0, 200)
const withTool = (tool: object, more: object = {}) => ({ ...asked, tools: [tool], ...more })

t.test('a response is read as the provider will read it', async (t) => {
  t.strictSame(aCall(responses, asked), {
    model: 'gpt-5',
    stream: false,
    usageAsked: true,
    thinking: 'open',
    endUser: undefined,
    endUserField: 'safety_identifier',
    bound: { inputTokens: length(asked), outputTokens: null, choices: 1, cacheWrite: '5m', tier: null, webSearches: 0 },
  })
  const full = {
    ...asked,
    stream: true,
    max_output_tokens: 50,
    service_tier: 'priority',
    prompt_cache_options: { ttl: '12h' },
    safety_identifier: 'u',
    instructions: 'i',
    background: false,
    context_management: [],
    moderation: { model: 'omni-moderation-latest' },
  }
  t.match(aCall(responses, full), {
    stream: true, endUser: 'u', bound: { inputTokens: length(full) + 1_000, outputTokens: 50, cacheWrite: '1h', tier: 'priority' },
  })
})

t.test('the input is its bytes, an image a cap, and what is not in it the context window', async (t) => {
  const bytes = [
    { type: 'function_call_output', call_id: 'c', output: 'text' }, { type: 'reasoning', encrypted_content: 'x', summary: [] },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'x' }, { type: 'refusal', refusal: 'x' }] },
    { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'x' }] },
    { type: 'shell_call_output', call_id: 'c', output: [{ stdout: 'x', stderr: '' }] }, { type: 'compaction', encrypted_content: 'x' },
    { type: 'mcp_call', output: 'x' }, { type: 'compaction_trigger' }, { role: 'user', content: 'x' },
  ]
  for (const item of bytes) {
    t.equal(aCall(responses, withItem(item)).bound.inputTokens, length(withItem(item)), JSON.stringify(item))
  }

  const url = `data:image/png;base64,${'iVBORw0KGgo'.repeat(20_000)}`
  const images = [withPart({ type: 'input_image', image_url: url }),
    withItem({ type: 'computer_call_output', output: { type: 'computer_screenshot', image_url: url } }),
    withItem({ type: 'image_generation_call', result: url }),
    withItem({ type: 'function_call_output', output: [{ type: 'input_image', image_url: url }] })]
  for (const body of images) t.equal(aCall(responses, body).bound.inputTokens, length(body) - url.length + 50_000)

  const unbounded = [withPart({ type: 'input_image', image_url: 'https://example.com/a.png' }), withPart({ type: 'input_image', file_id: 'f' }),
    withPart({ type: 'input_image', image_url: url, file_id: 'f' }),
    withPart({ type: 'input_file', file_data: 'data:application/pdf;base64,JVBER' }),
    withPart({ type: 'input_file', file_url: 'https://example.com' }), withItem({ id: 'msg_1' }), withItem({ type: 'item_reference', id: 'x' }),
    withItem({ type: 'web_search_call', id: 'w' }), withItem({ type: 'file_search_call' }), withItem({ type: 'something_new' }),
    { ...asked, previous_response_id: 'r' }, { ...asked, conversation: 'c' }, { ...asked, conversation: { id: 'c' } }]
  for (const body of unbounded) t.equal(aCall(responses, body).bound.inputTokens, Infinity, shownBody(body))
})

t.test('tools of the client add the words around them; hosted tools are bounded by max_tool_calls', async (t) => {
  for (const tool of [{ type: 'function', name: 'f' }, { type: 'custom', name: 'f' }, { type: 'local_shell' }, { type: 'apply_patch' },
    { type: 'computer' }, { type: 'shell', environment: { type: 'local' } }, { type: 'tool_search', execution: 'client' },
    { type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'f' }] }]) {
    const body = withTool(tool)
    t.match(aCall(responses, body).bound, { inputTokens: length(body) + 1_000, choices: 1, webSearches: 0 }, tool.type)
  }
  const calls = { max_tool_calls: 3 }
  t.strictSame(aCall(responses, withTool({ type: 'web_search' }, { ...calls, max_output_tokens: 9 })).bound, {
    inputTokens: Infinity, outputTokens: 9, choices: 1, cacheWrite: '5m', tier: null, webSearches: 3, runs: 4,
  })
  t.strictSame(aCall(responses, withTool({ type: 'file_search', vector_store_ids: ['v'] }, calls)).bound, {
    inputTokens: Infinity, outputTokens: null, choices: 1, cacheWrite: '5m', tier: null, webSearches: 0, runs: 4, units: { fileSearches: 3 },
  })
  t.match(aCall(responses, withTool({ type: 'code_interpreter', container: { type: 'auto', memory_limit: '1g' } }, calls)).bound,
    { runs: 4, units: { codeSessions: 3 } })
  t.match(aCall(responses, withTool({ type: 'shell', environment: { type: 'container_auto' } }, calls)).bound, { units: { codeSessions: 3 } })
  t.match(aCall(responses, withTool({ type: 'tool_search' }, calls)).bound, { runs: 4, choices: 1, units: undefined })
  t.match(aCall(responses, { ...asked, ...calls, tools: [{ type: 'web_search_2025_08_26' }, { type: 'file_search' }] }).bound,
    { webSearches: 3, runs: 4, units: { fileSearches: 3 } })
  t.match(aCall(responses, { ...withItem({ type: 'additional_tools', tools: [{ type: 'file_search' }] }), ...calls }).bound, { units: { fileSearches: 3 } })
  const none = withTool({ type: 'web_search' }, { max_tool_calls: 0 })
  t.match(aCall(responses, none).bound, { inputTokens: length(none) + 1_000, webSearches: 0, choices: 1 })
})

t.test('hosted tools without a number of calls get one, which the quote is for', async (t) => {
  const sent = (body: object) =>
    JSON.parse(billable(responses)
      .forwardBody(aCall(responses, body), body, Buffer.from(JSON.stringify(body)), AS_ASKED).toString()) as object
  for (const body of [withTool({ type: 'web_search' }), withItem({ type: 'additional_tools', tools: [{ type: 'web_search' }] })]) {
    t.match(aCall(responses, body).bound, { webSearches: 3, runs: 4 })
    t.strictSame(sent(body), { ...body, max_tool_calls: 3 })
  }
  const said = withTool({ type: 'web_search' }, { max_tool_calls: 7 })
  t.strictSame(sent(said), said)
  t.strictSame(sent(withTool({ type: 'function', name: 'f' })), withTool({ type: 'function', name: 'f' }))
})

t.test('what nothing bounds is refused, with what it is', async (t) => {
  const cases: [object, RegExp][] = [
    [{ prompt: { id: 'p' } }, /^prompt /], [{ context_management: [{ type: 'compaction' }] }, /^context_management /],
    [withTool({ type: 'web_search_preview' }, { max_tool_calls: 1 }), /tool type "web_search_preview"/],
    [withTool({ type: 'image_generation' }, { max_tool_calls: 1 }), /tool type "image_generation"/],
    [withTool({ type: 'mcp', server_url: 'x' }, { max_tool_calls: 1 }), /tool type "mcp"/], [withTool({}), /tool type nothing/],
    [{ tools: ['web_search'] }, /tool type "web_search"/], [withTool({ type: 'constructor' }), /tool type "constructor"/],
    [withTool({ type: 'namespace', tools: [{ type: 'mcp' }] }), /tool type "mcp"/],
    [withTool({ type: 'code_interpreter', container: 'cntr_1' }, { max_tool_calls: 1 }), /code_interpreter in a container of its own/],
    [withTool({ type: 'code_interpreter', container: { type: 'auto', memory_limit: '64g' } }, { max_tool_calls: 1 }), /memory_limit "64g"/],
    [{ prompt_cache_options: { ttl: '24h' } }, /ttl "24h"/], [{ reasoning: { mode: 'pro' } }, /reasoning.mode "pro"/],
    [{ moderation: { model: 'gpt-5' } }, /moderation by "gpt-5"/], [withPart({ type: 'input_audio', input_audio: {} }), /content type "input_audio"/],
  ]
  for (const [more, message] of cases) {
    t.match(read(responses, { ...asked, ...more }), { code: 'feature_not_metered', retryable: false, message }, JSON.stringify(more))
  }
  for (const [field, value] of [['model', 7], ['max_output_tokens', 0], ['max_tool_calls', 1_001], ['stream', 'x'], ['tools', {}], ['service_tier', 1], ['background', 'x']]) {
    t.match(read(responses, { ...asked, [String(field)]: value }), { code: 'invalid_request', field }, String(field))
  }
})

t.test('one in the background is read where it can be asked about, and else refused', async (t) => {
  const { background, bound } = aCall(responses, { ...asked, background: true })
  t.equal(background, true)
  t.strictSame(bound, { ...aCall(responses, asked).bound, inputTokens: length({ ...asked, background: true }) })
  const elsewhere = { ...openai, endpoints: [responsesOf('/v1/responses')] }
  t.match(read(elsewhere, { ...asked, background: true }), { code: 'feature_not_metered', message: /^background / })
})

t.test('compacting is one run over what is there, whose output nothing bounds', async (t) => {
  const request = aCall(compact, { ...asked, max_output_tokens: 5 })
  t.match(request, { thinking: null, stream: false, bound: { outputTokens: null } })
  t.equal(aCall(compact, { ...asked, previous_response_id: 'r' }).bound.inputTokens, Infinity)
})

t.test('a cap is put into max_output_tokens, also where there was none', async (t) => {
  const model = aModel('openai', 'gpt-5')
  const request = aCall(responses, asked)
  const room = (quoteNano(model, { ...request.bound, outputTokens: 700 }) ?? 0n)
  const cap = { minimumTokens: 16, reasoning: true }
  const outputTokens = cappedOutput(model, request.bound, request.thinking, [{ roomNano: room, rate: null, cap }])
  t.equal(outputTokens, 700)
  const forwarded = (body: object) =>
    billable(responses).forwardBody(request, body, Buffer.from(JSON.stringify(body)), { model: null, outputTokens })
      .toString()
  t.equal(forwarded(asked), '{"model":"gpt-5","input":"Hello","max_output_tokens":700}')
  t.equal(forwarded({ max_output_tokens: 900, ...asked }), '{"max_output_tokens":700,"model":"gpt-5","input":"Hello"}')
})

const usage = {
  input_tokens: 1_000,
  input_tokens_details: {
    cached_tokens: 400, cache_write_tokens: 100, cache_write_tokens_details: { ttl_30m_tokens: 60, ttl_12h_tokens: 40 },
  },
  output_tokens: 200,
  output_tokens_details: { reasoning_tokens: 150 },
  total_tokens: 1_200,
}
const USED = {
  inputTokens: 500,
  cacheReadTokens: 400,
  cacheWrite5mTokens: 60,
  cacheWrite1hTokens: 40,
  outputTokens: 200,
  reasoningTokens: 150,
  webSearches: 0,
  tier: 'default',
}
const response = {
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  model: 'gpt-5-2025-08-07',
  output: [{ type: 'message', content: [] }],
  service_tier: 'default',
  tools: [],
  usage,
  tool_usage: { image_gen: { input_tokens: 0, output_tokens: 0 }, web_search: { num_requests: 0 } },
}
const event = (type: string, rest: object, end = '\n') =>
  `event: ${type}${end}data: ${JSON.stringify({ type, sequence_number: 1, ...rest })}${end}${end}`
const begun = (end?: string) =>
  event('response.created', { response: { ...response, status: 'in_progress', usage: null, output: [] } }, end)
const said = (end?: string) => event('response.output_text.delta', { delta: '"type":"response.completed","usage":{"input_tokens":1} 🎉' }, end)
const plain = aCall(responses, asked)
const priced: PricedModel = {
  ...aModel('openai', 'gpt-5'),
  webSearchNano: 10_000_000n,
  unitRates: { fileSearches: 2_500_000_000_000n, codeSessions: 30_000_000_000_000n },
}
const cost = (reading: { usage: Parameters<typeof costNano>[1] | null }, model = priced) =>
  reading.usage === null ? null : costNano(model, reading.usage)

t.test('a whole response: 500 x 1.25 + 400 x 0.125 + 100 x 1.25 + 200 x 10 USD per million = 2,800 micro-USD', async (t) => {
  const text = JSON.stringify(response)
  const { out, reading } = metered(responses, plain, JSON_ANSWER, text)
  t.equal(out, text)
  t.strictSame(reading, { usage: USED, final: true, modelUsed: 'gpt-5-2025-08-07', providerRequestId: 'resp_1', bodyBytes: text.length })
  t.equal(cost(reading), 2_800_000n)
  const long = JSON.stringify({ ...response, output: [{ type: 'message', content: [{ text: '"usage":{}'.repeat(9_000) }] }] })
  t.strictSame(metered(responses, plain, JSON_ANSWER, long).reading.usage, USED)
  t.strictSame(metered(compact, plain, JSON_ANSWER, JSON.stringify({ id: 'r', object: 'response.compaction', usage })).reading.usage,
    { ...USED, tier: null })
})

t.test('each kind of end of a stream has the usage, however it is cut, and every byte goes on', async (t) => {
  for (const [type, end] of [['completed', '\n'], ['incomplete', '\r\n'], ['failed', '\n']] as const) {
    const text = `: hi${end}${end}${begun(end)}${said(end)}${event(`response.${type}`, { response: { ...response, status: type } }, end)}`
    const bytes = Buffer.from(text)
    for (let i = 0; i <= bytes.length; i++) {
      const meter = billable(responses).meter(plain, SSE)
      if (!pass(meter, bytes, [i]).equals(bytes) || meter.reading().usage?.outputTokens !== 200) t.fail(`cut at ${i}`)
    }
    t.match(metered(responses, plain, SSE, text).reading, { usage: USED, final: true, modelUsed: 'gpt-5-2025-08-07', providerRequestId: 'resp_1' })
    const zipped = metered(responses, plain, { ...SSE, contentEncoding: 'gzip' }, gzipSync(bytes))
    t.strictSame(zipped.reading.usage, USED)
    t.strictSame(metered(responses, plain, { ...SSE, contentType: 'text/plain' }, text).reading.usage, USED)
  }
})

t.test('a response without an end has no usage, but can be looked up', async (t) => {
  const { reading } = metered(responses, plain, SSE, begun() + said())
  t.match(reading, { usage: null, final: false, providerRequestId: 'resp_1' })
  t.match(metered(responses, plain, SSE, begun() + event('error', { code: 'server_error', message: 'x' })).reading, { usage: null })
  t.match(metered(responses, plain, SSE, event('response.failed', { response: { ...response, usage: null } })).reading, { usage: null, final: false })
  for (const none of [{ ...response, usage: undefined }, { ...response, status: 'in_progress' }, { ...response, status: 'queued' },
    { ...response, usage: { input_tokens: -1, output_tokens: 2 } }, { ...response, output: [{ type: 'image_generation_call' }] },
    { ...response, tool_usage: { image_gen: { input_tokens: 5, output_tokens: 5 } } }]) {
    t.match(metered(responses, plain, JSON_ANSWER, JSON.stringify(none)).reading, { usage: null, final: false })
  }
  t.match(metered(responses, plain, { ...JSON_ANSWER, status: 400 }, JSON.stringify(response)).reading, { usage: null })
})

t.test('of one in the background nothing is told before it is held, and then which it is', async (t) => {
  const call = aCall(responses, { ...asked, background: true })
  const queued = JSON.stringify({ ...response, status: 'queued', usage: null })
  const bytes = Buffer.from(queued)
  for (let i = 0; i <= bytes.length; i++) {
    const meter = billable(responses).meter(call, JSON_ANSWER)
    t.equal(meter.data(bytes.subarray(0, i)), null)
    t.equal(meter.data(bytes.subarray(i)), null)
    t.equal(meter.counted, 0)
    if (meter.end()?.equals(bytes) !== true) t.fail(`cut at ${i}`)
    t.equal(meter.counted, 1)
    t.match(meter.reading(), { usage: null, final: false, job: { id: 'resp_1', over: false } })
  }
  t.match(metered(responses, call, JSON_ANSWER, JSON.stringify(response)).reading, { usage: USED, job: { id: 'resp_1', over: true } })
  t.notOk('job' in metered(responses, call, { ...JSON_ANSWER, status: 500 }, queued).reading)
  t.notOk('job' in metered(responses, plain, JSON_ANSWER, JSON.stringify(response)).reading)

  const meter = billable(responses).meter(call, SSE)
  meter.data(Buffer.from(begun()))
  t.match([meter.counted, meter.reading().job], [1, { id: 'resp_1', over: false }])
  meter.data(Buffer.from(said()))
  t.equal(meter.counted, 1)
  meter.data(Buffer.from(event('response.completed', { response })))
  t.match([meter.counted, meter.reading()], [2, { usage: USED, job: { id: 'resp_1', over: true } }])
})

t.test('an answer about one in the background says how it ended, and its last piece waits for that', async (t) => {
  const terms = { bound: plain.bound }
  for (const [status, over, usage] of [['queued', false, null], ['in_progress', false, null], ['completed', true, USED], ['incomplete', true, USED],
    ['failed', true, USED], ['cancelled', true, USED], ['something new', false, USED]] as const) {
    const bytes = Buffer.from(JSON.stringify({ ...response, status }))
    for (const at of [[], [1], [1, 2], [bytes.length]]) {
      const meter = meterStoredResponse(terms, JSON_ANSWER)
      t.ok(pass(meter, bytes, at).equals(bytes))
      t.match(meter.reading(), { usage, job: { id: 'resp_1', over } }, status)
    }
    const whole = meterStoredResponse(terms, JSON_ANSWER)
    t.equal(whole.data(bytes), null)
  }
  const resumed = said() + event('response.completed', { response })
  for (let i = 0; i <= resumed.length; i++) {
    const meter = meterStoredResponse(terms, SSE)
    if (pass(meter, Buffer.from(resumed), [i]).toString() !== resumed || meter.counted !== 1) t.fail(`cut at ${i}`)
    t.match(meter.reading(), { usage: USED, job: { id: 'resp_1', over: true } })
  }
  t.notOk('job' in meterStoredResponse(terms, { ...JSON_ANSWER, status: 404 }).reading())
})

t.test('priority at twice the price; tools: 2 searches, 1 search of files, 2 containers = 20,000 + 2,500 + 60,000 micro-USD more', async (t) => {
  const output = [{ type: 'web_search_call', action: { type: 'search' } }, { type: 'web_search_call', action: { type: 'open_page' } },
    { type: 'web_search_call', action: { type: 'search', queries: [] } }, { type: 'file_search_call' },
    { type: 'code_interpreter_call', container_id: 'a' }, { type: 'code_interpreter_call', container_id: 'a' },
    { type: 'shell_call', environment: { type: 'container_reference', container_id: 'b' } }, { type: 'shell_call', environment: { type: 'local' } }]
  const call = aCall(responses, { ...asked, max_tool_calls: 9, tools: [{ type: 'web_search' }, { type: 'file_search' }] })
  const of = (more: object) =>
    metered(responses, call, JSON_ANSWER, JSON.stringify({ ...response, output, ...more })).reading
  const counted = of({ tool_usage: undefined })
  t.match(counted.usage, { webSearches: 2, units: { fileSearches: 1, codeSessions: 2 } })
  t.equal(cost(counted), 2_800_000n + 82_500_000n)
  t.equal(cost(of({ tool_usage: undefined, service_tier: 'priority' })), 5_600_000n + 82_500_000n)
  t.equal(of({ tool_usage: { web_search: { num_requests: 1 } } }).usage?.webSearches, 1, 'what the provider says is billed counts')
  const long = of({ tool_usage: undefined, instructions: 'x'.repeat(20_000) })
  t.match(long.usage, { webSearches: 2, units: { fileSearches: 1, codeSessions: 2 } })
})

t.test('whatever a provider reports within its rules, it costs no more than the quote', async () => {
  const tools = [{ type: 'web_search' }, { type: 'file_search' }, { type: 'code_interpreter', container: { type: 'auto' } },
    { type: 'function', name: 'f' }, { type: 'tool_search' }]
  const { webSearchNano, unitRates } = priced
  const names = ['gpt-5', 'gpt-5.5', 'gpt-6-astra', 'gpt-4o']
  const model = fc.constantFrom(...names.map((name) => aModel('openai', name, { webSearchNano, unitRates })))
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  const request = fc.record({
    input: fc.string({ maxLength: 400 }),
    max_output_tokens: fc.option(fc.integer({ min: 16, max: 50_000 }), { nil: undefined }),
    max_tool_calls: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
    tools: fc.subarray(tools),
    service_tier: fc.constantFrom(undefined, 'auto', 'flex', 'priority'),
    prompt_cache_options: fc.constantFrom(undefined, { ttl: '30m' }, { ttl: '12h' }),
    previous_response_id: fc.constantFrom(undefined, 'resp_0'),
  })
  const taken = fc.record({
    input: share,
    cached: share,
    written: share,
    output: share,
    calls: share,
    split: fc.boolean(),
    standard: fc.boolean(),
  })
  fc.assert(fc.property(model, request, taken, (model, body, used) => {
    const call = aCall(responses, { model: model.model, ...body })
    const quote = quoteNano(model, call.bound)
    // tiers or cache times that have no price are refused
    if (quote === null) return true
    const most = body.max_tool_calls ?? 3
    const hosts = body.tools.some(({ type }) => type !== 'function') && most > 0
    const calls = hosts ? Math.round(used.calls * most) : 0
    const fills = body.previous_response_id !== undefined || hosts
    const window = fills ? model.contextWindow : Math.min(call.bound.inputTokens, model.contextWindow)
    const input = Math.floor(window * (calls + 1) * used.input)
    const cached = Math.floor(input * used.cached)
    const written = Math.floor((input - cached) * used.written)
    const long = body.prompt_cache_options?.ttl === '12h'
    const longest = Math.min(body.max_output_tokens ?? model.maxOutput, model.maxOutput)
    const output = Math.floor(longest * (calls + 1) * used.output)
    const split = long ? { ttl_12h_tokens: written, ttl_30m_tokens: 0 } : { ttl_30m_tokens: written, ttl_12h_tokens: 0 }
    const kinds = ['web_search', 'file_search', 'code_interpreter'].filter((type) => body.tools.some((tool) => tool.type === type))
    const answer = {
      ...response,
      service_tier: used.standard ? 'default' : body.service_tier ?? 'default',
      tool_usage: undefined,
      output: Array.from({ length: kinds.length === 0 ? 0 : calls }, (_, i) =>
        ({ type: `${kinds[i % kinds.length]}_call`, container_id: i })),
      usage: {
        input_tokens: input,
        output_tokens: output,
        input_tokens_details: {
          cached_tokens: cached,
          cache_write_tokens: written,
          ...used.split ? { cache_write_tokens_details: split } : {},
        },
      },
    }
    const actual = cost(metered(responses, call, JSON_ANSWER, JSON.stringify(answer)).reading, model)
    return actual !== null && actual <= quote
  }), { numRuns: 500 })
})
