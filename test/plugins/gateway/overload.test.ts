import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { Load, type Overloaded } from '../../../src/load.ts'
import { providers } from '../../../src/providers/index.ts'
import { ask, collect, json, open, untilMatch } from './clients.ts'
import { aGateway, AUTH, type BenchOptions, chat, KEY } from './fakes.ts'
import { aClient, aSocketProvider } from './socket-provider.ts'

async function aBench (t: Test, limits: ConstructorParameters<typeof Load>[0], options: BenchOptions = {}) {
  const refused: Overloaded[] = []
  const load = new Load(limits, (what) => { refused.push(what) })
  return { ...await aGateway(t, { load, ...options }), load, refused }
}

/** a connection on which the head of a call has been sent, and some of its body */
async function halfACall (t: Test, port: number, headers: string, body = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n` +
    `content-type: application/json\r\n${headers}\r\n\r\n${body}`)
  await once(socket, 'connect')
  return socket
}

/** each turn of the event loop, until it holds */
async function until (holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => { setImmediate(resolve) })
}

t.test('past the calls that it takes at once a gateway refuses, in each dialect so that the SDK tries again', async (t) => {
  const { url, gate, provider, load, refused } = await aBench(t, { calls: 1 })
  gate.hold = new Promise(() => {})
  const first = open(`${url}/v1/chat/completions`, { headers: AUTH, body: chat() })
  await once(gate.events, 'opening')

  for (const { name, endpoints, dialect } of providers) {
    const endpoint = endpoints.find(({ kind, method, path }) => kind === 'billable' && method === 'POST' && !path.includes('{'))
    if (endpoint === undefined) continue
    const got = await ask(`${url}/${name}${endpoint.path}`, { headers: AUTH, body: '{}' })
    t.equal(got.status, 503, name)
    t.match(got.headers['retry-after'], /^[12]$/, name)
    t.match(got.headers['retry-after-ms'], /^1\d{3}$/, name)
    t.equal(got.headers['x-should-retry'], 'true', name)
    t.match(got.body.toString(), /"overloaded/, `${name} in the form of ${dialect.name}`)
  }
  const anthropic = await ask(`${url}/v1/messages`, { headers: AUTH, body: '{}' })
  t.match(json(anthropic), { type: 'error', error: { type: 'overloaded_error', message: /all that it takes at once: 1 calls/ } })
  t.equal((await ask(`${url}/v1/chat/completions`, { body: chat() })).status, 401, 'who has no key hears that')
  t.equal((await ask(`${url}/v1/nowhere`, { headers: AUTH, body: chat() })).status, 403)

  t.same([load.calls, load.bodyBytes], [1, chat().length])
  first.destroy()
  await until(() => load.calls === 0)
  t.equal(load.bodyBytes, 0)
  gate.hold = null
  t.equal((await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: chat() })).status, 200)
  t.same(new Set(refused), new Set(['calls']))
  t.equal(provider.books.length, 1)
})

t.test('it is refused before its body is read', async (t) => {
  const { port, load, gate } = await aBench(t, { bodyBytes: 1_000 })
  const slow = await halfACall(t, port, 'content-length: 900', '{')
  await until(() => load.bodyBytes === 900)
  const late = await halfACall(t, port, 'content-length: 101')
  t.match(await untilMatch(late, /overloaded/), /^HTTP\/1\.1 503 [^]*1000 bytes of requests/, 'without a byte of it')
  const small = await halfACall(t, port, 'content-length: 100')
  await until(() => load.bodyBytes === 1_000)
  slow.destroy()
  small.destroy()
  await until(() => load.calls === 0)
  t.equal(load.bodyBytes, 0)
  t.equal(gate.intakes.length, 0)
})

t.test('a body that does not say how long it is takes its place as it comes, and is refused where there is none', async (t) => {
  const { port, load, gate } = await aBench(t, { bodyBytes: 1_000 })
  const known = await halfACall(t, port, 'content-length: 900', '{')
  await until(() => load.bodyBytes === 900)
  const chunked = await halfACall(t, port, 'transfer-encoding: chunked', `32\r\n${' '.repeat(0x32)}\r\n`)
  await until(() => load.bodyBytes === 950)
  chunked.write(`40\r\n${' '.repeat(0x40)}\r\n`)
  t.match(await untilMatch(chunked, /overloaded/), /^HTTP\/1\.1 503 [^]*connection: close/)
  await until(() => load.bodyBytes === 900)
  known.destroy()
  await until(() => load.bodyBytes === 0)
  t.equal(load.calls, 0)
  const body = chat()
  const whole = await halfACall(t, port, 'transfer-encoding: chunked', `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)
  t.match(await untilMatch(whole, /choices/), /^HTTP\/1\.1 200 /)
  t.equal(gate.intakes[0]?.bytes.toString(), body)
  whole.destroy()
  await until(() => load.calls === 0)
  t.equal(load.bodyBytes, 0)
})

