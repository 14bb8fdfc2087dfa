import fc from 'fast-check'
import t from 'tap'
import { finalCost } from '../../src/gateway/final-cost.ts'
import { type PricedModel } from '../../src/pricing/price.ts'
import { quoteNano } from '../../src/pricing/quote.ts'
import { bedrock } from '../../src/providers/bedrock/index.ts'
import { ollama } from '../../src/providers/ollama/index.ts'
import { openai } from '../../src/providers/openai/index.ts'
import { openrouter } from '../../src/providers/openrouter/index.ts'
import {
  type AnswerHead, AS_ASKED, type BillableEndpoint, isRefusal, NO_TARGET, type Target,
} from '../../src/providers/provider.ts'
import { aModel } from '../pricing/builders.ts'
import { JSON_ANSWER, named, pass, SSE } from './builders.ts'
import { chunk } from './bedrock/frames.ts'

// The promise of each adapter: whatever usage the provider's rules allow for a request, it settles within its quote.

/** of a whole, no more than it; all of it, or nothing, is what shows a bound that is too low */
const aShare = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }))
const aText = fc.string({ maxLength: 200, unit: 'binary' })
const aLimit = fc.option(fc.integer({ min: 1, max: 300_000 }))
const five = fc.array(aShare, { minLength: 5, maxLength: 5 })
const part = (whole: number, share: number): number => Math.floor(whole * share)
const bytesOf = (body: object): number => Buffer.byteLength(JSON.stringify(body))

interface Call { endpoint: BillableEndpoint, body: object, model: PricedModel, target?: Target }

/** whether an answer of this usage settles exactly, and within the quote of its call */
function settles (
  { endpoint, body, model, target = NO_TARGET }: Call, head: AnswerHead, answer: string | Buffer
): boolean {
  const call = endpoint.read(body, Buffer.from(JSON.stringify(body)), target)
  if (isRefusal(call)) throw new Error(call.message)
  const quote = quoteNano(model, call.bound)
  const meter = endpoint.meter(call, head)
  pass(meter, Buffer.from(answer))
  const ending = { outcome: 'completed' as const, status: 200, reading: meter.reading(), error: null }
  const { costNano, certainty } = finalCost(ending, model, call.bound, quote ?? 0n)
  return quote !== null && certainty === 'exact' && costNano <= quote
}

/** the same of OpenAI's answers, whole or in a stream's last chunk */
function answers (call: Call, answer: object, stream: boolean): boolean {
  return stream
    ? settles(call, SSE, `data: ${JSON.stringify({ ...answer, choices: [] })}\n\ndata: [DONE]\n\n`)
    : settles(call, JSON_ANSWER, JSON.stringify(answer))
}

t.test('OpenAI: chat completions, whole and streamed, at whatever tier, cached and written to the cache', async () => {
  const endpoint = named(openai, '/v1/chat/completions')
  const asked = fc.record({
    name: fc.constantFrom('gpt-5.6-sol', 'gpt-4o', 'gpt-4.1'),
    text: aText,
    limit: aLimit,
    n: fc.integer({ min: 1, max: 4 }),
    tier: fc.constantFrom(null, 'auto', 'default', 'priority'),
    image: fc.boolean(),
    stream: fc.boolean(),
  })
  fc.assert(fc.property(asked, five, (some, [a = 0, b = 0, c = 0, d = 0, e = 0]) => {
    const { name, text, limit, n, tier, image, stream } = some
    const model = aModel('openai', name)
    const content = [{ type: 'text', text }, ...image ? [{ type: 'image_url', image_url: { url: 'https://x/' } }] : []]
    const body = {
      model: name,
      messages: [{ role: 'user', content }],
      n,
      ...limit === null ? {} : { max_completion_tokens: limit },
      ...tier === null ? {} : { service_tier: tier },
      ...stream ? { stream, stream_options: { include_usage: true } } : {},
    }
    const prompt = part(image ? 20_000 : Math.min(bytesOf(body), model.contextWindow), a)
    const output = part(Math.min(limit ?? model.maxOutput, model.maxOutput) * n, b)
    const cached = part(prompt, c)
    const usage = {
      prompt_tokens: prompt,
      completion_tokens: output,
      total_tokens: prompt + output,
      prompt_tokens_details: {
        cached_tokens: cached, cache_write_tokens: model.cachesUnasked ? part(prompt - cached, d) : 0,
      },
      completion_tokens_details: { reasoning_tokens: part(output, e) },
    }
    const served = { model: name, ...e > 0.5 ? { service_tier: d > 0.5 ? 'default' : tier ?? 'default' } : {}, usage }
    return answers({ endpoint, body, model }, served, stream)
  }), { numRuns: 300 })
})

