import { takesModel } from '../budget/applies.ts'
import { periodAt } from '../budget/period.ts'
import { ceilDiv, formatNano, MAX_AMOUNT_NANO, mostUsd, NANO, parseAmount } from '../money/amount.ts'
import { type CallBound, type PriceBook, type PricedModel } from '../pricing/price.ts'
import { quoteNano } from '../pricing/quote.ts'
import { isInputUnit, isOutputUnit } from '../usage/units.ts'
import { applies, type Link, type Verdict } from './constraints.ts'

/**
 * What would make possible what a budget refuses. Each is true: if it is done, and nothing else happens, the same
 * question is answered with yes, where several budgets refuse after all the raises together.
 */
export type Suggestion =
  | { action: 'lower_output', maxOutputTokens: number }
  | { action: 'cheaper_model', provider: string, model: string }
  | { action: 'wait_for_reset', at: number, link: Link }
  | { action: 'try_again', link: Link }
  | { action: 'raise', by: bigint, link: Link }
  | { action: 'ask_approval', by: bigint, link: Link }
  | { action: 'resume', link: Link }
  | { action: 'reconcile', holder: string, link: Link }

/** An estimate that was made from tokens. */
export interface PricedCall {
  prices: PriceBook
  model: PricedModel
  bound: CallBound
  at: number
  /** as in CallRequest: whether a lower output limit bounds the cost, and for what it must leave room */
  thinking?: number | 'open' | null
  /** names of models that are known to be a way out; absent: they are looked for */
  cheaper?: readonly string[]
}

const MOST_MODELS = 3

export function suggestionsFor ({ code, chain }: Verdict, priced: PricedCall | null): Suggestion[] {
  if (code === null || code === 'no_budget') return []
  const refusing = chain.filter(({ refusal }) => refusal !== null)
  const paused = refusing.filter(({ state }) => state === 'paused')
  const short = refusing.filter(({ state }) => state !== 'paused')
  const resume = paused.map((link): Suggestion => ({ action: 'resume', link }))
  if (paused.length > 0) return [...resume, ...raises(short)]
  const contended = short.every(({ refusal }) => refusal === 'budget_contention')
  return [
    ...contended && short[0] !== undefined ? [{ action: 'try_again', link: short[0] } as const] : [],
    ...priced === null ? [] : cheaper(chain, priced),
    ...contended ? [] : wait(chain, short),
    ...short.flatMap(reconcile),
    ...raises(short),
  ]
}

/** nano-USD that all of them have room for */
function affordable (chain: readonly Link[]): bigint {
  let least = MAX_AMOUNT_NANO
  for (const { budget, remainingNano, ...link } of chain) {
    if (!applies(link) || budget.mode !== 'enforced') continue
    const most = mostUsd(remainingNano, budget.rate)
    if (most < least) least = most
  }
  return least
}

function cheaper (chain: readonly Link[], priced: PricedCall): Suggestion[] {
  const { model, bound, thinking } = priced
  const most = affordable(chain)
  const tokens = thinking === null ? null : outputThatFits(model, bound, most)
  const useful = tokens !== null && (typeof thinking !== 'number' || tokens > thinking)
  return [
    ...useful ? [{ action: 'lower_output', maxOutputTokens: tokens } as const] : [],
    ...(priced.cheaper ?? cheaperModels(chain, priced, most)).map((name) =>
      ({ action: 'cheaper_model', provider: model.provider, model: name }) as const),
  ]
}

function cheaperModels (chain: readonly Link[], { prices, model, bound, at }: PricedCall, most: bigint): string[] {
  const budget = chain[0]?.budget
  const found = prices.list(model.provider, at).flatMap((other) => {
    if (budget === undefined || other.model === model.model || !canServe(other, bound, model)) return []
    if (!takesModel(budget, other.provider, other.model)) return []
    const quote = quoteNano(other, bound)
    return quote === null || quote > most ? [] : [{ model: other.model, quote }]
  })
  // the dearest of them is most like what was asked for
  found.sort((one, other) => one.quote < other.quote ? 1 : one.quote > other.quote ? -1 : 0)
  return found.slice(0, MOST_MODELS).map((one) => one.model)
}

/** whether a call as large as this may be one of this model instead of the one that was asked for */
export function canServe (model: PricedModel, { inputTokens, outputTokens }: CallBound, asked: PricedModel): boolean {
  return model.contextWindow >= inputTokens && model.maxOutput >= (outputTokens ?? 1) && isOfTheSort(model, asked)
}

/** What takes or gives audio or images at prices of their own is no other model for text, and the other way round. */
function isOfTheSort (model: PricedModel, asked: PricedModel): boolean {
  const isToken = (unit: string) => isInputUnit(unit) || isOutputUnit(unit)
  return Object.keys(model.unitRates).filter(isToken).every((unit) => Object.hasOwn(asked.unitRates, unit))
}

