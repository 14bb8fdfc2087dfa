import t from 'tap'
import { Metrics } from '../../../src/metrics.ts'
import { aGateway, anOrganization, type Json } from '../../e2e/gateway.ts'

const BUDGET = { name: 'Team', scopeType: 'team', scopeId: 'search', amount: 12.5, currency: 'USD', period: 'monthly' }

t.test('a budget is made, read, changed and deleted; absent fields stay', async (t) => {
  const { admin } = await aGateway(t)
  const made = await admin('POST', '/budgets', {
    ...BUDGET, timezone: 'Europe/Berlin', alerts: [{ threshold: 80 }, { threshold: 90, actions: ['block-all'] }], tags: { a: 'b' },
  })
  t.match(made, {
    status: 201,
    body: {
      name: 'Team',
      amount: '12.5',
      enforcedLimit: '11.25',
      recurring: true,
      mode: 'enforced',
      timezone: 'Europe/Berlin',
      archivedAt: null,
      alerts: [{ threshold: 80, actions: ['notify'] }, { threshold: 90, actions: ['block-all'] }],
    },
  })
  const path = `/budgets/${made.body['id']}`
  t.same((await admin('GET', path)).body, made.body)
  const changed = await admin('PUT', path, { amount: '0.000000001', name: 'Small' })
  t.match(changed, { status: 200, body: { name: 'Small', amount: '0.000000001', timezone: 'Europe/Berlin', tags: { a: 'b' } } })
  t.ok(Number(changed.body['version']) > Number(made.body['version']))
  t.match((await admin('GET', '/budgets?scopeType=team&scopeId=search')).body, { count: 1 })
  t.match((await admin('GET', '/budgets?scopeId=other')).body, { count: 0 })
  t.equal((await admin('DELETE', path)).status, 204)
  t.match((await admin('GET', path)).body, { archivedAt: String })
  t.match((await admin('GET', '/budgets')).body, { count: 0 })
  t.match((await admin('GET', '/budgets?includeInactive=true')).body, { count: 1 })
  t.match(await admin('GET', '/budgets/none'), { status: 404, body: { code: 'not_found', title: 'Not Found' } })
})

t.test('what was charged cannot become something else, and a deleted budget applies no more at once', async (t) => {
  const gateway = await anOrganization()
  const id = await gateway.budget()
  const key = await gateway.key()
  t.equal((await gateway.chat(key, {})).status, 200)
  await gateway.events()
  t.match(await gateway.admin('PUT', `/budgets/${id}`, { period: 'daily' }), { status: 409, body: { code: 'budget_in_use' } })
  t.equal((await gateway.admin('PUT', `/budgets/${id}`, { amount: 20 })).status, 200)
  t.equal((await gateway.admin('PUT', `/budgets/${id}`, { paused: true })).status, 200)
  t.match(await gateway.chat(key, {}), { status: 403, text: /is paused/ })
  await gateway.admin('PUT', `/budgets/${id}`, { paused: false })
  t.equal((await gateway.chat(key, {})).status, 200)
  await gateway.events()
  await gateway.admin('DELETE', `/budgets/${id}`)
  t.match(await gateway.chat(key, {}), { status: 403, text: /no_budget/ })
  t.match((await gateway.admin('GET', `/budgets/${id}/usage`)).body, { count: 2 }, 'its usage is money and stays')
})

