import { existsSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { type Authorship, type Stores } from './access/changes.ts'
import { type Config, ConfigError } from './config.ts'
import { PostgresChanges } from './stores/postgres/changes.ts'
import { attachPostgres } from './stores/postgres/launcher.ts'
import { migrate, schemaVersions } from './stores/postgres/migrate.ts'
import { Database } from './stores/postgres/pool.ts'

/** What commands beside a gateway work on: the database of its settings, changed under the name of who runs them. */

/** false: no gateway has ever started with these settings */
export function hasDatabase ({ databaseUrl, dataDir }: Config): boolean {
  return databaseUrl !== undefined || existsSync(join(dataDir, 'postgres'))
}

/** the database of the settings; an embedded one is used as it runs, else started for as long as it takes */
export async function withUrl<T> (config: Config, work: (url: string) => Promise<T>): Promise<T> {
  if (config.databaseUrl !== undefined) return await work(config.databaseUrl)
  const server = await attachPostgres(config.dataDir)
  try {
    return await work(server.url)
  } finally {
    if (!server.adopted) await server.stop()
  }
}

async function withDatabase<T> (config: Config, work: (database: Database) => Promise<T>): Promise<T> {
  return await withUrl(config, async (url) => {
    await migrate(url)
    return await connected(url, work)
  })
}

/** the schema is not changed by a look at it */
export async function requireSchema (database: Database): Promise<void> {
  const { known, found, fits } = await schemaVersions(database.pool)
  if (!fits) {
    throw new ConfigError(`The database has schema version ${found ?? 'none'}, this program ${known}: ` +
      (found === null || found < known ? 'run `relaycore migrate` first' : 'use the newer program'))
  }
}

/** what a command changes is in the audit log, like everything else */
export async function changing<T> (config: Config, work: (stores: Stores) => Promise<T>): Promise<T> {
  return await withDatabase(config, async (database) => await changer(database)(work))
}

export type Change = <T>(work: (stores: Stores) => Promise<T>) => Promise<T>

/** each change is one transaction */
export function changer (database: Database): Change {
  const by: Authorship = {
    actor: { id: 'command line', name: userName(), role: 'administrator', reach: null }, requestId: null, from: hostname(),
  }
  const changes = new PostgresChanges({ database, changed: () => undefined })
  return async (work) => await changes.run(by, work)
}

/** in a container a user may have no name */
function userName (): string {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`
  }
}

export async function connected<T> (url: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = new Database({ connectionString: url, applicationName: 'relaycore cli' })
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}
