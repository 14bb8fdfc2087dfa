import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { type Meter } from '../../../src/usage/meter.ts'
import { type Entry, type TestProvider } from '../../provider/provider.ts'
import { freePort } from '../../services/free-port.ts'
import { ask, collect, json, open, untilClosed, untilMatch } from './clients.ts'
import { aGateway, AUTH, chat, type FakeGate, KEY } from './fakes.ts'

const STREAM = chat({ stream: true, stream_options: { include_usage: true } })
const CHAT = '/openai/v1/chat/completions'

async function arrived (provider: TestProvider): Promise<Entry> {
  const [entry] = await once(provider.events, 'arrived') as [Entry]
  return entry
}

async function finished (provider: TestProvider): Promise<Entry> {
  const [entry] = await once(provider.events, 'finished') as [Entry]
  return entry
}

function endedOnce (gate: FakeGate): boolean {
  return gate.calls.every((call) => call.ended.length === 1)
}

t.test('a client that leaves before the answer is charged exactly, when answers are drained', async (t) => {
  const { url, gate, provider, exchanges } = await aGateway(t)
  provider.behave = () => ({ delayMs: 30, usage: { output: 9 } })
  const client = open(url + CHAT, { headers: AUTH, body: chat() })
  await arrived(provider)
  client.destroy()

  const ended = await gate.ended()

  t.match(ended, {
    ending: { outcome: 'client_gone', status: 200, reading: { final: true, usage: { outputTokens: 9 } }, error: null },
  })
  t.equal(provider.books[0]?.outcome, 'finished')
  t.ok(endedOnce(gate))
  t.equal(exchanges.open, 0)
  t.equal(exchanges.draining, 0)
})

t.test('a client that leaves before the answer has it cancelled, where answers are aborted', async (t) => {
  const { url, gate, provider, exchanges } = await aGateway(t, { onDisconnect: { openai: 'abort' } })
  provider.behave = () => ({ fault: 'never' })
  const client = open(url + CHAT, { headers: AUTH, body: chat() })
  await arrived(provider)
  const aborted = finished(provider)
  client.destroy()

  t.equal((await aborted).outcome, 'aborted')
  t.match(await gate.ended(), { ending: { outcome: 'client_gone', status: null, reading: null } })
  t.ok(endedOnce(gate))
  t.equal(exchanges.open, 0)
})

t.test('a client that leaves in the middle of a stream: drained to its end, or cancelled', async (t) => {
  for (const policy of ['drain', 'abort'] as const) {
    const { url, gate, provider } = await aGateway(t, { onDisconnect: { openai: policy } })
    provider.behave = () => ({ pieces: 20, gapMs: 3, usage: { output: 20 } })
    const done = finished(provider)
    const client = open(url + CHAT, { headers: AUTH, body: STREAM })
    const [response] = await once(client, 'response') as [IncomingMessage]
    response.on('error', () => {})
    await once(response, 'data')
    client.destroy()

    t.equal((await done).outcome, policy === 'drain' ? 'finished' : 'aborted')
    t.match(await gate.ended(), {
      ending: { outcome: 'client_gone', status: 200, reading: { final: policy === 'drain' } },
    }, policy)
    t.ok(endedOnce(gate))
  }
})

t.test('a client that leaves while its call is being opened is never forwarded', async (t) => {
  const { url, gate, provider, exchanges } = await aGateway(t)
  for (const asksGone of [true, false]) {
    gate.asksGone = asksGone
    let openNow = (): void => {}
    gate.hold = new Promise((resolve) => { openNow = resolve })
    const client = open(url + CHAT, { headers: AUTH, body: chat() })
    await once(gate.events, 'opening')
    client.destroy()
    await turns(url)
    openNow()
    await turns(url)
  }
  t.equal(gate.calls.length, 1)
  t.match(gate.calls[0]?.ended, [{ how: 'released' }])
  t.ok(endedOnce(gate))
  t.equal(provider.books.length, 0)
  t.equal(exchanges.open, 0)
})

/** Some requests on other connections: by their end the server has dealt with what came before them. */
async function turns (url: string, count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await ask(`${url}/v1/models`, { method: 'GET', headers: AUTH })
}

