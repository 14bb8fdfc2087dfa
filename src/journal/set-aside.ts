import { join } from 'node:path'
import { quoted } from '../json-text.ts'
import { type UsageEvent } from '../usage/usage.ts'
import { type FileOps, systemFileOps } from './file-ops.ts'
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

/** on stable storage when it returns */
export function keepSetAside (
  folder: string, { incarnation, at, reason, event }: SetAsideEvent, files: FileOps = systemFileOps
): void {
  const { openJson, endJson } = EndedCall.of(event)
  files.appendLine(join(folder, FILE), `{"incarnation":${incarnation},"at":${at},"reason":${quoted(reason)}` +
    `,"opening":${openJson},"end":${endJson}}`)
}

export function readSetAside (folder: string, files: FileOps = systemFileOps): SetAsideReading {
  const events = new Map<string, SetAsideEvent>()
  const unreadable: number[] = []
  for (const [i, line] of linesIn(folder, files).entries()) {
    const found = parse(line)
    if (found === null) unreadable.push(i + 1)
    else events.set(found.event.opening.id, found)
  }
  return { events: [...events.values()], unreadable }
}

/** takes out the events that were posted after all */
export function dropSetAside (folder: string, ids: string[], files: FileOps = systemFileOps): void {
  const gone = new Set(ids)
  const lines = linesIn(folder, files)
  const kept = lines.filter((line) => {
    const found = parse(line)
    return found === null || !gone.has(found.event.opening.id)
  })
  if (kept.length < lines.length) files.replace(folder, join(folder, FILE), kept.map((line) => line + '\n').join(''))
}

function linesIn (folder: string, files: FileOps): string[] {
  const path = join(folder, FILE)
  return files.has(path) ? files.text(path).split('\n').filter((line) => line !== '') : []
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
