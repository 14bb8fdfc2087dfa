import { type Refusal } from '../../errors.ts'
import { type PricedModel } from '../../pricing/price.ts'
import { insteadOf } from '../../pricing/quote.ts'
import { audioLength } from '../../usage/audio/length.ts'
import {
  BodyMeter, count, EventMeter, type EventTaker, type Facts, isCount, isEventStream, jsonOf, NOTHING_READ, textOrNull,
  UnreadMeter,
} from '../../usage/body-meter.ts'
import { type Meter } from '../../usage/meter.ts'
import { eventData } from '../../usage/sse.ts'
import { NOTHING_USED, type Usage } from '../../usage/usage.ts'
import { badRequest, firstRefusal, flagField, isGiven, isObject, modelField, notMetered, shown } from '../body.ts'
import { filesOf, FormFile, typed, withModel } from '../form.ts'
import { topLevelValues } from '../json-scan.ts'
import { type AnswerHead, type BillableEndpoint, type CallRequest } from '../provider.ts'
import { SCAFFOLDING_TOKENS, TOKENS_PER_SECOND } from './bounds.ts'
import { objectOf } from './usage.ts'

/** In what somebody's transcriptions differ from OpenAI's. */
export interface TranscriptionTraits {
  /** each request is billed as long as this at least, seconds */
  least?: number
  /** fields that name what is elsewhere */
  elsewhere?: readonly string[]
}

/** the longest that a model with tokens takes: 1,400 or 1,500 by model */
const LONGEST = 1_500
/** cut at silence, sound is put to the model in pieces, of which each may have as much output as the model can */
const SECONDS_PER_PIECE = 30
/** of sounds and their text more than this is never spoken in a second */
const BYTES_PER_SECOND = 60

/** Transcriptions of OpenAI and of what speaks its dialect: forms, billed by seconds or by tokens of sound. */
export function transcriptions (path: string, traits: TranscriptionTraits = {}): BillableEndpoint {
  return {
    kind: 'billable',
    name: 'audio.transcriptions',
    method: 'POST',
    path,
    takes: 'form',
    about: {
      model: '`model`',
      output: 'how long `file` can be played; of models with tokens the most that the model can, for each piece of it',
      usage: '`usage`, in a stream that of `transcript.text.done`; else `duration`, else as long as `file` is, estimated',
    },
    read: (body, bytes) => readTranscription(body, bytes, traits),
    forwardBody: (_call, body, bytes, changes) => withModel(body, bytes, changes),
    meter: (call, answer, priced) => meterTranscription(call, answer, priced, traits.least),
  }
}

/** The same in English, whatever is spoken. */
export function translations (path: string, traits: TranscriptionTraits = {}): BillableEndpoint {
  return { ...transcriptions(path, traits), name: 'audio.translations' }
}

/** What a transcription may cost (OpenAI API reference, "Create transcription"). */
function readTranscription (
  body: unknown, bytes: Buffer, { least = 0, elsewhere = [] }: TranscriptionTraits
): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a form.')
  const named = elsewhere.find((field) => isGiven(body[field]))
  // how long that is nobody knows
  if (named !== undefined) return notMetered(named)
  const fields = typed(body, { flags: ['stream'] })
  const [model, stream] = [modelField(fields), flagField(fields, 'stream')]
  const wrong = firstRefusal([model, stream])
  if (wrong !== null) return wrong
  const { file, response_format: format = '' } = body
  if (typeof format !== 'string') return badRequest(`response_format must be a word; got ${shown(format)}.`, 'response_format')
  if (!(file instanceof FormFile)) return badRequest(`file must be a file; got ${shown(file)}.`, 'file')
  const length = audioLength(file.bytes)
  const seconds = (of: number) => Math.max(least, Math.ceil(of))
  const sounds = bytes.length - filesOf(body).reduce((sum, one) => sum + one.bytes.length, 0)
  const pieces = piecesOf(body, length?.most ?? LONGEST)
  const inPieces = pieces * SCAFFOLDING_TOKENS
  return {
    model: model as string,
    stream: stream as boolean,
    usageAsked: true,
    thinking: null,
    endUserField: 'user',
    bound: {
      // voices to be known are sounds too
      inputTokens: length === null || isGiven(body['known_speaker_references'])
        ? Infinity
        : sounds * pieces + inPieces + Math.ceil(length.most * TOKENS_PER_SECOND),
      inputs: pieces,
      outputTokens: null,
      choices: pieces,
      cacheWrite: 'none',
      tier: null,
      webSearches: 0,
      inputUnits: ['inputAudioTokens'],
      instead: [{ seconds: length === null ? Infinity : seconds(length.most) }],
    },
    ...length === null ? {} : { likely: { seconds: seconds(length.likely) } },
  }
}

