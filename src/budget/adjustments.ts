import { type Reach } from '../access/actor.ts'
import { invalidField, NotFound, unprocessable, Unprocessable } from '../errors.ts'
import { AMOUNT_EXPECTED, formatNano, parseAmount } from '../money/amount.ts'
import { isPlain } from '../text.ts'
import { type Budget, type Identity } from './budget.ts'
import { approvalLimit } from './limits.ts'
import { periodAt, timeIn } from './period.ts'
import { isForEach, kindOf, subjectIn } from './subject.ts'

/**
 * What is added to the amount of a budget for a time, or taken from it, and what was approved where it requires that.
 * In force `[from, until)`, and not past its revocation. Amounts in nano-units of the budget's currency.
 */
export type AdjustmentKind = 'increase' | 'top-up' | 'transfer' | 'approval'

export interface AdjustmentDraft {
  kind: AdjustmentKind
  /** of a budget for each of many, for whom; empty: for all of them */
  subject: string
  /** negative: what a transfer takes; null: an approval of whatever block-all leaves */
  amountNano: bigint | null
  /** ms since the epoch */
  from: number
  /** null: for good */
  until: number | null
  reason: string
  createdBy: string
}

export interface Adjustment extends AdjustmentDraft {
  id: string
  budgetId: string
  /** of a transfer: the budget on its other side */
  counterpartBudgetId: string | null
  createdAt: number
  revokedAt: number | null
  revokedBy: string | null
}

export interface AdjustmentPage {
  adjustments: Adjustment[]
  /** null: this is the last page */
  nextCursor: string | null
}

export interface AdjustmentQuery {
  /** those that end only in the future */
  current: boolean
  limit: number
  /** the nextCursor of the page before */
  cursor?: string
}

/**
 * Each change acts on the running account before it is committed. NotFound, Forbidden, Conflict as with changes of the
 * budget itself.
 */
export interface AdjustmentStore {
  /** `make` sees the budget as it is, locked. `subject`: for whom it is to be, of a budget for each of many. */
  add (budgetId: string, subject: string, make: (budget: Budget) => AdjustmentDraft): Promise<Adjustment>
  /**
   * From one budget to another, all or nothing; Unprocessable where less is left there, a retryable refusal where only
   * leases are in the way.
   */
  transfer (
    fromId: string, toId: string, make: (from: Budget, to: Budget) => [AdjustmentDraft, AdjustmentDraft]
  ): Promise<[Adjustment, Adjustment]>
  /** it ends now; of a transfer both sides do. Once it has ended nothing changes. null: that budget has none such. */
  revoke (budgetId: string, id: string, by: string): Promise<{ before: Adjustment, after: Adjustment } | null>
}

export interface AdjustmentReader {
  /** of one budget, the newest first */
  page (budgetId: string, query: AdjustmentQuery): Promise<AdjustmentPage>
}

export type RequestState = 'open' | 'approved' | 'denied'

/** Somebody asks for an approval, and somebody else decides. */
export interface ApprovalRequest {
  id: string
  budgetId: string
  /** of a budget for each of many, for whom; empty: for all of them */
  subject: string
  /** null: whatever is approved */
  amountNano: bigint | null
  currency: string
  reason: string
  requestedBy: string
  /** null: it was no gateway key that asked */
  keyId: string | null
  userId: string | null
  createdAt: number
  state: RequestState
  decidedAt: number | null
  decidedBy: string | null
  decisionReason: string | null
  adjustmentId: string | null
}

export type ApprovalRequestDraft = Pick<ApprovalRequest, 'budgetId' | 'subject' | 'amountNano' | 'reason' | 'requestedBy' | 'keyId' | 'userId'>

export interface Decision {
  state: Exclude<RequestState, 'open'>
  by: string
  reason: string | null
  adjustmentId: string | null
}

export interface ApprovalQuery {
  budgetId?: string
  state?: RequestState
  /** of one gateway key alone */
  keyId?: string
  /** null: everything */
  reach: Reach | null
  limit: number
  cursor?: string
}

