import { usedNano } from '../../../src/gateway/final-cost.ts'
import { CatalogPriceBook } from '../../../src/pricing/price-book.ts'
import { NamedPrices } from '../../../src/pricing/named-prices.ts'
import { type PricedModel } from '../../../src/pricing/price.ts'
import { loadConfig } from '../../../src/config.ts'
import { namingsOf } from '../../../src/providers/configured.ts'
import { type BillableEndpoint, type CallRequest } from '../../../src/providers/provider.ts'
import { vertex } from '../../../src/providers/vertex/index.ts'
import { aCall, metered } from '../gemini/builders.ts'
import { JSON_ANSWER, named } from '../builders.ts'

const prices = new NamedPrices(new CatalogPriceBook(), namingsOf(loadConfig({})))

export const PLACE = '/v1/projects/{project}/locations/{location}/publishers'
export const at = (rest: string): BillableEndpoint => named(vertex, `${PLACE}/${rest}`)

export function priceOf (model: string): PricedModel {
  const priced = prices.find('vertex', model, Date.UTC(2026, 10, 26))
  if (priced === null) throw new Error(`no price of ${model}`)
  return priced
}

/** a call to a model in a place, and what it cost by its answer, nano-USD */
export function costIn (
  location: string, model: string, of: BillableEndpoint, body: object, answer: object, head = JSON_ANSWER
): { call: CallRequest, cost: bigint | null } {
  const call = aCall(body, { model, of, params: { project: 'p-1', location } })
  const { reading } = metered(call, head, JSON.stringify(answer), { of })
  return { call, cost: usedNano(reading, priceOf(model), call.bound) }
}
