import fc from 'fast-check'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { costNano } from '../../../src/pricing/cost.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { imageTokens } from '../../../src/providers/openai/bounds.ts'
import { FormFile, parseForm } from '../../../src/providers/form.ts'
import { AS_ASKED, type CallRequest, NO_TARGET } from '../../../src/providers/provider.ts'
import { openai } from '../../../src/providers/openai/index.ts'
import { NOTHING_USED } from '../../../src/usage/usage.ts'
import { aModel } from '../../pricing/builders.ts'
import { aCall, billable, JSON_ANSWER, metered, pass, read, SSE, surface } from '../builders.ts'

const images = surface(openai, 'images.generations')
const asked = { model: 'gpt-image-1', prompt: 'A cat', size: '1024x1024', quality: 'low' }
const size = (body: object) => Buffer.byteLength(JSON.stringify(body))
const model = (name: string) => aModel('openai', name)
const quote = (body: { model: string }) => quoteNano(model(body.model), aCall(images, body).bound)
/** a picture, as answers have it */
const picture = 'iVBORw0KGgo'.repeat(1_000)

t.test('an image has at most the tokens of its size and quality, by whichever model has more', async (t) => {
  const made = (size: string | null, quality: string | null, partial = 0) => {
    const tokens = imageTokens(size, quality, partial)
    // without what may be written before it
    return tokens === null ? null : tokens - 1_000
  }
  t.same(['low', 'medium', 'high', 'auto', null].map((quality) => made('1024x1024', quality)), [408, 1_756, 7_024, 7_024, 7_024])
  t.equal(made('1536x1024', 'high'), 6_240, '5,488 by gpt-image-2')
  t.equal(made('3584x2048', 'high'), 12_329)
  t.equal(made('2880x2880', 'high', 3), 23_719 + 300, 'the most of all')
  t.ok((imageTokens('2880x2880', 'high', 3) ?? Infinity) <= model('gpt-image-2').maxOutput)
  t.ok(6_240 + 300 + 1_000 <= model('gpt-image-1').maxOutput)
  for (const size of ['auto', null, '0x5', 'x', '1024x1024x1024']) t.equal(made(size, 'low'), null)
  t.equal(made('1024x1024', 'constructor'), 7_024)
})

t.test('a request for images is bounded by their number, size and quality, else by the most that the model can', async (t) => {
  t.match(aCall(images, { ...asked, n: 2, stream: true, partial_images: 3, user: 'u' }), {
    model: 'gpt-image-1',
    stream: true,
    endUser: 'u',
    bound: {
      inputTokens: (size({ ...asked, n: 2, stream: true, partial_images: 3, user: 'u' }) + 1_000) * 2,
      inputs: 2,
      outputTokens: 408 + 300 + 1_000,
      choices: 2,
      outputUnits: ['outputImageTokens'],
    },
  })
  t.equal(aCall(images, { model: 'gpt-image-1', prompt: 'x' }).bound.outputTokens, null)
  t.equal(quote(asked), BigInt(size(asked) + 1_000) * 5_000n + 1_408n * 40_000n)
  for (const [field, value] of Object.entries({ model: 7, n: 0, size: 'a b', quality: '', stream: 'yes', partial_images: -1 })) {
    t.match(read(images, { ...asked, [field]: value }), { code: 'invalid_request', field }, field)
  }
})

t.test('models without tokens have a price for each image, by size and quality; what has none has no quote', async (t) => {
  const dalle = (more: object, name = 'dall-e-3') => quote({ model: name, prompt: 'x', ...more } as { model: string })
  t.equal(dalle({}), 40_000_000n)
  t.equal(dalle({ quality: 'hd', size: '1024x1792' }), 120_000_000n)
  t.equal(dalle({ quality: 'auto' }), 80_000_000n, 'which may be the best')
  t.equal(dalle({ n: 3, size: '512x512' }, 'dall-e-2'), 54_000_000n)
  t.equal(dalle({ size: '999x999' }), null)
  t.equal(dalle({}, 'tts-1'), null, 'its price is for something else')
  t.equal(dalle({}, 'gpt-4o'), null, 'it has no price for images')
})

