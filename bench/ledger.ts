import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { PostgresAuthority } from '../src/stores/postgres/authority.ts'
import { launchPostgres } from '../src/stores/postgres/launcher.ts'
import { migrate } from '../src/stores/postgres/migrate.ts'
import { type UsageEvent } from '../src/usage/usage.ts'
import { SEED, seedLedger } from '../test/stores/postgres/seed.ts'
import { type Used, Worker } from './control.ts'
import { postgresCpuMs } from './postgres-cpu.ts'
import { ADMIN_TOKEN } from './setting.ts'

/**
 * `npm run bench:ledger`: what questions and records cost over a year of usage: a million events, each charged to four
 * budgets of a hierarchy of 200. PostgreSQL and the gateway are processes of their own; what is a route is asked over
 * HTTP, one request after the other. On a busy machine the times say little: the CPU that each answer took does.
 */
const HELP = `npm run bench:ledger -- [--quick] [--events n] [--data folder]
  --data  a folder that keeps the database: seeded at the first time, used as it is at the next`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    events: { type: 'string' },
    data: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const EVENTS = Number(values.events ?? (values.quick ? 50_000 : 1_000_000))
/** of a question: asked so often, or for so long */
const ROUNDS = values.quick ? 20 : 300
const ROUNDS_MS = 5_000
const LEVELS = 4
const BATCH = 1_000
const BATCHES = values.quick ? 10 : 40
const WARM_BATCHES = values.quick ? 2 : 10
const WARM_UP = values.quick ? 5 : 20
const WARM_UP_MS = 1_000
const DAY_MS = 86_400_000

const closers: (() => Promise<void>)[] = []

/** what is asked: the gateway's process, and the id of its PostgreSQL's */
interface Asked { worker: Worker<{ url: string }>, postgres: number }

async function main (): Promise<void> {
  if (values.help) { console.log(HELP); return }
  console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, load ${loadavg()[0]?.toFixed(1)}; ` +
    `${EVENTS.toLocaleString('en')} events of a year, ${LEVELS} charges each, ${SEED.budgets} budgets; CPU: of PostgreSQL + of the gateway\n`)
  const { url, asked } = await start()
  const year = `startDate=${new Date(Date.now() - 365 * DAY_MS).toISOString()}&endDate=${new Date(Date.now() + DAY_MS).toISOString()}`
  const [top, user] = [SEED.budgetId(0), SEED.budgetId(60)]
  const summary = (id: string, query: string) => `/budgets/${id}/usage/summary?${year}&${query}`
  await ask('status', asked, `/budgets/${top}/status`, 5)
  await ask(`hierarchy of ${SEED.budgets} budgets`, asked, `/budgets/hierarchy/organization/${SEED.organizationId}`, 20)
  await ask('summary of a year by day and model', asked, summary(top, 'interval=day&groupBy=model'), 100)
  await ask('  by month and user', asked, summary(top, 'interval=month&groupBy=user'))
  await ask('  by hour', asked, summary(top, 'interval=hour'))
  await ask('  of one user, by day and model', asked, summary(user, 'interval=day&groupBy=model'))
  await ask('summary of the running month', asked, `/budgets/${top}/usage/summary`)
  await ask('history, 100 records', asked, `/budgets/${top}/usage`)
  await record(asked)
  await ingest(url, asked)
}

async function start (): Promise<{ url: string, asked: Asked }> {
  const folder = values.data === undefined ? mkdtempSync(join(tmpdir(), 'relaycore-bench-')) : resolve(values.data)
  mkdirSync(folder, { recursive: true })
  // as root the database runs as another user, who must pass through
  if (process.getuid?.() === 0) chmodSync(folder, 0o711)
  if (values.data === undefined) closers.push(async () => { rmSync(folder, { recursive: true, force: true }) })
  const { url, pid: postgres, stop } = await launchPostgres({ folder: join(folder, 'postgres', 'postgres') })
  closers.push(stop)
  await migrate(url)
  await seed(url)
  const worker = await Worker.start<{ url: string }>('gateway.js', {
    env: { RELAYCORE_DATA_DIR: join(folder, 'data'), RELAYCORE_ADMIN_TOKEN: ADMIN_TOKEN, DATABASE_URL: url, PORT: '0' },
  })
  closers.push(() => worker.end())
  return { url, asked: { worker, postgres } }
}

/** once: a database that was kept is used as it is */
async function seed (url: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query('select from budget_definitions limit 1')
  const began = performance.now()
  if (rows.length === 0) {
    await seedLedger(client, { events: EVENTS, levels: LEVELS })
    console.log(`  seeded in ${((performance.now() - began) / 1000).toFixed(0)} s\n`)
  }
  await client.end()
}

async function send (gateway: string, path: string, body?: object): Promise<void> {
  const response = await fetch(`${gateway}/api/v1${path}`, {
    ...body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) },
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...body === undefined ? {} : { 'content-type': 'application/json' } },
  })
  const text = await response.text()
  if (response.status >= 300) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 500)}`)
}

async function ask (name: string, asked: Asked, path: string, aimMs?: number): Promise<void> {
  const round = async () => { await send(asked.worker.ready.url, path) }
  await repeated(WARM_UP, WARM_UP_MS, round)
  const spent = await counting(asked)
  const times = await repeated(ROUNDS, ROUNDS_MS, round)
  const cpu = await spent(times.length)
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? NaN
  print(name, `p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms`, cpu,
    aimMs === undefined ? '' : `aim ${aimMs} ms: ${at(0.5) <= aimMs ? 'met' : 'missed'}`)
}

/** so many times, or for so long; answers how long each took, ms */
async function repeated (most: number, forMs: number, work: () => Promise<void>): Promise<number[]> {
  const times: number[] = []
  for (const until = performance.now() + forMs; times.length < most && performance.now() < until;) {
    const began = performance.now()
    await work()
    times.push(performance.now() - began)
  }
  return times
}

