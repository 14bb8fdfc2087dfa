import t from 'tap'
import { provePolicies } from './policies.ts'
import { aDatabase } from '../stores/postgres/database.ts'

t.test('limits that move under calls at three gateways are kept at every moment', async (t) => {
  const result = await provePolicies(5_000, (line) => { t.comment(line) }, await aDatabase(t))
  t.ok(result.calls > 0 && result.refusals > 0 && result.downgraded > 0)
})
