import { type LeaseFigures } from '../account/authority.ts'
import { type HotFigures } from '../account/hot-status.ts'
import { type Lease } from '../account/lease.ts'
import { type Budget } from '../budget/budget.ts'
import { type AlertRecord } from '../usage/history.ts'
import { type AccountSums } from './report-store.ts'

/** One account as the ledger has it, from one read: what is settled and what is leased are of the same instant. */
export interface LedgerAccount {
  accountId: number
  budgetId: string
  subject: string
  /** ms since the epoch */
  periodStart: number
  /** null: nothing is refused for it */
  limitNano: bigint | null
  /** 100 %: the budget's amount with the adjustments in force */
  totalNano: bigint
  /** part of it: from the period before */
  carriedNano: bigint
  settledNano: bigint
  /** part of settled: what was charged to a budget below too */
  belowNano: bigint
  /** all that is out: leases, and what is held for long without one */
  leasedNano: bigint
  /** those that are not closed */
  leases: LeaseFigures[]
  /** thresholds that were crossed, the lowest first */
  alerts: AlertRecord[]
  /** who leases what is in doubt, and its last sign of life, ms since the epoch; null: nothing is in doubt */
  doubt: { holder: string, since: number } | null
  /** when something was last charged, ms since the epoch; null: never */
  chargedAt: number | null
}

/** How an account stands over all gateways, as the next hold finds it. Amounts in nano-units of the account. */
export interface Standing {
  /** settled, and finished calls that are not recorded yet */
  spentNano: bigint
  settledNano: bigint
  /** part of settled: what was charged to a budget below too, as the hierarchy stood when it was recorded */
  belowNano: bigint
  /** quotes of open calls, what is held for long, and what is in doubt */
  heldNano: bigint
  /** part of held: leased by gateways that do not answer */
  inDoubtNano: bigint
  /** part of held: what is held for long, without a lease */
  heldLongNano: bigint
  /** leased by gateways and idle: neither spent nor held */
  leasedNano: bigint
  heldIsUpperBound: boolean
  /** null: nothing is refused for it */
  limitNano: bigint | null
  /** 100 %: the budget's amount with the adjustments in force */
  totalNano: bigint
  /** part of it: from the period before */
  carriedNano: bigint
  doubt: LedgerAccount['doubt']
  /** ms since the epoch; null: nothing has happened on the account */
  changedAt: number | null
  alerts: AlertRecord[]
}

/** Of all subjects of a budget together. What other gateways do is not asked for each: all that is leased is held. */
export function standingOfAll (sums: AccountSums): Standing {
  return {
    ...NOTHING,
    totalNano: sums.totalNano,
    carriedNano: sums.carriedNano,
    spentNano: sums.settledNano,
    settledNano: sums.settledNano,
    belowNano: sums.belowNano,
    heldNano: sums.leasedNano,
    inDoubtNano: sums.inDoubtNano,
    heldIsUpperBound: sums.leasedNano > 0n,
    limitNano: sums.limitNano,
    changedAt: sums.chargedAt,
  }
}

/** What this gateway knows of one account by itself. */
export interface OwnView {
  incarnation: number
  /** null: it has not used the account */
  lease: Lease | null
  /** charges of finished calls beyond what leases paid, not recorded when the ledger was asked */
  debtNano: bigint
}

/** A budget without an account: nothing was ever held on it in this period. */
export interface Untouched {
  budgetId: string
  subject: string
  totalNano: bigint
  carriedNano: bigint
  limitNano: bigint | null
}

const NOTHING: Omit<Standing, 'totalNano' | 'carriedNano' | 'limitNano'> = {
  spentNano: 0n,
  settledNano: 0n,
  belowNano: 0n,
  heldNano: 0n,
  inDoubtNano: 0n,
  heldLongNano: 0n,
  leasedNano: 0n,
  heldIsUpperBound: false,
  doubt: null,
  changedAt: null,
  alerts: [],
}

export function untouched ({ totalNano, carriedNano, limitNano }: Untouched): Standing {
  return { ...NOTHING, totalNano, carriedNano, limitNano }
}

/** an account of which nothing is known, as if it were new */
export function nothingOn ({ budget }: { budget: Budget }): Standing {
  const { amountNano: totalNano, enforcedLimitNano, mode } = budget
  return { ...NOTHING, totalNano, carriedNano: 0n, limitNano: mode === 'enforced' ? enforcedLimitNano : null }
}

/**
 * The ledger's figures, with the live ones of every gateway that leases something. They are read after it: of a lease,
 * what is consumed by then and not posted by that read is exactly what the settled amount lacks. A gateway whose live
 * figures are missing may have spent or hold all that it leases, so all of that counts as held.
 */
export function standingOf (account: LedgerAccount, own: OwnView, others: readonly HotFigures[]): Standing {
  const sum: Standing = {
    ...NOTHING,
    spentNano: account.settledNano + own.debtNano,
    settledNano: account.settledNano,
    belowNano: account.belowNano,
    limitNano: account.limitNano,
    totalNano: account.totalNano,
    carriedNano: account.carriedNano,
    doubt: account.doubt,
    changedAt: account.chargedAt,
    alerts: account.alerts,
  }
  let leasedNano = 0n
  for (const lease of withOwn(account, own)) {
    leasedNano += lease.restNano
    if (!lease.responds) {
      sum.inDoubtNano += lease.restNano
      continue
    }
    if (lease.incarnation === own.incarnation && own.lease !== null) {
      add(sum, lease, own.lease.consumed, own.lease.held, own.lease.usedAt)
      continue
    }
    const other = others.find(({ incarnation }) => incarnation === lease.incarnation)
    if (other !== undefined) add(sum, lease, other.consumedNano, other.heldNano, other.at)
    else if (lease.restNano > 0n) {
      sum.heldNano += lease.restNano
      sum.heldIsUpperBound = true
    }
  }
  const heldLong = account.leasedNano - leasedNano
  if (heldLong > 0n) sum.heldLongNano = heldLong
  sum.heldNano += sum.inDoubtNano + sum.heldLongNano
  return sum
}

/** this gateway may have begun to lease after the ledger was read */
function withOwn ({ accountId, leases }: LedgerAccount, { incarnation, lease }: OwnView): readonly LeaseFigures[] {
  if (lease === null || leases.some((one) => one.incarnation === incarnation)) return leases
  return [...leases, { accountId, incarnation, restNano: 0n, postedNano: 0n, responds: true }]
}

function add (sum: Standing, lease: LeaseFigures, consumed: bigint, held: bigint, at: number): void {
  const unposted = consumed > lease.postedNano ? consumed - lease.postedNano : 0n
  sum.spentNano += unposted
  sum.heldNano += held
  const idle = lease.restNano - unposted - held
  if (idle > 0n) sum.leasedNano += idle
  if ((unposted > 0n || held > 0n) && at > (sum.changedAt ?? 0)) sum.changedAt = at
}
