import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import t, { type Test } from 'tap'
import { type WebSocket } from 'ws'
import { costNano } from '../../../src/pricing/cost.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { aModel } from '../../pricing/builders.ts'
import { aGateway, type BenchOptions, FakeGate, KEY, PROVIDER_KEY } from './fakes.ts'
import { aClient, aSocketProvider } from './socket-provider.ts'

const PATH = '/v1/realtime?model=gpt-realtime'
const session = (more: object = {}) => ({
  type: 'realtime',
  model: 'gpt-realtime',
  max_output_tokens: 'inf',
  audio: { input: { turn_detection: { type: 'server_vad' } } },
  ...more,
})
const quiet = (more: object = {}) => session({ audio: { input: { turn_detection: null } }, ...more })
const updated = (of: object) => ({ type: 'session.updated', session: of })
const CREATE = { type: 'response.create' }
const SOUND = { type: 'input_audio_buffer.append', audio: 'AAAA' }
const begun = (id: string) => ({ type: 'response.created', response: { id, status: 'in_progress', usage: null } })
const USAGE = {
  total_tokens: 150,
  input_tokens: 100,
  output_tokens: 50,
  input_token_details: {
    text_tokens: 40, audio_tokens: 60, cached_tokens: 30, cached_tokens_details: { text_tokens: 10, audio_tokens: 20 },
  },
  output_token_details: { text_tokens: 10, audio_tokens: 40 },
}
const done = (id: string, usage: object | null = USAGE, status = 'completed') =>
  ({ type: 'response.done', response: { id, status, usage } })

async function aTalk (t: Test, greeting: object | null = null, options: BenchOptions = {}) {
  const upstream = await aSocketProvider(t)
  upstream.greeting = greeting
  const gate = new FakeGate()
  const upstreams = { openai: { url: upstream.url, apiKey: PROVIDER_KEY, settingName: 'KEY' } }
  const bench = await aGateway(t, { upstreams, gate, ...options })
  const client = await aClient(t, bench.url, PATH)
  const say = (message: object) => { client.ws.send(JSON.stringify(message)) }
  const tell = (...messages: object[]) => { for (const one of messages) upstream.sockets[0]?.send(JSON.stringify(one)) }
  const heard = async (count: number) => {
    while (upstream.heard.length < count) await once(upstream.sockets[0] as WebSocket, 'message')
    return upstream.heard.map((text) => JSON.parse(text) as Record<string, unknown>)
  }
  return { ...bench, gate, upstream, client, say, tell, heard }
}

t.test('OpenAI\'s SDK: an answer that is asked for is held for first, and metered by its own usage', async (t) => {
  const [key, cert] = ['key', 'cert'].map((name) => readFileSync(`test/fixtures/tls/self-signed-${name}.pem`, 'utf8'))
  const upstream = await aSocketProvider(t, [begun('r1'), done('r1')])
  const gate = new FakeGate()
  const upstreams = { openai: { url: upstream.url, apiKey: PROVIDER_KEY, settingName: 'KEY' } }
  // it knows no other protocol than wss:
  const { port } = await aGateway(t, { upstreams, gate, server: { https: { key, cert } } as never })
  const options = { ca: cert as string, checkServerIdentity: (() => undefined) as never }
  const openai = new OpenAI({ baseURL: `https://127.0.0.1:${port}/openai/v1`, apiKey: KEY })
  const ws = new OpenAIRealtimeWS({ model: 'gpt-realtime', options }, openai)
  await once(ws.socket, 'open')
  ws.send({ type: 'response.create', response: { max_output_tokens: 100 } })
  await new Promise((resolve) => { ws.on('response.done', resolve) })
  ws.close()
  const [call] = gate.calls
  t.match(call?.request, { model: 'gpt-realtime', bound: { inputTokens: Infinity, outputTokens: 100, outputUnits: ['outputAudioTokens'] } })
  t.match(call?.ended, [{ how: 'settled', ending: { outcome: 'completed', reading: { final: true, providerRequestId: 'r1' } } }])
  t.equal(call?.ended.length, 1)
})

