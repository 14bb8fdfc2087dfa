import { execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import t from 'tap'

const ROOT = resolve(import.meta.dirname, '../..')

t.test('the linter has nothing to say', async (t) => {
  // a file is looked at again where its text or the rules are others
  const known = ['--cache', '--cache-strategy', 'content', '--cache-location', '.cache/eslint']
  const eslint = [join(ROOT, 'node_modules/eslint/bin/eslint.js'), '.', ...known]
  t.doesNotThrow(() => execFileSync(process.execPath, eslint, { cwd: ROOT }))
})
