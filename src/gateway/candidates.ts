import { allowedBy, type Applicability, type AppliedBudget, barredBy } from '../budget/applies.ts'
import { type Budget, type Identity } from '../budget/budget.ts'
import { approvalLimit, blockLimit } from '../budget/limits.ts'
import {
  allowedModels, type BudgetPolicy, chainPolicy, type ChainPolicy, judgeModel, type NamedModel, type Rule,
  type Spending,
} from '../budget/policy.ts'
import { subjectName } from '../budget/subject.ts'
import { type Stands } from '../budget/shortage.ts'
import { type CallHold } from '../budget/tracker.ts'
import { type Refusal, type RefusalCode } from '../errors.ts'
import { convertNano, formatNano } from '../money/amount.ts'
import { cappedOutput } from '../pricing/cap.ts'
import { type PriceBook, type PricedModel } from '../pricing/price.ts'
import { quoteNano, withoutPrice } from '../pricing/quote.ts'
import { AS_ASKED, type CallChanges, type CallRequest, isRefusal } from '../providers/provider.ts'
import { remedyFor } from './remedies.ts'

/**
 * The candidates of a call, in their order: as it was asked, by a cheaper model where a threshold that is passed says
 * so, and with its output capped where it does not fit. The first that every budget lets through is held. Where no
 * budget of the call has a policy, that is one look into a map.
 */
export interface CandidatesOptions<Hold> {
  prices: PriceBook
  desk: Desk<Hold>
  applicability: Pick<Applicability, 'of'>
  unbudgeted: 'refuse' | 'allow'
  /** of an exchange rate; Infinity: the last one counts, however old it is */
  rateMaxAgeMs: number
}

/**
 * Where it is asked how budgets stand, and where a quote is held on all of them or on none: the tracker, or what only
 * says what would become of it.
 */
export interface Desk<Hold> {
  /** null at once where what is spent of them is known well enough to judge by; a refusal where it cannot be */
  prepare (applied: readonly AppliedBudget[]): null | Promise<Refusal | null>
  spendingOf (one: AppliedBudget): Spending
  /** what a call could be held for; null: it is not known */
  roomNano (one: AppliedBudget): bigint | null
  /** null: nothing is known of it */
  stands (one: AppliedBudget): Stands | null
  /** `outputTokens`: as in the candidate that the quote is for */
  hold (
    applied: readonly AppliedBudget[], quoteNano: bigint, asked: Asked, model: PricedModel, outputTokens: number | null
  ): Later<Hold | Refusal>
}

/** One candidate that was looked at, and what became of it. */
export interface CandidateStep {
  kind: 'as_asked' | 'downgraded' | 'capped'
  model: NamedModel
  applied: readonly AppliedBudget[]
  /** what each answer may have at most; null: as the call asks */
  outputTokens: number | null
  /** null: it was not come to */
  quoteNano: bigint | null
  /** whose threshold bars this model, a percentage or an amount; null: none does */
  barredBy: { budget: Budget, subject: string, threshold: string } | null
  /** null: it was held, or another model takes its place */
  refusal: Refusal | null
}

/** What is asked, by whom, of which budgets. */
export interface Asked {
  request: CallRequest
  identity: Identity
  upstream: string
  endpoint: string
  model: NamedModel
  /** those that may apply, and all above them */
  budgets: readonly Budget[]
  /** ms since the epoch */
  at: number
  /** every candidate that is looked at is added to it */
  steps?: CandidateStep[] | undefined
}

/** One candidate that was held. */
export interface HeldCandidate<Hold = CallHold> {
  applied: readonly AppliedBudget[]
  hold: Hold
  quoteNano: bigint
  /** the name of the model that was asked for */
  asked: string
  /** as it is forwarded: with the model and the output bound that the quote is for */
  request: CallRequest
  model: NamedModel['model']
  changes: CallChanges
  /** by which budgets, for the header x-relaycore-changed; empty: it is as it was asked */
  because: string
  /** what budgets that are only tried would have done */
  shadow: ShadowVerdict[]
}

export interface ShadowVerdict { budget: Budget, verdict: 'refused' | 'restricted' | 'downgraded' }

type Later<T> = T | Promise<T>

/** which model is called, and the budgets of that */
interface Choice {
  model: NamedModel
  applied: readonly AppliedBudget[]
  chain: ChainPolicy | null
  /** where it is not the one that was asked for: by which threshold */
  because: string | null
}

const NO_SHADOWS: ShadowVerdict[] = []
/** of maps that lead from one model to the next; each is cheaper, so they end, but prices change */
const MAX_STEPS = 8

export class Candidates<Hold extends object> {
  readonly #o: CandidatesOptions<Hold>

