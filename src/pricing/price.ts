/**
 * Rates of one model at one time, as exact integers: femto-USD (1e-15) per token, so that a decimal string
 * per million tokens with up to nine decimals is represented exactly.
 */
export interface Rates {
  /** null, here and below: the model has no such tokens, or no price for them is known; never free */
  input: bigint | null
  cacheRead: bigint | null
  cacheWrite5m: bigint | null
  cacheWrite1h: bigint | null
  output: bigint | null
}

/** What a call's consumption is multiplied with. */
export interface Prices {
  /** of text */
  rates: Rates
  /** femto-USD per unit, by the names in usage/units.ts; what is not in it has no price */
  unitRates: Record<string, bigint>
}

export interface ContextTier extends Prices {
  /** total input tokens, those of all units too, from which on these prices apply to the whole call */
  fromInputTokens: number
}

export interface PricedModel extends Prices {
  provider: string
  model: string
  /** of tokens; 0: it reads none, e.g. a model that is billed by seconds alone */
  contextWindow: number
  /** of tokens; 0: it puts out none that are billed, e.g. an embedding */
  maxOutput: number
  /** true: the model may put out tokens that are not visible in the answer */
  reasoning: boolean
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
  /**
   * absent: the model has these prices. priced: it has none, and these are another model's, since its operator says so.
   * unpriced: it has none and is let through all the same; whatever it consumes costs nothing that anybody knows.
   */
  assumed?: 'priced' | 'unpriced'
}

/** by which metrics name it: names that nobody knows are the client's own, and there is no end to them */
export function labelOf ({ model, assumed }: PricedModel): string { return assumed === undefined ? model : 'other' }

/** Finds the price in force. Exact id, then declared alias, then the id without its dated snapshot. */
export interface PriceBook {
  /** that have prices here */
  readonly providers: readonly string[]
  find (provider: string, model: string, at: number): PricedModel | null
  /** all of a provider's models, at the prices in force at `at` (ms since the epoch) */
  list (provider: string, at: number): PricedModel[]
  /** the setting that says what a name stands for, where it is a deployment's and none does; null: none is missing */
  missing? (provider: string, model: string): string | null
  /**
   * The model that an answer names, where the name that was asked for is a deployment's and another one has answered
   * than it stands for. null: that has no price. undefined: it is the same, or no deployment was asked for.
   */
  answered? (provider: string, asked: string, used: string | null, at: number): PricedModel | null | undefined
}

/** The most that a call may consume; see quote() in quote.ts */
export interface CallBound {
  /**
   * upper bound of input tokens of every kind, not yet clamped to the context window; Infinity: not bounded by the body
   */
  inputTokens: number
  /** how many inputs there are, each as long as the context window at most (embeddings, lists of prompts); absent: 1 */
  inputs?: number
  /** per choice; null: the request states none, so the model's maximum applies */
  outputTokens: number | null
  choices: number
  cacheWrite: 'none' | '5m' | '1h'
  /** what the request asks for, e.g. 'flex', 'priority', several joined as in 'fast+us'; null: standard */
  tier: string | null
  /** by its name, a multiplier of the whole call besides, whatever tier its answer says it had; absent: none */
  surcharge?: string
  webSearches: number
  /** how often the model runs, each time as long as the context window; absent: once, and once more per web search */
  runs?: number
  /** tokens of the context window that the call asks for; absent: the model's own, for which its prices are */
  contextWindow?: number
  /** units of tokens that any of the input may turn out to be, e.g. `inputAudioTokens`; absent: it is text alone */
  inputUnits?: readonly string[]
  /** units of tokens that any of the output may turn out to be; absent: it is text alone */
  outputUnits?: readonly string[]
  /** the most of each unit that is no token, e.g. `{ seconds: 60 }`, in all and not per choice; absent: none */
  units?: Readonly<Record<string, number>>
  /**
   * What a model without tokens bills in their place (characters that are spoken, seconds of audio, images by their
   * size): the first of these of which it has all prices. Absent: no such model can serve this.
   */
  instead?: readonly Readonly<Record<string, number>>[]
  /** other models that work within the call, each at its own prices; absent: none may */
  others?: readonly OtherModel[]
  /**
   * Several requests of one model in one call, each with a bound of its own: they say all that it may cost. Absent: it
   * is one request.
   */
  parts?: readonly CallBound[]
}

export interface OtherModel {
  /** as the request names it */
  model: string
  bound: CallBound
  /** absent: not looked up yet, and without a quote */
  priced?: PricedModel
}
