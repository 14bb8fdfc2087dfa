import { allowedBy, type Applicability, type AppliedBudget, barredBy } from '../budget/applies.ts'
import { type Budget, type Identity } from '../budget/budget.ts'
import { subjectName } from '../budget/subject.ts'
import { allowedModels, type BudgetPolicy, chainPolicy, type ChainPolicy, judgeModel, type NamedModel, type Rule } from '../budget/policy.ts'
import { type BudgetTracker, type CallHold } from '../budget/tracker.ts'
import { type Refusal, type RefusalCode } from '../errors.ts'
import { convertNano, formatNano } from '../money/amount.ts'
import { cappedOutput } from '../pricing/cap.ts'
import { type PriceBook } from '../pricing/price.ts'
import { quoteNano } from '../pricing/quote.ts'
import { AS_ASKED, type CallChanges, type CallRequest, isRefusal } from '../providers/provider.ts'

/**
 * The candidates of a call, in their order: as it was asked, by a cheaper model where a threshold that is passed says
 * so, and with its output capped where it does not fit. The first that every budget lets through is held. Where no
 * budget of the call has a policy, that is one look into a map.
 */
export interface CandidatesOptions {
  prices: Pick<PriceBook, 'find'>
  tracker: Pick<BudgetTracker, 'hold' | 'prepare' | 'spentNano' | 'roomNano'>
  applicability: Pick<Applicability, 'of'>
  unbudgeted: 'refuse' | 'allow'
  /** of an exchange rate; Infinity: the last one counts, however old it is */
  rateMaxAgeMs: number
}

/** What is asked, by whom, of which budgets. */
export interface Asked {
  request: CallRequest
  identity: Identity
  upstream: string
  model: NamedModel
  /** those that may apply, and all above them */
  budgets: readonly Budget[]
  /** ms since the epoch */
  at: number
}

/** One candidate that was held. */
export interface HeldCandidate {
  applied: readonly AppliedBudget[]
  hold: CallHold
  quoteNano: bigint
  /** as it is forwarded: with the model and the output bound that the quote is for */
  request: CallRequest
  model: NamedModel['model']
  changes: CallChanges
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
}

const NO_SHADOWS: ShadowVerdict[] = []
/** of maps that lead from one model to the next; each is cheaper, so they end, but prices change */
const MAX_STEPS = 8

export class Candidates {
  readonly #o: CandidatesOptions

