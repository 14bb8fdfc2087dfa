/**
 * Every route times every role. The routes are those of the running gateway: one without a line here fails the test.
 * The object of each request belongs to team `a`: its budget stands below that of the team.
 */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { aGateway, ADMIN, type AdminAnswer, type GatewayUnderTest } from '../../e2e/gateway.ts'

const ROLES = ['administrator', 'manager of the organization', 'manager of team a', 'manager of team b', 'viewer of team a',
  'viewer of team b', 'key of team a', 'key of team b'] as const
type Role = typeof ROLES[number]

/** what requests are about: all of it exists and is team a's, or none of it exists */
type Objects = Record<'budget' | 'parent' | 'key' | 'token' | 'audit' | 'usage' | 'hold' | 'adjustment' | 'asked', string>

interface Line {
  /** statuses in the order of ROLES */
  expect: string
  path?: (of: Objects) => string
  body?: (of: Objects) => object
}

const SEEN = '200 200 200 404 200 404 403 403'
const LISTED = '200 200 200 200 200 200 403 403'
const CHANGED = '200 200 200 404 403 403 403 403'
const RECORDED = '201 201 201 404 403 403 403 403'
/** a key ends its own alone */
const ENDED = '200 200 200 404 403 403 404 404'
/** the first who may */
const DECIDED = '200 409 409 404 403 403 403 403'
const GONE = '204 204 204 404 403 403 403 403'

const MATRIX: Record<string, Line> = {
  'GET /budgets': { expect: LISTED },
  'GET /budgets/scope/:type/:id': { expect: LISTED, path: () => '/budgets/scope/user/ada' },
  'POST /budgets': {
    expect: '201 201 201 403 403 403 403 403',
    body: ({ parent }) => ({
      name: 'b', scopeType: 'team', scopeId: 'a', parentBudgetId: parent, amount: '1', currency: 'USD', period: 'daily',
    }),
  },
  'GET /budgets/:id': { expect: SEEN },
  'PUT /budgets/:id': { expect: CHANGED, body: () => ({ name: 'n' }) },
  'PATCH /budgets/:id': { expect: CHANGED, body: () => ({ name: 'm' }) },
  'DELETE /budgets/:id': { expect: GONE },
  'POST /budgets/:id/restore': { expect: CHANGED },
  'GET /budgets/:id/status': { expect: '200 200 200 404 200 404 200 404' },
  'GET /budgets/:id/accounts': { expect: SEEN },
  'GET /budgets/hierarchy/:type/:id': { expect: LISTED, path: () => '/budgets/hierarchy/user/ada' },
  'POST /budgets/:id/check-constraints': {
    expect: '200 200 200 404 200 404 200 404', body: () => ({ estimatedCost: '0.5' }),
  },
  'POST /explain': {
    expect: '200 200 200 403 200 403 400 400',
    body: () => ({ identity: { organizationId: 'acme', teamId: 'a' }, provider: 'openai', model: 'gpt-4o', inputTokens: 1 }),
  },
  'POST /budgets/:id/alerts/:threshold/acknowledge': {
    expect: '404 404 404 404 403 403 403 403', path: ({ budget }) => `/budgets/${budget}/alerts/80/acknowledge`,
  },
  'GET /budgets/:id/adjustments': { expect: SEEN },
  'POST /budgets/:id/adjustments': { expect: RECORDED, body: () => ({ kind: 'top-up', amount: '1', reason: 'r' }) },
  'DELETE /budgets/:id/adjustments/:adjustmentId': {
    expect: GONE, path: ({ budget, adjustment }) => `/budgets/${budget}/adjustments/${adjustment}`,
  },
  'POST /budgets/:id/transfers': {
    // of the other budget, that of its team, a team's manager is not asked
    expect: '201 201 403 404 403 403 403 403', body: ({ parent }) => ({ toBudgetId: parent, amount: '0.1', reason: 'r' }),
  },
  'GET /approval-requests': { expect: '200 200 200 200 200 200 200 200' },
  'POST /approval-requests': {
    expect: '201 201 201 404 403 403 201 404', body: ({ budget }) => ({ budgetId: budget, reason: 'r' }),
  },
  'GET /approval-requests/:id': { expect: '200 200 200 404 200 404 404 404' },
  'POST /approval-requests/:id/approve': { expect: DECIDED, body: () => ({ amount: '1' }) },
  'POST /approval-requests/:id/deny': { expect: DECIDED, body: () => ({}) },
  'GET /budgets/:id/usage': { expect: SEEN },
  'GET /budgets/:id/usage/summary': { expect: SEEN },
  'POST /budgets/:id/usage': { expect: RECORDED, body: () => ({ amount: '1' }) },
  'POST /budgets/:id/refresh-cache': { expect: CHANGED },
  'POST /usage/batch': { expect: RECORDED, body: ({ budget }) => ({ records: [{ budgetId: budget, amount: '1' }] }) },
  'GET /usage/:id': { expect: SEEN },
  'GET /keys': { expect: LISTED },
  'POST /keys': {
    expect: '201 201 201 403 403 403 403 403', body: () => ({ name: 'k', organizationId: 'acme', teamId: 'a' }),
  },
  'GET /keys/:id': { expect: SEEN },
  'PATCH /keys/:id': { expect: CHANGED, body: () => ({ name: 'n' }) },
  'POST /keys/:id/rotate': { expect: CHANGED, body: () => ({}) },
  'DELETE /keys/:id': { expect: GONE },
  'GET /prices': { expect: '200 403 403 403 403 403 403 403' },
  'POST /prices': {
    expect: '201 403 403 403 403 403 403 403',
    body: () => ({ provider: 'openai', model: 'gpt-4', prices: { input: '1', output: '1' } }),
  },
  'GET /exchange-rates': { expect: LISTED },
  'POST /exchange-rates': { expect: '201 403 403 403 403 403 403 403', body: () => ({ currency: 'EUR', rate: '0.9' }) },
  'POST /exchange-rates/import': {
    expect: '200 403 403 403 403 403 403 403',
    body: () => ({ format: 'ecb-daily', content: "<Cube time='2026-01-05'><Cube currency='USD' rate='1.25'/>" }),
  },
  'GET /audit': { expect: LISTED },
  'GET /audit/:id': { expect: SEEN },
  'GET /holds': { expect: '200 200 200 200 200 200 200 200' },
  'POST /holds': {
    expect: '201 201 201 403 403 403 201 403',
    body: () => ({ identity: { organizationId: 'acme', teamId: 'a' }, amount: '0.01' }),
  },
  'GET /holds/:id': { expect: '200 200 200 404 200 404 404 404' },
  'POST /holds/:id/settle': { expect: ENDED, body: () => ({ amount: '0.01' }) },
  'POST /holds/:id/release': { expect: ENDED },
  'POST /holds/:id/extend': { expect: ENDED, body: () => ({ ttlSeconds: 60 }) },
  'GET /gateways': { expect: '200 403 403 403 403 403 403 403' },
  // one that answers is not given up
  'POST /gateways/:id/write-off': { expect: '409 403 403 403 403 403 403 403', path: () => '/gateways/999999/write-off' },
  'GET /tokens': { expect: '200 200 403 403 403 403 403 403' },
  'POST /tokens': {
    expect: '201 201 403 403 403 403 403 403',
    body: () => ({ name: 't', role: 'viewer', reach: { organizationId: 'acme' } }),
  },
  'GET /tokens/:id': { expect: '200 200 403 403 403 403 403 403' },
  'DELETE /tokens/:id': { expect: '204 204 403 403 403 403 403 403' },
}