t.test('every route but the description demands an admin token', async (t) => {
  const { url, key } = await anOrganization()
  const gatewayKey = await key()
  const ask = async (authorization?: string) => {
    const answer = await fetch(`${url}/api/v1/budgets`, authorization === undefined ? {} : { headers: { authorization } })
    return [answer.status, answer.headers.get('content-type')?.split(';')[0], ((await answer.json()) as Json)['code']]
  }
  t.same(await ask(), [401, 'application/problem+json', 'unauthorized'])
  t.same(await ask('Bearer wrong'), [401, 'application/problem+json', 'unauthorized'])
  t.same(await ask(`Bearer ${gatewayKey}`), [403, 'application/problem+json', 'forbidden'])
  const description = await (await fetch(`${url}/api/v1/openapi.json`)).json() as Json
  t.match(description, { openapi: '3.1.0', info: { title: String, version: String } })
  const paths = Object.keys(description['paths'] as object)
  for (const path of ['/budgets', '/budgets/{id}', '/budgets/{id}/status', '/budgets/{id}/usage', '/keys', '/keys/{id}']) {
    t.ok(paths.some((one) => one.endsWith(path)), path)
  }
})

t.test('a key is shown once, and listed without its secret', async (t) => {
  const { admin, organizationId } = await anOrganization()
  const made = await admin('POST', '/keys', { name: 'k', organizationId, allowHeaders: ['user'] })
  t.match(made, { status: 201, body: { key: /^rk_[0-9A-Za-z]{34}$/, allowHeaders: ['user'], revokedAt: null } })
  const listed = await admin('GET', `/keys?organizationId=${organizationId}`)
  t.match(listed.body, { count: 1, keys: [{ id: made.body['id'], hint: String }] })
  t.notMatch(JSON.stringify(listed.body), String(made.body['key']))
  t.notMatch(JSON.stringify((await admin('GET', `/keys/${made.body['id']}`)).body), String(made.body['key']))
  t.match(await admin('POST', '/keys', { name: 'k' }), { status: 400, body: { code: 'invalid_field' } })
  t.match(await admin('POST', '/keys', { name: 'k', organizationId: 'a', secret: 1 }), { status: 400 })
  t.equal((await admin('DELETE', '/keys/none')).status, 404)
})

t.test('a budget of a key is of one that is there', async (t) => {
  const { admin, organizationId } = await anOrganization()
  const { body: { id } } = await admin('POST', '/keys', { name: 'k', organizationId })
  const { body: other } = await admin('POST', '/keys', { name: 'k', organizationId: `${organizationId}-other` })
  const of = (scopeId: unknown, fields = {}) => admin('POST', '/budgets', { ...BUDGET, scopeType: 'key', scopeId, organizationId, ...fields })
  for (const scopeId of ['mine', crypto.randomUUID(), String(id).toUpperCase(), other['id']]) {
    t.match(await of(scopeId), { status: 422, body: { code: 'unprocessable', field: 'scopeId', detail: /GET \/api\/v1\/keys/ } }, String(scopeId))
  }
  const made = await of(id)
  t.match(made, { status: 201, body: { scopeId: id } })
  t.equal((await of(other['id'], { organizationId: null })).status, 201, 'of whatever organization')
  t.equal((await of('*')).status, 201)
  const path = `/budgets/${String(made.body['id'])}`
  t.match(await admin('PUT', path, { scopeId: 'mine' }), { status: 422, body: { field: 'scopeId' } })
  await admin('DELETE', `/keys/${String(id)}`)
  t.equal((await admin('PUT', path, { amount: '1' })).status, 200, 'its key may be revoked')
})

t.test('who names a type and sends nothing sends no body', async (t) => {
  const { admin } = await anOrganization()
  const json = { 'content-type': 'application/json' }
  t.match(await admin('POST', '/approval-requests/none/approve', undefined, json), { status: 404, body: { code: 'not_found' } })
  t.match(await admin('POST', '/budgets', undefined, json), { status: 400, body: { code: 'invalid_field', field: 'body' } })
})

