/**
 * Every route of the admin API against requests made from its own description, good and bad. For longer:
 * RELAYCORE_FUZZ_MS=600000 node out/test/plugins/control/fuzz.test.js; with the seed of a failure: RELAYCORE_FUZZ_SEED.
 */
import t from 'tap'
import { describedBy, fuzzRoute } from '../../fuzz/run.ts'
import { aFuzzedGateway } from '../../fuzz/world.ts'

const MS = Number(process.env['RELAYCORE_FUZZ_MS'] ?? 20_000)
const SEED = process.env['RELAYCORE_FUZZ_SEED']

/** routes at once */
const LANES = 4

t.setTimeout(3 * MS + 60_000)

t.test('whatever is asked of a route, it answers as it describes, in time, and tells nothing that it must not', async (t) => {
  const world = await aFuzzedGateway(t)
  const operations = await describedBy(world.url)
  t.ok(operations.length > 10)
  t.jobs = LANES
  await Promise.all(operations.map((operation) => t.test(operation.name, { buffered: true }, async (t) => {
    const seed = SEED === undefined ? {} : { seed: Number(SEED) }
    const { requests, byStatus } = await fuzzRoute(operation, { ...world, ms: MS * LANES / operations.length, ...seed })
    t.comment([...byStatus].sort(([a], [b]) => a - b).map(([status, times]) => `${times} x ${status}`).join(', '))
    t.ok(requests > 5, `${requests} requests`)
    t.ok([...byStatus.keys()].some((status) => status < 400), 'some of them are accepted')
  })))
  await world.stillWhole(t)
})
