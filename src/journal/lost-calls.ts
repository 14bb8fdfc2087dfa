import { type Authority } from '../account/authority.ts'
import { type Now } from '../clock.ts'
import { type UsageEvent } from '../usage/usage.ts'
import { type CopyStore } from './copy.ts'
import { EndedCall } from './ended-call.ts'
import { recordAll, type RecordingLog } from './record-all.ts'
import { endOf, Fields, openingOf, ShapeError } from './records.ts'

/**
 * Records the ended calls of gateways that are silent, from the copies of their journals. Every gateway looks, and an
 * event is recorded once, whoever brings it and however often: a gateway that was only away finds it done. Nothing else
 * is touched: no call becomes uncertain by it, and no lease is returned or closed. Only a gateway's own journal, or the
 * write-off, ends its leases.
 */
export interface LostCallsOptions {
  authority: Pick<Authority, 'post'> & {
    /** other process lives that are not closed, are not heard of, and were within this time, ms */
    silent: (withinMs: number) => Promise<number[]>
  }
  copies: Pick<CopyStore, 'read' | 'drop'>
  /** of this process itself, which knows better */
  incarnation: number
  /** how long copies are kept */
  keptMs: number
  now: Now
  log: RecordingLog
}

/** of a copy, at once */
const BATCHES = 8

export class LostCalls {
  readonly #o: LostCallsOptions
  #looking: Promise<void> | null = null
  #stopped = false
  /** copies of which something could not be read; said once */
  readonly #unreadable = new Set<number>()
  /** calls that this gateway has recorded for others */
  recorded = 0

  constructor (options: LostCallsOptions) { this.#o = options }

  look (): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    this.#looking ??= this.#look().finally(() => { this.#looking = null })
    return this.#looking
  }

  async stop (): Promise<void> {
    this.#stopped = true
    await this.#looking
  }

  async #look (): Promise<void> {
    const { authority, incarnation, keptMs, log } = this.#o
    try {
      for (const silent of await authority.silent(keptMs)) {
        if (silent !== incarnation && !this.#stopped) await this.#record(silent)
      }
    } catch (err) {
      log.warn({ err }, 'ended calls of silent gateways could not be recorded')
    }
  }

  async #record (incarnation: number): Promise<void> {
    const { copies, authority, now, log } = this.#o
    let recorded = 0
    let after = 0
    let whole = true
    for (;;) {
      const batches = await copies.read(incarnation, after, BATCHES)
      if (batches === null || batches.length === 0) break
      const { calls, unreadable } = callsOf(batches.map(({ bytes }) => bytes))
      if (unreadable > 0) this.#sayUnreadable(incarnation, unreadable)
      await recordAll(calls, {
        authority,
        incarnation,
        now,
        log,
        setAside: ({ opening }, reason) => {
          log.error({ incarnation, call: opening.id, reason }, 'the ledger refuses a call of a silent gateway: only its own journal has it now')
        },
        onPosted: ({ inserted }) => { recorded += inserted.length },
      })
      after = batches[batches.length - 1]?.number ?? after
      whole &&= unreadable === 0
      if (whole) await copies.drop(incarnation, after)
    }
    this.recorded += recorded
    if (recorded > 0) log.warn({ incarnation, calls: recorded }, 'ended calls of a silent gateway are recorded, from the copy of its journal')
  }

  #sayUnreadable (incarnation: number, calls: number): void {
    if (this.#unreadable.has(incarnation)) return
    this.#unreadable.add(incarnation)
    this.#o.log.error({ incarnation, calls }, 'the copy of a journal has calls that this version cannot read; they stay there')
  }
}

/** the copied calls of one process life, all of them; null: the store does not answer */
export async function readCopy (copies: Pick<CopyStore, 'read'>, incarnation: number): Promise<UsageEvent[] | null> {
  const all: UsageEvent[] = []
  for (let after = 0; ;) {
    const batches = await copies.read(incarnation, after, BATCHES)
    if (batches === null) return null
    if (batches.length === 0) return all
    all.push(...callsOf(batches.map(({ bytes }) => bytes)).calls)
    after = batches[batches.length - 1]?.number ?? after
  }
}

/** What is not a call in this version's form is left alone: another version, or another program, wrote it. */
function callsOf (batches: readonly Buffer[]): { calls: EndedCall[], unreadable: number } {
  const calls: EndedCall[] = []
  let unreadable = 0
  for (const batch of batches) {
    const lines = batch.toString().split('\n')
    for (let i = 0; i + 1 < lines.length; i += 2) {
      const call = callOf(lines[i] ?? '', lines[i + 1] ?? '')
      if (call === null) unreadable++
      else calls.push(call)
    }
  }
  return { calls, unreadable }
}

function callOf (open: string, end: string): EndedCall | null {
  try {
    const opening = openingOf(new Fields(JSON.parse(open)))
    const { id, charges } = endOf(new Fields(JSON.parse(end)))
    return id === opening.id ? new EndedCall(id, Buffer.from(open), Buffer.from(end), charges) : null
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof ShapeError) return null
    throw error
  }
}
