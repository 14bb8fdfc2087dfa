import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config.ts'
import { startServer } from '../../src/server.ts'
import { aDatabase } from '../stores/postgres/database.ts'

async function anEnvironment (t: Test): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-admin-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  return { RELAYCORE_DATA_DIR: folder, DATABASE_URL: await aDatabase(t), PORT: '0', RELAYCORE_LOG_LEVEL: 'silent' }
}

function fatal (error: Error): void { throw error }

t.test('with an admin port, administration is there and not on the port of calls; health is on both', async (t) => {
  const env = await anEnvironment(t)
  const said: string[] = []
  const server = await startServer({
    config: loadConfig({ ...env, RELAYCORE_ADMIN_PORT: '0' }), say: (message) => { said.push(message) }, onFatal: fatal,
  })
  t.teardown(() => server.close())
  const { url, adminUrl } = server
  t.not(url, adminUrl)
  const text = readFileSync(join(String(env['RELAYCORE_DATA_DIR']), 'first-start.txt'), 'utf8')
  t.ok(said.join('\n').includes(text))
  t.match(text, `curl ${adminUrl}/api/v1/budgets`)
  t.match(text, `curl ${url}/v1/chat/completions`)
  t.match(text, `new OpenAI({ baseURL: '${url}/v1'`)
  const [token = ''] = /ra_\w+/.exec(text) ?? []
  const [key = ''] = /rk_\w+/.exec(text) ?? []

  const get = async (base: string, path: string) =>
    (await fetch(base + path, { headers: { authorization: `Bearer ${token}` } })).status
  for (const path of ['/api/v1/budgets', '/api/v1/openapi.json', '/docs', '/docs/json', '/metrics']) {
    t.same([await get(adminUrl, path), await get(url, path)], [200, 404], path)
  }
  for (const path of ['/healthz', '/readyz']) t.same([await get(adminUrl, path), await get(url, path)], [200, 200], path)
  const chat = async (base: string) => (await fetch(`${base}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: '{"model":"demo-small","max_tokens":9,"messages":[]}',
  })).status
  t.same([await chat(url), await chat(adminUrl)], [200, 404])
})

t.test('an admin port that is taken is said in one sentence that names its setting', async (t) => {
  const env = await anEnvironment(t)
  const busy = createServer().listen(0, '127.0.0.1')
  await once(busy, 'listening')
  t.teardown(() => { busy.close() })
  const port = String((busy.address() as AddressInfo).port)
  const config = loadConfig({ ...env, RELAYCORE_ADMIN_PORT: port })
  await t.rejects(startServer({ config, say: () => undefined, onFatal: fatal }),
    { message: `Port ${port} on 127.0.0.1 is in use. Stop what listens there, or set RELAYCORE_ADMIN_PORT to another one.` })
})

t.test('behind a proxy that is trusted, who guesses is told apart by the address that it appends; from others it counts nothing', async (t) => {
  const env = await anEnvironment(t)
  const start = async (more: object): Promise<(forwarded: string) => Promise<number>> => {
    const server = await startServer({ config: loadConfig({ ...env, ...more }), say: () => undefined, onFatal: fatal })
    t.teardown(() => server.close())
    const headers = (forwarded: string) => ({ authorization: 'Bearer a-guess', 'x-forwarded-for': forwarded })
    return async (forwarded) => (await fetch(`${server.adminUrl}/api/v1/budgets`, { headers: headers(forwarded) })).status
  }
  const guess = await start({ RELAYCORE_TRUST_PROXY: '10.0.0.0/8, 127.0.0.1' })
  // what a client claims stands before what the proxy saw
  for (let i = 0; i < 40; i++) await guess(`203.0.113.${i}, 198.51.100.7`)
  t.same([await guess('203.0.113.1, 198.51.100.7'), await guess('198.51.100.8')], [429, 401])

  const untrusting = await start({ RELAYCORE_DATA_DIR: join(String(env['RELAYCORE_DATA_DIR']), 'other') })
  for (let i = 0; i < 40; i++) await untrusting(`203.0.113.${i}`)
  t.equal(await untrusting('198.51.100.8'), 429)
})
