import t from 'tap'
import { aGateway, type AdminAnswer, type GatewayUnderTest, type Json } from '../../e2e/gateway.ts'
import { aRedisServer } from '../../stores/redis/server.ts'

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

interface Deed {
  action: string
  /** how many entries; one if not given */
  entries?: number
  path?: (ids: Ids) => string
  body?: object | ((ids: Ids) => object)
}
type Ids = Record<'budget' | 'archived' | 'key' | 'token' | 'hold' | 'other' | 'team' | 'adjustment' | 'asked' | 'denied' | 'lost', string>

/** what each route that changes something is told of as; the first entry, where there are several */
const DEEDS: Record<string, Deed> = {
  'POST /budgets': { action: 'budget.created', body: BUDGET },
  'PUT /budgets/:id': { action: 'budget.changed', path: ({ budget }) => `/budgets/${budget}`, body: { name: 'm' } },
  'PATCH /budgets/:id': { action: 'budget.changed', path: ({ budget }) => `/budgets/${budget}`, body: { name: 'n' } },
  'POST /budgets/:id/alerts/:threshold/acknowledge': {
    action: 'alert.acknowledged', path: ({ budget }) => `/budgets/${budget}/alerts/0.001/acknowledge`,
  },
  'POST /budgets/:id/adjustments': {
    action: 'adjustment.created',
    path: ({ budget }) => `/budgets/${budget}/adjustments`,
    body: { kind: 'top-up', amount: '1', reason: 'r' },
  },
  'DELETE /budgets/:id/adjustments/:adjustmentId': {
    action: 'adjustment.revoked', path: ({ budget, adjustment }) => `/budgets/${budget}/adjustments/${adjustment}`,
  },
  'POST /budgets/:id/transfers': {
    action: 'adjustment.created',
    entries: 2,
    path: ({ budget }) => `/budgets/${budget}/transfers`,
    body: ({ team }) => ({ toBudgetId: team, amount: '0.1', reason: 'r' }),
  },
  'POST /approval-requests': { action: 'approval_request.created', body: ({ budget }) => ({ budgetId: budget, reason: 'r' }) },
  'POST /approval-requests/:id/approve': {
    action: 'approval_request.approved', entries: 2, path: ({ asked }) => `/approval-requests/${asked}/approve`, body: { amount: '1' },
  },
  'POST /approval-requests/:id/deny': {
    action: 'approval_request.denied', path: ({ denied }) => `/approval-requests/${denied}/deny`, body: {},
  },
  'POST /budgets/:id/usage': {
    action: 'usage.recorded', path: ({ budget }) => `/budgets/${budget}/usage`, body: { amount: '1' },
  },
  'POST /usage/batch': {
    action: 'usage.recorded', body: ({ budget }) => ({ records: Array(3).fill({ budgetId: budget, amount: '0.5' }) }),
  },
  'DELETE /budgets/:id': { action: 'budget.archived', path: ({ budget }) => `/budgets/${budget}` },
  'POST /budgets/:id/restore': { action: 'budget.restored', path: ({ archived }) => `/budgets/${archived}/restore` },
  'POST /keys': { action: 'key.created', body: { name: 'k', organizationId: 'acme' } },
  'PATCH /keys/:id': { action: 'key.changed', path: ({ key }) => `/keys/${key}`, body: { disabled: true } },
  'POST /keys/:id/rotate': { action: 'key.rotated', path: ({ key }) => `/keys/${key}/rotate`, body: {} },
  'DELETE /keys/:id': { action: 'key.revoked', path: ({ key }) => `/keys/${key}` },
  'POST /prices': {
    action: 'price.added', body: { provider: 'openai', model: 'gpt-4', prices: { input: '1', output: '1' } },
  },
  'POST /exchange-rates': { action: 'rate.added', body: { currency: 'CHF', rate: '0.88' } },
  'POST /exchange-rates/import': {
    action: 'rate.added',
    body: { format: 'ecb-daily', content: "<Cube time='2026-01-05'><Cube currency='USD' rate='1.25'/>" },
  },
  'POST /gateways/:id/write-off': { action: 'gateway.written_off', path: ({ lost }) => `/gateways/${lost}/write-off` },
  'POST /holds': { action: 'hold.opened', body: { identity: { organizationId: 'held' }, amount: '1' } },
  'POST /holds/:id/extend': {
    action: 'hold.extended', path: ({ hold }) => `/holds/${hold}/extend`, body: { ttlSeconds: 60 },
  },
  'POST /holds/:id/settle': { action: 'hold.settled', path: ({ hold }) => `/holds/${hold}/settle`, body: { amount: '1' } },
  'POST /holds/:id/release': { action: 'hold.released', path: ({ other }) => `/holds/${other}/release` },
  'POST /tokens': { action: 'token.created', body: { name: 't', role: 'viewer', reach: { organizationId: 'acme' } } },
  'DELETE /tokens/:id': { action: 'token.revoked', path: ({ token }) => `/tokens/${token}` },
}

/** change nothing, the second at least where there is nothing to heal */
const HARMLESS = ['POST /budgets/:id/check-constraints', 'POST /explain', 'POST /budgets/:id/refresh-cache']

