import t from 'tap'
import { aGateway, anOrganization, type GatewayUnderTest, type Json } from '../../e2e/gateway.ts'

const DAY_MS = 86_400_000

async function statusOf ({ admin }: GatewayUnderTest, id: string): Promise<Json> {
  return (await admin('GET', `/budgets/${id}/status`)).body
}

async function record ({ admin }: GatewayUnderTest, id: string, body: object): Promise<Json> {
  const answer = await admin('POST', `/budgets/${id}/usage`, body)
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  return answer.body
}

async function history ({ admin }: GatewayUnderTest, id: string, query = ''): Promise<Json[]> {
  return (await admin('GET', `/budgets/${id}/usage${query}`)).body['usage'] as Json[]
}

t.test('usage of a call made elsewhere is charged to its budget and to all above it, and shown as it was recorded', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const organization = await gateway.budget({ scopeType: 'organization', scopeId: organizationId })
  const team = await gateway.budget({ scopeType: 'team', scopeId: 'search', organizationId, parentBudgetId: organization })
  const user = await gateway.budget({ scopeType: 'user', scopeId: 'ada', parentBudgetId: team })
  const metadata = { requestId: 'r-1', modelId: 'gpt-4o', provider: 'openai', userId: 'ada', teamId: 'search', projectId: null, tags: { a: 'b' }, batch: { n: [1] } }
  const timestamp = new Date(Date.now() - 1_000).toISOString()

  const answer = await gateway.admin('POST', `/budgets/${user}/usage`, {
    id: 'invoice/1', amount: 1.25, timestamp, source: 'auterity', description: 'Nightly', metadata,
  })

  t.match(answer, {
    status: 201,
    body: {
      budgetId: user,
      amount: '1.25',
      currency: 'USD',
      timestamp,
      source: 'auterity',
      description: 'Nightly',
      certainty: 'exact',
      quote: '0',
      rate: null,
      original: { amount: '1.25', currency: 'USD' },
      callerId: 'invoice/1',
      reverses: null,
      openedAt: timestamp,
      endedAt: timestamp,
      metadata: { ...metadata, outcome: 'recorded' },
    },
  })
  t.equal(answer.headers.get('location'), `/api/v1/usage/${answer.body['id']}`)
  for (const id of [organization, team, user]) {
    t.match(await statusOf(gateway, id), { currentAmount: '1.25', remaining: '8.75', held: '0' })
    t.match(await history(gateway, id), [{ id: answer.body['id'], budgetId: id, amount: '1.25', metadata }])
  }
  t.same(await history(gateway, user), [answer.body])
  const { charges, ...read } = (await gateway.admin('GET', `/usage/${answer.body['id']}`)).body
  t.same(read, answer.body)
  t.same((charges as Json[]).map(({ budgetId }) => budgetId).sort(), [organization, team, user].sort())
  for (const id of ['none', '01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55', 'ffffffff-ffff-ffff-ffff-ffffffffffff']) {
    t.match(await gateway.admin('GET', `/usage/${id}`), { status: 404, body: { code: 'not_found' } })
  }
})

