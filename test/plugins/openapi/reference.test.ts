import Fastify from 'fastify'
import swagger from '@fastify/swagger'
import t from 'tap'
import { ADMIN_CODES, REFUSAL_CODES } from '../../../src/error-codes.ts'
import { relaycore } from '../../../src/index.ts'
import { ADMIN, aGateway, type Json } from '../../e2e/gateway.ts'

/** what an address within a page's text leads to elsewhere; names of XML vocabularies are not loaded */
const ELSEWHERE = /(?:https?:)?\/\/(?!www\.w3\.org\/)[a-z0-9-]+\.[a-z]/i

t.test('the reference page, all that it loads, and the description come from the gateway alone', async (t) => {
  const { url } = await aGateway(t)
  const page = await fetch(`${url}/docs`)
  t.equal(page.status, 200)
  const html = await page.text()
  t.match(html, /<title>RelayCore API<\/title>/)
  t.notMatch(html, ELSEWHERE)
  const assets = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => new URL(path, `${url}/docs`).href)
  t.ok(assets.length >= 6, assets.join())
  for (const asset of assets) {
    t.ok(asset.startsWith(`${url}/docs/static/`), asset)
    const answer = await fetch(asset)
    t.equal(answer.status, 200, asset)
    t.match(answer.headers.get('content-security-policy'), /default-src 'none'/, asset)
    const text = (await answer.text()).replace(/^\s*\/\/ .*$/gm, '')
    t.ok(text.length > 100, asset)
    if (!asset.endsWith('-bundle.js') && !asset.endsWith('-preset.js')) t.notMatch(text, ELSEWHERE, asset)
  }
  const policy = page.headers.get('content-security-policy') ?? ''
  for (const rule of policy.split(';').filter((one) => one.trim() !== '')) {
    t.match(rule.trim(), /^[a-z-]+( '(self|none|unsafe-inline)'| data:)+$/, rule)
  }
  t.match(policy, /script-src 'self';/, 'no script but the page\'s own files')
  t.match(policy, /connect-src 'self';/)
  t.same(await (await fetch(`${url}/docs/json`)).json(), await (await fetch(`${url}/api/v1/openapi.json`)).json())
})

t.test('the type of a problem leads to what its code means', async (t) => {
  const { url, admin } = await aGateway(t)
  const { body } = await admin('GET', '/budgets/none')
  const where = new URL(String(body['type']), url)
  t.equal(where.hash, '#not_found')
  const page = await fetch(where)
  t.equal(page.status, 200)
  t.match(page.headers.get('content-security-policy'), /default-src 'none'/)
  const html = await page.text()
  t.notMatch(html, ELSEWHERE)
  for (const code of Object.keys(ADMIN_CODES)) t.ok(html.includes(`id="${code}"`), code)
  for (const code of Object.keys(REFUSAL_CODES)) t.ok(html.includes(`id="call-${code}"`), code)
})

t.test('what the page tries out goes to the routes that it describes, with the token that was typed in', async (t) => {
  const { url } = await aGateway(t)
  const description = await (await fetch(`${url}/docs/json`)).json() as Json
  t.match(description, { security: [{ adminToken: [] }], components: { securitySchemes: { adminToken: { scheme: 'bearer' } } } })
  const [server] = description['servers'] as { url: string }[]
  const answer = await fetch(new URL(`${server?.url}/budgets`, url), { headers: { authorization: `Bearer ${ADMIN}` } })
  t.match(await answer.json(), { count: 0 })
})

t.test('an app with a description, a JSON parser and error pages of its own keeps them, and so does the gateway', async (t) => {
  const { core } = await aGateway(t)
  const host = Fastify()
  t.teardown(() => host.close())
  await host.register(swagger, { openapi: { openapi: '3.0.0', info: { title: 'Host', version: '9' } } })
  host.removeContentTypeParser('application/json')
  host.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => { done(null, { raw: body }) })
  host.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) => { done(null, { csv: body }) })
  await host.register(relaycore, { core, prefix: '/ai' })
  host.get('/openapi.json', { schema: { hide: true } }, async () => host.swagger())
  host.post('/own', async ({ body }) => ({ got: body }))
  const address = await host.listen({ host: '127.0.0.1', port: 0 })

  const json = { 'content-type': 'application/json', authorization: `Bearer ${ADMIN}` }
  const own = await fetch(`${address}/own`, { method: 'POST', headers: json, body: '{"a":1}' })
  t.same(await own.json(), { got: { raw: '{"a":1}' } })
  t.match(await (await fetch(`${address}/openapi.json`)).json(), { openapi: '3.0.0', info: { title: 'Host' } })

  const described = await (await fetch(`${address}/ai/docs/json`)).json() as Json
  t.match(described, { openapi: '3.1.0', info: { title: 'RelayCore Budget Gateway' }, servers: [{ url: '/ai/api/v1' }] })
  const { paths } = await (await fetch(`${address}/ai/api/v1/openapi.json`)).json() as { paths: Json }
  t.ok('/budgets/{id}' in paths)
  t.notOk('/own' in paths)
  const page = await (await fetch(`${address}/ai/docs`)).text()
  for (const [, path = ''] of page.matchAll(/src="([^"]+)"/g)) {
    const file = await fetch(new URL(path, `${address}/ai/docs`))
    t.equal(file.status, 200, path)
    await file.arrayBuffer()
  }
  const body = JSON.stringify({ name: 'b', scopeType: 'user', scopeId: 'u', amount: 1, currency: 'USD', period: 'daily' })
  const made = await fetch(`${address}/ai/api/v1/budgets`, { method: 'POST', headers: json, body })
  t.equal(made.status, 201)
  const csv = await fetch(`${address}/ai/api/v1/budgets`, { method: 'POST', headers: { ...json, 'content-type': 'text/csv' }, body })
  const problem = await csv.json() as Json
  t.match(problem, { status: 415, code: 'unsupported_media_type' })
  t.equal((await fetch(new URL(String(problem['type']), address))).status, 200, 'found under the prefix too')
})