t.test('tokens of images and of text cost what each does: 50 x 5 + 400 x 8 + 20 x 10 + 1,000 x 32 USD per million', async (t) => {
  const usage = {
    input_tokens: 450,
    input_tokens_details: { image_tokens: 400, text_tokens: 50 },
    output_tokens: 1_020,
    output_tokens_details: { image_tokens: 1_000, text_tokens: 20 },
    total_tokens: 1_470,
  }
  const text = JSON.stringify({ created: 1, data: [{ b64_json: picture }], usage })
  const call = aCall(images, asked)
  const priced = model('gpt-image-1.5')
  for (const [answer, body] of [[JSON_ANSWER, text], [{ ...JSON_ANSWER, contentEncoding: 'gzip' }, gzipSync(text)]] as const) {
    const { reading } = metered(images, call, answer, body, priced)
    const units = { inputImageTokens: 400, outputImageTokens: 1_000 }
    t.match(reading, { final: true, usage: { inputTokens: 50, outputTokens: 20, units } })
    const cost = costNano(priced, reading.usage ?? NOTHING_USED)
    t.equal(cost, (50n * 5n + 400n * 8n + 20n * 10n + 1_000n * 32n) * 1_000n)
  }
})

t.test('a stream has the usage with the image that is complete, at whatever byte it is cut', async (t) => {
  const usage = { input_tokens: 50, output_tokens: 1_000, total_tokens: 1_050 }
  const event = (type: string, more: object) => `event: ${type}\ndata: ${JSON.stringify({ type, b64_json: picture, ...more })}\n\n`
  const text = Buffer.from(event('image_generation.partial_image', { usage }) + event('image_generation.completed', { usage }))
  const call = aCall(images, { ...asked, stream: true })
  for (const cut of [1, 7, 1_500, 9_000]) {
    const meter = billable(images).meter(call, SSE, model('gpt-image-1'))
    const cuts = Array.from({ length: Math.ceil(text.length / cut) }, (_, i) => i * cut)
    t.ok(pass(meter, text, cuts).equals(text))
    t.match(meter.reading(), { final: true, usage: { inputTokens: 50, units: { outputImageTokens: 1_000 } } })
  }
  const two = aCall(images, { ...asked, n: 2, stream: true })
  const meter = billable(images).meter(two, SSE, model('gpt-image-1'))
  meter.data(text)
  t.match(meter.reading(), { final: false, usage: { inputTokens: 50 } }, 'one of two')
  meter.data(text)
  t.match(meter.reading(), { final: true, usage: { inputTokens: 100, units: { outputImageTokens: 2_000 } } })
  t.equal(metered(images, call, { ...SSE, contentEncoding: 'gzip' }, gzipSync(text)).reading.final, true)
  const half = text.subarray(0, text.length - 300)
  t.match(metered(images, call, SSE, half).reading, { final: false, usage: null }, 'broken off')
})

t.test('images without tokens are counted; an answer that says nothing has no usage', async (t) => {
  const priced = model('dall-e-3')
  const call = aCall(images, { model: 'dall-e-3', prompt: 'x', n: 3 })
  const facts = (body: object | string) =>
    metered(images, call, JSON_ANSWER, typeof body === 'string' ? body : JSON.stringify(body), priced).reading
  t.match(facts({ data: [{ b64_json: picture }, { url: 'x' }] }), { final: true, usage: { units: { 'images/standard/1024x1024': 2 } } })
  t.match(facts({ data: [] }), { final: true, usage: { units: undefined } })
  for (const body of ['', 'nothing', {}, { data: 'x' }]) t.match(facts(body), { final: false, usage: null })
  t.equal(metered(images, call, { ...JSON_ANSWER, status: 500 }, '{"data":[1]}', priced).reading.usage, null)
  const none = metered(images, aCall(images, asked), JSON_ANSWER, '{"data":[]}', model('gpt-image-1')).reading
  t.match(none, { final: false, usage: null })
})

