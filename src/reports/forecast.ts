import { dayAt } from '../budget/period.ts'

/**
 * How fast a budget is spent, and where that leads. Pure and exact: time is counted in calendar days of the budget's
 * zone, so a day of 23 or 25 hours is one day, and a part of it is its part of that day's own length; amounts are
 * bigints, and rounded up once, to the nano-unit: a forecast promises nothing that is not there.
 */
export interface Course {
  /** spent within `[from, until)`, nano-units */
  spentNano: bigint
  /** IANA time zone */
  timezone: string
  /** when the budget began to apply within its period, ms since the epoch */
  from: number
  /** when it ends to; null: never */
  until: number | null
  now: number
}

export interface Forecast {
  /** days until it ends to apply, rounded up to a ten-thousandth; 0: it has ended; null: it never does */
  daysRemaining: number | null
  /** spent per day so far; less than a 24th of a day counts as so much */
  burnRateNano: bigint
  /** spent in the end, if it goes on like this; null: it never ends */
  projectedNano: bigint | null
}

/** Days as an exact fraction. */
interface Days { parts: bigint, per: bigint }

/** a rate from less than this is noise */
const LEAST: Days = { parts: 1n, per: 24n }
const DECIMALS = 10_000n
const DAY_MS = 86_400_000

export function forecast ({ spentNano, timezone, from, until, now }: Course): Forecast {
  const at = Math.max(from, until === null ? now : Math.min(now, until))
  const elapsed = atLeast(daysBetween(timezone, from, at), LEAST)
  const burnRateNano = divideUp(spentNano * elapsed.per, elapsed.parts)
  if (until === null) return { daysRemaining: null, burnRateNano, projectedNano: null }
  const rest = daysBetween(timezone, at, until)
  return {
    daysRemaining: Number(divideUp(rest.parts * DECIMALS, rest.per)) / Number(DECIMALS),
    burnRateNano,
    projectedNano: spentNano + divideUp(spentNano * rest.parts * elapsed.per, rest.per * elapsed.parts),
  }
}

/** from one moment to a later one by the calendar of a zone */
export function daysBetween (zone: string, from: number, to: number): Days {
  if (from >= to) return { parts: 0n, per: 1n }
  const [first, last] = [dayAt(zone, from), dayAt(zone, to)]
  const [firstMs, lastMs] = [BigInt(first.end - first.start), BigInt(last.end - last.start)]
  const whole = BigInt(daysApart(first, last))
  const per = firstMs * lastMs
  return { parts: whole * per + BigInt(to - last.start) * firstMs - BigInt(from - first.start) * lastMs, per }
}

/** midnights of days lie whole days apart, but for the few hours by which clocks are put forward and back between */
function daysApart (first: { start: number }, last: { start: number }): number {
  return Math.round((last.start - first.start) / DAY_MS)
}

function atLeast (days: Days, least: Days): Days {
  return days.parts * least.per < least.parts * days.per ? least : days
}

/** rounded towards the greater number; `divisor` > 0 */
function divideUp (dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor
  return dividend > 0n && quotient * divisor !== dividend ? quotient + 1n : quotient
}
