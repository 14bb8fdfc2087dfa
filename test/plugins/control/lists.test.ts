import t from 'tap'
import { type BudgetQuery } from '../../../src/budget/budget-catalog.ts'
import { aGateway, anOrganization, type GatewayUnderTest, type Json } from '../../e2e/gateway.ts'

type Between = (page: number) => Promise<void>

const names = (body: Json, of = 'budgets') => (body[of] as Json[]).map(({ name }) => name)

async function all (gateway: GatewayUnderTest, query: string, between: Between = async () => {}) {
  const found: unknown[] = []
  let cursor: unknown = ''
  for (let page = 0; cursor !== null; page++) {
    const after = cursor === '' ? '' : `&cursor=${String(cursor)}`
    const { status, body } = await gateway.admin('GET', `/budgets?organizationId=${gateway.organizationId}&${query}${after}`)
    if (status !== 200) throw new Error(JSON.stringify(body))
    found.push(...names(body))
    cursor = body['nextCursor']
    await between(page)
  }
  return found
}

t.test('budgets are found by everything they are told apart by', async (t) => {
  const gateway = await aGateway(t)
  await gateway.core.rates.add([{ currency: 'EUR', rate: '0.9', effectiveAt: Date.now() - 1_000 }])
  const top = await gateway.budget({ name: 'Top' })
  await gateway.budget({ name: 'below 100%', parentBudgetId: top, scopeType: 'team', scopeId: 'red', tags: { cost: 'a:b' } })
  await gateway.budget({ name: 'soft', mode: 'soft', scopeId: 'umbrella', currency: 'EUR', tags: { cost: 'c', x: '' } })
  await gateway.budget({ name: 'daily', period: 'daily', scopeType: 'user', scopeId: 'ada' })
  const ask = async (query: string) => names((await gateway.admin('GET', `/budgets?${query}`)).body)
  t.same(await ask('scopeType=team&scopeId=red'), ['below 100%'])
  t.same(await ask('organizationId=acme'), ['Top', 'below 100%'])
  t.same(await ask(`parentBudgetId=${top.toUpperCase()}`), ['below 100%'])
  t.same(await ask('mode=soft'), ['soft'])
  t.same(await ask('currency=EUR'), ['soft'])
  t.same(await ask('period=daily'), ['daily'])
  t.same(await ask('tag=cost'), ['below 100%', 'soft'])
  t.same(await ask('tag=cost:a:b'), ['below 100%'])
  t.same(await ask('tag=cost&tag=x'), ['soft'])
  t.same(await ask('q=OW%20100%25'), ['below 100%'])
  t.same(await ask('q=%25'), ['below 100%'], 'a part of the name, and no pattern')
  await gateway.admin('DELETE', `/budgets/${top}`)
  t.same(await ask('organizationId=acme'), ['below 100%'])
  t.same(await ask('organizationId=acme&includeInactive=true'), ['Top', 'below 100%'])
  const { body } = await gateway.admin('GET', '/budgets?limit=2&total=true')
  t.match(body, { count: 2, limit: 2, total: 3, nextCursor: String })
  t.notOk('total' in (await gateway.admin('GET', '/budgets')).body)
})

t.test('pages of every order show each budget once, whatever is made meanwhile', async (t) => {
  const gateway = await anOrganization()
  const made = ['delta', 'alpha', 'echo', 'bravo', 'alpha', 'charlie', 'golf']
  for (const [i, name] of made.entries()) await gateway.budget({ name, amount: String(1 + i % 3) })
  const byName = [...made].sort()
  t.same(await all(gateway, 'sort=name&limit=2'), byName)
  t.same(await all(gateway, 'sort=-name&limit=3'), [...byName].reverse())
  t.same(await all(gateway, 'limit=2'), made)
  t.same(await all(gateway, 'sort=-createdAt&limit=1'), [...made].reverse())
  t.same(await all(gateway, 'sort=updatedAt&limit=4'), made)
  t.same((await all(gateway, 'sort=amount&limit=2')).slice(0, 3), ['delta', 'bravo', 'golf'])
  const meanwhile = await all(gateway, 'sort=name&limit=2', async (page) => {
    await gateway.budget({ name: page === 1 ? 'zulu' : 'aaron' })
  })
  t.same(meanwhile.filter((name) => name !== 'zulu' && name !== 'aaron'), byName)
})

