import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { attachPostgres } from '../src/stores/postgres/launcher.ts'
import { Database } from '../src/stores/postgres/pool.ts'
import { cleanEnv } from './control.ts'

/** A gateway as `relaycore start` runs it, on a free port and in a folder that goes with it, and its admin API. */
export interface DemoGateway {
  url: string
  createBudget (budget: BudgetInput): Promise<Budget>
  /** answers the key itself */
  createKey (key: Record<string, string>): Promise<string>
  status (budgetId: string): Promise<Status>
  usage (budgetId: string): Promise<{ amount: string }[]>
  /** waits until every ended call is in PostgreSQL */
  recorded (): Promise<void>
  /** what PostgreSQL itself says of a budget, nano-USD */
  ledger (budgetId: string): Promise<{ calculatedNano: bigint, settledNano: bigint }>
  close (): Promise<void>
}

export interface BudgetInput {
  name: string
  scopeType: string
  scopeId: string
  amount: string
  organizationId?: string
  parentBudgetId?: string
}

export interface Budget extends BudgetInput { id: string, period: string }

export interface Status {
  currentAmount: string
  held: string
  remaining: string
  percentUsed: number
  status: string
}

const STARTS_WITHIN_MS = 90_000
const RECORDED_WITHIN_MS = 20_000

export async function startGateway (): Promise<DemoGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-demo-'))
  // as root the database runs as another user, who must pass through
  if (process.getuid?.() === 0) chmodSync(folder, 0o711)
  const dataDir = join(folder, 'data')
  const token = randomBytes(16).toString('hex')
  const child = spawn(process.execPath, [join(import.meta.dirname, '../src/cli.js'), 'start'], {
    env: {
      ...cleanEnv(),
      RELAYCORE_DATA_DIR: dataDir,
      RELAYCORE_ADMIN_TOKEN: token,
      RELAYCORE_LOG_LEVEL: 'error',
      PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let database: Database | null = null
  const close = async () => {
    await database?.close()
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const url = await firstUrl(child.stdout, once(child, 'exit'))
    database = new Database({ connectionString: (await attachPostgres(dataDir)).url, applicationName: 'relaycore demo' })
    return { url, ...admin(url, token), ...sql(database), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function firstUrl (output: NodeJS.ReadableStream, exit: Promise<unknown>): Promise<string> {
  const ended = new AbortController()
  void exit.then(() => { ended.abort(new Error('the gateway ended at its start')) })
  const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(STARTS_WITHIN_MS)])
  let text = ''
  output.setEncoding('utf8')
  const found = new Promise<string>((resolve, reject) => {
    signal.addEventListener('abort', () => { reject(new Error('the gateway did not start', { cause: signal.reason })) }, { once: true })
    output.on('data', (part: string) => {
      text += part
      const url = /^RelayCore Budget Gateway on (http:\S+)/m.exec(text)?.[1]
      if (url !== undefined) resolve(url)
    })
  })
  return await found
}

type Admin = Pick<DemoGateway, 'createBudget' | 'createKey' | 'status' | 'usage' | 'recorded'>

function admin (url: string, token: string): Admin {
  const ask = async <T> (path: string, body?: object): Promise<T> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, ...body === undefined ? {} : { 'content-type': 'application/json' } },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
    })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return await response.json() as T
  }
  return {
    createBudget: (budget) => ask<Budget>('/budgets', { currency: 'USD', period: 'monthly', ...budget }),
    createKey: async (key) => (await ask<{ key: string }>('/keys', key)).key,
    status: (id) => ask<Status>(`/budgets/${id}/status`),
    usage: (id) => pages((cursor) => ask(`/budgets/${id}/usage?limit=50${cursor}`)),
    recorded: () => untilRecorded(url),
  }
}

interface Page { usage: { amount: string }[], nextCursor: string | null }

async function pages (page: (cursor: string) => Promise<Page>): Promise<{ amount: string }[]> {
  const all: { amount: string }[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const { usage, nextCursor }: Page = await page(cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`)
    all.push(...usage)
    cursor = nextCursor
  }
  return all
}

async function untilRecorded (url: string): Promise<void> {
  const deadline = Date.now() + RECORDED_WITHIN_MS
  while (Date.now() < deadline) {
    const metrics = await (await fetch(`${url}/metrics`)).text()
    const left = ['relaycore_open_calls', 'relaycore_ledger_backlog_events']
    if (left.every((name) => new RegExp(`^${name} 0$`, 'm').test(metrics))) return
    await wait(20)
  }
  throw new Error('not everything was recorded in time')
}

function sql (database: Database): Pick<DemoGateway, 'ledger'> {
  return {
    async ledger (budgetId) {
      const [row] = await database.query<{ calculated: string, settled: string }>({
        text: `select coalesce(sum(s.settled_nano), 0)::text as calculated,
          (select coalesce(sum(a.settled_nano), 0)::text from budget_accounts a where a.budget_id = $1) as settled
          from calculate_budget_status($1) s`,
        values: [budgetId],
      })
      return { calculatedNano: BigInt(row?.calculated ?? -1), settledNano: BigInt(row?.settled ?? -1) }
    },
  }
}
