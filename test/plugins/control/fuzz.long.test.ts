/**
 * Every route of the admin API against requests made from its own description, good and bad. For longer:
 * RELAYCORE_FUZZ_MS=600000 node out/test/plugins/control/fuzz.long.test.js; with a failure's seed: RELAYCORE_FUZZ_SEED.
 */
import t from 'tap'
import { exampleCalls } from '../../fuzz/examples.ts'
import { describedBy, fuzzRoute } from '../../fuzz/run.ts'
import { aFuzzedGateway } from '../../fuzz/world.ts'

const MS = Number(process.env['RELAYCORE_FUZZ_MS'] ?? 5_000)
const SEED = process.env['RELAYCORE_FUZZ_SEED']

/** routes at once */
const LANES = 4

// for a longer run; other files may be in the same process
if (MS > 5_000 || process.env['TAP_TIMEOUT'] === undefined) t.setTimeout(3 * MS + 120_000)

t.test('every example of a request is one that its route takes', async (t) => {
  const world = await aFuzzedGateway(t)
  const operations = await describedBy(world.url)
  let bodies = 0
  for (const operation of operations) {
    for (const { call, what } of exampleCalls(operation, world.known)) {
      const { status, body } = await world.gateway.admin(operation.method, call.path, call.body, call.headers)
      t.ok(status < 500 && status !== 400, `${operation.name} ${what}: ${status} ${JSON.stringify(body).slice(0, 300)}`)
      if (call.body !== undefined) bodies++
    }
  }
  t.ok(bodies > 5)
})

t.test('whatever is asked of a route, it answers as it describes, in time, and tells nothing that it must not', async (t) => {
  const world = await aFuzzedGateway(t)
  const operations = await describedBy(world.url)
  t.ok(operations.length > 10)
  t.jobs = LANES
  let [asked, accepted] = [0, 0]
  await Promise.all(operations.map((operation) => t.test(operation.name, { buffered: true }, async (t) => {
    const seed = SEED === undefined ? {} : { seed: Number(SEED) }
    const { requests, byStatus } = await fuzzRoute(operation, { ...world, ms: MS * LANES / operations.length, ...seed })
    const times = [...byStatus].sort(([a], [b]) => a - b)
    t.ok(requests > 5, times.map(([status, n]) => `${n} x ${status}`).join(', '))
    asked += requests
    accepted += times.reduce((sum, [status, n]) => status < 400 ? sum + n : sum, 0)
  })))
  t.ok(accepted > asked / 10, `${accepted} of ${asked} requests did something`)
  await world.stillWhole(t)
})
