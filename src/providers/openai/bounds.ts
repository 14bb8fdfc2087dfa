import { audioLength } from '../../usage/audio/length.ts'
import { isObject } from '../body.ts'

/**
 * More than any model makes of one image at its highest detail: 48,169 by gpt-4o-mini (2,833 and 8 tiles of 5,667), at
 * most 24,600 by those that count patches (OpenAI's guide to images and vision).
 */
export const TOKENS_PER_IMAGE = 50_000
/** Tools and response formats are put to the model in another syntax, with words around them. */
export const SCAFFOLDING_TOKENS = 1_000

/** Of a second that is heard, twice what is published: one for each 100 ms (OpenAI's guide to realtime costs). */
export const TOKENS_PER_SECOND = 20

/** Tokens beyond the bytes of the body that a sound is part of, in base64; Infinity: how long it is cannot be told. */
export function soundBound (sound: unknown): number {
  const data = isObject(sound) ? sound['data'] : undefined
  // what decoders would read differently is not looked into
  if (typeof data !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(data) || data.length % 4 !== 0) return Infinity
  const length = audioLength(Buffer.from(data, 'base64'))
  return length === null ? Infinity : Math.ceil(length.most * TOKENS_PER_SECOND) - data.length
}

/**
 * Tokens beyond the bytes of the body that an image is part of. Given in place, its own bytes are not read as text;
 * from elsewhere it is whatever is there.
 */
export function imageBound (url: unknown): number {
  return typeof url === 'string' && url.startsWith('data:image/') ? TOKENS_PER_IMAGE - url.length : Infinity
}

/**
 * More than any model makes of an image that it is to edit: at high fidelity 6,240, and 65 and 129 for each of 8 tiles
 * besides (OpenAI's guide to image generation).
 */
export const TOKENS_PER_EDITED_IMAGE = 8_192
/** of an image that is shown while it is made, 100 (OpenAI's guide to image generation) */
const TOKENS_PER_PARTIAL_IMAGE = 100
/** some models write to themselves before they draw: `output_tokens_details.text_tokens` */
const TEXT_PER_IMAGE = 1_000
/** the most of gpt-image-1 and its kin, whatever the size */
const LARGEST: Readonly<Record<string, number>> = { low: 408, medium: 1_584, high: 6_240 }
/** of gpt-image-2: how many parts the longer edge has */
const PARTS: Readonly<Record<string, number>> = { low: 16, medium: 48, high: 96 }

/**
 * The most tokens of an image that is made, by any of OpenAI's models that bill by tokens; null: the request does not
 * say how large it is. gpt-image-1: the table in the guide to image generation. gpt-image-2: what the calculator there
 * does (as OpenAI's forum has it, "Gpt-image-2 output pricing calculator"): a square has the most for its area.
 */
export function imageTokens (size: string | null, quality: string | null, partialImages: number): number | null {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(size ?? '')?.map(Number) ?? []
  if (width === undefined || height === undefined || width === 0 || height === 0) return null
  const level = quality !== null && Object.hasOwn(PARTS, quality) ? quality : 'high'
  const long = PARTS[level] as number
  const short = Math.round(long * Math.min(width, height) / Math.max(width, height))
  const ours = Math.ceil(long * short * (2_000_000 + width * height) / 4_000_000)
  return Math.max(ours, LARGEST[level] as number) + partialImages * TOKENS_PER_PARTIAL_IMAGE + TEXT_PER_IMAGE
}
