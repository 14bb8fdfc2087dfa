import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { migrate } from '../../src/stores/postgres/migrate.ts'
import { type FaultProxy, startFaultProxy } from '../services/fault-proxy.ts'
import { startPgBouncer } from '../services/pgbouncer.ts'
import { PostgresServer } from '../services/postgres-server.ts'
import { agree, neverOver, nothingLeft } from './books.ts'
import { Load, type Seen } from './load.ts'
import { kill, type GatewayProcess, ProofWorld } from './world.ts'

/**
 * PostgreSQL fails in every way that it can while calls are made at two gateways: it restarts, crashes, is silent,
 * slow, full, out of connections, holds rows for long, loses its connections and its answers, and moves to another
 * address. Nobody waits for longer than a deadline, each call that reached the provider is recorded once, no limit is
 * passed, and in the end nothing is held or leased.
 */
type Say = (line: string) => void

/** a call that has to wait for PostgreSQL is answered in 5 s, and one that brings an unknown key in 5 s more */
const DEADLINE_MS = 10_500
const DATABASE = 'ledger'
const WARMING_MS = 8_000

export interface PostgresFaults {
  world: ProofWorld
  server: PostgresServer
  proxy: FaultProxy
  load: Load
  keys: { warm: string, other: string, tight: string, each: string }
  say: Say
}

export type Fault = (faults: PostgresFaults) => Promise<void>

export async function proveFaults (names: readonly (keyof typeof FAULTS)[], say: Say): Promise<void> {
  const server = await PostgresServer.create()
  const proxy = await startFaultProxy(server.port)
  try {
    await withLoad(server, `postgres://postgres@127.0.0.1:${proxy.port}/${DATABASE}`, say, async (world, load, keys) => {
      for (const name of names) await under(name, FAULTS[name], { world, server, proxy, load, keys, say })
    })
  } finally {
    await proxy.close()
    await server.remove()
  }
}

async function withLoad (
  server: PostgresServer, url: string, say: Say,
  work: (world: ProofWorld, load: Load, keys: PostgresFaults['keys']) => Promise<void>, end = finish
): Promise<void> {
  await server.sql(`create database ${DATABASE}`)
  await migrate(url)
  const world = await ProofWorld.open({ redis: false, databaseUrl: server.url(DATABASE) })
  try {
    const first = await world.startGateway(undefined, { DATABASE_URL: url })
    await world.startGateway(undefined, { DATABASE_URL: url })
    const keys = {
      warm: await aBudget(world, first, 'warm', '1000'),
      other: await aBudget(world, first, 'other', '1000'),
      tight: await aBudget(world, first, 'tight', '0.01'),
      each: await aBudget(world, first, 'each', '1000', true),
    }
    const load = new Load(world, [keys.warm, keys.other, keys.tight])
    load.start(8)
    await healthy(world, load, keys)
    // until it is known what these budgets spend
    await wait(WARMING_MS)
    await work(world, load, keys)
    await load.stop()
    await end(world, load, say)
  } finally {
    await world.close()
  }
}

/** an organization of its own, and a key of it; `each`: and of each end user */
async function aBudget (
  world: ProofWorld, gateway: GatewayProcess, organizationId: string, amount: string, each = false
): Promise<string> {
  const scope = each ? { scopeType: 'endUser', scopeId: '*', organizationId } : { scopeType: 'organization', scopeId: organizationId }
  await world.admin(gateway, 'POST', '/budgets', { name: organizationId, ...scope, amount, currency: 'USD', period: 'monthly' })
  const { key } = await world.admin<{ key: string }>(gateway, 'POST', '/keys', {
    name: organizationId, organizationId, ...each ? { endUser: 'allow' } : {},
  })
  return key
}

let colds = 0

/** a call on an account that nobody has used before, at a gateway that knows its key */
function cold ({ load, keys }: Pick<PostgresFaults, 'load' | 'keys'>, gateway: GatewayProcess): Promise<Seen> {
  return load.one(gateway, keys.each, `cold ${colds}`, { user: `user ${colds++}` })
}

