import { type Refusal } from '../../errors.ts'
import {
  BodyMeter, EventMeter, type EventTaker, type Facts, isEncoded, isEventStream, jsonOf, NOTHING_READ, takeAll,
  textOrNull, UnreadMeter,
} from '../../usage/body-meter.ts'
import { type Meter } from '../../usage/meter.ts'
import { eventData } from '../../usage/sse.ts'
import { countField, flagField, isGiven, isObject, modelField, shown } from '../body.ts'
import { topLevelValues } from '../json-scan.ts'
import { type AnswerHead, type CallRequest, type Target } from '../provider.ts'
import { type ContentBound, MEDIA, TOKENS_PER_IMAGE, unitsOf } from './content.ts'
import { checked, type Fields, fieldsOf, listOf, partOf, reading, unmetered } from './fields.ts'
import { TIER_HEADER } from './meter.ts'
import { outputUnitsOf, SCAFFOLDING_TOKENS, tierOf, topFields } from './request.ts'
import { tierUsed, usageOf } from './usage.ts'

/** Fields whose cost is known; `store` costs nothing. Agents and environments work for as long as they like. */
const KNOWN = new Set([
  'model', 'input', 'systemInstruction', 'tools', 'generationConfig', 'stream', 'store', 'labels', 'safetySettings',
  'serviceTier', 'responseFormat', 'responseMimeType', 'responseModalities', 'cachedContent', 'previousInteractionId',
  'continuationToken',
])
const KNOWN_CONFIG = new Set([
  'maxOutputTokens', 'seed', 'stopSequences', 'temperature', 'topP', 'topK', 'thinkingLevel', 'thinkingSummaries',
  'toolChoice', 'presencePenalty', 'frequencyPenalty', 'speechConfig',
])
/** that have the model read what is kept at Google's */
const KEPT = ['cachedContent', 'previousInteractionId', 'continuationToken']
const FORMATS = ['tools', 'responseFormat', 'responseMimeType']
/** of an input, what is no more than the bytes that it is sent in */
const BOUNDED_BY_BYTES = new Set<unknown>(['text', 'thought', 'function_call'])
const WITH_CONTENT = new Set<unknown>(['user_input', 'model_output'])

/**
 * What an interaction may cost (Gemini API reference, "Interactions"; SDK, CreateModelInteraction). Linear in the body.
 * An answer that stops at the limit of one request (`requires_continuation`) is continued by another call.
 */
