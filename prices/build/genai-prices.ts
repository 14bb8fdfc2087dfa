import { findProvider, type ModelInfo, type ModelPrice } from '@pydantic/genai-prices'
import { decimal, defined } from '../../src/pricing/decimal.ts'
import { dearer, type Entry, perMillionSeconds, type Prices } from './entry.ts'

/**
 * The models of one provider of @pydantic/genai-prices. Only names that are meant exactly become names and aliases:
 * what it matches by a beginning or a part would price a model that it does not know.
 */

const TEXT = {
  input_mtok: 'input', cache_read_mtok: 'cacheRead', cache_write_mtok: 'cacheWrite5m', cache_write_1h_mtok: 'cacheWrite1h', output_mtok: 'output',
} as const
const UNITS: Record<string, string> = {
  input_audio_mtok: 'inputAudioTokens',
  cache_audio_read_mtok: 'cachedAudioTokens',
  input_image_mtok: 'inputImageTokens',
  cache_image_read_mtok: 'cachedImageTokens',
  input_video_mtok: 'inputVideoTokens',
  output_audio_mtok: 'outputAudioTokens',
  output_image_mtok: 'outputImageTokens',
}
/** per thousand, so times a thousand per million */
const COUNTS: Record<string, string> = {
  web_searches_kcount: 'webSearches',
  storage_searches_kcount: 'fileSearches',
  input_document_kpages: 'pages',
  input_annotated_document_kpages: 'annotatedPages',
}
const IGNORED = new Set(['audio_hours'])

export interface Dropped { model: string, why: string }

export function genaiModels (id: string, dropped: Dropped[]): Entry[] {
  const provider = findProvider({ providerId: id })
  if (provider === undefined) throw new Error(`@pydantic/genai-prices knows no provider ${id}`)
  return provider.models.flatMap((model) => {
    const name = model.id
    if (!/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}$/.test(name) || /[-.]$/.test(name)) return []
    try {
      const periods = periodsOf(model)
      const [first] = periods
      if (first === undefined) return []
      return [{
        model: name,
        ...aliasesOf(model),
        ...defined({ contextWindow: model.context_window }),
        ...first.prices,
        ...periods.length === 1
          ? {}
          : { changes: periods.slice(1).map(({ since, prices }) => ({ since: `${since}T00:00:00.000Z`, ...prices })) },
        from: ['genai-prices'],
      }]
    } catch (error) {
      dropped.push({ model: name, why: (error as Error).message })
      return []
    }
  })
}

function aliasesOf ({ id, match }: ModelInfo): { aliases?: string[] } {
  const parts = 'or' in match ? match.or : [match]
  const names = parts.flatMap((part) => 'equals' in part && part.equals !== id ? [part.equals] : [])
  const good = names.filter((name) => /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}$/.test(name))
  return good.length === 0 ? {} : { aliases: [...new Set(good)].sort() }
}

type Priced = Prices & Pick<Entry, 'tiers'>
interface Period { since: string, prices: Priced }

/** The dearest hour of the day counts for all of it: a quote cannot know when its call will be billed. */
function periodsOf ({ prices }: ModelInfo): Period[] {
  if (!Array.isArray(prices)) return Object.keys(prices).length === 0 ? [] : [{ since: '', prices: pricesOf(prices) }]
  const periods: Period[] = []
  const hours: Priced[] = []
  for (const { constraint, prices: of } of prices) {
    if (constraint?.type === 'time_of_date') hours.push(pricesOf(of))
    else periods.push({ since: constraint?.start_date ?? '', prices: pricesOf(of) })
  }
  const last = periods.at(-1)
  if (last !== undefined) for (const hour of hours) last.prices = dearest(last.prices, hour)
  return periods
}

function dearest (one: Priced, other: Priced): Priced {
  if (one.tiers !== undefined || other.tiers !== undefined || one.units !== undefined || other.units !== undefined) {
    throw new Error('prices by the hour are known of text alone')
  }
  return defined(Object.fromEntries(Object.values(TEXT).map((rate) => [rate, dearer(one[rate], other[rate])])))
}

function pricesOf (price: ModelPrice): Priced {
  const starts = new Set<number>()
  for (const rate of Object.values(price)) if (typeof rate === 'object') for (const { start } of rate.tiers) starts.add(start)
  const ascending = [...starts].sort((a, b) => a - b)
  const base = ratesAt(price, 0)
  if (ascending.length === 0) return base
  return {
    ...base,
    // it counts from the token after `start`
    tiers: ascending.map((start) => ({ fromInputTokens: start + 1, ...differing(ratesAt(price, start + 1), base) })),
  }
}

/** units that cost the same as below the tier are not said again */
function differing (prices: Prices, base: Prices): Prices {
  const { units, ...text } = prices
  const changed = Object.entries(units ?? {}).filter(([unit, rate]) => base.units?.[unit] !== rate)
  return changed.length === 0 ? text : { ...text, units: Object.fromEntries(changed) }
}

function ratesAt (price: ModelPrice, tokens: number): Prices {
  const text: Record<string, string | undefined> = {}
  const units: Record<string, string | undefined> = {}
  for (const [key, rate] of Object.entries(price)) {
    if (rate === undefined || IGNORED.has(key)) continue
    const value = typeof rate === 'number' ? rate : rate.tiers.findLast(({ start }) => tokens > start)?.price ?? rate.base
    if (key in TEXT) text[TEXT[key as keyof typeof TEXT]] = decimal(value)
    else if (UNITS[key] !== undefined) units[UNITS[key]] = decimal(value)
    else if (COUNTS[key] !== undefined) units[COUNTS[key]] = decimal(value * 1_000)
    else if (key === 'input_audio_hours') units['seconds'] = perMillionSeconds(value)
    else throw new Error(`a price of ${key}, for which there is no unit`)
  }
  const known = defined(units)
  return defined({ ...text, units: Object.keys(known).length === 0 ? undefined : known }) as Prices
}
