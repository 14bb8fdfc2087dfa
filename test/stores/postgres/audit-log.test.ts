import fc from 'fast-check'
import t, { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { type Reach } from '../../../src/access/actor.ts'
import { type AuditDraft } from '../../../src/access/audit.ts'
import { formatLink, parseLink, type Link } from '../../../src/access/audit-chain.ts'
import { type Authorship } from '../../../src/access/changes.ts'
import { defineBudget } from '../../../src/budget/define.ts'
import { createKey, type KeyDraft } from '../../../src/keys/key.ts'
import { PostgresAuditLog } from '../../../src/stores/postgres/audit-log.ts'
import { PostgresChanges } from '../../../src/stores/postgres/changes.ts'
import { Database } from '../../../src/stores/postgres/pool.ts'
import { aDatabase } from './database.ts'

const BY: Authorship = {
  actor: { id: 'ada', name: 'Ada', role: 'administrator', reach: null }, requestId: 'req-1', from: '10.1.2.3',
}

const BUDGET = {
  name: 'b', scopeType: 'team', scopeId: 'search', organizationId: 'acme', amount: '5', currency: 'USD', period: 'monthly',
}

const DRAFT: AuditDraft = {
  action: 'thing.changed',
  objectType: 'thing',
  objectId: '1',
  organizationId: 'acme',
  scopes: ['team:search'],
  scopesAbove: [],
  before: { a: '1' },
  after: { a: '2' },
}

const KEY: KeyDraft = {
  name: 'k', organizationId: 'acme', teamId: null, projectId: null, userId: null, allowHeaders: [], requireHeaders: [],
}

interface AuditWorld {
  url: string
  changes: PostgresChanges
  log: PostgresAuditLog
  links: Link[]
  /** as the database's superuser */
  sql (text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  note (...drafts: Partial<AuditDraft>[]): Promise<void>
}

async function aLog (t: Test, entries = 0): Promise<AuditWorld> {
  const url = await aDatabase(t)
  const database = new Database({ connectionString: url, max: 8 })
  const auditor = new Database({ connectionString: url, max: 1 })
  t.teardown(async () => { await Promise.all([database.close(), auditor.close()]) })
  const links: Link[] = []
  const changes = new PostgresChanges({
    database, changed: () => undefined, noted: (_by, _draft, link) => { links.push(link) },
  })
  const note = async (...drafts: Partial<AuditDraft>[]) => {
    await changes.run(BY, async ({ audit }) => { for (const draft of drafts) audit.note({ ...DRAFT, ...draft }) })
  }
  for (let i = 1; i <= entries; i++) await note({ objectId: String(i) })
  return {
    url,
    changes,
    log: new PostgresAuditLog(database),
    links,
    note,
    sql: async (text, values = []) => await auditor.query({ text, values }),
  }
}

const OPEN = 'alter table audit_log disable trigger all; alter table audit_head disable trigger all'

t.test('every change leaves its entry in its own transaction, and what changed nothing or failed leaves none', async (t) => {
  const { changes, log } = await aLog(t)
  const budget = await changes.run(BY, async ({ budgets }) => await budgets.insert(defineBudget(BUDGET, 0)))
  await changes.run(BY, async ({ budgets }) => await budgets.update(budget.id, (current) => ({ ...current, name: 'c' })))
  await changes.run(BY, async ({ budgets }) => {
    await budgets.archive(budget.id)
    await budgets.archive(budget.id)
    await budgets.restore(budget.id)
  })
  const { key, secret } = await changes.run(BY, async ({ keys }) => await createKey(keys, {
    ...KEY, teamId: 'search',
  }))
  await t.rejects(changes.run(BY, async ({ budgets }) => {
    await budgets.archive(budget.id)
    throw new Error('no')
  }), /no/)
  await changes.run(BY, async ({ keys }) => {
    for (const id of [key.id, key.id, uuidv7()]) await keys.revoke(id)
  })

  const { entries } = await log.page({ reach: null, limit: 100 })
  t.match(entries.reverse(), [
    { seq: 1, action: 'budget.created', before: null, after: /"name":"b"/, objectId: budget.id, requestId: 'req-1', from: '10.1.2.3', actor: { id: 'ada', name: 'Ada', role: 'administrator' } },
    { seq: 2, action: 'budget.changed', before: /"name":"b"/, after: /"amount":"5".*"name":"c"/ },
    { seq: 3, action: 'budget.archived', organizationId: 'acme', scopes: ['team:search'], before: /"archivedAt":null/, after: /"archivedAt":"20/ },
    { seq: 4, action: 'budget.restored', before: /"archivedAt":"20/, after: /"archivedAt":null/ },
    { seq: 5, action: 'key.created', before: null, scopes: ['organization:acme', 'team:search'] },
    { seq: 6, action: 'key.revoked', before: /"revokedAt":null/, after: /"revokedAt":"20/ },
  ])
  t.notMatch(JSON.stringify(entries), secret)
  t.match(await log.verify(), { entries: 6, broken: null })
})

t.test('changes at once form one chain without a gap', async (t) => {
  const { changes, log, links } = await aLog(t)
  const some = Array.from({ length: 40 }, (_, i) => i)
  await Promise.all(some.map(async (i) => await changes.run(BY, async ({ budgets, keys, audit }) => {
    if (i % 3 === 0) return await budgets.insert(defineBudget({ ...BUDGET, name: `b${i}` }, 0))
    if (i % 3 === 1) {
      return await createKey(keys, {
        ...KEY, name: `k${i}`,
      })
    }
    audit.note(DRAFT)
    audit.note({ ...DRAFT, objectId: '2' })
  })))
  const verified = await log.verify()
  t.match(verified, { entries: 53, broken: null, last: { seq: 53 } })
  t.same(links.map(({ seq }) => seq).sort((a, b) => a - b), Array.from({ length: 53 }, (_, i) => i + 1))
  t.match(await log.verify(links), { broken: null }, 'what was told of each entry is so')
})

t.test('whatever the words are, the database and the program compute the same', async (t) => {
  const { log, note } = await aLog(t)
  const word = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((one) => !one.includes('\0'))
  const state = fc.oneof(fc.constant(null), fc.dictionary(word, fc.jsonValue()))
  const draft = fc.record({
    action: word,
    objectType: word,
    objectId: word,
    organizationId: fc.option(word),
    scopes: fc.array(word, { maxLength: 4 }),
    scopesAbove: fc.array(word, { maxLength: 4 }),
    before: state,
    after: state,
  })
  await fc.assert(fc.asyncProperty(fc.array(draft, { minLength: 1, maxLength: 5 }), async (drafts) => {
    await note(...drafts)
    const { broken } = await log.verify()
    if (broken !== null) throw new Error(JSON.stringify(broken))
  }), { numRuns: 60 })
})

t.test('an entry that is altered in any column is found', async (t) => {
  const { log, sql } = await aLog(t, 6)
  await sql(OPEN)
  const other: Record<string, string> = {
    seq: '7',
    id: `'${uuidv7()}'`,
    at: "at + interval '1 ms'",
    scopes: "array['team:other']",
    scopes_above: "array['team:other']",
    before: '\'{"a": "1"}\'',
    after: 'null',
    hash: "sha256('x')",
  }
  const columns = await sql("select attname as name from pg_attribute where attrelid = 'audit_log'::regclass and attnum > 0")
  t.equal(columns.length, 17)
  for (const { name } of columns as { name: string }[]) {
    await sql('create table kept as select * from audit_log where seq = 3')
    await sql(`update audit_log set ${name} = ${other[name] ?? "'other'"} where seq = 3`)
    t.match(await log.verify(), { entries: 2, last: { seq: 2 }, broken: { seq: 3 } }, name)
    await sql('delete from audit_log a using kept k where a.id = k.id or a.seq in (3, 7)')
    await sql('insert into audit_log select * from kept; drop table kept')
    t.match(await log.verify(), { broken: null })
  }
  await sql("update audit_log set at = 'infinity', seq = 9e18::bigint where seq = 6")
  t.match(await log.verify(), { broken: { seq: 6, why: 'is missing' } })
  await sql("update audit_log set at = 'infinity' where seq = 5")
  t.match(await log.verify(), { broken: { seq: 5, why: /was altered/ } })
})

t.test('entries that are removed, swapped, put in or cut off are found', async (t) => {
  const { log, sql, links } = await aLog(t, 6)
  await sql(OPEN)
  const after = async (change: string) => {
    await sql('create table log as select * from audit_log; create table head as select * from audit_head')
    await sql(change)
    const kept = await log.verify([links[4] as Link])
    const found = await log.verify()
    await sql('delete from audit_log; insert into audit_log select * from log; drop table log')
    await sql('update audit_head h set seq = k.seq, hash = k.hash from head k; drop table head')
    t.match(await log.verify(links), { entries: 6, broken: null })
    return { found: found.broken, kept: kept.broken }
  }
  t.match(await after('delete from audit_log where seq = 3'), { found: { seq: 3, why: 'is missing' } })
  t.match(await after('delete from audit_log where seq = 1'), { found: { seq: 1, why: 'is missing' } })
  const swapped = 'update audit_log set seq = -seq where seq in (2, 4); update audit_log set seq = 6 + seq where seq < 0'
  t.match(await after(swapped), { found: { seq: 2 } })
  const added = `insert into audit_log select r.* from audit_log a, lateral jsonb_populate_record(a,
    jsonb_build_object('seq', 7, 'id', gen_random_uuid())) r where a.seq = 6`
  t.match(await after(added), { found: { seq: 7 } })
  t.match(await after('delete from audit_log where seq >= 5'), { found: { seq: 5, why: /end was cut off/ } })

  const cut = `delete from audit_log where seq >= 5;
    update audit_head set seq = 4, hash = (select hash from audit_log where seq = 4)`
  t.match(await after(cut), { found: null, kept: { seq: 5, why: /end was cut off/ } }, 'with the head too: by a link that was kept')
  const forged = `do $$ declare r audit_log; p bytea := (select hash from audit_log where seq = 2); begin
    update audit_log set actor_name = 'Eve' where seq = 3;
    for r in select * from audit_log where seq > 2 order by seq loop
      p := audit_hash(p, r); update audit_log set hash = p where seq = r.seq;
    end loop; update audit_head set hash = p; end $$`
  t.match(await after(forged), { found: null, kept: { seq: 5, why: /another one than was kept/ } }, 'all written anew: by a link that was kept')
})

t.test('what is archived is verified from the entry that was kept of it', async (t) => {
  const { log, sql, links } = await aLog(t, 6)
  await sql(OPEN)
  await sql('delete from audit_log where seq <= 3')
  const [, , third, fourth] = links as [Link, Link, Link, Link]
  t.match(await log.verify(), { broken: { seq: 1, why: 'is missing' } })
  t.match(await log.verify([fourth], third), { entries: 3, last: { seq: 6 }, broken: null })
  t.match(await log.verify([third], fourth), { broken: { seq: 3, why: /comes before entry 4/ } })
  t.match(await log.verify([], { seq: 3, hash: fourth.hash }), { entries: 0, broken: { seq: 4 } })
  t.match(await log.verify([], { seq: 9, hash: fourth.hash }), { broken: {} })
  t.same(parseLink(formatLink(third)), third)
  for (const wrong of ['', '3', '3:ab', `x:${'0'.repeat(64)}`, `3:${'g'.repeat(64)}`]) t.equal(parseLink(wrong), null)
})

t.test('the database refuses to change or remove an entry, whoever asks', async (t) => {
  const { log, sql } = await aLog(t, 3)
  const refused = [
    "update audit_log set actor_id = 'eve'", 'delete from audit_log where seq = 3', 'truncate audit_log',
    'truncate audit_head', 'delete from audit_head', 'update audit_head set seq = 2',
  ]
  for (const statement of [...refused, 'set session_replication_role = replica', ...refused]) {
    if (statement.startsWith('set')) await sql(statement)
    else await t.rejects(sql(statement), /only ever added to/, statement)
  }
  t.match(await log.verify(), { entries: 3, broken: null })
})

t.test('entries are found by who, what, which and when, page by page', async (t) => {
  const { changes, log, note } = await aLog(t, 5)
  await changes.run({ ...BY, actor: { ...BY.actor, id: 'bob' } }, async ({ audit }) => {
    audit.note({ ...DRAFT, action: 'thing.made', objectType: 'other' })
  })
  await note({ objectId: '1' })
  const found = async (query: object) =>
    (await log.page({ reach: null, limit: 100, ...query })).entries.map(({ seq }) => seq)
  t.same(await found({}), [7, 6, 5, 4, 3, 2, 1])
  t.same(await found({ actor: 'bob' }), [6])
  t.same(await found({ action: 'thing.made' }), [6])
  t.same(await found({ objectType: 'thing', objectId: '1' }), [7, 1])
  const { entries: [third] } = await log.page({ reach: null, limit: 1, objectId: '3' })
  const at = Date.parse(third?.at ?? '')
  t.same((await found({ from: at })).includes(3), true)
  t.same((await found({ to: at })).includes(3), false)
  t.same(await found({ from: at, to: at }), [])

  const first = await log.page({ reach: null, limit: 3 })
  await note({})
  const second = await log.page({ reach: null, limit: 3, cursor: first.nextCursor ?? '' })
  const last = await log.page({ reach: null, limit: 3, cursor: second.nextCursor ?? '' })
  t.same([...first.entries, ...second.entries, ...last.entries].map(({ seq }) => seq), [7, 6, 5, 4, 3, 2, 1])
  t.equal(last.nextCursor, null)
  await t.rejects(log.page({ reach: null, limit: 3, actor: 'ada', cursor: first.nextCursor ?? '' }), /cursor/)
})

t.test('a reach sees the entries of its own objects, as they were', async (t) => {
  const { changes, log } = await aLog(t)
  const make = async (fields: object) => await changes.run(BY, async ({ budgets }) =>
    await budgets.insert(defineBudget({ ...BUDGET, ...fields }, 0)))
  const search = await make({})
  const below = await make({ scopeType: 'user', scopeId: 'ada', parentBudgetId: search.id })
  const other = await make({ scopeId: 'ads' })
  const foreign = await make({ organizationId: 'globex' })
  const nobodys = await make({ organizationId: undefined })
  const moved = await changes.run(BY, async ({ budgets }) =>
    await budgets.update(below.id, (current) => ({ ...current, parentBudgetId: other.id })))
  t.equal(moved.parentBudgetId, other.id)
  const objects = async (reach: Reach | null) =>
    (await log.page({ reach, limit: 100 })).entries.map(({ objectId }) => objectId)
  const team = (id: string, organizationId = 'acme'): Reach => ({ organizationId, scope: { type: 'team', id } })
  t.same(await objects(null), [below.id, nobodys.id, foreign.id, other.id, below.id, search.id])
  t.same(await objects({ organizationId: 'acme', scope: null }), [below.id, other.id, below.id, search.id])
  t.same(await objects(team('search')), [below.id, search.id], 'what stands below, and not that it went elsewhere')
  t.same(await objects(team('ads')), [other.id], 'nor what came from elsewhere')
  t.same(await objects(team('search', 'globex')), [foreign.id])
  t.same(await objects({ organizationId: 'acme', scope: { type: 'user', id: 'ada' } }), [below.id, below.id])
  t.same(await objects(team('none')), [])

  const top = await make({ scopeType: 'organization', scopeId: 'acme' })
  const news = await make({ scopeId: 'news', parentBudgetId: top.id })
  const inner = await make({ scopeType: 'project', scopeId: 'web', parentBudgetId: news.id })
  const afters = async (reach: Reach) => (await log.page({ reach, limit: 100 })).entries
    .map(({ after }) => JSON.parse(after ?? '') as object)
  t.match(await afters(team('news')), [{ id: inner.id, parentBudgetId: news.id }, { id: news.id, parentBudgetId: null }])
  t.match(await afters({ organizationId: 'acme', scope: null }), [{}, { id: news.id, parentBudgetId: top.id }])

  const { entries } = await log.page({ reach: null, limit: 100, objectId: foreign.id })
  const id = entries[0]?.id ?? ''
  t.match(await log.get(id, { reach: team('search', 'globex') }), { objectId: foreign.id })
  t.equal(await log.get(id, { reach: team('search') }), null)
  t.equal(await log.get(uuidv7(), { reach: null }), null)
  t.equal(await log.get('none', { reach: null }), null)
})
