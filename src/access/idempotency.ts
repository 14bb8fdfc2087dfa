import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto'
import { IdempotencyKeyReused, invalidField } from '../errors.ts'

/**
 * A change that is asked for twice with one idempotency key happens once, and both get the same answer. The key's row
 * is written first in the change's own transaction: who comes second waits for the first, and finds its answer or, if
 * the first failed, is the first. Only answers of successful changes are kept, for a day at least.
 *
 * An answer may hold a secret that is shown once. So it is kept encrypted under a key that is derived from the
 * idempotency key, of which the store has a hash only: whoever reads the store learns no more from it than that hash
 * lets guess, so keys should be random.
 */
export interface Claim {
  actorId: string
  /** SHA-256 of the idempotency key */
  keyHash: Buffer
  /** method and path: the same key on another one is a mistake */
  route: string
  bodyHash: Buffer
}

/** What an earlier request with the same key did. */
export interface EarlierAnswer {
  route: string
  bodyHash: Buffer
  sealed: Buffer
}

/** Bound to the change's transaction. */
export interface IdempotencyStore {
  /** waits for a change under way with the same key; null: the key is this change's */
  claim (claim: Claim): Promise<EarlierAnswer | null>
  keep (claim: Claim, sealed: Buffer): Promise<void>
}

/** What makes a request the same one again. */
export interface Repeatable {
  actorId: string
  key: string
  route: string
  body: unknown
}

const VISIBLE = /^[\x21-\x7e]{1,255}$/
const HEADER = 'idempotency-key'
const NONCE = 12
const TAG = 16

/** The header's value; null: there is none. */
export function idempotencyKey (header: string | string[] | undefined): string | null {
  if (header === undefined) return null
  if (typeof header === 'string' && VISIBLE.test(header)) return header
  throw invalidField(HEADER, '1 to 255 visible ASCII characters', header)
}

/** `work` once per key; `answer` must survive JSON. */
export async function once<T> (
  store: IdempotencyStore, request: Repeatable, work: () => Promise<T>
): Promise<{ answer: T, replayed: boolean }> {
  const claim = claimOf(request)
  const earlier = await store.claim(claim)
  if (earlier !== null) return { answer: replay<T>(earlier, claim, request.key), replayed: true }
  const answer = await work()
  await store.keep(claim, seal(JSON.stringify(answer), request.key, claim))
  return { answer, replayed: false }
}

function claimOf ({ actorId, key, route, body }: Repeatable): Claim {
  return { actorId, keyHash: sha256(key), route, bodyHash: sha256(JSON.stringify(body) ?? '') }
}

function replay<T> (earlier: EarlierAnswer, claim: Claim, key: string): T {
  if (earlier.route !== claim.route || !earlier.bodyHash.equals(claim.bodyHash)) {
    const what = earlier.route === claim.route ? 'with another body' : `for ${earlier.route}`
    throw Object.assign(new IdempotencyKeyReused(`This Idempotency-Key was used ${what}; take a new one`), { field: HEADER })
  }
  return JSON.parse(unseal(earlier.sealed, key, claim)) as T
}

function sha256 (text: string): Buffer { return hash('sha256', text, 'buffer') }

function derived (key: string, { actorId }: Claim): Buffer {
  return Buffer.from(hkdfSync('sha256', key, actorId, 'relaycore idempotent answer', 32))
}

function seal (text: string, key: string, claim: Claim): Buffer {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', derived(key, claim), nonce).setAAD(claim.bodyHash)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
}

function unseal (sealed: Buffer, key: string, claim: Claim): string {
  const decipher = createDecipheriv('aes-256-gcm', derived(key, claim), sealed.subarray(0, NONCE))
    .setAAD(claim.bodyHash).setAuthTag(sealed.subarray(NONCE, NONCE + TAG))
  return decipher.update(sealed.subarray(NONCE + TAG), undefined, 'utf8') + decipher.final('utf8')
}
