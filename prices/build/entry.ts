import { type CatalogModel } from '../../src/pricing/catalog.ts'

/** A model on its way into the catalog: not all is known yet. Prices are those of the catalog's text. */
export type Entry = Omit<CatalogModel, 'contextWindow' | 'maxOutput' | 'reasoning'> & {
  contextWindow?: number
  maxOutput?: number
  reasoning?: boolean
  /** where it is from, in the order in which they were laid over each other */
  from: string[]
}

export type Prices = Pick<Entry, 'input' | 'cacheRead' | 'cacheWrite5m' | 'cacheWrite1h' | 'output' | 'units'>

const MOST_DECIMALS = 9

/**
 * A price as it was meant: the double's decimal text, of which what is past the ninth decimal is rounded up, but for
 * the double's own imprecision. undefined: zero, which in these sources says "none" as often as "free".
 */
export function decimal (value: number | undefined): string | undefined {
  if (value === undefined || value === 0) return undefined
  if (!Number.isFinite(value) || value < 0 || value > 1e6) throw new Error(`no price: ${value}`)
  return nanoText(BigInt(Math.ceil(value * 1e9 - 1e-3)))
}

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

function textNano (text: string): bigint {
  const [whole = '', decimals = ''] = text.split('.')
  return BigInt(whole + decimals.padEnd(MOST_DECIMALS, '0'))
}

function nanoText (nano: bigint): string {
  const digits = String(nano).padStart(MOST_DECIMALS + 1, '0')
  const text = `${digits.slice(0, -MOST_DECIMALS)}.${digits.slice(-MOST_DECIMALS)}`
  return text.replace(/\.?0+$/, '')
}

/** without what is undefined, so that it is not there at all */
export function defined<T extends object> (value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as never
}
