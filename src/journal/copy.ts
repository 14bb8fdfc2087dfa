import { type EndedCall } from './ended-call.ts'

/**
 * A copy, elsewhere, of the calls that have ended and that the authority does not have yet, so that another gateway can
 * record them should this one's disk be lost. It is made in the background, some ms behind, and nothing waits for it or
 * depends on it: where it cannot be written, or is full, calls are left out of it, which is counted. Calls are copied
 * in the order in which they are recorded, so one number says which of them are needed no more.
 */
export interface CopyBatch {
  /** from 1 on, one more with each batch of a process life */
  number: number
  /** of each call the journal's text of its opening and that of its end, each with a newline behind it */
  bytes: Buffer
}

/** Where copies are kept. It may be away, be slow, or forget everything at any time; nothing here throws. */
export interface CopyStore {
  /**
   * Adds batches and gives up those before `needed` (null: none). `anew`: what is there is dropped first. false: not
   * all of it is known to be there, so that everything has to be written anew.
   */
  write (incarnation: number, batches: readonly CopyBatch[], needed: number | null, anew: boolean): Promise<boolean>
  /** the first batches behind this number; null: it does not answer */
  read (incarnation: number, after: number, most: number): Promise<CopyBatch[] | null>
  /** batches up to this number are needed no more; absent: none of that life are */
  drop (incarnation: number, through?: number): Promise<void>
  /** it was away, and may have forgotten what was written */
  onBack (listener: () => void): void
}

export interface JournalCopyOptions {
  store: CopyStore
  incarnation: number
  /** most bytes of calls that wait for the authority; what comes beyond them is left out */
  maxBytes: number
  /** how long an ended call may wait to be copied, ms */
  intervalMs?: number
  /** ms, of a clock that is never set */
  now?: () => number
}

/** one entry of the store, and all that is written at once */
const BATCH_BYTES = 256 * 1024
const WRITE_BYTES = 1024 * 1024
const MAX_PAUSE_MS = 5_000
/** what the authority has may stay there for so long */
const GIVE_UP_MS = 1_000
const NEWLINE = Buffer.from('\n')

interface Batch {
  number: number
  /** how many calls had been added with its last one */
  through: number
  calls: EndedCall[]
  bytes: number
  written: boolean
}

export class JournalCopy {
  readonly #o: Required<JournalCopyOptions>
  #next: EndedCall[] = []
  /** of each of them, how many had been added with it */
  #nextThrough: number[] = []
  readonly #batches: Batch[] = []
  #lastNumber = 0
  #added = 0
  #posted = 0
  /** the first batch that the store was told is needed, and when */
  #needed = 1
  #gaveUpAt = -Infinity
  #anew = true
  #failures = 0
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<void> | null = null
  #closed = false
  /** of calls that are needed, copied or about to be */
  bytes = 0
  /** ended calls that the copy had no room for */
  leftOut = 0

  constructor (options: JournalCopyOptions) {
    this.#o = { intervalMs: 20, now: () => performance.now(), ...options }
    options.store.onBack(() => {
      this.#failures = 0
      if (this.#timer !== null) clearTimeout(this.#timer)
      this.#timer = null
      this.#writeAnew()
      this.#soon(0)
    })
  }

  add (call: EndedCall): void {
    this.#added++
    const size = call.openJson.length + call.endJson.length + 2 * NEWLINE.length
    if (this.bytes + size > this.#o.maxBytes) {
      this.leftOut++
      return
    }
    this.bytes += size
    this.#next.push(call)
    this.#nextThrough.push(this.#added)
    this.#soon(this.#o.intervalMs)
  }

  /** the authority has so many more of the calls that were added, the first of them, or refused them for good */
  posted (count: number): void {
    this.#posted += count
    while ((this.#batches[0]?.through ?? Infinity) <= this.#posted) this.bytes -= (this.#batches.shift() as Batch).bytes
    if (this.#needed <= this.#lastNumber) this.#soon(GIVE_UP_MS)
  }

  /** writes what is left; where nothing is, the copy is taken out */
  async close (): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#writing
    if (this.#posted === this.#added) await this.#o.store.drop(this.#o.incarnation)
    else await this.#write()
  }

  #writeAnew (): void {
    this.#anew = true
    for (const batch of this.#batches) batch.written = false
  }

  /** while a write is under way, that one goes on with what has come */
  #soon (inMs: number): void {
    if (this.#timer !== null || this.#writing !== null || this.#closed) return
    const pauseMs = this.#failures === 0 ? inMs : Math.min(MAX_PAUSE_MS, 100 * 2 ** Math.min(this.#failures, 10))
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#writing = this.#write().finally(() => {
        this.#writing = null
        if (this.#next.length > 0 || this.#batches.some((one) => !one.written)) this.#soon(this.#o.intervalMs)
        else if (this.#firstNeeded() > this.#needed) this.#soon(GIVE_UP_MS)
      })
    }, pauseMs)
    this.#timer.unref()
  }

  async #write (): Promise<void> {
    this.#fillBatches()
    const due = this.#due()
    const now = this.#o.now()
    const needed = this.#firstNeeded()
    const givesUp = needed > this.#needed && now - this.#gaveUpAt >= GIVE_UP_MS
    if (due.length === 0 && !givesUp) return
    const anew = this.#anew
    this.#anew = false
    const written = await this.#o.store.write(this.#o.incarnation, due.map(bytesOf), givesUp ? needed : null, anew)
    if (!written) {
      this.#failures++
      this.#writeAnew()
      return
    }
    this.#failures = 0
    // it went away and came back meanwhile
    if (this.#anew) return
    for (const batch of due) batch.written = true
    if (!givesUp) return
    this.#needed = needed
    this.#gaveUpAt = now
  }

  #firstNeeded (): number { return this.#batches[0]?.number ?? this.#lastNumber + 1 }

  /** those to write now: all that fit into one write, and at least one */
  #due (): Batch[] {
    const due: Batch[] = []
    let bytes = 0
    for (const batch of this.#batches) {
      if (batch.written) continue
      if (due.length > 0 && bytes + batch.bytes > WRITE_BYTES) break
      due.push(batch)
      bytes += batch.bytes
    }
    return due
  }

  #fillBatches (): void {
    let batch: Batch | null = null
    for (const [i, call] of this.#next.entries()) {
      const through = this.#nextThrough[i] as number
      const size = call.openJson.length + call.endJson.length + 2 * NEWLINE.length
      // recorded before it was copied
      if (through <= this.#posted) {
        this.bytes -= size
        continue
      }
      if (batch === null || batch.bytes + size > BATCH_BYTES) {
        batch = { number: ++this.#lastNumber, through, calls: [], bytes: 0, written: false }
        this.#batches.push(batch)
      }
      batch.calls.push(call)
      batch.through = through
      batch.bytes += size
    }
    this.#next = []
    this.#nextThrough = []
  }
}

function bytesOf ({ number, calls }: Batch): CopyBatch {
  const parts = calls.flatMap(({ openJson, endJson }) => [openJson, NEWLINE, endJson, NEWLINE])
  return { number, bytes: Buffer.concat(parts) }
}
