import { type Actor } from '../access/actor.ts'
import { outOfReach } from '../access/reach.ts'
import { Applicability } from '../budget/applies.ts'
import { type Budget, type Identity } from '../budget/budget.ts'
import { type BudgetRegistry } from '../budget/registry.ts'
import { type Now } from '../clock.ts'
import { DependencyUnavailable, invalidField, NotFound, type Refusal } from '../errors.ts'
import { holderFor, othersIn } from '../holds/holder.ts'
import { type KeyStore } from '../keys/key.ts'
import { isShort, type RateLimiter, type RateStanding } from '../limits/limiter.ts'
import { type LimitedSubject } from '../limits/rate-limits.ts'
import { type PriceBook } from '../pricing/price.ts'
import { quoteNano } from '../pricing/quote.ts'
import { type ParsedBody } from '../providers/body.ts'
import { pathTemplate } from '../providers/paths.ts'
import { type BillableEndpoint, type CallRequest, isRefusal, type Provider, type Target } from '../providers/provider.ts'
import { seenAmong } from '../reports/chain.ts'
import { type Verdict } from '../reports/constraints.ts'
import { type OfWhom } from '../reports/reporter.ts'
import { type BudgetStanding } from '../reports/status.ts'
import { canServe } from '../reports/suggestions.ts'
import { Candidates, type CandidateStep, type CandidatesOptions, type HeldCandidate } from './candidates.ts'
import { type CallQuestion, Decision, upstreamOf } from './decision.ts'
import { DryDesk, type DryHold } from './dry-desk.ts'
import { type Explanation, renderExplanation } from './explanation.ts'
import { forEndUser, identifyAs } from './identify.ts'
import { limitedIn } from './limited-desk.ts'
import { withText } from './remedies.ts'

/**
 * What would become of a call, and why: decided by the code that decides about calls, at a desk that holds nothing. It
 * changes nothing, here or in the ledger.
 */
export interface ExplainerOptions extends Pick<CandidatesOptions<DryHold>, 'unbudgeted' | 'rateMaxAgeMs'> {
  registry: Pick<BudgetRegistry, 'lookup'>
  keys: Pick<KeyStore, 'get'>
  prices: PriceBook
  providers: readonly Provider[]
  limiter: Pick<RateLimiter, 'look'>
  parse: (bytes: Buffer) => ParsedBody
  standings: (of: readonly OfWhom[], now: number) => Promise<BudgetStanding[]>
  now: Now
}

/** Of whom one of `identity` and `keyId`, of the call either `path` and `body` or `provider`, `model` and tokens. */
export interface ExplainQuestion {
  identity?: {
    organizationId: string
    teamId?: string
    projectId?: string
    userId?: string
    sessionId?: string
    endUserId?: string
    tags?: Record<string, string>
  }
  keyId?: string
  /** of a call by that key: x-relaycore-user, -team, -project, -session, -tags */
  headers?: Record<string, string>
  path?: string
  /** as JSON, or as the very text that is sent */
  body?: unknown
  provider?: string
  model?: string
  inputTokens?: number
  outputTokens?: number
  choices?: number
  cacheWrite?: CallRequest['bound']['cacheWrite']
  tier?: string
  webSearches?: number
}

/** All that is known when it is decided. */
export interface Decided {
  identity: Identity | null
  provider: Provider
  upstream: string
  request: CallRequest | null
  steps: readonly CandidateStep[]
  outcome: HeldCandidate<DryHold> | Refusal
  /** of the candidate that decided, on all of its budgets; null: it came to none */
  verdict: Verdict | null
  /** how all budgets that candidates were asked of stand, judged as the last of these candidates */
  links: Verdict['chain']
  /** of the candidate that decided: what is limited of it, and how that stands */
  rates: readonly { subject: LimitedSubject, standing: RateStanding }[]
  /** names of cheaper models that would be let through as they are, the dearest first */
  cheaper: readonly string[]
  prices: PriceBook
  at: number
}

const MOST_MODELS = 3
const OF_TOKENS = ['provider', 'model', 'inputTokens', 'outputTokens', 'choices', 'cacheWrite', 'tier', 'webSearches'] as const

export class CallExplainer {
  readonly #o: ExplainerOptions

