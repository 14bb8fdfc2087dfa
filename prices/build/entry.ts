import { type CatalogModel } from '../../src/pricing/catalog.ts'
import { nanoText, textNano } from '../../src/pricing/decimal.ts'

/** A model on its way into the catalog: not all is known yet. Prices are those of the catalog's text. */
export type Entry = Omit<CatalogModel, 'contextWindow' | 'maxOutput' | 'reasoning'> & {
  contextWindow?: number
  maxOutput?: number
  reasoning?: boolean
  /** where it is from, in the order in which they were laid over each other */
  from: string[]
}

export type Prices = Pick<Entry, 'input' | 'cacheRead' | 'cacheWrite5m' | 'cacheWrite1h' | 'output' | 'units'>

/** of a price per hour, that of a million seconds; a fraction of the last decimal is rounded up */
export function perMillionSeconds (perHour: number): string {
  const nano = BigInt(Math.round(perHour * 1e6)) * 1_000_000_000n
  return nanoText((nano + 3_599n) / 3_600n)
}

/** `text` times a decimal with at most three places, exact */
export function times (text: string, factor: string): string {
  const nano = textNano(text) * BigInt(Math.round(Number(factor) * 1_000))
  if (nano % 1_000n !== 0n) throw new Error(`${text} times ${factor} has more than nine decimals`)
  return nanoText(nano / 1_000n)
}

export function dearer (one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return textNano(one) >= textNano(other) ? one : other
}
