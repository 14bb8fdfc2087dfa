/** A migrated database of its own for each test. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import root, { type Test } from 'tap'
import { migrate } from '../../../src/stores/postgres/migrate.ts'
import { postgresUrl, TEMPLATE_ENV } from '../../services/index.ts'

/** The others are copies of it; a test file that is run by itself makes its own. */
let template: Promise<string> | undefined
let pool: pg.Pool | undefined

/** A connection string. */
export async function anEmptyDatabase (t: Test): Promise<string> {
  return await create(t, '')
}

export async function aDatabase (t: Test): Promise<string> {
  const given = process.env[TEMPLATE_ENV]
  template ??= given === undefined ? migrated() : Promise.resolve(given)
  return await create(t, `template ${await template} ${await copying()}`)
}

/** files rather than pages through the log: a third of the work, where the server knows how */
async function copying (): Promise<string> {
  const { rows } = await (await connected()).query<{ version: string }>('select current_setting(\'server_version_num\') as version')
  return Number(rows[0]?.version) >= 150_000 ? 'strategy file_copy' : ''
}

async function create (t: Test, how: string): Promise<string> {
  const name = `t_${randomUUID().replaceAll('-', '')}`
  await onServer(`create database ${name} ${how}`)
  t.teardown(() => drop(name))
  return urlOf(await server(), name)
}

async function migrated (): Promise<string> {
  const name = `t_${randomUUID().replaceAll('-', '')}`
  await onServer(`create database ${name}`)
  root.teardown(() => drop(name))
  await migrate(urlOf(await server(), name))
  return name
}

/** to leave takes a connection less than as many looks; one that stays is thrown out */
const LOOKS = 200

/** Who has closed a connection and is not gone yet would hear of a failure that there is none. */
async function drop (name: string): Promise<void> {
  const text = "select from pg_stat_activity where datname = $1 and backend_type = 'client backend' limit 1"
  const isUsed = async () => (await (await connected()).query({ text, values: [name] })).rowCount !== 0
  for (let look = 0; look < LOOKS && await isUsed(); look++);
  await onServer(`drop database ${name} with (force)`)
}

function server (): Promise<string> { return postgresUrl((stop) => { root.teardown(stop) }) }

function urlOf (server: string, database: string): string {
  return server.replace(/\/[^/?]*(\?|$)/, `/${database}$1`)
}

async function onServer (sql: string): Promise<void> {
  await (await connected()).query(sql)
}

/** one connection for all: a new one costs more than what is asked on it. The process does not live on for it. */
async function connected (): Promise<pg.Pool> {
  if (pool === undefined) {
    pool = new pg.Pool({ connectionString: await server(), max: 1, idleTimeoutMillis: 0, allowExitOnIdle: true })
    pool.on('error', () => undefined)
  }
  return pool
}
