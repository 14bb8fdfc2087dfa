/**
 * More than any model makes of one image at its highest detail: 48,169 by gpt-4o-mini (2,833 and 8 tiles of 5,667), at
 * most 24,600 by those that count patches (OpenAI's guide to images and vision).
 */
export const TOKENS_PER_IMAGE = 50_000
/** Tools and response formats are put to the model in another syntax, with words around them. */
export const SCAFFOLDING_TOKENS = 1_000

/**
 * Tokens beyond the bytes of the body that an image is part of. Given in place, its own bytes are not read as text;
 * from elsewhere it is whatever is there.
 */
export function imageBound (url: unknown): number {
  return typeof url === 'string' && url.startsWith('data:image/') ? TOKENS_PER_IMAGE - url.length : Infinity
}
