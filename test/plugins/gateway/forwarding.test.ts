import { once } from 'node:events'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { behaviourHeader, startProvider } from '../../provider/provider.ts'
import { ask, json, rawly, untilMatch } from './clients.ts'
import { aGateway, AUTH, chat, COLD_KEY, KEY, PROVIDER_KEY } from './fakes.ts'

const MESSAGE = JSON.stringify({ model: 'claude-test', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] })

t.test('a call reaches the provider byte for byte, and its answer comes back so', async (t) => {
  const { url, gate, provider } = await aGateway(t)
  const body = '{ "model":"gpt-test",\n "n":1, "max_tokens": 5,"seed":12345678901234567890,"temperature":1.0,' +
    '"messages":[{"role":"user","content":"\\u00e4 ü 🙂"}], "user":"" }'

  const got = await ask(`${url}/openai/v1/chat/completions`, { headers: AUTH, body })
  const direct = await ask(`${provider.url}/v1/chat/completions`, { body })

  t.equal(got.status, 200)
  t.equal(Buffer.from(provider.books[0]?.body ?? '', 'base64').toString(), body)
  t.equal(got.body.toString().replaceAll('test0', 'test1'), direct.body.toString())
  t.equal(got.headers['content-length'], String(got.body.length))
  t.equal(got.headers['x-relaycore-call-id'], 'call-0')
  t.equal(got.headers['x-relaycore-budget-remaining'], '12.5')
  t.equal(got.headers['x-request-id'], 'req_chatcmpl-test0', 'the provider\'s own headers stay')
  t.match(gate.calls[0]?.ended, [{ how: 'settled', ending: { outcome: 'completed', status: 200, error: null } }])
  t.equal(gate.calls[0]?.ended.length, 1)
})

t.test('a stream passes unchanged, and its usage has been read by the end', async (t) => {
  const { url, gate, provider } = await aGateway(t)
  const body = chat({ stream: true, stream_options: { include_usage: true }, max_tokens: 50 })

  const got = await ask(`${url}/v1/chat/completions`, { headers: AUTH, body })
  const direct = await ask(`${provider.url}/v1/chat/completions`, { body })

  t.equal(got.body.toString().replaceAll('test0', 'test1'), direct.body.toString())
  t.match(gate.calls[0]?.ended[0], {
    ending: { outcome: 'completed', reading: { final: true, usage: { outputTokens: provider.books[0]?.usage?.output } } },
  })
})

t.test('usage that the client did not ask for is asked for upstream and taken out again', async (t) => {
  const { url, gate, provider } = await aGateway(t)
  const body = chat({ stream: true })

  const got = await ask(`${url}/v1/chat/completions`, { headers: AUTH, body })
  const direct = await ask(`${provider.url}/v1/chat/completions`, { body })

  t.match(Buffer.from(provider.books[0]?.body ?? '', 'base64').toString(), /"include_usage":true/)
  t.equal(got.body.toString().replaceAll('test0', 'test1'), direct.body.toString())
  t.match(gate.calls[0]?.ended[0], { ending: { reading: { final: true } } })
})

t.test('a filtered stream loses its length, and any other answer keeps it', async (t) => {
  const { url, provider } = await aGateway(t)
  const events = 'data: {"choices":[{"delta":{"content":"x"}}]}\n\ndata: {"choices":[],"usage":{"prompt_tokens":1,' +
    '"completion_tokens":1}}\n\ndata: [DONE]\n\n'
  const length = { 'content-length': String(events.length) }
  provider.behave = () => ({ body: events, headers: length })

  const filtered = await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: chat({ stream: true }) })
  const asked = chat({ stream: true, stream_options: { include_usage: true } })
  const plain = await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: asked })

  t.equal(filtered.headers['content-length'], undefined)
  t.ok(filtered.whole)
  t.notMatch(filtered.body.toString(), /usage/)
  t.match(plain.headers, length)
  t.equal(plain.body.toString(), events)
})

