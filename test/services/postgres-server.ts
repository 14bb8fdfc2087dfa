import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { findBinaries } from '../../src/stores/postgres/binaries.ts'
import { freePort } from './free-port.ts'

/**
 * A PostgreSQL that can be stopped, killed, followed and promoted: on a port of 127.0.0.1 that stays the same, without
 * passwords, durable as one in production is. Its folder may be on a disk that the test made for it.
 */
export class PostgresServer {
  readonly port: number
  readonly folder: string
  readonly #settings: Record<string, string>
  #child: ChildProcess | null = null

  private constructor (folder: string, port: number, settings: Record<string, string>) {
    this.folder = folder
    this.port = port
    this.#settings = settings
  }

  static async create (settings: Record<string, string> = {}, folder = aFolder()): Promise<PostgresServer> {
    own(folder)
    const data = join(folder, 'data')
    execFileSync(program('initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C'],
      { ...as(folder), stdio: 'ignore' })
    const server = new PostgresServer(folder, await freePort(), settings)
    await server.start()
    return server
  }

  url (database = 'postgres'): string { return `postgres://postgres@127.0.0.1:${this.port}/${database}` }

  async start (): Promise<void> {
    const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', wal_level: 'replica', ...this.#settings }
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const data = join(this.folder, 'data')
    this.#child = spawn(program('postgres'), ['-D', data, '-p', String(this.port), ...args], { ...as(this.folder), stdio: 'ignore' })
    await this.answers()
  }

  /** until it takes connections */
  async answers (): Promise<void> {
    for (const deadline = Date.now() + 60_000; ; await wait(50)) {
      try {
        await this.sql('select 1')
        return
      } catch (error) {
        if (Date.now() > deadline || this.#child?.exitCode !== null) throw error
      }
    }
  }

  /** fast: its clients are thrown out and it ends in order; immediate: as if it had crashed */
  async stop (how: 'fast' | 'immediate'): Promise<void> {
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await ended
  }

  async remove (): Promise<void> {
    await this.stop('immediate')
    rmSync(this.folder, { recursive: true, force: true })
  }

  async sql<R extends pg.QueryResultRow> (text: string, database = 'postgres'): Promise<R[]> {
    const client = new pg.Client({ connectionString: this.url(database), connectionTimeoutMillis: 5_000 })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return (await client.query<R>(text)).rows
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  /** a replica that streams from this one; every commit waits for it where `synchronous` */
  async follower (synchronous: boolean): Promise<PostgresServer> {
    const folder = aFolder()
    own(folder)
    const follower = new PostgresServer(folder, await freePort(), { hot_standby: 'on', ...this.#settings })
    execFileSync(program('pg_basebackup'), ['-D', join(folder, 'data'), '-R', '-X', 'stream', '-c', 'fast', '-d',
      `host=127.0.0.1 port=${this.port} user=postgres application_name=follower`], { ...as(folder), stdio: 'ignore' })
    await follower.start()
    if (!synchronous) return follower
    await this.sql("alter system set synchronous_standby_names = 'follower'")
    await this.sql('select pg_reload_conf()')
    for (let state = ''; state !== 'sync'; await wait(50)) {
      state = (await this.sql<{ sync_state: string }>('select sync_state from pg_stat_replication'))[0]?.sync_state ?? ''
    }
    return follower
  }

  async promote (): Promise<void> {
    // what the one before waited for follows nobody now
    await this.sql('select pg_promote()')
    await this.sql('alter system reset synchronous_standby_names')
    await this.sql('select pg_reload_conf()')
  }
}

/** it takes a system's PostgreSQL, which has them all */
function program (name: string): string {
  for (const { bin } of findBinaries()) if (existsSync(join(bin, name))) return join(bin, name)
  for (const bin of ['/usr/bin', '/usr/local/bin']) if (existsSync(join(bin, name))) return join(bin, name)
  throw new Error(`This needs a PostgreSQL that is installed on the system (${name})`)
}

function aFolder (): string { return mkdtempSync(join(tmpdir(), 'relaycore-server-')) }

function own (folder: string): void {
  mkdirSync(folder, { recursive: true })
  const { uid, gid } = user()
  if (uid === undefined || gid === undefined) return
  chmodSync(folder, 0o755)
  chownSync(folder, uid, gid)
}

function as (folder: string) { return { cwd: folder, ...user() } }

/** it is never run by root */
function user (): { uid?: number, gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
