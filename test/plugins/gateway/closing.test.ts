import { once } from 'node:events'
import { type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { Exchanges } from '../../../plugins/gateway/exchanges.ts'
import { ask, collect, open, untilMatch } from './clients.ts'
import { aGateway, AUTH, chat, KEY } from './fakes.ts'

const STREAM = chat({ stream: true, stream_options: { include_usage: true } })
const CHAT = '/openai/v1/chat/completions'

t.test('closing waits for the calls under way, and they end as if nothing were', async (t) => {
  const { app, url, gate, provider } = await aGateway(t, { closeTimeoutMs: 10_000 })
  provider.behave = () => ({ pieces: 20, gapMs: 5 })
  const client = open(url + CHAT, { headers: AUTH, body: STREAM })
  const [response] = await once(client, 'response') as [IncomingMessage]

  const closed = app.close()
  const got = await collect(response)
  await closed

  t.ok(got.whole)
  t.match(got.body.toString(), /\[DONE\]/)
  t.match(gate.calls[0]?.ended, [{ ending: { outcome: 'completed', reading: { final: true } } }])
})

t.test('closing waits for answers that are drained, too', async (t) => {
  const { app, url, gate, provider } = await aGateway(t, { closeTimeoutMs: 10_000 })
  provider.behave = () => ({ pieces: 20, gapMs: 5 })
  const client = open(url + CHAT, { headers: AUTH, body: STREAM })
  const [response] = await once(client, 'response') as [IncomingMessage]
  response.on('error', () => {})
  await once(response, 'data')
  client.destroy()

  await app.close()

  t.match(gate.calls[0]?.ended, [{ ending: { outcome: 'client_gone', reading: { final: true } } }])
})

t.test('what is not over by the deadline is cut, settled and seen as broken', async (t) => {
  const { app, url, gate, provider } = await aGateway(t, { closeTimeoutMs: 30 })
  provider.behave = (entry) => entry.stream ? { fault: 'hang', after: 2 } : { fault: 'never' }
  const stream = open(url + CHAT, { headers: AUTH, body: STREAM })
  const [response] = await once(stream, 'response') as [IncomingMessage]
  const collected = collect(response)
  const waiting = ask(url + CHAT, { headers: AUTH, body: chat() })
  await once(provider.events, 'arrived')

  await app.close()

  t.notOk((await collected).whole)
  t.equal((await waiting).status, 502)
  t.equal(gate.calls.length, 2)
  for (const call of gate.calls) {
    t.match(call.ended, [{ ending: { outcome: 'upstream_broken', error: { message: 'the gateway is stopping' } } }])
  }
})

t.test('a call that is still being opened at the deadline never reaches the provider', async (t) => {
  const { app, url, gate, provider, exchanges } = await aGateway(t, {
    closeTimeoutMs: 20, server: { forceCloseConnections: 'idle' },
  })
  let openNow = (): void => {}
  gate.hold = new Promise((resolve) => { openNow = resolve })
  const waiting = ask(url + CHAT, { headers: AUTH, body: chat() })
  await once(gate.events, 'opening')
  const closed = app.close()
  while (!exchanges.closed) await setImmediate()
  openNow()

  t.equal((await waiting).status, 503)
  await closed
  t.match(gate.calls[0]?.ended, [{ how: 'released' }])
  t.equal(provider.books.length, 0)
})

t.test('new calls on a connection that is open are told that the gateway is stopping', async (t) => {
  const { app, port, gate, provider } = await aGateway(t, { closeTimeoutMs: 10_000 })
  provider.behave = () => ({ pieces: 30, gapMs: 10 })
  const body = STREAM
  const request = `POST ${CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  const busy = connect(port, '127.0.0.1')
  const other = connect(port, '127.0.0.1')
  await Promise.all([once(busy, 'connect'), once(other, 'connect')])
  busy.write(request)
  await untilMatch(busy, /data: /)

  const closed = app.close()
  other.write(request)
  const answer = await untilMatch(other, /shutting_down/)
  busy.destroy()
  other.destroy()
  await closed

  t.match(answer, /^HTTP\/1\.1 503 /)
  t.match(answer, /x-should-retry: true/)
  t.equal(gate.calls.length, 1)
})

t.test('an empty registry closes at once, and drains no more than it may', async (t) => {
  const exchanges = new Exchanges({ queueMs: 1000, stalledClientMs: 1000, drain: { ms: 1000, bytes: 1, calls: 2 } })
  t.ok(exchanges.startDrain())
  t.ok(exchanges.startDrain())
  t.notOk(exchanges.startDrain())
  exchanges.endDrain()
  t.ok(exchanges.startDrain())
  t.equal(await exchanges.close(60_000), 0)
  t.ok(exchanges.closed)
})