t.test('keys are taken from every place, and only the provider\'s goes upstream', async (t) => {
  const { url, provider } = await aGateway(t)
  const type = { 'content-type': 'application/json' }
  const places: [string, Record<string, string>][] = [
    ['', { authorization: `Bearer ${KEY}` }],
    ['', { authorization: `bearer ${KEY}` }],
    ['', { 'x-api-key': KEY }],
    ['', { 'api-key': KEY }],
    ['', { 'x-goog-api-key': KEY }],
    [`?key=${KEY}`, {}],
    [`?beta=true&%6bey=${KEY}&x=1`, {}],
    [`?key=${KEY}`, { authorization: `Bearer ${KEY}`, 'x-api-key': KEY }],
    ['', { authorization: `Bearer ${COLD_KEY}` }],
  ]
  for (const [query, headers] of places) {
    const got = await ask(`${url}/anthropic/v1/messages${query}`, { headers: { ...type, ...headers }, body: MESSAGE })
    const seen = provider.books.at(-1)
    t.equal(got.status, 200, query + JSON.stringify(headers))
    t.equal(seen?.headers['x-api-key'], PROVIDER_KEY)
    t.equal(seen?.headers.authorization, undefined)
    t.notMatch(JSON.stringify([seen?.headers, seen?.path]), new RegExp(`${KEY}|${COLD_KEY}`))
    t.notMatch(JSON.stringify(got.headers) + got.body.toString(), new RegExp(PROVIDER_KEY))
  }
  t.equal(provider.books[6]?.path, '/v1/messages?beta=true&x=1')
})

t.test('no key, a wrong key and several keys are refused before the body is read', async (t) => {
  const { url, gate, provider } = await aGateway(t)
  const key = { authorization: `Bearer ${KEY}` }
  for (const [headers, code] of [
    [{}, 'key_missing'],
    [{ authorization: 'Basic eDp5' }, 'key_missing'],
    [{ authorization: 'Bearer nonsense' }, 'key_invalid'],
    [{ ...key, 'x-api-key': 'another' }, 'key_invalid'],
  ] as [Record<string, string>, string][]) {
    const got = await ask(`${url}/openai/v1/chat/completions`, { headers, body: 'not even JSON' })
    t.equal(got.status, 401)
    t.match(json(got), { error: { relaycore: { code } } })
    t.equal(got.headers['x-should-retry'], 'false')
    t.match(got.headers['x-relaycore-call-id'], /^[0-9a-f-]{36}$/)
  }
  const message = await ask(`${url}/v1/messages`, { body: MESSAGE })
  t.match(json(message), { type: 'error', error: { type: 'authentication_error' } })
  t.equal(gate.refusals.length, 5, 'each is counted once')
  t.equal(gate.refusals[4]?.provider, 'anthropic')
  t.equal(provider.books.length, 0)
})

t.test('what belongs to the connection, the client or its identity stays behind', async (t) => {
  const { url, provider } = await aGateway(t)
  const headers = {
    ...AUTH,
    connection: 'close, x-hop',
    'x-hop': '1',
    te: 'trailers',
    'proxy-authorization': 'Basic x',
    cookie: 'session=1',
    'accept-encoding': 'gzip, br',
    'x-forwarded-for': '10.1.2.3',
    'x-relaycore-user': 'someone',
    'x-relaycore-tags': 'a=b',
    'x-stainless-lang': 'js',
    'openai-beta': 'assistants=v2',
    'user-agent': 'test/1',
  }
  provider.behave = () => ({
    headers: {
      connection: 'close, x-private',
      'x-private': '1',
      'set-cookie': 'session=1',
      'strict-transport-security': 'max-age=1',
      location: 'https://elsewhere.invalid/',
      'x-relaycore-cost': 'forged',
      'x-ratelimit-remaining-requests': '5',
    },
  })

  const got = await ask(`${url}/openai/v1/chat/completions?a=1&b=%2F`, { headers, body: chat() })

  const seen = provider.books[0]
  t.equal(seen?.path, '/v1/chat/completions?a=1&b=%2F')
  t.match(seen?.headers, {
    host: `127.0.0.1:${provider.port}`,
    authorization: `Bearer ${PROVIDER_KEY}`,
    'accept-encoding': 'identity',
    'content-type': 'application/json',
    'x-stainless-lang': 'js',
    'openai-beta': 'assistants=v2',
    'user-agent': 'test/1',
  })
  for (const name of ['x-hop', 'te', 'proxy-authorization', 'cookie', 'x-forwarded-for', 'x-relaycore-user',
    'x-relaycore-tags']) {
    t.equal(seen?.headers[name], undefined, name)
  }
  for (const name of ['x-private', 'set-cookie', 'strict-transport-security', 'location', 'x-relaycore-cost']) {
    t.equal(got.headers[name], undefined, name)
  }
  t.equal(got.headers['x-ratelimit-remaining-requests'], '5')
})

