import t from 'tap'
import { createKey, type GatewayKey, type KeyBySecret, type KeyDraft, type KeyStore } from '../../src/keys/key.ts'
import { KeyRing, type KeyRingOptions } from '../../src/keys/key-ring.ts'
import { makeSecret } from '../../src/keys/secret.ts'

const DRAFT: KeyDraft = {
  name: 'a key', organizationId: 'acme', teamId: null, projectId: null, userId: null, allowHeaders: [], requireHeaders: [],
}

/** Answers when it is told to, so that a test owns what happens meanwhile. */
class SlowStore implements Pick<KeyStore, 'insert' | 'byHashes'> {
  readonly keys = new Map<string, KeyBySecret>()
  readonly asked: { hashes: readonly Buffer[], answer: () => void, fail: (error: Error) => void }[] = []

  async insert (draft: KeyDraft, hash: Buffer, hint: string): Promise<GatewayKey> {
    const key = {
      allowedProviders: null,
      endUser: 'ignore' as const,
      allowedModels: null,
      rateLimits: null,
      expiresAt: null,
      ...draft,
      id: String(this.keys.size),
      hint,
      disabledAt: null,
      createdAt: 1,
      updatedAt: 1,
      revokedAt: null,
      version: 1,
    }
    this.keys.set(hash.toString('hex'), { key, validUntil: null })
    return key
  }

  change (id: string, fields: Partial<GatewayKey>, validUntil: number | null = null): void {
    for (const [hash, { key }] of this.keys) {
      if (key.id === id) this.keys.set(hash, { key: { ...key, ...fields }, validUntil })
    }
  }

  async byHashes (hashes: readonly Buffer[]): Promise<(KeyBySecret | null)[]> {
    const found = hashes.map((hash) => this.keys.get(hash.toString('hex')) ?? null)
    return await new Promise((resolve, reject) => {
      this.asked.push({ hashes, answer: () => { resolve(found) }, fail: reject })
    })
  }
}

function aRing (options: Omit<KeyRingOptions, 'store'> = {}) {
  const store = new SlowStore()
  return { store, ring: new KeyRing({ store, ...options }) }
}

t.test('what cannot be a key is unknown without a query', async (t) => {
  const { store, ring } = aRing()
  const key = makeSecret('rk')

  for (const text of ['', 'sk-proj-abcdef', `${key}x`, makeSecret('ra')]) {
    t.same(ring.lookup(text), { outcome: 'unknown' })
  }

  t.equal(store.asked.length, 0)
})

t.test('asks once for calls that come together, and then no more', async (t) => {
  const { store, ring } = aRing()
  const { key, secret } = await createKey(store, DRAFT)

  const answers = [ring.lookup(secret), ring.lookup(secret), ring.lookup(secret)]
  t.equal(store.asked.length, 1)
  store.asked[0]?.answer()

  for (const answer of await Promise.all(answers)) t.same(answer, { outcome: 'valid', key })
  t.same(ring.lookup(secret), { outcome: 'valid', key }, 'known keys answer at once')
  t.equal(store.asked.length, 1)
})

t.test('remembers unknown keys apart, so that they push out no known one', async (t) => {
  const { store, ring } = aRing({ max: 2, maxUnknown: 2 })
  const { key, secret } = await createKey(store, DRAFT)
  const learn = async (text: string) => {
    const answer = ring.lookup(text)
    store.asked.at(-1)?.answer()
    return await answer
  }
  await learn(secret)

  const madeUp = Array.from({ length: 5 }, () => makeSecret('rk'))
  for (const text of madeUp) t.same(await learn(text), { outcome: 'unknown' })

  const before = store.asked.length
  t.same(ring.lookup(secret), { outcome: 'valid', key })
  t.same(ring.lookup(madeUp[4] ?? ''), { outcome: 'unknown' })
  t.equal(store.asked.length, before)
  t.type(ring.lookup(madeUp[0] ?? ''), Promise, 'as many as it may remember')
  store.asked.at(-1)?.answer()
})

t.test('a revoked key is known as such, at once', async (t) => {
  const { store, ring } = aRing()
  const { key, secret } = await createKey(store, DRAFT)
  const first = ring.lookup(secret)
  store.asked[0]?.answer()
  await first

  store.change(key.id, { revokedAt: 2 })
  ring.invalidate()

  const answer = ring.lookup(secret)
  store.asked[1]?.answer()
  t.match(await answer, { outcome: 'revoked', key: { id: key.id } })
  t.match(ring.lookup(secret), { outcome: 'revoked' })
})

