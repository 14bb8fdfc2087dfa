import { type AccountFigures } from '../account/authority.ts'
import { type AppliedBudget } from '../budget/applies.ts'
import { type Identity } from '../budget/budget.ts'
import { type Spending } from '../budget/policy.ts'
import { type Stands } from '../budget/shortage.ts'
import { subjectName } from '../budget/subject.ts'
import { type BudgetTracker, type CallHold } from '../budget/tracker.ts'
import { type Refusal } from '../errors.ts'
import { isShort, type RateLimiter, type Taken } from '../limits/limiter.ts'
import { type LimitedSubject } from '../limits/rate-limits.ts'
import { rateRefusal } from '../limits/refusal.ts'
import { type PricedModel } from '../pricing/price.ts'
import { mostTokens } from '../pricing/quote.ts'
import { isRefusal } from '../providers/provider.ts'
import { type Charge } from '../usage/usage.ts'
import { type Asked, type Desk } from './candidates.ts'

/** What a call holds: its money and, where something of it is limited, its part of the limits. */
export interface LimitedHold extends CallHold { taken?: Taken }

/**
 * The desk at which calls are decided: rates first, which cost nobody a grant, then money. A call that one of them
 * refuses takes nothing from the other. Where nothing is limited it is the tracker and no more.
 */
export class LimitedDesk implements Desk<LimitedHold> {
  readonly #tracker: BudgetTracker
  readonly #limiter: RateLimiter

  constructor (tracker: BudgetTracker, limiter: RateLimiter) {
    this.#tracker = tracker
    this.#limiter = limiter
  }

  prepare (applied: readonly AppliedBudget[]): null | Promise<Refusal | null> { return this.#tracker.prepare(applied) }
  spendingOf (one: AppliedBudget): Spending { return this.#tracker.spendingOf(one) }
  roomNano (one: AppliedBudget): bigint | null { return this.#tracker.roomNano(one) }
  stands (one: AppliedBudget): Stands | null { return this.#tracker.stands(one) }

  hold (
    applied: readonly AppliedBudget[], quoteNano: bigint, asked: Asked, model: PricedModel, outputTokens: number | null
  ): LimitedHold | Refusal | Promise<LimitedHold | Refusal> {
    const subjects = limitedIn(asked.identity, applied)
    if (subjects === null) return this.#tracker.hold(applied, quoteNano)
    return this.#holdLimited(applied, quoteNano, subjects, loadOf(asked, model, outputTokens))
  }

  /** sets more aside for the same call */
  extend (hold: LimitedHold, moreNano: bigint): CallHold | Refusal | Promise<CallHold | Refusal> {
    return this.#tracker.extend(hold, moreNano)
  }

  /** it is one hold with what was set aside for it later */
  join (hold: LimitedHold, more: CallHold): void { this.#tracker.join(hold, more) }

  /** replaces the hold by the cost (nano-USD) and what it took of the limits by `tokens`; null: nobody knows them */
  settle (hold: LimitedHold, costNano: bigint, tokens: number | null): Charge[] {
    if (hold.taken !== undefined) this.#limiter.end(hold.taken, tokens ?? hold.taken.tokens)
    return this.#tracker.settle(hold, costNano)
  }

  /** a row of the ledger holds it from now on; the most that it may use counts against the limits */
  kept (hold: LimitedHold, figures: readonly AccountFigures[]): void {
    if (hold.taken !== undefined) this.#limiter.end(hold.taken, hold.taken.tokens)
    this.#tracker.kept(hold, figures)
  }

  /** the call never reached the provider */
  release (hold: LimitedHold): void {
    if (hold.taken !== undefined) this.#limiter.end(hold.taken, null)
    this.#tracker.release(hold)
  }

  async #holdLimited (
    applied: readonly AppliedBudget[], quoteNano: bigint, subjects: readonly LimitedSubject[], load: Load
  ): Promise<LimitedHold | Refusal> {
    const { tokens, inputTokens } = load
    const taken = await this.#limiter.take(subjects, tokens)
    if (isShort(taken)) return rateRefusal(taken, tokens, inputTokens)
    let hold: CallHold | Refusal | null = null
    try {
      hold = await this.#tracker.hold(applied, quoteNano)
    } finally {
      if (hold === null || isRefusal(hold)) this.#limiter.end(taken, null)
    }
    return isRefusal(hold) ? hold : { ...hold, taken }
  }
}

/** The most tokens that a call may use: in all, and of input. */
export interface Load { tokens: number, inputTokens: number }

export function loadOf ({ request }: Asked, model: PricedModel, outputTokens: number | null): Load {
  const { input, output } = mostTokens(model, { ...request.bound, outputTokens })
  return { tokens: input + output, inputTokens: input }
}

/** Whose limits a call is under; null, mostly: nobody's. Soft and shadow budgets refuse nothing. */
export function limitedIn ({ rateLimits }: Identity, applied: readonly AppliedBudget[]): LimitedSubject[] | null {
  let found: LimitedSubject[] | null = rateLimits === undefined ? null : [rateLimits]
  for (const { budget, subject } of applied) {
    if (budget.rateLimits === null || budget.mode !== 'enforced') continue
    found ??= []
    found.push({
      id: subject === '' ? `budget:${budget.id}` : `budget:${budget.id}:${subject}`,
      name: `budget "${budget.name}" (${subjectName(budget, subject)})`,
      limits: budget.rateLimits,
      budgetId: budget.id,
    })
  }
  return found
}
