import t from 'tap'
import { aGateway, type AdminAnswer, type Json } from '../../e2e/gateway.ts'

const BUDGET = { name: 'b', scopeType: 'team', scopeId: 'search', organizationId: 'acme', amount: '12.50', currency: 'USD', period: 'monthly' }
const entriesOf = ({ body }: AdminAnswer) => body['entries'] as Json[]

t.test('a change is told of with its author, its request, and the object before and after', async (t) => {
  const { admin, logs } = await aGateway(t)
  const made = await admin('POST', '/budgets', BUDGET)
  const id = String(made.body['id'])
  const changed = await admin('PATCH', `/budgets/${id}`, { amount: 20 })
  const answer = await admin('GET', '/audit')
  t.match(answer, { status: 200, body: { count: 2, limit: 100, nextCursor: null } })
  const [second, first] = entriesOf(answer) as [Json, Json]
  t.match(second, {
    seq: 2,
    action: 'budget.changed',
    objectType: 'budget',
    objectId: id,
    organizationId: 'acme',
    actor: { id: 'RELAYCORE_ADMIN_TOKEN', role: 'administrator' },
    requestId: /^req-/,
    from: '127.0.0.1',
    hash: /^[0-9a-f]{64}$/,
  })
  t.same(second['before'], made.body)
  t.same(second['after'], changed.body)
  t.equal((second['after'] as Json)['amount'], '20', 'a decimal string')
  t.match(first, { seq: 1, action: 'budget.created', before: null })
  t.same((await admin('GET', `/audit/${String(first['id'])}`)).body, first)
  const line = logs.map((one) => JSON.parse(one) as Json).find(({ message, action }) => message === 'a change' && action === 'budget.changed')
  t.match(line, { audit: `2:${String(second['hash'])}`, objectId: id, actor: 'RELAYCORE_ADMIN_TOKEN', requestId: second['requestId'], from: '127.0.0.1' })
})

t.test('a change asked for twice is told of once; one that is refused, never', async (t) => {
  const { admin } = await aGateway(t)
  const once = { 'idempotency-key': 'k-1' }
  const made = await admin('POST', '/budgets', BUDGET, once)
  await admin('POST', '/budgets', BUDGET, once)
  await admin('POST', '/budgets', { ...BUDGET, amount: '1' }, once)
  const path = `/budgets/${String(made.body['id'])}`
  await admin('PATCH', path, { name: 'c' }, { 'if-match': '"0"' })
  await admin('PATCH', path, { amount: '-1' })
  await admin('POST', `${path}/restore`)
  t.match(await admin('GET', '/audit'), { body: { count: 1 } })
  await admin('DELETE', path)
  await admin('DELETE', path)
  t.same(entriesOf(await admin('GET', '/audit')).map(({ action }) => action), ['budget.archived', 'budget.created'])
})

t.test('no secret is in it', async (t) => {
  const { admin, core } = await aGateway(t)
  const made = await admin('POST', '/keys', { name: 'k', organizationId: 'acme' })
  const rotated = await admin('POST', `/keys/${String(made.body['id'])}/rotate`, { overlapSeconds: 60 })
  const { body } = await admin('GET', '/audit')
  t.match(body, { entries: [{ action: 'key.rotated', before: { hint: made.body['hint'] }, after: { hint: rotated.body['hint'] } }, {}] })
  const [row] = await core.database.query({
    text: 'select string_agg(a::text, $1) as all, (select encode(hash, $2) from api_keys) as hash from audit_log a',
    values: ['', 'hex'],
  })
  const everything = JSON.stringify(body) + String(row?.['all'])
  for (const secret of [made.body['key'], rotated.body['key'], row?.['hash']]) t.notOk(everything.includes(String(secret)))
})

t.test('entries are found by everything they are told apart by, page by page', async (t) => {
  const { admin, budget, key } = await aGateway(t)
  const id = await budget()
  await key()
  await admin('PATCH', `/budgets/${id}`, { name: 'c' })
  const actions = async (query: string) => entriesOf(await admin('GET', `/audit?${query}`)).map(({ action }) => action)
  t.same(await actions('objectType=budget'), ['budget.changed', 'budget.created'])
  t.same(await actions(`objectId=${id}&action=budget.changed`), ['budget.changed'])
  t.same(await actions('actor=RELAYCORE_ADMIN_TOKEN&limit=1'), ['budget.changed'])
  t.same(await actions('actor=nobody'), [])
  t.same(await actions('to=2020-01-01T00:00:00Z'), [])
  t.same((await actions('from=2020-01-01T00:00:00Z')).length, 3)
  const first = await admin('GET', '/audit?limit=2')
  t.same(await actions(`limit=2&cursor=${String(first.body['nextCursor'])}`), ['budget.created'])
  t.match(await admin('GET', `/audit?limit=2&actor=x&cursor=${String(first.body['nextCursor'])}`), { status: 400, body: { field: 'cursor' } })
  for (const query of ['from=yesterday', 'to=1', 'limit=0', 'cursor=x', 'who=x', 'action=']) {
    const field = query.split('=')[0]
    t.match(await admin('GET', `/audit?${query}`), { status: 400, body: { code: 'invalid_field', field } }, query)
  }
  t.match(await admin('GET', '/audit/none'), { status: 404, body: { code: 'not_found' } })
})
