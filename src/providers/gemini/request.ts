import { type Refusal } from '../../errors.ts'
import { countField, isGiven, isObject, shown } from '../body.ts'
import { type CallRequest, type Target } from '../provider.ts'
import { addContents, type ContentBound, MEDIA } from './content.ts'
import { checked, type Fields, fieldsOf, listOf, partOf, reading, unmetered, wrong } from './fields.ts'

/** Tools and formats are put to the model in another syntax, with words around them. */
export const SCAFFOLDING_TOKENS = 1_000
/** A tool that Google knows by name, whose definitions it adds itself. */
const TOKENS_PER_KNOWN_TOOL = 5_000

/** Fields whose cost is known. Google adds others; what is not here may cost more than tokens. */
const KNOWN = new Set([
  'model', 'contents', 'systemInstruction', 'tools', 'toolConfig', 'safetySettings', 'generationConfig', 'cachedContent',
  'serviceTier', 'labels', 'store',
])
/** They choose another model than the one that is asked for. */
const OTHER_MODELS = ['routingConfig', 'modelSelectionConfig']
const FORMATS = ['responseSchema', 'responseJsonSchema', 'responseMimeType', 'responseFormat']
/** what a model may put out, and what it is counted as */
const OUTPUT_UNITS: Record<string, string | null> = {
  TEXT: null, MODALITY_UNSPECIFIED: null, IMAGE: 'outputImageTokens', AUDIO: 'outputAudioTokens',
}
/** what answers in media unasked says so in its name: `gemini-2.5-flash-image`, `gemini-2.5-pro-tts` */
const BY_NAME: [RegExp, string][] = [[/image/, 'outputImageTokens'], [/tts|audio|live/, 'outputAudioTokens']]
const QUERY = /^\?(?:(?:alt=(?:json|sse)|prettyPrint=(?:true|false))(?:&|$))+$/

/**
 * What `generateContent` may cost (Gemini API reference, "models.generateContent"). Linear in the body. Input: its
 * bytes, and what media stand for. Output: `maxOutputTokens` of each candidate, thoughts included (measured in
 * googleapis/python-genai#2062; the thinking budget is no more than a hint), but never less than a stated budget.
 */
export function readGenerateContent (
  body: unknown, bytes: Buffer, target: Target, stream: boolean
): CallRequest | Refusal {
  return reading(() => {
    const model = target.params['model'] ?? ''
    const fields = topFields(body, target, model)
    for (const name in fields) if (isGiven(fields[name]) && !KNOWN.has(name)) unmetered(name)
    const { outputTokens, choices, budget, outputUnits, scaffolding } = readConfig(fields, model)
    const tools = readTools(fields['tools'])
    const content: ContentBound = { tokens: bytes.length + tools.tokens + scaffolding, units: new Set() }
    addContents(fields['contents'], 'contents', content)
    addContents(fields['systemInstruction'], 'systemInstruction', content)
    if (isGiven(fields['cachedContent'])) addUnseen(content)
    return {
      model,
      stream,
      // it is always reported
      usageAsked: true,
      // what media are made of is not surely bounded by the limit
      thinking: outputUnits.length > 0 ? null : budget ?? 'open',
      endUser: isObject(fields['labels']) ? fields['labels']['user'] : null,
      endUserField: 'labels.user',
      bound: {
        inputTokens: tools.grounded ? Infinity : content.tokens,
        outputTokens: outputUnits.length > 0 ? null : outputTokens,
        choices,
        cacheWrite: 'none',
        tier: tierOf(fields['serviceTier']),
        webSearches: 0,
        ...content.units.size === 0 ? {} : { inputUnits: [...content.units] },
        ...outputUnits.length === 0 ? {} : { outputUnits },
        ...tools.grounded ? { units: { groundedPrompts: 1 } } : {},
      },
    }
  })
}

function addUnseen (content: ContentBound): void {
  content.tokens = Infinity
  for (const unit of MEDIA) content.units.add(unit)
}

/** The body's fields, where nothing around them would make the call another one. */
export function topFields (body: unknown, { search }: Target, model: string): Fields {
  if (search !== '' && !QUERY.test(search)) {
    return wrong('The query may have alt (json or sse) and prettyPrint; no other parameter is passed on here.', 'alt')
  }
  const fields = fieldsOf(body, 'the request body')
  checkModel(fields['model'], model, 'model')
  return fields
}

