import { AnthropicVertex } from '@anthropic-ai/vertex-sdk'
import { GoogleGenAI } from '@google/genai'
import { OAuth2Client } from 'google-auth-library'
import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { bearerOf } from '../../../src/providers/vertex/access.ts'
import { ask, json } from '../../plugins/gateway/clients.ts'
import { aGateway, FakeGate, KEY, PROVIDER_KEY } from '../../plugins/gateway/fakes.ts'
import { recorded, type Recorded } from '../../provider/recorded.ts'

// Google's and Anthropic's own SDKs for Vertex AI as clients, with the gateway key as their access token.

const PLACE = { project: 'p-1', location: 'us-east5' }
const BELOW = 'projects/p-1/locations/us-east5/publishers'
const chunk = (text: string, candidatesTokenCount: number, more: object = {}) => ({
  candidates: [{ content: { parts: [{ text }], role: 'model' }, ...more }],
  usageMetadata: { promptTokenCount: 9, candidatesTokenCount, totalTokenCount: 9 + candidatesTokenCount, trafficType: 'ON_DEMAND' },
  modelVersion: 'gemini-2.5-flash',
})
const events = (all: object[], named = false): Recorded => ({
  headers: { 'content-type': 'text/event-stream' },
  body: all.map((one) => `${named ? `event: ${(one as { type: string }).type}\n` : ''}data: ${JSON.stringify(one)}\n\n`).join(''),
})
const MESSAGE = {
  id: 'msg_vrtx_1', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5-20250929', content: [{ type: 'text', text: 'hi' }], stop_reason: 'end_turn', stop_sequence: null, usage: { input_tokens: 9, output_tokens: 4 },
}
const asked = { model: 'claude-sonnet-4-5@20250929', max_tokens: 40, messages: [{ role: 'user' as const, content: 'Hello' }] }

async function aBench (t: Test, sign?: Parameters<typeof bearerOf>[0]) {
  const provider = await recorded(t, { body: '{}' })
  const gate = new FakeGate()
  const paid = sign === undefined ? { apiKey: PROVIDER_KEY } : { apiKey: null, sign: bearerOf(sign) }
  const { url } = await aGateway(t, { gate, upstreams: { vertex: { url: provider.url, settingName: 'KEY', ...paid } } })
  const authClient = new OAuth2Client()
  authClient.setCredentials({ access_token: KEY, expiry_date: Date.now() + 3_600_000 })
  const google = new GoogleGenAI({ vertexai: true, ...PLACE, apiKey: KEY, httpOptions: { baseUrl: `${url}/vertex` } })
  const { messages } = new AnthropicVertex({ projectId: PLACE.project, region: PLACE.location, baseURL: `${url}/vertex/v1`, authClient, maxRetries: 0 })
  return { provider, gate, url, google, messages }
}

t.test('Google\'s SDK, streaming and not: its key changes, its path stays as it came', async (t) => {
  const { provider, gate, google: { models } } = await aBench(t)
  const call = { model: 'gemini-2.5-flash', contents: 'Hello', config: { maxOutputTokens: 40 } }
  provider.answer = { body: JSON.stringify(chunk('Hello', 2, { finishReason: 'STOP' })) }
  t.equal((await models.generateContent(call)).text, 'Hello')
  provider.answer = events([chunk('Hel', 1), chunk('lo', 2, { finishReason: 'STOP' })])
  let text = ''
  for await (const piece of await models.generateContentStream(call)) text += piece.text ?? ''
  t.equal(text, 'Hello')
  provider.answer = { body: '{"totalTokens":9}' }
  t.equal((await models.countTokens({ model: call.model, contents: call.contents })).totalTokens, 9)
  provider.answer = { body: '{"predictions":[{"embeddings":{"values":[0.5],"statistics":{"token_count":3,"truncated":false}}}]}' }
  t.same((await models.embedContent({ model: 'gemini-embedding-001', contents: 'Hello' })).embeddings?.[0]?.values, [0.5])
  provider.answer = { body: '{"predictions":[{"mimeType":"image/png","bytesBase64Encoded":"AAAA"}]}' }
  const made = await models.generateImages({ model: 'imagen-4.0-generate-001', prompt: 'x', config: { numberOfImages: 1 } })
  t.equal(made.generatedImages?.[0]?.image?.imageBytes, 'AAAA')
  t.same((await models.list()).page.map(({ name }) => name), ['publishers/anthropic/models/claude-test'])
  t.same(provider.arrived.map(({ path }) => path), [
    `/v1beta1/${BELOW}/google/models/gemini-2.5-flash:generateContent`,
    `/v1beta1/${BELOW}/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse`,
    `/v1beta1/${BELOW}/google/models/gemini-2.5-flash:countTokens`,
    `/v1beta1/${BELOW}/google/models/gemini-embedding-001:predict`,
    `/v1beta1/${BELOW}/google/models/imagen-4.0-generate-001:predict`,
  ])
  for (const { headers } of provider.arrived) t.equal(headers.authorization, `Bearer ${PROVIDER_KEY}`)
  t.notMatch(JSON.stringify(provider.arrived), KEY, 'no gateway key goes upstream')
  await gate.ended(4)
  const used = gate.calls.map(({ request: { model, bound }, ended: [end] }) =>
    end?.how === 'settled' ? [model, bound.surcharge, end.ending.reading?.final, end.ending.reading?.usage?.inputTokens] : [])
  t.same(used, [['gemini-2.5-flash', 'regional', true, 9], ['gemini-2.5-flash', 'regional', true, 9], ['gemini-embedding-001', 'regional', true, 3], ['imagen-4.0-generate-001', 'regional', true, 0]])
})

