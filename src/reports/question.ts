import { type Budget } from '../budget/budget.ts'
import { invalidField, unprocessable } from '../errors.ts'
import { AMOUNT_EXPECTED, parseAmount } from '../money/amount.ts'
import { isCurrency } from '../money/currency.ts'
import { type CallBound, type PriceBook } from '../pricing/price.ts'
import { quoteNano } from '../pricing/quote.ts'
import { unpriced } from '../pricing/unpriced.ts'
import { type Estimate } from './constraints.ts'
import { type PricedCall } from './suggestions.ts'

/** What somebody asks whether a budget has room for: an amount, or a call that the catalog is to price. */
export interface ConstraintQuestion {
  estimatedCost?: string | number
  /** of estimatedCost; the budget's if it is not given */
  currency?: string
  provider?: string
  model?: string
  inputTokens?: number
  /** of each choice; absent: the model's maximum, as for a call without max_tokens */
  outputTokens?: number
  choices?: number
  cacheWrite?: CallBound['cacheWrite']
  tier?: string
  webSearches?: number
}

const OF_A_CALL = ['provider', 'model', 'inputTokens', 'outputTokens', 'choices', 'cacheWrite', 'tier', 'webSearches'] as const
const NEEDED = ['provider', 'model', 'inputTokens'] as const

export interface Asked {
  estimate: Estimate
  /** null: an amount was given */
  priced: PricedCall | null
}

/** Throws InvalidField for what is neither, Unprocessable for what has no price or no rate. */
export async function readQuestion (
  asked: ConstraintQuestion, budget: Budget, { prices, now, rate }: {
    prices: PriceBook, now: number, rate: (currency: string) => Promise<string | null>
  }
): Promise<Asked> {
  if (asked.estimatedCost === undefined) return priceOf(asked, prices, now)
  const extra = OF_A_CALL.find((name) => asked[name] !== undefined)
  if (extra !== undefined) throw invalidField(extra, 'absent where estimatedCost is given', asked[extra])
  const nano = parseAmount(asked.estimatedCost)
  if (nano === null) throw invalidField('estimatedCost', AMOUNT_EXPECTED, asked.estimatedCost)
  const currency = asked.currency ?? budget.currency
  if (!isCurrency(currency)) throw invalidField('currency', 'an ISO 4217 code in capital letters, e.g. "USD"', currency)
  if (currency === budget.currency) return { estimate: { nano, currency, rate: budget.rate }, priced: null }
  const found = currency === 'USD' ? null : await rate(currency)
  if (found === null && currency !== 'USD') {
    throw unprocessable('currency', `currency ${currency} has no exchange rate: add one with POST /api/v1/exchange-rates`)
  }
  return { estimate: { nano, currency, rate: found }, priced: null }
}

function priceOf (asked: ConstraintQuestion, prices: PriceBook, at: number): Asked {
  for (const name of NEEDED) {
    if (asked[name] !== undefined) continue
    throw invalidField(name === 'provider' ? 'estimatedCost' : name, 'given, or provider, model and inputTokens', undefined)
  }
  if (asked.currency !== undefined) throw invalidField('currency', 'absent without estimatedCost', asked.currency)
  const { provider = '', model: name = '', inputTokens = 0, outputTokens = null } = asked
  const model = prices.find(provider, name, at)
  if (model === null) throw unpriced(provider, name, prices)
  const bound: CallBound = {
    inputTokens,
    outputTokens,
    choices: asked.choices ?? 1,
    cacheWrite: asked.cacheWrite ?? 'none',
    tier: asked.tier ?? null,
    webSearches: asked.webSearches ?? 0,
  }
  const nano = quoteNano(model, bound)
  if (nano === null) {
    throw unprocessable(asked.tier === undefined ? 'webSearches' : 'tier', `The catalog has no price for ${model.model}` + (asked.tier === undefined
      ? ' with web searches'
      : ` at ${JSON.stringify(asked.tier)}`))
  }
  return { estimate: { nano, currency: 'USD', rate: null }, priced: { prices, model, bound, at } }
}
