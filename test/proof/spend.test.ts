import t from 'tap'
import { proveSpend } from './spend.ts'
import { aDatabase } from '../stores/postgres/database.ts'

t.test('three gateways on one ledger never overspend, and everybody\'s books agree', async (t) => {
  const result = await proveSpend(200, 50, (line) => { t.comment(line) }, await aDatabase(t))
  t.ok(result.admitted > 0)
  for (const { name, limit, spent, peak } of result.accounts) t.ok(spent <= peak && peak <= limit, name)
})
