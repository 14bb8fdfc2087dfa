import { LRUCache } from 'lru-cache'
import { systemNow, type Now } from '../clock.ts'
import { type GatewayKey, type KeyBySecret, type KeyStore } from './key.ts'
import { hashSecret, isSecret } from './secret.ts'
import { within } from '../within.ts'

/**
 * KeyRing: whom a key speaks for, from memory. A key that is known answers at once; one that is not is looked up once,
 * however many calls bring it at the same time. Who brings made-up keys is in nobody's way: two questions at most are
 * before the store at once, each for all keys that came meanwhile, and past a bound of them `overloaded` is the answer.
 * After a change `forget` forgets the keys that it names, `invalidate` all: nothing read before is remembered after.
 * When a key expires, or a secret that was replaced, is judged at each call by this gateway's clock.
 *
 * Fails closed: where the store cannot be reached, an unknown key is neither right nor wrong but `unavailable`, and
 * the next call asks again. Known keys go on, since whoever could revoke them cannot reach the store either.
 */
export type KeyAnswer =
  | { outcome: 'valid' | 'revoked' | 'disabled' | 'expired' | 'replaced', key: GatewayKey }
  | { outcome: 'unknown' }
  | { outcome: 'unavailable', cause: unknown }
  /** so many are being looked up */
  | { outcome: 'overloaded', asked: number }

export interface KeyRingOptions {
  store: Pick<KeyStore, 'byHashes'>
  now?: Now
  /** keys looked up at once; default 1,024 */
  maxAsked?: number
  /** hears of each that was not looked up */
  onFull?: () => void
  /** keys remembered; default 50,000 */
  max?: number
  /** keys that were never made here remembered, so that they cannot push out those that were; default 10,000 */
  maxUnknown?: number
}

const UNKNOWN: KeyAnswer = { outcome: 'unknown' }
/** so long a call waits to learn whose key it brings */
const ASKED_WITHIN_MS = 5_000
const MAX_ASKED = 1_024
/** one that stands still must not hold up the next */
const QUESTIONS_AT_ONCE = 2
const MOST_IN_ONE = 500
/** no key is so long, and nothing longer is worth hashing */
const MAX_LENGTH = 100

/** A key to be looked up. */
interface Question { id: string, hash: Buffer, answer: (answer: KeyAnswer) => void }

export class KeyRing {
  readonly #store: Pick<KeyStore, 'byHashes'>
  readonly #now: Now
  readonly #maxAsked: number
  readonly #onFull: () => void
  readonly #known: LRUCache<string, Known>
  readonly #unknown: LRUCache<string, true>
  readonly #loading = new Map<string, Promise<KeyAnswer>>()
  /** that wait for their turn to be asked */
  readonly #line: Question[] = []
  /** in line, or asked and not answered */
  #asked = 0
  #questions = 0
  #generation = 0

  constructor (options: KeyRingOptions) {
    this.#store = options.store
    this.#now = options.now ?? systemNow
    this.#maxAsked = options.maxAsked ?? MAX_ASKED
    this.#onFull = options.onFull ?? (() => undefined)
    this.#known = new LRUCache({ max: options.max ?? 50_000 })
    this.#unknown = new LRUCache({ max: options.maxUnknown ?? 10_000 })
  }

  /** A promise only where the key is not in memory; never rejects. */
  lookup (key: string): KeyAnswer | Promise<KeyAnswer> {
    if (key.length > MAX_LENGTH) return UNKNOWN
    const hash = hashSecret(key)
    const id = hash.toString('latin1')
    const known = this.#known.get(id)
    if (known !== undefined) return this.#judged(known)
    if (!isSecret('rk', key) || this.#unknown.get(id) === true) return UNKNOWN
    return this.#loading.get(id) ?? this.#load(id, hash)
  }

  /** After a change of these: nothing read of them before is used after it. */
  forget (keyIds: Iterable<string>): void {
    const changed = new Set(keyIds)
    this.#forgetQuestions()
    for (const [id, { now }] of this.#known.entries()) {
      if ('key' in now && changed.has(now.key.id)) this.#known.delete(id)
    }
  }

  /** The same where nobody knows of which. */
  invalidate (): void {
    this.#forgetQuestions()
    this.#known.clear()
  }

  /** what is being asked is answered to those who asked before, and to nobody else */
  #forgetQuestions (): void {
    this.#generation++
    this.#unknown.clear()
    this.#loading.clear()
  }

  #load (id: string, hash: Buffer): KeyAnswer | Promise<KeyAnswer> {
    if (this.#asked >= this.#maxAsked) {
      this.#onFull()
      return { outcome: 'overloaded', asked: this.#maxAsked }
    }
    const late: KeyAnswer = { outcome: 'unavailable', cause: new Error(`no answer within ${ASKED_WITHIN_MS} ms`) }
    const load = within(this.#ask(id, hash), ASKED_WITHIN_MS, late).finally(() => {
      if (this.#loading.get(id) === load) this.#loading.delete(id)
    })
    this.#loading.set(id, load)
    return load
  }

  async #ask (id: string, hash: Buffer): Promise<KeyAnswer> {
    this.#asked++
    try {
      return await new Promise((resolve) => {
        this.#line.push({ id, hash, answer: resolve })
        this.#askNext()
      })
    } finally {
      this.#asked--
    }
  }

  #askNext (): void {
    if (this.#line.length === 0 || this.#questions >= QUESTIONS_AT_ONCE) return
    this.#questions++
    void this.#askFor(this.#line.splice(0, MOST_IN_ONE)).finally(() => {
      this.#questions--
      this.#askNext()
    })
  }

  async #askFor (questions: Question[]): Promise<void> {
    const generation = this.#generation
    try {
      const found = await this.#store.byHashes(questions.map(({ hash }) => hash))
      const current = generation === this.#generation
      questions.forEach(({ id, answer }, i) => { answer(this.#learn(id, found[i] ?? null, current)) })
    } catch (cause) {
      for (const { answer } of questions) answer({ outcome: 'unavailable', cause })
    }
  }

  #learn (id: string, found: KeyBySecret | null, current: boolean): KeyAnswer {
    if (found === null) {
      if (current) this.#unknown.set(id, true)
      return UNKNOWN
    }
    const known = knownOf(found)
    if (current) this.#known.set(id, known)
    return this.#judged(known)
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