t.test('the provider\'s errors pass through untouched', async (t) => {
  const { url, gate, provider } = await aGateway(t)
  for (const status of [400, 401, 429, 500, 529]) {
    const headers = { ...AUTH, ...behaviourHeader({ status, headers: { 'retry-after': '7', 'x-should-retry': 'true' } }) }
    const got = await ask(`${url}/v1/messages`, { headers, body: MESSAGE })
    t.equal(got.status, status)
    t.match(got.headers, { 'retry-after': '7', 'x-should-retry': 'true' })
    t.match(json(got), { type: 'error', error: { message: `the test provider answers ${status}` } })
    t.match(gate.calls.at(-1)?.ended, [{ how: 'settled', ending: { outcome: 'upstream_error', status } }])
  }
  t.equal(provider.books.length, 5, 'none is repeated')
})

t.test('an answer that is compressed unasked passes unchanged and is metered', async (t) => {
  const { url, gate, provider } = await aGateway(t)
  provider.behave = () => ({ gzip: true, usage: { output: 7 } })

  const got = await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: chat() })

  t.equal(got.headers['content-encoding'], 'gzip')
  t.equal(got.body.subarray(0, 2).toString('hex'), '1f8b')
  t.match(gate.calls[0]?.ended[0], { ending: { reading: { usage: { outputTokens: 7 } } } })
})

t.test('bodies that cannot be checked are refused with what is wrong', async (t) => {
  const { url, port, gate, provider } = await aGateway(t, { limits: { bodyBytes: 1000 } })
  const cases: [string, Record<string, string>, string | Buffer | undefined, number, string][] = [
    ['no JSON', AUTH, '{"model":', 400, 'invalid_request'],
    ['no object', AUTH, '[]', 400, 'invalid_request'],
    ['empty', AUTH, '', 400, 'invalid_request'],
    ['none', { authorization: `Bearer ${KEY}` }, undefined, 400, 'invalid_request'],
    ['too large', AUTH, chat({ user: 'x'.repeat(1000) }), 413, 'body_too_large'],
    ['a form', { ...AUTH, 'content-type': 'multipart/form-data; boundary=x' }, '--x--', 415, 'unsupported_media_type'],
    ['text', { ...AUTH, 'content-type': 'text/plain' }, chat(), 415, 'unsupported_media_type'],
    ['no type', { authorization: `Bearer ${KEY}` }, chat(), 415, 'unsupported_media_type'],
    ['gzip', { ...AUTH, 'content-encoding': 'gzip' }, gzipSync(chat()), 415, 'unsupported_media_type'],
    ['UTF-16', { ...AUTH, 'content-type': 'application/json; charset=utf-16' }, chat(), 415, 'unsupported_media_type'],
  ]
  for (const [name, headers, body, status, code] of cases) {
    const got = await ask(`${url}/v1/chat/completions`, { headers, ...(body === undefined ? {} : { body }) })
    t.equal(got.status, status, name)
    t.match(json(got), { error: { relaycore: { code } } }, name)
  }
  const chunked = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n` +
    `content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n800\r\n${'x'.repeat(2048)}\r\n0\r\n\r\n`
  t.match(await rawly(port, chunked), /^HTTP\/1\.1 413 /, 'too large without saying so')
  t.match(gate.refusals.at(8)?.refusal.message, /gzip/)
  t.equal(gate.intakes.length + provider.books.length, 0)
})

t.test('a charset of UTF-8 is fine, and is not repeated upstream', async (t) => {
  const { url, provider } = await aGateway(t)
  for (const type of ['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"']) {
    const got = await ask(`${url}/v1/chat/completions`, { headers: { ...AUTH, 'content-type': type }, body: chat() })
    t.equal(got.status, 200, type)
    t.equal(provider.books.at(-1)?.headers['content-type'], 'application/json')
  }
})

t.test('uploads in chunks and with Expect: 100-continue arrive as what they are', async (t) => {
  const { port, provider } = await aGateway(t)
  const body = chat()
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n` +
    'content-type: application/json\r\nconnection: close\r\n'

  const half = body.length >> 1
  const pieces = [body.slice(0, half), body.slice(half)].map((text) => `${text.length.toString(16)}\r\n${text}\r\n`)
  t.match(await rawly(port, `${head}transfer-encoding: chunked\r\n\r\n${pieces.join('')}0\r\n\r\n`), /^HTTP\/1\.1 200 /)

  const socket = connect(port, '127.0.0.1')
  socket.write(`${head}content-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`)
  await untilMatch(socket, /100 Continue/)
  socket.write(body)
  t.match(await untilMatch(socket, /\r\n\r\n/), /^HTTP\/1\.1 200 /)
  socket.destroy()

  for (const entry of provider.books) {
    t.equal(Buffer.from(entry.body ?? '', 'base64').toString(), body)
    t.match(entry.headers, { 'content-length': String(body.length) })
    t.equal(entry.headers.expect, undefined)
  }
})