t.test('a batch is answered as it is read later: new records, known ones and reversals', async (t) => {
  const gateway = await aGateway(t)
  await gateway.core.rates.add([{ currency: 'EUR', rate: '0.9', effectiveAt: Date.UTC(2026, 0) }])
  const top = await gateway.budget({ amount: '5000' })
  const eur = await gateway.budget({ scopeType: 'team', scopeId: 'a', currency: 'EUR', parentBudgetId: top })
  const nowhere = await gateway.budget({ scopeType: 'team', scopeId: 'b', organizationId: undefined })
  const metadata = { tags: { zz: '1', a: 'ü' }, z: { b: [1, 1e21, -0.5], a: null }, userId: 'ada', bb: 1, c: 2 }
  const old = { id: 'known', budgetId: eur, amount: '1.5', metadata }
  const known = await record(gateway, eur, { ...old, budgetId: undefined })
  const records = [
    { budgetId: eur, amount: '0.000000001', metadata, source: 'auterity' },
    old,
    { budgetId: eur.toUpperCase(), amount: '2', currency: 'USD', timestamp: '2026-05-05T05:05:05.555Z', metadata: {} },
    { budgetId: eur, amount: '-0.7', reverses: known['id'], metadata: { why: 'twice' } },
    { budgetId: nowhere, id: 'ü "1"', amount: '0', description: 'nothing', metadata: { tags: {} } },
  ]

  const { status, headers, body } = await gateway.admin('POST', '/usage/batch', { records })

  t.equal(status, 201)
  t.equal(headers.get('idempotency-replayed'), null)
  const usage = body['usage'] as Json[]
  t.same(usage.map(({ amount }) => amount), ['0.000000001', '1.5', '1.8', '-0.7', '0'])
  t.same(usage[1], known)
  for (const one of usage) {
    const { charges, ...read } = (await gateway.admin('GET', `/usage/${one['id']}`)).body
    t.same(read, one)
    t.equal((charges as Json[])[0]?.['amount'], one['amount'])
  }
  const again = await gateway.admin('POST', '/usage/batch', { records: [records[4], records[1]] })
  t.same([again.status, again.headers.get('idempotency-replayed'), again.body['usage']], [201, 'true', [usage[4], known]])
  t.match(await statusOf(gateway, top), { currentAmount: '0.888888892' })
})

t.test('what is recorded counts in the period that holds its time', async (t) => {
  const gateway = await aGateway(t)
  const id = await gateway.budget({ period: 'daily', timezone: 'Europe/Berlin', startDate: '2026-01-01T00:00:00Z' })
  await record(gateway, id, { amount: '3', timestamp: new Date(Date.now() - 40 * DAY_MS).toISOString() })
  await record(gateway, id, { amount: '2' })
  t.match(await statusOf(gateway, id), { currentAmount: '2' })
  await record(gateway, id, { amount: '1', timestamp: '2026-03-29T00:59:59.999Z' })
  await record(gateway, id, { amount: '1', timestamp: '2026-03-29T21:59:59.999Z' })
  await record(gateway, id, { amount: '1', timestamp: '2026-03-29T22:00:00Z' })
  await record(gateway, id, { amount: '1', timestamp: '2025-10-26T12:00:00Z' })
  const rows = await gateway.core.database.query({
    text: 'select period_start, period_end, settled_nano from budget_accounts order by 1 limit 3',
  })
  t.same(rows, [
    { period_start: new Date('2025-10-25T22:00:00Z'), period_end: new Date('2025-10-26T23:00:00Z'), settled_nano: '1000000000' },
    { period_start: new Date('2026-03-28T23:00:00Z'), period_end: new Date('2026-03-29T22:00:00Z'), settled_nano: '2000000000' },
    { period_start: new Date('2026-03-29T22:00:00Z'), period_end: new Date('2026-03-30T22:00:00Z'), settled_nano: '1000000000' },
  ])
})

t.test('in a month that was taken out of the ledger nothing is recorded any more', async (t) => {
  const { admin, budget, core } = await aGateway(t)
  const id = await budget({ startDate: '2020-01-01T00:00:00Z' })
  await core.database.query({ text: "insert into detached_months (month) values ('2025-01-01')" })
  const late = await admin('POST', `/budgets/${id}/usage`, { amount: 1, timestamp: '2025-01-31T23:59:59Z' })
  t.match(late, { status: 422, body: { code: 'unprocessable', detail: /^the records of 2025-01 were taken out of the ledger/ } })
  t.match(await admin('POST', `/budgets/${id}/usage`, { amount: 1, timestamp: '2025-02-01T00:00:00Z' }), { status: 201 })
})

