import fc from 'fast-check'
import t from 'tap'
import { eventData, SseSplitter } from '../../src/usage/sse.ts'

const anEvent = fc.tuple(
  fc.array(fc.oneof(fc.constantFrom(': comment', 'event: x', 'id: 7', 'data', 'data:'),
    fc.string({ unit: 'grapheme', maxLength: 12 }).map((s) => `data: ${s.replace(/[\r\n]/g, '')}`)), { minLength: 1, maxLength: 4 }),
  fc.constantFrom('\n', '\r\n', '\r')
).map(([lines, eol]) => lines.join(eol) + eol + eol)

function cut (bytes: Buffer, at: number[]): Buffer[] {
  const points = [...new Set(at.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...points].map((from, i) => bytes.subarray(from, points[i] ?? bytes.length))
}

function split (chunks: Buffer[]): { events: Buffer[], rest: Buffer | null } {
  const splitter = new SseSplitter()
  const events = chunks.flatMap((chunk) => splitter.push(chunk))
  return { events, rest: splitter.rest() }
}

t.test('events are the same however the bytes are cut, and no byte is lost', async () => {
  const cuts = fc.array(fc.nat(), { maxLength: 8 })
  fc.assert(fc.property(fc.array(anEvent, { maxLength: 5 }), fc.string(), cuts, (texts, tail, at) => {
    const bytes = Buffer.from(texts.join('') + tail)
    const whole = split([bytes])
    const pieces = split(cut(bytes, at))
    const again = Buffer.concat([...pieces.events, pieces.rest ?? Buffer.alloc(0)])
    return again.equals(bytes) && pieces.events.length === whole.events.length &&
      pieces.events.every((event, i) => event.equals(whole.events[i] as Buffer))
  }), { numRuns: 500 })
})

t.test('the data of an event is its data lines, joined', async (t) => {
  t.equal(eventData(Buffer.from('event: a\ndata: 1\ndata:2\ndata:  3\ndatum: x\ndata\n\n')), '1\n2\n 3\n')
  t.equal(eventData(Buffer.from(': only a comment\r\n\r\n')), '')
})

t.test('a long run without a line end takes linear time', async (t) => {
  const splitter = new SseSplitter()
  const started = performance.now()
  const chunk = Buffer.alloc(1_000, 'a')
  for (let i = 0; i < 2_000; i++) splitter.push(chunk)
  t.ok(performance.now() - started < 500)
  t.equal(splitter.rest()?.length, 2_000_000)
})