t.test('OpenAI: completions of a prompt, of which only the best are shown', async () => {
  const endpoint = named(openai, '/v1/completions')
  const model = aModel('openai', 'gpt-3.5-turbo-instruct')
  const [few, more] = [fc.option(fc.integer({ min: 1, max: 3 })), fc.option(fc.integer({ min: 3, max: 6 }))]
  const counts = fc.record({ limit: aLimit, n: few, best: more })
  fc.assert(fc.property(aText, counts, aShare, aShare, fc.boolean(), (prompt, { limit, n, best }, a, b, stream) => {
    const asStream = stream ? { stream, stream_options: { include_usage: true } } : {}
    const body = { model: model.model, prompt, max_tokens: limit, n, best_of: best, ...asStream }
    const input = part(bytesOf({ prompt }), a)
    const output = part(Math.min(limit ?? model.maxOutput, model.maxOutput) * (best ?? n ?? 1), b)
    const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
    return answers({ endpoint, body, model }, { model: model.model, usage }, stream)
  }))
})

t.test('OpenRouter: whoever serves it, at no price above the one that it was told to keep to', async () => {
  const endpoint = named(openrouter, '/api/v1/chat/completions')
  const asked = fc.record({
    name: fc.constantFrom('anthropic/claude-opus-4.6', 'openai/gpt-5.6-sol', 'anthropic/claude-sonnet-4.6'),
    text: aText,
    limit: aLimit,
    own: fc.option(fc.double({ min: 0.01, max: 100, noNaN: true }).map((price) => Number(price.toFixed(6)))),
    stream: fc.boolean(),
  })
  fc.assert(fc.property(asked, five, ({ name, text, limit, own, stream }, [a = 0, b = 0, c = 0, d = 0, e = 0]) => {
    const model = aModel('openrouter', name)
    const body = {
      model: name,
      messages: [{ role: 'user', content: text }],
      stream,
      ...limit === null ? {} : { max_tokens: limit },
      ...own === null ? {} : { provider: { max_price: { prompt: own, completion: own } } },
    }
    const bytes = Buffer.from(JSON.stringify(body))
    const call = endpoint.read(body, bytes, NO_TARGET)
    if (isRefusal(call)) return false
    const sent = JSON.parse(endpoint.forwardBody(call, body, bytes, AS_ASKED, model).toString()) as Kept
    const { prompt = 0, completion = 0 } = sent.provider?.max_price ?? {}
    const input = part(bytes.length, a)
    const output = part(Math.min(limit ?? model.maxOutput, model.maxOutput), b)
    const cached = part(input, e)
    // at the price that was allowed or less, with what a cache takes off
    const cost = ((input - cached * 0.9) * prompt * c + output * completion * d) / 1e6
    const usage = {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
      prompt_tokens_details: { cached_tokens: cached },
      cost,
    }
    return answers({ endpoint, body, model }, { model: name, usage }, stream)
  }), { numRuns: 300 })
})

interface Kept { provider?: { max_price?: { prompt?: number, completion?: number } } }

t.test('Ollama: a chat, a prompt, embeddings and OpenAI\'s way to ask, as long as it was told to answer', async () => {
  const model = { ...aModel('openai', 'gpt-4o-mini'), contextWindow: 8_000, maxOutput: 2_000 }
  const asked = fc.record({
    path: fc.constantFrom('/api/chat', '/api/generate', '/api/embed', '/v1/chat/completions'),
    text: aText,
    context: fc.option(fc.integer({ min: 1, max: 20_000 })),
    predict: fc.option(fc.integer({ min: -2, max: 5_000 })),
    inputs: fc.integer({ min: 1, max: 4 }),
  })
  fc.assert(fc.property(asked, aShare, aShare, ({ path, text, context, predict, inputs }, a, b) => {
    const endpoint = named(ollama, path)
    const compatible = path.startsWith('/v1')
    const predicted = predict === null ? {} : { num_predict: predict }
    const options = { ...predicted, ...context === null ? {} : { num_ctx: context } }
    const body = {
      model: 'm',
      ...path.endsWith('embed')
        ? { input: Array.from({ length: inputs }, () => text) }
        : path.endsWith('generate') ? { prompt: text } : { messages: [{ role: 'user', content: text }] },
      ...compatible ? predict === null || predict < 1 ? {} : { max_tokens: predict } : { options },
    }
    const bytes = Buffer.from(JSON.stringify(body))
    const call = endpoint.read(body, bytes, NO_TARGET)
    if (isRefusal(call)) return false
    const sent = JSON.parse(endpoint.forwardBody(call, body, bytes, AS_ASKED, model).toString()) as Told
    const most = compatible ? sent.max_tokens : sent.options?.num_predict
    // a model's own file may put as much before the text as there is room for; no context is shorter than four
    const window = Math.min(model.contextWindow, compatible || context === null ? Infinity : Math.max(context, 4))
    const input = part(window * (path.endsWith('embed') ? inputs : 1), a)
    const output = path.endsWith('embed') ? 0 : part(Math.min(most ?? Infinity, 1_000_000), b)
    const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
    const answer = compatible
      ? { model: 'm', choices: [], usage }
      : { model: 'm', done: true, done_reason: 'stop', prompt_eval_count: input, eval_count: output }
    return settles({ endpoint, body, model }, JSON_ANSWER, JSON.stringify(answer))
  }), { numRuns: 300 })
})

