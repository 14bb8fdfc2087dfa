import { AzureOpenAI, BadRequestError, NotFoundError, OpenAI } from 'openai'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { finalCost } from '../../../src/gateway/final-cost.ts'
import { CatalogPriceBook } from '../../../src/pricing/price-book.ts'
import { NamedPrices } from '../../../src/pricing/named-prices.ts'
import { costNano } from '../../../src/pricing/cost.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { loadConfig } from '../../../src/config.ts'
import { azure } from '../../../src/providers/azure/index.ts'
import { configuredProviders, namingsOf } from '../../../src/providers/configured.ts'
import { AS_ASKED, type BillableEndpoint, type CallRequest, isRefusal } from '../../../src/providers/provider.ts'
import { aGateway, FakeGate, KEY, PROVIDER_KEY } from '../../plugins/gateway/fakes.ts'
import { aUsage } from '../../pricing/builders.ts'
import { recorded } from '../../provider/recorded.ts'
import { JSON_ANSWER, pass, SSE } from '../builders.ts'

const at = (path: string) => azure.endpoints.find((endpoint) => endpoint.path === path) as BillableEndpoint
const inPath = at('/openai/deployments/{model}/chat/completions')
const v1 = at('/openai/v1/chat/completions')
const target = { params: { model: 'search-prod' }, search: '?api-version=2024-10-21' }
const chat = { messages: [{ role: 'user', content: 'hello' }], max_tokens: 40 }
const bytesOf = (body: object) => Buffer.from(JSON.stringify(body))

function aCall (endpoint: BillableEndpoint, body: object): CallRequest {
  const call = endpoint.read(body, bytesOf(body), target)
  if (isRefusal(call)) throw new Error(call.message)
  return call
}

t.test('the deployment in the path is the model, whatever the body says', async (t) => {
  t.match(aCall(inPath, chat), { model: 'search-prod', bound: { outputTokens: 40, choices: 1 } })
  t.equal(aCall(inPath, { ...chat, model: 'gpt-5.4-nano' }).model, 'search-prod')
  t.equal(aCall(v1, { ...chat, model: 'other' }).model, 'other')
  t.match(v1.read(chat, bytesOf(chat), target), { code: 'invalid_request', field: 'model' })
  t.match(inPath.read([], Buffer.alloc(0), target), { code: 'invalid_request' })
})

t.test('another deployment goes into the body only where the body has one', async (t) => {
  const change = { model: 'small', outputTokens: 7 }
  const sent = (endpoint: BillableEndpoint, body: object, changes = change) =>
    endpoint.forwardBody(aCall(endpoint, body), body, bytesOf(body), changes).toString()
  t.equal(sent(inPath, chat), JSON.stringify({ ...chat, max_tokens: 7 }))
  t.equal(sent(inPath, { model: 'big', ...chat }), JSON.stringify({ model: 'small', ...chat, max_tokens: 7 }))
  t.equal(sent(v1, { model: 'big', ...chat }), JSON.stringify({ model: 'small', ...chat, max_tokens: 7 }))
  const bytes = bytesOf(chat)
  t.equal(inPath.forwardBody(aCall(inPath, chat), chat, bytes, AS_ASKED), bytes)
})

t.test('answers from one\'s own data are refused: what is found there is read too', async (t) => {
  for (const field of ['data_sources', 'dataSources', 'enhancements']) {
    t.match(inPath.read({ ...chat, [field]: [{}] }, Buffer.alloc(9), target), { code: 'feature_not_metered' }, field)
  }
})

