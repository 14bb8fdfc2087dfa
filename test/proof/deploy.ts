import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { migrate, sqlDirectory } from '../../src/stores/postgres/migrate.ts'
import { agree, neverOver, nothingLeft } from './books.ts'
import { PROGRAM } from '../services/index.ts'
import { aSetting, endAll, type Say } from './gateways.ts'
import { Load } from './load.ts'
import { kill, ProofWorld, type GatewayProcess } from './world.ts'

/** New versions come while calls are made: of the schema under gateways that run, and of the gateways one by one. */
const ROOT = resolve(import.meta.dirname, '../../..')
/** the first version of the schema whose programs start on a newer one */
const RULED = 31

interface Program { root: string, program: string, name: string, remove: () => void }

/**
 * What migrations do, all of it at once: columns for every table, an index for each, every function made anew, a table.
 * It has to wait for a transaction that has read everything and goes on for `heldMs`.
 */
export async function proveUpgrade (
  world: ProofWorld, options: { gateways: number, clients: number, heldMs: number, short: boolean }, say: Say
): Promise<void> {
  const { gateways, clients, heldMs, short } = options
  const { key } = await aSetting(world)
  while (world.gateways.length < gateways) await world.startGateway()
  const load = new Load(world, [key])
  load.start(clients)
  await answered(world, load, 5 * clients)
  const { version, said, ms } = await upgrade(world, heldMs)
  await answered(world, load, load.seen.length + 5 * clients)
  await load.stop()
  const became = load.between(0, Infinity)
  if (became.refused + became.broken > 0) {
    throw new Error(`${became.refused} refused, ${became.broken} broken:${became.codes}`)
  }
  if (!short) await startedAgain(world, key, version)
  await endAll(world, world.gateways)
  say(`${became.admitted} calls at ${gateways} gateways, all answered, the slowest in ${became.slowestMs} ms, while every ` +
    `table and function changed (${ms} ms, behind a transaction of ${heldMs} ms: ${said.length > 0 ? 'tried again' : 'at once'})` +
    (short ? '' : '; then one of the version before was killed, and started again'))
}

/** one of the version before dies, and is started again on the newer schema */
async function startedAgain (world: ProofWorld, key: string, version: number): Promise<void> {
  const [victim] = world.gateways as [GatewayProcess]
  await kill(victim.child, 'SIGKILL')
  const again = await world.startGateway(victim)
  if (!again.output.join('').includes(`schema version ${version}`)) {
    throw new Error('it does not say that the schema is newer')
  }
  const { status } = await world.call(again, key, 'again', {})
  if (status !== 200) throw new Error(`a call at the one that was started again: ${status}`)
}

async function answered (world: ProofWorld, load: Load, count: number): Promise<void> {
  await world.settled(async () => load.seen.length >= count, 60_000)
}

async function upgrade (world: ProofWorld, heldMs: number): Promise<{ version: number, said: string[], ms: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'relaycore-migrations-'))
  const reader = await world.db.connect()
  try {
    cpSync(join(sqlDirectory(), 'migrations'), directory, { recursive: true })
    const next = readdirSync(directory).length + 1
    writeFileSync(join(directory, `${String(next).padStart(3, '0')}.do.all-of-it.sql`), await allOfIt(world))
    await reader.query('begin; select count(*) from usage_events; select count(*) from budget_accounts; select from leases')
    const from = Date.now()
    const said: string[] = []
    const letGo = async (): Promise<void> => { await reader.query('select pg_sleep($1)', [heldMs / 1000]); await reader.query('rollback') }
    const [{ version }] = await Promise.all([
      migrate(world.databaseUrl, { directory, say: (line) => { said.push(line) } }), letGo(),
    ])
    return { version, said, ms: Date.now() - from }
  } finally {
    reader.release()
    rmSync(directory, { recursive: true })
  }
}

