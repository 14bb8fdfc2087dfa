import fc from 'fast-check'
import t from 'tap'
import { costNano } from '../../src/pricing/cost.ts'
import { quoteNano } from '../../src/pricing/quote.ts'
import { azure } from '../../src/providers/azure/index.ts'
import { usualPaths } from '../../src/providers/compatible.ts'
import { groq } from '../../src/providers/groq/index.ts'
import { mistral } from '../../src/providers/mistral/index.ts'
import { ollama } from '../../src/providers/ollama/index.ts'
import { openrouter } from '../../src/providers/openrouter/index.ts'
import {
  AS_ASKED, type BillableEndpoint, type CallRequest, isRefusal, NO_TARGET, type Target,
} from '../../src/providers/provider.ts'
import { vllm } from '../../src/providers/vllm/index.ts'
import { xai } from '../../src/providers/xai/index.ts'
import { JSON_ANSWER, MODEL, named, pass, SSE } from './builders.ts'

// What providers have besides chat completions, as OpenAI has it or nearly.

const RESPONSE = { model: 'm', input: 'hello', max_output_tokens: 50 }
const SCAFFOLDING = 1_000

const bytesOf = (body: object) => Buffer.from(JSON.stringify(body))
const ask = (endpoint: BillableEndpoint, body: object, target: Target = NO_TARGET) =>
  endpoint.read(body, bytesOf(body), target)

function aCall (endpoint: BillableEndpoint, body: object, target?: Target): CallRequest {
  const request = ask(endpoint, body, target)
  if (isRefusal(request)) throw new Error(request.message)
  return request
}

/** the usage that an answer to this request tells of */
function used (endpoint: BillableEndpoint, body: object, answer: object) {
  const meter = endpoint.meter(aCall(endpoint, body), JSON_ANSWER)
  pass(meter, bytesOf(answer))
  return meter.reading().usage
}

const sent = (endpoint: BillableEndpoint, body: object, changes = AS_ASKED) =>
  JSON.parse(endpoint.forwardBody(aCall(endpoint, body), body, bytesOf(body), changes, MODEL).toString()) as object

const elsewhere = usualPaths('/v1').find(({ name }) => name === 'responses') as BillableEndpoint
const responsesOf = [
  named(xai, '/v1/responses'), named(groq, '/openai/v1/responses'), named(openrouter, '/api/v1/responses'),
  named(vllm, '/v1/responses'), elsewhere,
]
const answered = (usage: object, more: object = {}) => ({
  id: 'r-1',
  status: 'completed',
  model: 'm',
  output: [],
  ...more,
  usage: { input_tokens: 10, output_tokens: 5, ...usage },
})

t.test('responses elsewhere than at OpenAI have no tools at the provider: nothing bounds them', async (t) => {
  for (const endpoint of responsesOf) {
    const bound = { inputTokens: bytesOf(RESPONSE).length, outputTokens: 50, choices: 1 }
    t.match(aCall(endpoint, RESPONSE), { bound }, endpoint.path)
    const tool = (type: string) => ask(endpoint, { ...RESPONSE, max_tool_calls: 3, tools: [{ type }] })
    t.match(tool('web_search'), { code: 'feature_not_metered', message: /^the tool "web_search" / }, endpoint.path)
    t.match(tool('mcp'), { code: 'feature_not_metered' }, endpoint.path)
    t.match(tool('function'), { model: 'm' }, endpoint.path)
    t.match(ask(endpoint, { ...RESPONSE, background: true }), { message: /^background / }, endpoint.path)
    t.equal(aCall(endpoint, { ...RESPONSE, previous_response_id: 'r-0' }).bound.inputTokens, Infinity, endpoint.path)
    t.match(used(endpoint, RESPONSE, answered({})), { inputTokens: 10, outputTokens: 5 }, endpoint.path)
  }
})

t.test('what xAI and OpenRouter say that a response cost counts, in a stream too, however it is cut', async (t) => {
  const byok = { cost: 0.1, is_byok: true, cost_details: { upstream_inference_cost: 0.2 } }
  const told: [BillableEndpoint, object, bigint][] = [
    [named(xai, '/v1/responses'), { cost_in_usd_ticks: 318_319_001 }, 31_831_901n],
    [named(openrouter, '/api/v1/responses'), { cost: 0.00014 }, 140_000n],
    [named(openrouter, '/api/v1/responses'), byok, 300_000_000n],
  ]
  for (const [endpoint, usage, nano] of told) {
    t.equal(used(endpoint, RESPONSE, answered(usage))?.reportedNano, nano)
    const event = (type: string, response: object) => `event: ${type}\ndata: ${JSON.stringify({ type, response })}\n\n`
    const stream = event('response.created', { id: 'r-1', model: 'm', status: 'in_progress', usage: null }) +
      event('response.completed', answered(usage))
    const wrong: number[] = []
    for (let at = 0; at < stream.length; at++) {
      const meter = endpoint.meter(aCall(endpoint, { ...RESPONSE, stream: true }), SSE)
      const same = pass(meter, Buffer.from(stream), [at]).toString() === stream
      if (!same || meter.reading().usage?.reportedNano !== nano || !meter.reading().final) wrong.push(at)
    }
    t.same(wrong, [], endpoint.path)
  }
})

