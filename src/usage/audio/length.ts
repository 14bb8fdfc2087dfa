import { flacLength } from './flac.ts'
import { mp4Length } from './mp4.ts'
import { behindId3, mpegLength } from './mpeg.ts'
import { oggLength } from './ogg.ts'
import { wavLength } from './wav.ts'
import { webmLength } from './webm.ts'

/**
 * How long a file of sound lasts, in seconds. `most`: longer than this no decoder plays it, whatever its headers say,
 * since it is made of everything in its bytes that could be played; `likely`: as a player would say.
 */
export interface AudioLength { most: number, likely: number }

/**
 * null: it cannot be told, since the format is none of these, or the file is not as it has to be. Linear; never throws.
 */
export function audioLength (file: Buffer): AudioLength | null {
  // players skip such a tag before anything
  const bytes = behindId3(file)
  const length = formatOf(bytes)(bytes)
  return length !== null && Number.isFinite(length.most) && length.most > 0 ? length : null
}

const UNKNOWN = (): null => null

function formatOf (bytes: Buffer): (bytes: Buffer) => AudioLength | null {
  const begins = (text: string, at = 0) => bytes.toString('latin1', at, at + text.length) === text
  if (begins('RIFF') && begins('WAVE', 8)) return wavLength
  if (begins('fLaC')) return flacLength
  if (begins('OggS')) return oggLength
  if (begins('ftyp', 4)) return mp4Length
  if (begins('\x1a\x45\xdf\xa3')) return webmLength
  return bytes[0] === 0xff && (bytes[1] as number) >= 0xe0 ? mpegLength : UNKNOWN
}
