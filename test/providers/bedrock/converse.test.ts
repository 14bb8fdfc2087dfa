import fc from 'fast-check'
import t from 'tap'
import { costNano } from '../../../src/pricing/cost.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { bedrock } from '../../../src/providers/bedrock/index.ts'
import { catalogName } from '../../../src/providers/bedrock/names.ts'
import { AS_ASKED, type BillableEndpoint, type CallRequest, isRefusal } from '../../../src/providers/provider.ts'
import { aModel, aUsage } from '../../pricing/builders.ts'
import { JSON_ANSWER, pass } from '../builders.ts'
import { frame } from './frames.ts'

const at = (path: string) => bedrock.endpoints.find((endpoint) => endpoint.path === path) as BillableEndpoint
const whole = at('/model/{model}/converse')
const stream = at('/model/{model}/converse-stream')
const MODEL = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'
const target = { params: { model: MODEL }, search: '' }
const bytesOf = (body: object) => Buffer.from(JSON.stringify(body))
const ask = { messages: [{ role: 'user', content: [{ text: 'hello' }] }] }
const withBlock = (...content: object[]) => ({ messages: [{ role: 'user', content }] })
const read = (body: object) => whole.read(body, bytesOf(body), target)
const FRAMES = { ...JSON_ANSWER, contentType: 'application/vnd.amazon.eventstream', headers: { 'x-amzn-requestid': 'r1' } }

function aCall (body: object, endpoint = whole): CallRequest {
  const call = endpoint.read(body, bytesOf(body), target)
  if (isRefusal(call)) throw new Error(call.message)
  return call
}

/** tokens beyond the bytes */
const more = (body: object) => aCall(body).bound.inputTokens - bytesOf(body).length

t.test('a call is read as AWS will read it: the model stands in the path, the limit in inferenceConfig', async (t) => {
  t.strictSame(aCall(ask).bound, {
    inputTokens: bytesOf(ask).length, outputTokens: null, choices: 1, cacheWrite: 'none', tier: null, webSearches: 0,
  })
  t.match(aCall(ask), { model: MODEL, stream: false })
  t.match(aCall({ ...ask, inferenceConfig: { maxTokens: 50 } }, stream), { stream: true, bound: { outputTokens: 50 } })
  const thinking = (budget: number) => aCall({
    ...ask, inferenceConfig: { maxTokens: 50 }, additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: budget } },
  })
  t.match(thinking(10), { thinking: 10, bound: { outputTokens: 50 } })
  t.match(thinking(500), { bound: { outputTokens: 500 } }, 'a budget of thinking may be the larger one')
  t.equal(aCall({ ...ask, serviceTier: { type: 'default' } }).bound.tier, null)
  t.equal(aCall({ ...ask, serviceTier: { type: 'priority' } }).bound.tier, 'priority')
})

t.test('the longest cache that is asked for is found wherever it is', async (t) => {
  const point = (ttl?: string) => ({ cachePoint: { type: 'default', ...ttl === undefined ? {} : { ttl } } })
  const cache = (body: object) => aCall(body).bound.cacheWrite
  t.equal(cache(withBlock({ text: 'x' }, point())), '5m')
  t.equal(cache({ ...ask, system: [{ text: 'x' }, point('1h')] }), '1h')
  t.equal(cache({ ...withBlock(point()), toolConfig: { tools: [point('1h')] } }), '1h')
  t.match(read(withBlock(point('9h'))), { code: 'feature_not_metered', message: /cachePoint/ })
})

t.test('what stands for more than its bytes gets more; what has another price is refused by its name', async (t) => {
  const image = { format: 'png', source: { bytes: 'iVBOR'.repeat(9_000) } }
  t.equal(more(ask), 0)
  t.equal(more(withBlock({ image })), 10_000 - 45_000)
  t.equal(more(withBlock({ toolResult: { toolUseId: 'a', content: [{ image }, { text: 'x' }, { json: { image: 1 } }] } })), 10_000 - 45_000)
  t.equal(more(withBlock({ guardContent: { image } })), 10_000 - 45_000)
  t.equal(more({ ...ask, toolConfig: { tools: [{ toolSpec: { name: 'x', inputSchema: { json: {} } } }] } }), 1_000)
  const plain = [{ document: { name: 'd', source: { text: 'x' } } }, { reasoningContent: {} }, { searchResult: { content: [] } }, { toolUse: { input: { video: 1 } } }]
  for (const block of plain) t.equal(more(withBlock(block)), 0, JSON.stringify(block))
  const open = [
    { document: { name: 'd', source: { bytes: 'JVBER' } } }, { document: { name: 'd', source: { text: 'x' }, citations: { enabled: true } } },
    { video: { source: { bytes: 'x' } } }, { image: { source: { s3Location: { uri: 's3://x' } } } }, { notKnownYet: {} }, { notKnownYet: 'x' },
  ]
  for (const block of open) t.equal(more(withBlock(block)), Infinity, JSON.stringify(block))
  const refused: [object, RegExp][] = [
    [{ guardrailConfig: { guardrailIdentifier: 'g' } }, /^guardrailConfig/],
    [{ promptVariables: { a: { text: 'x' } } }, /^promptVariables/],
    [{ performanceConfig: { latency: 'optimized' } }, /^performanceConfig/],
    [{ additionalModelRequestFields: { max_tokens: 9 } }, /^additionalModelRequestFields\.max_tokens/],
    [{ additionalModelRequestFields: { inferenceConfig: { maxTokens: 9 } } }, /inferenceConfig with more/],
    [{ toolConfig: { tools: [{ systemTool: { name: 'nova_grounding' } }] } }, /nova_grounding/],
    [withBlock({ audio: { format: 'mp3', source: {} } }), /^audio/],
  ]
  for (const [fields, message] of refused) t.match(read({ ...ask, ...fields }), { code: 'feature_not_metered', message }, JSON.stringify(fields))
})