t.test('100 in (30 text and 40 sound fresh, 10 and 20 cached), 10 and 40 out cost 30 x 4 + 40 x 32 + 10 x 0.4 + 20 x 0.4 + 10 x 16 + 40 x 64 = 4,132 micro-USD', async (t) => {
  const { gate, say, tell, heard } = await aTalk(t)
  say(CREATE)
  await heard(1)
  tell(begun('r1'), done('r1'))
  const ended = await gate.ended()
  const usage = ended.how === 'settled' ? ended.ending.reading?.usage : null
  const units = { inputAudioTokens: 40, cachedAudioTokens: 20, outputAudioTokens: 40 }
  t.match(usage, { inputTokens: 30, cacheReadTokens: 10, outputTokens: 10, units })
  const model = aModel('openai', 'gpt-realtime')
  t.equal(usage == null ? null : costNano(model, usage), 4_132_000n)
  const bound = gate.calls[0]?.request.bound
  t.equal(bound === undefined ? null : quoteNano(model, bound), 32_000n * 32_000n + 4_096n * 64_000n, 'a window of sound, and the longest answer of it')
})

t.test('while the provider may answer by itself, one answer is held for before it hears a sound', async (t) => {
  const { gate, say, tell, heard, client, exchanges } = await aTalk(t)
  tell({ type: 'session.created', session: session() })
  await client.until('session.created')
  say(SOUND)
  say(SOUND)
  await heard(2)
  t.equal(gate.calls.length, 1)
  tell(begun('r1'))
  await client.until('response.created')
  say(SOUND)
  await heard(3)
  t.equal(gate.calls.length, 2, 'somebody may be interrupted')
  tell(done('r1', USAGE, 'cancelled'))
  await client.until('response.done')
  t.match(gate.calls[0]?.ended, [{ how: 'settled', ending: { reading: { final: true } } }], 'what was cancelled is billed as far as it came')
  client.ws.close()
  while (exchanges.open > 0) await new Promise(setImmediate)
  t.match(gate.calls[1]?.ended, [{ how: 'released' }], 'what was held and not used goes back')
})

t.test('what the provider says as it opens the connection arrives, and counts', async (t) => {
  const { gate, say, heard, client } = await aTalk(t, { type: 'session.created', session: quiet() })
  await client.until('session.created')
  say(SOUND)
  await heard(1)
  t.equal(gate.calls.length, 0)
})

t.test('without turn detection sounds cost nothing; until the provider says so, they may', async (t) => {
  const { gate, say, tell, heard, client } = await aTalk(t)
  say({ type: 'session.update', session: quiet({ max_output_tokens: 200 }) })
  say(SOUND)
  await heard(2)
  t.equal(gate.calls.length, 1)
  t.equal(gate.calls[0]?.request.bound.outputTokens, null)
  tell(updated(quiet({ max_output_tokens: 200 })), begun('r0'), done('r0'))
  await client.until('response.done')
  say(SOUND)
  say({ type: 'input_audio_buffer.commit' })
  await heard(4)
  t.equal(gate.calls.length, 1)
  say(CREATE)
  await heard(5)
  t.equal(gate.calls[1]?.request.bound.outputTokens, 200, 'the limit of the session')
})

t.test('where nothing can be held, the provider hears nothing, and the client an error', async (t) => {
  const { gate, say, tell, client, upstream, heard } = await aTalk(t)
  tell({ type: 'session.created', session: session() })
  await client.until('session.created')
  gate.answer = { code: 'budget_exhausted', message: 'Nothing is left.', retryable: false }
  for (let i = 0; i < 20; i++) say(SOUND)
  say(CREATE)
  await client.until('error', 2)
  t.equal(upstream.heard.length, 0)
  t.match(client.got.filter(({ type }) => type === 'error'), [{ error: { message: /Nothing is left/ } }, {}], 'one for the sounds, one for the answer')
  gate.answer = null
  say(CREATE)
  t.match((await heard(1))[0], CREATE)
})

