import { type Reach } from '../access/actor.ts'
import { type Budget, type ScopeType } from '../budget/budget.ts'
import { type LedgerAccount, type Untouched } from './standing.ts'

export interface AccountKey {
  budgetId: string
  /** empty, or whose account it is of a budget for each of many */
  subject: string
  /** ms since the epoch */
  periodStart: number
  /** null: it never ends */
  periodEnd: number | null
}

export type BudgetPeriod = Pick<AccountKey, 'budgetId' | 'periodStart'>

/** Sums over subjects. Nano-units. */
export interface AccountSums {
  budgetId: string
  subjects: number
  /** of the definition, before adjustments */
  amountNano: bigint
  /** 100 % of each */
  totalNano: bigint
  /** part of total: from the period before */
  carriedNano: bigint
  /** null: nothing is refused for it */
  limitNano: bigint | null
  settledNano: bigint
  belowNano: bigint
  leasedNano: bigint
  /** part of leased */
  inDoubtNano: bigint
  /** ms since the epoch; null: never */
  chargedAt: number | null
}

export interface SubjectPage { limit: number, cursor?: string }

/**
 * What reports read of the ledger: each method is one statement, however many budgets it is about, and changes nothing.
 * DependencyUnavailable where it cannot be reached.
 */
export interface ReportStore {
  /** in any order; an account comes into being with the first call on it, and until then there are its limits alone */
  accounts (keys: readonly AccountKey[]): Promise<(LedgerAccount | Untouched)[]>
  /** of budgets for each of many, all of their accounts in a period together; those that have any */
  sums (periods: readonly BudgetPeriod[]): Promise<AccountSums[]>
  /** in a period of a budget, most spent first; null: the last page. InvalidField for a cursor of another list */
  subjects (period: BudgetPeriod, page: SubjectPage): Promise<{ subjects: string[], nextCursor: string | null }>
  /** the budget, its parent, and so on to the topmost, archived ones too */
  chain (id: string): Promise<Budget[]>
  /** budgets of a scope within reach and all that are below them, archived ones too, the oldest first */
  tree (scope: { type: ScopeType, id: string }, reach: Reach | null, limit: number): Promise<Budget[]>
  /** units of a currency per USD, a decimal string; null: there is no rate, or it is USD itself */
  rate (currency: string): Promise<string | null>
}
