import fc from 'fast-check'
import t from 'tap'
import { NOTHING_READ } from '../../src/usage/body-meter.ts'
import { ObjectMeter } from '../../src/usage/json-stream.ts'
import { MAX_EVENT_BYTES } from '../../src/usage/sse.ts'
import { pass } from '../providers/builders.ts'

/** the objects that were taken out of bytes that came cut in these places, and whether they came to their end */
function taken (text: string, at: number[] = []) {
  const objects: string[] = []
  let ended = false
  const meter = new ObjectMeter({
    take: (object) => { objects.push(object.toString()) }, facts: () => NOTHING_READ, end: () => { ended = true },
  })
  const bytes = Buffer.from(text)
  return { same: pass(meter, bytes, at).equals(bytes), objects, ended, reading: meter.reading() }
}

t.test('objects are found however their bytes are cut, and every byte goes on', async (t) => {
  const objects = fc.array(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), { maxLength: 4 })
  const form = fc.constantFrom('array', 'pretty', 'lines')
  fc.assert(fc.property(objects, form, fc.array(fc.nat(), { maxLength: 8 }), (list, form, at) => {
    const texts = list.map((one) => form === 'pretty' ? JSON.stringify(one, null, 2) : JSON.stringify(one))
    const text = form === 'lines' ? texts.join('\n') : `[${texts.join(',\r\n')}\n]\n`
    const { same, objects, ended } = taken(text, at)
    return same && ended && objects.join('|') === texts.join('|')
  }))
  const nasty = '[{"a\\\\":"]}\\"{","b":[[{}]]},\n{"ü\\u0022":"🎉\\\\"}]'
  for (let i = 0; i <= Buffer.byteLength(nasty); i++) {
    t.same(taken(nasty, [i]).objects, nasty.slice(1, -1).split(',\n'), `cut at ${i}`)
  }
})

t.test('what breaks off has not come to its end, and what is no JSON has no objects', async (t) => {
  t.equal(taken('[{"a":1},\n{"b":').ended, false)
  t.equal(taken('[{"a":1}').ended, false)
  for (const text of ['', '<html>', ']]}}{"a":1}', '"{', '[1,2]', 'null']) t.same(taken(text).objects.filter((one) => one !== '{"a":1}'), [])
})

t.test('after an object that is too long the usage is not known', async (t) => {
  const { objects, reading, same } = taken(`[{"a":"${'x'.repeat(MAX_EVENT_BYTES)}"},{"b":1}]`, [10, 100])
  t.same(objects, ['{"b":1}'])
  t.ok(same)
  t.match(reading, { usage: null, final: false })
})