t.test('one body may be as large as a body may be, when it is alone', async (t) => {
  const { url, load } = await aBench(t, { bodyBytes: 10 })
  t.equal((await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: chat() })).status, 200)
  await until(() => load.calls === 0)
  t.equal(load.bodyBytes, 0)
})

t.test('whatever becomes of a request, its place is free again', async (t) => {
  const { url, port, load, gate, provider } = await aBench(t, {}, { limits: { bodyBytes: 2_000 }, onDisconnect: { openai: 'drain' } })
  const path = `${url}/v1/chat/completions`
  provider.behave = (entry) => entry.headers['x-fault'] === undefined ? {} : { fault: String(entry.headers['x-fault']) as 'cut' }
  const sent = [
    ask(path, { headers: AUTH, body: chat() }),
    ask(path, { headers: AUTH, body: chat({ stream: true }) }),
    ask(path, { headers: AUTH, body: '{"model":' }),
    ask(path, { headers: AUTH, body: 'x'.repeat(2_001) }),
    ask(path, { headers: { ...AUTH, 'x-fault': 'close' }, body: chat() }),
    ask(`${url}/v1/models`, { method: 'GET', headers: AUTH }),
  ]
  await Promise.all(sent.map((one) => one.catch(() => undefined)))
  // two on one connection, which the client leaves while the first is under way
  gate.hold = new Promise(() => {})
  const body = chat()
  const one = `content-length: ${body.length}`
  const pipelined = await halfACall(t, port, one, body)
  pipelined.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\n${one}\r\n\r\n${body}`)
  await until(() => load.calls === 2)
  pipelined.destroy()
  await until(() => load.calls === 0)
  t.equal(load.bodyBytes, 0)
  gate.hold = null
})

t.test('an answer that is read on after its client left keeps its place', async (t) => {
  const { url, load, provider, gate, exchanges } = await aBench(t, { calls: 1 })
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => { finish = resolve })
  provider.behave = () => ({ until: finished })
  const left = open(`${url}/v1/chat/completions`, { headers: AUTH, body: chat({ stream: true }) })
  await until(() => provider.books.length > 0)
  left.destroy()
  await until(() => exchanges.draining === 1)
  const meanwhile = await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: chat() })
  t.equal(meanwhile.status, 503)
  finish()
  await gate.ended()
  await until(() => load.calls === 0)
  t.equal(load.bodyBytes, 0)
})

t.test('of WebSockets, and of calls and bytes over them, there are no more than it takes either', async (t) => {
  const upstream = await aSocketProvider(t, [{ type: 'response.created' }])
  const upstreams = { openai: { url: upstream.url, apiKey: 'k', settingName: 'K' } }
  const { url, load, refused } = await aBench(t, { sockets: 2, calls: 1, bodyBytes: 500 }, { upstreams })
  const [one, two] = [await aClient(t, url), await aClient(t, url)]
  const third = new WebSocket(`${url.replace('http', 'ws')}/v1/responses`, { headers: { authorization: `Bearer ${KEY}` } })
  const [, answer] = await once(third, 'unexpected-response')
  t.match(await collect(answer), { status: 503, headers: { 'retry-after': /[12]/ } })

  const create = JSON.stringify({ type: 'response.create', model: 'gpt-5', input: 'Hello' })
  one.ws.send(create)
  await one.until('response.created')
  two.ws.send(create)
  await two.until('error')
  t.match(two.got, [{ type: 'error', status: 503, error: { code: 'overloaded', message: /1 calls/ } }])
  one.ws.send(' '.repeat(600))
  await one.until('error')
  t.match(one.got.at(-1), { status: 503, error: { message: /500 bytes/ } })
  one.ws.send(create)
  await until(() => load.bodyBytes === 2 * create.length)
  one.ws.terminate()
  two.ws.terminate()
  upstream.sockets[0]?.terminate()
  await until(() => load.sockets === 0 && load.calls === 0)
  t.equal(load.bodyBytes, 0)
  t.same(refused, ['sockets', 'calls', 'bodyBytes'])
  await aClient(t, url)
  t.equal(load.sockets, 1)
})
