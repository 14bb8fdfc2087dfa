import { parse } from 'yaml'
import { type CatalogModel, CatalogModelSchema } from './catalog.ts'
import { decimal, defined } from './decimal.ts'
import { type PriceOverride, type SaidModel, SaidModelSchema } from './layers.ts'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'

/**
 * A file of prices to be laid over the catalog, in our format, as LiteLLM's model_prices_and_context_window.json, or as
 * models.dev's api.json; which one it is shows by itself. In others' lists what costs nothing is left out.
 */
export type PriceFormat = 'relaycore' | 'litellm' | 'models.dev'

export interface PriceFile {
  format: PriceFormat
  overrides: PriceOverride[]
  /** names of models that were left out, with the reason */
  leftOut: { name: string, why: string }[]
}

/** one file of ours: prices of models by provider, each from a time on, or for all time */
const OursSchema = Type.Object({
  version: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }),
  providers: Type.Record(Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,99}$' }), Type.Record(CatalogModelSchema.properties.model, Type.Object({
    ...SaidModelSchema.properties,
    since: Type.Optional(Type.String({ pattern: '^20\\d{2}-\\d{2}-\\d{2}(?:T\\d{2}:\\d{2}:\\d{2}(?:\\.\\d{3})?Z)?$' })),
  }, { additionalProperties: false }))),
}, { additionalProperties: false })

/** Throws, saying what is wrong, where it is none of the formats. */
export function readPriceFile (text: string): PriceFile {
  const content: unknown = text.trimStart().startsWith('{') ? JSON.parse(text) : parse(text)
  if (typeof content !== 'object' || content === null || Array.isArray(content)) throw new Error('is no object of prices')
  if ('providers' in content) return ours(content)
  const [first] = Object.values(content).filter((one) => typeof one === 'object' && one !== null) as Record<string, unknown>[]
  if (first !== undefined && typeof first['models'] === 'object') return modelsDev(content as Record<string, DevProvider>)
  if (Object.values(content).some((one) => typeof (one as LiteModel)?.litellm_provider === 'string')) {
    return liteLlm(content as Record<string, LiteModel>)
  }
  throw new Error("is neither our format (version, providers), nor LiteLLM's, nor that of models.dev")
}

function ours (content: object): PriceFile {
  const [wrong] = Value.Errors(OursSchema, content)
  if (wrong !== undefined) {
    throw new Error(`${wrong.instancePath || 'the file'} ${wrong.keyword === 'boolean' ? 'is not a known field' : wrong.message}`)
  }
  const { version, providers } = content as Static<typeof OursSchema>
  const overrides = Object.entries(providers).flatMap(([provider, models]) =>
    Object.entries(models).map(([name, { since, ...said }]): PriceOverride =>
      ({ provider, model: name, since: since === undefined ? 0 : Date.parse(since), said, version })))
  return { format: 'relaycore', overrides, leftOut: [] }
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}$/

/** our names of providers, by theirs */
const LITELLM: Record<string, string> = {
  bedrock_converse: 'bedrock', cohere_chat: 'cohere', together_ai: 'together', fireworks_ai: 'fireworks', moonshot: 'moonshotai', azure_ai: 'azure',
}
const MODELS_DEV: Record<string, string> = {
  google: 'gemini', 'google-vertex': 'vertex', 'google-vertex-anthropic': 'vertex', 'amazon-bedrock': 'bedrock', togetherai: 'together', 'fireworks-ai': 'fireworks',
}

interface LiteModel {
  litellm_provider?: string
  max_input_tokens?: number
  max_output_tokens?: number
  max_tokens?: number
  supports_reasoning?: boolean
  [price: string]: unknown
}

/** a million of what each is for */
const LITE_TEXT = {
  input_cost_per_token: 'input',
  cache_read_input_token_cost: 'cacheRead',
  cache_creation_input_token_cost: 'cacheWrite5m',
  cache_creation_input_token_cost_above_1hr: 'cacheWrite1h',
  output_cost_per_token: 'output',
} as const
const LITE_UNITS: Record<string, string> = {
  input_cost_per_audio_token: 'inputAudioTokens',
  cache_read_input_audio_token_cost: 'cachedAudioTokens',
  output_cost_per_audio_token: 'outputAudioTokens',
  input_cost_per_image_token: 'inputImageTokens',
  output_cost_per_image_token: 'outputImageTokens',
  input_cost_per_second: 'seconds',
  input_cost_per_character: 'characters',
  ocr_cost_per_page: 'pages',
  output_cost_per_image: 'images',
}
const LITE_TIER = /^(.+)_above_(\d+)k_tokens$/

