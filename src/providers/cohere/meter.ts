import {
  BodyMeter, count, EventMeter, type EventTaker, type Facts, isCount, isEncoded, isEventStream, jsonOf, NOTHING_READ,
  takeAll, textOrNull, UnreadMeter,
} from '../../usage/body-meter.ts'
import { type Meter } from '../../usage/meter.ts'
import { eventData } from '../../usage/sse.ts'
import { NOTHING_USED, type Usage } from '../../usage/usage.ts'
import { isObject } from '../body.ts'
import { topLevelValues } from '../json-scan.ts'
import { type AnswerHead, type CallRequest } from '../provider.ts'

/** how the types begin that tell something: message-start, message-end */
const TELLING = Buffer.from('"message-')

/** of chats: `usage` of the answer, in a stream that of `message-end` */
export function meterChat (_call: CallRequest, answer: AnswerHead): Meter {
  const { status, contentType, contentEncoding } = answer
  if (status >= 400) return new UnreadMeter()
  if (!isEventStream(contentType) || isEncoded(contentEncoding)) return new BodyMeter(contentEncoding, readWhole)
  return new EventMeter(new ChatReader(), false)
}

/** of what is answered whole: `meta` */
export function meterMeta (_call: CallRequest, { status, contentEncoding }: AnswerHead): Meter {
  return status >= 400 ? new UnreadMeter() : new BodyMeter(contentEncoding, readMeta)
}

class ChatReader implements EventTaker {
  #facts = NOTHING_READ

  take (event: Buffer): Buffer {
    if (event.includes(TELLING)) this.#read(jsonOf(eventData(event)))
    return event
  }

  facts (): Facts { return this.#facts }

  #read (data: Record<string, unknown> | null): void {
    if (data?.['type'] === 'message-start') {
      this.#facts = { ...this.#facts, providerRequestId: textOrNull(data['id']) }
    } else if (data?.['type'] === 'message-end' && isObject(data['delta'])) {
      const usage = usageOf(data['delta']['usage'])
      this.#facts = { ...this.#facts, usage, final: usage !== null }
    }
  }
}

function readWhole (text: Buffer): Facts {
  const answer = topLevelValues(text, ['id', 'usage'])
  if (answer === null) return takeAll(new ChatReader(), text)
  return factsOf(usageOf(answer['usage']), answer['id'])
}

function readMeta (text: Buffer): Facts {
  const answer = topLevelValues(text, ['id', 'meta'])
  return answer === null ? NOTHING_READ : factsOf(usageOf(answer['meta']), answer['id'])
}

function factsOf (usage: Usage | null, id: unknown): Facts {
  return { usage, final: usage !== null, modelUsed: null, providerRequestId: textOrNull(id) }
}

/**
 * `billed_units` are what is billed; `tokens` beside them count also what Cohere itself puts before the model. Images
 * are billed by their tokens; what is billed otherwise has no price here (cohere-ai 8.1, UsageBilledUnits and
 * ApiMetaBilledUnits).
 */
function usageOf (told: unknown): Usage | null {
  const billed = isObject(told) ? told['billed_units'] : undefined
  if (!isObject(billed) || count(billed['classifications']) > 0 || count(billed['pages']) > 0) return null
  const names = ['input_tokens', 'output_tokens', 'search_units', 'image_tokens', 'images'] as const
  const [input, output, searches, imageTokens, images] = names.map((name) => billed[name])
  if (![input, output, searches, imageTokens].some(isCount)) return null
  if (count(images) > 0 && count(imageTokens) === 0) return null
  const units: Record<string, number> = {}
  if (count(searches) > 0) units['searchUnits'] = count(searches)
  if (count(imageTokens) > 0) units['inputImageTokens'] = count(imageTokens)
  const usage = { ...NOTHING_USED, inputTokens: count(input), outputTokens: count(output) }
  return Object.keys(units).length === 0 ? usage : { ...usage, units }
}
