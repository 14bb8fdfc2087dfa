import { type Refusal } from '../../errors.ts'
import {
  badRequest, countField, eachObject, firstRefusal, flagField, isGiven, isObject, listField, modelField, notMetered,
  shown, tierField,
} from '../body.ts'
import { type CallBound, type OtherModel } from '../../pricing/price.ts'
import { type CallRequest, type Target } from '../provider.ts'

/** More than any model makes of one image: larger ones are scaled down to some 4,800 (Anthropic's guide to vision). */
const TOKENS_PER_IMAGE = 10_000
/** The words that are put around tools, output formats and thinking: 346 to 499 (Anthropic's guide to tool use). */
const SCAFFOLDING_TOKENS = 1_000
/** A tool whose definition Anthropic knows is named in a few bytes and takes up to 735 tokens (the same guide). */
const TOKENS_PER_KNOWN_TOOL = 2_500

/** Tools that run at the client; of all others, which run at the provider, these two are bounded and metered. */
const OWN_TOOLS = new Set<unknown>([undefined, null, 'custom'])
const KNOWN_TOOL = /^(bash|text_editor|computer|memory)_\d{8}$/
const WEB_TOOL = /^web_(search|fetch)_(\d{8})$/
/** another model, which is asked for advice within the call */
const ADVISOR = /^advisor_\d{8}$/
/** from then on they are called by code that the model writes, unless the request says otherwise */
const CALLED_BY_CODE = 20260101
/** no request has more */
const MAX_USES = 500
/** where the request does not say how many: that is sent along, so that the provider keeps to it */
const USES = 3
const SUMMARY = /^compact_\d{8}$/
/** from how many tokens of input on a conversation is summed up where nobody says (BetaCompact20260112Edit) */
const SUMMED_UP_FROM = 150_000
/** with which a model reads so many tokens, at another price where that is more than it does without */
const LONG_CONTEXT = /^context-(\d{1,2})m-/

/** Work besides the model's, or conversations kept at the provider. */
const NOT_METERED = ['mcp_servers', 'container', 'fallbacks', 'compaction', 'thread']
const SCAFFOLDED = ['tools', 'output_config', 'output_format', 'thinking']

/** Content that is no more than the bytes that it is sent in. What is not listed may be more. */
const BOUNDED_BY_BYTES = new Set<unknown>([
  'text', 'thinking', 'redacted_thinking', 'tool_use', 'tool_result', 'search_result', 'server_tool_use',
  'web_search_tool_result', 'web_search_result', 'web_search_tool_result_error', 'web_fetch_tool_result',
  'web_fetch_result', 'web_fetch_tool_result_error', 'mcp_tool_use', 'mcp_tool_result', 'tool_removal', 'compaction',
  'fallback',
])
/** Data of the client's own tools, in which nothing is an instruction to the provider. */
const CLIENT_DATA = new Set(['input', 'input_schema', 'input_examples'])

/**
 * What a message may cost (Anthropic API reference, "Create a Message"). Linear in the body. With tools at the
 * provider, or where a conversation may be summed up, the model runs more than once.
 */
export function readMessages (
  body: unknown, bytes: Buffer, { headers }: Pick<Target, 'headers'> = {}
): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const model = modelField(body)
  const stream = flagField(body, 'stream')
  const limit = outputLimit(body)
  const tiers = ['speed', 'inference_geo', 'service_tier'].map((field) => tierField(body, field))
  const lists = ['messages', 'tools'].map((field) => listField(body, field))
  const wrong = firstRefusal([model, stream, limit, ...tiers, ...lists])
  if (wrong !== null) return wrong
  const unmetered = unmeteredFeature(body)
  if (unmetered !== null) return notMetered(unmetered)
  const inputTokens = inputBound(body, bytes)
  if (typeof inputTokens === 'string') return notMetered(inputTokens)
  const cacheWrite = longestCache(body)
  if (cacheWrite === 'unknown') return notMetered('A cache_control.ttl other than "5m" and "1h"')
  const [speed, geo] = tiers
  const summed = mayBeSummedUp(body, inputTokens)
  return {
    model: model as string,
    stream: stream as boolean,
    // Anthropic always reports usage
    usageAsked: true,
    thinking: summed ? null : thinkingOf(body['thinking']),
    endUser: isObject(body['metadata']) ? body['metadata']['user_id'] : null,
    endUserField: 'metadata.user_id',
    bound: {
      inputTokens,
      // a summary is as long as the model makes it
      outputTokens: summed ? null : limit as number,
      choices: 1,
      cacheWrite,
      tier: tierOf(speed, geo),
      ...runsOf(body, summed),
      ...advisorsOf(body, geo),
      ...longContext(body, headers),
    },
  }
}

