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
 * The last member of the object between `from` and `to` that is written with this name in its quotes (an escaped name
 * is another); null: there is none.
 */
export function findMember (bytes: Buffer, quoted: Buffer, from: number, to: number): Omit<Member, 'key'> | null {
  let found: Omit<Member, 'key'> | null = null
  scan(bytes, from, to, (keyStart, keyEnd, valueStart, valueEnd) => {
    if (keyEnd - keyStart !== quoted.length || bytes.compare(quoted, 0, quoted.length, keyStart, keyEnd) !== 0) return
    found = { keyStart, ...trim(bytes, valueStart, valueEnd) }
  })
  return found
}

/**
 * The values of these members of the outermost object, each parsed alone, so that a long answer around them costs no
 * time. As with JSON.parse, the last of a name counts. null: the bytes are no object.
 */
export function topLevelValues (bytes: Buffer, names: readonly string[]): Record<string, unknown> | null {
  if (bytes[trim(bytes, 0, bytes.length).valueStart] !== OPEN_OBJECT) return null
  const values = Object.create(null) as Record<string, unknown>
  for (const { key, valueStart, valueEnd } of topLevelMembers(bytes)) {
    if (names.includes(key)) values[key] = valueOf(bytes, valueStart, valueEnd)
  }
  return values
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
  while (start < end && (bytes[start] as number) <= 0x20) start++
  while (end > start && (bytes[end - 1] as number) <= 0x20) end--
  return { valueStart: start, valueEnd: end }
}
