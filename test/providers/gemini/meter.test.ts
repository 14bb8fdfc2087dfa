import fc from 'fast-check'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { quoteNano } from '../../../src/pricing/quote.ts'
import { finalCost } from '../../../src/gateway/final-cost.ts'
import { JSON_ANSWER, SSE } from '../builders.ts'
import { aCall, costOf, EMBED, EMBED_BATCH, EMBEDDING, endpoint, FLASH, HELLO, IMAGE, metered, PRO, read, STREAM, THREE, withPart } from './builders.ts'

const text = (tokenCount: number) => ({ modality: 'TEXT', tokenCount })
const USAGE = {
  promptTokenCount: 100,
  cachedContentTokenCount: 40,
  candidatesTokenCount: 7,
  thoughtsTokenCount: 30,
  totalTokenCount: 137,
  promptTokensDetails: [text(100)],
  cacheTokensDetails: [text(40)],
  candidatesTokensDetails: [text(7)],
}
const USED = {
  inputTokens: 60,
  cacheReadTokens: 40,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  outputTokens: 37,
  reasoningTokens: 30,
  webSearches: 0,
  tier: null,
}
const head = { modelVersion: 'gemini-2.5-flash', responseId: 'r-1' }
const part = (text: string, more: object = {}) => ({ candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0, ...more }] })
const answer = (usageMetadata: object | null, more: object = {}) =>
  JSON.stringify({ ...part('Hi', { finishReason: 'STOP' }), ...usageMetadata === null ? {} : { usageMetadata }, ...head, ...more }, null, 2)
/** figures of each chunk are those of all so far; the last has all of them */
const chunks = [
  { ...part('Hel"{]\\'), usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 2, totalTokenCount: 102 }, ...head },
  { ...part('lö 🎉\n\ndata: [DONE]'), usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 5, totalTokenCount: 105 }, ...head },
  { ...part('.', { finishReason: 'STOP' }), usageMetadata: USAGE, ...head },
]
const sse = (end = '\r\n') => chunks.map((chunk) => `data: ${JSON.stringify(chunk)}${end}${end}`).join('')
const array = `[${chunks.map((chunk) => JSON.stringify(chunk, null, 2)).join(',\r\n')}\r\n]`

const plain = aCall(HELLO)
const streaming = aCall(HELLO, { of: STREAM })
const of = (usage: object, call = plain) => metered(call, JSON_ANSWER, answer(usage)).reading.usage

t.test('a whole answer: 60 in at 0.3, 40 cached at 0.03, 37 out at 2.5 USD per million are 111,700 nano-USD', async (t) => {
  const { out, reading } = metered(plain, JSON_ANSWER, answer(USAGE))
  t.equal(out.toString(), answer(USAGE))
  t.match(reading, { usage: USED, final: true, modelUsed: 'gemini-2.5-flash', providerRequestId: 'r-1' })
  t.equal(costOf(FLASH, reading.usage), 111_700n)
})

t.test('a stream, as events or as an array, is read the same however it is cut, and every byte goes on', async (t) => {
  for (const [head, text] of [[SSE, sse()], [SSE, sse('\n')], [JSON_ANSWER, array]] as const) {
    const bytes = Buffer.from(text)
    for (let i = 0; i <= bytes.length; i++) {
      const { out, reading } = metered(streaming, head, bytes, { of: STREAM, at: [i] })
      if (!out.equals(bytes) || JSON.stringify(reading.usage) !== JSON.stringify(USED) || !reading.final) t.fail(`cut at ${i}`)
    }
    t.match(metered(streaming, head, bytes, { of: STREAM }).reading, { usage: USED, modelUsed: 'gemini-2.5-flash', providerRequestId: 'r-1' })
    const zipped = gzipSync(bytes)
    const encoded = metered(streaming, { ...head, contentEncoding: 'gzip' }, zipped, { of: STREAM })
    t.ok(encoded.out.equals(zipped))
    t.match(encoded.reading, { usage: USED, final: true })
  }
})

