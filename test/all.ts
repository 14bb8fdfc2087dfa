import { report } from '@tapjs/reporter'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative, resolve } from 'node:path'
import { inspect, parseArgs } from 'node:util'
import t from 'tap'
import { FILES_ENV, TAKEN_ENV, UNTIL_ENV } from './services/index.ts'

/**
 * All test files, with `--long` those that take long (`*.long.test.ts`), or those that are named, in some processes
 * that take the next file when they are done with one. Not by tap's own command, which starts a process per file and
 * loads every module of every process, those that a test starts included, through hooks for coverage. Each file also
 * runs by itself.
 */
const HERE = import.meta.dirname
/** few, since each loads all that the tests have in common */
const PROCESSES = 4
const UNTIL_MS = 150_000
/** what takes longest first, so that nobody waits for it at the end */
const FIRST = ['simulation', 'proof', 'stores/postgres', 'plugins/control', '.', 'e2e', 'client', 'stores/redis',
  'plugins/gateway', 'journal', 'model', 'plugins/openapi']

function rankOf (file: string): number {
  const rank = FIRST.indexOf(relative(HERE, dirname(file)) || '.')
  return rank === -1 ? FIRST.length : rank
}

const { values: { long }, positionals } = parseArgs({
  allowPositionals: true, options: { long: { type: 'boolean', default: false } },
})
/** not more: some measure how long the event loop is held up, and many look again and again */
const JOBS = long ? 3 : 2
const named = positionals.map((file) => resolve(file))
const all = readdirSync(HERE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js') && file.endsWith('.long.test.js') === long)
  .sort().map((file) => join(HERE, file))
const files = (named.length > 0 ? named : all).sort((a, b) => rankOf(a) - rankOf(b))
const taken = mkdtempSync(join(tmpdir(), 'relaycore-taken-'))
process.on('exit', () => { rmSync(taken, { recursive: true, force: true }) })

t.jobs = JOBS
t.setTimeout(0)
// Failures alone: to draw what goes on costs as much as many tests, and each file is told of when it ends. All that
// it asks its configuration for is whether comments are wanted.
await report('min', t, { get: () => false } as unknown as Parameters<typeof report>[2])
// what CI counts: a line of its own, behind whatever was drawn
t.on('complete', () => { console.log(`\n# ${inspect(t.counts.toJSON())}`) })
const processes = Math.min(PROCESSES, files.length)
for (let nth = 1; nth <= processes; nth++) {
  const until = nth > processes - JOBS ? {} : { [UNTIL_ENV]: String(UNTIL_MS) }
  const env = { ...process.env, TAP_TIMEOUT: '0', [FILES_ENV]: files.join(delimiter), [TAKEN_ENV]: taken, ...until }
  // without the hooks that tap would have node load
  const command = ['-u', 'NODE_OPTIONS', process.execPath, '--enable-source-maps', join(HERE, 'several.js')]
  const name = `process ${nth}`
  void t.spawn('env', command, { name, timeout: 0, buffered: true, stdio: 'inherit', env }, name)
}
