import { hostname } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { randomUUID } from 'node:crypto'
import { type Now, systemNow } from '../clock.ts'
import { type UsageEvent } from '../usage/usage.ts'
import { readBootId } from './boot-id.ts'
import { JournalFile, type JournalLog } from './file.ts'
import { type FileOps, systemFileOps } from './file-ops.ts'
import { type Journal, type JournalLife } from './journal.ts'
import { type FolderLock } from './lock.ts'
import { mayMissRecords, readLife } from './reading.ts'
import { parseSegmentName } from './segments.ts'
import { dropSetAside, keepSetAside, readSetAside, type SetAsideReading } from './set-aside.ts'

/**
 * The folder of one journal, and the order of a start: it is locked (or the start ends), what earlier lives left is
 * read, recovery brings that to PostgreSQL, this life begins, and what was recovered is forgotten. Until then no file
 * of an earlier life is changed, so a start that dies anywhere in between is simply made again.
 */
export interface JournalOptions {
  now?: Now
  log: JournalLog
  /** a new file from this size on; default 16 MiB */
  segmentBytes?: number
  /** how long written bytes may wait for the disk; default 50, 0: only at a clean stop */
  syncIntervalMs?: number
  /** how many segments a call may stay open for before its opening is written once more; default 4 */
  carryAfterSegments?: number
  /** which run of the machine this is */
  bootId?: string
  files?: FileOps
}

/** The folder or something in it is not what it should be. */
export class JournalFolderError extends Error {
  readonly code = 'journal_folder'
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** where files of lives go that were not read whole, or that no authority knows */
const KEPT = 'kept'

export class JournalFolder {
  readonly path: string
  /** made once, with the folder */
  readonly journalId: string
  readonly bootId: string
  readonly #lock: FolderLock
  readonly #now: Now
  readonly #options: JournalOptions
  readonly #files: FileOps
  #journal: JournalFile | null = null
  #otherBytes = 0

  /** creates what is missing; rejects with JournalLockedError where another process has it */
  static async open (path: string, options: JournalOptions): Promise<JournalFolder> {
    const folder = resolve(path)
    const now = options.now ?? systemNow
    const files = options.files ?? systemFileOps
    try {
      files.makeFolder(folder)
    } catch (error) {
      throw new JournalFolderError(`The journal folder ${folder} cannot be made: ${(error as Error).message}`,
        { cause: error })
    }
    const lock = files.lock(folder, now())
    try {
      return new JournalFolder(folder, lock, now, options)
    } catch (error) {
      lock.release()
      throw error
    }
  }

  constructor (folder: string, lock: FolderLock, now: Now, options: JournalOptions) {
    this.path = folder
    this.#lock = lock
    this.#now = now
    this.#options = options
    this.#files = options.files ?? systemFileOps
    this.bootId = options.bootId ?? readBootId()
    this.journalId = this.#readJournalId()
    this.#countOtherBytes()
  }

  /** what earlier process lives left, oldest first */
  async lives (): Promise<JournalLife[]> {
    const lives: JournalLife[] = []
    for (const [incarnation, files] of this.#earlierFiles()) {
      lives.push(await readLife(files, this.journalId, incarnation, this.#files))
    }
    return lives
  }

  /** true: calls may have been forwarded of which the journal does not know */
  mayMissRecords (life: JournalLife): boolean { return mayMissRecords(life, this.bootId) }

  /** begins this process's own life */
  begin (incarnation: number): Journal {
    if (this.#journal !== null) throw new JournalFolderError('This process has already begun its journal.')
    if (this.#earlierFiles().has(incarnation)) {
      throw new JournalFolderError(`The journal in ${this.path} already has an incarnation ${incarnation}. ` +
        'Its files belong to another database: move them away, or use the database that they belong to.')
    }
    const o = this.#options
    this.#journal = new JournalFile({
      folder: this.path,
      header: {
        journalId: this.journalId,
        incarnation,
        bootId: this.bootId,
        host: hostname(),
        pid: process.pid,
        startedAt: this.#now(),
      },
      now: this.#now,
      log: o.log,
      files: this.#files,
      segmentBytes: o.segmentBytes ?? 16 * 1024 * 1024,
      syncIntervalMs: o.syncIntervalMs ?? 50,
      carryAfterSegments: o.carryAfterSegments ?? 4,
      keepEvent: (event, reason) => { this.setAside(incarnation, event, reason) },
      otherBytes: () => this.#otherBytes,
    })
    return this.#journal
  }

  /** PostgreSQL has all of this life. What was not read whole is kept in a folder of its own, for people. */
  forget (life: JournalLife): void {
    if (life.damaged.length > 0) this.keep(life)
    // Oldest first: a later segment alone is harmless, an earlier one alone would show ended calls as open.
    else for (const file of life.files) if (this.#files.has(file)) this.#files.removeNow(file)
    this.#files.syncFolder(this.path)
    this.#countOtherBytes()
  }

  /** takes a life out of the way without losing it, e.g. one that the authority does not know */
  keep (life: JournalLife): void {
    const kept = join(this.path, KEPT)
    this.#files.makeFolder(kept)
    for (const file of life.files) {
      if (this.#files.has(file)) this.#files.move(file, join(kept, `${basename(file)}.${this.#now()}`))
    }
    this.#files.syncFolder(kept)
    this.#files.syncFolder(this.path)
    this.#countOtherBytes()
  }

  /** events that the authority refused for good, for a retry */
  setAsideEvents (): SetAsideReading { return readSetAside(this.path, this.#files) }

  setAside (incarnation: number, event: UsageEvent, reason: string): void {
    keepSetAside(this.path, { incarnation, at: this.#now(), reason, event }, this.#files)
  }

  /** these events were posted after all */
  retried (ids: string[]): void { dropSetAside(this.path, ids, this.#files) }

  /** closes this process's life, where it has begun, and lets go of the folder */
  async close (): Promise<void> {
    await this.#journal?.close()
    this.#lock.release()
  }

  #readJournalId (): string {
    const path = join(this.path, 'journal-id')
    if (this.#files.has(path)) {
      const id = this.#files.text(path).trim()
      if (!UUID.test(id)) throw new JournalFolderError(`${path} does not hold a UUID. Restore it from a backup.`)
      return id
    }
    if (this.#earlierFiles().size > 0) {
      throw new JournalFolderError(`${this.path} holds a journal, but its journal-id is missing. Restore that file: ` +
        'it is also in the first line of each segment.')
    }
    const id = randomUUID()
    this.#files.replace(this.path, path, id + '\n')
    return id
  }

  #earlierFiles (): Map<number, string[]> {
    const found = new Map<number, string[]>()
    for (const name of this.#files.list(this.path).sort()) {
      const segment = parseSegmentName(name)
      if (segment === null || segment.incarnation === this.#journal?.header.incarnation) continue
      const files = found.get(segment.incarnation) ?? []
      files.push(join(this.path, name))
      found.set(segment.incarnation, files)
    }
    return found
  }

  #countOtherBytes (): void {
    this.#otherBytes = 0
    for (const files of this.#earlierFiles().values()) {
      for (const file of files) this.#otherBytes += this.#files.size(file)
    }
  }
}
