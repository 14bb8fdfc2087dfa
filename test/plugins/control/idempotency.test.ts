import t from 'tap'
import pg from 'pg'
import { aGateway, anOrganization, type AdminAnswer, type GatewayUnderTest } from '../../e2e/gateway.ts'

const BUDGET = { name: 'b', scopeType: 'team', scopeId: 'search', amount: '5', currency: 'USD', period: 'monthly' }
const HASHES = 'select key_hash from idempotency_keys'

const WAITING = `
  select pid from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock' and query like $1 and pid <> pg_backend_pid()`

const keyed = (key: string) => ({ 'idempotency-key': key })

async function make (gateway: GatewayUnderTest, key: string, body: object = BUDGET): Promise<AdminAnswer> {
  return await gateway.admin('POST', '/budgets', { organizationId: gateway.organizationId, ...body }, keyed(key))
}

async function count (gateway: GatewayUnderTest): Promise<unknown> {
  return (await gateway.admin('GET', `/budgets?organizationId=${gateway.organizationId}`)).body['count']
}

t.test('the same key gets the same answer, and the change happens once', async (t) => {
  const gateway = await anOrganization()
  const first = await make(gateway, 'a-key')
  const again = await make(gateway, 'a-key')
  t.equal(first.status, 201)
  t.equal(first.headers.get('idempotency-replayed'), null)
  t.equal(again.status, 201)
  t.same(again.body, first.body)
  t.equal(again.headers.get('location'), first.headers.get('location'))
  t.equal(again.headers.get('etag'), first.headers.get('etag'))
  t.equal(again.headers.get('idempotency-replayed'), 'true')
  t.not((await make(gateway, 'another-key')).body['id'], first.body['id'])
  t.equal(await count(gateway), 2)
})

t.test('of many at once with one key one makes the change, and all get its answer', async (t) => {
  const gateway = await anOrganization()
  const answers = await Promise.all(Array.from({ length: 12 }, async () => await make(gateway, 'together')))
  const [first] = answers
  for (const answer of answers) t.same([answer.status, answer.body], [201, first?.body])
  t.equal(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null).length, 1)
  t.equal(await count(gateway), 1)
})

t.test('a key for another body or another route is refused, and changes nothing', async (t) => {
  const gateway = await aGateway(t)
  const { body } = await make(gateway, 'k')
  const reused = { status: 422, body: { code: 'idempotency_key_reused', field: 'idempotency-key' } }
  t.match(await make(gateway, 'k', { ...BUDGET, amount: '6' }), reused)
  t.match(await gateway.admin('POST', '/keys', BUDGET, keyed('k')), { status: 400 })
  t.match(await gateway.admin('POST', '/keys', { name: 'k', organizationId: 'a' }, keyed('k')), reused)
  t.equal(await count(gateway), 1)
  t.same((await gateway.admin('GET', '/keys')).body['count'], 0)
  t.match((await gateway.admin('GET', `/budgets/${body['id']}`)).body, { amount: '5' })
})

t.test('a change that failed is not kept, and may be tried again with its key', async (t) => {
  const gateway = await aGateway(t)
  t.equal((await make(gateway, 'k', { ...BUDGET, parentBudgetId: '0198f4f4-0000-7000-8000-000000000000' })).status, 422)
  t.same(await gateway.core.database.query({ text: HASHES }), [])
  t.equal((await make(gateway, 'k')).status, 201)
})

t.test('a new key is shown again to who asked for it, and kept in clear nowhere', async (t) => {
  const gateway = await aGateway(t)
  const ask = () => gateway.admin('POST', '/keys', { name: 'k', organizationId: 'acme' }, keyed('for-a-secret'))
  const first = await ask()
  t.match(first, { status: 201, body: { key: /^rk_/ } })
  t.same((await ask()).body, first.body)
  const secret = String(first.body['key'])
  const rows = await gateway.core.database.query<{ answer: Buffer, row: string }>({
    text: 'select answer, k::text as row from idempotency_keys k',
  })
  t.equal(rows.length, 1)
  for (const { answer, row } of rows) {
    t.notOk(answer.includes(secret) || answer.includes(secret.slice(10, 30)))
    t.notOk(row.includes(secret) || row.includes('for-a-secret'))
    t.notOk(row.includes(Buffer.from(secret).toString('hex')))
  }
})

t.test('what is no key is refused by name', async (t) => {
  const gateway = await anOrganization()
  for (const key of ['', 'two words', 'x'.repeat(256), '\u00e9']) {
    t.match(await make(gateway, key), { status: 400, body: { code: 'invalid_field', field: 'idempotency-key' } }, key)
  }
  t.equal((await make(gateway, 'x'.repeat(255))).status, 201)
})

t.test('a change whose transaction died leaves its key to the next; another gateway gives the same answer', async (t) => {
  const gateway = await aGateway(t)
  const client = new pg.Client(gateway.core.config.databaseUrl)
  await client.connect()
  t.teardown(() => client.end())
  await client.query('begin')
  await client.query('select from config_versions for update')
  const waiting = async (text: string): Promise<number> => {
    const query = { text: WAITING, values: [`%${text}%`] }
    for (;;) {
      const [row] = await gateway.core.database.query<{ pid: number }>(query)
      if (row !== undefined) return row.pid
    }
  }
  const first = make(gateway, 'k')
  const pid = await waiting('update config_versions')
  const second = make(gateway, 'k')
  await waiting('insert into idempotency_keys')
  await client.query('select pg_terminate_backend($1)', [pid])
  t.match(await first, { status: 503, body: { code: 'dependency_unavailable' } })
  await client.query('rollback')
  const made = await second
  t.equal(made.status, 201)
  t.same((await make(gateway, 'k')).body, made.body)
  t.equal(await count(gateway), 1)

  const other = await aGateway(t, { DATABASE_URL: String(gateway.core.config.databaseUrl) })
  const replayed = await make(other, 'k')
  t.same(replayed.body, made.body)
  t.equal(replayed.headers.get('idempotency-replayed'), 'true')
})

t.test('answers are kept for a day and then go with the next change', async (t) => {
  const gateway = await aGateway(t)
  await make(gateway, 'old')
  await make(gateway, 'young')
  const age = (interval: string) => gateway.core.database.query({
    text: `update idempotency_keys set created_at = now() - interval '${interval}'
      where created_at = (select min(created_at) from idempotency_keys)`,
  })
  await age('24 hours')
  await make(gateway, 'next')
  t.equal((await gateway.core.database.query({ text: HASHES })).length, 3)
  await age('26 hours')
  await make(gateway, 'last')
  t.equal((await gateway.core.database.query({ text: HASHES })).length, 3)
})