function liteLlm (content: Record<string, LiteModel>): PriceFile {
  return imported('litellm', Object.entries(content).map(([key, entry]) => {
    const theirs = entry.litellm_provider ?? ''
    const provider = LITELLM[theirs] ?? (theirs.startsWith('vertex_ai') ? 'vertex' : theirs)
    const name = key.startsWith(`${theirs}/`) ? key.slice(theirs.length + 1) : key.replace(/^vertex_ai\//, '')
    const read = (): SaidModel => {
      const units = unitsOf(entry)
      const window = count(entry.max_input_tokens ?? entry.max_tokens)
      const output = count(entry.max_output_tokens ?? entry.max_tokens)
      const regional = decimal(entry['regional_endpoint_uplift_multiplier'] as number | undefined)
      return defined({
        ...liteText(entry, (field) => field),
        units: Object.keys(units).length === 0 ? undefined : units,
        tiers: liteTiers(entry),
        contextWindow: window === undefined ? undefined : Math.max(window, output ?? 0),
        maxOutput: entry['output_cost_per_token'] === 0 ? 0 : output,
        reasoning: entry.supports_reasoning,
        multipliers: regional === undefined ? undefined : { regional },
      })
    }
    return { provider, name, read }
  }))
}

function liteText (entry: LiteModel, fieldOf: (field: string) => string): Partial<CatalogModel> {
  const rates = Object.entries(LITE_TEXT).map(([field, rate]) => [rate, perMillion(entry[fieldOf(field)])])
  return defined(Object.fromEntries(rates)) as never
}

function unitsOf (entry: LiteModel): Record<string, string> {
  const units = Object.entries(LITE_UNITS).map(([field, unit]) => [unit, perMillion(entry[field])])
  return defined(Object.fromEntries(units)) as never
}

function liteTiers (entry: LiteModel): CatalogModel['tiers'] {
  const starts = new Set(Object.keys(entry).flatMap((field) => LITE_TIER.exec(field)?.[2] ?? []))
  if (starts.size === 0) return undefined
  return [...starts].sort((one, other) => Number(one) - Number(other)).map((thousands) => ({
    ...liteText(entry, (field) => field),
    ...liteText(entry, (field) => `${field}_above_${thousands}k_tokens`),
    fromInputTokens: Number(thousands) * 1_000 + 1,
  }))
}

interface DevCost {
  input?: number
  output?: number
  cache_read?: number
  cache_write?: number
  input_audio?: number
  output_audio?: number
}
interface DevModel {
  reasoning?: boolean
  cost?: DevCost & { context_over_200k?: DevCost, tiers?: (DevCost & { size?: number })[] }
  limit?: { context?: number, output?: number }
}
interface DevProvider { models?: Record<string, DevModel> }

function modelsDev (content: Record<string, DevProvider>): PriceFile {
  return imported('models.dev', Object.entries(content).flatMap(([id, { models = {} }]) =>
    Object.entries(models).map(([name, entry]) => ({
      provider: MODELS_DEV[id] ?? id,
      name,
      read: (): SaidModel => {
        const { cost = {}, limit = {} } = entry
        const longer = [
          ...cost.context_over_200k === undefined ? [] : [{ ...cost.context_over_200k, size: 200_000 }],
          ...cost.tiers ?? [],
        ].map(({ size = 0, ...tier }) => ({ fromInputTokens: size + 1, ...devText({ ...cost, ...tier }) }))
        const [audioIn, audioOut] = [decimal(cost.input_audio), decimal(cost.output_audio)]
        const units = defined({ inputAudioTokens: audioIn, outputAudioTokens: audioOut })
        return defined({
          ...devText(cost),
          units: Object.keys(units).length === 0 ? undefined : units,
          tiers: longer.length === 0 ? undefined : longer,
          contextWindow: count(limit.context),
          maxOutput: count(limit.output),
          reasoning: entry.reasoning,
        }) as SaidModel
      },
    }))))
}

function devText ({ input, output, cache_read: read, cache_write: write }: DevCost): Partial<CatalogModel> {
  return defined({
    input: decimal(input), cacheRead: decimal(read), cacheWrite5m: decimal(write), output: decimal(output),
  })
}

/** each by itself: one that makes no sense is left out, and told */
function imported (
  format: PriceFormat, models: readonly { provider: string, name: string, read: () => SaidModel }[]
): PriceFile {
  const overrides = new Map<string, PriceOverride>()
  const leftOut: PriceFile['leftOut'] = []
  for (const { provider, name, read } of models) {
    const whole = `${provider}/${name}`
    try {
      if (!NAME.test(name) || !/^[a-z0-9][a-z0-9._-]{0,99}$/.test(provider)) throw new Error('its name is none')
      const said = read()
      if (said.input === undefined && said.units === undefined) throw new Error('it has no price, or costs nothing')
      const { contextWindow, maxOutput } = said
      if (contextWindow !== undefined && maxOutput !== undefined) said.maxOutput = Math.min(maxOutput, contextWindow)
      if (said.tiers !== undefined && contextWindow !== undefined) {
        said.tiers = said.tiers.filter((tier) => tier.fromInputTokens <= contextWindow)
      }
      overrides.set(whole, { provider, model: name, since: 0, said: defined(said), version: format })
    } catch (error) {
      leftOut.push({ name: whole, why: (error as Error).message })
    }
  }
  return { format, overrides: [...overrides.values()], leftOut }
}

function perMillion (each: unknown): string | undefined {
  return typeof each === 'number' ? decimal(each * 1e6) : undefined
}

function count (value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined
}
