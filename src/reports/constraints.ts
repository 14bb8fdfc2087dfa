import { blockLimit, thresholdNano } from '../budget/limits.ts'
import { appliesWithin } from '../budget/period.ts'
import { type RefusalCode } from '../errors.ts'
import { convertNano, formatNano, leastUsd } from '../money/amount.ts'
import { type BudgetStanding, type BudgetState, limitOf, remainingOf, resetOf, stateOf } from './status.ts'

/**
 * What a hold would decide, without holding. Pure. A hold on a budget is one on every budget above it: on all of them
 * or on none. The figures are those of the next hold; where nothing else happens meanwhile the answers are the same.
 */

/** What is asked for, in the currency in which it was estimated. */
export interface Estimate {
  nano: bigint
  currency: string
  /** of that currency; null: USD */
  rate: string | null
}

export type ConstraintCode = Extract<RefusalCode,
'no_budget' | 'budget_paused' | 'approval_required' | 'quote_exceeds_budget' | 'budget_exhausted' | 'budget_in_doubt' | 'budget_held' |
'budget_contention'>

/** `needNano`: the estimate in the budget's currency */
export type NeededStanding = BudgetStanding & { needNano: bigint }

/** One budget of the chain, and what it says. */
export interface Link extends NeededStanding {
  state: BudgetState
  limitNano: bigint
  remainingNano: bigint
  /** when it starts anew, ms since the epoch; null: it does not */
  resetsAt: number | null
  /** why it would refuse; null: it would not */
  refusal: ConstraintCode | null
}

export interface Verdict {
  chain: Link[]
  code: ConstraintCode | null
  /** the one that refuses, else the one with the least room; null: none of them refuses anything */
  deciding: Link | null
  /** true: the same may be possible in a moment, when open calls have ended */
  retryable: boolean
}

/**
 * `chain`: the budget, the one above it, and so on to the topmost. `passes`: such a call would pass the filters of the
 * first; those above apply whatever theirs are.
 */
export function judge (chain: readonly BudgetStanding[], estimate: Estimate, now: number, passes = true): Verdict {
  return judgeNeeds(chain.map((one) => ({ ...one, needNano: needOf(one, estimate) })), now, passes)
}

/** The same, where it is known what each account needs. */
export function judgeNeeds (chain: readonly NeededStanding[], now: number, passes = true): Verdict {
  const links = chain.map((one) => linkOf(one, now))
  const [first] = links
  if (first === undefined) throw new Error('a chain begins with a budget')
  if (!applies(first) || !passes) return verdict(links, first, 'no_budget')
  const refusing = links.find(({ refusal }) => refusal === 'budget_paused') ??
    links.find(({ refusal }) => refusal !== null && refusal !== 'budget_contention') ??
    links.findLast(({ refusal }) => refusal !== null)
  return refusing === undefined ? verdict(links, tightest(links), null) : verdict(links, refusing, refusing.refusal)
}

function verdict (chain: Link[], deciding: Link | null, code: ConstraintCode | null): Verdict {
  return { chain, deciding, code, retryable: code === 'budget_contention' }
}

/** a paused budget applies: it refuses */
export function applies ({ state }: { state: BudgetState }): boolean { return state === 'running' || state === 'paused' }

function linkOf (one: NeededStanding, now: number): Link {
  const link: Link = {
    ...one,
    state: stateOf(one.budget, now),
    limitNano: limitOf(one),
    remainingNano: remainingOf(one),
    resetsAt: resetOf(one),
    refusal: null,
  }
  return { ...link, refusal: refusalOf(link) }
}

/** in its own currency an estimate is what it is; else it goes by way of USD, rounded up as quotes of calls are */
function needOf ({ budget }: BudgetStanding, { nano, currency, rate }: Estimate): bigint {
  return budget.currency === currency ? nano : convertNano(leastUsd(nano, rate), budget.rate)
}

