import t from 'tap'
import { aGateway, anOrganization, type GatewayUnderTest, type Json } from './gateway.ts'

// Budgets for each of many: one definition, an account for each subject. Through real stores and sockets.

/** a call of 10 input tokens and 40 output tokens costs 0.000425 USD by gpt-4o */
const COST = '0.000425'

async function spending (): Promise<GatewayUnderTest> {
  const gateway = await anOrganization()
  gateway.provider.behave = () => ({ usage: { input: 10, output: 40 } })
  return gateway
}

const refusal = (json: Json) => (json['error'] as Json)['relaycore'] as Json

async function statusOf ({ admin }: GatewayUnderTest, id: string, subject: string): Promise<Json> {
  return (await admin('GET', `/budgets/${id}/status?subject=${encodeURIComponent(subject)}`)).body
}

t.test('each user has an account of their own, and one who has spent it keeps no other from theirs', async (t) => {
  const gateway = await spending()
  const { organizationId } = gateway
  const each = await gateway.budget({ scopeType: 'user', scopeId: '*', organizationId, amount: '0.001', name: 'each user' })
  const key = await gateway.key({ allowHeaders: ['user'] })
  const as = (user: string) => ({ 'x-relaycore-user': user })
  const call = { max_tokens: 40 }

  t.equal((await gateway.chat(key, call, as('alice'))).status, 200)
  t.equal((await gateway.chat(key, call, as('alice'))).status, 200)
  await gateway.events()
  const { status, json } = await gateway.chat(key, call, as('alice'))
  t.equal(status, 429)
  t.match(json['error'], { message: /budget "each user" \(user alice\)/ })
  t.match(refusal(json), { code: 'budget_exhausted', budget: { id: each, subject: 'alice', limit: '0.001', spent: '0.00085' } })
  t.equal((await gateway.chat(key, call, as('bob'))).status, 200)
  await gateway.events()

  t.match(await statusOf(gateway, each, 'alice'), { subject: 'alice', currentAmount: '0.00085', limit: '0.001', status: 'warning' })
  t.match(await statusOf(gateway, each, 'bob'), { subject: 'bob', currentAmount: COST, status: 'normal' })
  t.match(await statusOf(gateway, each, 'nobody yet'), { currentAmount: '0', remaining: '0.001' })
  t.match((await gateway.admin('GET', `/budgets/${each}/status`)).body, {
    subjects: 2, currentAmount: '0.001275', limit: '0.002', activeAlerts: [],
  }, 'all of them together')

  const nobody = await gateway.chat(key, call)
  t.equal(nobody.status, 403, 'a call that is for no user has no budget here')
  t.equal(refusal(nobody.json)['code'], 'no_budget')
})

t.test('below a budget, one for each of many is for those of that budget alone', async (t) => {
  const gateway = await spending()
  const { organizationId } = gateway
  const team = await gateway.budget({ scopeType: 'team', scopeId: 'a', organizationId, amount: '5', name: 'team a' })
  const each = await gateway.budget({ scopeType: 'user', scopeId: '*', parentBudgetId: team, amount: '1', name: 'each of team a' })
  await gateway.budget({ amount: '10' })
  const ours = await gateway.key({ teamId: 'a', userId: 'alice' })
  const theirs = await gateway.key({ teamId: 'b', userId: 'bob' })
  t.equal((await gateway.chat(ours, {})).status, 200)
  t.equal((await gateway.chat(theirs, {})).status, 200)
  await gateway.events()
  t.match(await statusOf(gateway, each, 'alice'), { currentAmount: COST })
  t.match(await statusOf(gateway, each, 'bob'), { currentAmount: '0' })
  t.match((await gateway.admin('GET', `/budgets/${team}/status`)).body, { currentAmount: COST })
})

