import t from 'tap'
import { aGateway, anOrganization, type GatewayUnderTest, type Json } from '../../e2e/gateway.ts'

async function open (gateway: GatewayUnderTest, body: object) {
  return await gateway.admin('POST', '/holds', { identity: { organizationId: gateway.organizationId }, ...body })
}

async function end (gateway: GatewayUnderTest, id: unknown, how: string, body?: object) {
  return await gateway.admin('POST', `/holds/${String(id)}/${how}`, body)
}

async function status (gateway: GatewayUnderTest, budget: string): Promise<Json> {
  return (await gateway.admin('GET', `/budgets/${budget}/status`)).body
}

const on = (hold: Json, budget: string) => (hold['budgets'] as Json[]).find(({ budgetId }) => budgetId === budget)

t.test('a hold is set aside on every budget that applies and settled at what it cost, once', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const organization = await gateway.budget()
  const team = await gateway.budget({ scopeType: 'team', scopeId: 'search', organizationId, amount: '5' })
  const other = await gateway.budget({ scopeType: 'team', scopeId: 'ads', organizationId })

  const { status: code, body: hold, headers } = await open(gateway, {
    identity: { organizationId, teamId: 'search', tags: { job: 'nightly' } }, amount: '2.5', externalId: 'n-1', metadata: { a: [1] },
  })
  t.equal(code, 201)
  t.match(hold, {
    id: /^[0-9a-f]{8}-[0-9a-f]{4}-7/,
    state: 'open',
    amount: '2.5',
    currency: 'USD',
    cost: null,
    teamId: 'search',
    externalId: 'n-1',
    metadata: { a: [1] },
    tags: { job: 'nightly' },
    source: 'manual',
    createdBy: 'RELAYCORE_ADMIN_TOKEN',
  })
  t.equal(headers.get('location'), `/api/v1/holds/${hold['id']}`)
  const lasts = Date.parse(String(hold['expiresAt'])) - Date.parse(String(hold['createdAt']))
  t.ok(lasts > 3_590_000 && lasts <= 3_600_000, 'an hour if nothing is said')
  for (const budget of [organization, team]) t.match(on(hold, budget), { amount: '2.5', held: '2.5', charged: '0' })
  t.equal(on(hold, other), undefined)
  t.match(await status(gateway, team), { held: '2.5', longHeld: '2.5', remaining: '2.5', currentAmount: '0', leased: '0' })

  const settle = () => end(gateway, hold['id'], 'settle', { amount: 1.75, inputTokens: 10, modelUsed: 'm' })
  const settled = await settle()
  t.match(settled, { status: 200, body: { state: 'settled', cost: '1.75', costCurrency: 'USD' } })
  t.match(on(settled.body, team), { amount: '2.5', held: '0', charged: '1.75' })
  t.same((await settle()).body, settled.body, 'the same again answers the same')
  t.match(await end(gateway, hold['id'], 'settle', { amount: '1.76' }), { status: 409, body: { code: 'hold_settled' } })
  t.match(await end(gateway, hold['id'], 'release'), { status: 409, body: { code: 'hold_settled' } })
  t.match(await end(gateway, hold['id'], 'extend', { ttlSeconds: 5 }), { status: 409, body: { code: 'hold_settled' } })
  for (const budget of [organization, team]) {
    t.match(await status(gateway, budget), { held: '0', currentAmount: '1.75' })
  }
  t.match((await gateway.admin('GET', `/budgets/${team}/usage`)).body, {
    count: 1, usage: [{ id: hold['id'], amount: '1.75', quote: '2.5', source: 'manual', certainty: 'exact' }],
  })
  t.same((await gateway.admin('GET', `/holds/${hold['id']}`)).body, settled.body)
})

