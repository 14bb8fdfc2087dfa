import t, { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { type Budget } from '../../../src/budget/budget.ts'
import { periodAt } from '../../../src/budget/period.ts'
import { type UsageEvent } from '../../../src/usage/usage.ts'
import { anEvent } from '../../account/contract-authority.ts'
import { ADMIN, aGateway, type GatewayUnderTest, type Json } from '../../e2e/gateway.ts'

interface Ledger extends GatewayUnderTest {
  budgetId: string
  path: string
  /** a call that opened at that time */
  spend (at: string, nano: bigint, opening?: Partial<UsageEvent['opening']>): Promise<void>
  ask (query?: string): Promise<Json>
}

async function aLedger (t: Test, fields: object = {}): Promise<Ledger> {
  const gateway = await aGateway(t)
  const budgetId = await gateway.budget({ timezone: 'Europe/Berlin', startDate: '2026-01-01', mode: 'soft', ...fields })
  const path = `/budgets/${budgetId}/usage/summary`
  const { authority, incarnation, budgets } = gateway.core
  return {
    ...gateway,
    budgetId,
    path,
    async spend (at, nano, opening = {}) {
      const msecs = Date.parse(at)
      const { start, end } = periodAt(await budgets.get(budgetId) as Budget, msecs) as { start: number, end: number }
      const [account] = await authority.ensureAccounts([{ budgetId, subject: '', periodStart: start, periodEnd: end }])
      const charges = [{ accountId: account?.accountId ?? 0, amountNano: nano, coveredNano: 0n }]
      const event = anEvent(charges, { id: uuidv7({ msecs }) })
      const { model = 'small' } = opening
      const told = { opening: { ...event.opening, ...opening }, end: { ...event.end, modelUsed: model } }
      await authority.post(incarnation, [told], [])
    },
    async ask (query = '') {
      const { status, body } = await gateway.admin('GET', path + query)
      t.equal(status, 200, JSON.stringify(body))
      return body
    },
  }
}

const CHANGES_OF_CLOCKS = '?startDate=2026-03-28&endDate=2026-04-01'
const rows = (body: Json) => (body['groups'] as Json[])
  .map(({ start, end, value, amount }) => [start, end, value, amount].map((one) => String(one).replace(':00:00.000Z', '')))

t.test('usage is summed by hour, day, week and month of the budget\'s zone, right over a change of the clocks', async (t) => {
  const { spend, ask } = await aLedger(t)
  // 2026-03-29 has no 02:00 in Berlin, and 23 hours
  await spend('2026-03-28T22:59:59.999Z', 1n)
  await spend('2026-03-28T23:00:00Z', 20n)
  await spend('2026-03-29T00:30:00Z', 300n)
  await spend('2026-03-29T01:30:00Z', 4_000n, { model: 'large' })
  await spend('2026-03-29T21:59:59Z', 50_000n)
  await spend('2026-03-29T22:00:00Z', 600_000n)
  await spend('2026-03-31T22:00:00Z', 7_000_000n)

  t.same(rows(await ask(`${CHANGES_OF_CLOCKS}&interval=day`)), [
    ['2026-03-27T23', '2026-03-28T23', 'null', '0.000000001'],
    ['2026-03-28T23', '2026-03-29T22', 'null', '0.00005432'],
    ['2026-03-29T22', '2026-03-30T22', 'null', '0.0006'],
  ])
  t.same(rows(await ask(`${CHANGES_OF_CLOCKS}&interval=hour`)).map(([start]) => start), [
    '2026-03-28T22', '2026-03-28T23', '2026-03-29T00', '2026-03-29T01', '2026-03-29T21', '2026-03-29T22',
  ])
  t.same(rows(await ask('?startDate=2026-03-29T00:30:00Z&endDate=2026-03-30&interval=hour')).map(([, , , amount]) => amount),
    ['0.0000003', '0.000004', '0.00005'], 'a time is widened to its hour')
  t.same(rows(await ask('?startDate=2026-03-28&endDate=2026-03-29T01:00:00Z&interval=day')).map(([, , , amount]) => amount),
    ['0.000000001', '0.00000032'], 'a day in part is read by its hours')
  t.same(rows(await ask(`${CHANGES_OF_CLOCKS}&interval=week`)), [
    ['2026-03-22T23', '2026-03-29T22', 'null', '0.000054321'], ['2026-03-29T22', '2026-04-05T22', 'null', '0.0006'],
  ])
  const months = await ask('?startDate=2026-01-01&endDate=2027-01-01&interval=month&groupBy=model')
  t.same(rows(months), [
    ['2026-02-28T23', '2026-03-31T22', 'small', '0.000650321'],
    ['2026-02-28T23', '2026-03-31T22', 'large', '0.000004'],
    ['2026-03-31T22', '2026-04-30T22', 'small', '0.007'],
  ])
  t.match(months, {
    totalAmount: '0.007654321',
    currency: 'USD',
    recordCount: 7,
    bySource: { relaycore: '0.007654321' },
    startDate: '2025-12-31T23:00:00.000Z',
    endDate: '2026-12-31T23:00:00.000Z',
    timezone: 'Europe/Berlin',
    groupBy: 'model',
    interval: 'month',
  })
})

t.test('without dates it is about the running period, and says as of when', async (t) => {
  const { spend, ask, admin, budgetId } = await aLedger(t)
  t.match(await ask(), { totalAmount: '0', recordCount: 0, averagePerDay: '0', bySource: {}, groups: [] })
  const now = new Date().toISOString()
  await spend(now, 3_000_000_000n)
  await spend('2026-01-15T00:00:00Z', 1n)
  const { body: status } = await admin('GET', `/budgets/${budgetId}/status`)

  const body = await ask()

  t.match(body, { totalAmount: '3', recordCount: 1, startDate: status['periodStart'], endDate: status['periodEnd'] })
  t.match(body['groups'], [{ start: null, end: null, value: null, amount: '3', recordCount: 1 }])
  t.ok(Math.abs(Date.parse(String(body['asOf'])) - Date.now()) < 60_000)
  t.match(await ask('?startDate=2026-01-01'), { recordCount: 2, totalAmount: '3.000000001' })
  const ten = await ask('?startDate=2026-01-10&endDate=2026-01-20')
  t.match(ten, { totalAmount: '0.000000001', averagePerDay: '0' })
  await spend('2026-01-16T00:00:00Z', 19_999_999_999n)
  t.match(await ask('?startDate=2026-01-10&endDate=2026-01-20'), { totalAmount: '20', averagePerDay: '2' })
})

t.test('usage is summed by whom it was for; what has none stands under null', async (t) => {
  const { spend, ask } = await aLedger(t)
  const at = '2026-02-01T12:00:00Z'
  await spend(at, 1n, { userId: 'ann', teamId: 'red', projectId: 'p', keyId: 'k1', provider: 'openai', tags: { env: 'prod', 'a:b': 'x' } })
  await spend(at, 20n, { userId: 'bob', teamId: 'red', keyId: 'k1', provider: 'openai', tags: { env: 'test' } })
  await spend(at, 300n, { keyId: 'k2', provider: 'anthropic' })
  const by = async (name: string) => rows(await ask(`?startDate=2026-02-01&endDate=2026-03-01&groupBy=${encodeURIComponent(name)}`))
    .map(([, , value, amount]) => [value, Number(amount) * 1e9])
  t.same(await by('user'), [['null', 300], ['bob', 20], ['ann', 1]])
  t.same(await by('team'), [['null', 300], ['red', 21]])
  t.same(await by('project'), [['null', 320], ['p', 1]])
  t.same(await by('key'), [['k2', 300], ['k1', 21]])
  t.same(await by('provider'), [['anthropic', 300], ['openai', 21]])
  t.same(await by('source'), [['relaycore', 321]])
  t.same(await by('tag:env'), [['null', 300], ['test', 20], ['prod', 1]])
  t.same(await by('tag:a:b'), [['null', 320], ['x', 1]])
  t.same(await by('tag:none'), [['null', 321]])
})

t.test('csv is a line per group, and no formula', async (t) => {
  const { spend, url, path } = await aLedger(t)
  await spend('2026-02-01T12:00:00Z', 1_500_000_000n, { userId: '=cmd|"/c calc"!A1, "x"' })
  await spend('2026-02-01T13:00:00Z', -500_000_000n, { userId: 'ann' })
  const get = async (query: string, accept: string) => {
    const response = await fetch(`${url}/api/v1${path}?startDate=2026-02-01&endDate=2026-03-01${query}`, {
      headers: { authorization: `Bearer ${ADMIN}`, accept },
    })
    return { type: response.headers.get('content-type'), headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
  }
  const { type, headers, bytes } = await get('&groupBy=user&interval=day', 'text/csv')
  t.match(type, /^text\/csv; charset=utf-8/)
  t.match(headers.get('content-disposition'), /^attachment; filename="usage-[0-9a-f-]+\.csv"$/)
  t.equal(headers.get('vary'), 'accept')
  t.same(bytes.toString().split('\r\n'), [
    '\ufeffstart,end,user,amount,currency,recordCount,inputTokens,outputTokens',
    '2026-01-31T23:00:00.000Z,2026-02-01T23:00:00.000Z,"\'=cmd|""/c calc""!A1, ""x""",1.5,USD,1,0,0',
    '2026-01-31T23:00:00.000Z,2026-02-01T23:00:00.000Z,ann,-0.5,USD,1,0,0',
    '',
  ])
  t.match((await get('&format=csv', 'application/json')).bytes.toString(), /,,,1,USD,2,0,0\r\n$/)
  t.match((await get('', 'text/csv;q=0.5, application/json')).type, /^application\/json/)
  t.match((await get('&format=json', 'text/csv')).type, /^application\/json/)
  t.match((await get('', '*/*')).type, /^application\/json/)
})

t.test('what cannot be summed is named', async (t) => {
  const { admin, path, core, budgetId, ask } = await aLedger(t)
  const wrong: [string, string][] = [
    ['startDate=x', 'startDate'], ['endDate=2026-02-30', 'endDate'], ['groupBy=colour', 'groupBy'], ['groupBy=tag:', 'groupBy'],
    ['groupBy=user&groupBy=team', 'groupBy'], ['interval=year', 'interval'], ['format=xml', 'format'], ['colour=red', 'colour'],
    ['startDate=2026-02-01&endDate=2026-02-01', 'endDate'], ['endDate=1999-01-01', 'endDate'],
    ['startDate=2026-02-01&endDate=2026-01-01', 'endDate'], [`groupBy=tag:${'x'.repeat(65)}`, 'groupBy'], ['groupBy=%00', 'groupBy'],
  ]
  for (const [query, field] of wrong) {
    t.match(await admin('GET', `${path}?${query}`), { status: 400, body: { code: 'invalid_field', field } }, query)
  }
  t.match(await admin('GET', '/budgets/01912d68-783e-7a03-8467-5661c1243ad4/usage/summary'), { status: 404 })
  t.match(await admin('GET', '/budgets/x/usage/summary'), { status: 404 })
  t.match(await ask('?startDate=1970-01-02&endDate=2999-12-31&interval=hour'), { groups: [] })

  await core.database.query({
    text: `with account as (
        insert into budget_accounts (budget_id, period_start, period_end, currency) values ($1, '2026-03-01Z', '2026-04-01Z', 'USD')
        returning id)
      insert into usage_by_day (account_id, facet, day, value, amount_nano, records, input_tokens, output_tokens)
      select id, facet, '2026-03-05', array['relaycore', 'p', v::text], 1, 1, 0, 0 from account, generate_series(1, 10001) v,
        unnest(array['model']) facet`,
    values: [budgetId],
  })
  t.match(await admin('GET', `${path}?startDate=2026-03-01&endDate=2026-04-01&groupBy=model`), {
    status: 422, body: { code: 'unprocessable', detail: /more than 10,000 groups.*closer together.*groupBy/ },
  })
  t.match(await ask('?startDate=2026-03-01&endDate=2026-04-01&groupBy=provider'), { recordCount: 10001 })
})

t.test('a period that begins within an hour is summed apart from the one before', async (t) => {
  const { spend, ask } = await aLedger(t, {
    period: 'custom', recurring: true, startDate: '2026-02-01T12:30:00Z', endDate: '2026-02-02T12:30:00Z',
  })
  await spend('2026-02-02T12:29:00Z', 1n)
  await spend('2026-02-02T12:31:00Z', 20n)
  await spend('2026-02-03T12:29:59Z', 300n)
  t.match(await ask('?startDate=2026-02-02T12:30:00Z&endDate=2026-02-03T12:30:00Z'), { recordCount: 3 }, 'by whole hours')
  t.match(await ask('?startDate=2026-02-02T13:00:00Z&endDate=2026-02-03T12:30:00Z'), { totalAmount: '0.0000003' })
})
