import { once } from 'node:events'
import OpenAI from 'openai'
import { ResponsesWS } from 'openai/resources/responses/ws'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { type Refusal } from '../../../src/errors.ts'
import { Load } from '../../../src/load.ts'
import { rawly } from './clients.ts'
import { aGateway, type BenchOptions, FakeGate, KEY, PROVIDER_KEY } from './fakes.ts'
import { aClient, aSocketProvider } from './socket-provider.ts'

const RESPONSE = { id: 'resp_1', object: 'response', status: 'completed', model: 'gpt-5', output: [] }
const USAGE = { input_tokens: 10, output_tokens: 5, total_tokens: 15 }
const CREATED = { type: 'response.created', response: { ...RESPONSE, status: 'in_progress', usage: null } }
const DELTA = { type: 'response.output_text.delta', delta: 'Hi' }
const DONE = { type: 'response.completed', response: { ...RESPONSE, usage: USAGE } }
const CREATE = { type: 'response.create', model: 'gpt-5', input: 'Hello', max_output_tokens: 50 }

async function aBench (t: Test, options: BenchOptions = {}) {
  const upstream = await aSocketProvider(t, [CREATED, DELTA, DONE])
  const gate = new FakeGate()
  const upstreams = { openai: { url: upstream.url, apiKey: PROVIDER_KEY, settingName: 'KEY' } }
  const bench = await aGateway(t, { upstreams, gate, ...options })
  return { ...bench, gate, upstream }
}

const settled = { how: 'settled', ending: { outcome: 'completed', status: 200, reading: { final: true, usage: { inputTokens: 10, outputTokens: 5 } } } }

t.test('OpenAI\'s SDK over a WebSocket: the messages are the provider\'s, each call is metered, the key stays here', async (t) => {
  const { url, gate, upstream } = await aBench(t)
  const ws = new ResponsesWS(new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: KEY }))
  const types: string[] = []
  for (const turn of [1, 2]) {
    ws.send({ type: 'response.create', model: 'gpt-5', input: `turn ${turn}` })
    for await (const message of ws) {
      if (message.type === 'message') types.push(message.message.type)
      if (types.length === turn * 3) break
    }
  }
  ws.close()
  t.same(types, [CREATED, DELTA, DONE, CREATED, DELTA, DONE].map(({ type }) => type))
  t.match(gate.calls.map(({ ended }) => ended), [[settled], [settled]])
  t.same(upstream.heard.map((text) => JSON.parse(text) as object), [1, 2].map((turn) => ({ type: 'response.create', model: 'gpt-5', input: `turn ${turn}` })))
  t.equal(upstream.sockets.length, 1, 'one connection')
  t.equal(upstream.headers[0]?.authorization, `Bearer ${PROVIDER_KEY}`)
  t.notMatch(JSON.stringify(upstream.headers), KEY)
})

t.test('a message goes on byte for byte when the one before it has ended, and what comes back is not touched', async (t) => {
  const { url, gate, upstream } = await aBench(t)
  const odd = '{ "type":"response.create",\n "model":"gpt-5", "input":"\\u00e4 ü 🙂", "seed": 12345678901234567890 }'
  let answer = (): void => {}
  upstream.says = () => upstream.heard.length === 1 ? [CREATED] : [DONE]
  const { ws, until } = await aClient(t, url)
  ws.send(odd)
  ws.send(JSON.stringify(CREATE))
  await until('response.created')
  t.same(upstream.heard, [odd])
  const raw: string[] = []
  ws.on('message', (data: Buffer) => { raw.push(String(data)) })
  answer = () => { upstream.sockets[0]?.send(`{"type": "response.completed",\r\n "response": ${JSON.stringify(DONE.response)}}`) }
  answer()
  await until('response.completed', 2)
  t.equal(raw[0], `{"type": "response.completed",\r\n "response": ${JSON.stringify(DONE.response)}}`)
  t.same(upstream.heard, [odd, JSON.stringify(CREATE)])
  t.match(gate.calls.map(({ ended }) => ended), [[settled], [settled]])
})

