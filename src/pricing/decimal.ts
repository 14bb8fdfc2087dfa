const DECIMALS = 9

/**
 * A price as it was meant: the double's decimal text, of which what is past the ninth decimal is rounded up, but for
 * the double's own imprecision. undefined: zero, which in others' lists says "none" as often as "free". Throws where
 * it is no price.
 */
export function decimal (value: number | undefined): string | undefined {
  if (value === undefined || value === 0) return undefined
  if (!Number.isFinite(value) || value < 0 || value > 1e9) throw new Error(`no price: ${value}`)
  return nanoText(BigInt(Math.ceil(value * 1e9 - Math.max(1e-3, value * 1e-6))))
}

export function nanoText (nano: bigint): string {
  const digits = String(nano).padStart(DECIMALS + 1, '0')
  return `${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS)}`.replace(/\.?0+$/, '')
}

export function textNano (text: string): bigint {
  const [whole = '', decimals = ''] = text.split('.')
  return BigInt(whole + decimals.padEnd(DECIMALS, '0'))
}

/** without what is undefined, so that it is not there at all */
export function defined<T extends object> (value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as never
}
