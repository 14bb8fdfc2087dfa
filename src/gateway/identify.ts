import { type IncomingHttpHeaders } from 'node:http'
import { type Identity } from '../budget/budget.ts'
import { MAX_SUBJECT } from '../budget/subject.ts'
import { type Refusal, type RefusalCode } from '../errors.ts'
import { type GatewayKey, IDENTITY_HEADERS, type IdentityHeader } from '../keys/key.ts'
import { type KeyAnswer, type KeyRing } from '../keys/key-ring.ts'
import { type CallRequest } from '../providers/provider.ts'
import { overloaded } from '../load.ts'
import { isPlain } from '../text.ts'

const MAX_VALUE = 256
const MAX_TAGS = 32
const PREFIX = 'x-relaycore-'

const fixed = new WeakMap<GatewayKey, Identity>()

/**
 * Who a call is for: what its key says, and what its identity headers say where the key allows them. A header that the
 * key does not allow is refused, not ignored; one that it demands cannot be left out, so nobody leaves a budget so.
 */
export function identifyBy (
  ring: Pick<KeyRing, 'lookup'>
): (key: string | undefined, headers: IncomingHttpHeaders) => Identity | Refusal | Promise<Identity | Refusal> {
  return (key, headers) => {
    if (key === undefined || key === '') return MISSING
    const answer = ring.lookup(key)
    return answer instanceof Promise ? answer.then((late) => read(late, headers)) : read(answer, headers)
  }
}

function read (answer: KeyAnswer, headers: IncomingHttpHeaders): Identity | Refusal {
  switch (answer.outcome) {
    case 'valid': return withHeaders(answer.key, headers)
    case 'revoked': return REVOKED
    case 'disabled': return DISABLED
    case 'expired': return EXPIRED
    case 'replaced': return REPLACED
    case 'unknown': return UNKNOWN
    case 'unavailable': return UNAVAILABLE
    case 'overloaded': return overloaded(`This gateway is finding out whose ${answer.asked} keys are, as many as it does at once.`)
  }
}

/** Whom a call by this key and with these headers is for, as `identifyBy` says to who has its secret. */
export function identifyAs (key: GatewayKey, headers: IncomingHttpHeaders, now: number): Identity | Refusal {
  if (key.revokedAt !== null) return REVOKED
  if (key.expiresAt !== null && key.expiresAt <= now) return EXPIRED
  return key.disabledAt === null ? withHeaders(key, headers) : DISABLED
}

function withHeaders (key: GatewayKey, headers: IncomingHttpHeaders): Identity | Refusal {
  let said = false
  for (const name in headers) {
    if (!name.startsWith(PREFIX)) continue
    const header = name.slice(PREFIX.length) as IdentityHeader
    if (!IDENTITY_HEADERS.includes(header)) continue
    if (!key.allowHeaders.includes(header) && !key.requireHeaders.includes(header)) return notAllowed(name, key)
    said = true
  }
  for (const header of key.requireHeaders) {
    const value = headers[PREFIX + header]
    if (typeof value !== 'string' || value.trim() === '') return required(PREFIX + header, key)
  }
  return said ? spoken(key, headers) : identityOf(key)
}

function identityOf (key: GatewayKey): Identity {
  let identity = fixed.get(key)
  if (identity === undefined) {
    const { organizationId, teamId, projectId, userId, id: keyId } = key
    identity = {
      organizationId,
      teamId,
      projectId,
      userId,
      keyId,
      sessionId: null,
      tags: null,
      ...key.endUser === 'ignore' ? {} : { endUser: key.endUser },
      ...limitsOf(key),
      ...ratesOf(key),
    }
    fixed.set(key, identity)
  }
  return identity
}

function limitsOf ({ allowedProviders, allowedModels }: GatewayKey): Pick<Identity, 'limits'> {
  if (allowedProviders === null && allowedModels === null) return {}
  return { limits: { providers: allowedProviders, models: allowedModels?.map((glob) => glob.split('*')) ?? null } }
}

