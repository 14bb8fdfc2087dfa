import { type Refusal } from '../../errors.ts'
import {
  badRequest, countField, eachObject, firstRefusal, flagField, isGiven, isObject, listField, modelField, notMetered,
  shown, tierField,
} from '../body.ts'
import { withMembers } from '../changed-body.ts'
import { type CallRequest } from '../provider.ts'
import { imageBound, SCAFFOLDING_TOKENS, TOKENS_PER_IMAGE } from './bounds.ts'

/**
 * What costs more than the tokens of this request: a prompt kept at the provider brings a model and tools of its own,
 * compaction reads everything once more whenever its threshold is passed.
 */
const NOT_METERED = ['prompt', 'context_management', 'mcp_servers', 'search_parameters', 'plugins', 'models']
/** what was said before is kept at the provider and read in: it may fill the context window */
const KEPT_THERE = ['previous_response_id', 'conversation']

/** Tools that run at the client. */
const CLIENT_TOOLS = new Set<unknown>([
  'function', 'custom', 'namespace', 'computer', 'computer_use_preview', 'local_shell', 'apply_patch',
])
/** Tools that run at the provider and have a price for each use, by what that is a unit of. */
const HOSTED_TOOLS: Readonly<Record<string, Hosted>> = {
  web_search: 'webSearches',
  web_search_2025_08_26: 'webSearches',
  file_search: 'fileSearches',
  code_interpreter: 'codeSessions',
  shell: 'codeSessions',
  tool_search: null,
}
/** null: nothing but the tokens of another run of the model */
type Hosted = 'webSearches' | 'fileSearches' | 'codeSessions' | null

/** Fields in which a provider's requests differ from OpenAI's. */
export interface ResponseFields {
  /** that cost more than tokens */
  unmetered?: readonly string[]
  /** that are read elsewhere, though OpenAI's reader would refuse them */
  known?: ReadonlySet<string>
  /** false: nothing bounds what tools at the provider do, so they are refused; default: `max_tool_calls` does */
  hostedTools?: boolean
  /** true: one in the background can be asked about, so it is taken */
  jobs?: boolean
}

/** of hosted tools in one response */
const MOST_TOOL_CALLS = 1_000
/** where the request does not say how many: that is sent along, so that the provider keeps to it */
const TOOL_CALLS = 3

/** Items of the input that are no more than the bytes that they are sent in. What is not listed may be more. */
const BOUNDED_BY_BYTES = new Set<unknown>([
  'message', 'function_call', 'function_call_output', 'custom_tool_call', 'custom_tool_call_output', 'reasoning',
  'compaction', 'compaction_trigger', 'configuration_update', 'local_shell_call', 'local_shell_call_output', 'shell_call',
  'shell_call_output', 'apply_patch_call', 'apply_patch_call_output', 'computer_call', 'computer_call_output',
  'mcp_list_tools', 'mcp_approval_request', 'mcp_approval_response', 'mcp_call', 'tool_search_call', 'tool_search_output',
  'additional_tools', 'program', 'program_output',
])
const TEXT_PARTS = new Set<unknown>(['input_text', 'output_text', 'text', 'refusal', 'summary_text', 'reasoning_text'])
const SCAFFOLDED = ['tools', 'text', 'instructions']
const CACHE_LIFETIMES = new Set<unknown>([undefined, null, '30m', '12h'])
const FREE_MODERATION = /^(omni|text)-moderation(-|$)/

/**
 * What a response may cost (OpenAI API reference, "Create a model response"; types of the openai SDK 7.57).
 * `max_output_tokens` includes reasoning. After each call of a hosted tool the model reads everything again with what
 * came of it, so such tools are bounded by `max_tool_calls` alone, which is said where the request does not. Linear in
 * the body.
 */
