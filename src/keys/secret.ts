import { hash, randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

/**
 * Secrets that we hand out: a prefix that says what it is, 166 random bits, a checksum. So a text that was never ours
 * (a provider's key, a truncated paste) is known as such without asking anyone, and scanners can find leaked ones.
 * Only the SHA-256 of a secret is kept: with so many random bits nobody can go from that back to the secret.
 */
export type SecretKind = 'rk' | 'ra'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const RANDOM_LENGTH = 28
/** 62 ** 6 is more than a CRC-32 has values */
const CHECKSUM_LENGTH = 6
const SHAPE = /^(?:rk|ra)_[0-9A-Za-z]{34}$/

export function makeSecret (kind: SecretKind): string {
  const random = Array.from({ length: RANDOM_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
  const body = `${kind}_${random}`
  return body + checksum(body)
}

/** Whether the text is a secret of this kind that was once made by somebody's `makeSecret`. */
export function isSecret (kind: SecretKind, text: string): boolean {
  if (!text.startsWith(`${kind}_`) || !SHAPE.test(text)) return false
  return checksum(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH)
}

export function hashSecret (text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/** What may be shown of a secret to tell it from others. */
export function hintOf (secret: string): string {
  return `${secret.slice(0, 7)}...`
}

function checksum (body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    text = (ALPHABET[rest % ALPHABET.length] ?? '') + text
    rest = Math.floor(rest / ALPHABET.length)
  }
  return text
}
