import { invalidField } from '../errors.ts'

/** What may be asked for per minute, and at once; absent: as much as anybody likes. */
export interface RateLimits {
  requestsPerMinute?: number
  /** input and output together */
  tokensPerMinute?: number
  concurrentCalls?: number
}

/** Whose calls are counted together. */
export interface LimitedSubject {
  /** of the key, or of the budget and its subject; part of a name in Redis */
  id: string
  /** for people, e.g. `key "search"` */
  name: string
  limits: RateLimits
  /** absent: a key */
  budgetId?: string
}

export const RATE_LIMITS = ['requestsPerMinute', 'tokensPerMinute', 'concurrentCalls'] as const
export const MOST = 1_000_000_000
const EXPECTED = `null, or an object with ${RATE_LIMITS.join(', ')}`

/** What an administrator sends; null in a field takes that limit away. Throws InvalidField. */
export function rateLimitsOf (path: string, value: unknown): RateLimits | null {
  if (value === null || value === undefined) return null
  if (typeof value !== 'object' || Array.isArray(value)) throw invalidField(path, EXPECTED, value)
  const extra = Object.keys(value).find((name) => !(RATE_LIMITS as readonly string[]).includes(name))
  if (extra !== undefined) throw invalidField(`${path}/${extra}`, `absent: ${EXPECTED}`, (value as Record<string, unknown>)[extra])
  const limits: RateLimits = {}
  for (const name of RATE_LIMITS) {
    const limit = (value as Record<string, unknown>)[name]
    if (limit === null || limit === undefined) continue
    if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 1 || limit > MOST) {
      throw invalidField(`${path}/${name}`, `a whole number from 1 to ${MOST}, or null`, limit)
    }
    limits[name] = limit
  }
  return Object.keys(limits).length === 0 ? null : limits
}