t.test('the models of the catalog are answered here, in the dialect of the path or of the client', async (t) => {
  const { url, provider } = await aGateway(t)
  const get = (path: string, headers: Record<string, string> = {}) =>
    ask(url + path, { method: 'GET', headers: { authorization: `Bearer ${KEY}`, ...headers } })

  t.match(json(await get('/openai/v1/models')), { object: 'list', data: [{ id: 'gpt-test' }, {}] })
  t.match(json(await get('/anthropic/v1/models')), { has_more: false, data: [{ id: 'claude-test' }] })
  t.match(json(await get('/v1/models')), { object: 'list' })
  t.match(json(await get('/v1/models', { 'anthropic-version': '2023-06-01' })), { has_more: false })
  t.match(json(await get('/v1/models/gpt-test')), { id: 'gpt-test', object: 'model' })
  t.match(json(await get('/v1/models/gpt%2Fwith%20slash')), { id: 'gpt/with slash' })
  t.match(json(await get('/anthropic/v1/models/claude-test?x=1')), { id: 'claude-test', type: 'model' })
  const missing = await get('/v1/models/nothing')
  t.equal(missing.status, 404)
  t.match(json(missing), { error: { code: 'model_not_found' } })
  const head = await ask(`${url}/v1/models`, { method: 'HEAD', headers: AUTH })
  t.equal(head.status, 200)
  t.equal(head.body.length, 0)
  t.equal((await ask(`${url}/v1/models`, { method: 'GET' })).status, 401)
  t.equal(provider.books.length, 0)
})

t.test('counting tokens is passed on with the credential, and nothing is held for it', async (t) => {
  const { url, gate, provider } = await aGateway(t)

  const got = await ask(`${url}/v1/messages/count_tokens?beta=true`, { headers: AUTH, body: MESSAGE })

  t.equal(got.status, 200)
  t.match(json(got), { input_tokens: Number })
  t.equal(provider.books[0]?.path, '/v1/messages/count_tokens?beta=true')
  t.equal(provider.books[0]?.headers['x-api-key'], PROVIDER_KEY)
  t.equal(Buffer.from(provider.books[0]?.body ?? '', 'base64').toString(), MESSAGE)
  t.equal(gate.intakes.length, 0)
})