/** until each gateway admits calls of all kinds; answers how long that took */
async function healthy (world: ProofWorld, load: Load, keys: PostgresFaults['keys']): Promise<number> {
  const from = Date.now()
  for (const gateway of world.gateways) {
    for (const ask of [
      () => cold({ load, keys }, gateway),
      () => load.one(gateway, keys.warm, `healthy ${colds++}`),
      () => load.one(gateway, keys.other, `healthy ${colds++}`),
    ]) {
      for (let seen = await ask(); seen.status !== 200; seen = await ask()) {
        if (Date.now() - from > 60_000) throw new Error(`no call is admitted: ${JSON.stringify(seen)}\n${gateway.output.join('').slice(-3000)}`)
        await wait(50)
      }
    }
  }
  return Date.now() - from
}

async function under (name: string, fault: Fault, faults: PostgresFaults): Promise<void> {
  const { world, load, keys, say } = faults
  const from = Date.now()
  await fault(faults)
  const to = Date.now()
  const recoveredMs = await healthy(world, load, keys)
  const sum = load.between(from, to)
  const late = load.seen.filter(({ at, ms }) => at >= from && ms > DEADLINE_MS)
  if (late.length > 0) throw new Error(`${name}: a call waited for ${late[0]?.ms} ms: ${JSON.stringify(late[0])}`)
  const hard = load.seen.find(({ at, status, answer }) => at >= from && status >= 500 && answer?.retryable !== true)
  if (hard !== undefined) throw new Error(`${name}: a refusal that is not worth another try: ${JSON.stringify(hard)}`)
  if (sum.broken > 0) throw new Error(`${name}: ${sum.broken} connections broke`)
  const warm = load.between(from, to, keys.warm)
  const tight = load.between(from, to, keys.tight)
  say(`${name}: ${((to - from) / 1000).toFixed(1)} s, ${sum.admitted} calls admitted, ${sum.refused - tight.refused} refused ` +
    `(of a warm budget ${warm.admitted} and ${warm.refused}${warm.codes}); slowest answer ${sum.slowestMs} ms; all well ${recoveredMs} ms after`)
}

/** all that ended is recorded, the books agree, and nothing is left */
async function finish (world: ProofWorld, load: Load, say: Say): Promise<void> {
  const admitted = load.seen.filter(({ status }) => status === 200).length
  await world.settled(async () => {
    const [row] = await world.rows<{ n: string }>('select count(*) as n from usage_events')
    return Number(row?.n) >= admitted
  }, 60_000)
  const { reached, events, uncertain } = await agree(world)
  if (reached !== events || uncertain > 0) throw new Error(`${reached} calls reached the provider, ${events} are recorded, ${uncertain} uncertain`)
  await neverOver(world)
  const [{ tight = '0' } = {}] = await world.rows<{ tight: string }>(`
    select count(*) as tight from budget_usage_records r join budget_accounts a on a.id = r.account_id
    join budget_definitions b on b.id = a.budget_id where b.name = 'tight'`)
  for (const { child, output } of world.gateways) {
    const code = await kill(child, 'SIGTERM')
    if (code !== 0) throw new Error(`a gateway ended with ${code}: ${output.join('').slice(-3000)}`)
  }
  await nothingLeft(world)
  say(`${load.seen.length} calls, ${events} recorded once each, ${tight} of them on the budget that ran out and was not passed; nothing is left`)
}

const SILENT_FOR_MS = 12_000