t.test('a stream that is cut has running figures; final is what comes with the reason why the only candidate stopped', async (t) => {
  const forms = [[SSE, sse().split(/(?<=\r\n\r\n)/)], [JSON_ANSWER, array.split(/(?<=\},)\r\n(?=\{)/)]] as const
  for (const [head, parts] of forms) {
    const meter = STREAM.meter(streaming, head)
    meter.data(Buffer.from(parts[0] as string))
    t.match(meter.reading(), { final: false, usage: { inputTokens: 100, outputTokens: 2 } })
    meter.data(Buffer.from(parts[1] as string))
    t.match(meter.reading(), { final: false, usage: { outputTokens: 5 } })
    meter.data(Buffer.from((parts[2] as string).replace(/\]$/, '')))
    t.match(meter.reading(), { final: true, usage: USED })
  }
  const two = STREAM.meter(aCall({ ...HELLO, generationConfig: { candidateCount: 2 } }, { of: STREAM }), SSE)
  two.data(Buffer.from(sse()))
  t.match(two.reading(), { final: false }, 'the other one goes on')
  two.end()
  t.match(two.reading(), { final: true })
  const cut = STREAM.meter(streaming, JSON_ANSWER)
  cut.data(Buffer.from(array.slice(0, 300)))
  cut.end()
  t.match(cut.reading(), { final: false }, 'an array without its end')
})

t.test('an answer without usage has none, and an error says nothing of it', async (t) => {
  for (const text of ['', '<html>', '{}', '[]', '{"usageMetadata":7}', answer(null), answer({}), answer({ promptTokenCount: -1 }), answer({ promptTokenCount: '7' })]) {
    const { out, reading } = metered(plain, JSON_ANSWER, text)
    t.equal(out.toString(), text)
    t.match(reading, { usage: null, final: false }, text)
  }
  t.match(metered(plain, { ...JSON_ANSWER, status: 429 }, answer(USAGE)).reading, { usage: null })
})

t.test('a prompt that was blocked has cost its input', async (t) => {
  const { reading } = metered(plain, JSON_ANSWER, JSON.stringify({ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 9, totalTokenCount: 9 } }))
  t.match(reading, { final: true, usage: { inputTokens: 9, outputTokens: 0 } })
})

t.test('each kind of token is counted once, whatever an answer leaves out', async (t) => {
  const bare = { promptTokenCount: 10, candidatesTokenCount: 3 }
  t.match(of(bare), { inputTokens: 10, outputTokens: 3, reasoningTokens: 0 })
  t.match(of({ promptTokenCount: 10, candidatesTokenCount: 3, totalTokenCount: 30 }), { outputTokens: 20 }, 'thoughts that only the total has')
  const tools = { promptTokenCount: 10, toolUsePromptTokenCount: 50, candidatesTokenCount: 3, totalTokenCount: 63 }
  t.match(of(tools), { inputTokens: 60, outputTokens: 3 })
  t.match(of({ ...USAGE, cachedContentTokenCount: 400 }), { inputTokens: 0, cacheReadTokens: 100 }, 'never more than there are')
})

t.test('sound has its own price: of 1,000 in, 600 of sound with 100 cached, are 100,000 + 500,000 + 10,000 + 3,000 nano-USD and 25,000 for 10 out', async (t) => {
  const call = aCall(withPart({ inlineData: { mimeType: 'audio/mp3', data: 'AAAA' } }))
  const usage = {
    promptTokenCount: 1_000,
    cachedContentTokenCount: 200,
    candidatesTokenCount: 10,
    promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 600 }, text(400)],
    cacheTokensDetails: [text(100), { modality: 'AUDIO', tokenCount: 100 }],
  }
  const units = { inputAudioTokens: 500, cachedAudioTokens: 100 }
  t.match(of(usage, call), { inputTokens: 300, cacheReadTokens: 100, units })
  // 300 x 0.3, 100 x 0.03, 500 x 1, 100 x 0.1, 10 x 2.5
  t.equal(costOf(FLASH, of(usage, call)), 90_000n + 3_000n + 500_000n + 10_000n + 25_000n)
  t.equal(of({ promptTokenCount: 1_000 }, call), null, 'where nobody says how much of it was sound')
  const byNumber = { promptTokenCount: 1_000, promptTokensDetails: [{ modality: 4, tokenCount: 700 }] }
  t.match(of(byNumber, call), { units: { inputAudioTokens: 700 } })
})