t.test('what is refused is told as an error of the provider\'s, and the connection goes on', async (t) => {
  const { url, gate, upstream } = await aBench(t)
  const { ws, got, until } = await aClient(t, url)
  const no: Refusal = { code: 'budget_exhausted', message: 'Nothing is left.', retryable: false }
  const cases: [string | Buffer, Refusal | null, object][] = [
    [JSON.stringify(CREATE), no, { status: 429, error: { code: 'insufficient_quota', message: /Nothing is left/ } }],
    ['{"type":', null, { status: 400, error: { message: /not JSON/ } }],
    ['[]', null, { status: 400 }],
    [Buffer.from('x'), null, { status: 400, error: { message: /must be text/ } }],
    [JSON.stringify({ ...CREATE, type: 'response.steer' }), null, { status: 400, error: { param: 'type', message: /response\.create/ } }],
    [JSON.stringify({ ...CREATE, stream_id: 'a' }), null, { status: 400, error: { param: 'stream_id' } }],
    [JSON.stringify({ ...CREATE, background: true }), null, { status: 400, error: { param: 'background' } }],
    [JSON.stringify({ ...CREATE, model: 'demo-small' }), null, { status: 400, error: { message: /demo/ } }],
    [JSON.stringify({ ...CREATE, tools: [{ type: 'mcp' }] }), null, { status: 400 }],
  ]
  for (const [nth, [message, refusal, expected]] of cases.entries()) {
    gate.answer = refusal
    ws.send(message)
    await until('error', nth + 1)
    t.match(got.at(-1), { type: 'error', ...expected })
  }
  t.equal(upstream.heard.length, 0)
  gate.answer = null
  ws.send(JSON.stringify(CREATE))
  await until('response.completed')
  t.equal(upstream.heard.length, 1)
})

t.test('an error of the provider\'s ends the call with its status, and costs nothing', async (t) => {
  const { url, gate, upstream } = await aBench(t)
  upstream.says = () => [{ type: 'error', status: 400, error: { code: 'previous_response_not_found' } }]
  const { ws, got, until } = await aClient(t, url)
  ws.send(JSON.stringify(CREATE))
  await until('error')
  t.match(got, [{ error: { code: 'previous_response_not_found' } }])
  t.match(gate.calls[0]?.ended, [{ how: 'settled', ending: { status: 400 } }])
})

t.test('a provider that leaves in the middle of a call ends it, and its client\'s connection', async (t) => {
  const { url, gate, upstream } = await aBench(t)
  upstream.says = () => [CREATED, 'close']
  const { ws } = await aClient(t, url)
  ws.send(JSON.stringify(CREATE))
  await once(ws, 'close')
  t.match(await gate.ended(), { how: 'settled', ending: { outcome: 'upstream_broken', reading: { final: false } } })
})

t.test('a client that leaves: its call is read to the end, or cancelled, as is set', async (t) => {
  for (const onDisconnect of ['drain', 'abort'] as const) {
    const { url, gate, upstream, exchanges } = await aBench(t, { onDisconnect: { openai: onDisconnect } })
    upstream.says = () => [CREATED]
    const { ws, until } = await aClient(t, url)
    ws.send(JSON.stringify(CREATE))
    await until('response.created')
    const [provider] = upstream.sockets
    const left = once(provider as WebSocket, 'close')
    ws.terminate()
    if (onDisconnect === 'drain') {
      while (exchanges.draining === 0) await new Promise(setImmediate)
      provider?.send(JSON.stringify(DONE))
    }
    t.match(await gate.ended(), { ending: { outcome: 'client_gone', reading: { final: onDisconnect === 'drain' } } })
    await left
    t.equal(exchanges.open, 0)
    t.equal(exchanges.draining, 0)
  }
})

t.test('a stop ends idle connections at once and others with their calls', async (t) => {
  const { app, url, gate, upstream } = await aBench(t, { closeTimeoutMs: 10_000 })
  const idle = await aClient(t, url)
  const busy = await aClient(t, url)
  upstream.says = () => [CREATED]
  busy.ws.send(JSON.stringify(CREATE))
  await busy.until('response.created')
  const busyClosed = once(busy.ws, 'close')
  const closed = app.close()
  t.same((await once(idle.ws, 'close'))[0], 1001)
  t.equal(busy.ws.readyState, WebSocket.OPEN)
  for (const ws of upstream.sockets) ws.send(JSON.stringify(DONE))
  await busy.until('response.completed')
  t.same((await busyClosed)[0], 1001)
  await closed
  t.match(gate.calls[0]?.ended, [settled])
})

