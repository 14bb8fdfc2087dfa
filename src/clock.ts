import { DateTime } from 'luxon'

/** Milliseconds since the epoch. Injected wherever time decides something, so that tests own it. */
export type Now = () => number

export const systemNow: Now = () => Date.now()

/**
 * Of the same kind, but it only ever goes on: for how long something takes, also where the clock is set meanwhile. How
 * it stands to the time of day is by then nobody's business.
 */
export const steadyNow: Now = () => performance.timeOrigin + performance.now()

const RFC_3339 = /^\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2}))?$/

export const TIME_EXPECTED = 'a time like "2026-12-01T00:00:00Z", or a day'

/** RFC 3339, or a day, which begins in UTC (of a budget: `timeIn`); null: it is none, or not of these centuries */
export function parseTime (value: unknown): number | null {
  if (typeof value !== 'string' || !RFC_3339.test(value)) return null
  const at = DateTime.fromISO(value.replace(' ', 'T'), { zone: 'UTC' })
  return at.isValid && at.year >= 1970 && at.year < 3000 ? at.toMillis() : null
}
