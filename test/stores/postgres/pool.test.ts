import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Hosts } from '../../../src/database-url.ts'
import { StandbyError } from '../../../src/stores/postgres/hosts.ts'
import { migrate } from '../../../src/stores/postgres/migrate.ts'
import { Database, bigintOf, idOf, isUnavailable, sqlStateOf, type DatabaseOptions } from '../../../src/stores/postgres/pool.ts'
import { aFaultProxy } from '../../services/fault-proxy.ts'
import { aDatabase } from './database.ts'

async function opened (t: Test, options: Partial<DatabaseOptions> = {}): Promise<Database> {
  const database = new Database({ connectionString: await aDatabase(t), ...options })
  t.teardown(() => database.close())
  return database
}

/** Between us and PostgreSQL, and deaf once it is told to be: nothing is closed, nothing is answered. */
async function aLine (t: Test, url: string): Promise<{ url: string, cut (): void }> {
  const target = new URL(url)
  const host = decodeURIComponent(target.hostname)
  const port = Number(target.port)
  const sockets: Socket[] = []
  const server = createServer((near) => {
    const far = host.startsWith('/') ? connect(`${host}/.s.PGSQL.5432`) : connect(port, host)
    sockets.push(near, far)
    for (const socket of [near, far]) socket.on('error', () => socket.destroy())
    near.pipe(far).pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  target.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: target.href,
    cut () { for (const socket of sockets) socket.unpipe().pause() },
  }
}

async function failure (work: Promise<unknown>): Promise<unknown> {
  return await work.then(() => undefined, (error: unknown) => error)
}

t.test('bigints come as text, and are read without loss', async (t) => {
  const database = await opened(t)

  const [row] = await database.query<{ large: string, id: string }>({
    text: 'select $1::bigint as large, 7::bigint as id', values: [9_223_372_036_854_775_807n],
  })

  t.equal(bigintOf(row?.large ?? ''), 9_223_372_036_854_775_807n)
  t.equal(idOf(row?.id ?? ''), 7)
  t.throws(() => idOf(row?.large ?? ''), RangeError)
})

t.test('counts its statements, and says who it is', async (t) => {
  const database = await opened(t, { applicationName: 'relaycore test' })

  const [row] = await database.query({ text: "select current_setting('application_name') as name" })
  await database.transaction(async (tx) => { await tx.query({ text: 'select 1' }) })

  t.equal(row?.['name'], 'relaycore test')
  t.equal(database.queries, 4)
})

t.test('statements are prepared where that is possible', async (t) => {
  const names = { name: 'n', text: 'select count(*)::integer as n from pg_prepared_statements' }

  t.same(await (await opened(t, { max: 1 })).query(names), [{ n: 1 }])
  t.same(await (await opened(t, { max: 1, prepared: false })).query(names), [{ n: 0 }])
})

t.test('a transaction happens whole or not at all, and its connection goes on', async (t) => {
  const database = await opened(t, { max: 1 })
  await database.query({ text: 'create table things (id integer primary key)' })
  const add = (id: number) => ({ text: 'insert into things values ($1)', values: [id] })

  await database.transaction(async (tx) => { await tx.query(add(1)) })
  const mine = new Error('a rule of the domain')
  t.equal(await failure(database.transaction(async (tx) => { await tx.query(add(2)); throw mine })), mine)
  const twice = await failure(database.transaction(async (tx) => { await tx.query(add(3)); await tx.query(add(1)) }))

  t.equal(sqlStateOf(twice), '23505')
  t.notOk(isUnavailable(twice))
  t.same(await database.query({ text: 'select id from things' }), [{ id: 1 }])
  t.equal(database.pool.totalCount, 1)
})

t.test('a statement has a deadline, at the server too', async (t) => {
  const url = await aDatabase(t)
  const holder = await opened(t, { connectionString: url, max: 1 })
  await holder.query({ text: 'select pg_advisory_lock(1)' })
  const database = await opened(t, { connectionString: url, max: 1, statementTimeoutMs: 100 })

  const error = await failure(database.query({ text: 'select pg_advisory_lock(1)' }))

  t.equal(sqlStateOf(error), '57014')
  t.ok(isUnavailable(error))
  t.same(await database.query({ text: 'select 1 as one' }), [{ one: 1 }])
})

t.test('a server that says nothing any more is left', async (t) => {
  const line = await aLine(t, await aDatabase(t))
  const database = await opened(t, { connectionString: line.url, max: 1, statementTimeoutMs: 100 })
  await database.query({ text: 'select 1' })

  line.cut()
  const error = await failure(database.query({ text: 'select 1' }))

  t.ok(isUnavailable(error), String(error))
  t.same(await database.query({ text: 'select 1 as one' }), [{ one: 1 }], 'on a new connection')
})

t.test('a connection has a deadline, and so has waiting for one', async (t) => {
  const deaf = createServer()
  deaf.listen(0, '127.0.0.1')
  await once(deaf, 'listening')
  t.teardown(() => { deaf.close() })
  const { port } = deaf.address() as AddressInfo
  const nobody = new Database({ connectionString: `postgres://u@127.0.0.1:${port}/d`, connectTimeoutMs: 100 })
  t.teardown(() => nobody.close())
  t.ok(isUnavailable(await failure(nobody.query({ text: 'select 1' }))))

  const busy = await opened(t, { max: 1, connectTimeoutMs: 1_000 })
  await busy.transaction(async () => {
    t.ok(isUnavailable(await failure(busy.query({ text: 'select 1' }))))
  })
  t.same(await busy.query({ text: 'select 1 as one' }), [{ one: 1 }])
})

t.test('an idle connection that breaks is told of, and replaced', async (t) => {
  let tell = (_error: Error): void => {}
  const told = new Promise<Error>((resolve) => { tell = resolve })
  const database = await opened(t, { max: 1, onIdleError: (error) => { tell(error) } })
  const [row] = await database.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' })
  const other = new Database({ connectionString: database.pool.options.connectionString ?? '' })
  await other.query({ text: 'select pg_terminate_backend($1)', values: [row?.pid] })
  await other.close()

  t.ok(isUnavailable(await told))
})

t.test('TLS is asked for where the URL says so', async (t) => {
  const url = new URL(await aDatabase(t))
  url.searchParams.set('sslmode', 'verify-full')
  const database = new Database({ connectionString: url.href })
  t.teardown(() => database.close())

  if (!decodeURIComponent(url.hostname).startsWith('/')) {
    t.match(await failure(database.query({ text: 'select 1' })), { message: /does not support SSL/ })
  }
})

t.test('tells an outage from a refusal and from a defect', async (t) => {
  const nowhere = new Database({ connectionString: 'postgres://u@127.0.0.1:1/d' })
  t.teardown(() => nowhere.close())
  t.ok(isUnavailable(await failure(nowhere.query({ text: 'select 1' }))))

  const database = await opened(t)
  for (const text of ['select 1 / 0', 'select * from nothing', 'nonsense', "select 'x'::uuid"]) {
    t.notOk(isUnavailable(await failure(database.query({ text }))), text)
  }
  t.notOk(isUnavailable(new TypeError('x is not a function')))
  t.notOk(isUnavailable('a text'))
})

t.test('a connection that is ended under a query fails that query, and never the process', async (t) => {
  const url = await aDatabase(t)
  const database = new Database({ connectionString: url, applicationName: 'victim', max: 4 })
  const other = new Database({ connectionString: url, max: 1 })
  t.teardown(() => Promise.all([database.close(), other.close()]))
  let answered = 0
  let failed = 0
  for (let round = 0; round < 25; round++) {
    const queries = Array.from({ length: 8 }, () =>
      database.query({ text: 'select count(*) from generate_series(1, 20000)' }).then(() => { answered++ }, () => { failed++ }))
    await other.query({
      text: `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'victim'`,
    })
    await Promise.all(queries)
  }
  t.ok(answered > 0 && failed > 0, `${answered} answered, ${failed} failed`)
})

/** the same database behind other hosts */
function behind (url: string, hosts: (real: string) => string, query = ''): string {
  const [, before = '', real = '', after = ''] = /^(.*@)([^/]*)(.*)$/.exec(url) ?? []
  return before + hosts(real) + after + query
}

t.test('of several hosts the one that takes changes is found, and found again once it has moved', async (t) => {
  const url = await aDatabase(t)
  const { hostname, port } = new URL(url)
  const host = decodeURIComponent(hostname)
  const target = host.startsWith('/') ? `${host}/.s.PGSQL.5432` : Number(port)
  const [a, b] = await Promise.all([aFaultProxy(t, target), aFaultProxy(t, target)])
  a.refuse()
  const hosts = `127.0.0.1:${a.port},127.0.0.1:${b.port}`
  const several = behind(url, () => hosts, '?target_session_attrs=read-write')
  const deadlines = { connectTimeoutMs: 2_000, statementTimeoutMs: 300 }
  const database = await opened(t, { connectionString: several, max: 2, ...deadlines })

  t.same(await database.query({ text: 'select 1 as one' }), [{ one: 1 }])
  t.same([a.open, b.open], [0, 1])
  await database.transaction(async () => { await database.query({ text: 'select 1' }) })
  t.equal(b.open, 2)

  a.pass()
  b.hold()
  t.ok(isUnavailable(await failure(database.query({ text: 'select 1' }))), 'the connection is silent')
  b.refuse()
  t.same(await database.query({ text: 'select 1 as one' }), [{ one: 1 }], 'the other one is not tried, and a new one leads on')
  t.equal(a.open, 1)
  t.equal((await migrate(several)).applied.length, 0)
})

t.test('a standby, and a server that takes no changes any more, are left', async (t) => {
  const url = await aDatabase(t)
  const database = await opened(t, { connectionString: url, max: 1 })
  const pid = async () => (await database.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' }))[0]?.pid
  const before = await pid()
  await database.query({ text: 'set default_transaction_read_only = on' })

  const error = await failure(database.query({ text: 'create table nothing ()' }))

  t.equal(sqlStateOf(error), '25006')
  t.ok(isUnavailable(error))
  t.not(await pid(), before)
  t.ok(isUnavailable(new StandbyError()))
})

t.test('behind a pooler nothing is left to a session', async (t) => {
  const url = await aDatabase(t)
  const read = {
    name: 'n',
    text: `select current_setting('statement_timeout') as "statement", current_setting('jit') as jit,
      (select count(*)::integer from pg_prepared_statements) as prepared`,
  }
  const database = await opened(t, { connectionString: `${url}?pgbouncer=true`, max: 1, statementTimeoutMs: 1_500 })

  t.same(await database.query(read), [{ statement: '1500ms', jit: 'off', prepared: 0 }])
  t.same(await database.transaction(async (tx) => await tx.query(read)), [{ statement: '1500ms', jit: 'off', prepared: 0 }])
  t.same((await database.pool.query('show statement_timeout')).rows, [{ statement_timeout: '0' }])
  t.equal(sqlStateOf(await failure(database.query({ text: 'select 1 / 0' }))), '22012')
  t.same(await database.query({ text: 'select 1 as one' }), [{ one: 1 }], 'no transaction is left open')

  const direct = await opened(t, { connectionString: `${url}?pgbouncer=false`, max: 1 })
  t.match(await direct.query(read), [{ statement: '5s', prepared: 1 }])
})

t.test('a connection string that a gateway cannot use says why, and nothing secret', async (t) => {
  const bad: [string, RegExp][] = [
    ['mysql://u:secret@h/d', /no postgres/],
    ['postgres://u:secret@a,/d', /host.* empty/],
    ['postgres://u:secret@a/d?target_session_attrs=standby', /must be read-write or primary.*"standby"/],
    ['postgres://u:secret@a/d?pgbouncer=yes', /pgbouncer must be true or false/],
  ]
  for (const [url, said] of bad) t.throws(() => new Hosts(url), { message: said }, url)
  for (const [url] of bad) {
    try { t.notOk(new Hosts(url)) } catch (error) { t.notMatch((error as Error).message, /secret/) }
  }
  const all = 'postgres://u:p@a:1,[::1]:2,c/d?sslmode=require&pgbouncer=true&target_session_attrs=primary'
  t.strictSame(new Hosts(all).urls, [
    'postgres://u:p@a:1/d?sslmode=require', 'postgres://u:p@[::1]:2/d?sslmode=require', 'postgres://u:p@c/d?sslmode=require',
  ])
  t.strictSame(new Hosts('postgres:///d?host=/tmp').urls, ['postgres:///d?host=/tmp'])
})
