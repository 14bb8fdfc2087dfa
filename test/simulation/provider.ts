import { type CallBound, type PriceBook, type PricedModel } from '../../src/pricing/price.ts'
import { type BillableEndpoint, type CallRequest, type Provider } from '../../src/providers/provider.ts'
import { type Meter, type Reading } from '../../src/usage/meter.ts'
import { NOTHING_USED } from '../../src/usage/usage.ts'

/**
 * The provider, with books of its own: what reached it, and what it bills for that. One token of its output costs a
 * nano-dollar, so a call's quote is the output that it asks for at most.
 */
export interface Entry { callNo: number, costNano: bigint }

export class SimProvider {
  /** by the number of the call */
  readonly books = new Map<number, Entry>()
  /** the same call more than once is a fault of the gateway's */
  twice = 0

  reached (callNo: number): Entry {
    if (this.books.has(callNo)) this.twice++
    const entry = { callNo, costNano: 0n }
    this.books.set(callNo, entry)
    return entry
  }
}

const FEMTO_PER_NANO = 1_000_000n

const MODEL: PricedModel = {
  provider: 'sim',
  model: 'sim-1',
  contextWindow: 1_000_000,
  maxOutput: 100_000,
  reasoning: true,
  rates: { input: 0n, cacheRead: 0n, cacheWrite5m: 0n, cacheWrite1h: 0n, output: FEMTO_PER_NANO },
  unitRates: {},
  tiers: [],
  cachesUnasked: false,
  multipliers: {},
  webSearchNano: null,
  priceVersion: 'sim',
}

export const PRICES: PriceBook = {
  providers: ['sim'],
  find: () => MODEL,
  list: () => [MODEL],
}

const bound = (outputTokens: number): CallBound =>
  ({ inputTokens: 0, outputTokens, choices: 1, cacheWrite: 'none', tier: null, webSearches: 0 })

/** The body is the number of tokens that are asked for. */
export const ENDPOINT: BillableEndpoint = {
  kind: 'billable',
  name: 'chat.completions',
  method: 'POST',
  path: '/v1/chat/completions',
  about: { model: '', output: '', usage: '' },
  read: (body): CallRequest => ({
    model: MODEL.model,
    stream: false,
    bound: bound(body as number),
    usageAsked: true,
    thinking: null,
    endUser: null,
    endUserField: '',
  }),
  forwardBody: (_call, _body, bytes) => bytes,
  meter: (): Meter => { throw new Error('answers are read as they are made') },
}

export const PROVIDER = { name: 'sim', endpoints: [ENDPOINT] } as unknown as Provider

/** What an answer says of what was used. */
export function reading (tokens: number, over: Partial<Reading> = {}): Reading {
  return {
    usage: { ...NOTHING_USED, outputTokens: tokens },
    final: true,
    modelUsed: null,
    providerRequestId: null,
    bodyBytes: 0,
    ...over,
  }
}
