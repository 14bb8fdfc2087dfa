import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startRedis } from '../../services/redis.ts'
import { aGateway, anOrganization, type GatewayUnderTest, type Json } from '../../e2e/gateway.ts'

const status = async (gateway: GatewayUnderTest, id: string): Promise<Json> =>
  (await gateway.admin('GET', `/budgets/${id}/status`)).body

/** asks again until the figures are so, or time is up */
async function until (gateway: GatewayUnderTest, id: string, so: (figures: Json) => boolean): Promise<Json> {
  for (let i = 0; i < 200; i++) {
    const figures = await status(gateway, id)
    if (so(figures)) return figures
    await wait(25)
  }
  return await status(gateway, id)
}

/** a call that stays open until it is let go */
function aSlowProvider ({ provider }: GatewayUnderTest): () => void {
  let go = () => {}
  const gate = new Promise<void>((resolve) => { go = resolve })
  provider.behave = () => ({ usage: { input: 10, output: 40 }, until: gate })
  return go
}

t.test('figures of a period in the middle of calls, and when they changed', async (t) => {
  const gateway = await anOrganization()
  const id = await gateway.budget({ alerts: [{ threshold: 50, actions: ['block-all'] }] })
  const made = await status(gateway, id)
  t.match(made, {
    budgetId: id,
    currentAmount: '0',
    limit: '10',
    enforcedLimit: '5',
    remaining: '5',
    held: '0',
    leased: '0',
    inDoubt: '0',
    heldIsUpperBound: false,
    percentUsed: 0,
    burnRate: '0',
    projectedTotal: '0',
    status: 'normal',
    state: 'running',
    activeAlerts: [],
  })
  t.equal(made['lastUpdated'], (await gateway.admin('GET', `/budgets/${id}`)).body['updatedAt'], 'nothing has happened since')
  const key = await gateway.key()
  t.equal((await gateway.chat(key, {})).status, 200)
  await gateway.events()
  const spent = await status(gateway, id)
  t.ok(Number(spent['currentAmount']) > 0 && Number(spent['leased']) > 0)
  t.equal(Number(spent['remaining']).toFixed(9), (5 - Number(spent['currentAmount'])).toFixed(9), 'idle leases are no spending')
  t.ok(String(spent['lastUpdated']) > String(made['lastUpdated']))
  const again = await status(gateway, id)
  t.equal(again['lastUpdated'], spent['lastUpdated'])
})

t.test('of a budget that has ended its last period is shown, of one that has not begun its first', async (t) => {
  const { admin, budget } = await anOrganization()
  const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
  const read = async (fields: object) => (await admin('GET', `/budgets/${await budget(fields)}/status`)).body
  t.match(await read({ startDate: '2026-01-10T00:00:00Z', endDate: '2026-03-11T00:00:00Z' }), {
    state: 'ended',
    daysRemaining: 0,
    periodStart: '2026-03-01T00:00:00.000Z',
    periodEnd: '2026-04-01T00:00:00.000Z',
    projectedTotal: '0',
  })
  t.match(await read({ startDate: '2099-01-11T00:00:00Z' }), {
    state: 'not_started', daysRemaining: 21, periodStart: '2099-01-01T00:00:00.000Z', projectedTotal: '0',
  })
  t.match(await read({ period: 'custom', startDate: day(-1) }), {
    state: 'running', daysRemaining: null, projectedTotal: null, periodEnd: null, burnRate: '0',
  })
  t.match(await read({ paused: true }), { state: 'paused' })
  const archived = await budget()
  await admin('DELETE', `/budgets/${archived}`)
  t.match((await admin('GET', `/budgets/${archived}/status`)).body, { state: 'archived' })
})

