import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { Agent, request } from 'undici'
import { CatalogPriceBook } from '../../src/pricing/price-book.ts'
import { costNano } from '../../src/pricing/cost.ts'
import { migrate } from '../../src/stores/postgres/migrate.ts'
import { type Entry } from '../provider/provider.ts'
import { PROGRAM } from '../services/index.ts'
import { startPostgres } from '../services/postgres.ts'
import { startRedis } from '../services/redis.ts'
import { freePort } from '../services/free-port.ts'

/** Real processes: gateways, a provider that keeps its own books, PostgreSQL, Redis; and an auditor of all books. */
const ROOT = resolve(import.meta.dirname, '../../..')
const ADMIN = 'an-admin-token-for-proofs'
const agent = new Agent({ connections: 256, headersTimeout: 30_000, bodyTimeout: 30_000 })

export interface GatewayProcess {
  url: string
  child: ChildProcess
  dataDir: string
  env: Record<string, string>
  /** what it wrote to its standard output and error */
  output: string[]
}

export interface Answer {
  status: number
  retryable: boolean
  code: string | null
}

export class ProofWorld {
  databaseUrl = ''
  redisUrl: string | null = null
  providerUrl = ''
  db!: pg.Pool
  readonly gateways: GatewayProcess[] = []
  /** of the calls that were made together last, why those that were not answered were not */
  refused: string[] = []
  readonly #closers: (() => Promise<void>)[] = []
  #folders = 0
  readonly #folder = mkdtempSync(join(tmpdir(), 'relaycore-proof-'))

  /** `databaseUrl`: of a migrated database; absent: one on a PostgreSQL of its own; `bare`: not migrated */
  static async open (
    { redis, databaseUrl, bare = false }: { redis: boolean, databaseUrl?: string | undefined, bare?: boolean }
  ): Promise<ProofWorld> {
    const world = new ProofWorld()
    world.databaseUrl = databaseUrl ?? await world.#ownDatabase(bare)
    world.db = new pg.Pool({ connectionString: world.databaseUrl, max: 4 })
    // a connection that breaks is told by the query that uses it
    world.db.on('error', () => undefined)
    world.#closers.push(() => world.db.end())
    if (redis) {
      const port = await freePort()
      const server = await startRedis(port)
      world.#closers.push(server.stop)
      world.redisUrl = `redis://127.0.0.1:${port}`
    }
    const provider = spawn(process.execPath, [join(ROOT, 'out/test/provider/main.js')], { stdio: ['ignore', 'pipe', 'inherit'] })
    world.#closers.push(async () => { await kill(provider, 'SIGKILL') })
    const [line] = await once(createInterface({ input: provider.stdout }), 'line') as [string]
    world.providerUrl = (JSON.parse(line) as { url: string }).url
    return world
  }

