import { type AccountFigures } from '../account/authority.ts'
import { type Lease } from '../account/lease.ts'
import { type Short, type ShortReason } from '../account/lease-book.ts'
import { type Refusal, type RefusalBudget } from '../errors.ts'
import { formatNano } from '../money/amount.ts'
import { type AppliedBudget } from './applies.ts'
import { type Budget } from './budget.ts'
import { blockLimit } from './limits.ts'
import { subjectName } from './subject.ts'

/** What an account has not enough of, and why. Nano-units of its currency. */
export interface Shortage {
  /** awaits_approval: it would fit, were everything approved that can be */
  reason: Exclude<ShortReason, 'unavailable' | 'crowded'> | 'awaits_approval'
  neededNano: bigint
  limitNano: bigint
  spentNano: bigint
  /** in doubt and long held included */
  heldNano: bigint
  inDoubtNano: bigint
  /** who leases what is in doubt, and its last sign of life, ms since the epoch; null: not known */
  doubt: { holder: string, since: number | null } | null
  longHeldNano: bigint
  /** the largest; null: not known, or there is none */
  longHold: AccountFigures['longHold']
}

/** How an account stands, as far as that decides about holds. Nano-units of its currency. */
export interface Stands {
  spentNano: bigint
  /** quotes of open calls, what is held for long, and what is in doubt */
  heldNano: bigint
  inDoubtNano: bigint
  heldLongNano: bigint
  limitNano: bigint | null
  /** 100 %: the budget's amount with the adjustments in force */
  totalNano: bigint
  doubt: { holder: string, since: number } | null
}

/** as this gateway knows the account by the figures that it was refused with */
export function shortageOf (short: Short, { budget }: AppliedBudget, lease: Lease | null): Shortage {
  const f = short.figures
  const unposted = lease === null || f === null ? 0n : lease.consumed - f.postedNano
  const spentNano = (f?.settledNano ?? 0n) + (unposted > 0n ? unposted : 0n)
  const inDoubtNano = f?.inDoubtNano ?? 0n
  const longHeldNano = f?.longHeldNano ?? 0n
  return {
    reason: awaitsApproval(short, budget, spentNano)
      ? 'awaits_approval'
      : short.reason === 'unavailable' || short.reason === 'crowded' ? 'exhausted' : short.reason,
    neededNano: short.neededNano,
    limitNano: f?.limitNano ?? budget.enforcedLimitNano,
    spentNano,
    heldNano: (lease?.held ?? 0n) + inDoubtNano + longHeldNano,
    inDoubtNano,
    doubt: f?.inDoubtHolder == null ? null : { holder: f.inDoubtHolder, since: f.inDoubtSince },
    longHeldNano,
    longHold: f?.longHold ?? null,
  }
}

function awaitsApproval ({ reason, figures: f, neededNano }: Short, budget: Budget, spentNano: bigint): boolean {
  if ((reason !== 'too_large' && reason !== 'exhausted') || f === null || f.limitNano === null) return false
  const blocked = blockLimit(budget, f.totalNano)
  return f.limitNano < blocked && neededNano <= blocked - spentNano
}

/** The refusal as the client is told about it: which budget, its figures, when it resets, and what would help. */
export function shortRefusal (short: Shortage, one: AppliedBudget): Refusal {
  const budget = refusalBudget(one, short)
  const { currency } = budget
  const named = `budget "${budget.name}" (${subjectName(one.budget, one.subject)})`
  const figures = `limit ${budget.limit}, spent ${budget.spent}, held ${budget.held}, remaining ${budget.remaining} ${currency}`
  const reset = budget.resetsAt === null ? 'It does not reset.' : `It resets at ${budget.resetsAt}.`
  const final = { retryable: false, budget, budgetId: budget.id }
  switch (short.reason) {
    case 'too_large':
      return {
        ...final,
        code: 'quote_exceeds_budget',
        message: `This call may cost up to ${budget.needed} ${currency}, more than the whole ${named} allows (${figures}).`,
        remedy: 'Set a lower max_tokens (or shorten the input), choose a cheaper model, or ask an administrator to raise the budget.',
      }
    case 'awaits_approval':
      return {
        ...final,
        code: 'approval_required',
        message: `This call may cost up to ${budget.needed} ${currency}, more than is left of what the ${named} allows without ` +
          `approval (${figures}). ${reset}`,
        remedy: 'Ask for an approval: POST /api/v1/approval-requests with your gateway key and ' +
          `{"budgetId": "${budget.id}", "reason": "..."}.`,
      }
    case 'in_doubt':
      return {
        ...final,
        code: 'budget_in_doubt',
        message: `This call may cost up to ${budget.needed} ${currency}; the ${named} has not enough left (${figures}) while ` +
          `${formatNano(short.inDoubtNano)} ${currency} leased by ${short.doubt?.holder ?? 'a gateway'} is in doubt` +
          `${since(short)}.`,
        remedy: 'Restart that gateway, or let an administrator run `relaycore reconcile`.',
      }
    case 'long_held':
      return {
        ...final,
        code: 'budget_held',
        message: `This call may cost up to ${budget.needed} ${currency}; the ${named} has not enough left (${figures}) while ` +
          `long holds set ${formatNano(short.longHeldNano)} ${currency} aside${largest(short)}. ` +
          'What they do not spend comes back once they are settled or released.',
        remedy: 'Settle or release them, or ask an administrator to raise the budget.',
      }
    case 'contention':
      return {
        ...final,
        code: 'budget_contention',
        retryable: true,
        retryAfterMs: 500,
        message: `This call may cost up to ${budget.needed} ${currency}, and calls in flight hold the rest of the ${named} ` +
          `(${figures}).`,
        remedy: 'Try again in a moment.',
      }
    default:
      return {
        ...final,
        code: 'budget_exhausted',
        message: `This call may cost up to ${budget.needed} ${currency}, more than is left in the ${named}: ${figures}. ${reset}`,
        remedy: 'Ask an administrator to raise it.',
      }
  }
}

function since ({ doubt }: Shortage): string {
  return doubt?.since == null ? '' : ` since ${new Date(doubt.since).toISOString()}`
}

function largest ({ longHold }: Shortage): string {
  return longHold === null ? '' : `, the largest (${longHold.id}) until ${new Date(longHold.until).toISOString()}`
}

/** The budget that has not enough, as whoever is refused is told of it. */
export function refusalBudget (
  { budget, periodEnd, subject }: AppliedBudget,
  { limitNano, spentNano, heldNano, neededNano }: Pick<Shortage, 'limitNano' | 'spentNano' | 'heldNano' | 'neededNano'>
): RefusalBudget {
  const remaining = limitNano - spentNano - heldNano
  return {
    id: budget.id,
    name: budget.name,
    scopeType: budget.scopeType,
    scopeId: budget.scopeId,
    ...subject === '' ? {} : { subject },
    currency: budget.currency,
    limit: formatNano(limitNano),
    spent: formatNano(spentNano),
    held: formatNano(heldNano),
    needed: formatNano(neededNano),
    remaining: formatNano(remaining > 0n ? remaining : 0n),
    resetsAt: periodEnd === null ? null : new Date(periodEnd).toISOString(),
  }
}
