import fc from 'fast-check'
import t from 'tap'
import { finalCost } from '../../src/gateway/final-cost.ts'
import { type PricedModel } from '../../src/pricing/price.ts'
import { quoteNano } from '../../src/pricing/quote.ts'
import { deepseek } from '../../src/providers/deepseek/index.ts'
import { groq } from '../../src/providers/groq/index.ts'
import { mistral } from '../../src/providers/mistral/index.ts'
import { openrouter } from '../../src/providers/openrouter/index.ts'
import {
  AS_ASKED, type BillableEndpoint, type CallRequest, isRefusal, NO_TARGET, type Provider,
} from '../../src/providers/provider.ts'
import { vllm } from '../../src/providers/vllm/index.ts'
import { xai } from '../../src/providers/xai/index.ts'
import { costNano } from '../../src/pricing/cost.ts'
import { aCall, billable, JSON_ANSWER, metered, MODEL, named, pass, read, SSE } from './builders.ts'

// Where providers that speak OpenAI's dialect do otherwise than OpenAI.

const CHAT = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }
const STREAM = { ...CHAT, stream: true }
const chunk = (value: object | string) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`
const text = (more: object = {}) =>
  chunk({ id: 'c-1', model: 'm', choices: [{ index: 0, delta: { content: 'x' } }], ...more })
const DONE = chunk('[DONE]')
const sent = (provider: Provider, body: object, priced?: PricedModel) =>
  billable(provider)
    .forwardBody(aCall(provider, body), body, Buffer.from(JSON.stringify(body)), AS_ASKED, priced).toString()
const used = (provider: Provider, usage: object, more: object = {}) => {
  const answer = JSON.stringify({ id: 'c-1', model: 'm', choices: [{}], usage, ...more })
  return metered(provider, aCall(provider, CHAT), JSON_ANSWER, answer).reading.usage
}

t.test('usage that comes unasked is not asked for, and passes as it came, however it is cut', async (t) => {
  for (const provider of [mistral, openrouter]) {
    t.equal(sent(provider, STREAM), JSON.stringify(STREAM), provider.name)
    const last = chunk({ id: 'c-1', model: 'm', choices: [], usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 } })
    const answer = `: OPENROUTER PROCESSING\n\n${text()}: OPENROUTER PROCESSING\n\n${last}${DONE}`
    for (let at = 0; at < answer.length; at++) {
      const meter = billable(provider).meter(aCall(provider, STREAM), SSE)
      t.equal(pass(meter, Buffer.from(answer), [at]).toString(), answer)
      t.match(meter.reading(), { final: true, usage: { inputTokens: 5, outputTokens: 3 } })
    }
  }
})

t.test('only fields that a provider says to bound the output bound it', async (t) => {
  const both = { ...CHAT, max_tokens: 50, max_completion_tokens: 90 }
  const all = [mistral, groq, openrouter, deepseek, xai, vllm]
  const bounds = all.map((provider) => [provider.name, aCall(provider, both).bound.outputTokens])
  t.strictSame(bounds, [['mistral', 50], ['groq', 90], ['openrouter', 90], ['deepseek', 50], ['xai', 90], ['vllm', 90]])
  t.equal(aCall(xai, { ...CHAT, max_tokens: 50 }).bound.outputTokens, null)
  const capped = (provider: Provider) => {
    const bytes = Buffer.from(JSON.stringify(CHAT))
    const changed = billable(provider).forwardBody(aCall(provider, CHAT), CHAT, bytes, { model: null, outputTokens: 7 })
    return JSON.parse(changed.toString()) as object
  }
  t.match(capped(mistral), { max_tokens: 7 })
  t.match(capped(deepseek), { max_tokens: 7 })
  t.match(capped(xai), { max_completion_tokens: 7 })
})

t.test('Mistral: 100 in, 60 of them cached, 10 out cost 40 x 2 + 60 x 1 + 10 x 8 = 220 micro-USD, whatever the name of the cache', async (t) => {
  const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 }
  for (const cached of [{ num_cached_tokens: 60 }, { prompt_tokens_details: { cached_tokens: 60 } }]) {
    const reading = used(mistral, { ...usage, ...cached })
    t.match(reading, { inputTokens: 40, cacheReadTokens: 60, outputTokens: 10 })
    t.equal(reading === null ? null : costNano(MODEL, reading), 220_000n)
  }
  t.equal(used(mistral, { ...usage, prompt_audio_seconds: 3 }), null, 'sound has another price')
  const thought = { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }
  t.match(aCall(mistral, { ...CHAT, messages: [{ role: 'assistant', content: [thought] }] }), { bound: { inputTokens: Number } })
  for (const type of ['document_url', 'input_audio', 'file']) {
    const request = read(mistral, { ...CHAT, messages: [{ role: 'user', content: [{ type }] }] })
    t.ok(isRefusal(request) || request.bound.inputTokens === Infinity, type)
  }
})

t.test('what completes a text has a prompt in place of messages, and one only', async (t) => {
  const fim = named(mistral, '/v1/fim/completions')
  const body = { model: 'm', prompt: 'def f(', suffix: 'return', max_tokens: 9 }
  t.match(ask(fim, body), { bound: { inputTokens: JSON.stringify(body).length, outputTokens: 9 } })
  t.match(ask(fim, { ...body, prompt: ['a', 'b'] }), { code: 'invalid_request', field: 'prompt' })
  t.match(ask(named(deepseek, '/beta/completions'), body), { bound: { outputTokens: 9 } })
})

t.test('OCR is held for the pages that are asked for, or all that a document can have, and billed for those that were read', async (t) => {
  const ocr = named(mistral, '/v1/ocr')
  const document = { type: 'document_url', document_url: 'https://x' }
  const pages = (more: object) => ask(ocr, { model: 'm', document, ...more })
  t.match(pages({}), { bound: { units: { pages: 1_000 }, inputTokens: 0, outputTokens: 0 } })
  t.match(pages({ pages: [0, 1, 2] }), { bound: { units: { pages: 3 } } })
  t.match(pages({ pages: '0-4, 7' }), { bound: { units: { pages: 6 } } })
  t.match(pages({ pages: '4-0' }), { bound: { units: { pages: 1_000 } } })
  t.match(pages({ pages: 7 }), { code: 'invalid_request', field: 'pages' })
  t.match(pages({ document: { type: 'image_url', image_url: 'https://x' } }), { bound: { units: { pages: 1 } } })
  t.match(pages({ document: 'x' }), { code: 'invalid_request', field: 'document' })
  t.match(pages({ document_annotation_format: {} }), { code: 'feature_not_metered', message: /^document_annotation_format / })
  const request = ask(ocr, { model: 'm', document }) as CallRequest
  t.equal(quoteNano(MODEL, request.bound), 1_000_000_000n, '1,000 pages at a thousandth of a USD')
  const read = (answer: object) => {
    const meter = ocr.meter(request, JSON_ANSWER)
    pass(meter, Buffer.from(JSON.stringify(answer)))
    return meter.reading()
  }
  const { usage, final } = read({ model: 'm', pages: [], usage_info: { pages_processed: 7, doc_size_bytes: 9 } })
  t.ok(final)
  t.equal(usage === null ? null : costNano(MODEL, usage), 7_000_000n)
  t.match(read({ pages: [] }), { usage: null, final: false })
})

t.test('Groq: usage in x_groq is read where there is no other, and tiers of one price are the standard', async (t) => {
  const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 }
  const answer = text() + text({ x_groq: { id: 'req_1', usage } }) + DONE
  const { out, reading } = metered(groq, aCall(groq, STREAM), SSE, answer)
  t.equal(out, answer)
  t.match(reading, { final: true, usage: { inputTokens: 5, outputTokens: 3 } })
  for (const tier of ['on_demand', 'flex', 'auto']) {
    t.equal(aCall(groq, { ...CHAT, service_tier: tier }).bound.tier, null)
    t.equal(used(groq, usage, { service_tier: tier })?.tier, null)
  }
  t.equal(aCall(groq, { ...CHAT, service_tier: 'performance' }).bound.tier, 'performance')
  t.equal(used(groq, usage, { usage_breakdown: { models: [] } }), null, 'several models have worked')
  for (const model of ['groq/compound', 'groq/compound-mini', 'compound-beta']) {
    t.match(read(groq, { ...CHAT, model }), { code: 'feature_not_metered' }, model)
  }
  for (const more of [{ compound_custom: {} }, { search_settings: {} }, { tools: [{ type: 'browser_search' }] }]) {
    t.match(read(groq, { ...CHAT, ...more }), { code: 'feature_not_metered' })
  }
})

t.test('DeepSeek: 100 in, 64 of them from its cache, 10 out cost 36 x 2 + 64 x 1 + 10 x 8 = 216 micro-USD', async (t) => {
  const usage = used(deepseek, {
    prompt_tokens: 100,
    completion_tokens: 10,
    total_tokens: 110,
    prompt_cache_hit_tokens: 64,
    prompt_cache_miss_tokens: 36,
    completion_tokens_details: { reasoning_tokens: 4 },
  })
  t.match(usage, { inputTokens: 36, cacheReadTokens: 64, outputTokens: 10, reasoningTokens: 4 })
  t.equal(usage === null ? null : costNano(MODEL, usage), 216_000n)
  const messages = named(deepseek, '/anthropic/v1/messages')
  t.equal(messages.dialect?.name, 'anthropic')
  t.match(ask(messages, { ...CHAT, max_tokens: 5 }), { bound: { outputTokens: 5 } })
  for (const path of ['/chat/completions', '/v1/chat/completions', '/beta/chat/completions']) t.ok(named(deepseek, path))
})

t.test('xAI: reasoning is beside the completion, and ten ticks are a nano-USD, rounded up', async (t) => {
  const usage = { prompt_tokens: 10, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 20 } }
  t.match(used(xai, { ...usage, total_tokens: 35 }), { outputTokens: 25 })
  t.match(used(xai, usage), { outputTokens: 25 }, 'without a total too')
  t.match(used(xai, { ...usage, total_tokens: 35, cost_in_usd_ticks: 318_319_001 }), { reportedNano: 31_831_901n })
  for (const more of [{ search_parameters: { mode: 'auto' } }, { deferred: true }, { tools: [{ type: 'live_search' }] }]) {
    t.match(read(xai, { ...CHAT, ...more }), { code: 'feature_not_metered' }, JSON.stringify(more))
  }
  t.match(read(xai, { ...CHAT, deferred: false }), { model: 'm' })
})

t.test('OpenRouter: what it says that a call cost is what it cost', async (t) => {
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
  const cost = (more: object) => used(openrouter, { ...usage, ...more })?.reportedNano
  t.equal(cost({ cost: 0.00014 }), 140_000n)
  t.equal(cost({ cost: 0.1 + 0.2 }), 300_000_000n, 'a binary number is no reason to round up')
  t.equal(cost({ cost: 1.00000000012 }), 1_000_000_001n, 'less than a nano-USD is')
  t.equal(cost({ cost: 0.000007, is_byok: true, cost_details: { upstream_inference_cost: 0.00014 } }), 147_000n,
    'with a key of one\'s own its provider bills too')
  for (const none of [{}, { cost: '0.1' }, { cost: -1 }, { cost: 1e300 }, { cost: 0.1, is_byok: true }]) t.equal(cost(none), undefined)
  const broken = chunk({ id: 'g', error: { code: 502, message: 'x' }, choices: [{ delta: {}, finish_reason: 'error' }] })
  t.match(metered(openrouter, aCall(openrouter, STREAM), SSE, text() + broken).reading, { usage: null, final: false },
    'an error within an answer is no usage')
})

t.test('OpenRouter: what leads to other models or tools is refused by its name', async (t) => {
  const refused: [object, RegExp][] = [
    [{ models: ['a', 'b'] }, /^models /], [{ model: 'openai/gpt-4o:online' }, /:online/], [{ model: '@preset/x' }, /preset/],
    [{ preset: 'x' }, /^preset /], [{ route: 'fallback' }, /^route /], [{ plugins: [{ id: 'web' }] }, /plugin "web"/],
    [{ plugins: [{ id: 'file-parser' }] }, /plugin "file-parser"/], [{ plugins: ['web'] }, /plugin "web"/],
    [{ tools: [{ type: 'openrouter:web_search' }] }, /openrouter:web_search/], [{ modalities: ['image', 'text'] }, /modality "image"/],
  ]
  for (const [more, message] of refused) {
    t.match(read(openrouter, { ...CHAT, ...more }), { code: 'feature_not_metered', message }, JSON.stringify(more))
  }
  t.match(read(openrouter, { ...CHAT, plugins: 'web' }), { code: 'invalid_request', field: 'plugins' })
  t.match(read(openrouter, { ...CHAT, plugins: [{ id: 'response-healing' }, { id: 'web', enabled: false }] }), { model: 'm' })
  const part = { type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '1h' } }
  const cached = { ...CHAT, messages: [{ role: 'user', content: [part] }] }
  t.match(aCall(openrouter, cached), { bound: { cacheWrite: '1h' } })
  t.match(aCall(openrouter, CHAT), { bound: { cacheWrite: '5m' } })
})

t.test('OpenRouter: no provider above the price of the quote may serve the call', async (t) => {
  const told = (provider: unknown, priced = MODEL) =>
    JSON.parse(sent(openrouter, { ...CHAT, provider }, priced)) as { provider: unknown }
  t.equal(sent(openrouter, CHAT, MODEL), JSON.stringify(CHAT).replace(/}$/, ',"provider":{"max_price":{"prompt":2,"completion":8,"request":0}}}'))
  t.match(told({ sort: 'throughput', order: ['x'] }), { provider: { sort: 'throughput', order: ['x'], max_price: { prompt: 2, completion: 8 } } })
  t.match(told({ max_price: { prompt: 1, completion: 99, image: 3 } }),
    { provider: { max_price: { prompt: 1, completion: 8, image: 3, request: 0 } } })
  t.match(told({ max_price: { prompt: '0.5', completion: 'x' } }), { provider: { max_price: { prompt: 0.5, completion: 8 } } })
  t.match(told(null), { provider: { max_price: { prompt: 2 } } })
  const tier = { ...MODEL, fromInputTokens: 10, rates: { ...MODEL.rates, input: 4_000_000_000n } }
  t.match(told({}, { ...MODEL, tiers: [tier] }), { provider: { max_price: { prompt: 4, completion: 8 } } })
})

t.test('vLLM: running figures are asked for, and taken out unless they were wanted', async (t) => {
  const figures = (made: number) => ({ usage: { prompt_tokens: 5, completion_tokens: made, total_tokens: 5 + made } })
  const last = chunk({ id: 'c-1', model: 'm', choices: [], ...figures(2) })
  const answer = text(figures(1)) + text(figures(2)) + last + DONE
  const through = (options: object) => {
    const body = { ...STREAM, ...options }
    const { out, reading } = metered(vllm, aCall(vllm, body), SSE, answer)
    t.match(reading, { final: true, usage: { inputTokens: 5, outputTokens: 2 } })
    return out
  }
  t.match(sent(vllm, STREAM), /"stream_options":\{.*"continuous_usage_stats":true/)
  t.match(JSON.parse(sent(vllm, STREAM)), { stream_options: { include_usage: true, continuous_usage_stats: true } })
  t.equal(sent(vllm, CHAT), JSON.stringify(CHAT))
  t.equal(through({}), text() + text() + DONE)
  t.equal(through({ stream_options: { include_usage: true } }), text() + text() + last + DONE)
  t.equal(through({ stream_options: { include_usage: true, continuous_usage_stats: true } }), answer)
  t.equal(aCall(vllm, { ...CHAT, chat_template: '{{ x }}' }).bound.inputTokens, Infinity)
})

t.test('vLLM: 5 in and 2 out when the client left cost 5 x 2 + 2 x 8 = 26 micro-USD', async (t) => {
  const request = aCall(vllm, STREAM)
  const leave = (call: CallRequest) => {
    const meter = billable(vllm).meter(call, SSE)
    meter.data(Buffer.from(text({ usage: { prompt_tokens: 5, completion_tokens: 2 } })))
    const ending = { outcome: 'client_gone' as const, status: 200, reading: meter.reading(), error: null }
    return finalCost(ending, { ...MODEL, reasoning: true }, call.bound, 10n ** 9n)
  }
  t.same(leave(request), { costNano: 26_000n, certainty: 'estimated', outcome: 'client_gone' })
  t.match(leave({ ...request, bound: { ...request.bound, choices: 2 } }), { certainty: 'uncertain' }, 'of several choices each counts for itself')
})

t.test('whatever these providers may report for a request, it costs no more than its quote', async () => {
  const calls = fc.record({
    provider: fc.constantFrom(mistral, groq, deepseek, xai, vllm),
    content: fc.string({ maxLength: 300, unit: 'binary' }),
    limit: fc.option(fc.integer({ min: 1, max: 9_000 })),
    n: fc.integer({ min: 1, max: 4 }),
    shares: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }),
  })
  fc.assert(fc.property(calls, ({ provider, content, limit, n, shares }) => {
    const body = {
      model: 'm', messages: [{ role: 'user', content }], n, ...limit === null ? {} : { max_tokens: limit, max_completion_tokens: limit },
    }
    const request = aCall(provider, body)
    const share = (i: number) => shares[i] as number
    const prompt = Math.floor(Buffer.byteLength(JSON.stringify(body)) * share(0))
    const output = Math.floor(Math.min(limit ?? MODEL.maxOutput, MODEL.maxOutput) * n * share(1))
    const reasoning = Math.floor(output * share(2))
    const completion = provider === xai ? output - reasoning : output
    const cached = Math.floor(prompt * share(3))
    const usage = used(provider, {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + output,
      prompt_tokens_details: { cached_tokens: cached },
      completion_tokens_details: { reasoning_tokens: reasoning },
    })
    const quote = quoteNano(MODEL, request.bound)
    const cost = usage === null ? null : costNano(MODEL, usage)
    return quote !== null && cost !== null && cost <= quote
  }))
})

function ask (endpoint: BillableEndpoint, body: object) {
  return endpoint.read(body, Buffer.from(JSON.stringify(body)), NO_TARGET)
}
