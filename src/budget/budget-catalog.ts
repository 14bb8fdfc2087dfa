import { type Reach } from '../access/actor.ts'
import { type Budget, type BudgetMode, type Period, type ScopeType } from './budget.ts'
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

export type BudgetOrder = 'name' | 'createdAt' | 'updatedAt' | 'amount'

/** A page of a list: what is asked for of budgets, of whom, in which order. */
export interface BudgetQuery {
  scopeType?: ScopeType
  scopeId?: string
  organizationId?: string
  parentBudgetId?: string
  mode?: BudgetMode
  currency?: string
  period?: Period
  /** all of them, each a name and its value; null: whatever value */
  tags?: [string, string | null][]
  /** a part of the name, in letters of either case */
  q?: string
  includeArchived: boolean
  /** null: everything */
  reach: Reach | null
  sort: BudgetOrder
  descending: boolean
  limit: number
  /** the nextCursor of the page before */
  cursor?: string
  /** whether to count them all */
  total: boolean
}

export interface BudgetPage {
  budgets: Budget[]
  /** null: this is the last page */
  nextCursor: string | null
  total: number | null
}

/** Those next to a budget with which it is held or compared; archived ones are passed over. */
export interface Family {
  /** the nearest above; null: there is none within reach */
  above: Budget | null
  /** right below that one, the budget itself among them */
  siblings: Budget[]
  below: Budget[]
}

/** Sees the budget as it is, locked, before it changes; what it throws leaves all as it was. */
export type Allow = (current: Budget) => void

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
  archive (id: string, allow?: Allow): Promise<Budget>
  /**
   * It applies again, with the accounts that it had. Conflict where its parent is archived; a second time changes
   * nothing.
   */
  restore (id: string, allow?: Allow): Promise<Budget>
  /** archived ones too; null: there is none within reach. Without the parent that is out of reach. */
  get (id: string, reach?: Reach | null): Promise<Budget | null>
  /** the same of several at once; those that there are, in no order */
  several (ids: readonly string[], reach?: Reach | null): Promise<Budget[]>
  list (filter?: BudgetFilter): Promise<Budget[]>
  family (id: string): Promise<Family>
  /** InvalidField for a cursor of another list */
  page (query: BudgetQuery): Promise<BudgetPage>
}
