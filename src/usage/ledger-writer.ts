import {
  type Authority, BatchRefusedError, type LeaseReturn, NotLiveError, type PostAnswer,
} from '../account/authority.ts'
import { type Now, steadyNow } from '../clock.ts'
import { type JournalCopy } from '../journal/copy.ts'
import { EndedCall } from '../journal/ended-call.ts'
import { type Journal } from '../journal/journal.ts'
import { type Charge, type UsageEvent } from './usage.ts'

/**
 * Brings finished calls to the authority in batches, one post under way at a time, together with the rights that the
 * gateway gives back. An event stays in memory and in the journal until the authority has it, through any outage.
 * What the authority refuses for good is found by halving the batch, set aside in the journal and reported; the rest
 * goes on. Memory is bounded: `backlogged` says that no further call may be forwarded.
 */
export interface LedgerWriterOptions {
  authority: Pick<Authority, 'post'>
  incarnation: number
  journal: Pick<Journal, 'posted' | 'setAside' | 'bytes'>
  /** of what is not recorded yet; absent: there is none */
  copy?: Pick<JournalCopy, 'add' | 'posted'> | undefined
  now: Now
  /** of how long something takes; default: the process's own */
  steady?: Now
  log: { warn (details: object, message: string): void, error (details: object, message: string): void }
  /** rights given up, for the next post */
  collectReturns: (everything: boolean) => LeaseReturn[]
  /** `unpaid`: charges that leases did not pay in full, of what was recorded */
  onPosted: (answer: PostAnswer, unpaid: Charge[], returns: LeaseReturn[]) => void
  onNotLive: (error: Error) => void
  /** from this many unrecorded events on nothing more is forwarded */
  maxBacklog?: number
  /** and from this many bytes of the journal on; default: it may grow */
  maxJournalBytes?: number
  intervalMs?: number
  batchSize?: number
}

const MAX_PAUSE_MS = 5_000
export const MAX_BACKLOG = 100_000

type Fill = 'little' | 'half' | 'full'

export class LedgerWriter {
  readonly #o: LedgerWriterOptions
  readonly #steady: Now
  readonly #intervalMs: number
  readonly #batchSize: number
  readonly #maxBacklog: number
  readonly #maxJournalBytes: number
  readonly #queue: EndedCall[] = []
  #posting: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null
  #dueAt = Infinity
  #failures = 0
  #stopped = false
  #fill: Fill = 'little'
  posts = 0
  recorded = 0
  setAside = 0

  constructor (options: LedgerWriterOptions) {
    this.#o = options
    this.#steady = options.steady ?? steadyNow
    this.#intervalMs = options.intervalMs ?? 100
    this.#batchSize = options.batchSize ?? 500
    this.#maxBacklog = options.maxBacklog ?? MAX_BACKLOG
    this.#maxJournalBytes = options.maxJournalBytes ?? Infinity
  }

  /** a finished call, whose end is in the journal */
  add (event: UsageEvent): void {
    const call = EndedCall.of(event)
    this.#queue.push(call)
    this.#o.copy?.add(call)
    this.#noteFill()
    this.#schedule(this.#queue.length >= this.#batchSize ? 0 : this.#intervalMs)
  }