export interface ApprovalPage {
  requests: ApprovalRequest[]
  nextCursor: string | null
}

export interface ApprovalReader {
  get (id: string): Promise<ApprovalRequest | null>
  /** the newest first */
  page (query: ApprovalQuery): Promise<ApprovalPage>
}

export interface ApprovalStore extends ApprovalReader {
  /** Conflict where the same key has an open one for the budget */
  ask (draft: ApprovalRequestDraft): Promise<ApprovalRequest>
  /** `decide` sees it as it is, locked. Conflict where it was decided already, NotFound where there is none. */
  decide (
    id: string, decide: (request: ApprovalRequest) => Promise<Decision>
  ): Promise<{ before: ApprovalRequest, after: ApprovalRequest }>
}

export function noRequest (id: string): Error { return new NotFound(`There is no approval request ${id}`) }

/** the running period of a budget that something is to be added to */
function runningPeriod (budget: Budget, now: number) {
  const period = periodAt(budget, now)
  if (budget.archivedAt !== null || period === null) throw new Unprocessable(`Budget ${budget.id} does not run now, so nothing can be added to its period`)
  return period
}

/** for whom something of this budget is said to be; empty: for everybody. Throws where it is for one anyway. */
export function subjectAsked (budget: Budget, value: unknown): string {
  if (value === undefined || value === null) return ''
  if (!isForEach(budget)) throw invalidField('subject', 'absent: the budget is for one', value)
  const text = typeof value === 'string' ? value.trim() : ''
  if (text.length >= 1 && text.length <= 256 && isPlain(text)) return text
  throw invalidField('subject', `the ${kindOf(budget)} that it is for`, value)
}

/** whom a gateway key asks for: itself, or, where it does not say who of many that is, whom it names */
export function subjectOfKey (budget: Budget, identity: Identity, value: unknown): string {
  if (!isForEach(budget)) return subjectAsked(budget, value)
  const own = subjectIn(budget, identity)
  const asked = subjectAsked(budget, value)
  if (own !== null && asked !== '' && asked !== own) throw invalidField('subject', 'absent, or that of the key', value)
  if (own === null && asked === '') throw invalidField('subject', `the ${kindOf(budget)} that it is for`, value)
  return own ?? asked
}

interface AdjustmentBody { amount: unknown, from?: unknown, to?: unknown, reason: unknown, subject?: unknown }

/** more for a time */
export function increase (budget: Budget, body: AdjustmentBody, createdBy: string, now: number): AdjustmentDraft {
  const from = body.from === undefined ? now : Math.max(now, timeIn(budget.timezone, 'from', body.from))
  if (body.to === undefined) throw invalidField('to', 'given: an increase is for a time; a top-up is for the running period', undefined)
  const until = timeIn(budget.timezone, 'to', body.to)
  if (until <= from) throw invalidField('to', 'after from, and in the future', body.to)
  const subject = subjectAsked(budget, body.subject)
  return { kind: 'increase', subject, amountNano: amountOf(body.amount), from, until, reason: reasonOf(body.reason), createdBy }
}

/** more for the running period */
export function topUp (budget: Budget, body: AdjustmentBody, createdBy: string, now: number): AdjustmentDraft {
  const { end } = runningPeriod(budget, now)
  return {
    kind: 'top-up',
    subject: subjectAsked(budget, body.subject),
    amountNano: amountOf(body.amount),
    from: now,
    until: end,
    reason: reasonOf(body.reason),
    createdBy,
  }
}