t.test('a cursor is good for its own list, and for nothing else', async (t) => {
  const gateway = await aGateway(t)
  for (const name of ['a', 'b', 'c']) await gateway.budget({ name })
  const { body } = await gateway.admin('GET', '/budgets?limit=1&sort=name')
  const cursor = String(body['nextCursor'])
  t.match((await gateway.admin('GET', `/budgets?limit=2&sort=name&total=true&cursor=${cursor}`)).body, { count: 2, total: 3 })
  const forged = Buffer.concat([Buffer.alloc(12), Buffer.from('["x","y"]')]).toString('base64url')
  const wrong = [
    `sort=-name&cursor=${cursor}`, `cursor=${cursor}`, `sort=name&q=b&cursor=${cursor}`, 'cursor=', 'cursor=%00',
    `sort=name&cursor=${cursor}A`, `sort=name&cursor=${cursor.slice(1)}`, `sort=name&cursor=${forged}`, 'cursor=eA',
  ]
  for (const query of wrong) {
    t.match(await gateway.admin('GET', `/budgets?${query}`), { status: 400, body: { code: 'invalid_field', field: 'cursor' } }, query)
  }
  t.match(await gateway.admin('GET', `/keys?cursor=${cursor}`), { status: 400, body: { field: 'cursor' } })
})

t.test('what cannot be asked for is named', async (t) => {
  const { admin } = await anOrganization()
  const wrong = ['limit=0', 'limit=1001', 'limit=x', 'sort=id', 'scopeType=planet', 'parentBudgetId=1', 'colour=red',
    'total=maybe', 'currency=usd', 'q=', 'q=%00', 'mode=x&mode=y']
  for (const query of wrong) {
    const field = query.split('=')[0]
    t.match(await admin('GET', `/budgets?${query}`), { status: 400, body: { code: 'invalid_field', field } }, query)
  }
  t.match(await admin('GET', '/budgets/scope/planet/x'), { status: 400, body: { field: 'type' } })
  t.match(await admin('GET', '/keys?revoked=1'), { status: 400, body: { field: 'revoked' } })
})

t.test('a scope lists its budgets', async (t) => {
  const gateway = await aGateway(t)
  const top = await gateway.budget({ name: 'top' })
  await gateway.budget({ name: 'more', parentBudgetId: top })
  await gateway.budget({ name: 'team', scopeType: 'team', scopeId: 'acme' })
  const ask = async (rest: string) => (await gateway.admin('GET', `/budgets/scope/${rest}`)).body
  t.match(await ask('organization/acme'), { budgets: [{ name: 'top' }, { name: 'more' }], count: 2, nextCursor: null })
  t.match(await ask('team/acme'), { budgets: [{ name: 'team' }], count: 1 })
  t.match(await ask(`organization/acme?parentBudgetId=${top}`), { budgets: [{ name: 'more' }], count: 1 })
  t.match(await ask('user/a%2Fb'), { budgets: [], count: 0 })
  await gateway.admin('DELETE', `/budgets/${top}`)
  t.match(await ask('organization/acme'), { count: 1 })
  t.match(await ask('organization/acme?includeInactive=true&limit=1'), { count: 1, limit: 1, nextCursor: String })
})

t.test('lists tell nothing from beyond the reach', async (t) => {
  const gateway = await aGateway(t)
  const { budgets } = gateway.core
  const team = await gateway.budget({ name: 'team', scopeType: 'team', scopeId: 'red', organizationId: 'acme' })
  const project = await gateway.budget({ name: 'project', scopeType: 'project', scopeId: 'p', parentBudgetId: team })
  await gateway.budget({ name: 'user', scopeType: 'user', scopeId: 'u', parentBudgetId: project })
  await gateway.budget({ name: 'blue', scopeType: 'team', scopeId: 'blue', organizationId: 'acme' })
  await gateway.budget({ name: 'foreign red', scopeType: 'team', scopeId: 'red', organizationId: 'umbrella' })
  await gateway.budget({ name: 'nobody', scopeType: 'team', scopeId: 'red' })
  const base = { includeArchived: false, sort: 'createdAt', descending: false, limit: 10, total: true } as const
  const ask = async (reach: BudgetQuery['reach']) => {
    const { budgets: found, total } = await budgets.page({ ...base, reach })
    t.equal(total, found.length)
    return found.map(({ name }) => name)
  }
  t.same(await ask({ organizationId: 'acme', scope: null }), ['team', 'project', 'user', 'blue'])
  t.same(await ask({ organizationId: 'acme', scope: { type: 'team', id: 'red' } }), ['team', 'project', 'user'])
  t.same(await ask({ organizationId: 'acme', scope: { type: 'project', id: 'p' } }), ['project', 'user'])
  t.same(await ask({ organizationId: 'acme', scope: { type: 'user', id: 'nobody' } }), [])
  t.same(await ask({ organizationId: 'umbrella', scope: null }), ['foreign red'])
  t.equal((await ask(null)).length, 6)
})
