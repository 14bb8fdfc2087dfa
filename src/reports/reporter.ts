import { type Authority, type LeaseFigures } from '../account/authority.ts'
import { type HotStatus } from '../account/hot-status.ts'
import { type Budget } from '../budget/budget.ts'
import { periodAt } from '../budget/period.ts'
import { type BudgetTracker } from '../budget/tracker.ts'
import { type Now } from '../clock.ts'
import { formatNano } from '../money/amount.ts'
import { type AlertRecord, type UsageHistory } from '../usage/history.ts'

/**
 * BudgetReporter: what a budget's current period looks like now, over all gateways. Recorded figures and what is leased
 * come from one read of the ledger; what gateways hold and have not yet recorded from their own live figures. Where
 * those of a gateway are missing, all that it has leased counts as held, and the answer says that it is an upper bound.
 */
export interface ReporterOptions {
  authority: Pick<Authority, 'inspect'>
  usage: UsageHistory
  hot: HotStatus
  tracker: Pick<BudgetTracker, 'view' | 'debt'>
  incarnation: number
  now: Now
}

export interface Standing {
  spentNano: bigint
  heldNano: bigint
  inDoubtNano: bigint
  /** leased by gateways and idle: neither spent nor held */
  leasedNano: bigint
  heldIsUpperBound: boolean
}

const DAY_MS = 86_400_000
/** a forecast from less than this is noise */
const LEAST_ELAPSED_MS = 3_600_000

export class BudgetReporter {
  readonly #o: ReporterOptions

  constructor (options: ReporterOptions) { this.#o = options }

  /** the answer of GET /budgets/:id/status */
  async status (budget: Budget) {
    const now = this.#o.now()
    const period = periodAt(budget, now)
    const accountId = period === null ? null : await this.#account(budget, period.start)
    const standing = accountId === null ? NOTHING : await this.#standing(accountId)
    const alerts = accountId === null ? [] : await this.#o.usage.alerts(accountId)
    const { spentNano, heldNano } = standing
    const limit = budget.mode === 'enforced' ? budget.enforcedLimitNano : budget.amountNano
    const remaining = limit - spentNano - heldNano
    const daysRemaining = period === null || period.end === null ? null : (period.end - now) / DAY_MS
    const since = Math.max(LEAST_ELAPSED_MS, now - Math.max(period?.start ?? now, budget.startDate))
    const burnRate = spentNano * BigInt(DAY_MS) / BigInt(Math.round(since))
    return {
      budgetId: budget.id,
      currentAmount: formatNano(spentNano),
      limit: formatNano(budget.amountNano),
      enforcedLimit: formatNano(limit),
      currency: budget.currency,
      percentUsed: percentOf(spentNano, budget.amountNano),
      remaining: formatNano(remaining > 0n ? remaining : 0n),
      held: formatNano(heldNano),
      inDoubt: formatNano(standing.inDoubtNano),
      leased: formatNano(standing.leasedNano),
      heldIsUpperBound: standing.heldIsUpperBound,
      daysRemaining: daysRemaining === null ? null : round(daysRemaining, 2),
      burnRate: formatNano(burnRate),
      projectedTotal: formatNano(daysRemaining === null
        ? spentNano
        : spentNano + burnRate * BigInt(Math.round(daysRemaining * 1000)) / 1000n),
      status: statusWord(spentNano, budget.amountNano),
      activeAlerts: alerts.map(renderAlert),
      periodStart: period === null ? null : new Date(period.start).toISOString(),
      periodEnd: period === null || period.end === null ? null : new Date(period.end).toISOString(),
      lastUpdated: new Date(now).toISOString(),
    }
  }

  async #account (budget: Budget, periodStart: number): Promise<number | null> {
    const [account] = await this.#o.usage.accounts([{ budgetId: budget.id, subject: '', periodStart }])
    return account?.accountId ?? null
  }

  async #standing (accountId: number): Promise<Standing> {
    const { authority, hot, tracker } = this.#o
    // live figures first: what is recorded in between is then counted once, not left out
    const published = (await hot.read([accountId])).get(accountId) ?? []
    const { accounts: [account], leases } = await authority.inspect([accountId])
    if (account === undefined) return NOTHING
    const sum: Standing = {
      spentNano: account.settledNano + tracker.debt(accountId),
      heldNano: account.inDoubtNano,
      inDoubtNano: account.inDoubtNano,
      leasedNano: 0n,
      heldIsUpperBound: false,
    }
    for (const lease of leases) {
      if (!lease.responds) continue
      const own = lease.incarnation === this.#o.incarnation ? tracker.view(accountId) : null
      const other = published.find((figures) => figures.incarnation === lease.incarnation)
      if (own !== null) add(sum, lease, own.consumed, own.held)
      else if (other !== undefined) add(sum, lease, other.consumedNano, other.heldNano)
      else {
        sum.heldNano += lease.restNano
        sum.heldIsUpperBound = true
      }
    }
    return sum
  }
}

const NOTHING: Standing = { spentNano: 0n, heldNano: 0n, inDoubtNano: 0n, leasedNano: 0n, heldIsUpperBound: false }

function add (sum: Standing, lease: LeaseFigures, consumed: bigint, held: bigint): void {
  const unposted = consumed > lease.postedNano ? consumed - lease.postedNano : 0n
  sum.spentNano += unposted
  sum.heldNano += held
  const idle = lease.restNano - unposted - held
  if (idle > 0n) sum.leasedNano += idle
}

function percentOf (part: bigint, whole: bigint): number {
  return Number(part * 1_000_000n / whole) / 10_000
}

function round (value: number, decimals: number): number {
  const scale = 10 ** decimals
  return Math.round(value * scale) / scale
}

export function statusWord (spent: bigint, amount: bigint): 'normal' | 'warning' | 'critical' | 'exceeded' {
  if (spent >= amount) return 'exceeded'
  if (spent * 100n >= amount * 95n) return 'critical'
  return spent * 100n >= amount * 80n ? 'warning' : 'normal'
}

function renderAlert (alert: AlertRecord) {
  return {
    threshold: alert.threshold,
    triggeredAt: new Date(alert.triggeredAt).toISOString(),
    actions: alert.actions,
    acknowledged: alert.acknowledgedAt !== null,
    acknowledgedBy: alert.acknowledgedBy,
    acknowledgedAt: alert.acknowledgedAt === null ? null : new Date(alert.acknowledgedAt).toISOString(),
  }
}
