import { type Refusal } from '../../errors.ts'
import { type CallBound } from '../../pricing/price.ts'
import { count, EventMeter, type EventTaker, type Facts, isCount, NOTHING_READ, textOrNull } from '../../usage/body-meter.ts'
import { eventData } from '../../usage/sse.ts'
import { type Usage } from '../../usage/usage.ts'
import { badRequest, eachObject, isGiven, isObject, notMetered, shown } from '../body.ts'
import { topLevelValues } from '../json-scan.ts'
import { type BillableEndpoint, type CallRequest, type Talk, type Target } from '../provider.ts'
import { objectOf } from './usage.ts'

/**
 * Conversations in sound and text (OpenAI API reference, "Realtime"; types of the openai SDK 6.49). Each answer reads
 * the whole conversation again and says its own usage, in `response.done`. The provider answers when it is asked to,
 * and, unless that is turned off, by itself when it hears that somebody has spoken.
 */
export function realtime (path: string): BillableEndpoint {
  return {
    kind: 'billable',
    name: 'realtime',
    method: 'POST',
    path,
    about: {
      model: '`?model=`',
      output: '`max_output_tokens` of the answer or the session',
      usage: '`response.usage` of each `response.done`',
    },
    socket: { kind: 'talk', begin },
    read: readAnswer,
    forwardBody: (_call, _body, bytes) => bytes,
    meter: () => new EventMeter(new DoneReader(), false),
  }
}

/** what a talk says of an answer that is to be made */
interface Answer { model: string, max_output_tokens: number | null, images: boolean }

function readAnswer (body: unknown): CallRequest | Refusal {
  const { model, max_output_tokens: limit, images } = body as Answer
  return {
    model,
    stream: true,
    usageAsked: true,
    // the limit is the session's, and is not lowered
    thinking: null,
    endUserField: 'safety_identifier',
    bound: {
      inputTokens: Infinity,
      outputTokens: limit,
      choices: 1,
      cacheWrite: 'none',
      tier: null,
      webSearches: 0,
      inputUnits: images ? [...SOUND, ...IMAGES] : SOUND,
      outputUnits: ['outputAudioTokens'],
    },
  }
}

const SOUND: NonNullable<CallBound['inputUnits']> = ['inputAudioTokens', 'cachedAudioTokens']
const IMAGES: NonNullable<CallBound['inputUnits']> = ['inputImageTokens', 'cachedImageTokens']

const ASKED_FOR = new Set(['model'])

function begin ({ search }: Target): Talk | Refusal {
  const query = new URLSearchParams(search)
  const models = query.getAll('model')
  const [model = ''] = models
  if (models.length !== 1 || model === '' || model.length > 256) return badRequest('?model= must name the model of the conversation, once.', 'model')
  for (const name of query.keys()) if (!ASKED_FOR.has(name)) return notMetered(`?${name.slice(0, 60)}=`)
  return new RealtimeTalk(model)
}

/** that make no answer */
const FREE = new Set<unknown>([
  'conversation.item.delete', 'conversation.item.retrieve', 'conversation.item.truncate', 'input_audio_buffer.clear',
  'input_audio_buffer.commit', 'output_audio_buffer.clear', 'response.cancel',
])
/** of an item: that are what they weigh in the conversation, and call nothing at the provider's */
const ITEMS = new Set<unknown>(['message', 'function_call', 'function_call_output'])
const PARTS = new Set<unknown>(['input_text', 'input_audio', 'input_image', 'text', 'audio', 'output_text', 'output_audio'])
const TOLD = ['type', 'response', 'session', 'error']
const TELLS = new Set(['response.created', 'response.done', 'session.created', 'session.updated', 'error'])
const WITH_TYPE = ['type']

/**
 * What the provider says of the session counts. Between a wish for other settings and its word on it, the dearer of
 * both may hold: no limit, and answers by itself.
 */
class RealtimeTalk implements Talk {
  readonly #model: string
  #limit: number | null = null
  #answersByItself = true
  #images = false
  /** wishes that nothing was said to yet */
  #wishes = 0

  constructor (model: string) { this.#model = model }

  fromClient (message: Record<string, unknown>): ReturnType<Talk['fromClient']> {
    const { type, session, response, item } = message
    switch (type) {
      case 'session.update': {
        const unmetered = this.#unmeteredIn(objectOf(session))
        if (unmetered !== null) return notMetered(unmetered)
        this.#wishes++
        return PASSES
      }
      case 'response.create': return this.#asked(objectOf(response))
      case 'conversation.item.create': return this.#withItem(objectOf(item)) ?? PASSES
      case 'input_audio_buffer.append':
        return this.#answersByItself || this.#wishes > 0 ? { makes: this.#answer(this.#sessionLimit), when: 'by itself' } : PASSES
      default: return FREE.has(type) ? PASSES : notMetered(`a message of the type ${shown(type)}`)
    }
  }

  fromProvider (message: Buffer): ReturnType<Talk['fromProvider']> {
    const type = String((topLevelValues(message, WITH_TYPE) ?? {})['type'])
    if (!TELLS.has(type)) return null
    const { response, session, error } = topLevelValues(message, TOLD) ?? {}
    const { id } = objectOf(response)
    if (type === 'response.created') return { what: 'begins', id: String(id) }
    if (type === 'response.done') return { what: 'ends', id: String(id) }
    if (type === 'error') {
      // of a wish it is not known which one failed: the session stays as dear as it may be
      const { event_id: of } = objectOf(error)
      return typeof of === 'string' ? { what: 'fails', id: of } : null
    }
    if (type === 'session.updated') this.#wishes = Math.max(0, this.#wishes - 1)
    this.#learn(objectOf(session))
    return null
  }

  #learn (session: Record<string, unknown>): void {
    const limit = session['max_output_tokens'] ?? session['max_response_output_tokens']
    this.#limit = isCount(limit) && limit > 0 ? limit : null
    const detection = turnDetection(session)
    this.#answersByItself = detection !== null && !(isObject(detection) && detection['create_response'] === false)
  }

