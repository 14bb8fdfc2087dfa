import t from 'tap'
import { type Mutant, MUTANTS } from './mutants.ts'
import { simulateMany } from './pool.ts'
import type { WorkerNews } from './worker.ts'

/** the first of those in thousands.long.test.ts */
const SEEDS = 50
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
