import { type Budget } from '../budget/budget.ts'
import { appliesWithin, type PeriodBounds, periodAt, shownPeriod } from '../budget/period.ts'
import { formatNano } from '../money/amount.ts'
import { type AlertRecord } from '../usage/history.ts'
import { forecast } from './forecast.ts'
import { type Standing } from './standing.ts'

/** A budget, and how it stands in the period that is shown of it. */
export interface BudgetStanding {
  budget: Budget
  /** empty, or whose account it is of a budget for each of many */
  subject: string
  period: PeriodBounds
  standing: Standing
}

/**
 * Whether calls are held on a budget now. `running`: they are; `paused`: every call to which it applies is refused;
 * in all other states it applies to none.
 */
export type BudgetState = 'running' | 'paused' | 'not_started' | 'ended' | 'archived'

export function stateOf (budget: Budget, now: number): BudgetState {
  if (budget.archivedAt !== null) return 'archived'
  if (periodAt(budget, now) === null) return now < budget.startDate ? 'not_started' : 'ended'
  return budget.paused ? 'paused' : 'running'
}

/** of the next hold; a soft budget has all of it, and refuses nothing for it */
export function limitOf ({ budget, standing }: BudgetStanding): bigint {
  return budget.mode === 'enforced' && standing.limitNano !== null ? standing.limitNano : standing.totalNano
}

/** never negative: what a limit was lowered by, or an overrun took, is not owed to anybody */
export function remainingOf (one: BudgetStanding): bigint {
  const rest = limitOf(one) - one.standing.spentNano - one.standing.heldNano
  return rest > 0n ? rest : 0n
}

/** when it starts anew; null: its period never ends, or it applies no more after it */
export function resetOf ({ budget, period }: BudgetStanding): number | null {
  return period.end !== null && periodAt(budget, period.end) !== null ? period.end : null
}

/** the period that is shown, and when in it the budget applies */
export function timesOf (budget: Budget, now: number) {
  const period = shownPeriod(budget, now)
  return { period, ...appliesWithin(budget, period) }
}

/** the answer of GET /budgets/:id/status */
export function renderStatus (one: BudgetStanding, now: number) {
  const { budget, period, standing, subject } = one
  const { spentNano, totalNano, carriedNano } = standing
  const course = forecast({ spentNano, timezone: budget.timezone, ...appliesWithin(budget, period), now })
  return {
    budgetId: budget.id,
    ...subject === '' ? {} : { subject },
    currentAmount: formatNano(spentNano),
    limit: formatNano(totalNano),
    limitParts: {
      amount: formatNano(budget.amountNano),
      carriedOver: formatNano(carriedNano),
      adjustments: formatNano(totalNano - budget.amountNano - carriedNano),
    },
    enforcedLimit: formatNano(limitOf(one)),
    currency: budget.currency,
    percentUsed: percentOf(spentNano, totalNano),
    remaining: formatNano(remainingOf(one)),
    held: formatNano(standing.heldNano),
    inDoubt: formatNano(standing.inDoubtNano),
    longHeld: formatNano(standing.heldLongNano),
    leased: formatNano(standing.leasedNano),
    heldIsUpperBound: standing.heldIsUpperBound,
    daysRemaining: course.daysRemaining,
    burnRate: formatNano(course.burnRateNano),
    projectedTotal: course.projectedNano === null ? null : formatNano(course.projectedNano),
    status: statusWord(spentNano, totalNano),
    state: stateOf(budget, now),
    activeAlerts: standing.alerts.map(renderAlert),
    periodStart: time(period.start),
    periodEnd: period.end === null ? null : time(period.end),
    lastUpdated: time(lastUpdated(one, now)),
  }
}

/** Of all subjects of a budget for each of many together, who have an account in the period. */
export interface SummedStanding extends BudgetStanding { subjects: number }

/** as renderStatus */
export function renderSums (one: SummedStanding, now: number) {
  return { ...renderStatus(one, now), subjects: one.subjects }
}

/** the figures change with what happens on the account, with the definition, and at the start of a period */
function lastUpdated ({ budget, period, standing }: BudgetStanding, now: number): number {
  return Math.min(now, Math.max(budget.updatedAt, standing.changedAt ?? 0, period.start <= now ? period.start : 0))
}

/** rounded down to a ten-thousandth; of nothing, all is used */
function percentOf (part: bigint, whole: bigint): number {
  if (whole <= 0n) return 100
  return Number(part * 1_000_000n / whole) / 10_000
}

export function statusWord (spent: bigint, amount: bigint): 'normal' | 'warning' | 'critical' | 'exceeded' {
  if (spent >= amount) return 'exceeded'
  if (spent * 100n >= amount * 95n) return 'critical'
  return spent * 100n >= amount * 80n ? 'warning' : 'normal'
}

export function renderAlert (alert: AlertRecord) {
  return {
    threshold: alert.threshold,
    amount: alert.amountNano === null ? null : formatNano(alert.amountNano),
    triggeredAt: time(alert.triggeredAt),
    actions: alert.actions,
    acknowledged: alert.acknowledgedAt !== null,
    acknowledgedBy: alert.acknowledgedBy,
    acknowledgedAt: alert.acknowledgedAt === null ? null : time(alert.acknowledgedAt),
  }
}

function time (at: number): string { return new Date(at).toISOString() }