t.test('every route that changes something leaves its entry, and does it once for one idempotency key', async (t) => {
  const gateway = await aGateway(t, { REDIS_URL: (await aRedisServer(t)).url })
  const { admin } = gateway
  const changing = gateway.routes.filter((one) => / \/api\/v1\//.test(one)).map((one) => one.replace('/api/v1', ''))
    .filter((one) => /^(POST|PUT|PATCH|DELETE)/.test(one) && !HARMLESS.includes(one))
  t.same(Object.keys(DEEDS).sort(), changing.sort(), 'each has its line here, and no other')
  const made = async (path: string, body: object) => String((await admin('POST', path, body)).body['id'])
  await made('/budgets', { ...BUDGET, scopeType: 'organization', scopeId: 'held', organizationId: 'held', amount: '100' })
  const hold = { identity: { organizationId: 'held' }, amount: '1' }
  const ids: Ids = {
    hold: await made('/holds', hold),
    other: await made('/holds', hold),
    budget: await made('/budgets', {
      ...BUDGET, scopeType: 'organization', scopeId: 'acme', amount: '5', alerts: [{ threshold: 0.001 }, { threshold: 90, actions: ['require-approval'] }],
    }),
    archived: await made('/budgets', BUDGET),
    team: await made('/budgets', BUDGET),
    adjustment: '',
    asked: '',
    denied: '',
    lost: String(await aLostGateway(gateway)),
    key: await made('/keys', { name: 'k', organizationId: 'acme' }),
    token: await made('/tokens', { name: 't', role: 'viewer', reach: { organizationId: 'acme' } }),
  }
  ids.adjustment = await made(`/budgets/${ids.budget}/adjustments`, { kind: 'top-up', amount: '1', reason: 'r' })
  ids.asked = await made('/approval-requests', { budgetId: ids.budget, reason: 'r' })
  ids.denied = await made('/approval-requests', { budgetId: ids.budget, reason: 'r' })
  t.equal((await gateway.chat(await gateway.key(), {})).status, 200)
  await gateway.events()
  await admin('DELETE', `/budgets/${ids.archived}`)
  for (const [route, { action, path, body, entries = 1 }] of Object.entries(DEEDS)) {
    const [method = '', url = ''] = route.split(' ')
    const before = await admin('GET', '/audit?limit=1000')
    const ask = async (said: object | undefined) => await admin(method, path?.(ids) ?? url, said, { 'idempotency-key': route.replace(/ /g, '') })
    const said = typeof body === 'function' ? body(ids) : body
    const answer = await ask(said)
    const again = await ask(said)
    const after = await admin('GET', '/audit?limit=1000')
    t.match(answer.status, /^20/, route)
    t.same([again.status, again.body, again.headers.get('idempotency-replayed')], [answer.status, answer.body, 'true'], route)
    t.match(await ask({ ...said, name: 'another' }), { status: /^4/ }, `${route}: a key is good for one body`)
    t.equal(Number(after.body['count']), Number(before.body['count']) + entries, route)
    t.match(entriesOf(after)[0], { action, actor: { id: 'RELAYCORE_ADMIN_TOKEN' }, requestId: /^req/ }, route)
  }
  const { body } = await admin('GET', '/audit?action=usage.recorded')
  t.match((body['entries'] as Json[])[0], { before: null, after: { count: 3, amounts: { USD: '1.5' }, reverses: [] } })
  t.match(await gateway.core.audit.verify(), { broken: null })
})

/** a process life that ended without a word */
async function aLostGateway ({ core }: GatewayUnderTest): Promise<number> {
  const incarnation = await core.authority.join('lost', 'elsewhere')
  const text = "update gateways set heartbeat_at = now() - interval '1 hour' where incarnation = $1"
  await core.database.query({ text, values: [incarnation] })
  return incarnation
}

t.test('who may not see an object reads nothing of it', async (t) => {
  const { url, admin, key } = await aGateway(t)
  const token = async (role: string, reach: object) =>
    String((await admin('POST', '/tokens', { name: role, role, reach })).body['token'])
  const asked = async (bearer: string, query = '') => {
    const answer = await fetch(`${url}/api/v1/audit${query}`, { headers: { authorization: `Bearer ${bearer}` } })
    return { status: answer.status, entries: (await answer.json() as Json)['entries'] as Json[] }
  }
  const manager = await token('manager', { organizationId: 'acme' })
  const viewer = await token('viewer', { organizationId: 'acme' })
  const team = await token('manager', { organizationId: 'acme', teamId: 'search' })
  await admin('POST', '/budgets', BUDGET)
  await admin('POST', '/budgets', { ...BUDGET, scopeId: 'ads' })
  await admin('POST', '/budgets', { ...BUDGET, organizationId: 'globex' })
  t.equal((await asked(manager)).entries.length, 5, 'three tokens and two budgets')
  t.equal((await asked(viewer)).entries.length, 2, 'and a viewer, who lists no tokens, none of those')
  const { entries } = await asked(team)
  t.match(entries, [{ action: 'budget.created', after: { scopeId: 'search', organizationId: 'acme' } }])
  t.equal(entries.length, 1)
  t.notOk('seq' in (entries[0] as Json) || 'hash' in (entries[0] as Json), 'not even how many entries there are')
  t.equal((await asked(await key())).status, 403)
})