t.test('what makes no sense of subjects is refused by the field', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const budget = { name: 'b', organizationId, amount: '10', currency: 'USD', period: 'monthly' }
  const wrong: [object, number, string, RegExp][] = [
    [{ scopeType: 'organization', scopeId: '*' }, 400, 'scopeId', /one organization/],
    [{ scopeType: 'tag', scopeId: 'costCenter' }, 400, 'scopeId', /costCenter=4711/],
    [{ scopeType: 'tag', scopeId: '=x' }, 400, 'scopeId', /costCenter=4711/],
    [{ scopeType: 'tag', scopeId: 'x=' }, 400, 'scopeId', /costCenter=4711/],
    [{ scopeType: 'user', scopeId: '*', organizationId: null }, 422, 'organizationId', /for each user/],
  ]
  for (const [fields, status, field, detail] of wrong) {
    const answer = await gateway.admin('POST', '/budgets', { ...budget, ...fields })
    t.equal(answer.status, status)
    t.match(answer.body, { field, detail })
  }
  const one = await gateway.budget({ organizationId })
  const answer = await gateway.admin('GET', `/budgets/${one}/status?subject=x`)
  t.equal(answer.status, 400)
  t.match(answer.body, { field: 'subject', detail: /absent/ })
})

const user = { scopeType: 'user', scopeId: '*', amount: '1' }

t.test('sessions, keys, tags, teams and projects have accounts of their own too, and all of a call are held', async (t) => {
  const gateway = await spending()
  const { organizationId } = gateway
  const budgets: Record<string, string> = {}
  for (const [scopeType, scopeId] of [['session', '*'], ['key', '*'], ['tag', 'costCenter=*'], ['team', '*'], ['project', '*']]) {
    budgets[String(scopeType)] = await gateway.budget({ ...user, organizationId, scopeType, scopeId })
  }
  const one = await gateway.budget({ ...user, organizationId, scopeType: 'tag', scopeId: 'stage=test' })
  const made = (await gateway.admin('POST', '/keys', {
    name: 'k', organizationId, teamId: 'search', projectId: 'web', allowHeaders: ['session', 'tags'],
  })).body
  const call = async (session: string, tags: string) => {
    const answer = await gateway.chat(String(made['key']), {}, { 'x-relaycore-session': session, 'x-relaycore-tags': tags })
    t.equal(answer.status, 200)
  }
  await call('s1', 'costCenter=1,request=a')
  await call('s2', 'costCenter=2,request=b,stage=test')
  await call('s2', 'costCenter=,stage=live')
  await gateway.events()
  const spent = async (type: string, subject: string) =>
    (await statusOf(gateway, budgets[type] as string, subject))['currentAmount']
  t.equal(await spent('session', 's1'), COST)
  t.equal(await spent('session', 's2'), '0.00085')
  t.equal(await spent('key', String(made['id'])), '0.001275')
  t.equal(await spent('tag', '1'), COST)
  t.equal(await spent('tag', '2'), COST)
  t.equal(await spent('team', 'search'), '0.001275')
  t.equal(await spent('project', 'web'), '0.001275')
  t.equal((await gateway.admin('GET', `/budgets/${one}/status`)).body['currentAmount'], COST)
})

t.test('a session of a user is held on the account of both', async (t) => {
  const gateway = await spending()
  const { organizationId } = gateway
  const users = await gateway.budget({ ...user, organizationId, amount: '0.0016' })
  const sessions = await gateway.budget({ ...user, organizationId, scopeType: 'session', parentBudgetId: users, amount: '0.001' })
  const key = await gateway.key({ userId: 'ann', allowHeaders: ['session'] })
  const call = async (session: string) =>
    await gateway.chat(key, { max_tokens: 40 }, { 'x-relaycore-session': session })
  const passes = async (session: string) => {
    t.equal((await call(session)).status, 200)
    await gateway.events()
  }
  await passes('s1')
  await passes('s1')
  t.match(refusal((await call('s1')).json), { budget: { id: sessions, subject: 's1' } })
  await passes('s2')
  t.match(refusal((await call('s3')).json), { budget: { id: users, subject: 'ann' } }, 'ann has spent hers')
  t.match(await statusOf(gateway, users, 'ann'), { currentAmount: '0.001275' })
  t.match(await statusOf(gateway, sessions, 's2'), { currentAmount: COST })
})