/** from the running period of one budget to that of another of the same organization and currency */
export function transfer (
  from: Budget, to: Budget, body: { amount: unknown, reason: unknown }, createdBy: string, now: number
): [AdjustmentDraft, AdjustmentDraft] {
  if (from.id === to.id) throw invalidField('toBudgetId', 'another budget', to.id)
  if (from.organizationId === null || from.organizationId !== to.organizationId) {
    throw unprocessable('toBudgetId', 'toBudgetId must be a budget of the same organization')
  }
  const many = [from, to].find(isForEach)
  if (many !== undefined) throw unprocessable(many === to ? 'toBudgetId' : 'id', `Budget ${many.id} has an amount for each of many: none can be moved`)
  if (from.currency !== to.currency) throw unprocessable('toBudgetId', `toBudgetId must be a budget in ${from.currency}, not in ${to.currency}`)
  const amountNano = amountOf(body.amount)
  const side = (budget: Budget, nano: bigint): AdjustmentDraft => ({
    kind: 'transfer', subject: '', amountNano: nano, from: now, until: runningPeriod(budget, now).end, reason: reasonOf(body.reason), createdBy,
  })
  return [side(from, -amountNano), side(to, amountNano)]
}

/** more than require-approval leaves: an amount, until `to` or the period ends, or until `to` whatever is asked for */
export function approval (
  budget: Budget, body: { amount?: unknown, to?: unknown }, asked: Pick<ApprovalRequest, 'subject' | 'amountNano' | 'reason'>,
  createdBy: string, now: number
): AdjustmentDraft {
  if (approvalLimit(budget, budget.amountNano) === null) throw new Unprocessable(`Budget ${budget.id} requires no approval`)
  const until = body.to === undefined ? null : timeIn(budget.timezone, 'to', body.to)
  if (until !== null && until <= now) throw invalidField('to', 'a time in the future', body.to)
  const amountNano = body.amount !== undefined ? amountOf(body.amount) : until === null ? asked.amountNano : null
  if (amountNano === null && until === null) throw invalidField('amount', 'given, or to: the request names no amount', undefined)
  const { subject, reason } = asked
  return { kind: 'approval', subject, amountNano, from: now, until: until ?? runningPeriod(budget, now).end, reason, createdBy }
}

export function askFor (body: { amount?: unknown, reason: unknown }): Pick<ApprovalRequest, 'amountNano' | 'reason'> {
  return { amountNano: body.amount === undefined ? null : amountOf(body.amount), reason: reasonOf(body.reason) }
}

function amountOf (value: unknown): bigint {
  const nano = parseAmount(value)
  if (nano === null || nano === 0n) throw invalidField('amount', `more than 0, ${AMOUNT_EXPECTED}`, value)
  return nano
}

export function reasonOf (value: unknown): string {
  const text = typeof value === 'string' ? value.trim() : ''
  if (text.length >= 1 && text.length <= 1_024 && isPlain(text)) return text
  throw invalidField('reason', 'a string of 1 to 1024 characters that says why', value)
}

export function renderAdjustment (one: Adjustment) {
  return {
    id: one.id,
    budgetId: one.budgetId,
    subject: one.subject === '' ? null : one.subject,
    kind: one.kind,
    amount: one.amountNano === null ? null : formatNano(one.amountNano),
    from: time(one.from),
    to: one.until === null ? null : time(one.until),
    reason: one.reason,
    counterpartBudgetId: one.counterpartBudgetId,
    createdAt: time(one.createdAt),
    createdBy: one.createdBy,
    revokedAt: one.revokedAt === null ? null : time(one.revokedAt),
    revokedBy: one.revokedBy,
  }
}

export function renderRequest (one: ApprovalRequest) {
  return {
    id: one.id,
    budgetId: one.budgetId,
    subject: one.subject === '' ? null : one.subject,
    amount: one.amountNano === null ? null : formatNano(one.amountNano),
    currency: one.currency,
    reason: one.reason,
    requestedBy: one.requestedBy,
    keyId: one.keyId,
    userId: one.userId,
    createdAt: time(one.createdAt),
    state: one.state,
    decidedAt: one.decidedAt === null ? null : time(one.decidedAt),
    decidedBy: one.decidedBy,
    decisionReason: one.decisionReason,
    adjustmentId: one.adjustmentId,
  }
}

function time (at: number): string { return new Date(at).toISOString() }
