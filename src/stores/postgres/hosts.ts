import pg from 'pg'
import { Hosts } from '../../database-url.ts'

/** A server that answers, and follows another one. */
export class StandbyError extends Error {
  /** as the system's own errors of connections */
  readonly code = 'ESTANDBY'

  constructor () { super('This PostgreSQL is a standby, which takes no changes') }
}

/** what a connection learns of its server when it is made */
export interface Server { pooled: boolean }

/**
 * Throws where the server is a standby. A pooler answers for its server: what it says of the process behind the
 * connection is not what that process says.
 */
export async function meet (client: pg.ClientBase, pooled: boolean | null): Promise<Server> {
  const { rows: [row] } = await client.query<{ pid: number, standby: boolean }>(
    'select pg_backend_pid() as pid, pg_is_in_recovery() as standby')
  if (row?.standby !== false) throw new StandbyError()
  return { pooled: pooled ?? (client as unknown as { processID: number | null }).processID !== row.pid }
}

/** One connection, for a command: to the first of the hosts that takes changes. */
export async function connectTo (connectionString: string, applicationName: string): Promise<pg.Client> {
  const { urls, pooled } = new Hosts(connectionString)
  let failure: unknown
  for (const url of urls) {
    const client = new pg.Client({
      connectionString: url, connectionTimeoutMillis: 10_000, application_name: applicationName,
    })
    // the query that meets a broken connection rejects; this event tells of the same thing a second time
    client.on('error', () => undefined)
    try {
      await client.connect()
      await meet(client, pooled)
      return client
    } catch (error) {
      // what the last one says is told: mostly there is only one
      failure = error
      await client.end().catch(() => undefined)
    }
  }
  throw failure
}
