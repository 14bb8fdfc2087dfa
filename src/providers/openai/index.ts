import { type Refusal } from '../../errors.ts'
import { type PricedModel } from '../../pricing/price.ts'
import { UnreadMeter } from '../../usage/body-meter.ts'
import { badRequest, shown } from '../body.ts'
import { changedBody } from '../changed-body.ts'
import { modelLists } from '../model-lists.ts'
import {
  type BillableEndpoint, type CallRequest, type Dialect, type EndpointTable, isRefusal, type JobEndpoint, type Provider,
  type StreamCalls,
} from '../provider.ts'
import { batches, batchJobs, files } from './batches.ts'
import { embeddings } from './embeddings.ts'
import { openAiRateHeaders, renderOpenAiRefusal } from './errors.ts'
import { imageEdits, images, imageVariations } from './images.ts'
import { withUsage } from './include-usage.ts'
import { chatUsage, meterChatCompletion, type UsageReader } from './meter.ts'
import { type ChatFields, readChatCompletion } from './request.ts'
import { realtime } from './realtime.ts'
import { meterResponse, meterStoredResponse, RESPONSE_ENDS, type ResponseUsage } from './responses-meter.ts'
import { readCompaction, readResponse, type ResponseFields, withToolCalls } from './responses-request.ts'
import { speech } from './speech.ts'
import { transcriptions, translations } from './transcriptions.ts'

/** the newer one first: models that reason take no other, and all of today's take it */
const OUTPUT_LIMITS = ['max_completion_tokens', 'max_tokens']

/**
 * Text that is completed, not a conversation: `prompt` in place of messages, and the same shapes of answers. Several
 * prompts at once are refused, since each has an answer.
 */
export function promptCompletions (path: string, name: string, traits: ChatTraits = {}): BillableEndpoint {
  return {
    ...chatCompletions(path, {
      ...traits,
      fields: { ...traits.fields, known: new Set(['prompt']) },
      also (request, body, bytes) {
        if (typeof body['prompt'] !== 'string') return badRequest(`prompt must be a text; got ${shown(body['prompt'])}.`, 'prompt')
        return traits.also?.(request, body, bytes) ?? request
      },
    }),
    name,
  }
}

/** OpenAI's completions of a prompt, and those of what speaks its dialect. */
export function completions (path: string, traits: ChatTraits = {}): BillableEndpoint {
  return promptCompletions(path, 'completions', {
    limits: ['max_tokens'],
    ...traits,
    about: { output: '`max_tokens`, times `n` or `best_of`', ...traits.about },
  })
}

/** OpenAI's clients, and those of everybody who does as OpenAI does. */
export const openaiDialect: Dialect = {
  name: 'openai',
  speaks: () => false,
  renderModels (models, id) {
    if (id !== undefined) return models.includes(id) ? JSON.stringify(model(id)) : null
    return JSON.stringify({ object: 'list', data: models.map(model) })
  },
  renderRefusal: renderOpenAiRefusal,
  renderCut: (refusal, callId) => `data: ${renderOpenAiRefusal(refusal, callId, '').body}\n\n`,
  rateHeaders: openAiRateHeaders,
}

/** In what somebody's chat completions differ from OpenAI's. */
export interface ChatTraits {
  about?: Partial<EndpointTable>
  /** the fields that bound the output; the first is sent where a bound is wanted and none is there */
  limits?: readonly string[]
  /** of the request */
  fields?: ChatFields
  /** what is made of the request besides; never of what is refused */
  also?: (request: CallRequest, body: Record<string, unknown>, bytes: Buffer) => CallRequest | Refusal
  /** 'always': usage is in each stream unasked; else how it is switched on */
  usage?: 'always' | ((bytes: Buffer) => Buffer)
  /** what `usage` switches on comes with every chunk */
  running?: boolean
  /** what a chunk or an answer says of usage */
  usageOf?: UsageReader
  /** what the provider is told besides, so that the call costs no more than it was quoted */
  keptTo?: (bytes: Buffer, body: unknown, call: CallRequest, priced: PricedModel) => Buffer
}

/** Chat completions of OpenAI and of what speaks its dialect. */
export function chatCompletions (path: string, traits: ChatTraits = {}): BillableEndpoint {
  const { limits = OUTPUT_LIMITS, fields, also, usage = withUsage, usageOf = chatUsage } = traits
  return {
    kind: 'billable',
    name: 'chat.completions',
    method: 'POST',
    path,
    about: {
      model: '`model`',
      output: '`max_completion_tokens`, else `max_tokens`, times `n`',
      usage: '`usage`; in a stream its last chunk',
      ...traits.about,
    },
    read (body, bytes) {
      const read = readChatCompletion(body, bytes, fields)
      if (isRefusal(read)) return read
      const request = usage === 'always' ? { ...read, usageAsked: true } : read
      return also === undefined ? request : also(request, body as Record<string, unknown>, bytes)
    },
    forwardBody (call, body, bytes, changes, priced) {
      const changed = changedBody(body, bytes, changes, limits)
      const asking = call.stream && !call.usageAsked && usage !== 'always' ? usage(changed) : changed
      return traits.keptTo === undefined || priced === undefined ? asking : traits.keptTo(asking, body, call, priced)
    },
    meter: (call, answer) => meterChatCompletion(call, answer, usageOf, traits.running),
  }
}

