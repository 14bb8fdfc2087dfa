import { type BillableEndpoint, type CallRequest, isRefusal, NO_TARGET, type Provider } from '../../src/providers/provider.ts'
import { type Refusal } from '../../src/errors.ts'
import { type PricedModel } from '../../src/pricing/price.ts'
import { type Meter, type Reading } from '../../src/usage/meter.ts'

export const SSE = { status: 200, contentType: 'text/event-stream; charset=utf-8', contentEncoding: 'identity', headers: {} }
export const JSON_ANSWER = { status: 200, contentType: 'application/json', contentEncoding: 'identity', headers: {} }

/** USD per million tokens: input 2, read from the cache 1, written to it 3, output 8; pages at a thousand for a USD */
export const MODEL: PricedModel = {
  provider: 'x',
  model: 'm',
  contextWindow: 100_000,
  maxOutput: 8_000,
  reasoning: false,
  cachesUnasked: false,
  rates: {
    input: 2_000_000_000n,
    cacheRead: 1_000_000_000n,
    cacheWrite5m: 3_000_000_000n,
    cacheWrite1h: null,
    output: 8_000_000_000n,
  },
  unitRates: { pages: 1_000_000_000_000n },
  tiers: [],
  multipliers: {},
  webSearchNano: null,
  priceVersion: 'x',
}

export function billable (provider: Provider): BillableEndpoint {
  return provider.endpoints.find((endpoint) => endpoint.kind === 'billable') as BillableEndpoint
}

/** its billable endpoint of this path */
export function named (provider: Provider, path: string): BillableEndpoint {
  const found = provider.endpoints.find((endpoint) => endpoint.path === path && endpoint.kind === 'billable')
  if (found?.kind !== 'billable') throw new Error(`${provider.name} has no ${path}`)
  return found
}

/** the provider with this one endpoint alone */
export function surface (provider: Provider, name: string): Provider {
  const endpoints = provider.endpoints.filter((endpoint) => endpoint.name === name)
  if (endpoints.length !== 1) throw new Error(`${provider.name} has ${endpoints.length} endpoints ${name}`)
  return { ...provider, endpoints }
}

/** what a dialect makes of a body, as a client's JSON.stringify writes it or as `text` does */
export function read (provider: Provider, body: object, text = JSON.stringify(body)): CallRequest | Refusal {
  return billable(provider).read(JSON.parse(text), Buffer.from(text), NO_TARGET)
}

export function aCall (provider: Provider, body: object): CallRequest {
  const request = read(provider, body)
  if (isRefusal(request)) throw new Error(request.message)
  return request
}

/** what passes through a meter when the bytes come cut in these places */
export function pass (meter: Meter, bytes: Buffer, at: number[] = []): Buffer {
  const points = [...new Set(at.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b)
  const out = [0, ...points].map((from, i) => meter.data(bytes.subarray(from, points[i] ?? bytes.length)))
  out.push(meter.end())
  return Buffer.concat(out.filter((part) => part !== null))
}

/** an answer that passed whole: what came through, and what was read */
export function metered (
  provider: Provider, request: CallRequest, answer: Parameters<BillableEndpoint['meter']>[1], text: string | Buffer,
  priced?: PricedModel
): { out: string, reading: Reading } {
  const meter = billable(provider).meter(request, answer, priced)
  const out = pass(meter, Buffer.from(text)).toString()
  return { out, reading: meter.reading() }
}
