import {
  BodyMeter, count, EventMeter, type EventTaker, type Facts, isCount, isEncoded, isEventStream, jsonOf, takeAll,
  textOrNull, UnreadMeter,
} from '../../usage/body-meter.ts'
import { type Meter } from '../../usage/meter.ts'
import { eventData } from '../../usage/sse.ts'
import { type CallBound } from '../../pricing/price.ts'
import { type Usage } from '../../usage/usage.ts'
import { isObject } from '../body.ts'
import { topLevelValues } from '../json-scan.ts'
import { type AnswerHead, type CallRequest } from '../provider.ts'
import { tierOf } from './request.ts'

/** how the types begin that tell something: message_start, message_delta, message_stop */
const TELLING = Buffer.from('"message_')
const WANTED = ['id', 'model', 'usage'] as const

export function meterMessages (call: CallRequest, answer: AnswerHead): Meter {
  const { status, contentType, contentEncoding } = answer
  if (status >= 400) return new UnreadMeter()
  const read = (text: Buffer) => readMessage(text, call)
  if (!isEventStream(contentType)) return new BodyMeter(contentEncoding, read)
  if (isEncoded(contentEncoding)) return new BodyMeter(contentEncoding, read)
  return new EventMeter(new MessageReader(call), false)
}

/** What of its request an answer is read by. */
export interface Asked { bound: Pick<CallBound, 'cacheWrite' | 'tier' | 'others'> }

/**
 * `message_start` has the input's usage, each `message_delta` cumulative figures: a field that is there replaces, it is
 * never added. The split of cache writes by lifetime is in `message_start` alone. Final is what comes with the reason
 * why the model stopped; before that the output is a running figure.
 */
class MessageReader implements EventTaker {
  readonly #call: Asked
  #usage: Record<string, unknown> | null = null
  #model: string | null = null
  #id: string | null = null
  counted = 0
  /** the output has been counted at least once */
  #outputCounted = false
  #final = false

  constructor (call: Asked) { this.#call = call }

  take (event: Buffer): Buffer {
    if (event.includes(TELLING)) this.#read(jsonOf(eventData(event)))
    return event
  }

  facts (): Facts {
    const used = this.#usage === null ? NOTHING_USED : usedIn(this.#usage, this.#call)
    const final = this.#final && used.usage !== null
    return { ...used, final, modelUsed: this.#model, providerRequestId: this.#id }
  }

  #read (data: Record<string, unknown> | null): void {
    switch (data?.['type']) {
      case 'message_start': this.#start(data['message']); break
      case 'message_delta': this.#delta(data['delta'], data['usage']); break
      // without a delta, the output is still the placeholder that the start had
      case 'message_stop': this.#final ||= this.#outputCounted; break
    }
  }

  #start (message: unknown): void {
    if (!isObject(message)) return
    this.#model = textOrNull(message['model'])
    this.#id = textOrNull(message['id'])
    this.#merge(message['usage'])
  }

  #delta (delta: unknown, usage: unknown): void {
    if (!isObject(usage)) return
    this.#merge(usage)
    this.#outputCounted = true
    if (isObject(delta) && textOrNull(delta['stop_reason']) !== null) this.#final = true
  }

  #merge (usage: unknown): void {
    if (!isObject(usage)) return
    this.counted++
    const present = Object.entries(usage).filter(([, value]) => value !== null && value !== undefined)
    this.#usage = { ...this.#usage, ...Object.fromEntries(present) }
  }
}

/** Reads a message's events, which may have come in frames of another protocol. */
export function messageReader (call: Asked): EventTaker { return new MessageReader(call) }

/** An answer that is there as a whole: a message, or a stream that did not say so or came in an encoding. */
export function readMessage (text: Buffer, call: Asked): Facts {
  const message = topLevelValues(text, WANTED)
  if (message === null) return takeAll(new MessageReader(call), text)
  const used = isObject(message['usage']) ? usedIn(message['usage'], call) : NOTHING_USED
  return {
    ...used,
    final: used.usage !== null,
    modelUsed: textOrNull(message['model']),
    providerRequestId: textOrNull(message['id']),
  }
}

type Used = Pick<Facts, 'usage' | 'others'>

const NOTHING_USED: Used = { usage: null }

