import t from 'tap'
import { proveRedisFaults } from './redis.ts'
import { aDatabase } from '../stores/postgres/database.ts'

t.test('a Redis that accepts and never answers changes no figure and refuses no call', async (t) => {
  const only = ['silent for all: it accepts and never answers']
  const results = await proveRedisFaults(
    { gateways: 2, ms: 300, outageMs: 0, only }, (line) => { t.comment(line) }, await aDatabase(t))
  t.strictSame(results.map(({ fault, refused }) => [fault, refused]), only.map((name) => [name, 0]))
})