t.test('a rate that a budget above lacks is told as that, by its currency alone', async (t) => {
  const gateway = await aGateway(t)
  const rate = async (currency: string) => await gateway.core.rates.add([{ currency, rate: '9', effectiveAt: Date.UTC(2026, 6) }])
  for (const currency of ['JPY', 'EUR']) await rate(currency)
  const top = await gateway.budget({ currency: 'JPY' })
  const euro = await gateway.budget({ scopeType: 'team', scopeId: 'a', currency: 'EUR', parentBudgetId: top })
  const id = await gateway.budget({ scopeType: 'user', scopeId: 'b', parentBudgetId: euro })
  const timestamp = '2026-01-01T00:00:00Z'
  t.match(await gateway.admin('POST', `/budgets/${id}/usage`, { amount: '1', currency: 'USD', timestamp }), {
    status: 422, body: { field: 'budgetId', detail: /^A budget above this one is in (JPY|EUR), which has no exchange rate at 2026-01-01.*POST \/api\/v1\/exchange-rates$/ },
  })
  t.match(await gateway.admin('POST', '/usage/batch', { records: [{ budgetId: euro, amount: '1', timestamp }] }), {
    status: 422, body: { field: 'records/0/budgetId', detail: /^The budget is in EUR, other than one above it/ },
  })
})

t.test('a reversal takes back of every account what was charged, in all never more than that', async (t) => {
  const gateway = await aGateway(t)
  await gateway.core.rates.add([{ currency: 'EUR', rate: '0.9', effectiveAt: Date.UTC(2026, 0) }])
  await gateway.core.rates.add([{ currency: 'JPY', rate: '151.37', effectiveAt: Date.UTC(2026, 0) }])
  const top = await gateway.budget({ currency: 'JPY', amount: '5000' })
  const id = await gateway.budget({ scopeType: 'team', scopeId: 'a', currency: 'EUR', parentBudgetId: top })
  const made = await record(gateway, id, { amount: '1.000000001' })
  t.match(made, { amount: '1.000000001', currency: 'EUR', rate: '0.9' })
  const half = await record(gateway, id, { amount: '-0.3', reverses: made['id'], description: 'counted twice' })
  t.match(half, { amount: '-0.3', reverses: made['id'], timestamp: made['timestamp'], description: 'counted twice', metadata: { outcome: 'reversed' } })
  t.match(await gateway.admin('POST', `/budgets/${id}/usage`, { amount: '-0.700000002', reverses: made['id'] }), {
    status: 422, body: { code: 'unprocessable', field: 'amount', detail: /0\.700000001$/ },
  })
  await record(gateway, id, { amount: -0.700000001, reverses: made['id'] })
  t.match(await gateway.admin('POST', `/budgets/${id}/usage`, { amount: '-0.000000001', reverses: made['id'] }), {
    status: 422, body: { field: 'amount', detail: /: 0$/ },
  })
  for (const one of [id, top]) t.match(await statusOf(gateway, one), { currentAmount: '0' })
  t.match(await gateway.admin('POST', `/budgets/${id}/usage`, { amount: '-0.1', reverses: half['id'] }), { status: 422, body: { field: 'reverses' } })
  t.match(await gateway.admin('POST', `/budgets/${id}/usage`, { amount: '-0.1', currency: 'USD', reverses: made['id'] }), {
    status: 422, body: { field: 'currency', detail: /EUR/ },
  })
  t.equal((await history(gateway, id)).length, 3)
})

t.test('usage that a gateway metered can be taken back too, in the terms of the budget', async (t) => {
  const gateway = await aGateway(t)
  await gateway.core.rates.add([{ currency: 'EUR', rate: '0.9', effectiveAt: Date.UTC(2026, 0) }])
  const euro = await gateway.budget({ currency: 'EUR' })
  const dollar = await gateway.budget({ scopeType: 'team', scopeId: 'a', organizationId: 'acme' })
  const key = await gateway.key({ teamId: 'a' })
  t.equal((await gateway.chat(key, {})).status, 200)
  await gateway.events()
  const [call] = await history(gateway, euro)
  t.match(call, { source: 'relaycore', reverses: null, metadata: { modelId: 'gpt-4o', outcome: 'completed' } })
  const back = await record(gateway, euro, { amount: `-${call?.['amount']}`, reverses: call?.['id'] })
  t.match(back, { currency: 'EUR', source: 'manual', metadata: { modelId: 'gpt-4o' } })
  for (const id of [euro, dollar]) t.match(await statusOf(gateway, id), { currentAmount: '0' })
})

