import { type EndedCall } from '../../journal/ended-call.ts'

const OPENED = 0x5b
const COMMA = 0x2c
const CLOSED = 0x5d
const CLOSED_OBJECT = 0x7d
const END = ',"end":'
/** of a text in UTF-8, for each of its code units */
const MAX_BYTES = 3

/**
 * Ended calls as `post_usage` reads them: the journal's text of each opening, with that of its end inside. Written into
 * one buffer, which the driver sends as it is: joined, they would be a text of that size for the collector, twice.
 */
export function postedCalls (calls: readonly EndedCall[]): Buffer {
  let most = 2
  for (const { openJson, endJson } of calls) most += (openJson.length + endJson.length + END.length + 2) * MAX_BYTES
  const bytes = Buffer.allocUnsafe(most)
  let at = 0
  for (const { openJson, endJson } of calls) {
    bytes[at] = at === 0 ? OPENED : COMMA
    at += 1
    // behind its last member
    at += bytes.write(storable(openJson), at) - 1
    at += bytes.write(END, at, 'latin1')
    at += bytes.write(storable(endJson), at)
    bytes[at++] = CLOSED_OBJECT
  }
  if (at === 0) bytes[at++] = OPENED
  bytes[at++] = CLOSED
  return bytes.subarray(0, at)
}

const ESCAPE = /\\(?:(u0000|ud[89a-f]..)|.)/g

/**
 * What a provider or a client puts into a text must not keep its event from being recorded, so characters that
 * PostgreSQL's text cannot hold become U+FFFD; in JSON that we wrote they are escaped.
 */
function storable (json: string): string {
  if (!json.includes('\\u')) return json
  return json.replace(ESCAPE, (escape, unstorable?: string) => unstorable === undefined ? escape : '\\ufffd')
}
