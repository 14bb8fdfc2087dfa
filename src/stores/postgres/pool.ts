import pg from 'pg'
import { Hosts } from '../../database-url.ts'
import { DependencyUnavailable, Unprocessable } from '../../errors.ts'
import { meet } from './hosts.ts'

/**
 * Connections to PostgreSQL, and the rules for their failure: everything has a deadline, a query that met it rejects
 * and its connection is thrown away, an idle connection that breaks is replaced and never ends the process.
 * The server is told the same deadline, so that a statement nobody waits for does not keep its locks.
 *
 * Behind a pooler that gives each transaction another server (PgBouncer's transaction mode) nothing of a session lasts:
 * there statements are not prepared, and each is a transaction of its own, which begins with what else the session is
 * told once. Two more round trips to the pooler, and it works with any version of it.
 *
 * bigint arrives as text and stays so until a row is mapped, once, to a domain type: see `bigintOf` and `idOf`.
 */
export interface DatabaseOptions {
  /** postgres://user:password@host:port/database?sslmode=...; TLS as the URL says; several hosts: see `Hosts` */
  connectionString: string
  /** as PostgreSQL's own views show it; default `relaycore` */
  applicationName?: string
  /** most connections at once; default 4 */
  max?: number
  /** so many are kept, once they were made, however little there is to do; default 0 */
  min?: number
  /** for a connection, waiting for a free one included; default 3 s */
  connectTimeoutMs?: number
  /** for one statement; default 5 s */
  statementTimeoutMs?: number
  /** for a row that somebody else has locked; default: as long as the statement may take */
  lockTimeoutMs?: number
  /** false where a pooler in between cannot keep named statements; default true */
  prepared?: boolean
  /** hears of idle connections that broke; they are replaced when they are needed */
  onIdleError?: (error: Error) => void
}

export interface Query {
  /** of a prepared statement; the same name must always have the same text */
  name?: string
  text: string
  values?: unknown[]
}

/** What a statement can be run on: the database, or a transaction that is open on it. */
export interface Queryable {
  query<R extends pg.QueryResultRow = pg.QueryResultRow> (query: Query): Promise<R[]>
}

/** Where a transaction is open already, another one is part of it: what fails in it must fail the whole. */
export interface Transactional extends Queryable {
  transaction<T> (work: (tx: Transactional) => Promise<T>): Promise<T>
}

const CONNECT_TIMEOUT_MS = 3_000
const STATEMENT_TIMEOUT_MS = 5_000
/** The server gives up first and says so in its own words; this is for a server that says nothing any more. */
const SILENCE_MS = 500
/** The driver's own errors have no code. */
const SAID_BY_PG = /^(timeout e|Query read timeout|Connection terminated|Client (has|was) )/
/** No connection was free in time: it says nothing of the server. */
const NONE_FREE = 'timeout exceeded when trying to connect'
const SILENT = 'Query read timeout'
/** PostgreSQL's for a server that takes no changes any more; nothing else is wrong with the connection */
const READ_ONLY = '25006'

export class Database implements Transactional {
  readonly pool: pg.Pool
  readonly #prepared: boolean
  readonly #hosts: Hosts
  /** what the server is told of each session, or of each transaction where there are no sessions */
  readonly #terms: readonly string[]
  /** connections to a pooler */
  readonly #pooled = new WeakSet<pg.ClientBase>()
  /** those made before the server was last silent are not trusted */
  #madeBefore = new WeakSet<pg.ClientBase>()
  #known = new Set<pg.ClientBase>()
  #queries = 0

