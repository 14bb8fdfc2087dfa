/** What no text may hold: the null character, which PostgreSQL cannot store, and halves of characters. */
const BROKEN = /[\0\p{Surrogate}]/u
/** deeper than anything that is meant */
const DEEPEST = 32

export function isPlain (text: string): boolean { return !BROKEN.test(text) }

/** The path of the first text in a JSON value that is not plain, or of what is nested too deep; null: there is none. */
export function brokenPath (value: unknown, path = '', depth = 0): string | null {
  if (typeof value === 'string') return isPlain(value) ? null : path
  if (typeof value !== 'object' || value === null) return null
  if (depth === DEEPEST) return path
  for (const [name, member] of Object.entries(value)) {
    const at = path === '' ? name : `${path}/${name}`
    const found = isPlain(name) ? brokenPath(member, at, depth + 1) : path
    if (found !== null) return found
  }
  return null
}
