import { report } from '@tapjs/reporter'
import { readdirSync } from 'node:fs'
import { basename, delimiter, dirname, join, relative, resolve } from 'node:path'
import t from 'tap'
import { FILES_ENV } from './services/index.ts'

/**
 * All test files, or those that are named, in some processes: several files of a folder in each. Not by tap's own
 * command, which starts a process per file and loads every module of every process, those that a test starts
 * included, through hooks for coverage. Each file also runs by itself.
 */
const HERE = import.meta.dirname
/** for each file of a group */
const MS = 240_000
/** not more: some measure how long the event loop is held up */
const JOBS = 2
const MOST_FILES = 10
/** what takes longest first, so that nobody waits for it at the end */
const FIRST = ['proof', 'stores/postgres', 'plugins/control', '.', 'e2e', 'client']

interface Group { name: string, files: string[] }

/** of one folder each */
function groupsOf (files: string[]): Group[] {
  const folders = new Map<string, string[]>()
  for (const file of files) {
    const folder = relative(HERE, dirname(file)) || '.'
    folders.set(folder, [...folders.get(folder) ?? [], file])
  }
  const rank = (folder: string) => FIRST.includes(folder) ? FIRST.indexOf(folder) : FIRST.length
  return [...folders].sort(([a], [b]) => rank(a) - rank(b)).flatMap(([folder, files]) => {
    const groups = Math.ceil(files.length / MOST_FILES)
    return Array.from({ length: groups }, (_, nth) => {
      const part = files.filter((_, index) => index % groups === nth)
      return { name: `${folder}: ${part.map((file) => basename(file, '.test.js')).join(', ')}`, files: part }
    })
  })
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
