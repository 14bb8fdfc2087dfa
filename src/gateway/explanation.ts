import { remedyOf } from '../error-codes.ts'
import { type Refusal, type RefusalCode } from '../errors.ts'
import { type Budget } from '../budget/budget.ts'
import { subjectName } from '../budget/subject.ts'
import { type BucketStanding } from '../limits/limiter.ts'
import { formatNano } from '../money/amount.ts'
import { isRefusal } from '../providers/provider.ts'
import { ASK_ABOVE, type RenderedLink, renderLink, saysOf, type Sees } from '../reports/chain.ts'
import { type Suggestion, suggestionsFor } from '../reports/suggestions.ts'
import { type CandidateStep, type ShadowVerdict } from './candidates.ts'
import { type Decided } from './explain.ts'
import { pricedCall } from './remedies.ts'

/** The answer of POST /explain. Of budgets out of reach it says that they are there, and whether they refuse. */
export interface Explanation {
  admitted: boolean
  /** what the call would be refused with; null: it would not be */
  status: number | null
  code: RefusalCode | null
  message: string
  remedy: string | null
  retryable: boolean
  decidingBudgetId: string | null
  identity: ExplainedIdentity | null
  call: ExplainedCall | null
  candidates: ExplainedCandidate[]
  budgets: RenderedLink[]
  rateLimits: ExplainedRate[]
  shadow: { budgetId: string, verdict: ShadowVerdict['verdict'] }[]
  suggestedActions: string[]
}

export interface ExplainedIdentity {
  organizationId: string
  teamId: string | null
  projectId: string | null
  userId: string | null
  keyId: string | null
  sessionId: string | null
  tags: Record<string, string> | null
}

export interface ExplainedCall {
  provider: string
  model: string
  /** the most it may have; null: its body does not bound it, so it is the context window */
  inputTokens: number | null
  /** of each answer; null: the model's maximum */
  outputTokens: number | null
  /** as it would be sent; null: it would not be */
  modelUsed: string | null
  /** to which its output would be capped; null: it would not be */
  outputLimit: number | null
  /** USD that would be set aside; null: it would not be sent */
  quote: string | null
}

export interface ExplainedRate {
  /** whose calls are counted together, e.g. `key "search"` */
  of: string
  budgetId: string | null
  requestsPerMinute: BucketStanding | null
  tokensPerMinute: BucketStanding | null
  concurrentCalls: number | null
}

export interface ExplainedCandidate {
  kind: CandidateStep['kind']
  model: string
  outputLimit: number | null
  /** USD */
  quote: string | null
  outcome: 'admitted' | 'replaced' | 'refused'
  code: RefusalCode | null
  reason: string
  budgetIds: string[]
}

export function renderExplanation (decided: Decided, sees: Sees): Explanation {
  const { outcome, steps, links, provider } = decided
  const refusal = isRefusal(outcome) ? outcome : null
  const budgets = new Map(links.map(({ budget }) => [budget.id, budget]))
  const shown = (id: string | undefined) => id === undefined || seesId(id, budgets, sees)
  const { remedy, suggestedActions } = wayOut(decided, refusal, sees)
  return {
    admitted: refusal === null,
    status: refusal === null ? null : provider.dialect.renderRefusal(refusal, '', '').status,
    code: refusal?.code ?? null,
    message: refusal === null ? admittedAs(decided) : shown(refusal.budgetId) ? refusal.message : HIDDEN,
    remedy,
    retryable: refusal?.retryable ?? false,
    decidingBudgetId: refusal?.budgetId !== undefined && shown(refusal.budgetId) ? refusal.budgetId : null,
    identity: identityOf(decided),
    call: callOf(decided),
    candidates: steps.map((step) => candidateOf(step, sees)),
    budgets: links.map((link) => renderLink(link, sees)),
    rateLimits: decided.rates.filter(({ subject }) => shown(subject.budgetId)).map(rateOf),
    shadow: isRefusal(outcome)
      ? []
      : outcome.shadow.filter(({ budget }) => sees(budget))
        .map(({ budget, verdict }) => ({ budgetId: budget.id, verdict })),
    suggestedActions,
  }
}

function rateOf ({ subject, standing }: Decided['rates'][number]): ExplainedRate {
  const { name, budgetId = null, limits: { concurrentCalls = null } } = subject
  const { requests, tokens } = standing
  return { of: name, budgetId, requestsPerMinute: requests, tokensPerMinute: tokens, concurrentCalls }
}

const HIDDEN = 'A budget above, out of your reach, refuses it.'

