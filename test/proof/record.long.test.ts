import t from 'tap'
import { proveRecording } from './record.ts'
import { aDatabase } from '../stores/postgres/database.ts'

t.test('records, cache, accounts and status agree to the nano-unit after random usage and reversals, and all can be taken back', async (t) => {
  const result = await proveRecording(400, (line) => { t.comment(line) }, await aDatabase(t))
  t.ok(result.records >= 400 && result.reversals > 10 && result.refused > 5 && result.accounts > 30)
})
