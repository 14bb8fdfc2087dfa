import {
  BodyMeter, count, EventMeter, isEncoded, jsonOf, NOTHING_READ, textOrNull,
} from '../../usage/body-meter.ts'
import { type Meter, type Reading } from '../../usage/meter.ts'
import { eventData, SseSplitter } from '../../usage/sse.ts'
import { type Usage } from '../../usage/usage.ts'
import { isObject } from '../body.ts'
import { tierOf } from './request.ts'

type Facts = Omit<Reading, 'bodyBytes'>

const TELLING = ['message_start', 'message_delta', 'message_stop'].map((type) => Buffer.from(`"${type}"`))

export function meterMessages (answer: { contentType: string, contentEncoding: string }): Meter {
  const encoding = answer.contentEncoding
  if (!answer.contentType.startsWith('text/event-stream')) return new BodyMeter(encoding, readMessage)
  if (isEncoded(encoding)) return new BodyMeter(encoding, readWholeStream)
  const reader = new MessageReader()
  return new EventMeter({
    take: (event) => {
      reader.take(event)
      return event
    },
    state: () => reader.facts,
    filters: false,
  })
}

/**
 * `message_start` has the input's usage, each `message_delta` cumulative figures: a field that is there replaces, it is
 * never added. The split of cache writes by lifetime is in `message_start` alone.
 */
class MessageReader {
  #usage: Record<string, unknown> | null = null
  #model: string | null = null
  #id: string | null = null
  #final = false

  take (event: Buffer): void {
    if (!TELLING.some((type) => event.includes(type))) return
    const data = jsonOf(eventData(event))
    if (data === null) return
    if (data['type'] === 'message_start' && isObject(data['message'])) {
      const message = data['message']
      this.#model = textOrNull(message['model'])
      this.#id = textOrNull(message['id'])
      this.#merge(message['usage'])
    } else if (data['type'] === 'message_delta') {
      this.#merge(data['usage'])
      const delta = data['delta']
      if (isObject(delta) && typeof delta['stop_reason'] === 'string' && isObject(data['usage'])) this.#final = true
    } else if (data['type'] === 'message_stop') this.#final = true
  }

  get facts (): Facts {
    const usage = this.#usage === null ? null : usageOf(this.#usage)
    return { usage, final: this.#final && usage !== null, modelUsed: this.#model, providerRequestId: this.#id }
  }

  #merge (usage: unknown): void {
    if (!isObject(usage)) return
    const present = Object.entries(usage).filter(([, value]) => value !== null && value !== undefined)
    this.#usage = { ...this.#usage, ...Object.fromEntries(present) }
  }
}

function readMessage (text: Buffer): Facts {
  const message = jsonOf(text.toString('utf8'))
  if (message === null) return NOTHING_READ
  const usage = isObject(message['usage']) ? usageOf(message['usage']) : null
  return {
    usage,
    final: usage !== null,
    modelUsed: textOrNull(message['model']),
    providerRequestId: textOrNull(message['id']),
  }
}

function readWholeStream (text: Buffer): Facts {
  const splitter = new SseSplitter()
  const reader = new MessageReader()
  for (const event of splitter.push(text)) reader.take(event)
  const rest = splitter.rest()
  if (rest !== null) reader.take(rest)
  return reader.facts
}

/**
 * `input_tokens` excludes the cache. Iterations are work of other models, or compaction, that the totals leave out
 * (Anthropic SDK, BetaUsage): with such the usage is not known.
 */
function usageOf (usage: Record<string, unknown>): Usage | null {
  const { input_tokens: input, output_tokens: output } = usage
  if (!isCount(input) || !isCount(output)) return null
  const iterations = usage['iterations']
  if (Array.isArray(iterations) && iterations.some((one) => !isObject(one) || one['type'] !== 'message')) return null
  const written = count(usage['cache_creation_input_tokens'])
  const split = isObject(usage['cache_creation']) ? usage['cache_creation'] : {}
  const written1h = Math.min(count(split['ephemeral_1h_input_tokens']), written)
  const tools = isObject(usage['server_tool_use']) ? usage['server_tool_use'] : {}
  const details = isObject(usage['output_tokens_details']) ? usage['output_tokens_details'] : {}
  return {
    inputTokens: input,
    cacheReadTokens: count(usage['cache_read_input_tokens']),
    cacheWrite5mTokens: written - written1h,
    cacheWrite1hTokens: written1h,
    outputTokens: output,
    reasoningTokens: count(details['thinking_tokens']),
    webSearches: count(tools['web_search_requests']),
    tier: tierOf(usage['speed'], usage['inference_geo']),
  }
}

function isCount (value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
