import { closeSync, existsSync, fdatasyncSync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { quoted } from '../json-text.ts'
import { type UsageEvent } from '../usage/usage.ts'
import { replaceFile } from './file-ops.ts'
import { EndedCall } from './ended-call.ts'
import { endOf, Fields, openingOf, ShapeError } from './records.ts'

/**
 * Usage events that the authority refused for good, one JSON line each, in `set-aside.jsonl` beside the segments. They
 * are money: a line leaves the file only when its event was posted after all, and a line that cannot be read stays.
 */
export interface SetAsideEvent {
  /** the process life whose leases cover it */
  incarnation: number
  /** ms since the epoch */
  at: number
  reason: string
  event: UsageEvent
}

export interface SetAsideReading {
  /** by call, the newest of each */
  events: SetAsideEvent[]
  /** lines that are no event, 1 for the first */
  unreadable: number[]
}

const FILE = 'set-aside.jsonl'
const NEWLINE = 0x0a

/** on stable storage when it returns */
export function keepSetAside (folder: string, { incarnation, at, reason, event }: SetAsideEvent): void {
  const { openJson, endJson } = EndedCall.of(event)
  const fd = openSync(join(folder, FILE), 'a+', 0o600)
  try {
    const line = `{"incarnation":${incarnation},"at":${at},"reason":${quoted(reason)}` +
      `,"opening":${openJson},"end":${endJson}}`
    writeSync(fd, `${endsInside(fd) ? '\n' : ''}${line}\n`)
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

export function readSetAside (folder: string): SetAsideReading {
  const events = new Map<string, SetAsideEvent>()
  const unreadable: number[] = []
  for (const [i, line] of linesIn(folder).entries()) {
    const found = parse(line)
    if (found === null) unreadable.push(i + 1)
    else events.set(found.event.opening.id, found)
  }
  return { events: [...events.values()], unreadable }
}

/** takes out the events that were posted after all */
export function dropSetAside (folder: string, ids: string[]): void {
  const gone = new Set(ids)
  const lines = linesIn(folder)
  const kept = lines.filter((line) => {
    const found = parse(line)
    return found === null || !gone.has(found.event.opening.id)
  })
  if (kept.length < lines.length) replaceFile(folder, join(folder, FILE), kept.map((line) => line + '\n').join(''))
}

/** a line that a crash cut short must not swallow the next one */
function endsInside (fd: number): boolean {
  const { size } = fstatSync(fd)
  if (size === 0) return false
  const last = Buffer.alloc(1)
  readSync(fd, last, 0, 1, size - 1)
  return last[0] !== NEWLINE
}

function linesIn (folder: string): string[] {
  const path = join(folder, FILE)
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter((line) => line !== '') : []
}

function parse (line: string): SetAsideEvent | null {
  try {
    const fields = new Fields(JSON.parse(line))
    const event = { opening: openingOf(fields.inner('opening')), end: endOf(fields.inner('end')) }
    return { incarnation: fields.count('incarnation'), at: fields.count('at'), reason: fields.text('reason'), event }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof ShapeError) return null
    throw error
  }
}