t.test('a released hold leaves nothing behind', async (t) => {
  const gateway = await anOrganization()
  const budget = await gateway.budget()
  const { body: hold } = await open(gateway, { amount: '10' })
  const released = await end(gateway, hold['id'], 'release')
  t.match(released, { status: 200, body: { state: 'released', cost: '0' } })
  t.same((await end(gateway, hold['id'], 'release')).body, released.body)
  t.match(await end(gateway, hold['id'], 'settle', { amount: '1' }), { status: 409, body: { code: 'hold_settled' } })
  t.match(await status(gateway, budget), { held: '0', currentAmount: '0', remaining: '10' })
  t.same(await gateway.events(), [])
  t.equal((await open(gateway, { amount: '10' })).status, 201)
})

t.test('a cost beyond the hold is recorded in full', async (t) => {
  const gateway = await aGateway(t)
  const budget = await gateway.budget()
  const { body: hold } = await open(gateway, { amount: '1' })
  t.match(await end(gateway, hold['id'], 'settle', { amount: '12' }), { status: 200, body: { cost: '12' } })
  t.match(await status(gateway, budget), { held: '0', currentAmount: '12', status: 'exceeded', remaining: '0' })
  t.match(await (await fetch(`${gateway.url}/metrics`)).text(), /relaycore_overruns_total\{provider="long hold"\} 1/)
})

t.test('a hold may be for what a call of a model can cost, and be settled by what it used', async (t) => {
  const gateway = await anOrganization()
  const any = await gateway.budget()
  const openai = await gateway.budget({ name: 'openai', filters: { providers: ['openai'], models: ['gpt-4o'] } })
  const asked = { provider: 'openai', model: 'gpt-4o-2024-08-06', inputTokens: 1_000_000, outputTokens: 1_000 }
  const { body: hold } = await open(gateway, asked)
  t.match(hold, { model: 'gpt-4o', provider: 'openai', currency: 'USD' })
  t.ok(Number(hold['amount']) > 0.01)
  t.ok(on(hold, openai) !== undefined && on(hold, any) !== undefined, 'filters are passed')
  t.equal(on((await open(gateway, { amount: '1' })).body, openai), undefined, 'what does not name a model passes no filter')
  const settled = await end(gateway, hold['id'], 'settle', { inputTokens: 100, outputTokens: 10 })
  t.match(settled, { status: 200, body: { state: 'settled', cost: '0.00035' } })
  t.match((await gateway.events())[0], { input_tokens: '100', output_tokens: '10', model: 'gpt-4o', endpoint: 'holds' })
  const { body: other } = await open(gateway, asked)
  t.match(await end(gateway, other['id'], 'settle', { inputTokens: 1, units: { seconds: 60 } }),
    { status: 422, body: { code: 'unprocessable', detail: /no price of gpt-4o for seconds/ } })
  t.match(await end(gateway, other['id'], 'settle', { units: { parsecs: 60 } }), { status: 400 })
  const { body: paid } = await end(gateway, other['id'], 'settle', { amount: '1', inputTokens: 7, units: { seconds: 60, inputAudioTokens: 9 } })
  t.match(paid, { state: 'settled', cost: '1' })
  t.match((await gateway.admin('GET', `/usage/${other['id']}`)).body, { consumed: { inputTokens: 7, units: { seconds: 60, inputAudioTokens: 9 } } })
  t.match(await open(gateway, { ...asked, model: 'gpt-0' }), { status: 422, body: { code: 'unprocessable', field: 'model' } })
  t.match(await open(gateway, { model: 'gpt-4o' }), { status: 400, body: { field: 'provider' } })
})

t.test('a hold on a budget that is named stands on it and on those above it', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const parent = await gateway.budget()
  const child = await gateway.budget({ scopeType: 'project', scopeId: 'p', parentBudgetId: parent, amount: '3' })
  const beside = await gateway.budget({ scopeType: 'project', scopeId: 'p', organizationId })
  const ask = (body: object) => gateway.admin('POST', '/holds', { budgetId: child, ...body })
  const { body: hold } = await ask({ amount: '3' })
  t.same((hold['budgets'] as Json[]).map(({ budgetId }) => budgetId).sort(), [child, parent].sort())
  t.match(hold, { organizationId, projectId: 'p' })
  t.match(await ask({ amount: '0.1' }), { status: 409, body: { code: 'budget_held', budget: { id: child } } })
  t.equal(on(hold, beside), undefined)
  await gateway.admin('DELETE', `/budgets/${child}`)
  t.match(await ask({ amount: '0.1' }), { status: 409, body: { code: 'no_budget' } })
  t.match(await end(gateway, hold['id'], 'settle', { amount: '1' }), { status: 200 }, 'what is archived is still settled')
  t.match((await gateway.admin('GET', `/budgets/${child}/usage`)).body, { count: 1 })
  t.match(await gateway.admin('POST', '/holds', { budgetId: '0198f4f4-0000-7000-8000-000000000000', amount: '1' }), { status: 404 })
})

