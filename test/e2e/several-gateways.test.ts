import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type PrivateRedis, startRedis } from '../services/redis.ts'
import { aGateway, type GatewayUnderTest, type Json } from './gateway.ts'

const code = (json: Json) => ((json['error'] as Json)['relaycore'] as Json)['code']

/** three gateways on one database and one Redis */
type Three = [GatewayUnderTest & { redis: PrivateRedis }, GatewayUnderTest, GatewayUnderTest]

async function start (t: Test): Promise<Three> {
  const port = 20_000 + Math.floor(Math.random() * 20_000)
  const redis = await startRedis(port)
  t.teardown(redis.stop)
  const env = { REDIS_URL: `redis://127.0.0.1:${port}` }
  const a = await aGateway(t, env)
  const again = { ...env, DATABASE_URL: a.core.config.databaseUrl ?? '' }
  return [Object.assign(a, { redis }), await aGateway(t, again), await aGateway(t, again)]
}

/** what one test leaves is no matter of the next */
async function clear (all: Three): Promise<void> {
  const [a] = all
  for (const { provider } of all) provider.behave = undefined
  const { body } = await a.admin('GET', '/budgets')
  for (const { id } of body['budgets'] as Json[]) await a.admin('DELETE', `/budgets/${String(id)}`)
}

