import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { runCommand } from '../../src/commands.ts'
import { bookedCost, type GatewayProcess, kill, ProofWorld } from './world.ts'

/**
 * The database is dumped by pg_dump while two gateways take calls, and goes on: more calls come, one gateway is killed
 * and starts again, a third starts for the first time, a budget and a key are made. Then all is lost but the dump and
 * the journals. (a) Restored, with the gateways on their journals: every call that the provider saw is in the ledger
 * once, but those that were recorded behind the dump by a process life whose journal was done with; what was charged
 * on accounts that nobody knows any more is told and left out. (b) Restored, with new data folders: what was leased at
 * the time of the dump is in doubt, and counted as spent by write-offs. In both the ledger agrees with itself.
 */
export interface BackupResult {
  inDump: number
  reached: number
  /** events of (a) */
  recorded: number
  /** of them set aside, and recorded by command */
  setAside: number
  /** recorded behind the dump, and in no journal any more */
  gone: number
  writtenOff: number
}

const run = promisify(execFile)

export async function proveBackup ({ calls }: { calls: number }, say: (line: string) => void): Promise<BackupResult> {
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-backup-'))
  const world = await ProofWorld.open({ redis: true })
  try {
    const dump = join(folder, 'dump')
    const live = await before(world, dump, calls)
    const lost = world.db
    const books = await world.books()
    const a = await restore(world, dump, 'on_their_journals')
    const inDump = Number((await world.rows<{ n: string }>('select count(*) as n from usage_events'))[0]?.n)
    await refusesUnprepared(world, live)
    const { recorded, setAside } = await onJournals(world, live)
    const gone = await goneWith(lost, live.forgotten, a)
    await lost.end()
    for (const entry of books.filter(({ requestId }) => !gone.has(requestId ?? ''))) {
      const found = await world.rows<{ certainty: string, cost_nano: string, quote_nano: string }>(
        'select certainty, cost_nano, quote_nano from usage_events where request_id = $1', [entry.requestId])
      const [event] = found
      if (event === undefined || found.length > 1) throw new Error(`call ${entry.requestId} is recorded ${found.length} times`)
      const cost = event.certainty === 'exact' ? bookedCost(entry) : BigInt(event.quote_nano)
      if (BigInt(event.cost_nano) !== cost) throw new Error(`call ${entry.requestId} is recorded at ${event.cost_nano}, not ${cost}`)
    }
    await restore(world, dump, 'on_new_folders')
    await a.end()
    const writtenOff = await onNewFolders(world)
    say(`${books.length} calls, ${inDump} of them in the dump; (a) ${recorded} recorded, ${setAside} of them by command, ` +
      `${gone.size} gone with the database: their gateway had done with its journal; (b) ${writtenOff} gateways written off; no drift in either`)
    return { inDump, reached: books.length, recorded, setAside, gone: gone.size, writtenOff }
  } finally {
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Live {
  gateways: GatewayProcess[]
  /** the process life of which another one has recorded the journal, behind the dump */
  forgotten: string
}

/** calls of that life in the database that is lost, but for those of the dump */
async function goneWith (lost: pg.Pool, forgotten: string, restored: pg.Pool): Promise<Set<string>> {
  const { rows } = await lost.query<{ id: string }>('select request_id as id from usage_events where incarnation = $1', [forgotten])
  const known = await restored.query<{ id: string }>('select request_id as id from usage_events')
  const kept = new Set(known.rows.map(({ id }) => id))
  return new Set(rows.map(({ id }) => id).filter((id) => !kept.has(id)))
}

/** what happens until all is lost */
async function before (world: ProofWorld, dump: string, calls: number): Promise<Live> {
  let [one, two] = [await world.startGateway(), await world.startGateway()]
  const budget = { scopeType: 'organization', amount: '100', currency: 'USD', period: 'monthly' }
  await world.admin(one, 'POST', '/budgets', { ...budget, name: 'acme', scopeId: 'acme' })
  const { key } = await world.admin<{ key: string }>(one, 'POST', '/keys', { name: 'k', organizationId: 'acme' })
  let n = 0
  const call = async (gateway: GatewayProcess, apiKey = key) => {
    const behaviour = { delayMs: Math.random() * 40, pieces: 4, gapMs: Math.random() * 10 }
    await world.call(gateway, apiKey, `call ${n++}`, { max_tokens: 100, stream: n % 2 === 0 }, behaviour).catch(() => undefined)
  }
  const many = async (gateways: GatewayProcess[], count: number) => {
    await Promise.all(gateways.map(async (gateway) => { for (let i = 0; i < count; i++) await call(gateway) }))
  }
  const under = many([one, two, one, two], calls / 8)
  while ((await world.books()).length < calls / 8) await wait(5)
  await run('pg_dump', ['--format=custom', '--file', dump, world.databaseUrl])
  await under
  await kill(two.child, 'SIGKILL')
  const living = async () => (await world.rows<{ id: string }>('select incarnation as id from gateways order by 1')).map(({ id }) => id)
  const forgotten = (await living())[1] ?? ''
  two = await world.startGateway(two)
  const three = await world.startGateway()
  await world.admin(one, 'POST', '/budgets', { ...budget, name: 'later', scopeId: 'later' })
  const later = await world.admin<{ key: string }>(one, 'POST', '/keys', { name: 'k', organizationId: 'later' })
  await many([one, two, three], calls / 6)
  for (let i = 0; i < 3; i++) await call(one, later.key)
  const last = many([one, two, three], 10)
  await wait(30)
  await Promise.all([one, two, three].map(({ child }) => kill(child, 'SIGKILL')))
  await last
  return { gateways: [one, two, three], forgotten }
}

/** a new database; the one before is as good as gone */
async function restore (world: ProofWorld, dump: string, name: string): Promise<pg.Pool> {
  await world.db.query(`create database ${name}`)
  world.databaseUrl = world.databaseUrl.replace(/\/[^/?]*(\?|$)/, `/${name}$1`)
  await run('pg_restore', ['--exit-on-error', '--dbname', world.databaseUrl, dump])
  const pool = new pg.Pool({ connectionString: world.databaseUrl, max: 2 })
  pool.on('error', () => undefined)
  world.db = pool
  return pool
}

/** a journal of a process life that began behind the dump */
async function refusesUnprepared (world: ProofWorld, live: Live): Promise<void> {
  const three = live.gateways[2] as GatewayProcess
  const refused = await world.startGateway(three).then(() => 'started', (error: Error) => error.message)
  if (!/restored from a backup, run `relaycore reconcile --restored`/.test(refused)) throw new Error(`it was not refused: ${refused}`)
}

async function onJournals (world: ProofWorld, { gateways: live, forgotten }: Live) {
  await settledDown(world)
  await command(world, live[0] as GatewayProcess, '--restored')
  const started: GatewayProcess[] = []
  for (const gateway of live) {
    const known = world.gateways.find(({ dataDir }) => dataDir === gateway.dataDir) as GatewayProcess
    started.push(await world.startGateway(known))
  }
  const [one] = started as [GatewayProcess]
  let setAside = 0
  for (const gateway of started) setAside += (await command(world, gateway, '--apply')).filter((line) => line.endsWith(': recorded')).length
  const [row] = await world.rows<{ n: string }>('select count(*) as n from usage_events')
  for (const { child, output } of started) {
    const code = await kill(child, 'SIGTERM')
    if (code !== 0) throw new Error(`a gateway ended with ${code}: ${output.join('')}`)
  }
  await agrees(world, one)
  // what it had leased when the dump was made stands for its calls that are gone
  const lost = (await command(world, one)).flatMap((line) => /^gateway (\d+) on /.exec(line)?.[1] ?? [])
  if (lost.join() !== forgotten) throw new Error(`in doubt are ${lost.join()}, and not ${forgotten}`)
  await command(world, one, '--write-off', forgotten)
  await agrees(world, one)
  const left = await world.rows('select * from budget_accounts where leased_nano <> 0')
  if (left.length > 0) throw new Error(`something stays leased: ${JSON.stringify(left)}`)
  return { recorded: Number(row?.n), setAside }
}

async function onNewFolders (world: ProofWorld): Promise<number> {
  await settledDown(world)
  const fresh = await world.startGateway()
  await command(world, fresh, '--restored').then(() => { throw new Error('a gateway answered, and nobody minded') }, () => undefined)
  await kill(fresh.child, 'SIGTERM')
  await command(world, fresh, '--restored')
  const again = await world.startGateway(fresh)
  const lost = (await command(world, again)).flatMap((line) => /^gateway (\d+) on /.exec(line)?.[1] ?? [])
  if (lost.length !== 2) throw new Error(`${lost.length} gateways are in doubt, not the two of the dump`)
  await agrees(world, again)
  for (const gateway of lost) await command(world, again, '--write-off', gateway)
  await kill(again.child, 'SIGTERM')
  await agrees(world, again)
  const left = await world.rows('select * from budget_accounts where leased_nano <> 0')
  if (left.length > 0) throw new Error(`something stays leased: ${JSON.stringify(left)}`)
  return lost.length
}

/** those that lived when the dump was made seem to for some seconds */
async function settledDown (world: ProofWorld): Promise<void> {
  await world.settled(async () => (await world.rows('select from gateways g where responds(g)')).length === 0, 30_000)
}

async function agrees (world: ProofWorld, gateway: GatewayProcess): Promise<void> {
  const said = await command(world, gateway, '--all')
  if (!said.some((line) => line.startsWith('The ledger agrees with itself'))) throw new Error(said.join('\n'))
}

async function command (world: ProofWorld, gateway: GatewayProcess, ...args: string[]): Promise<string[]> {
  const said: string[] = []
  const say = (text: string) => { said.push(...text.split('\n')) }
  const env = { DATABASE_URL: world.databaseUrl, RELAYCORE_DATA_DIR: gateway.dataDir }
  await runCommand(['reconcile', ...args], env, { say, warn: say }, async () => 1)
  return said
}