t.test('a refusal names the budget, its figures and what would help, and sets nothing aside', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const organization = await gateway.budget({ amount: '10' })
  const team = await gateway.budget({ scopeType: 'team', scopeId: 'search', organizationId, amount: '2' })
  const identity = { organizationId, teamId: 'search' }
  t.match(await open(gateway, { identity, amount: '2.1' }), {
    status: 409,
    body: { code: 'quote_exceeds_budget', budget: { id: team, limit: '2', needed: '2.1' }, remedy: /Ask for less/ },
  })
  const { body: first } = await open(gateway, { identity, amount: '1.5' })
  t.match(await open(gateway, { identity, amount: '0.6' }), {
    status: 409,
    body: {
      code: 'budget_held',
      budget: { id: team, name: 'b', currency: 'USD', limit: '2', spent: '0', held: '1.5', needed: '0.6', remaining: '0.5', resetsAt: /Z$/ },
      hold: { id: first['id'], until: first['expiresAt'] },
      remedy: new RegExp(String(first['id'])),
    },
  })
  t.match(await status(gateway, organization), { held: '1.5' }, 'all accounts or none')
  await end(gateway, first['id'], 'settle', { amount: '1.5' })
  t.match(await open(gateway, { identity, amount: '0.6' }), {
    status: 409, body: { code: 'budget_exhausted', budget: { spent: '1.5' }, remedy: /^Wait until .*Z, when budget "b" .* starts anew; or ask for a raise of .* by at least 0.1 USD\.$/ },
  })
  t.match(await open(gateway, { identity: { organizationId: 'nobody' }, amount: '1' }), { status: 409, body: { code: 'no_budget' } })
  await gateway.admin('PATCH', `/budgets/${team}`, { paused: true })
  t.match(await open(gateway, { identity, amount: '0.1' }), { status: 409, body: { code: 'budget_paused', remedy: 'Resume it.' } })
})

t.test('a soft budget holds nothing and is charged when the hold is settled', async (t) => {
  const gateway = await anOrganization()
  const soft = await gateway.budget({ mode: 'soft', amount: '1' })
  const { body: hold } = await open(gateway, { amount: '5' })
  t.match(on(hold, soft), { amount: '5', held: '0' })
  t.match(await status(gateway, soft), { held: '0' })
  await end(gateway, hold['id'], 'settle', { amount: '4' })
  t.match(await status(gateway, soft), { currentAmount: '4' })
})

t.test('amounts in other currencies are held and settled at the rates of the opening', async (t) => {
  const gateway = await aGateway(t)
  await gateway.core.rates.add([{ currency: 'EUR', rate: '0.8', effectiveAt: Date.now() - 1_000 }])
  const dollars = await gateway.budget()
  const euros = await gateway.budget({ currency: 'EUR' })
  const { body: hold } = await open(gateway, { amount: '1', currency: 'EUR' })
  t.match(on(hold, euros), { held: '1' })
  t.match(on(hold, dollars), { held: '1.25' })
  await gateway.core.rates.add([{ currency: 'EUR', rate: '0.5', effectiveAt: Date.now() }])
  const settled = await end(gateway, hold['id'], 'settle', { amount: '0.4' })
  t.match(settled.body, { cost: '0.4', costCurrency: 'EUR' })
  t.match(on(settled.body, euros), { charged: '0.4' })
  t.match(on(settled.body, dollars), { charged: '0.5' })
  const { body: second } = await open(gateway, { amount: '1', currency: 'EUR' })
  t.match(await end(gateway, second['id'], 'settle', { amount: '1', currency: 'JPY' }), { status: 400, body: { field: 'currency' } })
  t.match(on((await end(gateway, second['id'], 'settle', { amount: '1', currency: 'USD' })).body, euros), { charged: '0.5' })
  t.match(await open(gateway, { amount: '1', currency: 'CHF' }), { status: 422, body: { field: 'currency' } })
})

