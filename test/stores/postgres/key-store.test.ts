import t, { type Test } from 'tap'
import { AdminTokens } from '../../../src/keys/admin-tokens.ts'
import { createKey, type KeyDraft } from '../../../src/keys/key.ts'
import { KeyRing } from '../../../src/keys/key-ring.ts'
import { hashSecret, makeSecret } from '../../../src/keys/secret.ts'
import { PostgresBudgetStore } from '../../../src/stores/postgres/budget-store.ts'
import { PostgresAdminTokenStore } from '../../../src/stores/postgres/admin-token-store.ts'
import { PostgresKeyStore } from '../../../src/stores/postgres/key-store.ts'
import { Database } from '../../../src/stores/postgres/pool.ts'
import { aDatabase } from './database.ts'

const DRAFT: KeyDraft = {
  name: 'a key',
  organizationId: 'acme',
  teamId: 'red',
  projectId: 'p',
  userId: 'ann',
  allowHeaders: ['user', 'tags'],
  requireHeaders: ['user'],
}

const ALL = { includeRevoked: true, reach: null, limit: 10, total: false }

async function opened (t: Test): Promise<Database> {
  const database = new Database({ connectionString: await aDatabase(t) })
  t.teardown(() => database.close())
  return database
}

function nowhere (t: Test): Database {
  const database = new Database({ connectionString: 'postgres://postgres@127.0.0.1:1/none' })
  t.teardown(() => database.close())
  return database
}

t.test('a key is found by what was handed out, and kept only as a hash', async (t) => {
  const database = await opened(t)
  const store = new PostgresKeyStore(database)
  const ring = new KeyRing({ store })

  const { key, secret } = await createKey(store, DRAFT)

  t.match(key, { ...DRAFT, hint: `${secret.slice(0, 7)}...`, revokedAt: null })
  t.same(await ring.lookup(secret), { outcome: 'valid', key })
  t.same(await ring.lookup(makeSecret('rk')), { outcome: 'unknown' })
  t.same(await store.get(key.id), key)
  t.same(await store.page(ALL), { keys: [key], nextCursor: null, total: null })
  t.equal(await store.get('x'), null)
  const rows = await database.query({ text: 'select api_keys::text as row from api_keys' })
  t.notMatch(rows[0]?.['row'], secret.slice(8))
})

t.test('a key is revoked for good, and once', async (t) => {
  const store = new PostgresKeyStore(await opened(t))
  const ring = new KeyRing({ store })
  const { key, secret } = await createKey(store, DRAFT)

  const revoked = await store.revoke(key.id)

  t.type(revoked?.revokedAt, 'number')
  t.same(await store.revoke(key.id), revoked)
  t.match(await ring.lookup(secret), { outcome: 'revoked', key: { id: key.id } })
  t.equal(await store.revoke('x'), null)
  t.equal(await store.revoke('00000000-0000-7000-8000-000000000000'), null)
})

t.test('every change of keys counts their version up, and no other', async (t) => {
  const database = await opened(t)
  const store = new PostgresKeyStore(database)
  const versions = (since?: number) => new PostgresBudgetStore(database).versions(since)
  const before = await versions()

  const { key } = await createKey(store, DRAFT)
  t.same(await versions(), { ...before, keys: before.keys + 1 })
  await store.revoke(key.id)
  t.same(await versions(), { ...before, keys: before.keys + 2 })
})

t.test('with their version come the keys that were changed since another one, if anybody can know', async (t) => {
  const database = await opened(t)
  const store = new PostgresKeyStore(database)
  const changed = async (since?: number) => (await new PostgresBudgetStore(database).versions(since)).changedKeys
  const { keys: since } = await new PostgresBudgetStore(database).versions()
  t.same(await changed(since), [])

  const one = await createKey(store, DRAFT)
  const other = await createKey(store, DRAFT)
  t.same(new Set(await changed(since)), new Set([one.key.id, other.key.id]))
  await store.rotate(one.key.id, hashSecret(makeSecret('rk')), 'rk_', 60)
  t.same(await changed(since + 2), [one.key.id])
  await store.revoke(other.key.id)
  t.same(await changed(since + 3), [other.key.id])
  t.same(await changed(since + 4), [])
  t.equal(await changed(), null, 'without another one')
  t.equal(await changed(since + 5), null, 'with one that this server has not come to')

  await database.query({ text: 'update config_versions set version = version + 1 where kind = $1', values: ['keys'] })
  await database.query({
    text: `insert into api_keys (id, version, hash, hint, organization_id, name)
      select gen_random_uuid(), $1, sha256(n::text::bytea), 'rk_', 'acme', 'k' from generate_series(1, 1001) n`,
    values: [since + 5],
  })
  t.equal(await changed(since + 4), null, 'of very many')
})

t.test('many secrets are looked up by one question, those that were replaced too', async (t) => {
  const store = new PostgresKeyStore(await opened(t))
  const one = await createKey(store, DRAFT)
  const other = await createKey(store, DRAFT)
  const next = makeSecret('rk')
  await store.rotate(one.key.id, hashSecret(next), 'rk_', 60)
  const asked = [makeSecret('rk'), other.secret, one.secret, next, other.secret].map(hashSecret)

  t.match(await store.byHashes(asked), [
    null,
    { key: { id: other.key.id }, validUntil: null },
    { key: { id: one.key.id }, validUntil: Number },
    { key: { id: one.key.id }, validUntil: null },
    { key: { id: other.key.id } },
  ])
})

t.test('an outage is no wrong key', async (t) => {
  const store = new PostgresKeyStore(nowhere(t))

  t.match(await new KeyRing({ store }).lookup(makeSecret('rk')), { outcome: 'unavailable' })
  await t.rejects(store.page(ALL), { code: /^dependency_unavailable$/i })
})

t.test('admin tokens: valid as soon as they are made, until they are rotated', async (t) => {
  const store = new PostgresAdminTokenStore(await opened(t))
  const here = new AdminTokens({ store })
  const elsewhere = new AdminTokens({ store, rememberMs: 1 })
  t.notOk(await here.any())

  const first = await here.create()
  t.ok(await here.any())
  t.ok(await here.verify(first))
  t.ok(await elsewhere.verify(first))
  t.notOk(await here.verify(makeSecret('ra')))
  t.notOk(await here.verify(''))
  const second = await here.rotate()

  t.notOk(await here.verify(first))
  t.ok(await here.verify(second))
  t.ok(await elsewhere.verify(second))
})

t.test('of two rotations at once one token is left', async (t) => {
  const store = new PostgresAdminTokenStore(await opened(t))
  const tokens = new AdminTokens({ store })
  await tokens.create()

  const made = await Promise.all([tokens.rotate(), tokens.rotate(), tokens.rotate()])

  const valid = await Promise.all(made.map((token) => new AdminTokens({ store }).verify(token)))
  t.equal(valid.filter(Boolean).length, 1)
})

t.test('the configured admin token needs no database', async (t) => {
  const tokens = new AdminTokens({ store: new PostgresAdminTokenStore(nowhere(t)), configured: 'chosen by the operator' })

  t.ok(await tokens.any())
  t.ok(await tokens.verify('chosen by the operator'))
  t.notOk(await tokens.verify('chosen by somebody'))
  await t.rejects(tokens.verify(makeSecret('ra')), { code: /^dependency_unavailable$/i })
})