  constructor (options: CandidatesOptions<Hold>) { this.#o = options }

  hold (asked: Asked): Later<HeldCandidate<Hold> | Refusal> {
    const choice = this.#choose(asked, asked.model, 0, null)
    if (choice instanceof Promise) return choice.then((one) => this.#holdChosen(asked, one))
    return this.#holdChosen(asked, choice)
  }

  #choose (asked: Asked, model: NamedModel, steps: number, because: string | null): Later<Choice | Refusal> {
    const { identity, at } = asked
    const applied = this.#applied(asked, model)
    const refusal = this.#unfit(applied, identity, at)
    if (refusal !== null) {
      asked.steps?.push(stepOf(asked, { model, applied }, { refusal }))
      return refusal
    }
    const chain = chainPolicy(applied)
    const choice: Choice = { model, applied, chain, because }
    if (chain === null) return choice
    const unready = this.#o.desk.prepare(chain.judged)
    if (unready === null) return this.#judge(asked, choice, chain, steps)
    return unready.then((refused) => refused ?? this.#judge(asked, choice, chain, steps))
  }

  /** a call within which other models work is one of theirs too */
  #applied (asked: Asked, { model }: NamedModel): readonly AppliedBudget[] {
    const { identity, upstream, endpoint, budgets, at, request: { bound: { others } } } = asked
    const of = (name: string) =>
      this.#o.applicability.of(budgets, identity, { provider: upstream, model: name, endpoint }, at)
    const applied = of(model.model)
    if (others === undefined) return applied
    const all = [...applied]
    for (const { priced } of others) {
      const more = priced === undefined ? [] : of(priced.model)
      all.push(...more.filter(({ budget }) => all.every((one) => one.budget.id !== budget.id)))
    }
    return all
  }

  #judge (asked: Asked, choice: Choice, chain: ChainPolicy, steps: number): Later<Choice | Refusal> {
    const find = (name: string) => this.#o.prices.find(asked.upstream, name, asked.at)
    const judge = (model: NamedModel) =>
      judgeModel(chain.enforced, (one) => this.#o.desk.spendingOf(one), model, find)
    for (const { model: name, priced } of asked.request.bound.others ?? []) {
      const of = priced === undefined ? null : judge({ name, model: priced })
      if (of === null || of.kind === 'as-asked') continue
      const refusal = restrictedRefusal(of.by, of.rule, name, this.#o.desk.spendingOf(of.by.applied))
      asked.steps?.push(stepOf(asked, choice, { barredBy: barOf(of), refusal }))
      return refusal
    }
    const verdict = judge(choice.model)
    switch (verdict.kind) {
      case 'as-asked': return choice
      case 'restricted': {
        const { by, rule } = verdict
        const refusal = restrictedRefusal(by, rule, choice.model.name, this.#o.desk.spendingOf(by.applied))
        asked.steps?.push(stepOf(asked, choice, { barredBy: barOf(verdict), refusal }))
        return refusal
      }
      case 'downgraded': {
        asked.steps?.push(stepOf(asked, choice, { barredBy: barOf(verdict) }))
        if (asked.request.bound.parts !== undefined) return unreplaceable(verdict.by, verdict.rule)
        const barred = limitRefusal(asked.identity, asked.upstream, verdict.to)
        if (barred !== null) return barred
        return steps >= MAX_STEPS ? choice : this.#choose(asked, verdict.to, steps + 1, downgradedBy(verdict))
      }
    }
  }

  #unfit (applied: readonly AppliedBudget[], identity: Identity, at: number): Refusal | null {
    if (applied.length === 0 && this.#o.unbudgeted === 'refuse') {
      return {
        code: 'no_budget',
        message: `No budget applies to this call (organization ${identity.organizationId}).`,
        remedy: 'Ask an administrator to create one.',
        retryable: false,
      }
    }
    for (const one of applied) {
      const { paused, currency, rateAt } = one.budget
      if (paused) return pausedRefusal(one)
      if (currency !== 'USD' && at - (rateAt ?? -Infinity) > this.#o.rateMaxAgeMs) return rateRefusal(one)
    }
    return null
  }

  #holdChosen (asked: Asked, choice: Choice | Refusal): Later<HeldCandidate<Hold> | Refusal> {
    if (isRefusal(choice)) return choice
    const { request } = asked
    const quote = quoteNano(choice.model.model, request.bound)
    if (quote === null) return unpricedPart(request, choice.model.model)
    const held = this.#o.desk.hold(choice.applied, quote, asked, choice.model.model, request.bound.outputTokens)
    const next = (hold: Hold | Refusal): Later<HeldCandidate<Hold> | Refusal> => {
      if (!isRefusal(hold)) {
        asked.steps?.push(stepOf(asked, choice, { quoteNano: quote }))
        return this.#held(asked, choice, hold, quote, null)
      }
      const refusal = this.#withRemedy(asked, choice, quote, hold)
      return refusal instanceof Promise
        ? refusal.then((one) => this.#refused(asked, choice, quote, one))
        : this.#refused(asked, choice, quote, refusal)
    }
    return held instanceof Promise ? held.then(next) : next(held)
  }

  #refused (asked: Asked, choice: Choice, quoteNano: bigint, refusal: Refusal): Later<HeldCandidate<Hold> | Refusal> {
    asked.steps?.push(stepOf(asked, choice, { quoteNano, refusal }))
    return choice.chain === null || !SHORT.has(refusal.code) ? refusal : this.#holdCapped(asked, choice, refusal)
  }

  /** what is left may change while it is asked for, so it is looked at again, a few times */
  async #holdCapped (asked: Asked, choice: Choice, refusal: Refusal): Promise<HeldCandidate<Hold> | Refusal> {
    const { bound, thinking } = asked.request
    const { model } = choice.model
    for (let tries = 0; tries < 3; tries++) {
      const outputTokens = cappedOutput(model, bound, thinking, this.#capAccounts(choice))
      if (outputTokens === null) return refusal
      const quote = quoteNano(model, { ...bound, outputTokens })
      if (quote === null) return refusal
      const hold = await this.#o.desk.hold(choice.applied, quote, asked, model, outputTokens)
      const refused = isRefusal(hold) ? hold : null
      asked.steps?.push(stepOf(asked, choice, { outputTokens, quoteNano: quote, refusal: refused }))
      if (!isRefusal(hold)) return this.#held(asked, choice, hold, quote, outputTokens, refusal)
      if (!SHORT.has(hold.code)) return hold
    }
    return refusal
  }

  #capAccounts ({ applied, chain }: Choice) {
    return applied.filter(({ budget }) => budget.mode === 'enforced').map((one) => ({
      roomNano: this.#o.desk.roomNano(one) ?? 0n,
      rate: one.budget.rate,
      cap: chain?.enforced.find((policy) => policy.applied === one)?.cap ?? null,
    }))
  }

  /** By how all of its budgets stand, not only the one that refused. What is retried needs none. */
  #withRemedy (asked: Asked, choice: Choice, quote: bigint, refusal: Refusal): Later<Refusal> {
    if (refusal.retryable || !SHORT.has(refusal.code)) return refusal
    const { prices, desk } = this.#o
    const { applied, model: { model } } = choice
    const call = { prices, model, request: asked.request, at: asked.at }
    const told = (): Refusal => {
      if (applied.some((one) => desk.stands(one) === null)) return refusal
      const remedy = remedyFor(applied, (one) => desk.stands(one), quote, call)
      return remedy === null ? refusal : { ...refusal, remedy }
    }
    const unknown = applied.some((one) => desk.stands(one) === null)
    return (unknown ? desk.prepare(applied)?.then(told) : null) ?? told()
  }

