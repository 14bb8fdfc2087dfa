import { type CallEnd, type CallOpening } from '../usage/usage.ts'
import { sameBoot } from './boot-id.ts'
import { type FileOps, type ReadableFile, systemFileOps } from './file-ops.ts'
import { type JournalHeader, type JournalLife } from './journal.ts'
import { decodeLine, type Line } from './records.ts'
import { parseSegmentName } from './segments.ts'

/**
 * Reads what an earlier process life left. A line without its newline at the very end is the torn tail of a write that
 * the process did not survive: nobody was told that it was written, so it is cut. Anything else that is no record is
 * damage: it is reported with its place, and reading goes on behind it, because every further record found is a call
 * that is posted instead of being in doubt. What is missing is never guessed: see `mayMissRecords`.
 */

const CHUNK_BYTES = 128 * 1024
const NEWLINE = 0x0a
/** the line that ends a life is shorter */
const LAST_LINE_BYTES = 256

/** `files`: the segments of one life, in order */
export async function readLife (
  files: string[], journalId: string, incarnation: number, ops: FileOps = systemFileOps
): Promise<JournalLife> {
  const reader = new LifeReader(journalId, incarnation, ops)
  for (const [i, file] of files.entries()) await reader.readSegment(file, i === files.length - 1)
  return reader.life(files)
}

/** true: calls may have been forwarded of which this journal does not know, so the rest of the leases is in doubt */
export function mayMissRecords (life: JournalLife, bootId: string): boolean {
  return life.damaged.length > 0 || (!life.complete && !sameBoot(life.header.bootId, bootId))
}

/** true: a life ended in order, and PostgreSQL had all its calls by then. `file`: its last segment */
export function endedRecorded (file: string, ops: FileOps = systemFileOps): boolean {
  const size = ops.size(file)
  const length = Math.min(size, LAST_LINE_BYTES)
  const tail = ops.read(file, size - length, length)
  if (tail.at(-1) !== NEWLINE) return false
  const last = decodeLine(tail.subarray(tail.lastIndexOf(NEWLINE, -2) + 1, -1))
  return last?.t === 'closed' && last.unposted === 0
}

class LifeReader {
  readonly #journalId: string
  readonly #incarnation: number
  readonly #ops: FileOps
  readonly #calls = new Map<string, { opening: CallOpening, end: CallEnd | null }>()
  readonly #damaged: JournalLife['damaged'] = []
  #header: JournalHeader | null = null
  #syncedAt: number | null = null
  #complete = false
  #recorded = false
  #tornBytes = 0
  #lastSegment: number | null = null

  constructor (journalId: string, incarnation: number, ops: FileOps) {
    this.#journalId = journalId
    this.#incarnation = incarnation
    this.#ops = ops
  }

  async readSegment (file: string, isLast: boolean): Promise<void> {
    const segment = parseSegmentName(file)?.segment ?? 0
    if (this.#lastSegment !== null && segment !== this.#lastSegment + 1) {
      this.#damaged.push({ file, offset: 0, bytes: 0, reason: `the segment before ${segment} is missing` })
    }
    this.#lastSegment = segment
    let first = true
    const handle = await this.#ops.openToRead(file)
    try {
      for await (const { bytes, offset, whole } of linesOf(handle)) {
        if (!whole && isLast && !endsInAnother(bytes)) {
          this.#tornBytes = bytes.length
          return
        }
        this.#take(file, segment, offset, bytes, whole, first)
        first = false
      }
    } finally {
      await handle.close()
    }
  }

  #take (file: string, segment: number, offset: number, bytes: Buffer, whole: boolean, first: boolean): void {
    const line = decodeLine(whole ? bytes : bytes.subarray(0, -1))
    const reason = line === null || !whole ? 'no record' : this.#misplaced(line, segment, first)
    if (reason !== null) this.#damaged.push({ file, offset, bytes: bytes.length, reason })
    // A record in a file that lost its header is still a record; one of another journal is none of ours.
    if (line !== null && line.t !== 'header') this.#apply(line)
    if (line?.t === 'header' && reason === null) this.#header ??= line.header
  }

  #misplaced (line: Line, segment: number, first: boolean): string | null {
    if ((line.t === 'header') !== first) return first ? 'the header is missing' : 'a header amid the records'
    if (line.t !== 'header') return null
    const { header } = line
    const ours = header.journalId === this.#journalId && header.incarnation === this.#incarnation
    return ours && line.segment === segment ? null : 'the header belongs to another file'
  }

  #apply (line: Exclude<Line, { t: 'header' }>): void {
    this.#complete = false
    this.#recorded = false
    switch (line.t) {
      case 'open': {
        // A call's opening is written once more when its hold is extended, or to let an old segment go.
        const end = this.#calls.get(line.call.id)?.end ?? null
        this.#calls.set(line.call.id, { opening: line.call, end })
        return
      }
      case 'end': {
        // Without an opening it is a call of a segment that was dropped, because PostgreSQL has the call.
        const call = this.#calls.get(line.end.id)
        if (call !== undefined) call.end = line.end
        return
      }
      case 'void':
        this.#calls.delete(line.id)
        return
      case 'synced':
        this.#syncedAt = line.at
        return
      case 'closed':
        this.#syncedAt = line.at
        this.#complete = true
        this.#recorded = line.unposted === 0
    }
  }

  life (files: string[]): JournalLife {
    const ended: JournalLife['ended'] = []
    const open: CallOpening[] = []
    for (const { opening, end } of this.#calls.values()) {
      if (end === null) open.push(opening)
      else ended.push({ opening, end })
    }
    return {
      header: this.#header ?? this.#unknownHeader(),
      ended,
      open,
      files,
      complete: this.#complete && this.#tornBytes === 0,
      recorded: this.#recorded && this.#tornBytes === 0 && this.#damaged.length === 0,
      syncedAt: this.#syncedAt,
      tornBytes: this.#tornBytes,
      damaged: this.#damaged,
    }
  }

  /** the boot is not known, so nothing is taken for granted */
  #unknownHeader (): JournalHeader {
    return {
      journalId: this.#journalId, incarnation: this.#incarnation, bootId: '', host: '', pid: 0, startedAt: 0,
    }
  }
}

/** a whole record with something else in the place of its newline, which no write that was cut short leaves behind */
function endsInAnother (bytes: Buffer): boolean { return decodeLine(bytes.subarray(0, -1)) !== null }

interface RawLine { bytes: Buffer, offset: number, whole: boolean }

/** lines without their newline; the last one is not `whole` where the file does not end in a newline */
async function * linesOf (file: ReadableFile): AsyncGenerator<RawLine> {
  let rest: Buffer = Buffer.alloc(0)
  let offset = 0
  let position = 0
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, position)
    if (bytesRead === 0) break
    position += bytesRead
    const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)])
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      yield { bytes: bytes.subarray(start, end), offset: offset + start, whole: true }
      start = end + 1
    }
    rest = bytes.subarray(start)
    offset += start
  }
  if (rest.length > 0) yield { bytes: rest, offset, whole: false }
}