t.test('several periods of one scope count at once: so much a day, and so much a month', async (t) => {
  const gateway = await spending()
  const { organizationId } = gateway
  const day = await gateway.budget({ ...user, organizationId, period: 'daily', amount: '0.001', name: 'a day' })
  const month = await gateway.budget({ ...user, organizationId, period: 'monthly', amount: '0.01', name: 'a month' })
  const key = await gateway.key({ allowHeaders: ['user'] })
  const call = async (name: string) => await gateway.chat(key, { max_tokens: 40 }, { 'x-relaycore-user': name })
  for (const name of ['ann', 'ann', 'bob']) {
    t.equal((await call(name)).status, 200)
    await gateway.events()
  }
  t.match(refusal((await call('ann')).json), { code: 'budget_exhausted', budget: { id: day } })
  for (const id of [day, month]) t.match(await statusOf(gateway, id, 'ann'), { currentAmount: '0.00085' })
  await gateway.admin('PATCH', `/budgets/${day}`, { amount: '1' })
  await gateway.admin('PATCH', `/budgets/${month}`, { amount: '0.001' })
  t.match(refusal((await call('ann')).json), { budget: { id: month } })
  t.equal((await call('bob')).status, 200)
})

t.test('usage that is recorded counts on the account of whom its metadata names', async (t) => {
  const gateway = await spending()
  const { organizationId } = gateway
  const users = await gateway.budget({ ...user, organizationId })
  const costs = await gateway.budget({ ...user, organizationId, scopeType: 'tag', scopeId: 'costCenter=*', parentBudgetId: users })
  const record = async (id: string, metadata: object) =>
    await gateway.admin('POST', `/budgets/${id}/usage`, { amount: '0.25', metadata })
  const nobody = await record(users, {})
  t.equal(nobody.status, 400)
  t.match(nobody.body, { field: 'metadata/userId', detail: /account for each user/ })
  t.match((await record(costs, { userId: 'ann' })).body, { field: 'metadata/tags/costCenter' })
  t.equal((await record(users, { userId: 'ann' })).status, 201)
  const both = await record(costs, { userId: 'ann', tags: { costCenter: '7' } })
  t.equal(both.status, 201)
  t.equal((await record(costs, { tags: { costCenter: '7' } })).status, 201, 'of no user known')
  t.match(await statusOf(gateway, users, 'ann'), { currentAmount: '0.5' })
  t.match(await statusOf(gateway, costs, '7'), { currentAmount: '0.5' })
  const back = { amount: '-0.25', reverses: both.body['id'] }
  t.equal((await gateway.admin('POST', `/budgets/${costs}/usage`, back)).status, 201)
  t.match(await statusOf(gateway, users, 'ann'), { currentAmount: '0.25' })

  const history = async (query: string) => (await gateway.admin('GET', `/budgets/${costs}/usage${query}`)).body['count']
  t.same([await history(''), await history('?subject=7'), await history('?subject=8')], [3, 3, 0])
  const sums = async (query: string) => (await gateway.admin('GET', `/budgets/${users}/usage/summary${query}`)).body['totalAmount']
  t.same([await sums(''), await sums('?subject=ann&groupBy=user&interval=hour'), await sums('?subject=bob')], ['0.25', '0.25', '0'])
})

t.test('holds and checks of constraints are on the account of whom they are for, and say when nobody is named', async (t) => {
  const gateway = await spending()
  const { organizationId } = gateway
  const users = await gateway.budget({ ...user, organizationId })
  const hold = async (fields: object) => await gateway.admin('POST', '/holds', { amount: '0.75', ...fields })
  const ann = { organizationId, userId: 'ann' }
  t.match((await hold({ budgetId: users })).body, { field: 'identity/userId', detail: /account for each user/ })
  t.match((await hold({ budgetId: users, identity: { ...ann, organizationId: 'x' } })).body, { field: 'identity/organizationId' })
  t.equal((await hold({ budgetId: users, identity: ann })).status, 201)
  const short = await hold({ identity: ann })
  t.match(short, { status: 409, body: { code: 'budget_held', budget: { subject: 'ann' }, detail: /user ann/ } })
  t.equal((await hold({ identity: { ...ann, userId: 'bob' } })).status, 201)
  t.match(await statusOf(gateway, users, 'ann'), { held: '0.75', remaining: '0.25' })

  const check = async (fields: object, id = users) =>
    (await gateway.admin('POST', `/budgets/${id}/check-constraints`, { estimatedCost: '0.5', ...fields })).body
  t.match(await check({}), { status: 400, field: 'identity/userId' })
  t.match(await check({ identity: { userId: 'ann' } }), { canProceed: false, reason: /user ann/, chain: [{ subject: 'ann' }] })
  t.match(await check({ identity: { userId: 'cay' } }), { canProceed: true })
  const alone = await gateway.budget({ ...user, organizationId, scopeId: 'ann', parentBudgetId: users })
  t.match(await check({}, alone), { canProceed: false, decidingBudgetId: users }, 'a budget for ann is for ann')
})

