import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { ask, rawly } from './clients.ts'
import { aGateway, AUTH, type BenchOptions, chat, FakeGate, KEY, PROVIDER_KEY } from './fakes.ts'

/**
 * Requests and answers that two readers of HTTP read in two ways, by hand and against the real server: whatever a
 * client writes, a provider sees the calls that the gate has seen and no byte more; whatever a provider writes, each
 * client hears the answer to its own call, or that there is none.
 */
const USAGE = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
const ANSWER = JSON.stringify({ id: 'one', model: 'gpt-test', choices: [], usage: USAGE })
const head = (more = '', length = ANSWER.length) =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n${more}\r\n`

interface Seen { head: string, body: string }

/** a provider that keeps each byte, and writes what it is told to */
async function aRawProvider (t: Test, answer: (nth: number) => string = () => head() + ANSWER) {
  const seen: Seen[] = []
  const sockets = new Set<Socket>()
  const provider = { seen, url: '', answer, connections: 0, rest: [] as string[] }
  const server = createServer((socket) => {
    provider.connections++
    sockets.add(socket)
    let text = ''
    socket.on('error', () => {})
    socket.on('close', () => { if (text !== '') provider.rest.push(text) })
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      for (;;) {
        const end = text.indexOf('\r\n\r\n')
        if (end === -1) return
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
        if (text.length < end + 4 + length) return
        seen.push({ head: text.slice(0, end), body: text.slice(end + 4, end + 4 + length) })
        text = text.slice(end + 4 + length)
        socket.write(provider.answer(seen.length))
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  provider.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return provider
}

async function aBench (t: Test, answer?: (nth: number) => string, options: BenchOptions = {}) {
  const provider = await aRawProvider(t, answer)
  const gate = new FakeGate()
  const upstreams = { openai: { url: provider.url, apiKey: PROVIDER_KEY, settingName: 'KEY' } }
  const http = { requestTimeout: 500, headersTimeout: 400, connectionsCheckingInterval: 50 }
  const server = { http, requestTimeout: 500, keepAliveTimeout: 300 } as object
  const bench = await aGateway(t, { upstreams, gate, server, ...options })
  return { ...bench, gate, raw: provider }
}

const BODY = chat()
const START = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\n`
const INNER_BODY = chat({ model: 'gpt-smuggled' })
/** without a key of its own: on its own it is refused */
const INNER = 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n' +
  `content-length: ${INNER_BODY.length}\r\n\r\n${INNER_BODY}`
