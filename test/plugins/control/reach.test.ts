import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { PostgresBudgetStore } from '../../../src/stores/postgres/budget-store.ts'
import { aGateway, type GatewayUnderTest, type Json } from '../../e2e/gateway.ts'

const TERMS = { amount: '10', currency: 'USD', period: 'monthly' }

/** top (acme) > red (team) > ada (user); top > blue (team) > bob (user); and a manager of team red */
async function aWorld (t: Test) {
  const gateway = await aGateway(t)
  const made = async (name: string, scopeType: string, parentBudgetId: string | null) =>
    await gateway.budget({ name, scopeType, scopeId: name, organizationId: 'acme', parentBudgetId })
  const top = await gateway.budget({ name: 'top', organizationId: 'acme' })
  const red = await made('red', 'team', top)
  const blue = await made('blue', 'team', top)
  const ids = { top, red, blue, ada: await made('ada', 'user', red), bob: await made('bob', 'user', blue) }
  return { gateway, ...ids, manager: await aManager(gateway, { organizationId: 'acme', teamId: 'red' }) }
}

async function aManager ({ admin }: GatewayUnderTest, reach: object) {
  const { body } = await admin('POST', '/tokens', { name: 'm', role: 'manager', reach })
  const authorization = `Bearer ${String(body['token'])}`
  return async (method: string, path: string, sent?: unknown, headers = {}) =>
    await admin(method, path, sent, { authorization, ...headers })
}

const names = (body: Json, of = 'budgets') => (body[of] as Json[]).map(({ name }) => name)
const FORBIDDEN = (field: string) => ({ status: 403, body: { code: 'forbidden', field } })

t.test('a manager changes what is below the budgets that bound him, and not those', async (t) => {
  const { manager, red, ada, top } = await aWorld(t)
  t.same(names((await manager('GET', '/budgets?total=true')).body), ['red', 'ada'])
  t.match((await manager('GET', '/budgets?total=true')).body, { total: 2 })
  t.match((await manager('GET', `/budgets/${red}`)).body, { name: 'red', parentBudgetId: null }, 'what is above is not told')
  t.match((await manager('GET', `/budgets/${ada}`)).body, { parentBudgetId: red })
  for (const [method, path, body] of [['PUT', '', { amount: '99' }], ['PATCH', '', { paused: true }], ['DELETE', ''], ['POST', '/restore']]) {
    const answer = await manager(String(method), `/budgets/${red}${String(path)}`, body)
    t.match(answer, { status: 403, body: { code: 'forbidden' } }, String(method))
  }
  t.match(await manager('PUT', `/budgets/${ada}`, { amount: '99' }), { status: 200, body: { amount: '99', parentBudgetId: red } })
  t.match(await manager('PUT', `/budgets/${ada}`, { parentBudgetId: null }), FORBIDDEN('parentBudgetId'))
  t.same((await manager('GET', `/budgets?parentBudgetId=${top}`)).body['count'], 0, 'nor whose parent it is')
})

t.test('what a manager makes stays within reach: parent, scope and organization', async (t) => {
  const { manager, red, blue, top } = await aWorld(t)
  const make = async (fields: object) => await manager('POST', '/budgets', { name: 'n', ...TERMS, parentBudgetId: red, ...fields })
  t.match(await make({ scopeType: 'team', scopeId: 'red' }), { status: 201, body: { organizationId: 'acme', parentBudgetId: red } })
  t.match(await make({ scopeType: 'user', scopeId: 'ada' }), { status: 201 }, 'who belongs to the team by a budget already')
  t.match(await make({ scopeType: 'team', scopeId: 'red', parentBudgetId: null }), FORBIDDEN('parentBudgetId'))
  t.match(await make({ scopeType: 'organization', scopeId: 'acme' }), FORBIDDEN('scopeId'))
  t.match(await make({ scopeType: 'team', scopeId: 'red', organizationId: 'umbrella' }), FORBIDDEN('organizationId'))
  const others = ['bob', 'blue', randomUUID()].map(async (scopeId) => {
    const { status, body: { requestId: _, ...body } } = await make({ scopeType: 'user', scopeId })
    return [status, body]
  })
  for (const one of await Promise.all(others)) t.same(one, await others[0], 'whether others have it is not told')
  const parents = [blue, top, randomUUID()].map(async (parentBudgetId) => {
    const { status, body } = await make({ scopeType: 'team', scopeId: 'red', parentBudgetId })
    return [status, String(body['detail']).replace(parentBudgetId, 'ID')]
  })
  for (const one of await Promise.all(parents)) t.same(one, [422, 'parentBudgetId ID names no budget'])
})

