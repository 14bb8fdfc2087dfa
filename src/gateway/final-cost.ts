import { MAX_AMOUNT_NANO } from '../money/amount.ts'
import { costNano, surcharged } from '../pricing/cost.ts'
import { type CallBound, type PricedModel } from '../pricing/price.ts'
import { SNAPSHOT } from '../pricing/price-book.ts'
import { estimateNano } from '../pricing/quote.ts'
import { type Reading } from '../usage/meter.ts'
import { type CallOutcome, type Certainty, type Usage } from '../usage/usage.ts'
import { type CallEnding } from './call.ts'

/** Statuses that say that somebody gave up waiting, not that the provider did no work. */
const GAVE_UP = new Set([408, 499, 504, 524])

export interface FinalCost {
  costNano: bigint
  certainty: Certainty
  outcome: CallOutcome
}

/**
 * What a call is charged, nano-USD. Exact where the provider reported its cost or usage, or answered with an error,
 * which it does not bill; an estimate where the meter worked the usage out, and where the client left and the answer
 * was cut by policy, by its running figures where it has them; else the quote, uncertain. `answered`: another model
 * than it was quoted for, as PriceBook has it; the dearer of the two counts.
 */
export function finalCost (
  ending: CallEnding, model: PricedModel, bound: CallBound, quote: bigint, answered?: PricedModel | null
): FinalCost {
  const { outcome, status, reading } = ending
  if (status !== null && status >= 400) {
    if (GAVE_UP.has(status) || reading?.billed === true) return { costNano: quote, certainty: 'uncertain', outcome: 'upstream_error' }
    return { costNano: 0n, certainty: 'exact', outcome: 'upstream_error' }
  }
  const used = reading === null ? null : usedNano(reading, model, bound, answered)
  if (used !== null && reading?.final === true) {
    // what is only worked out is no reason to charge more than was held
    if (reading.estimated === true) return { costNano: used < quote ? used : quote, certainty: 'estimated', outcome }
    // of a model without a price only what the provider itself says is known
    const known = model.assumed !== 'unpriced' || used > 0n
    return { costNano: used, certainty: known ? 'exact' : 'uncertain', outcome }
  }
  // more than it was held for was used already, and how much more nobody says
  if (used !== null && used > quote) return { costNano: used, certainty: 'estimated', outcome }
  if (used !== null && outcome === 'client_gone' && reading?.running === true) {
    return { costNano: used, certainty: 'estimated', outcome }
  }
  if (outcome === 'client_gone' && reading !== null && !model.reasoning) {
    const estimate = estimateNano(model, bound, reading.bodyBytes)
    if (estimate !== null && estimate < quote) return { costNano: estimate, certainty: 'estimated', outcome }
  }
  return { costNano: quote, certainty: 'uncertain', outcome }
}

/** What the usage that was read costs, nano-USD: of a whole answer, or so far. null: it is not known. */
export function usedNano (
  reading: Reading, model: PricedModel, bound: Pick<CallBound, 'tier' | 'surcharge' | 'others'>,
  answered?: PricedModel | null
): bigint | null {
  if (reading.costNano !== undefined) return reading.costNano
  let used = ownNano(reading, model, bound, answered)
  for (const { model: name, usage } of reading.others ?? []) {
    const other = bound.others?.find(({ model: asked }) => undated(asked) === undated(name))
    const cost = other?.priced === undefined ? null : ownNano({ usage }, other.priced, other.bound)
    used = used === null || cost === null ? null : used + cost
  }
  return used
}

/** answers name the snapshot that has served them */
function undated (name: string): string { return name.replace(SNAPSHOT, '') }

/** without other models */
function ownNano (
  { usage }: Pick<Reading, 'usage'>, model: PricedModel, bound: Pick<CallBound, 'tier' | 'surcharge'>,
  answered?: PricedModel | null
): bigint | null {
  if (usage === null) return null
  if (usage.reportedNano !== undefined && isCharge(usage.reportedNano)) return usage.reportedNano
  const tier = surcharged(usage.tier ?? bound.tier, bound.surcharge)
  const atTier = tier === usage.tier ? usage : { ...usage, tier }
  return answered === undefined ? costNano(model, atTier) : dearerNano(model, answered, atTier)
}

/** null: what one of them would cost is not known */
function dearerNano (model: PricedModel, answered: PricedModel | null, usage: Usage): bigint | null {
  const cost = costNano(model, usage)
  const other = answered === null ? null : costNano(answered, usage)
  if (cost === null || other === null) return null
  return cost > other ? cost : other
}

/**
 * Zero is not believed, since servers that know of no price say it too: what the price book makes of the usage counts
 * then. Past what the ledger can hold it is no cost.
 */
function isCharge (reported: bigint): boolean { return reported > 0n && reported <= MAX_AMOUNT_NANO }