/**
 * After each use of a tool at the provider the model runs again, and once after a try beyond `max_uses`, which is
 * answered with an error; each run may begin with a summary, which is a run too.
 */
function runsOf (body: Record<string, unknown>, summed: boolean): Pick<CallBound, 'webSearches' | 'runs'> {
  let webSearches = 0
  let runs = 1
  eachObject(body['tools'], (tool) => {
    const web = webTool(tool)
    const uses = web?.uses ?? advisor(tool, null)?.bound.runs
    if (uses === undefined) return
    runs += uses + 1
    if (web?.searches === true) webSearches += uses
  })
  if (summed) runs *= 2
  return runs === 1 ? { webSearches } : { webSearches, runs }
}

/** null: it is none, or has no bound */
function webTool (tool: Record<string, unknown>): { searches: boolean, uses: number } | null {
  const { type } = tool
  const found = typeof type === 'string' ? WEB_TOOL.exec(type) : null
  const uses = usesOf(tool)
  return found === null || uses === null ? null : { searches: found[1] === 'search', uses }
}

/** null: it is no number, or it is not the model alone that may use it */
function usesOf ({ max_uses: said, allowed_callers: callers }: Record<string, unknown>): number | null {
  const direct = Array.isArray(callers) ? callers.every((caller) => caller === 'direct') : !isGiven(callers)
  const uses = said ?? USES
  const known = typeof uses === 'number' && Number.isInteger(uses) && uses >= 1 && uses <= MAX_USES
  return direct && known ? uses : null
}

/** What of a tool's bound the request does not say, as JSON by the names of its fields; null: nothing. */
export function unsaidOf (tool: unknown): ReadonlyMap<string, string> | null {
  const type = isObject(tool) ? tool['type'] : null
  if (!isObject(tool) || typeof type !== 'string') return null
  const web = WEB_TOOL.exec(type)
  if (web === null && !ADVISOR.test(type)) return null
  const unsaid = new Map<string, string>()
  if (!isGiven(tool['max_uses'])) unsaid.set('max_uses', String(USES))
  const byCode = Number(web?.[2] ?? 0) >= CALLED_BY_CODE
  if (byCode && !isGiven(tool['allowed_callers'])) unsaid.set('allowed_callers', '["direct"]')
  return unsaid.size === 0 ? null : unsaid
}

/** What another model may use that reads the conversation at each use; null: it is none, or has no bound. */
function advisor (tool: Record<string, unknown>, geo: unknown): OtherModel | null {
  const { type, model, caching, max_tokens: limit } = tool
  const uses = usesOf(tool)
  if (typeof type !== 'string' || !ADVISOR.test(type) || typeof model !== 'string' || uses === null) return null
  const ttl = isObject(caching) ? caching['ttl'] ?? '5m' : 'none'
  if (ttl !== 'none' && ttl !== '5m' && ttl !== '1h') return null
  const outputTokens = typeof limit === 'number' && Number.isSafeInteger(limit) && limit >= 0 ? limit : null
  const tier = tierOf(null, geo)
  const [inputTokens, webSearches] = [Infinity, 0]
  return { model, bound: { inputTokens, outputTokens, choices: 1, cacheWrite: ttl, tier, webSearches, runs: uses } }
}

function advisorsOf (body: Record<string, unknown>, geo: unknown): Pick<CallBound, 'others'> {
  const others: OtherModel[] = []
  eachObject(body['tools'], (tool) => {
    const other = advisor(tool, geo)
    if (other !== null) others.push(other)
  })
  return others.length === 0 ? {} : { others }
}

