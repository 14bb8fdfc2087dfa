import * as fc from 'fast-check'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import t from 'tap'
import { convertNano, NANO } from '../../src/money/amount.ts'
import { defineRate, type ExchangeRate, parseEcbDaily } from '../../src/money/exchange-rates.ts'
import { RateFeed } from '../../src/money/rate-feed.ts'

/** as the bank writes it */
const DAILY = `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
  <gesmes:subject>Reference rates</gesmes:subject>
  <Cube><Cube time='2026-07-01'>
    <Cube currency='USD' rate='1.25'/>
    <Cube currency='JPY' rate='150'/>
    <Cube currency='GBP' rate='0.8501'/>
  </Cube></Cube>
</gesmes:Envelope>`

t.test('rates per euro become rates per dollar, from four in the afternoon of Frankfurt on', async (t) => {
  t.strictSame(parseEcbDaily(DAILY), [
    { currency: 'JPY', rate: '120', effectiveAt: Date.UTC(2026, 6, 1, 14) },
    { currency: 'GBP', rate: '0.68008', effectiveAt: Date.UTC(2026, 6, 1, 14) },
    { currency: 'EUR', rate: '0.8', effectiveAt: Date.UTC(2026, 6, 1, 14) },
  ])
  t.equal(parseEcbDaily(DAILY.replace('2026-07-01', '2026-12-01'))[0]?.effectiveAt, Date.UTC(2026, 11, 1, 15), 'in winter')
  t.equal(parseEcbDaily(DAILY.replace("'1.25'", "'3'"))[2]?.rate, '0.333333333333')
})

t.test('what is no file of the bank is refused by the field', async (t) => {
  for (const content of ['', '<html></html>', DAILY.replace("'USD'", "'AUD'"), DAILY.replace('2026-07-01', '2026-13-01')]) {
    t.throws(() => parseEcbDaily(content), { code: 'INVALID_FIELD', field: 'content' })
  }
})

t.test('every rate of the bank is one that amounts are converted by, to the last of its decimals', async () => {
  const units = fc.tuple(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: 0, max: 9_999 }))
    .map(([whole, decimals]) => `${whole}.${String(decimals).padStart(4, '0')}`)
  fc.assert(fc.property(units, units, (usd, yen) => {
    const rates = parseEcbDaily(DAILY.replace("'1.25'", `'${usd}'`).replace("'150'", `'${yen}'`))
    const { rate } = rates.find(({ currency }) => currency === 'JPY') as ExchangeRate
    const exact = Number(yen) / Number(usd)
    return rate !== '0' && Math.abs(Number(convertNano(NANO, rate)) / 1e9 - exact) <= 1e-9 + exact * 1e-11
  }))
})

t.test('a rate that is none is refused by the field', async (t) => {
  const good = { currency: 'EUR', rate: '0.9213' }
  t.strictSame(defineRate(good, 5), { currency: 'EUR', rate: '0.9213', effectiveAt: 5 })
  t.equal(defineRate({ ...good, rate: 1.50 }, 5).rate, '1.5')
  t.equal(defineRate({ ...good, rate: '10' }, 5).rate, '10')
  t.equal(defineRate({ ...good, rate: '2.000' }, 5).rate, '2')
  for (const rate of ['0', '0.0', '-1', '1e3', 1e-9, '1.1234567890123', '', '01', 'x', Infinity]) {
    t.throws(() => defineRate({ ...good, rate }, 5), { code: 'INVALID_FIELD', field: 'rate' }, String(rate))
  }
  t.throws(() => defineRate({ ...good, currency: 'USD' }, 5), { code: 'INVALID_FIELD', field: 'currency' })
  t.throws(() => defineRate({ ...good, currency: 'eur' }, 5), { code: 'INVALID_FIELD', field: 'currency' })
  t.throws(() => defineRate({ ...good, effectiveAt: 'soon' }, 5), { code: 'INVALID_FIELD', field: 'effectiveAt' })
})

t.test('a feed adds what its URL has, and says what it cannot read', async (t) => {
  let answer: [number, string] = [200, DAILY]
  const server = createServer((_request, response) => { response.writeHead(answer[0]).end(answer[1]) }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const added: ExchangeRate[][] = []
  const logs: string[] = []
  const feed = new RateFeed({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    add: async (rates) => { added.push(rates); return rates },
    log: { info: (_, message) => { logs.push(message) }, warn: (_, message) => { logs.push(message) } },
  })
  t.teardown(() => feed.stop())
  await feed.look()
  t.strictSame(added, [parseEcbDaily(DAILY)])
  t.strictSame(logs, ['exchange rates were added'])
  for (const bad of [[500, ''], [200, '<html>'], [200, 'x'.repeat(2_000_000)], [302, '']] as [number, string][]) {
    answer = bad
    await feed.look()
    t.equal(logs.pop(), 'exchange rates could not be read; the last stay in force', `${bad[0]} ${bad[1].length}`)
  }
  t.equal(added.length, 1)
})
