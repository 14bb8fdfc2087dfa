import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { runCommand } from '../../src/commands.ts'
import { Core } from '../../src/core.ts'
import { type Finding } from '../../src/doctor/finding.ts'
import { startRedis } from '../services/redis.ts'
import { aGateway } from '../e2e/gateway.ts'
import { anEmptyDatabase } from '../stores/postgres/database.ts'
import { freePort } from '../services/free-port.ts'

async function doctor (env: Record<string, string>, ...args: string[]) {
  const output: string[] = []
  const add = (text: string) => { output.push(text) }
  const code = await runCommand(['doctor', ...args], env, { say: add, warn: add }, async () => 1)
  return { code, output: output.join('\n') }
}

async function findings (env: Record<string, string>): Promise<Finding[]> {
  return (JSON.parse((await doctor(env, '--json')).output) as { findings: Finding[] }).findings
}

function aFolder (t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-doctor-'))
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  return folder
}

t.test('a gateway that runs as it should has no problem, and each thing is looked at', async (t) => {
  const gateway = await aGateway(t)
  await gateway.budget()
  const port = new URL(gateway.url).port
  const redisPort = await freePort()
  const { stop } = await startRedis(redisPort)
  t.teardown(stop)
  const env = {
    PORT: port,
    RELAYCORE_DATA_DIR: gateway.dataDir,
    DATABASE_URL: gateway.core.config.databaseUrl ?? '',
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    RELAYCORE_OPENAI_API_KEY: 'openai-secret',
    RELAYCORE_OPENAI_BASE_URL: gateway.provider.url,
  }
  const { code, output } = await doctor(env, '--call')
  for (const line of [
    /^ok {7}settings: they can be read$/m,
    new RegExp(`^ok {7}port: a gateway answers on ${port}$`, 'm'),
    /^ok {7}providers: credentials are set for openai$/m,
    /^ok {7}providers: openai can be reached$/m,
    /^ok {7}data folder: .* can be written$/m,
    new RegExp(`^ok {7}journal: process ${process.pid} on .* has it since`, 'm'),
    /^ok {7}PostgreSQL: it answers, version \d+/m,
    /^ok {7}PostgreSQL: its clock is 0 s/m,
    /^ok {7}schema: version \d+, that of this program$/m,
    /^ok {7}gateways: 1 answer$/m,
    /^ok {7}ledger: no call of the 0 since yesterday is uncertain$/m,
    /^warning {2}ledger: there is no gateway key\n {9}-> `relaycore keys create`$/m,
    /^ok {7}Redis: (Redis|Valkey) \d+\.\d+\.\d+ answers$/m,
  ]) t.match(output, line)
  t.equal(code, /^problem/m.test(output) ? 1 : 0)
  t.notMatch(output, /openai-secret/)
  t.notMatch(output, /another machine/, 'it is reached by its socket')

  await gateway.core.database.query({
    text: `
    with account as (
      insert into budget_accounts (budget_id, period_start, currency, settled_nano) select id, now(), 'USD', 1 from budget_definitions
    )
    update gateways set heartbeat_at = now() - interval '1 hour'`
  })
  await gateway.core.database.query({
    text: `insert into leases (account_id, incarnation, granted_nano)
    select a.id, $1, 5 from budget_accounts a`,
    values: [gateway.core.incarnation]
  })
  await gateway.core.auditor.look()
  const found = (await findings(env)).filter(({ level }) => level === 'problem').map(({ says }) => says).join('\n')
  t.match(found, /does not agree with itself: settled \(1\), leased \(1\)$/m)
})

t.test('what keeps a gateway from starting is found without one', async (t) => {
  const folder = aFolder(t)
  t.match(await doctor({ PORT: 'x' }), { code: 1, output: /^problem {2}settings: PORT must be a whole number/ })
  const busy = createServer().listen(0, '127.0.0.1')
  await once(busy, 'listening')
  t.teardown(() => { busy.close() })
  const { port } = busy.address() as AddressInfo
  mkdirSync(join(folder, 'journal'))
  const url = await anEmptyDatabase(t)
  const found = await findings({ PORT: String(port), RELAYCORE_DATA_DIR: folder, DATABASE_URL: url })
  t.match(found.filter(({ level }) => level === 'problem').map(({ says }) => says).filter((says) => !/clock|fsync|full_page|tmpfs|commit/.test(says)),
    [`${port}: another program listens there`, 'the database has no ledger'])
  t.ok(found.some(({ says }) => says === 'no gateway runs on it, and nothing waits in it'))
  const none = await findings({ PORT: String(port), RELAYCORE_DATA_DIR: join(folder, 'none') })
  t.match(none.map(({ says }) => says).join('\n'), /is not there: no gateway has ever started[^]*no embedded one is to be seen in the data folder/)
  t.match(await findings({ PORT: String(port), RELAYCORE_DATA_DIR: folder, DATABASE_URL: 'postgres://127.0.0.1:1/x' })
    .then((all) => all.map(({ about, says }) => `${about} ${says}`).join('\n')), /PostgreSQL it does not answer: .*ECONNREFUSED/)
})

t.test('after a stop in order nothing waits, the next start recovers nothing, and imported usage is where it belongs', async (t) => {
  const { core, budget, key, chat, dataDir, admin } = await aGateway(t)
  const id = await budget()
  t.match(await chat(await key(), {}), { status: 200 })
  const old = { amount: '1', timestamp: '2020-01-15T00:00:00Z' }
  t.match(await admin('POST', `/budgets/${id}/usage`, old), { status: 201 })
  await core.close()
  const env = { RELAYCORE_DATA_DIR: dataDir, DATABASE_URL: core.config.databaseUrl ?? '' }
  const found = await findings(env)
  t.match(found.filter(({ about }) => about === 'journal'), [{ level: 'ok', says: 'no gateway runs on it, and nothing waits in it' }])
  t.match(found.filter(({ says }) => says.includes('default partitions')), [{ level: 'ok' }])

  const said: string[] = []
  const note = (_: object, message: string) => { said.push(message) }
  const next = await Core.open({
    config: core.config,
    log: { info: note, warn: note, error: note, fatal: note },
    onFatal: (error) => { said.push(error.message) },
  })
  await next.close()
  t.notMatch(said.join('\n'), /recovered/)

  const sql = new pg.Client({ connectionString: env.DATABASE_URL })
  await sql.connect()
  await sql.query("update usage_events_default set outcome = 'completed'")
  await sql.end()
  t.match((await findings(env)).filter(({ says }) => says.includes('default partitions')), [{ level: 'warning' }])
})

t.test('a journal that cannot be read is one finding among the others', async (t) => {
  const folder = aFolder(t)
  writeFileSync(join(folder, 'journal'), '')
  const found = await findings({ RELAYCORE_DATA_DIR: folder, PORT: String(await freePort()) })
  t.match(found.find(({ about }) => about === 'journal'), { level: 'problem', says: /cannot be read: ENOTDIR/ })
  t.ok(found.some(({ about }) => about === 'PostgreSQL'))
  const inside = await findings({ RELAYCORE_DATA_DIR: join(folder, 'journal', 'data'), PORT: String(await freePort()) })
  t.match(inside.find(({ about }) => about === 'data folder'), { level: 'problem', says: /cannot be looked into: ENOTDIR/ })
})