t.test('an answer that the provider refuses to make costs nothing', async (t) => {
  const { gate, say, tell, heard } = await aTalk(t)
  say({ ...CREATE, event_id: 'mine' })
  say(CREATE)
  const [first, second] = await heard(2)
  t.equal(first?.['event_id'], 'mine')
  t.match(second?.['event_id'], /^relaycore_/)
  for (const event of [first, second]) {
    tell({ type: 'error', error: { code: 'conversation_already_has_active_response', event_id: event?.['event_id'] } })
  }
  await gate.ended(2)
  t.match(gate.calls.map(({ ended }) => ended), [[{ ending: { status: 400 } }], [{ ending: { status: 400 } }]])
})

t.test('an answer without usage, or whose provider leaves, is charged its quote', async (t) => {
  const { gate, say, tell, heard, upstream, client } = await aTalk(t)
  say(CREATE)
  say(CREATE)
  await heard(2)
  tell(begun('r1'), done('r1', null, 'failed'), begun('r2'))
  await client.until('response.created', 2)
  upstream.sockets[0]?.terminate()
  await gate.ended(2)
  t.match(gate.calls.map(({ ended }) => ended[0]), [
    { ending: { outcome: 'completed', reading: { final: false } } }, { ending: { outcome: 'upstream_broken' } },
  ])
})

t.test('what has no price here is refused by its name, and the conversation goes on', async (t) => {
  const { say, client, upstream, heard } = await aTalk(t)
  const update = (more: object) => ({ type: 'session.update', session: { type: 'realtime', ...more } })
  const item = (more: object) => ({ type: 'conversation.item.create', item: { type: 'message', role: 'user', ...more } })
  const refused: [object, RegExp][] = [
    [update({ audio: { input: { transcription: { model: 'whisper-1' } } } }), /^transcription /],
    [update({ input_audio_transcription: { model: 'whisper-1' } }), /^transcription /],
    [update({ audio: { input: { turn_detection: { type: 'server_vad', idle_timeout_ms: 5_000 } } } }), /^turn_detection.idle_timeout_ms /],
    [update({ type: 'transcription' }), /"transcription"/], [update({ model: 'gpt-realtime-2' }), /^session\.model /],
    [update({ prompt: { id: 'p' } }), /^prompt /], [update({ tools: [{ type: 'mcp' }] }), /tool type "mcp"/],
    [{ ...CREATE, response: { tools: [{ type: 'mcp' }] } }, /tool type "mcp"/],
    [{ ...CREATE, response: { input: [{ type: 'mcp_call' }] } }, /item of the type "mcp_call"/],
    [item({ type: 'mcp_approval_response' }), /item of the type/], [item({ content: [{ type: 'input_file' }] }), /content type "input_file"/],
    [{ type: 'response.steer' }, /message of the type "response\.steer"/], [{}, /message of the type nothing/],
  ]
  for (const [nth, [message, says]] of refused.entries()) {
    say(message)
    await client.until('error', nth + 1)
    t.match(client.got.at(-1), { status: 400, error: { message: says } }, JSON.stringify(message))
  }
  t.equal(upstream.heard.length, 0)
  say(item({ content: [{ type: 'input_image', image_url: 'data:' }] }))
  say(CREATE)
  await heard(2)
})

t.test('a path of conversations is no path of HTTP, and needs its model', async (t) => {
  const { url, client } = await aTalk(t)
  const http = await fetch(`${url}/v1/realtime?model=gpt-realtime`, { method: 'POST', headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }, body: '{}' })
  t.equal(http.status, 403)
  const wrong: [string, number][] = [['/v1/realtime', 400], ['/v1/realtime?model=a&model=b', 400], ['/v1/realtime?model=a&call_id=x', 400]]
  for (const [path, status] of wrong) {
    const error = await aClient(t, url, path).then(() => null, (error: unknown) => error as Error)
    t.match(error?.message, new RegExp(`${status}`), path)
  }
  t.equal(client.ws.readyState, 1)
})

t.test('a conversation in which nobody says anything any more is ended, and what was held for an answer goes back', async (t) => {
  const { gate, client, say, heard } = await aTalk(t, updated(session()), { limits: { socketIdleMs: 800 } })
  await client.until('session.updated')
  say(SOUND)
  await heard(1)
  const [code, reason] = await once(client.ws, 'close') as [number, Buffer]
  t.same([code, String(reason)], [1001, 'idle'])
  t.match(await gate.ended(), { how: 'released' })
  t.equal(gate.calls.length, 1)
})