function ratesOf ({ id, name, rateLimits }: GatewayKey): Pick<Identity, 'rateLimits'> {
  return rateLimits === null ? {} : { rateLimits: { id: `key:${id}`, name: `key "${name}"`, limits: rateLimits } }
}

function spoken (key: GatewayKey, headers: IncomingHttpHeaders): Identity | Refusal {
  const identity = { ...identityOf(key) }
  for (const [header, field] of FIELDS) {
    const value = headers[PREFIX + header]
    if (value === undefined) continue
    const text = String(value).trim()
    if (text === '' || text.length > MAX_VALUE) return malformed(PREFIX + header, `1 to ${MAX_VALUE} characters`)
    identity[field] = text
  }
  const tags = headers['x-relaycore-tags']
  if (tags === undefined) return identity
  const parsed = parseTags(String(tags))
  if (parsed === null) return malformed('x-relaycore-tags', `at most ${MAX_TAGS} pairs like team=search,stage=test`)
  return { ...identity, tags: parsed }
}

const FIELDS: [IdentityHeader, 'userId' | 'teamId' | 'projectId' | 'sessionId'][] =
  [['user', 'userId'], ['team', 'teamId'], ['project', 'projectId'], ['session', 'sessionId']]

/** For whom the call is, with the end user that its body names, where that counts. */
export function forEndUser (
  identity: Identity, { endUser: said = null, endUserField }: Pick<CallRequest, 'endUser' | 'endUserField'>
): Identity | Refusal {
  if (identity.endUser === undefined) return identity
  const text = typeof said === 'string' ? said.trim() : said
  if (text === null || text === '') {
    if (identity.endUser === 'allow') return identity
    return { ...refusal('invalid_request', `This key demands an end user: name it in ${endUserField}.`), field: endUserField }
  }
  if (typeof text === 'string' && text.length <= MAX_SUBJECT && isPlain(text)) return { ...identity, endUserId: text }
  const message = `The end user that the call names must be a string of 1 to ${MAX_SUBJECT} characters.`
  return { ...refusal('invalid_request', message), field: endUserField }
}

function parseTags (text: string): Record<string, string> | null {
  const pairs = text.split(',').map((pair) => pair.trim()).filter((pair) => pair !== '')
  if (pairs.length > MAX_TAGS) return null
  const tags: Record<string, string> = Object.create(null)
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const name = pair.slice(0, at).trim()
    const value = pair.slice(at + 1).trim()
    if (at < 1 || name === '' || name.length > 64 || value.length > MAX_VALUE) return null
    tags[name] = value
  }
  return tags
}

function refusal (code: RefusalCode, message: string): Refusal { return { code, message, retryable: false } }

const MISSING = refusal('key_missing',
  'No gateway key: send it where your SDK puts its API key (Authorization: Bearer, x-api-key, api-key, x-goog-api-key).')
const UNKNOWN = refusal('key_invalid', 'This is not a key of this gateway. Keys of providers are not accepted here.')
const REVOKED = refusal('key_revoked', 'This gateway key was revoked. Ask an administrator for another one.')
const DISABLED = refusal('key_disabled', 'This gateway key is disabled. An administrator can enable it again.')
const EXPIRED = refusal('key_expired', 'This gateway key has expired. An administrator can prolong it, or make another one.')
const REPLACED = refusal('key_expired',
  'This gateway key was replaced by a new secret, and the time in which both worked is over. Use the new one.')
const UNAVAILABLE: Refusal = {
  code: 'ledger_unavailable',
  message: 'The key could not be checked, since PostgreSQL did not answer in time.',
  retryable: true,
  retryAfterMs: 2_000,
}

function notAllowed (header: string, key: GatewayKey): Refusal {
  return refusal('header_not_allowed',
    `The key "${key.name}" does not allow the header ${header}. An administrator can allow it (allowHeaders).`)
}

function required (header: string, key: GatewayKey): Refusal {
  return refusal('header_required', `The key "${key.name}" demands the header ${header}.`)
}

function malformed (header: string, expected: string): Refusal {
  return { ...refusal('invalid_request', `The header ${header} must be ${expected}.`), field: header }
}
