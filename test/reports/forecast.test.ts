import fc from 'fast-check'
import { DateTime } from 'luxon'
import t from 'tap'
import { daysBetween, forecast } from '../../src/reports/forecast.ts'

const ms = (text: string) => Date.parse(text)
const NANO = 1_000_000_000n

/** the figures of a month in a zone: from and until as local days */
function course (timezone: string, from: string, until: string | null, now: string, spentNano = 100n * NANO) {
  const at = (text: string) => DateTime.fromISO(text, { zone: timezone }).toMillis()
  return forecast({ spentNano, timezone, from: at(from), until: until === null ? null : at(until), now: at(now) })
}

t.test('in the middle of a month without a change of clocks', async (t) => {
  t.same(course('UTC', '2026-11-01', '2026-12-01', '2026-11-11'),
    { daysRemaining: 20, burnRateNano: 10n * NANO, projectedNano: 300n * NANO })
  t.same(course('UTC', '2026-11-01', '2026-12-01', '2026-11-03T12:00'),
    { daysRemaining: 27.5, burnRateNano: 40n * NANO, projectedNano: 1200n * NANO })
})

t.test('Berlin, March: the day of 23 hours is a day', async (t) => {
  // clocks go forward on the 29th: 28 days are over at its beginning, and 3 remain, though they have 71 hours
  t.same(course('Europe/Berlin', '2026-03-01', '2026-04-01', '2026-03-29', 280n * NANO),
    { daysRemaining: 3, burnRateNano: 10n * NANO, projectedNano: 310n * NANO })
  // 11.5 hours after its beginning half of it is over: clocks show 12:30
  t.same(course('Europe/Berlin', '2026-03-01', '2026-04-01', '2026-03-29T12:30', 285n * NANO),
    { daysRemaining: 2.5, burnRateNano: 10n * NANO, projectedNano: 310n * NANO })
})

t.test('Berlin, October: the day of 25 hours is a day', async (t) => {
  t.same(course('Europe/Berlin', '2026-10-01', '2026-11-01', '2026-10-26', 250n * NANO),
    { daysRemaining: 6, burnRateNano: 10n * NANO, projectedNano: 310n * NANO })
  // 12.5 hours after its beginning, at 11:30 on the clocks, half of the 25th is over
  t.same(course('Europe/Berlin', '2026-10-01', '2026-11-01', '2026-10-25T11:30', 245n * NANO),
    { daysRemaining: 6.5, burnRateNano: 10n * NANO, projectedNano: 310n * NANO })
})

t.test('São Paulo: a day that begins at one, since its midnight does not exist', async (t) => {
  // 2018-11-04 had 23 hours, from 01:00; at 12:30 half of it was over
  t.same(course('America/Sao_Paulo', '2018-11-01', '2018-12-01', '2018-11-04T12:30', 35n * NANO),
    { daysRemaining: 26.5, burnRateNano: 10n * NANO, projectedNano: 300n * NANO })
})

t.test('Lord Howe: clocks change by half an hour', async (t) => {
  // 2026-04-05 has 24.5 hours: at 12:15 after the change, 12:45 have passed; half of it is over at 11:45
  t.same(course('Australia/Lord_Howe', '2026-04-01', '2026-05-01', '2026-04-05T11:45', 45n * NANO),
    { daysRemaining: 25.5, burnRateNano: 10n * NANO, projectedNano: 300n * NANO })
  // 2026-10-04 has 23.5 hours: half of it is over at 12:15
  t.same(course('Australia/Lord_Howe', '2026-10-01', '2026-11-01', '2026-10-04T12:15', 35n * NANO),
    { daysRemaining: 27.5, burnRateNano: 10n * NANO, projectedNano: 310n * NANO })
})

t.test('a leap day is a day', async (t) => {
  t.equal(course('UTC', '2028-02-01', '2028-03-01', '2028-02-28').daysRemaining, 2)
  t.equal(course('UTC', '2027-02-01', '2027-03-01', '2027-02-28').daysRemaining, 1)
  t.same(course('UTC', '2028-01-01', '2029-01-01', '2028-03-01', 600n * NANO),
    { daysRemaining: 306, burnRateNano: 10n * NANO, projectedNano: 3660n * NANO })
})

