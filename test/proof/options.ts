/** a number above 0 among a command's options, or the end of it */
export function numberOf<K extends string> (values: Record<K, string>, name: K): number {
  const value = Number(values[name])
  if (Number.isFinite(value) && value > 0) return value
  console.error(`--${name} must be a number above 0; got ${values[name]}`)
  process.exit(2)
}