t.test('a budget for each of many lists its accounts, most spent first, and stands in the tree with their sums', async (t) => {
  const gateway = await spending()
  const { organizationId } = gateway
  const top = await gateway.budget({ amount: '50' })
  const users = await gateway.budget({ ...user, organizationId, parentBudgetId: top, alerts: [{ threshold: 20 }] })
  const spent: [string, string][] = [['ann', '0.3'], ['bob', '0.1'], ['cay', '0.3'], ['dan', '0.2']]
  for (const [userId, amount] of spent) {
    await gateway.admin('POST', `/budgets/${users}/usage`, { amount, metadata: { userId } })
  }
  const page = async (query: string) => (await gateway.admin('GET', `/budgets/${users}/accounts${query}`)).body
  const first = await page('?limit=3')
  t.match(first, {
    count: 3,
    limit: 3,
    nextCursor: String,
    accounts: [{ subject: 'ann', currentAmount: '0.3' }, { subject: 'cay' }, { subject: 'dan', percentUsed: 20, limit: '1' }],
  })
  t.match(await page(`?cursor=${String(first['nextCursor'])}`), { count: 1, nextCursor: null, accounts: [{ subject: 'bob' }] })
  t.match((await gateway.admin('GET', `/budgets/${top}/accounts`)).body, { count: 1, accounts: [{ currentAmount: '0.9' }] })
  const tree = (await gateway.admin('GET', `/budgets/hierarchy/organization/${organizationId}`)).body
  t.match(tree, {
    hierarchy: [{ status: { currentAmount: '0.9', ownAmount: '0' }, children: [{ id: users, status: { subjects: 4, currentAmount: '0.9', limit: '4' } }] }],
  })

  const acknowledge = async (query: string) =>
    await gateway.admin('POST', `/budgets/${users}/alerts/20/acknowledge${query}`, {})
  t.match((await acknowledge('')).body, { status: 400, field: 'subject' })
  t.equal((await acknowledge('?subject=bob')).status, 404)
  t.equal((await acknowledge('?subject=ann')).status, 200)
  t.match(await statusOf(gateway, users, 'ann'), { activeAlerts: [{ acknowledged: true }] })
  t.match(await statusOf(gateway, users, 'cay'), { activeAlerts: [{ acknowledged: false }] })
})

t.test('a gateway key is told of its own account, and of no other', async (t) => {
  const gateway = await spending()
  const { organizationId } = gateway
  const users = await gateway.budget({ ...user, organizationId })
  const team = await gateway.budget({ scopeType: 'team', scopeId: 'red', organizationId })
  const others = await gateway.budget({ ...user, organizationId, parentBudgetId: team })
  const key = await gateway.key({ userId: 'ann' })
  const ask = async (path: string) =>
    await gateway.admin('GET', path, undefined, { authorization: `Bearer ${key}` })
  t.match(await ask(`/budgets/${users}/status`), { status: 200, body: { subject: 'ann' } })
  t.match(await ask(`/budgets/${users}/status?subject=ann`), { status: 200 })
  t.match(await ask(`/budgets/${users}/status?subject=bob`), { status: 404 })
  t.match(await ask(`/budgets/${others}/status`), { status: 404 }, 'for each of a team that the key is not of')
})

