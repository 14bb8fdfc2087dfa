import { once } from 'node:events'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import t from 'tap'
import { type MemoryRateLimiter } from '../../src/limits/memory-limiter.ts'
import { aGateway, anOrganization, type GatewayUnderTest, type Json } from './gateway.ts'

// Requests, tokens and concurrent calls, of keys and of whom budgets are for, decided with the hold.

const refusal = (json: Json) => (json['error'] as Json)['relaycore'] as Json
const SMALL = { max_tokens: 10, messages: [] }

async function limited (
  rateLimits: object, own?: GatewayUnderTest
): Promise<{ gateway: GatewayUnderTest, key: string }> {
  const gateway = own ?? await anOrganization()
  await gateway.budget()
  return { gateway, key: await gateway.key({ rateLimits }) }
}

/** an answer that keeps its call open until it is let go */
function held (gateway: GatewayUnderTest): () => void {
  let go: () => void = () => {}
  const until = new Promise<void>((resolve) => { go = resolve })
  gateway.provider.behave = () => ({ until })
  return () => {
    gateway.provider.behave = () => ({})
    go()
  }
}

/** so many calls have reached the provider in all */
async function arrived ({ provider }: GatewayUnderTest, calls: number): Promise<void> {
  while (provider.books.length < calls) await once(provider.events, 'arrived')
}

t.test('past its requests per minute a key hears when to come back, in the words of its provider', async (t) => {
  const { gateway, key } = await limited({ requestsPerMinute: 2 }, await aGateway(t))
  const first = await gateway.chat(key, SMALL)
  t.equal(first.status, 200)
  t.equal(first.headers.get('x-ratelimit-limit-requests'), '2')
  t.equal(first.headers.get('x-ratelimit-remaining-requests'), '1')
  t.match(first.headers.get('x-ratelimit-reset-requests'), /^(30|29\.\d)s$/)
  t.equal(first.headers.get('x-ratelimit-limit-tokens'), null)
  t.equal((await gateway.chat(key, SMALL)).status, 200)

  const { status, headers, json } = await gateway.chat(key, SMALL)

  t.equal(status, 429)
  t.equal(headers.get('x-should-retry'), 'true')
  const ms = Number(headers.get('retry-after-ms'))
  t.ok(ms > 20_000 && ms <= 30_000, `${ms}`)
  t.equal(headers.get('retry-after'), String(Math.ceil(ms / 1_000)))
  t.equal(headers.get('x-ratelimit-remaining-requests'), '0')
  t.match(json['error'], { type: 'rate_limit_error', code: 'rate_limit_exceeded', message: /key "k" allows 2 requests per minute.*Try again in [\d.]+ s\./ })
  t.match(refusal(json), { code: 'rate_limited', remedy: /^Try again in/, budget: null })

  const messages = await fetch(`${gateway.url}/anthropic/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'claude-haiku-4-5', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] }),
  })
  t.equal(messages.status, 429)
  t.equal(messages.headers.get('anthropic-ratelimit-requests-limit'), '2')
  t.equal(messages.headers.get('anthropic-ratelimit-requests-remaining'), '0')
  const reset = Date.parse(messages.headers.get('anthropic-ratelimit-requests-reset') ?? '') - Date.now()
  t.ok(reset > 50_000 && reset <= 60_000, 'both requests have drained within a minute')
  t.match(await messages.json(), { type: 'error', error: { type: 'rate_limit_error', details: { error_code: 'rate_limited' } } })
  t.equal(gateway.provider.books.length, 2)
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
  t.match(metrics, /relaycore_refusals_total\{reason="rate_limited"\} 2/)
})

t.test('both SDKs wait for as long as they are told, and then succeed', async (t) => {
  // a thousand a second
  const { gateway, key } = await limited({ tokensPerMinute: 60_000 })
  const [made] = (await gateway.admin('GET', `/keys?organizationId=${gateway.organizationId}`)).body['keys'] as Json[]
  const subject = { id: `key:${String(made?.['id'])}`, name: 'key "k"', limits: { tokensPerMinute: 60_000 } }
  const limiter = gateway.core.limiter as MemoryRateLimiter
  const refusals = () => gateway.logs.filter((line) => line.includes('"rate_limited"')).length
  const openai = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/openai/v1` })
  const anthropic = new Anthropic({ apiKey: key, baseURL: `${gateway.url}/anthropic` })
  const messages = [{ role: 'user' as const, content: 'hi' }]

  limiter.force([subject], 60_500)
  const chat = await openai.chat.completions.create({ model: 'gpt-4o', max_tokens: 100, messages })
  t.ok(chat.choices[0])
  t.ok(refusals() >= 1, 'it was refused before')

  const before = refusals()
  limiter.force([subject], 1_500)
  const message = await anthropic.messages.create({ model: 'claude-haiku-4-5', max_tokens: 100, messages })
  t.equal(message.type, 'message')
  t.ok(refusals() > before)
})

