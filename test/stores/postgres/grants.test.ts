import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t, { type Test } from 'tap'
import { grantGateway, RIGHTS } from '../../../src/stores/postgres/grants.ts'
import { migrate } from '../../../src/stores/postgres/migrate.ts'
import { aGateway, type Json } from '../../e2e/gateway.ts'
import { anEmptyDatabase } from './database.ts'

interface Restricted {
  ownerUrl: string
  gatewayUrl: string
  gateway: string
  asOwner: pg.Client
  asGateway: pg.Client
}

/** an empty database of an owner that is no superuser, and a role that may log in and nothing else */
async function twoRoles (t: Test): Promise<Restricted> {
  const [owner, gateway] = ['owner', 'gateway'].map((name) => `${name}_${randomUUID().slice(0, 8)}`) as [string, string]
  let drop = async (): Promise<void> => undefined
  t.teardown(() => drop())
  const url = await anEmptyDatabase(t)
  const admin = await connected(t, url)
  const name = new URL(url.replace(/@[^/]*/, '@host')).pathname.slice(1)
  for (const role of [owner, gateway]) await admin.query(`create role ${role} login password 'secret'`)
  await admin.query(`alter database ${name} owner to ${owner}; grant all on schema public to ${owner}`)
  const as = (role: string) => url.replace(/\/\/[^@]*@/, `//${role}:secret@`)
  // once the database is gone nothing keeps them
  drop = async () => {
    const client = new pg.Client(url.replace(/\/[^/?]*(\?|$)/, '/postgres$1'))
    await client.connect()
    await client.query(`drop role ${owner}`)
    await client.query(`drop role ${gateway}`)
    await client.end()
  }
  return {
    ownerUrl: as(owner),
    gatewayUrl: as(gateway),
    gateway,
    asOwner: await connected(t, as(owner)),
    asGateway: await connected(t, as(gateway)),
  }
}

async function connected (t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  client.on('error', () => undefined)
  await client.connect()
  t.teardown(() => client.end())
  return client
}

