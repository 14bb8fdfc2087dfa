import { isGiven, isObject } from '../body.ts'
import { fieldsOf, listOf, unmetered } from './fields.ts'

/** What contents may come to as input. */
export interface ContentBound {
  /** beyond the bytes of the body; Infinity: they do not bound it */
  tokens: number
  /** units of tokens that any of it may turn out to be */
  units: Set<string>
}

/**
 * More than any model makes of one image: 2,240 at the highest resolution that can be asked for (Gemini API, guide to
 * media resolution), some 4,128 where it is cut into 16 tiles of 258 (guide to tokens).
 */
export const TOKENS_PER_IMAGE = 10_000

const IMAGE = 'inputImageTokens'
const AUDIO = 'inputAudioTokens'
const VIDEO = 'inputVideoTokens'
export const MEDIA = [IMAGE, AUDIO, VIDEO]

/** Of a part, what is no more than the bytes that it is sent in. */
const BOUNDED_BY_BYTES = new Set([
  'role', 'text', 'thought', 'thoughtSignature', 'functionCall', 'functionResponse', 'executableCode', 'toolCall',
  'codeExecutionResult', 'toolResponse', 'videoMetadata', 'mediaResolution', 'partMetadata', 'mediaProcessing',
  'speechMetadata', 'audioTranscription',
])
const MEDIA_FIELDS = new Set(['inlineData', 'fileData'])
const TEXT_TYPE = /^(?:text\/|application\/(?:json|xml|javascript|x-javascript|typescript|yaml|x-yaml|rtf)\b)/i

/**
 * Adds up contents (a list of them, one, or a text), each a list of parts. Media stand for more than the bytes that
 * name them. Images in place have a cap; sound, video and documents may be as long as the context window, because
 * nothing in their bytes bounds how long they say to last. So may what is kept elsewhere.
 */
export function addContents (contents: unknown, path: string, bound: ContentBound): void {
  for (const content of listOf(contents)) {
    if (typeof content === 'string') continue
    const { parts } = fieldsOf(content, path)
    // a part may stand where its content would; the list grows as it is walked
    const open = parts === undefined ? [content] : [...listOf(parts)]
    for (const part of open) for (const within of addPart(part, `${path}.parts`, bound)) open.push(within)
  }
}

/** and the parts within it */
function addPart (part: unknown, path: string, bound: ContentBound): unknown[] {
  if (typeof part === 'string') return []
  const fields = fieldsOf(part, path)
  for (const name in fields) {
    if (!isGiven(fields[name]) || BOUNDED_BY_BYTES.has(name)) continue
    if (!MEDIA_FIELDS.has(name)) unmetered(`${path}.${name}`)
    addMedia(fields[name], name, `${path}.${name}`, bound)
  }
  // what a function answers may have media too (Gemini 3, FunctionResponsePart)
  const { functionResponse: response } = fields
  return isObject(response) ? listOf(response['parts']) : []
}

function addMedia (media: unknown, kind: string, path: string, bound: ContentBound): void {
  const { mimeType, data } = fieldsOf(media, path)
  const type = typeof mimeType === 'string' ? mimeType : ''
  for (const unit of unitsOf(type)) bound.units.add(unit)
  if (kind === 'inlineData' && typeof data === 'string') {
    // their own bytes are not read as text
    if (/^image\//i.test(type)) {
      bound.tokens += TOKENS_PER_IMAGE - data.length
      return
    }
    if (TEXT_TYPE.test(type)) return
  }
  bound.tokens = Infinity
}

/** Of documents the pages count as images; of a video the sound counts too. */
export function unitsOf (type: string): readonly string[] {
  if (TEXT_TYPE.test(type)) return []
  if (/^(?:image\/|application\/pdf\b)/i.test(type)) return [IMAGE]
  return /^audio\//i.test(type) ? [AUDIO] : MEDIA
}
