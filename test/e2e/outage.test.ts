import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config.ts'
import { startServer } from '../../src/server.ts'
import { aFaultProxy, type FaultProxy } from '../services/fault-proxy.ts'
import { aDatabase } from '../stores/postgres/database.ts'
import { aGateway } from './gateway.ts'

/** a network that breaks, and the URL of a database behind it */
async function aWay (t: Test): Promise<{ proxy: FaultProxy, through: string }> {
  const url = new URL(await aDatabase(t))
  const host = decodeURIComponent(url.hostname)
  const proxy = await aFaultProxy(t, host.startsWith('/') ? `${host}/.s.PGSQL.5432` : Number(url.port))
  return { proxy, through: url.href.replace(/@[^/]*\//, `@127.0.0.1:${proxy.port}/`) }
}

t.test('while PostgreSQL is silent a warm budget goes on, a cold one is refused in time, and its answers may be lost', async (t) => {
  const { proxy, through } = await aWay(t)
  const gateway = await aGateway(t, { DATABASE_URL: through, RELAYCORE_SHUTDOWN_MS: '1000' })
  await gateway.budget({ name: 'all' })
  await gateway.budget({ name: 'each', scopeType: 'endUser', scopeId: '*', organizationId: gateway.organizationId, amount: '10' })
  const warm = await gateway.key()
  const each = await gateway.key({ endUser: 'allow' })
  // that these were made is known before they are read; the second look has begun after that for sure
  await gateway.core.registry.refresh()
  await gateway.core.registry.refresh()

  // what was asked was done, and nobody hears of it
  const lost = Promise.all(['grant_leases', 'post_usage'].map((asked) => proxy.cutOn(asked, 'unanswered')))
  const first = await gateway.chat(warm, {})
  t.ok([200, 503].includes(first.status), `a call whose grant was not answered: ${first.status}`)
  for (let status = 0; status !== 200;) status = (await gateway.chat(warm, {})).status
  await lost
  t.equal((await gateway.chat(each, { user: 'ada' })).status, 200)
  const before = (await gateway.events()).length
  t.equal(before, gateway.provider.books.length, 'each that reached the provider once')

  // a change of one key is none of others'
  await gateway.key()
  await gateway.core.registry.refresh()
  proxy.hold()
  const [went, cold] = await Promise.all([gateway.chat(warm, {}), (async () => {
    const from = performance.now()
    const { status, headers } = await gateway.chat(each, { user: 'bob' })
    return { status, retry: headers.get('x-should-retry'), ms: performance.now() - from }
  })()])
  t.equal(went.status, 200, went.text)
  t.match(cold, { status: 503 })
  t.ok(cold.ms < 7_000, `${Math.round(cold.ms)} ms`)
  t.equal((await fetch(`${gateway.url}/readyz`)).status, 200, 'it goes on for those that it can serve')

  proxy.pass()
  for (let status = 0; status !== 200;) status = (await gateway.chat(each, { user: 'bob' })).status
  t.equal((await gateway.events()).length, before + 2)
})

t.test('a gateway that listens already goes on where PostgreSQL does not say whether this is the first start; the next one is', async (t) => {
  const { proxy, through } = await aWay(t)
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-first-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  const config = loadConfig({
    RELAYCORE_DATA_DIR: folder, DATABASE_URL: through, PORT: '0', RELAYCORE_LOG_LEVEL: 'silent', RELAYCORE_SHUTDOWN_MS: '1000',
  })
  const start = async () => await startServer({ config, say: () => undefined, onFatal: (error) => { throw error } })
  const cut = proxy.cutOn('relaycore first start', 'unanswered')
  const server = await start()
  await cut
  t.equal((await fetch(`${server.url}/readyz`)).status, 200)
  t.notOk(existsSync(join(folder, 'first-start.txt')))
  await server.close()

  // wherever in a start the database goes away, it is said
  for (const asked of ['select id from deployment', 'insert into gateways', 'config_versions', 'model_prices']) {
    const gone = proxy.cutOn(asked, 'unanswered')
    await t.rejects(start(), { message: /^PostgreSQL did not answer/ }, asked)
    await gone
  }
  const next = await start()
  t.teardown(() => next.close())
  t.ok(existsSync(join(folder, 'first-start.txt')))
})