t.test('the first minute of a period counts as an hour, and the last one as what it is', async (t) => {
  // a 24th of a day: 24 a day for each one spent, for 30 days
  t.same(course('UTC', '2026-11-01', '2026-12-01', '2026-11-01', NANO),
    { daysRemaining: 30, burnRateNano: 24n * NANO, projectedNano: 721n * NANO })
  t.equal(course('UTC', '2026-11-01', '2026-12-01', '2026-11-01T00:01', NANO).burnRateNano, 24n * NANO)
  const last = course('UTC', '2026-11-01', '2026-12-01', '2026-11-30T23:59', 30n * NANO)
  t.equal(last.daysRemaining, 0.0007, 'rounded up: not nothing')
  t.equal(last.projectedNano, 30_000_694_461n, '30 * 43200 / 43199')
})

t.test('a budget that began in mid-period is judged by its own days', async (t) => {
  t.same(course('UTC', '2026-11-21', '2026-12-01', '2026-11-26', 50n * NANO),
    { daysRemaining: 5, burnRateNano: 10n * NANO, projectedNano: 100n * NANO })
})

t.test('ended, not begun, and without an end', async (t) => {
  t.same(course('UTC', '2026-11-01', '2026-11-11', '2026-11-20'),
    { daysRemaining: 0, burnRateNano: 10n * NANO, projectedNano: 100n * NANO })
  t.same(course('UTC', '2026-11-01', '2026-12-01', '2026-10-20', 0n),
    { daysRemaining: 30, burnRateNano: 0n, projectedNano: 0n })
  t.same(course('UTC', '2026-11-01', null, '2026-11-11'),
    { daysRemaining: null, burnRateNano: 10n * NANO, projectedNano: null })
})

t.test('rounds up to the nano-unit, also what is less than nothing', async (t) => {
  t.equal(course('UTC', '2026-11-01', '2026-12-01', '2026-11-04', 1n).burnRateNano, 1n)
  t.equal(course('UTC', '2026-11-01', '2026-12-01', '2026-11-04', 3n).burnRateNano, 1n)
  t.equal(course('UTC', '2026-11-01', '2026-12-01', '2026-11-04', -4n).burnRateNano, -1n)
})

const ZONES = ['UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Pacific/Apia', 'Asia/Kathmandu']
const moment = fc.integer({ min: ms('2011-01-01T00:00Z'), max: ms('2030-01-01T00:00Z') })
const zone = fc.constantFrom(...ZONES)

t.test('days add up, go forward, and are near those of 24 hours', async () => {
  fc.assert(fc.property(zone, fc.tuple(moment, moment, moment), (timezone, moments) => {
    const [a, b, c] = moments.sort((x, y) => x - y) as [number, number, number]
    const one = daysBetween(timezone, a, b)
    const two = daysBetween(timezone, b, c)
    const all = daysBetween(timezone, a, c)
    const added = one.parts * two.per + two.parts * one.per
    if (added * all.per !== all.parts * one.per * two.per) throw new Error('they do not add up')
    if (one.parts < 0n) throw new Error('backwards')
    const error = Number(all.parts) / Number(all.per) - (c - a) / 86_400_000
    if (Math.abs(error) > 0.1) throw new Error(`${error} days off`)
  }), { numRuns: 300 })
})

t.test('what is spent is part of what is projected, and at the end all of it', async () => {
  const spent = fc.bigInt({ min: 0n, max: 9_000_000_000n * NANO })
  fc.assert(fc.property(zone, fc.tuple(moment, moment, moment), spent, (timezone, moments, spentNano) => {
    const [from, now, until] = moments.sort((x, y) => x - y) as [number, number, number]
    const { projectedNano, burnRateNano, daysRemaining } = forecast({ spentNano, timezone, from, until, now })
    if (projectedNano === null || daysRemaining === null) throw new Error('there is an end')
    if (projectedNano < spentNano || burnRateNano < 0n || daysRemaining < 0) throw new Error('less than nothing')
    const atEnd = forecast({ spentNano, timezone, from, until, now: until })
    if (atEnd.projectedNano !== spentNano || atEnd.daysRemaining !== 0) throw new Error('the end')
    // the rate, rounded up, over what remains, rounded up, is never less than what is projected
    const byRate = spentNano + burnRateNano * BigInt(Math.round(daysRemaining * 10_000)) / 10_000n + 1n
    if (projectedNano > byRate) throw new Error(`${projectedNano} > ${byRate}`)
  }), { numRuns: 300 })
})
