import { type AppliedBudget } from '../budget/applies.ts'
import { type Stands } from '../budget/shortage.ts'
import { subjectName } from '../budget/subject.ts'
import { type CallBound, type PriceBook, type PricedModel } from '../pricing/price.ts'
import { type CallRequest } from '../providers/provider.ts'
import { judge, type Verdict } from '../reports/constraints.ts'
import { nothingOn } from '../reports/standing.ts'
import { type PricedCall, remedyText, suggestionsFor } from '../reports/suggestions.ts'

/** A call that is too dear for what its budgets have left. */
export interface Dear {
  prices: PriceBook
  model: PricedModel
  request: Pick<CallRequest, 'bound' | 'thinking'>
  at: number
}

/**
 * What would help such a call, in a sentence, by what is known of its budgets: all of it true where nothing else
 * happens. null: nothing is known that would.
 */
export function remedyFor (
  applied: readonly AppliedBudget[], stands: (one: AppliedBudget) => Stands | null, quoteNano: bigint, call: Dear
): string | null {
  const verdict = verdictOn(applied, stands, quoteNano, call.at)
  return remedyText(suggestionsFor(verdict, pricedCall(call, [])), ({ budget, subject }) =>
    `budget "${budget.name}" (${subjectName(budget, subject)})`)
}

/** as a check of constraints would judge it */
export function verdictOn (
  applied: readonly AppliedBudget[], stands: (one: AppliedBudget) => Stands | null, quoteNano: bigint, at: number
): Verdict {
  const chain = applied.map((one) => ({
    budget: one.budget,
    subject: one.subject,
    period: { start: one.periodStart, end: one.periodEnd },
    standing: { ...nothingOn(one), ...stands(one) },
  }))
  return judge(chain, { nano: quoteNano, currency: 'USD', rate: null }, at)
}

/** `cheaper`: models that are known to be a way out; absent: they are looked for */
export function pricedCall ({ prices, model, request, at }: Dear, cheaper?: readonly string[]): PricedCall {
  const { thinking } = request
  const bound = request.bound.outputTokens === null ? withText(request.bound, LIMIT_TEXT) : request.bound
  return { prices, model, bound, at, thinking, ...cheaper === undefined ? {} : { cheaper } }
}

/** a request that states a limit is longer for it */
const LIMIT_TEXT = '"max_completion_tokens": 100000, '.length

/** of a body that is longer by so many bytes */
export function withText (bound: CallBound, bytes: number): CallBound {
  return bytes > 0 ? { ...bound, inputTokens: bound.inputTokens + bytes } : bound
}
