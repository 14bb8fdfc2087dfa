import fc from 'fast-check'
import { DateTime } from 'luxon'
import t from 'tap'
import { type Budget } from '../../src/budget/budget.ts'
import { appliesWithin, periodAt, PeriodClock, shownPeriod, timeIn } from '../../src/budget/period.ts'

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Africa/Cairo', 'Asia/Beirut',
  'Australia/Lord_Howe', 'Pacific/Apia', 'Asia/Kolkata', 'America/Havana']
const PERIODS = ['daily', 'weekly', 'monthly', 'quarterly', 'annual'] as const

type PeriodBudget = Parameters<typeof periodAt>[0]

function aBudget (over: Partial<PeriodBudget> = {}): PeriodBudget {
  return { period: 'monthly', timezone: 'UTC', startDate: 0, endDate: null, recurring: true, ...over }
}

const ms = (text: string, zone = 'UTC') => DateTime.fromISO(text, { zone }).toMillis()
const aMoment = fc.integer({ min: ms('2000-01-01'), max: ms('2035-01-01') })

t.test('a moment lies in its period, and periods tile time in every zone', async () => {
  fc.assert(fc.property(aMoment, fc.constantFrom(...ZONES), fc.constantFrom(...PERIODS), (at, timezone, period) => {
    const budget = aBudget({ timezone, period })
    const one = periodAt(budget, at)
    if (one === null || one.end === null || at < one.start || at >= one.end) return false
    const next = periodAt(budget, one.end)
    const last = periodAt(budget, one.start - 1)
    return next?.start === one.end && last?.end === one.start && periodAt(budget, one.start)?.end === one.end
  }), { numRuns: 400 })
})

t.test('of two midnights the first begins the day, asked for at whichever moment', async (t) => {
  const budget = aBudget({ period: 'daily', timezone: 'America/Havana' })
  const day = { start: ms('2026-11-01T04:00'), end: ms('2026-11-02T05:00') }
  for (const at of [day.start, ms('2026-11-01T04:30'), ms('2026-11-01T05:00'), ms('2026-11-01T05:30'), day.end - 1]) {
    t.same(periodAt(budget, at), day)
  }
})

t.test('a recurring custom budget repeats with the length of its first run', async (t) => {
  fc.assert(fc.property(aMoment, fc.integer({ min: 1, max: 90 }), fc.constantFrom(...ZONES), (at, days, timezone) => {
    const startDate = DateTime.fromISO('2001-03-01T09:00', { zone: timezone })
    const budget = aBudget({
      period: 'custom', timezone, startDate: startDate.toMillis(), endDate: startDate.plus({ days }).toMillis(),
    })
    const one = periodAt(budget, at)
    if (at < budget.startDate) return one === null
    if (one === null || one.end === null || at < one.start || at >= one.end) return false
    return periodAt(budget, one.end)?.start === one.end
  }), { numRuns: 200 })
  const hours = aBudget({ period: 'custom', startDate: 0, endDate: 5 * 3_600_000 })
  t.same(periodAt(hours, 5 * 3_600_000), { start: 5 * 3_600_000, end: 10 * 3_600_000 })
})

t.test('days have 23 and 25 hours where clocks change', async (t) => {
  const day = (text: string) => {
    const one = periodAt(aBudget({ period: 'daily', timezone: 'Europe/Berlin' }), ms(text, 'Europe/Berlin'))
    return one === null || one.end === null ? null : (one.end - one.start) / 3_600_000
  }
  t.equal(day('2026-03-29T12:00'), 23)
  t.equal(day('2026-10-25T12:00'), 25)
  t.equal(day('2026-10-25T02:30'), 25)
})

t.test('a day without midnight begins at its first moment', async (t) => {
  const one = periodAt(aBudget({ period: 'daily', timezone: 'America/Sao_Paulo' }), ms('2018-11-04T15:00Z'))
  t.equal(one?.start, ms('2018-11-04T03:00Z'))
})

t.test('a day that a zone skips is in no period', async (t) => {
  const one = periodAt(aBudget({ period: 'daily', timezone: 'Pacific/Apia' }), ms('2011-12-30T09:59:59.999Z'))
  t.equal(one?.end, ms('2011-12-30T10:00Z'))
  t.equal(periodAt(aBudget({ period: 'daily', timezone: 'Pacific/Apia' }), ms('2011-12-30T10:00Z'))?.start, one?.end)
})

