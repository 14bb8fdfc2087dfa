import t from 'tap'
import { aClient, aSocketProvider } from '../plugins/gateway/socket-provider.ts'
import { aGateway } from './gateway.ts'

// Calls over WebSockets, from the client to the ledger.

const USAGE = { input_tokens: 1_000, output_tokens: 200, total_tokens: 1_200 }
const SPOKEN = {
  ...USAGE,
  input_token_details: { text_tokens: 1_000, audio_tokens: 0 },
  output_token_details: { text_tokens: 100, audio_tokens: 100 },
}

t.test('responses and realtime answers are held, recorded and refused when nothing is left', async (t) => {
  const upstream = await aSocketProvider(t)
  upstream.says = (text) => text.includes('"model"')
    ? [{ type: 'response.completed', response: { id: 'r1', status: 'completed', model: 'gpt-5', output: [], usage: USAGE } }]
    : [{ type: 'response.created', response: { id: 'r2' } }, { type: 'response.done', response: { id: 'r2', status: 'completed', usage: SPOKEN } }]
  const gateway = await aGateway(t, { RELAYCORE_OPENAI_BASE_URL: upstream.url })
  const budget = await gateway.budget({ amount: '2' })
  const key = await gateway.key()

  const responses = await aClient(t, gateway.url, '/v1/responses', key)
  responses.ws.send(JSON.stringify({ type: 'response.create', model: 'gpt-5', input: 'Hello', max_output_tokens: 500 }))
  await responses.until('response.completed')
  const talk = await aClient(t, gateway.url, '/v1/realtime?model=gpt-realtime', key)
  talk.ws.send(JSON.stringify({ type: 'response.create' }))
  await talk.until('response.done')

  // 1,000 x 1.25 + 200 x 10 USD a million, and 1,000 x 4 + 100 x 16 + 100 x 64
  const events = await gateway.events()
  const recorded = events.map((event) => [event['endpoint'], event['certainty'], Number(event['cost_nano'])])
  t.same(recorded, [['responses', 'exact', 3_250_000], ['realtime', 'exact', 12_000_000]])
  const status = async () => (await gateway.admin('GET', `/budgets/${budget}/status`)).body
  t.match(await status(), { currentAmount: '0.01525', held: '0' })

  await gateway.admin('PUT', `/budgets/${budget}`, { amount: '0.02' })
  responses.ws.send(JSON.stringify({ type: 'response.create', model: 'gpt-5', input: 'Hello' }))
  await responses.until('error')
  talk.ws.send(JSON.stringify({ type: 'input_audio_buffer.append', audio: 'AAAA' }))
  await talk.until('error')
  t.match(responses.got.at(-1), { status: 429, error: { code: 'insufficient_quota' } })
  t.match(talk.got.at(-1), { status: 429, error: { code: 'insufficient_quota' } })
  t.equal(upstream.heard.length, 2, 'nothing more went to the provider')
  t.match(await status(), { currentAmount: '0.01525', held: '0' })
})
