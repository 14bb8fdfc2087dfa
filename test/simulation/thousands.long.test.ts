import t from 'tap'
import { simulateMany } from './pool.ts'

/** in less than a minute; `npm run simulate` runs on and on */
const SEEDS = 2_000

t.test('whatever goes wrong, nothing is overspent, lost or stuck, in thousands of runs', { timeout: 240_000 }, async (t) => {
  let calls = 0
  const failed = await simulateMany([{ first: 1, count: SEEDS }], (news) => { calls += news.calls })
  t.equal(failed?.problem ?? null, null, `seed ${failed?.seed}: npm run simulate -- --seed ${failed?.seed} --trace`)
  t.ok(calls > SEEDS * 5, `${calls} calls`)
})