t.test('a connection that nobody uses is ended, however often it is pinged, and one with a call under way is not', async (t) => {
  const load = new Load()
  const { url, gate, upstream } = await aBench(t, { limits: { socketIdleMs: 800 }, load })
  const busy = await aClient(t, url)
  upstream.says = () => [CREATED]
  busy.ws.send(JSON.stringify(CREATE))
  await busy.until('response.created')
  const busyClosed = once(busy.ws, 'close')

  const { ws } = await aClient(t, url)
  let pongs = 0
  ws.on('pong', () => {
    pongs++
    ws.ping()
  })
  ws.ping()
  const [code, reason] = await once(ws, 'close') as [number, Buffer]
  t.same([code, String(reason)], [1001, 'idle'])
  t.ok(pongs > 0)
  t.equal(busy.ws.readyState, WebSocket.OPEN)

  upstream.sockets[0]?.send(JSON.stringify(DONE))
  t.same((await busyClosed)[0], 1001)
  t.match(gate.calls[0]?.ended, [settled])
  while (load.sockets > 0) await new Promise(setImmediate)
  for (const provider of upstream.sockets) if (provider.readyState !== WebSocket.CLOSED) await once(provider, 'close')
})

t.test('a connection is used as long as its client says something', async (t) => {
  const idleMs = 300
  const { url, upstream } = await aBench(t, { limits: { socketIdleMs: idleMs } })
  upstream.says = () => [CREATED, DONE]
  const talks = await aClient(t, url)
  const silent = await aClient(t, url)
  const closed = once(talks.ws, 'close')
  let said = 0
  // it may be closed only where this process was held up for so long that it said nothing
  const talking = async (): Promise<void> => {
    for (let turn = 1; silent.ws.readyState === WebSocket.OPEN && talks.ws.readyState === WebSocket.OPEN; turn++) {
      said = performance.now()
      talks.ws.send(JSON.stringify(CREATE))
      await Promise.race([talks.until('response.completed', turn), closed])
    }
  }
  await talking()
  t.equal((await closed)[0], 1001, 'and then no more')
  t.ok(performance.now() - said >= idleMs)
})

t.test('a connection that opens while the gateway stops ends at once', async (t) => {
  const { app, url, upstream, exchanges } = await aBench(t, { closeTimeoutMs: 10_000 })
  const busy = await aClient(t, url)
  upstream.says = () => [CREATED]
  busy.ws.send(JSON.stringify(CREATE))
  await busy.until('response.created')
  let take = (): void => {}
  upstream.hold = new Promise((resolve) => { take = resolve })
  const asked = once(upstream.asked, 'asked')
  const late = new WebSocket(`${url.replace('http', 'ws')}/v1/responses`, { headers: { authorization: `Bearer ${KEY}` } })
  const ended = once(late, 'close')
  await asked
  const closed = app.close()
  while (!exchanges.closing) await new Promise(setImmediate)
  take()
  t.same((await ended)[0], 1001)
  upstream.sockets[0]?.send(JSON.stringify(DONE))
  await closed
})

t.test('without a good key there is no WebSocket, and what the provider answers instead is what the client hears', async (t) => {
  const { url, upstream } = await aBench(t)
  const refused = async (key: string) => {
    const ws = new WebSocket(`${url.replace('http', 'ws')}/v1/responses`, { headers: { authorization: `Bearer ${key}` } })
    ws.on('error', () => {})
    const [, answer] = await once(ws, 'unexpected-response') as [unknown, { statusCode: number }]
    ws.terminate()
    return answer.statusCode
  }
  t.equal(await refused('rk_wrong'), 401)
  t.equal(upstream.headers.length, 0)
  upstream.takes = false
  t.equal(await refused(KEY), 401)
  t.equal(upstream.headers.length, 1)
})

t.test('a request that no WebSocket can begin with is refused, and its provider never hears of it', async (t) => {
  const { port, upstream, gate } = await aBench(t)
  const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=='
  const version = 'sec-websocket-version: 13'
  for (const headers of [[key, 'sec-websocket-version: 12'], [key], [version], ['sec-websocket-key: short', version]]) {
    const answer = await rawly(port, 'GET /v1/responses HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n' +
      `authorization: Bearer ${KEY}\r\n${headers.join('\r\n')}\r\n\r\n`)
    t.match(answer, /^HTTP\/1\.1 400 /, headers.join())
    t.match(answer, /"invalid_request/)
  }
  t.equal(upstream.headers.length, 0)
  t.equal(gate.intakes.length, 0)
})
