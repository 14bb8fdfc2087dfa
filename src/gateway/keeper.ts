import { setTimeout as wait } from 'node:timers/promises'
import { type AccountFigures, type Authority, BatchRefusedError, NotLiveError } from '../account/authority.ts'
import { type Refusal } from '../errors.ts'
import { type KeptCall } from '../holds/job.ts'

/**
 * Moves what is held for calls that become long to rows of the ledger. What may have been moved is never settled by
 * this gateway: it is asked again and again, until the ledger says that it was, or that it will not be.
 */
export interface KeeperOptions {
  authority: Pick<Authority, 'keep'>
  incarnation: number
  log: { warn (details: object, message: string): void, error (details: object, message: string): void }
  onNotLive: (error: Error) => void
  /** how long a client waits for its answer; default 10 s */
  withinMs?: number
}

/** 'unknown': nobody can say, and this process life must not go on with it */
export type Kept = { kept: boolean, accounts: AccountFigures[] } | 'unknown'

const WITHIN_MS = 10_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5_000

export class Keeper {
  readonly #o: KeeperOptions
  readonly #stop = new AbortController()

  constructor (options: KeeperOptions) { this.#o = options }

  stop (): void { this.#stop.abort() }

  /** `told` hears, once, of how it ended, however long it takes; answers what the client is told after a set time */
  async keep (call: KeptCall, told: (kept: Kept) => void): Promise<Refusal | null> {
    const over = new AbortController()
    const kept = this.#keep(call).then((result) => {
      told(result)
      return result === 'unknown' ? UNKEPT : null
    })
    const signal = AbortSignal.any([over.signal, this.#stop.signal])
    const late = wait(this.#o.withinMs ?? WITHIN_MS, UNKEPT, { signal, ref: false }).catch(() => UNKEPT)
    const answer = await Promise.race([kept, late])
    over.abort()
    return answer
  }

  async #keep (call: KeptCall): Promise<Kept> {
    const { authority, incarnation, log, onNotLive } = this.#o
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const line = { call: call.opening.id, job: call.jobId }
      try {
        const answer = await authority.keep(incarnation, call)
        if (!answer.kept) log.error(line, 'a call cannot be held for long: it is charged at its quote')
        return answer
      } catch (err) {
        if (err instanceof BatchRefusedError) {
          log.error({ err, ...line }, 'the ledger refuses to hold a call for long: it is charged at its quote')
          return { kept: false, accounts: [] }
        }
        if (err instanceof NotLiveError) {
          onNotLive(err)
          return 'unknown'
        }
        if (this.#stop.signal.aborted) return 'unknown'
        log.warn({ err, ...line }, 'that a call is held for long could not be recorded; it is tried again')
      }
      await wait(pauseMs, null, { signal: this.#stop.signal, ref: false }).catch(() => null)
    }
  }
}

const UNKEPT: Refusal = {
  code: 'ledger_unavailable',
  message: 'The provider has begun with this, but the ledger (PostgreSQL) did not answer in time, so what it will cost could not be ' +
    'set aside for longer than this call. It is charged, and its answer is withheld.',
  retryable: false,
}
