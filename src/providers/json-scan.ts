const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COLON = 0x3a
const COMMA = 0x2c

/** One member of the outermost object; offsets into the bytes, ends exclusive. */
export interface Member {
  key: string
  keyStart: number
  valueStart: number
  valueEnd: number
}

/**
 * The members of the outermost object, duplicates included, in their order. `bytes` must be valid JSON, an object.
 * Linear, without recursion: strings are skipped by looking for their end.
 */
export function topLevelMembers (bytes: Buffer): Member[] {
  const members: Member[] = []
  let depth = 0
  let keyStart = -1
  let keyEnd = -1
  let valueStart = -1
  const close = (end: number) => {
    if (keyStart === -1) return
    members.push({ key: unescapeKey(bytes, keyStart, keyEnd), keyStart, ...trim(bytes, valueStart, end) })
    keyStart = -1
    valueStart = -1
  }
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case QUOTE: {
        const end = endOfString(bytes, i)
        if (depth === 1 && keyStart === -1) {
          keyStart = i
          keyEnd = end
        }
        i = end - 1
        break
      }
      case COLON: if (depth === 1 && valueStart === -1) valueStart = i + 1; break
      case COMMA: if (depth === 1) close(i); break
      case OPEN_OBJECT:
      case OPEN_ARRAY: depth++; break
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        if (depth === 1) close(i)
        depth--
        break
    }
  }
  return members
}

/** offset behind the closing quote of the string that begins at `start` */
function endOfString (bytes: Buffer, start: number): number {
  for (let i = start + 1; ;) {
    const quote = bytes.indexOf(QUOTE, i)
    if (quote === -1) return bytes.length
    let before = quote - 1
    while (bytes[before] === BACKSLASH) before--
    // an even number of backslashes escape one another, not the quote
    if ((quote - before) % 2 === 1) return quote + 1
    i = quote + 1
  }
}

function unescapeKey (bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end)
  return text.includes('\\') ? JSON.parse(text) as string : text.slice(1, -1)
}

function trim (bytes: Buffer, start: number, end: number): { valueStart: number, valueEnd: number } {
  const blank = (i: number) => (bytes[i] as number) <= 0x20
  while (start < end && blank(start)) start++
  while (end > start && blank(end - 1)) end--
  return { valueStart: start, valueEnd: end }
}
