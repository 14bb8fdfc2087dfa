import fc from 'fast-check'
import t from 'tap'
import { pinnedTerms, pinnedText, pinTerms } from '../../src/pricing/pinned.ts'
import { CatalogPriceBook } from '../../src/pricing/price-book.ts'
import { type PricedModel } from '../../src/pricing/price.ts'
import { mostTokens, quoteNano, withoutPrice } from '../../src/pricing/quote.ts'
import { anthropic } from '../../src/providers/anthropic/index.ts'
import { openai } from '../../src/providers/openai/index.ts'
import { type CallRequest, isRefusal, type JobEndpoint, NO_TARGET, type Provider, type Target } from '../../src/providers/provider.ts'
import { JSON_ANSWER, named, pass } from './builders.ts'

const prices = new CatalogPriceBook()
const priced = (provider: string, model: string) => prices.find(provider, model, Date.now()) as PricedModel

function jobsOf (provider: Provider, name: string): JobEndpoint {
  const found = provider.endpoints.find((one) => one.name === name)
  if (found?.kind !== 'free' || found.served !== 'job') throw new Error(`${provider.name} has no ${name}`)
  return found
}

function target (file?: Buffer): Target { return file === undefined ? NO_TARGET : { ...NO_TARGET, file } }

function read (provider: Provider, path: string, body: object, file?: Buffer): CallRequest {
  const request = named(provider, path).read(body, Buffer.from(JSON.stringify(body)), target(file))
  if (isRefusal(request)) throw new Error(request.message)
  return request
}

const HAIKU = priced('anthropic', 'claude-haiku-4-5')
const GPT = priced('openai', 'gpt-4o')
const message = (maxTokens: number, text = 'hi') =>
  ({ model: 'claude-haiku-4-5', max_tokens: maxTokens, messages: [{ role: 'user', content: text }] })
const messagesOf = (of: object[]) =>
  read(anthropic, '/v1/messages/batches', { requests: of.map((params, i) => ({ custom_id: String(i), params })) })
const chatLine = (maxTokens: number) => JSON.stringify({
  custom_id: 'x', method: 'POST', url: '/v1/chat/completions', body: { model: 'gpt-4o', messages: [], max_tokens: maxTokens },
})
const chatsOf = (of: number[]) => read(openai, '/v1/batches', { endpoint: '/v1/chat/completions', input_file_id: 'f' },
  Buffer.from(of.map(chatLine).join('\r\n')))

const succeeded = (input: number, output: number) => ({
  custom_id: 'x',
  result: {
    type: 'succeeded',
    message: { id: 'm', model: 'claude-haiku-4-5', content: [{ type: 'text', text: '}\n{"result":' }], usage: { input_tokens: input, output_tokens: output } },
  },
})
const answered = (input: number, output: number, tier = 'default') => ({
  custom_id: 'x',
  response: {
    status_code: 200,
    body: {
      object: 'chat.completion',
      model: 'gpt-4o',
      choices: [],
      service_tier: tier,
      usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
    },
  },
})
const jsonl = (lines: object[]) => Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))

t.test('the requests of a batch are read each by its own bytes, and together cost what they cost alone at half the price', async (t) => {
  const requests = [message(100), message(200, 'longer'), message(300)]
  const batch = messagesOf(requests)
  const alone = requests.map((one) => read(anthropic, '/v1/messages', one))
  const sum = alone.reduce((nano, { bound }) => nano + (quoteNano(HAIKU, bound) ?? 0n), 0n)
  t.equal(quoteNano(HAIKU, batch.bound), sum / 2n)
  t.match(mostTokens(HAIKU, batch.bound), { output: 600 })
  t.match(batch, { model: 'claude-haiku-4-5', background: true, thinking: null, stream: false, bound: { surcharge: 'batch' } })
  t.equal(quoteNano({ ...HAIKU, multipliers: {} }, batch.bound), null)
  t.equal(withoutPrice({ ...HAIKU, multipliers: {} }, batch.bound), 'at "batch"')
  t.match(chatsOf([100, 200]), { model: 'gpt-4o', background: true, bound: { parts: [{ outputTokens: 100 }, { outputTokens: 200 }] } })
})

t.test('what a request would be sent otherwise than it came is refused: a batch goes as it is', async (t) => {
  const refusal = (provider: Provider, path: string, body: object, file?: Buffer) =>
    named(provider, path).read(body, Buffer.from(JSON.stringify(body)), target(file))
  const search = (more: object) => ({ ...message(100), tools: [{ type: 'web_search_20250305', name: 'web_search', ...more }] })
  const messagesWith = (params: object) => refusal(anthropic, '/v1/messages/batches', { requests: [{ custom_id: '1', params }] })
  t.match(messagesWith(search({})), { code: 'feature_not_metered', message: /^requests\.0: what a request of a batch leaves open/ })
  t.match(messagesWith(search({ max_uses: 2 })), { bound: { parts: [{ webSearches: 2, surcharge: 'batch' }] } })
  const responseWith = (more: object) => {
    const body = { model: 'gpt-4o', input: 'x', tools: [{ type: 'web_search' }], ...more }
    const line = JSON.stringify({ method: 'POST', url: '/v1/responses', body })
    return refusal(openai, '/v1/batches', { endpoint: '/v1/responses', input_file_id: 'f' }, Buffer.from(line))
  }
  t.match(responseWith({}), { code: 'feature_not_metered', message: /^line 1 of input_file_id: what a request/ })
  t.match(responseWith({ max_tool_calls: 2 }), { bound: { parts: [{ webSearches: 2 }] } })
  t.match(responseWith({ max_tool_calls: 2, background: true }), { code: 'invalid_request' })
})

