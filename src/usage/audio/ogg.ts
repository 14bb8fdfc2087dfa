import { type AudioLength } from './length.ts'
import { LONGEST_OPUS_PACKET, opusSeconds } from './opus.ts'

const PAGE = Buffer.from('OggS')
const HEAD = 27
const [CONTINUED, FIRST] = [1, 2]

/** Ogg with Opus or Vorbis: all packets of all places where a page could begin, together. */
export function oggLength (bytes: Buffer): AudioLength | null {
  let codec: Codec | null = null
  let [seconds, granules, looked] = [0, 0n, 0]
  for (let at = bytes.indexOf(PAGE); at !== -1; at = bytes.indexOf(PAGE, at + 4)) {
    if (at + HEAD > bytes.length) break
    const [flags, segments] = [bytes[at + 5] as number, bytes[at + 26] as number]
    const body = at + HEAD + segments
    looked += segments
    // pages within pages: more of them than bytes
    if (looked > bytes.length) return null
    if (flags & FIRST) {
      const found: Codec | null = codecOf(bytes, body)
      // streams of several kinds, or of one that is not known
      if (found === null || (codec !== null && codec.name !== found.name)) return null
      codec = codec === null || found.perPacket > codec.perPacket ? found : codec
    }
    if (codec === null) return null
    seconds += packets(bytes, at, body, segments, (flags & CONTINUED) !== 0, codec)
    const granule = bytes.readBigInt64LE(at + 6)
    if (granule > granules) granules = granule
  }
  return codec === null ? null : { most: seconds, likely: Math.min(Number(granules) / codec.rate, seconds) }
}

interface Codec {
  name: 'opus' | 'vorbis'
  /** of what positions are counted in */
  rate: number
  /** the most seconds that one can have */
  perPacket: number
}

function codecOf (bytes: Buffer, at: number): Codec | null {
  const name = bytes.toString('latin1', at, at + 8)
  if (name === 'OpusHead') return { name: 'opus', rate: 48_000, perPacket: LONGEST_OPUS_PACKET }
  if (!name.startsWith('\x01vorbis') || at + 29 > bytes.length) return null
  const rate = bytes.readUInt32LE(at + 12)
  const longBlock = 2 ** ((bytes[at + 28] as number) >> 4)
  // two neighbours overlap by half
  return rate === 0 ? null : { name: 'vorbis', rate, perPacket: longBlock / 2 / rate }
}

/** A packet ends with a segment that is not full. Where one does not begin on this page, how long it is is not seen. */
function packets (
  bytes: Buffer, page: number, body: number, segments: number, continued: boolean, { name, perPacket }: Codec
): number {
  let seconds = 0
  let start: number | null = continued ? null : body
  let at = body
  for (let i = 0; i < segments; i++) {
    const size = bytes[page + HEAD + i]
    if (size === undefined) break
    at += size
    if (size === 255) continue
    const seen = name === 'opus' && start !== null ? opusSeconds(bytes, start, at) : perPacket
    seconds += Math.min(seen, perPacket)
    start = at
  }
  return seconds
}
