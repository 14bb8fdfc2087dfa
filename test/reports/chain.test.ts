import t from 'tap'
import { type Budget } from '../../src/budget/budget.ts'
import { defineBudget } from '../../src/budget/define.ts'
import { renderCheck, seenIn } from '../../src/reports/chain.ts'
import { judge } from '../../src/reports/constraints.ts'
import { untouched } from '../../src/reports/standing.ts'
import { type BudgetStanding } from '../../src/reports/status.ts'
import { suggestionsFor } from '../../src/reports/suggestions.ts'
import { periodAt } from '../../src/budget/period.ts'

const NOW = Date.UTC(2026, 10, 25)
const NANO = 1_000_000_000n

function aBudget (id: string, fields: object = {}): Budget {
  const draft = defineBudget({
    name: `name of ${id}`,
    scopeType: 'team',
    scopeId: id,
    organizationId: 'acme',
    amount: '10',
    currency: 'USD',
    period: 'monthly',
    startDate: '2026-01-01',
    ...fields,
  }, NOW)
  const stored = { rate: null, rateAt: null, createdAt: 0, updatedAt: 0, archivedAt: null, version: 1 }
  return { ...draft, id, enforcedLimitNano: draft.amountNano, ...stored }
}

const fresh = ({ id, amountNano }: Budget) =>
  untouched({ budgetId: id, subject: '', totalNano: amountNano, carriedNano: 0n, limitNano: amountNano })

const standing = (budget: Budget): BudgetStanding =>
  ({ budget, subject: '', period: periodAt(budget, NOW) as BudgetStanding['period'], standing: fresh(budget) })

const USER = aBudget('ann', { scopeType: 'user' })
const TEAM = aBudget('red')
const DIVISION = aBudget('secret-division', { scopeType: 'project', amount: '3' })
const COMPANY = aBudget('secret-company', { scopeType: 'organization', scopeId: 'acme' })
const LINE = [USER, TEAM, DIVISION, COMPANY]

t.test('of a chain somebody sees what has his scope and what is below it', async (t) => {
  const seen = (reach: Parameters<typeof seenIn>[1], line = LINE) =>
    line.filter(seenIn(line, reach)).map(({ id }) => id)
  t.same(seen(null), LINE.map(({ id }) => id))
  t.same(seen({ organizationId: 'acme', scope: null }), LINE.map(({ id }) => id))
  t.same(seen({ organizationId: 'acme', scope: { type: 'team', id: 'red' } }), ['ann', 'red'])
  t.same(seen({ organizationId: 'acme', scope: { type: 'project', id: 'red' } }), [])
  t.same(seen({ organizationId: 'other', scope: null }), [])
  const ofAll = { ...COMPANY, organizationId: null }
  t.same(seen({ organizationId: 'acme', scope: null }, [TEAM, ofAll]), ['red'], 'budgets of no organization are above all')
})

t.test('of a budget out of reach it is told that it is there and whether it refuses, no more', async (t) => {
  const sees = seenIn(LINE, { organizationId: 'acme', scope: { type: 'team', id: 'red' } })
  const ask = (units: bigint) => {
    const verdict = judge(LINE.map(standing), { nano: units * NANO, currency: 'USD', rate: null }, NOW)
    return renderCheck(verdict, suggestionsFor(verdict, null), { estimatedCost: String(units), currency: 'USD' }, sees)
  }

  const refused = ask(5n)

  t.match(refused, {
    canProceed: false,
    code: 'quote_exceeds_budget',
    decidingBudgetId: null,
    resetsAt: null,
    reason: 'A budget above, out of your reach, refuses it.',
    suggestedActions: ['Ask somebody who may change the budgets above.'],
  })
  t.same(refused.chain.slice(2), [{ visible: false, canProceed: false }, { visible: false, canProceed: true }])
  t.notMatch(JSON.stringify([refused, ask(1n)]), /secret/)
  t.match(ask(11n).reason, /name of ann/, 'what is in reach and refuses is named')
})

t.test('thresholds count by what is spent, and only those that are not reached yet', async (t) => {
  const alerts = [{ threshold: 20 }, { threshold: 50 }, { threshold: 99.99999999 }, { threshold: 100 }]
  const budget = aBudget('red', { alerts })
  const one = { ...standing(budget), standing: { ...fresh(budget), spentNano: 2n * NANO, heldNano: 7n * NANO } }
  const crossed = (nano: bigint) => {
    const verdict = judge([one], { nano, currency: 'USD', rate: null }, NOW)
    return renderCheck(verdict, [], { estimatedCost: '', currency: 'USD' }, () => true).thresholds.map(({ threshold }) => threshold)
  }
  t.same(crossed(0n), [])
  t.same(crossed(3n * NANO - 1n), [])
  t.same(crossed(3n * NANO), [50])
  t.same(crossed(8n * NANO - 2n), [50])
  t.same(crossed(8n * NANO - 1n), [50, 99.99999999])
  t.same(crossed(8n * NANO), [50, 99.99999999, 100])
})
