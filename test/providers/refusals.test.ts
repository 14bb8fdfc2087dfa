import Anthropic from '@anthropic-ai/sdk'
import { ApiError, GoogleGenAI } from '@google/genai'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import OpenAI from 'openai'
import t from 'tap'
import { REFUSAL_STATUS, type Refusal, type RefusalBudget, type RefusalCode } from '../../src/errors.ts'
import { anthropic } from '../../src/providers/anthropic/index.ts'
import { gemini } from '../../src/providers/gemini/index.ts'
import { providers } from '../../src/providers/index.ts'
import { openai } from '../../src/providers/openai/index.ts'
import { type Provider } from '../../src/providers/provider.ts'

const BUDGET: RefusalBudget = {
  id: 'b1',
  name: 'research',
  scopeType: 'team',
  scopeId: 't1',
  currency: 'USD',
  limit: '100',
  spent: '99.5',
  held: '0.25',
  needed: '0.4',
  remaining: '0.25',
  resetsAt: '2026-12-01T00:00:00.000Z',
}
const MESSAGE = 'The budget "research" has 0.25 USD left of 100; it resets on 1 December. Set a lower max_tokens.'
const EXHAUSTED: Refusal = { code: 'budget_exhausted', message: MESSAGE, retryable: false, budget: BUDGET }
const CONTENTION: Refusal = { code: 'budget_contention', message: 'Try again.', retryable: true, retryAfterMs: 1, budget: BUDGET }
const CODES = Object.keys(REFUSAL_STATUS) as RefusalCode[]
const final = (code: RefusalCode): Refusal => ({ code, message: 'No.', retryable: false })

/** a server that refuses everything, and how often it was asked */
async function refusing (t: { teardown: (done: () => void) => void }, provider: Provider) {
  const seen = { attempts: 0, url: '', refusal: EXHAUSTED }
  const server = createServer((request, response) => {
    seen.attempts++
    const { status, headers, body } = provider.dialect.renderRefusal(seen.refusal, 'call-1', request.headers['user-agent'] ?? '')
    request.resume()
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => { server.once('listening', resolve) })
  t.teardown(() => { server.closeAllConnections(); server.close() })
  seen.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return seen
}

async function errorOf (promise: Promise<unknown>): Promise<Error> {
  return await promise.then(() => { throw new Error('nothing was thrown') }, (error: Error) => error)
}

const chat = { model: 'gpt-4o', messages: [] }
const message = { model: 'claude-sonnet-5-5', max_tokens: 1, messages: [] }
/** with both SDKs' own defaults for retries */
const askOpenAi = (url: string, stream = false) =>
  errorOf(new OpenAI({ baseURL: url, apiKey: 'k' }).chat.completions.create({ ...chat, stream }))
const askAnthropic = (url: string, stream = false) =>
  errorOf(new Anthropic({ baseURL: url, apiKey: 'k' }).messages.create({ ...message, stream }))

const askGemini = (url: string, stream = false) => {
  const { models } = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: url } })
  const ask = { model: 'gemini-2.5-flash', contents: 'Hello' }
  return errorOf(stream ? models.generateContentStream(ask) : models.generateContent(ask))
}

t.test('the OpenAI SDK raises its typed error for a spent budget after one attempt', async (t) => {
  const seen = await refusing(t, openai)
  for (const stream of [false, true]) {
    seen.attempts = 0
    const error = await askOpenAi(seen.url, stream)
    t.ok(error instanceof OpenAI.RateLimitError)
    t.match(error, { status: 429, code: 'insufficient_quota', type: 'insufficient_quota', message: `429 ${MESSAGE}` })
    t.match(error, { error: { relaycore: { code: 'budget_exhausted', callId: 'call-1', budget: BUDGET } } }, 'for machines too')
    t.equal(seen.attempts, 1)
  }
})

