import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { connectTo } from './hosts.ts'

/**
 * Brings a database to the schema of this program: each file of sql/migrations in a transaction of its own, together
 * with its version row, under an advisory lock of that transaction. So of two that start at once one migrates and the
 * other waits, a crash leaves a whole version behind, and a pooler between us and PostgreSQL does no harm.
 * Fails closed: a database that is newer than the program, or that was made from other files, is not touched.
 */
export type MigrationErrorCode =
  'database_newer' | 'migration_changed' | 'migration_forbidden' | 'migration_failed' | 'database_unreachable'

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

/** what this program knows, and what a database has; null: nothing of ours */
export async function schemaVersions (
  client: pg.Pool | pg.ClientBase
): Promise<{ known: number, found: number | null }> {
  const files = readdirSync(join(sqlDirectory(), 'migrations'))
  const known = Math.max(...files.map((file) => Number(FILE.exec(file)?.[1] ?? 0)))
  const { rows: [table] } = await client.query<{ is: boolean }>('select to_regclass($1) is not null as is', [SCHEMA_TABLE])
  if (table?.is !== true) return { known, found: null }
  const text = `select max(version)::integer as version from ${SCHEMA_TABLE}`
  const { rows: [row] } = await client.query<{ version: number | null }>(text)
  return { known, found: row?.version ?? null }
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
  const migrations = migrationsIn(options.directory ?? join(sqlDirectory(), 'migrations'))
  const applied: string[] = []
  for (;;) {
    const step = await inTransaction(client, () => applyNext(client, migrations))
    if (step.applied === undefined) return { version: step.version, applied }
    applied.push(step.applied)
  }
}

interface Step { version: number, applied?: string }

async function applyNext (client: pg.ClientBase, migrations: Migration[]): Promise<Step> {
  await client.query(LOCK)
  const found = await versionOf(client, migrations)
  const version = found ?? 0
  const newest = migrations.at(-1)?.version ?? 0
  if (version > newest) {
    throw new MigrationError('database_newer',
      `The database has schema version ${version}, this program knows up to ${newest}: start a newer program`)
  }
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
