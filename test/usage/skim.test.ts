import fc from 'fast-check'
import t from 'tap'
import { BodyMeter, NOTHING_READ } from '../../src/usage/body-meter.ts'
import { Skim, SkimmedMeter } from '../../src/usage/skim.ts'

const skimmed = (text: string, cut: number) => {
  const [skim, bytes] = [new Skim(), Buffer.from(text)]
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length; at += cut) parts.push(skim.push(bytes.subarray(at, at + cut)))
  return Buffer.concat(parts).toString()
}

/** as skimming should leave it: long strings shorter, all else the same */
function same (before: unknown, after: unknown): boolean {
  if (typeof before === 'string') {
    return typeof after === 'string' && before.startsWith(after) && (before.length < 1_000 ? before === after : after.length >= 1_000 / 2)
  }
  if (typeof before !== 'object' || before === null) return before === after || Object.is(before, after)
  const names = Object.keys(before)
  return typeof after === 'object' && after !== null && names.length === Object.keys(after).length &&
    names.every((name) => same((before as Record<string, unknown>)[name], (after as Record<string, unknown>)[name]))
}

t.test('long strings get shorter, and nothing else becomes anything else, however the bytes are cut', async (t) => {
  const piece = fc.constantFrom('a', '"', '\\', '\n', '\u0001', '\u{1F600}', 'A'.repeat(700), '\\"'.repeat(300))
  const text = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join(''))
  const value = fc.dictionary(fc.constantFrom('a', 'b64_json', 'usage'), fc.oneof(text, fc.array(text, { maxLength: 3 }), fc.integer()))
  fc.assert(fc.property(value, fc.integer({ min: 1, max: 3_000 }), (object, cut) => {
    const before = JSON.stringify(object)
    const after = skimmed(before, cut)
    return after.length <= before.length && same(JSON.parse(before), JSON.parse(after))
  }), { numRuns: 500 })
  const long = JSON.stringify({ data: [{ b64_json: 'A'.repeat(3_000_000) }], usage: { input_tokens: 1 } })
  t.ok(skimmed(long, 65_536).length < 2_000)
  t.equal(skimmed(`data: "${'x'.repeat(5_000)}\n\ndata: {"a":1}\n\n`, 100).endsWith('\n\ndata: {"a":1}\n\n'), true,
    'a string that nobody ends is ended by its line')
})

t.test('what is skimmed goes on as it came', async (t) => {
  const meter = new SkimmedMeter(new BodyMeter('', (text) => ({ ...NOTHING_READ, modelUsed: text.toString() })))
  const chunk = Buffer.from(`["${'x'.repeat(5_000)}"]`)
  t.equal(meter.data(chunk), chunk)
  t.equal(meter.end(), null)
  t.match(meter.reading(), { modelUsed: `["${'x'.repeat(1_024)}"]`, bodyBytes: 5_004 })
})