t.test('the Google SDK raises its error for a spent budget after one attempt, with the quota as its own', async (t) => {
  const seen = await refusing(t, gemini)
  for (const stream of [false, true]) {
    seen.attempts = 0
    const error = await askGemini(seen.url, stream)
    t.ok(error instanceof ApiError)
    t.match(error, { status: 402 })
    const told = JSON.parse(error.message) as { error: { details: { '@type': string }[] } }
    t.match(told.error, { code: 402, message: MESSAGE, status: 'RESOURCE_EXHAUSTED', relaycore: { code: 'budget_exhausted', budget: BUDGET } })
    t.match(told.error.details.find((one) => one['@type'].endsWith('QuotaFailure')), {
      violations: [{ quotaId: 'GatewayBudgetDaily', quotaValue: '100' }],
    })
    t.equal(seen.attempts, 1)
  }
  seen.attempts = 0
  seen.refusal = { ...CONTENTION, retryAfterMs: 1_500 }
  const held = await askGemini(seen.url)
  t.match(held, { status: 429, message: /RESOURCE_EXHAUSTED.*RetryInfo","retryDelay":"1.5s"/ })
  t.equal(seen.attempts, 1, 'it never retries by itself')
})

t.test('the Anthropic SDK raises its typed error for a spent budget after one attempt', async (t) => {
  const seen = await refusing(t, anthropic)
  for (const stream of [false, true]) {
    seen.attempts = 0
    const error = await askAnthropic(seen.url, stream)
    t.ok(error instanceof Anthropic.PaymentRequiredError)
    t.match(error, { status: 402, type: 'billing_error', errorCode: 'gateway_budget_exhausted', apiMessage: MESSAGE, requestID: 'call-1' })
    t.match(error, { error: { error: { relaycore: { code: 'budget_exhausted', callId: 'call-1', budget: BUDGET } } } }, 'for machines too')
    t.equal(seen.attempts, 1)
  }
})

t.test('both SDKs try again while calls in flight hold the rest, and are let in when they have ended', async (t) => {
  const one = await refusing(t, openai)
  const two = await refusing(t, anthropic)
  one.refusal = two.refusal = CONTENTION
  t.match(await askOpenAi(one.url), { status: 429, code: 'rate_limit_exceeded', type: 'rate_limit_error' })
  t.match(await askAnthropic(two.url), { status: 429, type: 'rate_limit_error' })
  t.same([one.attempts, two.attempts], [3, 3])
})

t.test('no final refusal is sent again by any SDK, whatever its code', async (t) => {
  const one = await refusing(t, openai)
  const two = await refusing(t, anthropic)
  const three = await refusing(t, gemini)
  for (const code of CODES) {
    one.refusal = two.refusal = three.refusal = final(code)
    one.attempts = two.attempts = three.attempts = 0
    const errors = [await askOpenAi(one.url), await askAnthropic(two.url), await askGemini(three.url)]
    t.same([one.attempts, two.attempts, three.attempts], [1, 1, 1], code)
    const classes = [OpenAI.APIError, Anthropic.APIError, ApiError]
    t.ok(errors.every((error, i) => error instanceof (classes[i] as typeof ApiError)), code)
  }
})

t.test('only what may pass says when to come back, and never in more than a minute', async (t) => {
  for (const provider of providers) {
    const headers = (refusal: Refusal) => provider.dialect.renderRefusal(refusal, 'c', '').headers
    for (const code of CODES) {
      const { 'x-should-retry': retry, ...rest } = headers({ ...final(code), retryAfterMs: 500 })
      t.equal(retry, 'false')
      t.notOk(Object.keys(rest).some((name) => name.startsWith('retry-after')), code)
    }
    t.match(headers({ ...CONTENTION, retryAfterMs: 500 }), { 'x-should-retry': 'true', 'retry-after-ms': '500', 'retry-after': '1' })
    t.match(headers({ ...CONTENTION, retryAfterMs: 1500.5 }), { 'retry-after-ms': '1501', 'retry-after': '2' })
    t.match(headers({ ...CONTENTION, retryAfterMs: 3_600_000 }), { 'retry-after-ms': '60000', 'retry-after': '60' })
    const { retryAfterMs: _, ...untimed } = CONTENTION
    t.notOk('retry-after' in headers(untimed))
  }
})

t.test('each dialect has its own status and type for each code', async (t) => {
  const typeOf = (provider: Provider, code: RefusalCode) => {
    const { status, body } = provider.dialect.renderRefusal(final(code), 'c', '')
    return `${status} ${(JSON.parse(body) as { error: { type: string } }).error.type}`
  }
  const table: [RefusalCode, string, string][] = [
    ['key_invalid', '401 invalid_request_error', '401 authentication_error'],
    ['header_required', '403 invalid_request_error', '403 permission_error'],
    ['invalid_request', '400 invalid_request_error', '400 invalid_request_error'],
    ['body_too_large', '413 invalid_request_error', '413 request_too_large'],
    ['unsupported_media_type', '415 invalid_request_error', '415 invalid_request_error'],
    ['model_unpriced', '404 invalid_request_error', '404 not_found_error'],
    ['feature_not_metered', '400 invalid_request_error', '403 permission_error'],
    ['budget_exhausted', '429 insufficient_quota', '402 billing_error'],
    ['quote_exceeds_budget', '429 insufficient_quota', '402 billing_error'],
    ['approval_required', '429 insufficient_quota', '402 billing_error'],
    ['budget_in_doubt', '429 insufficient_quota', '402 billing_error'],
    ['budget_held', '429 insufficient_quota', '402 billing_error'],
    ['budget_contention', '429 rate_limit_error', '429 rate_limit_error'],
    ['budget_paused', '403 invalid_request_error', '403 permission_error'],
    ['provider_not_configured', '503 server_error', '503 api_error'],
    ['upstream_unreachable', '502 server_error', '502 api_error'],
    ['upstream_timeout', '504 server_error', '504 timeout_error'],
    ['websocket_unsupported', '426 invalid_request_error', '426 invalid_request_error'],
    ['internal_error', '500 server_error', '500 api_error'],
  ]
  for (const [code, chatType, messageType] of table) {
    t.equal(typeOf(openai, code), chatType, code)
    t.equal(typeOf(anthropic, code), messageType, code)
  }
})

t.test('a client that retries every 429 gets a 402 for a spent budget', async (t) => {
  t.equal(openai.dialect.renderRefusal(EXHAUSTED, 'c', 'ai/6.0.1 runtime/node').status, 402)
  t.equal(openai.dialect.renderRefusal(EXHAUSTED, 'c', 'OpenAI/JS 6').status, 429)
  t.equal(openai.dialect.renderRefusal(CONTENTION, 'c', 'ai/6.0.1').status, 429)
})

t.test('the field that is wrong is named once', async (t) => {
  const wrong: Refusal = { ...final('invalid_request'), field: 'n', message: 'n must be 1.' }
  t.match(JSON.parse(openai.dialect.renderRefusal(wrong, 'c', '').body), { error: { param: 'n', message: 'n must be 1.', code: 'invalid_request' } })
  const bodyOf = (refusal: Refusal) => JSON.parse(anthropic.dialect.renderRefusal(refusal, 'c', '').body) as { error: { message: string } }
  t.equal(bodyOf(wrong).error.message, 'n must be 1.')
  t.equal(bodyOf({ ...wrong, message: 'Too many.', field: 'tools' }).error.message, 'tools: Too many.')
})
