import { DateTime } from 'luxon'
import { type Budget } from '../budget/budget.ts'
import { dayAt, shownPeriod, startOfDay } from '../budget/period.ts'
import { invalidField } from '../errors.ts'

/**
 * Which time a summary is about, and from which sums it can be read: whole days of the budget's zone from those by day,
 * what is left at either end from those by hour. Times are ms since the epoch, days `2026-11-25`.
 */
export type Interval = 'hour' | 'day' | 'week' | 'month'

export interface Span {
  from: number
  /** exclusive */
  to: number
}

export interface SummaryRange extends Span {
  /** `[first, end)`; null: no whole day */
  days: { first: string, end: string } | null
  hours: Span[]
}

type RangeBudget = Pick<Budget, 'period' | 'timezone' | 'startDate' | 'endDate' | 'recurring'>

/**
 * Without dates: the running period. With a start alone: up to now. Given dates are widened to whole hours.
 * Throws invalid_field.
 */
export function rangeOf (
  budget: RangeBudget, { startDate, endDate }: { startDate: number | null, endDate: number | null }, now: number
): Span {
  const { timezone: zone } = budget
  const period = shownPeriod(budget, now)
  const from = startDate === null ? period.start : hourAt(zone, startDate)
  const to = endDate === null
    ? startDate === null ? period.end ?? hourAfter(zone, now) : hourAfter(zone, Math.max(now, startDate))
    : hourAfter(zone, endDate - 1)
  if (from >= to) {
    throw invalidField('endDate', startDate === null ? 'after the start of the period, or with startDate' : 'after startDate',
      endDate === null ? undefined : new Date(endDate).toISOString())
  }
  return { from, to }
}

export function spansOf (zone: string, { from, to }: Span, interval: Interval | null): SummaryRange {
  const hours = (...spans: [number, number][]): Span[] =>
    spans.map(([from, to]) => ({ from, to })).filter(({ from, to }) => from < to)
  const whole = hours([hourAt(zone, from), to])
  if (interval === 'hour') return { from, to, days: null, hours: whole }
  const head = dayAt(zone, from)
  const first = head.start >= from ? head.start : head.end
  const end = dayAt(zone, to).start
  if (first >= end) return { from, to, days: null, hours: whole }
  return {
    from,
    to,
    days: { first: dateAt(zone, first), end: dateAt(zone, end) },
    hours: hours([hourAt(zone, from), first], [end, to]),
  }
}

/** The run of the calendar that a bucket stands for: an hour by its start, else the first day of it. */
export function bucketOf (zone: string, interval: Interval, at: number | string): { start: number, end: number } {
  if (typeof at === 'number') return { start: at, end: hourAfter(zone, at) }
  const next = DateTime.fromISO(at, { zone: 'UTC' }).plus({ [`${interval}s`]: 1 })
  return { start: startOfDay(zone, at), end: startOfDay(zone, next.toFormat('yyyy-MM-dd')) }
}

const DAY_MS = 86_400_000

/** Days of the calendar, the last one in part; ten-thousandths. Less than a day counts as one. */
export function daysBetween (zone: string, from: number, to: number): bigint {
  if (to - from < DAY_MS) return 10_000n
  const { days } = DateTime.fromMillis(to, { zone }).diff(DateTime.fromMillis(from, { zone }), 'days')
  return BigInt(Math.round(days * 10_000))
}

function dateAt (zone: string, at: number): string {
  return DateTime.fromMillis(at, { zone }).toFormat('yyyy-MM-dd')
}

/** the hour that holds `at`, by the clocks of the zone */
function hourAt (zone: string, at: number): number {
  return DateTime.fromMillis(at, { zone }).startOf('hour').toMillis()
}

/** the hour that begins after `at` */
function hourAfter (zone: string, at: number): number {
  return hourAt(zone, hourAt(zone, at) + 3_600_000)
}