t.test('weeks begin on Monday, quarters in January, April, July and October', async (t) => {
  t.equal(periodAt(aBudget({ period: 'weekly' }), ms('2026-11-23T00:00Z'))?.start, ms('2026-11-23T00:00Z'))
  t.equal(periodAt(aBudget({ period: 'weekly' }), ms('2026-11-22T23:59Z'))?.start, ms('2026-11-16T00:00Z'))
  t.same(periodAt(aBudget({ period: 'quarterly' }), ms('2026-11-23T00:00Z')),
    { start: ms('2026-10-01T00:00Z'), end: ms('2027-01-01T00:00Z') })
})

t.test('startDate and endDate bound when a budget applies', async (t) => {
  const budget = aBudget({ startDate: ms('2026-05-10'), endDate: ms('2026-07-20') })
  t.equal(periodAt(budget, ms('2026-05-09')), null)
  t.equal(periodAt(budget, ms('2026-05-10'))?.start, ms('2026-05-01'))
  t.equal(periodAt(budget, ms('2026-07-20')), null)
  t.equal(periodAt({ ...budget, recurring: false }, ms('2026-06-01')), null, 'only the period that holds startDate')
  const custom = aBudget({ period: 'custom', startDate: 10, endDate: 20, recurring: false })
  t.same([periodAt(custom, 9), periodAt(custom, 19), periodAt(custom, 20)], [null, { start: 10, end: 20 }, null])
  t.same(periodAt(aBudget({ period: 'custom', startDate: 10 }), 1e12), { start: 10, end: null })
})

t.test('shown is the running period, before a budget begins its first, after it has ended its last', async (t) => {
  const budget = aBudget({ startDate: ms('2026-05-10'), endDate: ms('2026-07-20') })
  const at = (text: string, one = budget) => {
    const period = shownPeriod(one, ms(text))
    return [period, appliesWithin(one, period)]
  }
  const may = [{ start: ms('2026-05-01'), end: ms('2026-06-01') }, { from: ms('2026-05-10'), until: ms('2026-06-01') }]
  t.same(at('2026-01-01'), may)
  t.same(at('2026-05-20'), may)
  const july = [{ start: ms('2026-07-01'), end: ms('2026-08-01') }, { from: ms('2026-07-01'), until: ms('2026-07-20') }]
  t.same(at('2026-07-20'), july)
  t.same(at('2028-01-01'), july)
  t.same(at('2028-01-01', { ...budget, recurring: false }), may, 'the only one that it had')
  const run = aBudget({ period: 'custom', startDate: ms('2026-05-10'), endDate: ms('2026-05-12'), recurring: false })
  const days = { start: ms('2026-05-10'), end: ms('2026-05-12') }
  t.same(at('2027-01-01', run), [days, { from: days.start, until: days.end }])
  t.equal(appliesWithin({ ...run, recurring: true }, shownPeriod({ ...run, recurring: true }, ms('2026-05-15'))).until,
    ms('2026-05-16'), 'the end of a first run ends no other')
  const endless = aBudget({ period: 'custom', startDate: ms('2026-05-10') })
  t.same(at('2027-01-01', endless), [{ start: endless.startDate, end: null }, { from: endless.startDate, until: null }])
})

t.test('the clock of a budget answers what is computed anew', async () => {
  const budget: Pick<Budget, 'period' | 'timezone' | 'startDate' | 'endDate' | 'recurring'> =
    aBudget({ period: 'daily', timezone: 'Europe/Berlin', startDate: ms('2026-10-20T08:00Z'), endDate: ms('2026-10-28T08:00Z') })
  const clock = new PeriodClock(budget)
  const near = fc.integer({ min: ms('2026-10-19'), max: ms('2026-10-30') })
  fc.assert(fc.property(near, (at) => JSON.stringify(clock.at(at)) === JSON.stringify(periodAt(budget, at))))
})

t.test('a day begins by the clocks of the budget, where its midnight does not exist at its first moment', async (t) => {
  const at = (zone: string, text: string) => new Date(timeIn(zone, 'startDate', text)).toISOString()
  t.equal(at('UTC', '2026-11-20'), '2026-11-20T00:00:00.000Z')
  t.equal(at('America/New_York', '2026-11-20'), '2026-11-20T05:00:00.000Z')
  t.equal(at('America/New_York', '2026-11-20T00:00:00Z'), '2026-11-20T00:00:00.000Z', 'a time is what it says')
  t.equal(at('America/Santiago', '2026-09-06'), '2026-09-06T04:00:00.000Z', 'clocks go from 23:59 to 1:00')
  t.throws(() => at('UTC', '20.11.2026'), /startDate must be a time like/)
})