  constructor (options: DatabaseOptions) {
    const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS
    this.#prepared = options.prepared ?? true
    this.#terms = termsOf(statementTimeoutMs, options.lockTimeoutMs)
    const hosts = this.#hosts = new Hosts(options.connectionString)
    this.pool = new pg.Pool({
      connectionString: options.connectionString,
      Client: clientOf(hosts),
      application_name: options.applicationName ?? 'relaycore',
      max: options.max ?? 4,
      min: options.min ?? 0,
      connectionTimeoutMillis: (options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS) / hosts.urls.length,
      query_timeout: statementTimeoutMs + SILENCE_MS,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      onConnect: async (client) => { await this.#prepareSession(client) },
    })
    this.pool.on('error', (error) => options.onIdleError?.(error))
    // A connection that breaks while a query uses it tells that query; without a listener it would end the process too.
    this.pool.on('connect', (client) => {
      client.on('error', () => undefined)
      this.#known.add(client)
    })
    this.pool.on('remove', (client) => { this.#known.delete(client) })
  }

  /** Statements sent, for the metric and the bench. */
  get queries (): number { return this.#queries }

  async query<R extends pg.QueryResultRow = pg.QueryResultRow> (query: Query): Promise<R[]> {
    return await this.#borrow(async (client) => this.#pooled.has(client)
      ? await this.#within(client, () => this.#run<R>(client, query))
      : await this.#run<R>(client, query))
  }

  /** All of `work` or nothing. It must not wait for anything but its own statements: it holds locks. */
  async transaction<T> (work: (tx: Transactional) => Promise<T>): Promise<T> {
    return await this.#borrow(async (client) => {
      const tx: Transactional = { query: (query) => this.#run(client, query), transaction: (inner) => inner(tx) }
      return await this.#within(client, () => work(tx))
    })
  }

  async close (): Promise<void> {
    await this.pool.end()
  }

  async #within<T> (client: pg.PoolClient, work: () => Promise<T>): Promise<T> {
    const terms = this.#pooled.has(client) ? this.#terms.map((term) => `; set local ${term}`) : []
    await this.#run(client, { text: `begin${terms.join('')}` })
    try {
      const result = await work()
      await this.#run(client, { text: 'commit' })
      return result
    } catch (error) {
      if (!isBroken(error)) await this.#run(client, { text: 'rollback' })
      throw error
    }
  }

  async #borrow<T> (work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect()
    let broken = false
    try {
      return await work(client)
    } catch (error) {
      broken = isBroken(error)
      if (isSilence(error)) this.#distrust()
      throw error
    } finally {
      client.release(broken)
    }
  }

  /** of a connection that waited meanwhile: its server may be as silent, and to learn that takes a deadline each */
  #distrust (): void {
    for (const client of this.#known) this.#madeBefore.add(client)
    this.#known.clear()
  }

  async #connect (): Promise<pg.PoolClient> {
    for (let left = this.#hosts.urls.length - 1; ;) {
      try {
        const client = await this.pool.connect()
        if (!this.#madeBefore.has(client)) return client
        client.release(true)
      } catch (error) {
        if (left-- <= 0 || !isUnavailable(error) || (error as Error).message === NONE_FREE) throw error
      }
    }
  }

  /** Statements and not startup parameters, which poolers refuse. */
  async #prepareSession (client: pg.ClientBase): Promise<void> {
    try {
      const { pooled } = await meet(client, this.#hosts.pooled)
      if (pooled) this.#pooled.add(client)
      else await client.query(this.#terms.map((term) => `set ${term}`).join('; '))
    } catch (error) {
      if (isUnavailable(error)) this.#hosts.failed((client as HostClient).url)
      throw error
    }
  }

  async #run<R extends pg.QueryResultRow> (client: pg.PoolClient, query: Query): Promise<R[]> {
    this.#queries++
    const { name, text, values = [] } = query
    const named = this.#prepared && name !== undefined && !this.#pooled.has(client)
    const { rows } = await client.query<R>(named ? { name, text, values } : { text, values })
    return rows
  }
}

/** The statements of the ledger are too short for jit. */
function termsOf (statementTimeoutMs: number, lockTimeoutMs = 0): string[] {
  const ms = Math.trunc(statementTimeoutMs)
  return [`statement_timeout = ${ms}`, `idle_in_transaction_session_timeout = ${ms}`, `lock_timeout = ${lockTimeoutMs}`, 'jit = off']
}

interface HostClient extends pg.Client { readonly url: string }

/** connections of a pool: each to the host that is thought to take changes when it is made */
function clientOf (hosts: Hosts): new (options?: pg.ClientConfig) => pg.Client {
  return class extends pg.Client implements HostClient {
    readonly url: string

    constructor (options: pg.ClientConfig = {}) {
      const url = hosts.current
      super({ ...options, connectionString: url })
      this.url = url
    }

    override connect (): Promise<this>
    override connect (callback: (error: Error) => void): void
    override connect (callback?: (error: Error) => void): Promise<this> | undefined {
      if (callback === undefined) return super.connect() as Promise<this>
      super.connect((error: Error) => {
        if (isUnavailable(error)) hosts.failed(this.url)
        callback(error)
      })
      return undefined
    }
  }
}

/** SQLSTATE of what PostgreSQL said; undefined: it is not PostgreSQL who speaks (network, deadline, a defect). */
export function sqlStateOf (error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** Name of the constraint that a row would have broken. */
export function constraintOf (error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.constraint : undefined
}

/** After these nobody knows what the connection still carries, or whether it still leads to where it should. */
function isBroken (error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return isUnavailable(error)
  return error.severity !== 'ERROR' || error.code === READ_ONLY
}

function isSilence (error: unknown): boolean { return error instanceof Error && error.message === SILENT }

/**
 * True: the database cannot be reached, is starting, stopping, out of connections, or did not answer in time; the
 * same statement may work a moment later. False: PostgreSQL refuses it, or the program is wrong.
 */
export function isUnavailable (error: unknown): boolean {
  const state = sqlStateOf(error)
  if (state !== undefined) return /^(08|40|53|57|58|55P03|25006|25P0)/.test(state)
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  return /^E(?!RR_)[A-Z]|CERT|^ERR_(TLS|SSL)/.test(code) || SAID_BY_PG.test(error.message)
}

/** For stores behind the admin API: an outage, and what PostgreSQL cannot hold, as the API's own errors. */
export async function reached<T> (work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isUnavailable(error)) throw new DependencyUnavailable('PostgreSQL did not answer in time', { cause: error })
    if (sqlStateOf(error)?.startsWith('22') === true || constraintOf(error) === 'detached_month') {
      throw new Unprocessable((error as Error).message, { cause: error })
    }
    throw error
  }
}

/** What is no UUID names no row; PostgreSQL would call it an error. */
export function isUuid (text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}

/** An amount. */
export function bigintOf (text: string): bigint {
  return BigInt(text)
}

/** A generated id or a version: small enough for a number for as long as anything lives. */
export function idOf (text: string): number {
  const id = Number(text)
  if (!Number.isSafeInteger(id)) throw new RangeError(`${text} is no id`)
  return id
}
