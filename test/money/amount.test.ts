import fc from 'fast-check'
import t from 'tap'
import { convertNano, formatNano, MAX_AMOUNT_NANO, parseAmount, percentOf } from '../../src/money/amount.ts'
import { isCurrency } from '../../src/money/currency.ts'

const anAmount = fc.oneof(fc.bigInt({ min: 0n, max: MAX_AMOUNT_NANO }), fc.bigInt({ min: 0n, max: 10n ** 12n }))

t.test('every amount survives being written and read', async (t) => {
  fc.assert(fc.property(anAmount, (nano) => parseAmount(formatNano(nano)) === nano))
  t.match(formatNano(12_500_000_000n), /^12\.5$/)
  t.equal(formatNano(-1n), '-0.000000001')
  t.equal(formatNano(0n), '0')
})

t.test('a JSON number means its shortest decimal form', async (t) => {
  t.equal(parseAmount(0.1), 100_000_000n)
  t.equal(parseAmount(1e-9), 1n)
  t.equal(parseAmount(1.5e-7), 150n)
  t.equal(parseAmount(9e9), MAX_AMOUNT_NANO)
  t.equal(parseAmount(123456789.123456), 123456789123456000n)
})

t.test('what is not an amount is refused', async (t) => {
  const bad = ['', '-1', '+1', '1e3', '0x10', ' 1', '1 ', '1.', '.5', '1,5', 'NaN', '1.0000000001', '9000000000.000000001',
    '1'.repeat(31), -1, -0.5, NaN, Infinity, 1e-10, 9000000001, 1e21, null, undefined, true, {}, [], 1n, '١']
  for (const value of bad) t.equal(parseAmount(value), null, String(value))
  t.equal(parseAmount('1.5000000000'), 1_500_000_000n, 'zeros beyond nano say nothing')
})

t.test('conversion rounds up and never decreases with the amount', async () => {
  const aRate = fc.tuple(fc.integer({ min: 0, max: 99_999 }), fc.integer({ min: 1, max: 999_999 }))
    .map(([units, parts]) => `${units}.${String(parts).padStart(6, '0')}`)
  fc.assert(fc.property(anAmount, anAmount, aRate, (a, b, rate) => {
    const [small, large] = a < b ? [a, b] : [b, a]
    const scaled = BigInt(rate.replace('.', ''))
    const exact = small * scaled
    const converted = convertNano(small, rate) * 1_000_000n
    return convertNano(small, rate) <= convertNano(large, rate) && converted >= exact && converted < exact + 1_000_000n
  }))
})

t.test('a percentage of an amount rounds down', async (t) => {
  t.equal(percentOf(100n, 33.3), 33n)
  t.equal(percentOf(MAX_AMOUNT_NANO, 100), MAX_AMOUNT_NANO)
  t.equal(percentOf(1_000_000_000n, 0.0000001), 1n)
})

t.test('currencies are those of ISO 4217', async (t) => {
  t.ok(isCurrency('USD') && isCurrency('JPY') && isCurrency('EUR'))
  t.notOk(isCurrency('usd') || isCurrency('XYZ') || isCurrency(''))
})
