import t from 'tap'
import { cpuMs } from '../../cpu-ms.ts'
import { isRefusal } from '../../../src/providers/provider.ts'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { aCall, EMBED, EMBED_BATCH, EMBEDDING, FLASH, GENERATE, HELLO, IMAGE, read, STREAM, THREE, withPart } from './builders.ts'

const length = (body: object) => Buffer.byteLength(JSON.stringify(body))
const config = (generationConfig: object) => ({ ...HELLO, generationConfig })
const media = (mimeType: string, data = 'AAAA') => withPart({ inlineData: { mimeType, data } })

t.test('a call is read as the provider will read it', async (t) => {
  t.strictSame(aCall(HELLO), {
    model: 'gemini-2.5-flash',
    stream: false,
    usageAsked: true,
    thinking: 'open',
    endUser: null,
    endUserField: 'labels.user',
    bound: { inputTokens: length(HELLO), outputTokens: null, choices: 1, cacheWrite: 'none', tier: null, webSearches: 0 },
  })
  const full = {
    contents: 'Hello',
    systemInstruction: { parts: { text: 'Be brief.' } },
    generationConfig: { candidateCount: 3, maxOutputTokens: 50, thinkingConfig: { thinkingBudget: 20 } },
    serviceTier: 'SERVICE_TIER_FLEX',
    labels: { user: 'u-1' },
  }
  t.match(aCall(full, { of: STREAM, search: '?alt=sse' }), {
    stream: true, thinking: 20, endUser: 'u-1', bound: { inputTokens: length(full), outputTokens: 50, choices: 3, tier: 'flex' },
  })
})

t.test('names in snake_case count as those in camelCase, and both of one are refused', async (t) => {
  const snake = { ...HELLO, generation_config: { max_output_tokens: 50, candidate_count: 2, thinking_config: { thinking_budget: 0 } }, service_tier: 'priority' }
  t.match(aCall(snake), { thinking: 0, bound: { outputTokens: 50, choices: 2, tier: 'priority' } })
  t.match(aCall({ ...HELLO, cached_content: 'cachedContents/x' }), { bound: { inputTokens: Infinity } })
  t.match(aCall(withPart({ inline_data: { mime_type: 'audio/wav', data: 'AA' } })), { bound: { inputTokens: Infinity } })
  for (const two of [{ ...config({}), generation_config: {} }, config({ maxOutputTokens: 1, max_output_tokens: 9 }),
    withPart({ inlineData: { mimeType: 'image/png', data: '' }, inline_data: {} })]) {
    t.match(read(two), { code: 'invalid_request', message: /two spellings/ })
  }
})

t.test('thoughts are part of the limit, and a budget for them above it counts; -1 is as long as the model likes', async (t) => {
  const limited = (thinkingBudget: number) =>
    aCall(config({ maxOutputTokens: 100, thinkingConfig: { thinkingBudget } }))
  t.match(limited(40), { thinking: 40, bound: { outputTokens: 100 } })
  t.match(limited(4_000), { thinking: 4_000, bound: { outputTokens: 4_000 } })
  t.match(limited(-1), { thinking: 'open', bound: { outputTokens: 100 } })
  t.match(aCall(config({ thinkingConfig: { thinkingBudget: 4_000 } })), { bound: { outputTokens: null } })
})

t.test('parts within parts are read, however deep they are', async (t) => {
  const depth = 15_000
  const text = `{"contents":{"parts":[${'{"functionResponse":{"parts":['.repeat(depth)}{"inlineData":{"mimeType":"audio/wav"}}${']}}'.repeat(depth)}]}}`
  const request = GENERATE.read(JSON.parse(text), Buffer.from(text), { params: { model: 'gemini-2.5-flash' }, search: '' })
  t.match(request, { bound: { inputTokens: Infinity, inputUnits: ['inputAudioTokens'] } })
  const wide = withPart({ functionResponse: { parts: Array.from({ length: 200_000 }, () => 'x') } })
  t.match(aCall(wide), { bound: { inputTokens: length(wide) } }, 'and however many')
})

