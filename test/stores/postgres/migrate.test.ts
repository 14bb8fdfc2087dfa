import { cpSync, readdirSync, writeFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import pg from 'pg'
import { isMigrated, migrate, schemaVersions, sqlDirectory } from '../../../src/stores/postgres/migrate.ts'
import { startPostgresProxy } from '../../services/fault-proxy.ts'
import { aDatabase, anEmptyDatabase } from './database.ts'

/** the files that came with the program, in order */
const FILES = readdirSync(join(sqlDirectory(), 'migrations')).sort()
const NAMES = FILES.map((file) => file.replace(/^\d+\.do\.(.*)\.sql$/, '$1'))
const NEWEST = FILES.length

/** so many are from before there was a rule for those of before */
const RULED = 30

/** a file that comes after all of them */
const later = (name: string): string => `${String(NEWEST + 1).padStart(3, '0')}.do.${name}.sql`

async function connected (t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  await client.connect()
  t.teardown(() => client.end())
  return client
}

/** A copy of the migrations that a test may spoil. */
function aDirectory (t: Test): string {
  const directory = t.testdir({})
  cpSync(join(sqlDirectory(), 'migrations'), directory, { recursive: true })
  return directory
}

t.test('migrations are numbered without a gap, and only forward', async (t) => {
  FILES.forEach((name, n) => t.match(name, new RegExp(`^${String(n + 1).padStart(3, '0')}\\.do\\.[a-z-]+\\.sql$`)))
})

t.test('of several that start at once one migrates and the others wait', async (t) => {
  const url = await anEmptyDatabase(t)

  const runs = await Promise.all([migrate(url), migrate(url), migrate(url)])

  t.equal(new Set(runs.map(({ version }) => version)).size, 1)
  t.same(runs.flatMap(({ applied }) => applied).sort(), NAMES.toSorted())
  const client = await connected(t, url)
  const { rows } = await client.query("select count(*)::integer as n from pg_inherits where inhparent = 'usage_events'::regclass")
  t.same(rows, [{ n: 6 }], 'the last, this and three more months, and the default')
})

t.test('runs on a pool, and gives its connection back', async (t) => {
  const pool = new pg.Pool({ connectionString: await anEmptyDatabase(t), max: 1 })
  t.teardown(() => pool.end())

  t.match(await migrate(pool), { version: NEWEST, applied: NAMES })
  t.match(await migrate(pool), { version: NEWEST, applied: [] })

  t.equal(pool.idleCount, 1)
})

t.test('whether there is anything to do is asked on a pool, which changes nothing of a database that is not ready', async (t) => {
  const url = await anEmptyDatabase(t)
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  t.teardown(() => pool.end())
  t.equal(await isMigrated(pool), false)
  t.match((await pool.query('select count(*)::integer as n from pg_class where relnamespace = $1::regnamespace', ['public'])).rows, [{ n: 0 }])

  await migrate(url)
  const partitions = "select inhrelid::regclass as name from pg_inherits where inhparent = 'usage_events'::regclass order by 1"
  const { rows: all } = await pool.query<{ name: string }>(partitions)
  await pool.query(`drop table ${all.at(-2)?.name}`)
  t.equal(await isMigrated(pool), true)
  t.same((await pool.query(partitions)).rows.length, all.length, 'partitions are made')
  await pool.query('delete from relaycore_migrations where version = $1', [NEWEST])
  t.equal(await isMigrated(pool), false, 'older')
  await pool.query('update relaycore_migrations set md5 = $1 where version = 1', ['another'])
  t.equal(await isMigrated(pool), false, 'made from other files')
  t.equal(pool.idleCount, 0, 'a connection that failed is not kept')

  const nowhere = new pg.Pool({ connectionString: 'postgres://postgres@127.0.0.1:1/none' })
  t.teardown(() => nowhere.end())
  t.equal(await isMigrated(nowhere), false)
})

t.test('a migration that fails leaves nothing of itself', async (t) => {
  const url = await anEmptyDatabase(t)
  const directory = aDirectory(t)
  writeFileSync(join(directory, later('broken')), 'create table half (); select 1 / 0;')

  await t.rejects(migrate(url, { directory }), { code: 'migration_failed', message: /division by zero/ })

  const client = await connected(t, url)
  t.match((await client.query("select to_regclass('half') as half")).rows, [{ half: null }])
  t.match((await client.query('select max(version)::integer as version from relaycore_migrations')).rows, [{ version: NEWEST }])
  writeFileSync(join(directory, later('broken')), 'create table half ();')
  t.match(await migrate(url, { directory }), { version: NEWEST + 1, applied: ['broken'] }, 'it can be repaired and run again')
})

t.test('a program of the version before runs on a newer database that does not say otherwise, and on no other', async (t) => {
  const url = await aDatabase(t)
  const directory = aDirectory(t)
  writeFileSync(join(directory, later('later')), 'create table later ()')
  await migrate(url, { directory })
  const said: string[] = []

  t.match(await migrate(url, { say: (line) => { said.push(line) } }), { version: NEWEST + 1, applied: [] })
  t.match(said, [new RegExp(`version ${NEWEST + 1}.*up to ${NEWEST}.*may run on it`)])
  const client = await connected(t, url)
  t.match(await schemaVersions(client), { known: NEWEST, found: NEWEST + 1, fits: true })

  await client.query('update deployment set programs_from = $1', [NEWEST + 1])
  await t.rejects(migrate(url), { code: 'database_newer', message: new RegExp(`version ${NEWEST + 1}.*up to ${NEWEST}`) })
  t.match(await schemaVersions(client), { known: NEWEST, found: NEWEST + 1, fits: false })
  t.match(await migrate(url, { directory }), { version: NEWEST + 1, applied: [] })
})

t.test('what takes something away from programs of before says so', async (t) => {
  const takes = /\b(drop|rename|truncate)\b|\balter\s+column\b|\badd\s+column\b(?![^;,]*\bdefault\b)[^;,]*\bnot null\b/i
  for (const file of FILES.slice(RULED)) {
    const sql = readFileSync(join(sqlDirectory(), 'migrations', file), 'utf8').replaceAll(/--.*$/gm, '')
    t.ok(!takes.test(sql) || sql.includes('set programs_from'), `${file} only adds, or sets deployment.programs_from`)
  }
})

t.test('a migration that has to wait for a lock lets others pass, and comes about once it is free', async (t) => {
  const url = await aDatabase(t)
  const directory = aDirectory(t)
  writeFileSync(join(directory, later('wider')), 'alter table deployment add column wider integer')
  const [holder, other] = [await connected(t, url), await connected(t, url)]
  await holder.query('begin; select from deployment')

  const refused = migrate(url, { directory, waitMs: 0 })
  await t.rejects(refused, { code: 'database_busy', message: /pid \d+ \(.*open for \d+ s\).*pg_terminate_backend/ })

  let done: Promise<unknown> = Promise.resolve()
  await new Promise<void>((resolve) => {
    done = migrate(url, {
      directory,
      say: (line) => {
        t.match(line, /a migration waits for a lock that pid \d+/)
        resolve()
      }
    })
  })
  t.equal((await other.query('select from deployment')).rowCount, 1, 'nobody waits behind it')
  await holder.query('rollback')
  t.match(await done, { version: NEWEST + 1, applied: ['wider'] })
})

t.test('does not touch a database that was made from other files', async (t) => {
  const url = await anEmptyDatabase(t)
  const directory = aDirectory(t)
  await migrate(url, { directory })
  const file = join(directory, readdirSync(directory).sort()[0] ?? '')
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('\n', '\r\n'))
  await migrate(url, { directory })
  t.pass('line ends make no difference')

  writeFileSync(file, readFileSync(file, 'utf8') + '-- edited')

  await t.rejects(migrate(url, { directory }), { code: 'migration_changed' })
})

