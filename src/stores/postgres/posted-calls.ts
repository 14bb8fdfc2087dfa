import { type EndedCall } from '../../journal/ended-call.ts'

const COMMA = 0x2c
const END = Buffer.from(',"end":')
const CLOSED_OBJECT = 0x7d

/**
 * Ended calls as `post_usage` reads them: the journal's text of each opening, with that of its end inside. The driver
 * sends these bytes as they are. Nothing here throws for what a call says: PostgreSQL refuses it, and the batch is
 * split.
 */
export function postedCalls (calls: readonly EndedCall[]): Buffer {
  let length = 2
  for (const { openJson, endJson } of calls) length += openJson.length + endJson.length + END.length + 1
  const bytes = Buffer.allocUnsafe(length)
  let at = bytes.write('[')
  for (const { openJson, endJson } of calls) {
    if (at > 1) bytes[at++] = COMMA
    // behind its last member, where it closed
    at += openJson.copy(bytes, at) - 1
    at += END.copy(bytes, at)
    at += endJson.copy(bytes, at)
    bytes[at++] = CLOSED_OBJECT
  }
  at += bytes.write(']', at)
  return storable(bytes.subarray(0, at))
}

const BACKSLASH = 0x5c
const ESCAPE = Buffer.from('\\u')
const UNSTORABLE = /^(0000|d[89a-f]..)$/

/**
 * What a provider or a client puts into a text must not keep its event from being recorded, so characters that
 * PostgreSQL's text cannot hold become U+FFFD; in JSON that we wrote they are escaped.
 */
function storable (json: Buffer): Buffer {
  for (let at = json.indexOf(ESCAPE); at !== -1; at = json.indexOf(ESCAPE, at + ESCAPE.length)) {
    let before = at
    while (json[before - 1] === BACKSLASH) before--
    // behind an odd number of backslashes this one is escaped itself
    const isEscape = (at - before) % 2 === 0
    const digits = at + ESCAPE.length
    if (isEscape && UNSTORABLE.test(json.toString('latin1', digits, digits + 4))) json.write('fffd', digits)
  }
  return json
}
