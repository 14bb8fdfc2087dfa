import { LRUCache } from 'lru-cache'
import { type GatewayKey, type KeyStore } from './key.ts'
import { hashSecret, isSecret } from './secret.ts'

/**
 * KeyRing: whom a key speaks for, from memory. A key that is known answers at once; one that is not is looked up once,
 * however many calls bring it at the same time. `invalidate` forgets all: nothing read before it is answered after it.
 *
 * Fails closed: where the store cannot be reached, an unknown key is neither right nor wrong but `unavailable`, and
 * the next call asks again. Known keys go on, since whoever could revoke them cannot reach the store either.
 */
export type KeyAnswer =
  | { outcome: 'valid', key: GatewayKey }
  | { outcome: 'revoked', key: GatewayKey }
  | { outcome: 'unknown' }
  | { outcome: 'unavailable', cause: unknown }

export interface KeyRingOptions {
  store: KeyStore
  /** keys remembered; default 50,000 */
  max?: number
  /** keys that were never made here remembered, so that they cannot push out those that were; default 10,000 */
  maxUnknown?: number
}

const UNKNOWN: KeyAnswer = { outcome: 'unknown' }

export class KeyRing {
  readonly #store: KeyStore
  readonly #known: LRUCache<string, KeyAnswer>
  readonly #unknown: LRUCache<string, KeyAnswer>
  readonly #loading = new Map<string, Promise<KeyAnswer>>()
  #generation = 0

  constructor (options: KeyRingOptions) {
    this.#store = options.store
    this.#known = new LRUCache({ max: options.max ?? 50_000 })
    this.#unknown = new LRUCache({ max: options.maxUnknown ?? 10_000 })
  }

  /** A promise only where the key is not in memory; never rejects. */
  lookup (key: string): KeyAnswer | Promise<KeyAnswer> {
    if (!isSecret('rk', key)) return UNKNOWN
    const hash = hashSecret(key)
    const id = hash.toString('latin1')
    return this.#known.get(id) ?? this.#unknown.get(id) ?? this.#loading.get(id) ?? this.#load(id, hash)
  }

  /** After a change: nothing read before it is used after it. */
  invalidate (): void {
    this.#generation++
    this.#known.clear()
    this.#unknown.clear()
    this.#loading.clear()
  }

  #load (id: string, hash: Buffer): Promise<KeyAnswer> {
    const load = this.#ask(id, hash).finally(() => {
      if (this.#loading.get(id) === load) this.#loading.delete(id)
    })
    this.#loading.set(id, load)
    return load
  }

  async #ask (id: string, hash: Buffer): Promise<KeyAnswer> {
    const generation = this.#generation
    try {
      const key = await this.#store.byHash(hash)
      const answer = answerOf(key)
      if (generation === this.#generation) (key === null ? this.#unknown : this.#known).set(id, answer)
      return answer
    } catch (cause) {
      return { outcome: 'unavailable', cause }
    }
  }
}

function answerOf (key: GatewayKey | null): KeyAnswer {
  if (key === null) return UNKNOWN
  return { outcome: key.revokedAt === null ? 'valid' : 'revoked', key }
}
