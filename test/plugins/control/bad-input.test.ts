import t from 'tap'
import { ADMIN, anOrganization } from '../../e2e/gateway.ts'

const BUDGET = { name: 'b', scopeType: 'team', scopeId: 'search', organizationId: 'acme', amount: '5', currency: 'USD', period: 'monthly' }

t.test('time zones are those of the IANA, by name', async (t) => {
  const { admin } = await anOrganization()
  for (const timezone of ['local', 'system', 'default', 'UTC+3', '+03:00', 'Mars/Base', '', 'Europe/Berlin ', 7, 'x'.repeat(65)]) {
    t.match(await admin('POST', '/budgets', { ...BUDGET, timezone }), { status: 400, body: { field: 'timezone' } }, String(timezone))
  }
  for (const timezone of ['UTC', 'America/Argentina/Ushuaia', 'US/Pacific', 'Asia/Calcutta']) {
    t.match(await admin('POST', '/budgets', { ...BUDGET, timezone }), { status: 201, body: { timezone } }, timezone)
  }
})

t.test('text that cannot be kept as it is is refused, wherever it stands', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const { admin } = gateway
  const id = await gateway.budget()
  for (const bad of ['a\0b', '\ud800', 'x\udc00y']) {
    const cases: [object, string][] = [
      [{ ...BUDGET, name: bad }, 'name'], [{ ...BUDGET, description: bad }, 'description'], [{ ...BUDGET, scopeId: bad }, 'scopeId'],
      [{ ...BUDGET, tags: { a: bad } }, 'tags/a'], [{ ...BUDGET, tags: { [bad]: 'a' } }, 'tags'],
      [{ ...BUDGET, alerts: [{ threshold: 1, message: bad }] }, 'alerts/0/message'], [{ ...BUDGET, createdBy: bad }, 'createdBy'],
      [{ ...BUDGET, filters: { models: [bad] } }, 'filters/models/0'],
    ]
    for (const [body, field] of cases) {
      t.match(await admin('POST', '/budgets', body), { status: 400, body: { code: 'invalid_field', field } }, field)
      t.match(await admin('PATCH', `/budgets/${id}`, body), { status: 400, body: { code: 'invalid_field', field } }, field)
    }
    t.match(await admin('POST', '/keys', { name: bad, organizationId }), { status: 400, body: { field: 'name' } })
  }
  for (const path of ['/budgets/%00', '/budgets?scopeId=%00', '/budgets/scope/team/a%00', '/keys/%00']) {
    t.match(await admin('GET', path), { status: 400, body: { code: 'invalid_field', field: /id/i } }, path)
  }
  t.match(await admin('POST', '/budgets', { ...BUDGET, name: '\u{1f600}' }), { status: 201, body: { name: '\u{1f600}' } })
})

t.test('every refusal of a request names what is wrong with it', async (t) => {
  const gateway = await anOrganization()
  const { admin, url } = gateway
  const deep = `${'{"tags":'.repeat(40)}1${'}'.repeat(40)}`
  const cases: [string, string, unknown, string][] = [
    ['POST', '/keys', {}, 'name'],
    ['POST', '/keys', { name: 'k' }, 'organizationId'],
    ['POST', '/keys', { name: 'k', organizationId: 'a', colour: 1 }, 'colour'],
    ['POST', '/keys', [], 'body'],
    ['POST', '/keys', 'null', 'body'],
    ['POST', '/keys', '{', 'body'],
    ['POST', '/keys', '', 'body'],
    ['POST', '/keys', '{"__proto__":{"a":1}}', 'body'],
    ['POST', '/keys', deep, /^tags/ as unknown as string],
    ['POST', '/budgets', '"text"', 'body'],
    ['POST', '/budgets', '{"__proto__":{"a":1}}', 'body'],
    ['GET', `/budgets/${'x'.repeat(65)}`, undefined, 'id'],
  ]
  for (const [method, path, body, field] of cases) {
    const answer = await admin(method, path, body)
    t.match(answer, { status: 400, body: { field, code: /^(invalid_field|invalid_body)$/, detail: String } }, `${method} ${path}`)
  }
  const typed = await fetch(`${url}/api/v1/keys`, {
    method: 'POST', headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'text/xml' }, body: '<a/>',
  })
  t.match([typed.status, await typed.json()], [415, { field: 'content-type' }])
  const huge = await admin('POST', '/budgets', { ...BUDGET, name: 'x'.repeat(1_100_000) })
  t.match(huge, { status: 413, body: { code: 'body_too_large', field: 'body' } })
  const malformed = await admin('GET', '/budgets/%ff')
  t.ok(malformed.status >= 400 && malformed.status < 500)
})

