import { convertNano } from '../money/amount.ts'
import { type CallBound, type PricedModel } from './price.ts'
import { quoteNano } from './quote.ts'

/** One budget that a call is to be held on. */
export interface CapAccount {
  /** what can be held, nano-units of its currency */
  roomNano: bigint
  /** units of the currency per USD; null: USD */
  rate: string | null
  /** null: the budget does not let calls be capped */
  cap: { minimumTokens: number, reasoning: boolean } | null
}

/**
 * The most output tokens per answer, below what the call asks for, with which its quote fits all of these accounts.
 * null: there is no such number, it is too small to be of use, or nothing is in the way. `thinking`: as in CallRequest.
 */
export function cappedOutput (
  model: PricedModel, bound: CallBound, thinking: number | 'open' | null, accounts: readonly CapAccount[]
): number | null {
  if (thinking === null) return null
  const asked = Math.min(bound.outputTokens ?? model.maxOutput, model.maxOutput)
  const fits = (tokens: number, { roomNano, rate }: CapAccount): boolean => {
    const quote = quoteNano(model, { ...bound, outputTokens: tokens })
    return quote !== null && convertNano(quote, rate) <= roomNano
  }
  const tight = accounts.filter((account) => !fits(asked, account))
  let least = 0
  for (const { cap } of tight) {
    if (cap === null || (thinking === 'open' && model.reasoning && !cap.reasoning)) return null
    least = Math.max(least, cap.minimumTokens)
  }
  if (typeof thinking === 'number') least += thinking
  const fitAll = (tokens: number) => accounts.every((account) => fits(tokens, account))
  if (tight.length === 0 || least >= asked || !fitAll(least)) return null
  // the quote grows with the tokens
  let [low, high] = [least, asked]
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2)
    if (fitAll(middle)) low = middle
    else high = middle
  }
  return low
}
