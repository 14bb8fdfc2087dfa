import { type AccountSpec } from '../account/authority.ts'
import { type Budget } from './budget.ts'
import { periodAt, type PeriodBounds } from './period.ts'

/** so many periods that nobody used are looked back on for what they had left */
const MOST_EARLIER = 60

/** The account of a budget in a period, as the ledger is asked for it. */
export function accountSpec (budget: Budget, subject: string, { start, end }: PeriodBounds): AccountSpec {
  const spec = { budgetId: budget.id, subject, periodStart: start, periodEnd: end }
  return budget.carryOver === null ? spec : { ...spec, earlier: earlierPeriods(budget, start) }
}

/** those before, since the budget was made, the latest first */
function earlierPeriods (budget: Budget, before: number): { start: number, end: number }[] {
  const found: { start: number, end: number }[] = []
  for (let at = before - 1; at >= budget.createdAt && found.length < MOST_EARLIER;) {
    const period = periodAt(budget, at)
    if (period?.end == null) break
    found.push({ start: period.start, end: period.end })
    at = period.start - 1
  }
  return found
}
