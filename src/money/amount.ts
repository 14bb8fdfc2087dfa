/**
 * Amounts: integers in nano-units (1e-9) of a currency, as bigint. Text and JSON numbers are read exactly; no float
 * takes part in any computation.
 */

export const NANO = 1_000_000_000n
/** 9,000,000,000 units: what fits a signed 64-bit column with room for sums */
export const MAX_AMOUNT_NANO = 9_000_000_000n * NANO
export const AMOUNT_EXPECTED =
  'an amount of at most 9,000,000,000 with at most 9 decimals, as a decimal string or number, e.g. "12.50"'

const DECIMAL = /^(\d{1,30})(?:\.(\d{1,30}))?$/
const EXPONENT = /^(\d)(?:\.(\d+))?e([+-]\d+)$/

/** nano-units of a decimal string or a JSON number (which means its shortest decimal form); null: not an amount */
export function parseAmount (value: unknown): bigint | null {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? parseDecimal(plain(String(value))) : null
  return typeof value === 'string' ? parseDecimal(value) : null
}

export const SIGNED_AMOUNT_EXPECTED = `${AMOUNT_EXPECTED}, or with a minus where it takes something back`

/** the same, with a minus sign or none */
export function parseSignedAmount (value: unknown): bigint | null {
  const negative = typeof value === 'number' ? value < 0 : typeof value === 'string' && value.startsWith('-')
  if (!negative) return parseAmount(value)
  const nano = parseAmount(typeof value === 'number' ? -value : String(value).slice(1))
  return nano === null ? null : -nano
}

function parseDecimal (text: string): bigint | null {
  const match = DECIMAL.exec(text)
  if (match === null) return null
  const decimals = (match[2] ?? '').replace(/0+$/, '')
  if (decimals.length > 9) return null
  const nano = BigInt(match[1] as string) * NANO + BigInt(decimals.padEnd(9, '0'))
  return nano > MAX_AMOUNT_NANO ? null : nano
}

/** `1.5e-7` -> `0.00000015`: JavaScript writes small and large numbers with an exponent */
function plain (text: string): string {
  const match = EXPONENT.exec(text)
  if (match === null) return text
  const digits = (match[1] as string) + (match[2] ?? '')
  const point = 1 + Number(match[3])
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`
  return point >= digits.length ? digits.padEnd(point, '0') : `${digits.slice(0, point)}.${digits.slice(point)}`
}

/** decimal text without exponent or trailing zeros: 12500000000n -> "12.5" */
export function formatNano (nano: bigint): string {
  // every call shows amounts, and nearly all of them are exact as numbers
  if (nano >= 0n && nano <= MAX_EXACT) return formatSmall(Number(nano))
  const size = nano < 0n ? -nano : nano
  const rest = size % NANO
  const decimals = rest === 0n ? '' : `.${rest.toString().padStart(9, '0').replace(/0+$/, '')}`
  return `${nano < 0n ? '-' : ''}${size / NANO}${decimals}`
}

const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER)

function formatSmall (nano: number): string {
  const rest = nano % 1e9
  const units = (nano - rest) / 1e9
  if (rest === 0) return String(units)
  const decimals = String(1e9 + rest)
  let end = decimals.length
  while (decimals.charCodeAt(end - 1) === 0x30) end--
  return `${units}.${decimals.slice(1, end)}`
}

interface Rate { numerator: bigint, denominator: bigint }

const rates = new Map<string, Rate>()

function rateOf (text: string): Rate {
  let rate = rates.get(text)
  if (rate === undefined) {
    const match = DECIMAL.exec(text)
    if (match === null) throw new Error(`not an exchange rate: ${text}`)
    const decimals = match[2] ?? ''
    rate = { numerator: BigInt(match[1] + decimals), denominator: 10n ** BigInt(decimals.length) }
    if (rates.size > 10_000) rates.clear()
    rates.set(text, rate)
  }
  return rate
}

/** nano-USD in a currency at `rate` units per USD (decimal text), rounded up; null: the currency is USD */
export function convertNano (usdNano: bigint, rate: string | null): bigint {
  if (rate === null) return usdNano
  const { numerator, denominator } = rateOf(rate)
  return ceilDiv(usdNano * numerator, denominator)
}

/** the greatest amount of nano-USD that `convertNano` makes at most `nano` of */
export function mostUsd (nano: bigint, rate: string | null): bigint {
  if (rate === null) return nano
  const { numerator, denominator } = rateOf(rate)
  return nano * denominator / numerator
}

/** the least amount of nano-USD that `convertNano` makes at least `nano` of */
export function leastUsd (nano: bigint, rate: string | null): bigint {
  if (rate === null || nano === 0n) return nano
  return mostUsd(nano - 1n, rate) + 1n
}

const USD: Rate = { numerator: 1n, denominator: 1n }

/** an amount of one currency in another, by the rates of both, rounded down; to compare, not to charge */
export function exchangeNano (nano: bigint, rate: string | null, into: string | null): bigint {
  const [from, to] = [rate, into].map((one) => one === null ? USD : rateOf(one)) as [Rate, Rate]
  return nano * from.denominator * to.numerator / (from.numerator * to.denominator)
}

/** rounded up; both positive or zero */
export function ceilDiv (dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor
}

/** percent (at most 9 decimals) of an amount, rounded down: limits never gain by rounding */
export function percentOf (nano: bigint, percent: number): bigint {
  const parsed = parseAmount(percent)
  if (parsed === null) throw new Error(`not a percentage: ${percent}`)
  return nano * parsed / (100n * NANO)
}

/** the reverse: an amount in a currency at `rate` units per USD, as nano-USD, rounded up */
export function toUsdNano (nano: bigint, rate: string): bigint {
  const { numerator, denominator } = rateOf(rate)
  return ceilDiv(nano * denominator, numerator)
}