t.test('identity headers count where the key allows them, and cannot be left out where it demands them', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  await gateway.budget()
  await gateway.budget({ scopeType: 'user', scopeId: 'ada', amount: '0.000000001', organizationId })
  const plain = await gateway.key()
  const open = await gateway.key({ allowHeaders: ['user', 'tags'] })
  const strict = await gateway.key({ requireHeaders: ['user'] })
  const ask = async (key: string, headers: Record<string, string>) => {
    const { status, json } = await gateway.chat(key, {}, headers)
    return status === 200 ? 200 : ((json['error'] as Json)['relaycore'] as Json)['code']
  }
  t.equal(await ask(plain, { 'x-relaycore-user': 'ada' }), 'header_not_allowed')
  t.equal(await ask(open, { 'x-relaycore-user': 'ada' }), 'quote_exceeds_budget', 'the budget of that user applies')
  t.equal(await ask(open, { 'x-relaycore-user': 'bob', 'x-relaycore-tags': 'a=b' }), 200)
  t.equal(await ask(open, { 'x-relaycore-tags': 'nonsense' }), 'invalid_request')
  t.equal(await ask(strict, {}), 'header_required')
  t.equal(await ask(strict, { 'x-relaycore-user': 'bob' }), 200)
  t.notMatch(JSON.stringify(gateway.provider.books.map(({ headers }) => headers)), /x-relaycore/)
})

t.test('soft budgets count and never refuse; calls without a budget may be let through and are recorded', async (t) => {
  const gateway = await aGateway(t, { RELAYCORE_UNBUDGETED: 'allow' })
  const soft = await gateway.budget({ mode: 'soft', amount: '0.000001', scopeId: 'soft', alerts: [{ threshold: 50 }] })
  t.equal((await gateway.chat(await gateway.key({ organizationId: 'soft' }), {})).status, 200)
  t.equal((await gateway.chat(await gateway.key({ organizationId: 'free' }), {})).status, 200)
  t.equal((await gateway.events()).length, 2)
  t.match((await gateway.admin('GET', `/budgets/${soft}/status`)).body,
    { status: 'exceeded', leased: '0', activeAlerts: [{ threshold: 50, acknowledged: false }] })
})

t.test('a budget in another currency is charged at the pinned rate, rounded up', async (t) => {
  const gateway = await aGateway(t)
  await gateway.core.rates.add([{ currency: 'EUR', rate: '0.9', effectiveAt: Date.now() - 1_000 }])
  const id = await gateway.budget({ currency: 'EUR' })
  t.equal((await gateway.chat(await gateway.key(), {})).status, 200)
  const [event] = await gateway.events()
  const cost = BigInt(String(event?.['cost_nano']))
  const [record] = await gateway.core.database.query<{ amount_nano: string, rate: string }>({
    text: 'select amount_nano, rate from budget_usage_records',
  })
  t.same(record, { amount_nano: String((cost * 9n + 9n) / 10n), rate: '0.9' })
  t.match((await gateway.admin('GET', `/budgets/${id}/status`)).body, { currency: 'EUR' })
})

t.test('health and metrics', async (t) => {
  const gateway = await aGateway(t, { RELAYCORE_METRICS_TOKEN: 'a-token-for-metrics' })
  await gateway.budget()
  await gateway.chat(await gateway.key(), {})
  await gateway.events()
  t.equal((await fetch(`${gateway.url}/healthz`)).status, 200)
  t.equal((await fetch(`${gateway.url}/readyz`)).status, 200)
  t.equal((await fetch(`${gateway.url}/metrics`)).status, 401)
  const answer = await fetch(`${gateway.url}/metrics`, { headers: { authorization: 'Bearer a-token-for-metrics' } })
  const text = await answer.text()
  t.match(text, /relaycore_calls_total\{provider="openai",model="gpt-4o",outcome="completed"\} 1/)
  t.match(text, /relaycore_budget_limit\{.*name="b".*\} 10/)
  t.match(text, /relaycore_decision_seconds_count 1/)
  for (const { name, help } of await new Metrics().registry.getMetricsAsJSON()) {
    t.match(name, /^relaycore_[a-z_]+$/)
    t.ok(help.length > 10 && text.includes(`# HELP ${name} `), name)
  }
})
