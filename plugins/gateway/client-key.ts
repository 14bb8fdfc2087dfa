import { type IncomingHttpHeaders } from 'node:http'
import { type Refusal } from '../../src/errors.ts'

/** A request's URL taken apart: `search` is what may go upstream, `?key=` is not in it. */
export interface Target {
  path: string
  /** '' or '?...' */
  search: string
  /** values of `?key=`, decoded */
  keys: string[]
}

const NO_KEYS: string[] = []

/** Splits a raw URL without normalising it. Names are compared decoded, so that no spelling of `key` slips through. */
export function splitTarget (url: string): Target {
  const mark = url.indexOf('?')
  if (mark === -1) return { path: url, search: '', keys: NO_KEYS }
  const keys: string[] = []
  const kept = url.slice(mark + 1).split('&').filter((pair) => {
    const equals = pair.indexOf('=')
    const name = equals === -1 ? pair : pair.slice(0, equals)
    if (decode(name) !== 'key') return true
    if (equals !== -1) keys.push(decode(pair.slice(equals + 1)))
    return false
  }).join('&')
  return { path: url.slice(0, mark), search: kept === '' ? '' : `?${kept}`, keys }
}

/** The gateway key, wherever the client's SDK puts it; a refusal where two places disagree. */
export function clientKey (headers: IncomingHttpHeaders, keys: string[]): string | undefined | Refusal {
  const bearer = bearerToken(headers.authorization)
  const candidates = [bearer, headers['x-api-key'], headers['api-key'], headers['x-goog-api-key']]
  let found: string | undefined
  for (const candidate of keys.length === 0 ? candidates : [...candidates, ...keys]) {
    if (typeof candidate !== 'string' || candidate === '') continue
    if (found !== undefined && found !== candidate) return SEVERAL_KEYS
    found = candidate
  }
  return found
}

const SEVERAL_KEYS: Refusal = {
  code: 'key_invalid',
  message: 'The request carries several different keys (of Authorization, x-api-key, api-key, x-goog-api-key and ' +
    '?key=). Send the gateway key in one of them only.',
  retryable: false,
}

function bearerToken (value: string | undefined): string | undefined {
  if (value === undefined || value.slice(0, 7).toLowerCase() !== 'bearer ') return undefined
  return value.slice(7).trim()
}

function decode (text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
