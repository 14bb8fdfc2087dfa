import { report } from '@tapjs/reporter'
import { readdirSync } from 'node:fs'
import { delimiter, dirname, join, relative, resolve } from 'node:path'
import t from 'tap'
import { FILES_ENV } from './services/index.ts'

/**
 * All test files, or those that are named, in some processes: several files in each. Not by tap's own
 * command, which starts a process per file and loads every module of every process, those that a test starts
 * included, through hooks for coverage. Each file also runs by itself.
 */
const HERE = import.meta.dirname
/** for each file of a group */
const MS = 240_000
/** not more: some measure how long the event loop is held up */
const JOBS = 2
const MOST_FILES = 12
/** what takes longest first, so that nobody waits for it at the end */
const FIRST = ['proof', 'stores/postgres', 'plugins/control', '.', 'e2e', 'client', 'stores/redis', 'plugins/gateway', 'journal', 'model',
  'plugins/openapi']

interface Group { name: string, files: string[] }

const folderOf = (file: string) => relative(HERE, dirname(file)) || '.'

/** of one folder each; all other folders are small, and one after the other in theirs */
function groupsOf (files: string[]): Group[] {
  const others = files.filter((file) => !FIRST.includes(folderOf(file)))
  const parts = [
    ...FIRST.flatMap((folder) => dealt(files.filter((file) => folderOf(file) === folder))),
    ...Array.from({ length: Math.ceil(others.length / MOST_FILES) }, (_, nth) =>
      others.slice(nth * MOST_FILES, (nth + 1) * MOST_FILES)),
  ]
  return parts.map((files) => ({ name: files.map((file) => relative(HERE, file).replace('.test.js', '')).join(', '), files }))
}

/** like cards, since what takes long is often named alike */
function dealt (files: string[]): string[][] {
  const groups = Math.ceil(files.length / MOST_FILES)
  return Array.from({ length: groups }, (_, nth) => files.filter((_, index) => index % groups === nth))
}

const named = process.argv.slice(2).map((file) => resolve(file))
const all = readdirSync(HERE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js')).sort().map((file) => join(HERE, file))

t.jobs = JOBS
t.setTimeout(0)
// all that it asks its configuration for is whether comments are wanted
await report('terse', t, { get: () => false } as unknown as Parameters<typeof report>[2])
for (const { name, files } of groupsOf(named.length > 0 ? named : all)) {
  const timeout = MS * files.length
  const env = { ...process.env, TAP_TIMEOUT: String(timeout / 1000), [FILES_ENV]: files.join(delimiter) }
  // without the hooks that tap would have node load
  const command = ['-u', 'NODE_OPTIONS', process.execPath, '--enable-source-maps', join(HERE, 'several.js')]
  void t.spawn('env', command, { name, timeout, buffered: true, stdio: 'pipe', env }, name)
}