/** In what somebody's responses differ from OpenAI's. */
export interface ResponsesTraits {
  about?: Partial<EndpointTable>
  /** of the request */
  fields?: ResponseFields
  /** what is made of the request besides; never of what is refused */
  also?: (request: CallRequest, body: Record<string, unknown>) => CallRequest | Refusal
  /** of a response and the usage that OpenAI's reader found in it */
  usageOf?: ResponseUsage
  /** what the provider is told besides, so that the call costs no more than it was quoted */
  keptTo?: ChatTraits['keptTo']
}

/** Responses of OpenAI and of what speaks its dialect. */
export function responses (path: string, traits: ResponsesTraits = {}): BillableEndpoint {
  const { fields, also, usageOf, keptTo } = traits
  const tools = fields?.hostedTools === false ? '' : '; hosted tools by `max_tool_calls`, else 3, which is sent'
  return {
    kind: 'billable',
    name: 'responses',
    method: 'POST',
    path,
    about: {
      model: '`model`',
      output: `\`max_output_tokens\`${tools}`,
      usage: '`usage`, `tool_usage`, the calls in `output`; in a stream `response.completed`, `.incomplete` or `.failed`',
      ...traits.about,
    },
    read (body, bytes) {
      const read = readResponse(body, bytes, fields)
      return isRefusal(read) || also === undefined ? read : also(read, body as Record<string, unknown>)
    },
    forwardBody (call, body, bytes, changes, priced) {
      const changed = withToolCalls(changedBody(body, bytes, changes, ['max_output_tokens']), body, call)
      return keptTo === undefined || priced === undefined ? changed : keptTo(changed, body, call, priced)
    },
    meter: (call, answer) => meterResponse(call, answer, usageOf),
  }
}

/**
 * Responses over a WebSocket (OpenAI API reference, "WebSocket events"). Several conversations on one connection
 * (`stream_id`) are refused: their events would have to be told apart.
 */
const RESPONSES_SOCKET: StreamCalls = {
  kind: 'stream',
  creates: 'response.create',
  refused: ['background', 'stream_id'],
  ends: RESPONSE_ENDS,
}

/** The compaction of a conversation. */
export function compaction (path: string): BillableEndpoint {
  return {
    ...responses(path),
    name: 'responses.compact',
    about: { model: '`model`', output: 'none: the most that the model can', usage: '`usage`' },
    read: readCompaction,
  }
}

/** Responses that are kept at the provider, of those in the background: there is no other way to what they say. */
export function responseJobs (path: string): JobEndpoint[] {
  const of = { kind: 'free', served: 'job', of: 'responses', meter: meterStoredResponse } as const
  return [
    { ...of, name: 'responses.retrieve', method: 'GET', path: `${path}/{job}`, whileOpen: 'ask' },
    { ...of, name: 'responses.cancel', method: 'POST', path: `${path}/{job}/cancel`, whileOpen: 'pass' },
    { ...of, name: 'responses.delete', method: 'DELETE', path: `${path}/{job}`, whileOpen: 'refuse' },
    { ...of, name: 'responses.input_items', method: 'GET', path: `${path}/{job}/input_items`, whileOpen: 'pass', meter: () => new UnreadMeter() },
  ]
}

/** also as the lines of batches */
const inBatches = [
  chatCompletions('/v1/chat/completions', { fields: { sounds: true } }),
  { ...responses('/v1/responses', { fields: { jobs: true } }), socket: RESPONSES_SOCKET },
  completions('/v1/completions'),
  embeddings('/v1/embeddings'),
]

export const openai: Provider = {
  name: 'openai',
  title: 'OpenAI',
  url: 'https://api.openai.com',
  base: '/v1',
  atRoot: true,
  needsKey: true,
  dialect: openaiDialect,
  endpoints: [
    ...inBatches,
    realtime('/v1/realtime'),
    ...responseJobs('/v1/responses'),
    compaction('/v1/responses/compact'),
    batches('/v1', inBatches),
    ...batchJobs('/v1', inBatches),
    ...files('/v1'),
    images('/v1/images/generations'),
    imageEdits('/v1/images/edits'),
    imageVariations('/v1/images/variations'),
    speech('/v1/audio/speech'),
    transcriptions('/v1/audio/transcriptions'),
    translations('/v1/audio/translations'),
    { kind: 'free', name: 'moderations', method: 'POST', path: '/v1/moderations', served: 'forward' },
    { kind: 'free', name: 'responses.input_tokens', method: 'POST', path: '/v1/responses/input_tokens', served: 'forward' },
    ...modelLists('/v1'),
  ],
  credential: (apiKey) => ({ authorization: `Bearer ${apiKey}` }),
}

function model (id: string) { return { id, object: 'model', created: 0, owned_by: 'openai' } }
