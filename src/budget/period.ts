import { LRUCache } from 'lru-cache'
import { DateTime, type DateTimeUnit, Duration } from 'luxon'
import { parseTime, TIME_EXPECTED } from '../clock.ts'
import { invalidField } from '../errors.ts'
import { type Budget } from './budget.ts'

/**
 * Periods: one run of a budget's clock, `[start, end)` in ms since the epoch. They follow the calendar of the budget's
 * IANA time zone (weeks from Monday), so a day may have 23 or 25 hours, and where midnight does not exist a day begins
 * at its first moment. Periods of one budget tile time without gap or overlap.
 */
export interface PeriodBounds {
  start: number
  /** null: the period never ends */
  end: number | null
}

type PeriodBudget = Pick<Budget, 'period' | 'timezone' | 'startDate' | 'endDate' | 'recurring'>

const UNITS: Record<Exclude<Budget['period'], 'custom'>, DateTimeUnit> = {
  daily: 'day', weekly: 'week', monthly: 'month', quarterly: 'quarter', annual: 'year',
}

/** The period that holds `at`; null: the budget does not apply then. */
export function periodAt (budget: PeriodBudget, at: number): PeriodBounds | null {
  if (at < budget.startDate) return null
  if (budget.period === 'custom') return customAt(budget, at)
  if (budget.endDate !== null && at >= budget.endDate) return null
  const unit = UNITS[budget.period]
  const period = calendarPeriod(at, budget.timezone, unit)
  if (budget.recurring || holds(period, budget.startDate)) return period
  return null
}

/**
 * The period whose figures tell most of a budget: the running one; before it begins its first, after its end its last.
 */
export function shownPeriod (budget: PeriodBudget, at: number): PeriodBounds {
  const { startDate, endDate, period, recurring } = budget
  const running = periodAt(budget, at)
  if (running !== null) return running
  const last = recurring && period !== 'custom' && endDate !== null && at >= endDate ? endDate - 1 : startDate
  return periodAt(budget, last) as PeriodBounds
}

/** `[from, until)` of a period in which the budget applies: it may begin in the middle of one, and end in another. */
export function appliesWithin ({ startDate, endDate, period }: PeriodBudget, { start, end }: PeriodBounds) {
  const last = period === 'custom' || endDate === null ? end : end === null ? endDate : Math.min(end, endDate)
  return { from: Math.max(start, startDate), until: last }
}

/** The calendar day of a zone that holds `at`. */
export function dayAt (zone: string, at: number): { start: number, end: number } {
  return calendarPeriod(at, zone, 'day')
}

/** RFC 3339, or a day, which begins by the clocks of the zone. Throws invalid_field. */
export function timeIn (zone: string, field: string, value: unknown): number {
  const at = parseTime(value)
  if (at === null) throw invalidField(field, TIME_EXPECTED, value)
  return DAY.test(value as string) ? startOfDay(zone, value as string) : at
}

const DAY = /^\d{4}-\d{2}-\d{2}$/

/** where there is no midnight, its first moment */
export function startOfDay (zone: string, date: string): number {
  return dayAt(zone, DateTime.fromISO(`${date}T12:00`, { zone }).toMillis()).start
}

function holds (period: PeriodBounds, at: number): boolean {
  return at >= period.start && (period.end === null || at < period.end)
}

/** Calendars take their time, and many budgets ask for the same periods. */
const known = new LRUCache<string, { start: number, end: number }>({ max: 5_000 })
const HOUR_MS = 3_600_000

function calendarPeriod (at: number, zone: string, unit: DateTimeUnit): { start: number, end: number } {
  const key = `${zone} ${unit} ${Math.floor(at / HOUR_MS)}`
  const one = known.get(key)
  if (one !== undefined && holds(one, at)) return one
  const found = findPeriod(at, zone, unit)
  known.set(key, found)
  return found
}

function findPeriod (at: number, zone: string, unit: DateTimeUnit): { start: number, end: number } {
  const here = DateTime.fromMillis(at, { zone })
  const start = firstMoment(here.startOf(unit))
  if (start > at) return findPeriod(start - 1, zone, unit)
  let next = here.startOf(unit).plus(unit === 'quarter' ? { months: 3 } : { [`${unit}s`]: 1 }).startOf(unit)
  let end = firstMoment(next)
  // a zone that skips a whole day (Apia, 2011-12-30) lands on the same day again
  while (end <= at) {
    next = next.plus({ days: 1 })
    end = firstMoment(next)
  }
  return { start, end }
}

/** of a calendar day: midnight, or where the clocks skip it what they show next; the first of two midnights */
function firstMoment (day: DateTime): number {
  const date = day.toISODate()
  let at = day.toMillis()
  const before = DateTime.fromMillis(at - 3 * HOUR_MS, { zone: day.zone })
  if (day.hour === 0 && day.minute === 0 && before.offset === day.offset) return at
  // in whole minutes, at which offsets change
  for (let minutes = 180; minutes >= 1; minutes = Math.floor(minutes / 2)) {
    const step = minutes * 60_000
    while (DateTime.fromMillis(at - step, { zone: day.zone }).toISODate() === date) at -= step
  }
  return at
}

/**
 * `[startDate, endDate)` is the first run. Recurring: it repeats with that length, as whole days of the calendar where
 * it is some whole days in its zone, else as elapsed time.
 */
function customAt (budget: PeriodBudget, at: number): PeriodBounds | null {
  const { startDate, endDate, timezone: zone } = budget
  if (endDate === null) return { start: startDate, end: null }
  if (!budget.recurring) return at < endDate ? { start: startDate, end: endDate } : null
  const first = DateTime.fromMillis(startDate, { zone })
  const days = DateTime.fromMillis(endDate, { zone }).diff(first, 'days').days
  if (!Number.isInteger(days)) {
    const length = endDate - startDate
    const start = startDate + Math.floor((at - startDate) / length) * length
    return { start, end: start + length }
  }
  const nth = (n: number) => first.plus(Duration.fromObject({ days: n * days })).toMillis()
  let n = Math.max(0, Math.floor((at - startDate) / (days * 86_400_000)) - 1)
  while (nth(n + 1) <= at) n++
  while (n > 0 && nth(n) > at) n--
  return { start: nth(n), end: nth(n + 1) }
}

/** Remembers the current period of one budget: the common case is two comparisons. */
export class PeriodClock {
  readonly #budget: PeriodBudget
  #current: PeriodBounds | null = null

  constructor (budget: PeriodBudget) { this.#budget = budget }

  at (at: number): PeriodBounds | null {
    const known = this.#current
    if (known !== null && holds(known, at) && this.#applies(at)) return known
    const found = periodAt(this.#budget, at)
    if (found !== null) this.#current = found
    return found
  }

  /** a calendar period may begin before the budget does and end after it */
  #applies (at: number): boolean {
    const { startDate, endDate, period } = this.#budget
    return at >= startDate && (period === 'custom' || endDate === null || at < endDate)
  }
}
