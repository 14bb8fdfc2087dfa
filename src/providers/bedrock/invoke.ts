import { type Refusal } from '../../errors.ts'
import {
  BodyMeter, count, type EventTaker, type Facts, isCount, jsonOf, NOTHING_READ, UnreadMeter,
} from '../../usage/body-meter.ts'
import { type Frame, frameMeter, type FrameTaker } from '../../usage/event-frames.ts'
import { type Meter } from '../../usage/meter.ts'
import { type Usage } from '../../usage/usage.ts'
import { changedMessages } from '../anthropic/change.ts'
import { messageReader, readMessage } from '../anthropic/meter.ts'
import { readMessages } from '../anthropic/request.ts'
import { badRequest, countField, eachObject, isGiven, isObject, listField, notMetered, shown } from '../body.ts'
import { changedBody } from '../changed-body.ts'
import { topLevelValues } from '../json-scan.ts'
import { type AnswerHead, type CallChanges, type CallRequest, isRefusal, type Target } from '../provider.ts'
import { changedConverse, contentBound, objectField, TOKENS_PER_IMAGE } from './converse.ts'
import { converseUsage, isFrames, requestId } from './meter.ts'
import { type Family, familyOf } from './names.ts'

/** Fields of Nova's own bodies that are read here; of Llama's and of Mistral's all that they have. */
const NOVA_FIELDS = new Set([
  'schemaVersion', 'messages', 'system', 'inferenceConfig', 'toolConfig', 'additionalModelRequestFields',
])
const LLAMA_FIELDS = new Set(['prompt', 'max_gen_len', 'temperature', 'top_p', 'images'])
const MISTRAL_FIELDS = new Set([
  'prompt', 'messages', 'max_tokens', 'temperature', 'top_p', 'top_k', 'stop', 'tools', 'tool_choice',
])
const NOVA_LIMITS = ['maxTokens', 'max_new_tokens']
/** the words that are put around tools */
const SCAFFOLDING_TOKENS = 1_000

/** What the headers of an InvokeModel say that costs by itself, and what of it costs nothing. */
const HEADERS: Record<string, string | null> = {
  'x-amzn-bedrock-guardrailidentifier': null,
  'x-amzn-bedrock-guardrailversion': null,
  'x-amzn-bedrock-performanceconfig-latency': 'standard',
}
const TIER_HEADER = 'x-amzn-bedrock-service-tier'

/** What an InvokeModel may cost: its body is the model's own. Linear in the body. */
export function readInvoke (body: unknown, bytes: Buffer, target: Target, stream: boolean): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const model = target.params['model'] ?? ''
  for (const [header, free] of Object.entries(HEADERS)) {
    const value = target.headers?.[header]
    if (value !== undefined && value !== free) return notMetered(`The header ${header}`)
  }
  const family = familyOf(model, body)
  if (family === null) {
    return notMetered(`InvokeModel of ${shown(model)}, whose bodies are not read here (use Converse): it`)
  }
  const read = READERS[family](body, bytes, model, stream)
  if (isRefusal(read)) return read
  const tier = target.headers?.[TIER_HEADER]
  if (tier === undefined || tier === 'default') return read
  return { ...read, bound: { ...read.bound, tier: String(tier) } }
}

type Reader = (body: Record<string, unknown>, bytes: Buffer, model: string, stream: boolean) => CallRequest | Refusal

const READERS: Record<Family, Reader> = {
  /** Anthropic's messages, whose model and form are in the path */
  anthropic: (body, bytes, model, stream) => {
    if (isGiven(body['model']) || isGiven(body['stream'])) return badRequest('model and stream stand in the path on Bedrock.')
    return readMessages({ ...body, model, stream }, bytes)
  },
  nova: (body, bytes, model, stream) => {
    const unknown = unknownField(body, NOVA_FIELDS)
    if (unknown !== null) return notMetered(unknown)
    const config = objectField(body, 'inferenceConfig')
    if (isRefusal(config)) return config
    const content = contentBound(body)
    if (typeof content === 'string') return notMetered(content)
    const hosted = hostedTool(body)
    if (hosted !== null) return notMetered(hosted)
    const [limit, older] = NOVA_LIMITS.map((name) =>
      countField(config, name, 1, Number.MAX_SAFE_INTEGER, `inferenceConfig.${name}`))
    if (isObject(limit)) return limit as Refusal
    if (isObject(older)) return older as Refusal
    const most = Math.max(Number(limit ?? 0), Number(older ?? 0))
    const tokens = bytes.length + content.tokens + SCAFFOLDING_TOKENS
    return aCall(model, stream, tokens, most === 0 ? null : most, content.cacheWrite)
  },
  llama: (body, bytes, model, stream) => {
    const unknown = unknownField(body, LLAMA_FIELDS)
    if (unknown !== null) return notMetered(unknown)
    const limit = countField(body, 'max_gen_len', 1)
    const images = listField(body, 'images')
    if (isObject(limit)) return limit as Refusal
    if (isRefusal(images)) return images
    return aCall(model, stream, bytes.length + images.length * TOKENS_PER_IMAGE, limit as number | null)
  },
  mistral: (body, bytes, model, stream) => {
    const unknown = unknownField(body, MISTRAL_FIELDS)
    if (unknown !== null) return notMetered(unknown)
    const limit = countField(body, 'max_tokens', 1)
    const messages = listField(body, 'messages')
    if (isObject(limit)) return limit as Refusal
    if (isRefusal(messages)) return messages
    let tokens = bytes.length + (isGiven(body['tools']) ? SCAFFOLDING_TOKENS : 0)
    eachObject(messages, ({ content }) => {
      eachObject(content, ({ type }) => { if (type !== 'text') tokens = Infinity })
    })
    return aCall(model, stream, tokens, limit as number | null)
  },
}

