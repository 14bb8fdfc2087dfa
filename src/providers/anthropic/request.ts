import { type Refusal } from '../../errors.ts'
import { badRequest, countField, eachPart, flagField, isObject, modelField, notMetered, tierField } from '../body.ts'
import { type CallRequest } from '../provider.ts'

/** More than any model makes of one image. */
const TOKENS_PER_IMAGE = 5_000
/** The words that are put around tools. */
const SCAFFOLDING_TOKENS = 1_000

/** Tools that run at the client; all others run at the provider and cost more than tokens, or unbounded tokens. */
const CLIENT_TOOL = /^(custom|bash_\d+|text_editor_\d+|computer_\d+|memory_\d+)$/

/** What a message may cost (Anthropic API reference, "Create a Message"). Linear in the body. */
export function readMessages (body: Record<string, unknown>, bytes: Buffer): CallRequest | Refusal {
  const unmetered = unmeteredFeature(body)
  if (unmetered !== null) return notMetered(unmetered)
  const model = modelField(body)
  const stream = flagField(body, 'stream')
  const limit = countField(body, 'max_tokens', 0)
  const speed = tierField(body, 'speed')
  const geo = tierField(body, 'inference_geo')
  for (const field of [model, stream, limit, speed, geo]) if (typeof field === 'object' && field !== null) return field
  if (limit === null) return badRequest('max_tokens is missing: the most tokens that the answer may have.', 'max_tokens')
  return {
    model: model as string,
    stream: stream as boolean,
    // Anthropic always reports usage
    usageAsked: true,
    bound: {
      inputTokens: inputBound(body, bytes),
      outputTokens: limit as number,
      choices: 1,
      cacheWrite: cacheWrite(bytes),
      tier: tierOf(speed, geo),
      webSearches: 0,
    },
  }
}

/** The price modifiers of speed and region, as the catalog names them; null: neither. */
export function tierOf (speed: unknown, geo: unknown): string | null {
  const modifiers: string[] = []
  if (typeof speed === 'string' && speed !== 'standard') modifiers.push(speed)
  if (typeof geo === 'string' && geo !== 'global' && geo !== 'not_available') modifiers.push(geo)
  return modifiers.length === 0 ? null : modifiers.join('+')
}

function unmeteredFeature (body: Record<string, unknown>): string | null {
  for (const field of ['mcp_servers', 'container', 'fallbacks']) {
    const value = body[field]
    if (value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)) return field
  }
  const tools = body['tools']
  if (Array.isArray(tools)) {
    const hosted = tools.find((tool) => isObject(tool) && !(tool['type'] === undefined || tool['type'] === null ||
      (typeof tool['type'] === 'string' && CLIENT_TOOL.test(tool['type']))))
    if (isObject(hosted)) return `the tool type ${JSON.stringify(hosted['type'])?.slice(0, 60)}`
  }
  const management = body['context_management']
  if (management === undefined || management === null) return null
  const edits = isObject(management) ? management['edits'] : null
  const clears = Array.isArray(edits) &&
    edits.every((edit) => isObject(edit) && typeof edit['type'] === 'string' && edit['type'].startsWith('clear_'))
  return clears ? null : 'context_management other than clearing'
}

function inputBound (body: Record<string, unknown>, bytes: Buffer): number {
  let tokens = bytes.length
  if (body['tools'] !== undefined || body['output_config'] !== undefined) tokens += SCAFFOLDING_TOKENS
  const weigh = (part: Record<string, unknown>) => {
    if (part['type'] === 'image') tokens += TOKENS_PER_IMAGE
    else if (part['type'] === 'document' || part['type'] === 'file' || part['type'] === 'container_upload') {
      const source = part['source']
      const text = isObject(source) && (source['type'] === 'text' || source['type'] === 'content')
      if (!text) tokens = Infinity
      else eachPart(source['content'], weigh)
    }
  }
  eachPart(body['messages'], weigh)
  eachPart(body['system'], weigh)
  return tokens
}

/** Escapes could hide a key or a value from a search of the bytes, so with any the dearest is assumed. */
function cacheWrite (bytes: Buffer): 'none' | '5m' | '1h' {
  const hidden = bytes.includes('\\u')
  if (!hidden && !bytes.includes('"cache_control"')) return 'none'
  return hidden || bytes.includes('"1h"') ? '1h' : '5m'
}
