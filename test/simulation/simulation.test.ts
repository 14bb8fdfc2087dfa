import t from 'tap'
import { aDatabase } from '../stores/postgres/database.ts'
import { type Mutant, MUTANTS } from './mutants.ts'
import { simulateMany } from './pool.ts'
import { PostgresLedger } from './postgres-ledger.ts'
import type { WorkerNews } from './worker.ts'

/** the first of those in thousands.long.test.ts */
const SEEDS = 200
/** each statement is one of PostgreSQL's */
const REAL_SEEDS = 4
/** those that are missed soonest; all of them: `npm run simulate -- --mutants` */
const CHEAP: Mutant[] = ['memory first', 'uncertain on crash']
const MUTANT_SEEDS = 60

t.test('whatever goes wrong, nothing is overspent, lost or stuck', { timeout: 240_000 }, async (t) => {
  let calls = 0
  const failed = await simulateMany([{ first: 1, count: SEEDS }], (news) => { calls += news.calls })
  t.equal(failed?.problem ?? null, null, `seed ${failed?.seed}: npm run simulate -- --seed ${failed?.seed} --trace`)
  t.ok(calls > SEEDS * 5, `${calls} calls`)
})

t.test('a run depends on its seed alone', { timeout: 120_000 }, async (t) => {
  const traces = async (): Promise<string[][]> => {
    const all: string[][] = []
    await simulateMany([{ first: 3, count: 2, traced: true }], ({ trace }: WorkerNews) => { all.push(trace) })
    return all
  }
  const [one, other] = [await traces(), await traces()]
  t.ok(one.every((trace) => trace.length > 100))
  t.strictSame(one, other)
})

t.test('without any one of its safeguards the code breaks, and the simulation finds out', { timeout: 240_000 }, async (t) => {
  for (const mutant of CHEAP) {
    const found = await simulateMany([{ first: 1, count: MUTANT_SEEDS, mutant }])
    t.match(found?.problem, MUTANTS[mutant].breaks, `unless ${MUTANTS[mutant].rule}`)
  }
})

t.test('PostgreSQL holds what the ledger in memory holds, and answers the same', { timeout: 240_000 }, async (t) => {
  const ledger = await PostgresLedger.on(await aDatabase(t))
  t.teardown(() => ledger.close())
  const told: number[] = []
  const failed = await simulateMany([{ first: 1, count: REAL_SEEDS }], ({ seed }) => { told.push(seed) }, [ledger])
  t.equal(failed?.problem ?? null, null, `npm run simulate -- --postgres --seed ${failed?.seed} --trace`)
  t.equal(told.length, REAL_SEEDS)
})
