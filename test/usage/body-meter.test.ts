import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { BodyMeter, EventMeter, type Facts, isEventStream, MAX_METERED_BYTES, NOTHING_READ } from '../../src/usage/body-meter.ts'
import { MAX_EVENT_BYTES } from '../../src/usage/sse.ts'
import { type Usage } from '../../src/usage/usage.ts'

const USED: Usage = {
  inputTokens: 1,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  outputTokens: 1,
  reasoningTokens: 0,
  webSearches: 0,
  tier: null,
}

/** remembers the text that a meter gave it to read */
function reader () {
  const seen: string[] = []
  const read = (text: Buffer): Facts => {
    seen.push(text.toString())
    return { ...NOTHING_READ, usage: USED, final: true }
  }
  return { seen, read }
}

const TEXT = '{"usage":"ünï 🎉"}'.repeat(100)

t.test('an encoded body passes as it is and is read decoded', async (t) => {
  const encoded: [string, Buffer][] = [
    ['gzip', gzipSync(TEXT)], ['GZIP', gzipSync(TEXT)], [' x-gzip ', gzipSync(TEXT)], ['br', brotliCompressSync(TEXT)],
    ['deflate', deflateSync(TEXT)], ['deflate', deflateRawSync(TEXT)], ['identity', Buffer.from(TEXT)], ['', Buffer.from(TEXT)],
  ]
  for (const [encoding, bytes] of encoded) {
    const { seen, read } = reader()
    const meter = new BodyMeter(encoding, read)
    const chunks = [bytes.subarray(0, 7), bytes.subarray(7, 8), bytes.subarray(8)]
    for (const chunk of chunks) t.equal(meter.data(chunk), chunk)
    t.equal(meter.end(), null)
    t.same(seen, [TEXT], encoding)
    t.equal(meter.reading().bodyBytes, Buffer.byteLength(TEXT), 'as long as it is decoded')
  }
})

t.test('a body that cannot be decoded stays unread, and how long it is is not known', async (t) => {
  const bomb = gzipSync(Buffer.alloc(MAX_METERED_BYTES + 1))
  const cutShort = gzipSync(TEXT).subarray(0, -9)
  for (const [encoding, bytes] of [['gzip', Buffer.from('no')], ['zstd', Buffer.from('x')], ['gzip', bomb], ['gzip', cutShort],
    ['gzip, br', gzipSync(TEXT)]] as const) {
    const { seen, read } = reader()
    const meter = new BodyMeter(encoding, read)
    t.equal(meter.data(bytes), bytes)
    meter.end()
    t.same(seen, [])
    t.match(meter.reading(), { usage: null, final: false, bodyBytes: Infinity })
  }
})

t.test('a body above the bound passes unread, and nothing of it is kept', async (t) => {
  const { seen, read } = reader()
  const meter = new BodyMeter('', read)
  const piece = Buffer.alloc(1024 * 1024, 'x')
  for (let i = 0; i < 17; i++) t.equal(meter.data(piece), piece)
  meter.end()
  t.same(seen, [])
  t.match(meter.reading(), { usage: null, bodyBytes: 17 * piece.length })
})

t.test('an answer that was cut off is as long as what was seen of it, and read only at its end', async (t) => {
  const { seen, read } = reader()
  const meter = new BodyMeter('', read)
  meter.data(Buffer.from(TEXT))
  t.match(meter.reading(), { usage: null, bodyBytes: Buffer.byteLength(TEXT) })
  const encoded = new BodyMeter('gzip', read)
  encoded.data(gzipSync(TEXT))
  t.equal(encoded.reading().bodyBytes, Infinity)
  t.same(seen, [])
})

t.test('what a taker drops goes nowhere, with the line feed that comes late; all else goes on in order', async (t) => {
  const drops = {
    take: (event: Buffer) => event.includes('drop') ? null : event.includes('half') ? [event.subarray(0, 2), event.subarray(4)] : event,
    facts: () => NOTHING_READ,
  }
  const text = 'a\r\n\r\ndrop\r\n\r\nhalf\r\n\r\ndrop\r\n\r\nlast'
  const bytes = Buffer.from(text)
  const expected = 'a\r\n\r\nha\r\n\r\nlast'
  for (let i = 0; i <= bytes.length; i++) {
    const meter = new EventMeter(drops, true)
    const out = [meter.data(bytes.subarray(0, i)), meter.data(bytes.subarray(i)), meter.end()]
    t.equal(out.map((one) => one?.toString() ?? '').join(''), expected, `cut at ${i}`)
  }
})

t.test('a chunk out of which nothing is taken is passed as the same buffer', async (t) => {
  const all = { take: (event: Buffer) => event, facts: () => NOTHING_READ }
  const two = Buffer.from('a\n\nb\n\n')
  t.equal(new EventMeter(all, true).data(two), two)
  t.equal(new EventMeter(all, false).data(two), two)
  const meter = new EventMeter(all, true)
  t.equal(meter.data(Buffer.from('a')), null)
  t.same(meter.data(Buffer.from('\n\nb')), Buffer.from('a\n\n'))
  t.same(meter.end(), Buffer.from('b'))
})

t.test('after an event that was too long to read, the usage is not known', async (t) => {
  const used = { take: (event: Buffer) => event, facts: () => ({ ...NOTHING_READ, usage: USED, final: true }) }
  for (const filters of [true, false]) {
    const meter = new EventMeter(used, filters)
    t.match(meter.reading(), { final: true })
    const long = Buffer.alloc(MAX_EVENT_BYTES + 1, 'x')
    t.equal(meter.data(long)?.length, long.length, 'it passes all the same')
    t.match(meter.reading(), { usage: null, final: false, bodyBytes: long.length })
  }
})

t.test('a stream is known by its type, in whichever letters', async (t) => {
  for (const type of ['text/event-stream', 'Text/Event-Stream; charset=utf-8', ' text/event-stream ;x=1']) t.ok(isEventStream(type))
  for (const type of ['', 'application/json', 'text/event-streams', 'x text/event-stream']) t.notOk(isEventStream(type))
})