export function readInteraction (body: unknown, bytes: Buffer, target: Target): CallRequest | Refusal {
  return reading(() => {
    const model = isObject(body) ? checked(modelField(body)).replace(/^models\//, '') : ''
    const fields = topFields(body, target, model)
    for (const name in fields) if (isGiven(fields[name]) && !KNOWN.has(name)) unmetered(name)
    const config = partOf(fields, 'generationConfig')
    for (const name in config) if (isGiven(config[name]) && !KNOWN_CONFIG.has(name)) unmetered(`generation_config.${name}`)
    const limit = countField(config, 'maxOutputTokens', 1, Number.MAX_SAFE_INTEGER, 'generation_config.max_output_tokens')
    const outputTokens = checked(limit)
    onlyFunctions(fields['tools'])
    const outputUnits = outputUnitsOf(fields, model)
    const scaffolding = FORMATS.some((field) => isGiven(fields[field])) ? SCAFFOLDING_TOKENS : 0
    const content: ContentBound = { tokens: bytes.length + scaffolding, units: new Set() }
    addInput(fields['input'], content)
    if (KEPT.some((field) => isGiven(fields[field]))) addUnseen(content)
    return {
      model,
      stream: checked(flagField(fields, 'stream')),
      usageAsked: true,
      thinking: outputUnits.length > 0 ? null : 'open',
      endUser: isObject(fields['labels']) ? fields['labels']['user'] : null,
      endUserField: 'labels.user',
      bound: {
        inputTokens: content.tokens,
        outputTokens: outputUnits.length > 0 ? null : outputTokens,
        choices: 1,
        cacheWrite: 'none',
        tier: tierOf(fields['serviceTier']),
        webSearches: 0,
        ...content.units.size === 0 ? {} : { inputUnits: [...content.units] },
        ...outputUnits.length === 0 ? {} : { outputUnits },
      },
    }
  })
}

/** all other tools work at Google's, for as long as they like */
function onlyFunctions (tools: unknown): void {
  for (const tool of listOf(tools)) {
    const type = isObject(tool) ? tool['type'] : tool
    if (type !== 'function') unmetered(`the tool ${shown(type)}`)
  }
}

/** a text, content, steps, or lists of these; the list grows as it is walked */
function addInput (input: unknown, bound: ContentBound): void {
  const open = [...listOf(input)]
  for (const one of open) {
    if (typeof one === 'string') continue
    if (Array.isArray(one)) {
      for (const each of one as unknown[]) open.push(each)
      continue
    }
    const fields = fieldsOf(one, 'input')
    const { type, content, result } = fields
    if (BOUNDED_BY_BYTES.has(type)) continue
    if (WITH_CONTENT.has(type)) open.push(content ?? '')
    else if (type === 'function_result' && (typeof result === 'string' || Array.isArray(result))) open.push(result)
    else addMedia(fields, bound)
  }
}

function addMedia ({ type, mimeType, data }: Fields, bound: ContentBound): void {
  const known = typeof mimeType === 'string' ? mimeType : ''
  const kind = type === 'image' || type === 'audio' || type === 'video' ? `${type}/*` : known
  for (const unit of unitsOf(kind)) bound.units.add(unit)
  if (type === 'image' && typeof data === 'string') bound.tokens += TOKENS_PER_IMAGE - data.length
  else bound.tokens = Infinity
}

function addUnseen (content: ContentBound): void {
  content.tokens = Infinity
  for (const unit of MEDIA) content.units.add(unit)
}

const WANTED = ['usage', 'service_tier', 'model', 'id'] as const

export function meterInteraction (call: CallRequest, answer: AnswerHead): Meter {
  const { status, contentType, contentEncoding, headers } = answer
  if (status >= 400) return new UnreadMeter()
  const factsOf = (interaction: Record<string, unknown>): Facts => {
    const { usage, model, id } = interaction
    const tier = tierUsed({ serviceTier: interaction['service_tier'] }, headers[TIER_HEADER])
    const used = isObject(usage) ? interactionUsage(usage, tier, call) : null
    return { usage: used, final: used !== null, modelUsed: textOrNull(model), providerRequestId: textOrNull(id) }
  }
  const reader = (): EventTaker => new InteractionReader(factsOf)
  if (isEventStream(contentType)) {
    return isEncoded(contentEncoding)
      ? new BodyMeter(contentEncoding, (text) => takeAll(reader(), text))
      : new EventMeter(reader(), false)
  }
  return new BodyMeter(contentEncoding, (text) => {
    const interaction = topLevelValues(text, WANTED)
    return interaction === null ? NOTHING_READ : factsOf(interaction)
  })
}

/** The usage is in the event with which a stream ends, and in no other. */
class InteractionReader implements EventTaker {
  readonly #factsOf: (interaction: Record<string, unknown>) => Facts
  #facts = NOTHING_READ

  constructor (factsOf: (interaction: Record<string, unknown>) => Facts) { this.#factsOf = factsOf }

  take (event: Buffer): Buffer {
    if (!event.includes(COMPLETED)) return event
    const data = jsonOf(eventData(event))
    const interaction = data?.['interaction']
    if (data?.['event_type'] === 'interaction.completed' && isObject(interaction)) this.#facts = this.#factsOf(interaction)
    return event
  }

  facts (): Facts { return this.#facts }
}

const COMPLETED = Buffer.from('interaction.completed')

function interactionUsage (usage: Record<string, unknown>, tier: string | null, call: CallRequest) {
  return usageOf({
    prompt: usage['total_input_tokens'],
    cached: usage['total_cached_tokens'],
    toolUse: usage['total_tool_use_tokens'],
    answer: usage['total_output_tokens'],
    thoughts: usage['total_thought_tokens'],
    total: usage['total_tokens'],
    promptDetails: usage['input_tokens_by_modality'],
    cachedDetails: usage['cached_tokens_by_modality'],
    toolUseDetails: usage['tool_use_tokens_by_modality'],
    answerDetails: usage['output_tokens_by_modality'],
    tier,
  }, call)
}