t.test('keys that a manager makes call for those in reach alone', async (t) => {
  const { gateway, manager, bob } = await aWorld(t)
  const make = async (fields: object) => await manager('POST', '/keys', { name: 'k', organizationId: 'acme', teamId: 'red', ...fields })
  const made = await make({ userId: 'ada', allowHeaders: ['session', 'tags'] })
  t.equal(made.status, 201)
  t.match(await make({ teamId: 'blue' }), FORBIDDEN('teamId'))
  t.match(await make({ teamId: null }), FORBIDDEN('teamId'))
  t.match(await make({ organizationId: 'umbrella' }), FORBIDDEN('organizationId'))
  t.match(await make({ userId: 'bob' }), FORBIDDEN('userId'))
  t.match(await make({ projectId: 'p' }), FORBIDDEN('projectId'))
  t.match(await make({ allowHeaders: ['user'] }), FORBIDDEN('allowHeaders'))
  const path = `/keys/${made.body['id']}`
  t.match(await manager('PATCH', path, { requireHeaders: ['team'] }), FORBIDDEN('requireHeaders'))
  t.match(await manager('PATCH', path, { name: 'other' }), { status: 200, body: { name: 'other' } })
  await gateway.key({ name: 'blue', teamId: 'blue' })
  t.same(names((await manager('GET', '/keys')).body, 'keys'), ['other'])

  const key = String(made.body['key'])
  const client = async (id: string) =>
    (await gateway.admin('GET', `/budgets/${id}/status`, undefined, { authorization: `Bearer ${key}` })).status
  t.equal(await client(bob), 404)
  const mine = names((await manager('GET', '/budgets')).body)
  t.same(mine, ['red', 'ada'])
  await gateway.admin('DELETE', path)
  t.equal(await client(bob), 401, 'a key that was revoked asks nothing')
})

t.test('an organization\'s manager changes all of it, and nothing that is not only its own', async (t) => {
  const { gateway, red, top } = await aWorld(t)
  const world = await gateway.budget({ name: 'world', scopeType: 'team', scopeId: 'red' })
  const below = await gateway.budget({ name: 'below', scopeType: 'team', scopeId: 'x', organizationId: 'acme', parentBudgetId: world })
  const manager = await aManager(gateway, { organizationId: 'acme' })
  t.match(await manager('PUT', `/budgets/${top}`, { amount: '99' }), { status: 200, body: { amount: '99' } })
  t.equal((await manager('GET', `/budgets/${world}`)).status, 404)
  t.match(await manager('POST', '/budgets', { name: 'n', ...TERMS, scopeType: 'team', scopeId: 'green' }),
    { status: 201, body: { organizationId: 'acme' } }, 'in the organization, if nothing else is said')
  t.match(await manager('POST', '/budgets', { name: 'n', ...TERMS, scopeType: 'organization', scopeId: 'umbrella' }), FORBIDDEN('scopeId'))
  const seen = await manager('GET', `/budgets/${below}`)
  t.match(seen.body, { parentBudgetId: null })
  t.match(await manager('PUT', `/budgets/${below}`, { name: 'renamed', parentBudgetId: null }), { status: 200, body: { parentBudgetId: null } })
  t.match((await gateway.admin('GET', `/budgets/${below}`)).body, { name: 'renamed', parentBudgetId: world }, 'it stays where it is')
  t.match(await manager('PUT', `/budgets/${below}`, { parentBudgetId: red }), FORBIDDEN('parentBudgetId'))
})