t.test('tokens are taken at the most that a call may use, and given back at its end', async (t) => {
  const { gateway, key } = await limited({ tokensPerMinute: 10_000 })
  gateway.provider.behave = () => ({ usage: { input: 10, output: 40 } })
  const call = { max_tokens: 9_000, messages: [] }
  for (let i = 0; i < 4; i++) t.equal((await gateway.chat(key, call)).status, 200, 'each used 50')
  const letGo = held(gateway)
  const open = gateway.chat(key, call)
  await arrived(gateway, 5)
  const { status, json } = await gateway.chat(key, call)
  t.equal(status, 429)
  t.match(json['error'], { message: /allows 10000 tokens per minute, of which \d+ are left, and this call may use up to 9\d\d\d\. Try again in/ })
  letGo()
  t.equal((await open).status, 200)
  const large = await gateway.chat(key, { max_tokens: 10_001, messages: [] })
  t.equal(large.status, 413, 'waiting does not help')
  t.equal(large.headers.get('x-should-retry'), 'false')
  t.match(refusal(large.json), { code: 'call_exceeds_rate_limit', remedy: /Set a lower max_tokens/ })
})

t.test('a key has so many calls open at once, until one of them ends or its client leaves', async (t) => {
  const { gateway, key } = await limited({ concurrentCalls: 2 }, await aGateway(t, { RELAYCORE_ON_DISCONNECT: 'abort' }))
  const letGo = held(gateway)
  const first = gateway.chat(key, SMALL)
  const leaving = new AbortController()
  const second = fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    signal: leaving.signal,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', ...SMALL }),
  }).catch(() => null)
  await arrived(gateway, 2)
  const third = await gateway.chat(key, SMALL)
  t.equal(third.status, 429)
  t.equal(third.headers.get('retry-after'), '1')
  t.match(third.json['error'], { message: /allows 2 calls at once, and as many are open\. Try again when one of them has ended\./ })
  leaving.abort()
  await second
  while (gateway.core.gate.openCalls > 1) await once(gateway.provider.events, 'finished')
  const fourth = gateway.chat(key, SMALL)
  await arrived(gateway, 3)
  t.equal((await gateway.chat(key, SMALL)).status, 429)
  letGo()
  t.same([(await first).status, (await fourth).status], [200, 200])
})

t.test('what one of rate and money refuses takes nothing from the other', async (t) => {
  const gateway = await anOrganization()
  const budget = await gateway.budget({ amount: '0.001' })
  const key = await gateway.key({ rateLimits: { requestsPerMinute: 2, tokensPerMinute: 100_000, concurrentCalls: 1 } })
  for (let i = 0; i < 5; i++) t.equal(refusal((await gateway.chat(key, { max_tokens: 9_000 })).json)['code'], 'quote_exceeds_budget')
  t.equal((await gateway.chat(key, SMALL)).headers.get('x-ratelimit-remaining-requests'), '1')
  t.equal((await gateway.chat(key, SMALL)).status, 200)
  await gateway.events()
  const held = async () => (await gateway.admin('GET', `/budgets/${budget}/status`)).body['held']
  for (let i = 0; i < 5; i++) t.equal(refusal((await gateway.chat(key, SMALL)).json)['code'], 'rate_limited')
  t.equal(await held(), '0')
  t.equal((await gateway.events()).length, 2)
})

t.test('a budget limits each of its subjects, and calls below it too; a change acts at once', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const team = await gateway.budget({ name: 'team', scopeType: 'team', scopeId: 'search', organizationId, rateLimits: { requestsPerMinute: 3 } })
  await gateway.budget({ name: 'each', scopeType: 'user', scopeId: '*', parentBudgetId: team, rateLimits: { requestsPerMinute: 2 } })
  const keyOf = async (userId: string) => await gateway.key({ teamId: 'search', userId })
  const [ann, bob] = [await keyOf('ann'), await keyOf('bob')]
  const ask = async (key: string) => {
    const { status, json } = await gateway.chat(key, SMALL)
    return status === 200 ? 200 : String((json['error'] as Json)['message'])
  }
  t.equal(await ask(ann), 200)
  t.equal(await ask(ann), 200)
  t.match(await ask(ann), /budget "each" \(user ann\) allows 2 requests/)
  t.equal(await ask(bob), 200)
  t.match(await ask(bob), /budget "team" \(team search\) allows 3 requests/)

  t.match(await gateway.admin('PATCH', `/budgets/${team}`, { rateLimits: { requestsPerMinute: 100 } }), { status: 200, body: { rateLimits: { requestsPerMinute: 100 } } })
  t.equal(await ask(bob), 200)
  t.match(await ask(ann), /budget "each"/)
  await gateway.admin('PATCH', `/budgets/${team}`, { rateLimits: null })
  t.match((await gateway.admin('GET', `/budgets/${team}`)).body, { rateLimits: null })
})

