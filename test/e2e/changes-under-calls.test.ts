import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { aGateway, type GatewayUnderTest, type Json } from './gateway.ts'

// What an administrator changes while calls are open on it: open calls end on the accounts that they were held on.

const USAGE = { input: 10, output: 40 }
/** gpt-4o: 10 x 2.50 and 40 x 10.00 USD per million tokens */
const COST = '0.000425'

const code = (json: Json) => ((json['error'] as Json)['relaycore'] as Json)['code']

function aGate () {
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => { end = resolve })
  return { end, ended }
}

/** `count` calls that have reached the provider, and go on until the function that is answered lets them end */
async function openCalls (t: Test, gateway: GatewayUnderTest, key: string, count: number) {
  const { provider } = gateway
  const { end, ended } = aGate()
  provider.behave = () => ({ until: ended, usage: USAGE })
  const answers = Array.from({ length: count }, () => gateway.chat(key, {}))
  while (provider.books.length < count) await once(provider.events, 'arrived')
  provider.behave = () => ({ usage: USAGE })
  return async () => {
    end()
    for (const { status } of await Promise.all(answers)) t.equal(status, 200, 'an open call ends in order')
    await gateway.events()
  }
}

async function status ({ admin }: GatewayUnderTest, budget: string): Promise<Json> {
  return (await admin('GET', `/budgets/${budget}/status`)).body
}

/** accounts, leases, records and the cache say the same; nothing is leased but what this gateway owns */
async function auditedBooks (t: Test, { core }: GatewayUnderTest): Promise<void> {
  const rows = await core.database.query<Record<'settled' | 'cached' | 'charged' | 'leased' | 'leases', string>>({
    text: `select a.settled_nano as settled, coalesce(c.settled_nano, 0) as cached, a.leased_nano as leased,
        (select coalesce(sum(r.amount_nano), 0) from budget_usage_records r where r.account_id = a.id) as charged,
        (select coalesce(sum(l.granted_nano - l.returned_nano - l.posted_nano), 0) from leases l where l.account_id = a.id)
          + a.long_held_nano as leases
      from budget_accounts a left join budget_status_cache c on c.account_id = a.id`,
  })
  t.ok(rows.length > 0)
  for (const row of rows) {
    t.equal(row.settled, row.charged)
    t.equal(row.settled, row.cached)
    t.equal(row.leased, row.leases)
  }
}

t.test('a budget that is archived during a call is charged for it, and applies no more', async (t) => {
  const gateway = await aGateway(t)
  const budget = await gateway.budget()
  const key = await gateway.key()
  const finish = await openCalls(t, gateway, key, 3)

  t.equal((await gateway.admin('DELETE', `/budgets/${budget}`)).status, 204)
  const late = await gateway.chat(key, {})
  t.equal(late.status, 403)
  t.equal(code(late.json), 'no_budget')
  await finish()

  t.match(await status(gateway, budget), { currentAmount: '0.001275', held: '0' })
  await auditedBooks(t, gateway)
})

t.test('a limit lowered below what is spent refuses at once, lets open calls end and shows the excess', async (t) => {
  const gateway = await aGateway(t)
  const budget = await gateway.budget()
  const key = await gateway.key()
  const finish = await openCalls(t, gateway, key, 3)

  t.equal((await gateway.admin('PATCH', `/budgets/${budget}`, { amount: '0.0004' },
    { 'content-type': 'application/merge-patch+json' })).status, 200)
  t.equal(code((await gateway.chat(key, {})).json), 'quote_exceeds_budget')
  t.equal(code((await gateway.chat(key, { max_tokens: 1 })).json), 'budget_contention', 'open calls hold more than there is')
  await finish()
  t.equal(code((await gateway.chat(key, { max_tokens: 1 })).json), 'budget_exhausted')

  const found = await status(gateway, budget)
  t.match(found, { currentAmount: '0.001275', remaining: '0', held: '0', status: 'exceeded' })
  const deadline = Date.now() + 3_000
  while ((await status(gateway, budget))['leased'] !== '0' && Date.now() < deadline) await wait(20)
  t.match(await status(gateway, budget), { leased: '0' }, 'what no open call holds goes back')
  await auditedBooks(t, gateway)
})

t.test('a call that is open while its budget gets another parent is charged to the parent that it was held on', async (t) => {
  const gateway = await aGateway(t)
  const [before, after] = [await gateway.budget({ name: 'before' }), await gateway.budget({ name: 'after', amount: '20' })]
  // neither applies by its own scope
  for (const parent of [before, after]) {
    t.equal((await gateway.admin('PUT', `/budgets/${parent}`, { scopeType: 'team', scopeId: 'nobody', organizationId: 'acme' })).status, 200)
  }
  const child = await gateway.budget({ name: 'child', scopeType: 'user', scopeId: 'ada', organizationId: 'acme', parentBudgetId: before })
  const key = await gateway.key({ userId: 'ada' })
  const finish = await openCalls(t, gateway, key, 2)

  t.equal((await gateway.admin('PUT', `/budgets/${child}`, { parentBudgetId: after })).status, 200)
  t.equal((await gateway.chat(key, {})).status, 200)
  await finish()

  t.match(await status(gateway, child), { currentAmount: '0.001275' })
  t.match(await status(gateway, before), { currentAmount: '0.00085' })
  t.match(await status(gateway, after), { currentAmount: COST })
  await auditedBooks(t, gateway)
})

t.test('whatever is changed while calls run, each that reached the provider is recorded once and the books agree', async (t) => {
  const gateway = await aGateway(t)
  const parents = [await gateway.budget({ name: 'one' }), await gateway.budget({ name: 'two' })]
  const child = await gateway.budget({ name: 'c', scopeType: 'user', scopeId: 'ada', organizationId: 'acme', parentBudgetId: parents[0] })
  const key = await gateway.key({ userId: 'ada' })
  gateway.provider.behave = () => ({ delayMs: 5, usage: USAGE })
  const running = { calls: true }
  const callers = Array.from({ length: 12 }, async () => {
    // refusals are quick: until one change has let a call through, too
    for (let i = 0, admitted = 0; i < 12 || admitted === 0; i++) {
      if ((await gateway.chat(key, {})).status === 200) admitted++
    }
  })
  const changes = [
    { method: 'PUT', body: { parentBudgetId: parents[1] } }, { method: 'PUT', body: { amount: '0.0001' } },
    { method: 'DELETE' }, { method: 'POST', to: '/restore' }, { method: 'PUT', body: { paused: true } },
    { method: 'PUT', body: { parentBudgetId: null, paused: false } }, { method: 'PUT', body: { amount: '10' } },
    { method: 'PUT', body: { mode: 'soft' } }, { method: 'PUT', body: { parentBudgetId: parents[0], mode: 'enforced' } },
  ]
  const changer = (async () => {
    for (let i = 0; running.calls; i++) {
      const { method, body, to = '' } = changes[i % changes.length] as { method: string, body?: object, to?: string }
      t.ok((await gateway.admin(method, `/budgets/${child}${to}`, body)).status < 300, method)
    }
  })()
  await Promise.all(callers)
  running.calls = false
  await changer

  const events = await gateway.events()
  t.equal(events.length, gateway.provider.books.length)
  t.ok(events.length > 10, `${events.length} calls were admitted`)
  for (const event of events) t.match(event, { certainty: 'exact', cost_nano: '425000' })
  await auditedBooks(t, gateway)
})
