import { type Member, topLevelMembers } from '../json-scan.ts'

const OPEN_OBJECT = 0x7b
const COMMA = 0x2c

/**
 * The same request with usage reporting switched on in its stream, byte for byte unchanged around it: the body is
 * never parsed and written again, so numbers, order and escapes stay what the client sent. `bytes` is a JSON object.
 */
export function withUsage (bytes: Buffer): Buffer { return withStreamOption(bytes, 'include_usage') }

/** the same of another member of `stream_options` */
export function withStreamOption (bytes: Buffer, name: string): Buffer {
  const ask = `"${name}":true`
  const members = topLevelMembers(bytes)
  const options = members.findLast(({ key }) => key === 'stream_options')
  if (options === undefined) {
    const end = bytes.lastIndexOf('}')
    return splice(bytes, end, end, `${members.length > 0 ? ',' : ''}"stream_options":{${ask}}`)
  }
  const { valueStart, valueEnd } = options
  if (bytes[valueStart] !== OPEN_OBJECT) return splice(bytes, valueStart, valueEnd, `{${ask}}`)
  const inner = topLevelMembers(bytes.subarray(valueStart, valueEnd))
  const asked = inner.findLast(({ key }) => key === name)
  if (asked !== undefined) return splice(bytes, valueStart + asked.valueStart, valueStart + asked.valueEnd, 'true')
  return splice(bytes, valueStart + 1, valueStart + 1, inner.length > 0 ? `${ask},` : ask)
}

/** The pieces of an event around a member of its JSON, as if that had never been written. */
export function withoutMember (event: Buffer, { keyStart, valueEnd }: Omit<Member, 'key'>): Buffer[] {
  const before = behindBlanks(event, keyStart, -1)
  if (event[before] === COMMA) return [event.subarray(0, before), event.subarray(valueEnd)]
  // the first member: the comma behind it goes with it
  const after = behindBlanks(event, valueEnd - 1, 1)
  const next = event[after] === COMMA ? behindBlanks(event, after, 1) : valueEnd
  return [event.subarray(0, keyStart), event.subarray(next)]
}

/** the next byte in a direction that is no blank */
function behindBlanks (bytes: Buffer, at: number, step: 1 | -1): number {
  let i = at + step
  while (i > 0 && i < bytes.length && (bytes[i] as number) <= 0x20) i += step
  return i
}

function splice (bytes: Buffer, from: number, to: number, text: string): Buffer {
  return Buffer.concat([bytes.subarray(0, from), Buffer.from(text), bytes.subarray(to)])
}
