import fc from 'fast-check'
import t from 'tap'
import { costNano } from '../../src/pricing/cost.ts'
import { type PricedModel } from '../../src/pricing/price.ts'
import { quoteNano } from '../../src/pricing/quote.ts'
import { cohere } from '../../src/providers/cohere/index.ts'
import { type CallRequest, NO_TARGET } from '../../src/providers/provider.ts'
import { type Reading } from '../../src/usage/meter.ts'
import { aCall, billable, JSON_ANSWER, named, pass, SSE } from './builders.ts'

/** USD per million: text in 2, images in 1, out 8; searches at two for a thousand USD-cents */
const MODEL: PricedModel = {
  provider: 'cohere',
  model: 'm',
  contextWindow: 10_000,
  maxOutput: 4_000,
  reasoning: false,
  cachesUnasked: false,
  rates: {
    input: 2_000_000_000n,
    cacheRead: 2_000_000_000n,
    cacheWrite5m: 2_000_000_000n,
    cacheWrite1h: null,
    output: 8_000_000_000n,
  },
  unitRates: { inputImageTokens: 1_000_000_000n, searchUnits: 2_000_000_000_000n },
  tiers: [],
  multipliers: {},
  webSearchNano: null,
  priceVersion: 'x',
}
const CHAT = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }
const BILLED = {
  billed_units: { input_tokens: 10, output_tokens: 5 },
  tokens: { input_tokens: 210, output_tokens: 9 },
  cached_tokens: 3,
}

const ask = (path: string, body: object) => named(cohere, path).read(body, Buffer.from(JSON.stringify(body)), NO_TARGET)
const answered = (path: string, body: object, answer: object): Reading => {
  const meter = named(cohere, path).meter(ask(path, body) as CallRequest, JSON_ANSWER)
  pass(meter, Buffer.from(JSON.stringify(answer)))
  return meter.reading()
}
const costOf = ({ usage }: Reading) => usage === null ? null : costNano(MODEL, usage)

t.test('a chat of 10 billed tokens in and 5 out costs 10 x 2 + 5 x 8 = 60 micro-USD, whatever else is counted', async (t) => {
  const reading = answered('/v2/chat', CHAT, { id: 'c', message: {}, usage: BILLED })
  t.match(reading, { final: true, providerRequestId: 'c' })
  t.equal(costOf(reading), 60_000n)
})

t.test('a stream says it at its end, however it is cut, and passes as it came', async (t) => {
  const events = [
    { id: 'c', type: 'message-start', delta: { message: { role: 'assistant' } } },
    { type: 'content-delta', index: 0, delta: { message: { content: { text: 'x "message-end" y' } } } },
    { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage: BILLED } },
  ]
  const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
  const request = aCall(cohere, { ...CHAT, stream: true })
  for (let at = 0; at < text.length; at++) {
    const meter = billable(cohere).meter(request, SSE)
    t.equal(pass(meter, Buffer.from(text), [at]).toString(), text)
    t.equal(costOf(meter.reading()), 60_000n)
    t.match(meter.reading(), { final: true, providerRequestId: 'c' })
  }
  const cut = billable(cohere).meter(request, SSE)
  pass(cut, Buffer.from(text.slice(0, text.indexOf('event: message-end'))))
  t.match(cut.reading(), { usage: null, final: false, providerRequestId: 'c' })
})

t.test('what a chat may cost is read as Cohere reads it', async (t) => {
  const length = (body: object) => JSON.stringify(body).length
  t.match(ask('/v2/chat', { ...CHAT, max_tokens: 9 }), { bound: { outputTokens: 9, choices: 1 } })
  t.equal(aCall(cohere, CHAT).bound.inputTokens, length(CHAT))
  const more = { ...CHAT, documents: ['x'], thinking: { type: 'enabled', token_budget: 50 } }
  t.match(ask('/v2/chat', more), { thinking: 50, bound: { inputTokens: length(more) + 1_000 } })
  t.match(ask('/v2/chat', { ...CHAT, thinking: { token_budget: 'x' } }), { code: 'invalid_request', field: 'thinking.token_budget' })
  t.match(ask('/v2/chat', { ...CHAT, tools: [{ type: 'web_search' }] }), { code: 'feature_not_metered' })
  t.match(ask('/v2/chat', { ...CHAT, messages: [{ role: 'tool', content: [{ type: 'document', document: { data: 'x' } }] }] }), { model: 'm' })
})

