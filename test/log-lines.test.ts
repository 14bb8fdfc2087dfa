import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'

const LINES = 2_000

for (const end of ['a natural end', 'process.exit()', 'an error that nobody caught', 'a fatal line']) {
  t.test(`all lines are there, in order, after ${end}`, async (t) => {
    const child = fork(join(import.meta.dirname, 'log-writer.js'), [String(LINES), end], { silent: true })
    let text = ''
    child.stdout?.on('data', (bytes: Buffer) => { text += bytes.toString() })
    await once(child, 'close')
    const seen = text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as { n?: number, msg: string })
    t.same(seen.map(({ n }) => n).filter((n) => n !== undefined), Array.from({ length: LINES }, (_, n) => n))
    t.ok(seen.every(({ msg }) => msg === 'é' || msg === 'last'))
  })
}
