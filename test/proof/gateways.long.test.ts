import t from 'tap'
import { aDatabase } from '../stores/postgres/database.ts'
import { inAWorld, proveClockSteps, proveLost, proveStop } from './gateways.ts'

t.test('what had ended on a lost host is recorded by another gateway', async (t) => {
  const say = (line: string) => { t.comment(line) }
  await inAWorld(async (world) => {
    const { found } = await proveLost(world, { copy: true, ended: 10, short: true }, say)
    t.equal(found, 10)
  }, await aDatabase(t))
})

t.test('a gateway whose clock is set by an hour goes on; its stop lets streams end whole, and gives all back', async (t) => {
  const say = (line: string) => { t.comment(line) }
  await inAWorld(async (world) => {
    const setting = await proveClockSteps(world, { calls: 4 }, say)
    await proveStop(world, { streams: 5, pieces: 3 }, say, setting)
    t.equal(setting.gateway.child.exitCode, 0)
  }, await aDatabase(t))
})
