import { type LimitedSubject, type RateLimits } from '../limits/rate-limits.ts'

/** The words of budgets; README.md in this folder says what they mean, define.ts what is valid. */
export type ScopeType = 'organization' | 'team' | 'user' | 'project' | 'key' | 'session' | 'tag' | 'endUser'
export type Period = 'daily' | 'weekly' | 'monthly' | 'quarterly' | 'annual' | 'custom'
/** soft never refuses; shadow neither, and says what it would have done */
export type BudgetMode = 'enforced' | 'soft' | 'shadow'
export type BudgetAction = 'notify' | 'restrict-models' | 'require-approval' | 'auto-downgrade' | 'block-all'

export interface BudgetAlert {
  /** percent of the budget's amount with its adjustments, > 0; absent: it is an amount */
  threshold?: number
  /** a decimal string, in the currency of the budget; absent: it is a percentage */
  amount?: string
  actions: BudgetAction[]
  notificationChannels: string[]
  message: string | null
  /** of restrict-models: names or globs of the models that are still allowed */
  models?: string[]
  /** of auto-downgrade: from the name of a model to that of a cheaper one of the same provider */
  downgrade?: Record<string, string>
}

/** Where a call does not fit, its output limit may be lowered to what is left. */
export interface CapToFit {
  /** tokens per answer, besides those of stated thinking; with less left the call is refused */
  minimumTokens: number
  /** also of models that think as long as they like: their answer may then be cut off before it begins */
  reasoning: boolean
}

/** What goes on from a period into the next. */
export interface CarryOver {
  /** of what was not spent, at most 100 */
  percent: number
  /** at most so much of it, a decimal string; null: all */
  max: string | null
  /** also what was spent past the limit */
  debt: boolean
}

export interface BudgetFilters {
  providers?: string[]
  /** exact ids or globs with * */
  models?: string[]
  /** exact names or globs with *, as usage events have them: `chat.completions` */
  endpoints?: string[]
  tags?: Record<string, string>
}

export interface Budget {
  id: string
  organizationId: string | null
  name: string
  description: string | null
  scopeType: ScopeType
  /** of a tag: `name=value`; `*` (`name=*`): each of them has an account of its own */
  scopeId: string
  amountNano: bigint
  /** of a budget for each of many: those that have another amount, decimal strings by subject */
  overrides: Record<string, string>
  /** amountNano, or less where block-all or require-approval says so; accounts have theirs, with adjustments */
  enforcedLimitNano: bigint
  currency: string
  /** units of the currency per USD, a decimal string; null: the budget is in USD */
  rate: string | null
  /** when that rate began to be in force, ms since the epoch; null: there is none */
  rateAt: number | null
  period: Period
  timezone: string
  /** ms since the epoch */
  startDate: number
  endDate: number | null
  recurring: boolean
  mode: BudgetMode
  paused: boolean
  /** null: off */
  capToFit: CapToFit | null
  /** null: every period begins anew */
  carryOver: CarryOver | null
  /** what each gateway may let through while PostgreSQL does not answer, nano-units; null: nothing */
  failOpenNano: bigint | null
  /** of calls that it applies to, for each subject; null: none */
  rateLimits: RateLimits | null
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
  /** for whom the client itself works, as the call's body says; absent: it says nothing that counts */
  endUserId?: string
  tags: Record<string, string> | null
  /** whether its key lets the body of a call say its end user, or demands it; absent: what it says does not count */
  endUser?: 'allow' | 'require'
  /** what its key may call; absent: everything */
  limits?: CallLimits
  /** how much of it, and how fast; absent: as its budgets say */
  rateLimits?: LimitedSubject
}

/** null: every one */
export interface CallLimits {
  providers: readonly string[] | null
  /** exact names or globs, split at their asterisks */
  models: readonly (readonly string[])[] | null
}