t.test('a client that leaves while its call waits for a connection costs nothing, not even the connection', async (t) => {
  const { url, gate, provider } = await aGateway(t, { limits: { connections: 1 } })
  provider.behave = (entry) => entry.stream ? { pieces: 10, gapMs: 5 } : {}
  const first = open(url + CHAT, { headers: AUTH, body: STREAM })
  const answered = once(first, 'response')
  await arrived(provider)
  const second = open(url + CHAT, { headers: AUTH, body: chat() })
  while (gate.calls.length < 2) await once(gate.events, 'opening').then(() => new Promise(setImmediate))
  second.destroy()

  t.match(await gate.ended(), { how: 'released' })
  const [response] = await answered as [IncomingMessage]
  t.ok((await collect(response)).whole)
  t.ok((await ask(url + CHAT, { headers: AUTH, body: chat() })).whole)
  t.equal(provider.books.length, 2, 'the second was never sent')
  t.equal(provider.connections(), 1, 'and did not take the connection with it')
  t.ok(endedOnce(gate))
})

t.test('a call that finds no connection in time is refused, and costs nothing', async (t) => {
  const { url, gate, provider } = await aGateway(t, { limits: { connections: 1, queueMs: 60 } })
  provider.behave = () => ({ fault: 'never' })
  const first = open(url + CHAT, { headers: AUTH, body: chat() })
  await arrived(provider)

  const second = await ask(url + CHAT, { headers: AUTH, body: chat() })

  t.equal(second.status, 504)
  t.equal(second.headers['x-should-retry'], 'true')
  t.equal(second.headers['x-relaycore-call-id'], 'call-1')
  t.match(gate.calls[1]?.ended, [{ how: 'released' }])
  t.equal(gate.refusals.length, 1)
  first.destroy()
})

t.test('draining ends at its limit of time, of bytes and of calls at once, and is charged as far as it is known', async (t) => {
  for (const [name, drain] of [['ms', { ms: 50 }], ['bytes', { bytes: 500 }], ['calls', { calls: 0 }]] as const) {
    const { url, gate, provider, exchanges } = await aGateway(t, { drain })
    provider.behave = () => ({ pieces: 1000, gapMs: 4 })
    const done = finished(provider)
    const client = open(url + CHAT, { headers: AUTH, body: STREAM })
    const [response] = await once(client, 'response') as [IncomingMessage]
    response.on('error', () => {})
    client.destroy()

    t.match(await gate.ended(), { ending: { outcome: 'client_gone', reading: { final: false } } }, name)
    t.equal((await done).outcome, 'aborted', name)
    t.equal(exchanges.draining, 0)
    t.ok(endedOnce(gate))
  }
})

t.test('an answer that is cut short never ends cleanly for the client', async (t) => {
  const { url, port, gate, provider } = await aGateway(t)
  provider.behave = (entry) => ({ fault: 'cut', after: entry.stream ? 3 : 100 })

  const plain = await ask(url + CHAT, { headers: AUTH, body: chat() })
  const stream = await ask(url + CHAT, { headers: AUTH, body: STREAM })
  const old = connect(port, '127.0.0.1')
  const reset = once(old, 'error')
  old.write(`POST ${CHAT} HTTP/1.0\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\n` +
    `content-length: ${STREAM.length}\r\n\r\n${STREAM}`)

  for (const got of [plain, stream]) {
    t.equal(got.status, 200)
    t.notOk(got.whole)
    t.equal(got.error, 'ECONNRESET')
  }
  t.match((await reset)[0], { code: 'ECONNRESET' }, 'also where the end of the connection is the end of the answer')
  t.equal(gate.calls.length, 3)
  for (const call of gate.calls) {
    t.match(call.ended, [{ how: 'settled', ending: { outcome: 'upstream_broken', status: 200, error: Error } }])
  }
})

t.test('a provider that hangs up before it answers: 502, charged, and not to be repeated', async (t) => {
  const { url, gate, provider } = await aGateway(t)
  for (const fault of ['close', 'reset'] as const) {
    provider.behave = () => ({ fault })
    const got = await ask(url + CHAT, { headers: AUTH, body: chat() })
    t.equal(got.status, 502, fault)
    t.match(json(got), { error: { code: 'upstream_unreachable', type: 'server_error' } })
    t.equal(got.headers['x-should-retry'], 'false')
    t.match(gate.calls.at(-1)?.ended, [{ ending: { outcome: 'upstream_broken', status: null, reading: null } }])
  }
  t.equal(provider.books.length, 2)
  t.equal(gate.refusals.length, 0, 'the gate has the calls')
})

