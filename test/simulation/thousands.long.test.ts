import t from 'tap'
import { aDatabase } from '../stores/postgres/database.ts'
import { simulateMany } from './pool.ts'
import { PostgresLedger } from './postgres-ledger.ts'

/** in less than a minute; `npm run simulate` runs on and on */
const SEEDS = 2_000
/** each statement is one of PostgreSQL's */
const REAL_SEEDS = 2

t.test('whatever goes wrong, nothing is overspent, lost or stuck, in thousands of runs', { timeout: 240_000 }, async (t) => {
  let calls = 0
  const failed = await simulateMany([{ first: 1, count: SEEDS }], (news) => { calls += news.calls })
  t.equal(failed?.problem ?? null, null, `seed ${failed?.seed}: npm run simulate -- --seed ${failed?.seed} --trace`)
  t.ok(calls > SEEDS * 5, `${calls} calls`)
})

t.test('PostgreSQL holds what the ledger in memory holds, and answers the same', { timeout: 240_000 }, async (t) => {
  const ledger = await PostgresLedger.on(await aDatabase(t))
  t.teardown(() => ledger.close())
  const told: number[] = []
  const failed = await simulateMany([{ first: 1, count: REAL_SEEDS }], ({ seed }) => { told.push(seed) }, [ledger])
  t.equal(failed?.problem ?? null, null, `npm run simulate -- --postgres --seed ${failed?.seed} --trace`)
  t.equal(told.length, REAL_SEEDS)
})
