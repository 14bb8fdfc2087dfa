import fc from 'fast-check'
import t from 'tap'
import { costNano } from '../../../src/pricing/cost.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { FormFile, parseForm } from '../../../src/providers/form.ts'
import { openai } from '../../../src/providers/openai/index.ts'
import { type CallRequest, isRefusal, NO_TARGET } from '../../../src/providers/provider.ts'
import { aModel } from '../../pricing/builders.ts'
import { wav } from '../../usage/wav.ts'
import { billable, JSON_ANSWER, metered, pass, SSE, surface } from '../builders.ts'

const transcriptions = surface(openai, 'audio.transcriptions')
const sound: Buffer = wav(2)
const model = (name: string) => aModel('openai', name)
const TEXT = { ...JSON_ANSWER, contentType: 'text/plain' }

/** as OpenAI's clients send it */
function form (fields: Record<string, string>, file = sound): Buffer {
  const part = (name: string, more = '') => `--X\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`
  const texts = Object.entries(fields).map(([name, value]) => `${part(name)}${value}\r\n`).join('')
  return Buffer.concat([Buffer.from(`${texts}${part('file', '; filename="a.wav"')}`), file, Buffer.from('\r\n--X--\r\n')])
}

function read (fields: Record<string, string>, file?: Buffer) {
  const bytes = form(fields, file)
  const parsed = parseForm(bytes, 'multipart/form-data; boundary=X')
  if ('refusal' in parsed) throw new Error(parsed.refusal.message)
  return billable(transcriptions).read(parsed.body, bytes, NO_TARGET)
}

function aCall (fields: Record<string, string>, file?: Buffer): CallRequest {
  const call = read(fields, file)
  if (isRefusal(call)) throw new Error(call.message)
  return call
}

t.test('where seconds are billed a file is held for as long as it can be played: 2 x 0.0001 USD', async (t) => {
  const call = aCall({ model: 'whisper-1' })
  t.match(call, { model: 'whisper-1', stream: false, likely: { seconds: 2 }, bound: { instead: [{ seconds: 2 }] } })
  t.equal(quoteNano(model('whisper-1'), call.bound), 200_000n)
  t.equal(quoteNano(model('whisper-1'), aCall({ model: 'whisper-1' }, Buffer.from('what is it?')).bound), null)
})

t.test('where tokens are billed it is held for twice what its seconds have, or for all that the model takes', async (t) => {
  const texts = form({ model: 'gpt-4o-transcribe' }).length - sound.length
  const { bound } = aCall({ model: 'gpt-4o-transcribe' })
  t.match(bound, { inputTokens: texts + 1_000 + 40, inputUnits: ['inputAudioTokens'], outputTokens: null, choices: 1 })
  t.equal(quoteNano(model('gpt-4o-transcribe'), bound), BigInt(texts + 1_040) * 6_000n + 2_000n * 10_000n)
  t.equal(aCall({ model: 'gpt-4o-transcribe' }, Buffer.from('?')).bound.inputTokens, Infinity)
  const speakers = { model: 'gpt-4o-transcribe-diarize', response_format: 'diarized_json', chunking_strategy: 'auto' }
  t.match(aCall(speakers).bound, { choices: 2, inputs: 2 }, 'in two pieces')
  t.match(aCall(speakers, Buffer.from('?')).bound, { choices: 51, inputs: 51 }, 'of unknown length')
  t.equal(aCall({ ...speakers, 'known_speaker_references[]': 'data:audio/wav;base64,AA' }).bound.inputTokens, Infinity)
  t.equal(quoteNano(model('gpt-4o'), bound), null, 'a model without a price for sounds')
})

t.test('what is no transcription is refused by its field', async (t) => {
  t.match(read({}), { code: 'invalid_request', field: 'model' })
  t.match(read({ model: 'whisper-1', stream: 'perhaps' }), { code: 'invalid_request', field: 'stream' })
  for (const name of ['model', 'file', 'stream', 'response_format']) {
    const twice = { model: 'whisper-1', file: new FormFile(sound), [name]: ['a', 'b'] }
    t.match(billable(transcriptions).read(twice, sound, NO_TARGET), { code: 'invalid_request', field: name }, 'twice')
  }
  const noFile = billable(transcriptions).read({ model: 'whisper-1', file: 'https://x' }, Buffer.alloc(0), NO_TARGET)
  t.match(noFile, { code: 'invalid_request', field: 'file' })
})

