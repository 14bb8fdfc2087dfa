import {
  BodyMeter, EventMeter, type EventTaker, type Facts, isEncoded, isEventStream, NOTHING_READ, takeAll, textOrNull,
  UnreadMeter,
} from '../../usage/body-meter.ts'
import { ObjectMeter, type ObjectTaker } from '../../usage/json-stream.ts'
import { type Meter } from '../../usage/meter.ts'
import { dataRange, eventData } from '../../usage/sse.ts'
import { type Usage } from '../../usage/usage.ts'
import { isObject } from '../body.ts'
import { topLevelValues } from '../json-scan.ts'
import { type AnswerHead, type CallRequest } from '../provider.ts'
import { tierUsed, usageOf } from './usage.ts'

/** with which a served tier is told (Gemini API, guides to flex and priority inference) */
export const TIER_HEADER = 'x-gemini-service-tier'
const WANTED = ['usageMetadata', 'modelVersion', 'responseId', 'candidates'] as const

/** The usage of `generateContent`, and of its stream: server-sent events, or a JSON array if nobody asked for them. */
export function meterContent (call: CallRequest, answer: AnswerHead): Meter {
  const { status, contentType, contentEncoding } = answer
  if (status >= 400) return new UnreadMeter()
  const reader = () => new ContentReader(call, answer.headers[TIER_HEADER])
  if (isEncoded(contentEncoding)) {
    const readAll = isEventStream(contentType) ? takeAll : allObjects
    return new BodyMeter(contentEncoding, (text) => readAll(reader(), text))
  }
  return isEventStream(contentType) ? new EventMeter(reader(), false) : new ObjectMeter(reader())
}

function allObjects (reader: ObjectTaker, text: Buffer): Facts {
  const meter = new ObjectMeter(reader)
  meter.data(text)
  meter.end()
  return meter.reading()
}

/**
 * Each chunk has the figures of all of the answer so far, so the last of each counts. They are final when the answer
 * has come to its end; where it makes one candidate, when that has said why it stopped.
 */
class ContentReader implements EventTaker, ObjectTaker {
  counted = 0
  readonly #call: CallRequest
  readonly #tier: unknown
  #metadata: Record<string, unknown> = {}
  #facts = NOTHING_READ
  #grounded = false
  #stopped = false

  constructor (call: CallRequest, tier: unknown) {
    this.#call = call
    this.#tier = tier
  }

  facts (): Facts {
    const { usage } = this.#facts
    return !this.#grounded || usage === null ? this.#facts : { ...this.#facts, usage: grounded(usage) }
  }

  end (): void {
    if (this.#facts.usage !== null) this.#facts = { ...this.#facts, final: true }
  }

  /** an event, or an object of an array */
  take (bytes: Buffer): Buffer {
    const range = bytes[0] === OPEN_OBJECT ? { from: 0, to: bytes.length } : dataRange(bytes)
    const text = range === null ? Buffer.from(eventData(bytes)) : bytes.subarray(range.from, range.to)
    const chunk = topLevelValues(text, WANTED)
    if (chunk !== null) this.#read(chunk)
    return bytes
  }

  #read (chunk: Record<string, unknown>): void {
    this.#readCandidates(chunk['candidates'])
    const metadata = chunk['usageMetadata']
    if (isObject(metadata)) {
      this.counted++
      this.#metadata = { ...this.#metadata, ...metadata }
    }
    const usage = isObject(metadata) ? contentUsage(this.#metadata, this.#tier, this.#call) : this.#facts.usage
    this.#facts = {
      usage,
      final: usage !== null && this.#stopped,
      modelUsed: textOrNull(chunk['modelVersion']) ?? this.#facts.modelUsed,
      providerRequestId: textOrNull(chunk['responseId']) ?? this.#facts.providerRequestId,
    }
  }

  #readCandidates (candidates: unknown): void {
    if (!Array.isArray(candidates)) return
    for (const candidate of candidates as unknown[]) {
      if (!isObject(candidate)) continue
      if (textOrNull(candidate['finishReason']) !== null && this.#call.bound.choices === 1) this.#stopped = true
      if (isGrounded(candidate['groundingMetadata'])) this.#grounded = true
    }
  }
}

const OPEN_OBJECT = 0x7b

export function contentUsage (metadata: Record<string, unknown>, tier: unknown, call: CallRequest): Usage | null {
  return usageOf({
    prompt: metadata['promptTokenCount'],
    cached: metadata['cachedContentTokenCount'],
    toolUse: metadata['toolUsePromptTokenCount'],
    answer: metadata['candidatesTokenCount'],
    thoughts: metadata['thoughtsTokenCount'],
    total: metadata['totalTokenCount'],
    promptDetails: metadata['promptTokensDetails'],
    cachedDetails: metadata['cacheTokensDetails'],
    toolUseDetails: metadata['toolUsePromptTokensDetails'],
    answerDetails: metadata['candidatesTokensDetails'],
    tier: tierUsed(metadata, tier),
  }, call)
}

/** The prompt is billed once, however many searches it took. */
function grounded (usage: Usage): Usage { return { ...usage, units: { ...usage.units, groundedPrompts: 1 } } }

function isGrounded (metadata: unknown): boolean {
  if (!isObject(metadata)) return false
  const { webSearchQueries, groundingChunks } = metadata
  return [webSearchQueries, groundingChunks].some((list) => Array.isArray(list) && list.length > 0)
}
