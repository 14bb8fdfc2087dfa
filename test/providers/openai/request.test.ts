import t from 'tap'
import { groq } from '../../../src/providers/groq/index.ts'
import { openai } from '../../../src/providers/openai/index.ts'
import { AS_ASKED, NO_TARGET } from '../../../src/providers/provider.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { aModel } from '../../pricing/builders.ts'
import { wav } from '../../usage/wav.ts'
import { aCall, billable, read } from '../builders.ts'

const chat = { model: 'gpt-4o', messages: [] as object[] }
const withPart = (part: unknown) => ({ ...chat, messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }, part] }] })
const length = (body: object) => Buffer.byteLength(JSON.stringify(body))

t.test('a call is read as the provider will read it', async (t) => {
  t.strictSame(aCall(openai, chat), {
    model: 'gpt-4o',
    stream: false,
    usageAsked: false,
    thinking: 'open',
    endUser: undefined,
    endUserField: 'safety_identifier',
    bound: { inputTokens: length(chat), outputTokens: null, choices: 1, cacheWrite: '5m', tier: null, webSearches: 0 },
  })
  const full = { ...chat, stream: true, stream_options: { include_usage: true }, n: 3, max_completion_tokens: 50, service_tier: 'flex' }
  t.match(aCall(openai, full), {
    stream: true, usageAsked: true, bound: { inputTokens: length(full), outputTokens: 50, choices: 3, tier: 'flex' },
  })
  const nulls = ['stream', 'stream_options', 'n', 'max_tokens', 'tools', 'service_tier', 'audio', 'prediction']
  const empty = { ...chat, ...Object.fromEntries(nulls.map((field) => [field, null])) }
  t.match(aCall(openai, empty), {
    stream: false, usageAsked: false, bound: { outputTokens: null, choices: 1, tier: null },
  })
})

t.test('the input is bounded by its bytes in UTF-8, not by its characters', async (t) => {
  const body = { ...chat, messages: [{ role: 'user', content: '🎉ünï漢' }] }
  t.equal(aCall(openai, body).bound.inputTokens, length(body))
  t.ok(length(body) > JSON.stringify(body).length)
})

t.test('of two limits the higher one counts, and every choice and each that is tried', async (t) => {
  t.equal(aCall(openai, { ...chat, max_completion_tokens: 50, max_tokens: 80 }).bound.outputTokens, 80)
  t.equal(aCall(openai, { ...chat, max_completion_tokens: 90, max_tokens: 80 }).bound.outputTokens, 90)
  t.equal(aCall(openai, { ...chat, max_tokens: 80 }).bound.outputTokens, 80)
  t.equal(aCall(openai, { ...chat, n: 2, best_of: 5 }).bound.choices, 5)
  t.equal(aCall(openai, { ...chat, max_completion_tokens: 50, prediction: { type: 'content', content: 'x' } }).bound.outputTokens, null,
    'rejected tokens of a prediction are billed too')
})

t.test('tools and formats add the words around them', async (t) => {
  for (const more of [{ tools: [{ type: 'function', function: { name: 'f' } }] }, { functions: [{ name: 'f' }] },
    { response_format: { type: 'json_object' } }]) {
    const body = { ...chat, ...more }
    t.equal(aCall(openai, body).bound.inputTokens, length(body) + 1_000)
  }
})

t.test('an image in the request counts as an image, not as its bytes; one from elsewhere is not bounded', async (t) => {
  const url = `data:image/png;base64,${'iVBORw0KGgo'.repeat(20_000)}`
  const image = withPart({ type: 'image_url', image_url: { url, detail: 'high' } })
  t.equal(aCall(openai, image).bound.inputTokens, length(image) - url.length + 50_000)
  t.equal(aCall(openai, withPart({ type: 'image_url', image_url: url })).bound.inputTokens,
    length(withPart({ type: 'image_url', image_url: '' })) + 50_000)
  for (const elsewhere of [{ url: 'https://example.com/a.png' }, { url: 'data:text/plain,aaa' }, { file_id: 'f' }, {}, null, 7]) {
    t.equal(aCall(openai, withPart({ type: 'image_url', image_url: elsewhere })).bound.inputTokens, Infinity)
  }
  t.equal(aCall(openai, withPart({ type: 'file', file: { file_id: 'f' } })).bound.inputTokens, Infinity)
  t.equal(aCall(openai, { ...chat, messages: [image.messages[0] as object, ...withPart({ type: 'file' }).messages] }).bound.inputTokens,
    Infinity, 'an image takes nothing off what is not bounded')
})

t.test('an image whose URL is escaped is never counted below its cap', async (t) => {
  const body = withPart({ type: 'image_url', image_url: { url: `data:image/jpeg;base64,${'/9j/'.repeat(100)}` } })
  const text = JSON.stringify(body).replaceAll('/', '\\/')
  const request = read(openai, body, text)
  t.ok('bound' in request && request.bound.inputTokens >= 50_000)
})