t.test('a connection that breaks while the files are compared is not taken for another file', async (t) => {
  const url = await anEmptyDatabase(t)
  await migrate(url)
  const { proxy, url: broken } = await startPostgresProxy(url)
  t.teardown(() => proxy.close())
  const cut = proxy.cutOn('md5 from', 'unanswered')
  await t.rejects(migrate(broken), { code: 'database_unreachable' })
  await cut
})

t.test('says in plain words what is missing', async (t) => {
  await t.rejects(migrate('postgres://postgres@127.0.0.1:1/none'), { code: 'database_unreachable' })
  const missing = new URL(await anEmptyDatabase(t))
  missing.pathname = '/none'
  await t.rejects(migrate(missing.href), { code: 'migration_failed', message: /"none" does not exist/ })

  const url = await anEmptyDatabase(t)
  const owner = await connected(t, url)
  const role = `r_${new URL(url).pathname.slice(1, 20)}`
  await owner.query(`create role ${role} login password 'secret'; revoke all on schema public from public`)
  t.teardown(() => owner.query(`drop owned by ${role}; drop role ${role}`))
  const asRole = new URL(url)
  asRole.username = role
  asRole.password = 'secret'

  await t.rejects(migrate(asRole.href), { code: 'migration_forbidden' })
  await owner.query(`grant usage on schema public to ${role}`)
  await t.rejects(migrate(asRole.href), { code: 'migration_forbidden', message: /permission denied/ })
})