t.test('tokens are made by who reaches as far, shown once, and end at once', async (t) => {
  const { gateway } = await aWorld(t)
  const manager = await aManager(gateway, { organizationId: 'acme' })
  const make = async (fields: object) => await manager('POST', '/tokens', { name: 't', role: 'viewer', ...fields })
  const made = await make({ reach: { organizationId: 'acme', teamId: 'red' } })
  t.match(made, { status: 201, body: { token: /^ra_\w{34}$/, reach: { organizationId: 'acme', teamId: 'red', projectId: null } } })
  t.match(await make({ reach: { organizationId: 'umbrella' } }), FORBIDDEN('reach/organizationId'))
  t.match(await make({ role: 'administrator' }), FORBIDDEN('role'))
  const wrong: [object, string][] = [
    [{}, 'reach'], [{ reach: { organizationId: 'acme', teamId: 'a', projectId: 'b' } }, 'reach/projectId'],
    [{ role: 'administrator', reach: { organizationId: 'acme' } }, 'reach'],
    [{ role: 'client', reach: { organizationId: 'acme' } }, 'role'],
    [{ reach: { organizationId: 'acme' }, expiresAt: '2001-01-01' }, 'expiresAt'],
  ]
  for (const [fields, field] of wrong) {
    t.match(await make(fields), { status: 400, body: { field } }, JSON.stringify(fields))
  }
  const path = `/tokens/${made.body['id']}`
  t.notMatch(JSON.stringify((await manager('GET', path)).body), String(made.body['token']))
  t.same((await manager('GET', '/tokens')).body['count'], 3, 'those of the organization')
  t.same((await gateway.admin('GET', '/tokens?limit=1')).body['count'], 1)
  const viewer = async () =>
    (await gateway.admin('GET', '/budgets', undefined, { authorization: `Bearer ${String(made.body['token'])}` })).status
  t.equal(await viewer(), 200)
  const other = await aGateway(t, { DATABASE_URL: String(gateway.core.config.databaseUrl) })
  const there = async () =>
    (await other.admin('GET', '/budgets', undefined, { authorization: `Bearer ${String(made.body['token'])}` })).status
  t.equal(await there(), 200)
  t.equal((await manager('DELETE', path)).status, 204)
  const revoked = Date.now()
  t.equal(await viewer(), 401)
  while (await there() === 200) t.ok(Date.now() - revoked < 1_000, 'on every gateway within a second')
  t.match((await manager('GET', '/tokens?includeRevoked=true')).body, { count: 3, tokens: [{}, {}, { revokedAt: String }] })
  const entries = async (ask: typeof manager) =>
    ((await ask('GET', '/audit?objectType=token')).body['entries'] as Json[]).map(({ action }) => action)
  t.same(await entries(manager), ['token.revoked', 'token.created', 'token.created', 'token.created'])
  t.same(await entries(await aManager(gateway, { organizationId: 'acme', teamId: 'red' })), [])
})

t.test('what was answered to who reached further is not answered again', async (t) => {
  const { manager, red, ada, gateway } = await aWorld(t)
  const keyed = { 'idempotency-key': 'one-key' }
  const body = { name: 'n', ...TERMS, scopeType: 'team', scopeId: 'red', parentBudgetId: red }
  const first = await manager('POST', '/budgets', body, keyed)
  t.equal(first.status, 201)
  t.same((await manager('POST', '/budgets', body, keyed)).body, first.body)
  const blue = await aManager(gateway, { organizationId: 'acme', teamId: 'blue' })
  t.equal((await blue('POST', '/budgets', body, keyed)).status, 403)
  const restore = { 'idempotency-key': 'another-key' }
  t.equal((await manager('POST', `/budgets/${ada}/restore`, undefined, restore)).status, 200)
  t.equal((await blue('POST', `/budgets/${ada}/restore`, undefined, restore)).status, 404)
})

t.test('a budget out of reach takes as many statements as one that is none', async (t) => {
  const { gateway, blue } = await aWorld(t)
  const { database } = gateway.core
  let statements = 0
  const counted = {
    query: database.query.bind(database) as typeof database.query,
    transaction: database.transaction.bind(database) as typeof database.transaction,
  }
  const query: typeof database.query = async (one) => { statements++; return await database.query(one) }
  const store = new PostgresBudgetStore({ ...counted, query }, undefined, { organizationId: 'acme', scope: { type: 'team', id: 'red' } })
  for (const id of [blue, randomUUID()]) {
    statements = 0
    t.equal(await store.get(id), null)
    t.equal(statements, 1)
  }
})