t.test('a record with an id is recorded once and for good', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const id = await gateway.budget()
  const other = await gateway.budget({ scopeType: 'team', scopeId: 'b', organizationId })
  const body = { id: 'one', amount: '1', metadata: { b: 1, a: { d: 1, c: 2 } } }
  const answers = await Promise.all(Array.from({ length: 8 }, () => gateway.admin('POST', `/budgets/${id}/usage`, body)))
  for (const answer of answers) t.same([answer.status, answer.body], [201, answers[0]?.body])
  t.equal(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null).length, 1)
  t.same((await gateway.admin('POST', `/budgets/${id}/usage`, { metadata: { a: { c: 2, d: 1 }, b: 1 }, amount: 1, id: 'one', currency: 'USD' })).body,
    answers[0]?.body, 'the same in other words')
  t.match(await statusOf(gateway, id), { currentAmount: '1' })
  for (const [budget, change] of [[id, { amount: '2' }], [other, {}], [id, { description: 'x' }], [id, { timestamp: '2026-11-24' }]] as const) {
    t.match(await gateway.admin('POST', `/budgets/${budget}/usage`, { ...body, ...change }), { status: 409, body: { code: 'conflict', field: 'id' } })
  }
  t.not((await record(gateway, id, { ...body, source: 'auterity' }))['id'], answers[0]?.body['id'], 'ids are of a source')
  const foreign = await gateway.budget({ scopeId: 'globex' })
  t.equal((await gateway.admin('POST', `/budgets/${foreign}/usage`, body)).status, 201, 'and of an organization')
  t.match(await statusOf(gateway, id), { currentAmount: '2' })
  const keyed = { 'idempotency-key': `usage-of-${organizationId}` }
  const first = await gateway.admin('POST', `/budgets/${id}/usage`, { amount: '1' }, keyed)
  t.same((await gateway.admin('POST', `/budgets/${id}/usage`, { amount: '1' }, keyed)).body, first.body)
  t.match(await statusOf(gateway, id), { currentAmount: '3' })
})

t.test('a batch is recorded whole or not at all, and its errors name the record', async (t) => {
  const gateway = await aGateway(t)
  const [a, b] = [await gateway.budget(), await gateway.budget({ scopeType: 'team', scopeId: 'b' })]
  const records: Json[] = Array.from({ length: 30 }, (_, i) => ({ budgetId: i % 2 === 0 ? a : b, amount: '0.1', id: `r${i}` }))
  const wrong: [object, number, string][] = [
    [{ amount: '-1' }, 400, 'amount'], [{ amount: 'x' }, 400, 'amount'], [{ amount: null }, 400, 'amount'], [{ amount: '0.0000000001' }, 400, 'amount'],
    [{ currency: 'XYZ' }, 400, 'currency'], [{ currency: 'EUR' }, 422, 'currency'], [{ id: 'r3' }, 400, 'id'],
    [{ budgetId: '01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55' }, 404, 'budgetId'], [{ budgetId: 'x' }, 400, 'budgetId'],
    [{ timestamp: 'yesterday' }, 400, 'timestamp'], [{ timestamp: '2126-01-01' }, 400, 'timestamp'], [{ colour: 1 }, 400, 'colour'],
    [{ metadata: { userId: '' } }, 400, 'metadata/userId'], [{ metadata: { x: 'y'.repeat(9_000) } }, 400, 'metadata'],
    [{ amount: '-1', reverses: '01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55' }, 422, 'reverses'],
    [{ amount: '-1', reverses: 'ffffffff-ffff-4fff-bfff-ffffffffffff' }, 422, 'reverses'],
    [{ amount: '1', reverses: '01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55' }, 400, 'amount'],
    [{ source: 'other' }, 400, 'source'],
  ]
  for (const [change, status, field] of wrong) {
    const answer = await gateway.admin('POST', '/usage/batch', { records: records.with(17, { ...records[17], ...change }) })
    t.match([answer.status, answer.body['field']], [status, `records/17/${field}`], JSON.stringify(change).slice(0, 80))
  }
  t.same(await gateway.core.database.query({ text: 'select from budget_accounts' }), [], 'nothing was left behind')
  t.same(await gateway.core.database.query({ text: 'select from usage_ids' }), [])
  const made = await gateway.admin('POST', '/usage/batch', { records })
  t.match(made, { status: 201, body: { count: 30 } })
  t.same((made.body['usage'] as Json[]).map(({ callerId }) => callerId), records.map(({ id }) => id))
  const again = await gateway.admin('POST', '/usage/batch', { records })
  t.same(again.body, made.body)
  t.equal(again.headers.get('idempotency-replayed'), 'true')
  for (const id of [a, b]) t.match(await statusOf(gateway, id), { currentAmount: '1.5' })
  const more = await gateway.admin('POST', '/usage/batch', { records: [...records.slice(0, 5), { budgetId: a, amount: '2' }] })
  t.match(more, { status: 201, body: { count: 6 } })
  t.match(await statusOf(gateway, a), { currentAmount: '3.5' })
  t.match(await gateway.admin('POST', '/usage/batch', { records: [] }), { status: 400, body: { field: 'records' } })
  t.match(await gateway.admin('POST', '/usage/batch', { records: Array(1_001).fill(records[0]) }), { status: 400, body: { field: 'records' } })
})