t.test('embeddings: 7 tokens of text and 100 of images cost 7 x 2 + 100 x 1 = 114 micro-USD', async (t) => {
  const texts = { model: 'm', texts: ['a', 'b'], input_type: 'search_document' }
  const images = { model: 'm', inputs: [{ content: [{ type: 'text', text: 'a' }, { type: 'image_url', image_url: { url: 'data:' } }] }] }
  t.match(ask('/v2/embed', texts), { bound: { inputTokens: JSON.stringify(texts).length, inputs: 2, outputTokens: 0 } })
  t.match(ask('/v2/embed', images), { bound: { inputTokens: Infinity, inputs: 1, inputUnits: ['inputImageTokens'] } })
  t.match(ask('/v2/embed', { ...texts, texts: 'a' }), { code: 'invalid_request', field: 'texts' })
  const meta = (billed: object) => answered('/v2/embed', images, { id: 'e', embeddings: {}, meta: { billed_units: billed } })
  t.equal(costOf(meta({ input_tokens: 7, image_tokens: 100 })), 114_000n)
  t.equal(meta({ input_tokens: 7, images: 1 }).usage, null, 'images that are not in tokens have no price here')
  t.equal(answered('/v2/embed', texts, { embeddings: {} }).usage, null)
})

t.test('reranking: each hundred documents are a search, and long ones are several', async (t) => {
  const searches = (documents: unknown[], more: object = {}) => {
    const request = ask('/v2/rerank', { model: 'm', query: 'x'.repeat(100), documents, ...more })
    return 'bound' in request ? request.bound.units?.['searchUnits'] : request.field
  }
  t.equal(searches(Array(100).fill('a')), 1)
  t.equal(searches(Array(101).fill('a')), 2)
  t.equal(searches(Array(51).fill('a'.repeat(401))), 2, '400 tokens are left beside the query')
  t.equal(searches(Array(100).fill('a'.repeat(99_999))), 11, 'cut off at 4,096: 11 parts each')
  t.equal(searches(Array(100).fill('a'.repeat(99_999)), { max_tokens_per_doc: 400 }), 1)
  t.equal(searches([{ text: 'a' }]), 'documents')
  t.equal(searches([], { query: 7 }), 'query')
  const reading = answered('/v2/rerank', { model: 'm', query: 'x', documents: ['a'] }, { results: [], meta: { billed_units: { search_units: 3 } } })
  t.equal(costOf(reading), 6_000_000n, '3 searches at 0.002 USD')
})

t.test('an answer never costs more than its request was quoted', async () => {
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 })
  fc.assert(fc.property(fc.string({ maxLength: 200, unit: 'binary' }), fc.option(fc.integer({ min: 1, max: 9_000 })), shares,
    (content, limit, [read = 0, made = 0, images = 0]) => {
      const body = { ...CHAT, messages: [{ role: 'user', content }], ...limit === null ? {} : { max_tokens: limit } }
      const input = Math.floor(Buffer.byteLength(JSON.stringify(body)) * read)
      const output = Math.floor(Math.min(limit ?? MODEL.maxOutput, MODEL.maxOutput) * made)
      const chat = answered('/v2/chat', body, { usage: { billed_units: { input_tokens: input, output_tokens: output } } })
      const picture = { model: 'm', images: ['data:x', 'data:y'], texts: [content] }
      const seen = Math.floor(MODEL.contextWindow * 3 * images)
      const embedded = answered('/v2/embed', picture, { meta: { billed_units: { image_tokens: seen } } })
      return within(ask('/v2/chat', body), chat) && within(ask('/v2/embed', picture), embedded)
    }))
})

function within (request: ReturnType<typeof ask>, reading: Reading): boolean {
  const quote = 'bound' in request ? quoteNano(MODEL, request.bound) : null
  const cost = costOf(reading)
  return quote !== null && cost !== null && cost <= quote
}
