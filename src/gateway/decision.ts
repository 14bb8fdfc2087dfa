import { type Budget, type Identity } from '../budget/budget.ts'
import { type BudgetRegistry } from '../budget/registry.ts'
import { type Refusal } from '../errors.ts'
import { type OtherModel, type PriceBook } from '../pricing/price.ts'
import { type CallRequest, isRefusal } from '../providers/provider.ts'
import { type Candidates, type CandidateStep, type HeldCandidate, limitRefusal } from './candidates.ts'

/**
 * What is decided about a call once it was read: which model it is, whether its key may call it, which budgets there
 * are, and which of its candidates they let through. The same for a call and for a question about one; what differs is
 * the desk of the candidates.
 */
export interface DecisionOptions<Hold extends object> {
  registry: Pick<BudgetRegistry, 'lookup'>
  prices: PriceBook
  candidates: Candidates<Hold>
  /** the budgets could not be read */
  unavailable: (error: unknown) => Refusal
}

export interface CallQuestion {
  request: CallRequest
  identity: Identity
  /** the dialect's name */
  provider: string
  /** of the provider, as usage events name it */
  endpoint: string
  /** ms since the epoch */
  at: number
  steps?: CandidateStep[] | undefined
}

type Decided<Hold> = HeldCandidate<Hold> | Refusal

export class Decision<Hold extends object> {
  readonly #o: DecisionOptions<Hold>

  constructor (options: DecisionOptions<Hold>) { this.#o = options }

  of (question: CallQuestion): Decided<Hold> | Promise<Decided<Hold>> {
    const { request, identity, at } = question
    const upstream = upstreamOf(request, question.provider)
    const setting = this.#o.prices.missing?.(upstream, request.model) ?? null
    if (setting !== null) return unknownName(request.model, setting)
    const priced = this.#o.prices.find(upstream, request.model, at)
    if (priced === null) return unknownModel(request.model, question.provider)
    const model = { name: request.model, model: priced }
    const barred = limitRefusal(identity, upstream, model)
    if (barred !== null) return barred
    const whole = this.#withOthers(question, upstream)
    if (isRefusal(whole)) return whole

    const known = this.#o.registry.lookup(identity)
    const { endpoint, steps } = question
    const hold = (budgets: readonly Budget[]) =>
      this.#o.candidates.hold({ request: whole, identity, upstream, endpoint, model, budgets, at, steps })
    if (Array.isArray(known)) return hold(known)
    return known.catch((error: unknown) => this.#o.unavailable(error))
      .then((budgets) => isRefusal(budgets) ? budgets : hold(budgets))
  }

  /** with the prices of the other models that work within the call, each of which its key has to be allowed */
  #withOthers ({ request, identity, provider, at }: CallQuestion, upstream: string): CallRequest | Refusal {
    const { others } = request.bound
    if (others === undefined) return request
    const priced: OtherModel[] = []
    for (const other of others) {
      const found = this.#o.prices.find(upstream, other.model, at)
      if (found === null) return unknownModel(other.model, provider)
      const barred = limitRefusal(identity, upstream, { name: other.model, model: found })
      if (barred !== null) return barred
      priced.push({ ...other, priced: found })
    }
    return { ...request, bound: { ...request.bound, others: priced } }
  }
}

export const DEMO = 'demo'

/** which upstream serves a call: the dialect's own, or the demo provider */
export function upstreamOf ({ model }: Pick<CallRequest, 'model'>, provider: string): string {
  return model.startsWith(`${DEMO}-`) ? DEMO : provider
}

function unknownName (name: string, setting: string): Refusal {
  const shown = JSON.stringify(name.slice(0, 100))
  return {
    code: 'model_not_found',
    message: `Nothing says which model ${shown} is, so its cost cannot be bounded.`,
    remedy: `The gateway's operator must add it to ${setting}, e.g. {${shown}: "<a model of the catalog>"}.`,
    retryable: false,
    field: 'model',
  }
}

function unknownModel (model: string, provider: string): Refusal {
  return {
    code: 'model_not_found',
    message: `The model ${JSON.stringify(model.slice(0, 100))} has no price in this gateway's catalog for ${provider}, ` +
      'so its cost cannot be bounded. GET /v1/models lists those that have one.',
    retryable: false,
    field: 'model',
  }
}
