import { allowedBy, appliedFrom, appliedTo, type AppliedBudget, barredBy } from '../budget/applies.ts'
import { type Budget, type CallLimits, type Identity } from '../budget/budget.ts'
import { isForEach, missingSubject, subjectIn } from '../budget/subject.ts'
import { Forbidden, invalidField, unprocessable } from '../errors.ts'
import { convertNano, toUsdNano } from '../money/amount.ts'
import { costNano } from '../pricing/cost.ts'
import { type PriceBook, type PricedModel } from '../pricing/price.ts'
import { quoteNano } from '../pricing/quote.ts'
import { unpriced } from '../pricing/unpriced.ts'
import { type Usage } from '../usage/usage.ts'
import { type HeldAccount, type HoldAmount, type HoldDraft, type Holder, type Money } from './hold.ts'

/** What is asked to be set aside: an amount, or what a call of this model can cost at most. */
export type Asked = Money | { inputTokens: number | null, outputTokens: number | null, tier: string | null }

export interface HoldOrder {
  holder: Holder
  /** this budget and those above it; null: all that apply to the holder */
  budgetId: string | null
  asked: Asked
  provider: string | null
  model: string | null
  /** of the gateway key that holds; undefined: everything */
  limits: CallLimits | undefined
}

/** What the hold is worth: in its own currency, and in USD. */
export interface Worth extends Money {
  quoteNano: bigint
  rate: string | null
  priceVersion: string
}

/** at the rate in force now, which is pinned. Throws Unprocessable where there is no price or no rate. */
export async function worthOf (
  order: HoldOrder, prices: PriceBook, rate: (currency: string) => Promise<string | null>, at: number
): Promise<Worth> {
  const { asked } = order
  if (!('amountNano' in asked)) {
    const model = pricedModel(order, prices, at)
    const { inputTokens, outputTokens, tier } = asked
    const cacheWrite = model.rates.cacheWrite1h === null ? '5m' : '1h'
    const quote = quoteNano(model, {
      inputTokens: inputTokens ?? Infinity, outputTokens, choices: 1, cacheWrite, tier, webSearches: 0,
    })
    if (quote === null) throw unprocessable('tier', `tier: there is no price for ${model.model} at ${JSON.stringify(tier)}`)
    return { amountNano: quote, currency: 'USD', quoteNano: quote, rate: null, priceVersion: model.priceVersion }
  }
  const { amountNano, currency } = asked
  const pinned = await rate(currency)
  if (pinned === null && currency !== 'USD') {
    throw unprocessable('currency', `currency ${currency} has no exchange rate: add one with POST /api/v1/exchange-rates`)
  }
  return { amountNano, currency, quoteNano: inUsd(amountNano, pinned), rate: pinned, priceVersion: 'none' }
}

/** The model's own name where the catalog knows it, as with calls: filters are written for that name. */
export function modelName ({ provider, model }: Pick<HoldOrder, 'provider' | 'model'>, prices: PriceBook, at: number): string {
  return (provider === null || model === null ? null : prices.find(provider, model, at))?.model ?? model ?? ''
}

/** A key holds for what it may call, and for nothing else. */
export function requireAllowed ({ limits, provider, model }: HoldOrder, known: string): void {
  const what = barredBy(limits, provider ?? '', model ?? '', known)
  if (what === null || limits === undefined) return
  throw Object.assign(new Forbidden(`This gateway key may hold only for ${what === 'provider' ? 'calls of' : 'models'} ` +
    `${allowedBy(limits, what)}, and a hold must name which`), { field: what })
}

export function appliedBudgets (
  order: HoldOrder, budgets: readonly Budget[], model: string, at: number
): AppliedBudget[] {
  const { budgetId, holder, provider } = order
  const identity = identityOf(holder)
  if (budgetId === null) return appliedTo(budgets, identity, { provider: provider ?? '', model, endpoint: 'holds' }, at)
  const named = budgets.find(({ id }) => id === budgetId)
  if (named !== undefined && isForEach(named) && subjectIn(named, identity) === null) throw missingSubject(named, 'identity/')
  return appliedFrom(budgets, budgetId, identity, at)
}

/** as that of a call */
export function identityOf (holder: Holder): Identity {
  const { organizationId, teamId, projectId, userId, tags, keyId, sessionId, endUserId } = holder
  return {
    organizationId: organizationId ?? '',
    teamId,
    projectId,
    userId,
    tags,
    keyId: keyId ?? '',
    sessionId: sessionId ?? null,
    ...endUserId === undefined ? {} : { endUserId },
  }
}

/** in each account's currency; where it is the hold's own, to the nano-unit */
export function amountsOn (
  applied: readonly AppliedBudget[], accountIds: readonly number[], worth: Worth
): HoldAmount[] {
  return applied.map(({ budget }, i) => ({
    accountId: accountIds[i] as number,
    quoteNano: inCurrency(worth, worth.quoteNano, budget.currency, budget.rate),
    rate: budget.rate,
  }))
}

/** What a hold cost, in its own currency (null) or in USD; null: by what was used, priced as when it was opened. */
export type Spent = { amountNano: bigint, currency: string | null } | null

export function costOf (
  hold: HoldDraft & { accounts: readonly HeldAccount[] }, spent: Spent, usage: Usage | null, prices: PriceBook
): { cost: Money, costNano: bigint, costs: { accountId: number, amountNano: bigint }[] } {
  const cost = spent === null
    ? pricedUsage(hold, usage, prices)
    : { ...spent, currency: spent.currency ?? hold.currency }
  if (cost.currency !== hold.currency && cost.currency !== 'USD') {
    const known = [...new Set([hold.currency, 'USD'])].map((one) => JSON.stringify(one)).join(' or ')
    throw invalidField('currency', `${known}: the hold has a rate for no other`, cost.currency)
  }
  const usd = cost.currency === 'USD' ? cost.amountNano : inUsd(cost.amountNano, hold.rate)
  return {
    cost,
    costNano: usd,
    costs: hold.accounts.map(({ accountId, currency, rate }) =>
      ({ accountId, amountNano: inCurrency(cost, usd, currency, rate) })),
  }
}

function pricedUsage (hold: HoldDraft, usage: Usage | null, prices: PriceBook): Money {
  if (usage === null) throw invalidField('amount', 'given, or what was used, to be priced', undefined)
  const model = pricedModel(hold, prices, hold.openedAt)
  const cost = costNano(model, usage)
  if (cost === null) {
    const what = [...usage.tier === null ? [] : [`the tier ${JSON.stringify(usage.tier)}`], ...Object.keys(usage.units ?? {})]
    throw unprocessable('tier', `There is no price of ${model.model} for ${what.join(' or ') || 'what was used'}: give the amount`)
  }
  return { amountNano: cost, currency: 'USD' }
}

function pricedModel ({ provider, model }: Pick<HoldOrder, 'provider' | 'model'>, prices: PriceBook, at: number): PricedModel {
  if (provider === null) throw invalidField('provider', 'given where tokens are to be priced', undefined)
  if (model === null) throw invalidField('model', 'given where tokens are to be priced', undefined)
  const found = prices.find(provider, model, at)
  if (found !== null) return found
  throw unpriced(provider, model, prices, ': give an amount')
}

function inUsd (nano: bigint, rate: string | null): bigint { return rate === null ? nano : toUsdNano(nano, rate) }

function inCurrency (money: Money, usd: bigint, currency: string, rate: string | null): bigint {
  return currency === money.currency ? money.amountNano : convertNano(usd, rate)
}
