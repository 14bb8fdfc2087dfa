import { type Authority, type PostAnswer } from '../account/authority.ts'
import { type Now } from '../clock.ts'
import { LedgerWriter } from '../usage/ledger-writer.ts'
import { type UsageEvent } from '../usage/usage.ts'

export interface RecordingLog {
  warn (details: object, message: string): void
  error (details: object, message: string): void
}

export interface RecordAllOptions {
  authority: Pick<Authority, 'post'>
  /** of the process life that the calls are of, which lives no more or is not heard of */
  incarnation: number
  now: Now
  /** of how long something takes; default: the process's own */
  steady?: Now
  log: RecordingLog
  /** the authority will never take this one */
  setAside: (event: UsageEvent, reason: string) => void
  onPosted?: (answer: PostAnswer) => void
  /** how long it may be tried; default: once */
  timeoutMs?: number
}

/** Brings calls of another process life to the authority, all of them, or throws. */
export async function recordAll (events: readonly UsageEvent[], options: RecordAllOptions): Promise<void> {
  const { authority, incarnation, now, steady, log, setAside, onPosted, timeoutMs = 0 } = options
  const writer = new LedgerWriter({
    authority,
    incarnation,
    journal: { bytes: 0, posted: () => undefined, setAside },
    now,
    ...steady === undefined ? {} : { steady },
    log,
    collectReturns: () => [],
    onPosted: (answer) => { onPosted?.(answer) },
    // the post is refused only where the ledger does not know the life at all, and then it throws
    onNotLive: () => undefined,
    maxBacklog: Infinity,
  })
  for (const event of events) writer.add(event)
  await writer.stop(now() + timeoutMs)
}
