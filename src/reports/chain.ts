import { type Reach } from '../access/actor.ts'
import { type Budget } from '../budget/budget.ts'
import { subjectName } from '../budget/subject.ts'
import { formatNano } from '../money/amount.ts'
import { type ConstraintCode, type Crossing, crossings, type Link, reasonOf, type Verdict } from './constraints.ts'
import { type BudgetState } from './status.ts'
import { sayOf, type Suggestion } from './suggestions.ts'

/**
 * How a chain of budgets is shown: the one place where it is decided what somebody learns of budgets above that he may
 * not see. Of those he learns that they are there and whether they refuse: no id, no name, no figure.
 */
export type Sees = (budget: Budget) => boolean

/**
 * Of a budget, the one above it, and so on to the topmost, those within reach: of its organization, and where it is
 * narrower those that have its scope or stand below one that has. null: all.
 */
export function seenIn (line: readonly Budget[], reach: Reach | null): Sees {
  if (reach === null) return () => true
  const { organizationId, scope } = reach
  const bounds = (budget: Budget) => budget.organizationId === organizationId &&
    (scope === null || (budget.scopeType === scope.type && budget.scopeId === scope.id))
  const within = line.slice(0, line.findLastIndex(bounds) + 1)
  const seen = new Set(within.filter((one) => one.organizationId === organizationId).map(({ id }) => id))
  return ({ id }) => seen.has(id)
}

/** Of budgets with all that are above them, those within reach. null: all. */
export function seenAmong (budgets: readonly Budget[], reach: Reach | null): Sees {
  if (reach === null) return () => true
  const byId = new Map(budgets.map((budget) => [budget.id, budget]))
  return (budget) => {
    const line = [budget]
    for (let above = byId.get(budget.parentBudgetId ?? ''); above !== undefined; above = byId.get(above.parentBudgetId ?? '')) {
      line.push(above)
    }
    return seenIn(line, reach)(budget)
  }
}

export interface RenderedLink {
  /** false: out of reach of who asks; then `canProceed` is all there is */
  visible: boolean
  canProceed: boolean
  budgetId?: string
  name?: string
  scopeType?: string
  scopeId?: string
  subject?: string
  state?: BudgetState
  mode?: string
  currency?: string
  estimatedCost?: string
  limit?: string
  currentAmount?: string
  held?: string
  inDoubt?: string
  leased?: string
  heldIsUpperBound?: boolean
  remaining?: string
  resetsAt?: string | null
}

export interface RenderedCheck {
  budgetId: string
  estimatedCost: string
  currency: string
  canProceed: boolean
  code: ConstraintCode | null
  reason: string
  retryable: boolean
  decidingBudgetId: string | null
  resetsAt: string | null
  thresholds: Crossing[]
  suggestedActions: string[]
  chain: RenderedLink[]
}

export interface Shown {
  estimatedCost: string
  currency: string
}

export function renderCheck (
  verdict: Verdict, suggestions: readonly Suggestion[], { estimatedCost, currency }: Shown, sees: Sees
): RenderedCheck {
  const { chain, code, deciding, retryable } = verdict
  const shown = deciding !== null && sees(deciding.budget) ? deciding : null
  const named = namedBy(sees)
  return {
    budgetId: chain[0]?.budget.id ?? '',
    estimatedCost,
    currency,
    canProceed: code === null,
    code,
    reason: upper(deciding !== null && shown === null ? hiddenReason(code) : reasonOf(verdict, named)),
    retryable,
    decidingBudgetId: shown?.budget.id ?? null,
    resetsAt: shown === null ? null : time(shown.resetsAt),
    thresholds: chain.filter(({ budget }) => sees(budget)).flatMap(crossings),
    suggestedActions: saysOf(suggestions, sees),
    chain: chain.map((link) => renderLink(link, sees)),
  }
}

/** each in a sentence, the same once */
export function saysOf (suggestions: readonly Suggestion[], sees: Sees): string[] {
  const named = namedBy(sees)
  return [...new Set(suggestions.map((one) => tells(one, sees) ? sayOf(one, named) : ASK_ABOVE))]
}

function namedBy (sees: Sees) {
  return ({ budget, subject }: Link) =>
    sees(budget) ? `budget "${budget.name}" (${subjectName(budget, subject)})` : 'a budget above'
}

export const ASK_ABOVE = 'Ask somebody who may change the budgets above.'

/** a suggestion about a budget has its figures in it */
function tells (suggestion: Suggestion, sees: Sees): boolean {
  return !('link' in suggestion) || suggestion.action === 'try_again' || sees(suggestion.link.budget)
}

function hiddenReason (code: ConstraintCode | null): string {
  return code === null ? 'All budgets have room for it.' : 'A budget above, out of your reach, refuses it.'
}

export function renderLink (link: Link, sees: Sees): RenderedLink {
  const { budget, standing, subject } = link
  if (!sees(budget)) return { visible: false, canProceed: link.refusal === null }
  return {
    visible: true,
    canProceed: link.refusal === null,
    budgetId: budget.id,
    name: budget.name,
    scopeType: budget.scopeType,
    scopeId: budget.scopeId,
    ...subject === '' ? {} : { subject },
    state: link.state,
    mode: budget.mode,
    currency: budget.currency,
    estimatedCost: formatNano(link.needNano),
    limit: formatNano(link.limitNano),
    currentAmount: formatNano(standing.spentNano),
    held: formatNano(standing.heldNano),
    inDoubt: formatNano(standing.inDoubtNano),
    leased: formatNano(standing.leasedNano),
    heldIsUpperBound: standing.heldIsUpperBound,
    remaining: formatNano(link.remainingNano),
    resetsAt: time(link.resetsAt),
  }
}

function time (at: number | null): string | null { return at === null ? null : new Date(at).toISOString() }

function upper (text: string): string { return text.charAt(0).toUpperCase() + text.slice(1) }