t.test('end users count as the body names them, where the key lets it, by the names of both SDKs', async (t) => {
  const gateway = await spending()
  const { organizationId } = gateway
  const each = await gateway.budget({ ...user, organizationId, scopeType: 'endUser', amount: '0.0012' })
  await gateway.budget({ amount: '10' })
  const one = await gateway.budget({ ...user, organizationId, scopeType: 'endUser', scopeId: 'zoe', amount: '1' })
  const key = await gateway.key({ endUser: 'allow' })
  const passes = async (body: object, by = key) => {
    t.equal((await gateway.chat(by, { max_tokens: 40, ...body })).status, 200)
    await gateway.events()
  }
  await passes({ user: 'ann' })
  await passes({ safety_identifier: ' ann ', user: 'other' })
  const short = await gateway.chat(key, { max_tokens: 40, user: 'ann' })
  t.match(refusal(short.json), { code: 'budget_exhausted', budget: { id: each, subject: 'ann' } })
  await passes({ user: 'zoe' })
  await passes({})
  await passes({ user: 'ann' }, await gateway.key())
  t.match(await statusOf(gateway, each, 'ann'), { currentAmount: '0.00085' }, 'a key that does not let it count')
  t.match((await gateway.admin('GET', `/budgets/${one}/status`)).body, { currentAmount: COST })

  const message = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'claude-haiku-4-5', max_tokens: 10, messages: [{ role: 'user', content: 'x' }], metadata: { user_id: 'bob' } }),
  })
  t.equal(message.status, 200)
  await message.text()
  const events = await gateway.events()
  t.same(events.map(({ end_user_id: endUser }) => endUser), ['ann', 'ann', 'zoe', null, null, 'bob'])
  t.match(await statusOf(gateway, each, 'bob'), { currentAmount: '0.00021', subject: 'bob' })

  for (const wrong of [7, 'x'.repeat(257), '\u0000', { a: 1 }]) {
    const answer = await gateway.chat(key, { user: wrong })
    t.equal(answer.status, 400, JSON.stringify(wrong).slice(0, 20))
    t.match(answer.json['error'], { param: 'user', relaycore: { code: 'invalid_request' } })
  }
  const strict = await gateway.key({ endUser: 'require' })
  const without = await gateway.chat(strict, {})
  t.equal(without.status, 400)
  t.match(without.json['error'], { message: /demands an end user: name it in safety_identifier/ })
  await passes({ user: 'cay' }, strict)
  t.match(await gateway.admin('POST', '/keys', { name: 'k', organizationId, endUser: 'maybe' }), { status: 400, body: { field: 'endUser' } })
})

t.test('a budget may be for some endpoints alone', async (t) => {
  const gateway = await spending()
  const { organizationId } = gateway
  const chats = await gateway.budget({ filters: { endpoints: ['chat.*'] } })
  const others = await gateway.budget({ filters: { endpoints: ['messages', 'holds'] } })
  const key = await gateway.key()
  t.equal((await gateway.chat(key, {})).status, 200)
  t.equal((await gateway.admin('POST', '/holds', { identity: { organizationId }, amount: '1' })).status, 201)
  await gateway.events()
  t.match((await gateway.admin('GET', `/budgets/${chats}/status`)).body, { currentAmount: COST, held: '0' })
  t.match((await gateway.admin('GET', `/budgets/${others}/status`)).body, { currentAmount: '0', held: '1' })
  const explained = await gateway.admin('POST', '/explain', {
    identity: { organizationId }, path: '/v1/messages', body: { model: 'claude-haiku-4-5', max_tokens: 1, messages: [] },
  })
  t.match(explained.body, { admitted: true, budgets: [{ budgetId: others }] })
})

