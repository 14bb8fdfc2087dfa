import {
  BodyMeter, count, EventMeter, isEncoded, jsonOf, NOTHING_READ, textOrNull,
} from '../../usage/body-meter.ts'
import { type Meter, type Reading } from '../../usage/meter.ts'
import { eventData, SseSplitter } from '../../usage/sse.ts'
import { type Usage } from '../../usage/usage.ts'
import { isObject } from '../body.ts'
import { type CallRequest } from '../provider.ts'

type Facts = Omit<Reading, 'bodyBytes'>

const USAGE = Buffer.from('"usage"')
/** as OpenAI writes it, and as Python's json module does */
const NULL_USAGE = [',"usage":null', ', "usage": null', '"usage":null,', '"usage": null, '].map((text) => Buffer.from(text))

export function meterChatCompletion (
  call: CallRequest, answer: { contentType: string, contentEncoding: string }
): Meter {
  const encoding = answer.contentEncoding
  if (!answer.contentType.startsWith('text/event-stream')) return new BodyMeter(encoding, readCompletion)
  if (isEncoded(encoding)) return new BodyMeter(encoding, readWholeStream)
  const stream = new ChunkReader()
  return new EventMeter({
    take: (event) => stream.take(event, !call.usageAsked),
    state: () => stream.facts,
    filters: !call.usageAsked,
  })
}

class ChunkReader {
  facts: Facts = NOTHING_READ

  /** what of the event goes on to the client; `strip`: without the usage that it did not ask for */
  take (event: Buffer, strip: boolean): Buffer | null {
    if (!event.includes(USAGE)) return event
    // almost every chunk of a stream says that there is none yet, and nothing else about it
    const bare = withoutNullUsage(event)
    if (bare !== event && !bare.includes(USAGE)) return strip ? bare : event
    const chunk = jsonOf(eventData(event))
    if (chunk === null) return event
    const usage = usageOf(chunk)
    if (usage === null) return event
    this.facts = factsOf(chunk, usage)
    const extra = Array.isArray(chunk['choices']) && chunk['choices'].length === 0
    return strip && extra ? null : event
  }
}

/** quotes inside strings are escaped, so these bytes cannot be part of one */
function withoutNullUsage (event: Buffer): Buffer {
  for (const bytes of NULL_USAGE) {
    const at = event.indexOf(bytes)
    if (at !== -1) return Buffer.concat([event.subarray(0, at), event.subarray(at + bytes.length)])
  }
  return event
}

function readCompletion (text: Buffer): Facts {
  const completion = jsonOf(text.toString('utf8'))
  if (completion === null) return NOTHING_READ
  return factsOf(completion, usageOf(completion))
}

function readWholeStream (text: Buffer): Facts {
  const splitter = new SseSplitter()
  const reader = new ChunkReader()
  for (const event of splitter.push(text)) reader.take(event, false)
  const rest = splitter.rest()
  if (rest !== null) reader.take(rest, false)
  return reader.facts
}

function factsOf (answer: Record<string, unknown>, usage: Usage | null): Facts {
  return {
    usage,
    final: usage !== null,
    modelUsed: textOrNull(answer['model']),
    providerRequestId: textOrNull(answer['id']),
  }
}

/**
 * `prompt_tokens` includes what was read from and written to the cache, `completion_tokens` includes reasoning and
 * rejected predictions (OpenAI API reference, CompletionUsage).
 */
function usageOf (answer: Record<string, unknown>): Usage | null {
  const usage = answer['usage']
  if (!isObject(usage)) return null
  const prompt = usage['prompt_tokens']
  const completion = usage['completion_tokens']
  if (!isCount(prompt) || !(isCount(completion) || completion === undefined)) return null
  const details = isObject(usage['prompt_tokens_details']) ? usage['prompt_tokens_details'] : {}
  const outDetails = isObject(usage['completion_tokens_details']) ? usage['completion_tokens_details'] : {}
  const read = Math.min(count(details['cached_tokens']), prompt)
  const written = Math.min(count(details['cache_write_tokens']), prompt - read)
  return {
    inputTokens: prompt - read - written,
    cacheReadTokens: read,
    cacheWrite5mTokens: written,
    cacheWrite1hTokens: 0,
    outputTokens: completion ?? 0,
    reasoningTokens: count(outDetails['reasoning_tokens']),
    webSearches: 0,
    tier: textOrNull(answer['service_tier']),
  }
}

function isCount (value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
