import { type Budget, type ScopeType } from './budget.ts'
import { type BudgetDraft } from './hierarchy.ts'
import { type BudgetStore } from './registry.ts'

export interface BudgetFilter {
  scopeType?: ScopeType
  scopeId?: string
  parentBudgetId?: string
  /** archived ones too */
  includeArchived?: boolean
  /** at most so many, the oldest first */
  limit?: number
}

/**
 * Definitions as an administrator works on them. Every change is one transaction, counts the version up, and acts on
 * the limit of the running account before it is answered. Errors: Unprocessable, BudgetInUse, Conflict, NotFound;
 * DependencyUnavailable where the store cannot be reached, and then the change may or may not have happened.
 */
export interface BudgetCatalog extends BudgetStore {
  insert (draft: BudgetDraft): Promise<Budget>
  /** `change` sees the budget as it is, locked: what it returns is stored, what it throws leaves all as it was */
  update (id: string, change: (current: Budget) => BudgetDraft): Promise<Budget>
  /**
   * The budget applies no more; its accounts, open calls and history stay. Budgets below it stay, and what is above it
   * goes on applying to them. Once archived it stays so: a second time changes nothing.
   */
  archive (id: string): Promise<Budget>
  /** archived ones too */
  get (id: string): Promise<Budget | null>
  list (filter?: BudgetFilter): Promise<Budget[]>
  /** units of the currency per USD from a moment on (ms since the epoch), a decimal string */
  addRate (currency: string, rate: string, effectiveAt: number): Promise<void>
}
