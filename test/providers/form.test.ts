import fc from 'fast-check'
import t from 'tap'
import { type ParsedBody } from '../../src/providers/body.ts'
import { filesOf, FormFile, isForm, parseForm, typed, withField } from '../../src/providers/form.ts'

const TYPE = 'multipart/form-data; boundary=XX'
const part = (head: string, value: string) => `--XX\r\n${head}\r\n\r\n${value}\r\n`
const field = (name: string, value: string) => part(`Content-Disposition: form-data; name="${name}"`, value)
const parse = (text: string, type = TYPE) => parseForm(Buffer.from(text, 'latin1'), type)
const form = (...parts: string[]) => parse(`${parts.join('')}--XX--\r\n`)

const why = (parsed: ParsedBody) => 'refusal' in parsed ? parsed.refusal.message : null

/** fields as a form of the platform's has them: names and texts, files as theirs */
function shown (body: Record<string, unknown>): unknown {
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, [value].flat().map((one) =>
    one instanceof FormFile ? `file ${one.bytes.toString('latin1')}` : one)]))
}

/** what the platform's own parser reads; null: it refuses */
async function platform (bytes: Buffer, type: string): Promise<unknown> {
  const read: Record<string, unknown[]> = {}
  try {
    for (const [name, value] of await new Response(bytes, { headers: { 'content-type': type } }).formData()) {
      const of = read[name.replace(/\[.*$/, '')] ??= []
      of.push(typeof value === 'string' ? value : `file ${Buffer.from(await value.arrayBuffer()).toString('latin1')}`)
    }
  } catch {
    return null
  }
  return read
}

t.test('a form as the platform writes it is read as the platform reads it', async () => {
  const names = fc.constantFrom('model', 'prompt', 'n', 'image[]', 'x[y]')
  const value = fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 300 }))
  const fields = fc.uniqueArray(fc.tuple(names, value), { selector: ([name]) => name })
  await fc.assert(fc.asyncProperty(fields, async (fields) => {
    const data = new FormData()
    for (const [name, one] of fields) {
      if (typeof one === 'string') data.append(name, one)
      else data.append(name, new Blob([Buffer.from(one)]), 'a "file"\u00e9.png')
    }
    const request = new Response(data)
    const type = request.headers.get('content-type') ?? ''
    const bytes = Buffer.from(await request.arrayBuffer())
    const parsed = parseForm(bytes, type)
    if (fields.length === 0) return true
    return 'body' in parsed && JSON.stringify(shown(parsed.body)) === JSON.stringify(await platform(bytes, type))
  }))
})

t.test('a form that something was done to is refused, or read as the platform reads it', async () => {
  const head = 'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav'
  const whole = `${field('model', 'cheap')}${part(head, 'RIFF')}${field('n', '2')}--XX--\r\n`
  const bit = fc.constantFrom('\r\n', '\n', '\r', '--XX', '--XX--', '\r\n--XX\r\n', 'name="model"', '; filename="x"', '\0', '"', ' ', 'Content-Type: text/plain')
  await fc.assert(fc.asyncProperty(fc.nat({ max: whole.length }), fc.nat({ max: 12 }), bit, async (at, cut, put) => {
    const bytes = Buffer.from(whole.slice(0, at) + put + whole.slice(at + cut))
    const parsed = parseForm(bytes, TYPE)
    if ('refusal' in parsed) return true
    const other = await platform(bytes, TYPE)
    return other === null || JSON.stringify(shown(parsed.body)) === JSON.stringify(other)
  }), { numRuns: 400 })
})

t.test('what other clients write is read: heads in any order, names without quotes, lengths, names of files in two ways', async (t) => {
  const read = form(
    part('Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name=model', 'm'),
    part('content-disposition: form-data; name="file"; filename="a.wav"; filename*=utf-8\'\'a.wav\r\nContent-Length: 3', 'abc'),
    field('include[]', 'a'), field('include[]', 'b'), field('chunking_strategy[type]', 'server_vad')
  )
  t.same('body' in read && shown(read.body), {
    model: ['m'], file: ['file abc'], include: ['a', 'b'], chunking_strategy: ['server_vad'],
  })
  t.equal('body' in read && filesOf(read.body).length, 1)
  for (const type of ['multipart/form-data; boundary="XX"', 'Multipart/Form-Data; charset=utf-8; boundary=XX']) {
    t.equal(isForm(type), true)
    t.equal(why(parse(field('a', '') + '--XX--', type)), null)
  }
  t.equal(isForm('application/json') || isForm('multipart/form-data-x') || isForm(undefined), false)
})

