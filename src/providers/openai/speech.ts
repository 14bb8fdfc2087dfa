import { type Refusal } from '../../errors.ts'
import { type PricedModel } from '../../pricing/price.ts'
import { insteadOf } from '../../pricing/quote.ts'
import { audioLength } from '../../usage/audio/length.ts'
import {
  BodyMeter, EventMeter, type EventTaker, type Facts, isCount, isEventStream, jsonOf, NOTHING_READ, ToldMeter,
  UnreadMeter,
} from '../../usage/body-meter.ts'
import { type Meter } from '../../usage/meter.ts'
import { eventData } from '../../usage/sse.ts'
import { NOTHING_USED, type Usage } from '../../usage/usage.ts'
import { badRequest, isObject, modelField, shown } from '../body.ts'
import { changedBody } from '../changed-body.ts'
import { type AnswerHead, type BillableEndpoint, type CallRequest } from '../provider.ts'
import { SCAFFOLDING_TOKENS } from './bounds.ts'

const DONE = Buffer.from('speech.audio.done')

/** Speech of OpenAI and of what speaks its dialect: billed by the characters of its text, or by tokens of sound. */
export function speech (path: string): BillableEndpoint {
  return {
    kind: 'billable',
    name: 'audio.speech',
    method: 'POST',
    path,
    about: {
      model: '`model`',
      output: 'the characters of `input`; of models with tokens none: the most that the model can',
      usage: 'the characters; of models with tokens `speech.audio.done`, where `stream_format` is `sse`, else as long as the sound is, estimated',
    },
    read: readSpeech,
    forwardBody: (_call, body, bytes, changes) => changedBody(body, bytes, { ...changes, outputTokens: null }, []),
    meter: meterSpeech,
  }
}

/** What speech may cost (OpenAI API reference, "Create speech"). */
function readSpeech (body: unknown, bytes: Buffer): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const model = modelField(body)
  if (typeof model !== 'string') return model
  const { input, stream_format: format, speed = 1 } = body
  if (typeof input !== 'string') return badRequest(`input must be a text; got ${shown(input)}.`, 'input')
  return {
    model,
    stream: format === 'sse',
    usageAsked: true,
    thinking: null,
    endUserField: 'user',
    bound: {
      inputTokens: bytes.length + SCAFFOLDING_TOKENS,
      outputTokens: null,
      choices: 1,
      cacheWrite: 'none',
      tier: null,
      webSearches: 0,
      outputUnits: ['outputAudioTokens'],
      instead: [{ characters: characters(input) }],
    },
    // told faster it has more tokens than one can hear, if it has
    ...speed === 1 ? { likely: { characters: characters(input) } } : {},
  }
}

/** of Unicode, of which some are written as two */
function characters (text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function meterSpeech (
  call: CallRequest, { status, contentType, contentEncoding }: AnswerHead, priced?: PricedModel
): Meter {
  if (status >= 400) return new UnreadMeter()
  const units = priced === undefined ? undefined : insteadOf(priced, call.bound)
  if (units != null) return new ToldMeter({ ...NOTHING_USED, units })
  if (isEventStream(contentType)) return new EventMeter(new SpeechReader(), false)
  const text = call.likely?.['characters']
  const perSecond = RAW.test(contentType) ? RAW_BYTES_PER_SECOND : null
  if (text === undefined) return new UnreadMeter()
  return new BodyMeter(contentEncoding, (sound) => heardIn(sound, text, perSecond))
}

/** samples alone: of 16 bits, one channel, 24 kHz (OpenAI's guide to text to speech) */
const RAW = /^audio\/(?:pcm|l16)\b/i
const RAW_BYTES_PER_SECOND = 48_000
/** somewhat more than is published: 0.015 USD per minute, at 12 USD per million (OpenAI's page of prices) */
const TOKENS_PER_SPOKEN_SECOND = 25

/** A sound says nothing of tokens, so they are worked out from how long it is. `text`: its characters. */
function heardIn (sound: Buffer, text: number, perSecond: number | null): Facts {
  const seconds = perSecond === null ? audioLength(sound)?.likely ?? 0 : sound.length / perSecond
  const tokens = Math.ceil(seconds * TOKENS_PER_SPOKEN_SECOND)
  if (tokens === 0) return NOTHING_READ
  const usage = { ...NOTHING_USED, inputTokens: text, units: { outputAudioTokens: tokens } }
  return { ...NOTHING_READ, usage, final: true, estimated: true }
}

/** Events of sound, the last of which has the usage. */
class SpeechReader implements EventTaker {
  #facts = NOTHING_READ

  take (event: Buffer): Buffer {
    const done = event.includes(DONE) ? jsonOf(eventData(event)) : null
    const usage = done?.['type'] === 'speech.audio.done' ? speechUsage(done['usage']) : null
    if (usage !== null) this.#facts = { ...this.#facts, usage, final: true }
    return event
  }

  facts (): Facts { return this.#facts }
}

/** null: these are no counts */
function speechUsage (told: unknown): Usage | null {
  if (!isObject(told)) return null
  const { input_tokens: input, output_tokens: output } = told
  if (!isCount(input) || !isCount(output)) return null
  return { ...NOTHING_USED, inputTokens: input, ...output === 0 ? {} : { units: { outputAudioTokens: output } } }
}
