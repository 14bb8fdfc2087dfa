import { once } from 'node:events'
import t, { type Test } from 'tap'
import { startRedis } from '../services/redis.ts'
import { aGateway, type GatewayUnderTest, type Json } from './gateway.ts'

// Amounts that other systems set aside, beside AI calls: on two gateways that share a database and a Redis.

const ACME = { organizationId: 'acme' }
const USAGE = { input: 10, output: 40 }

async function two (t: Test): Promise<[GatewayUnderTest, GatewayUnderTest]> {
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  const redis = await startRedis(port)
  t.teardown(redis.stop)
  const env = { REDIS_URL: `redis://127.0.0.1:${port}` }
  const a = await aGateway(t, env)
  const b = await aGateway(t, { ...env, DATABASE_URL: a.core.config.databaseUrl ?? '' })
  for (const { provider } of [a, b]) provider.behave = () => ({ usage: USAGE })
  return [a, b]
}

const open = (gateway: GatewayUnderTest, amount: string) => gateway.admin('POST', '/holds', { identity: ACME, amount })
const refusalOf = ({ json }: { json: Json }) => json['error'] as { code: string, message: string, relaycore: Json }

t.test('a hold that one gateway opens another one settles, and of two that settle it at once one does', async (t) => {
  const [a, b] = await two(t)
  const budget = await a.budget()
  const { body: first } = await open(a, '4')
  t.match((await b.admin('GET', `/budgets/${budget}/status`)).body, { held: '4', longHeld: '4', remaining: '6' })
  t.match(await b.admin('POST', `/holds/${first['id']}/settle`, { amount: '3' }), { status: 200, body: { cost: '3' } })
  t.match((await a.admin('GET', `/holds/${first['id']}`)).body, { state: 'settled', cost: '3' })

  const { body: second } = await open(b, '4')
  const settle = (gateway: GatewayUnderTest, amount: string) => gateway.admin('POST', `/holds/${second['id']}/settle`, { amount })
  const answers = await Promise.all([settle(a, '1'), settle(b, '2'), settle(a, '1'), settle(b, '2')])
  const won = answers.find(({ status }) => status === 200)?.body['cost']
  t.same(answers.map(({ status }) => status), ['1', '2', '1', '2'].map((amount) => amount === won ? 200 : 409))
  t.match((await a.admin('GET', `/budgets/${budget}/status`)).body, { held: '0', currentAmount: won === '1' ? '4' : '5' })
})

t.test('of many holds at once on both gateways exactly as many are opened as fit', async (t) => {
  const [a, b] = await two(t)
  const budget = await a.budget({ amount: '1' })
  const answers = await Promise.all(Array.from({ length: 24 }, (_, i) => open(i % 2 === 0 ? a : b, '0.15')))
  t.equal(answers.filter(({ status }) => status === 201).length, 6)
  for (const { body, status } of answers) if (status !== 201) t.match(body, { code: 'budget_held', hold: { id: String } })
  t.match((await a.admin('GET', `/budgets/${budget}/status`)).body, { held: '0.9', remaining: '0.1' })
})

t.test('rights that gateways do not use are recalled for a hold; open calls are waited for by who asks', async (t) => {
  const [a, b] = await two(t)
  const budget = await a.budget({ amount: '0.02' })
  const key = await a.key()
  for (const gateway of [a, b]) t.equal((await gateway.chat(key, {})).status, 200)
  for (const gateway of [a, b]) await gateway.events()
  const { body: before } = await a.admin('GET', `/budgets/${budget}/status`)
  t.ok(Number(before['leased']) > 0, 'both have leased more than they use')
  t.match(before, { currentAmount: '0.00085' })
  const { status, body } = await open(a, '0.019')
  t.equal(status, 201, JSON.stringify(body))
  await a.admin('POST', `/holds/${body['id']}/release`)
  // by figures of just before, b may refuse for a moment what is free again
  while ((await b.chat(key, {})).status !== 200);

  let finish = (): void => undefined
  const until = new Promise<void>((resolve) => { finish = resolve })
  b.provider.behave = () => ({ until, usage: USAGE })
  const call = b.chat(key, { max_tokens: 800 })
  while (b.provider.books.length < 3) await once(b.provider.events, 'arrived')
  const refused = await open(a, '0.0185')
  t.match(refused, { status: 429, body: { code: 'budget_contention', budget: { id: budget }, remedy: /Try again/ } })
  t.equal(refused.headers.get('retry-after'), '1')
  finish()
  t.equal((await call).status, 200)
})

t.test('a call that is short because of a long hold is refused for good, and told which one', async (t) => {
  const [a, b] = await two(t)
  await a.budget({ amount: '1' })
  const key = await a.key()
  t.equal((await b.chat(key, {})).status, 200)
  await b.events()
  const { body: hold } = await open(a, '0.99')
  for (const gateway of [a, b]) {
    const refused = await gateway.chat(key, { max_tokens: 1_500 })
    t.equal(refused.status, 429)
    t.equal(refused.headers.get('x-should-retry'), 'false')
    t.match(refusalOf(refused), { code: 'insufficient_quota', relaycore: { code: 'budget_held', budget: { held: '0.99' } } })
    t.match(refusalOf(refused).message, `the largest (${String(hold['id'])}) until ${String(hold['expiresAt'])}`)
  }
  t.equal((await b.chat(key, {})).status, 200, 'what is left can be used')
  await b.admin('POST', `/holds/${hold['id']}/settle`, { amount: '0.5' })
  for (const gateway of [a, b]) t.equal((await gateway.chat(key, { max_tokens: 1_500 })).status, 200)
})

t.test('a hold outlives its gateway, and its deadline is kept by another', async (t) => {
  const [a, b] = await two(t)
  const budget = await a.budget()
  const { body: hold } = await a.admin('POST', '/holds', { identity: ACME, amount: '2', ttlSeconds: 2 })
  const { body: long } = await open(a, '3')
  await a.app.close()
  await a.core.close()
  t.match((await b.admin('GET', `/budgets/${budget}/status`)).body, { longHeld: /^[35]$/ })
  const state = async () => (await b.admin('GET', `/holds/${hold['id']}`)).body['state']
  while (await state() === 'open');
  t.equal(await state(), 'uncertain')
  t.match((await b.admin('GET', `/budgets/${budget}/status`)).body, { longHeld: '3', currentAmount: '2' })
  t.match(await b.admin('POST', `/holds/${long['id']}/release`), { status: 200 })
})
