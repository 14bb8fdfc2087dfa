import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { type Now } from '../clock.ts'
import { DependencyUnavailable, Forbidden } from '../errors.ts'
import { isPlain } from '../text.ts'
import { type Actor, type Reach } from './actor.ts'

/**
 * Who asks, by a token (JWT) of an OpenID Connect issuer. A token is good or not; why not is nobody's business who has
 * a bad one. Fails closed: where the issuer's keys cannot be had, its tokens are an outage, neither right nor wrong.
 * The keys are fetched when they are first needed, kept for ten minutes, and looked for again when a token names one
 * that is not among them, at most every half minute.
 */
export interface IssuerOptions {
  issuer: string
  audience: string
  /** absent: where the issuer's discovery document says */
  jwksUrl?: string | undefined
  /** names of the claims that say what the holder may do */
  claims: { role: string, organization: string, team: string, project: string }
  algorithms: readonly string[]
  /** seconds by which clocks may differ */
  clockTolerance: number
  now: Now
  /** ms; default 3,000 */
  timeoutMs?: number
  /** least time between two looks for keys that were not there, ms; default 30,000 */
  cooldownMs?: number
}

/** Signatures that nobody can make who can check them. */
export const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

const TIMEOUT_MS = 3_000
const COOLDOWN_MS = 30_000
/** after an outage, nobody waits for the issuer for so long */
const DOWN_MS = 1_000
const SHAPE = /^[\w-]+\.[\w-]+\.[\w-]*$/

/** Whether the text is a token of that kind, good or bad. */
export function isJwt (text: string): boolean { return SHAPE.test(text) }

/** Nothing that was said can be listened to in between, unless it stays on this machine. */
export function isSafeUrl (text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname))
}

export class Issuer {
  readonly #o: IssuerOptions
  #keys: ReturnType<typeof createRemoteJWKSet> | null = null
  #downUntil = 0

  constructor (options: IssuerOptions) { this.#o = options }

  /** null: it is not a valid token of the issuer. Forbidden: it is, and gives no role here. DependencyUnavailable. */
  async verify (token: string): Promise<Actor | null> {
    const { issuer, audience, algorithms, clockTolerance, now } = this.#o
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        issuer,
        audience,
        algorithms: [...algorithms],
        clockTolerance,
        currentDate: new Date(now()),
        requiredClaims: ['sub', 'exp'],
      })
      return this.#actor(payload)
    } catch (error) {
      if (error instanceof errors.JOSEError) return null
      throw error
    }
  }

  readonly #key: JWTVerifyGetKey = async (header, token) => {
    const { now } = this.#o
    try {
      if (now() < this.#downUntil && this.#keys?.fresh !== true) throw new Error('it did not answer a moment ago')
      this.#keys ??= await this.#remote()
      return await this.#keys(header, token)
    } catch (cause) {
      if (cause instanceof errors.JOSEError && !OUTAGES.has(cause.code)) throw cause
      if (now() >= this.#downUntil) this.#downUntil = now() + DOWN_MS
      throw new DependencyUnavailable('The keys of the token\'s issuer cannot be had: try again', { cause })
    }
  }

  async #remote (): Promise<ReturnType<typeof createRemoteJWKSet>> {
    const { jwksUrl, timeoutMs = TIMEOUT_MS, cooldownMs = COOLDOWN_MS } = this.#o
    const url = new URL(jwksUrl ?? await this.#discovered(timeoutMs))
    return createRemoteJWKSet(url, { timeoutDuration: timeoutMs, cooldownDuration: cooldownMs })
  }

  async #discovered (timeoutMs: number): Promise<string> {
    const { issuer } = this.#o
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
    const found: unknown = answer.ok ? await answer.json() : null
    const { issuer: named, jwks_uri: jwks } = Object(found) as Record<string, unknown>
    if (named === issuer && typeof jwks === 'string' && isSafeUrl(jwks)) return jwks
    throw new Error(`${url} does not answer with a jwks_uri of the issuer ${issuer}`)
  }

  #actor (payload: JWTPayload): Actor | null {
    const { issuer, claims } = this.#o
    const sub = textOf(payload.sub)
    if (sub === null) return null
    const name = textOf(payload['name']) ?? textOf(payload['preferred_username']) ?? textOf(payload['email']) ?? sub
    const role = roleOf(payload[claims.role])
    const reach = reachOf(payload[claims.organization], payload[claims.team], payload[claims.project])
    // an administrator reaches everything: a claim that says less contradicts it
    if (role === null || reach === undefined || (role === 'administrator') !== (reach === null)) {
      throw new Forbidden('This token is valid and gives no role here')
    }
    return { id: `${issuer} ${sub}`, name, role, reach }
  }
}

const OUTAGES = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC'])

function roleOf (claim: unknown): Exclude<Actor['role'], 'client'> | null {
  const roles = (['administrator', 'manager', 'viewer'] as const).filter((role) => [claim].flat().includes(role))
  return roles.length === 1 ? roles[0] ?? null : null
}

/** null: no claim limits it; undefined: the claims make no sense */
function reachOf (organization: unknown, team: unknown, project: unknown): Reach | null | undefined {
  if (isAbsent(organization)) return isAbsent(team) && isAbsent(project) ? null : undefined
  const organizationId = textOf(organization)
  if (organizationId === null || (!isAbsent(team) && !isAbsent(project))) return undefined
  if (isAbsent(team) && isAbsent(project)) return { organizationId, scope: null }
  const id = textOf(isAbsent(team) ? project : team)
  return id === null ? undefined : { organizationId, scope: { type: isAbsent(team) ? 'project' : 'team', id } }
}

function isAbsent (claim: unknown): boolean { return claim === undefined || claim === null }

function textOf (claim: unknown): string | null {
  return typeof claim === 'string' && claim.trim() !== '' && claim.length <= 256 && isPlain(claim) ? claim.trim() : null
}