const chunked = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`
const LENGTH = `content-length: ${BODY.length}\r\n`
const TE = 'transfer-encoding: chunked\r\n'

const AMBIGUOUS: [string, string][] = [
  ['a length and chunks', `${START}${LENGTH}${TE}\r\n${chunked(BODY)}${INNER}`],
  ['chunks and a length', `${START}${TE}content-length: 4\r\n\r\n${chunked(BODY)}${INNER}`],
  ['a length of nothing and chunks', `${START}content-length: 0\r\n${TE}\r\n${chunked(BODY)}${INNER}`],
  ['two lengths', `${START}content-length: 0\r\n${LENGTH}\r\n${BODY}${INNER}`],
  ['one length twice', `${START}${LENGTH}${LENGTH}\r\n${BODY}${INNER}`],
  ['a list of lengths', `${START}content-length: ${BODY.length}, ${BODY.length}\r\n\r\n${BODY}${INNER}`],
  ['a length with a sign', `${START}content-length: +${BODY.length}\r\n\r\n${BODY}${INNER}`],
  ['a hexadecimal length', `${START}content-length: 0x${BODY.length.toString(16)}\r\n\r\n${BODY}${INNER}`],
  ['a length past all numbers', `${START}content-length: 18446744073709551617\r\n\r\n${BODY}${INNER}`],
  ['a blank before the colon of a length', `${START}content-length : ${BODY.length}\r\n\r\n${BODY}${INNER}`],
  ['a blank before the colon of an encoding', `${START}transfer-encoding : chunked\r\n\r\n${chunked(BODY)}${INNER}`],
  ['an unknown encoding', `${START}transfer-encoding: xchunked\r\n\r\n${chunked(BODY)}${INNER}`],
  ['an encoding behind chunks', `${START}transfer-encoding: chunked, identity\r\n\r\n${chunked(BODY)}${INNER}`],
  ['an encoding twice', `${START}${TE}transfer-encoding: identity\r\n\r\n${chunked(BODY)}${INNER}`],
  ['gzip before chunks', `${START}transfer-encoding: gzip, chunked\r\n\r\n${chunked(BODY)}${INNER}`],
  ['an encoding with a vertical tab', `${START}transfer-encoding: \x0bchunked\r\n\r\n${chunked(BODY)}${INNER}`],
  ['an encoding that is nearly one', `${START}transfer_encoding: chunked\r\n\r\n${chunked(BODY)}${INNER}`],
  ['an encoding on a folded line', `${START}transfer-encoding:\r\n chunked\r\n\r\n${chunked(BODY)}${INNER}`],
  ['a folded line', `${START}x-note: a\r\n b\r\n${LENGTH}\r\n${BODY}${INNER}`],
  ['a folded length', `${START}content-length:\r\n ${BODY.length}\r\n\r\n${BODY}${INNER}`],
  ['line feeds alone', `${START}${LENGTH}\r\n${BODY}${INNER}`.replaceAll('\r\n', '\n')],
  ['one line feed alone', `${START}x-a: b\n${LENGTH}\r\n${BODY}${INNER}`],
  ['a carriage return alone', `${START}x-a: b\rx-c: d\r\n${LENGTH}\r\n${BODY}${INNER}`],
  ['a header that ends in a bare carriage return', `${START}x-a: b\r\r\n${LENGTH}\r\n${BODY}${INNER}`],
  ['a null in a value', `${START}x-a: b\0c\r\n${LENGTH}\r\n${BODY}${INNER}`],
  ['a null in a name', `${START}x-a\0b: c\r\n${LENGTH}\r\n${BODY}${INNER}`],
  ['a name that is none', `${START}x a: b\r\n${LENGTH}\r\n${BODY}${INNER}`],
  ['a header without a name', `${START}: b\r\n${LENGTH}\r\n${BODY}${INNER}`],
  ['a header without a colon', `${START}xab\r\n${LENGTH}\r\n${BODY}${INNER}`],
  ['an extension of a chunk', `${START}${TE}\r\n${BODY.length.toString(16)};a=b\r\n${BODY}\r\n0\r\n\r\n${INNER}`],
  ['an extension with a line feed', `${START}${TE}\r\n${BODY.length.toString(16)};a=b\n${BODY}\r\n0\r\n\r\n${INNER}`],
  ['an endless extension', `${START}${TE}\r\n${BODY.length.toString(16)};${'a'.repeat(20_000)}\r\n${BODY}\r\n0\r\n\r\n${INNER}`],
  ['a chunk size past all numbers', `${START}${TE}\r\n10000000000000000${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n${INNER}`],
  ['a chunk size with a sign', `${START}${TE}\r\n+${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n${INNER}`],
  ['a chunk size with 0x', `${START}${TE}\r\n0x${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n${INNER}`],
  ['a chunk that is longer than it says', `${START}${TE}\r\n5\r\n${BODY}\r\n0\r\n\r\n${INNER}`],
  ['chunks with line feeds alone', `${START}${TE}\r\n${chunked(BODY).replaceAll('\r\n', '\n')}${INNER}`],
  ['a trailer', `${START}${TE}trailer: x-relaycore-user\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\nx-relaycore-user: root\r\nauthorization: Bearer other\r\n\r\n${INNER}`],
  ['chunks in HTTP/1.0', `${START}${TE}\r\n${chunked(BODY)}${INNER}`.replace('HTTP/1.1', 'HTTP/1.0')],
  ['a body that is a request', `${START}content-length: ${INNER.length}\r\n\r\n${INNER}`],
  ['a body of GET', `GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-length: ${INNER.length}\r\n\r\n${INNER}`],
  ['a body that nobody announced', `${START}\r\n${INNER}`],
  ['two hosts', `${START}host: evil.invalid\r\n${LENGTH}\r\n${BODY}${INNER}`],
  ['no host', `${START.replace('host: x\r\n', '')}${LENGTH}\r\n${BODY}${INNER}`],
  ['a host of another', `${START.replace('host: x', 'host: evil.invalid:1\r\nx-forwarded-host: evil.invalid')}${LENGTH}\r\n${BODY}${INNER}`],
  ['an upgrade to HTTP/2', `${START}connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n${LENGTH}\r\n${BODY}${INNER}`],
  ['the preface of HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${START}${LENGTH}\r\n${BODY}`],
  ['an empty line before', `\r\n\r\n${START}${LENGTH}\r\n${BODY}${INNER}`],
  ['blanks before', ` ${START}${LENGTH}\r\n${BODY}${INNER}`],
  ['tabs in the request line', `${START.replaceAll(' /v1/chat/completions ', '\t/v1/chat/completions\t')}${LENGTH}\r\n${BODY}${INNER}`],
  ['a request in the path', `${START.replace('completions', 'completions%20HTTP/1.1%0d%0ax:%20y')}${LENGTH}\r\n${BODY}${INNER}`],
  ['a request in the query', `${START.replace('completions', 'completions?a=%20HTTP/1.1%0d%0ahost:%20y%0d%0a%0d%0a')}${LENGTH}\r\n${BODY}${INNER}`],
  ['an absolute target', `${START.replace('/v1/chat', 'http://evil.invalid/v1/chat')}${LENGTH}\r\n${BODY}${INNER}`],
  ['a proxy\'s method', `CONNECT evil.invalid:443 HTTP/1.1\r\nhost: evil.invalid\r\nauthorization: Bearer ${KEY}\r\n\r\n${INNER}`],
]

t.test('however a request is written, a provider sees the calls that were let through and not a byte more', async (t) => {
  const { port, gate, raw } = await aBench(t)
  t.jobs = 8
  let answered = 0
  await Promise.all(AMBIGUOUS.map(async ([name, text]) => {
    const answer = await rawly(port, Buffer.from(text, 'latin1'))
    for (const [, status] of answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
      answered++
      t.notMatch(status, /^5/, `${name}: ${answer.slice(0, 300)}`)
    }
  }))
  t.ok(answered > AMBIGUOUS.length / 2)
  t.same(raw.rest, [], 'nothing is begun and not finished')
  t.equal(raw.seen.length, gate.calls.length)
  const held = gate.calls.map(({ body }) => body.toString('latin1')).sort()
  t.same(raw.seen.map(({ body }) => body).sort(), held, 'the bodies are those that were held for')
  for (const { head, body } of raw.seen) {
    t.match(head, /^POST \/v1\/chat\/completions(\?\S*)? HTTP\/1\.1\r\n/)
    t.same([...head.matchAll(/\r\ncontent-length: (\d+)/gi)].map(([, length]) => length), [String(body.length)], 'one length')
    t.notMatch(head, /transfer-encoding|evil|http2|x-relaycore|\r(?!\n)|[^\r]\n|gpt-smuggled/i)
    t.notMatch(head, KEY)
    t.equal([...head.matchAll(/\r\nauthorization: /gi)].length, 1)
    t.match(head, `\r\nauthorization: Bearer ${PROVIDER_KEY}`)
    t.notMatch(body, 'gpt-smuggled')
  }
})

t.test('a provider\'s headers that would be two are none, and those of its connection stay there', async (t) => {
  const { url, port, raw } = await aBench(t)
  raw.answer = () => head('connection: keep-alive, X-Secret , set-cookie\r\nx-secret: s\r\nkeep-alive: timeout=5\r\nset-cookie: a=b\r\n' +
    'location: http://evil.invalid/\r\ntrailer: x-late\r\nproxy-authenticate: Basic\r\nx-kept: yes\r\nx-high: \xe4\xff\r\n') + ANSWER
  const got = await ask(`${url}/v1/chat/completions`, { headers: { ...AUTH, connection: 'close, x-own, authorization', 'x-own': '1' }, body: BODY })
  t.equal(got.status, 200)
  t.match(got.headers, { 'x-kept': 'yes', 'x-relaycore-call-id': 'call-0' })
  for (const name of ['x-secret', 'set-cookie', 'location', 'trailer', 'proxy-authenticate', 'keep-alive']) {
    t.equal(name === 'keep-alive' ? undefined : got.headers[name], undefined, name)
  }
  t.notMatch(raw.seen[0]?.head, /x-own/i, 'named by the client as its connection\'s')
  t.match(raw.seen[0]?.head, /\r\nauthorization: Bearer/, 'but a credential cannot be named away')

  for (const more of ['x-a: b\rset-cookie: c=d\r\n', 'x-a: b\0\r\n', 'x a: b\r\n', ': b\r\n', 'x-a: b\r\n c\r\n', 'x-a: b\nset-cookie: c=d\r\n']) {
    raw.answer = () => head(more) + ANSWER
    const text = await rawly(port, `${START}${LENGTH}connection: close\r\n\r\n${BODY}`)
    t.match(text, /^HTTP\/1\.1 (200|502) /, JSON.stringify(more))
    t.notMatch(text, /[^\r]\n|\r[^\n]|\0|\r\nset-cookie/i, JSON.stringify(more))
  }
})

t.test('an answer that two readers read in two ways ends its connection, and is no other call\'s', async (t) => {
  const poison = JSON.stringify({ poisoned: true })
  const second = head('', poison.length) + poison
  const twisted: [string, string][] = [
    ['two answers', head() + ANSWER + second],
    ['a length and chunks', `${head('transfer-encoding: chunked\r\n')}${chunked(ANSWER)}${second}`],
    ['two lengths', `${head('content-length: 5\r\n')}${ANSWER}${second}`],
    ['a length that is too short', head('', 10) + ANSWER + second],
    ['no body, and one all the same', `HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello${second}`],
    ['another protocol', `HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n${second}`],
    ['a status below all', `HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n${second}`],
    ['a status above all', `HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n${second}`],
    ['no status', `HTTP/1.1 OK\r\n\r\n${second}`],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['a trailer', `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${ANSWER.length.toString(16)}\r\n${ANSWER}\r\n0\r\nset-cookie: a=b\r\n\r\n`],
    ['a header past all sizes', head(`x-long: ${'x'.repeat(40_000)}\r\n`) + ANSWER],
    ['ten thousand headers', head('x-a: b\r\n'.repeat(10_000)) + ANSWER],
    ['many hints before', 'HTTP/1.1 103 Early Hints\r\nlink: </evil>\r\n\r\n'.repeat(1_000) + head() + ANSWER],
  ]
  const { url, raw, gate } = await aBench(t, undefined, { limits: { headersTimeoutMs: 2_000, connections: 1 } })
  for (const [name, text] of twisted) {
    raw.answer = () => text
    const first = await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: BODY }).catch((error: unknown) => String(error))
    raw.answer = () => head() + ANSWER
    const next = await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: BODY })
    if (typeof first !== 'string') {
      t.notMatch(first.body.toString(), /poisoned/, name)
      t.notMatch(first.headers, { 'set-cookie': /./ }, name)
    }
    t.equal(next.status, 200, name)
    t.equal(next.body.toString(), ANSWER, `after ${name} the next call hears its own answer`)
  }
  await gate.ended(twisted.length * 2)
  t.ok(gate.calls.every(({ ended }) => ended.length === 1), 'each call ends once')
})

