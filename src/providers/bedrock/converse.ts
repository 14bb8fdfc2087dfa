import { type Refusal } from '../../errors.ts'
import {
  badRequest, countField, eachObject, firstRefusal, isGiven, isObject, listField, notMetered, shown, tierField,
} from '../body.ts'
import { longContext } from '../anthropic/request.ts'
import { withMembers } from '../changed-body.ts'
import { topLevelMembers } from '../json-scan.ts'
import { type CallChanges, type CallRequest, type Target } from '../provider.ts'

/** More than any model makes of one image; larger ones are scaled down (4,800 by Claude, some 4,100 by Pixtral). */
export const TOKENS_PER_IMAGE = 10_000
/** The words that are put around tools, output formats and thinking. */
const SCAFFOLDING_TOKENS = 1_000

/** Guardrails are billed by themselves; a prompt that is kept at AWS would be read in. */
const NOT_METERED = ['guardrailConfig', 'promptVariables']
/** Blocks of content that are no more than the bytes that they are sent in. */
const BOUNDED_BY_BYTES = new Set([
  'text', 'toolUse', 'reasoningContent', 'citationsContent', 'guardContent', 'json', 'cachePoint',
])
/** Of the fields that are the model's own, those that add nothing but what is counted here. */
const OWN_FIELDS = new Set([
  'top_k', 'topK', 'thinking', 'reasoning_config', 'reasoningConfig', 'anthropic_beta', 'output_config', 'inferenceConfig',
])
const LIMIT = 'inferenceConfig.maxTokens'

/** What a Converse may cost (Amazon Bedrock API reference, "Converse"). Linear in the body. */
export function readConverse (body: unknown, bytes: Buffer, target: Target, stream: boolean): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const config = objectField(body, 'inferenceConfig')
  const own = objectField(body, 'additionalModelRequestFields')
  const tools = objectField(body, 'toolConfig')
  const service = objectField(body, 'serviceTier')
  const lists = ['messages', 'system'].map((field) => listField(body, field))
  const wrong = firstRefusal([config, own, tools, service, ...lists])
  if (wrong !== null) return wrong
  const limit = outputLimit(config as Fields, own as Fields)
  const tier = tierField(service as Fields, 'type')
  const bad = firstRefusal([limit, tier])
  if (bad !== null) return bad
  const unmetered = unmeteredFeature(body, own as Fields, tools as Fields)
  if (unmetered !== null) return notMetered(unmetered)
  const content = contentBound(body)
  if (typeof content === 'string') return notMetered(content)
  const scaffolded = isGiven(body['toolConfig']) || isGiven(body['outputConfig']) || isGiven(body['additionalModelRequestFields'])
  return {
    model: target.params['model'] ?? '',
    stream,
    usageAsked: true,
    thinking: thinkingOf(own as Fields),
    endUser: null,
    endUserField: 'requestMetadata',
    bound: {
      inputTokens: bytes.length + content.tokens + (scaffolded ? SCAFFOLDING_TOKENS : 0),
      outputTokens: limit as number | null,
      choices: 1,
      cacheWrite: content.cacheWrite,
      tier: tier === 'default' ? null : tier as string | null,
      webSearches: 0,
      ...longContext(own as Fields),
    },
  }
}

type Fields = Record<string, unknown>

const NONE: Fields = {}

export function objectField (body: Fields, field: string): Fields | Refusal {
  const value = body[field]
  if (!isGiven(value)) return NONE
  return isObject(value) ? value : badRequest(`${field} must be an object; got ${shown(value)}.`, field)
}

/** A budget of thinking may be the larger of the two, as in Anthropic's own API. */
function outputLimit (config: Fields, own: Fields): number | null | Refusal {
  const limit = countField(config, 'maxTokens', 1, Number.MAX_SAFE_INTEGER, LIMIT)
  const budgets = ['thinking', 'reasoning_config'].map((field) => isObject(own[field])
    ? countField(own[field], 'budget_tokens', 0, Number.MAX_SAFE_INTEGER, `additionalModelRequestFields.${field}.budget_tokens`)
    : null)
  const wrong = firstRefusal([limit, ...budgets])
  if (wrong !== null || limit === null) return wrong
  return Math.max(limit as number, ...budgets.map(Number))
}

function thinkingOf (own: Fields): number | 'open' {
  const thinking = own['thinking'] ?? own['reasoning_config']
  if (isObject(thinking) && typeof thinking['budget_tokens'] === 'number') return thinking['budget_tokens']
  return 'open'
}