  get #sessionLimit (): number | null { return this.#wishes > 0 ? null : this.#limit }

  #answer (limit: number | null): Record<string, unknown> {
    return { model: this.#model, max_output_tokens: limit, images: this.#images } satisfies Answer
  }

  #asked (response: Record<string, unknown>): ReturnType<Talk['fromClient']> {
    const unmetered = unmeteredTools(response)
    if (unmetered !== null) return notMetered(unmetered)
    const items = response['input']
    let wrong: Refusal | null = null
    eachObject(items, (item) => { wrong ??= this.#withItem(item) })
    if (wrong !== null) return wrong
    const own = response['max_output_tokens'] ?? response['max_response_output_tokens']
    const limit = isGiven(own) ? (isCount(own) && own > 0 ? own : null) : this.#sessionLimit
    return { makes: this.#answer(limit), when: 'asked' }
  }

  #withItem (item: Record<string, unknown>): Refusal | null {
    const { type = 'message', content } = item
    if (type === 'item_reference') return null
    if (!ITEMS.has(type)) return notMetered(`an item of the type ${shown(type)}`)
    let wrong: Refusal | null = null
    eachObject(content, (part) => {
      if (part['type'] === 'input_image') this.#images = true
      else if (!PARTS.has(part['type'])) wrong ??= notMetered(`the content type ${shown(part['type'])}`)
    })
    return wrong
  }

  #unmeteredIn (session: Record<string, unknown>): string | null {
    const { type, model, audio, input_audio_transcription: older } = session
    if (isGiven(type) && type !== 'realtime') return `a session of the type ${shown(type)}`
    if (isGiven(model) && model !== this.#model) return 'session.model that is another one than ?model='
    // by another model, at its own price
    if (isGiven(older) || isGiven(objectOf(objectOf(audio)['input'])['transcription'])) return 'transcription of what is heard'
    const detection = turnDetection(session)
    // answers to silence, which nobody has to send
    if (isObject(detection) && isGiven(detection['idle_timeout_ms'])) return 'turn_detection.idle_timeout_ms'
    return unmeteredTools(session)
  }
}

const PASSES = { makes: null } as const

/** undefined: nothing is said of it */
function turnDetection (session: Record<string, unknown>): unknown {
  const { audio, turn_detection: older } = session
  const input = objectOf(objectOf(audio)['input'])
  return 'turn_detection' in input ? input['turn_detection'] : older
}

function unmeteredTools ({ tools, prompt }: Record<string, unknown>): string | null {
  if (isGiven(prompt)) return 'prompt'
  let unmetered: string | null = null
  eachObject(tools, ({ type }) => { if (type !== 'function') unmetered ??= `the tool type ${shown(type)}` })
  return unmetered
}

const WANTED = ['response'] as const

/** `response.done`, whatever became of it: an answer that was cancelled says what it used too. */
class DoneReader implements EventTaker {
  #facts = NOTHING_READ

  facts (): Facts { return this.#facts }

  take (event: Buffer): Buffer {
    const response = objectOf((topLevelValues(Buffer.from(eventData(event)), WANTED) ?? {})['response'])
    const usage = usageOf(objectOf(response['usage']))
    this.#facts = {
      usage, final: usage !== null, modelUsed: textOrNull(response['model']), providerRequestId: textOrNull(response['id']),
    }
    return event
  }
}

/** Input is all of it, of which cached is a part, by kind; null: how much of which kind it was is not said. */
function usageOf (usage: Record<string, unknown>): Usage | null {
  const { input_tokens: input, output_tokens: output } = usage
  const { input_token_details: inDetails, output_token_details: outDetails } = usage
  if (!isCount(input) || !isCount(output)) return null
  if ((input > 0 && !isObject(inDetails)) || (output > 0 && !isObject(outDetails))) return null
  const read = objectOf(inDetails)
  const cached = objectOf(read['cached_tokens_details'])
  const sound = Math.min(count(read['audio_tokens']), input)
  const images = Math.min(count(read['image_tokens']), input - sound)
  const text = input - sound - images
  const cachedSound = Math.min(count(cached['audio_tokens']), sound)
  const cachedImages = Math.min(count(cached['image_tokens']), images)
  const cachedText = Math.min(count(cached['text_tokens']), text)
  const spoken = Math.min(count(objectOf(outDetails)['audio_tokens']), output)
  const units = Object.fromEntries(Object.entries({
    inputAudioTokens: sound - cachedSound,
    cachedAudioTokens: cachedSound,
    inputImageTokens: images - cachedImages,
    cachedImageTokens: cachedImages,
    outputAudioTokens: spoken,
  }).filter(([, tokens]) => tokens > 0))
  return {
    inputTokens: text - cachedText,
    cacheReadTokens: cachedText,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    outputTokens: output - spoken,
    reasoningTokens: 0,
    webSearches: 0,
    tier: null,
    ...Object.keys(units).length === 0 ? {} : { units },
  }
}