  /** something is to be given back: at once, or with the next batch */
  returnsDue (atOnce: boolean): void { this.#schedule(atOnce ? 0 : this.#intervalMs) }

  get backlog (): number { return this.#queue.length }

  get backlogged (): boolean { return this.#filled >= 1 }

  /** the part of what may wait to be recorded that does, in memory or in the journal */
  get #filled (): number {
    return Math.max(this.#queue.length / this.#maxBacklog, this.#o.journal.bytes / this.#maxJournalBytes)
  }

  /** told once on the way up, and once when there is room again */
  #noteFill (): void {
    const filled = this.#filled
    const fill: Fill = filled >= 1 ? 'full' : filled >= 0.5 ? 'half' : 'little'
    if (fill === this.#fill || (fill === 'half' && this.#fill === 'full' && filled > 0.9)) return
    const { log, journal } = this.#o
    const [maxBacklog, maxJournalBytes] = [this.#maxBacklog, this.#maxJournalBytes]
    const line = { backlog: this.#queue.length, maxBacklog, journalBytes: journal.bytes, maxJournalBytes }
    if (fill === 'full') log.error(line, 'no more ended calls may wait to be recorded: no call is forwarded until some are')
    else if (this.#fill === 'full') log.warn(line, 'ended calls are recorded again, and calls forwarded')
    else if (fill === 'half') log.warn(line, 'half as many ended calls wait to be recorded as may')
    this.#fill = fill
  }

  /** how long the oldest finished call has waited to be recorded, ms */
  get lagMs (): number {
    const oldest = this.#queue[0]
    return oldest === undefined ? 0 : Math.max(0, this.#o.now() - oldest.end.endedAt)
  }

  /** records everything and gives everything back, or throws once `deadline` (ms since the epoch) has passed */
  async stop (deadline: number): Promise<void> {
    const until = this.#steady() + deadline - this.#o.now()
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#posting
    do {
      const failed = await this.#post(true)
      if (failed === null) continue
      if (this.#steady() >= until) throw failed
      await pause(this.#pauseMs())
    } while (this.#queue.length > 0)
  }

  #pauseMs (): number { return Math.min(MAX_PAUSE_MS, this.#intervalMs * 2 ** Math.min(10, this.#failures)) }

  #schedule (inMs: number): void {
    if (this.#stopped) return
    const dueAt = this.#steady() + (this.#failures > 0 ? Math.max(inMs, this.#pauseMs()) : inMs)
    if (this.#posting !== null) { this.#dueAt = Math.min(this.#dueAt, dueAt); return }
    if (this.#timer !== null && this.#dueAt <= dueAt) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#dueAt = dueAt
    this.#timer = setTimeout(() => { this.#run() }, Math.max(0, dueAt - this.#steady()))
  }

  #run (): void {
    this.#timer = null
    this.#dueAt = Infinity
    this.#posting = this.#post(false).then(() => {
      this.#posting = null
      const more = this.#queue.length >= this.#batchSize ? 0 : this.#intervalMs
      if (this.#queue.length > 0) this.#schedule(more)
      else if (this.#dueAt !== Infinity) this.#schedule(Math.max(0, this.#dueAt - this.#steady()))
    })
  }

  async #post (everything: boolean): Promise<Error | null> {
    const events = this.#queue.slice(0, this.#batchSize)
    const returns = this.#o.collectReturns(everything)
    if (events.length === 0 && returns.length === 0) return null
    const failed = await this.#postBatch(events, returns)
    this.#failures = failed === null ? 0 : this.#failures + 1
    return failed
  }

  /** null: the batch is out of the queue, recorded or set aside */
  async #postBatch (events: EndedCall[], returns: LeaseReturn[]): Promise<Error | null> {
    let answer: PostAnswer
    this.posts++
    try {
      answer = await this.#o.authority.post(this.#o.incarnation, events, returns)
    } catch (error) {
      if (error instanceof BatchRefusedError) return await this.#split(events, returns, error)
      this.#o.log.warn({ err: error, events: events.length, backlog: this.#queue.length }, 'the ledger took no post')
      if (error instanceof NotLiveError) this.#o.onNotLive(error)
      return error as Error
    }
    this.#queue.splice(0, events.length)
    this.recorded += answer.inserted.length
    this.#o.journal.posted(events.map((event) => event.id))
    this.#o.copy?.posted(events.length)
    this.#noteFill()
    this.#o.onPosted(answer, events.flatMap((event) => event.unpaid), returns)
    return null
  }

  async #split (events: EndedCall[], returns: LeaseReturn[], error: Error): Promise<Error | null> {
    const [only, ...others] = events
    if (only === undefined) {
      this.#o.log.error({ err: error, returns: returns.length }, 'the ledger refuses what this gateway gives back')
      return error
    }
    if (others.length > 0) {
      const half = events.length >> 1
      return await this.#postBatch(events.slice(0, half), []) ?? await this.#postBatch(events.slice(half), returns)
    }
    if (returns.length > 0) {
      const alone = await this.#postBatch([], returns)
      return alone ?? await this.#postBatch(events, [])
    }
    this.#o.log.error({ err: error, call: only.id }, 'the ledger refuses this usage event: it is set aside')
    this.#queue.splice(0, 1)
    this.setAside++
    this.#o.journal.setAside(only, error.message)
    this.#o.copy?.posted(1)
    return null
  }
}

function pause (ms: number): Promise<void> { return new Promise((resolve) => { setTimeout(resolve, ms) }) }
