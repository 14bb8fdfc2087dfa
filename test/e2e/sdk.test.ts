import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import t from 'tap'
import { costNano } from '../../src/pricing/cost.ts'
import { formatNano } from '../../src/money/amount.ts'
import { CatalogPriceBook } from '../../src/pricing/price-book.ts'
import { type PricedModel } from '../../src/pricing/price.ts'
import { type Entry } from '../provider/provider.ts'
import { anOrganization } from './gateway.ts'

const prices = new CatalogPriceBook()
const messages = [{ role: 'user' as const, content: 'Hello' }]

/** what the provider's own books say that a call costs */
function booked (provider: string, entry: Entry | undefined): bigint {
  const model = prices.find(provider, entry?.model ?? '', Date.now()) as PricedModel
  const { input = 0, output = 0 } = entry?.usage ?? {}
  return costNano(model, {
    inputTokens: input,
    outputTokens: output,
    cacheReadTokens: 0,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    reasoningTokens: 0,
    webSearches: 0,
    tier: null,
  }) as bigint
}

t.test('the official OpenAI SDK, streaming and not: answered, metered, recorded to the nano-dollar', async (t) => {
  const gateway = await anOrganization()
  const budget = await gateway.budget()
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.key() })

  const answer = await openai.chat.completions.create({ model: 'gpt-4o', max_tokens: 40, messages })
  t.match(answer.choices[0]?.message.content, /word0/)
  t.ok(answer.usage)
  let text = ''
  let chunksWithUsage = 0
  for await (const chunk of await openai.chat.completions.create({ model: 'gpt-5', messages, stream: true })) {
    text += chunk.choices[0]?.delta.content ?? ''
    if (chunk.usage != null || chunk.choices.length === 0) chunksWithUsage++
  }
  t.match(text, /word0 word1 word2/)
  t.equal(chunksWithUsage, 0, 'usage was asked for upstream, and taken out again')
  const both = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: await gateway.key() })
  let usage: unknown
  const options = { include_usage: true }
  for await (const chunk of await both.chat.completions.create({ model: 'gpt-4o', messages, stream: true, stream_options: options })) {
    usage = chunk.usage ?? usage
  }
  t.ok(usage, 'a client that asks for usage gets it')

  const events = await gateway.events()
  t.equal(events.length, 3)
  const costs = gateway.provider.books.map((entry) => booked('openai', entry))
  t.same(events.map((event) => BigInt(event['cost_nano'] as string)), costs)
  t.ok(events.every((event) => event['certainty'] === 'exact' && event['outcome'] === 'completed'))
  const spent = formatNano(costs.reduce((a, b) => a + b))
  t.match((await gateway.admin('GET', `/budgets/${budget}/status`)).body, { currentAmount: spent, held: '0', status: 'normal' })
  const history = (await gateway.admin('GET', `/budgets/${budget}/usage?limit=2`)).body
  t.match(history, { count: 2, limit: 2, nextCursor: String })
  const rest = (await gateway.admin('GET', `/budgets/${budget}/usage?cursor=${history['nextCursor']}`)).body
  t.match(rest, { count: 1, nextCursor: null, usage: [{ amount: formatNano(costs[0] as bigint), certainty: 'exact' }] })
})

t.test('the official Anthropic SDK, streaming and not: answered, metered, recorded to the nano-dollar', async (t) => {
  const gateway = await anOrganization()
  await gateway.budget()
  const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: await gateway.key() })
  const call = { model: 'claude-sonnet-5-5', max_tokens: 40, messages }

  const answer = await anthropic.messages.create(call)
  t.match(answer.content[0], { type: 'text' })
  const final = await new Anthropic({ baseURL: `${gateway.url}/anthropic`, apiKey: await gateway.key() })
    .messages.stream(call).finalMessage()
  t.equal(final.stop_reason, 'end_turn')
  t.match(await anthropic.messages.countTokens({ model: call.model, messages }), { input_tokens: Number })

  const events = await gateway.events()
  t.equal(events.length, 2, 'counting tokens is free')
  const billed = gateway.provider.books.filter((entry) => !entry.path.includes('count_tokens'))
  t.same(events.map((event) => BigInt(event['cost_nano'] as string)), billed.map((entry) => booked('anthropic', entry)))
  for (const { headers } of gateway.provider.books) {
    t.equal(headers['x-api-key'], 'anthropic-secret')
    t.notMatch(JSON.stringify(headers), /rk_/)
  }
})

