import fc from 'fast-check'
import t from 'tap'
import { costNano } from '../../src/pricing/cost.ts'
import { quoteNano } from '../../src/pricing/quote.ts'
import { azure } from '../../src/providers/azure/index.ts'
import { parseForm } from '../../src/providers/form.ts'
import { groq } from '../../src/providers/groq/index.ts'
import { mistral } from '../../src/providers/mistral/index.ts'
import { openai } from '../../src/providers/openai/index.ts'
import { type CallRequest, isRefusal, type Provider } from '../../src/providers/provider.ts'
import { type Refusal } from '../../src/errors.ts'
import { xai } from '../../src/providers/xai/index.ts'
import { aModel } from '../pricing/builders.ts'
import { wav } from '../usage/wav.ts'
import { JSON_ANSWER, named, pass, SSE } from './builders.ts'

// Images and sounds where others serve them under OpenAI's paths.

const AUDIO = '/openai/v1/audio'

function read (provider: Provider, path: string, fields: Record<string, string>, params = {}): CallRequest | Refusal {
  const texts = Object.entries(fields).map(([name, value]) => `--X\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
  const head = '--X\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
  const bytes = Buffer.concat([Buffer.from(texts.join('') + head), wav(2), Buffer.from('\r\n--X--\r\n')])
  const parsed = parseForm(bytes, 'multipart/form-data; boundary=X')
  if ('refusal' in parsed) throw new Error(parsed.refusal.message)
  return named(provider, path).read(parsed.body, bytes, { params, search: '' })
}

function aCall (provider: Provider, path: string, fields: Record<string, string>, params = {}): CallRequest {
  const call = read(provider, path, fields, params)
  if (isRefusal(call)) throw new Error(call.message)
  return call
}

function json (provider: Provider, path: string, body: object, params = {}): CallRequest {
  const call = named(provider, path).read(body, Buffer.from(JSON.stringify(body)), { params, search: '' })
  if (isRefusal(call)) throw new Error(call.message)
  return call
}

function reading (
  provider: Provider, path: string, call: CallRequest, model: string, text: string, head = JSON_ANSWER
) {
  const meter = named(provider, path).meter(call, head, aModel(provider.name, model))
  pass(meter, Buffer.from(text), [3])
  return meter.reading()
}

t.test('Groq bills a transcription as ten seconds at least, what it says as what it says: 10 x 111,000 / 3,600 USD per million', async (t) => {
  const path = `${AUDIO}/transcriptions`
  const call = aCall(groq, path, { model: 'whisper-large-v3' })
  t.match(call, { likely: { seconds: 10 }, bound: { instead: [{ seconds: 10 }] } })
  const told = (text: string) => reading(groq, path, call, 'whisper-large-v3', text)
  t.match(told('{"text":"Hi","x_groq":{"id":"req_1"}}'),
    { final: true, estimated: true, usage: { units: { seconds: 10 } }, providerRequestId: 'req_1' })
  t.match(told('{"text":"Hi","duration":2.5}'), { final: true, estimated: undefined, usage: { units: { seconds: 10 } } })
  t.match(told('{"text":"Hi","duration":12.5}'), { usage: { units: { seconds: 13 } } })
  t.match(read(groq, path, { model: 'whisper-large-v3', url: 'https://x' }), { code: 'feature_not_metered', message: /^url / })
  t.equal(aCall(groq, `${AUDIO}/translations`, { model: 'whisper-large-v3' }).bound.instead?.[0]?.['seconds'], 10)
})

t.test('Mistral says how many seconds it heard, whole or at the end of a stream: 2 x 50 USD per million', async (t) => {
  const path = '/v1/audio/transcriptions'
  const model = 'voxtral-mini-latest'
  const call = aCall(mistral, path, { model, stream: 'true' })
  const usage = { prompt_audio_seconds: 2, prompt_tokens: 4, completion_tokens: 20, total_tokens: 24 }
  const whole = reading(mistral, path, call, model, JSON.stringify({ model, text: 'Hi', usage }))
  t.match(whole, { final: true, estimated: undefined, usage: { inputTokens: 0, units: { seconds: 2 } } })
  t.equal(whole.usage === null ? null : costNano(aModel('mistral', model), whole.usage), 100_000n)
  const events = `event: transcription.done\ndata: ${JSON.stringify({ type: 'transcription.done', usage })}\n\n`
  t.match(reading(mistral, path, call, model, events, SSE), { final: true, usage: { units: { seconds: 2 } } })
  for (const field of ['file_url', 'file_id']) t.match(read(mistral, path, { model, [field]: 'x' }), { code: 'feature_not_metered' })
})

t.test('xAI bills an image by its resolution, and what it says that it cost counts', async (t) => {
  const path = '/v1/images/generations'
  const model = aModel('xai', 'grok-imagine-image-quality')
  const quote = (more: object) => quoteNano(model, json(xai, path, { model: model.model, prompt: 'x', ...more }).bound)
  t.same([quote({}), quote({ resolution: '2k', n: 2 }), quote({ resolution: '4k' })], [50_000_000n, 140_000_000n, null])
  const call = json(xai, path, { model: model.model, prompt: 'x' })
  t.match(reading(xai, path, call, model.model, '{"data":[{}],"usage":{"cost_in_usd_ticks":400000000}}'),
    { final: true, usage: { reportedNano: 40_000_000n, units: { 'images/1k': 1 } } })
  t.match(reading(xai, path, call, model.model, '{"data":[{}]}'), { final: true, usage: { units: { 'images/1k': 1 } } })
  const body = { model: model.model, prompt: 'x', image: { url: 'https://x' } }
  t.match(named(xai, path).read(body, Buffer.from(JSON.stringify(body)), { params: {}, search: '' }), { code: 'feature_not_metered' })
})

t.test('Azure has them by deployments in the path and by name, and a deployment in the path is no field of a form', async (t) => {
  const params = { model: 'whisper' }
  const path = '/openai/deployments/{model}/audio/transcriptions'
  const call = aCall(azure, path, {}, params)
  t.match(call, { model: 'whisper', bound: { instead: [{ seconds: 2 }] } })
  const bytes = Buffer.from('--X--')
  t.equal(named(azure, path).forwardBody(call, {}, bytes, { model: 'other', outputTokens: null }), bytes)
  t.match(aCall(azure, `${AUDIO}/translations`, { model: 'w' }), { model: 'w' })
  t.match(json(azure, '/openai/deployments/{model}/images/generations', { prompt: 'x', size: '1024x1024' }, { model: 'pictures' }),
    { model: 'pictures', bound: { outputTokens: 8_024 } })
  t.match(json(azure, `${AUDIO}/speech`, { model: 'tts', input: 'Hi', voice: 'ash' }), { model: 'tts', bound: { instead: [{ characters: 2 }] } })
  t.match(json(azure, '/openai/v1/chat/completions', { model: 'm', messages: [], modalities: ['text', 'audio'] }),
    { bound: { outputUnits: ['outputAudioTokens'] } })
})

t.test('whatever Groq and Mistral report within their rules, it costs no more than the quote', async () => {
  const who = fc.constantFrom([groq, `${AUDIO}/transcriptions`, 'whisper-large-v3-turbo'] as const, [mistral, '/v1/audio/transcriptions', 'voxtral-mini-latest'] as const)
  fc.assert(fc.property(who, fc.double({ min: 0, max: 2, noNaN: true }), ([provider, path, model], seconds) => {
    const call = aCall(provider, path, { model })
    const text = JSON.stringify({ text: 'Hi', duration: seconds, usage: { prompt_audio_seconds: Math.floor(seconds) } })
    const { usage } = reading(provider, path, call, model, text)
    const priced = aModel(provider.name, model)
    return usage !== null && (costNano(priced, usage) ?? Infinity) <= (quoteNano(priced, call.bound) ?? -1)
  }), { numRuns: 100 })
})

t.test('whatever OpenAI reports of sounds in a conversation within its rules, it costs no more than the quote', async () => {
  const path = '/v1/chat/completions'
  const data = wav(2).toString('base64')
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  const request = fc.record({
    model: fc.constantFrom('gpt-audio', 'gpt-audio-mini', 'gpt-4o-audio-preview'),
    heard: fc.boolean(),
    spoken: fc.boolean(),
    n: fc.integer({ min: 1, max: 3 }),
    max_completion_tokens: fc.integer({ min: 1, max: 20_000 }),
  })
  fc.assert(fc.property(request, share, share, share, share, (asked, ...shares) => {
    const { model, heard, spoken, n, max_completion_tokens: most } = asked
    const sound = { type: 'input_audio', input_audio: { data, format: 'wav' } }
    const content = [{ type: 'text', text: 'What is it?' }, ...heard ? [sound] : []]
    const body = { model, n, max_completion_tokens: most, messages: [{ role: 'user', content }] }
    const voice = { modalities: ['text', 'audio'], audio: { voice: 'ash', format: 'wav' } }
    const call = json(openai, path, spoken ? { ...body, ...voice } : body)
    const priced = aModel('openai', model)
    const of = (whole: number, i: number) => Math.floor(whole * (shares[i] as number))
    const [input, output] = [of(call.bound.inputTokens, 0), of(Math.min(most, priced.maxOutput) * n, 1)]
    const details = {
      prompt_tokens_details: { audio_tokens: heard ? of(input, 2) : 0 },
      completion_tokens_details: { audio_tokens: spoken ? of(output, 3) : 0 },
    }
    const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output, ...details }
    const read = reading(openai, path, call, model, JSON.stringify({ usage }))
    return read.usage !== null && (costNano(priced, read.usage) ?? Infinity) <= (quoteNano(priced, call.bound) ?? -1)
  }), { numRuns: 200 })
})