t.test('what was read before a change is not remembered after it', async (t) => {
  const { store, ring } = aRing()
  const { key, secret } = await createKey(store, DRAFT)
  const early = ring.lookup(secret)

  store.change(key.id, { revokedAt: 2 })
  ring.invalidate()
  const late = ring.lookup(secret)
  t.equal(store.asked.length, 2, 'who comes after the change does not share the read from before it')
  store.asked[1]?.answer()
  t.match(await late, { outcome: 'revoked' })
  store.asked[0]?.answer()
  await early

  t.match(ring.lookup(secret), { outcome: 'revoked' })
})

t.test('a change of one key leaves the others known', async (t) => {
  const { store, ring } = aRing()
  const [changed, other] = [await createKey(store, DRAFT), await createKey(store, DRAFT)]
  const learning = [ring.lookup(changed.secret), ring.lookup(other.secret)]
  for (const { answer } of store.asked) answer()
  await Promise.all(learning)

  store.change(changed.key.id, { revokedAt: 2 })
  ring.forget([changed.key.id])

  t.same(ring.lookup(other.secret), { outcome: 'valid', key: other.key }, 'also where the store does not answer any more')
  const answer = ring.lookup(changed.secret)
  t.equal(store.asked.length, 3)
  store.asked[2]?.answer()
  t.match(await answer, { outcome: 'revoked' })
})

t.test('what was read of a key before it changed is not remembered after it', async (t) => {
  const { store, ring } = aRing()
  const { key, secret } = await createKey(store, DRAFT)
  const early = ring.lookup(secret)

  store.change(key.id, { revokedAt: 2 })
  ring.forget([key.id])
  const late = ring.lookup(secret)
  for (const { answer } of store.asked) answer()

  t.match(await Promise.all([early, late]), [{ outcome: 'valid' }, { outcome: 'revoked' }])
  t.match(ring.lookup(secret), { outcome: 'revoked' })
})

t.test('many keys at once are two questions at most, and past a bound not asked about at all', async (t) => {
  let full = 0
  const { store, ring } = aRing({ maxAsked: 50, onFull: () => { full++ } })
  const strangers = Array.from({ length: 49 }, () => ring.lookup(makeSecret('rk')))
  const { key, secret } = await createKey(store, DRAFT)
  const late = ring.lookup(secret)
  t.same(ring.lookup(makeSecret('rk')), { outcome: 'overloaded', asked: 50 })
  t.equal(ring.lookup(secret), late, 'one that is being looked up is no more of them')
  t.equal(full, 1)

  t.same(store.asked.map(({ hashes }) => hashes.length), [1, 1])
  store.asked[0]?.answer()
  await strangers[0]
  t.same(store.asked.map(({ hashes }) => hashes.length), [1, 1, 48], 'all that came meanwhile')
  store.asked[2]?.answer()
  store.asked[1]?.answer()
  t.same(await late, { outcome: 'valid', key })
  t.ok((await Promise.all(strangers)).every(({ outcome }) => outcome === 'unknown'))

  t.type(ring.lookup(makeSecret('rk')), Promise)
  store.asked[3]?.fail(new Error('no answer'))
})

t.test('an outage is no wrong key, and is not remembered', async (t) => {
  const { store, ring } = aRing()
  const { key, secret } = await createKey(store, DRAFT)
  const outage = new Error('no answer')

  const answer = ring.lookup(secret)
  store.asked[0]?.fail(outage)
  t.same(await answer, { outcome: 'unavailable', cause: outage })

  const again = ring.lookup(secret)
  store.asked[1]?.answer()
  t.same(await again, { outcome: 'valid', key })
})

t.test('when a key expires is judged at each call, and asks nobody', async (t) => {
  let now = 100
  const { store, ring } = aRing({ now: () => now })
  const ask = async (secret: string) => {
    const answer = ring.lookup(secret)
    store.asked.at(-1)?.answer()
    return (await answer).outcome
  }
  const ends = await createKey(store, { ...DRAFT, expiresAt: 200 })
  const replaced = await createKey(store, { ...DRAFT, expiresAt: 400 })
  store.change(replaced.key.id, {}, 300)
  const disabled = await createKey(store, DRAFT)
  store.change(disabled.key.id, { disabledAt: 1 })
  const all = async () => [await ask(ends.secret), await ask(replaced.secret), await ask(disabled.secret)]
  t.same(await all(), ['valid', 'valid', 'disabled'])
  now = 199
  t.same(await all(), ['valid', 'valid', 'disabled'])
  now = 200
  t.same(await all(), ['expired', 'valid', 'disabled'])
  now = 300
  t.same(await all(), ['expired', 'replaced', 'disabled'])
  t.equal(store.asked.length, 3)
})