t.test('the call after the last affordable one is refused before it reaches the provider', async (t) => {
  const gateway = await anOrganization()
  gateway.provider.behave = () => ({ usage: { input: 10, output: 40 } })
  // one such call costs 0.000425 USD and is quoted at 0.0007 or so
  await gateway.budget({ amount: '0.0015' })
  const key = await gateway.key()
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key })
  const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: key })
  let served = 0
  let refused: unknown
  while (refused === undefined && served < 10) {
    try {
      await openai.chat.completions.create({ model: 'gpt-4o', max_tokens: 40, messages })
      served++
    } catch (error) {
      refused = error
    }
    await gateway.events()
  }
  t.ok(served >= 1 && served <= 3, `${served} served`)
  t.ok(refused instanceof OpenAI.RateLimitError)
  t.match(refused, { status: 429, code: 'insufficient_quota', message: /may cost up to .* limit 0.0015, spent/ })
  t.equal(gateway.provider.books.length, served, 'the refused call was sent once, and not forwarded')

  const call = { model: 'claude-opus-5', max_tokens: 400, messages }
  const error = await anthropic.messages.create(call).then(() => null, (error: unknown) => error)
  t.ok(error instanceof Anthropic.APIError)
  t.match(error, { status: 402, message: /more than the whole|more than is left/ })
  t.equal(gateway.provider.books.length, served)
})

t.test('the models that have a price are listed in the dialect of the client, for free', async (t) => {
  const gateway = await anOrganization()
  const key = await gateway.key()
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key })
  const ids: string[] = []
  for await (const model of openai.models.list()) ids.push(model.id)
  t.ok(ids.includes('gpt-4o') && ids.includes('demo-small') && !ids.includes('claude-opus-5'))
  t.match(await openai.models.retrieve('gpt-4o'), { id: 'gpt-4o', object: 'model' })
  const missing = await openai.models.retrieve('gpt-4o-none').then(() => null, (error: unknown) => error)
  t.ok(missing instanceof OpenAI.NotFoundError)
  const claude: string[] = []
  for await (const model of new Anthropic({ baseURL: gateway.url, apiKey: key }).models.list()) claude.push(model.id)
  t.ok(claude.includes('claude-opus-5'))
  t.equal(gateway.provider.books.length, 0)
})

t.test('a demo model answers in both dialects, without any provider', async (t) => {
  const gateway = await anOrganization()
  await gateway.budget()
  const key = await gateway.key()
  const chat = await new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key })
    .chat.completions.create({ model: 'demo-small', max_tokens: 30, messages })
  t.match(chat.choices[0]?.message.content, /demo/)
  const stream = new Anthropic({ baseURL: gateway.url, apiKey: key })
    .messages.stream({ model: 'demo-large', max_tokens: 30, messages })
  t.match((await stream.finalMessage()).content[0], { type: 'text' })
  const events = await gateway.events()
  t.same(events.map((event) => [event['provider'], event['certainty']]), [['demo', 'exact'], ['demo', 'exact']])
  t.equal(gateway.provider.books.length, 0)
})

t.test('a key is accepted wherever SDKs put it, and the answer names the call', async (t) => {
  const gateway = await anOrganization()
  await gateway.budget()
  const key = await gateway.key()
  const body = JSON.stringify({ model: 'gpt-4o', max_tokens: 5, messages })
  for (const headers of [{ authorization: `Bearer ${key}` }, { 'x-api-key': key }, { 'api-key': key }, { 'x-goog-api-key': key }]) {
    const answer = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
      method: 'POST', headers: { 'content-type': 'application/json', ...headers } as Record<string, string>, body,
    })
    t.equal(answer.status, 200, JSON.stringify(Object.keys(headers)))
    t.match(answer.headers.get('x-relaycore-call-id'), /^[0-9a-f-]{36}$/)
    t.match(answer.headers.get('x-relaycore-budget-limit'), /^10 USD$/)
    await answer.text()
  }
  const answer = await fetch(`${gateway.url}/v1/chat/completions?key=${key}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body,
  })
  t.equal(answer.status, 200)
  await answer.text()
  t.notMatch(gateway.provider.books.map(({ path }) => path).join(), /rk_/)
  t.notMatch(gateway.logs.join(), /rk_|secret/)
})
