import fc from 'fast-check'
import t from 'tap'
import { dataRange, eventData, MAX_EVENT_BYTES, SseSplitter } from '../../src/usage/sse.ts'
import { cpuMs } from '../cpu-ms.ts'

const anEnd = fc.constantFrom('\n', '\r\n', '\r')
const aLine = fc.oneof(
  fc.constantFrom(': comment', 'event: x', 'id: 7', 'data', 'data:', 'data: [DONE]', '\ufeff', 'datum: 1'),
  fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => `data: ${text.replace(/[\r\n]/g, '')}`)
)
const anEvent = fc.tuple(fc.array(fc.tuple(aLine, anEnd), { minLength: 1, maxLength: 4 }), anEnd)
  .map(([lines, end]) => lines.map(([line, lineEnd]) => line + lineEnd).join('') + end)

function cut (bytes: Buffer, at: number[]): Buffer[] {
  const points = [...new Set(at.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...points].map((from, i) => bytes.subarray(from, points[i] ?? bytes.length))
}

/** what a splitter hands over, in order; a late line feed is put to its event */
function split (chunks: Buffer[]) {
  const splitter = new SseSplitter({
    event: (bytes) => { events.push(bytes) },
    lateLineFeed: (bytes) => { events.push(Buffer.concat([events.pop() as Buffer, bytes])) },
    part: (bytes) => { events.push(bytes) },
  })
  const events: Buffer[] = []
  for (const chunk of chunks) splitter.push(chunk)
  splitter.end()
  return { events: events.map((event) => event.toString('latin1')), overflowed: splitter.overflowed }
}

/** the same by the letter of the standard, line by line, without a thought of chunks */
function byTheStandard (bytes: Buffer): string[] {
  const events: string[] = []
  let event = ''
  for (const [line, end] of [...bytes.toString('latin1').matchAll(/([^\r\n]*)(\r\n|\n|\r|$)/g)].map((m) => [m[1], m[2]])) {
    event += `${line}${end}`
    if (line === '' && event !== '') event = events.push(event) > 0 ? '' : ''
  }
  return event === '' ? events : [...events, event]
}

t.test('events are those of the standard, and the same however the bytes are cut', async () => {
  const cuts = fc.array(fc.nat(), { maxLength: 8 })
  fc.assert(fc.property(fc.array(anEvent, { maxLength: 5 }), fc.string(), cuts, (texts, tail, at) => {
    const bytes = Buffer.from(texts.join('') + tail)
    const expected = JSON.stringify(byTheStandard(bytes))
    return [[bytes], cut(bytes, at)].every((chunks) => JSON.stringify(split(chunks).events) === expected)
  }), { numRuns: 2_000 })
})

t.test('a stream may be cut at every single byte', async (t) => {
  const bytes = Buffer.from('\ufeff: hi\r\n\r\ndata: ünï 🎉\rdata: 2\r\rid: 1\ndata: 3\n\n\n\r\n\r\ndata: rest')
  const expected = byTheStandard(bytes)
  for (let i = 0; i <= bytes.length; i++) t.same(split([bytes.subarray(0, i), bytes.subarray(i)]).events, expected, `${i}`)
  t.same(split([...bytes].map((byte) => Buffer.from([byte]))).events, expected)
})

t.test('an event is handed over with its end, without waiting for what follows', async (t) => {
  for (const [first, rest] of [['data: 1\n\n', 'd'], ['data: 1\r\n\r\n', 'd'], ['data: 1\r\n\r', '\nd'], ['data: 1\r\r', 'd']]) {
    const seen: string[] = []
    const splitter = new SseSplitter({
      event: (bytes) => { seen.push(`event ${JSON.stringify(bytes.toString())}`) },
      lateLineFeed: () => { seen.push('line feed') },
      part: () => { seen.push('part') },
    })
    splitter.push(Buffer.from(first as string))
    t.same(seen, [`event ${JSON.stringify(first)}`])
    splitter.push(Buffer.from(rest as string))
    t.same(seen.slice(1), rest?.startsWith('\n') === true ? ['line feed'] : [])
  }
})

t.test('an event that lies in one chunk is not copied', async (t) => {
  const chunk = Buffer.from('data: 1\n\ndata: 2\n\ndata')
  const events: Buffer[] = []
  const splitter = new SseSplitter({ event: (bytes) => { events.push(bytes) }, lateLineFeed: () => {}, part: () => {} })
  splitter.push(chunk)
  t.ok(events.every((event) => event.buffer === chunk.buffer))
  t.same(events.map((event) => event.byteOffset - chunk.byteOffset), [0, 9])
})

t.test('an event that is too long passes in parts, unread and not kept, and the next one is read again', async (t) => {
  const piece = Buffer.alloc(64 * 1024, 'a')
  let parts = 0
  const events: string[] = []
  const splitter = new SseSplitter({
    event: (bytes) => { events.push(bytes.toString()) },
    lateLineFeed: () => {},
    part: (bytes) => { parts += bytes.length },
  })
  const pieces = MAX_EVENT_BYTES / piece.length + 3
  for (let i = 0; i < pieces; i++) {
    splitter.push(piece)
    t.ok(i * piece.length < MAX_EVENT_BYTES || !splitter.keeps)
  }
  splitter.push(Buffer.from('\n\ndata: 1\n\n'))
  t.same({ parts, events, overflowed: splitter.overflowed }, {
    parts: pieces * piece.length + 2, events: ['data: 1\n\n'], overflowed: true,
  })
  const [whole] = split([Buffer.concat([Buffer.alloc(MAX_EVENT_BYTES, 'a'), Buffer.from('\n\n')])]).events
  t.equal(whole?.length, MAX_EVENT_BYTES + 2)
})

t.test('the data of an event is its data lines, joined', async (t) => {
  t.equal(eventData(Buffer.from('event: a\ndata: 1\ndata:2\ndata:  3\ndatum: x\ndata\n\n')), '1\n2\n 3\n')
  t.equal(eventData(Buffer.from(': only a comment\r\n\r\n')), '')
  t.equal(eventData(Buffer.from('\ufeffdata: 1\r\r')), '1', 'a byte order mark is no part of it')
})

t.test('the place of an event\'s data is found where there is one data line', async (t) => {
  fc.assert(fc.property(anEvent, (text) => {
    const event = Buffer.from(text)
    const range = dataRange(event)
    return range === null || event.toString('utf8', range.from, range.to) === eventData(event)
  }), { numRuns: 1_000 })
  const event = Buffer.from('id: 7\r\ndata: {"a":1}\r\n\r\n')
  t.same(dataRange(event), { from: 13, to: 20 })
  for (const none of ['data: 1\ndata: 2\n\n', ': data: 1\n\n', '\n', 'data\n\n', 'dat']) {
    t.equal(dataRange(Buffer.from(none)), null, none)
  }
})

t.test('a long run without a line end takes linear time, in one chunk or byte by byte', async (t) => {
  const run = Buffer.alloc(200 * 1024, 'a')
  t.ok(cpuMs(() => { split([run]) }) < 20)
  const small = Array.from({ length: 2_000 }, () => run.subarray(0, 1_000))
  t.ok(cpuMs(() => { split(small) }) < 100)
  const bytes = Array.from({ length: 100_000 }, (_, i) => run.subarray(i, i + 1))
  t.ok(cpuMs(() => { split(bytes) }) < 200)
  const ends = Buffer.from('\r'.repeat(50_000) + 'a'.repeat(50_000) + '\n'.repeat(50_000))
  t.ok(cpuMs(() => { split([ends]) }) < 100, 'also where one kind of line end comes long after the other')
})