t.test('pages, images and films are told apart from text', async (t) => {
  const promptTokensDetails = [text(10), { modality: 'IMAGE', tokenCount: 20 }, { modality: 'DOCUMENT', tokenCount: 30 }, { modality: 'VIDEO', tokenCount: 40 }]
  const units = { inputImageTokens: 50, inputVideoTokens: 40 }
  t.match(of({ promptTokenCount: 100, promptTokensDetails }), { inputTokens: 10, units })
  t.match(of({ promptTokenCount: 15, promptTokensDetails }), { inputTokens: 0, units: { inputImageTokens: 15 } }, 'never more than there are')
})

t.test('an image that was made: 1,290 tokens at 30, 5 of text at 2.5, 10 in at 0.3 USD per million', async (t) => {
  const call = aCall(HELLO, { model: 'gemini-2.5-flash-image' })
  const usage = { promptTokenCount: 10, candidatesTokenCount: 1_295, candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1_290 }] }
  t.equal(costOf(IMAGE, of(usage, call)), 1_290n * 30_000n + 5n * 2_500n + 10n * 300n)
  t.equal(of({ promptTokenCount: 10, candidatesTokenCount: 1_295 }, call), null)
})

t.test('a search is billed once by the prompt, wherever in a stream it is told', async (t) => {
  const call = aCall({ ...HELLO, tools: [{ googleSearch: {} }] }, { of: STREAM })
  const grounded = part('x', { groundingMetadata: { webSearchQueries: ['a', 'b'], groundingChunks: [{}] } })
  const text = [grounded, grounded, ...chunks].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')
  const { reading } = metered(call, SSE, text, { of: STREAM })
  t.match(reading.usage, { ...USED, units: { groundedPrompts: 1 } })
  t.equal(costOf(FLASH, reading.usage), 111_700n + 35_000_000n)
  t.equal(metered(call, SSE, sse(), { of: STREAM }).reading.usage?.units, undefined, 'it may not have searched')
  t.equal(costOf(THREE, reading.usage), null)
})

t.test('long prompts have the dearer price from 200,001 tokens on: 250,010 in x 2.5 and 10 out x 15', async (t) => {
  t.equal(costOf(PRO, of({ promptTokenCount: 200_000, candidatesTokenCount: 10 })), 200_000n * 1_250n + 10n * 10_000n)
  t.equal(costOf(PRO, of({ promptTokenCount: 250_010, candidatesTokenCount: 10 })), 250_010n * 2_500n + 10n * 15_000n)
})

t.test('the tier that served counts: as the usage, a header or the traffic says, else as was asked', async (t) => {
  const flex = aCall({ ...HELLO, serviceTier: 'flex' })
  const usage = { promptTokenCount: 1_000 }
  const cost = (more: object, headers = {}) => {
    const { reading } = metered(flex, { ...JSON_ANSWER, headers }, answer({ ...usage, ...more }))
    const ending = { outcome: 'completed' as const, status: 200, reading, error: null }
    return finalCost(ending, FLASH, flex.bound, quoteNano(FLASH, flex.bound) ?? 0n).costNano
  }
  t.equal(cost({}), 150_000n)
  t.equal(cost({ serviceTier: 'standard' }), 300_000n)
  t.equal(cost({}, { 'x-gemini-service-tier': 'STANDARD' }), 300_000n)
  t.equal(cost({ trafficType: 'ON_DEMAND' }), 300_000n)
  t.equal(cost({ trafficType: 'ON_DEMAND_PRIORITY' }), 540_000n)
})

t.test('its version of chat completions has the figures of all so far in each chunk, and thoughts in the total alone', async (t) => {
  const of = endpoint('/v1beta/openai/chat/completions')
  const asked = { model: 'gemini-2.5-flash', messages: [], stream: true, stream_options: { include_usage: true } }
  const call = aCall(asked, { of })
  const chunk = (completion: number, total: number) => ({
    choices: [{ delta: { content: 'x' } }], usage: { prompt_tokens: 10, completion_tokens: completion, total_tokens: total },
  })
  const text = [chunk(1, 31), chunk(3, 63)].map((one) => `data: ${JSON.stringify(one)}\n\n`).join('') + 'data: [DONE]\n\n'
  const { out, reading } = metered(call, SSE, text, { of })
  t.equal(out.toString(), text)
  t.match(reading, { final: true, usage: { inputTokens: 10, outputTokens: 53 } })
  const extra = (google: object) => read({ ...asked, extra_body: { google } }, { of })
  t.match(extra({ thinking_config: { thinking_budget: 0 } }), { stream: true })
  t.match(extra({ cached_content: 'cachedContents/x' }), { code: 'feature_not_metered', message: /extra_body/ })
  t.match(extra({ thinking_config: {}, tools: [{ google_search: {} }] }), { code: 'feature_not_metered' })
})