function refusalOf ({ budget, state, standing, needNano, limitNano, remainingNano }: Link): ConstraintCode | null {
  if (state === 'paused') return 'budget_paused'
  if (state !== 'running' || budget.mode !== 'enforced' || needNano <= remainingNano) return null
  const rest = limitNano - standing.spentNano
  const blocked = blockLimit(budget, standing.totalNano)
  if (needNano > rest && limitNano < blocked && needNano <= blocked - standing.spentNano) return 'approval_required'
  if (needNano > limitNano) return 'quote_exceeds_budget'
  if (needNano > rest) return 'budget_exhausted'
  const { inDoubtNano, heldLongNano } = standing
  if (needNano > rest - inDoubtNano) return 'budget_in_doubt'
  return needNano > rest - inDoubtNano - heldLongNano ? 'budget_held' : 'budget_contention'
}

/** of those that could refuse, the one that would let the fewest such calls through */
function tightest (links: readonly Link[]): Link | null {
  let least: Link | null = null
  for (const link of links) {
    if (link.state !== 'running' || link.budget.mode !== 'enforced') continue
    if (least === null || link.remainingNano * least.needNano < least.remainingNano * link.needNano) least = link
  }
  return least
}

export interface Crossing {
  budgetId: string
  /** percent of the limit; null: it is an amount */
  threshold: number | null
  /** in the budget's currency; null: it is a percentage */
  amount: string | null
  actions: string[]
}

/** Thresholds that are not reached, and would be if it cost all of the estimate. They are judged on what is spent. */
export function crossings ({ budget, standing: { spentNano, totalNano }, state, needNano }: Link): Crossing[] {
  if (state !== 'running') return []
  return budget.alerts.filter((alert) => {
    const reached = (nano: bigint) => nano > 0n && nano >= thresholdNano(alert, totalNano)
    return !reached(spentNano) && reached(spentNano + needNano)
  }).map(({ threshold = null, amount = null, actions }) => ({ budgetId: budget.id, threshold, amount, actions }))
}

/** in a sentence or two, what decides, for people */
export function reasonOf ({ code, deciding }: Verdict, named: (link: Link) => string): string {
  if (deciding === null) return 'No budget of the chain refuses anything: they are soft.'
  const { budget, standing, needNano, limitNano, remainingNano } = deciding
  const amount = (nano: bigint) => `${formatNano(nano)} ${budget.currency}`
  const name = named(deciding)
  const figures = `limit ${amount(limitNano)}, spent ${amount(standing.spentNano)}, held ${amount(standing.heldNano)}, ` +
    `remaining ${amount(remainingNano)}`
  switch (code) {
    case null: return `${name} has room for it: ${amount(remainingNano)} of ${amount(limitNano)} remain.`
    case 'no_budget': return `${name} does not apply: ${whyNot(deciding)}.`
    case 'budget_paused': return `${name} is paused, and refuses every call until it is resumed.`
    case 'approval_required': return `${amount(needNano)} is more than is left of what ${name} allows without approval (${figures}).`
    case 'quote_exceeds_budget': return `${amount(needNano)} is more than the whole ${name} allows (${figures}).`
    case 'budget_exhausted': return `${amount(needNano)} is more than is left of ${name} (${figures}).`
    case 'budget_in_doubt': {
      const { doubt, inDoubtNano } = standing
      return `${name} has not enough left (${figures}) while ${amount(inDoubtNano)} leased by ${doubt?.holder ?? 'a gateway'} ` +
        `is in doubt${doubt === null ? '' : ` since ${new Date(doubt.since).toISOString()}`}.`
    }
    case 'budget_held':
      return `${name} has not enough left (${figures}) while long holds set ${amount(standing.heldLongNano)} aside.`
    case 'budget_contention': return `Open calls hold what is left of ${name} (${figures}); it may be free in a moment.`
  }
}

function whyNot ({ state, budget, period }: Link): string {
  const { until } = appliesWithin(budget, period)
  switch (state) {
    case 'archived': return 'it is archived'
    case 'not_started': return `it begins at ${new Date(budget.startDate).toISOString()}`
    case 'ended': return `it ended at ${new Date(until ?? 0).toISOString()}`
    default: return 'its filters leave out this provider or model'
  }
}
