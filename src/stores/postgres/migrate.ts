import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { steadyNow } from '../../clock.ts'
import { connectTo } from './hosts.ts'

/**
 * Brings a database to the schema of this program: each file of sql/migrations in a transaction of its own, together
 * with its version row, under an advisory lock of that transaction. So of two that start at once one migrates and the
 * other waits, a crash leaves a whole version behind, and a pooler between us and PostgreSQL does no harm.
 * Gateways may run meanwhile: a lock that somebody else has is waited for so shortly that they hardly notice who waits
 * behind, and again and again. Fails closed: a database that was made from other files, or that is newer than the
 * program and does not say that it may run on it, is not touched.
 */
export type MigrationErrorCode =
  'database_newer' | 'database_busy' |
  'migration_changed' | 'migration_forbidden' | 'migration_failed' | 'database_unreachable'

export class MigrationError extends Error {
  readonly code: MigrationErrorCode

  constructor (code: MigrationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export interface MigrateOptions {
  /** folder of the `NNN.do.name.sql` files; default: the ones that came with this program */
  directory?: string
  /** hears what is worth to be known */
  say?: (line: string) => void
  /** how long locks that others have are waited for in all, ms; default a minute */
  waitMs?: number
}

export interface Migrated {
  /** version of the schema after the run */
  version: number
  /** names of what was applied now, in order */
  applied: string[]
}

/** Kept apart from other programs' tables of the same purpose in a shared database. */
const SCHEMA_TABLE = 'relaycore_migrations'
const SCHEMA_COLUMNS = '(version bigint primary key, name text, md5 text, run_at timestamptz)'
const FILE = /^(\d+)\.do\.(.*)\.sql$/
const LOCK = "select pg_advisory_xact_lock(hashtext('relaycore migrate'))"
const MONTHS_AHEAD = 3
/** whoever comes behind a migration that waits for a lock waits as well */
const LOCK_MS = 500
/** what has come meanwhile goes on before the next try */
const PAUSE_MS = 1_000
const WAIT_MS = 60_000
/** a lock that was not to be had in time, or that closes a circle */
const BUSY = new Set(['55P03', '40P01'])

/** Accepts a connection string, of which it closes the connection, or a pool, of which it borrows one. */
export async function migrate (target: string | pg.Pool, options: MigrateOptions = {}): Promise<Migrated> {
  if (typeof target !== 'string') return await withPooled(target, (client) => run(client, options))
  let client: pg.Client | undefined
  try {
    client = await connectTo(target, 'relaycore migrate')
    return await run(client, options)
  } catch (error) {
    throw plain(error)
  } finally {
    await client?.end().catch(() => undefined)
  }
}

/**
 * True: the database has the schema of this program, and partitions for the coming months. False: `migrate` is to be
 * asked, which also says what is wrong with a database that cannot be.
 */
export async function isMigrated (pool: pg.Pool): Promise<boolean> {
  let client: pg.PoolClient | undefined
  let failed = false
  try {
    client = await pool.connect()
    const migrations = migrationsIn(join(sqlDirectory(), 'migrations'))
    if (await versionOf(client, migrations) !== migrations.at(-1)?.version) return false
    await ensurePartitions(client)
    return true
  } catch {
    failed = true
    return false
  } finally {
    client?.release(failed)
  }
}

export interface SchemaVersions {
  /** by this program */
  known: number
  /** in the database; null: nothing of ours */
  found: number | null
  /** this program may run on it as it is */
  fits: boolean
}

/** what this program knows, and what a database has */
export async function schemaVersions (client: pg.Pool | pg.ClientBase): Promise<SchemaVersions> {
  const files = readdirSync(join(sqlDirectory(), 'migrations'))
  const known = Math.max(...files.map((file) => Number(FILE.exec(file)?.[1] ?? 0)))
  const { rows: [table] } = await client.query<{ is: boolean }>('select to_regclass($1) is not null as is', [SCHEMA_TABLE])
  if (table?.is !== true) return { known, found: null, fits: false }
  const text = `select max(version)::integer as version from ${SCHEMA_TABLE}`
  const { rows: [row] } = await client.query<{ version: number | null }>(text)
  const found = row?.version ?? null
  const fits = found === known || (found !== null && found > known && await programsFrom(client) <= known)
  return { known, found, fits }
}

/** Partitions for the coming months; to be repeated while a process lives, since months pass. */
export async function ensurePartitions (client: pg.Pool | pg.ClientBase): Promise<void> {
  await client.query('select ensure_partitions($1)', [MONTHS_AHEAD])
}

/** sql/ of this program: beside src/ in a checkout, and above the folder that a build is in. */
export function sqlDirectory (): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (let up = 0; up < 6; up++) {
    const candidate = join(folder, 'sql')
    if (existsSync(join(candidate, 'migrations'))) return candidate
    folder = dirname(folder)
  }
  throw new MigrationError('migration_failed', 'The folder sql/migrations that belongs to this program is missing')
}

async function withPooled<T> (pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  let client: pg.PoolClient | undefined
  let failed = true
  try {
    client = await pool.connect()
    const result = await work(client)
    failed = false
    return result
  } catch (error) {
    throw plain(error)
  } finally {
    client?.release(failed)
  }
}

interface Migration { version: number, name: string, sql: string, md5: string }

/** in order */
function migrationsIn (directory: string): Migration[] {
  const found: Migration[] = []
  for (const file of readdirSync(directory)) {
    const [, version, name = ''] = FILE.exec(file) ?? []
    if (version === undefined) continue
    const sql = readFileSync(join(directory, file), 'utf8')
    // line ends make no difference
    const md5 = createHash('md5').update(sql.replace(/\r\n?/g, '\n')).digest('hex')
    found.push({ version: Number(version), name, sql, md5 })
  }
  return found.sort((a, b) => a.version - b.version)
}

async function run (client: pg.ClientBase, options: MigrateOptions): Promise<Migrated> {
  const { directory = join(sqlDirectory(), 'migrations'), say = () => undefined, waitMs = WAIT_MS } = options
  const migrations = migrationsIn(directory)
  const applied: string[] = []
  let until: number | null = null
  for (;;) {
    try {
      const step = await inTransaction(client, () => applyNext(client, migrations, say))
      if (step.applied === undefined) return { version: step.version, applied }
      applied.push(step.applied)
      until = null
    } catch (error) {
      if (!BUSY.has(sqlState(error) ?? '')) throw error
      if (until === null) say(`a migration waits for a lock that ${await oldestTransaction(client)} may have`)
      until ??= steadyNow() + waitMs
      if (steadyNow() >= until) {
        throw new MigrationError('database_busy', `A migration got no lock within ${waitMs / 1000} s. The oldest transaction ` +
          `is ${await oldestTransaction(client)}: let it end, or end it (select pg_terminate_backend(pid)), and start again`,
        { cause: error })
      }
      await pause(PAUSE_MS)
    }
  }
}

/** for people */
async function oldestTransaction (client: pg.ClientBase): Promise<string> {
  const { rows: [oldest] } = await client.query<{ pid: number, name: string, who: string, s: number }>(`
    select pid, application_name as name, usename as who, extract(epoch from clock_timestamp() - xact_start)::integer as s
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null order by xact_start limit 1`)
  return oldest === undefined ? 'somebody' : `pid ${oldest.pid} (${oldest.who}, "${oldest.name}", open for ${oldest.s} s)`
}

interface Step { version: number, applied?: string }

async function applyNext (client: pg.ClientBase, migrations: Migration[], say: (line: string) => void): Promise<Step> {
  await client.query(LOCK)
  await client.query(`set local lock_timeout = ${LOCK_MS}`)
  const found = await versionOf(client, migrations)
  const version = found ?? 0
  const newest = migrations.at(-1)?.version ?? 0
  if (version > newest) await mayRunOn(client, version, newest, say)
  const next = migrations.find((one) => one.version > version)
  if (next === undefined) {
    await ensurePartitions(client)
    return { version }
  }
  if (found === null) await client.query(`create table ${SCHEMA_TABLE} ${SCHEMA_COLUMNS}`)
  await client.query(next.sql)
  await client.query(`insert into ${SCHEMA_TABLE} (version, name, md5, run_at) values ($1, $2, $3, now())`,
    [next.version, next.name, next.md5])
  return { version: next.version, applied: next.name }
}

/** Migrations that came after what this program knows have only added, unless they say so. */
async function mayRunOn (
  client: pg.ClientBase, version: number, newest: number, say: (line: string) => void
): Promise<void> {
  const from = await programsFrom(client)
  if (from > newest) {
    throw new MigrationError('database_newer', `The database has schema version ${version}, on which programs run that know ` +
      `version ${from}; this program knows up to ${newest}: start a newer program`)
  }
  say(`the database has schema version ${version}, this program knows up to ${newest}, and may run on it`)
}

async function programsFrom (client: pg.Pool | pg.ClientBase): Promise<number> {
  const { rows: [row] } = await client.query<{ from: number }>('select programs_from as from from deployment')
  return row?.from ?? Infinity
}

/** of the schema as it is, which was made from these migrations; null: there is none yet */
async function versionOf (client: pg.ClientBase, migrations: Migration[]): Promise<number | null> {
  const { rows: [found] } = await client.query<{ schema: string | null, is: boolean }>(
    'select current_schema() as schema, to_regclass($1) is not null as is', [SCHEMA_TABLE])
  if (found === undefined || found.schema === null) {
    throw new MigrationError('migration_forbidden', 'The database has no schema that this user may create tables in')
  }
  if (!found.is) return null
  const { rows } = await client.query<{ version: number, md5: string | null }>(
    `select version::integer, md5 from ${SCHEMA_TABLE} order by version`)
  const made = new Map(rows.map(({ version, md5 }) => [version, md5]))
  const version = rows.at(-1)?.version ?? 0
  for (const migration of migrations) {
    const md5 = made.get(migration.version) ?? migration.md5
    if (migration.version <= version && md5 !== migration.md5) {
      throw new MigrationError('migration_changed',
        `The database was made from other migrations than this program has (that of version ${migration.version} is another one)`)
    }
  }
  return version
}

async function inTransaction<T> (client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('begin')
  try {
    const result = await work()
    await client.query('commit')
    return result
  } catch (error) {
    // The connection may be the reason of the failure; it is dropped then, and the transaction with it.
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

function sqlState (error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

function plain (error: unknown): MigrationError {
  if (error instanceof MigrationError) return error
  const state = sqlState(error)
  const message = error instanceof Error ? error.message : String(error)
  if (state === '42501') {
    return new MigrationError('migration_forbidden',
      `The database user may not change the schema (${message}): let a user who may run "relaycore migrate"`, { cause: error })
  }
  if (state?.startsWith('28') === true) {
    return new MigrationError('migration_forbidden', `The database does not let this user in: ${message}`, { cause: error })
  }
  if (state === undefined || state.startsWith('08') || state.startsWith('57P')) {
    return new MigrationError('database_unreachable', `The database cannot be reached: ${message}`, { cause: error })
  }
  return new MigrationError('migration_failed', `The database could not be migrated: ${message}`, { cause: error })
}
