import { type AppliedBudget } from '../budget/applies.ts'
import { type Spending } from '../budget/policy.ts'
import { type Shortage, shortRefusal, type Stands } from '../budget/shortage.ts'
import { type Refusal } from '../errors.ts'
import { isShort, type RateLimiter } from '../limits/limiter.ts'
import { rateRefusal } from '../limits/refusal.ts'
import { type PricedModel } from '../pricing/price.ts'
import { type Link, type Verdict } from '../reports/constraints.ts'
import { type OfWhom } from '../reports/reporter.ts'
import { type BudgetStanding, remainingOf } from '../reports/status.ts'
import { type Asked, type Desk } from './candidates.ts'
import { limitedIn, loadOf } from './limited-desk.ts'
import { verdictOn } from './remedies.ts'

/** Nothing is held: this is only what would have let it. */
export interface DryHold { verdict: Verdict }

/**
 * Says what would become of a hold, by how the budgets stand over all gateways. It reads alone, each budget once: no
 * account comes into being, no lease moves. One desk is for one question.
 */
export class DryDesk implements Desk<DryHold> {
  readonly #standings: (of: readonly OfWhom[]) => Promise<BudgetStanding[]>
  readonly #limiter: Pick<RateLimiter, 'look'>
  readonly #at: number
  /** by budget: one call has one subject of each */
  readonly #known = new Map<string, BudgetStanding>()

  constructor (
    standings: (of: readonly OfWhom[]) => Promise<BudgetStanding[]>, limiter: Pick<RateLimiter, 'look'>, at: number
  ) {
    this.#standings = standings
    this.#limiter = limiter
    this.#at = at
  }

  prepare (applied: readonly AppliedBudget[]): null | Promise<null> {
    const missing = applied.filter(({ budget }) => !this.#known.has(budget.id))
    return missing.length === 0 ? null : this.#read(missing)
  }

  spendingOf (one: AppliedBudget): Spending {
    return this.stands(one) ?? { spentNano: 0n, totalNano: one.budget.amountNano }
  }

  roomNano (one: AppliedBudget): bigint | null {
    const known = this.#known.get(one.budget.id)
    return known === undefined ? null : remainingOf(known)
  }

  stands ({ budget }: AppliedBudget): Stands | null { return this.#known.get(budget.id)?.standing ?? null }

  async hold (
    applied: readonly AppliedBudget[], quoteNano: bigint, asked: Asked, model: PricedModel, outputTokens: number | null
  ): Promise<DryHold | Refusal> {
    const limited = limitedIn(asked.identity, applied)
    const { tokens, inputTokens } = loadOf(asked, model, outputTokens)
    const found = limited === null ? null : await this.#limiter.look(limited, tokens)
    if (found !== null && isShort(found)) return rateRefusal(found, tokens, inputTokens)
    const verdict = await this.verdict(applied, quoteNano)
    const { code, deciding } = verdict
    if (code === null || deciding === null) return { verdict }
    const one = applied.find(({ budget }) => budget === deciding.budget) as AppliedBudget
    return shortRefusal(shortageOf(deciding), one)
  }

  async verdict (applied: readonly AppliedBudget[], quoteNano: bigint): Promise<Verdict> {
    await this.prepare(applied)
    return verdictOn(applied, (one) => this.#known.get(one.budget.id)?.standing ?? null, quoteNano, this.#at)
  }

  async #read (missing: readonly AppliedBudget[]): Promise<null> {
    const asked = missing.map(({ budget, subject }) => ({ budget, subject }))
    for (const one of await this.#standings(asked)) this.#known.set(one.budget.id, one)
    return null
  }
}

const REASONS: Partial<Record<NonNullable<Link['refusal']>, Shortage['reason']>> = {
  approval_required: 'awaits_approval',
  quote_exceeds_budget: 'too_large',
  budget_in_doubt: 'in_doubt',
  budget_held: 'long_held',
  budget_contention: 'contention',
}

function shortageOf ({ refusal, needNano, limitNano, standing }: Link): Shortage {
  return {
    reason: (refusal === null ? undefined : REASONS[refusal]) ?? 'exhausted',
    neededNano: needNano,
    limitNano,
    spentNano: standing.spentNano,
    heldNano: standing.heldNano,
    inDoubtNano: standing.inDoubtNano,
    doubt: standing.doubt,
    longHeldNano: standing.heldLongNano,
    longHold: null,
  }
}
