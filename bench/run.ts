import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { startRedis } from '../test/services/redis.ts'
import { type Used, Worker, type WorkerOptions } from './control.ts'
import { type Load, type Round } from './load.ts'
import { budgets, dataFolder, headers, median, settings } from './setting.ts'
import { type Shape, SHAPES } from './shapes.ts'
import { freePort } from '../test/services/free-port.ts'

/**
 * `npm run bench`: what a call costs through the gateway, beside what it costs through a bare `@fastify/http-proxy`.
 * Provider, proxies and load generator are processes of their own, measured in alternating rounds, so that what else
 * the machine does meets all of them alike. Figures are medians over the rounds, ratios medians of each round's own.
 */
const HELP = 'npm run bench -- [--quick] [--only json,sse,unasked,large] [--concurrency 1,64,256] [--rounds n] [--ms n] ' +
  '[--profile folder]'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    concurrency: { type: 'string' },
    rounds: { type: 'string' },
    ms: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const ROUNDS = Number(values.rounds ?? (values.quick ? 3 : 7))
const ROUND_MS = Number(values.ms ?? (values.quick ? 300 : 1_000))
/** V8 goes on compiling for that long; a cold process says nothing about a warm one */
const WARM_UP_CALLS = values.quick ? 2_000 : 20_000
const WARM_UP_CONNECTIONS = 64
const WARM_UP_MS = values.quick ? 300 : 1_000
const AIM_QUERIES = 0.01
const AIM_ADDED_P50_MS = 0.1

interface Subject { name: string, worker: Worker<{ url: string }>, headers: Record<string, string> }
/** one round of one subject, per request */
interface Sample extends Round { cpuMicros: number, queries: number, posts: number, redis: number }

const closers: (() => Promise<void>)[] = []

async function main (): Promise<void> {
  if (values.help) { console.log(HELP); return }
  console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}; ${ROUNDS} rounds of ` +
    `${ROUND_MS} ms each, alternating, after ${WARM_UP_CALLS} calls of warm-up`)
  console.log('CPU is of the proxy process alone, all threads; queries without the ledger\'s batches; medians\n')
  const { subjects, load } = await startAll()
  for (const [key, shape] of Object.entries(SHAPES)) {
    if (values.only !== undefined && !values.only.split(',').includes(key)) continue
    const wanted = values.concurrency?.split(',').map(Number) ?? shape.concurrency
    for (const connections of wanted) {
      report(shape, connections, subjects, await measure(shape, connections, subjects, load))
    }
  }
}

async function startAll (): Promise<{ subjects: Subject[], load: Worker }> {
  const provider = await worker<{ url: string }>('provider.js')
  const bare = await worker<{ url: string }>('bare-proxy.js', { args: [provider.ready.url] })
  const load = await worker('load.js')
  const redisPort = await freePort()
  const redis = await startRedis(redisPort)
  closers.push(() => redis.stop())
  const alone = await gateway(provider.ready.url, {})
  const shared = await gateway(provider.ready.url, { REDIS_URL: `redis://127.0.0.1:${redisPort}` })
  return {
    load,
    subjects: [
      { name: 'bare http-proxy', worker: bare, headers: headers('sk-bench') },
      { name: 'gateway', worker: alone, headers: headers(await budgets(alone.ready.url)) },
      { name: 'gateway, Redis', worker: shared, headers: headers(await budgets(shared.ready.url)) },
    ],
  }
}

async function worker<Ready> (file: string, options: WorkerOptions = {}): Promise<Worker<Ready>> {
  const started = await Worker.start<Ready>(file, options)
  closers.push(() => started.end())
  return started
}

