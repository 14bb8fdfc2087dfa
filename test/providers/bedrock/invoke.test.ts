import t from 'tap'
import { bedrock } from '../../../src/providers/bedrock/index.ts'
import { type BillableEndpoint, type CallRequest, isRefusal } from '../../../src/providers/provider.ts'
import { JSON_ANSWER, pass } from '../builders.ts'
import { chunk, frame } from './frames.ts'

const at = (path: string) => bedrock.endpoints.find((endpoint) => endpoint.path === path) as BillableEndpoint
const whole = at('/model/{model}/invoke')
const stream = at('/model/{model}/invoke-with-response-stream')
const CLAUDE = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0'
const NOVA = 'amazon.nova-lite-v1:0'
const LLAMA = 'us.meta.llama4-scout-17b-instruct-v1:0'
const MISTRAL = 'mistral.mistral-large-2402-v1:0'
const bytesOf = (body: object) => Buffer.from(JSON.stringify(body))
const FRAMES = { ...JSON_ANSWER, contentType: 'application/vnd.amazon.eventstream' }

const read = (model: string, body: object, headers = {}) => whole.read(body, bytesOf(body), { params: { model }, search: '', headers })

function aCall (model: string, body: object, endpoint = whole): CallRequest {
  const call = endpoint.read(body, bytesOf(body), { params: { model }, search: '' })
  if (isRefusal(call)) throw new Error(call.message)
  return call
}

const claude = { anthropic_version: 'bedrock-2023-05-31', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] }

t.test('a body is bounded as its maker has it', async (t) => {
  const bound = { outputTokens: 10, inputTokens: bytesOf(claude).length }
  t.match(aCall(CLAUDE, claude), { model: CLAUDE, stream: false, bound })
  t.equal(aCall(CLAUDE, claude, stream).stream, true)
  const nova = { schemaVersion: 'messages-v1', messages: [{ role: 'user', content: [{ text: 'hi' }] }], inferenceConfig: { max_new_tokens: 7 } }
  t.match(aCall(NOVA, nova).bound, { outputTokens: 7, inputTokens: bytesOf(nova).length + 1_000 })
  const llama = { prompt: 'hi', max_gen_len: 9, images: ['aaaa'] }
  t.match(aCall(LLAMA, llama).bound, { outputTokens: 9, inputTokens: bytesOf(llama).length + 10_000 })
  t.match(aCall(LLAMA, { prompt: 'hi' }).bound, { outputTokens: null })
  t.match(aCall(MISTRAL, { prompt: '<s>[INST] hi [/INST]', max_tokens: 3 }).bound, { outputTokens: 3 })
  t.match(aCall(MISTRAL, { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }).bound, { inputTokens: Infinity })
})

t.test('what is not read here, or costs by itself, is refused by its name', async (t) => {
  const cases: [string, object, RegExp, object?][] = [
    ['amazon.titan-embed-text-v2:0', { inputText: 'x' }, /titan-embed/],
    ['cohere.command-r-v1:0', { message: 'x' }, /cohere\.command/],
    ['amazon.nova-canvas-v1:0', { taskType: 'TEXT_IMAGE' }, /nova-canvas/],
    ['arn:aws:bedrock:us-east-1:1:application-inference-profile/x', { prompt: 'x' }, /application-inference-profile/],
    [NOVA, { messages: [], toolConfig: { tools: [{ systemTool: { name: 'nova_code_interpreter' } }] } }, /systemTool/],
    [NOVA, { messages: [], additionalModelRequestFields: {} }, /additionalModelRequestFields/],
    [LLAMA, { prompt: 'x', tools: [] }, /The field tools/],
    [MISTRAL, { prompt: 'x', n: 4 }, /The field n,/],
    [CLAUDE, { ...claude, tools: [{ type: 'code_execution_20260120' }] }, /code_execution/],
    [CLAUDE, claude, /guardrailidentifier/, { 'x-amzn-bedrock-guardrailidentifier': 'g' }],
    [CLAUDE, claude, /performanceconfig-latency/, { 'x-amzn-bedrock-performanceconfig-latency': 'optimized' }],
  ]
  for (const [model, body, message, headers] of cases) t.match(read(model, body, headers), { code: 'feature_not_metered', message }, message.source)
  t.match(read(CLAUDE, claude, { 'x-amzn-bedrock-service-tier': 'flex' }), { bound: { tier: 'flex' } })
  t.match(read(CLAUDE, claude, { 'x-amzn-bedrock-service-tier': 'default', 'x-amzn-bedrock-performanceconfig-latency': 'standard' }), { bound: { tier: null } })
  t.match(read(CLAUDE, { ...claude, model: 'x' }), { code: 'invalid_request' })
  t.match(read(LLAMA, { prompt: 'x', max_gen_len: 'y' }), { code: 'invalid_request', field: 'max_gen_len' })
})

