import { unprocessable } from '../errors.ts'
import { type PriceBook } from './price.ts'

/** Unprocessable for a model without a price: its provider is named as wrong where that has no price at all. */
export function unpriced (provider: string, model: string, { providers }: PriceBook, remedy = ''): Error {
  const shown = (name: string) => JSON.stringify(name.slice(0, 100))
  if (!providers.includes(provider)) {
    return unprocessable('provider', `provider ${shown(provider)} has no prices; those that have are ${providers.join(', ')}`)
  }
  return unprocessable('model', `model ${shown(model)} of provider ${shown(provider)} has no price in the catalog${remedy}`)
}
