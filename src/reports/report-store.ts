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

/**
 * What reports read of the ledger: each method is one statement, however many budgets it is about, and changes nothing.
 * DependencyUnavailable where it cannot be reached.
 */
export interface ReportStore {
  /** in any order; an account comes into being with the first call on it, and until then there are its limits alone */
  accounts (keys: readonly AccountKey[]): Promise<(LedgerAccount | Untouched)[]>
  /** the budget, its parent, and so on to the topmost, archived ones too */
  chain (id: string): Promise<Budget[]>
  /** budgets of a scope within reach and all that are below them, archived ones too, the oldest first */
  tree (scope: { type: ScopeType, id: string }, reach: Reach | null, limit: number): Promise<Budget[]>
  /** units of a currency per USD, a decimal string; null: there is no rate, or it is USD itself */
  rate (currency: string): Promise<string | null>
}