t.test('the results of a batch are priced line by line, however they are cut: 100 x 0.5 + 50 x 2.5, and 10 x 0.5 + 5 x 2.5 micro-USD', async (t) => {
  const terms = pinnedTerms(JSON.parse(pinnedText(pinTerms('claude-haiku-4-5', HAIKU, messagesOf([message(100)]).bound))))
  t.strictSame(terms.model, HAIKU)
  const { meter: meterOf } = jobsOf(anthropic, 'messages.batches.results')
  const bytes = jsonl([succeeded(100, 50), { custom_id: 'y', result: { type: 'expired' } }, succeeded(10, 5)])
  for (let i = 0; i <= bytes.length; i++) {
    const meter = meterOf(terms, JSON_ANSWER)
    if (!pass(meter, bytes, [i]).equals(bytes)) t.fail(`cut at ${i}`)
    const { costNano, usage, final, job } = meter.reading()
    if (costNano !== 192_500n || usage?.inputTokens !== 110 || !final || job?.over !== true || meter.counted !== 1) t.fail(`read at ${i}`)
  }
  const cut = meterOf(terms, JSON_ANSWER)
  cut.data(bytes.subarray(0, -10))
  t.match(cut.reading(), { usage: null, final: false })
  t.notOk('job' in cut.reading(), 'what is not whole is not the end')
  const unread = meterOf(terms, JSON_ANSWER)
  pass(unread, jsonl([succeeded(100, 50), { custom_id: 'z', result: { type: 'succeeded', message: { id: 'm' } } }]))
  t.match(unread.reading(), { usage: null, final: false, job: { id: null, over: true } }, 'a line without usage leaves the cost unknown')
  t.notOk('job' in meterOf(terms, { ...JSON_ANSWER, status: 404 }).reading())
})

t.test('a line that says itself that it was a batch is not halved twice', async (t) => {
  const terms = pinTerms('gpt-4o', GPT, chatsOf([100]).bound)
  const { results } = jobsOf(openai, 'batches.retrieve')
  for (const tier of ['default', 'batch', 'auto']) {
    const meter = results?.meter(terms, JSON_ANSWER)
    if (meter === undefined) throw new Error('no results')
    pass(meter, jsonl([answered(100, 50, tier), { custom_id: 'y', response: null, error: { code: 'batch_expired' } }]))
    t.match(meter.reading(), { costNano: 375_000n, final: true }, tier)
  }
})

t.test('what an answer about a batch says', async (t) => {
  const terms = pinTerms('gpt-4o', GPT, chatsOf([100]).bound)
  const of = (name: string, provider: Provider, body: object) => {
    const meter = jobsOf(provider, name).meter(terms, JSON_ANSWER)
    const out = pass(meter, Buffer.from(JSON.stringify(body))).toString()
    return { out, ...meter.reading() }
  }
  const batch = { id: 'batch_1', request_counts: { completed: 2 }, output_file_id: null, error_file_id: null }
  t.match(of('batches.retrieve', openai, { ...batch, status: 'finalizing' }).job, { id: 'batch_1', over: false })
  const done = of('batches.retrieve', openai, { ...batch, status: 'completed', output_file_id: 'file-o', error_file_id: 'file-e' })
  t.match(done, { final: false, job: { over: true, results: { file: 'file-o' }, files: ['file-o', 'file-e'] } })
  t.match(of('batches.retrieve', openai, { ...batch, status: 'expired' }), { final: false, job: { over: true, results: undefined } })
  t.match(of('batches.retrieve', openai, { ...batch, status: 'failed', request_counts: { completed: 0 } }), { final: true, costNano: 0n })

  const url = 'https://api.anthropic.com/v1/messages/batches/msgbatch_1/results'
  const body = { id: 'msgbatch_1', processing_status: 'ended', results_url: url, note: 'é' }
  const ended = of('messages.batches.retrieve', anthropic, body)
  t.match(ended.job, { id: 'msgbatch_1', over: true, results: {} })
  t.equal(Buffer.byteLength(ended.out), Buffer.byteLength(JSON.stringify(body)), 'as long as it was')
  t.strictSame(JSON.parse(ended.out), { ...body, results_url: '/v1/messages/batches/msgbatch_1/results' })
})

t.test('whatever its requests use within their bounds, a batch costs no more than its quote', async () => {
  const use = fc.record({
    limit: fc.integer({ min: 1, max: 2_000 }),
    text: fc.string({ maxLength: 60 }),
    input: fc.nat(100),
    output: fc.nat(100),
  })
  const uses = fc.array(use, { minLength: 1, maxLength: 20 })
  fc.assert(fc.property(uses, (of) => {
    const requests = of.map(({ limit, text }) => message(limit, text))
    const batch = messagesOf(requests)
    const lines = of.map(({ limit, input, output }, i) => succeeded(
      Math.floor(Buffer.byteLength(JSON.stringify(requests[i])) * input / 100), Math.floor(limit * output / 100)))
    const meter = jobsOf(anthropic, 'messages.batches.results').meter(pinTerms('m', HAIKU, batch.bound), JSON_ANSWER)
    pass(meter, jsonl(lines))
    return (meter.reading().costNano ?? -1n) <= (quoteNano(HAIKU, batch.bound) ?? -2n)
  }))
})