  /** `short`: why its output is capped */
  #held (
    asked: Asked, choice: Choice, hold: Hold, quote: bigint, outputTokens: number | null, short: Refusal | null = null
  ): HeldCandidate<Hold> {
    const { request } = asked
    const { model, applied, chain } = choice
    const shadow = chain === null || chain.shadows.length === 0 ? NO_SHADOWS : this.#shadow(asked, chain.shadows, quote)
    const common = { applied, hold, quoteNano: quote, asked: request.model, request, model: model.model, changes: AS_ASKED, because: '', shadow }
    const downgraded = model !== asked.model
    if (!downgraded && outputTokens === null) return common
    return {
      ...common,
      request: {
        ...request,
        model: model.name,
        bound: outputTokens === null ? request.bound : { ...request.bound, outputTokens },
      },
      changes: { model: downgraded ? model.name : null, outputTokens },
      because: [choice.because, short === null ? null : cappedBy(short)].filter((one) => one !== null).join(', '),
    }
  }

  #shadow ({ upstream, model, at }: Asked, shadows: readonly BudgetPolicy[], quote: bigint): ShadowVerdict[] {
    const verdicts: ShadowVerdict[] = []
    const spending = (one: AppliedBudget) => this.#o.desk.spendingOf(one)
    for (const policy of shadows) {
      const { budget } = policy.applied
      const { kind } = judgeModel([policy], spending, model, (name) => this.#o.prices.find(upstream, name, at))
      if (kind !== 'as-asked') verdicts.push({ budget, verdict: kind })
      else if (pastLimit(policy.applied, spending(policy.applied), quote)) verdicts.push({ budget, verdict: 'refused' })
    }
    return verdicts
  }
}

function stepOf (asked: Asked, { model, applied }: Pick<Choice, 'model' | 'applied'>, of: Partial<CandidateStep>): CandidateStep {
  const { outputTokens = null, quoteNano = null, barredBy: bar = null, refusal = null } = of
  const kind = outputTokens !== null ? 'capped' : model === asked.model ? 'as_asked' : 'downgraded'
  return { kind, model, applied, outputTokens, quoteNano, barredBy: bar, refusal }
}