/** The path says which model it is; the body may say the same. */
export function checkModel (named: unknown, model: string, path: string): void {
  if (!isGiven(named) || named === model || (typeof named === 'string' && named.endsWith(`models/${model}`))) return
  wrong(`${path} must be the model of the path, ${shown(model)}, or left out; got ${shown(named)}.`, path)
}

interface Config {
  /** per candidate; null: the model's own maximum */
  outputTokens: number | null
  choices: number
  /** of thoughts; null: none is stated */
  budget: number | null
  outputUnits: string[]
  scaffolding: number
}

function readConfig (fields: Fields, model: string): Config {
  const path = 'generationConfig'
  const config = partOf(fields, path)
  for (const field of OTHER_MODELS) if (isGiven(config[field])) unmetered(`${path}.${field}`)
  const limit = checked(countField(config, 'maxOutputTokens', 1, Number.MAX_SAFE_INTEGER, `${path}.maxOutputTokens`))
  const budget = thinkingBudget(partOf(config, 'thinkingConfig', `${path}.thinkingConfig`), `${path}.thinkingConfig.thinkingBudget`)
  return {
    outputTokens: limit === null ? null : Math.max(limit, budget ?? 0),
    choices: checked(countField(config, 'candidateCount', 1, 128, `${path}.candidateCount`)) ?? 1,
    budget,
    outputUnits: outputUnitsOf(config, model),
    scaffolding: FORMATS.some((field) => isGiven(config[field])) ? SCAFFOLDING_TOKENS : 0,
  }
}

/** null: none, or as much as the model likes (-1) */
function thinkingBudget (thinking: Fields, path: string): number | null {
  if (thinking['thinkingBudget'] === -1) return null
  return checked(countField(thinking, 'thinkingBudget', 0, Number.MAX_SAFE_INTEGER, path))
}

/** units of what the answer may be made of besides text, by what `asked` says and by the model's name */
export function outputUnitsOf (asked: Fields, model: string): string[] {
  const units = new Set(BY_NAME.filter(([pattern]) => pattern.test(model)).map(([, unit]) => unit))
  for (const modality of [...listOf(asked['responseModalities']), ...listOf(asked['responseFormat']).map(formatOf)]) {
    const name = typeof modality === 'string' ? modality.toUpperCase() : ''
    if (!Object.hasOwn(OUTPUT_UNITS, name)) return unmetered(`the modality ${shown(modality)}`)
    const unit = OUTPUT_UNITS[name]
    if (typeof unit === 'string') units.add(unit)
  }
  return [...units]
}

/** a format of each kind: `{ text: {} }` (SDK, ResponseFormat) or `{ type: 'text' }` */
function formatOf (format: unknown): unknown {
  if (!isObject(format)) return format
  if (isGiven(format['type'])) return format['type']
  const kinds = Object.keys(format).filter((kind) => isGiven(format[kind]))
  return kinds.length === 1 ? kinds[0] : format
}

/**
 * Functions run at the client. A search is billed by the prompt that it grounded, or by the query, of which nothing
 * says how many there may be: the catalog knows for which of them a model has a price. All other tools work at the
 * provider, for as long as they like.
 */
function readTools (tools: unknown): { tokens: number, grounded: boolean } {
  let tokens = 0
  let grounded = false
  for (const tool of listOf(tools)) {
    const named = fieldsOf(tool, 'tools')
    for (const name in named) {
      if (!isGiven(named[name])) continue
      if (name === 'functionDeclarations') tokens += SCAFFOLDING_TOKENS
      else if (name === 'computerUse') tokens += TOKENS_PER_KNOWN_TOOL
      else if (isWebSearch(name, named[name])) grounded = true
      else unmetered(`the tool ${name}`)
    }
  }
  return { tokens, grounded }
}

/** a search for images has a price of its own */
function isWebSearch (name: string, options: unknown): boolean {
  if (name !== 'googleSearch' && name !== 'googleSearchRetrieval') return false
  return isObject(options) && !Object.keys(options).some((option) => /^search_?types$/i.test(option))
}

/** as catalogs name it; null: the standard */
export function tierOf (tier: unknown): string | null {
  if (!isGiven(tier)) return null
  if (typeof tier !== 'string' || tier === '' || tier.length > 64) {
    return wrong(`serviceTier must be a short string; got ${shown(tier)}.`, 'serviceTier')
  }
  const name = tier.toLowerCase().replace(/^service_tier_/, '')
  return name === 'unspecified' ? null : name
}
