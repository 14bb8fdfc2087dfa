/** Placeholder of the words; schemas and validation live here. See README.md in this folder. */
export type ScopeType = 'organization' | 'team' | 'user' | 'project'
export type Period = 'daily' | 'weekly' | 'monthly' | 'quarterly' | 'annual' | 'custom'
export type BudgetMode = 'enforced' | 'soft'

export interface BudgetAlert {
  /** percent of the amount, > 0 */
  threshold: number
  actions: ('notify' | 'block-all')[]
  notificationChannels: string[]
  message: string | null
}

export interface BudgetFilters {
  providers?: string[]
  /** exact ids or globs with * */
  models?: string[]
  tags?: Record<string, string>
}

export interface Budget {
  id: string
  organizationId: string | null
  name: string
  description: string | null
  scopeType: ScopeType
  scopeId: string
  amountNano: bigint
  /** amountNano, or less where a block-all threshold below 100 % says so */
  enforcedLimitNano: bigint
  currency: string
  /** units of the currency per USD, a decimal string; null: the budget is in USD */
  rate: string | null
  period: Period
  timezone: string
  /** ms since the epoch */
  startDate: number
  endDate: number | null
  recurring: boolean
  mode: BudgetMode
  paused: boolean
  filters: BudgetFilters
  alerts: BudgetAlert[]
  tags: Record<string, string>
  parentBudgetId: string | null
  createdAt: number
  updatedAt: number
  createdBy: string | null
  archivedAt: number | null
  /** grows with every change of any budget */
  version: number
}

/** Who a call is for. */
export interface Identity {
  organizationId: string
  teamId: string | null
  projectId: string | null
  userId: string | null
  keyId: string
  sessionId: string | null
  tags: Record<string, string> | null
  /** what its key may call; absent: everything */
  limits?: CallLimits
}

/** null: every one */
export interface CallLimits {
  providers: readonly string[] | null
  /** exact names or globs, split at their asterisks */
  models: readonly (readonly string[])[] | null
}