/**
 * `input_tokens` excludes the cache. The totals have the model's own iterations and leave out those that sum up
 * (`compaction`) and those of advisors, which are other models at prices of their own (Anthropic SDK, BetaUsage). Of
 * any other kind of iteration nothing is known.
 */
function usedIn (usage: Record<string, unknown>, call: Asked): Used {
  const own = tokensOf(usage, call.bound.cacheWrite)
  if (own === null) return NOTHING_USED
  const all = [own]
  const others: { model: string, usage: Usage }[] = []
  for (const one of Array.isArray(usage['iterations']) ? usage['iterations'] as unknown[] : []) {
    const { type, model } = detailsOf(one)
    if (type === 'message') continue
    const advises = type === 'advisor_message' && typeof model === 'string'
    const cacheWrite = advises ? advisorCache(call) : call.bound.cacheWrite
    const tokens = advises || type === 'compaction' ? tokensOf(detailsOf(one), cacheWrite) : null
    if (tokens === null) return NOTHING_USED
    if (advises) others.push({ model, usage: { ...tokens, reasoningTokens: 0, webSearches: 0, tier: null } })
    else all.push(tokens)
  }
  return { usage: totalOf(all, usage, call), ...others.length === 0 ? {} : { others } }
}

/** the longest that any of them may write */
function advisorCache ({ bound: { others = [] } }: Asked): CallBound['cacheWrite'] {
  return others.some(({ bound }) => bound.cacheWrite === '1h') ? '1h' : '5m'
}

function totalOf (all: readonly Tokens[], usage: Record<string, unknown>, call: Asked): Usage {
  const sum = (field: keyof Tokens): number => all.reduce((total, one) => total + one[field], 0)
  return {
    inputTokens: sum('inputTokens'),
    cacheReadTokens: sum('cacheReadTokens'),
    cacheWrite5mTokens: sum('cacheWrite5mTokens'),
    cacheWrite1hTokens: sum('cacheWrite1hTokens'),
    outputTokens: sum('outputTokens'),
    reasoningTokens: count(detailsOf(usage['output_tokens_details'])['thinking_tokens']),
    webSearches: count(detailsOf(usage['server_tool_use'])['web_search_requests']),
    tier: tierUsed(usage, call),
  }
}

type Tokens =
  Pick<Usage, 'inputTokens' | 'cacheReadTokens' | 'cacheWrite5mTokens' | 'cacheWrite1hTokens' | 'outputTokens'>

function tokensOf (usage: Record<string, unknown>, cacheWrite: CallBound['cacheWrite']): Tokens | null {
  const { input_tokens: input, output_tokens: output } = usage
  if (!isCount(input) || !isCount(output)) return null
  return {
    inputTokens: input,
    cacheReadTokens: count(usage['cache_read_input_tokens']),
    ...cacheWrites(usage, cacheWrite),
    outputTokens: output,
  }
}

/** What the split leaves out is taken for the dearest that the request allowed. */
function cacheWrites (
  usage: Record<string, unknown>, cacheWrite: CallBound['cacheWrite']
): Pick<Usage, 'cacheWrite5mTokens' | 'cacheWrite1hTokens'> {
  const split = detailsOf(usage['cache_creation'])
  const short = count(split['ephemeral_5m_input_tokens'])
  const long = count(split['ephemeral_1h_input_tokens'])
  const rest = Math.max(0, count(usage['cache_creation_input_tokens']) - short - long)
  return cacheWrite === '1h'
    ? { cacheWrite5mTokens: short, cacheWrite1hTokens: long + rest }
    : { cacheWrite5mTokens: short + rest, cacheWrite1hTokens: long }
}

/** What the answer does not say of speed or region is as it was asked for; `standard`: it says that neither applied. */
function tierUsed ({ speed, inference_geo: geo }: Record<string, unknown>, { bound }: Asked): string | null {
  const saysSpeed = typeof speed === 'string'
  const saysGeo = typeof geo === 'string'
  if (!saysSpeed && !saysGeo) return null
  const asked = bound.tier?.split('+') ?? []
  const askedSpeed = asked.find((one) => one === FAST)
  const askedGeo = asked.find((one) => one !== FAST)
  return tierOf(saysSpeed ? speed : askedSpeed, saysGeo ? geo : askedGeo) ?? 'standard'
}

const FAST = 'fast'

function detailsOf (value: unknown): Record<string, unknown> { return isObject(value) ? value : {} }
