import { type Refusal } from '../../errors.ts'
import {
  badRequest, countField, eachPart, flagField, isObject, modelField, notMetered, tierField,
} from '../body.ts'
import { type CallRequest } from '../provider.ts'

/** More than any model makes of one image, at its highest detail. */
const TOKENS_PER_IMAGE = 50_000
/** Tools and response formats are put to the model in another syntax, with words around them. */
const SCAFFOLDING_TOKENS = 1_000

/** What a chat completion may cost (OpenAI API reference, "Create chat completion"). Linear in the body. */
export function readChatCompletion (body: Record<string, unknown>, bytes: Buffer): CallRequest | Refusal {
  const unmetered = unmeteredFeature(body)
  if (unmetered !== null) return notMetered(unmetered)
  const model = modelField(body)
  const stream = flagField(body, 'stream')
  const choices = countField(body, 'n', 1, 128)
  const newLimit = countField(body, 'max_completion_tokens', 0)
  const oldLimit = countField(body, 'max_tokens', 0)
  const tier = tierField(body, 'service_tier')
  const usageAsked = includeUsage(body)
  for (const field of [model, stream, choices, newLimit, oldLimit, tier, usageAsked]) {
    if (typeof field === 'object' && field !== null) return field
  }
  return {
    model: model as string,
    stream: stream as boolean,
    usageAsked: usageAsked as boolean,
    bound: {
      inputTokens: inputBound(body, bytes),
      outputTokens: newLimit === null && oldLimit === null
        ? null
        : Math.max(Number(newLimit ?? 0), Number(oldLimit ?? 0)),
      choices: choices as number | null ?? 1,
      // newer models write to their cache unasked, at a price above that of input
      cacheWrite: '5m',
      tier: tier as string | null,
      webSearches: 0,
    },
  }
}

function includeUsage (body: Record<string, unknown>): boolean | Refusal {
  const options = body['stream_options']
  if (options === undefined || options === null) return false
  if (!isObject(options)) return badRequest('stream_options must be an object.', 'stream_options')
  const asked = flagField(options, 'include_usage')
  return isAsked(asked) ? asked : { ...asked, field: 'stream_options.include_usage' }
}

function isAsked (value: boolean | Refusal): value is boolean { return typeof value === 'boolean' }

function unmeteredFeature (body: Record<string, unknown>): string | null {
  const there = (field: string) => body[field] !== undefined && body[field] !== null
  if (there('web_search_options')) return 'web_search_options'
  if (there('audio')) return 'audio'
  if (there('prediction')) return 'prediction'
  const cache = body['prompt_cache_options']
  if (isObject(cache) && cache['ttl'] === '12h') return 'prompt_cache_options.ttl "12h"'
  const modalities = body['modalities']
  if (Array.isArray(modalities) && modalities.some((one) => one !== 'text')) return 'a modality other than text'
  const tools = body['tools']
  if (Array.isArray(tools)) {
    const hosted = tools.find((tool) => isObject(tool) && tool['type'] !== 'function' && tool['type'] !== 'custom')
    if (isObject(hosted)) return `the tool type ${JSON.stringify(hosted['type'])?.slice(0, 60)}`
  }
  let audio = false
  eachPart(body['messages'], (part) => { if (part['type'] === 'input_audio') audio = true })
  return audio ? 'input_audio' : null
}

/** A token has at least one byte of what it stands for; images and files stand for more than their bytes. */
function inputBound (body: Record<string, unknown>, bytes: Buffer): number {
  let tokens = bytes.length
  if (body['tools'] !== undefined || body['functions'] !== undefined || body['response_format'] !== undefined) {
    tokens += SCAFFOLDING_TOKENS
  }
  eachPart(body['messages'], (part) => {
    if (part['type'] === 'image_url') tokens += TOKENS_PER_IMAGE
    else if (part['type'] !== 'text' && part['type'] !== 'refusal' && part['type'] !== 'function') tokens = Infinity
  })
  return tokens
}