export const FAULTS = {
  'restart, fast': async ({ server }) => {
    await server.stop('fast')
    await wait(2_000)
    await server.start()
  },
  'restart, immediate': async ({ server }) => {
    await server.stop('immediate')
    await wait(2_000)
    await server.start()
  },
  'gone for 20 s': async (faults) => {
    await faults.server.stop('immediate')
    const until = Date.now() + 20_000
    let slowest = 0
    let slowestKnown = 0
    for (const from = Date.now(); Date.now() < until; await wait(200)) {
      for (const gateway of faults.world.gateways) {
        const seen = await cold(faults, gateway)
        if (seen.status !== 503) throw new Error(`a cold call was answered ${seen.status}`)
        if (Date.now() - from > 7_000) slowestKnown = Math.max(slowestKnown, seen.ms)
        else slowest = Math.max(slowest, seen.ms)
      }
    }
    faults.say(`a cold call is refused within ${slowest} ms, and within ${slowestKnown} ms once the outage is known`)
    await faults.server.start()
  },
  'silent for 12 s (a partition)': async (faults) => {
    faults.proxy.hold()
    const until = Date.now() + SILENT_FOR_MS
    let slowest = 0
    let slowestKnown = 0
    for (const from = Date.now(); Date.now() < until; await wait(200)) {
      const seen = await cold(faults, faults.world.gateways[0] as GatewayProcess)
      if (seen.status !== 503) throw new Error(`a cold call was answered ${seen.status}`)
      if (seen.at - from > 7_000) slowestKnown = Math.max(slowestKnown, seen.ms)
      else slowest = Math.max(slowest, seen.ms)
    }
    faults.say(`a cold call is refused within ${slowest} ms, and within ${slowestKnown} ms once the silence is known`)
    faults.proxy.pass()
  },
  'half-open connections': async ({ proxy }) => {
    proxy.halfOpen()
    await wait(5_000)
  },
  'backends killed each 5 ms for 5 s': async ({ server }) => {
    const client = new pg.Client(server.url(DATABASE))
    await client.connect()
    let killed = 0
    for (const until = Date.now() + 5_000; Date.now() < until; await wait(5)) {
      const { rowCount } = await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'relaycore%' and state = 'active'
         order by random() limit 2`)
      killed += rowCount ?? 0
    }
    if (killed === 0) throw new Error('no backend was killed')
    await client.end()
  },
  'answers lost after each of 30 statements': async ({ proxy }) => {
    for (let n = 0; n < 30; n++) {
      await proxy.cutOn(['grant_leases', 'post_usage', 'beat'][n % 3] as string, n % 4 < 2 ? 'unanswered' : 'before')
    }
  },
  'a change whose commit is not answered': async ({ world, proxy }) => {
    const gateway = world.gateways[0] as GatewayProcess
    const cut = proxy.cutOn('commit', 'unanswered')
    const change = async () => await world.admin<{ id: string }>(gateway, 'POST', '/holds', {
      identity: { organizationId: 'other' }, amount: '1', currency: 'USD', externalId: 'once',
    }, { 'idempotency-key': 'once' })
    const first = await change().catch((error: unknown) => String(error))
    await cut
    const { id } = await change()
    const open = await world.rows("select id from long_holds where state = 'open'")
    if (open.length !== 1) throw new Error(`${open.length} holds; the first answer was ${JSON.stringify(first)}`)
    await world.admin(gateway, 'POST', `/holds/${id}/release`)
  },
  'an account\'s row held for 30 s': async ({ world, server, load, keys, say }) => {
    const client = new pg.Client(server.url(DATABASE))
    await client.connect()
    await client.query('begin')
    await client.query(`select from budget_accounts a join budget_definitions b on b.id = a.budget_id
      where b.name = 'other' for update of a`)
    const from = Date.now()
    const others: Seen[] = []
    while (Date.now() - from < 30_000) {
      for (const gateway of world.gateways) others.push(await cold({ load, keys }, gateway))
      await wait(200)
    }
    const admitted = others.filter(({ status }) => status === 200).length
    const slowest = Math.max(...others.map(({ ms }) => ms))
    say(`meanwhile ${admitted} of ${others.length} cold calls on other budgets were admitted, the slowest in ${slowest} ms`)
    await client.query('rollback')
    await client.end()
  },
  'commits that take 200 ms': async ({ server }) => {
    await server.sql('alter system set commit_delay = 100000')
    await server.sql('alter system set commit_siblings = 0')
    await server.sql('select pg_reload_conf()')
    await wait(6_000)
    await server.sql('alter system reset all')
    await server.sql('select pg_reload_conf()')
  },
  'a network that takes a second each way': async ({ proxy }) => {
    proxy.delay(1_000)
    await wait(8_000)
    proxy.pass()
  },
  'no connections left': async ({ server, proxy }) => {
    const clients: pg.Client[] = []
    for (;;) {
      const client = new pg.Client(server.url(DATABASE))
      client.on('error', () => undefined)
      try {
        await client.connect()
        clients.push(client)
      } catch (error) {
        if ((error as { code?: string }).code !== '53300') throw error
        break
      }
    }
    await wait(3_000)
    // and those that the gateways had are gone too
    proxy.cut()
    const more = new pg.Client(server.url(DATABASE))
    more.on('error', () => undefined)
    await more.connect().catch(() => undefined)
    await wait(3_000)
    for (const client of [...clients, more]) await client.end().catch(() => undefined)
  },
} satisfies { [name: string]: Fault }

const BOUND = 4 * 1024 * 1024

/** PostgreSQL is away until the journal may not grow any more */
export async function proveJournalBound (say: Say): Promise<void> {
  const server = await PostgresServer.create()
  await server.sql(`create database ${DATABASE}`)
  await migrate(server.url(DATABASE))
  const world = await ProofWorld.open({ redis: false, databaseUrl: server.url(DATABASE) })
  try {
    const gateway = await world.startGateway(undefined, {
      RELAYCORE_JOURNAL_MAX_BYTES: String(BOUND), RELAYCORE_CARRY_MS: '3600000',
    })
    const load = new Load(world, [await aBudget(world, gateway, 'warm', '1000')])
    load.start(24)
    await wait(WARMING_MS)
    await server.stop('immediate')
    const from = Date.now()
    const full = () => load.seen.some(({ answer }) => answer?.code === 'ledger_backlog')
    for (; !full(); await wait(100)) if (Date.now() - from > 240_000) throw new Error('the journal was never full')
    const fullMs = Date.now() - from
    // what goes on meanwhile ends
    await wait(2_000)
    const folder = join(gateway.dataDir, 'journal')
    const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    const { admitted, refused, codes } = load.between(from, Date.now())
    await server.start()
    const up = Date.now()
    while (load.between(up, Date.now()).admitted === 0) await wait(50)
    say(`full after ${fullMs} ms and ${admitted} calls, ${bytes} bytes of ${BOUND}; ${refused} refused:${codes}; ` +
      `calls go on ${Date.now() - up} ms after PostgreSQL is back`)
    if (bytes > BOUND * 1.05) throw new Error(`the journal has grown to ${bytes} bytes`)
    const told = gateway.output.join('')
    for (const line of ['half as many ended calls wait', 'no more ended calls may wait', 'are recorded again']) {
      if (!told.includes(line)) throw new Error(`the log does not say: ${line}`)
    }
    await load.stop()
    await finish(world, load, say)
  } finally {
    await world.close()
    await server.remove()
  }
}

/** the disk of the server is full, on a file system of its own, which takes root */
export async function proveFullDisk (say: Say): Promise<void> {
  if (process.getuid?.() !== 0) {
    say('not shown: a file system of its own takes root')
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=220m', 'tmpfs', folder])
  try {
    const server = await PostgresServer.create({ max_wal_size: '64MB', min_wal_size: '32MB' }, folder)
    const proxy = await startFaultProxy(server.port)
    try {
      await withLoad(server, `postgres://postgres@127.0.0.1:${proxy.port}/${DATABASE}`, say, async (world, load, keys) => {
        await under('a full disk for 15 s', async () => {
          const filler = join(folder, 'filler')
          const { bavail, bsize } = statfsSync(folder)
          writeFileSync(filler, Buffer.alloc(bavail * bsize))
          await wait(15_000)
          rmSync(filler)
          // one that could not write its log has ended, as it must
          await server.answers().catch(async () => { await server.start() })
        }, { world, server, proxy, load, keys, say })
      })
    } finally {
      await proxy.close()
      await server.stop('immediate')
    }
  } finally {
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  }
}

