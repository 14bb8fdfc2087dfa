import type { KeptCall } from '../holds/job.ts'
import type { UsageEvent } from '../usage/usage.ts'

/**
 * Words: an account is one budget in one period; a lease is what one gateway incarnation may still spend of it.
 * All figures are nano-units of the account's currency. Lease figures are cumulative over the incarnation's life
 * and only grow, so that any message may be lost, repeated or overtaken.
 */
export interface AccountFigures {
  accountId: number
  /** enforced limit; null: the account is not enforced (soft) and takes no leases */
  limitNano: bigint | null
  /** what 100 % of its thresholds are: the budget's amount with the adjustments in force */
  totalNano: bigint
  settledNano: bigint
  leasedNano: bigint
  /** version of the budget behind limitNano */
  budgetVersion: number
  /** of the asking incarnation's lease */
  grantedNano: bigint
  postedNano: bigint
  /** leases with something left, the asking incarnation's included */
  holders: number
  /** leased by incarnations that are not live (or have been silent too long): nobody can give it back at will */
  inDoubtNano: bigint
  /** ms since the epoch, null when nothing is in doubt */
  inDoubtSince: number | null
  inDoubtHolder: string | null
  /** part of `leased`: set aside by long holds, which end by their row and not at will */
  longHeldNano: bigint
  /** the largest of them, and until when it may take (ms since the epoch); null: there is none */
  longHold: { id: string, until: number } | null
  /** the authority's clock when it answered, ms since the epoch */
  at: number
}

/** One lease as the authority has it, for status answers. */
export interface LeaseFigures {
  accountId: number
  incarnation: number
  /** granted - returned - posted */
  restNano: bigint
  postedNano: bigint
  /** false: its gateway is not live or has been silent too long, so the rest is in doubt */
  responds: boolean
}

export interface AccountSpec {
  budgetId: string
  subject: string
  periodStart: number
  /** null: the period never ends */
  periodEnd: number | null
  /** of a budget that carries over: the periods before, the latest first */
  earlier?: readonly { start: number, end: number }[]
}

export interface EnsuredAccount {
  accountId: number
  currency: string
  /** null: none was ever granted, or no incarnation was named */
  lease: LeaseTotals | null
}

/** A lease as the authority has it. */
export interface LeaseTotals {
  grantedNano: bigint
  returnedNano: bigint
  postedNano: bigint
}

export interface GrantCall {
  /** what each account still needs on top of this gateway's lease, all > 0; all or none is granted */
  needs: { accountId: number, needNano: bigint }[]
}

export interface GrantRequest {
  calls: GrantCall[]
  /** beyond the needs, per account in `calls`; only where no call was refused, up to free / (2 x holders) */
  extras: { accountId: number, extraNano: bigint }[]
}

export interface GrantAnswer {
  /** per call of the request: granted or not */
  granted: boolean[]
  accounts: AccountFigures[]
}

/** Rights given up, as the lease's cumulative `returned`. */
export interface LeaseReturn { accountId: number, returnedNano: bigint }

/** What an event that is set aside will be paid with once it is posted. */
export interface KeptCharge { callId?: string, accountId: number, keptNano: bigint }

export interface PostAnswer {
  /** ids of the events that were really inserted by this statement */
  inserted: string[]
  accounts: AccountFigures[]
}

/** Thrown where the incarnation is no longer live: the gateway must stop admitting, give up and re-join. */
export class NotLiveError extends Error {
  readonly code = 'incarnation_not_live'
}

/** The authority knows less than it has said: what this gateway leases may be granted to others by now. */
export class LostCommitsError extends Error {
  readonly code = 'lost_commits'

  constructor () {
    super('PostgreSQL has lost what it had committed, as a failover to a replica that was behind loses it. ' +
      'The next start records again what is in the journal')
  }
}

/** Thrown by `post` where the authority will never take something in the batch. Nothing of the batch took effect. */
export class BatchRefusedError extends Error {
  readonly code = 'batch_refused'
}

/** Thrown where the authority cannot be reached or did not answer in time: it may or may not have taken effect. */
export class AuthorityUnavailableError extends Error {
  readonly code = 'authority_unavailable'
}

/**
 * The only authority over rights to spend and records of spending (PostgreSQL). Every method is one transaction;
 * it rejects on failure, and then may or may not have taken effect: grant may be repeated (it strands rights until
 * the next answer tells the cumulative figure), everything else is idempotent.
 */
export interface Authority {
  /** registers a new process life; figures of its leases start at zero */
  join (journalId: string, host: string): Promise<number>
  /** live incarnations of this journal that never had a lease, oldest first: their journal may not have begun */
  unbegun (journalId: string): Promise<number[]>
  /** creates what is missing; in the order asked, each with the lease that this incarnation has of it */
  ensureAccounts (specs: AccountSpec[], incarnation?: number): Promise<EnsuredAccount[]>
  grant (incarnation: number, request: GrantRequest): Promise<GrantAnswer>
  /** figures of accounts without asking for anything, e.g. from the heartbeat */
  heartbeat (incarnation: number, accountIds: number[]): Promise<AccountFigures[]>
  /** figures and every lease with a rest, from one read; changes nothing */
  inspect (accountIds: number[]): Promise<{ accounts: AccountFigures[], leases: LeaseFigures[] }>
  post (incarnation: number, events: UsageEvent[], returns: LeaseReturn[]): Promise<PostAnswer>
  /**
   * Moves what a call holds from this incarnation's leases to a row of long holds, which settles it from then on; once,
   * however often it is asked. The lease's `returned` grows by it and the account's `leased` stays. false: it is not on
   * the leases, has ended, or its job is another call's; nothing was changed.
   */
  keep (incarnation: number, call: KeptCall): Promise<{ kept: boolean, accounts: AccountFigures[] }>
  /** sets a dead incarnation to recovering, before anything of it is posted */
  beginRecovery (incarnation: number, journalId?: string): Promise<void>
  /**
   * Closes every lease of a recovering incarnation, write-once: what was granted and neither posted nor set
   * aside goes back to the account, and so does what a write-off still counts. `kept`: `covered` of events that are set
   * aside; of one that is recorded by then nothing is kept.
   */
  closeLeases (incarnation: number, kept: KeptCharge[]): Promise<void>
}