t.test('a provider without a credential is named with the setting that it wants, and nothing stays held', async (t) => {
  const upstream = await startProvider()
  t.teardown(() => upstream.close())
  const { url, gate, provider } = await aGateway(t, {
    upstreams: {
      openai: { url: upstream.url, apiKey: null, settingName: 'RELAYCORE_OPENAI_API_KEY' },
      anthropic: { url: upstream.url, apiKey: null, settingName: 'RELAYCORE_ANTHROPIC_API_KEY' },
      demo: { url: upstream.url, apiKey: null, settingName: null },
    },
  })

  const call = await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: chat() })
  const count = await ask(`${url}/v1/messages/count_tokens`, { headers: AUTH, body: MESSAGE })
  const demo = await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: chat({ model: 'demo-small' }) })
  const demoCount = await ask(`${url}/v1/messages/count_tokens`, { headers: AUTH, body: '{"model":"demo-small"}' })

  t.equal(call.status, 503)
  t.match(json(call), { error: { message: /RELAYCORE_OPENAI_API_KEY/, code: 'provider_not_configured' } })
  t.equal(call.headers['x-relaycore-call-id'], 'call-0')
  t.match(gate.calls[0]?.ended, [{ how: 'released' }])
  t.match(json(count), { error: { message: /RELAYCORE_ANTHROPIC_API_KEY/ } })
  t.equal(demo.status, 200)
  t.equal(demoCount.status, 200)
  t.equal(upstream.books.length, 2)
  t.equal(upstream.books[0]?.headers.authorization, undefined)
  t.equal(provider.books.length, 0)
})

t.test('an upstream is meant with and without /v1, and with a path before it', async (t) => {
  const upstream = await startProvider()
  t.teardown(() => upstream.close())
  for (const [suffix, path] of [
    ['', '/v1/chat/completions'],
    ['/', '/v1/chat/completions'],
    ['/v1', '/v1/chat/completions'],
    ['/v1/', '/v1/chat/completions'],
    ['/team/a', '/team/a/v1/chat/completions'],
    ['/team/a/v1/', '/team/a/v1/chat/completions'],
  ] as const) {
    const openai = { url: upstream.url + suffix, apiKey: 'x', settingName: 'X' }
    const { url } = await aGateway(t, { upstreams: { openai } })
    await ask(`${url}/openai/v1/chat/completions`, { headers: AUTH, body: chat() })
    t.equal(upstream.books.at(-1)?.path, path, suffix)
  }
})

t.test('a refusal of the gate is answered in the dialect of the path and not counted twice', async (t) => {
  const { url, gate, provider } = await aGateway(t)
  gate.answer = { code: 'budget_exhausted', message: 'Budget team-a has no room.', retryable: false }

  const openai = await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: chat() })
  const anthropic = await ask(`${url}/v1/messages`, { headers: AUTH, body: MESSAGE })

  t.equal(openai.status, 429)
  t.match(json(openai), { error: { type: 'insufficient_quota', message: /team-a/ } })
  t.equal(openai.headers['x-should-retry'], 'false')
  t.equal(anthropic.status, 402)
  t.match(json(anthropic), { error: { type: 'billing_error' } })
  t.equal(gate.refusals.length, 0)
  t.equal(provider.books.length, 0)
})

t.test('an accident in the gate is a 500 in the dialect, without its details', async (t) => {
  const { url, gate } = await aGateway(t)
  gate.openThrows = true

  const opening = await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: chat() })
  const identifying = await ask(`${url}/v1/messages`, { headers: { 'x-api-key': 'rc-crash' }, body: MESSAGE })

  for (const got of [opening, identifying]) {
    t.equal(got.status, 500)
    t.notMatch(got.body.toString(), /broken/)
  }
  t.match(json(opening), { error: { type: 'server_error' } })
  t.match(json(identifying), { type: 'error', error: { type: 'api_error' } })
})

t.test('a header that is not ASCII arrives as it was sent', async (t) => {
  const { port, gate, provider } = await aGateway(t)
  const body = chat()
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\nconnection: close\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n`
  provider.behave = () => ({ headers: { 'x-answer': 'th\xe9' } })

  const answer = await rawly(port, Buffer.from(`${head}x-title: caf\xe9\r\n\r\n${body}`, 'latin1'))

  t.match(answer, /^HTTP\/1\.1 200 /)
  t.match(answer, /x-answer: th\xe9/)
  t.equal(provider.books[0]?.headers['x-title'], 'caf\xe9')
  t.equal(gate.calls[0]?.ended.length, 1)
})

t.test('connections are kept alive on both sides', async (t) => {
  const { port, provider } = await aGateway(t)
  const body = chat()
  const request = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  for (let i = 0; i < 3; i++) {
    socket.write(request)
    t.match(await untilMatch(socket, /"system_fingerprint":"fp_test"}/), /^HTTP\/1\.1 200 /)
  }
  socket.destroy()
  t.equal(provider.books.length, 3)
  t.equal(provider.connections(), 1)
})
