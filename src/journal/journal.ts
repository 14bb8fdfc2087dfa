import type { CallEnd, CallOpening } from '../usage/usage.ts'

export type JournalRecord =
  | { t: 'open', call: CallOpening }
  | { t: 'end', end: CallEnd }
  /** the call never reached the provider, or it did not bill: nothing to record */
  | { t: 'void', id: string }

export interface JournalHeader {
  journalId: string
  incarnation: number
  bootId: string
  host: string
  pid: number
  startedAt: number
}

/** What recovery finds of one earlier process life. */
export interface JournalLife {
  header: JournalHeader
  /** ended, perhaps not yet posted */
  ended: { opening: CallOpening, end: CallEnd }[]
  /** opened and not ended */
  open: CallOpening[]
  /** segment files that hold this life */
  files: string[]
  /** the life ended in order: nothing of it is missing, even if the machine has stopped since */
  complete: boolean
  /** it was complete, and PostgreSQL had all its calls by then */
  recorded: boolean
  /** ms since the epoch of the last mark that says what was on stable storage; null: none */
  syncedAt: number | null
  /** bytes of a last write that the process's death cut short; no call of it was forwarded */
  tornBytes: number
  /** what could not be read; records are missing. What follows was read, since every record can be judged alone */
  damaged: JournalDamage[]
}

export interface JournalDamage {
  file: string
  offset: number
  bytes: number
  reason: string
}

/**
 * The gateway's append-only file. One `write` per tick for all records of that tick; the promise or callback of
 * a record runs once its bytes are in the operating system (they survive the process), `fdatasync` follows in the
 * background (they survive the machine). A record that could not be written is not in the file: the tail is cut back.
 */
export interface Journal {
  readonly header: JournalHeader
  /**
   * `done(null)` in the same tick's flush, `done(error)` when it could not be written. Answers the record's JSON, to be
   * kept and not changed.
   */
  append (record: JournalRecord, done?: (error: Error | null) => void): Buffer
  /** PostgreSQL has these calls: their records are not needed any more */
  posted (ids: string[]): void
  /** the authority refused this event for good: kept in set-aside.jsonl beside the segments until a retry posts it */
  setAside (event: { opening: CallOpening, end: CallEnd }, reason: string): void
  /** bytes on disk of all segments */
  readonly bytes: number
  /** ms since the epoch up to which everything is known to be on stable storage */
  readonly syncedAt: number
  /** false after a write failure, until a write succeeds again */
  readonly writable: boolean
  close (): Promise<void>
}
