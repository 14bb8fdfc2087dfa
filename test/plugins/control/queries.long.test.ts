/**
 * What the admin API's questions cost the database, over a year of usage. Every GET route of the API's own description
 * is asked, with each of its parameters, and what the driver sends meanwhile is what is judged: so a new route, filter
 * or statement is judged without being listed here.
 */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { ADMIN, aGateway, type Json } from '../../e2e/gateway.ts'
import { aDatabase } from '../../stores/postgres/database.ts'
import { SEED, seedLedger } from '../../stores/postgres/seed.ts'

const EVENTS = 100_000
/** a table with more rows than this must not be read from end to end */
const BIG = 5_000
/** after some runs PostgreSQL may plan a prepared statement without its values */
const RUNS = 8

interface Sent { text: string, values: unknown[] }

interface Plan {
  'Node Type': string
  'Relation Name'?: string
  'Actual Loops': number
  Plans?: Plan[]
}

interface Parameter {
  name: string
  in: string
  schema: { enum?: unknown[], anyOf?: { enum?: unknown[] }[], default?: unknown, examples?: unknown[] }
  example?: unknown
}

/** all that pg sends while `work` runs, background and all */
async function listening (work: () => Promise<void>): Promise<Sent[]> {
  const sent = new Map<string, Sent>()
  const prototype = pg.Client.prototype as unknown as { query: (...args: unknown[]) => unknown }
  const { query } = prototype
  prototype.query = function (this: unknown, ...args: unknown[]) {
    const [config, values] = args as [{ text?: string, values?: unknown[] } | string, unknown[] | undefined]
    const text = typeof config === 'string' ? config : config.text ?? ''
    sent.set(text, { text, values: (typeof config === 'string' ? values : config.values) ?? [] })
    return Reflect.apply(query, this, args)
  }
  try {
    await work()
  } finally {
    prototype.query = query
  }
  return [...sent.values()].filter(({ text }) => /^\s*(select|with|insert|update|delete)/i.test(text))
}

const PROJECT = SEED.budgetId(10)
const TEAM = SEED.budgetId(1)
const DAY_MS = 86_400_000
const time = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY_MS).toISOString()

/** what there is of each, and dates of some months within the year */
const VALUES: Record<string, unknown[]> = {
  organizationId: [SEED.organizationId],
  currency: ['USD'],
  scopeType: ['user'],
  scopeId: ['user 60'],
  parentBudgetId: [PROJECT],
  budgetId: [TEAM],
  startDate: [time(200)],
  endDate: [time(100)],
  from: [time(200)],
  to: [time(100)],
  since: [time(200)],
  userId: ['user 60'],
  teamId: ['team 1'],
  projectId: ['project 10'],
  model: ['model-1'],
  modelId: ['model-1'],
  groupBy: ['source', 'model', 'user', 'tag:env'],
}
/** a budget for each of many alone has subjects */
const APART = new Set(['cursor', 'idempotency-key', 'subject'])

/** one question without parameters, and one for each value of each */
function questions (path: string, parameters: Parameter[]): string[] {
  const paths = pathsOf(path)
  const queries = parameters.filter((one) => one.in === 'query' && !APART.has(one.name)).flatMap(({ name, schema, example }) => {
    const values = VALUES[name] ?? schema.enum ?? schema.anyOf?.find((one) => one.enum !== undefined)?.enum ??
      [example ?? schema.examples?.[0] ?? schema.default ?? 'some text']
    const end = name === 'startDate' ? `&endDate=${time(100)}` : name === 'endDate' ? `&startDate=${time(200)}` : ''
    return values.map((value) => `?${name}=${encodeURIComponent(String(value))}${end}`)
  })
  return paths.flatMap((one) => ['', ...queries].map((query) => one + query))
}

function pathsOf (path: string): string[] {
  const id = path.startsWith('/budgets') ? SEED.budgetId(0) : path.startsWith('/keys') ? SEED.keyId(1) : randomUUID()
  if (!path.includes('{type}')) return [path.replaceAll(/\{\w+\}/g, id)]
  return [`organization/${SEED.organizationId}`, 'user/user%2060']
    .map((scope) => path.replace('{type}/{id}', scope))
}

const scans = `
  select relname, seq_scan::integer as scans from pg_stat_user_tables where n_live_tup > ${BIG} order by relname`

