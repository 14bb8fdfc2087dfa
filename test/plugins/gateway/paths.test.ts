import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { ask, json, rawly, untilClosed, untilMatch } from './clients.ts'
import { frameworkErrors } from '../../../plugins/gateway/framework-errors.ts'
import { type UpstreamOptions } from '../../../plugins/gateway/upstream.ts'
import { providers } from '../../../src/providers/index.ts'
import { pathTemplate } from '../../../src/providers/paths.ts'
import { startProvider } from '../../provider/provider.ts'
import { aGateway, AUTH, chat, FakeGate, KEY, PROVIDER_KEY } from './fakes.ts'

// What stands between a client with a good key and a provider's other paths. Requests are written by hand, because
// every HTTP client tidies URLs up.
const SIDE_DOORS = [
  '/openai/v1', '/openai/v1/', '/openai/v1/responses/x', '/openai/v1/uploads', '/openai/v1/videos/generations',
  '/openai/v1/chat', '/openai/v1/chat/', '/openai/v1/chat/completions/', '/openai/v1/chat/completions/x',
  '/openai/v1//chat/completions', '/openai/v1/chat//completions', '//openai/v1/chat/completions',
  '/openai//v1/chat/completions', '/openai/v1/./chat/completions', '/openai/v1/chat/../chat/completions',
  '/openai/v1/chat/completions/../../responses', '/openai/v1/chat/completions/..%2f..%2fresponses',
  '/openai/v1/%2e%2e/v1/responses', '/openai/v1/%2E%2E/responses', '/openai/v1/..%5cresponses',
  '/openai/v1/..\\responses', '/openai/v1\\chat\\completions', '/openai/v1/chat%2fcompletions',
  '/openai/v1/chat%2Fcompletions', '/openai/v1/chat/completion%73', '/%6fpenai/v1/chat/completions',
  '/openai/v%31/chat/completions', '/openai/v1/Chat/Completions', '/OPENAI/v1/chat/completions',
  '/OpenAI/V1/chat/completions', '/openai/v1/chat/completions;x=1', '/openai/v1/chat/completions%00',
  '/openai/v1/chat/completions%20', '/openai/v1/chat/completions%3Fa=1', '/openai/v1/chat/completions%23',
  '/openai/v1/chat/completions#x', '/openai/v1/messages', '/anthropic/v1/chat/completions',
  '/anthropic/v1/messages/batches/', '/anthropic/v1/messages/', '/anthropic/v1/messages/count_tokens/',
  '/anthropic/v1/messages/../complete', '/v1/realtime', '/v1/messages/batches/x/y', '/v1/', '/v1//messages',
  '/v1/models/../messages/batches', '/v1/models/..%2fmessages', '/v1/models/x:batchGenerateContent', '/v1/uploads',
  '/v1/models/x:generateContent/', '/v1/models/x%3AgenerateContent', '/v1/models/a/b:generateContent', '/v1/models/..:generateContent',
  '/gemini/v1beta/models/x:GenerateContent', '/gemini/v1beta/cachedContents', '/gemini/v1beta/tunedModels/x:generateContent',
  '/v1beta/models/x%2f..%2fy:generateContent', '/v1beta/models/:generateContent', '/openai/v1/models/x:generateContent',
  'http://x/openai/v1/chat/completions', 'http://api.openai.com/v1/responses', '/openai/v1/http://evil.invalid/',
  '/openai/v1/%zz', '/openai/v1/chat/completions%', '/openai/v1/\xff', `/openai/v1/${'a'.repeat(3000)}`,
  '/openai/v1/@evil.invalid/chat/completions', '/openai/v1/.', '/openai/v1/..', '/openai/v1/%252e%252e/responses',
]