interface Told { max_tokens?: number, options?: { num_predict?: number } }

t.test('Bedrock: InvokeModel with the bodies of each maker, whole and in frames', async () => {
  const frames = { ...JSON_ANSWER, contentType: 'application/vnd.amazon.eventstream' }
  const asked = fc.record({
    maker: fc.constantFrom('claude', 'nova', 'llama', 'mistral'),
    text: aText,
    limit: fc.integer({ min: 1, max: 20_000 }),
    ttl: fc.constantFrom(null, '5m', '1h'),
    stream: fc.boolean(),
  })
  const names = {
    claude: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0', nova: 'amazon.nova-lite-v1:0', llama: 'meta.llama3-3-70b-instruct-v1:0', mistral: 'mistral.mistral-large-2402-v1:0',
  }
  fc.assert(fc.property(asked, five, ({ maker, text, limit, ttl, stream }, [a = 0, b = 0, c = 0, d = 0, e = 0]) => {
    const model = aModel('bedrock', names[maker])
    const endpoint = named(bedrock, `/model/{model}/invoke${stream ? '-with-response-stream' : ''}`)
    // no other lifetime has a price there
    const cachePoint = ttl === null ? [] : [{ cachePoint: { type: 'default', ttl: '5m' } }]
    const body = {
      claude: {
        anthropic_version: 'bedrock-2023-05-31',
        max_tokens: limit,
        messages: [{ role: 'user', content: text }],
        ...ttl === null ? {} : { cache_control: { type: 'ephemeral', ttl } },
      },
      nova: { messages: [{ role: 'user', content: [{ text }, ...cachePoint] }], inferenceConfig: { maxTokens: limit } },
      llama: { prompt: text, max_gen_len: limit },
      mistral: { prompt: text, max_tokens: limit },
    }[maker]
    const input = part(Math.min(bytesOf(body), model.contextWindow), a)
    const output = part(Math.min(limit, model.maxOutput), b)
    const caches = maker === 'claude' || maker === 'nova'
    const read = caches ? part(input, c) : 0
    const written = caches && ttl !== null ? part(input - read, d) : 0
    const rest = input - read - written
    const call = { endpoint, body, model, target: { params: { model: names[maker] }, search: '' } }
    const long = ttl === '1h' ? part(written, e) : 0
    const anthropic = {
      input_tokens: rest,
      cache_read_input_tokens: read,
      cache_creation_input_tokens: written,
      cache_creation: { ephemeral_5m_input_tokens: written - long, ephemeral_1h_input_tokens: long },
      output_tokens: output,
    }
    const amazon = {
      inputTokens: rest, cacheReadInputTokenCount: read, cacheWriteInputTokenCount: written, outputTokens: output,
    }
    if (stream) {
      const metrics = { 'amazon-bedrock-invocationMetrics': { inputTokenCount: rest, outputTokenCount: output } }
      const told = {
        claude: [
          { type: 'message_start', message: { usage: { ...anthropic, output_tokens: 1 } } },
          { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: output } },
        ],
        nova: [{ metadata: { usage: amazon } }],
        llama: [{ generation: 'x', ...metrics }],
        mistral: [{ outputs: [], ...metrics }],
      }[maker]
      return settles(call, frames, Buffer.concat(told.map(chunk)))
    }
    const counts = { 'x-amzn-bedrock-input-token-count': `${rest}`, 'x-amzn-bedrock-output-token-count': `${output}` }
    const told = { claude: { usage: anthropic }, nova: { usage: amazon }, llama: {}, mistral: { outputs: [] } }[maker]
    return settles(call, { ...JSON_ANSWER, headers: caches ? {} : counts }, JSON.stringify(told))
  }), { numRuns: 400 })
})