t.test('a provider that cannot be reached: 502, nothing charged, and the client keeps its connection', async (t) => {
  const upstream = { url: await closedPort(), apiKey: 'x', settingName: 'X' }
  const { port, gate } = await aGateway(t, { upstreams: { openai: upstream, anthropic: upstream } })
  const socket = connect(port, '127.0.0.1')
  const body = chat()
  for (let i = 0; i < 2; i++) {
    socket.write(`POST ${CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    const answer = await untilMatch(socket, /"budget":null}}}/)
    t.match(answer, /^HTTP\/1\.1 502 /)
    t.match(answer, /x-should-retry: true/)
    t.match(answer, /Nothing was sent/)
  }
  socket.destroy()
  t.equal(gate.calls.length, 2)
  t.ok(gate.calls.every((call) => call.ended.length === 1 && call.ended[0]?.how === 'released'))
  t.equal(gate.refusals.length, 2)
})

async function closedPort (): Promise<string> { return `http://127.0.0.1:${await freePort()}` }

t.test('a provider that never answers: 504 in the dialect, and one that stops answering: a broken answer', async (t) => {
  const { url, gate, provider } = await aGateway(t, { limits: { headersTimeoutMs: 80, bodyTimeoutMs: 80 } })
  provider.behave = (entry) => entry.stream ? { fault: 'hang', after: 2 } : { fault: 'never' }

  const never = await ask(`${url}/v1/messages`, { headers: AUTH, body: '{"model":"claude-test","max_tokens":5}' })
  const stops = await ask(url + CHAT, { headers: AUTH, body: STREAM })

  t.equal(never.status, 504)
  t.match(json(never), { type: 'error', error: { type: 'timeout_error' } })
  t.equal(never.headers['x-should-retry'], 'false')
  t.match(gate.calls[0]?.ended, [{ ending: { outcome: 'upstream_broken', status: null } }])
  t.notOk(stops.whole)
  t.match(gate.calls[1]?.ended, [{ ending: { outcome: 'upstream_broken', status: 200 } }])
})

t.test('garbage from a provider passes through, and reads as no usage', async (t) => {
  const { url, gate, provider } = await aGateway(t)
  provider.behave = () => ({ fault: 'garbage' })
  const got = await ask(url + CHAT, { headers: AUTH, body: chat() })
  t.match(got.body.toString(), /confused/)
  t.match(gate.calls[0]?.ended, [{ ending: { outcome: 'completed', reading: { usage: null, final: false } } }])
})

t.test('hostile answers end the call once and leave the gateway alive', async (t) => {
  const answers: [string, number, boolean][] = [
    ['HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort', 200, false],
    ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', 502, true],
    ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n', 200, false],
    ['HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}', 502, true],
    ['HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n', 502, true],
    ['HTTP/1.1 100 Continue\r\n\r\n', 502, true],
    ['nonsense\r\n\r\n', 502, true],
    ['HTTP/1.1 200 OK\r\nx: \u0001\r\ncontent-length: 2\r\n\r\n{}', 502, true],
    [`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`, 502, true],
    ['HTTP/1.1 999 What\r\ncontent-length: 2\r\n\r\n{}', 999, true],
    ['HTTP/1.1 099 What\r\ncontent-length: 2\r\n\r\n{}', 502, true],
    ['HTTP/1.1 204 No Content\r\n\r\n', 204, true],
    ['', 502, true],
  ]
  for (const [answer, status, whole] of answers) {
    const upstream = await answering(t, answer)
    const { url, gate } = await aGateway(t, { upstreams: { openai: upstream } })
    const got = await ask(url + CHAT, { headers: AUTH, body: chat() })
    t.match({ status: got.status, whole: got.whole }, { status, whole }, JSON.stringify(answer.slice(0, 60)))
    t.equal(gate.calls[0]?.ended.length, 1)
    t.equal(gate.calls[0]?.ended[0]?.how, 'settled')
  }
})

/** An upstream that answers each connection's first bytes with these, and hangs up. */
async function answering (t: Test, answer: string): Promise<{ url: string, apiKey: string, settingName: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => { socket.end(Buffer.from(answer, 'latin1')) })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, apiKey: 'x', settingName: 'X' }
}

t.test('informational answers are not passed on', async (t) => {
  const upstream = await answering(t, 'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n' +
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}')
  const { url, gate } = await aGateway(t, { upstreams: { openai: upstream } })
  const got = await ask(url + CHAT, { headers: AUTH, body: chat() })
  t.equal(got.status, 200)
  t.equal(got.body.toString(), '{}')
  t.match(gate.calls[0]?.ended, [{ ending: { outcome: 'completed', status: 200 } }])
})

t.test('the head of a stream reaches the client before its first event', async (t) => {
  const { url, provider } = await aGateway(t)
  provider.behave = () => ({ fault: 'hang', after: 0 })
  const client = open(url + CHAT, { headers: AUTH, body: STREAM })
  const [response] = await once(client, 'response') as [IncomingMessage]
  t.match(response.headers['content-type'], /event-stream/)
  response.on('error', () => {})
  client.destroy()
})

t.test('a slow client slows the provider down, and gets everything in the end', async (t) => {
  const { url, gate, provider } = await aGateway(t)
  const size = 48 * 1024 * 1024
  provider.behave = () => ({ body: 'x'.repeat(size) })
  const client = open(url + CHAT, { headers: AUTH, body: chat() })
  const [response] = await once(client, 'response') as [IncomingMessage]
  const entry = provider.books[0]
  // nobody reads: what is on its way fits into the buffers between, the rest stays with the provider
  await turns(url, 20)
  t.equal(entry?.finishedAt, null)
  t.equal(gate.calls[0]?.ended.length, 0)

  const got = await collect(response)

  t.equal(got.body.length, size)
  t.ok(got.whole)
  t.match(await gate.ended(), { ending: { outcome: 'completed' } })
})

t.test('a client that stops reading counts as gone after a while', async (t) => {
  const { url, gate, provider, exchanges } = await aGateway(t, {
    limits: { stalledClientMs: 60 }, drain: { bytes: 64 * 1024 * 1024 },
  })
  provider.behave = () => ({ body: 'x'.repeat(32 * 1024 * 1024) })
  const client = open(url + CHAT, { headers: AUTH, body: chat() })
  const [response] = await once(client, 'response') as [IncomingMessage]
  response.on('error', () => {})

  const ended = await gate.ended()

  t.match(ended, { ending: { outcome: 'client_gone', status: 200 } })
  t.equal(provider.books[0]?.outcome, 'finished', 'and the answer was drained')
  t.ok(endedOnce(gate))
  client.destroy()
  t.equal(exchanges.open, 0)
})

t.test('a client that leaves while its answer is held back is drained or cancelled all the same', async (t) => {
  for (const policy of ['drain', 'abort'] as const) {
    const { url, gate, provider } = await aGateway(t, {
      onDisconnect: { openai: policy }, drain: { bytes: 64 * 1024 * 1024 },
    })
    provider.behave = () => ({ body: 'x'.repeat(32 * 1024 * 1024) })
    const done = finished(provider)
    const client = open(url + CHAT, { headers: AUTH, body: chat() })
    const [response] = await once(client, 'response') as [IncomingMessage]
    response.on('error', () => {})
    await turns(url, 20)
    client.destroy()
    t.match(await gate.ended(), { ending: { outcome: 'client_gone' } })
    t.equal((await done).outcome, policy === 'drain' ? 'finished' : 'aborted')
  }
})

t.test('pipelined requests are answered in order, and leave together', async (t) => {
  const { port, gate, provider } = await aGateway(t, { onDisconnect: { openai: 'abort' } })
  provider.behave = (entry) => entry.headers['x-slow'] === undefined ? {} : { fault: 'never' }
  const request = (extra: string): string => `POST ${CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n` +
    `content-type: application/json\r\n${extra}content-length: ${chat().length}\r\n\r\n${chat()}`
  const both = connect(port, '127.0.0.1')
  both.write(request('') + request('connection: close\r\n'))
  t.equal((await untilClosed(both)).match(/HTTP\/1\.1 200 OK/g)?.length, 2)

  const left = connect(port, '127.0.0.1')
  left.write(request('x-slow: 1\r\n') + request('x-slow: 1\r\n'))
  await arrived(provider)
  if (provider.books.length < 4) await arrived(provider)
  left.destroy()
  await gate.ended(4)
  t.ok(endedOnce(gate))
  t.match(gate.calls.map((call) => call.ended[0]?.how === 'settled' && call.ended[0].ending.outcome),
    ['completed', 'completed', 'client_gone', 'client_gone'])
})

t.test('a meter that fails costs the metering, not the answer', async (t) => {
  const { url, gate } = await aGateway(t)
  const fail = (): never => { throw new Error('the meter is broken') }
  const good: Meter = {
    data: (chunk) => chunk,
    end: () => null,
    reading: () => ({ usage: null, final: false, modelUsed: null, providerRequestId: null, bodyBytes: 0 }),
  }
  const broken: (() => Meter)[] = [
    fail,
    () => ({ ...good, data: fail }),
    () => ({ ...good, end: fail }),
    () => ({ ...good, reading: fail }),
  ]
  for (const makeMeter of broken) {
    gate.makeMeter = makeMeter
    const got = await ask(url + CHAT, { headers: AUTH, body: chat() })
    t.ok(got.whole)
    t.match(got.body.toString(), /chat\.completion/)
    t.match(gate.calls.at(-1)?.ended, [{ how: 'settled', ending: { outcome: 'completed' } }])
  }
  t.match(gate.calls[1]?.ended, [{ ending: { reading: null } }], 'nobody can say what a broken meter has missed')
})

t.test('a meter that fails while it takes something out breaks the answer off rather than garble it', async (t) => {
  const { url, gate } = await aGateway(t)
  gate.makeMeter = () => ({
    data: () => { throw new Error('the meter is broken') },
    end: () => null,
    reading: () => ({ usage: null, final: false, modelUsed: null, providerRequestId: null, bodyBytes: 0 }),
  })
  const got = await ask(url + CHAT, { headers: AUTH, body: chat({ stream: true }) })
  t.notOk(got.whole)
  t.match(gate.calls[0]?.ended, [{ ending: { outcome: 'upstream_broken' } }])
})

t.test('an answer that is shorter than it promised is broken off, whoever made it shorter', async (t) => {
  const { url, gate } = await aGateway(t)
  gate.makeMeter = () => ({
    data: (chunk) => chunk.subarray(1),
    end: () => null,
    reading: () => ({ usage: null, final: false, modelUsed: null, providerRequestId: null, bodyBytes: 0 }),
  })
  t.notOk((await ask(url + CHAT, { headers: AUTH, body: chat() })).whole)
  t.ok(endedOnce(gate))
})

t.test('a gate that fails to settle neither hangs the client nor ends the process', async (t) => {
  const { url, gate, provider } = await aGateway(t)
  gate.settleThrows = true
  t.ok((await ask(url + CHAT, { headers: AUTH, body: chat() })).whole)
  provider.behave = () => ({ fault: 'close' })
  t.equal((await ask(url + CHAT, { headers: AUTH, body: chat() })).status, 502)
  provider.behave = () => ({ delayMs: 20 })
  const client = open(url + CHAT, { headers: AUTH, body: chat() })
  await arrived(provider)
  client.destroy()
  await gate.ended(3)
  t.ok(endedOnce(gate))
  t.ok((await ask(url + CHAT, { headers: AUTH, body: chat() })).whole)
})

t.test('an answer ends before its call is settled, and a call is settled where its answer cannot end', async (t) => {
  const { app, url, gate } = await aGateway(t, { limits: { stalledClientMs: 50 } })
  let response: ServerResponse | undefined
  app.server.on('request', (_request, one: ServerResponse) => { response = one })
  const whenSettled: unknown[] = []
  gate.events.on('ended', () => { whenSettled.push(response?.writableEnded) })
  for (const body of [chat(), STREAM]) t.ok((await ask(url + CHAT, { headers: AUTH, body })).whole)
  t.strictSame(whenSettled, [true, true])

  app.server.prependListener('request', (_request, one: ServerResponse) => {
    one.end = () => { throw new Error('the answer cannot end') }
  })
  t.notOk((await ask(url + CHAT, { headers: AUTH, body: STREAM })).whole)
  t.match(await gate.ended(3), { how: 'settled', ending: { outcome: 'completed', reading: { final: true } } })
  t.ok(endedOnce(gate))
})

t.test('a hundred calls at once with every kind of end: each ends exactly once, and nothing is left over', async (t) => {
  const { url, gate, provider, exchanges } = await aGateway(t, { limits: { connections: 20, headersTimeoutMs: 300 } })
  const kinds = [{}, { fault: 'cut' }, { fault: 'close' }, { status: 500 }, { gapMs: 1 }, { delayMs: 10 }] as const
  provider.behave = (entry) => kinds[Number(entry.requestId) % kinds.length]
  await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    const client = open(url + CHAT, { headers: { ...AUTH, 'x-request-id': String(i) }, body: i % 2 > 0 ? STREAM : chat() })
    if (i % 7 === 0) {
      await once(gate.events, 'opening')
      client.destroy()
      return
    }
    const [response] = await once(client, 'response') as [IncomingMessage]
    await collect(response)
  }))
  await gate.ended(gate.calls.length)
  t.ok(gate.calls.length > 80)
  t.ok(endedOnce(gate))
  t.equal(exchanges.draining, 0)
  const forwarded = gate.calls.filter((call) => call.ended[0]?.how === 'settled').length
  t.equal(provider.books.length, forwarded, 'settled are those that reached the provider, released the others')
})