t.test('a lower limit goes where the maker has it', async (t) => {
  const sent = (model: string, body: object) => whole.forwardBody(aCall(model, body), body, bytesOf(body), { model: 'm', outputTokens: 2 }).toString()
  t.equal(sent(CLAUDE, claude), JSON.stringify({ ...claude, max_tokens: 2 }))
  t.equal(sent(LLAMA, { prompt: 'x' }), '{"prompt":"x","max_gen_len":2}')
  t.equal(sent(MISTRAL, { prompt: 'x', max_tokens: 9 }), '{"prompt":"x","max_tokens":2}')
  t.equal(sent(NOVA, { messages: [], inferenceConfig: { max_new_tokens: 9 } }), '{"messages":[],"inferenceConfig":{"max_new_tokens":2}}')
})

const METRICS = { 'amazon-bedrock-invocationMetrics': { inputTokenCount: 11, outputTokenCount: 6, cacheReadInputTokenCount: 2, invocationLatency: 1, firstByteLatency: 1 } }

const STREAMS: Record<string, { model: string, body: object, frames: Buffer[], used: object }> = {
  'of Claude': {
    model: CLAUDE,
    body: claude,
    frames: [
      chunk({ type: 'message_start', message: { id: 'msg_1', model: 'claude-sonnet-4-5-20250929', usage: { input_tokens: 8, cache_read_input_tokens: 3, output_tokens: 1 } } }),
      chunk({ type: 'content_block_delta', delta: { text: 'hé' } }),
      chunk({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 6 } }),
      chunk({ type: 'message_stop', ...METRICS }),
    ],
    used: { inputTokens: 8, cacheReadTokens: 3, outputTokens: 6 },
  },
  'of Nova': {
    model: NOVA,
    body: { messages: [] },
    frames: [
      chunk({ contentBlockDelta: { delta: { text: 'hé' } } }),
      chunk({ metadata: { usage: { inputTokens: 9, outputTokens: 6, cacheReadInputTokenCount: 4 } }, ...METRICS }),
    ],
    used: { inputTokens: 9, cacheReadTokens: 4, outputTokens: 6 },
  },
  'of Llama': {
    model: LLAMA,
    body: { prompt: 'x' },
    frames: [chunk({ generation: 'hé', prompt_token_count: 11 }), chunk({ generation: '', stop_reason: 'stop', ...METRICS })],
    used: { inputTokens: 11, cacheReadTokens: 2, outputTokens: 6 },
  },
}

for (const [name, { model, body, frames, used }] of Object.entries(STREAMS)) {
  t.test(`a stream ${name} passes byte for byte and is metered, wherever it is cut`, async (t) => {
    const bytes = Buffer.concat(frames)
    for (let at = 0; at <= bytes.length; at += 1) {
      const meter = stream.meter(aCall(model, body, stream), FRAMES)
      const same = pass(meter, bytes, [at]).equals(bytes)
      if (!same || !meter.reading().final) t.fail(`cut at ${at}`)
    }
    const meter = stream.meter(aCall(model, body, stream), FRAMES)
    pass(meter, bytes)
    t.match(meter.reading(), { final: true, usage: used })
    const cut = stream.meter(aCall(model, body, stream), FRAMES)
    pass(cut, Buffer.concat(frames.slice(0, -2)))
    t.equal(cut.reading().final, false)
  })
}

t.test('a whole answer says what it used in its body, or in its headers', async (t) => {
  const of = (model: string, body: object, answer: object, headers = {}) => {
    const meter = whole.meter(aCall(model, body), { ...JSON_ANSWER, headers })
    const bytes = bytesOf(answer)
    t.ok(pass(meter, bytes).equals(bytes))
    return meter.reading()
  }
  const counted = { 'x-amzn-bedrock-input-token-count': '11', 'x-amzn-bedrock-output-token-count': '6', 'x-amzn-requestid': 'r' }
  t.match(of(CLAUDE, claude, { id: 'm', model: 'c', usage: { input_tokens: 8, output_tokens: 6, cache_creation_input_tokens: 5 } }),
    { final: true, modelUsed: 'c', usage: { inputTokens: 8, cacheWrite5mTokens: 5, outputTokens: 6 } })
  const ofNova = { output: {}, usage: { inputTokens: 9, outputTokens: 6 } }
  t.match(of(NOVA, { messages: [] }, ofNova), { final: true, usage: { inputTokens: 9 } })
  t.match(of(LLAMA, { prompt: 'x' }, { generation: 'x' }, counted), { final: true, providerRequestId: 'r', usage: { inputTokens: 11, outputTokens: 6 } })
  t.match(of(MISTRAL, { prompt: 'x' }, { outputs: [{ text: 'x' }] }, counted), { final: true, usage: { outputTokens: 6 } })
  t.match(of(MISTRAL, { prompt: 'x' }, { outputs: [] }), { final: false, usage: null })
  t.match(of(MISTRAL, { prompt: 'x' }, { outputs: [] }, { ...counted, 'x-amzn-bedrock-output-token-count': 'x' }), { final: false, usage: null })
  const failed = stream.meter(aCall(CLAUDE, claude, stream), FRAMES)
  pass(failed, frame('throttlingException', { message: 'slow' }, 'exception'))
  t.match(failed.reading(), { final: false, usage: null })
})
