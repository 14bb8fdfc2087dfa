import { formatNano, parseAmount } from '../../money/amount.ts'
import { type PricedModel } from '../../pricing/price.ts'
import { mostTokens } from '../../pricing/quote.ts'
import { isObject } from '../body.ts'
import { withMembers } from '../changed-body.ts'
import { topLevelMembers } from '../json-scan.ts'
import { type CallRequest } from '../provider.ts'

/**
 * The request with the dearest price at which it may be served: what its quote was made with, or less where the client
 * says so. OpenRouter sends a call to any of the providers that have a model, each with prices of its own; at
 * `provider.max_price` (USD per million tokens) dearer ones are left out ("Provider routing").
 */
export function withMaxPrice (body: unknown, bytes: Buffer, { bound }: CallRequest, model: PricedModel): Buffer {
  const provider = isObject(body) ? body['provider'] : undefined
  const asked = isObject(provider) && isObject(provider['max_price']) ? provider['max_price'] : {}
  const limits = new Map<string, string>()
  for (const [name, rate] of [['prompt', 'input'], ['completion', 'output']] as const) {
    const most = dearest(model, rate, mostTokens(model, bound).input)
    if (most !== null) limits.set(name, formatNano(lower(most, asked[name])))
  }
  // a price per request is in no quote
  limits.set('request', '0')
  const sub = (name: string, within: Buffer, value: (inner: Buffer) => string): Buffer => {
    const found = topLevelMembers(within).find(({ key }) => key === name)
    const inner = found === undefined ? EMPTY : within.subarray(found.valueStart, found.valueEnd)
    return withMembers(within, new Map([[name, value(inner[0] === OPEN_OBJECT ? inner : EMPTY)]]))
  }
  return sub('provider', bytes, (inner) =>
    sub('max_price', inner, (prices) => withMembers(prices, limits).toString()).toString())
}

const EMPTY = Buffer.from('{}')
const OPEN_OBJECT = 0x7b

/**
 * Nano-USD per million tokens, which is femto-USD each, in the context tiers that so many tokens of input can reach;
 * null: there are no such tokens.
 */
function dearest (model: PricedModel, rate: 'input' | 'output', input: number): bigint | null {
  let most: bigint | null = model.rates[rate]
  for (const { fromInputTokens, rates } of model.tiers) {
    if (fromInputTokens <= input && most !== null && (rates[rate] ?? 0n) > most) most = rates[rate]
  }
  return most
}

function lower (most: bigint, asked: unknown): bigint {
  const own = typeof asked === 'number' || typeof asked === 'string' ? parseAmount(String(asked)) : null
  return own !== null && own < most ? own : most
}