t.test('single ones may have another amount than the others', async (t) => {
  const gateway = await spending()
  const { organizationId } = gateway
  const each = await gateway.budget({ ...user, organizationId, amount: '0.001', overrides: { ann: 0.002, 'x*y': '5' } })
  t.match((await gateway.admin('GET', `/budgets/${each}`)).body, { overrides: { ann: '0.002', 'x*y': '5' } })
  const key = await gateway.key({ allowHeaders: ['user'] })
  const call = async (name: string) => await gateway.chat(key, { max_tokens: 40 }, { 'x-relaycore-user': name })
  const passes = async (name: string) => {
    t.equal((await call(name)).status, 200)
    await gateway.events()
  }
  for (const name of ['bob', 'bob', 'ann', 'ann', 'ann']) await passes(name)
  t.match(refusal((await call('bob')).json), { code: 'budget_exhausted', budget: { limit: '0.001' } })
  const limits = { limit: '0.002', limitParts: { amount: '0.002', adjustments: '0' }, percentUsed: 63.75 }
  t.match(await statusOf(gateway, each, 'ann'), limits)
  t.match(await statusOf(gateway, each, 'x*y'), { limit: '5', remaining: '5' }, 'also before there is an account')
  t.match((await gateway.admin('GET', `/budgets/${each}/status`)).body, {
    subjects: 2, limit: '0.003', limitParts: { amount: '0.003', adjustments: '0' },
  })
  t.equal((await gateway.admin('PATCH', `/budgets/${each}`, { overrides: { ann: null, bob: '1' } })).status, 200)
  t.match(refusal((await call('ann')).json), { budget: { limit: '0.001' } })
  await passes('bob')
  const wrong = async (overrides: unknown) => (await gateway.admin('PUT', `/budgets/${each}`, { overrides })).body
  t.match(await wrong({ ann: '0' }), { field: 'overrides/ann' })
  t.match(await wrong({ ' ann': '1' }), { field: 'overrides' })
  t.match(await wrong([]), { field: 'overrides' })
  const one = await gateway.admin('PATCH', `/budgets/${await gateway.budget()}`, { overrides: { ann: '1' } })
  t.match(one.body, { field: 'overrides', detail: /for one/ })
})

t.test('gateways that race for the accounts of the same users keep each within its own limit', async (t) => {
  const a = await aGateway(t)
  const others = [1, 2].map(async () => await aGateway(t, { DATABASE_URL: a.core.config.databaseUrl ?? '' }))
  const gateways = [a, ...await Promise.all(others)]
  for (const { provider } of gateways) provider.behave = () => ({ usage: { input: 10, output: 40 } })
  const each = await a.budget({ ...user, organizationId: 'acme', amount: '0.004' })
  const key = await a.key({ allowHeaders: ['user'] })
  const names = ['ann', 'bob', 'cay']
  const calls = gateways.flatMap((gateway) => names.flatMap((name) =>
    Array.from({ length: 12 }, async () => (await gateway.chat(key, { max_tokens: 40 }, { 'x-relaycore-user': name })).status)))
  const statuses = await Promise.all(calls)
  for (const gateway of gateways) await gateway.events()
  t.ok(statuses.every((status) => status === 200 || status === 429))
  let spent = 0
  for (const name of names) {
    const amount = Number((await statusOf(a, each, name))['currentAmount'])
    t.ok(amount > 0 && amount <= 0.004, `${name}: ${amount}`)
    spent += Math.round(amount * 1e9)
  }
  t.equal(spent, statuses.filter((status) => status === 200).length * 425_000, 'every call that passed is charged, and no other')
})

t.test('who manages a team makes budgets for each of that team, and for nobody else', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const team = await gateway.budget({ scopeType: 'team', scopeId: 'red', organizationId, amount: '5' })
  const { body } = await gateway.admin('POST', '/tokens', {
    name: 'm', role: 'manager', reach: { organizationId, teamId: 'red' },
  })
  const make = async (fields: object) => await gateway.admin('POST', '/budgets', { name: 'b', currency: 'USD', period: 'daily', ...user, organizationId, ...fields },
    { authorization: `Bearer ${String(body['token'] ?? body['key'])}` })
  t.match(await make({}), { status: 403, body: { field: 'parentBudgetId' } })
  t.match(await make({ parentBudgetId: await gateway.budget() }), { status: /^(403|422)$/ })
  t.match(await make({ parentBudgetId: team, scopeType: 'tag', scopeId: 'stage=test' }), { status: 403, body: { field: 'scopeId' } })
  t.match(await make({ parentBudgetId: team }), { status: 201, body: { scopeId: '*', organizationId } })
})