function aCall (
  model: string, stream: boolean, inputTokens: number, outputTokens: number | null, cacheWrite: 'none' | '5m' | '1h' = 'none'
): CallRequest {
  return {
    model,
    stream,
    usageAsked: true,
    thinking: 'open',
    endUserField: 'user',
    bound: { inputTokens, outputTokens, choices: 1, cacheWrite, tier: null, webSearches: 0 },
  }
}

function unknownField (body: Record<string, unknown>, known: ReadonlySet<string>): string | null {
  for (const field in body) if (!known.has(field)) return `The field ${field.slice(0, 60)}, which is not known here,`
  return isGiven(body['additionalModelRequestFields']) ? 'additionalModelRequestFields' : null
}

function hostedTool ({ toolConfig }: Record<string, unknown>): string | null {
  let hosted: string | null = null
  eachObject(isObject(toolConfig) ? toolConfig['tools'] : null, (tool) => {
    const kind = Object.keys(tool).find((name) => name !== 'toolSpec' && name !== 'cachePoint')
    if (kind !== undefined) hosted = `the tool ${kind.slice(0, 60)}`
  })
  return hosted
}

export function changedInvoke (call: CallRequest, body: unknown, bytes: Buffer, changes: CallChanges): Buffer {
  switch (isObject(body) ? familyOf(call.model, body) : null) {
    case 'anthropic': return changedMessages(body, bytes, { ...changes, model: null })
    case 'mistral': return changedBody(body, bytes, { ...changes, model: null }, ['max_tokens'])
    case 'llama': return changedBody(body, bytes, { ...changes, model: null }, ['max_gen_len'])
    case 'nova': return changedConverse(body, bytes, changes, NOVA_LIMITS)
    case null: return bytes
  }
}

const WANTED = ['id', 'model', 'usage'] as const

/**
 * Bodies are the model's own: Anthropic's and Nova's say what they used; of the others the headers of a whole answer
 * do, and the metrics in a stream's last chunk.
 */
export function meterInvoke (call: CallRequest, answer: AnswerHead): Meter {
  const { status, contentEncoding } = answer
  if (status >= 400) return new UnreadMeter()
  if (isFrames(answer)) return frameMeter(contentEncoding, () => new ChunkReader(call, requestId(answer)))
  return new BodyMeter(contentEncoding, (text) => {
    const told = topLevelValues(text, WANTED)
    const usage = isObject(told?.['usage']) ? told['usage'] : null
    // of all these bodies only Anthropic's names them so
    if (usage !== null && isCount(usage['input_tokens'])) return readMessage(text, call)
    const used = (usage === null ? null : converseUsage(usage, null, call)) ?? headerUsage(answer)
    return { ...NOTHING_READ, usage: used, final: used !== null, providerRequestId: requestId(answer) }
  })
}

function headerUsage ({ headers }: AnswerHead): Usage | null {
  const of = (name: string): number | null => {
    const value = headers[`x-amzn-bedrock-${name}`]
    return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : null
  }
  return usageOf(of('input-token-count'), of('output-token-count'), of('cache-read-input-token-count') ?? 0,
    of('cache-write-input-token-count') ?? 0)
}

function usageOf (input: unknown, output: unknown, read: number, written: number): Usage | null {
  if (!isCount(input) || !isCount(output)) return null
  return {
    inputTokens: input,
    cacheReadTokens: read,
    cacheWrite5mTokens: written,
    cacheWrite1hTokens: 0,
    outputTokens: output,
    reasoningTokens: 0,
    webSearches: 0,
    tier: null,
  }
}

const METRICS = 'amazon-bedrock-invocationMetrics'

/** Each `chunk` frame has `{"bytes": <an event of the model's own, in base64>}`. */
class ChunkReader implements FrameTaker {
  readonly #call: CallRequest
  readonly #message: EventTaker
  #facts: Facts

  constructor (call: CallRequest, id: string | null) {
    this.#call = call
    this.#message = messageReader(call)
    this.#facts = { ...NOTHING_READ, providerRequestId: id }
  }

  take ({ type, event, payload }: Frame): void {
    if (type !== 'event' || event !== 'chunk') return
    const bytes = jsonOf(payload.toString('utf8'))?.['bytes']
    if (typeof bytes !== 'string') return
    const text = Buffer.from(bytes, 'base64').toString('utf8')
    this.#message.take(Buffer.from(`data: ${text}\n\n`))
    // most chunks are but words
    if (!text.includes(METRICS) && !text.includes('"metadata"')) return
    const told = jsonOf(text)
    const metadata = told?.['metadata']
    const nova = isObject(metadata) && isObject(metadata['usage']) ? converseUsage(metadata['usage'], null, this.#call) : null
    const metrics = told?.[METRICS]
    const used = nova ?? (isObject(metrics)
      ? usageOf(metrics['inputTokenCount'], metrics['outputTokenCount'], count(metrics['cacheReadInputTokenCount']),
        count(metrics['cacheWriteInputTokenCount']))
      : null)
    if (used === null || (this.#facts.usage !== null && nova === null)) return
    this.#facts = { ...this.#facts, usage: used, final: true }
  }

  facts (): Facts {
    const message = this.#message.facts()
    return message.usage === null ? this.#facts : message
  }
}
