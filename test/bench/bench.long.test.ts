import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)
const BENCH = resolve(import.meta.dirname, '../../bench')

t.test('the demo tells its story, and its books agree', { timeout: 120_000 }, async (t) => {
  const { stdout } = await run(process.execPath, [resolve(BENCH, 'demo.js')])
  t.match(stdout, /20 admitted, 30 refused, 0 failed otherwise/)
  t.match(stdout, /Everything agrees to the nano-dollar\.\n$/)
})

t.test('the bench measures a bare proxy and the gateway, alone and with Redis', { timeout: 180_000 }, async (t) => {
  const few = ['--quick', '--only', 'json', '--concurrency', '4', '--rounds', '1', '--ms', '100']
  const { stdout } = await run(process.execPath, [resolve(BENCH, 'run.js'), ...few])
  for (const subject of ['bare http-proxy', 'gateway', 'gateway, Redis']) {
    const [, calls = '0', cpu = '0'] = new RegExp(`^  ${subject} +(\\d+) +[\\d.]+ +[\\d.]+ +(\\d+) `, 'm').exec(stdout) ?? []
    t.ok(Number(calls) > 0 && Number(cpu) > 0, `${subject}: ${calls} calls/s, ${cpu} us`)
  }
  t.match(stdout, /queries per call \d/)
})

t.test('the bench of the ledger asks every question, and records', { timeout: 180_000 }, async (t) => {
  const { stdout } = await run(process.execPath, [resolve(BENCH, 'ledger.js'), '--quick', '--events', '2000'])
  for (const asked of ['status', 'hierarchy of', 'summary of a year', 'history, 100 records', 'record']) t.match(stdout, asked)
})
