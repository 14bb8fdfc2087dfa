import { pino } from 'pino'
import { logLines } from '../src/log-lines.ts'

/** A process of its own that logs so many lines at once and ends in the way it is told. */
const log = pino({ base: null }, logLines())
const [, , lines, way] = process.argv

const ways: Record<string, () => void> = {
  'a natural end': () => undefined,
  'process.exit()': () => { process.exit(0) },
  'an error that nobody caught': () => { throw new Error('as intended') },
  'a fatal line': () => {
    log.fatal('last')
    process.kill(process.pid, 'SIGKILL')
  },
}

for (let n = 0; n < Number(lines); n++) log.info({ n }, 'é')
setImmediate(() => { ways[String(way)]?.() })
