import fc from 'fast-check'
import t from 'tap'
import { duplicateKey, findMember, outline, topLevelMembers, topLevelValues } from '../../src/providers/json-scan.ts'
import { cpuMs } from '../cpu-ms.ts'

const aName = fc.oneof(
  fc.constantFrom('model', 'n', 'stream', 'a"b', 'back\\slash', 'ünï', '', '__proto__', 'x'.repeat(60), '}],:'),
  fc.string(), fc.string({ unit: 'binary', minLength: 30, maxLength: 80 })
)
/** escapes far behind a string's beginning, where it is searched in another way */
const aLongText = fc.string({ unit: fc.constantFrom('\\', '"', 'a', '{', ':'), minLength: 30, maxLength: 120 })
const aValue = fc.oneof(fc.jsonValue({ maxDepth: 4 }), aLongText)
const anObject = fc.dictionary(aName, aValue, { noNullPrototype: true })
const someBlanks = fc.constantFrom(undefined, 1, '\t', ' \n ')
/** JSON as others write it: all but ASCII escaped, slashes too */
const aWriter = fc.constantFrom(
  (text: string) => text,
  (text: string) => text.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
  (text: string) => text.replaceAll('/', '\\/')
)

function membersOf (tree: unknown): number {
  if (typeof tree !== 'object' || tree === null) return 0
  const own = Array.isArray(tree) ? 0 : Object.keys(tree).length
  return Object.values(tree).reduce<number>((sum, value) => sum + membersOf(value), own)
}

t.test('the members of an object are found where JSON.parse finds them', async () => {
  fc.assert(fc.property(anObject, someBlanks, aWriter, (object, blanks, write) => {
    const bytes = Buffer.from(write(JSON.stringify(object, null, blanks)))
    const parsed = JSON.parse(bytes.toString()) as Record<string, unknown>
    const members = topLevelMembers(bytes)
    const values = topLevelValues(bytes, Object.keys(parsed))
    return outline(bytes).members === membersOf(parsed) && duplicateKey(bytes) === null &&
      JSON.stringify(members.map(({ key }) => key).sort()) === JSON.stringify(Object.keys(parsed).sort()) &&
      members.every(({ key, valueStart, valueEnd }) =>
        JSON.stringify(JSON.parse(bytes.toString('utf8', valueStart, valueEnd))) === JSON.stringify(parsed[key])) &&
      Object.entries(parsed).every(([key, value]) => JSON.stringify(values?.[key]) === JSON.stringify(value))
  }), { numRuns: 2_000 })
})

t.test('a name that is there twice is found at whatever depth, however it is escaped', async (t) => {
  fc.assert(fc.property(anObject, aName, aValue, fc.nat({ max: 5 }), (object, name, value, depth) => {
    const inner = JSON.stringify({ ...object, [name]: value })
    const escaped = [...name].map((c) => c.length === 1 ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c).join('')
    const quoted = /[\ud800-\udfff]/.test(name) ? JSON.stringify(name) : `"${escaped}"`
    const twice = `${inner.slice(0, -1)},${quoted}:1}`
    const text = `{"a":[${'['.repeat(depth)}${twice}${']'.repeat(depth)}]}`
    const parsed: unknown = JSON.parse(text)
    // the parser forgets the first value, and what is in it
    const expected = membersOf(parsed) + 1 + membersOf(value)
    return outline(Buffer.from(text)).members === expected && duplicateKey(Buffer.from(text)) === name
  }), { numRuns: 1_000 })
  for (const fine of ['{"a":{"a":1},"b":[{"a":1},{"a":2}]}', '{"a":"a","b":"\\"a\\":1"}', '{}', '[]']) {
    t.equal(duplicateKey(Buffer.from(fine)), null, fine)
  }
})

t.test('a member is found by its name in the outermost object only', async (t) => {
  const at = (text: string) => {
    const bytes = Buffer.from(`data: ${text}\n\n`)
    const found = findMember(bytes, Buffer.from('"usage"'), 6, bytes.length - 2)
    return found === null ? null : bytes.toString('utf8', found.valueStart, found.valueEnd)
  }
  t.equal(at('{"a":{"usage":1},"usage": null }'), 'null')
  t.equal(at('{"a":{"usage":1}}'), null)
  t.equal(at('{"a":"usage","b":["usage"]}'), null)
  t.equal(at('{"usage":1,"usage":{"x":[2]}}'), '{"x":[2]}', 'of several the last, as with JSON.parse')
  t.equal(at('[{"usage":1}]'), null)
})

