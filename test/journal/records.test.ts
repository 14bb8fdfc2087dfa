import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import t from 'tap'
import { type JournalRecord } from '../../src/journal/journal.ts'
import { decodeLine, encodeLine } from '../../src/journal/records.ts'
import { callEnds, openings } from './arbitraries.ts'
import { anOpening } from './builders.ts'

const records: fc.Arbitrary<JournalRecord> = fc.oneof(
  openings.map((call): JournalRecord => ({ t: 'open', call })),
  callEnds.map((end): JournalRecord => ({ t: 'end', end })),
  fc.string().map((id): JournalRecord => ({ t: 'void', id }))
)

t.test('every record is one line and reads back as it was', async (t) => {
  fc.assert(fc.property(records, (record) => {
    const line = Buffer.from(encodeLine(record))

    t.equal(line.indexOf('\n'), line.length - 1)
    t.strictSame(decodeLine(line.subarray(0, -1)), record)
  }), { numRuns: 300 })
})

t.test('a record with any one byte changed is no record', async (t) => {
  const line = Buffer.from(encodeLine({ t: 'open', call: anOpening() })).subarray(0, -1)

  for (let i = 0; i < line.length; i++) {
    const changed = Buffer.from(line)
    changed[i] = (changed[i] as number) ^ (1 + i % 255)
    t.equal(decodeLine(changed), null, `byte ${i}`)
  }
})

/** a line whose checksum is good, whatever it says */
function framed (value: unknown): Buffer {
  const json = JSON.stringify(value)
  return Buffer.from(`${crc32(json).toString(16).padStart(8, '0')} ${json}`)
}

t.test('a record with a good checksum and a wrong shape is no record', async (t) => {
  const shapes: unknown[] = [
    null, 1, [], {}, { t: 'open' }, { t: 'void' }, { t: 'void', id: 7 }, { t: 'other', id: 'x' },
    { t: 'synced', at: 1.5, segment: 1, offset: 1 }, { t: 'closed', at: '1' },
    { t: 'closed', at: 1, unposted: '0' },
  ]
  for (const shape of shapes) t.equal(decodeLine(framed(shape)), null, JSON.stringify(shape))
  t.strictSame(decodeLine(framed({ t: 'void', id: 'x' })), { t: 'void', id: 'x' })
  t.strictSame(decodeLine(framed({ t: 'closed', at: 1 })), { t: 'closed', at: 1 }, 'as an older version wrote it')
  t.equal(decodeLine(Buffer.from('')), null)
})

t.test('a header of a newer format ends the reading instead of being guessed at', async (t) => {
  const header = { journalId: 'j', incarnation: 7, bootId: 'b', host: 'h', pid: 1, startedAt: 2 }

  t.strictSame(decodeLine(framed({ t: 'header', format: 1, segment: 3, ...header })), { t: 'header', segment: 3, header })
  t.throws(() => decodeLine(framed({ t: 'header', format: 2, segment: 3, ...header })), { code: 'journal_format' })
})
