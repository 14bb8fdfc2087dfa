import { EventEmitter, once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { anOrganization, type GatewayUnderTest, type Json } from './gateway.ts'

// What is added to a budget and taken from it, and what is approved, while calls are held on it.

const code = (json: Json) => ((json['error'] as Json)['relaycore'] as Json)['code']

/** a call of 10 input tokens and 40 output tokens costs 0.000425 USD; its quote is 0.00062 */
const USAGE = { input: 10, output: 40 }

async function aSpender (fields: object) {
  const gateway = await anOrganization()
  gateway.provider.behave = () => ({ usage: USAGE })
  const budget = await gateway.budget(fields)
  return { gateway, budget, key: await gateway.key() }
}

const statusOf = async ({ admin }: GatewayUnderTest, budget: string) => (await admin('GET', `/budgets/${budget}/status`)).body

/** calls until one is refused; answers how many were not, and why the last one was */
async function callsUntilRefused (gateway: GatewayUnderTest, key: string): Promise<{ calls: number, code: unknown }> {
  for (let calls = 0; ; calls++) {
    const { status, json } = await gateway.chat(key, {})
    if (status === 200) continue
    await gateway.events()
    // what is held while an answer passes is no reason to stop
    if (code(json) !== 'budget_contention') return { calls, code: code(json) }
    calls--
  }
}

t.test('a top-up acts at once, for the running period alone, and its end leaves what is spent', async (t) => {
  const { gateway, budget, key } = await aSpender({ amount: '0.0013' })
  t.strictSame(await callsUntilRefused(gateway, key), { calls: 2, code: 'budget_exhausted' })
  const added = await gateway.admin('POST', `/budgets/${budget}/adjustments`, { kind: 'top-up', amount: '0.001', reason: 'launch' })
  t.match(added, { status: 201, body: { kind: 'top-up', amount: '0.001', reason: 'launch', counterpartBudgetId: null, revokedAt: null } })
  t.match(await statusOf(gateway, budget), { limit: '0.0023', enforcedLimit: '0.0023', currentAmount: '0.00085', percentUsed: 36.9565 })
  t.equal(added.body['to'], (await statusOf(gateway, budget))['periodEnd'])
  t.strictSame(await callsUntilRefused(gateway, key), { calls: 2, code: 'budget_exhausted' })

  const path = `/budgets/${budget}/adjustments/${String(added.body['id'])}`
  t.equal((await gateway.admin('DELETE', path)).status, 204)
  t.match(await statusOf(gateway, budget), { limit: '0.0013', currentAmount: '0.0017', status: 'exceeded', remaining: '0' })
  t.equal((await gateway.admin('DELETE', path)).status, 204, 'once more changes nothing')
  t.match((await gateway.admin('GET', `/budgets/${budget}/adjustments`)).body, {
    count: 1, adjustments: [{ id: added.body['id'], revokedAt: String, revokedBy: String }],
  })
  t.match((await gateway.admin('GET', `/budgets/${budget}/adjustments?current=true`)).body, { count: 0 })
})

t.test('an increase begins and ends by itself, while a call is open on it', async (t) => {
  const { gateway, budget, key } = await aSpender({ amount: '0.0005' })
  const times = { from: new Date(Date.now() + 700).toISOString(), to: new Date(Date.now() + 2_500).toISOString() }
  const added = await gateway.admin('POST', `/budgets/${budget}/adjustments`, { kind: 'increase', amount: '0.0015', reason: 'an hour', ...times })
  t.equal(added.status, 201)
  t.equal(code((await gateway.chat(key, {})).json), 'quote_exceeds_budget', 'not before its time')
  await until(async () => (await gateway.chat(key, {})).status === 200)
  t.ok(Date.now() >= Date.parse(times.from))
  const release = new EventEmitter()
  gateway.provider.behave = () => ({ usage: USAGE, until: once(release, 'now') })
  const open = gateway.chat(key, {})
  await until(async () => (await statusOf(gateway, budget))['held'] !== '0')
  await until(async () => (await statusOf(gateway, budget))['limit'] === '0.0005')
  t.ok(Date.now() >= Date.parse(times.to))
  release.emit('now')
  t.equal((await open).status, 200, 'what was held before it ended is paid')
  gateway.provider.behave = () => ({ usage: USAGE })
  await gateway.events()
  t.not((await gateway.chat(key, {})).status, 200)
  t.match(await statusOf(gateway, budget), { limit: '0.0005', currentAmount: '0.00085', status: 'exceeded' })
})

t.test('a transfer takes what is left there, and no more', async (t) => {
  const { gateway, budget, key } = await aSpender({ amount: '0.0013' })
  const { organizationId } = gateway
  const team = await gateway.budget({ name: 'team', scopeType: 'team', scopeId: 'search', organizationId, amount: '0.01' })
  t.strictSame(await callsUntilRefused(gateway, key), { calls: 2, code: 'budget_exhausted' })
  const move = async (from: string, toBudgetId: string, amount: string) =>
    await gateway.admin('POST', `/budgets/${from}/transfers`, { toBudgetId, amount, reason: 'moved' })
  t.match(await move(team, budget, '0.0101'), { status: 422, body: { field: 'amount', detail: /at most the 0.01 USD/ } })
  const moved = await move(team, budget, '0.004')
  t.match(moved, {
    status: 201,
    body: { from: { budgetId: team, amount: '-0.004', counterpartBudgetId: budget }, to: { budgetId: budget, amount: '0.004', counterpartBudgetId: team } },
  })
  t.match(await statusOf(gateway, team), { limit: '0.006' })
  t.match(await statusOf(gateway, budget), { limit: '0.0053' })
  t.equal((await gateway.chat(key, {})).status, 200)
  await gateway.events()
  t.match(await move(budget, team, '0.005'), { status: 422, body: { detail: /at most the 0.004025 USD/ } }, 'what is spent stays')
  const id = String((moved.body['to'] as Json)['id'])
  t.equal((await gateway.admin('DELETE', `/budgets/${budget}/adjustments/${id}`)).status, 204)
  t.match(await statusOf(gateway, team), { limit: '0.01' }, 'both sides end')
  t.match(await statusOf(gateway, budget), { limit: '0.0013' })
  for (const [other, detail] of [
    [await gateway.budget({ name: 'globex', scopeId: 'globex' }), /same organization/],
    [budget, /another budget/],
  ] as const) t.match((await move(budget, other, '0.0001')).body, { detail })
})

t.test('of what was moved away nothing can be moved again, also where no call has come yet', async (t) => {
  const gateway = await anOrganization()
  const [from, toBudgetId] = [await gateway.budget({ amount: '1' }), await gateway.budget({ name: 'other', amount: '1' })]
  const move = async (amount: string) => await gateway.admin('POST', `/budgets/${from}/transfers`, { toBudgetId, amount, reason: 'r' })
  t.equal((await move('0.7')).status, 201)
  t.match(await move('0.7'), { status: 422, body: { detail: /at most the 0.3 USD/ } })
  t.equal((await move('0.3')).status, 201)
  t.match(await statusOf(gateway, from), { limit: '0', remaining: '0', percentUsed: 100 })
})

t.test('transfers at once, both ways, never make nor lose anything', async (t) => {
  const gateway = await anOrganization()
  const budgets = [await gateway.budget({ amount: '1' }), await gateway.budget({ name: 'other', amount: '1' })] as const
  const answers = await Promise.all(Array.from({ length: 24 }, (_, n) => gateway.admin('POST', `/budgets/${budgets[n % 2]}/transfers`, {
    toBudgetId: budgets[(n + 1) % 2], amount: n % 3 === 0 ? '0.7' : '0.3', reason: 'there and back',
  })))
  t.ok(answers.every(({ status }) => [201, 422].includes(status)))
  const limits = await Promise.all(budgets.map(async (id) => Number((await statusOf(gateway, id))['limit'])))
  t.equal((limits[0] ?? 0) + (limits[1] ?? 0), 2)
  t.ok(limits.every((limit) => limit >= 0))
})

t.test('past its threshold a budget asks for approval; granted it admits, revoked it does not', async (t) => {
  const { gateway, budget, key } = await aSpender({ amount: '0.01', alerts: [{ threshold: 13, actions: ['require-approval'] }] })
  t.match(await statusOf(gateway, budget), { limit: '0.01', enforcedLimit: '0.0013' })
  t.strictSame(await callsUntilRefused(gateway, key), { calls: 2, code: 'approval_required' })
  const refused = await gateway.chat(key, {})
  t.equal(refused.status, 429)
  t.equal(refused.headers.get('x-should-retry'), 'false')
  t.match(refused.json['error'], { message: new RegExp(`POST /api/v1/approval-requests \\{"budgetId": "${budget}", "amount": "0.00017"`) })
  t.match((await gateway.admin('POST', `/budgets/${budget}/check-constraints`, { estimatedCost: '0.0005' })).body, {
    canProceed: false, code: 'approval_required', suggestedActions: [/Wait until/, /Ask for an approval of at least 0.00005 USD/],
  })

  const asClient = { authorization: `Bearer ${key}` }
  const ask = { budgetId: budget, amount: '0.001', reason: 'an evaluation' }
  const asked = await gateway.admin('POST', '/approval-requests', ask, asClient)
  t.match(asked, { status: 201, body: { state: 'open', amount: '0.001', currency: 'USD', keyId: String, adjustmentId: null } })
  t.match(await gateway.admin('POST', '/approval-requests', ask, asClient), { status: 409 }, 'one open request is enough')
  const path = `/approval-requests/${String(asked.body['id'])}`
  t.equal((await gateway.admin('POST', `${path}/approve`, {}, asClient)).status, 403, 'nobody approves their own')

  const approved = await gateway.admin('POST', `${path}/approve`)
  t.match(approved, { status: 200, body: { state: 'approved', decidedBy: String, adjustmentId: String } })
  t.match(await statusOf(gateway, budget), { limit: '0.01', enforcedLimit: '0.0023' })
  t.equal((await gateway.chat(key, {})).status, 200)
  t.match(await gateway.admin('POST', `${path}/deny`), { status: 409 })
  t.match((await gateway.admin('GET', path, undefined, asClient)).body, { state: 'approved' })

  t.equal((await gateway.admin('DELETE', `/budgets/${budget}/adjustments/${String(approved.body['adjustmentId'])}`)).status, 204)
  await gateway.events()
  t.equal(code((await gateway.chat(key, {})).json), 'approval_required')

  const again = await gateway.admin('POST', '/approval-requests', { ...ask, amount: undefined }, asClient)
  const other = `/approval-requests/${String(again.body['id'])}`
  t.match(await gateway.admin('POST', `${other}/approve`, {}), { status: 400, body: { field: 'amount' } }, 'neither an amount nor a time')
  const to = new Date(Date.now() + 3_600_000).toISOString()
  t.match(await gateway.admin('POST', `${other}/approve`, { to }), { status: 200 })
  t.match(await statusOf(gateway, budget), { enforcedLimit: '0.01' }, 'for a time: whatever block-all leaves')
  t.match((await gateway.admin('GET', `/approval-requests?state=approved&budgetId=${budget}`)).body, { count: 2 })
})

t.test('what is unused goes on into the next period, and what is open then comes when it has ended', async (t) => {
  const gateway = await anOrganization()
  const now = Date.now()
  const budget = await gateway.budget({
    amount: '0.002',
    period: 'custom',
    recurring: true,
    startDate: new Date(now).toISOString(),
    endDate: new Date(now + 6_000).toISOString(),
    carryOver: true,
  })
  t.match((await gateway.admin('GET', `/budgets/${budget}`)).body, { carryOver: { percent: 100, max: null, debt: true } })
  const key = await gateway.key()
  gateway.provider.behave = () => ({ usage: USAGE })
  t.equal((await gateway.chat(key, {})).status, 200)
  const release = new EventEmitter()
  gateway.provider.behave = () => ({ usage: USAGE, until: once(release, 'now') })
  const open = gateway.chat(key, {})
  const first = (await statusOf(gateway, budget))['periodStart']
  t.match(await statusOf(gateway, budget), { limit: '0.002', limitParts: { amount: '0.002', carriedOver: '0', adjustments: '0' } })
  await until(async () => (await statusOf(gateway, budget))['periodStart'] !== first)
  gateway.provider.behave = () => ({ usage: USAGE })
  t.equal((await gateway.chat(key, {})).status, 200)
  const { limit, limitParts } = await statusOf(gateway, budget) as { limit: string, limitParts: Json }
  t.ok(Number(limit) < 0.00315, `${limit}: what the open call may cost is not there yet`)
  t.equal(Number(limit).toFixed(9), (0.002 + Number(limitParts['carriedOver'])).toFixed(9))
  release.emit('now')
  t.equal((await open).status, 200)
  await until(async () => ((await statusOf(gateway, budget))['limitParts'] as Json)['carriedOver'] === '0.00115')
  t.match(await statusOf(gateway, budget), { limit: '0.00315', currentAmount: '0.000425' })
  for (const [carryOver, field] of [[{ percent: 101 }, 'carryOver/percent'], [{ max: '-1' }, 'carryOver/max'], [{ all: true }, 'carryOver/all'], ['yes', 'carryOver']]) {
    t.match(await gateway.admin('PATCH', `/budgets/${budget}`, { carryOver }), { status: 400, body: { field } })
  }
})

t.test('thresholds may be amounts: they limit, judge models, and are crossed', async (t) => {
  const { gateway, budget, key } = await aSpender({
    amount: '10',
    alerts: [
      { amount: '0.0004' },
      { amount: '0.0008', actions: ['restrict-models'], models: ['gpt-4o-mini'] },
      { amount: '0.0015', actions: ['block-all'] },
    ],
  })
  t.match(await statusOf(gateway, budget), { limit: '10', enforcedLimit: '0.0015' })
  t.strictSame(await callsUntilRefused(gateway, key), { calls: 2, code: 'model_restricted' })
  t.match((await gateway.chat(key, {})).json['error'], { message: /from 0.0008 USD on it does not allow/ })
  t.match((await statusOf(gateway, budget))['activeAlerts'], [{ threshold: null, amount: '0.0004' }, { threshold: null, amount: '0.0008' }])
  t.match((await gateway.admin('POST', `/budgets/${budget}/alerts/amount:0.0004/acknowledge`)).body, { acknowledged: true, amount: '0.0004' })
  t.match(await gateway.admin('POST', `/budgets/${budget}/alerts/amount:7/acknowledge`), { status: 404, body: { detail: /has not crossed 7 in/ } })
  const wrong: [object, string][] = [
    [{ amount: '11', actions: ['block-all'] }, 'alerts/0/amount'],
    [{ threshold: 101, actions: ['require-approval'] }, 'alerts/0/threshold'],
    [{ amount: '1', threshold: 5 }, 'alerts/0/amount'],
    [{ actions: ['notify'] }, 'alerts/0/threshold'],
  ]
  for (const [alert, field] of wrong) {
    t.match(await gateway.admin('PATCH', `/budgets/${budget}`, { alerts: [alert] }), { status: 400, body: { field } })
  }
})

t.test('of a budget for each of many, one gets more, and no other', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  gateway.provider.behave = () => ({ usage: USAGE })
  const budget = await gateway.budget({
    scopeType: 'user', scopeId: '*', organizationId, amount: '0.01', alerts: [{ threshold: 13, actions: ['require-approval'] }],
  })
  const key = await gateway.key({ userId: 'ada' })
  t.strictSame(await callsUntilRefused(gateway, key), { calls: 2, code: 'approval_required' })
  const asked = await gateway.admin('POST', '/approval-requests', { budgetId: budget, amount: '0.001', reason: 'r' }, { authorization: `Bearer ${key}` })
  t.match(asked.body, { subject: 'ada', state: 'open' }, 'a key asks for itself')
  t.equal((await gateway.admin('POST', `/approval-requests/${String(asked.body['id'])}/approve`, {})).status, 200)
  t.equal((await gateway.chat(key, {})).status, 200)
  const of = async (subject: string) => (await gateway.admin('GET', `/budgets/${budget}/status?subject=${subject}`)).body
  t.match(await of('ada'), { limit: '0.01', enforcedLimit: '0.0023' })
  t.match(await of('bob'), { limit: '0.01', enforcedLimit: '0.0013' })
  const added = await gateway.admin('POST', `/budgets/${budget}/adjustments`, { kind: 'top-up', amount: '0.01', reason: 'r', subject: 'bob' })
  t.match(added, { status: 201, body: { subject: 'bob' } })
  t.match(await of('bob'), { limit: '0.02', enforcedLimit: '0.0026' })
  t.match(await of('ada'), { limit: '0.01' })
  const other = { ...await gateway.admin('POST', '/approval-requests', { budgetId: budget, reason: 'r', subject: 'bob' }, { authorization: `Bearer ${key}` }) }
  t.match(other, { status: 400, body: { field: 'subject' } }, 'and for nobody else')
  const plain = await gateway.budget()
  t.match(await gateway.admin('POST', `/budgets/${plain}/adjustments`, { kind: 'top-up', amount: '1', reason: 'r', subject: 'ada' }),
    { status: 400, body: { field: 'subject' } })
})

