import Anthropic from '@anthropic-ai/sdk'
import t from 'tap'
import { aGateway } from './gateway.ts'

// Anthropic's own SDK, with what works at the provider within a call, through a whole gateway.

const gateway = await aGateway(t)
const all = await gateway.budget({ name: 'all', amount: '1000' })
const opus = await gateway.budget({ name: 'opus', amount: '1000', filters: { models: ['claude-opus-5*'] } })
const spent = async (id: string) => (await gateway.admin('GET', `/budgets/${id}/status`)).body['currentAmount']
const client = (apiKey: string) => new Anthropic({ baseURL: gateway.url, apiKey, maxRetries: 0 })
const anthropic = client(await gateway.key())

const tokens = (input: number, output: number) =>
  ({ input_tokens: input, output_tokens: output, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 })

function answers (usage: object): void {
  const message = {
    id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-haiku-4-5', content: [], stop_reason: 'end_turn', stop_sequence: null, usage,
  }
  gateway.provider.behave = () => ({ status: 200, body: JSON.stringify(message) })
}

const thrown = async (promise: Promise<unknown>) => await promise.then(() => null, (error: unknown) => error)

const asked = { model: 'claude-haiku-4-5', max_tokens: 1_000, messages: [{ role: 'user' as const, content: 'Hello' }] }
const advisor = { type: 'advisor_20260301' as const, name: 'advisor' as const, model: 'claude-opus-5', max_uses: 2, max_tokens: 500 }

t.test('searches of the web: 2 x 0.01, 10,000 x 1 and 500 x 5 USD per million', async (t) => {
  answers({ ...tokens(10_000, 500), server_tool_use: { web_search_requests: 2, web_fetch_requests: 0 } })
  await anthropic.messages.create({ ...asked, tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 3 }] })

  const [event] = await gateway.events()
  t.match(event, { certainty: 'exact', web_searches: 2, cost_nano: String(20_000_000 + 10_000_000 + 2_500_000) })
  // 3 searches; and 5 runs of the model, each of 200,000 tokens in and 1,000 out
  t.equal(event?.['quote_nano'], String(30_000_000 + 5 * (200_000 * 1_000 + 1_000 * 5_000)))
  t.same([await spent(all), await spent(opus)], ['0.0325', '0'])
})

t.test('an advisor is paid at its own prices, on its own budgets too, and has to be allowed', async (t) => {
  const iterations = [
    { type: 'message', ...tokens(100, 10) },
    { type: 'advisor_message', model: 'claude-opus-5-20260701', ...tokens(1_000, 200) },
    { type: 'message', ...tokens(100, 10) },
  ]
  answers({ ...tokens(200, 20), iterations })
  await anthropic.beta.messages.create({ ...asked, tools: [advisor] })

  const event = (await gateway.events()).at(-1)
  // 200 x 1 and 20 x 5 of its own, 1,000 x 5 and 200 x 25 of claude-opus-5
  t.match(event, { certainty: 'exact', model: 'claude-haiku-4-5', cost_nano: String(300_000 + 10_000_000) })
  // 4 runs of the model, and 2 of the advisor, each of 1,000,000 tokens in and 500 out
  t.equal(event?.['quote_nano'], String(4 * (200_000 * 1_000 + 1_000 * 5_000) + 2 * (1_000_000 * 5_000 + 500 * 25_000)))
  t.same([await spent(all), await spent(opus)], ['0.0428', '0.0103'])

  const limited = client(await gateway.key({ allowedModels: ['claude-haiku-*'] }))
  const refused = await thrown(limited.beta.messages.create({ ...asked, tools: [advisor] }))
  t.match(refused, { status: 403, message: /may not call the model .*claude-opus-5/ })
  const unknown = await thrown(anthropic.beta.messages.create({ ...asked, tools: [{ ...advisor, model: 'claude-none' }] }))
  t.match(unknown, { status: 404, message: /claude-none/ })
})

t.test('a threshold that allows no advisor refuses its calls', async (t) => {
  const restricted = { amount: '0.0000001', actions: ['restrict-models'], models: ['claude-haiku-*'] }
  await gateway.budget({ name: 'cheap', amount: '1000', alerts: [restricted] })
  answers(tokens(200, 20))
  await anthropic.messages.create(asked)
  await gateway.events()
  t.match(await anthropic.messages.create(asked), { usage: { input_tokens: 200 } })
  const refused = await thrown(anthropic.beta.messages.create({ ...asked, tools: [advisor] }))
  t.match(refused, { message: /does not allow .*claude-opus-5/ })
})