/** whether what it may read reaches the length from which on it is summed up */
function mayBeSummedUp (body: Record<string, unknown>, inputTokens: number): boolean {
  const management = body['context_management']
  let summed = false
  eachObject(isObject(management) ? management['edits'] : null, ({ type, trigger }) => {
    if (typeof type !== 'string' || !SUMMARY.test(type)) return
    const from = isObject(trigger) && typeof trigger['value'] === 'number' ? trigger['value'] : SUMMED_UP_FROM
    const runs = runsOf(body, false).runs ?? 1
    summed ||= inputTokens >= from || runs > 1
  })
  return summed
}

/** what betas ask for, which stand in a header, or in the body where there is none of Anthropic's */
export function longContext (
  body: Record<string, unknown>, headers?: Target['headers']
): Pick<CallBound, 'contextWindow'> {
  const header = headers?.['anthropic-beta'] ?? ''
  const betas = [...(Array.isArray(header) ? header.join() : header).split(','), ...listOf(body['anthropic_beta'])]
  let longest = 0
  for (const beta of betas) {
    const asked = typeof beta === 'string' ? LONG_CONTEXT.exec(beta.trim())?.[1] : undefined
    longest = Math.max(longest, Number(asked ?? 0))
  }
  return longest === 0 ? {} : { contextWindow: longest * 1_000_000 }
}

function listOf (value: unknown): unknown[] {
  return Array.isArray(value) ? value as unknown[] : isGiven(value) ? [value] : []
}

/** The price modifiers of speed and region, as the catalog names them; null: neither. */
export function tierOf (speed: unknown, geo: unknown): string | null {
  const modifiers: string[] = []
  if (typeof speed === 'string' && speed !== STANDARD_SPEED) modifiers.push(speed)
  if (typeof geo === 'string' && !ANYWHERE.has(geo)) modifiers.push(geo)
  return modifiers.length === 0 ? null : modifiers.join('+')
}

const STANDARD_SPEED = 'standard'
const ANYWHERE = new Set(['global', 'not_available'])

/** Thinking is part of `max_tokens`; interleaved with tools its budget may be the larger of the two. */
function outputLimit (body: Record<string, unknown>): number | Refusal {
  const limit = countField(body, 'max_tokens', 0)
  if (limit === null) return badRequest('max_tokens is required: the most tokens that the answer may have.', 'max_tokens')
  const { thinking } = body
  if (!isGiven(thinking)) return limit
  if (!isObject(thinking)) return badRequest(`thinking must be an object; got ${shown(thinking)}.`, 'thinking')
  const budget = countField(thinking, 'budget_tokens', 0, Number.MAX_SAFE_INTEGER, 'thinking.budget_tokens')
  return firstRefusal([limit, budget]) ?? Math.max(Number(limit), Number(budget ?? 0))
}

/** Thinking without a budget of its own (`adaptive`) takes as much of `max_tokens` as it likes. */
function thinkingOf (thinking: unknown): number | 'open' {
  if (!isObject(thinking) || thinking['type'] === 'disabled') return 0
  return typeof thinking['budget_tokens'] === 'number' ? thinking['budget_tokens'] : 'open'
}

function unmeteredFeature (body: Record<string, unknown>): string | null {
  for (const field of NOT_METERED) {
    const value = body[field]
    if (isGiven(value) && !(Array.isArray(value) && value.length === 0)) return field
  }
  for (const tool of Array.isArray(body['tools']) ? body['tools'] as unknown[] : []) {
    if (toolBound(tool) !== null) continue
    const type = isObject(tool) ? tool['type'] : tool
    const advises = typeof type === 'string' && ADVISOR.test(type)
    // whether it is as fast is not known
    const fast = isGiven(body['speed']) && body['speed'] !== STANDARD_SPEED
    if (advises && fast) return `an advisor at speed ${shown(body['speed'])}`
    if (isObject(tool) && (webTool(tool) ?? advisor(tool, null)) !== null) continue
    const bounded = advises || (typeof type === 'string' && WEB_TOOL.test(type))
    return `the tool type ${shown(type)}${bounded ? `, called by code or without max_uses from 1 to ${MAX_USES},` : ''}`
  }
  const management = body['context_management']
  if (!isGiven(management)) return null
  const edits = isObject(management) ? management['edits'] ?? [] : null
  const known = Array.isArray(edits) && edits.every((edit) => {
    const type = isObject(edit) ? edit['type'] : null
    return typeof type === 'string' && (type.startsWith('clear_') || SUMMARY.test(type))
  })
  return known ? null : 'context_management other than clearing and compact'
}

