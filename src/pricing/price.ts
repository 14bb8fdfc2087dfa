/**
 * Rates of one model at one time, as exact integers: femto-USD (1e-15) per token, so that a decimal string
 * per million tokens with up to nine decimals is represented exactly.
 */
export interface Rates {
  input: bigint
  cacheRead: bigint
  cacheWrite5m: bigint
  cacheWrite1h: bigint
  output: bigint
}

export interface ContextTier {
  /** total input tokens from which on these rates apply to the whole call */
  fromInputTokens: number
  rates: Rates
}

export interface PricedModel {
  provider: string
  model: string
  contextWindow: number
  maxOutput: number
  /** true: the model may put out tokens that are not visible in the answer */
  reasoning: boolean
  rates: Rates
  /** ascending by fromInputTokens; empty where the price is flat */
  tiers: ContextTier[]
  /** true: the model may write a prompt to its cache, at the price of a cache write, without being asked to */
  cachesUnasked: boolean
  /** multiplier by service tier, speed or region, a decimal or a ratio, e.g. { flex: '0.5', priority: '5/3' } */
  multipliers: Record<string, string>
  /** nano-USD per web search; null where the provider has none or no price is known */
  webSearchNano: bigint | null
  /** identifies catalog entry and version; written on every usage event */
  priceVersion: string
}

/** Finds the price in force. Exact id, then declared alias, then the id without its dated snapshot. */
export interface PriceBook {
  /** that have prices here */
  readonly providers: readonly string[]
  find (provider: string, model: string, at: number): PricedModel | null
  /** for GET /v1/models */
  list (provider: string): PricedModel[]
}

/** The most that a call may consume; see quote() in quote.ts */
export interface CallBound {
  /** upper bound of input tokens, not yet clamped to the context window; Infinity: not bounded by the body */
  inputTokens: number
  /** per choice; null: the request states none, so the model's maximum applies */
  outputTokens: number | null
  choices: number
  cacheWrite: 'none' | '5m' | '1h'
  /** what the request asks for, e.g. 'flex', 'priority', several joined as in 'fast+us'; null: standard */
  tier: string | null
  webSearches: number
}