t.test('Groq: tiers of one price are the standard, and its systems of several models are refused', async (t) => {
  const endpoint = named(groq, '/openai/v1/responses')
  t.equal(aCall(endpoint, { ...RESPONSE, service_tier: 'flex' }).bound.tier, null)
  t.equal(used(endpoint, RESPONSE, answered({}, { service_tier: 'on_demand' }))?.tier, null)
  t.match(ask(endpoint, { ...RESPONSE, model: 'groq/compound' }), { code: 'feature_not_metered' })
})

t.test('OpenRouter: other models, plugins and dearer providers are as far away as in chat', async (t) => {
  const responses = named(openrouter, '/api/v1/responses')
  const refused: [object, RegExp][] = [
    [{ models: ['a'] }, /^models /], [{ model: 'a:online' }, /:online/], [{ model: '@preset/x' }, /preset/],
    [{ plugins: [{ id: 'web' }] }, /"web"/], [{ preset: 'x' }, /^preset /], [{ modalities: ['image'] }, /^modalities /],
    [{ tools: [{ type: 'openrouter:web_search' }] }, /web_search/],
  ]
  for (const [more, message] of refused) {
    t.match(ask(responses, { ...RESPONSE, ...more }), { code: 'feature_not_metered', message }, JSON.stringify(more))
  }
  const kept = { provider: { max_price: { prompt: 2, completion: 8, request: 0 } } }
  t.match(sent(responses, RESPONSE), kept)
  const completions = named(openrouter, '/api/v1/completions')
  t.match(sent(completions, { model: 'm', prompt: 'x' }), kept)
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, cost: 0.00014 }
  t.equal(used(completions, { model: 'm', prompt: 'x' }, { usage, choices: [{}] })?.reportedNano, 140_000n)
  const embeddings = named(openrouter, '/api/v1/embeddings')
  t.match(sent(embeddings, { model: 'm', input: 'x' }), kept)
  const cost = { usage: { prompt_tokens: 10, cost: 0.00001 } }
  t.equal(used(embeddings, { model: 'm', input: 'x' }, cost)?.reportedNano, 10_000n)
  const image = [{ content: [{ type: 'image_url' }] }]
  t.match(ask(embeddings, { model: 'm', input: image }), { message: /^an input that is no text/ })
})

t.test('embeddings elsewhere: 500 tokens at 2 USD a million cost 1,000,000 nano-USD; an input there must be', async (t) => {
  const all = [
    named(mistral, '/v1/embeddings'), named(vllm, '/v1/embeddings'), named(ollama, '/v1/embeddings'),
    named(azure, '/openai/v1/embeddings'),
  ]
  for (const endpoint of all) {
    const answer = { model: 'm', data: [], usage: { prompt_tokens: 500, completion_tokens: 0, total_tokens: 500 } }
    const usage = used(endpoint, { model: 'm', input: ['a', 'b'] }, answer)
    t.equal(usage === null ? null : costNano(MODEL, usage), 1_000_000n, endpoint.path)
    t.match(aCall(endpoint, { model: 'm', input: [[1, 2], [3]] }), { bound: { inputs: 2, outputTokens: 0 } })
    t.match(ask(endpoint, { model: 'm', messages: [] }), { code: 'invalid_request', field: 'input' })
  }
})

t.test('completions of a prompt elsewhere are bounded by max_tokens', async (t) => {
  const body = { model: 'm', prompt: 'Once', max_tokens: 9, n: 2 }
  const endpoints = [
    named(vllm, '/v1/completions'), named(openrouter, '/api/v1/completions'), named(azure, '/openai/v1/completions'),
  ]
  for (const endpoint of endpoints) {
    const bound = { inputTokens: bytesOf(body).length, outputTokens: 9, choices: 2 }
    t.match(aCall(endpoint, body), { bound }, endpoint.path)
    t.match(sent(endpoint, body, { model: null, outputTokens: 4 }), { max_tokens: 4 })
  }
  const completions = named(vllm, '/v1/completions')
  t.match(ask(completions, { ...body, prompt_embeds: 'AAAA' }), { message: /^prompt_embeds / })
  const options = { include_usage: true, continuous_usage_stats: true }
  t.match(sent(completions, { ...body, stream: true }), { stream_options: options })
  const unbounded = { model: 'm', prompt: 'x' }
  t.match(sent(named(ollama, '/v1/completions'), unbounded), { max_tokens: 8_000 }, 'its own default has no end')
})