t.test('whatever a provider reports within its rules, it costs no more than the quote', async () => {
  const request = fc.record({
    model: fc.constantFrom('gpt-image-1', 'gpt-image-1-mini', 'gpt-image-1.5', 'gpt-image-2', 'dall-e-2', 'dall-e-3'),
    prompt: fc.string(),
    n: fc.integer({ min: 1, max: 10 }),
    size: fc.constantFrom('1024x1024', '1536x1024', '512x512', '1792x1024', 'auto'),
    quality: fc.constantFrom('low', 'medium', 'high', 'auto', 'hd', 'standard'),
    partial_images: fc.integer({ min: 0, max: 3 }),
  }, { requiredKeys: ['model', 'prompt'], noNullPrototype: true })
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(fc.property(request, share, share, fc.nat({ max: 10 }), (body, input, output, made) => {
    const call = aCall(images, body)
    const priced = model(body.model)
    const most = quoteNano(priced, call.bound)
    // a size or quality that the model does not have
    if (most === null) return priced.maxOutput === 0
    const { bound } = call
    const each = Math.min(bound.outputTokens ?? Infinity, priced.maxOutput)
    const [tokensIn, tokensOut] = [Math.floor(bound.inputTokens * input), Math.floor(each * bound.choices * output)]
    const usage = { input_tokens: Math.min(tokensIn, priced.contextWindow * bound.choices), output_tokens: tokensOut }
    const text = JSON.stringify({ data: Array(Math.min(made, bound.choices)).fill({}), usage })
    const { usage: used } = metered(images, call, JSON_ANSWER, text, priced).reading
    return used !== null && (costNano(priced, used) ?? Infinity) <= most
  }), { numRuns: 1_000 })
})

t.test('an edit is bounded by its prompt and its images, a mask too, whether it is a form or JSON', async (t) => {
  const edits = surface(openai, 'images.edits')
  const part = (name: string, value: string, file = '') => `--X\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${value}\r\n`
  const picture = part('image[]', 'p'.repeat(5_000), '; filename="a.png"')
  const text = [
    part('model', 'gpt-image-1'), part('prompt', 'A hat'), part('n', '2'), part('stream', 'true'), part('size', '1024x1024'),
    picture, picture, part('mask', 'm', '; filename="m.png"'), '--X--',
  ].join('')
  const parsed = parseForm(Buffer.from(text), 'multipart/form-data; boundary=X')
  const call = billable(edits).read('body' in parsed && parsed.body, Buffer.from(text), NO_TARGET)
  t.match(call, {
    model: 'gpt-image-1',
    stream: true,
    bound: {
      inputTokens: (text.length - 10_001 + 1_000 + 3 * 8_192) * 2,
      inputs: 2,
      choices: 2,
      outputTokens: 8_024,
      inputUnits: ['inputImageTokens'],
      outputUnits: ['outputImageTokens'],
    },
  })
  const body = { model: 'gpt-image-1', prompt: 'A hat', images: [{ image_url: `data:image/png;base64,${'A'.repeat(9_000)}` }, { file_id: 'f' }] }
  t.match(read(edits, body), { bound: { inputTokens: size(body) - 9_022 + 1_000 + 2 * 8_192 } })
  t.match(read(edits, { model: 'gpt-image-1', prompt: 'x' }), { code: 'invalid_request', field: 'image' })
  const changed = billable(edits).forwardBody(call as CallRequest, {}, Buffer.from(text), { model: 'gpt-image-1-mini', outputTokens: null })
  t.equal(changed.toString(), text.replace('gpt-image-1', 'gpt-image-1-mini'))
  const asked = Buffer.from(JSON.stringify(body))
  t.equal(billable(edits).forwardBody(call as CallRequest, body, asked, AS_ASKED), asked)
})

t.test('a variation is of dall-e-2 unless it says otherwise, 2 x 0.02 USD', async (t) => {
  const variations = surface(openai, 'images.variations')
  const bytes = Buffer.from('x')
  const call = billable(variations).read({ image: new FormFile(bytes), n: '2' }, bytes, NO_TARGET) as CallRequest
  t.equal(call.model, 'dall-e-2')
  t.equal(quoteNano(model('dall-e-2'), call.bound), 40_000_000n)
})