t.test('no question reads a big table from end to end, nor months that it is not about', async (t) => {
  const url = await aDatabase(t)
  const auditor = new pg.Client(url)
  await auditor.connect()
  t.teardown(() => auditor.end())
  await seedLedger(auditor, { events: EVENTS, levels: 2 })
  await auditor.query('select pg_stat_force_next_flush()')
  const { rows: before } = await auditor.query<{ relname: string, scans: number }>(scans)
  t.ok(before.length > 10, 'there are big tables')
  const gateway = await aGateway(t, { DATABASE_URL: url })
  const { body } = await gateway.admin('GET', '/openapi.json')
  const routes = Object.entries(body['paths'] as Record<string, { get?: { parameters?: Parameter[] } }>)
    .filter(([, { get }]) => get !== undefined)
  const ask = async (question: string): Promise<Json> => {
    const response = await fetch(`${gateway.url}/api/v1${question}`, { headers: { authorization: `Bearer ${ADMIN}` } })
    const text = await response.text()
    if (![200, 404].includes(response.status)) t.fail(`${question}: ${response.status} ${text}`)
    return response.headers.get('content-type')?.includes('json') === true ? JSON.parse(text) as Json : {}
  }

  const sent = new Map<string, Sent[]>()
  for (const [path, { get }] of routes) {
    sent.set(path, await listening(async () => {
      for (const question of questions(path, get?.parameters ?? [])) {
        const { nextCursor } = await ask(question)
        if (typeof nextCursor === 'string') await ask(`${question}${question.includes('?') ? '&' : '?'}cursor=${nextCursor}`)
      }
    }))
    for (let i = 0; i < RUNS; i++) await ask(pathsOf(path)[0] as string)
  }

  // what changes something cannot be run twice to be explained: what it reads is counted at the end
  for (const [method, path, body] of CHANGES) {
    const { status, body: answer } = await gateway.admin(method, path, body)
    t.match(status, /^20/, `${method} ${path}: ${JSON.stringify(answer)}`)
  }
  const { body: hold } = await gateway.admin('POST', '/holds', { budgetId: SEED.budgetId(60), amount: '1' })
  t.equal((await gateway.admin('POST', `/holds/${String(hold['id'])}/settle`, { amount: '0.5' })).status, 200)

  t.ok([...sent.values()].flat().length > 15, 'statements were heard')
  for (const [path, statements] of sent) {
    const read = new Set<string>()
    for (const { text, values } of statements) {
      for (const node of await executed(auditor, text, values)) {
        const table = node['Relation Name'] ?? ''
        read.add(table)
        if (node['Node Type'] === 'Seq Scan') t.notOk(before.some(({ relname }) => relname === table), `${path} reads all of ${table}: ${text}`)
      }
    }
    const months = [...read].filter((name) => /^(usage_events|budget_usage_records)/.test(name))
    if (!HISTORY.test(path)) t.same(months, [], `${path} reads no records`)
  }

  await gateway.app.close()
  await gateway.core.close()
  const { rows: after } = await auditor.query<{ relname: string, scans: number }>(scans)
  const known = new Map(before.map(({ relname, scans }) => [relname, scans]))
  const read = after.filter(({ relname, scans }) => scans > (known.get(relname) ?? scans))
  t.same(read, [], 'nor does any function or anything in the background')
})

/** where records, accounts and sums are moved, or asked about */
const USAGE = { amount: '0.01', source: 'auterity', metadata: { modelId: 'model-1', userId: 'user 60' } }
const CHANGES: ['POST' | 'PATCH', string, object][] = [
  ['POST', `/budgets/${SEED.budgetId(60)}/usage`, { ...USAGE, id: 'one' }],
  ['POST', '/usage/batch', { records: Array.from({ length: 50 }, (_, i) => ({ ...USAGE, id: `some ${i}`, budgetId: SEED.budgetId(60 + i % 20) })) }],
  ['POST', `/budgets/${SEED.budgetId(60)}/check-constraints`, { estimatedCost: '1' }],
  ['PATCH', `/budgets/${SEED.budgetId(60)}`, { amount: '1000001' }],
  ['POST', `/budgets/${SEED.budgetId(60)}/adjustments`, { kind: 'top-up', amount: '1', reason: 'r' }],
  ['POST', '/budgets', { name: 'new', scopeType: 'user', scopeId: 'new', parentBudgetId: SEED.budgetId(10), amount: '1', currency: 'USD', period: 'daily' }],
]

/** what shows records reads them */
const HISTORY = /\/usage(\/\{id\})?$/

/** the nodes that really ran; whatever the statement changes is undone */
async function executed (client: pg.Client, text: string, values: unknown[]): Promise<Plan[]> {
  await client.query('begin; set local jit = off')
  const explain = `explain (analyze, timing off, format json) ${text}`
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(explain, values)
  await client.query('rollback')
  const found: Plan[] = []
  const walk = (node: Plan): void => {
    if (node['Actual Loops'] > 0) found.push(node)
    node.Plans?.forEach(walk)
  }
  walk((rows[0] as { 'QUERY PLAN': [{ Plan: Plan }] })['QUERY PLAN'][0].Plan)
  return found
}