t.test('a field of the wrong type is refused by its name', async (t) => {
  for (const [fields, field] of [
    [{ inferenceConfig: 7 }, 'inferenceConfig'], [{ inferenceConfig: { maxTokens: 'x' } }, 'inferenceConfig.maxTokens'],
    [{ messages: 'x' }, 'messages'], [{ toolConfig: [] }, 'toolConfig'], [{ serviceTier: { type: 7 } }, 'type'],
    [{ additionalModelRequestFields: { thinking: { budget_tokens: -1 } } }, 'additionalModelRequestFields.thinking.budget_tokens'],
  ] as const) t.match(read({ ...ask, ...fields }), { code: 'invalid_request', field }, JSON.stringify(fields))
  for (const none of [null, [], 'x']) t.match(whole.read(none, Buffer.alloc(0), target), { code: 'invalid_request' })
})

t.test('a lower limit goes into inferenceConfig, and no other byte changes', async (t) => {
  const sent = (text: string, outputTokens: number | null) => {
    const body = JSON.parse(text) as object
    return whole.forwardBody(aCall(body), body, Buffer.from(text), { model: 'other', outputTokens }).toString()
  }
  t.equal(sent('{"messages":[] }', 7), '{"messages":[] ,"inferenceConfig":{"maxTokens":7}}')
  t.equal(sent('{ "inferenceConfig": {"topP":0.50, "maxTokens":90},"messages":[]}', 7), '{ "inferenceConfig": {"topP":0.50, "maxTokens":7},"messages":[]}')
  t.equal(sent('{"inferenceConfig":null,"messages":[]}', 7), '{"inferenceConfig":{"maxTokens":7},"messages":[]}')
  t.equal(sent('{"inferenceConfig":{"maxTokens":5}}', 7), '{"inferenceConfig":{"maxTokens":5}}', 'never above the client\'s own')
  t.equal(sent('{"messages":[]}', null), '{"messages":[]}')
  const bytes = bytesOf(ask)
  t.equal(whole.forwardBody(aCall(ask), ask, bytes, AS_ASKED), bytes)
})

const USAGE = {
  inputTokens: 100,
  outputTokens: 20,
  totalTokens: 1_120,
  cacheReadInputTokens: 600,
  cacheWriteInputTokens: 400,
  cacheDetails: [{ ttl: '1h', inputTokens: 300 }, { ttl: '5m', inputTokens: 100 }],
}

t.test('a whole answer costs 3.3 * 100 + 0.33 * 600 + 4.125 * 100 + 6.6 * 300 + 16.5 * 20 = 3,250.5 millionths of a dollar', async (t) => {
  const meter = whole.meter(aCall(ask), { ...JSON_ANSWER, headers: { 'x-amzn-requestid': 'r1' } })
  const answer = JSON.stringify({ output: { message: { content: [{ text: 'hi' }] } }, stopReason: 'end_turn', usage: USAGE, serviceTier: { type: 'default' } })
  t.equal(pass(meter, Buffer.from(answer)).toString(), answer)
  const { usage, final, providerRequestId } = meter.reading()
  t.strictSame(usage, {
    inputTokens: 100, cacheReadTokens: 600, cacheWrite5mTokens: 100, cacheWrite1hTokens: 300, outputTokens: 20, reasoningTokens: 0, webSearches: 0, tier: 'default',
  })
  t.match({ final, providerRequestId }, { final: true, providerRequestId: 'r1' })
  t.equal(costNano(aModel('bedrock', MODEL), usage ?? NONE), 3_250_500n)
})

const NONE = aUsage()

t.test('what is not split was written for the longest that was asked for', async (t) => {
  const hour = withBlock({ text: 'x' }, { cachePoint: { type: 'default', ttl: '1h' } })
  for (const [body, wanted] of [[ask, { cacheWrite5mTokens: 400 }], [hour, { cacheWrite1hTokens: 400 }]] as const) {
    const meter = whole.meter(aCall(body), JSON_ANSWER)
    pass(meter, bytesOf({ usage: { ...USAGE, cacheDetails: null } }))
    t.match(meter.reading().usage, wanted)
  }
})

