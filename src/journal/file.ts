import { join } from 'node:path'
import { type Now } from '../clock.ts'
import { type UsageEvent } from '../usage/usage.ts'
import { EndedCall } from './ended-call.ts'
import { type FileOps } from './file-ops.ts'
import { type Journal, type JournalHeader, type JournalRecord } from './journal.ts'
import { lineLength, Lines } from './lines.ts'
import { decodeLine, encodeLine, type Line, textOf } from './records.ts'
import { type Place, type Segment, SegmentIndex, segmentName } from './segments.ts'

/**
 * The living journal of one process life.
 *
 * All records of a tick go into the file by one write, and are answered for together: after it their bytes are in the
 * operating system and survive this process. What failed to be written is cut off again, so that the file never keeps
 * a record whose writer was told no; while even that fails nothing more is written, and a process that dies just then
 * leaves openings of calls that were never forwarded: charged as uncertain, never free. An end or a void that failed is
 * written before anything else is: another call may already be held by what it set free. In the background `fdatasync`
 * brings the bytes to the disk; until then they survive the process but not the machine.
 *
 * Fails closed: `writable` is false after a failed write until one succeeds, and after a failed sync until one
 * succeeds. It tries by itself, so that a gateway which refuses everything meanwhile finds back.
 */
export interface JournalFileOptions {
  folder: string
  header: JournalHeader
  now: Now
  files: FileOps
  log: JournalLog
  segmentBytes: number
  /** 0: never synced */
  syncIntervalMs: number
  /** a segment this far behind is emptied by writing the openings of its long calls once more */
  carryAfterSegments: number
  keepEvent: (event: UsageEvent, reason: string) => void
  /** bytes of earlier lives that are not yet forgotten */
  otherBytes: () => number
}

export interface JournalLog {
  warn (details: object, message: string): void
  error (details: object, message: string): void
}

type Done = (error: Error | null) => void

/** a record that waits for the write of its tick */
interface Waiting { bytes: number, record: JournalRecord, done: Done | undefined }

/** the end or the void of a call that could not be written */
interface Owed { record: JournalRecord, line: Buffer }

/** an opening that is written once more */
interface Carried { id: string, bytes: Buffer }

const RETRY_MS = 200
const MAX_RETRY_MS = 5_000
/** carried into the current segment with one write, beside the records of its tick */
const CARRY_BYTES = 256 * 1024

export class JournalClosedError extends Error {
  readonly code = 'journal_closed'

  constructor () { super('The journal is closed.') }
}

export class JournalWriteError extends Error {
  readonly code = 'journal_write_failed'

  constructor (cause: Error) { super(`The journal cannot be written: ${cause.message}`, { cause }) }
}

export class JournalFile implements Journal {
  readonly header: JournalHeader
  readonly #o: JournalFileOptions
  readonly #index = new SegmentIndex()
  #current: Segment
  #fd: number
  /** files of earlier segments, open until their bytes are on stable storage */
  #retiring: number[] = []
  #waiting: Waiting[] = []
  /** of the records that wait */
  readonly #lines = new Lines()
  #owed: Owed[] = []
  #carry: string[] = []
  #flushQueued = false
  #retryTimer: NodeJS.Timeout | null = null
  #syncTimer: NodeJS.Timeout | null = null
  #syncing: Promise<void> | null = null
  /** successful writes so far, and which of them was the last to be synced */
  #writes = 0
  #syncedWrite = 0
  #syncedAt: number
  #mark: Line | null = null
  #writeFailing = false
  #syncFailures = 0
  /** bytes of a failed write may lie behind the end */
  #tailDirty = false
  #folderDirty = false
  /** dropped segments, oldest first */
  #toRemove: string[] = []
  #removing: Promise<void> | null = null
  /** up to this segment a sync has failed: no later success speaks for what was to be synced then */
  #doubtfulUpTo = 0
  #closed = false

  constructor (options: JournalFileOptions) {
    this.#o = options
    this.header = options.header
    const first = this.#createSegment(1)
    this.#current = first.segment
    this.#fd = first.fd
    this.#index.add(first.segment)
    options.files.datasyncNow(first.fd)
    options.files.syncFolder(options.folder)
    this.#syncedAt = options.now()
  }