t.test('usage is taken whatever state its budget is in, and past its limit', async (t) => {
  const gateway = await anOrganization()
  const top = await gateway.budget()
  const id = await gateway.budget({ scopeType: 'team', scopeId: 'a', parentBudgetId: top, alerts: [{ threshold: 80 }] })
  await gateway.admin('PUT', `/budgets/${id}`, { paused: true })
  await record(gateway, id, { amount: '50' })
  t.match(await statusOf(gateway, id), { currentAmount: '50', remaining: '0', status: 'exceeded', percentUsed: 500, activeAlerts: [{ threshold: 80 }] })
  await gateway.admin('DELETE', `/budgets/${id}`)
  await record(gateway, id, { amount: '1' })
  t.match(await statusOf(gateway, top), { currentAmount: '51' })
  await gateway.admin('DELETE', `/budgets/${top}`)
  await record(gateway, id, { amount: '1' })
  t.match(await statusOf(gateway, top), { currentAmount: '51' }, 'an archived budget above applies no more')
  await record(gateway, id, { amount: '1', timestamp: new Date(Date.now() - 3_600_000).toISOString() })
  t.match(await statusOf(gateway, top), { currentAmount: '52' }, 'but did before')
  const ended = await gateway.budget({ scopeId: 'old', startDate: '2026-01-01', endDate: '2026-02-01' })
  t.match(await gateway.admin('POST', `/budgets/${ended}/usage`, { amount: '1' }), { status: 422, body: { field: 'timestamp', detail: /until 2026-02-01/ } })
  await record(gateway, ended, { amount: '1', timestamp: '2026-01-31T23:59:59Z' })
  const huge = await gateway.budget({ scopeId: 'huge', mode: 'soft' })
  await record(gateway, huge, { amount: '9000000000' })
  t.match(await gateway.admin('POST', `/budgets/${huge}/usage`, { amount: '9000000000' }), { status: 422, body: { code: 'unprocessable' } })
})

t.test('the next call knows what was recorded, on this gateway and on another', async (t) => {
  const gateway = await anOrganization()
  const id = await gateway.budget({ amount: '1' })
  const key = await gateway.key()
  t.equal((await gateway.chat(key, {})).status, 200)
  const other = await aGateway(t, { DATABASE_URL: String(gateway.core.config.databaseUrl) })
  await gateway.events()
  const made = await record(other, id, { amount: '1' })
  t.match(await other.chat(key, {}), { status: 429, text: /budget_exhausted/ })
  await record(gateway, id, { amount: '-1', reverses: made['id'] })
  t.equal((await gateway.chat(key, {})).status, 200)
  const grants = gateway.core.tracker.grants
  await record(gateway, id, { amount: '1' })
  t.match(await gateway.chat(key, {}), { status: 429, text: /budget_exhausted/ })
  t.equal(gateway.core.tracker.grants, grants, 'without a question to the ledger')
})

