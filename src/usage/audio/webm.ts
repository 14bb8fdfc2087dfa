import { type AudioLength } from './length.ts'
import { LONGEST_OPUS_PACKET, opusSeconds } from './opus.ts'

// RFC 9559
const [SEGMENT, CLUSTER, BLOCK_GROUP, TRACKS, TRACK] = [0x18538067, 0x1f43b675, 0xa0, 0x1654ae6b, 0xae]
const [SIMPLE_BLOCK, BLOCK, CODEC, ENCODINGS] = [0xa3, 0xa1, 0x86, 0x6d80]
/** what is looked into; all else is passed over */
const OPENED = new Set([SEGMENT, CLUSTER, BLOCK_GROUP, TRACKS, TRACK])
/** may be written before it is known how long they get */
const OPEN_ENDED = new Set([SEGMENT, CLUSTER])
const LACED = 6
const DEEPEST = 32

/** WebM with Opus: all packets of all blocks. What two players may read differently is refused. */
export function webmLength (bytes: Buffer): AudioLength | null {
  let seconds = 0
  let opus = false
  const ends: number[] = [bytes.length]
  for (let at = 0; at < bytes.length;) {
    const id = numberAt(bytes, at, true)
    const size = id === null ? null : numberAt(bytes, at + id.length, false)
    if (id === null || size === null) return null
    const body = at + id.length + size.length
    while (ends.length > 1 && at >= (ends.at(-1) as number)) ends.pop()
    const openEnded = size.value === null
    if (openEnded && !OPEN_ENDED.has(id.value as number)) return null
    const end = size.value === null ? ends.at(-1) as number : body + size.value
    if (end > (ends.at(-1) as number)) return null
    if (OPENED.has(id.value as number)) {
      if (end < (ends.at(-1) as number) && ends.push(end) > DEEPEST) return null
      at = body
      continue
    }
    switch (id.value) {
      case CODEC: {
        const codec = bytes.toString('latin1', body, end)
        if (codec.startsWith('A_') && codec !== 'A_OPUS') return null
        opus ||= codec === 'A_OPUS'
        break
      }
      case ENCODINGS: return null
      case SIMPLE_BLOCK:
      case BLOCK: {
        const of = blockSeconds(bytes, body, end)
        if (of === null) return null
        seconds += of
      }
    }
    at = end
  }
  return opus ? { most: seconds, likely: seconds } : null
}

/** of several packets in one block nobody looks where they begin */
function blockSeconds (bytes: Buffer, body: number, end: number): number | null {
  const track = numberAt(bytes, body, false)
  if (track === null) return null
  const flags = body + track.length + 2
  if (flags >= end) return null
  if (((bytes[flags] as number) & LACED) === 0) return opusSeconds(bytes, flags + 1, end)
  return ((bytes[flags + 1] ?? 255) + 1) * LONGEST_OPUS_PACKET
}

/** A number, whose first byte says how many bytes it has. `marked`: with that mark. A value of all ones is null. */
function numberAt (bytes: Buffer, at: number, marked: boolean): { value: number | null, length: number } | null {
  const first = bytes[at]
  if (first === undefined || first === 0) return null
  const length = Math.clz32(first) - 23
  if (length > (marked ? 4 : 8) || at + length > bytes.length) return null
  let value = marked ? first : first & (0xff >> length)
  let known = (first & (0xff >> length)) !== 0xff >> length
  for (let i = 1; i < length; i++) {
    value = value * 256 + (bytes[at + i] as number)
    known ||= bytes[at + i] !== 0xff
  }
  return { value: marked || known ? value : null, length }
}
