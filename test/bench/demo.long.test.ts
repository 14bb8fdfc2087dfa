import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const DEMO = resolve(import.meta.dirname, '../../bench/demo.js')

t.test('the demo tells its story, and its books agree', { timeout: 120_000 }, async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [DEMO])
  t.match(stdout, /20 admitted, 30 refused, 0 failed otherwise/)
  t.match(stdout, /Everything agrees to the nano-dollar\.\n$/)
})