  get bytes (): number { return this.#index.bytes + this.#o.otherBytes() }

  get writable (): boolean { return !this.#writeFailing && this.#syncFailures === 0 && !this.#closed }

  /** calls whose records recovery would need */
  get liveCalls (): number { return this.#index.liveCalls }

  get segments (): number { return this.#index.count }

  get syncedAt (): number {
    const idle = this.#waiting.length === 0 && this.#syncedWrite === this.#writes
    return idle && !this.#closed && this.#syncFailures === 0 && !this.#doubtful ? this.#o.now() : this.#syncedAt
  }

  append (record: JournalRecord, done?: Done): Buffer {
    const text = textOf(record)
    if (this.#closed) {
      if (done !== undefined) setImmediate(done, new JournalClosedError())
      return Buffer.from(text)
    }
    const json = this.#lines.add(text)
    this.#waiting.push({ bytes: lineLength(json), record, done })
    this.#flushSoon()
    return json
  }

  posted (ids: string[]): void {
    for (const id of ids) this.#index.forget(id)
    this.#dropSegments()
  }

  setAside (event: UsageEvent, reason: string): void {
    const { id } = EndedCall.of(event)
    try {
      this.#o.keepEvent(event, reason)
    } catch (error) {
      // Its records stay: the next start posts it once more and, if it is refused again, sets it aside then.
      this.#o.log.error({ err: error, call: id }, 'a refused usage event could not be set aside')
      return
    }
    this.posted([id])
  }

  /** writes and syncs what is left, and notes that the life ended in order */
  async close (): Promise<void> {
    if (this.#closed) return
    this.#flush()
    this.#closed = true
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer)
    await this.#syncing
    await this.#sync()
    if (!this.#writeFailing && this.#syncFailures === 0 && !this.#doubtful) await this.#noteClosed()
    for (const fd of [...this.#retiring, this.#fd]) this.#o.files.close(fd)
    await this.#removing
  }

  get #doubtful (): boolean { return (this.#index.oldest?.number ?? 0) <= this.#doubtfulUpTo }

  async #noteClosed (): Promise<void> {
    try {
      this.#write(Buffer.from(encodeLine({ t: 'closed', at: this.#o.now(), unposted: this.liveCalls })))
      await this.#o.files.datasync(this.#fd)
    } catch (error) {
      this.#o.log.warn({ err: error }, 'the journal could not note that it was closed in order')
    }
  }

  #flushSoon (): void {
    if (this.#flushQueued) return
    this.#flushQueued = true
    setImmediate(() => {
      this.#flushQueued = false
      if (!this.#closed) this.#flush()
    })
  }

  /**
   * One write for everything that waits. What is carried comes first: an end or a void of the same call in the same
   * write must come after its opening.
   */
  #flush (): void {
    const waiting = this.#waiting
    if (waiting.length === 0 && this.#carry.length === 0 && !this.#writeFailing) return
    this.#waiting = []
    const lines = this.#lines.take()
    const carried = this.#nextCarried()
    const owed = this.#owed
    const mark = this.#markLine()
    let offset: number
    try {
      this.#rotateIfFull()
      offset = this.#current.bytes
      this.#write(bytesOf(mark, carried, owed, lines))
    } catch (error) {
      this.#failed(waiting, lines, carried, error as Error)
      return
    }
    this.#mark = null
    this.#owed = []
    this.#writeFailing = false
    this.#writes++
    this.#place(offset + mark.length, carried, owed, waiting)
    this.#syncSoon()
    answer(waiting, null)
    this.#dropSegments()
    if (this.#carry.length > 0) this.#flushSoon()
  }

  #markLine (): string {
    if (this.#mark !== null) return encodeLine(this.#mark)
    return this.#writeFailing || this.#syncFailures > 0 ? encodeLine({ t: 'probe', at: this.#o.now() }) : ''
  }

  #write (bytes: Buffer): void {
    const { files } = this.#o
    const start = this.#current.bytes
    if (this.#tailDirty) this.#cutBack(start)
    let written = 0
    try {
      while (written < bytes.length) {
        const count = files.write(this.#fd, bytes, written, bytes.length - written, start + written)
        if (count <= 0) throw new Error('the file takes no more bytes')
        written += count
      }
    } catch (error) {
      this.#tryCutBack(start)
      throw error
    }
    this.#index.grew(this.#current, bytes.length)
  }

  #cutBack (length: number): void {
    this.#tailDirty = true
    this.#o.files.truncate(this.#fd, length)
    this.#tailDirty = false
  }

  #tryCutBack (length: number): void {
    try {
      this.#cutBack(length)
    } catch (error) {
      this.#o.log.error({ err: error, file: this.#current.path }, 'a failed write of the journal could not be cut off')
    }
  }

  #failed (waiting: Waiting[], lines: Buffer, carried: Carried[], error: Error): void {
    if (!this.#writeFailing) this.#o.log.error({ err: error, file: this.#current.path }, 'the journal cannot be written')
    this.#writeFailing = true
    this.#carry.push(...carried.map((one) => one.id))
    let offset = 0
    for (const { bytes, record } of waiting) {
      if (record.t !== 'open') this.#owed.push({ record, line: lines.subarray(offset, offset + bytes) })
      offset += bytes
    }
    this.#retrySoon()
    answer(waiting, new JournalWriteError(error))
  }

  #retrySoon (): void {
    if (this.#retryTimer !== null || this.#closed) return
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null
      if (this.#writeFailing) this.#flush()
    }, this.#pauseMs(RETRY_MS))
    this.#retryTimer.unref()
  }

  /** each failed sync costs a segment, so they are tried more and more rarely */
  #pauseMs (normalMs: number): number {
    return this.#syncFailures === 0 ? normalMs : Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** (this.#syncFailures - 1))
  }

  /** remembers where the openings lie that recovery would need */
  #place (from: number, carried: Carried[], owed: Owed[], waiting: Waiting[]): void {
    let offset = from
    for (const { id, bytes } of carried) {
      this.#index.opened(id, { segment: this.#current, offset, length: bytes.length }, this.#writes)
      offset += bytes.length
    }
    for (const { line, record } of owed) {
      this.#placeRecord(record, offset, line.length)
      offset += line.length
    }
    for (const { bytes, record } of waiting) {
      this.#placeRecord(record, offset, bytes)
      offset += bytes
    }
  }

  #placeRecord (record: JournalRecord, offset: number, length: number): void {
    if (record.t === 'end') this.#index.ended(record.end.id)
    else if (record.t === 'void') this.#index.forget(record.id)
    else this.#index.opened(record.call.id, { segment: this.#current, offset, length }, this.#writes)
  }

  #createSegment (number: number): { segment: Segment, fd: number } {
    const { files, folder, header } = this.#o
    const path = join(folder, segmentName(header.incarnation, number))
    const bytes = Buffer.from(encodeLine({ t: 'header', header, segment: number }))
    const fd = files.create(path)
    try {
      if (files.write(fd, bytes, 0, bytes.length, 0) < bytes.length) throw new Error('the file takes no more bytes')
    } catch (error) {
      files.close(fd)
      files.removeNow(path)
      throw error
    }
    return { segment: { number, path, bytes: bytes.length, live: 0, leftAt: 0 }, fd }
  }

  #rotateIfFull (): void {
    // After a failed sync the file's pages are in an unknown state: what follows goes into a fresh one.
    const spoilt = this.#doubtfulUpTo === this.#current.number
    if (this.#tailDirty || (this.#current.bytes < this.#o.segmentBytes && !spoilt)) return
    let next: { segment: Segment, fd: number }
    try {
      next = this.#createSegment(this.#current.number + 1)
    } catch (error) {
      // The full segment may still take records: that it grows is better than that calls are refused.
      this.#o.log.warn({ err: error, folder: this.#o.folder }, 'the journal could not begin a new segment')
      return
    }
    this.#retiring.push(this.#fd)
    this.#current = next.segment
    this.#fd = next.fd
    this.#folderDirty = true
    this.#index.add(next.segment)
    this.#carryOldest()
  }

  /**
   * A call that stays open for long must not keep its segment, and all after it, for ever. Ended calls are left where
   * they are: they wait for PostgreSQL, and while that is away the segments are its backlog.
   */
  #carryOldest (): void {
    const { oldest } = this.#index
    if (oldest === undefined || this.#current.number - oldest.number < this.#o.carryAfterSegments) return
    this.#carry = this.#index.callsOf(oldest).filter((id) => this.#index.opening(id) !== undefined)
    if (this.#carry.length > 0) this.#flushSoon()
  }

  #nextCarried (): Carried[] {
    const carried: Carried[] = []
    let size = 0
    while (size < CARRY_BYTES && this.#carry.length > 0) {
      const id = this.#carry.shift() as string
      const place = this.#index.opening(id)
      const bytes = place === undefined ? null : this.#readBack(place)
      if (bytes === null) continue
      carried.push({ id, bytes })
      size += bytes.length
    }
    return carried
  }

  #readBack (place: Place): Buffer | null {
    const { path } = place.segment
    try {
      const bytes = this.#o.files.read(path, place.offset, place.length)
      if (decodeLine(bytes.subarray(0, -1)) !== null) return bytes
      this.#o.log.error({ file: path, offset: place.offset }, 'a record of the journal is damaged')
    } catch (error) {
      this.#o.log.error({ err: error, file: path }, 'a record of the journal could not be read')
    }
    return null
  }

  #syncSoon (): void {
    if (this.#syncTimer !== null || this.#syncing !== null || this.#closed || this.#o.syncIntervalMs === 0) return
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = null
      this.#syncing = this.#sync().finally(() => {
        this.#syncing = null
        if (this.#syncedWrite < this.#writes) this.#syncSoon()
      })
    }, this.#pauseMs(this.#o.syncIntervalMs))
    this.#syncTimer.unref()
  }