  constructor (options: CandidatesOptions) { this.#o = options }

  hold (asked: Asked): Later<HeldCandidate | Refusal> {
    const choice = this.#choose(asked, asked.model, 0)
    if (choice instanceof Promise) return choice.then((one) => this.#holdChosen(asked, one))
    return this.#holdChosen(asked, choice)
  }

  #choose (asked: Asked, model: NamedModel, steps: number): Later<Choice | Refusal> {
    const { identity, upstream, budgets, at } = asked
    const applied = this.#o.applicability.of(budgets, identity, upstream, model.model.model, at)
    const refusal = this.#unfit(applied, identity, at)
    if (refusal !== null) return refusal
    const chain = chainPolicy(applied)
    if (chain === null) return { model, applied, chain }
    const unready = this.#o.tracker.prepare(chain.judged)
    if (unready === null) return this.#judge(asked, { model, applied, chain }, chain, steps)
    return unready.then((refused) => refused ?? this.#judge(asked, { model, applied, chain }, chain, steps))
  }

  #judge (asked: Asked, choice: Choice, chain: ChainPolicy, steps: number): Later<Choice | Refusal> {
    const find = (name: string) => this.#o.prices.find(asked.upstream, name, asked.at)
    const verdict = judgeModel(chain.enforced, (one) => this.#o.tracker.spentNano(one), choice.model, find)
    switch (verdict.kind) {
      case 'as-asked': return choice
      case 'restricted': return restrictedRefusal(verdict.by, verdict.rule, choice.model.name, this.#o.tracker.spentNano(verdict.by.applied))
      case 'downgraded': {
        const barred = limitRefusal(asked.identity, asked.upstream, verdict.to)
        if (barred !== null) return barred
        return steps >= MAX_STEPS ? choice : this.#choose(asked, verdict.to, steps + 1)
      }
    }
  }

  #unfit (applied: readonly AppliedBudget[], identity: Identity, at: number): Refusal | null {
    if (applied.length === 0 && this.#o.unbudgeted === 'refuse') {
      return {
        code: 'no_budget',
        message: `No budget applies to this call (organization ${identity.organizationId}). Ask an administrator to create one.`,
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

  #holdChosen (asked: Asked, choice: Choice | Refusal): Later<HeldCandidate | Refusal> {
    if (isRefusal(choice)) return choice
    const { request } = asked
    const quote = quoteNano(choice.model.model, request.bound)
    if (quote === null) return unpricedTier(request)
    const held = this.#o.tracker.hold(choice.applied, quote)
    const next = (hold: CallHold | Refusal): Later<HeldCandidate | Refusal> => {
      if (!isRefusal(hold)) return this.#held(asked, choice, hold, quote, null)
      return choice.chain === null || !SHORT.has(hold.code) ? hold : this.#holdCapped(asked, choice, hold)
    }
    return held instanceof Promise ? held.then(next) : next(held)
  }

  /** what is left may change while it is asked for, so it is looked at again, a few times */
  async #holdCapped (asked: Asked, choice: Choice, refusal: Refusal): Promise<HeldCandidate | Refusal> {
    const { bound, thinking } = asked.request
    const { model } = choice.model
    for (let tries = 0; tries < 3; tries++) {
      const outputTokens = cappedOutput(model, bound, thinking, this.#capAccounts(choice))
      if (outputTokens === null) return refusal
      const quote = quoteNano(model, { ...bound, outputTokens })
      if (quote === null) return refusal
      const hold = await this.#o.tracker.hold(choice.applied, quote)
      if (!isRefusal(hold)) return this.#held(asked, choice, hold, quote, outputTokens)
      if (!SHORT.has(hold.code)) return hold
    }
    return refusal
  }

  #capAccounts ({ applied, chain }: Choice) {
    return applied.filter(({ budget }) => budget.mode === 'enforced').map((one) => ({
      roomNano: this.#o.tracker.roomNano(one) ?? 0n,
      rate: one.budget.rate,
      cap: chain?.enforced.find((policy) => policy.applied === one)?.cap ?? null,
    }))
  }

  #held (asked: Asked, choice: Choice, hold: CallHold, quote: bigint, outputTokens: number | null): HeldCandidate {
    const { request } = asked
    const { model, applied, chain } = choice
    const shadow = chain === null || chain.shadows.length === 0 ? NO_SHADOWS : this.#shadow(asked, chain.shadows, quote)
    const common = { applied, hold, quoteNano: quote, model: model.model, shadow }
    const downgraded = model !== asked.model
    if (!downgraded && outputTokens === null) return { ...common, request, changes: AS_ASKED }
    return {
      ...common,
      request: {
        ...request,
        model: model.name,
        bound: outputTokens === null ? request.bound : { ...request.bound, outputTokens },
      },
      changes: { model: downgraded ? model.name : null, outputTokens },
    }
  }

  #shadow ({ upstream, model, at }: Asked, shadows: readonly BudgetPolicy[], quote: bigint): ShadowVerdict[] {
    const verdicts: ShadowVerdict[] = []
    const spent = (one: AppliedBudget) => this.#o.tracker.spentNano(one)
    for (const policy of shadows) {
      const { budget } = policy.applied
      const { kind } = judgeModel([policy], spent, model, (name) => this.#o.prices.find(upstream, name, at))
      if (kind !== 'as-asked') verdicts.push({ budget, verdict: kind })
      else if (spent(policy.applied) + convertNano(quote, budget.rate) > budget.enforcedLimitNano) verdicts.push({ budget, verdict: 'refused' })
    }
    return verdicts
  }
}

/** what a lower output limit may help against */
const SHORT = new Set<RefusalCode>([
  'budget_exhausted', 'quote_exceeds_budget', 'budget_contention', 'budget_in_doubt', 'budget_held',
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

function unpricedTier ({ model, bound }: CallRequest): Refusal {
  return {
    code: 'feature_not_metered',
    message: `The catalog has no price for ${model} at ${JSON.stringify(bound.tier)}; leave that option out.`,
    retryable: false,
  }
}

function pausedRefusal ({ budget, subject }: AppliedBudget): Refusal {
  return {
    code: 'budget_paused',
    message: `The budget "${budget.name}" (${subjectName(budget, subject)}) is paused. An administrator can resume it.`,
    retryable: false,
  }
}

function rateRefusal ({ budget, subject }: AppliedBudget): Refusal {
  const { name, currency, rateAt } = budget
  const since = rateAt === null ? 'There is no exchange rate' : `The last exchange rate, of ${new Date(rateAt).toISOString()}, is too old`
  return {
    code: 'no_exchange_rate',
    message: `${since} for ${currency}, the currency of the budget "${name}" (${subjectName(budget, subject)}), so the call was not ` +
      'forwarded. An administrator can add one (POST /api/v1/exchange-rates).',
    retryable: false,
  }
}

function restrictedRefusal ({ applied }: BudgetPolicy, rule: Rule, model: string, spentNano: bigint): Refusal {
  const { budget, periodEnd, subject } = applied
  const asked = JSON.stringify(model.slice(0, 100))
  const reset = periodEnd === null ? '' : ` The threshold counts anew from ${new Date(periodEnd).toISOString()}.`
  const spent = `${formatNano(spentNano)} of ${formatNano(budget.amountNano)} ${budget.currency}`
  return {
    code: 'model_restricted',
    message: `The budget "${budget.name}" (${subjectName(budget, subject)}) has spent ${spent}, and from ` +
      `${rule.threshold} % on it does not allow ${asked}${rule.models === null ? '' : `, but ${allowedModels(rule)}`}.${reset}`,
    retryable: false,
    field: 'model',
  }
}
