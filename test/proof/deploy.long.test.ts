import t from 'tap'
import { aDatabase } from '../stores/postgres/database.ts'
import { proveUpgrade } from './deploy.ts'
import { inAWorld } from './gateways.ts'

t.test('the schema is upgraded under calls, of which none is lost', async (t) => {
  await inAWorld(async (world) => {
    await proveUpgrade(world, { gateways: 1, clients: 4, heldMs: 700, short: true }, (line) => { t.comment(line) })
    t.equal(world.gateways.length, 1)
  }, await aDatabase(t))
})