t.test('a gateway does all that it does as a role that owns nothing, and nothing else', async (t) => {
  const { ownerUrl, gatewayUrl, gateway, asOwner, asGateway } = await twoRoles(t)
  await t.rejects(migrate(gatewayUrl), { code: 'migration_forbidden' }, 'the schema is not its to make')
  await migrate(ownerUrl)
  await grantGateway(ownerUrl, gateway)
  // a month has passed that nobody made partitions in
  const { rows: [last] } = await asOwner.query<{ events: string, records: string }>(`
    select max(inhrelid::regclass::text) filter (where inhparent = 'usage_events'::regclass) as events,
      max(inhrelid::regclass::text) filter (where inhparent = 'budget_usage_records'::regclass) as records
    from pg_inherits where inhrelid::regclass::text ~ '_[0-9]{4}_[0-9]{2}$'`)
  await asOwner.query(`drop table ${last?.events}, ${last?.records}`)

  const under = await aGateway(t, { DATABASE_URL: gatewayUrl })
  const { admin } = under

  const { rows } = await asOwner.query(`select pg_get_userbyid(relowner) = current_user as owned from pg_class
    where relname = any ($1)`, [[last?.events, last?.records]])
  t.same(rows, [{ owned: true }, { owned: true }], 'partitions ahead are made at its start, and are the owner\'s')
  const ok = async (status: number, ...[method, path, body]: Parameters<typeof admin>): Promise<Json> => {
    const answer = await admin(method, path, body)
    t.equal(answer.status, status, `${method} ${path} ${JSON.stringify(answer.body).slice(0, 300)}`)
    return answer.body
  }
  const alerts = [{ threshold: 10, actions: ['notify'] }]
  const id = await under.budget({ alerts })
  const child = await under.budget({ scopeType: 'team', scopeId: 'a', parentBudgetId: id })
  await ok(200, 'PATCH', `/budgets/${child}`, { amount: '8' })
  t.equal((await under.chat(await under.key(), {})).status, 200)
  t.equal((await under.events()).length, 1)
  const used = await ok(201, 'POST', `/budgets/${child}/usage`, { id: 'one', amount: '5', metadata: { tags: { a: 'b' } } })
  await ok(201, 'POST', '/usage/batch', { records: [{ budgetId: child, amount: '-1', reverses: used['id'] }] })
  const hold = await ok(201, 'POST', '/holds', { budgetId: child, amount: '1' })
  await ok(200, 'POST', `/holds/${hold['id']}/extend`, { ttlSeconds: 60 })
  await ok(200, 'POST', `/holds/${hold['id']}/settle`, { amount: '0.5' })
  await under.core.rates.add([{ currency: 'EUR', rate: '0.9', effectiveAt: Date.UTC(2026, 0) }])
  await ok(200, 'POST', `/budgets/${child}/check-constraints`, { estimatedCost: '1', currency: 'EUR' })
  await asOwner.query('update budget_status_cache set charges = 0')
  t.match(await ok(200, 'POST', `/budgets/${child}/refresh-cache`), { message: /healed/ })
  const { keys: [key] } = await ok(200, 'GET', '/keys') as { keys: Json[] }
  await ok(200, 'POST', `/keys/${key?.['id']}/rotate`, { overlapSeconds: 60 })
  await ok(204, 'DELETE', `/keys/${key?.['id']}`)
  const token = await ok(201, 'POST', '/tokens', { name: 'v', role: 'viewer', reach: { organizationId: 'acme' } })
  await ok(204, 'DELETE', `/tokens/${token['id']}`)
  for (const path of ['status', 'usage', 'usage/summary?interval=day&groupBy=model']) await ok(200, 'GET', `/budgets/${id}/${path}`)
  await ok(200, 'GET', '/budgets/hierarchy/organization/acme')
  await ok(204, 'DELETE', `/budgets/${child}`)
  t.ok(Number((await ok(200, 'GET', '/audit'))['count']) > 8)
  const again = { 'idempotency-key': 'k' }
  for (const key of [again, again]) t.equal((await admin('POST', '/keys', { name: 'n', organizationId: 'acme' }, key)).status, 201)

  const forbidden = [
    'update audit_log set action = action', 'delete from audit_log', 'truncate audit_log', 'update audit_head set seq = seq + 1',
    'insert into audit_log select * from audit_log', 'alter table audit_log disable trigger all', 'drop table audit_log',
    'update usage_events set cost_nano = 0', 'delete from budget_usage_records', 'truncate usage_ids', 'delete from leases',
    'delete from usage_events_default', "update relaycore_migrations set md5 = ''", 'create table mine ()',
    "select ensure_partition('usage_events', '2030-01-01')", 'alter function append_audit(json) security invoker',
  ]
  for (const sql of forbidden) await t.rejects(asGateway.query(sql), { code: /^42501$/ }, sql)
  await t.rejects(asGateway.query('select ensure_partitions(1000)'), { code: '22023' })
})

t.test('it is said of every table what a gateway may do with it', async (t) => {
  const { ownerUrl, gateway, asOwner } = await twoRoles(t)
  await migrate(ownerUrl)
  const { rows } = await asOwner.query<{ name: string }>(`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
    order by relname collate "C"`)
  t.same(rows.map(({ name }) => name), Object.keys(RIGHTS))

  await asOwner.query(`grant all on audit_log, leases to ${gateway}`)
  for (let i = 0; i < 2; i++) await grantGateway(ownerUrl, gateway)
  const { rows: left } = await asOwner.query(`
    select table_name, string_agg(lower(privilege_type), ' ' order by privilege_type) as rights
    from information_schema.role_table_grants where grantee = $1 and table_name in ('audit_log', 'leases') group by 1 order by 1`, [gateway])
  t.same(left, [{ table_name: 'audit_log', rights: 'select' }, { table_name: 'leases', rights: 'insert select update' }],
    'what it had before ends')
})

t.test('roles that no grant restricts are refused, and so is who may not grant', async (t) => {
  const { ownerUrl, gatewayUrl, gateway, asOwner } = await twoRoles(t)
  await migrate(ownerUrl)
  const { rows: [who] } = await asOwner.query<{ owner: string }>('select current_user as owner')
  await t.rejects(grantGateway(ownerUrl, 'no such role"'), { message: /^There is no role/ })
  await t.rejects(grantGateway(ownerUrl, who?.owner ?? ''), { message: /owns the tables/ })
  await t.rejects(grantGateway(ownerUrl, 'relaycore'), { message: /superuser|no role/ })
  await t.rejects(grantGateway(gatewayUrl, gateway), { message: /Only the owner/ })
})
