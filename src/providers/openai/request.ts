import { type Refusal } from '../../errors.ts'
import {
  badRequest, countField, eachObject, firstRefusal, flagField, isGiven, isObject, listField, modelField, notMetered,
  shown, tierField,
} from '../body.ts'
import { type CallRequest } from '../provider.ts'
import { imageBound, SCAFFOLDING_TOKENS, soundBound } from './bounds.ts'

/**
 * What costs more than the tokens of this request: searches, sounds, other models, and what is kept at the provider
 * and would be read in. Some are fields of other providers that speak this dialect.
 */
const NOT_METERED = [
  'web_search_options', 'search_parameters', 'plugins', 'models', 'mcp_servers', 'container',
  'previous_response_id', 'conversation', 'prompt',
]
const CLIENT_TOOLS = new Set<unknown>(['function', 'custom'])
const CACHE_LIFETIMES = new Set<unknown>([undefined, null, '30m'])

/** Fields in which a provider's requests differ from OpenAI's. */
export interface ChatFields {
  /** that bound the output; of several the highest counts. Default: the newer and the older one of OpenAI */
  limits?: readonly string[]
  /** that cost more than tokens */
  unmetered?: readonly string[]
  /** that are read elsewhere, though OpenAI's reader would refuse them */
  known?: ReadonlySet<string>
  /** types of content that are text, besides `text` and `refusal` */
  texts?: ReadonlySet<unknown>
  /** that put more before the model than their own bytes: the context window bounds it */
  unbounded?: readonly string[]
  /** true: sounds may go in and come out, and the answer says how many of its tokens are theirs */
  sounds?: boolean
}

const LIMITS = ['max_completion_tokens', 'max_tokens']

/** What a chat completion may cost (OpenAI API reference, "Create chat completion"). Linear in the body. */
export function readChatCompletion (body: unknown, bytes: Buffer, fields: ChatFields = {}): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const model = modelField(body)
  const stream = flagField(body, 'stream')
  const choices = choiceCount(body)
  const limit = outputLimit(body, fields.limits ?? LIMITS)
  const tier = tierField(body, 'service_tier')
  const usageAsked = includeUsage(body)
  const lists = ['messages', 'tools', 'functions', 'modalities'].map((field) => listField(body, field))
  const wrong = firstRefusal([model, stream, choices, limit, tier, usageAsked, ...lists])
  if (wrong !== null) return wrong
  const unmetered = unmeteredFeature(body, fields)
  if (unmetered !== null) return notMetered(unmetered)
  const input = inputBound(body, bytes, fields)
  if (typeof input === 'string') return notMetered(input)
  return {
    model: model as string,
    stream: stream as boolean,
    usageAsked: usageAsked as boolean,
    thinking: isGiven(body['prediction']) ? null : 'open',
    endUser: body['safety_identifier'] ?? body['user'],
    endUserField: isGiven(body['user']) && !isGiven(body['safety_identifier']) ? 'user' : 'safety_identifier',
    bound: {
      inputTokens: input.tokens,
      outputTokens: limit as number | null,
      choices: choices as number,
      // newer models write to their cache unasked, at a price above that of input
      cacheWrite: '5m',
      tier: tier as string | null,
      webSearches: 0,
      ...input.sounds ? { inputUnits: ['inputAudioTokens'] } : {},
      ...listOf(body['modalities']).includes('audio') || isGiven(body['audio']) ? { outputUnits: ['outputAudioTokens'] } : {},
    },
  }
}

/** `best_of`, where a provider has it, makes and bills more choices than it returns. */
function choiceCount (body: Record<string, unknown>): number | Refusal {
  const asked = countField(body, 'n', 1, 128)
  const made = countField(body, 'best_of', 1, 128)
  const wrong = firstRefusal([asked, made])
  return wrong ?? Math.max(Number(asked ?? 1), Number(made ?? 1))
}

/**
 * The most tokens of one choice, null for the model's own maximum. Of two limits the higher one counts here, whichever
 * counts with the provider. Rejected tokens of a prediction are billed as output and count towards the model's
 * maximum (OpenAI SDK, CompletionUsage), but not surely towards the request's.
 */
function outputLimit (body: Record<string, unknown>, names: readonly string[]): number | null | Refusal {
  let most: number | null = null
  for (const name of names) {
    const limit = countField(body, name, 1)
    if (typeof limit === 'object' && limit !== null) return limit
    if (limit !== null) most = Math.max(most ?? 0, limit)
  }
  return isGiven(body['prediction']) ? null : most
}

function includeUsage (body: Record<string, unknown>): boolean | Refusal {
  const options = body['stream_options']
  if (options === undefined || options === null) return false
  if (!isObject(options)) {
    return badRequest(`stream_options must be an object; got ${shown(options)}.`, 'stream_options')
  }
  return flagField(options, 'include_usage', 'stream_options.include_usage')
}

function unmeteredFeature (
  body: Record<string, unknown>, { unmetered = [], known, sounds = false }: ChatFields
): string | null {
  if (!sounds && isGiven(body['audio'])) return 'audio'
  for (const field of NOT_METERED) if (isGiven(body[field]) && known?.has(field) !== true) return field
  for (const field of unmetered) if (isGiven(body[field])) return field
  if (isGiven(body['background']) && body['background'] !== false) return 'background'
  const cache = body['prompt_cache_options']
  if (isObject(cache) && !CACHE_LIFETIMES.has(cache['ttl'])) return `prompt_cache_options.ttl ${shown(cache['ttl'])}`
  for (const modality of listOf(body['modalities'])) {
    if (modality !== 'text' && !(sounds && modality === 'audio')) return `the modality ${shown(modality)}`
  }
  for (const tool of listOf(body['tools'])) {
    const type = isObject(tool) ? tool['type'] : tool
    if (!CLIENT_TOOLS.has(type)) return `the tool type ${shown(type)}`
  }
  return null
}

/**
 * The most input tokens, Infinity where the body does not bound them; a string: what in it has another price than text.
 * A token stands for at least one byte of the body. Images stand for more than the bytes that name them; given in
 * place, their own bytes are not read as text. Files, and what is fetched from elsewhere, may fill the context window.
 * So may sounds that nobody can tell the length of, and those of an earlier answer, which are kept at the provider.
 */
function inputBound (
  body: Record<string, unknown>, bytes: Buffer, { texts, unbounded = [], sounds = false }: ChatFields
): { tokens: number, sounds: boolean } | string {
  let tokens = bytes.length
  let heard = false
  let unmetered: string | null = null
  if (unbounded.some((field) => isGiven(body[field]))) tokens = Infinity
  if (['tools', 'functions', 'response_format'].some((field) => isGiven(body[field]))) tokens += SCAFFOLDING_TOKENS
  eachObject(body['messages'], (message) => {
    if (isGiven(message['audio'])) {
      if (!sounds) unmetered = 'audio of an earlier answer'
      heard = true
      tokens = Infinity
    }
    eachObject(message['content'], (part) => {
      const { type } = part
      if (type === 'text' || type === 'refusal' || texts?.has(type) === true) return
      if (type === 'image_url') tokens += imageBound(urlOf(part['image_url']))
      else if (type === 'file') tokens = Infinity
      else if (type === 'input_audio' && sounds) {
        heard = true
        tokens += soundBound(part['input_audio'])
      } else unmetered = `the content type ${shown(type)}`
    })
  })
  return unmetered ?? { tokens, sounds: heard }
}

function urlOf (image: unknown): unknown { return isObject(image) ? image['url'] : image }

function listOf (value: unknown): unknown[] { return Array.isArray(value) ? value : [] }