async function allOfIt (world: ProofWorld): Promise<string> {
  const tables = await world.rows<{ name: string, key: string }>(`
    select c.relname as name, (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
      and not a.attisdropped order by a.attnum limit 1) as key
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and c.relname <> 'relaycore_migrations'`)
  const functions = await world.rows<{ text: string }>(`
    select pg_get_functiondef(p.oid) as text from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prokind = 'f'`)
  return [
    ...tables.map(({ name }) => `alter table ${name} add column later integer not null default 7;`),
    ...tables.map(({ name, key }) => `create index ${name}_later on ${name} (${key}, later);`),
    'create table later (id bigint primary key);',
    ...functions.map(({ text }) => `${text};`),
  ].join('\n')
}

/**
 * The version before, built from the history of this repository, gives way to this one, gateway by gateway, and then
 * this one to it, on the same data folders and under load; amid it one of each is killed.
 */
export async function proveRolling (before: Program, say: Say): Promise<void> {
  const world = await ProofWorld.open({ redis: true, bare: true })
  try {
    say(`the version before is ${before.name}`)
    await rollThereAndBack(world, before, say)
  } finally {
    await world.close()
    before.remove()
  }
}

async function rollThereAndBack (world: ProofWorld, { root, program }: Program, say: Say): Promise<void> {
  const { key } = await aSetting(world, {}, '100', program)
  for (let n = 1; n < 3; n++) await world.startGateway(undefined, {}, program)
  const balanced = [...world.gateways]
  const load = new Load(world, [key], 'load', balanced)
  load.start(8)
  await answered(world, load, 50)
  const from = Date.now()
  await roll(world, load, balanced, PROGRAM)
  const rolledBackFrom = Date.now()
  const mayComeBack = readdirSync(join(root, 'sql/migrations')).length >= RULED
  if (mayComeBack) await roll(world, load, balanced, program)
  await load.stop()
  const books = await agree(world)
  await neverOver(world)
  await endAll(world, world.gateways)
  await nothingLeft(world)
  const [there, back] = [load.between(from, rolledBackFrom), load.between(rolledBackFrom, Date.now())]
  const lost = [there, back].reduce((sum, { refused, broken }) => sum + refused + broken, 0)
  say(`${there.admitted} calls while 3 gateways of the version before gave way to this one, ` +
    `${mayComeBack ? `${back.admitted} while they came back` : 'which cannot come back: they start on no newer schema'}; ` +
    `${lost} not answered, of gateways that were killed${there.codes}${back.codes}; ` +
    `${books.events} events, ${books.uncertain} uncertain, books equal`)
}

/** out of the load, stopped in order or killed, started again by the other program on its journal */
async function roll (world: ProofWorld, load: Load, balanced: GatewayProcess[], program: string): Promise<void> {
  for (const [n, gateway] of [...balanced].entries()) {
    if (n === 1) await kill(gateway.child, 'SIGKILL')
    balanced.splice(balanced.indexOf(gateway), 1)
    if (n !== 1 && await kill(gateway.child, 'SIGTERM') !== 0) throw new Error('it did not end in order')
    balanced.push(await world.startGateway(gateway, {}, program))
    await answered(world, load, load.seen.length + 50)
  }
}

/** the program as it was before the newest migration, built in a folder of its own; null: its history is not here */
export function theVersionBefore (): Program | null {
  const newest = readdirSync(join(sqlDirectory(), 'migrations')).sort().at(-1) ?? ''
  const git = (...args: string[]): string => execFileSync('git', ['-C', ROOT, ...args], { encoding: 'utf8' }).trim()
  if (!existsSync(join(ROOT, '.git'))) return null
  const came = git('log', '-1', '--format=%H', '--diff-filter=A', '--', `sql/migrations/${newest}`)
  if (came === '') return null
  const root = mkdtempSync(join(tmpdir(), 'relaycore-before-'))
  execFileSync('sh', ['-c', `git -C "${ROOT}" archive ${came}^ | tar -x -C "${root}"`])
  const npm = (...args: string[]): void => { execFileSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2] }) }
  const locked = (folder: string): string => readFileSync(join(folder, 'package-lock.json'), 'utf8')
  if (locked(root) === locked(ROOT)) symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  else npm('ci', '--ignore-scripts', '--no-audit', '--no-fund')
  npm('run', '-s', 'build:test')
  const program = join(root, 'out/src/cli.js')
  return { root, program, name: git('log', '-1', '--format=%h', `${came}^`), remove: () => { rmSync(root, { recursive: true }) } }
}