const OBJECTS: Record<string, keyof Objects> = {
  budgets: 'budget', keys: 'key', tokens: 'token', audit: 'audit', usage: 'usage', holds: 'hold', 'approval-requests': 'asked',
}

interface World {
  gateway: GatewayUnderTest
  tokens: Record<Role, string>
  /** new ones each time: those that this route is about, or all */
  objects (route?: string): Promise<Objects>
  request (route: string, of: Objects): [Method, url: string]
  ask (token: string, route: string, of: Objects, headers?: object): Promise<AdminAnswer>
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

const BUDGET = { amount: '10', currency: 'USD', period: 'monthly' }

async function aWorld (gateway: GatewayUnderTest): Promise<World> {
  const { admin } = gateway
  const token = async (role: string, reach: object) =>
    String((await admin('POST', '/tokens', { name: role, role, reach })).body['token'])
  const newest = async () => {
    const { body } = await admin('GET', '/audit?objectType=budget&limit=1')
    return String((body['entries'] as { id: string }[])[0]?.id)
  }
  const team = (teamId: string) => ({ organizationId: 'acme', teamId })
  const top = await gateway.budget({ name: 'top', organizationId: 'acme', amount: '1000' })
  await gateway.budget({ name: 'b', scopeType: 'team', scopeId: 'b', parentBudgetId: top })
  const ofA = await gateway.budget({ name: 'a', scopeType: 'team', scopeId: 'a', parentBudgetId: top, amount: '1000' })
  return {
    gateway,
    tokens: {
      administrator: ADMIN,
      'manager of the organization': await token('manager', { organizationId: 'acme' }),
      'manager of team a': await token('manager', team('a')),
      'manager of team b': await token('manager', team('b')),
      'viewer of team a': await token('viewer', team('a')),
      'viewer of team b': await token('viewer', team('b')),
      'key of team a': await gateway.key({ teamId: 'a' }),
      'key of team b': await gateway.key({ teamId: 'b' }),
    },
    objects: async (route) => {
      const about = (name: keyof Objects) => route === undefined || objectsOf(route).includes(name)
      const made = async (name: keyof Objects, path: string, body: object) => about(name)
        ? { [name]: String((await admin('POST', path, body)).body['id']) }
        : {}
      const budget = await gateway.budget({
        name: 'x', ...BUDGET, scopeType: 'team', scopeId: 'a', parentBudgetId: ofA, alerts: [{ threshold: 90, actions: ['require-approval'] }],
      })
      const added = { kind: 'top-up', amount: '1', reason: 'r' }
      return {
        ...none(),
        parent: ofA,
        budget,
        ...about('audit') ? { audit: await newest() } : {},
        ...await made('key', '/keys', { name: 'x', organizationId: 'acme', teamId: 'a' }),
        ...await made('token', '/tokens', { name: 'x', role: 'viewer', reach: team('a') }),
        ...await made('usage', `/budgets/${budget}/usage`, { amount: '1' }),
        ...await made('adjustment', `/budgets/${budget}/adjustments`, added),
        ...await made('asked', '/approval-requests', { budgetId: budget, reason: 'r' }),
        ...await made('hold', '/holds', { identity: team('a'), amount: '0.001' }),
      }
    },
    request,
    ask: async (bearer, route, of, headers = {}) => {
      const [method, url] = request(route, of)
      return await admin(method, url, MATRIX[route]?.body?.(of), { authorization: `Bearer ${bearer}`, ...headers })
    },
  }
}

/** besides the budget: what the names of its path say */
function objectsOf (route: string): (keyof Objects)[] {
  const [, name = ''] = /\/([\w-]+)\/:id/.exec(route) ?? []
  const object = OBJECTS[name]
  return [...object === undefined ? [] : [object], ...route.includes(':adjustmentId') ? ['adjustment' as const] : []]
}

function request (route: string, of: Objects): [Method, url: string] {
  const [method, pattern = ''] = route.split(' ')
  const named = pattern.replace(/\/([\w-]+)\/:id/, (_, name: string) => `/${name}/${of[OBJECTS[name] ?? 'budget']}`)
  return [method as Method, MATRIX[route]?.path?.(of) ?? named]
}

const none = (): Objects => {
  const [budget, parent, key, token, audit, usage, hold, adjustment, asked] =
    Array.from({ length: 9 }, () => randomUUID() as string)
  return { budget, parent, key, token, audit, usage, hold, adjustment, asked } as Objects
}

/** the routes of the admin API as the gateway has them; HEAD is GET without its body */
function routesOf ({ routes }: GatewayUnderTest): string[] {
  return routes.map((one) => one.replace('/api/v1', '')).filter((one) => / \/(?!openapi\.json)/.test(one) && !one.startsWith('HEAD'))
}

t.test('every route answers every role as the matrix says, and nobody without a token', async (t) => {
  const gateway = await aGateway(t)
  const routes = routesOf(gateway)
  t.same(routes.sort(), Object.keys(MATRIX).sort(), 'each route has its line, and no other')
  const world = await aWorld(gateway)
  for (const [route, { expect }] of Object.entries(MATRIX)) {
    const of = await world.objects(route)
    const found: number[] = []
    for (const role of ROLES) found.push((await world.ask(world.tokens[role], route, of)).status)
    t.equal(found.join(' '), expect, route)
    const [method, url] = world.request(route, of)
    for (const authorization of ['', 'Bearer garbage']) {
      // each from an address of its own, since one may not guess so often
      const remoteAddress = `10.0.${routes.indexOf(route)}.${authorization.length}`
      const answer = await gateway.app.inject({ method, url: `/api/v1${url}`, headers: { authorization }, remoteAddress })
      t.equal(answer.statusCode, 401, `${route} ${authorization}`)
    }
  }
})

t.test('a manager of one team learns nothing of another: what is there is answered like what is not', async (t) => {
  const gateway = await aGateway(t)
  const world = await aWorld(gateway)
  const headers = { 'if-match': '"1"', 'if-none-match': '*' }
  for (const role of ['manager of team b', 'viewer of team b', 'key of team b'] as const) {
    // nothing of it is changed by whoever may not see it
    const there = await world.objects()
    for (const route of Object.keys(MATRIX).filter((one) => one.includes(':id') || one.startsWith('POST'))) {
      const nowhere = none()
      const real = await world.ask(world.tokens[role], route, there, headers)
      const unreal = await world.ask(world.tokens[role], route, nowhere, headers)
      t.same(told(real, there), told(unreal, nowhere), `${role}: ${route}`)
    }
  }
})

/** an answer without what differs between any two requests, and without the ids that were asked for */
function told ({ status, headers, body }: AdminAnswer, of: Objects): unknown {
  const ids = new RegExp(Object.values(of).join('|'), 'g')
  const others = [...headers].filter(([name]) => name !== 'date' && name !== 'content-length')
  const { requestId: _, ...rest } = body
  return JSON.parse(JSON.stringify({ status, others, rest }).replaceAll(ids, 'ID'))
}