const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`
const filters = event({ id: '', model: '', choices: [], prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }] })
const piece = event({ id: 'c1', model: 'gpt-5.4-2026-03-05', choices: [{ index: 0, delta: { content: 'hé' } }], usage: null })
const seen = event({ id: 'c1', model: 'gpt-5.4-2026-03-05', choices: [{ index: 0, delta: { content: 'hé' } }] })
const used = event({ id: 'c1', model: 'gpt-5.4-2026-03-05', choices: [], usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 } })

t.test('a stream\'s first chunk without choices goes on, and the one with usage does not, however the bytes are cut', async (t) => {
  const call = aCall(inPath, { ...chat, stream: true })
  const bytes = Buffer.from(`${filters}${piece}${used}data: [DONE]\n\n`)
  const wanted = `${filters}${seen}data: [DONE]\n\n`
  for (let at = 0; at <= bytes.length; at++) {
    const meter = inPath.meter(call, SSE)
    t.equal(pass(meter, bytes, [at]).toString(), wanted) || t.fail(`cut at ${at}`)
    t.match(meter.reading(), { final: true, modelUsed: 'gpt-5.4-2026-03-05', usage: { inputTokens: 12, outputTokens: 5 } })
  }
})

const FILTERED = {
  error: {
    message: 'The response was filtered due to the prompt triggering content management policy.',
    type: null,
    param: 'prompt',
    code: 'content_filter',
    status: 400,
    innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: { violence: { filtered: true, severity: 'medium' } } },
  },
}

t.test('a prompt that the content filter refused is billed and charged its quote; another 400 is not', async (t) => {
  const call = aCall(inPath, chat)
  const ending = (body: object, status = 400) => {
    const meter = inPath.meter(call, { ...JSON_ANSWER, status })
    pass(meter, bytesOf(body))
    return { outcome: 'completed' as const, status, reading: meter.reading(), error: null }
  }
  const model = prices.find('azure', 'search-prod', 0)
  if (model === null) throw new Error('no such model')
  const cost = (body: object, status?: number) => finalCost(ending(body, status), model, call.bound, 777n)
  t.strictSame(cost(FILTERED), { costNano: 777n, certainty: 'uncertain', outcome: 'upstream_error' })
  t.match(cost({ error: { innererror: FILTERED.error.innererror } }), { costNano: 777n })
  t.match(cost({ error: { code: 'context_length_exceeded' } }), { costNano: 0n, certainty: 'exact' })
  t.match(cost({}), { costNano: 0n })
  t.match(cost(FILTERED, 429), { costNano: 0n, certainty: 'exact' })
})

const prices = new NamedPrices(new CatalogPriceBook(), namingsOf(loadConfig({
  RELAYCORE_PROVIDERS: JSON.stringify({ azure: { models: { 'search-prod': 'gpt-5.4', small: 'gpt-5.4-nano', wrong: 'nothing' } } }),
})))

t.test('a deployment has the price of the model that the settings name, and none without', async (t) => {
  t.equal(prices.find('azure', 'search-prod', 0)?.priceVersion, new CatalogPriceBook().find('azure', 'gpt-5.4', 0)?.priceVersion)
  t.equal(prices.missing('azure', 'search-prod'), null)
  t.equal(prices.missing('azure', 'gpt-5.4'), 'providers.azure.models', 'a deployment may be called like any model')
  t.equal(prices.missing('openai', 'gpt-5.4'), null)
  t.same(prices.list('azure', Date.now()).map(({ model }) => model), ['search-prod', 'small'])
})

t.test('where another model answers than the settings say, the dearer one is charged; where it has no price, the quote', async (t) => {
  const answered = (asked: string, used: string | null) => prices.answered('azure', asked, used, 0)
  t.equal(answered('search-prod', 'gpt-5.4-2026-03-05'), undefined, 'the same one')
  t.equal(answered('search-prod', null), undefined)
  t.equal(answered('small', 'gpt-5.4'), prices.find('azure', 'search-prod', 0))
  t.equal(answered('small', 'a-finetune'), null)
  t.equal(prices.answered('openai', 'gpt-5.4-nano', 'gpt-5.4', 0), undefined, 'OpenAI\'s own names need no proof')
  const [small, big] = [prices.find('azure', 'small', 0), prices.find('azure', 'search-prod', 0)]
  if (small === null || big === null) throw new Error('no such model')
  const bound = aCall(inPath, chat).bound
  const usage = aUsage({ inputTokens: 1_000, outputTokens: 100 })
  const reading = { usage, final: true, modelUsed: 'x', providerRequestId: null, bodyBytes: 1 }
  const cost = (priced: typeof small, other?: typeof small | null) =>
    finalCost({ outcome: 'completed', status: 200, reading, error: null }, priced, bound, 999_999_999n, other)
  t.match(cost(small, big), { costNano: costNano(big, usage), certainty: 'exact' })
  t.match(cost(big, small), { costNano: costNano(big, usage), certainty: 'exact' })
  t.match(cost(small, null), { costNano: 999_999_999n, certainty: 'uncertain' })
})

t.test('whatever usage is within a request\'s rules, it costs no more than the quote', async () => {
  const model = prices.find('azure', 'search-prod', 0)
  if (model === null) throw new Error('no such model')
  const share = fc.float({ min: 0, max: 1, noNaN: true })
  const limits = fc.option(fc.integer({ min: 1, max: 10_000 }))
  fc.assert(fc.property(fc.string(), limits, fc.integer({ min: 1, max: 4 }), share, share,
    (text, limit, n, inShare, outShare) => {
      const body = { messages: [{ role: 'user', content: text }], n, ...limit === null ? {} : { max_completion_tokens: limit } }
      const call = aCall(inPath, body)
      const prompt = Math.floor(bytesOf(body).length * inShare)
      const completion = Math.floor(n * (limit ?? model.maxOutput) * outShare)
      const meter = inPath.meter(call, JSON_ANSWER)
      pass(meter, bytesOf({ usage: { prompt_tokens: prompt, completion_tokens: completion } }))
      const { usage } = meter.reading()
      return usage !== null && (costNano(model, usage) as bigint) <= (quoteNano(model, call.bound) as bigint)
    }))
})

t.test('the settings name its address and its key', async (t) => {
  const named = (env: NodeJS.ProcessEnv) => configuredProviders(loadConfig(env), env).find(({ provider }) => provider.name === 'azure')
  t.match(named({}), { url: null, settingName: 'RELAYCORE_AZURE_BASE_URL' })
  const env = { RELAYCORE_AZURE_BASE_URL: 'https://r.openai.azure.com', AZURE_OPENAI_API_KEY: 'k' }
  t.match(named(env), { url: 'https://r.openai.azure.com', apiKey: 'k', settingName: 'RELAYCORE_AZURE_API_KEY' })
})

async function aBench (t: Test, body: string, contentType = 'application/json', status = 200) {
  const provider = await recorded(t, { status, headers: { 'content-type': contentType }, body })
  const upstreams = { azure: { url: `${provider.url}/openai`, apiKey: PROVIDER_KEY, settingName: 'KEY' } }
  const gate = new FakeGate()
  const { url } = await aGateway(t, { upstreams, gate })
  const client = new AzureOpenAI({ endpoint: `${url}/azure`, apiKey: KEY, apiVersion: '2024-10-21', maxRetries: 2 })
  return { url, provider, gate, client }
}

const PROMPT = { model: 'search-prod', messages: [{ role: 'user' as const, content: 'hello' }] }
const ANSWER = { id: 'c1', object: 'chat.completion', model: 'gpt-5.4-2026-03-05', choices: [], usage: { prompt_tokens: 12, completion_tokens: 5 } }

t.test('Azure\'s SDK: the key changes, the deployment and the version stay, the answer comes as it was', async (t) => {
  const { provider, gate, client, url } = await aBench(t, JSON.stringify(ANSWER))
  t.match(await client.chat.completions.create(PROMPT), ANSWER)
  const [first] = provider.arrived
  t.equal(first?.path, '/openai/deployments/search-prod/chat/completions?api-version=2024-10-21')
  t.equal(first?.headers['api-key'], PROVIDER_KEY)
  t.match(gate.calls[0], { request: { model: 'search-prod' }, ended: [{ how: 'settled', ending: { reading: { final: true, usage: { inputTokens: 12 } } } }] })
  t.equal(JSON.stringify(provider.arrived).includes(KEY), false, 'no gateway key goes upstream')

  const newer = new OpenAI({ baseURL: `${url}/azure/openai/v1`, apiKey: KEY })
  t.match(await newer.chat.completions.create(PROMPT), ANSWER)
  t.equal(provider.arrived[1]?.path, '/openai/v1/chat/completions')
  t.equal(provider.arrived[1]?.headers.authorization, undefined)
})

t.test('Azure\'s SDK: a stream without usage is one without usage, and is metered', async (t) => {
  const { gate, client } = await aBench(t, `${filters}${piece}${used}data: [DONE]\n\n`, 'text/event-stream')
  const chunks = []
  for await (const chunk of await client.chat.completions.create({ ...PROMPT, stream: true })) chunks.push(chunk)
  t.equal(chunks.length, 2)
  t.match(chunks[0], { choices: [], prompt_filter_results: [{}] })
  t.match(await gate.ended(), { ending: { reading: { final: true, usage: { outputTokens: 5 } } } })
})

t.test('Azure\'s SDK: a refused prompt and a refused call are its own errors, after one attempt', async (t) => {
  const { provider, gate, client } = await aBench(t, JSON.stringify(FILTERED), 'application/json', 400)
  t.type(await client.chat.completions.create(PROMPT).catch((error: unknown) => error), BadRequestError)
  t.match(await gate.ended(), { ending: { status: 400, reading: { billed: true } } })
  gate.answer = { code: 'model_not_found', message: 'Nothing says which model it is.', retryable: false }
  t.type(await client.chat.completions.create(PROMPT).catch((error: unknown) => error), NotFoundError)
  t.equal(provider.arrived.length, 1)
})
