import { type Certainty, type Usage } from './usage.ts'

/** What one event cost one budget, with the facts of its call. Amounts in nano-units of `currency`. */
export interface UsageRecord {
  /** the event's id */
  id: string
  budgetId: string
  amountNano: bigint
  quoteNano: bigint
  currency: string
  /** units of the currency per USD that both were computed with; null: USD */
  rate: string | null
  /** as it was recorded; of a call, its cost in USD */
  original: { amountNano: bigint, currency: string }
  /** the budget that it was recorded on; null: a gateway metered it */
  recordedOn: string | null
  /** what its recorder calls it */
  callerId: string | null
  /** the record that this one takes back, or corrects */
  reverses: string | null
  description: string | null
  source: 'relaycore' | 'auterity' | 'manual'
  certainty: Certainty
  outcome: string
  provider: string
  endpoint: string
  /** what the provider says it used, else what was asked for */
  model: string
  requestId: string | null
  organizationId: string | null
  teamId: string | null
  projectId: string | null
  userId: string | null
  keyId: string | null
  sessionId: string | null
  tags: Record<string, string> | null
  /** as far as it is known what was used */
  consumed: Omit<Usage, 'reportedNano'> | null
  /** whatever else its recorder keeps with it */
  more: Record<string, unknown>
  /** ms since the epoch */
  openedAt: number
  endedAt: number
  recordedAt: number
}

export interface UsageQuery {
  limit: number
  /** the nextCursor of the page before */
  cursor?: string
  /** of a budget for each of many, whose account */
  subject?: string
  /** when it counts, ms since the epoch: from then on */
  from?: number
  /** before then */
  to?: number
  source?: UsageRecord['source']
  certainty?: Certainty
  userId?: string
  teamId?: string
  projectId?: string
  /** what the provider says it used, else what was asked for */
  model?: string
}

export interface UsagePage {
  /** the newest period first, and in it by the time at which the calls opened */
  records: UsageRecord[]
  /** for the next page; null: there is none. A page with filters may be shorter than its limit and have one. */
  nextCursor: string | null
}

/** A threshold that an account has crossed. */
export interface AlertRecord {
  /** percent of the budget's amount with its adjustments; null: it is an amount */
  threshold: number | null
  /** in the budget's currency; null: it is a percentage */
  amountNano: bigint | null
  actions: string[]
  /** what was settled when it was crossed */
  settledNano: bigint
  triggeredAt: number
  acknowledgedAt: number | null
  acknowledgedBy: string | null
}

/**
 * Reads the ledger for people. DependencyUnavailable where it cannot be reached. No answer gets slower with the age of
 * the ledger: each reads the accounts and months that it is about.
 */
export interface UsageHistory {
  /** `limit` 1 to 1000. Throws invalid_field for a cursor of another list. */
  page (budgetId: string, query: UsageQuery): Promise<UsagePage>
  /** one record, as it cost each budget that it was charged to: first the one that it was recorded on; empty: none */
  get (id: string): Promise<UsageRecord[]>
}