t.test('refreshing the cache says whether it differed, and heals it alone', async (t) => {
  const gateway = await aGateway(t)
  const id = await gateway.budget()
  await record(gateway, id, { amount: '2' })
  const refresh = async () => (await gateway.admin('POST', `/budgets/${id}/refresh-cache`)).body
  t.match(await refresh(), { message: 'The cache agrees with the records of 1 account.' })
  await gateway.core.database.query({ text: 'update budget_status_cache set settled_nano = 1, charges = 7' })
  t.match(await refresh(), { message: /differed from the records of 1 of 1 account, and was healed/ })
  t.match(await refresh(), { message: /agrees/ })
  t.same(await gateway.core.database.query({ text: 'select settled_nano, charges from budget_status_cache' }),
    [{ settled_nano: '2000000000', charges: '1' }])
  await gateway.core.database.query({ text: 'update budget_accounts set settled_nano = 1' })
  t.match(await refresh(), { message: /1 of them say something else than their records/ })
  t.equal((await gateway.admin('POST', '/budgets/none/refresh-cache')).status, 404)
})

t.test('the history is filtered, and paged without a gap', async (t) => {
  const gateway = await anOrganization()
  const id = await gateway.budget({ period: 'daily', startDate: '2026-01-01' })
  const at = (day: number) => new Date(Date.UTC(2026, 1, day, 12)).toISOString()
  const records = Array.from({ length: 40 }, (_, i) => ({
    budgetId: id,
    amount: '1',
    timestamp: at(1 + i % 10),
    source: i % 2 === 0 ? 'manual' : 'auterity',
    metadata: { modelId: `m${i % 3}`, userId: `u${i % 4}`, teamId: `t${i % 5}`, projectId: `p${i % 8}` },
  }))
  t.equal((await gateway.admin('POST', '/usage/batch', { records })).status, 201)
  const count = async (query: string) => (await history(gateway, id, `?${query}`)).length
  t.same(await Promise.all(['source=manual', 'source=manual&userId=u1', 'userId=u3', 'teamId=t0', 'projectId=p1', 'model=m0', 'certainty=uncertain',
    'certainty=exact', `from=${at(3)}`, `to=${at(3)}`, `from=${at(3)}&to=${at(4)}`, `from=${at(3)}&source=auterity&limit=5`].map(count)),
  [20, 0, 10, 8, 5, 14, 0, 40, 32, 8, 4, 5])
  for (const query of ['', '&source=manual', `&from=${at(3)}`]) {
    const all = (await history(gateway, id, `?limit=1000${query}`)).map((one) => one['id'])
    const paged: unknown[] = []
    let cursor: unknown = ''
    while (cursor !== null) {
      const page: Json = (await gateway.admin('GET', `/budgets/${id}/usage?limit=7${query}${cursor === '' ? '' : `&cursor=${String(cursor)}`}`)).body
      paged.push(...(page['usage'] as Json[]).map((one) => one['id']))
      if (cursor === '') await record(gateway, id, { amount: '1' })
      cursor = page['nextCursor']
    }
    t.same(paged, all)
  }
  const { nextCursor } = (await gateway.admin('GET', `/budgets/${id}/usage?limit=7`)).body
  for (const query of ['cursor=x', `cursor=${String(nextCursor)}&source=manual`]) {
    t.match(await gateway.admin('GET', `/budgets/${id}/usage?${query}`), { status: 400, body: { field: 'cursor' } })
  }
  t.match(await gateway.admin('GET', `/budgets/${id}/usage?from=x`), { status: 400, body: { field: 'from' } })
})
