import t from 'tap'
import { aGateway, type Json } from '../../e2e/gateway.ts'

// Exchange rates by the admin API, and what they do to calls on budgets in other currencies.

const HOUR = 3_600_000
const time = (at: number) => new Date(at).toISOString()

t.test('rates are added, listed the latest first, and make budgets in their currency possible', async (t) => {
  const gateway = await aGateway(t)
  const { admin } = gateway
  const yen = { name: 'yen', scopeType: 'organization', scopeId: 'acme', amount: '1000', currency: 'JPY', period: 'monthly' }
  t.match(await admin('POST', '/budgets', yen), { status: 422 })

  const past = time(Date.now() - HOUR)
  const first = await admin('POST', '/exchange-rates', { currency: 'JPY', rate: '150.50', effectiveAt: past })
  t.match(first, { status: 201, body: { currency: 'JPY', rate: '150.5', effectiveAt: past } })
  t.match(await admin('POST', '/exchange-rates', { currency: 'JPY', rate: 150.5, effectiveAt: past }), { status: 201 }, 'the same again is one')
  t.match(await admin('POST', '/exchange-rates', { currency: 'JPY', rate: '151', effectiveAt: past }), {
    status: 409, body: { code: 'conflict', detail: /JPY has the rate 150\.5 from .* on already/ },
  })
  t.match(await admin('POST', '/exchange-rates', { currency: 'USD', rate: '1' }), { status: 400, body: { field: 'currency' } })
  t.match(await admin('POST', '/exchange-rates', { currency: 'EUR', rate: '0' }), { status: 400, body: { field: 'rate' } })

  const content = "<Cube><Cube time='2026-01-05'><Cube currency='USD' rate='1.25'/><Cube currency='GBP' rate='0.85'/></Cube></Cube>"
  const imported = await admin('POST', '/exchange-rates/import', { format: 'ecb-daily', content })
  t.match(imported, { status: 200, body: { added: 2, rates: [{ currency: 'GBP', rate: '0.68' }, { currency: 'EUR', rate: '0.8' }] } })
  t.match(await admin('POST', '/exchange-rates/import', { format: 'ecb-daily', content }), { status: 200, body: { added: 0 } })
  t.match(await admin('POST', '/exchange-rates/import', { format: 'ecb-daily', content: 'x' }), { status: 400, body: { field: 'content' } })

  const listed = async (query: string) => (await admin('GET', `/exchange-rates${query}`)).body
  const page = await listed('?limit=2')
  t.match(page, { count: 2, limit: 2, rates: [{ currency: 'JPY', rate: '150.5' }, { currency: 'GBP' }] })
  t.match(await listed(`?limit=2&cursor=${String(page['nextCursor'])}`), { count: 1, nextCursor: null, rates: [{ currency: 'EUR' }] })
  t.match(await listed('?currency=EUR'), { count: 1, rates: [{ currency: 'EUR', rate: '0.8' }] })
  t.match(await admin('GET', '/exchange-rates?cursor=x'), { status: 400, body: { field: 'cursor' } })

  t.match(await admin('POST', '/budgets', yen), { status: 201 })
  const audit = (await admin('GET', '/audit?action=rate.added')).body['entries'] as Json[]
  t.strictSame(audit.map(({ objectId }) => objectId), ['EUR', 'GBP', 'JPY'])
})

t.test('a call is charged at the rate of its hold, and the next one at the new rate', async (t) => {
  const gateway = await aGateway(t)
  const { admin, provider } = gateway
  provider.behave = () => ({ usage: { input: 10, output: 40 } })
  await admin('POST', '/exchange-rates', { currency: 'JPY', rate: '150', effectiveAt: time(Date.now() - HOUR) })
  const budget = await gateway.budget({ currency: 'JPY', amount: '100' })
  const key = await gateway.key()
  t.equal((await gateway.chat(key, {})).status, 200)
  await admin('POST', '/exchange-rates', { currency: 'JPY', rate: '200.123456789' })
  t.equal((await gateway.chat(key, {})).status, 200)
  await gateway.events()
  // 0.000425 USD at 150, and at 200.123456789 rounded up to a nano-unit
  const { body } = await admin('GET', `/budgets/${budget}/status`)
  t.equal(body['currentAmount'], '0.14880247')
  const rows = await gateway.core.database.query<{ rate: string }>({
    text: 'select rate from budget_usage_records order by event_id',
  })
  t.strictSame(rows.map(({ rate }) => rate), ['150', '200.123456789'])
})

t.test('a rate that is older than it may be refuses calls, and a new one lets them through', async (t) => {
  const gateway = await aGateway(t, { RELAYCORE_RATES_MAX_AGE_HOURS: '24' })
  const { admin } = gateway
  await admin('POST', '/exchange-rates', { currency: 'EUR', rate: '0.9', effectiveAt: time(Date.now() - 25 * HOUR) })
  await gateway.budget({ currency: 'EUR' })
  const key = await gateway.key()
  const { status, json } = await gateway.chat(key, {})
  t.equal(status, 503)
  t.match(json['error'], { message: /The last exchange rate, of .* is too old for EUR.*POST \/api\/v1\/exchange-rates/, relaycore: { code: 'no_exchange_rate' } })
  await admin('POST', '/exchange-rates', { currency: 'EUR', rate: '0.91' })
  t.equal((await gateway.chat(key, {})).status, 200)
})
