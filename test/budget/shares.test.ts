import fc from 'fast-check'
import t from 'tap'
import { type Period } from '../../src/budget/budget.ts'
import { sharesWarning } from '../../src/budget/shares.ts'

const NOW = Date.UTC(2026, 10, 25)
const NANO = 1_000_000_000n

type Share = Parameters<typeof sharesWarning>[0]

function aShare (overrides: Partial<Share> & { amount?: bigint } = {}): Share {
  const { amount = 100n, ...rest } = overrides
  return {
    id: 'parent',
    name: 'Search',
    scopeType: 'team',
    scopeId: 'search',
    amountNano: amount * NANO,
    currency: 'USD',
    rate: null,
    period: 'monthly',
    startDate: Date.UTC(2026, 0),
    endDate: null,
    recurring: true,
    archivedAt: null,
    ...rest,
  }
}

const message = (parent: Share, children: Share[]) => sharesWarning(parent, children, NOW)?.message ?? null

t.test('children that have more than their parent together are a warning that says how much', async (t) => {
  const parent = aShare({ amount: 250n })
  t.equal(sharesWarning(parent, [aShare(), aShare({ amount: 150n })], NOW), null, 'as much is not more')
  t.same(sharesWarning(parent, [aShare(), aShare({ amountNano: 150n * NANO + 1n })], NOW), {
    code: 'children_exceed_parent',
    message: 'The budgets below "Search" have 250.000000001 USD a month together, more than its own 250 USD',
    budgetId: 'parent',
  })
  t.equal(sharesWarning(parent, [], NOW), null)
})

t.test('archived children and those whose time is over do not count', async (t) => {
  const parent = aShare()
  t.equal(message(parent, [aShare({ amount: 200n, archivedAt: 1 })]), null)
  t.equal(message(parent, [aShare({ amount: 200n, endDate: NOW })]), null)
  t.match(message(parent, [aShare({ amount: 200n, endDate: NOW + 1 })]), /200 USD/)
  t.match(message(parent, [aShare({ amount: 200n, startDate: NOW + 1 })]), /200 USD/, 'what begins later does')
})

t.test('other currencies count at the rates of today, other periods by their average length', async (t) => {
  t.equal(message(aShare(), [aShare({ amount: 90n, currency: 'EUR', rate: '0.9' })]), null)
  t.equal(message(aShare(), [aShare({ amount: 91n, currency: 'EUR', rate: '0.9' })]),
    'The budgets below "Search" have 101.111111111 USD a month together, more than its own 100 USD ' +
    '(currencies at today\'s rates)')
  t.match(message(aShare({ currency: 'JPY', rate: '150' }), [aShare({ amount: 1n })]), /150 JPY a month together/)
  // 4,800 months and 146,097 days in 400 years
  t.equal(message(aShare(), [aShare({ amount: 4n, period: 'daily' })]),
    'The budgets below "Search" have 121.7475 USD a month together, more than its own 100 USD ' +
    '(periods by their average length)')
  t.equal(message(aShare({ period: 'annual' }), [aShare({ amount: 25n, period: 'quarterly' })]), null)
  t.equal(message(aShare({ period: 'annual' }), [aShare({ amountNano: 25n * NANO + 1n, period: 'quarterly' })]),
    'The budgets below "Search" have 100.000000004 USD a year together, more than its own 100 USD ' +
    '(periods by their average length)')
})

t.test('what does not compare is left out, and the warning says so', async (t) => {
  const custom = aShare({ amount: 500n, period: 'custom', endDate: NOW + 5, recurring: false })
  t.equal(message(aShare(), [custom]), null)
  const partly = message(aShare(), [custom, aShare({ amount: 101n })])
  t.match(partly, /101 USD .*\(periods .*without 1 whose period does not compare\)/)
  t.match(message({ ...custom, amountNano: NANO }, [custom]), /have 500 USD together/, 'the very same period does')
  t.equal(message(aShare({ period: 'annual' }), [aShare({ amount: 500n, recurring: false })]), null)
  t.match(message(aShare(), [aShare({ amount: 500n, recurring: false })]), /500 USD/)
})

t.test('never warns where the exact sum is not more', async () => {
  const rate = fc.integer({ min: 1, max: 1_000_000 }).map((n) => String(n / 1_000))
  const period = fc.constantFrom<Period>('daily', 'weekly', 'monthly', 'quarterly', 'annual')
  const days = { daily: 146_097, weekly: 20_871, monthly: 4_800, quarterly: 1_600, annual: 400, custom: 0 }
  const amount = fc.bigInt({ min: 1n, max: 10n ** 15n })
  fc.assert(fc.property(rate, rate, period, period, amount, (ours, theirs, one, other, nano) => {
    const child = aShare({ amountNano: nano, currency: 'AAA', rate: theirs, period: one })
    const factor = Number(ours) / Number(theirs) * days[one] / days[other]
    const above = BigInt(Math.ceil(Number(nano) * factor * 1.000001)) + 1n
    return sharesWarning(aShare({ amountNano: above, currency: 'BBB', rate: ours, period: other }), [child], NOW) === null
  }))
})
