import {
  BodyMeter, count, EventMeter, type EventTaker, type Facts, isCount, isEncoded, isEventStream, jsonOf, NOTHING_READ,
  takeAll, textOrNull, UnreadMeter,
} from '../../usage/body-meter.ts'
import { type Meter } from '../../usage/meter.ts'
import { dataRange, eventData } from '../../usage/sse.ts'
import { type Usage } from '../../usage/usage.ts'
import { isObject } from '../body.ts'
import { findMember, type Member, topLevelValues } from '../json-scan.ts'
import { type AnswerHead, type CallRequest } from '../provider.ts'
import { withoutMember } from './include-usage.ts'
import { objectOf, textUsage } from './usage.ts'

const USAGE = Buffer.from('"usage"')
/** how the value null begins, which it has in all chunks but the last */
const NULL = 0x6e
const DONE = Buffer.from('[DONE]')
/** events from which the model and the id are read; Azure's first has neither */
const OPENING_EVENTS = 3
const WANTED = ['id', 'model', 'service_tier', 'usage', 'usage_breakdown'] as const

/** What an answer, or a chunk of one, says that was used; null: nothing that is known. */
export type UsageReader = (answer: Record<string, unknown>) => Usage | null

/**
 * `running`: figures with every chunk were switched on, so they are taken out where nobody asked for them; those of one
 * choice are no figures of several.
 */
export function meterChatCompletion (
  call: CallRequest, answer: AnswerHead, usageOf: UsageReader = chatUsage, running = false
): Meter {
  const { status, contentType, contentEncoding } = answer
  if (status >= 400) return new UnreadMeter()
  if (!isEventStream(contentType)) return new BodyMeter(contentEncoding, (text) => readCompletion(text, usageOf))
  // in an encoding it cannot be filtered: the client then sees usage that it did not ask for
  if (isEncoded(contentEncoding)) {
    return new BodyMeter(contentEncoding, (text) => takeAll(new ChunkReader(false, usageOf), text))
  }
  const strips = call.stream && !call.usageAsked
  const figures = !running ? null : call.bound.choices === 1 ? 'read' : 'leave'
  return new EventMeter(new ChunkReader(strips, usageOf, figures, call.lastUsageAsked), strips)
}

/**
 * The last usage counts: OpenAI sends one, in a chunk of its own before `[DONE]`; others send running figures with
 * every chunk, which are final only when the stream has come to its end.
 */
class ChunkReader implements EventTaker {
  readonly #strips: boolean
  readonly #usageOf: UsageReader
  readonly #running: 'read' | 'leave' | null
  readonly #keepsLast: boolean
  #facts = NOTHING_READ
  #opening = OPENING_EVENTS
  counted = 0

  /** `strips`: what the client did not ask for does not go on to it */
  constructor (strips: boolean, usageOf: UsageReader, running: 'read' | 'leave' | null = null, keepsLast = false) {
    this.#strips = strips
    this.#usageOf = usageOf
    this.#running = running
    this.#keepsLast = keepsLast
  }

  facts (): Facts { return this.#facts }

  end (): void { this.#finish() }

  take (event: Buffer): Buffer | Buffer[] | null {
    if (this.#opening > 0) this.#open(event)
    if (!event.includes(USAGE)) {
      if (this.#facts.usage !== null && event.includes(DONE) && eventData(event) === '[DONE]') this.#finish()
      return event
    }
    const range = dataRange(event)
    if (range === null) return this.#read(event)
    const usage = findMember(event, USAGE, range.from, range.to)
    // it may stand deeper: `x_groq`
    if (usage === null) return this.#read(event)
    if (event[usage.valueStart] !== NULL) return this.#read(event, usage)
    return this.#strips ? withoutMember(event, usage) : event
  }

  #read (event: Buffer, member: Omit<Member, 'key'> | null = null): Buffer | Buffer[] | null {
    const chunk = jsonOf(eventData(event))
    const usage = chunk === null ? null : this.#usageOf(chunk)
    if (chunk === null || usage === null) return event
    this.counted++
    const alone = Array.isArray(chunk['choices']) && chunk['choices'].length === 0
    if (alone || this.#running !== 'leave') this.#note(chunk, usage, alone)
    if (!this.#strips || (alone && this.#keepsLast)) return event
    if (alone) return null
    return this.#running !== null && member !== null ? withoutMember(event, member) : event
  }

  #note (chunk: Record<string, unknown>, usage: Usage, alone: boolean): void {
    this.#facts = {
      usage,
      final: alone,
      ...this.#running === 'read' && !alone ? { running: true } : {},
      modelUsed: textOrNull(chunk['model']) ?? this.#facts.modelUsed,
      providerRequestId: textOrNull(chunk['id']) ?? this.#facts.providerRequestId,
    }
  }

  /** so that a stream that breaks off can still be looked up at the provider */
  #open (event: Buffer): void {
    this.#opening--
    const chunk = jsonOf(eventData(event))
    if (chunk === null || textOrNull(chunk['id']) === null) return
    this.#opening = 0
    this.#facts = { ...this.#facts, modelUsed: textOrNull(chunk['model']), providerRequestId: textOrNull(chunk['id']) }
  }

  #finish (): void {
    if (this.#facts.usage !== null) this.#facts = { ...this.#facts, final: true }
  }
}

/** Some providers stream without saying so. */
function readCompletion (text: Buffer, usageOf: UsageReader): Facts {
  const completion = topLevelValues(text, WANTED)
  if (completion === null) return takeAll(new ChunkReader(false, usageOf), text)
  const usage = usageOf(completion)
  return {
    usage,
    final: usage !== null,
    modelUsed: textOrNull(completion['model']),
    providerRequestId: textOrNull(completion['id']),
  }
}

/** Sounds have prices of their own. What came out of the cache is taken for text first, of which less is saved. */
export function chatUsage (answer: Record<string, unknown>): Usage | null {
  const told = answer['usage']
  if (!isObject(told)) return null
  const { prompt_tokens: input, completion_tokens: output, total_tokens: total } = told
  const [inputDetails, outputDetails] = [objectOf(told['prompt_tokens_details']), objectOf(told['completion_tokens_details'])]
  const heard = isCount(input) ? Math.min(count(inputDetails['audio_tokens']), input) : 0
  const spoken = isCount(output) ? Math.min(count(outputDetails['audio_tokens']), output) : 0
  const tier = textOrNull(answer['service_tier'])
  if (heard + spoken === 0) return textUsage({ input, output, total, inputDetails, outputDetails, tier }, '5m')
  const text = { input: Number(input) - heard, output, total: count(total) - heard, inputDetails, outputDetails, tier }
  const usage = textUsage(text, '5m')
  if (usage === null) return null
  const units = { ...heard > 0 ? { inputAudioTokens: heard } : {}, ...spoken > 0 ? { outputAudioTokens: spoken } : {} }
  return { ...usage, outputTokens: usage.outputTokens - spoken, units }
}