t.test('a member found from the end is the last that a scan from the start finds', async () => {
  const name = fc.constantFrom('usage', 'a', '"usage', 'usage"', '\\"usage', '\\')
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof({ maxDepth: 4 }, name, fc.constantFrom(null, 1, '{', '}', ':'), fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(name, tie('tree'), { maxKeys: 4 })),
  }))
  const object = fc.dictionary(name, tree, { maxKeys: 5, noNullPrototype: true })
  fc.assert(fc.property(object, object, someBlanks, (one, other, blanks) => {
    // put together, they have names twice
    const texts = [one, other].map((each) => JSON.stringify(each, null, blanks).trim().slice(1, -1).trim())
    const bytes = Buffer.from(` data: {${texts.filter((text) => text !== '').join(',')}}  `)
    const found = findMember(bytes, Buffer.from('"usage"'), 7, bytes.length - 1)
    const { key: _, ...last } = topLevelMembers(bytes.subarray(7)).findLast(({ key }) => key === 'usage') ?? { key: null }
    const shifted = Object.fromEntries(Object.entries(last).map(([field, at]) => [field, at + 7]))
    return JSON.stringify(found ?? {}) === JSON.stringify(shifted)
  }), { numRuns: 3_000 })
})

t.test('depth and values are those of the whole text', async (t) => {
  t.same(outline(Buffer.from('{"a":[[1,2],{"b":"[{,"}],"c":3}')), { members: 3, values: 7, depth: 3 })
  t.same(outline(Buffer.from('1')), { members: 0, values: 0, depth: 0 })
})

t.test('bytes that are no JSON are scanned to their end, without a throw', async () => {
  const unit = fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', 'a', ' ', '1', '"usage"', 'null')
  const junk = fc.oneof(fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.array(unit, { maxLength: 60 }).map((units) => Buffer.from(units.join(''))))
  fc.assert(fc.property(junk, fc.nat({ max: 20 }), (bytes, from) => {
    topLevelMembers(bytes)
    topLevelValues(bytes, ['usage', 'a'])
    duplicateKey(bytes)
    const found = findMember(bytes, Buffer.from('"usage"'), Math.min(from, bytes.length), bytes.length)
    if (found === null) return true
    return found.keyStart >= 0 && found.valueStart <= found.valueEnd && found.valueEnd <= bytes.length
  }), { numRuns: 5_000 })
})

t.test('values are read one by one: what is broken elsewhere does not matter', async (t) => {
  const long = `{"a":{"b":1},"x":"${'y'.repeat(20_000)}","a":2}`
  t.same({ ...topLevelValues(Buffer.from(long), ['a']) }, { a: 2 })
  t.same(topLevelValues(Buffer.from(' {"a":1,"b":nonsense,"c":{"a":2}}'), ['a', 'b', 'c']), { a: 1, b: undefined, c: { a: 2 } })
  for (const none of ['', ' ', '[]', '<html>', '"a"']) t.equal(topLevelValues(Buffer.from(none), ['a']), null, none)
})

t.test('scanning is linear in strings, escapes, quotes and depth', async (t) => {
  const of = (text: string) => Buffer.from(text)
  const bodies = {
    run: of(`{"a":"${'a'.repeat(400_000)}"}`),
    quotes: of(`{"a":"${'\\"'.repeat(200_000)}"}`),
    backslashes: of(`{"a":"${'\\\\'.repeat(200_000)}"}`),
    both: of(`{"a":"${`${'\\\\'.repeat(500)}\\"`.repeat(400)}"}`),
    open: of(`{"a":"${'\\'.repeat(400_000)}`),
    deep: of(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
    names: of(`{"a":[${'{"usage":[1]},'.repeat(30_000)}0]}`),
    strings: of(`{"a":[${'"",'.repeat(130_000)}""]}`),
  }
  for (const [name, bytes] of Object.entries(bodies)) {
    const busy = cpuMs(() => {
      outline(bytes)
      findMember(bytes, Buffer.from('"usage"'), 0, bytes.length)
    })
    t.ok(busy < 20, `${name}: ${busy} ms`)
  }
})
