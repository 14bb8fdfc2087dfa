import { topLevelMembers } from './json-scan.ts'
import { type CallChanges } from './provider.ts'

const CLOSE_OBJECT = 0x7d

/**
 * The same object with these members set to these values (JSON text), byte for byte unchanged around them: what is
 * there is replaced in place, the rest stands at the end. `bytes` is a JSON object that has no name twice.
 */
export function withMembers (bytes: Buffer, values: ReadonlyMap<string, string>): Buffer {
  const members = topLevelMembers(bytes)
  const missing = new Map(values)
  const pieces: Buffer[] = []
  let from = 0
  for (const { key, valueStart, valueEnd } of members) {
    const value = missing.get(key)
    if (value === undefined) continue
    missing.delete(key)
    pieces.push(bytes.subarray(from, valueStart), Buffer.from(value))
    from = valueEnd
  }
  if (missing.size > 0) {
    const end = bytes.lastIndexOf(CLOSE_OBJECT)
    const added = [...missing].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()
    pieces.push(bytes.subarray(from, end), Buffer.from(`${members.length > 0 ? ',' : ''}${added}`))
    from = end
  }
  pieces.push(bytes.subarray(from))
  return Buffer.concat(pieces)
}

/**
 * The body with another model, and with no output limit above the lower one: in all of `limits` that it has, or else in
 * the first of them.
 */
export function changedBody (
  body: unknown, bytes: Buffer, { model, outputTokens }: CallChanges, limits: readonly string[]
): Buffer {
  const values = new Map<string, string>()
  if (model !== null) values.set('model', JSON.stringify(model))
  if (outputTokens !== null) {
    const own = (name: string) => (body as Record<string, unknown>)[name]
    const given = limits.filter((name) => typeof own(name) === 'number')
    for (const name of given.length > 0 ? given : limits.slice(0, 1)) {
      values.set(name, String(Math.min(outputTokens, Number(own(name) ?? outputTokens))))
    }
  }
  return values.size === 0 ? bytes : withMembers(bytes, values)
}
