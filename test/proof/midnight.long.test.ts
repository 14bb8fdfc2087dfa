import t from 'tap'
import { proveMidnight } from './midnight.ts'
import { aDatabase } from '../stores/postgres/database.ts'

t.test('calls that are open at midnight count on the day before, and what that has left goes on', async (t) => {
  const { before, after, across } = await proveMidnight('Asia/Kathmandu', 2_000, (line) => { t.comment(line) }, await aDatabase(t))
  t.ok(before > 0 && after > 0 && across > 0)
})