t.test('an image in place counts as an image; sound, video, documents and what is elsewhere may fill the window', async (t) => {
  const image = media('image/png', 'iVBORw0KGgo'.repeat(20_000))
  t.equal(aCall(image).bound.inputTokens, length(media('image/png', '')) + 10_000)
  t.same(aCall(image).bound.inputUnits, ['inputImageTokens'])
  const file = withPart({ fileData: { mimeType: 'image/png', fileUri: 'https://example.com/a.png' } })
  t.match(aCall(file), { bound: { inputTokens: Infinity, inputUnits: ['inputImageTokens'] } })
  t.match(aCall(media('application/pdf')), { bound: { inputTokens: Infinity, inputUnits: ['inputImageTokens'] } })
  t.match(aCall(media('audio/mp3')), { bound: { inputTokens: Infinity, inputUnits: ['inputAudioTokens'] } })
  const all = ['inputImageTokens', 'inputAudioTokens', 'inputVideoTokens']
  t.match(aCall(media('video/mp4')), { bound: { inputTokens: Infinity, inputUnits: all } })
  t.match(aCall(withPart({ fileData: { fileUri: 'https://youtu.be/x' } })), { bound: { inputTokens: Infinity, inputUnits: all } })
  t.match(aCall({ ...HELLO, cachedContent: 'cachedContents/x' }), { bound: { inputTokens: Infinity, inputUnits: all } })
  t.equal(aCall(media('text/csv')).bound.inputUnits, undefined)
  t.equal(aCall(media('text/csv')).bound.inputTokens, length(media('text/csv')))
  const answered = withPart({ functionResponse: { name: 'f', response: {}, parts: [{ inlineData: { mimeType: 'audio/wav', data: '' } }] } })
  t.equal(aCall(answered).bound.inputTokens, Infinity)
  const both = { contents: [...image.contents, ...media('audio/mp3').contents] }
  t.equal(aCall(both).bound.inputTokens, Infinity, 'an image takes nothing off what is not bounded')
})

t.test('tools and formats add the words around them; a search fills the window and is billed by the prompt', async (t) => {
  const tools = { ...HELLO, tools: [{ functionDeclarations: [{ name: 'f' }] }] }
  t.equal(aCall(tools).bound.inputTokens, length(tools) + 1_000)
  const format = config({ responseMimeType: 'application/json' })
  t.equal(aCall(format).bound.inputTokens, length(format) + 1_000)
  const search = aCall({ ...HELLO, tools: [{ googleSearch: {} }] })
  t.match(search.bound, { inputTokens: Infinity, units: { groundedPrompts: 1 } })
  // 1,048,576 x 0.3 + 65,536 x 2.5 USD per million, and 0.035 USD
  t.equal(quoteNano(FLASH, search.bound), 1_048_576n * 300n + 65_536n * 2_500n + 35_000_000n)
  t.equal(quoteNano(THREE, search.bound), null, 'a model that bills by the query has no quote')
})

t.test('what cannot be bounded or metered is refused by its name', async (t) => {
  const cases: [object, RegExp][] = [
    [{ ...HELLO, tools: [{ codeExecution: {} }] }, /the tool codeExecution/],
    [{ ...HELLO, tools: [{ url_context: {} }] }, /the tool urlContext/],
    [{ ...HELLO, tools: [{ googleMaps: {} }] }, /the tool googleMaps/],
    [{ ...HELLO, tools: [{ googleSearch: { searchTypes: { imageSearch: {} } } }] }, /the tool googleSearch/],
    [{ ...HELLO, modelArmorConfig: {} }, /^modelArmorConfig/],
    [{ ...HELLO, somethingNew: 1 }, /^somethingNew/],
    [config({ routingConfig: {} }), /generationConfig\.routingConfig/],
    [config({ responseModalities: ['VIDEO'] }), /the modality "VIDEO"/],
    [config({ responseModalities: [3] }), /the modality 3/],
    [withPart({ hologram: {} }), /contents\.parts\.hologram/],
  ]
  for (const [body, message] of cases) t.match(read(body), { code: 'feature_not_metered', message }, String(message))
})

t.test('what is wrong is refused by its name', async (t) => {
  const cases: [object, RegExp, string?][] = [
    [config({ maxOutputTokens: '100' }), /^generationConfig\.maxOutputTokens must be a whole number/],
    [config({ candidateCount: 0 }), /^generationConfig\.candidateCount/],
    [config({ thinkingConfig: { thinkingBudget: -2 } }), /thinkingBudget must be a whole number/],
    [{ ...HELLO, generationConfig: [] }, /^generationConfig must be an object/],
    [{ ...HELLO, model: 'models/gemini-2.5-pro' }, /^model must be the model of the path/],
    [{ ...HELLO, serviceTier: 7 }, /^serviceTier/],
    [{ contents: [7] }, /contents must be an object/],
    [HELLO, /^The query may have alt/, '?$httpMethod=GET'],
    [HELLO, /^The query may have alt/, '?fields=candidates'],
  ]
  for (const [body, message, search = ''] of cases) t.match(read(body, { search }), { code: 'invalid_request', message }, String(message))
  t.notOk(isRefusal(read({ ...HELLO, model: 'models/gemini-2.5-flash' }, { search: '?alt=sse&prettyPrint=false' })))
  for (const body of [{ code: 1, retryable: true }, withPart({ code: 'x', retryable: false, message: '' })]) {
    t.match(read(body), { code: 'feature_not_metered' }, 'a body that looks like a refusal is none')
  }
})

