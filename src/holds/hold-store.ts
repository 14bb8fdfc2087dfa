import { type AccountFigures } from '../account/authority.ts'
import { type Reach } from '../access/actor.ts'
import { type AppliedBudget } from '../budget/applies.ts'
import { type Budget } from '../budget/budget.ts'
import { type HoldAmount, type HoldDraft, type Holder, type HoldState, type LongHold, type Settlement } from './hold.ts'

export interface HoldQuery {
  state?: HoldState
  /** on this budget, in whatever period */
  budgetId?: string
  organizationId?: string
  externalId?: string
  /** those of this gateway key */
  keyId?: string
  /** null: everything */
  reach: Reach | null
  limit: number
  cursor?: string
}

export interface HoldPage {
  /** the newest first */
  holds: LongHold[]
  /** null: this is the last page */
  nextCursor: string | null
}

/** The end of a hold, with what each of its accounts is charged. */
export interface HoldEnd {
  settlement: Settlement
  /** nano-USD; 0 where it is released */
  costNano: bigint
  costs: { accountId: number, amountNano: bigint }[]
  /** id of the event by which an uncertain hold is corrected */
  correctionId: string
}

/** Long holds as they are read. DependencyUnavailable where the store cannot be reached. */
export interface HoldReader {
  get (id: string): Promise<LongHold | null>
  /** InvalidField for a cursor of another list */
  page (query: HoldQuery): Promise<HoldPage>
}

/** Bound to a change's transaction. */
export interface HoldStore extends HoldReader {
  /** as they are now: what applies to the holder, with all ancestors; Forbidden where it names others than in reach */
  budgetsOf (holder: Holder): Promise<Budget[]>
  /** a budget and its ancestors; empty: there is none */
  budgetLine (id: string): Promise<Budget[]>
  /** units of the currency per USD now, a decimal string; null: none is known, or it is USD itself */
  rate (currency: string): Promise<string | null>
  /** accounts of the budgets in their periods, made where they are missing; their budgets cannot change meanwhile */
  accountsOf (applied: readonly AppliedBudget[]): Promise<number[]>
  /** on all accounts or on none; Conflict where its external id was used before */
  open (hold: HoldDraft, amounts: readonly HoldAmount[]): Promise<{ opened: boolean, figures: AccountFigures[] }>
  /** the hold, which nobody ends or moves until this change is done */
  lock (id: string): Promise<LongHold | null>
  /** those that are open past their deadline become uncertain, at most so many; none where somebody else is at it */
  expire (most: number): Promise<LongHold[]>
  /** of a hold that is open or uncertain; locked before */
  end (id: string, end: HoldEnd): Promise<void>
  /** of a hold that is open */
  extend (id: string, expiresAt: number): Promise<void>
}