const NO_ROOM = { code: 'budget_exhausted', message: 'There is no room.', retryable: false } as const
const MESSAGES = '/anthropic/v1/messages'
const MESSAGE = chat({ model: 'claude-test', max_tokens: 50, stream: true })

t.test('an answer that may not go on ends behind a whole event, by an error as the provider tells of one', async (t) => {
  for (const later of [false, true]) {
    const { url, gate, provider } = await aGateway(t)
    provider.behave = () => ({ pieces: 20, gapMs: 1 })
    gate.cover = () => later ? Promise.resolve(NO_ROOM) : NO_ROOM
    const done = finished(provider)

    const text = (await ask(url + MESSAGES, { headers: AUTH, body: MESSAGE })).body.toString()

    const events = text.split('\n\n').filter((event) => event !== '')
    t.match(events.at(-1), /^event: error\ndata: \{"type":"error","error":\{"type":"billing_error","message":"There/)
    t.match(events[0], /^event: message_start\ndata: \{.*\}$/)
    t.notMatch(text, /message_stop/)
    t.equal((await done).outcome, 'aborted')
    t.match(await gate.ended(), { ending: { outcome: 'budget_cut', status: 200, reading: { final: false } } })
    t.ok(endedOnce(gate))
    t.match(gate.refusals, [{ refusal: { code: 'budget_exhausted' }, provider: 'anthropic' }])
  }
})

t.test('one that waits for more to be held goes on as it came, also where that fails', async (t) => {
  const answers = [
    async () => null, async () => { throw new Error('broken') }, () => { throw new Error('broken') }, () => null,
  ]
  for (const cover of answers) {
    const { url, gate, provider } = await aGateway(t)
    provider.behave = () => ({ pieces: 20, usage: { output: 20 } })
    gate.cover = cover
    const text = (await ask(url + MESSAGES, { headers: AUTH, body: MESSAGE })).body.toString()
    t.match(text, /^event: message_start[^]*event: message_stop\ndata: \{"type":"message_stop"\}\n\n$/)
    t.match(await gate.ended(), { ending: { outcome: 'completed', reading: { final: true, usage: { outputTokens: 20 } } } })
  }
})

t.test('an abandoned answer that may not be read on is given up', async (t) => {
  const { url, gate, provider } = await aGateway(t)
  provider.behave = () => ({ pieces: 20, gapMs: 3 })
  let left = false
  gate.cover = () => left ? NO_ROOM : null
  const done = finished(provider)
  const client = open(url + MESSAGES, { headers: AUTH, body: MESSAGE })
  const [response] = await once(client, 'response') as [IncomingMessage]
  response.on('error', () => {})
  await once(response, 'data')
  left = true
  client.destroy()
  t.equal((await done).outcome, 'aborted')
  t.match(await gate.ended(), { ending: { outcome: 'budget_cut' } })
})