t.test('a field that is none is named with what was sent, in what may be null too', async (t) => {
  const { admin, organizationId } = await anOrganization()
  const token = { name: 't', role: 'viewer' }
  const cases: [string, object, string, RegExp][] = [
    ['/keys', { name: 'k', organizationId, rateLimits: { requestsPerMin: 60 } }, 'rateLimits/requestsPerMin', /absent: the fields are requestsPerMinute, .*; got 60$/],
    ['/keys', { name: 'k', organizationId, rateLimits: 7 }, 'rateLimits', /an object or null; got 7$/],
    ['/keys', { name: 'k', organizationId, rateLimits: { requestsPerMinute: 0 } }, 'rateLimits/requestsPerMinute', /a whole number from 1 to \d+ or null; got 0$/],
    ['/tokens', { ...token, reach: { organizationId, team: 'search' } }, 'reach/team', /absent: the fields are organizationId, .*; got "search"$/],
    ['/budgets', { ...BUDGET, nam: 'x' }, 'nam', /absent: there is no such field .*; got "x"$/],
  ]
  for (const [path, body, field, detail] of cases) {
    t.match(await admin('POST', path, body), { status: 400, body: { field, detail } }, field)
  }
})

t.test('an organization\'s budget is of no other organization', async (t) => {
  const { admin } = await anOrganization()
  const own = { ...BUDGET, scopeType: 'organization', scopeId: 'one', organizationId: 'one' }
  const wrong = { status: 400, body: { field: 'organizationId', detail: /absent or "one", which scopeId names; got "two"/ } }
  t.match(await admin('POST', '/budgets', { ...own, organizationId: 'two' }), wrong)
  const made = await admin('POST', '/budgets', own)
  t.match(made, { status: 201, body: { organizationId: 'one' } })
  const path = `/budgets/${String(made.body['id'])}`
  for (const method of ['PATCH', 'PUT']) t.match(await admin(method, path, { organizationId: 'two' }), wrong, method)
  t.match(await admin('PATCH', path, { scopeId: 'other' }), { status: 200, body: { organizationId: 'other' } }, 'what was not sent follows')
})

t.test('a refusal says what would help', async (t) => {
  const gateway = await anOrganization()
  const { admin, url } = gateway
  const id = await gateway.budget()
  const none = '0198f4f4-0000-7000-8000-000000000000'
  const prices = { input: '1', output: '1' }
  const call = { inputTokens: 1, model: 'gpt-4o', provider: 'openai' }
  const cases: [string, object, number, string, RegExp][] = [
    ['/budgets', { ...BUDGET, currency: 'CHF' }, 422, 'currency', /POST \/api\/v1\/exchange-rates/],
    ['/budgets', { ...BUDGET, parentBudgetId: none }, 422, 'parentBudgetId', /names no budget/],
    [`/budgets/${id}/transfers`, { toBudgetId: 'x', amount: '1', reason: 'r' }, 400, 'toBudgetId', /the id of a budget, a UUID; got "x"/],
    [`/budgets/${id}/transfers`, { toBudgetId: await gateway.budget({ scopeId: 'other' }), amount: '1', reason: 'r' }, 422, 'toBudgetId', /same organization/],
    [`/budgets/${id}/usage`, { amount: '-1', reverses: 'x' }, 400, 'reverses', /the id of a usage record, a UUID/],
    [`/budgets/${id}/usage`, { amount: '1', currency: 'CHF' }, 422, 'currency', /POST \/api\/v1\/exchange-rates, or record it in USD/],
    [`/budgets/${id}/check-constraints`, { ...call, provider: 'opnai' }, 422, 'provider', /"opnai" has no prices; those that have are .*openai/],
    [`/budgets/${id}/check-constraints`, { ...call, model: 'gpt-0' }, 422, 'model', /"gpt-0" of provider "openai"/],
    [`/budgets/${id}/check-constraints`, { ...call, tier: 'gold' }, 422, 'tier', /gold/],
    [`/budgets/${id}/check-constraints`, { estimatedCost: '1', currency: 'CHF' }, 422, 'currency', /POST \/api\/v1\/exchange-rates/],
    ['/holds', { budgetId: id, ...call, provider: 'opnai' }, 422, 'provider', /"opnai" has no prices/],
    ['/prices', { provider: 'opena', model: 'mine', prices }, 400, 'provider', /one that has prices \(.*openai.*; got "opena"/],
  ]
  for (const [path, body, status, field, detail] of cases) {
    t.match(await admin('POST', path, body), { status, body: { field, detail } }, `${path} ${field}`)
  }
  const form = await fetch(`${url}/api/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: '{"name":"k"}',
  })
  t.match(await form.json(), { status: 415, field: 'content-type', detail: /`content-type: application\/json`/ })
})

t.test('rules of budgets and keys hold in the database too', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const id = await gateway.budget()
  await gateway.key()
  const refused = ["scope_id = ''", "scope_id = 'other'", 'parent_budget_id = id', "tags = '[]'", "alerts = '{}'", "filters = '1'",
    'amount_nano = 9000000000000000001', "period = 'custom'", "name = ''"]
  for (const change of refused) {
    const text = `update budget_definitions set ${change} where id = '${id}'`
    await t.rejects(gateway.core.database.query({ text }), { code: '23514' }, change)
  }
  const noZone = { text: `update budget_definitions set timezone = 'Nowhere' where id = '${id}'` }
  await t.rejects(gateway.core.database.query(noZone), { code: '22023' }, 'PostgreSQL itself knows no such zone')
  for (const change of ["allow_headers = '{x}'", "require_headers = '{org}'", "name = ''", "allowed_models = '{}'", "hash = ''"]) {
    await t.rejects(gateway.core.database.query({ text: `update api_keys set ${change} where organization_id = '${organizationId}'` }), { code: '23514' }, change)
  }
})
