import { timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type Actor, type Reach } from '../access/actor.ts'
import { systemNow, type Now } from '../clock.ts'
import { hashSecret, hintOf, isSecret, makeSecret } from './secret.ts'

/** A token of the admin API: who brings it, and how far that goes. */
export interface AdminToken {
  id: string
  /** the beginning of its secret, to tell it from others; the secret itself is kept nowhere; null: it is too old */
  hint: string | null
  name: string
  role: Exclude<Actor['role'], 'client'>
  /** null: everything; administrators, and nobody else, have that */
  reach: Reach | null
  /** ms since the epoch; from then on it is refused; null: never */
  expiresAt: number | null
  createdAt: number
  /** the actor who made it; null: a command, or the first start */
  createdBy: string | null
  /** for good */
  revokedAt: number | null
}

export type TokenDraft = Pick<AdminToken, 'name' | 'role' | 'reach' | 'expiresAt' | 'createdBy'>

export interface TokenQuery {
  includeRevoked: boolean
  /** null: everything */
  reach: Reach | null
  limit: number
  /** the nextCursor of the page before */
  cursor?: string
}

export interface TokenPage {
  tokens: AdminToken[]
  /** null: this is the last page */
  nextCursor: string | null
}

/** Where admin tokens live, as hashes. DependencyUnavailable where the store cannot be reached. */
export interface AdminTokenStore {
  /** Forbidden where it would reach further than who makes it */
  insert (draft: TokenDraft, hash: Buffer, hint: string): Promise<AdminToken>
  /** the only valid one of an administrator from now on */
  replaceAdministrators (draft: TokenDraft, hash: Buffer, hint: string): Promise<void>
  /** one that was not revoked */
  byHash (hash: Buffer): Promise<AdminToken | null>
  /** whether there is any valid one of an administrator */
  any (): Promise<boolean>
  /** the oldest first; InvalidField for a cursor of another list */
  page (query: TokenQuery): Promise<TokenPage>
  /** null: there is none within reach */
  get (id: string, reach?: Reach | null): Promise<AdminToken | null>
  /** for good, and once; null: there is none within reach */
  revoke (id: string): Promise<AdminToken | null>
}

export interface AdminTokensOptions {
  store: Pick<AdminTokenStore, 'insert' | 'replaceAdministrators' | 'byHash' | 'any'>
  /** a token that an operator chose; it is valid as long as it is set, beside those in the store */
  configured?: string | undefined
  /** for so long a token that was revoked elsewhere may still work here, ms; default 900 */
  rememberMs?: number
  now?: Now
}

/** One more token. `secret` is in this answer and nowhere else ever after. */
export async function createToken (
  store: Pick<AdminTokenStore, 'insert'>, draft: TokenDraft
): Promise<{ token: AdminToken, secret: string }> {
  const secret = makeSecret('ra')
  return { token: await store.insert(draft, hashSecret(secret), hintOf(secret)), secret }
}

const CONFIGURED: Actor = { id: 'RELAYCORE_ADMIN_TOKEN', name: 'RELAYCORE_ADMIN_TOKEN', role: 'administrator', reach: null }

/**
 * Who may ask the admin API, by token. Fails closed: where the store cannot be reached, only the configured token and
 * those of the last second are known, and every other is an outage to its caller, neither right nor wrong.
 */
export class AdminTokens {
  readonly #store: AdminTokensOptions['store']
  readonly #configured: Buffer | null
  readonly #now: Now
  /** valid ones only, so that a new token works at once everywhere */
  readonly #valid: LRUCache<string, AdminToken>

  constructor (options: AdminTokensOptions) {
    this.#store = options.store
    this.#configured = options.configured === undefined ? null : hashSecret(options.configured)
    this.#now = options.now ?? systemNow
    this.#valid = new LRUCache({ max: 1_000, ttl: options.rememberMs ?? 900 })
  }

  /** An administrator's token, made by no request. It is in this answer and nowhere else ever after. */
  async create (name = 'administrator'): Promise<string> {
    return (await createToken(this.#store, administrator(name))).secret
  }

  /** A new one; all other administrators' tokens in the store end. */
  async rotate (name = 'administrator'): Promise<string> {
    const secret = makeSecret('ra')
    await this.#store.replaceAdministrators(administrator(name), hashSecret(secret), hintOf(secret))
    this.invalidate()
    return secret
  }

  /** Whether anybody can administer at all: false on a database that nobody has used yet. */
  async any (): Promise<boolean> {
    return this.#configured !== null || await this.#store.any()
  }

  /** after a change: what was known before is asked again */
  invalidate (): void { this.#valid.clear() }

  /** Whose token it is; null: nobody's, any more. Rejects where the store cannot be asked. */
  async verify (secret: string): Promise<Actor | null> {
    const hash = hashSecret(secret)
    if (this.#configured !== null && timingSafeEqual(hash, this.#configured)) return CONFIGURED
    if (!isSecret('ra', secret)) return null
    const id = hash.toString('latin1')
    const token = this.#valid.get(id) ?? await this.#store.byHash(hash)
    if (token === null || (token.expiresAt !== null && token.expiresAt <= this.#now())) return null
    if (!this.#valid.has(id)) this.#valid.set(id, token)
    const { id: actorId, name, role, reach } = token
    return { id: actorId, name, role, reach }
  }
}

function administrator (name: string): TokenDraft {
  return { name, role: 'administrator', reach: null, expiresAt: null, createdBy: null }
}
