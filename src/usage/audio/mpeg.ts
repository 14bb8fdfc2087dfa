import { type AudioLength } from './length.ts'
import { Marks } from './marks.ts'

// bits of a frame's second byte
const MPEG_1 = 0x18
const LAYER_1 = 0x06
const LAYER_2 = 0x04
const RATES = [[11_025, 12_000, 8_000], [], [22_050, 24_000, 16_000], [44_100, 48_000, 32_000]]
/** kbit/s by layer: I, II, III of MPEG-1, then I, and II and III of MPEG-2 */
const BITRATES = [
  [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
]
export const AAC_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
]

/**
 * MPEG audio (MP3) and AAC in ADTS: all places where a frame could begin, together; also those that a player would not
 * come to, since which these are depends on where it begins.
 */
export function mpegLength (bytes: Buffer): AudioLength | null {
  let most = 0
  for (const marks = new Marks(bytes, 0); marks.at < bytes.length; marks.next()) most += secondsAt(bytes, marks.at)
  return most === 0 ? null : { most, likely: Math.min(walked(bytes), most) }
}

/** frame by frame, as players do */
function walked (bytes: Buffer): number {
  let seconds = 0
  for (let at = 0; at < bytes.length;) {
    const frame = bytes[at] === 0xff ? secondsAt(bytes, at) : 0
    seconds += frame
    at += frame === 0 ? 1 : Math.max(bytesAt(bytes, at), 1)
  }
  return seconds
}

/** 0: no frame begins there */
function secondsAt (bytes: Buffer, at: number): number {
  const second = bytes[at + 1] as number
  if (at + 7 > bytes.length || second < 0xe0) return 0
  if ((second & 0x06) === 0) return adtsSecondsAt(bytes, at)
  const third = bytes[at + 2] as number
  const rate = RATES[(second >> 3) & 3]?.[(third >> 2) & 3]
  return rate === undefined || third >> 4 === 15 ? 0 : samplesOf(second) / rate
}

/** of a frame of MPEG audio */
function samplesOf (second: number): number {
  switch (second & 0x06) {
    case LAYER_1: return 384
    case LAYER_2: return 1_152
    default: return (second & 0x18) === MPEG_1 ? 1_152 : 576
  }
}

/** of the frame that begins there; 0: no bitrate is said, and the next one is wherever it is */
function bytesAt (bytes: Buffer, at: number): number {
  const [second, third] = [bytes[at + 1] as number, bytes[at + 2] as number]
  if ((second & 0x06) === 0) return adtsBytesAt(bytes, at)
  const [layer, first] = [second & 0x06, (second & 0x18) === MPEG_1]
  const table = first ? (LAYER_1 - layer) / 2 : layer === LAYER_1 ? 3 : 4
  const bitrate = BITRATES[table]?.[(third >> 4) - 1] ?? 0
  const rate = RATES[(second >> 3) & 3]?.[(third >> 2) & 3] as number
  const padding = (third & 2) === 0 ? 0 : layer === LAYER_1 ? 4 : 1
  return bitrate === 0 ? 0 : Math.floor(samplesOf(second) / 8 * bitrate * 1_000 / rate) + padding
}

function adtsSecondsAt (bytes: Buffer, at: number): number {
  const rate = AAC_RATES[((bytes[at + 2] as number) >> 2) & 15]
  if (((bytes[at + 1] as number) & 0xf6) !== 0xf0 || rate === undefined || adtsBytesAt(bytes, at) < 7) return 0
  return 1_024 * (((bytes[at + 6] as number) & 3) + 1) / rate
}

function adtsBytesAt (bytes: Buffer, at: number): number {
  return ((bytes[at + 3] as number) & 3) << 11 | (bytes[at + 4] as number) << 3 | (bytes[at + 5] as number) >> 5
}

/** what follows tags of ID3v2, of which several may stand before the sound */
export function behindId3 (file: Buffer): Buffer {
  let at = 0
  while (file.toString('latin1', at, at + 3) === 'ID3' && at + 10 <= file.length) {
    const size = [6, 7, 8, 9].reduce((sum, i) => sum << 7 | ((file[at + i] as number) & 0x7f), 0)
    at += 10 + size + (((file[at + 5] as number) & 0x10) === 0 ? 0 : 10)
  }
  return at === 0 ? file : file.subarray(at)
}
