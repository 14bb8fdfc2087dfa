import {
  BodyMeter, count, type Facts, isCount, jsonOf, NOTHING_READ, textOrNull, UnreadMeter,
} from '../../usage/body-meter.ts'
import { type Frame, frameMeter, type FrameTaker } from '../../usage/event-frames.ts'
import { type Meter } from '../../usage/meter.ts'
import { type Usage } from '../../usage/usage.ts'
import { isObject } from '../body.ts'
import { topLevelValues } from '../json-scan.ts'
import { type AnswerHead, type CallRequest } from '../provider.ts'

const WANTED = ['usage', 'serviceTier', 'trace'] as const

/** Converse: `usage` at the end of a whole answer, or in the frame `metadata`, the last one of a stream. */
export function meterConverse (call: CallRequest, answer: AnswerHead): Meter {
  const { status, contentEncoding } = answer
  if (status >= 400) return new UnreadMeter()
  const id = requestId(answer)
  const read = (told: Record<string, unknown> | null): Facts => factsOf(told, call, id)
  if (!isFrames(answer)) return new BodyMeter(contentEncoding, (text) => read(topLevelValues(text, WANTED)))
  return frameMeter(contentEncoding, () => new MetadataReader(read))
}

export function isFrames ({ contentType }: AnswerHead): boolean {
  return /^\s*application\/vnd\.amazon\.eventstream\s*(;|$)/i.test(contentType)
}

export function requestId ({ headers }: AnswerHead): string | null { return textOrNull(headers['x-amzn-requestid']) }

class MetadataReader implements FrameTaker {
  readonly #read: (told: Record<string, unknown> | null) => Facts
  #facts: Facts

  constructor (read: (told: Record<string, unknown> | null) => Facts) {
    this.#read = read
    this.#facts = read(null)
  }

  take ({ type, event, payload }: Frame): void {
    if (type === 'event' && event === 'metadata') this.#facts = this.#read(jsonOf(payload.toString('utf8')))
  }

  facts (): Facts { return this.#facts }
}

function factsOf (told: Record<string, unknown> | null, call: CallRequest, id: string | null): Facts {
  const facts = { ...NOTHING_READ, providerRequestId: id }
  if (told === null) return facts
  const { usage, serviceTier, trace } = told
  const used = isObject(usage) ? converseUsage(usage, serviceTier, call) : null
  const router = isObject(trace) && isObject(trace['promptRouter']) ? trace['promptRouter'] : null
  return { ...facts, usage: used, final: used !== null, modelUsed: textOrNull(router?.['invokedModelId']) }
}

/**
 * `inputTokens` excludes the cache, `cacheDetails` splits what was written by its lifetime (Amazon Bedrock API
 * reference, TokenUsage). Nova's own bodies have other names for what was cached.
 */
export function converseUsage (usage: Record<string, unknown>, tier: unknown, call: CallRequest): Usage | null {
  const { inputTokens, outputTokens, cacheDetails } = usage
  if (!isCount(inputTokens) || !isCount(outputTokens)) return null
  const written = count(usage['cacheWriteInputTokens'] ?? usage['cacheWriteInputTokenCount'])
  let [short, long] = [0, 0]
  for (const one of Array.isArray(cacheDetails) ? cacheDetails as unknown[] : []) {
    if (!isObject(one)) continue
    if (one['ttl'] === '1h') long += count(one['inputTokens'])
    else short += count(one['inputTokens'])
  }
  // what is not split was written for the longest that was asked for
  const rest = Math.max(0, written - short - long)
  const hour = call.bound.cacheWrite === '1h'
  return {
    inputTokens,
    cacheReadTokens: count(usage['cacheReadInputTokens'] ?? usage['cacheReadInputTokenCount']),
    cacheWrite5mTokens: hour ? short : short + rest,
    cacheWrite1hTokens: hour ? long + rest : long,
    outputTokens,
    reasoningTokens: 0,
    webSearches: 0,
    tier: isObject(tier) ? textOrNull(tier['type']) : null,
  }
}
