const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COLON = 0x3a
const COMMA = 0x2c

/**
 * Finds the members of a JSON object in its bytes, for what JSON.parse cannot tell: where a value stands, and whether a
 * name is there twice. Linear, without recursion, and safe on bytes that are no JSON: it then finds something or
 * nothing, but ends. Only where the bytes are valid JSON is what it finds all there is.
 */

/** One member of the outermost object; offsets into the bytes, ends exclusive. */
export interface Member {
  key: string
  keyStart: number
  valueStart: number
  valueEnd: number
}

/** Where a member stands; the name is that between keyStart and keyEnd, in its quotes. */
type Visit = (keyStart: number, keyEnd: number, valueStart: number, valueEnd: number) => void

/** The members of the outermost object, duplicates included, in their order. */
export function topLevelMembers (bytes: Buffer): Member[] {
  const members: Member[] = []
  scan(bytes, 0, bytes.length, (keyStart, keyEnd, valueStart, valueEnd) => {
    members.push({ key: unescapeKey(bytes, keyStart, keyEnd), keyStart, ...trim(bytes, valueStart, valueEnd) })
  })
  return members
}

/** What JSON is made of, all objects and lists at every depth together. */
export interface Outline {
  members: number
  /** members, and elements of lists, or a few more */
  values: number
  depth: number
}

export function outline (bytes: Buffer): Outline { return scan(bytes, 0, bytes.length, () => {}) }

/**
 * The last member of the outermost object between `from` and `to` that is written with this name in its quotes (an
 * escaped name is another); null: there is none. Looks from the end: a usage block mostly stands there.
 */
export function findMember (bytes: Buffer, quoted: Buffer, from: number, to: number): Omit<Member, 'key'> | null {
  let depth = 0
  let seenFrom = to
  for (let at = to; at > from;) {
    at = bytes.lastIndexOf(quoted, Math.min(at - 1, to - quoted.length))
    if (at < from) return null
    // with its quote escaped, it is the end of a string
    if (bytes[at - 1] === BACKSLASH) continue
    const behind = at + quoted.length
    // what is still open there is what is closed from there on
    depth += closings(bytes, behind, seenFrom)
    seenFrom = at
    const colon = skipBlanks(bytes, behind, to)
    if (depth !== 1 || bytes[colon] !== COLON) continue
    const valueStart = skipBlanks(bytes, colon + 1, to)
    return { keyStart: at, ...trim(bytes, valueStart, endOfValue(bytes, valueStart, to)) }
  }
  return null
}

/**
 * The values of these members of the outermost object (and maybe others); in a long text each is parsed alone, so that
 * what is around them costs no time. As with JSON.parse, the last of a name counts. null: the bytes are no object.
 */
export function topLevelValues (bytes: Buffer, names: readonly string[]): Record<string, unknown> | null {
  if (bytes[skipBlanks(bytes, 0, bytes.length)] !== OPEN_OBJECT) return null
  // a short text is parsed sooner than scanned
  const whole = bytes.length <= SHORT ? parsed(bytes.toString('utf8')) : undefined
  if (whole !== undefined) return whole as Record<string, unknown>
  const values = Object.create(null) as Record<string, unknown>
  for (const { key, valueStart, valueEnd } of topLevelMembers(bytes)) {
    if (names.includes(key)) values[key] = valueOf(bytes, valueStart, valueEnd)
  }
  return values
}

const SHORT = 16 * 1024

/** Where the elements of an array stand, ends exclusive; empty: the bytes are no array. */
export function topLevelElements (bytes: Buffer): { start: number, end: number }[] {
  const elements: { start: number, end: number }[] = []
  let at = skipBlanks(bytes, 0, bytes.length)
  if (bytes[at] !== OPEN_ARRAY) return elements
  do {
    const start = skipBlanks(bytes, at + 1, bytes.length)
    at = endOfValue(bytes, start, bytes.length)
    const { valueEnd } = trim(bytes, start, at)
    if (valueEnd > start) elements.push({ start, end: valueEnd })
  } while (bytes[at] === COMMA)
  return elements
}