function unmeteredFeature (body: Fields, own: Fields, { tools }: Fields): string | null {
  for (const field of NOT_METERED) if (isGiven(body[field])) return field
  const performance = body['performanceConfig']
  if (isGiven(performance) && (!isObject(performance) || (performance['latency'] ?? 'standard') !== 'standard')) {
    return 'performanceConfig.latency other than "standard"'
  }
  for (const field in own) if (!OWN_FIELDS.has(field)) return `additionalModelRequestFields.${field.slice(0, 60)}`
  const more = own['inferenceConfig']
  if (isGiven(more) && (!isObject(more) || Object.keys(more).some((field) => field !== 'topK'))) {
    return 'additionalModelRequestFields.inferenceConfig with more than topK'
  }
  if (isGiven(tools) && !Array.isArray(tools)) return `toolConfig.tools as ${shown(tools)}`
  let hosted: string | null = null
  eachObject(tools, (tool) => {
    const kind = Object.keys(tool).find((name) => name !== 'toolSpec' && name !== 'cachePoint')
    if (kind !== undefined) hosted = `the tool ${shown(isObject(tool[kind]) ? tool[kind]['name'] : kind)} (${kind.slice(0, 60)})`
  })
  return hosted
}

/**
 * Tokens beyond the bytes of the body, Infinity where it does not bound them, and the longest that anything is cached;
 * a string: what in it has another price. An image in place stands for a cap and not for its bytes; what is kept in S3,
 * documents but text, videos, and what is cut up for citations may fill the context window.
 */
export function contentBound (body: Fields): { tokens: number, cacheWrite: 'none' | '5m' | '1h' } | string {
  let tokens = 0
  let cacheWrite: 'none' | '5m' | '1h' = 'none'
  let unmetered: string | null = null
  const tools = isObject(body['toolConfig']) ? body['toolConfig']['tools'] : null
  const contents: unknown[] = [body['system'], tools]
  eachObject(body['messages'], (message) => { contents.push(message['content']) })
  // grows as it is walked: results of tools have content
  for (let i = 0; i < contents.length; i++) {
    const isTools = contents[i] === tools && tools !== null
    eachObject(contents[i], (block) => {
      for (const [kind, value] of Object.entries(block)) {
        if (!isGiven(value) || (isTools && kind === 'toolSpec')) continue
        if (kind === 'cachePoint') {
          const ttl = (isObject(value) ? value['ttl'] : null) ?? '5m'
          if (ttl !== '5m' && ttl !== '1h') unmetered = 'a cachePoint.ttl other than "5m" and "1h"'
          else if (cacheWrite !== '1h') cacheWrite = ttl
        } else if (kind === 'toolResult') {
          if (isObject(value)) contents.push(value['content'])
        } else if (kind === 'audio') {
          unmetered = 'audio'
        } else if (kind === 'guardContent') {
          if (isObject(value)) contents.push([{ image: value['image'] }])
        } else {
          tokens += blockBound(kind, value)
        }
      }
    })
  }
  return unmetered ?? { tokens, cacheWrite }
}

function blockBound (kind: string, value: unknown): number {
  if (BOUNDED_BY_BYTES.has(kind)) return 0
  if (!isObject(value)) return kind === 'role' || kind === 'type' ? 0 : Infinity
  const { source, citations } = value
  if (isObject(citations) && citations['enabled'] !== false) return Infinity
  if (kind === 'searchResult') return 0
  if (!isObject(source)) return Infinity
  if (kind === 'image') return typeof source['bytes'] === 'string' ? TOKENS_PER_IMAGE - source['bytes'].length : Infinity
  if (kind === 'document') return source['text'] !== undefined || Array.isArray(source['content']) ? 0 : Infinity
  return Infinity
}

/** The body with its output limited to less, within `inferenceConfig`; a model is changed in the path. */
export function changedConverse (
  body: unknown, bytes: Buffer, { outputTokens }: CallChanges, names: readonly string[] = ['maxTokens']
): Buffer {
  if (outputTokens === null || !isObject(body)) return bytes
  const config = isObject(body['inferenceConfig']) ? body['inferenceConfig'] : NONE
  const given = names.filter((name) => typeof config[name] === 'number')
  const values = new Map((given.length > 0 ? given : names.slice(0, 1)).map((name) =>
    [name, String(Math.min(outputTokens, Number(config[name] ?? outputTokens)))]))
  const member = topLevelMembers(bytes).find(({ key }) => key === 'inferenceConfig')
  const text = member === undefined || config === NONE ? Buffer.from('{}') : bytes.subarray(member.valueStart, member.valueEnd)
  return withMembers(bytes, new Map([['inferenceConfig', withMembers(text, values).toString('utf8')]]))
}
