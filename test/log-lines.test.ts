import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import t from 'tap'
import { logLines } from '../src/log-lines.ts'

const LINES = 2_000
const [, , way] = process.argv

const ways: Record<string, (log: pino.Logger) => void> = {
  'a natural end': () => undefined,
  'process.exit()': () => { process.exit(0) },
  'an error that nobody caught': () => { throw new Error('as intended') },
  'a fatal line': (log) => {
    log.fatal('last')
    process.kill(process.pid, 'SIGKILL')
  },
}

if (way === undefined) proveWhole()
else writeAndEnd(ways[way])

function writeAndEnd (end: ((log: pino.Logger) => void) | undefined): void {
  const log = pino({ base: null }, logLines())
  for (let n = 0; n < LINES; n++) log.info({ n }, 'é')
  setImmediate(() => { end?.(log) })
}

function proveWhole (): void {
  for (const name of Object.keys(ways)) {
    t.test(`all lines are there, in order, after ${name}`, async (t) => {
      const child = fork(fileURLToPath(import.meta.url), [name], { silent: true })
      let text = ''
      child.stdout?.on('data', (bytes: Buffer) => { text += bytes.toString() })
      await once(child, 'close')
      const seen = text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as { n?: number, msg: string })
      t.same(seen.map(({ n }) => n).filter((n) => n !== undefined), Array.from({ length: LINES }, (_, n) => n))
      t.ok(seen.every(({ msg }) => msg === 'é' || msg === 'last'))
    })
  }
}
