import t from 'tap'
import { aGateway, anOrganization, type GatewayUnderTest, type Json } from '../../e2e/gateway.ts'

const code = (json: Json) => ((json['error'] as Json)['relaycore'] as Json)['code']
const TEAM = { scopeType: 'team', organizationId: 'acme' }

interface Node { id: string, name: string, status: Json, warnings: Json[], children: Node[] }

async function tree (gateway: GatewayUnderTest, path: string): Promise<{ count: number, hierarchy: Node[] }> {
  const { status, body } = await gateway.admin('GET', `/budgets/hierarchy/${path}`)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body as unknown as { count: number, hierarchy: Node[] }
}

/** names as they stand: `company(red(ann) blue)` */
function shape (nodes: Node[]): string {
  return nodes.map(({ name, children }) => children.length === 0 ? name : `${name}(${shape(children)})`).join(' ')
}

t.test('a child has no effect past its parent\'s limit: calls are held on both', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  gateway.provider.behave = () => ({ usage: { input: 10, output: 40 } })
  const company = await gateway.budget({ name: 'company', amount: '0.001' })
  const team = await gateway.budget({ scopeType: 'team', organizationId, name: 'red', scopeId: 'red', amount: '100', parentBudgetId: company })
  const key = await gateway.key({ teamId: 'red' })

  let answer = await gateway.chat(key, {})
  let admitted = 0
  while (answer.status === 200) {
    admitted++
    await gateway.events()
    answer = await gateway.chat(key, {})
  }

  t.equal(admitted, 1)
  t.equal(code(answer.json), 'budget_exhausted')
  t.match(answer.text, /budget \\"company\\"/, 'it is the parent that refuses')
  const [status, above] = await Promise.all([team, company].map(async (id) =>
    (await gateway.admin('GET', `/budgets/${id}/status`)).body))
  t.equal(status?.['currentAmount'], above?.['currentAmount'])
  t.ok(Number(above?.['currentAmount']) <= 0.001)
})

t.test('what came in at a budget is told apart from what came in below it', async (t) => {
  const gateway = await aGateway(t)
  const company = await gateway.budget({ name: 'company' })
  const red = await gateway.budget({ ...TEAM, name: 'red', scopeId: 'red', parentBudgetId: company })
  await gateway.budget({ ...TEAM, name: 'blue', scopeId: 'blue', parentBudgetId: company })
  await gateway.budget({
    name: 'ann',
    scopeType: 'user',
    scopeId: 'ann',
    organizationId: 'acme',
    parentBudgetId: red,
    alerts: [{ threshold: 0.001 }],
  })
  const calls: [object, number][] = [
    [{}, 1], [{ teamId: 'red' }, 2], [{ teamId: 'red', userId: 'ann' }, 3], [{ teamId: 'blue' }, 1],
  ]
  for (const [identity, times] of calls) {
    const key = await gateway.key(identity)
    for (let i = 0; i < times; i++) t.equal((await gateway.chat(key, {})).status, 200)
  }
  const [event] = await gateway.events()
  const cost = Number(event?.['cost_nano'])

  const { count, hierarchy } = await tree(gateway, 'organization/acme')

  t.equal(count, 4)
  t.equal(shape(hierarchy), 'company(red(ann) blue)')
  const figures = ({ name, status, children }: Node): [string, number, number, number][] => [
    [name, ...['currentAmount', 'ownAmount', 'belowAmount'].map((field) => Math.round(Number(status[field]) * 1e9 / cost))] as
      [string, number, number, number],
    ...children.flatMap(figures),
  ]
  t.same(hierarchy.flatMap(figures), [['company', 7, 1, 6], ['red', 5, 2, 3], ['ann', 3, 3, 0], ['blue', 1, 1, 0]])
  const ann = hierarchy[0]?.children[0]?.children[0]
  t.match(ann?.status, { budgetId: ann?.id, limit: '10', held: '0', status: 'normal', activeAlerts: [{ threshold: 0.001 }] })
  t.equal(shape((await tree(gateway, 'team/red')).hierarchy), 'red(ann)')
  t.same(await tree(gateway, 'team/none'), { hierarchy: [], count: 0 })
})

t.test('an archived budget is passed over, or shown where it is asked for', async (t) => {
  const gateway = await aGateway(t)
  const company = await gateway.budget({ name: 'company', amount: '5' })
  const division = await gateway.budget({
    name: 'division', scopeType: 'project', scopeId: 'p', organizationId: 'acme', parentBudgetId: company,
  })
  await gateway.budget({ ...TEAM, name: 'red', scopeId: 'red', parentBudgetId: division, amount: '6' })
  t.equal((await gateway.admin('DELETE', `/budgets/${division}`)).status, 204)

  const { hierarchy } = await tree(gateway, 'organization/acme')
  t.equal(shape(hierarchy), 'company(red)')
  t.match(hierarchy[0]?.warnings, [{ code: 'children_exceed_parent', budgetId: company, message: /6 USD a month together/ }])
  t.equal(shape((await tree(gateway, 'organization/acme?includeInactive=true')).hierarchy), 'company(division(red))')
  t.equal(shape((await tree(gateway, 'project/p')).hierarchy), 'red')
  const key = await gateway.key({ teamId: 'red' })
  await gateway.chat(key, {})
  await gateway.events()
  t.not((await tree(gateway, 'organization/acme')).hierarchy[0]?.status['currentAmount'], '0', 'what is above it applies')
})

t.test('one budget of a scope below another of it is shown there alone', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const year = await gateway.budget({ name: 'year', period: 'annual' })
  await gateway.budget({ name: 'month', parentBudgetId: year, amount: '1' })
  await gateway.budget({ name: 'other' })
  t.equal(shape((await tree(gateway, `organization/${organizationId}`)).hierarchy), 'year(month) other')
})

t.test('changes that give more to the budgets below than there is are warned of, and made', async (t) => {
  const { admin, budget, organizationId } = await anOrganization()
  const company = await budget({ name: 'company' })
  const red = { scopeType: 'team', organizationId, name: 'red', scopeId: 'red', currency: 'USD', period: 'monthly', parentBudgetId: company }
  const made = await admin('POST', '/budgets', { ...red, amount: '10.5' })
  t.match(made, { status: 201, body: { warnings: [{ code: 'children_exceed_parent', budgetId: company }] } })
  const path = `/budgets/${made.body['id']}`
  t.same((await admin('PUT', path, { amount: 10 })).body['warnings'], undefined)
  t.match((await admin('PATCH', path, { amount: 11 })).body, { warnings: [{ budgetId: company, message: /11 USD/ }] })
  t.match((await admin('PUT', `/budgets/${company}`, { amount: 1 })).body, { warnings: [{ budgetId: company }] })
  await admin('DELETE', path)
  t.same((await admin('PUT', `/budgets/${company}`, { name: 'firm' })).body['warnings'], undefined)
  t.match((await admin('POST', `${path}/restore`)).body, { warnings: [{ budgetId: company, message: /below "firm"/ }] })
})