t.test('what makes no sense is refused by the field', async (t) => {
  const gateway = await anOrganization()
  const budget = await gateway.budget()
  const add = { kind: 'increase', amount: '1', reason: 'r', to: '2999-01-01T00:00:00Z' }
  const wrong: [object, string][] = [
    [{ ...add, amount: '-1' }, 'amount'], [{ ...add, amount: '0' }, 'amount'], [{ ...add, to: '2000-01-01T00:00:00Z' }, 'to'],
    [{ ...add, to: undefined }, 'to'], [{ ...add, to: 'tomorrow' }, 'to'], [{ ...add, from: 'x' }, 'from'], [{ ...add, reason: ' ' }, 'reason'],
    [{ ...add, kind: 'gift' }, 'kind'], [{ ...add, kind: 'top-up' }, 'to'], [{ ...add, by: 'me' }, 'by'],
  ]
  for (const [body, field] of wrong) {
    t.match(await gateway.admin('POST', `/budgets/${budget}/adjustments`, body), { status: 400, body: { code: 'invalid_field', field } }, JSON.stringify(body))
  }
  t.match(await gateway.admin('POST', '/approval-requests', { budgetId: budget, reason: 'r', amount: '1' }), { status: 201 })
  const { body } = await gateway.admin('GET', '/approval-requests')
  const [request] = body['requests'] as Json[]
  t.match(await gateway.admin('POST', `/approval-requests/${String(request?.['id'])}/approve`, {}), { status: 422, body: { detail: /requires no approval/ } })
  t.equal((await gateway.admin('DELETE', `/budgets/${budget}`)).status, 204)
  t.match(await gateway.admin('POST', `/budgets/${budget}/adjustments`, add), { status: 409 })
})

async function until (done: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!await done()) {
    if (Date.now() > deadline) throw new Error('it does not come about')
    await wait(20)
  }
}
