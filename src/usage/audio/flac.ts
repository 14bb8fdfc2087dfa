import { type AudioLength } from './length.ts'
import { Marks } from './marks.ts'

const RATES = [0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000]
const RATE_IN_KHZ = 12
const RATE_IN_HZ = 13
const RATE_IN_TENS = 14

/** CRC-8 of x^8 + x^2 + x + 1, as frames' heads have it */
const CRC = Uint8Array.from({ length: 256 }, (_, value) => {
  let crc = value
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? (crc << 1) ^ 0x07 : crc << 1
  return crc & 0xff
})

/** FLAC (RFC 9639): all places where a frame's head stands with its checksum, together. */
export function flacLength (bytes: Buffer): AudioLength | null {
  // STREAMINFO comes first
  if (bytes.length < 42 || ((bytes[4] as number) & 0x7f) !== 0) return null
  const declared = bytes.readUIntBE(18, 3) >> 4
  let most = 0
  for (const marks = new Marks(bytes, 42); marks.at < bytes.length; marks.next()) {
    if (((bytes[marks.at + 1] as number) & 0xfc) === 0xf8) most += secondsAt(bytes, marks.at, declared)
  }
  return { most, likely: most }
}

/** 0: no frame begins there */
function secondsAt (bytes: Buffer, at: number, declared: number): number {
  const codes = bytes[at + 2] as number
  const [sizeCode, rateCode] = [codes >> 4, codes & 15]
  if (sizeCode === 0 || rateCode === 15) return 0
  let end = at + 4 + numberLength(bytes[at + 4] as number)
  const sizeAt = end
  if (sizeCode === 6 || sizeCode === 7) end += sizeCode - 5
  const rateAt = end
  if (rateCode >= RATE_IN_KHZ) end += rateCode === RATE_IN_KHZ ? 1 : 2
  if (end >= bytes.length) return 0
  let crc = 0
  for (let i = at; i < end; i++) crc = CRC[crc ^ (bytes[i] as number)] as number
  if (crc !== bytes[end]) return 0
  const rate = rateOf(bytes, rateCode, rateAt) || declared
  // where the two differ, whichever plays longer
  return blockSize(bytes, sizeCode, sizeAt) / Math.min(rate, declared || rate)
}

/** of the number of a frame, which is written as UTF-8 writes characters */
function numberLength (first: number): number {
  let length = 1
  if (first >= 0xc0) for (let bit = 0x40; bit > 1 && (first & bit) !== 0; bit >>= 1) length++
  return length
}

function blockSize (bytes: Buffer, code: number, at: number): number {
  if (code === 1) return 192
  if (code <= 5) return 576 << (code - 2)
  if (code === 6) return (bytes[at] as number) + 1
  return code === 7 ? bytes.readUInt16BE(at) + 1 : 256 << (code - 8)
}

/** 0: as STREAMINFO says */
function rateOf (bytes: Buffer, code: number, at: number): number {
  switch (code) {
    case RATE_IN_KHZ: return (bytes[at] as number) * 1_000
    case RATE_IN_HZ: return bytes.readUInt16BE(at)
    case RATE_IN_TENS: return bytes.readUInt16BE(at) * 10
    default: return RATES[code] as number
  }
}
