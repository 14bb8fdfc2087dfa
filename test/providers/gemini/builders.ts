import { type CatalogProvider, compileModel } from '../../../src/pricing/catalog.ts'
import { costNano } from '../../../src/pricing/cost.ts'
import { type PricedModel } from '../../../src/pricing/price.ts'
import { type Usage } from '../../../src/usage/usage.ts'
import { gemini } from '../../../src/providers/gemini/index.ts'
import { type AnswerHead, type BillableEndpoint, type CallRequest, isRefusal, type Provider } from '../../../src/providers/provider.ts'
import { type Reading } from '../../../src/usage/meter.ts'
import { type Refusal } from '../../../src/errors.ts'
import { pass } from '../builders.ts'

/** In the shape of Google's prices: two tiers, sound dearer than text, searches by the prompt or by the query. */
const PRICES: CatalogProvider = {
  provider: 'gemini',
  cachesUnasked: false,
  asText: ['inputImageTokens', 'inputVideoTokens', 'inputAudioTokens'],
  models: [
    {
      source: 'invented',
      checkedAt: '2026-11-26',
      model: 'gemini-2.5-pro',
      contextWindow: 1_048_576,
      maxOutput: 65_536,
      reasoning: true,
      input: '1.25',
      cacheRead: '0.125',
      output: '10',
      units: { groundedPrompts: '35000' },
      tiers: [{ fromInputTokens: 200_001, input: '2.5', cacheRead: '0.25', output: '15' }],
      multipliers: { flex: '0.5', priority: '1.8' },
    },
    {
      source: 'invented',
      checkedAt: '2026-11-26',
      model: 'gemini-2.5-flash',
      contextWindow: 1_048_576,
      maxOutput: 65_536,
      reasoning: true,
      input: '0.3',
      cacheRead: '0.03',
      output: '2.5',
      units: { inputAudioTokens: '1', cachedAudioTokens: '0.1', groundedPrompts: '35000' },
      multipliers: { flex: '0.5', priority: '1.8' },
    },
    {
      source: 'invented',
      checkedAt: '2026-11-26',
      model: 'gemini-3-flash',
      contextWindow: 1_048_576,
      maxOutput: 65_536,
      reasoning: true,
      input: '0.5',
      cacheRead: '0.05',
      output: '3',
    },
    {
      source: 'invented',
      checkedAt: '2026-11-26',
      model: 'gemini-2.5-flash-image',
      contextWindow: 65_536,
      maxOutput: 32_768,
      reasoning: false,
      input: '0.3',
      output: '2.5',
      units: { outputImageTokens: '30' },
    },
    { source: 'invented', checkedAt: '2026-11-26', model: 'gemini-embedding-001', contextWindow: 2_048, maxOutput: 0, reasoning: false, input: '0.15' },
  ],
}
export const [PRO, FLASH, THREE, IMAGE, EMBEDDING] = PRICES.models
  .map((model) => compileModel(PRICES, model, 'test')[0]?.model) as [PricedModel, PricedModel, PricedModel, PricedModel, PricedModel]

export function endpoint (path: string, of: Provider = gemini): BillableEndpoint {
  const found = of.endpoints.find((one) => one.path === path)
  if (found?.kind !== 'billable') throw new Error(`no such path: ${path}`)
  return found
}

export const GENERATE = endpoint('/v1beta/models/{model}:generateContent')
export const STREAM = endpoint('/v1beta/models/{model}:streamGenerateContent')
export const EMBED = endpoint('/v1beta/models/{model}:embedContent')
export const EMBED_BATCH = endpoint('/v1beta/models/{model}:batchEmbedContents')

export interface Asked { model?: string, search?: string, of?: BillableEndpoint, params?: Record<string, string> }

export function read (body: object, { model = 'gemini-2.5-flash', search = '', of = GENERATE, params = {} }: Asked = {}): CallRequest | Refusal {
  return of.read(body, Buffer.from(JSON.stringify(body)), { params: { ...params, model }, search })
}

export function aCall (body: object, asked: Asked = {}): CallRequest {
  const request = read(body, asked)
  if (isRefusal(request)) throw new Error(request.message)
  return request
}

export const HELLO = { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] }
export const withPart = (part: unknown) => ({ contents: [{ role: 'user', parts: [{ text: 'x' }, part] }] })

/** an answer that passed, cut in these places */
export function metered (
  request: CallRequest, answer: AnswerHead, text: string | Buffer,
  { of = GENERATE, at = [] }: { of?: BillableEndpoint, at?: number[] } = {}
): { out: Buffer, reading: Reading } {
  const meter = of.meter(request, answer)
  const out = pass(meter, Buffer.from(text), at)
  return { out, reading: meter.reading() }
}

export function costOf (model: PricedModel, usage: Usage | null): bigint | null {
  return usage === null ? null : costNano(model, usage)
}