t.test('past its deadline a hold is charged at its amount, and what comes after corrects that', async (t) => {
  const gateway = await aGateway(t)
  const budget = await gateway.budget()
  const holds = await Promise.all([1, 2, 3].map(async () => (await open(gateway, { amount: '2', ttlSeconds: 1 })).body))
  const [settled, released] = holds.map(({ id }) => String(id))
  const states = async () => ((await gateway.admin('GET', '/holds')).body['holds'] as Json[]).map(({ state }) => state)
  while ((await states()).includes('open'));
  t.match((await gateway.admin('GET', `/holds/${settled}`)).body, { state: 'uncertain', cost: '2', expiredAt: /Z$/ })
  const { body: { entries } } = await gateway.admin('GET', `/audit?objectId=${settled}`)
  t.match(entries, [
    { action: 'hold.expired', actor: { role: 'system' }, requestId: null, before: { state: 'open' }, after: { state: 'uncertain', cost: '2' } },
    { action: 'hold.opened' },
  ])
  t.match(await status(gateway, budget), { held: '0', currentAmount: '6' })
  t.match((await gateway.events()).map(({ certainty }) => certainty), ['uncertain', 'uncertain', 'uncertain'])
  t.match(await end(gateway, settled, 'extend', { ttlSeconds: 60 }), { status: 409, body: { code: 'conflict' } })

  const late = await end(gateway, settled, 'settle', { amount: '0.5' })
  t.match(late, { status: 200, body: { state: 'settled', cost: '0.5', expiredAt: /Z$/ } })
  t.same((await end(gateway, settled, 'settle', { amount: '0.5' })).body, late.body)
  t.match(await end(gateway, released, 'release'), { status: 200, body: { state: 'released', cost: '0' } })
  t.match(await status(gateway, budget), { held: '0', currentAmount: '2.5' })
  const corrections = (await gateway.events()).filter(({ corrects }) => corrects !== null)
  t.match(corrections.map(({ corrects, cost_nano: nano }) => [corrects, nano]).sort(), [
    [settled, '-1500000000'], [released, '-2000000000'],
  ].sort())
  t.same(await gateway.core.database.query({ text: 'select 1 from budget_accounts where leased_nano <> 0' }), [])
})

t.test('a deadline can be moved while the hold is open', async (t) => {
  const gateway = await anOrganization()
  await gateway.budget()
  const until = new Date(Date.now() + 86_400_000).toISOString()
  const { body: hold } = await open(gateway, { amount: '1', expiresAt: until })
  t.equal(hold['expiresAt'], until)
  const { status: code, body } = await end(gateway, hold['id'], 'extend', { ttlSeconds: 60 })
  t.equal(code, 200)
  t.ok(Date.parse(String(body['expiresAt'])) < Date.now() + 61_000)
})

t.test('a hold that is asked for twice with one key is one, and an external id names one', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const budget = await gateway.budget()
  const ask = () => gateway.admin('POST', '/holds', { identity: { organizationId }, amount: '1', externalId: 'x' }, { 'idempotency-key': 'k' })
  const answers = await Promise.all([ask(), ask(), ask()])
  for (const { status: code, body } of answers) t.same([code, body], [201, answers[0].body])
  t.match(await status(gateway, budget), { held: '1' })
  t.match(await open(gateway, { amount: '1', externalId: 'x' }), { status: 409, body: { code: 'conflict', field: 'externalId' } })
  t.equal((await open(gateway, { amount: '1', externalId: 'x', source: 'auterity' })).status, 201)
})