t.test('gateways that share a database and a Redis', async (t) => {
  const all = await start(t)
  const [a, b] = all
  t.afterEach(() => clear(all))

  await t.test('a gateway refuses without a query what another one used up, and admits within a second of a raise', async (t) => {
    for (const { provider } of [a, b]) provider.behave = () => ({ usage: { input: 10, output: 40 } })
    const budget = await a.budget({ amount: '0.001' })
    const key = await a.key()
    // b gets to know the budget's account
    t.equal((await b.chat(key, { max_tokens: 40 })).status, 200)
    await b.events()
    let answer = await a.chat(key, { max_tokens: 40 })
    while (answer.status === 200 || code(answer.json) === 'budget_contention') {
      await a.events()
      answer = await a.chat(key, { max_tokens: 40 })
    }
    t.equal(code(answer.json), 'budget_exhausted')
    // the next refusals of a keep its figures fresh; b hears of them by message, on a slow machine perhaps too late
    let asked = Infinity
    for (let tries = 0; tries < 10 && asked > 0; tries++) {
      await a.chat(key, { max_tokens: 40 })
      await wait(60)
      const grants = b.core.tracker.grants
      const queries = b.core.authority.queries.grants
      const refused = await b.chat(key, { max_tokens: 40 })
      t.equal(code(refused.json), 'budget_exhausted')
      asked = b.core.tracker.grants - grants
      if (asked === 0) t.ok(b.core.authority.queries.grants - queries <= 1, 'but for a heartbeat')
    }
    t.equal(asked, 0, 'nothing was asked of PostgreSQL')

    const raised = Date.now()
    t.equal((await a.admin('PUT', `/budgets/${budget}`, { amount: '1' })).status, 200)
    while ((await b.chat(key, { max_tokens: 40 })).status !== 200) {
      if (Date.now() - raised > 5_000) throw new Error('the raise is not seen')
      await wait(10)
    }
    t.ok(Date.now() - raised < 1_000, `${Date.now() - raised} ms`)
  })

  await t.test('of calls that race at three gateways as many pass as the rate allows, and as the budget allows', async (t) => {
    for (const { provider } of all) provider.behave = () => ({ usage: { input: 10, output: 40 } })
    const budget = await a.budget({ amount: '0.03' })
    const raced = async (key: string, calls: number) => {
      const answers = await Promise.all(Array.from({ length: calls }, (_, i) =>
        (all[i % 3] as GatewayUnderTest).chat(key, { max_tokens: 40 })))
      const count = new Map<unknown, number>()
      for (const { status, json } of answers) {
        const what = status === 200 ? 200 : code(json)
        count.set(what, (count.get(what) ?? 0) + 1)
      }
      return Object.fromEntries(count)
    }
    t.same(await raced(await a.key({ rateLimits: { requestsPerMinute: 3 } }), 45), { 200: 3, rate_limited: 42 })

    for (const one of all) await one.events()
    const slots = await a.key({ rateLimits: { concurrentCalls: 4 } })
    let go: () => void = () => {}
    const until = new Promise<void>((resolve) => { go = resolve })
    for (const { provider } of all) provider.behave = () => ({ until, usage: { input: 10, output: 40 } })
    const racing = raced(slots, 30)
    const open = () => all.reduce((sum, { core }) => sum + core.gate.openCalls, 0)
    const refused = () => all.reduce((sum, { logs }) => sum + logs.filter((line) => line.includes('"rate_limited"')).length, 0)
    while (open() < 4 || refused() < 42 + 26) await wait(5)
    go()
    t.same(await racing, { 200: 4, rate_limited: 26 })

    for (const { provider } of all) provider.behave = () => ({ usage: { input: 10, output: 40 } })
    for (const one of all) await one.events()
    const free = await raced(await a.key({ rateLimits: { requestsPerMinute: 1_000, concurrentCalls: 1_000 } }), 90)
    t.notOk('rate_limited' in free)
    for (const one of all) await one.events()
    const { body } = await a.admin('GET', `/budgets/${budget}/status`)
    t.ok(Number(body['currentAmount']) <= 0.03, 'money is never overspent, whoever is limited')
    t.equal(body['held'], '0')
  })

  await t.test('a new key, and a revoked one, act everywhere within a second', async (t) => {
    await a.budget()
    const made = (await a.admin('POST', '/keys', { name: 'k', organizationId: 'acme' })).body
    t.equal((await b.chat(String(made['key']), {})).status, 200, 'a new key works at once')
    await a.admin('DELETE', `/keys/${made['id']}`)
    t.equal((await a.chat(String(made['key']), {})).status, 401)
    const revoked = Date.now()
    while ((await b.chat(String(made['key']), {})).status === 200) await wait(10)
    t.ok(Date.now() - revoked < 1_000)
  })

  await t.test('gateways that share a Redis limit rates together, and by themselves once it is gone', async (t) => {
    await a.budget()
    const key = await a.key({ rateLimits: { requestsPerMinute: 4 } })
    const ask = async (gateway: GatewayUnderTest) => {
      const { status, headers } = await gateway.chat(key, { max_tokens: 10 })
      return [status, headers.get('x-ratelimit-remaining-requests')]
    }
    t.same(await ask(a), [200, '3'])
    t.same(await ask(b), [200, '2'])
    t.same(await ask(a), [200, '1'])
    t.same(await ask(b), [200, '0'])
    t.same(await ask(a), [429, '0'])
    t.same(await ask(b), [429, '0'])
    await a.redis.stop()
    t.same(await ask(a), [200, '1'], 'a itself has let two through')
    t.same(await ask(a), [200, '0'])
    t.same(await ask(a), [429, '0'])
    t.match(await (await fetch(`${a.url}/metrics`)).text(), /relaycore_rate_decisions_alone 3/)
  })
})

t.test('without Redis the gateway goes on with its leases and PostgreSQL alone', async (t) => {
  const redis = await startRedis(40_321)
  const gateway = await aGateway(t, { REDIS_URL: 'redis://127.0.0.1:40321' })
  await gateway.budget()
  const key = await gateway.key()
  t.equal((await gateway.chat(key, {})).status, 200)
  await redis.stop()
  for (let i = 0; i < 5; i++) t.equal((await gateway.chat(key, {})).status, 200)
  t.equal((await gateway.events()).length, 6)
  t.match(await (await fetch(`${gateway.url}/metrics`)).text(), /relaycore_redis_up 0/)
})