t.test('a model that puts out media is bounded by its own maximum at their price, and cannot be capped', async (t) => {
  const image = aCall(config({ maxOutputTokens: 10 }), { model: 'gemini-2.5-flash-image' })
  t.match(image, { thinking: null, bound: { outputTokens: null, outputUnits: ['outputImageTokens'] } })
  t.equal(quoteNano(IMAGE, image.bound), BigInt(length(config({ maxOutputTokens: 10 }))) * 300n + 32_768n * 30_000n)
  t.match(aCall(config({ responseModalities: ['TEXT', 'AUDIO'] })), { bound: { outputUnits: ['outputAudioTokens'] } })
  t.match(aCall(HELLO, { model: 'gemini-2.5-pro-tts' }), { bound: { outputUnits: ['outputAudioTokens'] } })
  t.match(aCall(config({ responseFormat: [{ image: {} }] })), { bound: { outputUnits: ['outputImageTokens'] } })
})

t.test('a lower limit and another model are put into the bytes, in the spelling that is there', async (t) => {
  const change = (text: string, outputTokens: number | null, model: string | null = null) => {
    const body = JSON.parse(text) as object
    return GENERATE.forwardBody(aCall(body), body, Buffer.from(text), { model, outputTokens }).toString()
  }
  t.equal(change('{ "contents" : "ü" }', 9), '{ "contents" : "ü" ,"generationConfig":{"maxOutputTokens":9}}')
  t.equal(change('{"generationConfig" : { "topK" : 1.0 },"contents":[]}', 9), '{"generationConfig" : { "topK" : 1.0 ,"maxOutputTokens":9},"contents":[]}')
  t.equal(change('{"generation_config":{"max_output_tokens":20 },"contents":[]}', 9), '{"generation_config":{"max_output_tokens":9 },"contents":[]}')
  t.equal(change('{"generationConfig":{"maxOutputTokens":5}}', 9), '{"generationConfig":{"maxOutputTokens":5}}')
  t.equal(change('{"generationConfig":null}', 9), '{"generationConfig":{"maxOutputTokens":9}}')
  t.equal(change('{"contents":"x"}', null, 'gemini-2.5-flash-lite'), '{"contents":"x"}', 'the path has it')
  t.equal(change('{"model":"gemini-2.5-flash"}', null, 'gemini-x'), '{"model":"models/gemini-x"}')
})

t.test('embeddings cost their input, each no longer than the window, and no output', async (t) => {
  const model = 'gemini-embedding-001'
  const one = { content: { parts: [{ text: 'x'.repeat(10_000) }] }, taskType: 'RETRIEVAL_QUERY' }
  const bound = { inputTokens: length(one), inputs: 1, outputTokens: 0 }
  t.match(aCall(one, { of: EMBED, model }), { thinking: null, bound })
  t.equal(quoteNano(EMBEDDING, aCall(one, { of: EMBED, model }).bound), 2_048n * 150n)
  const many = { requests: [1, 2, 3].map(() => ({ model: `models/${model}`, ...one })) }
  t.equal(quoteNano(EMBEDDING, aCall(many, { of: EMBED_BATCH, model }).bound), 3n * 2_048n * 150n)
  const text = JSON.stringify({ requests: [{ model: `models/${model}`, content: { parts: [{ text: ',]"' }] } }, { model }] })
  const changed = EMBED_BATCH.forwardBody(aCall(many, { of: EMBED_BATCH, model }), JSON.parse(text), Buffer.from(text), { model: 'y', outputTokens: null })
  t.equal(changed.toString(), text.replace(`"models/${model}"`, '"models/y"').replace(`{"model":"${model}"}`, '{"model":"models/y"}'))
  const wrong: [object, RegExp][] = [
    [{ requests: [] }, /requests must be a list of 1/],
    [{ requests: [{ model: 'models/other', content: {} }] }, /requests\[0\]\.model must be the model of the path/],
    [{ requests: [{ hologram: 1 }] }, /^hologram/],
  ]
  for (const [body, message] of wrong) t.match(read(body, { of: EMBED_BATCH, model }), { message })
})

t.test('a name of a megabyte is read in its own time', async (t) => {
  for (const name of ['_'.repeat(100_000), 'a_'.repeat(50_000)]) {
    const body = { contents: 'x', [name]: 1, generationConfig: { [name]: 1 } }
    t.ok(cpuMs(() => { read(body) }) < 50, name.slice(0, 2))
  }
})