/** the primary dies, and a synchronous replica at another address is promoted */
export async function proveFailover (say: Say): Promise<void> {
  const primary = await PostgresServer.create()
  const replica = await primary.follower(true)
  try {
    const url = `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${replica.port}/${DATABASE}?target_session_attrs=read-write`
    await withLoad(primary, url, say, async (world, load, keys) => {
      const proxy = null as unknown as FaultProxy
      await under('failover to a synchronous replica', async () => {
        await primary.stop('immediate')
        await wait(1_000)
        await replica.promote()
        await world.moveTo(replica.url(DATABASE))
      }, { world, server: primary, proxy, load, keys, say })
    })
  } finally {
    await primary.remove()
    await replica.remove()
  }
}

/**
 * No commit waits for the replica that is promoted, so it lacks the last seconds of them: gateways find out, end, and
 * as they are started again record what their journals have. What was granted twice may be overspent.
 */
export async function proveLostCommits (say: Say): Promise<void> {
  const primary = await PostgresServer.create()
  const replica = await primary.follower(false)
  try {
    const url = `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${replica.port}/${DATABASE}?target_session_attrs=read-write`
    await withLoad(primary, url, say, async (world, load, keys) => {
      await replica.sql("alter system set primary_conninfo = ''")
      await replica.sql('select pg_reload_conf()')
      await wait(3_000)
      const [before] = await world.rows<{ n: string }>('select count(*) as n from usage_events')
      await primary.stop('immediate')
      await replica.promote()
      await world.moveTo(replica.url(DATABASE))
      const [after] = await world.rows<{ n: string }>('select count(*) as n from usage_events')
      const ended = await Promise.all(world.gateways.map(async (gateway) => {
        const { child, output } = gateway
        if (child.exitCode === null) await once(child, 'exit')
        if (!/has lost what it had committed/.test(output.join(''))) throw new Error(`it ended otherwise: ${output.join('').slice(-2_000)}`)
        await world.startGateway(gateway, { DATABASE_URL: url })
      }))
      const recoveredMs = await healthy(world, load, keys)
      say(`${Number(before?.n) - Number(after?.n)} recorded calls were lost with the primary; ${ended.length} gateways found out, ended ` +
        `and were started again; all well ${recoveredMs} ms after`)
    }, finishLost)
  } finally {
    await primary.remove()
    await replica.remove()
  }
}

