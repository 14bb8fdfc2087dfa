import t from 'tap'
import { aDatabase } from '../stores/postgres/database.ts'
import { idle, LeaseWorld, lower, nothingLeased, storm, useUp } from './leases.ts'

t.test('leases at the edge: the last cent, a lowered limit, a lost recall, many accounts at once', async (t) => {
  const world = await LeaseWorld.open(await aDatabase(t))
  t.teardown(() => world.close())
  const holders = await world.join(8)

  const usedUp = await useUp(world, holders, 100_000_000n, 10_000_000n)
  t.match(usedUp, { excessNano: 0n, strandedNano: 0n, falseRefusals: 0 })
  t.ok(usedUp.calls >= 10, `${usedUp.calls} calls of half the quote`)

  const lowered = await lower(world, holders)
  t.ok(lowered.excessNano > 0n)
  t.equal(lowered.grantedAfter, 0)

  t.ok((await idle(world, holders, true)).ms < 5_000, 'though no recall arrives')
  t.equal((await storm(world, holders.slice(0, 1), 100)).refused, 0)
  await nothingLeased(world)
})
