import { availableParallelism } from 'node:os'
import { startPostgres } from '../services/postgres.ts'
import { simulateMany } from './pool.ts'
import { PostgresLedger } from './postgres-ledger.ts'
import { type Mutant, MUTANTS } from './mutants.ts'
import type { WorkerNews } from './worker.ts'

/**
 * `npm run simulate`: seeds from 1 (`--from N`) on, a million of them (`--count N`), on all cores, until one fails.
 * `--seed N` runs one of them, `--trace` shows what happens in it. `--mutants` takes the safeguards away, one after
 * the other, and demands that each is missed within so many seeds. `--postgres`: with the SQL of a real PostgreSQL.
 */
const args = process.argv.slice(2)
const REAL = args.includes('--postgres')
const REPLAY = `npm run simulate -- ${REAL ? '--postgres ' : ''}--seed`

function number (name: string, absent: number): number {
  const at = args.indexOf(name)
  return at === -1 ? absent : Number(args[at + 1])
}

function say (line: string): void { console.log(line) }

function report ({ seed, problem, faults, calls, steps, trace }: WorkerNews): void {
  for (const line of trace) say(line)
  say(`seed ${seed}: ${calls} calls, ${steps} steps${faults === '' ? '' : ` with ${faults}`}`)
  say(problem ?? 'Everything holds.')
}

async function withLedgers<T> (count: number, run: (ledgers: PostgresLedger[]) => Promise<T>): Promise<T> {
  if (!REAL) return await run([])
  const server = await startPostgres()
  const ledgers: PostgresLedger[] = []
  try {
    for (let i = 0; i < count; i++) ledgers.push(await PostgresLedger.of(server.url, `simulation${i}`))
    return await run(ledgers)
  } finally {
    await Promise.all(ledgers.map((ledger) => ledger.close()))
    await server.stop()
  }
}

async function one (seed: number): Promise<boolean> {
  return await withLedgers(1, async (ledgers) =>
    await simulateMany([{ first: seed, traced: args.includes('--trace') }], report, ledgers)) === null
}

async function many (first: number, count: number): Promise<boolean> {
  const cores = Math.min(availableParallelism(), count)
  const started = performance.now()
  let [runs, steps, calls, told] = [0, 0, 0, started]
  const rate = (): string => {
    const seconds = (performance.now() - started) / 1000
    return `${runs} seeds in ${seconds.toFixed(0)} s, ${(runs / seconds).toFixed(1)} a second on ${cores} cores; ${calls} calls, ${steps} steps`
  }
  const orders = Array.from({ length: cores }, (_, core) =>
    ({ first: first + core, step: cores, count: Math.ceil((count - core) / cores) }))
  const failed = await withLedgers(cores, async (ledgers) => await simulateMany(orders, (news) => {
    runs++
    steps += news.steps
    calls += news.calls
    if (performance.now() - told < 5_000) return
    told = performance.now()
    say(rate())
  }, ledgers))
  say(rate())
  if (failed === null) return true
  report(failed)
  say(`Again, with what happens in it: ${REPLAY} ${failed.seed} --trace`)
  return false
}

async function mutants (first: number, count: number): Promise<boolean> {
  let missed = true
  for (const name of Object.keys(MUTANTS) as Mutant[]) {
    const { rule, breaks } = MUTANTS[name]
    let seeds = 0
    const found = await simulateMany([{ first, count, mutant: name }], () => { seeds++ })
    const right = found !== null && breaks.test(found.problem ?? '')
    missed &&= right
    say(`${right ? 'found' : 'NOT FOUND'} after ${seeds} seeds, unless ${rule}${found === null ? '' : `: ${found.problem}`}`)
  }
  return missed
}

const from = number('--from', 1)
const seed = number('--seed', 0)
const held = args.includes('--mutants')
  ? await mutants(from, number('--count', 1_000))
  : seed > 0 ? await one(seed) : await many(from, number('--count', 1_000_000))
process.exitCode = held ? 0 : 1