t.test('holds are listed by state and budget, page by page', async (t) => {
  const gateway = await aGateway(t)
  const budget = await gateway.budget()
  const team = await gateway.budget({ scopeType: 'team', scopeId: 'search', organizationId: 'acme' })
  const ids: unknown[] = []
  for (let i = 0; i < 5; i++) {
    const { body } = await open(gateway, { amount: '0.1', identity: i < 2 ? { organizationId: 'acme', teamId: 'search' } : { organizationId: 'acme' } })
    ids.unshift(body['id'])
  }
  await end(gateway, ids[0], 'release')
  const list = async (query: string) => (await gateway.admin('GET', `/holds?${query}`)).body
  const idsOf = (page: Json) => (page['holds'] as Json[]).map(({ id }) => id)
  t.same(idsOf(await list('')), ids)
  t.same(idsOf(await list('state=open')), ids.slice(1))
  t.same(idsOf(await list(`budgetId=${team}`)), ids.slice(3))
  t.same(idsOf(await list(`budgetId=${budget}&state=released`)), ids.slice(0, 1))
  const first = await list('limit=2&state=open')
  t.same(idsOf(first), ids.slice(1, 3))
  const second = await list(`limit=2&state=open&cursor=${first['nextCursor']}`)
  t.same([idsOf(second), second['nextCursor']], [ids.slice(3), null])
  t.match(await gateway.admin('GET', `/holds?cursor=${first['nextCursor']}`), { status: 400, body: { field: 'cursor' } })
})

t.test('wrong fields are named', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  await gateway.budget()
  const { body: hold } = await open(gateway, { amount: '1' })
  const table: [object, string][] = [
    [{ amount: '0' }, 'amount'],
    [{ amount: '-1' }, 'amount'],
    [{ amount: -1 }, 'amount'],
    [{ amount: '1e3' }, 'amount'],
    [{}, 'amount'],
    [{ amount: '1', currency: 'XXQ' }, 'currency'],
    [{ amount: '1', outputTokens: 5 }, 'outputTokens'],
    [{ amount: '1', ttlSeconds: 0 }, 'ttlSeconds'],
    [{ amount: '1', ttlSeconds: 31 * 86_400 + 1 }, 'ttlSeconds'],
    [{ amount: '1', ttlSeconds: 5, expiresAt: '2030-01-01' }, 'ttlSeconds'],
    [{ amount: '1', expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    [{ amount: '1', expiresAt: 'soon' }, 'expiresAt'],
    [{ amount: '1', expiresAt: '2099-01-01T00:00:00Z' }, 'expiresAt'],
    [{ amount: '1', budgetId: await gateway.budget() }, 'identity'],
    [{ amount: '1', identity: {} }, 'identity/organizationId'],
    [{ amount: '1', identity: { organizationId, keyId: 'k' } }, 'identity/keyId'],
    [{ amount: '1', metadata: [] }, 'metadata'],
    [{ amount: '1', source: 'me' }, 'source'],
    [{ amount: '1', also: 1 }, 'also'],
  ]
  for (const [body, field] of table) {
    t.match(await open(gateway, body), { status: 400, body: { code: 'invalid_field', field } }, JSON.stringify(body))
  }
  t.match(await gateway.admin('POST', '/holds', { amount: '1' }), { status: 400, body: { field: 'identity' } })
  for (const [body, field] of [[{}, 'amount'], [{ currency: 'USD' }, 'amount'], [{ amount: 'x' }, 'amount'], [{ cost: 1 }, 'cost']] as const) {
    t.match(await end(gateway, hold['id'], 'settle', body), { status: 400, body: { field } }, JSON.stringify(body))
  }
  t.match(await end(gateway, hold['id'], 'settle', { inputTokens: 5 }), { status: 400, body: { field: 'provider' } })
  for (const id of ['nope', '0198f4f4-0000-7000-8000-000000000000']) {
    t.match(await end(gateway, id, 'settle', { amount: '1' }), { status: 404, body: { code: 'not_found' } })
    t.match(await end(gateway, id, 'release'), { status: 404 })
    t.match(await gateway.admin('GET', `/holds/${id}`), { status: 404 })
  }
})

t.test('a gateway key holds for itself, and sees and ends its own holds alone', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const budget = await gateway.budget({ scopeType: 'team', scopeId: 'search', organizationId })
  const above = await gateway.budget()
  const [own, other] = await Promise.all([gateway.key({ teamId: 'search' }), gateway.key({ teamId: 'search' })])
  const ask = (key: string, method: string, path: string, body?: object) =>
    gateway.admin(method, path, body, { authorization: `Bearer ${key}` })
  const made = await ask(own, 'POST', '/holds', { amount: '1' })
  t.match(made, { status: 201, body: { teamId: 'search', createdBy: 'gateway key' } })
  t.ok(on(made.body, budget) !== undefined && on(made.body, above) !== undefined)
  t.match(await ask(own, 'POST', '/holds', { amount: '1', budgetId: budget }), { status: 201, body: { teamId: 'search' } })
  const id = String(made.body['id'])
  t.match((await ask(own, 'GET', '/holds')).body, { count: 2 })
  t.match((await ask(other, 'GET', '/holds')).body, { count: 0 })
  t.match(await ask(other, 'POST', `/holds/${id}/settle`, { amount: '1' }), { status: 404 })
  t.match(await ask(own, 'POST', '/holds', { amount: '1', identity: { organizationId, teamId: 'ads' } }), { status: 403 })
  t.match(await ask(own, 'POST', `/holds/${id}/settle`, { amount: '0.5' }), { status: 200 })
  t.match((await gateway.events())[0], { key_id: String, team_id: 'search' })
})