  constructor (options: ExplainerOptions) { this.#o = options }

  /** Throws InvalidField, NotFound (no such key within reach), Forbidden (out of reach), DependencyUnavailable. */
  async explain (question: ExplainQuestion, actor: Actor): Promise<Explanation> {
    const at = this.#o.now()
    const { provider, endpoint, request } = this.#call(question)
    const spoken = await this.#identity(question, actor, at)
    const identity = isRefusal(spoken) || isRefusal(request) ? spoken : forEndUser(spoken, request)
    const { prices } = this.#o
    const nothing = { steps: [], verdict: null, links: [], rates: [], cheaper: [] }
    const common = { ...nothing, provider, upstream: provider.name, prices, at }
    if (isRefusal(identity)) {
      const known = isRefusal(request) ? null : request
      return renderExplanation({ ...common, identity: null, request: known, outcome: identity }, () => false)
    }
    if (isRefusal(request)) {
      return renderExplanation({ ...common, identity, request: null, outcome: request }, () => false)
    }

    const budgets = await this.#o.registry.lookup(identity)
    const sees = seenAmong(budgets, actor.identity === undefined ? actor.reach : null)
    // whom a key speaks for was judged when it was made
    const said = question.keyId === undefined || question.headers !== undefined
    if (said) requireKnown(identity, actor, budgets.filter(sees))
    const desk = new DryDesk((some) => this.#o.standings(some, at), this.#o.limiter, at)
    const decision = this.#decision(desk, budgets)
    const steps: CandidateStep[] = []
    const asked = { request, identity, provider: provider.name, endpoint, at }
    const outcome = await decision.of({ ...asked, steps })
    return renderExplanation({
      ...common,
      upstream: upstreamOf(request, provider.name),
      identity,
      request,
      steps,
      outcome,
      ...await judged(desk, steps, request),
      rates: await this.#rates(identity, steps),
      cheaper: isRefusal(outcome) ? await this.#cheaper(decision, asked, outcome) : [],
    }, sees)
  }

  #decision (desk: DryDesk, budgets: Budget[]): Decision<DryHold> {
    const { prices, unbudgeted, rateMaxAgeMs } = this.#o
    return new Decision({
      // the same list for all of its candidates, whatever changes meanwhile
      registry: { lookup: () => budgets },
      prices,
      candidates: new Candidates({ prices, desk, unbudgeted, rateMaxAgeMs, applicability: new Applicability() }),
      unavailable: (error) => { throw new DependencyUnavailable(String(error)) },
    })
  }

  async #rates (identity: Identity, steps: readonly CandidateStep[]): Promise<Decided['rates']> {
    const subjects = limitedIn(identity, steps.at(-1)?.applied ?? []) ?? []
    return await Promise.all(subjects.map(async (subject) => {
      const found = await this.#o.limiter.look([subject], 0)
      return { subject, standing: isShort(found) ? found.standing : found }
    }))
  }

  /** each of the provider's is asked about as a call of its own */
  async #cheaper (decision: Decision<DryHold>, question: CallQuestion, refusal: Refusal): Promise<string[]> {
    const { prices } = this.#o
    const { request, provider, at } = question
    const upstream = upstreamOf(request, provider)
    const asked = prices.find(upstream, request.model, at)
    if (asked === null || refusal.retryable || !OTHER_MODELS_MAY.has(refusal.code)) return []
    const quote = quoteNano(asked, request.bound)
    const found: { name: string, quote: bigint }[] = []
    for (const other of prices.list(upstream, at)) {
      if (other.model === asked.model || !canServe(other, request.bound, asked)) continue
      const bound = withText(request.bound, other.model.length - request.model.length)
      const outcome = await decision.of({ ...question, request: { ...request, bound, model: other.model } })
      if (isRefusal(outcome) || outcome.changes.model !== null || outcome.changes.outputTokens !== null) continue
      if (quote === null || outcome.quoteNano < quote) found.push({ name: other.model, quote: outcome.quoteNano })
    }
    // the dearest of them is most like what was asked for
    found.sort((one, other) => one.quote < other.quote ? 1 : one.quote > other.quote ? -1 : 0)
    return found.slice(0, MOST_MODELS).map(({ name }) => name)
  }

  async #identity (question: ExplainQuestion, actor: Actor, at: number): Promise<Identity | Refusal> {
    const { identity, keyId, headers } = question
    if (actor.identity !== undefined) {
      const extra = Object.entries({ identity, keyId, headers }).find(([, value]) => value !== undefined)
      if (extra !== undefined) throw invalidField(extra[0], 'absent: a gateway key asks for itself', extra[1])
      return actor.identity
    }
    if (keyId !== undefined) {
      if (identity !== undefined) throw invalidField('identity', 'absent where keyId is given', identity)
      const key = await this.#o.keys.get(keyId, actor.reach)
      if (key === null) throw new NotFound(`There is no key ${keyId}`)
      return identifyAs(key, lowerCased(headers ?? {}), at)
    }
    if (identity === undefined) throw invalidField('identity', 'given, or keyId', undefined)
    if (headers !== undefined) throw invalidField('headers', 'absent without keyId', headers)
    const holder = { ...identityOf(identity), keyId: null }
    holderFor(actor, holder, null)
    return identityOf(identity)
  }

  #call (question: ExplainQuestion): { provider: Provider, endpoint: string, request: CallRequest | Refusal } {
    const { path, body } = question
    if (path === undefined) {
      if (body !== undefined) throw invalidField('path', 'given with a body', undefined)
      return this.#callOfTokens(question)
    }
    const extra = OF_TOKENS.find((name) => question[name] !== undefined)
    if (extra !== undefined) throw invalidField(extra, 'absent where path and body are given', question[extra])
    if (body === undefined) throw invalidField('body', 'given with a path', undefined)
    const { provider, endpoint, target } = this.#endpoint(path)
    if (endpoint.takes === 'form') throw invalidField('path', `of an endpoint that takes JSON; ${endpoint.name} takes a form`, path)
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const parsed = this.#o.parse(bytes)
    const request = 'refusal' in parsed ? parsed.refusal : endpoint.read(parsed.body, bytes, target)
    return { provider, endpoint: endpoint.name, request }
  }

  #endpoint (asked: string): { provider: Provider, endpoint: BillableEndpoint, target: Target } {
    const mark = asked.indexOf('?')
    const [path, search] = mark === -1 ? [asked, ''] : [asked.slice(0, mark), asked.slice(mark)]
    for (const provider of this.#o.providers) {
      const prefix = `/${provider.name}`
      for (const endpoint of provider.endpoints) {
        if (endpoint.kind !== 'billable') continue
        const template = pathTemplate(endpoint.path)
        const params = (path.startsWith(`${prefix}/`) ? template.match(path.slice(prefix.length)) : null) ??
          (provider.atRoot ? template.match(path) : null)
        if (params !== null) return { provider, endpoint, target: { params, search } }
      }
    }
    const known = this.#o.providers.flatMap(({ name, endpoints }) =>
      endpoints.filter(({ kind }) => kind === 'billable').map((endpoint) => `/${name}${endpoint.path}`))
    throw invalidField('path', `one that calls are metered on: ${known.join(', ')}`, asked)
  }

  #callOfTokens (question: ExplainQuestion): { provider: Provider, endpoint: string, request: CallRequest } {
    const { provider: name, model, inputTokens } = question
    const provider = this.#o.providers.find((one) => one.name === name)
    if (provider === undefined) {
      const names = this.#o.providers.map((one) => JSON.stringify(one.name)).join(' or ')
      throw invalidField('provider', `${names}, or path and body given`, name)
    }
    if (model === undefined) throw invalidField('model', 'given, or path and body', undefined)
    if (inputTokens === undefined) throw invalidField('inputTokens', 'given, or path and body', undefined)
    return {
      provider,
      endpoint: provider.endpoints.find(({ kind }) => kind === 'billable')?.name ?? '',
      request: {
        model,
        stream: false,
        usageAsked: true,
        thinking: 'open',
        endUserField: 'body',
        bound: {
          inputTokens,
          outputTokens: question.outputTokens ?? null,
          choices: question.choices ?? 1,
          cacheWrite: question.cacheWrite ?? 'none',
          tier: question.tier ?? null,
          webSearches: question.webSearches ?? 0,
        },
      },
    }
  }
}

