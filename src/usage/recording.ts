import { type AccountSpec } from '../account/authority.ts'
import { type Budget } from '../budget/budget.ts'
import { type UsageRecord } from './history.ts'

/** Who says that something was used: a gateway or a service of its own, another system, a person. */
export type UsageSource = UsageRecord['source']

/** Usage that is to be counted on a budget, as its recorder says it. */
export interface UsageDraft {
  budgetId: string
  /** the recorder's own, unique per organization and source for good; null: none, then the same twice is two records */
  callerId: string | null
  /** negative: takes so much back of the record that it reverses */
  amountNano: bigint
  /** null: that of the budget */
  currency: string | null
  /** ms since the epoch; null: now */
  timestamp: number | null
  source: UsageSource
  description: string | null
  metadata: UsageMetadata
  /** id of a record; null: this is usage, and no correction */
  reverses: string | null
}

export interface UsageMetadata {
  requestId: string | null
  provider: string | null
  modelId: string | null
  teamId: string | null
  projectId: string | null
  userId: string | null
  tags: Record<string, string> | null
  /** whatever else the recorder keeps with it */
  more: Record<string, unknown>
}

/** What makes a row of a batch findable in it, and in the ledger. */
interface Placed {
  /** in its batch */
  ordinal: number
  /** UUIDv7 of the time at which it counts */
  id: string
  callerId: string | null
  contentHash: Buffer
  /** '': none */
  organizationId: string
  draft: UsageDraft
}

/** Usage with what it costs in USD and on each account. Nano-units. */
export interface NewUsage extends Placed {
  at: number
  currency: string
  /** units of `currency` per USD; null: USD */
  rate: string | null
  costNano: bigint
  /** of the budget that it names; its charge is the first */
  budgetCurrency: string
  charges: { accountId: number, amountNano: bigint, rate: string | null }[]
}

export interface NewReversal extends Placed {
  reverses: string
  /** in which `backNano` is said */
  currency: string
  /** > 0 */
  backNano: bigint
}

export type RecordProblem =
  | { ordinal: number, problem: 'conflict' | 'unknown' | 'entry' }
  | { ordinal: number, problem: 'currency', currencies: string[] }
  | { ordinal: number, problem: 'too much', leftNano: bigint }

export interface Recorded {
  /** by ordinal, as they cost the budget that they were recorded on */
  records: UsageRecord[]
  /** ordinals whose caller's id was known, with the same content: nothing was recorded anew */
  known: Set<number>
}

export interface CacheCheck {
  accounts: number
  healed: number
  /** accounts that say something else than their records: that is no matter of the cache */
  accountsDiffering: number
}

/** Units of a currency per USD, decimal strings. */
export interface KnownRate {
  /** in force then; null: none was yet */
  rate: string | null
  /** the first there ever was; null: there is none */
  first: string | null
}

/**
 * The ledger, where usage is brought in beside what gateways post; bound to a change's transaction. All of it holds or
 * nothing. Unprocessable where an account would get past what it can hold; DependencyUnavailable as everywhere.
 */
export interface UsageRecording {
  /** these budgets and all above them, as they are until the change is done; those that do not exist are missing */
  lines (budgetIds: string[]): Promise<Map<string, Budget>>
  /** in the order asked */
  rates (asked: { currency: string, at: number }[]): Promise<KnownRate[]>
  /** made where they are missing; ids in the order asked */
  accounts (specs: AccountSpec[]): Promise<number[]>
  /** all of a batch, or what keeps it from being recorded */
  record (usage: NewUsage[], reversals: NewReversal[]): Promise<Recorded | RecordProblem>
  /** brings the status cache of a budget back to its records */
  refreshCache (budgetId: string): Promise<CacheCheck>
}