t.test('vLLM: a text judged with three others is read three times', async (t) => {
  const rerank = named(vllm, '/v1/rerank')
  const body = { model: 'm', query: 'which', documents: ['a', 'b', 'c'] }
  const bytes = bytesOf(body).length
  t.match(aCall(rerank, body), { bound: { inputs: 3, outputTokens: 0, inputTokens: bytes + 2 * 5 + 3 * SCAFFOLDING } })
  const usage = used(rerank, body, { id: 'rerank-1', model: 'm', results: [], usage: { total_tokens: 30 } })
  t.equal(usage === null ? null : costNano(MODEL, usage), 60_000n, '30 x 2 USD a million')

  const score = named(vllm, '/v1/score')
  t.match(aCall(score, { model: 'm', text_1: ['x', 'y'], text_2: ['a', 'b'] }), { bound: { inputs: 2 } }, 'in pairs')
  const scored = { data: [], usage: { prompt_tokens: 7, total_tokens: 7 } }
  t.match(used(score, { model: 'm', text_1: 'x', text_2: 'y' }, scored), { inputTokens: 7 })
  t.match(ask(score, { model: 'm', text_1: 'x' }), { code: 'invalid_request', field: 'text_2' })
  t.match(ask(rerank, { ...body, query: { content: [{ type: 'image_url' }] } }), { message: /^query / })
})

t.test('Azure: a deployment stands in the path or, below v1 and for responses, in the body', async (t) => {
  const target = { params: { model: 'dep' }, search: '?api-version=x' }
  t.equal(aCall(named(azure, '/openai/deployments/{model}/embeddings'), { input: 'x' }, target).model, 'dep')
  t.equal(aCall(named(azure, '/openai/deployments/{model}/completions'), { prompt: 'x' }, target).model, 'dep')
  for (const path of ['/openai/responses', '/openai/v1/responses']) {
    t.equal(aCall(named(azure, path), { ...RESPONSE, model: 'dep' }).model, 'dep', path)
    t.match(ask(named(azure, path), { ...RESPONSE, model: 'dep', data_sources: [{}] }), { code: 'feature_not_metered' })
  }
})

t.test('whatever they may report for a request, it costs no more than its quote', async () => {
  const texts = fc.array(fc.string({ maxLength: 80, unit: 'binary' }), { minLength: 1, maxLength: 5 })
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  const within = (request: CallRequest, usage: ReturnType<typeof used>) => {
    const [quote, cost] = [quoteNano(MODEL, request.bound), usage === null ? null : costNano(MODEL, usage)]
    return quote !== null && cost !== null && cost <= quote
  }
  const limits = fc.option(fc.integer({ min: 1, max: 9_000 }))
  const sides = fc.constantFrom(['/v1/rerank', 'query', 'documents'] as const, ['/v1/score', 'text_1', 'text_2'] as const)
  fc.assert(fc.property(fc.constantFrom(...responsesOf), texts, limits, share, share, share,
    (endpoint, inputs, limit, a, b, c) => {
      const body = { model: 'm', input: inputs.join(''), ...limit === null ? {} : { max_output_tokens: limit } }
      const input = Math.floor(bytesOf(body).length * a)
      const output = Math.floor(Math.min(limit ?? MODEL.maxOutput, MODEL.maxOutput) * b)
      const details = { input_tokens_details: { cached_tokens: Math.floor(input * c) } }
      const usage = { input_tokens: input, output_tokens: output, total_tokens: input + output, ...details }
      return within(aCall(endpoint, body), used(endpoint, body, answered(usage)))
    }))
  fc.assert(fc.property(sides, fc.string({ maxLength: 80, unit: 'binary' }), texts, share,
    ([path, one, several], query, documents, a) => {
      const endpoint = named(vllm, path)
      const body = { model: 'm', [one]: query, [several]: documents }
      // a token for each byte of each pair, and what makes a prompt of it
      const most = documents.reduce((sum, text) => sum + Buffer.byteLength(query + text) + SCAFFOLDING, 0)
      return within(aCall(endpoint, body), used(endpoint, body, { usage: { prompt_tokens: Math.floor(most * a) } }))
    }))
})
