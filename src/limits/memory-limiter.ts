import { type Now } from '../clock.ts'
import {
  drained, type Levels, type RateLimiter, type RateShort, type RateStanding, shortOf, standingOf, type Taken, worse,
} from './limiter.ts'
import { type LimitedSubject } from './rate-limits.ts'

interface Held extends Levels { at: number, limits: LimitedSubject['limits'] }

/** subjects looked through at once for those that are empty again */
const SWEEP_EVERY = 1_000

/** The limiter of one process, which knows of all calls, or of none but its own. Decides at once. */
export class MemoryRateLimiter implements RateLimiter {
  readonly alone = 0
  readonly #now: Now
  readonly #held = new Map<string, Held>()
  #untilSweep = SWEEP_EVERY

  constructor (now: Now) { this.#now = now }

  take (of: readonly LimitedSubject[], tokens: number): Taken | RateShort {
    const found = this.look(of, tokens)
    return 'kind' in found ? found : this.force(of, tokens)
  }

  look (of: readonly LimitedSubject[], tokens: number): RateStanding | RateShort {
    const all = of.map((subject) => ({ subject, levels: this.#levels(subject) }))
    return judged(all, tokens) ?? standingOf(all)
  }

  /** taken, whatever the limits are: somebody else has decided */
  force (of: readonly LimitedSubject[], tokens: number): Taken {
    for (const subject of of) this.#add(subject, { requests: 1, tokens, calls: 1 })
    if (--this.#untilSweep === 0) this.#sweep()
    const all = of.map((subject) => ({ subject, levels: this.#levels(subject) }))
    return { subjects: of, tokens, standing: standingOf(all) }
  }

  end ({ subjects, tokens }: Taken, usedTokens: number | null): void {
    const back = { requests: usedTokens === null ? -1 : 0, tokens: (usedTokens ?? 0) - tokens, calls: -1 }
    for (const subject of subjects) this.#add(subject, back)
  }

  /** those that are open now */
  calls (subjectId: string): number { return this.#held.get(subjectId)?.calls ?? 0 }

  get size (): number { return this.#held.size }

  async close (): Promise<void> { this.#held.clear() }

  #levels ({ id, limits }: LimitedSubject): Levels {
    const held = this.#held.get(id)
    if (held === undefined) return { requests: 0, tokens: 0, calls: 0 }
    return drained(held, limits, Math.max(0, this.#now() - held.at))
  }

  #add (subject: LimitedSubject, { requests, tokens, calls }: Levels): void {
    const before = this.#levels(subject)
    this.#held.set(subject.id, {
      requests: Math.max(0, before.requests + requests),
      tokens: Math.max(0, before.tokens + tokens),
      calls: Math.max(0, before.calls + calls),
      at: this.#now(),
      limits: subject.limits,
    })
  }

  #sweep (): void {
    this.#untilSweep = Math.max(SWEEP_EVERY, this.#held.size)
    for (const [id, { limits }] of this.#held) {
      const { requests, tokens, calls } = this.#levels({ id, name: '', limits })
      if (requests === 0 && tokens === 0 && calls === 0) this.#held.delete(id)
    }
  }
}

/** null: it fits */
export function judged (
  all: readonly { subject: LimitedSubject, levels: Levels }[], tokens: number, slackMs?: number
): RateShort | null {
  let short: Omit<RateShort, 'standing'> | null = null
  for (const { subject, levels } of all) {
    const one = shortOf(subject, levels, tokens, slackMs)
    if (one !== null) short = short === null ? one : worse(short, one)
  }
  return short === null ? null : { ...short, standing: standingOf(all) }
}
