import Anthropic from '@anthropic-ai/sdk'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import OpenAI from 'openai'
import t from 'tap'
import { type Refusal } from '../../src/errors.ts'
import { anthropic } from '../../src/providers/anthropic/index.ts'
import { openai } from '../../src/providers/openai/index.ts'
import { type Provider } from '../../src/providers/provider.ts'

const EXHAUSTED: Refusal = { code: 'budget_exhausted', message: 'The budget "x" is spent.', retryable: false }
const CONTENTION: Refusal = { code: 'budget_contention', message: 'Try again.', retryable: true, retryAfterMs: 1 }

/** a server that refuses everything, and how often it was asked */
async function refusing (t: { teardown: (done: () => void) => void }, provider: Provider, refusal: Refusal) {
  const seen = { attempts: 0, url: '' }
  const server = createServer((request, response) => {
    seen.attempts++
    const { status, headers, body } = provider.renderRefusal(refusal, 'call-1', request.headers['user-agent'] ?? '')
    request.resume()
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => { server.once('listening', resolve) })
  t.teardown(() => { server.close() })
  seen.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return seen
}

async function errorOf (promise: Promise<unknown>): Promise<Error> {
  return await promise.then(() => { throw new Error('nothing was thrown') }, (error: Error) => error)
}

const chat = { model: 'gpt-4o', messages: [] }
const message = { model: 'claude-sonnet-5-5', max_tokens: 1, messages: [] }

t.test('the OpenAI SDK raises its typed error for a spent budget after one attempt', async (t) => {
  const seen = await refusing(t, openai, EXHAUSTED)
  const client = new OpenAI({ baseURL: seen.url, apiKey: 'k' })
  const error = await errorOf(client.chat.completions.create(chat))
  t.ok(error instanceof OpenAI.RateLimitError)
  t.match(error, { status: 429, code: 'insufficient_quota', type: 'insufficient_quota', message: /is spent/ })
  t.equal(seen.attempts, 1)
})

t.test('the Anthropic SDK raises its typed error for a spent budget after one attempt', async (t) => {
  const seen = await refusing(t, anthropic, EXHAUSTED)
  const client = new Anthropic({ baseURL: seen.url, apiKey: 'k' })
  const error = await errorOf(client.messages.create(message))
  t.ok(error instanceof Anthropic.APIError)
  t.match(error, { status: 402, message: /is spent/ })
  t.equal(seen.attempts, 1)
})

t.test('both SDKs try again while calls in flight hold the rest', async (t) => {
  const one = await refusing(t, openai, CONTENTION)
  t.match(await errorOf(new OpenAI({ baseURL: one.url, apiKey: 'k' }).chat.completions.create(chat)), { status: 429 })
  t.equal(one.attempts, 3)
  const two = await refusing(t, anthropic, CONTENTION)
  t.match(await errorOf(new Anthropic({ baseURL: two.url, apiKey: 'k' }).messages.create(message)), { status: 429 })
  t.equal(two.attempts, 3)
})

t.test('no final refusal is retried, whatever its status', async (t) => {
  for (const code of ['key_invalid', 'no_budget', 'model_not_found', 'provider_not_configured', 'feature_not_metered'] as const) {
    const refusal: Refusal = { code, message: 'no', retryable: false }
    const one = await refusing(t, openai, refusal)
    await errorOf(new OpenAI({ baseURL: one.url, apiKey: 'k' }).chat.completions.create(chat))
    const two = await refusing(t, anthropic, refusal)
    await errorOf(new Anthropic({ baseURL: two.url, apiKey: 'k' }).messages.create(message))
    t.same([one.attempts, two.attempts], [1, 1], code)
  }
})
