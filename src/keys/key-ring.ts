import { LRUCache } from 'lru-cache'
import { systemNow, type Now } from '../clock.ts'
import { type GatewayKey, type KeyBySecret, type KeyStore } from './key.ts'
import { hashSecret, isSecret } from './secret.ts'
import { within } from '../within.ts'

/**
 * KeyRing: whom a key speaks for, from memory. A key that is known answers at once; one that is not is looked up once,
 * however many calls bring it at the same time. `invalidate` forgets all: nothing read before it is answered after it.
 * When a key expires, or a secret that was replaced, is judged at each call by this gateway's clock.
 *
 * Fails closed: where the store cannot be reached, an unknown key is neither right nor wrong but `unavailable`, and
 * the next call asks again. Known keys go on, since whoever could revoke them cannot reach the store either.
 */
export type KeyAnswer =
  | { outcome: 'valid' | 'revoked' | 'disabled' | 'expired' | 'replaced', key: GatewayKey }
  | { outcome: 'unknown' }
  | { outcome: 'unavailable', cause: unknown }

export interface KeyRingOptions {
  store: Pick<KeyStore, 'byHash'>
  now?: Now
  /** keys remembered; default 50,000 */
  max?: number
  /** keys that were never made here remembered, so that they cannot push out those that were; default 10,000 */
  maxUnknown?: number
}

const UNKNOWN: KeyAnswer = { outcome: 'unknown' }
/** so long a call waits to learn whose key it brings */
const ASKED_WITHIN_MS = 5_000

export class KeyRing {
  readonly #store: Pick<KeyStore, 'byHash'>
  readonly #now: Now
  readonly #known: LRUCache<string, Known>
  readonly #unknown: LRUCache<string, true>
  readonly #loading = new Map<string, Promise<KeyAnswer>>()
  #generation = 0

  constructor (options: KeyRingOptions) {
    this.#store = options.store
    this.#now = options.now ?? systemNow
    this.#known = new LRUCache({ max: options.max ?? 50_000 })
    this.#unknown = new LRUCache({ max: options.maxUnknown ?? 10_000 })
  }

  /** A promise only where the key is not in memory; never rejects. */
  lookup (key: string): KeyAnswer | Promise<KeyAnswer> {
    if (!isSecret('rk', key)) return UNKNOWN
    const hash = hashSecret(key)
    const id = hash.toString('latin1')
    const known = this.#known.get(id)
    if (known !== undefined) return this.#judged(known)
    if (this.#unknown.get(id) === true) return UNKNOWN
    return this.#loading.get(id) ?? this.#load(id, hash)
  }

  /** After a change: nothing read before it is used after it. */
  invalidate (): void {
    this.#generation++
    this.#known.clear()
    this.#unknown.clear()
    this.#loading.clear()
  }

  #load (id: string, hash: Buffer): Promise<KeyAnswer> {
    const late: KeyAnswer = { outcome: 'unavailable', cause: new Error(`no answer within ${ASKED_WITHIN_MS} ms`) }
    const load = within(this.#ask(id, hash), ASKED_WITHIN_MS, late).finally(() => {
      if (this.#loading.get(id) === load) this.#loading.delete(id)
    })
    this.#loading.set(id, load)
    return load
  }

  async #ask (id: string, hash: Buffer): Promise<KeyAnswer> {
    const generation = this.#generation
    try {
      const found = await this.#store.byHash(hash)
      const current = generation === this.#generation
      if (found === null) {
        if (current) this.#unknown.set(id, true)
        return UNKNOWN
      }
      const known = knownOf(found)
      if (current) this.#known.set(id, known)
      return this.#judged(known)
    } catch (cause) {
      return { outcome: 'unavailable', cause }
    }
  }

  #judged ({ now, endsAt, then }: Known): KeyAnswer { return this.#now() < endsAt ? now : then }
}

/** What a key answers until its end, and from then on. */
interface Known { now: KeyAnswer, endsAt: number, then: KeyAnswer }

function knownOf ({ key, validUntil }: KeyBySecret): Known {
  const now: KeyAnswer = { outcome: key.revokedAt !== null ? 'revoked' : key.disabledAt !== null ? 'disabled' : 'valid', key }
  if (now.outcome === 'revoked') return { now, endsAt: Infinity, then: now }
  const expires = key.expiresAt ?? Infinity
  const replaced = validUntil ?? Infinity
  return {
    now, endsAt: Math.min(expires, replaced), then: { outcome: replaced < expires ? 'replaced' : 'expired', key },
  }
}