const words = frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'hé "metadata" 🎉' }, p: 'abcdefgh' })
const frames = [
  frame('messageStart', { role: 'assistant' }), words, frame('contentBlockStop', { contentBlockIndex: 0 }),
  frame('messageStop', { stopReason: 'end_turn' }), frame('metadata', { usage: USAGE, metrics: { latencyMs: 7 } }),
]

t.test('a stream\'s frames pass byte for byte and its last one has the usage, wherever the bytes are cut', async (t) => {
  const bytes = Buffer.concat(frames)
  for (let at = 0; at <= bytes.length; at++) {
    const meter = stream.meter(aCall(ask, stream), FRAMES)
    const same = pass(meter, bytes, [at]).equals(bytes)
    const { usage, final } = meter.reading()
    if (!same || !final || usage?.outputTokens !== 20) t.fail(`cut at ${at}`)
  }
  const meter = stream.meter(aCall(ask, stream), FRAMES)
  t.ok(pass(meter, bytes, Array.from(bytes.keys())).equals(bytes), 'byte by byte')
  t.match(meter.reading(), { final: true, bodyBytes: bytes.length, providerRequestId: 'r1', usage: { inputTokens: 100 } })
  const chunk = Buffer.from(bytes)
  t.equal(stream.meter(aCall(ask, stream), FRAMES).data(chunk), chunk, 'the very same buffer')
})

t.test('a stream that breaks off, fails or is damaged has no usage', async (t) => {
  const of = (bytes: Buffer, answer = FRAMES) => {
    const meter = stream.meter(aCall(ask, stream), answer)
    t.ok(pass(meter, bytes).equals(bytes))
    return meter.reading()
  }
  const whole = Buffer.concat(frames)
  for (const bytes of [Buffer.alloc(0), whole.subarray(0, -1), frames[0] as Buffer,
    Buffer.concat([words, frame('modelStreamErrorException', { message: 'x' }, 'exception')]),
    Buffer.concat([words, frame('metadata', { usage: { inputTokens: 'x' } })]), Buffer.alloc(40), Buffer.from('<html>no frames here, nor anywhere</html>')]) {
    t.match(of(bytes), { usage: null, final: false })
  }
  const damaged = Buffer.from(whole)
  damaged[words.length - 3] = 7
  t.match(of(damaged), { usage: null, final: false })
  const tooLong = Buffer.alloc(16)
  tooLong.writeUInt32BE(17 * 1024 * 1024)
  t.match(of(Buffer.concat([tooLong, Buffer.alloc(17 * 1024 * 1024 - 16), ...frames])), { usage: null, final: false })
  t.match(of(whole, { ...FRAMES, status: 400 }), { usage: null })
})

t.test('the catalog knows models and profiles by their ids, and their ARNs; other ARNs say of no model', async (t) => {
  t.equal(catalogName(MODEL), MODEL)
  t.equal(catalogName(`arn:aws:bedrock:us-east-1:123456789012:inference-profile/${MODEL}`), MODEL)
  t.equal(catalogName('arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/amazon.nova-pro-v1:0'), 'amazon.nova-pro-v1:0')
  for (const kind of ['application-inference-profile/abc', 'provisioned-model/abc', 'prompt/P1:1', 'default-prompt-router/x', 'imported-model/x']) {
    t.equal(catalogName(`arn:aws:bedrock:us-east-1:123456789012:${kind}`), null, kind)
  }
})

t.test('whatever usage is within a request\'s rules, it costs no more than the quote', async (t) => {
  const share = fc.float({ min: 0, max: 1, noNaN: true })
  const model = aModel('bedrock', MODEL)
  const limits = fc.option(fc.integer({ min: 1, max: 9_000 }))
  const lifetimes = fc.constantFrom(null, '5m', '1h')
  const property = fc.property(fc.string(), limits, lifetimes, fc.boolean(), share, share, share, share,
    (text, limit, ttl, document, read, written, rest, out) => {
      const blocks = [{ text }, ...ttl === null ? [] : [{ cachePoint: { type: 'default', ttl } }], ...document ? [{ document: { source: { bytes: 'x' } } }] : []]
      const body = { ...withBlock(...blocks), ...limit === null ? {} : { inferenceConfig: { maxTokens: limit } } }
      const call = aCall(body)
      let left = document ? model.contextWindow : bytesOf(body).length
      const take = (of: number) => {
        const taken = Math.floor(left * of)
        left -= taken
        return taken
      }
      const usage = {
        cacheReadInputTokens: take(read),
        cacheWriteInputTokens: ttl === null ? 0 : take(written),
        inputTokens: take(rest),
        outputTokens: Math.floor((limit ?? model.maxOutput) * out),
      }
      const meter = stream.meter(call, FRAMES)
      pass(meter, frame('metadata', { usage }))
      return (costNano(model, meter.reading().usage ?? NONE) as bigint) <= (quoteNano(model, call.bound) as bigint)
    })
  fc.assert(property)
  t.pass()
})