t.test('an alert is acknowledged once, by whom it first was', async (t) => {
  const gateway = await anOrganization()
  const id = await gateway.budget({ alerts: [{ threshold: 0.0005 }, { threshold: 90 }] })
  await gateway.chat(await gateway.key(), {})
  await gateway.events()
  const path = `/budgets/${id}/alerts/0.0005/acknowledge`
  t.match(await status(gateway, id), { activeAlerts: [{ threshold: 0.0005, acknowledged: false }] })

  const [first, second] = await Promise.all([gateway.admin('POST', path), gateway.admin('POST', path)])

  const acknowledged = { threshold: 0.0005, acknowledged: true, acknowledgedBy: String, acknowledgedAt: String }
  t.match(first, { status: 200, body: acknowledged })
  t.same(second?.body, first?.body)
  t.same((await gateway.admin('POST', path)).body, first?.body)
  t.match(await status(gateway, id), { activeAlerts: [first?.body] })
  const { body: log } = await gateway.admin('GET', `/audit?objectType=alert&objectId=${id}`)
  t.match(log, { count: 1, entries: [{ action: 'alert.acknowledged', before: { acknowledged: false }, after: first?.body }] })
  t.match(await gateway.admin('POST', `/budgets/${id}/alerts/90/acknowledge`), { status: 404, body: { code: 'not_found' } })
  t.match(await gateway.admin('POST', `/budgets/${id}/alerts/x/acknowledge`), { status: 400, body: { field: 'threshold' } })
  t.match(await gateway.admin('POST', '/budgets/none/alerts/90/acknowledge'), { status: 404 })
})

/** two gateways on one database and, where there is one, one Redis */
async function two (t: Test, shared: boolean): Promise<[GatewayUnderTest, GatewayUnderTest]> {
  const env: Record<string, string> = {}
  if (shared) {
    const port = 20_000 + Math.floor(Math.random() * 20_000)
    const redis = await startRedis(port)
    t.teardown(redis.stop)
    env['REDIS_URL'] = `redis://127.0.0.1:${port}`
  }
  const a = await aGateway(t, env)
  const b = await aGateway(t, { ...env, DATABASE_URL: a.core.config.databaseUrl ?? '' })
  return [a, b]
}

t.test('what another gateway holds and has spent is counted through Redis, to the nano-unit', async (t) => {
  const [a, b] = await two(t, true)
  const id = await a.budget()
  const key = await a.key()
  t.equal((await b.chat(key, {})).status, 200)
  const go = aSlowProvider(b)
  const open = b.chat(key, {})
  while (b.core.gate.openCalls === 0) await wait(5)
  const own = await status(b, id)
  t.ok(Number(own['held']) > 0)

  const seen = await until(a, id, (figures) =>
    figures['held'] === own['held'] && figures['currentAmount'] === own['currentAmount'])

  for (const field of ['currentAmount', 'held', 'leased', 'remaining', 'heldIsUpperBound', 'inDoubt']) {
    t.equal(seen[field], own[field], field)
  }
  t.equal(seen['heldIsUpperBound'], false)
  go()
  t.equal((await open).status, 200)
  await b.events()
  const settled = await until(a, id, ({ held }) => held === '0')
  t.match(settled, { held: '0', heldIsUpperBound: false })
  t.equal(settled['currentAmount'], (await status(b, id))['currentAmount'])
})

t.test('where another gateway\'s figures are missing, all that it leases counts as held, and it is said', async (t) => {
  const [a, b] = await two(t, false)
  const id = await a.budget()
  t.equal((await b.chat(await a.key(), {})).status, 200)
  await b.events()

  const [seen, own] = [await status(a, id), await status(b, id)]

  t.match(own, { held: '0', heldIsUpperBound: false })
  t.match(seen, { held: own['leased'], leased: '0', heldIsUpperBound: true, currentAmount: own['currentAmount'] })
  t.ok(Number(seen['remaining']) < Number(own['remaining']))
})

t.test('a gateway that is silent is in doubt: held, named by whom, and checks say so', async (t) => {
  const [a, b] = await two(t, false)
  const id = await a.budget()
  t.equal((await b.chat(await a.key(), {})).status, 200)
  await b.events()
  const own = await status(b, id)
  b.core.tracker.stop()
  await a.core.database.query({
    text: "update gateways set heartbeat_at = now() - interval '1 minute' where incarnation = $1",
    values: [b.core.incarnation],
  })

  const seen = await status(a, id)

  t.match(seen, { inDoubt: own['leased'], held: own['leased'], heldIsUpperBound: false })
  const left = Number(seen['remaining'])
  const question = { estimatedCost: (left + 0.000001).toFixed(9) }
  t.match((await a.admin('POST', `/budgets/${id}/check-constraints`, question)).body, {
    canProceed: false,
    code: 'budget_in_doubt',
    retryable: false,
    reason: /is in doubt since/,
    suggestedActions: [/^Wait/, /relaycore reconcile/, /raise/],
  })
})
