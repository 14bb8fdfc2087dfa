import { pino } from 'pino'

/** Lines of many calls go out in one write, at most this much later: a write for each would be a tenth of a call. */
const WRITE_AT = 16_384
const WRITE_LATEST_MS = 100
/** the destination begins no write by itself, so that what it has can still be written at once */
const NEVER = 2 ** 30

type Destination = ReturnType<typeof pino.destination> & { readonly destroyed?: boolean }

/** Where a log goes. What waits is written at once at a fatal line, and at every end of the process but a kill. */
export interface LogLines {
  write (line: string): void
  flushSync (): void
}

/**
 * Collects lines before the destination does: that one counts all bytes it has with each line that comes, which costs
 * more than the rest of a line.
 */
export function logLines (dest: number | string = 1): LogLines {
  let waiting = ''
  const pass = (): void => {
    const lines = waiting
    waiting = ''
    if (lines !== '') below.write(lines)
  }
  // before the destination's own, which may close it
  process.on('beforeExit', pass)
  const below: Destination = pino.destination({ dest, sync: false, minLength: NEVER, maxWrite: NEVER + 1 })
  const flush = (): void => {
    if (below.destroyed === true) return
    pass()
    below.flush()
  }
  const flushSync = (): void => {
    if (below.destroyed === true) return
    pass()
    below.flushSync()
  }
  setInterval(flush, WRITE_LATEST_MS).unref()
  process.on('exit', flushSync)
  return {
    write: (line) => {
      waiting += line
      if (waiting.length >= WRITE_AT) flush()
    },
    flushSync,
  }
}