t.test('tokens: 10 x 2.5 + 90 x 6 + 20 x 10 USD per million, whole or as the end of a stream', async (t) => {
  const details = { text_tokens: 10, audio_tokens: 90 }
  const usage = { type: 'tokens', input_tokens: 100, input_token_details: details, output_tokens: 20, total_tokens: 120 }
  const priced = model('gpt-4o-transcribe')
  const call = aCall({ model: priced.model, stream: 'true' })
  t.equal(call.stream, true)
  const used = { inputTokens: 10, outputTokens: 20, units: { inputAudioTokens: 90 } }
  const { reading } = metered(transcriptions, call, JSON_ANSWER, JSON.stringify({ text: 'Hi', usage }), priced)
  t.match(reading, { final: true, usage: used })
  t.equal(reading.estimated, undefined)
  t.equal(reading.usage === null ? null : costNano(priced, reading.usage), 10n * 2_500n + 90n * 6_000n + 20n * 10_000n)
  const events = [{ type: 'transcript.text.delta', delta: 'Hi' }, { type: 'transcript.text.done', text: 'Hi', usage }]
  const text = Buffer.from(events.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(''))
  for (let at = 1; at < text.length; at++) {
    const meter = billable(transcriptions).meter(call, SSE, priced)
    t.ok(pass(meter, text, [at]).equals(text))
    t.match(meter.reading(), { final: true, usage: used })
  }
  t.match(metered(transcriptions, call, SSE, text.subarray(0, 60), priced).reading, { final: false, usage: null }, 'cut')
  t.match(metered(transcriptions, call, JSON_ANSWER, '{"text":"Hi"}', priced).reading, { final: false, usage: null })
})

t.test('seconds: what the answer says, a part as a whole; else what the file or the text says, estimated', async (t) => {
  const priced = model('whisper-1')
  const call = aCall({ model: 'whisper-1' })
  const facts = (text: string, head = JSON_ANSWER) => metered(transcriptions, call, head, text, priced).reading
  t.match(facts('{"text":"Hi","usage":{"type":"duration","seconds":3}}'), { final: true, usage: { units: { seconds: 3 } } })
  t.match(facts('{"text":"Hi","duration":1.2}'), { final: true, usage: { units: { seconds: 2 } } })
  t.equal(facts('{"text":"Hi","duration":1.2}').estimated, undefined)
  t.match(facts('Hi', TEXT), { final: true, estimated: true, usage: { units: { seconds: 2 } } })
  t.match(facts('x'.repeat(6_000), TEXT), { estimated: true, usage: { units: { seconds: 100 } } }, 'nobody speaks so fast')
  t.match(facts('{}', { ...JSON_ANSWER, status: 500 }), { usage: null })
  t.match(facts('{"duration":-1}'), { estimated: true })
})

t.test('a translation is the same by another name', async (t) => {
  const bytes = form({ model: 'whisper-1' })
  t.match(billable(surface(openai, 'audio.translations')).read({ model: 'whisper-1', file: new FormFile(sound) }, bytes, NO_TARGET),
    { model: 'whisper-1', bound: { instead: [{ seconds: 2 }] } })
})

t.test('whatever a provider reports within its rules, it costs no more than the quote', async () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  const names = fc.constantFrom('whisper-1', 'gpt-4o-transcribe', 'gpt-4o-mini-transcribe')
  const pieces = fc.constantFrom<Record<string, string>>({}, { chunking_strategy: 'auto' })
  const prompt = fc.string({ maxLength: 200 })
  fc.assert(fc.property(names, pieces, prompt, share, share, share, (name, cut, prompt, heard, hints, written) => {
    const priced = model(name)
    const call = aCall({ model: name, prompt, ...cut })
    const { bound } = call
    // what the guide says of sounds, and the prompt
    const [audio, text] = [Math.floor(20 * heard), Math.floor(Buffer.byteLength(prompt) * hints)]
    const output = Math.floor(priced.maxOutput * bound.choices * written)
    const usage = name === 'whisper-1'
      ? { type: 'duration', seconds: 2 * heard }
      : { type: 'tokens', input_tokens: audio + text, input_token_details: { text_tokens: text }, output_tokens: output }
    const { usage: used } = metered(transcriptions, call, JSON_ANSWER, JSON.stringify({ text: '', usage }), priced).reading
    return used !== null && (costNano(priced, used) ?? Infinity) <= (quoteNano(priced, bound) ?? -1)
  }), { numRuns: 300 })
})