function downgradedBy ({ by, rule }: { by: BudgetPolicy, rule: Rule }): string {
  return `downgraded;budget=${by.applied.budget.id};${markOf(rule)}`
}

function markOf ({ mark: { threshold, amount } }: Rule): string {
  return threshold === undefined ? `amount=${amount}` : `threshold=${threshold}`
}

function cappedBy ({ code, budgetId }: Refusal): string { return `capped;budget=${budgetId ?? ''};reason=${code}` }

function barOf ({ by, rule }: { by: BudgetPolicy, rule: Rule }): CandidateStep['barredBy'] {
  const { budget, subject } = by.applied
  return { budget, subject, threshold: rule.threshold }
}

/** of a budget that holds nothing: without what was approved */
function pastLimit ({ budget }: AppliedBudget, { spentNano, totalNano }: Spending, quote: bigint): boolean {
  const limit = approvalLimit(budget, totalNano) ?? blockLimit(budget, totalNano)
  return spentNano + convertNano(quote, budget.rate) > limit
}

/** what a lower output limit may help against */
const SHORT = new Set<RefusalCode>([
  'budget_exhausted', 'quote_exceeds_budget', 'approval_required', 'budget_contention', 'budget_in_doubt', 'budget_held',
])

/** what the limits of the key say to a model; null: nothing */
export function limitRefusal ({ limits }: Identity, provider: string, asked: NamedModel): Refusal | null {
  const what = barredBy(limits, provider, asked.name, asked.model.model)
  if (what === null || limits === undefined) return null
  const named = what === 'provider' ? provider : `the model ${JSON.stringify(asked.name.slice(0, 100))}`
  return {
    code: what === 'provider' ? 'provider_not_allowed' : 'model_not_allowed',
    message: `This gateway key may not call ${named}, but ${allowedBy(limits, what)}. An administrator can allow it.`,
    retryable: false,
    ...what === 'model' ? { field: 'model' } : {},
  }
}

function unpricedPart ({ model, bound }: CallRequest, priced: PricedModel): Refusal {
  return {
    code: 'feature_not_metered',
    message: `The catalog has no price for ${model} ${withoutPrice(priced, bound)}; leave that option out.`,
    retryable: false,
  }
}

function pausedRefusal ({ budget, subject }: AppliedBudget): Refusal {
  return {
    code: 'budget_paused',
    message: `The budget "${budget.name}" (${subjectName(budget, subject)}) is paused.`,
    remedy: 'An administrator can resume it.',
    retryable: false,
    budgetId: budget.id,
  }
}

function rateRefusal ({ budget, subject }: AppliedBudget): Refusal {
  const { id, name, currency, rateAt } = budget
  const since = rateAt === null ? 'There is no exchange rate' : `The last exchange rate, of ${new Date(rateAt).toISOString()}, is too old`
  return {
    code: 'no_exchange_rate',
    message: `${since} for ${currency}, the currency of the budget "${name}" (${subjectName(budget, subject)}), so the call was not forwarded.`,
    remedy: 'An administrator can add one (POST /api/v1/exchange-rates).',
    retryable: false,
    budgetId: id,
  }
}

/** the models of the requests in a batch are not replaced */
function unreplaceable ({ applied: { budget, subject } }: BudgetPolicy, rule: Rule): Refusal {
  return {
    code: 'model_restricted',
    message: `The budget "${budget.name}" (${subjectName(budget, subject)}) is past ${rule.threshold}, from which on it replaces this ` +
      'model by a cheaper one, and the requests of a batch are not changed.',
    remedy: 'Ask for the cheaper model.',
    retryable: false,
    field: 'model',
    budgetId: budget.id,
  }
}

function restrictedRefusal (
  { applied }: BudgetPolicy, rule: Rule, model: string, { spentNano, totalNano }: Spending
): Refusal {
  const { budget, periodEnd, subject } = applied
  const asked = JSON.stringify(model.slice(0, 100))
  const reset = periodEnd === null ? '' : ` or wait until ${new Date(periodEnd).toISOString()}, when the threshold counts anew,`
  const others = rule.models === null ? 'another model' : `a model that it allows (${allowedModels(rule)})`
  const spent = `${formatNano(spentNano)} of ${formatNano(totalNano)} ${budget.currency}`
  return {
    code: 'model_restricted',
    message: `The budget "${budget.name}" (${subjectName(budget, subject)}) has spent ${spent}, and from ` +
      `${rule.threshold} on it does not allow ${asked}.`,
    remedy: `Use ${others},${reset} or ask an administrator to raise the budget.`,
    retryable: false,
    field: 'model',
    budgetId: budget.id,
  }
}