function seesId (id: string, budgets: Map<string, Budget>, sees: Sees): boolean {
  const budget = budgets.get(id)
  return budget !== undefined && sees(budget)
}

function admittedAs ({ outcome, request }: Decided): string {
  if (isRefusal(outcome) || request === null) return ''
  const { changes, quoteNano, applied } = outcome
  const model = changes.model === null ? 'as it is asked' : `by ${changes.model} instead of ${request.model}`
  const cap = changes.outputTokens === null ? '' : `, with its output limited to ${changes.outputTokens} tokens`
  const where = applied.length === 0 ? 'no budget applies to it' : `on ${applied.length} ${applied.length === 1 ? 'budget' : 'budgets'}`
  return `The call would be forwarded ${model}${cap}; ${formatNano(quoteNano)} USD would be set aside, ${where}.`
}

/** what would help: the refusal's own remedy, unless that tells of budgets out of reach */
function wayOut (
  decided: Decided, refusal: Refusal | null, sees: Sees
): Pick<Explanation, 'remedy' | 'suggestedActions'> {
  if (refusal === null) return { remedy: null, suggestedActions: [] }
  const { verdict, cheaper, links } = decided
  const others = cheaper.map((model): Suggestion => ({ action: 'cheaper_model', provider: decided.upstream, model }))
  const ofModel = refusal.code.startsWith('model_')
  // limited rates come before money: what would help the budgets does not help the call
  const ofRates = refusal.code === 'rate_limited' || refusal.code === 'call_exceeds_rate_limit'
  const ofMoney = verdict?.code != null && !ofModel && !ofRates
  const suggestions = ofMoney ? suggestionsFor(verdict, pricedOf(decided)) : others
  const open = links.every(({ budget, refusal: refuses }) => refuses === null || sees(budget)) &&
    (refusal.budgetId === undefined || links.some(({ budget }) => budget.id === refusal.budgetId && sees(budget)))
  const own = remedyOf(refusal)
  const said = saysOf(suggestions, sees)
  const general = open ? own : ASK_ABOVE
  const suggestedActions = said.length === 0 || ofModel ? [...said, general] : said
  return { remedy: open ? own : said.join(' ') || ASK_ABOVE, suggestedActions }
}

function pricedOf ({ steps, request, prices, at, cheaper }: Decided) {
  const last = steps.findLast(({ outputTokens }) => outputTokens === null)
  if (last === undefined || request === null) return null
  return pricedCall({ prices, model: last.model.model, request, at }, cheaper)
}

function identityOf ({ identity }: Decided): ExplainedIdentity | null {
  if (identity === null) return null
  const { organizationId, teamId, projectId, userId, keyId, sessionId, tags } = identity
  return { organizationId, teamId, projectId, userId, keyId: keyId === '' ? null : keyId, sessionId, tags }
}

function callOf ({ upstream, request, outcome }: Decided): ExplainedCall | null {
  if (request === null) return null
  const { model, bound: { inputTokens, outputTokens } } = request
  const held = isRefusal(outcome) ? null : outcome
  return {
    provider: upstream,
    model,
    inputTokens: Number.isFinite(inputTokens) ? inputTokens : null,
    outputTokens,
    modelUsed: held === null ? null : held.changes.model ?? model,
    outputLimit: held?.changes.outputTokens ?? null,
    quote: held === null ? null : formatNano(held.quoteNano),
  }
}

function candidateOf (step: CandidateStep, sees: Sees): ExplainedCandidate {
  const { kind, model, applied, outputTokens, quoteNano, barredBy, refusal } = step
  const seen = applied.map(({ budget }) => budget).filter(sees)
  return {
    kind,
    model: model.name,
    outputLimit: outputTokens,
    quote: quoteNano === null ? null : formatNano(quoteNano),
    outcome: refusal !== null ? 'refused' : barredBy !== null ? 'replaced' : 'admitted',
    code: refusal?.code ?? null,
    reason: reasonOf(step, new Set(seen.map(({ id }) => id))),
    budgetIds: seen.map(({ id }) => id),
  }
}

function reasonOf ({ barredBy, refusal }: CandidateStep, seen: Set<string>): string {
  if (refusal !== null) return refusal.budgetId === undefined || seen.has(refusal.budgetId) ? refusal.message : HIDDEN
  if (barredBy === null) return 'All of its budgets let it through.'
  const { budget, subject, threshold } = barredBy
  return seen.has(budget.id)
    ? `The budget "${budget.name}" (${subjectName(budget, subject)}) has another model take its place from ${threshold} on.`
    : 'A budget above, out of your reach, has another model take its place.'
}
