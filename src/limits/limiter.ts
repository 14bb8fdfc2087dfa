import { type LimitedSubject, type RateLimits } from './rate-limits.ts'

/** What is taken of a subject now: of the buckets as they have drained, and open calls. */
export interface Levels {
  requests: number
  tokens: number
  calls: number
}

/** One bucket as an answer's headers tell of it. */
export interface BucketStanding {
  limit: number
  remaining: number
  /** until it is as if nothing had been taken, ms */
  resetMs: number
}

/** Of each kind, that of the subject that has the least left. */
export interface RateStanding {
  requests: BucketStanding | null
  tokens: BucketStanding | null
}

/** What a call has taken, until it is over. */
export interface Taken {
  subjects: readonly LimitedSubject[]
  tokens: number
  standing: RateStanding
  /** also of the counts that gateways share; false, absent: of this gateway's own alone */
  shared?: boolean
}

/** Why it may not go on now. */
export interface RateShort {
  subject: LimitedSubject
  kind: 'requests' | 'tokens' | 'calls'
  limit: number
  remaining: number
  /** ms until it would fit, if nothing else is taken; null: nobody knows (calls), or never (tokens) */
  waitMs: number | null
  standing: RateStanding
}

type Later<T> = T | Promise<T>

/** Takes one request, its tokens and one slot of all subjects of a call, or of none. Never rejects. */
export interface RateLimiter {
  take (of: readonly LimitedSubject[], tokens: number): Later<Taken | RateShort>
  /** as `take` would answer, taking nothing */
  look (of: readonly LimitedSubject[], tokens: number): Later<RateStanding | RateShort>
  /** the call is over; `usedTokens` null: it did not reach its provider, so nothing counts */
  end (taken: Taken, usedTokens: number | null): void
  close (): Promise<void>
  /** decisions by own counts where shared ones did not answer */
  readonly alone: number
}

export function isShort (answer: Taken | RateStanding | RateShort): answer is RateShort { return 'kind' in answer }

const MINUTE_MS = 60_000
/** fractions are not exact: what fits within so many ms fits */
const ALMOST_MS = 1e-4

/** the levels after so many ms more */
export function drained ({ requests, tokens, calls }: Levels, limits: RateLimits, ms: number): Levels {
  const rest = (level: number, limit: number | undefined) =>
    limit === undefined ? 0 : Math.max(0, level - limit * ms / MINUTE_MS)
  return { requests: rest(requests, limits.requestsPerMinute), tokens: rest(tokens, limits.tokensPerMinute), calls }
}

/** What a call of so many tokens finds too little of, the longest wait; null: it fits, or does within `slackMs`. */
export function shortOf (
  subject: LimitedSubject, levels: Levels, tokens: number, slackMs = ALMOST_MS
): Omit<RateShort, 'standing'> | null {
  const { requestsPerMinute, tokensPerMinute, concurrentCalls } = subject.limits
  const found: Omit<RateShort, 'standing'>[] = []
  const buckets = [
    { kind: 'requests' as const, limit: requestsPerMinute, level: levels.requests, need: 1 },
    { kind: 'tokens' as const, limit: tokensPerMinute, level: levels.tokens, need: tokens },
  ]
  for (const { kind, limit, level, need } of buckets) {
    if (limit === undefined) continue
    const ms = (level + need - limit) * MINUTE_MS / limit
    if (ms <= slackMs) continue
    const waitMs = need > limit ? null : Math.ceil(ms - slackMs)
    found.push({ subject, kind, limit, remaining: left(limit, level), waitMs })
  }
  if (concurrentCalls !== undefined && levels.calls + 1 > concurrentCalls) {
    found.push({ subject, kind: 'calls', limit: concurrentCalls, remaining: 0, waitMs: null })
  }
  return found.reduce<Omit<RateShort, 'standing'> | null>((worst, one) => worst === null ? one : worse(worst, one), null)
}

/** what never fits, then what fits latest; how long a slot takes nobody knows */
export function worse<T extends Omit<RateShort, 'standing'>> (one: T, other: T): T {
  const rank = ({ kind, waitMs }: T) => kind === 'calls' ? 0 : waitMs ?? Infinity
  return rank(other) > rank(one) ? other : one
}

/** for headers: of each kind, the bucket that has the smallest part of its limit left */
export function standingOf (all: readonly { subject: LimitedSubject, levels: Levels }[]): RateStanding {
  const standing: RateStanding = { requests: null, tokens: null }
  for (const { subject: { limits }, levels } of all) {
    standing.requests = tighter(standing.requests, limits.requestsPerMinute, levels.requests)
    standing.tokens = tighter(standing.tokens, limits.tokensPerMinute, levels.tokens)
  }
  return standing
}

function tighter (known: BucketStanding | null, limit: number | undefined, level: number): BucketStanding | null {
  if (limit === undefined) return known
  const ms = Math.min(level, limit) * MINUTE_MS / limit
  const one = { limit, remaining: left(limit, level), resetMs: Math.max(0, Math.ceil(ms - ALMOST_MS)) }
  return known === null || one.remaining * known.limit < known.remaining * limit ? one : known
}

function left (limit: number, level: number): number { return Math.max(0, Math.floor(limit - level + 1e-6)) }
