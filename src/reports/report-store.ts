import { type Reach } from '../access/actor.ts'
import { type Budget, type ScopeType } from '../budget/budget.ts'
import { type LedgerAccount } from './standing.ts'

export interface AccountKey {
  budgetId: string
  /** empty, or whose account it is of a budget for each of many */
  subject: string
  /** ms since the epoch */
  periodStart: number
}

/**
 * What reports read of the ledger: each method is one statement, however many budgets it is about, and changes nothing.
 * DependencyUnavailable where it cannot be reached.
 */
export interface ReportStore {
  /** those that exist, in any order: an account comes into being with the first call on it */
  accounts (keys: AccountKey[]): Promise<LedgerAccount[]>
  /** the budget, its parent, and so on to the topmost, archived ones too */
  chain (id: string): Promise<Budget[]>
  /** budgets of a scope within reach and all that are below them, archived ones too, the oldest first */
  tree (scope: { type: ScopeType, id: string }, reach: Reach | null, limit: number): Promise<Budget[]>
  /** units of a currency per USD, a decimal string; null: there is no rate, or it is USD itself */
  rate (currency: string): Promise<string | null>
}