/** The name of a member that its object has twice, at whatever depth; null: there is none. Slower than `outline`. */
export function duplicateKey (bytes: Buffer): string | null {
  const names: (Set<string> | null)[] = []
  let string = { start: 0, end: 0 }
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case QUOTE:
        string = { start: i, end: endOfString(bytes, i, bytes.length) }
        i = string.end - 1
        break
      case COLON: {
        const key = unescapeKey(bytes, string.start, string.end)
        const seen = names.at(-1)
        if (seen?.has(key) === true) return key
        seen?.add(key)
        break
      }
      case OPEN_OBJECT: names.push(new Set()); break
      case OPEN_ARRAY: names.push(null); break
      case CLOSE_OBJECT:
      case CLOSE_ARRAY: names.pop(); break
    }
  }
  return null
}

/** Calls `visit` for each member of the outermost object between `from` and `to`. */
function scan (bytes: Buffer, from: number, to: number, visit: Visit): Outline {
  let members = 0
  let values = 0
  let depth = 0
  let deepest = 0
  let keyStart = -1
  let keyEnd = -1
  let valueStart = -1
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number
    if (byte === QUOTE) {
      const end = endOfString(bytes, i, to)
      if (depth === 1 && keyStart === -1) {
        keyStart = i
        keyEnd = end
      }
      i = end - 1
    } else if (byte === COLON) {
      members++
      if (depth === 1 && keyStart !== -1 && valueStart === -1) valueStart = i + 1
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      values++
      if (++depth > deepest) deepest = depth
    } else if (byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (depth === 1 && valueStart !== -1) {
        visit(keyStart, keyEnd, valueStart, i)
        valueStart = -1
      }
      if (depth === 1) keyStart = -1
      if (byte === COMMA) values++
      else depth--
    }
  }
  return { members, values, depth: deepest }
}

/** how many objects and lists are closed between them that were not opened there */
function closings (bytes: Buffer, from: number, to: number): number {
  let count = 0
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number
    if (byte === QUOTE) i = endOfString(bytes, i, to) - 1
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) count++
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) count--
  }
  return count
}

/** offset of the comma or the bracket behind the value that begins at `start` */
function endOfValue (bytes: Buffer, start: number, to: number): number {
  let depth = 0
  for (let i = start; i < to; i++) {
    const byte = bytes[i] as number
    if (byte === QUOTE) i = endOfString(bytes, i, to) - 1
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
      if (depth === 0) return i
      depth--
    } else if (byte === COMMA && depth === 0) return i
  }
  return to
}

/** as long as a name mostly is: a call into native code costs more than that many steps */
const NEAR = 48

/** offset behind the closing quote of the string that begins at `start` */
function endOfString (bytes: Buffer, start: number, to: number): number {
  const near = Math.min(start + NEAR, to)
  let i = start + 1
  for (; i < near; i++) {
    const byte = bytes[i]
    if (byte === QUOTE) return i + 1
    // what it escapes is skipped with it
    if (byte === BACKSLASH) i++
  }
  while (i < to) {
    const quote = bytes.indexOf(QUOTE, i)
    if (quote === -1 || quote >= to) return to
    let before = quote
    while (before > i && bytes[before - 1] === BACKSLASH) before--
    // an even number of backslashes escape one another, not the quote
    if ((quote - before) % 2 === 0) return quote + 1
    i = quote + 1
  }
  return to
}

function unescapeKey (bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end)
  if (!text.includes('\\')) return text.slice(1, -1)
  const key = parsed(text)
  return typeof key === 'string' ? key : text
}

function valueOf (bytes: Buffer, start: number, end: number): unknown { return parsed(bytes.toString('utf8', start, end)) }

/** undefined: not JSON */
function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // bytes that are no JSON have no values, which is what the caller asked about
    return undefined
  }
}

function trim (bytes: Buffer, start: number, end: number): { valueStart: number, valueEnd: number } {
  const valueStart = skipBlanks(bytes, start, end)
  let valueEnd = end
  while (valueEnd > valueStart && (bytes[valueEnd - 1] as number) <= 0x20) valueEnd--
  return { valueStart, valueEnd }
}

/** offset of the first byte from `start` on that is no blank */
function skipBlanks (bytes: Buffer, start: number, end: number): number {
  let i = start
  while (i < end && (bytes[i] as number) <= 0x20) i++
  return i
}
