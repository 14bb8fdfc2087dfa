import pg from 'pg'
import { DependencyUnavailable, Unprocessable } from '../../errors.ts'

/**
 * Connections to PostgreSQL, and the rules for their failure: everything has a deadline, a query that met it rejects
 * and its connection is thrown away, an idle connection that breaks is replaced and never ends the process.
 * The server is told the same deadline, so that a statement nobody waits for does not keep its locks.
 *
 * bigint arrives as text and stays so until a row is mapped, once, to a domain type: see `bigintOf` and `idOf`.
 */
export interface DatabaseOptions {
  /** postgres://user:password@host:port/database?sslmode=...; TLS as the URL says */
  connectionString: string
  /** as PostgreSQL's own views show it; default `relaycore` */
  applicationName?: string
  /** most connections at once; default 4 */
  max?: number
  /** for a connection, waiting for a free one included; default 3 s */
  connectTimeoutMs?: number
  /** for one statement; default 5 s */
  statementTimeoutMs?: number
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

export class Database implements Transactional {
  readonly pool: pg.Pool
  readonly #prepared: boolean
  #queries = 0

  constructor (options: DatabaseOptions) {
    const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS
    this.#prepared = options.prepared ?? true
    this.pool = new pg.Pool({
      connectionString: options.connectionString,
      application_name: options.applicationName ?? 'relaycore',
      max: options.max ?? 4,
      connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      query_timeout: statementTimeoutMs + SILENCE_MS,
      idleTimeoutMillis: 60_000,
      keepAlive: true,
      onConnect: (client) => prepareSession(client, statementTimeoutMs),
    })
    this.pool.on('error', (error) => options.onIdleError?.(error))
    // A connection that breaks while a query uses it tells that query; without a listener it would end the process too.
    this.pool.on('connect', (client) => { client.on('error', () => undefined) })
  }

  /** Statements sent, for the metric and the bench. */
  get queries (): number { return this.#queries }

  async query<R extends pg.QueryResultRow = pg.QueryResultRow> (query: Query): Promise<R[]> {
    return await this.#borrow((client) => this.#run<R>(client, query))
  }

  /** All of `work` or nothing. It must not wait for anything but its own statements: it holds locks. */
  async transaction<T> (work: (tx: Transactional) => Promise<T>): Promise<T> {
    return await this.#borrow(async (client) => {
      const tx: Transactional = { query: (query) => this.#run(client, query), transaction: (inner) => inner(tx) }
      await this.#run(client, { text: 'begin' })
      try {
        const result = await work(tx)
        await this.#run(client, { text: 'commit' })
        return result
      } catch (error) {
        if (!isBroken(error)) await this.#run(client, { text: 'rollback' })
        throw error
      }
    })
  }

  async close (): Promise<void> {
    await this.pool.end()
  }

  async #borrow<T> (work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect()
    let broken = false
    try {
      return await work(client)
    } catch (error) {
      broken = isBroken(error)
      throw error
    } finally {
      client.release(broken)
    }
  }

  async #run<R extends pg.QueryResultRow> (client: pg.PoolClient, query: Query): Promise<R[]> {
    this.#queries++
    const { name, text, values = [] } = query
    const named = this.#prepared && name !== undefined
    const { rows } = await client.query<R>(named ? { name, text, values } : { text, values })
    return rows
  }
}

/** Statements and not startup parameters, which poolers refuse. The statements of the ledger are too short for jit. */
async function prepareSession (client: pg.ClientBase, statementTimeoutMs: number): Promise<void> {
  await client.query(`set statement_timeout = ${Math.trunc(statementTimeoutMs)}; ` +
    `set idle_in_transaction_session_timeout = ${Math.trunc(statementTimeoutMs)}; set jit = off`)
}

/** SQLSTATE of what PostgreSQL said; undefined: it is not PostgreSQL who speaks (network, deadline, a defect). */
export function sqlStateOf (error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** Name of the constraint that a row would have broken. */
export function constraintOf (error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.constraint : undefined
}

/** After these nobody knows what the connection still carries. */
function isBroken (error: unknown): boolean {
  return error instanceof pg.DatabaseError ? error.severity !== 'ERROR' : isUnavailable(error)
}

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
