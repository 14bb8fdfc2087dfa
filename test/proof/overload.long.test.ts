import t from 'tap'
import { aDatabase } from '../stores/postgres/database.ts'
import { proveOverload } from './overload.ts'

t.test('what is too much at once is refused, succeeds later, and is charged exactly', async (t) => {
  const sizes = {
    streams: 40,
    idle: 100,
    places: 60,
    beyond: 20,
    bodies: { calls: 5, bytes: 100_000, most: 550_000 },
    strangers: 60,
    waiting: 20,
    readers: null,
    trickling: 0,
    rounds: 2,
    // how long a call takes beside other tests says nothing
    timed: { calls: 3, times: Infinity },
  }
  const { refused } = await proveOverload(sizes, (line) => { t.comment(line) }, await aDatabase(t))
  t.equal(refused, sizes.beyond + sizes.bodies.calls)
})
