import { type CallBound, type PricedModel } from './price.ts'

/**
 * What it takes to work a cost out later, at another gateway and whatever the catalog says by then: the prices that a
 * call was quoted by, and what of its request its usage is read by.
 */
export interface PinnedTerms {
  /** as the client named the model */
  asked: string
  model: PricedModel
  bound: Omit<CallBound, 'inputTokens' | 'parts'>
}

export function pinTerms (asked: string, model: PricedModel, whole: CallBound): PinnedTerms {
  const { inputTokens: _open, parts: _each, ...bound } = whole
  return { asked, model, bound }
}

/** JSON, in which a bigint is `{"bigint": "<decimal>"}` */
export function pinnedText (terms: PinnedTerms): string {
  return JSON.stringify(terms, (_key, value: unknown) => typeof value === 'bigint' ? { bigint: String(value) } : value)
}

/** of what `pinnedText` has made, read as JSON */
export function pinnedTerms (json: unknown): PinnedTerms { return thawed(json) as PinnedTerms }

function thawed (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(thawed)
  if (typeof value !== 'object' || value === null) return value
  if ('bigint' in value && typeof value.bigint === 'string') return BigInt(value.bigint)
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, thawed(inner)]))
}