/** each call is recorded once, at its cost or, where its gateway ended before it did, at its quote */
async function finishLost (world: ProofWorld, load: Load, say: Say): Promise<void> {
  await world.settled(async () => await agree(world).then(() => true, () => false), 60_000)
  for (const { child } of world.gateways) await kill(child, 'SIGTERM')
  const { reached, events, uncertain } = await agree(world)
  await nothingLeft(world)
  say(`${load.seen.length} calls, ${reached} reached the provider, ${events} recorded once each, ${uncertain} of them as uncertain; nothing is left`)
}

/** all goes through PgBouncer in transaction mode, with fewer connections to PostgreSQL than the gateways have */
export async function provePgBouncer (say: Say): Promise<void> {
  const server = await PostgresServer.create()
  const bouncer = await startPgBouncer(server.port, 6)
  try {
    say(bouncer.version)
    await withLoad(server, bouncer.url(DATABASE), say, async (world, load, keys) => {
      const faults = { world, server, proxy: null as unknown as FaultProxy, load, keys, say }
      await under('nothing is wrong for 10 s', async () => { await wait(10_000) }, faults)
      const [named] = await world.rows<{ n: number }>(`select count(*)::integer as n from pg_stat_activity
        where application_name like 'relaycore%' and datname = '${DATABASE}'`)
      say(`${named?.n} connections of PostgreSQL for two gateways`)
      await under('restart, fast, behind PgBouncer', FAULTS['restart, fast'], faults)
    })
  } finally {
    await bouncer.stop()
    await server.remove()
  }
}