export function readResponse (body: unknown, bytes: Buffer, fields: ResponseFields = {}): CallRequest | Refusal {
  if (!isObject(body)) return badRequest('The request body must be a JSON object.')
  const model = modelField(body)
  const stream = flagField(body, 'stream')
  const limit = countField(body, 'max_output_tokens', 1)
  const calls = countField(body, 'max_tool_calls', 0, MOST_TOOL_CALLS)
  const tier = tierField(body, 'service_tier')
  const background = flagField(body, 'background')
  const wrong = firstRefusal([model, stream, limit, calls, tier, background, listField(body, 'tools')])
  if (wrong !== null) return wrong
  // its usage comes with none of the bytes of this call: it must be asked for
  if (background === true && fields.jobs !== true) return notMetered('background')
  const unmetered = unmeteredFeature(body, fields)
  if (unmetered !== null) return notMetered(unmetered)
  const hosted = hostedTools(body, fields)
  if (typeof hosted === 'string') return notMetered(hosted)
  const inputTokens = inputBound(body, bytes)
  if (typeof inputTokens === 'string') return notMetered(inputTokens)
  const uses = hosted.size === 0 ? 0 : Number(calls ?? TOOL_CALLS)
  const units = [...hosted].filter((unit) => unit !== null && unit !== 'webSearches').map((unit) => [unit, uses])
  return {
    model: model as string,
    stream: stream as boolean,
    // always reported
    usageAsked: true,
    thinking: 'open',
    ...background === true ? { background } : {},
    endUser: body['safety_identifier'] ?? body['user'],
    endUserField: isGiven(body['user']) && !isGiven(body['safety_identifier']) ? 'user' : 'safety_identifier',
    bound: {
      inputTokens: uses > 0 ? Infinity : inputTokens,
      outputTokens: limit as number | null,
      choices: 1,
      cacheWrite: lifetimeOf(body) === '12h' ? '1h' : '5m',
      tier: tier as string | null,
      webSearches: hosted.has('webSearches') ? uses : 0,
      ...uses > 0 ? { runs: uses + 1 } : {},
      ...uses > 0 && units.length > 0 ? { units: Object.fromEntries(units) as Record<string, number> } : {},
    },
  }
}

/**
 * What it may cost to compact a conversation: one run over it, whose length nothing in the request bounds (OpenAI API
 * reference, "Compact a response").
 */
export function readCompaction (body: unknown, bytes: Buffer): CallRequest | Refusal {
  const request = readResponse(body, bytes)
  return 'bound' in request ? { ...request, stream: false, thinking: null, bound: { ...request.bound, outputTokens: null } } : request
}

/** with the number of uses of hosted tools that its quote is for, where the request does not say one */
export function withToolCalls (bytes: Buffer, body: unknown, { bound }: CallRequest): Buffer {
  if (bound.runs === undefined || !isObject(body) || isGiven(body['max_tool_calls'])) return bytes
  return withMembers(bytes, new Map([['max_tool_calls', String(TOOL_CALLS)]]))
}

function unmeteredFeature (body: Record<string, unknown>, { unmetered = [], known }: ResponseFields): string | null {
  for (const field of [...NOT_METERED, ...unmetered]) {
    const value = known?.has(field) === true ? null : body[field]
    if (isGiven(value) && !(Array.isArray(value) && value.length === 0)) return field
  }
  if (!CACHE_LIFETIMES.has(lifetimeOf(body))) return `prompt_cache_options.ttl ${shown(lifetimeOf(body))}`
  const { reasoning, moderation } = body
  const mode = isObject(reasoning) ? reasoning['mode'] : null
  if (isGiven(mode) && mode !== 'standard') return `reasoning.mode ${shown(mode)}`
  if (isGiven(moderation)) {
    const model = isObject(moderation) ? moderation['model'] : moderation
    if (typeof model !== 'string' || !FREE_MODERATION.test(model)) return `moderation by ${shown(model)}`
  }
  return null
}

function lifetimeOf ({ prompt_cache_options: cache }: Record<string, unknown>): unknown {
  return isObject(cache) ? cache['ttl'] : undefined
}

