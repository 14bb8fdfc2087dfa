import { type AudioLength } from './length.ts'
import { AAC_RATES } from './mpeg.ts'

const [STSD, ESDS, MDHD, ELST] = [Buffer.from('stsd'), Buffer.from('esds'), Buffer.from('mdhd'), Buffer.from('elst')]
const [STSZ, TRUN, CMOV] = [Buffer.from('stsz'), Buffer.from('trun'), Buffer.from('cmov')]
/** of a frame: one channel, nothing in it, and its end (ISO 14496-3, 4.4.2) */
const LEAST_AAC_FRAME = 4
const AAC_SAMPLES = 1_024
const MOST_TRACKS = 32
const LONGEST_ENTRY = 65_536
/** of what is no sound: pictures, text, times */
const SILENT = new Set([
  'avc1', 'avc3', 'hvc1', 'hev1', 'vp08', 'vp09', 'av01', 'mp4v', 'jpeg', 'tx3g', 'text', 'tmcd', 'mett',
])
/** AAC Main, LC, SSR and LTP, and what is added to them for high efficiency */
const AAC = new Set([1, 2, 3, 4, 5, 29])

/**
 * MP4 and M4A with AAC. Players take any number of frames out of one sample, so the number of samples bounds nothing:
 * the bytes do. Boxes are looked for wherever they may stand, since players find them in several ways.
 */
export function mp4Length (bytes: Buffer): AudioLength | null {
  // boxes within would be packed
  if (bytes.includes(CMOV)) return null
  let [least, tracks] = [Infinity, 0]
  for (const at of allOf(bytes, STSD)) {
    const rate = rateOf(bytes, at)
    if (rate === null || ++tracks > MOST_TRACKS) return null
    least = Math.min(least, rate)
  }
  if (least === Infinity) return null
  let [told, times] = [0, 1]
  for (const at of allOf(bytes, MDHD)) told = Math.max(told, toldBy(bytes, at + 4))
  // what is played several times
  for (const at of allOf(bytes, ELST)) times = Math.max(times, at + 12 > bytes.length ? 1 : bytes.readUInt32BE(at + 8))
  const most = Math.max(bytes.length / LEAST_AAC_FRAME * AAC_SAMPLES / least, told) * times
  return { most, likely: Math.min(Math.max(told, samples(bytes) * AAC_SAMPLES / least), most) }
}

/** of the longest track, or of all fragments */
function samples (bytes: Buffer): number {
  let [longest, inFragments] = [0, 0]
  const count = (at: number) => at + 4 > bytes.length ? 0 : bytes.readUInt32BE(at)
  for (const at of allOf(bytes, STSZ)) longest = Math.max(longest, count(at + 12))
  for (const at of allOf(bytes, TRUN)) inFragments += count(at + 8)
  return Math.max(longest, inFragments)
}

function * allOf (bytes: Buffer, name: Buffer): Generator<number> {
  for (let at = bytes.indexOf(name); at !== -1; at = bytes.indexOf(name, at + 4)) yield at
}

/** samples per second; Infinity: it is no sound; null: it is not known what it is */
function rateOf (bytes: Buffer, at: number): number | null {
  if (at + 20 > bytes.length || bytes.readUInt32BE(at + 8) !== 1) return null
  const format = bytes.toString('latin1', at + 16, at + 20)
  if (SILENT.has(format)) return Infinity
  if (format !== 'mp4a') return null
  const size = bytes.readUInt32BE(at + 12)
  if (size > LONGEST_ENTRY) return null
  const entry = bytes.subarray(at + 12, at + 12 + size)
  const found = entry.indexOf(ESDS)
  // of two, which is theirs to say
  return found === -1 || entry.includes(ESDS, found + 4) ? null : aacRate(entry.subarray(found + 8))
}

/** Descriptors within one another (ISO 14496-1, 7.2.6): of the stream, of its decoder, and what that needs. */
function aacRate (bytes: Buffer): number | null {
  const stream = descriptor(bytes, 0, 3)
  // what may follow the id of a stream is not there in files
  if (stream === null || bytes[stream + 2] !== 0) return null
  const decoder = descriptor(bytes, stream + 3, 4)
  if (decoder === null || bytes[decoder] !== 0x40) return null
  const config = descriptor(bytes, decoder + 13, 5)
  if (config === null || config + 5 > bytes.length) return null
  const [first, second] = [bytes[config] as number, bytes[config + 1] as number]
  if (!AAC.has(first >> 3)) return null
  const index = (first & 7) << 1 | second >> 7
  if (index < 15) return AAC_RATES[index] ?? null
  const rate = (bytes.readUInt32BE(config + 1) << 1 | (bytes[config + 5] ?? 0) >> 7) >>> 8
  return rate === 0 ? null : rate
}

/** where its content begins; null: it is another one */
function descriptor (bytes: Buffer, at: number, tag: number): number | null {
  if (bytes[at] !== tag) return null
  let i = at + 1
  while (i < at + 4 && ((bytes[i] ?? 0) & 0x80) !== 0) i++
  return i + 1
}

/** what the head of a medium says, seconds */
function toldBy (bytes: Buffer, at: number): number {
  const long = bytes[at] === 1
  if (at + (long ? 36 : 24) > bytes.length) return 0
  const scale = bytes.readUInt32BE(at + (long ? 20 : 12))
  const duration = long ? Number(bytes.readBigUInt64BE(at + 24)) : bytes.readUInt32BE(at + 16)
  // all ones: it is not known
  const unknown = duration === 0xffff_ffff || duration > Number.MAX_SAFE_INTEGER
  return scale === 0 || unknown ? 0 : duration / scale
}