t.test('a gateway key holds only for what it may call', async (t) => {
  const gateway = await anOrganization()
  await gateway.budget()
  const headers = { authorization: `Bearer ${await gateway.key({ allowedProviders: ['openai'], allowedModels: ['gpt-4o*'] })}` }
  const ask = (body: object) => gateway.admin('POST', '/holds', { amount: '1', ...body }, headers)
  t.match(await ask({}), { status: 403, body: { field: 'provider', detail: /openai/ } })
  t.match(await ask({ provider: 'anthropic', model: 'gpt-4o' }), { status: 403, body: { field: 'provider' } })
  t.match(await ask({ provider: 'openai' }), { status: 403, body: { field: 'model', detail: /gpt-4o\*/ } })
  t.match(await ask({ provider: 'openai', model: 'o3' }), { status: 403, body: { field: 'model' } })
  t.match(await ask({ provider: 'openai', model: 'gpt-4o-mini' }), { status: 201 })
})

t.test('a manager is told nothing of a budget above that refuses, and holds for nobody else', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const top = await gateway.budget({ amount: '1', name: 'all of acme' })
  const team = await gateway.budget({ scopeType: 'team', scopeId: 'search', parentBudgetId: top })
  const child = await gateway.budget({ scopeType: 'project', scopeId: 'p', parentBudgetId: team })
  const reach = { organizationId, teamId: 'search' }
  const { body: { token } } = await gateway.admin('POST', '/tokens', { name: 'm', role: 'manager', reach })
  const ask = (body: object) => gateway.admin('POST', '/holds', body, { authorization: `Bearer ${String(token)}` })
  const refused = await ask({ identity: reach, amount: '2' })
  t.match(refused, { status: 409, body: { code: 'quote_exceeds_budget', remedy: 'Ask who manages it.' } })
  t.notMatch(JSON.stringify(refused.body), 'all of acme')
  t.match(await ask({ identity: { ...reach, projectId: 'p' }, amount: '0.1' }), { status: 201 })
  t.match(await ask({ identity: { ...reach, projectId: 'of others' }, amount: '0.1' }), {
    status: 403, body: { field: 'identity/projectId' },
  })
  t.match(await ask({ budgetId: child, amount: '0.1' }), { status: 201, body: { teamId: 'search', projectId: 'p' } })
  t.match(await ask({ budgetId: top, amount: '0.1' }), { status: 404 })
})