async function gateway (providerUrl: string, env: Record<string, string>): Promise<Worker<{ url: string }>> {
  const { dataDir, remove } = dataFolder()
  closers.push(async () => { remove() })
  return await worker('gateway.js', {
    node: values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`],
    env: { ...settings(dataDir, providerUrl), ...env },
  })
}

/** a stream runs most of its code once per chunk */
function callsOf (shape: Shape): number { return shape.body.includes('"stream"') ? WARM_UP_CALLS / 5 : WARM_UP_CALLS }

const warm = new Set<Shape>()

/** rounds x subjects; the order within a round turns, so that nobody always runs behind the same one */
async function measure (shape: Shape, connections: number, subjects: Subject[], load: Worker): Promise<Sample[][]> {
  const ask = (subject: Subject, ms: number, calls = 0): Load => ({
    url: subject.worker.ready.url, path: shape.path, headers: subject.headers, body: shape.body, connections, ms, calls,
  })
  const cold = !warm.has(shape)
  warm.add(shape)
  for (const subject of subjects) {
    if (cold) await load.ask({ ...ask(subject, WARM_UP_MS, callsOf(shape)), connections: WARM_UP_CONNECTIONS })
    await load.ask(ask(subject, WARM_UP_MS))
  }
  const rounds: Sample[][] = []
  for (let i = 0; i < ROUNDS; i++) {
    const samples: Sample[] = []
    for (let j = 0; j < subjects.length; j++) {
      const index = (i + j) % subjects.length
      const subject = subjects[index] as Subject
      samples[index] = await sample(subject, () => load.ask<Round>(ask(subject, ROUND_MS)))
    }
    rounds.push(samples)
  }
  await load.ask('forget')
  return rounds
}

async function sample ({ worker }: Subject, run: () => Promise<Round>): Promise<Sample> {
  const before = await worker.ask<Used>('used')
  const round = await run()
  const after = await worker.ask<Used>('used')
  const per = (field: keyof Used) => (after[field] - before[field]) / round.requests
  return { ...round, cpuMicros: per('cpuMicros'), queries: per('queries'), posts: per('posts'), redis: per('redis') }
}

const COLUMNS = [26, 9, 9, 9, 9, 22, 9, 9, 9]

function report (shape: Shape, connections: number, subjects: Subject[], rounds: Sample[][]): void {
  console.log(`${shape.name}, concurrency ${connections}`)
  print(['', 'calls/s', 'p50 ms', 'p99 ms', 'CPU us', 'ratio to bare (aim)', 'PG/call', 'posts', 'Redis'])
  subjects.forEach(({ name }, i) => {
    const of = (value: (sample: Sample) => number) => median(rounds.map((samples) => value(samples[i] as Sample)))
    const ratio = median(rounds.map((samples) => (samples[i] as Sample).cpuMicros / (samples[0] as Sample).cpuMicros))
    const aim = i === 0 ? '' : judged(ratio, i === 1 ? shape.aim.alone : shape.aim.redis)
    print([
      name, of((s) => s.requests / s.seconds).toFixed(0), of((s) => s.p50Ms).toFixed(3), of((s) => s.p99Ms).toFixed(2),
      of((s) => s.cpuMicros).toFixed(0), aim, of((s) => s.queries).toFixed(4), of((s) => s.posts).toFixed(4),
      of((s) => s.redis).toFixed(3),
    ])
  })
  const overRounds = (value: (samples: Sample[]) => number) => median(rounds.map(value))
  const queries = Math.max(...[1, 2].map((i) => overRounds((samples) => (samples[i] as Sample).queries)))
  const added = [1, 2].map((i) => overRounds((samples) => (samples[i] as Sample).p50Ms - (samples[0] as Sample).p50Ms))
  console.log(`  queries per call ${judged(queries, AIM_QUERIES)}; added p50 ${connections === 1
    ? added.map((ms) => `${judged(ms, AIM_ADDED_P50_MS)} ms`).join(', with Redis ')
    : added.map((ms) => `${ms.toFixed(3)} ms`).join(', with Redis ')}\n`)
}

function print (cells: string[]): void {
  console.log(`  ${cells.map((cell, i) => i === 0 ? cell.padEnd(COLUMNS[i] ?? 0) : cell.padStart(COLUMNS[i] ?? 0)).join('')}`)
}

function judged (value: number, aim: number): string {
  return `${value.toFixed(aim < 0.1 ? 4 : 2)} (${aim}: ${value <= aim ? 'met' : 'missed'})`
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
