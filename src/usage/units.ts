/**
 * What is billed beside text tokens, by its name in `Usage.units`, in catalogs, in bounds and in the ledger. A closed
 * list: a name that is not here is no unit. Counts are whole numbers; part of a second or of a page counts as a whole.
 */

/** Input that is no text, in tokens; none of them is in `inputTokens`. `cached`: read from a cache. */
const INPUT = [
  'inputAudioTokens', 'cachedAudioTokens', 'inputImageTokens', 'cachedImageTokens', 'inputVideoTokens',
] as const

/** Output that is no text, in tokens; none of them is in `outputTokens`. */
const OUTPUT = ['outputAudioTokens', 'outputImageTokens'] as const

/**
 * `seconds` of audio or video, in or out, `characters` of text to be spoken, `pages` read (`annotatedPages`: and
 * described, which OCR bills otherwise), `images` made,
 * `requests` as such, `searchUnits` as Cohere counts them. A kind of image that has a price of its own is a unit below
 * `images`: its quality, its size or both, e.g. `images/hd/1024x1792`.
 */
const COUNTED = [
  'seconds', 'characters', 'pages', 'annotatedPages', 'images', 'requests', 'searchUnits',
] as const

/**
 * What tools do at the provider's: `fileSearches`, `codeSessions` (containers that code runs in), `groundedPrompts` and
 * `groundedQueries` (grounding is billed per prompt or per query, by model). Searches of the web are `webSearches`, a
 * field of their own. No tier, speed or region changes what they cost.
 */
const TOOLS = ['fileSearches', 'codeSessions', 'groundedPrompts', 'groundedQueries'] as const

export type InputTokenUnit = typeof INPUT[number]
export type OutputTokenUnit = typeof OUTPUT[number]

const INPUT_UNITS: ReadonlySet<string> = new Set(INPUT)
const OUTPUT_UNITS: ReadonlySet<string> = new Set(OUTPUT)
const COUNTED_UNITS: ReadonlySet<string> = new Set(COUNTED)
const TOOL_UNITS: ReadonlySet<string> = new Set(TOOLS)

/** as a pattern, for schemas */
export const UNIT = `^(?:${[...INPUT, ...OUTPUT, ...COUNTED, ...TOOLS].join('|')}|images(?:/[a-z0-9_.-]{1,24}){1,3})$`
const IMAGES = /^images(?:\/[a-z0-9_.-]{1,24}){1,3}$/

export function isInputUnit (name: string): boolean { return INPUT_UNITS.has(name) }

export function isOutputUnit (name: string): boolean { return OUTPUT_UNITS.has(name) }

export function isToolUnit (name: string): boolean { return TOOL_UNITS.has(name) }

/** of what is counted and is no token; tools too */
export function isCountedUnit (name: string): boolean {
  return COUNTED_UNITS.has(name) || TOOL_UNITS.has(name) || IMAGES.test(name)
}

/** the price of a unit that has none of its own: of cached input that of the input */
export const UNCACHED: Readonly<Record<string, string>> = {
  cachedAudioTokens: 'inputAudioTokens', cachedImageTokens: 'inputImageTokens',
}
