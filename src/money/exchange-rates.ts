import { DateTime } from 'luxon'
import { parseTime, TIME_EXPECTED } from '../clock.ts'
import { invalidField } from '../errors.ts'
import { isCurrency } from './currency.ts'

/** Units of a currency per USD from a moment on, until a later one. What was charged keeps the rate of its hold. */
export interface ExchangeRate {
  /** ISO 4217, never USD */
  currency: string
  /** a decimal string without exponent or trailing zeros */
  rate: string
  /** ms since the epoch */
  effectiveAt: number
}

export interface RateQuery {
  currency?: string | undefined
  limit: number
  cursor?: string | undefined
}

/** Rates are added and never changed: what was charged by one can be computed again. */
export interface RateStore {
  /** Answers those that are new. Conflict where there is another rate of that currency and moment already. */
  add (rates: readonly ExchangeRate[]): Promise<ExchangeRate[]>
  /** the latest first; InvalidField for a cursor that is none */
  page (query: RateQuery): Promise<{ rates: ExchangeRate[], nextCursor: string | null }>
}

const RATE = /^(?:0|[1-9]\d{0,11})(?:\.\d{1,12})?$/
const RATE_EXPECTED = 'units of the currency per USD, more than 0, a decimal with at most 12 digits on either side of the point, e.g. "0.9213"'

/** What an administrator sends; throws, naming the field. `now`: the default moment, ms since the epoch. */
export function defineRate (
  body: { currency: string, rate: string | number, effectiveAt?: string | undefined }, now: number
): ExchangeRate {
  const { currency, rate, effectiveAt } = body
  if (!isCurrency(currency)) throw invalidField('currency', 'an ISO 4217 code in capital letters, e.g. "EUR"', currency)
  if (currency === 'USD') throw invalidField('currency', 'another than USD, which all rates are of', currency)
  const at = effectiveAt === undefined ? now : parseTime(effectiveAt)
  if (at === null) throw invalidField('effectiveAt', TIME_EXPECTED, effectiveAt)
  return { currency, rate: rateOf(rate), effectiveAt: at }
}

function rateOf (value: string | number): string {
  const text = String(value)
  const trimmed = text.includes('.') ? text.replace(/\.?0+$/, '') : text
  if (!RATE.test(text) || /^0(\.0*)?$/.test(text)) throw invalidField('rate', RATE_EXPECTED, value)
  return trimmed
}

export function renderRate ({ currency, rate, effectiveAt }: ExchangeRate) {
  return { currency, rate, effectiveAt: new Date(effectiveAt).toISOString() }
}

const DAY = /<Cube\s+time=['"](\d{4}-\d{2}-\d{2})['"]/
const OF_EURO = /<Cube\s+currency=['"]([A-Z]{3})['"]\s+rate=['"](\d{1,9}(?:\.\d{1,9})?)['"]/g
/** the bank publishes at about this hour of its day */
const PUBLISHED = { hour: 16, zone: 'Europe/Berlin' }
const DECIMALS = 12

/**
 * The European Central Bank's daily reference rates (eurofxref-daily.xml): units per euro, which become units per USD,
 * rounded to 12 decimals, in force from 16:00 of Frankfurt on their day on. Currencies that ISO 4217 has not are left
 * out. Throws, naming `content`, where it is something else.
 */
export function parseEcbDaily (content: string): ExchangeRate[] {
  const day = DAY.exec(content)?.[1]
  const perEuro = new Map([...content.matchAll(OF_EURO)].map((match) => [match[1] as string, match[2] as string]))
  const usd = perEuro.get('USD')
  const at = day === undefined ? null : DateTime.fromISO(day, { zone: PUBLISHED.zone }).set({ hour: PUBLISHED.hour })
  if (usd === undefined || at?.isValid !== true) {
    throw invalidField('content', 'the daily reference rates of the European Central Bank (eurofxref-daily.xml)', `${content.length} characters`)
  }
  perEuro.delete('USD')
  perEuro.set('EUR', '1')
  return [...perEuro].filter(([currency]) => isCurrency(currency))
    .map(([currency, units]) => ({ currency, rate: divided(units, usd), effectiveAt: at.toMillis() }))
    .filter(({ rate }) => rate !== '0')
}

/** to DECIMALS decimals, the nearest */
function divided (dividend: string, divisor: string): string {
  const [a, b] = [scaled(dividend), scaled(divisor)]
  if (b === 0n) return '0'
  const quotient = (a * 10n ** BigInt(DECIMALS) * 2n + b) / (b * 2n)
  const digits = quotient.toString().padStart(DECIMALS + 1, '0')
  return `${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS)}`.replace(/\.?0+$/, '')
}

function scaled (text: string): bigint {
  const [whole = '', decimals = ''] = text.split('.')
  return BigInt(whole + decimals.padEnd(9, '0'))
}