/** what the hosted tools of the request are billed by; a string: which of them nothing bounds */
function hostedTools (
  body: Record<string, unknown>, { hostedTools: bounded = true }: ResponseFields
): Set<Hosted> | string {
  const hosted = new Set<Hosted>()
  let unmetered: string | null = null
  const look = (tool: Record<string, unknown>): void => {
    const kind = toolKind(tool)
    if (typeof kind === 'string') unmetered ??= kind
    else if (kind !== null && !bounded) unmetered ??= `the tool ${shown(tool['type'])}`
    else if (kind !== null) hosted.add(kind.unit)
    eachObject(tool['tools'], look)
  }
  // a list of anything but objects is none of tools
  for (const tool of Array.isArray(body['tools']) ? body['tools'] as unknown[] : []) {
    if (isObject(tool)) look(tool)
    else unmetered ??= `the tool type ${shown(tool)}`
  }
  // tools may also come in the middle of a conversation
  eachObject(body['input'], (item) => { eachObject(item['tools'], look) })
  return unmetered ?? hosted
}

/** null: it runs at the client; a string: nothing is known of its cost */
function toolKind (tool: Record<string, unknown>): { unit: Hosted } | string | null {
  const { type } = tool
  if (CLIENT_TOOLS.has(type)) return null
  if (type === 'tool_search' && tool['execution'] === 'client') return null
  const place = type === 'shell' ? tool['environment'] : type === 'code_interpreter' ? tool['container'] : null
  if (type === 'shell' && isObject(place) && place['type'] === 'local') return null
  if (typeof type !== 'string' || !Object.hasOwn(HOSTED_TOOLS, type)) return `the tool type ${shown(type)}`
  if (HOSTED_TOOLS[type] === 'codeSessions') {
    // only of a container that the request itself makes is the size known, and with it the price
    if (!isObject(place) || (place['type'] !== 'auto' && place['type'] !== 'container_auto')) return `${type} in a container of its own`
    const size = place['memory_limit']
    if (isGiven(size) && size !== '1g') return `${type} with memory_limit ${shown(size)}`
  }
  return { unit: HOSTED_TOOLS[type] as Hosted }
}

/**
 * The most input tokens, Infinity where the body does not bound them; a string: what in it has another price than text.
 * A token stands for at least one byte of the body, reasoning that comes back encrypted included.
 */
function inputBound (body: Record<string, unknown>, bytes: Buffer): number | string {
  let tokens = bytes.length
  let unmetered: string | null = null
  if (SCAFFOLDED.some((field) => isGiven(body[field]))) tokens += SCAFFOLDING_TOKENS
  if (KEPT_THERE.some((field) => isGiven(body[field]))) tokens = Infinity
  eachObject(body['input'], (item) => {
    const type = item['type'] ?? (isGiven(item['role']) ? 'message' : 'item_reference')
    if (type === 'image_generation_call') tokens += imageResultBound(item['result'])
    else if (!BOUNDED_BY_BYTES.has(type)) tokens = Infinity
    for (const content of [item['content'], item['output']]) {
      eachObject(content, (part) => {
        if (TEXT_PARTS.has(part['type'])) return
        const bound = partBound(part)
        if (typeof bound === 'string') unmetered ??= bound
        else tokens += bound
      })
    }
  })
  return unmetered ?? tokens
}

/** tokens of what is no text, beyond its bytes; a string: it has another price */
function partBound (part: Record<string, unknown>): number | string {
  switch (part['type']) {
    case 'input_image':
    case 'computer_screenshot': return isGiven(part['file_id']) ? Infinity : imageBound(part['image_url'])
    case 'input_file': return Infinity
    // what a shell printed
    case undefined: return 0
    default: return `the content type ${shown(part['type'])}`
  }
}

function imageResultBound (result: unknown): number {
  return typeof result === 'string' ? TOKENS_PER_IMAGE - result.length : Infinity
}