/** `chunking_strategy` has several, and so may whoever tells speakers apart */
function piecesOf (body: Record<string, unknown>, seconds: number): number {
  const cut = isGiven(body['chunking_strategy']) || body['response_format'] === 'diarized_json' || isGiven(body['known_speaker_names'])
  return cut ? Math.ceil(Math.min(seconds, LONGEST) / SECONDS_PER_PIECE) + 1 : 1
}

function meterTranscription (
  call: CallRequest, { status, contentType, contentEncoding }: AnswerHead, priced: PricedModel | undefined, least = 0
): Meter {
  if (status >= 400) return new UnreadMeter()
  const billed = { bySeconds: priced !== undefined && insteadOf(priced, call.bound) != null, least }
  if (isEventStream(contentType)) return new EventMeter(new TranscriptReader(billed), false)
  return new BodyMeter(contentEncoding, (text) => readAnswer(text, call, billed))
}

/** by seconds, and of how many at least; else by tokens */
interface Billed { bySeconds: boolean, least: number }

function readAnswer (text: Buffer, call: CallRequest, billed: Billed): Facts {
  const facts = told(topLevelValues(text, ['usage', 'duration', 'model', 'x_groq']) ?? {}, billed)
  const likely = billed.bySeconds ? call.likely?.['seconds'] : undefined
  if (facts.final || likely === undefined) return facts
  // a file may be made so that it seems shorter than it is, but not what was said in it
  const seconds = Math.max(likely, Math.ceil(text.length / BYTES_PER_SECOND))
  return { ...facts, usage: { ...NOTHING_USED, units: { seconds } }, final: true, estimated: true }
}

/** Events of text, the last of which has the usage. */
class TranscriptReader implements EventTaker {
  readonly #billed: Billed
  #facts = NOTHING_READ

  constructor (billed: Billed) { this.#billed = billed }

  take (event: Buffer): Buffer {
    const done = event.includes('.done') ? jsonOf(eventData(event)) : null
    if (done !== null && DONE.has(done['type'])) this.#facts = told(done, this.#billed)
    return event
  }

  facts (): Facts { return this.#facts }
}

/** of OpenAI's, and of Mistral's */
const DONE = new Set<unknown>(['transcript.text.done', 'transcription.done'])

function told (answer: Record<string, unknown>, billed: Billed): Facts {
  const usage = usageOf(objectOf(answer['usage']), answer['duration'], billed)
  return {
    usage,
    final: usage !== null,
    modelUsed: textOrNull(answer['model']),
    providerRequestId: textOrNull(objectOf(answer['x_groq'])['id']),
  }
}

/** By tokens or by seconds (OpenAI SDK, Transcription.Tokens and .Duration; Mistral's guide to audio). */
function usageOf (told: Record<string, unknown>, duration: unknown, { bySeconds, least }: Billed): Usage | null {
  if (bySeconds) return secondsUsed(told['seconds'] ?? told['prompt_audio_seconds'] ?? duration, least)
  const { input_tokens: input, output_tokens: output } = told
  if (!isCount(input) || !isCount(output)) return null
  const details = objectOf(told['input_token_details'])
  // what is not said to be text is sound, which is dearer
  const sound = Math.max(input - count(details['text_tokens']), 0)
  return {
    ...NOTHING_USED,
    inputTokens: input - sound,
    outputTokens: output,
    ...sound === 0 ? {} : { units: { inputAudioTokens: sound } },
  }
}

/** a part of a second counts as a whole */
function secondsUsed (told: unknown, least: number): Usage | null {
  if (typeof told !== 'number' || !(told >= 0) || told > Number.MAX_SAFE_INTEGER) return null
  const seconds = Math.max(least, Math.ceil(told))
  return seconds === 0 ? NOTHING_USED : { ...NOTHING_USED, units: { seconds } }
}
