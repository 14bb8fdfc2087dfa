import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { audioLength } from '../../src/usage/audio/length.ts'
import { wav } from './wav.ts'

// Files of two seconds as real encoders have made them (ffmpeg 7.0.2: a tone, or silence, by its own encoders,
// libmp3lame, libopus and libvorbis).
const FOLDER = 'test/fixtures/audio'
const files = new Map(readdirSync(FOLDER).map((name) => [name, readFileSync(`${FOLDER}/${name}`)]))
const file = (name: string): Buffer => Buffer.from(files.get(name) as Buffer)
const most = (bytes: Buffer): number => audioLength(bytes)?.most ?? NaN

/** how many times as long as it is a file is taken to be at most; the fewer bits a second, the more by chance */
const LOOSE: Record<string, number> = { '2s.m4a': 50, '2s-fragments.m4a': 50, '2s.aac': 2, '2s.mp3': 2 }

function with32 (bytes: Buffer, name: string, offset: number, value: number): Buffer {
  bytes.writeUInt32BE(value, bytes.indexOf(name) + offset)
  return bytes
}

t.test('a file is as long as a player says, and never taken for shorter than it is', async (t) => {
  for (const [name, bytes] of [...files, ['2s.wav', wav(2)] as const]) {
    const length = audioLength(bytes)
    t.ok(length !== null && length.most >= 2 && length.most < 2 * (LOOSE[name] ?? 1.2), `${name}: at most ${length?.most}`)
    t.ok(length !== null && Math.abs(length.likely - 2) < 0.2, `${name}: likely ${length?.likely}`)
  }
})

t.test('what a file says of itself makes it no shorter than what is in it', async (t) => {
  t.equal(most(wav(20, 1)), 20, 'RIFF: less data than there is')
  t.equal(audioLength(wav(20, 1))?.likely, 1)
  const flac = file('2s.flac')
  flac.fill(0, 21, 26)
  t.ok(most(flac) >= 2, 'FLAC: no samples')
  const ogg = file('2s.opus.ogg')
  for (let at = ogg.indexOf('OggS'); at !== -1; at = ogg.indexOf('OggS', at + 4)) ogg.writeBigInt64LE(0n, at + 6)
  t.ok(most(ogg) >= 2, 'Ogg: position 0')
  t.ok(most(with32(file('2s.m4a'), 'mdhd', 20, 1)) >= 2, 'MP4: duration 1')
  t.ok(most(with32(file('2s.m4a'), 'stsz', 12, 1)) >= 2, 'MP4: one sample')
  const mp3 = file('2s.mp3')
  t.ok(most(Buffer.concat([mp3, mp3])) >= 4, 'MP3: a head that counts the first half')
  t.ok(most(Buffer.concat([file('2s.opus.ogg'), file('2s.opus.ogg')])) >= 4, 'Ogg: one behind another')
  const tag = Buffer.from('ID3\x03\0\0\0\0\0\x05xxxxx', 'latin1')
  t.ok(most(Buffer.concat([tag, tag, file('2s.flac')])) >= 2, 'a tag of another format before it')
})

t.test('what makes a file longer makes it longer', async (t) => {
  const slow = wav(2)
  slow.writeUInt32LE(1, 24)
  t.equal(most(slow), 16_000, 'one sample a second')
  t.ok(most(with32(file('2s.m4a'), 'mdhd', 20, 0x7fff_ffff)) > 100_000)
  const edits = most(file('2s.m4a'))
  t.equal(most(with32(file('2s.m4a'), 'elst', 8, 3)), edits * 3, 'played three times')
})

t.test('what cannot be told is not', async (t) => {
  for (const [what, bytes] of Object.entries({
    nothing: Buffer.alloc(0),
    text: Buffer.from('hello'),
    'a tag alone': Buffer.from('ID3\x03\0\0\0\0\0\0', 'latin1'),
    'silence without samples': wav(0),
    'samples in a code': Object.assign(wav(2)).fill(2, 20, 21) as Buffer,
    'no rate': Object.assign(wav(2)).fill(0, 24, 28) as Buffer,
    'two formats': Buffer.concat([wav(0).subarray(0, 36), wav(0).subarray(12, 36), wav(1).subarray(36)]),
    'another codec in MP4': Buffer.from(file('2s.m4a').toString('latin1').replace('mp4a', 'alac'), 'latin1'),
    'packed boxes': Buffer.concat([file('2s.m4a'), Buffer.from('cmov')]),
    'another codec in WebM': Buffer.from(file('2s.webm').toString('latin1').replace('A_OPUS', 'A_PCM/'), 'latin1'),
    'a WebM that is cut': file('2s.webm').subarray(0, -10),
    'another codec in Ogg': Buffer.from(file('2s.opus.ogg').toString('latin1').replace('OpusHead', 'Speex   '), 'latin1'),
  })) t.equal(audioLength(bytes), null, what)
})

t.test('no bytes make it throw, or take long', async (t) => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 20 })
  const changed = fc.tuple(fc.constantFrom(...files.values()), changes, fc.nat())
  fc.assert(fc.property(changed, ([bytes, changes, cut]) => {
    const copy = Buffer.from(bytes)
    for (const [at, value] of changes) copy[at % copy.length] = value
    const length = audioLength(copy.subarray(0, copy.length - cut % 100))
    return length === null || (length.most > 0 && length.likely <= length.most && length.likely >= 0)
  }), { numRuns: 2_000 })
  for (const [begin, rest] of [
    ['\xff\xfb', '\xff'], ['fLaC', '\xff\xf8\x7c\xff'], [`OggS${'\0'.repeat(22)}\x01\x08OpusHead`, 'OggS'], ['    ftyp', 'stsd'],
    ['\x1a\x45\xdf\xa3\x80', '\x1f\x43\xb6\x75\xff'],
  ] as const) {
    const bytes = Buffer.alloc(2_000_000, rest, 'latin1')
    bytes.write(begin, 'latin1')
    const started = performance.now()
    audioLength(bytes)
    t.ok(performance.now() - started < 2_000, begin.slice(0, 4))
  }
})