  async close (): Promise<void> {
    for (const { child } of this.gateways) await kill(child, 'SIGKILL')
    for (const close of this.#closers.reverse()) await close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** a new gateway, or one started again on the journal of `again`; `more`: of its environment */
  async startGateway (
    again?: GatewayProcess, more: Record<string, string> = {}, program = PROGRAM
  ): Promise<GatewayProcess> {
    const dataDir = again?.dataDir ?? join(this.#folder, `gateway-${this.#folders++}`)
    const port = again === undefined ? await freePort() : Number(new URL(again.url).port)
    const env: Record<string, string> = {
      PATH: process.env['PATH'] ?? '',
      PORT: String(port),
      RELAYCORE_DATA_DIR: dataDir,
      DATABASE_URL: this.databaseUrl,
      RELAYCORE_ADMIN_TOKEN: ADMIN,
      RELAYCORE_OPENAI_BASE_URL: this.providerUrl,
      RELAYCORE_OPENAI_API_KEY: 'provider-key',
      RELAYCORE_ANTHROPIC_BASE_URL: this.providerUrl,
      RELAYCORE_ANTHROPIC_API_KEY: 'provider-key',
      RELAYCORE_LOG_LEVEL: 'warn',
      ...this.redisUrl === null ? {} : { REDIS_URL: this.redisUrl },
      ...more,
    }
    const [node, ...args] = commandOf(more, program)
    const child = spawn(node, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const gateway: GatewayProcess = { url: `http://127.0.0.1:${port}`, child, dataDir, env, output: [] }
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { gateway.output.push(String(data)) })
    const place = again === undefined ? -1 : this.gateways.indexOf(again)
    // one that is started again after a start that failed has no place any more
    if (place === -1) this.gateways.push(gateway)
    else this.gateways[place] = gateway
    await this.#ready(gateway)
    return gateway
  }

  async admin<T = Record<string, unknown>> (
    gateway: GatewayProcess, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object, headers: Record<string, string> = {}
  ): Promise<T> {
    const response = await request(`${gateway.url}/api/v1${path}`, {
      method,
      dispatcher: agent,
      headers: { ...headers, authorization: `Bearer ${ADMIN}`, ...body === undefined ? {} : { 'content-type': 'application/json' } },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
    })
    const text = await response.body.text()
    if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`)
    return (text === '' ? {} : JSON.parse(text)) as T
  }

  /** one chat completion; rejects where the connection breaks */
  async call (
    gateway: GatewayProcess, key: string, id: string, body: object, behaviour: object = {},
    { signal, headers = {} }: { signal?: AbortSignal | undefined, headers?: Record<string, string> } = {}
  ): Promise<Answer> {
    const response = await request(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      dispatcher: agent,
      ...signal === undefined ? {} : { signal },
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'x-request-id': id,
        'x-test-behaviour': JSON.stringify(behaviour),
        ...headers,
      },
      body: JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hi' }], ...body }),
    })
    const text = await response.body.text()
    const retryable = response.headers['x-should-retry'] === 'true'
    if (response.statusCode === 200) return { status: 200, retryable: false, code: null }
    const error = (JSON.parse(text) as { error?: { relaycore?: { code?: string } } }).error
    return { status: response.statusCode, retryable, code: error?.relaycore?.code ?? null }
  }

  /** the ledger is at another address from now on */
  async moveTo (databaseUrl: string): Promise<void> {
    await this.db.end()
    this.databaseUrl = databaseUrl
    this.db = new pg.Pool({ connectionString: databaseUrl, max: 4 })
    this.db.on('error', () => undefined)
  }

  /** those of a gateway that have no labels, by name */
  async metrics (gateway: GatewayProcess): Promise<Map<string, number>> {
    const response = await request(`${gateway.url}/metrics`, { dispatcher: agent })
    const lines = (await response.body.text()).split('\n').map((line) => line.split(' '))
    return new Map(lines.map(([name = '', value]) => [name, Number(value)]))
  }

  async books (): Promise<Entry[]> {
    const response = await request(`${this.providerUrl}/__books`, { dispatcher: agent })
    return await response.body.json() as Entry[]
  }

  async rows<R extends object> (sql: string, values: unknown[] = []): Promise<R[]> {
    return (await this.db.query<R & pg.QueryResultRow>(sql, values)).rows
  }

  /** its answers that wait for it go on */
  async openGate (name: string): Promise<void> {
    const response = await request(`${this.providerUrl}/__open/${name}`, { dispatcher: agent })
    await response.body.dump()
  }

  /** until everything that ended is recorded */
  async settled (count: () => Promise<boolean>, ms = 15_000): Promise<void> {
    const deadline = Date.now() + ms
    while (!await count()) {
      if (Date.now() > deadline) throw new Error(`not settled within ${ms} ms\n${this.gateways.map((g) => g.output.join('')).join('\n---\n').slice(-4000)}`)
      await wait(50)
    }
  }

  async #ownDatabase (bare: boolean): Promise<string> {
    const { url, stop } = await startPostgres()
    this.#closers.push(stop)
    if (!bare) await migrate(url)
    return url
  }

  async #ready (gateway: GatewayProcess): Promise<void> {
    const deadline = Date.now() + 60_000
    for (;;) {
      const ok = await request(`${gateway.url}/readyz`, { dispatcher: agent }).then(async ({ statusCode, body }) => {
        await body.dump()
        return statusCode === 200
      }, () => false)
      if (ok) return
      if (gateway.child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`a gateway did not start: ${gateway.output.join('').slice(-3000)}`)
      }
      await wait(30)
    }
  }
}

/** loaded before a gateway, where its environment has one of these */
const TROUBLES = {
  SHIFT_MS: 'shifted-clock',
  CLOCK_STEPS_MS: 'shifted-clock',
  BLOCK_MS: 'blocked-loop',
  EAT_HEAP: 'eaten-heap',
  TELL_MEMORY: 'told-memory',
}

function commandOf (env: Record<string, string>, program: string): [string, ...string[]] {
  const found = Object.entries(TROUBLES).filter(([name]) => name in env).map(([, module]) => module)
  const loaded = [...new Set(found)].flatMap((module) => ['--import', join(ROOT, `out/test/proof/${module}.js`)])
  return [process.execPath, ...loaded, program, 'start']
}

export async function kill (child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
  return child.exitCode
}

const prices = new CatalogPriceBook()

/** nano-USD that the provider's books say a call costs by our catalog */
export function bookedCost (entry: Entry): bigint {
  const model = prices.find('openai', entry.model ?? '', Date.now())
  if (model === null || entry.usage === null) return 0n
  const { input, output, cacheRead } = entry.usage
  return costNano(model, {
    inputTokens: input - cacheRead,
    cacheReadTokens: cacheRead,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    outputTokens: output,
    reasoningTokens: 0,
    webSearches: 0,
    tier: null,
  }) ?? 0n
}
