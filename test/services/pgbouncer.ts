import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { freePort } from './free-port.ts'

/** A real PgBouncer in transaction mode: the system's, else installed from Debian's packages, which takes root. */
export interface PgBouncer {
  version: string
  url (database: string): string
  stop (): Promise<void>
}

const PROGRAM = '/usr/sbin/pgbouncer'

/** in front of a PostgreSQL on a port of 127.0.0.1, with so many connections to it */
export async function startPgBouncer (to: number, poolSize: number): Promise<PgBouncer> {
  if (!existsSync(PROGRAM)) install()
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-pgbouncer-'))
  chmodSync(folder, 0o755)
  const port = await freePort()
  const file = join(folder, 'pgbouncer.ini')
  writeFileSync(file, `[databases]
* = host=127.0.0.1 port=${to} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 200
`)
  const user = process.getuid?.() === 0 ? ['-u', 'postgres'] : []
  const child = spawn(PROGRAM, ['-q', ...user, file], { stdio: ['ignore', 'ignore', 'pipe'] })
  const said: string[] = []
  child.stderr.on('data', (data) => { said.push(String(data)) })
  const url = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`
  for (const deadline = Date.now() + 10_000; !await answers(url('postgres')); await wait(50)) {
    if (Date.now() > deadline || child.exitCode !== null) throw new Error(`PgBouncer did not start: ${said.join('')}`)
  }
  return {
    version: execFileSync(PROGRAM, ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? '',
    url,
    async stop () {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function install (): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // its own service is not wanted
  execFileSync('apt-get', ['update'], { stdio: 'ignore' })
  execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'pgbouncer'], { stdio: 'ignore', env })
}

async function answers (url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    // not yet
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}
