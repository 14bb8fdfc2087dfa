import Fastify from 'fastify'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { type AddressInfo } from 'node:net'
import t from 'tap'
import gateway from '../../../plugins/gateway/gateway.ts'
import { providers } from '../../../src/providers/index.ts'
import { startProvider } from '../../provider/provider.ts'
import { ask, json } from './clients.ts'
import { aGateway, AUTH, chat, FakeGate, KEY, PROVIDER_KEY } from './fakes.ts'

t.test('it lives in somebody else\'s app, below a prefix, and leaves that app as it is', async (t) => {
  const provider = await startProvider()
  t.teardown(() => provider.close())
  const gate = new FakeGate()
  const app = Fastify({ bodyLimit: 100, forceCloseConnections: true })
  t.teardown(() => app.close())
  app.addHook('onRequest', async (_request, reply) => { reply.header('x-host-app', 'yes') })
  app.setErrorHandler((error, _request, reply) => reply.code(418).send({ host: String(error) }))
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ host: 'nothing here' }))
  app.post('/echo', async (request) => ({ body: request.body }))
  await app.register(gateway, {
    prefix: '/ai',
    gate,
    providers,
    upstreams: { openai: { url: provider.url, apiKey: PROVIDER_KEY, settingName: 'X' } },
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const type = { 'content-type': 'application/json' }

  const call = await ask(`${url}/ai/openai/v1/chat/completions`, { headers: AUTH, body: chat({ user: 'x'.repeat(200) }) })
  t.equal(call.status, 200, 'its own body limit holds, not the app\'s')
  t.equal(call.headers['x-host-app'], 'yes', 'what the app sets on answers stays on them')
  t.equal(provider.books[0]?.path, '/v1/chat/completions')
  const models = await ask(`${url}/ai/v1/models`, { method: 'GET', headers: AUTH })
  t.equal(models.status, 200)
  const refused = await ask(`${url}/ai/v1/videos`, { headers: AUTH, body: '{}' })
  t.match(json(refused), { error: { code: 'path_not_allowed', message: /POST \/ai\/v1\/videos/ } })

  t.match(json(await ask(`${url}/echo`, { headers: type, body: '{"a":1}' })), { body: { a: 1 } })
  t.match(json(await ask(`${url}/echo`, { headers: type, body: '{' })), { host: /JSON/ })
  t.match(json(await ask(`${url}/echo`, { headers: type, body: `"${'x'.repeat(200)}"` })), { host: /too large/ })
  t.match(json(await ask(`${url}/elsewhere`, { headers: type, body: '{}' })), { host: 'nothing here' })
  t.match(json(await ask(`${url}/v1/chat/completions`, { headers: AUTH, body: '{}' })), { host: 'nothing here' })
  t.equal(gate.refusals.length, 1)
})

t.test('no key is in the logs, wherever it was sent', async (t) => {
  const lines: string[] = []
  const stream = { write: (line: string) => { lines.push(line) } }
  const { url, provider } = await aGateway(t, { server: { logger: { level: 'trace', stream } } })
  const body = chat({ messages: [{ role: 'user', content: 'a secret prompt' }] })
  const type = { 'content-type': 'application/json' }
  await ask(`${url}/v1/chat/completions?key=${KEY}`, { headers: type, body })
  await ask(`${url}/v1/chat/completions`, { headers: AUTH, body })
  await ask(`${url}/v1/nothing?key=${KEY}`, { headers: type, body })
  provider.behave = () => ({ fault: 'reset' })
  await ask(`${url}/v1/chat/completions?key=${KEY}`, { headers: type, body })

  t.ok(lines.some((line) => line.includes('/v1/chat/completions')), 'requests are logged')
  for (const secret of [KEY, PROVIDER_KEY, 'a secret prompt']) t.notMatch(lines.join(''), new RegExp(secret))
})

t.test('a provider\'s certificate is verified, also against the environment; a CA of its own can be given', async (t) => {
  const fixture = (name: string): string => readFileSync(`test/fixtures/tls/${name}`, 'utf8')
  const [key, cert] = [fixture('self-signed-key.pem'), fixture('self-signed-cert.pem')]
  let asked = 0
  const server = createServer({ key, cert }, (request, response) => {
    asked++
    request.resume()
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"over TLS"}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const upstream = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, apiKey: PROVIDER_KEY, settingName: 'X',
  }
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  t.teardown(() => { delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'] })

  const wary = await aGateway(t, { upstreams: { openai: upstream } })
  const refused = await ask(`${wary.url}/v1/chat/completions`, { headers: AUTH, body: chat() })
  const trusting = await aGateway(t, { upstreams: { openai: { ...upstream, ca: cert } } })
  const accepted = await ask(`${trusting.url}/v1/chat/completions`, { headers: AUTH, body: chat() })

  t.equal(refused.status, 502)
  t.match(wary.gate.calls[0]?.ended, [{ how: 'released' }])
  t.equal(accepted.status, 200)
  t.match(json(accepted), { id: 'over TLS' })
  t.equal(asked, 1, 'the one that was not trusted never saw a request')
})

t.test('a credential that cannot be a header stops the start without being shown', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const openai = { url: 'http://127.0.0.1:1', apiKey: 'sk-secret\n', settingName: 'X' }
  const registered = async (): Promise<void> => {
    await app.register(gateway, { gate: new FakeGate(), providers, upstreams: { openai } })
  }
  const error = await registered().then(() => null, (thrown: unknown) => thrown)
  t.match(error, { code: 'ERR_INVALID_CHAR' })
  t.notMatch(String(error), /sk-secret/)
})