/** the most output tokens per choice that cost no more; null: not even one does */
function outputThatFits (model: PricedModel, bound: CallBound, most: bigint): number | null {
  const fits = (outputTokens: number) => {
    const quote = quoteNano(model, { ...bound, outputTokens })
    return quote !== null && quote <= most
  }
  let [low, high] = [0, Math.min(bound.outputTokens ?? model.maxOutput, model.maxOutput)]
  if (!fits(1)) return null
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(middle)) low = middle
    else high = middle - 1
  }
  return low
}

/** a new period begins with nothing spent and nothing held; what else applies by then must have room too */
function wait (chain: readonly Link[], short: readonly Link[]): Suggestion[] {
  let last: { at: number, link: Link } | null = null
  for (const link of short) {
    if (link.resetsAt === null) return []
    if (last === null || link.resetsAt > last.at) last = { at: link.resetsAt, link }
  }
  if (last === null || chain[0] === undefined || periodAt(chain[0].budget, last.at) === null) return []
  const { at } = last
  return chain.every((link) => hasRoomAt(link, at)) ? [{ action: 'wait_for_reset', ...last }] : []
}

function hasRoomAt ({ budget, period, state, needNano, refusal }: Link, at: number): boolean {
  const then = periodAt(budget, at)
  if (budget.archivedAt !== null || then === null || budget.mode !== 'enforced') return true
  const same = then.start === period.start && applies({ state })
  // what is added to it for a time may have ended by then
  return same ? refusal === null : needNano <= budget.enforcedLimitNano
}

function reconcile (link: Link): Suggestion[] {
  const { doubt } = link.standing
  return link.refusal === 'budget_in_doubt' && doubt !== null ? [{ action: 'reconcile', holder: doubt.holder, link }] : []
}

function raises (short: readonly Link[]): Suggestion[] {
  return short.flatMap((link): Suggestion[] => {
    if (link.refusal === 'approval_required') return [{ action: 'ask_approval', by: lackOf(link), link }]
    const by = raiseOf(link)
    return by === null ? [] : [{ action: 'raise', by, link }]
  })
}

function lackOf ({ standing, needNano, limitNano }: Link): bigint {
  return standing.spentNano + standing.heldNano + needNano - limitNano
}

/**
 * The least by which its amount must grow: block-all and require-approval may leave only a part of it. null: past all
 * amounts, or a threshold that is an amount is in the way however large the budget is.
 */
function raiseOf (link: Link): bigint | null {
  const { budget: { alerts, amountNano }, standing: { totalNano } } = link
  const needed = link.limitNano + lackOf(link)
  let raised = needed
  for (const { threshold, amount, actions } of alerts) {
    if (!actions.includes('block-all') && !actions.includes('require-approval')) continue
    if (amount !== undefined && (parseAmount(amount) ?? 0n) < needed) return null
    const percent = parseAmount(threshold)
    const part = percent === null ? needed : ceilDiv(needed * 100n * NANO, percent)
    if (part > raised) raised = part
  }
  const by = raised - totalNano
  return amountNano + by > MAX_AMOUNT_NANO ? null : by
}

/**
 * All of it in one sentence, behind what else is known to help; several raises and approvals help together, all else
 * by itself. null: there is nothing.
 */
export function remedyText (suggestions: readonly Suggestion[], named: (link: Link) => string, first = ''): string | null {
  let text = first
  for (const [i, suggestion] of suggestions.entries()) {
    const said = sayOf(suggestion, named).replace(/\.$/, '')
    const joined = isMore(suggestion) && isMore(suggestions[i - 1]) ? ' and ' : '; or '
    text += text === '' ? said : `${joined}${said.charAt(0).toLowerCase()}${said.slice(1)}`
  }
  return text === '' ? null : `${text}.`
}

function isMore (suggestion: Suggestion | undefined): boolean {
  return suggestion?.action === 'raise' || suggestion?.action === 'ask_approval'
}

/** for people */
export function sayOf (suggestion: Suggestion, named: (link: Link) => string): string {
  switch (suggestion.action) {
    case 'lower_output':
      return `Set max_tokens to ${suggestion.maxOutputTokens} or less.`
    case 'cheaper_model':
      return `Use the model ${suggestion.model}: the same tokens fit at its price.`
    case 'wait_for_reset':
      return `Wait until ${new Date(suggestion.at).toISOString()}, when ${named(suggestion.link)} starts anew.`
    case 'try_again':
      return 'Try again in a moment, when open calls have ended.'
    case 'raise':
      return `Ask for a raise of ${named(suggestion.link)} by at least ${formatNano(suggestion.by)} ` +
        `${suggestion.link.budget.currency}.`
    case 'ask_approval':
      return `Ask for an approval of at least ${formatNano(suggestion.by)} ${suggestion.link.budget.currency} on ` +
        `${named(suggestion.link)}: POST /api/v1/approval-requests {"budgetId": "${suggestion.link.budget.id}", ` +
        `"amount": "${formatNano(suggestion.by)}", "reason": "..."}.`
    case 'resume':
      return `Ask for ${named(suggestion.link)} to be resumed.`
    case 'reconcile':
      return `Start ${suggestion.holder} again, or let an administrator run \`relaycore reconcile\`.`
  }
}
