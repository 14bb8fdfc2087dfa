import { timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { hashSecret, isSecret, makeSecret } from './secret.ts'

/** Where admin tokens live, as hashes. DependencyUnavailable where the store cannot be reached. */
export interface AdminTokenStore {
  insert (hash: Buffer): Promise<void>
  /** the only valid one from now on */
  replaceAll (hash: Buffer): Promise<void>
  isValid (hash: Buffer): Promise<boolean>
  /** whether there is any valid one */
  any (): Promise<boolean>
}

export interface AdminTokensOptions {
  store: AdminTokenStore
  /** a token that an operator chose; it is valid as long as it is set, beside those in the store */
  configured?: string | undefined
  /** for so long a token that was rotated elsewhere may still work here, ms; default 1,000 */
  rememberMs?: number
}

/**
 * Who may administer. Fails closed: where the store cannot be reached, only the configured token and those of the last
 * second are known, and every other is an outage to its caller, neither right nor wrong.
 */
export class AdminTokens {
  readonly #store: AdminTokenStore
  readonly #configured: Buffer | null
  /** valid ones only, so that a new token works at once everywhere */
  readonly #valid: LRUCache<string, true>

  constructor (options: AdminTokensOptions) {
    this.#store = options.store
    this.#configured = options.configured === undefined ? null : hashSecret(options.configured)
    this.#valid = new LRUCache({ max: 100, ttl: options.rememberMs ?? 1_000 })
  }

  /** One more token. It is in this answer and nowhere else ever after. */
  async create (): Promise<string> {
    const token = makeSecret('ra')
    await this.#store.insert(hashSecret(token))
    return token
  }

  /** A new token; all others in the store end. */
  async rotate (): Promise<string> {
    const token = makeSecret('ra')
    await this.#store.replaceAll(hashSecret(token))
    this.#valid.clear()
    return token
  }

  /** Whether anybody can administer at all: false on a database that nobody has used yet. */
  async any (): Promise<boolean> {
    return this.#configured !== null || await this.#store.any()
  }

  /** Rejects where the store cannot be asked. */
  async verify (token: string): Promise<boolean> {
    const hash = hashSecret(token)
    if (this.#configured !== null && timingSafeEqual(hash, this.#configured)) return true
    if (!isSecret('ra', token)) return false
    const id = hash.toString('latin1')
    if (this.#valid.get(id) === true) return true
    if (!await this.#store.isValid(hash)) return false
    this.#valid.set(id, true)
    return true
  }
}