t.test('what another parser might read otherwise is refused', async (t) => {
  const disposition = 'Content-Disposition: form-data; name="model"'
  for (const [what, parts] of Object.entries({
    'a name twice': [part(`${disposition}; name="n"`, 'a')],
    'a name with an escape': [part('Content-Disposition: form-data; name="mo\\"del"', 'a')],
    'an encoded name': [part('Content-Disposition: form-data; name="mo%22del"', 'a')],
    'no name': [part('Content-Disposition: form-data', 'a')],
    'another disposition': [part('Content-Disposition: attachment; name="model"', 'a')],
    'an encoded part': [part(`${disposition}\r\nContent-Transfer-Encoding: base64`, 'YQ==')],
    'another header': [part(`${disposition}\r\nX-Y: z`, 'a')],
    'a header twice': [part(`${disposition}\r\n${disposition}`, 'a')],
    'a folded header': [part('Content-Disposition: form-data;\r\n name="model"', 'a')],
    'a line feed alone': [part(`${disposition}\nContent-Type: text/plain`, 'a')],
    'a text in another charset': [part(`${disposition}\r\nContent-Type: text/plain; charset=utf-16`, 'a')],
    'a text that is no UTF-8': [field('model', '\xff')],
    'forms within a form': [part(`${disposition}\r\nContent-Type: multipart/mixed; boundary=YY`, 'a')],
    'a boundary within a part': [field('model', 'a--XX')],
    'no head': ['--XX\r\na\r\n'],
    'a long head': [part(`${disposition}; filename="${'x'.repeat(5_000)}"`, 'a')],
    'too many parts': Array.from({ length: 1_001 }, () => field('x[]', '')),
  })) t.match(why(form(...parts)), /The form cannot be read|not valid UTF-8/, what)
  for (const [what, text] of Object.entries({
    'text before it': `x${field('a', 'b')}--XX--`,
    'text behind it': `${field('a', 'b')}--XX--\r\nx`,
    'no end': field('a', 'b'),
    'blanks behind a boundary': '--XX \r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--XX--',
    nothing: '',
  })) t.match(why(parse(text)), /The form cannot be read/, what)
  for (const type of ['multipart/form-data', `${TYPE}; boundary=YY`, 'multipart/form-data; boundary="X X"']) {
    t.match(why(parse('', type)), /one boundary/)
  }
})

t.test('what is there several times is a list, so that whoever wants one of it refuses it', async (t) => {
  for (const parts of [['model', 'model'], ['model', 'model[]'], ['model[]', 'model'], ['model[a]', 'model[a]']]) {
    const read = form(...parts.map((name, i) => field(name, String(i))))
    t.strictSame('body' in read && read.body['model'], ['0', '1'])
  }
})

t.test('a field is replaced or put in, and nothing else changes', async (t) => {
  const file = part('Content-Disposition: form-data; name="file"; filename="model"', 'name="model"\r\n\r\ncheap')
  const bytes = Buffer.from(`${file}${field('model', 'dear')}--XX--\r\n`)
  t.equal(withField(bytes, 'model', 'cheaper').toString(), `${file}${field('model', 'cheaper')}--XX--\r\n`)
  t.equal(withField(Buffer.from(`${file}--XX--`), 'model', 'm').toString(), `${field('model', 'm')}${file}--XX--`)
})

t.test('numbers and flags of a form are read as what they say, all else stays what it is', async (t) => {
  const fields = { n: '3', m: '3.5', stream: 'true', other: 'false', huge: '1'.repeat(30) }
  t.strictSame(typed(fields, { numbers: ['n', 'm', 'huge', 'none'], flags: ['stream'] }), { ...fields, n: 3, stream: true })
})
