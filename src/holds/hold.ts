import { type Usage } from '../usage/usage.ts'

/**
 * open: what it holds is set aside. settled, released: it has ended as its holder said. uncertain: its deadline passed,
 * and it is charged at its amount until somebody says what it cost.
 */
export type HoldState = 'open' | 'settled' | 'released' | 'uncertain'

export type HoldSource = 'relaycore' | 'auterity' | 'manual'

/** Whom a hold is for: what a call's identity is to a call. */
export interface Holder {
  organizationId: string | null
  teamId: string | null
  projectId: string | null
  userId: string | null
  /** absent: none */
  sessionId?: string | null
  /** absent: none */
  endUserId?: string
  tags: Record<string, string> | null
  /** the gateway key that holds it; null: an admin does */
  keyId: string | null
}

/** An amount and what it is in: nano-units of `currency`. */
export interface Money {
  amountNano: bigint
  currency: string
}

/** What one account is held for, in nano-units of its currency. */
export interface HoldAmount {
  accountId: number
  quoteNano: bigint
  /** units of the account's currency per USD, pinned until the hold has ended; null: it is in USD */
  rate: string | null
}

/** A hold as it is opened. */
export interface HoldDraft extends Holder, Money {
  /** UUIDv7 of `openedAt`; also the id of its usage event */
  id: string
  source: HoldSource
  provider: string | null
  model: string | null
  /** the caller's own id, once per organization and source */
  externalId: string | null
  description: string | null
  metadata: Record<string, unknown> | null
  /** units of `currency` per USD, pinned; null: USD */
  rate: string | null
  /** the amount in nano-USD */
  quoteNano: bigint
  priceVersion: string
  createdBy: string
  /** ms since the epoch */
  openedAt: number
  expiresAt: number
}

/** A hold on one account: one budget in the period in which it was opened, whenever it ends. */
export interface HeldAccount extends HoldAmount {
  budgetId: string
  budgetName: string
  currency: string
  periodStart: number
  periodEnd: number | null
  /** what is set aside now: nothing where the budget is not enforced, or the hold has ended */
  heldNano: bigint
  chargedNano: bigint
}

export interface LongHold extends HoldDraft {
  state: HoldState
  endedAt: number | null
  /** null: it ended before its deadline, or may */
  expiredAt: number | null
  /** charged so far, nano-USD; null: nothing */
  costNano: bigint | null
  settlement: Settlement | null
  /** what its provider calls the call behind it; null: none of a gateway's is */
  jobId: string | null
  accounts: HeldAccount[]
}

/** How its holder says that a hold ended. Kept as it is, so that the same end is known when it comes again. */
export interface Settlement {
  outcome: 'settled' | 'released'
  /** null: released */
  cost: Money | null
  usage: Usage | null
  modelUsed: string | null
  requestId: string | null
}