t.test('Anthropic\'s SDK, streaming and not, and its counting of tokens', async (t) => {
  const { provider, gate, messages } = await aBench(t)
  provider.answer = { body: JSON.stringify(MESSAGE) }
  t.match(await messages.create(asked), { usage: { output_tokens: 4 } })
  provider.answer = events([
    { type: 'message_start', message: { ...MESSAGE, content: [], stop_reason: null, usage: { input_tokens: 9, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hi' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 4 } },
    { type: 'message_stop' },
  ], true)
  t.match(await messages.stream(asked).finalMessage(), { content: [{ text: 'hi' }], usage: { input_tokens: 9, output_tokens: 4 } })
  provider.answer = { body: '{"input_tokens":9}' }
  t.match(await messages.countTokens({ model: asked.model, messages: asked.messages }), { input_tokens: 9 })
  const models = `/v1/${BELOW}/anthropic/models`
  t.same(provider.arrived.map(({ path }) => decodeURIComponent(path)), [
    `${models}/claude-sonnet-4-5@20250929:rawPredict`, `${models}/claude-sonnet-4-5@20250929:streamRawPredict`, `${models}/count-tokens:rawPredict`,
  ])
  t.match(JSON.parse(provider.arrived[0]?.body.toString() ?? ''), { anthropic_version: String, max_tokens: 40 })
  await gate.ended(2)
  const used = gate.calls.map(({ ended: [end] }) => end?.how === 'settled' && end.ending.reading?.usage)
  t.match(used, [{ inputTokens: 9, outputTokens: 4 }, { inputTokens: 9, outputTokens: 4 }])
})

t.test('OpenAI\'s SDK, which names the model in the body', async (t) => {
  const { provider, gate, url } = await aBench(t)
  const openai = new OpenAI({ apiKey: KEY, baseURL: `${url}/vertex/v1/projects/p-1/locations/us-east5/endpoints/openapi`, maxRetries: 0 })
  provider.answer = { body: JSON.stringify({ id: 'c', model: 'google/gemini-3.5-flash', choices: [], usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 15 } }) }
  const call = { model: 'google/gemini-3.5-flash', max_tokens: 9, messages: [{ role: 'user' as const, content: 'Hello' }] }
  t.match(await openai.chat.completions.create(call), { usage: { completion_tokens: 2 } })
  t.match(await gate.ended(), { ending: { reading: { usage: { inputTokens: 9, outputTokens: 6 } } } })
  t.match(gate.calls[0]?.request, { model: 'google/gemini-3.5-flash', bound: { surcharge: 'regional', outputTokens: 9 } })
  const kept = { ...call, google: { cached_content: 'x' } }
  const refused = await openai.chat.completions.create(kept).then(() => null, (error: unknown) => error)
  t.match(refused, { code: 'feature_not_metered' })
})

t.test('each family is refused in its own envelope', async (t) => {
  const { provider, url, gate, google, messages } = await aBench(t)
  gate.answer = { code: 'budget_exhausted', message: 'There is nothing left.', retryable: false }
  const refused = await messages.create(asked).then(() => null, (error: unknown) => error)
  t.match(refused, { status: 402, error: { type: 'error', error: { type: 'billing_error' } } })
  await t.rejects(google.models.generateContent({ model: 'gemini-2.5-flash', contents: 'x' }), { status: 402, message: /RESOURCE_EXHAUSTED/ })
  const answer = await ask(`${url}/vertex/v1/${BELOW}/google/models/veo-3:predictLongRunning`, {
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }, body: '{}',
  })
  t.match(json(answer), { error: { code: 403, status: 'PERMISSION_DENIED', message: /not available through this gateway/ } })
  t.equal(provider.arrived.length, 0)
})

t.test('calls are signed with a token of the gateway\'s own; without one nothing is sent and nothing charged', async (t) => {
  let gone = false
  const { provider, gate, messages } = await aBench(t, async () => {
    if (gone) throw new Error('no')
    return { token: 'ya29.own', endsAt: Date.now() }
  })
  provider.answer = { body: JSON.stringify(MESSAGE) }
  t.match(await messages.create(asked), { usage: { output_tokens: 4 } })
  t.equal(provider.arrived[0]?.headers.authorization, 'Bearer ya29.own')
  gone = true
  await t.rejects(messages.create(asked), { status: 502, message: /no credential for the provider.*Nothing was sent/ })
  t.equal(provider.arrived.length, 1)
  t.match(gate.calls[1]?.ended, [{ how: 'released' }])
})