/** what both have used from now on, for each of so many, in words */
async function counting ({ worker, postgres: id }: Asked): Promise<(times: number) => Promise<string>> {
  const used = async () => [postgresCpuMs(id), (await worker.ask<Used>('used')).cpuMicros / 1000]
  const [postgresBefore = 0, gatewayBefore = 0] = await used()
  return async (times) => {
    const [postgres = 0, gateway = 0] = await used()
    return `${((postgres - postgresBefore) / times).toFixed(1)} + ${((gateway - gatewayBefore) / times).toFixed(1)} ms CPU`
  }
}

/** records of one user's budget, which its parents are charged with too */
async function record (asked: Asked): Promise<void> {
  let made = 0
  // ids that no earlier run on the same database took
  const run = Date.now()
  const batch = () => ({
    records: Array.from({ length: BATCH }, () => ({
      budgetId: SEED.budgetId(60 + made % 20),
      id: `bench ${run} ${made++}`,
      amount: '0.001',
      source: 'auterity',
      metadata: { modelId: `model-${made % SEED.models}`, provider: 'openai', userId: `user ${60 + made % 20}` },
    })),
  })
  const one = () => send(asked.worker.ready.url, '/usage/batch', batch())
  for (let i = 0; i < WARM_BATCHES; i++) await one()
  // as a system that brings much in sends it: while one batch is recorded the next one is on its way
  for (const [name, senders] of [['one after the other', 1], ['two senders', 2]] as const) {
    const spent = await counting(asked)
    const seconds = await timed(1, async () => {
      await Promise.all(Array.from({ length: senders }, () => timed(BATCHES / senders, one)))
    })
    rate(`record usage by 1,000, ${name}`, BATCH * BATCHES / seconds, 10_000, 'records/s', await spent(BATCHES))
  }
}

/** what gateways send: batches of events of their calls, four charges each */
async function ingest (url: string, asked: Asked): Promise<void> {
  const authority = new PostgresAuthority({ connectionString: url })
  closers.push(() => authority.close())
  const incarnation = await authority.join('bench', 'bench')
  const now = new Date()
  const month = Date.UTC(now.getUTCFullYear(), now.getUTCMonth())
  const lines = Array.from({ length: 20 }, (_, i) => {
    const person = 60 + i
    const project = 10 + person % 40
    return [person, project, 1 + project % 9, 0]
  })
  const nos = [...new Set(lines.flat())]
  // a month of its own: where the month begins depends on the zone
  const accounts = await authority.ensureAccounts(nos.map((no) => ({
    budgetId: SEED.budgetId(no), subject: 'bench', periodStart: month, periodEnd: null,
  })))
  const account = new Map(nos.map((no, i) => [no, accounts[i]?.accountId ?? 0]))
  let n = 0
  const batch = () => Array.from({ length: BATCH }, () => {
    n++
    return event(n, (lines[n % lines.length] ?? []).map((no) => account.get(no) ?? 0))
  })
  await authority.post(incarnation, batch(), [])
  const spent = await counting(asked)
  const seconds = await timed(BATCHES, async () => { await authority.post(incarnation, batch(), []) })
  rate('ingest of calls, batches of 1,000', BATCH * BATCHES / seconds, 10_000, 'events/s', await spent(BATCHES))
}

function event (n: number, accounts: number[]): UsageEvent {
  const openedAt = Date.now()
  const id = uuidv7({ msecs: openedAt })
  return {
    opening: {
      id,
      openedAt,
      organizationId: SEED.organizationId,
      teamId: `team ${n % 9}`,
      projectId: `project ${n % 20}`,
      userId: `user ${60 + n % 20}`,
      keyId: SEED.keyId(n % 20),
      sessionId: null,
      tags: null,
      provider: 'openai',
      endpoint: 'chat.completions',
      model: `model-${n % SEED.models}`,
      stream: true,
      requestId: null,
      quoteNano: 2_000_000n,
      priceVersion: 'bench',
      holds: accounts.map((accountId) => ({ accountId, quoteNano: 2_000_000n, rate: null, enforced: false })),
    },
    end: {
      id,
      endedAt: openedAt,
      outcome: 'completed',
      status: 200,
      certainty: 'exact',
      modelUsed: null,
      usage: {
        inputTokens: 900,
        cacheReadTokens: 0,
        cacheWrite5mTokens: 0,
        cacheWrite1hTokens: 0,
        outputTokens: 250,
        reasoningTokens: 0,
        webSearches: 0,
        tier: null,
      },
      costNano: 1_000_000n,
      charges: accounts.map((accountId) => ({ accountId, amountNano: 1_000_000n, coveredNano: 0n })),
      providerRequestId: null,
    },
  }
}

async function timed (times: number, work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  for (let i = 0; i < times; i++) await work()
  return (performance.now() - began) / 1000
}

function rate (name: string, perSecond: number, aim: number, unit: string, cpu: string): void {
  print(name, `${Math.round(perSecond).toLocaleString('en')} ${unit}`, `${cpu} a batch`,
    `aim ${aim.toLocaleString('en')}: ${perSecond >= aim ? 'met' : 'missed'}`)
}

function print (...[name, figure, cpu, aim]: [string, string, string, string]): void {
  console.log(`  ${name.padEnd(44)}${figure.padEnd(30)}${cpu.padEnd(34)}${aim}`)
}

async function closeAll (): Promise<void> {
  for (const close of closers.splice(0).reverse()) await close()
}

process.once('SIGINT', () => { closeAll().finally(() => { process.exit(130) }) })
try {
  await main()
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await closeAll()
}