/** refusals that a call of another model may escape */
const OTHER_MODELS_MAY = new Set<Refusal['code']>(['budget_exhausted', 'quote_exceeds_budget', 'approval_required', 'budget_held',
  'budget_in_doubt', 'model_restricted', 'model_not_allowed'])

/** how all budgets stand that candidates were asked of, by the last candidate that was asked of each */
async function judged (
  desk: DryDesk, steps: readonly CandidateStep[], request: CallRequest
): Promise<Pick<Decided, 'verdict' | 'links'>> {
  let verdict: Verdict | null = null
  const links = new Map<string, Verdict['chain'][number]>()
  for (const { applied, model, quoteNano: quote, outputTokens } of steps) {
    if (applied.length === 0) continue
    const bound = outputTokens === null ? request.bound : { ...request.bound, outputTokens }
    const one = await desk.verdict(applied, quote ?? quoteNano(model.model, bound) ?? 0n)
    // what is refused is refused for as it was asked: of a cap that did not fit nobody hears
    if (outputTokens === null || one.code === null) verdict = one
    for (const link of one.chain) links.set(link.budget.id, link)
  }
  return { verdict, links: [...links.values()] }
}

/** of a part of an organization nobody knows who belongs to it, other than by the budgets in it */
function requireKnown (identity: Identity, actor: Actor, seen: readonly Budget[]): void {
  if (actor.identity !== undefined) return
  for (const { field, scopeType, scopeId } of othersIn(identity, actor.reach)) {
    if (seen.some((one) => one.scopeType === scopeType && one.scopeId === scopeId)) continue
    throw outOfReach(field, 'that of a budget within what you manage')
  }
}

function identityOf (asked: NonNullable<ExplainQuestion['identity']>): Identity {
  const { organizationId, teamId, projectId, userId, sessionId, endUserId, tags } = asked
  const trimmed = (text: string | undefined) => text?.trim() ?? null
  return {
    organizationId: organizationId.trim(),
    teamId: trimmed(teamId),
    projectId: trimmed(projectId),
    userId: trimmed(userId),
    sessionId: trimmed(sessionId),
    tags: tags ?? null,
    keyId: '',
    ...endUserId === undefined ? {} : { endUserId: endUserId.trim() },
  }
}

function lowerCased (headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