/** tokens beyond the bytes of the body that a tool takes; null: it does not run at the client */
function toolBound (tool: unknown): number | null {
  if (!isObject(tool)) return null
  const type = tool['type']
  if (OWN_TOOLS.has(type)) return 0
  return typeof type === 'string' && KNOWN_TOOL.test(type) ? TOKENS_PER_KNOWN_TOOL : null
}

/**
 * The most input tokens, Infinity where the body does not bound them; a string: what in it has another price. A token
 * stands for at least one byte of the body. Images stand for more than the bytes that name them; given in place, their
 * own bytes are not read as text. Files, what is fetched from elsewhere, and what is cut up for citations may fill the
 * context window.
 */
function inputBound (body: Record<string, unknown>, bytes: Buffer): number | string {
  let tokens = bytes.length
  let unmetered: string | null = null
  if (SCAFFOLDED.some((field) => isGiven(body[field]))) tokens += SCAFFOLDING_TOKENS
  eachObject(body['tools'], (tool) => { tokens += toolBound(tool) ?? 0 })
  const contents: unknown[] = [body['system']]
  eachObject(body['messages'], (message) => { contents.push(message['content']) })
  // grows as it is walked: blocks have blocks
  for (let i = 0; i < contents.length; i++) {
    eachObject(contents[i], (block) => {
      const bound = blockBound(block)
      if (typeof bound === 'string') unmetered = bound
      else tokens += bound
      const { content, source } = block
      if (typeof content === 'object' && content !== null) contents.push(content)
      if (isObject(source) && typeof source['content'] === 'object') contents.push(source['content'])
    })
  }
  return unmetered ?? tokens
}

/** tokens of a block beyond its bytes; a string: what in it has another price */
function blockBound (block: Record<string, unknown>): number | string {
  const { type, source, citations } = block
  const kind = isObject(source) ? source['type'] : undefined
  if (isObject(citations) && citations['enabled'] !== false) return Infinity
  if (type === 'image') {
    const data = isObject(source) && kind === 'base64' ? source['data'] : null
    return typeof data === 'string' ? TOKENS_PER_IMAGE - data.length : Infinity
  }
  if (type === 'document') return kind === 'text' || kind === 'content' ? 0 : Infinity
  const hosted = hostedTool(block)
  if (hosted !== null) return hosted
  return BOUNDED_BY_BYTES.has(type) ? 0 : Infinity
}

/** Tools can also be added in the middle of a conversation. */
function hostedTool (block: Record<string, unknown>): string | null {
  const additions = block['type'] === 'tool_addition' ? [block] : block['tool_changes']
  let hosted: string | null = null
  eachObject(additions, ({ tool }) => {
    const definition = isObject(tool) ? tool['definition'] : undefined
    if (isGiven(definition) && toolBound(definition) === null) {
      hosted = `the tool type ${shown(isObject(definition) ? definition['type'] : definition)}`
    }
  })
  return hosted
}

/** The longest that the request lets anything be cached. */
function longestCache (body: Record<string, unknown>): 'none' | '5m' | '1h' | 'unknown' {
  let longest: 'none' | '5m' | '1h' = 'none'
  const open: object[] = [body]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (Array.isArray(node)) {
      for (const one of node as unknown[]) if (typeof one === 'object' && one !== null) open.push(one)
      continue
    }
    for (const [key, value] of Object.entries(node) as [string, unknown][]) {
      if (typeof value !== 'object' || value === null) continue
      if (key === 'cache_control') {
        const ttl = (value as Record<string, unknown>)['ttl'] ?? '5m'
        if (ttl !== '5m' && ttl !== '1h') return 'unknown'
        if (longest !== '1h') longest = ttl
      } else if (!CLIENT_DATA.has(key)) open.push(value)
    }
  }
  return longest
}
