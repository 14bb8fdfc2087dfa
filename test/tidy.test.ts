import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'

/** House rules that no compiler checks. */
const ROOT = resolve(import.meta.dirname, '../..')

function files (folder: string, end = '.ts'): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(end) && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
}

const SOURCES = ['src', 'plugins'].flatMap((folder) => files(folder))
const ALL = [...SOURCES, ...files('test'), ...files('bench'), ...files('prices')]
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')

/** the files that a file imports, from the root; packages as they are named */
function imports (file: string): string[] {
  return [...read(file).matchAll(/(?:from|import) '([^']+)'/g)].map(([, name = '']) =>
    name.startsWith('.') ? join(dirname(file), name) : name)
}

t.test('no rule is bent, nothing is left to do, no test is left out', async (t) => {
  const bent = /@ts-(ignore|expect-error|nocheck)|eslint-disable|\bTODO\b|\bFIXME\b|: any\b|<any>|\bas any\b/
  for (const file of ALL) if (file !== 'test/tidy.test.ts') t.notMatch(read(file), bent, file)
  for (const file of files('test')) t.notMatch(read(file), /\bt\.(only|skip|todo)\(/, file)
})

t.test('the business knows neither the web nor, but where it is composed, the stores', async (t) => {
  const composed = new Set(['src/app.ts', 'src/server.ts', 'src/index.ts', 'src/core.ts', 'src/cli.ts', 'src/commands.ts', 'src/beside.ts', 'src/reconcile.ts', 'src/diagnose.ts', 'src/forget.ts'])
  for (const file of files('src')) {
    if (composed.has(file)) continue
    const found = imports(file)
    t.notOk(found.some((one) => /^(fastify|@fastify\/(?!error$))/.test(one) || one.startsWith('plugins')), file)
    if (!file.startsWith('src/stores')) t.notOk(found.some((one) => one.startsWith('src/stores')), file)
  }
})

t.test('plugins know neither stores nor each other', async (t) => {
  for (const file of files('plugins')) {
    const own = file.split('/').slice(0, 2).join('/')
    const others = imports(file).filter((one) => one.startsWith('src/stores') ||
      (one.startsWith('plugins/') && !one.startsWith(`${own}/`)))
    t.same(others, [], file)
  }
})

t.test('every folder of domain words explains them', async (t) => {
  for (const { name } of readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((one) => one.isDirectory())) {
    t.ok(existsSync(join(ROOT, 'src', name, 'README.md')), name)
  }
})

t.test('migrations are numbered without a gap, and the lock file names no registry', async (t) => {
  const numbers = files('sql/migrations', '.sql').map((file) => Number(/(\d+)\.do\./.exec(file)?.[1])).sort((a, b) => a - b)
  t.same(numbers, numbers.map((_, i) => i + 1))
  t.notMatch(read('package-lock.json'), /"resolved"/)
})

t.test('only the command line, the demo, the bench and tests write to the terminal', async (t) => {
  for (const file of SOURCES) if (file !== 'src/cli.ts') t.notMatch(read(file), /\bconsole\./, file)
})