t.test('an explanation tells of the rate that would refuse the call, and takes nothing of it', async (t) => {
  const { gateway, key } = await limited({ requestsPerMinute: 1, tokensPerMinute: 1_000 })
  const [one] = (await gateway.admin('GET', `/keys?organizationId=${gateway.organizationId}`)).body['keys'] as Json[]
  const question = { keyId: one?.['id'], provider: 'openai', model: 'gpt-4o', inputTokens: 1, outputTokens: 10 }
  const explained = async (fields: object = {}) => (await gateway.admin('POST', '/explain', { ...question, ...fields })).body
  for (let i = 0; i < 3; i++) t.match(await explained(), { admitted: true })
  t.match(await explained({ outputTokens: 1_000 }), { admitted: false, status: 413, code: 'call_exceeds_rate_limit', retryable: false })
  t.equal((await gateway.chat(key, SMALL)).status, 200)
  t.match(await explained(), {
    admitted: false,
    status: 429,
    code: 'rate_limited',
    retryable: true,
    remedy: /^Try again in/,
    rateLimits: [{ of: 'key "k"', budgetId: null, requestsPerMinute: { limit: 1, remaining: 0 }, tokensPerMinute: { limit: 1_000 } }],
  })
})

t.test('of the rates of a budget out of reach an explanation tells nothing but that it refuses', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const top = await gateway.budget({ name: 'secret', rateLimits: { tokensPerMinute: 4_711 } })
  await gateway.budget({ scopeType: 'team', scopeId: 'search', organizationId, parentBudgetId: top })
  const { body: token } = await gateway.admin('POST', '/tokens', {
    name: 'm', role: 'manager', reach: { organizationId, teamId: 'search' },
  })
  const identity = { organizationId, teamId: 'search' }
  const { body } = await gateway.admin('POST', '/explain',
    { identity, provider: 'openai', model: 'gpt-4o', inputTokens: 5_000 }, { authorization: `Bearer ${String(token['token'])}` })
  t.match(body, { admitted: false, code: 'call_exceeds_rate_limit', decidingBudgetId: null, rateLimits: [], message: /out of your reach/ })
  t.notMatch(JSON.stringify(body), /secret|4711/)
})

t.test('limits of keys are kept, changed and taken away; what makes no sense is refused by the field', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const made = await gateway.admin('POST', '/keys', { name: 'k', organizationId, rateLimits: { requestsPerMinute: 5, concurrentCalls: null } })
  t.match(made, { status: 201, body: { rateLimits: { requestsPerMinute: 5 } } })
  const path = `/keys/${String(made.body['id'])}`
  t.match((await gateway.admin('PATCH', path, { rateLimits: { tokensPerMinute: 9 } })).body, { rateLimits: { requestsPerMinute: 5, tokensPerMinute: 9 } })
  t.same((await gateway.admin('PATCH', path, { rateLimits: { requestsPerMinute: null } })).body['rateLimits'], { tokensPerMinute: 9 })
  t.match((await gateway.admin('PATCH', path, { name: 'n' })).body, { rateLimits: { tokensPerMinute: 9 } })
  t.match((await gateway.admin('PATCH', path, { rateLimits: null })).body, { rateLimits: null })
  for (const [rateLimits, field] of [
    [5, 'rateLimits'], [{ requestsPerMinute: 0 }, 'rateLimits/requestsPerMinute'], [{ tokensPerMinute: 1.5 }, 'rateLimits/tokensPerMinute'],
    [{ concurrentCalls: '3' }, 'rateLimits/concurrentCalls'], [{ perHour: 3 }, 'rateLimits'],
  ] as const) {
    t.match(await gateway.admin('PATCH', path, { rateLimits }), { status: 400, body: { field } })
    const budget = { name: 'b', scopeType: 'user', scopeId: 'u', amount: '1', currency: 'USD', period: 'daily', rateLimits }
    t.match(await gateway.admin('POST', '/budgets', budget), { status: 400, body: { field } })
  }
})