  async #sync (): Promise<void> {
    const write = this.#writes
    const at = this.#o.now()
    const mark: Line = { t: 'synced', at, segment: this.#current.number, offset: this.#current.bytes }
    const retired = this.#retiring
    this.#retiring = []
    try {
      for (const fd of [...retired, this.#fd]) await this.#o.files.datasync(fd)
      if (this.#folderDirty) await this.#o.files.syncFolderSoon(this.#o.folder)
    } catch (error) {
      this.#syncFailed(error as Error)
      return
    } finally {
      for (const fd of retired) this.#o.files.close(fd)
    }
    this.#folderDirty = false
    this.#synced(write, at, mark)
  }

  #synced (write: number, at: number, mark: Line): void {
    this.#syncFailures = 0
    this.#syncedWrite = write
    this.#dropSegments()
    if (this.#doubtful) return
    this.#syncedAt = at
    this.#mark = mark
  }

  #syncFailed (error: Error): void {
    if (this.#syncFailures === 0) {
      this.#o.log.error({ err: error, file: this.#current.path }, 'the journal cannot be brought to the disk')
    }
    this.#syncFailures++
    this.#doubtfulUpTo = this.#current.number
    this.#writeFailing = true
    this.#retrySoon()
  }

  #dropSegments (): void {
    const dropped = this.#index.drop(this.#o.syncIntervalMs === 0 ? this.#writes : this.#syncedWrite)
    if (dropped.length === 0) return
    this.#toRemove.push(...dropped.map((segment) => segment.path))
    this.#removing ??= this.#remove().finally(() => { this.#removing = null })
  }

  /** strictly in order: a later segment without an earlier one is harmless, the earlier one alone is not */
  async #remove (): Promise<void> {
    while (this.#toRemove.length > 0) {
      const path = this.#toRemove[0] as string
      try {
        await this.#o.files.remove(path)
      } catch (error) {
        this.#o.log.warn({ err: error, file: path }, 'a segment of the journal could not be removed')
        return
      }
      this.#toRemove.shift()
    }
  }
}

function bytesOf (mark: string, carried: Carried[], owed: Owed[], lines: Buffer): Buffer {
  if (mark === '' && carried.length === 0 && owed.length === 0) return lines
  return Buffer.concat([Buffer.from(mark), ...carried.map((one) => one.bytes), ...owed.map((one) => one.line), lines])
}

function answer (waiting: Waiting[], error: Error | null): void {
  for (const { done } of waiting) {
    try {
      done?.(error)
    } catch (thrown) {
      // The others must still be answered; this one ends the process, as it would have without the loop.
      process.nextTick(() => { throw thrown })
    }
  }
}
