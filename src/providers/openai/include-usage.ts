import { isObject } from '../body.ts'
import { topLevelMembers } from '../json-scan.ts'

const ASK = '"include_usage":true'

/**
 * The same request with usage reporting switched on in its stream, byte for byte unchanged around it: the body is
 * never parsed and written again, so numbers, key order and escapes stay what the client sent.
 */
export function withUsage (bytes: Buffer): Buffer {
  const members = topLevelMembers(bytes)
  const options = members.find((member) => member.key === 'stream_options')
  if (options === undefined) return insert(bytes, bytes.lastIndexOf('}'), `${members.length > 0 ? ',' : ''}"stream_options":{${ASK}}`)
  const { valueStart, valueEnd } = options
  const value: unknown = JSON.parse(bytes.toString('utf8', valueStart, valueEnd))
  const rest = isObject(value) ? { ...value, include_usage: true } : { include_usage: true }
  return splice(bytes, valueStart, valueEnd, JSON.stringify(rest))
}

function insert (bytes: Buffer, at: number, text: string): Buffer { return splice(bytes, at, at, text) }

function splice (bytes: Buffer, from: number, to: number, text: string): Buffer {
  return Buffer.concat([bytes.subarray(0, from), Buffer.from(text), bytes.subarray(to)])
}
