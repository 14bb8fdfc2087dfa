import currencyCodes from 'currency-codes'

const CODES = new Set(currencyCodes.codes())

/** ISO 4217, upper case */
export function isCurrency (code: string): boolean { return CODES.has(code) }
