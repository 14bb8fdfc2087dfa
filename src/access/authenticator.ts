import { type IncomingHttpHeaders } from 'node:http'
import { type Identity } from '../budget/budget.ts'
import { DependencyUnavailable, Forbidden, type Refusal, TooManyFailures, Unauthorized } from '../errors.ts'
import { type AdminTokens } from '../keys/admin-tokens.ts'
import { isSecret } from '../keys/secret.ts'
import { type Actor, NO_REACH } from './actor.ts'
import { type FailureLimit } from './failures.ts'
import { isJwt, type Issuer } from './issuer.ts'

export interface AuthenticatorOptions {
  tokens: Pick<AdminTokens, 'verify'>
  /** null: there is none, and no JWT is valid */
  issuer: Pick<Issuer, 'verify'> | null
  /** for whom a gateway key calls */
  identify: (key: string, headers: IncomingHttpHeaders) => Identity | Refusal | Promise<Identity | Refusal>
  failures: FailureLimit
}

const BEARER = /^Bearer +(\S{1,8192})$/i

/**
 * Who asks the admin API: the holder of an admin token, of a token of the issuer, or of a gateway key.
 * An address that was wrong too often hears 429 instead of 401. What was chosen by people could be guessed, so it is
 * not even looked at then; secrets that this gateway made, and signatures, cannot: a good one always passes, so nobody
 * is shut out by others behind the same proxy.
 */
export class Authenticator {
  readonly #o: AuthenticatorOptions

  constructor (options: AuthenticatorOptions) { this.#o = options }

  /** Throws Unauthorized, TooManyFailures, Forbidden (good, and of no use here), DependencyUnavailable. */
  async authenticate (headers: IncomingHttpHeaders, address: string): Promise<Actor> {
    const token = BEARER.exec(headers.authorization ?? '')?.[1]
    if (token === undefined) throw new Unauthorized('The admin API needs the header Authorization: Bearer <admin token>')
    const wait = this.#o.failures.wait(address)
    const guessable = !isSecret('ra', token) && !isSecret('rk', token) && !isJwt(token)
    const actor = guessable && wait > 0 ? null : await this.#actor(token, headers)
    if (actor !== null) return actor
    if (wait > 0) {
      throw Object.assign(new TooManyFailures('Too many wrong tokens from this address: wait'), { retryAfter: wait })
    }
    this.#o.failures.failed(address)
    throw new Unauthorized('This is not a valid token of this gateway')
  }

  async #actor (token: string, headers: IncomingHttpHeaders): Promise<Actor | null> {
    if (token.startsWith('rk_')) return await this.#client(token, headers)
    const actor = await this.#o.tokens.verify(token)
    return actor === null && isJwt(token) ? await this.#o.issuer?.verify(token) ?? null : actor
  }

  async #client (key: string, headers: IncomingHttpHeaders): Promise<Actor | null> {
    const identity = await this.#o.identify(key, headers)
    if (!('code' in identity)) {
      return { id: identity.keyId, name: 'gateway key', role: 'client', reach: NO_REACH, identity }
    }
    if (identity.code === 'ledger_unavailable' || identity.code === 'overloaded') throw new DependencyUnavailable(identity.message)
    if (identity.code.startsWith('key_')) return null
    throw new Forbidden(identity.message)
  }
}