t.test('sounds are bounded by how long they can be played, or by the context window; those of an answer are dearer', async (t) => {
  const data = wav(2).toString('base64')
  const heard = withPart({ type: 'input_audio', input_audio: { data, format: 'wav' } })
  const { bound } = aCall(openai, { ...chat, ...heard })
  t.match(bound, { inputTokens: JSON.stringify({ ...chat, ...heard }).length - data.length + 40, inputUnits: ['inputAudioTokens'] })
  t.equal(bound.outputUnits, undefined)
  const spoken = { modalities: ['text', 'audio'], audio: { voice: 'ash', format: 'mp3' } }
  t.match(aCall(openai, { ...chat, ...spoken }), { bound: { inputUnits: undefined, outputUnits: ['outputAudioTokens'] } })
  for (const sound of [{ data: 'what?' }, { data: `${data}=` }, { data: 'AAAA' }, {}, null, data]) {
    const part = withPart({ type: 'input_audio', input_audio: sound })
    t.match(aCall(openai, { ...chat, ...part }).bound, { inputTokens: Infinity, inputUnits: ['inputAudioTokens'] })
  }
  const earlier = { messages: [{ role: 'assistant', audio: { id: 'a' } }] }
  t.match(aCall(openai, { ...chat, ...earlier }).bound, { inputTokens: Infinity, inputUnits: ['inputAudioTokens'] })
  const both = aCall(openai, { ...chat, ...heard, ...spoken, max_completion_tokens: 100 }).bound
  const audio = aModel('openai', 'gpt-audio')
  t.equal(quoteNano(audio, both), BigInt(both.inputTokens) * 32_000n + 100n * 64_000n)
  t.equal(quoteNano(aModel('openai', 'gpt-4o'), both), null, 'a model without a price for sounds')
  for (const more of [heard, spoken, earlier, { audio: { voice: 'x' } }]) {
    t.match(read(groq, { ...chat, ...more }), { code: 'feature_not_metered', message: /audio/ }, 'elsewhere')
  }
})

t.test('what tokens do not bound is refused, with what it is', async (t) => {
  const cases: [object, RegExp][] = [
    [{ web_search_options: {} }, /^web_search_options /],
    [{ tools: [{ type: 'function' }, { type: 'web_search' }] }, /tool type "web_search"/],
    [{ tools: [{}] }, /tool type nothing/],
    [{ tools: ['web_search'] }, /tool type "web_search"/],
    [{ previous_response_id: 'r' }, /^previous_response_id /],
    [{ conversation: 'c' }, /^conversation /],
    [{ prompt: { id: 'p' } }, /^prompt /],
    [{ background: true }, /^background /],
    [{ models: ['gpt-5'] }, /^models /],
    [{ plugins: [{ id: 'web' }] }, /^plugins /],
    [{ search_parameters: { mode: 'on' } }, /^search_parameters /],
    [{ prompt_cache_options: { ttl: '12h' } }, /ttl "12h"/],
    [withPart({ type: 'video_url' }), /content type "video_url"/],
    [withPart({ image: 'iVBOR', resize: 512 }), /content type nothing/],
    [{ messages: [{ role: 'user', content: { type: 'input_video' } }] }, /content type "input_video"/],
    [{ messages: [[{ role: 'user', content: [[{ type: 'input_video' }]] }]] }, /content type "input_video"/],
    [{ modalities: ['video'] }, /modality "video"/],
  ]
  for (const [more, message] of cases) {
    t.match(read(openai, { ...chat, ...more }), { code: 'feature_not_metered', retryable: false, message }, JSON.stringify(more))
  }
})

t.test('what tokens do bound is let through', async (t) => {
  for (const more of [{ tools: [{ type: 'function' }, { type: 'custom' }] }, { modalities: ['text'] }, { store: true }, { logprobs: true },
    { background: false }, { prompt_cache_options: { mode: 'explicit' } }, { prompt_cache_options: { ttl: '30m' } }, { prompt_cache_key: 'k' },
    { reasoning_effort: 'high' }, { messages: [{ role: 'assistant', audio: null, content: [{ type: 'refusal', refusal: 'no' }] }] },
    { messages: [{ role: 'user', content: 'x' }, { role: 'tool', content: [{ type: 'text', text: 'y' }] }] }]) {
    t.match(read(openai, { ...chat, ...more }), { model: 'gpt-4o' }, JSON.stringify(more))
  }
})

t.test('a field of the wrong type is refused by its name', async (t) => {
  const wrong: [string, unknown, string?][] = [
    ['model', 7], ['model', ''], ['model', null], ['model', 'x'.repeat(300)], ['model', ['gpt-4o']],
    ['n', 1.5], ['n', 0], ['n', 1e9], ['n', '2'], ['best_of', -1],
    ['stream', 'yes'], ['stream', 1],
    ['max_tokens', -1], ['max_tokens', 0], ['max_tokens', 1e300], ['max_completion_tokens', '5'], ['max_completion_tokens', 0.5],
    ['service_tier', 1], ['service_tier', ''], ['stream_options', 'x'], ['stream_options', []],
    ['stream_options', { include_usage: 1 }, 'stream_options.include_usage'],
    ['messages', 'x'], ['messages', { role: 'user' }], ['tools', { 0: { type: 'web_search' } }], ['modalities', 'audio'],
  ]
  for (const [field, value, path = field] of wrong) {
    const refusal = read(openai, { ...chat, [field]: value })
    t.match(refusal, { code: 'invalid_request', field: path, retryable: false }, `${field} ${JSON.stringify(value).slice(0, 40)}`)
    t.ok('message' in refusal && refusal.message.startsWith(`${path} must be`))
  }
  t.match(read(openai, { messages: [] }), { code: 'invalid_request', field: 'model', message: /got nothing/ })
  for (const none of [null, [], 'x']) t.match(billable(openai).read(none, Buffer.alloc(0), NO_TARGET), { code: 'invalid_request' })
})

t.test('the body goes on as it came unless usage has to be switched on', async (t) => {
  const forwarded = (body: object) => {
    const bytes = Buffer.from(JSON.stringify(body))
    const out = billable(openai).forwardBody(aCall(openai, body), body, bytes, AS_ASKED)
    return out === bytes ? 'the same' : out.toString()
  }
  t.equal(forwarded(chat), 'the same')
  t.equal(forwarded({ ...chat, stream: false }), 'the same')
  t.equal(forwarded({ ...chat, stream: true, stream_options: { include_usage: true } }), 'the same')
  t.equal(forwarded({ model: 'gpt-4o', stream: true }), '{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true}}')
})
