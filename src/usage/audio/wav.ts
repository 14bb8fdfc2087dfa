import { type AudioLength } from './length.ts'

/** whose samples all have the same size: whole numbers, fractions, A-law, mu-law */
const PLAIN = new Set([1, 3, 6, 7])
const EXTENSIBLE = 0xfffe

/** RIFF: what comes behind the head of the first `data` may all be samples, whatever length that says. */
export function wavLength (bytes: Buffer): AudioLength | null {
  let perSecond = 0
  for (let at = 12; at + 8 <= bytes.length;) {
    const size = bytes.readUInt32LE(at + 4)
    switch (bytes.toString('latin1', at, at + 4)) {
      case 'fmt ':
        // players take one of two, and which is theirs to say
        if (perSecond > 0 || size < 16 || at + 24 > bytes.length) return null
        perSecond = bytesPerSecond(bytes, at + 8, size)
        break
      case 'data': {
        if (perSecond === 0) return null
        const there = bytes.length - at - 8
        return { most: there / perSecond, likely: Math.min(there, size) / perSecond }
      }
    }
    at += 8 + size + (size % 2)
  }
  return null
}

/** of what is played, not of what the header says; 0: the samples are in some code, so that they may be of any size */
function bytesPerSecond (bytes: Buffer, at: number, size: number): number {
  const tag = bytes.readUInt16LE(at)
  const inner = tag === EXTENSIBLE && size >= 40 && at + 26 <= bytes.length ? bytes.readUInt16LE(at + 24) : tag
  const [channels, rate, bits] = [bytes.readUInt16LE(at + 2), bytes.readUInt32LE(at + 4), bytes.readUInt16LE(at + 14)]
  return PLAIN.has(inner) && bits <= 64 ? channels * rate * Math.ceil(bits / 8) : 0
}