t.test('embeddings are charged what they read, where they say it', async (t) => {
  const model = 'gemini-embedding-001'
  const one = aCall({ content: { parts: [{ text: 'x' }] } }, { of: EMBED, model })
  const told = JSON.stringify({ embedding: { values: [0.1] }, usageMetadata: { promptTokenCount: 6 } })
  const { reading } = metered(one, JSON_ANSWER, told, { of: EMBED })
  t.equal(costOf(EMBEDDING, reading.usage), 900n)
  const many = aCall({ requests: [{ content: {} }] }, { of: EMBED_BATCH, model })
  t.match(metered(many, JSON_ANSWER, '{"embeddings":[]}', { of: EMBED_BATCH }).reading, { usage: null, final: false })
})

t.test('whatever usage the rules allow, no call costs more than its quote', async () => {
  const request = fc.record({
    text: fc.string({ maxLength: 200 }),
    limit: fc.option(fc.integer({ min: 1, max: 70_000 })),
    budget: fc.option(fc.integer({ min: 0, max: 30_000 })),
    candidates: fc.integer({ min: 1, max: 8 }),
    tier: fc.constantFrom(null, 'flex', 'priority'),
    part: fc.constantFrom(null, { inlineData: { mimeType: 'image/png', data: 'A'.repeat(5_000) } }, { inlineData: { mimeType: 'audio/wav', data: 'AAAA' } },
      { fileData: { fileUri: 'gs://x/y' } }),
    tools: fc.constantFrom(undefined, [{ functionDeclarations: [{ name: 'f' }] }], [{ googleSearch: {} }]),
  })
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  const eight = fc.array(share, { minLength: 8, maxLength: 8 })
  const model = fc.constantFrom(PRO, FLASH)
  fc.assert(fc.property(model, request, eight, fc.boolean(), (model, asked, shares, streams) => {
    const { text, limit, budget, candidates, tier, part, tools } = asked
    const call = aCall({
      contents: [{ parts: [{ text }, ...part === null ? [] : [part]] }],
      generationConfig: {
        candidateCount: candidates, maxOutputTokens: limit, thinkingConfig: { thinkingBudget: budget },
      },
      serviceTier: tier,
      tools,
    }, { model: model.model, of: STREAM })
    const quote = quoteNano(model, call.bound)
    if (quote === null) return false
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = shares
    const part1 = (whole: number, of: number) => Math.floor(whole * of)
    const input = part1(Math.min(model.contextWindow, call.bound.inputTokens), a)
    const media = part === null ? 0 : part1(input, c)
    const longest = limit === null ? model.maxOutput : Math.max(limit, budget ?? 0)
    const output = part1(Math.min(longest, model.maxOutput) * candidates, b)
    const kind = part === null || 'fileData' in part ? ['IMAGE', 'AUDIO', 'VIDEO'][part1(2.9, h)] : part.inlineData.mimeType === 'image/png' ? 'IMAGE' : 'AUDIO'
    const usageMetadata = {
      promptTokenCount: part1(input, d),
      toolUsePromptTokenCount: input - part1(input, d),
      candidatesTokenCount: part1(output, e),
      thoughtsTokenCount: output - part1(output, e),
      cachedContentTokenCount: part1(input, f),
      totalTokenCount: input + output,
      promptTokensDetails: [{ modality: kind, tokenCount: media }],
      cacheTokensDetails: [{ modality: kind, tokenCount: part1(media, g) }],
      ...h > 0.5 && tier !== null ? { serviceTier: h > 0.75 ? tier : 'standard' } : {},
    }
    const metadata = tools?.[0] !== undefined && 'googleSearch' in tools[0] && h > 0.3 ? { groundingMetadata: { webSearchQueries: ['q'] } } : {}
    const body = `[${JSON.stringify({ candidates: [metadata], usageMetadata })}]`
    const { reading } = metered(call, JSON_ANSWER, streams ? body : body.slice(1, -1), { of: STREAM })
    const { costNano, certainty } = finalCost({ outcome: 'completed', status: 200, reading, error: null }, model, call.bound, quote)
    return certainty === 'exact' && costNano <= quote
  }), { numRuns: 500 })
})
