import { type Certainty } from './usage.ts'

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
  tags: Record<string, string> | null
  /** ms since the epoch */
  openedAt: number
  endedAt: number
  recordedAt: number
}

export interface UsagePage {
  /** newest first, by the time at which the calls opened */
  records: UsageRecord[]
  /** for the next page; null: there is none */
  nextCursor: string | null
}

/** One account as the ledger has it: recorded usage and rights that are out, without what gateways have not posted. */
export interface AccountState {
  accountId: number
  budgetId: string
  subject: string
  currency: string
  /** ms since the epoch */
  periodStart: number
  periodEnd: number | null
  /** null: nothing is refused for it */
  limitNano: bigint | null
  settledNano: bigint
  leasedNano: bigint
  /** part of leased */
  inDoubtNano: bigint
  charges: number
  /** when something was last charged, ms since the epoch; null: never */
  chargedAt: number | null
}

export interface AlertRecord {
  /** percent of the budget's amount */
  threshold: number
  actions: string[]
  /** what was settled when it was crossed */
  settledNano: bigint
  triggeredAt: number
  acknowledgedAt: number | null
  acknowledgedBy: string | null
}

export interface AccountKey {
  budgetId: string
  subject: string
  periodStart: number
}

/**
 * Reads the ledger for people. DependencyUnavailable where it cannot be reached. No answer gets slower with the age of
 * the ledger: each reads the accounts and months that it is about.
 */
export interface UsageHistory {
  /** those that exist, in any order: an account comes into being with the first call on it */
  accounts (keys: AccountKey[]): Promise<AccountState[]>
  /** `limit` 1 to 1000; `cursor` of the page before. Throws invalid_field for a cursor that is none. */
  page (budgetId: string, options: { limit: number, cursor?: string }): Promise<UsagePage>
  /** thresholds that an account has crossed, the lowest first */
  alerts (accountId: number): Promise<AlertRecord[]>
}