t.test('redirects of a provider lead nobody anywhere', async (t) => {
  const elsewhere = createServer((socket) => { t.fail('somebody came'); socket.destroy() }).listen(0, '127.0.0.1')
  await once(elsewhere, 'listening')
  t.teardown(() => elsewhere.close())
  const { url, raw } = await aBench(t)
  const to = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/latest/meta-data`
  for (const status of [301, 302, 303, 307, 308]) {
    raw.answer = () => `HTTP/1.1 ${status} Moved\r\nlocation: ${to}\r\nrefresh: 0; url=${to}\r\ncontent-length: 2\r\n\r\n{}`
    const got = await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: BODY })
    t.equal(got.status, status)
    t.equal(got.headers.location ?? got.headers['refresh'], undefined)
  }
})

t.test('what a provider sends is no page of the gateway\'s, and opens it to no other page', async (t) => {
  const { url, raw } = await aBench(t)
  const call = async () => await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: BODY })
  raw.answer = () => head('access-control-allow-origin: *\r\naccess-control-allow-credentials: true\r\nclear-site-data: "*"\r\n') + ANSWER
  const json = await call()
  t.equal(json.headers['x-content-type-options'], 'nosniff')
  for (const name in json.headers) t.notMatch(name, /^(access-control|clear-site|content-security)/)
  const script = '<script>alert(1)</script>'
  for (const type of ['text/html', 'image/svg+xml', 'TEXT/HTML; charset=utf-8', 'application/xhtml+xml', '']) {
    raw.answer = () => `HTTP/1.1 200 OK\r\n${type === '' ? '' : `content-type: ${type}\r\n`}content-length: ${script.length}\r\n` +
      `content-security-policy: script-src *\r\n\r\n${script}`
    const page = await call()
    t.equal(page.body.toString(), script)
    t.match(page.headers, { 'x-content-type-options': 'nosniff', 'content-security-policy': /^sandbox; default-src 'none'/ }, type)
  }
  const refused = await ask(`${url}/v1/nowhere/<script>`, { headers: AUTH, body: '{}' })
  t.match(refused.headers, { 'x-content-type-options': 'nosniff', 'content-type': /^application\/json/ })
})

t.test('a connection of a client that is cut in the middle of a request leaves nothing half sent', async (t) => {
  const { port, gate, raw } = await aBench(t)
  for (const part of [1, 40, START.length, START.length + LENGTH.length + 10]) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.end(`${START}${LENGTH}\r\n${BODY}`.slice(0, part))
    await once(socket.resume(), 'close')
  }
  t.equal(gate.intakes.length + raw.seen.length + raw.rest.length, 0)
})