function request (method: string, path: string, body = chat()): Buffer {
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\nconnection: close\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`, 'latin1')
}

t.test('no spelling of a path opens a side door', async (t) => {
  const { port, gate, provider } = await aGateway(t)
  for (const path of SIDE_DOORS) {
    const answer = await rawly(port, request('POST', path))
    t.match(answer, /^HTTP\/1\.1 4\d\d /, path)
  }
  t.equal(gate.intakes.length, 0)
  t.equal(provider.books.length, 0)
  t.match(await rawly(port, request('POST', '/openai/v1/chat/completions')), /^HTTP\/1\.1 200 /, 'the front door opens')
})

t.test('nor does any other router setting of the app around it', async (t) => {
  const routerOptions = {
    caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, useSemicolonDelimiter: true,
  }
  const { port, gate, provider } = await aGateway(t, { server: { routerOptions } })
  for (const path of SIDE_DOORS) {
    t.match(await rawly(port, request('POST', path)), /^HTTP\/1\.1 4\d\d /, path)
  }
  t.equal(gate.intakes.length + provider.books.length, 0)
})

t.test('whatever the path, only a listed one goes upstream, and only as listed', async (t) => {
  const { port, provider } = await aGateway(t)
  const piece = fc.constantFrom('/', '..', '.', '%2e', '%2f', '\\', ';', '//', 'v1', 'chat', 'completions', 'messages',
    'responses', 'openai', 'anthropic', 'models', '?', '?key=x', '%', '#', 'V1', '@', ':', '%5c', '%00')
  const paths = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))
  const prefixes = fc.constantFrom('', '/openai/v1', '/anthropic/v1', '/v1', '/openai/v1/chat/completions', '/v1/messages')
  await fc.assert(fc.asyncProperty(prefixes, paths, async (prefix, path) => {
    await rawly(port, request('POST', `${prefix}${path}` || '/'))
  }), { numRuns: 150, examples: [['/openai/v1/chat/completions', ''], ['/v1/messages', '?key=x']] })
  t.ok(provider.books.length > 0)
  for (const { path } of provider.books) {
    t.match(path, /^\/v1\/(chat\/completions|completions|responses|messages|messages\/count_tokens)(\?|$)/)
  }
})

t.test('a refused path says what is there instead, in the dialect of the path', async (t) => {
  const { url, gate } = await aGateway(t)

  const openai = await ask(`${url}/openai/v1/uploads?key=${KEY}`, { body: '{}' })
  const anthropic = await ask(`${url}/anthropic/v1/messages/many`, { headers: AUTH, body: '{}' })
  const byHeader = await ask(`${url}/v1/complete`, { headers: { 'x-api-key': KEY }, body: '{}' })
  const method = await ask(`${url}/v1/chat/completions`, { method: 'GET', headers: AUTH })

  t.equal(openai.status, 403)
  t.equal(openai.headers['x-relaycore-call-id'], gate.refusals[0]?.refusal.callId, 'the log names it as the answer does')
  const { message } = json(openai)['error'] as { message: string }
  t.match(message, /^POST \/openai\/v1\/uploads is not available/)
  t.match(message, /POST \/openai\/v1\/chat\/completions/)
  t.notMatch(message, /messages/)
  t.notMatch(message, new RegExp(KEY))
  t.match(json(anthropic), { type: 'error', error: { type: 'permission_error', message: /\/anthropic\/v1\/messages/ } })
  t.match(json(byHeader), { type: 'error' })
  t.equal(method.status, 403)
  t.match(json(method), { error: { code: 'path_not_allowed' } })
  t.match(method.headers, { allow: 'POST, OPTIONS' })
  t.equal(gate.refusals.length, 4)
})

t.test('a model in the path goes upstream as it came, and no spelling of it leads elsewhere', async (t) => {
  const provider = await startProvider()
  t.teardown(() => provider.close())
  const upstreams = { azure: { url: provider.url, apiKey: PROVIDER_KEY, settingName: 'KEY' } }
  const { port, gate } = await aGateway(t, { upstreams })
  t.match(await rawly(port, request('POST', '/azure/openai/deployments/my.model%3A1/chat/completions?api-version=1')), /^HTTP\/1\.1 /)
  t.match(gate.intakes.map(({ target }) => target), [{ params: { model: 'my.model:1' }, search: '?api-version=1' }])
  t.equal(provider.books[0]?.path, '/openai/deployments/my.model%3A1/chat/completions?api-version=1')
  for (const model of ['..', '.', '%2e%2e', 'a%2F..%2Fb', 'a/b', '', 'a%00', 'a%20b', 'a;b']) {
    const answer = await rawly(port, request('POST', `/azure/openai/deployments/${model}/chat/completions`))
    t.match(answer, /^HTTP\/1\.1 4\d\d /, model)
  }
  t.equal(gate.intakes.length, 1)
})

t.test('other methods are refused on every path, and OPTIONS tells which there are', async (t) => {
  const { url, port, provider } = await aGateway(t)
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'PROPFIND', 'QUERY', 'TRACE']) {
    const answer = await rawly(port, request(method, '/openai/v1/chat/completions', ''))
    t.match(answer, /^HTTP\/1\.1 4\d\d /, method)
  }
  const options = await ask(`${url}/v1/messages`, { method: 'OPTIONS' })
  t.equal(options.status, 204)
  t.equal(options.headers.allow, 'POST, OPTIONS')
  t.equal((await ask(`${url}/v1/models/x`, { method: 'OPTIONS' })).headers.allow, 'GET, HEAD, OPTIONS')
  t.equal((await ask(`${url}/v1/realtime`, { method: 'OPTIONS' })).status, 403)
  t.match(await rawly(port, 'CONNECT api.openai.com:443 HTTP/1.1\r\nhost: x\r\n\r\n'), /^$|^HTTP\/1\.1 4/)
  t.equal(provider.books.length, 0)
})

t.test('WebSocket upgrades get 426 at once, on known and unknown paths, and the socket is closed', async (t) => {
  const { app, port, gate } = await aGateway(t)
  for (const path of ['/v1/embeddings', '/openai/v1/live/sessions?model=x', '/v1/chat/completions', '/anthropic/v1/nothing']) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
      'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n')
    const answer = await untilClosed(socket)
    t.match(answer, /^HTTP\/1\.1 426 Upgrade Required\r\n/, path)
    t.match(answer, /websocket_unsupported/)
  }
  t.equal(gate.refusals.length, 4)
  const open = await new Promise((resolve) => { app.server.getConnections((_error, count) => { resolve(count) }) })
  t.equal(open, 0)
})

t.test('two requests smuggled into one are two requests', async (t) => {
  const { port, provider } = await aGateway(t)
  const inner = 'POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'
  const both = 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer x\r\ncontent-length: 4\r\n' +
    `transfer-encoding: chunked\r\n\r\n0\r\n\r\n${inner}`
  const socket = connect(port, '127.0.0.1')
  socket.write(both)
  t.match(await untilMatch(socket, /\r\n/), /^HTTP\/1\.1 4/)
  socket.destroy()
  t.equal(provider.books.length, 0)
})

t.test('a malformed URL is refused in the dialect too, where the server lets the gateway say it', async (t) => {
  const gate = new FakeGate()
  const { port } = await aGateway(t, { gate, server: { frameworkErrors: frameworkErrors({ gate, providers }) } })

  const openai = await rawly(port, request('POST', '/openai/v1/%zz'))
  const anthropic = await rawly(port, request('POST', '/v1/%zz').toString().replace('authorization: Bearer', 'x-api-key:'))
  const elsewhere = await rawly(port, request('POST', '/other/%zz'))

  t.match(openai, /^HTTP\/1\.1 403 [^]*"error":{"message":"The URL is malformed/)
  t.match(anthropic, /^HTTP\/1\.1 403 [^]*"type":"error"/)
  t.match(elsewhere, /^HTTP\/1\.1 400 [^]*FST_ERR_BAD_URL/)
  t.equal(gate.refusals.length, 2)
})

t.test('a request that trickles in is ended by the server\'s limits and opens nothing', async (t) => {
  const http = { requestTimeout: 100, headersTimeout: 100, connectionsCheckingInterval: 30 }
  const { port, gate, provider } = await aGateway(t, { server: { http, requestTimeout: 100 } as object })
  const half = request('POST', '/openai/v1/chat/completions').subarray(0, -5)
  t.match(await rawly(port, half), /^HTTP\/1\.1 408 /)
  t.match(await rawly(port, half.subarray(0, 40)), /^HTTP\/1\.1 408 /)
  t.equal(gate.intakes.length + provider.books.length, 0)
})

t.test('below each provider an unlisted path is refused, and the refusal says how an operator allows it', async (t) => {
  const provider = await startProvider()
  t.teardown(() => provider.close())
  const { port, gate } = await aGateway(t, { upstreams: everywhere(provider.url) })
  for (const { name, base } of providers) {
    for (const path of [`/${name}${base}/nothing-yet`, `/${name}/v99/videos`]) {
      const answer = await rawly(port, request('POST', path))
      t.match(answer, /^HTTP\/1\.1 403 /, path)
      t.ok(answer.includes(`RELAYCORE_ALLOW_UNMETERED=\\"POST ${path}\\"`), path)
    }
  }
  const odd = await rawly(port, request('POST', '/groq/openai/v1/%2e%2e/x'))
  t.notMatch(odd, /RELAYCORE_ALLOW_UNMETERED/, 'nobody is told to allow what is no path')
  t.equal(gate.intakes.length + gate.calls.length, 0)
  t.equal(provider.books.length, 0)
})

t.test('below all providers no spelling of a path leads elsewhere than to a listed one', async (t) => {
  const provider = await startProvider()
  t.teardown(() => provider.close())
  const { port } = await aGateway(t, { upstreams: everywhere(provider.url) })
  const listed = providers.flatMap(({ name, endpoints }) =>
    endpoints.map(({ path }) => `/${name}${path.replace(/\{\w+\+?\}/g, 'm')}`))
  const templates = providers.flatMap(({ endpoints }) => endpoints.map(({ path }) => pathTemplate(path)))
  const twist = fc.constantFrom<(path: string) => string>(
    (path) => path, (path) => `${path}/`, (path) => `${path}/..`, (path) => `${path}%2f..%2fadmin`, (path) => `${path}?key=${KEY}`,
  (path) => `${path}?x=1&key=..`, (path) => `${path};a=b`, (path) => path.replace('/v', '//v'), (path) => path.replace(/[a-z]/g, (c) => c.toUpperCase()),
  (path) => path.replace(/\/([^/]*)$/, '/%2e%2e/$1'), (path) => path.replace(/\/([^/]*)$/, '/x/../$1'), (path) => `${path}%00`,
  (path) => path.replace(/[a-z]$/, (c) => `%${c.charCodeAt(0).toString(16)}`), (path) => `${path}#x`, (path) => `${path}\\..`,
  (path) => path.replace(/\//g, '%2F'), (path) => `/.${path}`, (path) => `http://evil.invalid${path}`
  )
  const paths = fc.tuple(fc.constantFrom(...listed), fc.array(twist, { minLength: 1, maxLength: 3 }))
    .map(([path, twists]) => twists.reduce((twisted, one) => one(twisted), path))
  await fc.assert(fc.asyncProperty(paths, async (path) => { await rawly(port, request('POST', path)) }), { numRuns: 150 })
  for (const { path } of provider.books) {
    const [bare = ''] = path.split('?')
    t.ok(templates.some((template) => template.match(bare) !== null), path)
    t.notMatch(path, /\.\.|%2e|%2f|\/\/|key=/i, path)
  }
})

/** every provider at the one that keeps books */
function everywhere (url: string): Record<string, UpstreamOptions> {
  return Object.fromEntries(providers.map(({ name }) => [name, { url, apiKey: PROVIDER_KEY, settingName: 'KEY' }]))
}
