import t, { type Test } from 'tap'
import { aGateway, type GatewayUnderTest, type Json } from './gateway.ts'

// Budgets for each of many: one definition, an account for each subject. Through real stores and sockets.

/** a call of 10 input tokens and 40 output tokens costs 0.000425 USD by gpt-4o */
const COST = '0.000425'

async function spending (t: Test): Promise<GatewayUnderTest> {
  const gateway = await aGateway(t)
  gateway.provider.behave = () => ({ usage: { input: 10, output: 40 } })
  return gateway
}

const refusal = (json: Json) => (json['error'] as Json)['relaycore'] as Json

async function statusOf ({ admin }: GatewayUnderTest, id: string, subject: string): Promise<Json> {
  return (await admin('GET', `/budgets/${id}/status?subject=${encodeURIComponent(subject)}`)).body
}

t.test('each user has an account of their own, and one who has spent it keeps no other from theirs', async (t) => {
  const gateway = await spending(t)
  const each = await gateway.budget({ scopeType: 'user', scopeId: '*', organizationId: 'acme', amount: '0.001', name: 'each user' })
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
  const without = await gateway.admin('GET', `/budgets/${each}/status`)
  t.equal(without.status, 400)
  t.match(without.body, { field: 'subject', detail: /account for each user/ })

  const nobody = await gateway.chat(key, call)
  t.equal(nobody.status, 403, 'a call that is for no user has no budget here')
  t.equal(refusal(nobody.json)['code'], 'no_budget')
})

t.test('below a budget, one for each of many is for those of that budget alone', async (t) => {
  const gateway = await spending(t)
  const team = await gateway.budget({ scopeType: 'team', scopeId: 'a', organizationId: 'acme', amount: '5', name: 'team a' })
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
  const gateway = await aGateway(t)
  const budget = { name: 'b', organizationId: 'acme', amount: '10', currency: 'USD', period: 'monthly' }
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
  const one = await gateway.budget({ organizationId: 'acme' })
  const answer = await gateway.admin('GET', `/budgets/${one}/status?subject=x`)
  t.equal(answer.status, 400)
  t.match(answer.body, { field: 'subject', detail: /absent/ })
})
