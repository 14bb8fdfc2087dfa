import fc from 'fast-check'
import t from 'tap'
import { costNano } from '../../../src/pricing/cost.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { openai } from '../../../src/providers/openai/index.ts'
import { wav } from '../../usage/wav.ts'
import { aModel } from '../../pricing/builders.ts'
import { aCall, billable, JSON_ANSWER, metered, pass, read, SSE, surface } from '../builders.ts'

const speech = surface(openai, 'audio.speech')
const SOUND = { ...JSON_ANSWER, contentType: 'audio/mpeg' }
const asked = { model: 'tts-1', voice: 'alloy', input: 'Hello' }
const model = (name: string) => aModel('openai', name)
const events = (usage: object) => [{ type: 'speech.audio.delta', audio: 'AAAA' }, { type: 'speech.audio.done', usage }]
  .map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')

t.test('speech is billed by its characters, exactly: 5 x 15 USD per million, however they are written', async (t) => {
  t.equal(quoteNano(model('tts-1'), aCall(speech, asked).bound), 75_000n)
  t.equal(quoteNano(model('tts-1-hd'), aCall(speech, { ...asked, input: 'h\u00e9\u{1F600}' }).bound), 90_000n, '3 x 30')
  const { out, reading } = metered(speech, aCall(speech, asked), SOUND, 'sound', model('tts-1'))
  t.equal(out, 'sound')
  t.match(reading, { final: true, usage: { units: { characters: 5 } }, bodyBytes: 5 })
  t.equal(metered(speech, aCall(speech, asked), { ...SOUND, status: 400 }, '{}', model('tts-1')).reading.usage, null)
})

t.test('where it is billed by tokens a stream says how many: 14 x 0.6 + 101 x 12 USD per million', async (t) => {
  const priced = model('gpt-4o-mini-tts')
  const call = aCall(speech, { ...asked, model: priced.model, stream_format: 'sse' })
  t.match(call, { stream: true, bound: { outputTokens: null, outputUnits: ['outputAudioTokens'] } })
  const text = Buffer.from(events({ input_tokens: 14, output_tokens: 101, total_tokens: 115 }))
  for (let at = 1; at < text.length; at++) {
    const meter = billable(speech).meter(call, SSE, priced)
    t.ok(pass(meter, text, [at]).equals(text))
    t.match(meter.reading(), { final: true, usage: { inputTokens: 14, units: { outputAudioTokens: 101 } } })
  }
  const { usage } = metered(speech, call, SSE, text, priced).reading
  t.equal(usage === null ? null : costNano(priced, usage), 14n * 600n + 101n * 12_000n)
  for (const told of [{}, { input_tokens: 1 }, { input_tokens: -1, output_tokens: 1 }]) {
    t.match(metered(speech, call, SSE, events(told), priced).reading, { final: false, usage: null })
  }
})

t.test('a sound alone is metered by how long it is, estimated: 5 x 0.6 + 2 x 25 x 12 USD per million', async (t) => {
  const priced = model('gpt-4o-mini-tts')
  const call = aCall(speech, { ...asked, model: priced.model })
  const of = (sound: Buffer, contentType = 'audio/wav', request = call) =>
    metered(speech, request, { ...SOUND, contentType }, sound, priced).reading
  const used = { inputTokens: 5, units: { outputAudioTokens: 50 } }
  t.match(of(wav(2)), { final: true, estimated: true, usage: used })
  t.match(of(Buffer.alloc(96_000), 'audio/pcm'), { final: true, estimated: true, usage: used })
  const { usage } = of(wav(2))
  t.equal(usage === null ? null : costNano(priced, usage), 5n * 600n + 50n * 12_000n)
  t.match(of(Buffer.from('what is it?')), { final: false, usage: null })
  t.match(of(Buffer.alloc(0)), { final: false, usage: null })
  t.match(of(wav(2), 'audio/wav', aCall(speech, { ...asked, model: priced.model, speed: 2 })), { final: false, usage: null },
    'told faster')
})

t.test('what is no speech, or has no price for it, goes nowhere', async (t) => {
  t.match(read(speech, { ...asked, input: ['a'] }), { code: 'invalid_request', field: 'input' })
  t.match(read(speech, { input: 'a' }), { code: 'invalid_request', field: 'model' })
  const { bound } = aCall(speech, asked)
  for (const name of ['gpt-4o', 'dall-e-2', 'whisper-1']) t.equal(quoteNano(model(name), bound), null, name)
  t.equal(quoteNano(model('tts-1'), { ...bound, instead: [{ characters: 1.5 }] }), null)
})

t.test('whatever a provider reports within its rules, it costs no more than the quote', async () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(fc.property(fc.constantFrom('tts-1', 'gpt-4o-mini-tts'), fc.string(), share, share, (name, input, read, spoken) => {
    const priced = model(name)
    const call = aCall(speech, { model: name, input, voice: 'ash', stream_format: 'sse' })
    const tokens = Math.min(call.bound.inputTokens, priced.contextWindow)
    const usage = { input_tokens: Math.floor(tokens * read), output_tokens: Math.floor(priced.maxOutput * spoken) }
    const { usage: used } = metered(speech, call, SSE, events(usage), priced).reading
    return used !== null && (costNano(priced, used) ?? Infinity) <= (quoteNano(priced, call.bound) ?? -1)
  }))
})
