import { count, isCount, textOrNull } from '../../usage/body-meter.ts'
import { type Usage } from '../../usage/usage.ts'
import { isObject } from '../body.ts'
import { type CallRequest } from '../provider.ts'

/** What Google says of a call, in either of its shapes. */
export interface Reported {
  /** of the prompt, with what was read from a cache; unfinished calls may not have it yet */
  prompt: unknown
  cached: unknown
  /** what tools at Google's have read for the model */
  toolUse: unknown
  /** of the answer, without thoughts */
  answer: unknown
  thoughts: unknown
  total: unknown
  /** by modality, each `{ modality, tokenCount }` */
  promptDetails: unknown
  cachedDetails: unknown
  toolUseDetails: unknown
  answerDetails: unknown
  tier: string | null
}

type Modality = 'audio' | 'image' | 'video'

/** Names, and the numbers that `enum-encoding=int` writes instead. A document counts as its pages do. */
const MODALITIES: Record<string, Modality> = {
  IMAGE: 'image', DOCUMENT: 'image', AUDIO: 'audio', VIDEO: 'video', 2: 'image', 5: 'image', 4: 'audio', 3: 'video',
}

/**
 * `promptTokenCount` includes what was read from a cache, `candidatesTokenCount` no thoughts; the total is the sum of
 * prompt, candidates, tools and thoughts (SDK, GenerateContentResponseUsageMetadata). Where the total says more than
 * its parts, it is what counts. Prices differ by modality: where one was possible and the answer does not say how many
 * tokens it had, the usage is not known.
 */
export function usageOf (reported: Reported, { bound }: CallRequest): Usage | null {
  const { prompt, thoughts, total } = reported
  if (!isCount(prompt)) return null
  const toolUse = count(reported.toolUse)
  const answer = Math.max(count(reported.answer) + count(thoughts), count(total) - prompt - toolUse)
  if (!Array.isArray(reported.promptDetails) && bound.inputUnits?.includes('inputAudioTokens') === true) return null
  if (!Array.isArray(reported.answerDetails) && bound.outputUnits !== undefined && answer > 0) return null
  const input = byModality([reported.promptDetails, reported.toolUseDetails], prompt + toolUse)
  const cached = byModality([reported.cachedDetails], Math.min(count(reported.cached), prompt))
  const audio = Math.min(cached.audio, input.audio)
  // cached frames have the price of cached images
  const video = Math.min(cached.video, input.video)
  const image = Math.min(cached.image, input.image)
  const cachedText = Math.min(cached.text, input.text)
  const output = byModality([reported.answerDetails], answer)
  const units: Record<string, number> = {}
  put(units, 'inputAudioTokens', input.audio - audio)
  put(units, 'cachedAudioTokens', audio)
  put(units, 'inputImageTokens', input.image - image)
  put(units, 'cachedImageTokens', image + video)
  put(units, 'inputVideoTokens', input.video - video)
  put(units, 'outputAudioTokens', output.audio)
  put(units, 'outputImageTokens', output.image)
  return {
    inputTokens: input.text - cachedText,
    cacheReadTokens: cachedText,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    outputTokens: output.text + output.video,
    reasoningTokens: count(thoughts),
    webSearches: 0,
    tier: reported.tier,
    ...Object.keys(units).length === 0 ? {} : { units },
  }
}

export function put (units: Record<string, number>, unit: string, count: number): void {
  if (count > 0) units[unit] = count
}

/** never more in all than `total`; text is what is left */
function byModality (lists: unknown[], total: number): Record<Modality | 'text', number> {
  const counts = { audio: 0, image: 0, video: 0, text: total }
  for (const list of lists) {
    if (!Array.isArray(list)) continue
    for (const one of list as unknown[]) {
      if (!isObject(one)) continue
      const name = String(one['modality']).toUpperCase()
      const modality = Object.hasOwn(MODALITIES, name) ? MODALITIES[name] : undefined
      if (modality === undefined) continue
      const tokens = Math.min(count(one['tokenCount'] ?? one['tokens']), counts.text)
      counts[modality] += tokens
      counts.text -= tokens
    }
  }
  return counts
}

const TRAFFIC: Record<string, string> = {
  ON_DEMAND: 'standard',
  ON_DEMAND_PRIORITY: 'priority',
  ON_DEMAND_FLEX: 'flex',
  ON_DEMAND_OFFPEAK: 'offpeak',
  PROVISIONED_THROUGHPUT: 'scale',
}

/** The tier that an answer says it was served at; null: it does not say. */
export function tierUsed (usage: Record<string, unknown>, header: unknown): string | null {
  const tier = textOrNull(usage['serviceTier']) ?? textOrNull(header)
  if (tier !== null) {
    const name = tier.toLowerCase().replace(/^service_tier_/, '')
    return name === 'unspecified' ? null : name
  }
  const traffic = usage['trafficType']
  return typeof traffic === 'string' && Object.hasOwn(TRAFFIC, traffic) ? TRAFFIC[traffic] as string : null
}
