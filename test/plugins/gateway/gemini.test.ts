import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo } from 'node:net'
import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { ask, json } from './clients.ts'
import { aGateway, KEY, PROVIDER_KEY } from './fakes.ts'

// Google's own SDK against the gateway, in front of a server that answers as Google does.

interface Seen { method: string, url: string, headers: IncomingMessage['headers'], body: string }

const chunk = (text: string, candidatesTokenCount: number, more: object = {}) => ({
  candidates: [{ content: { parts: [{ text }], role: 'model' }, ...more }],
  usageMetadata: { promptTokenCount: 9, candidatesTokenCount, totalTokenCount: 9 + candidatesTokenCount },
  modelVersion: 'gemini-2.5-flash',
  responseId: 'r-1',
})
const CHUNKS = [chunk('Hel', 1), chunk('lo', 2, { finishReason: 'STOP' })]

const INTERACTION = {
  id: 'int-1', status: 'completed', model: 'gemini-2.5-flash', steps: [], usage: { total_input_tokens: 9, total_output_tokens: 2, total_tokens: 11 },
}

function answerTo (url: string): [type: string, text: string] {
  if (url.endsWith('/interactions')) return ['application/json', JSON.stringify(INTERACTION)]
  if (url.endsWith('/embeddings')) return ['application/json', '{"data":[{"index":0,"embedding":[0.5]}],"usage":{"prompt_tokens":3,"total_tokens":3}}']
  if (url.endsWith('alt=sse')) return ['text/event-stream', CHUNKS.map((one) => `data: ${JSON.stringify(one)}\r\n\r\n`).join('')]
  if (url.includes(':streamGenerateContent')) return ['application/json', JSON.stringify(CHUNKS)]
  if (url.includes(':countTokens')) return ['application/json', '{"totalTokens":9}']
  if (url.includes(':batchEmbedContents')) return ['application/json', '{"embeddings":[{"values":[0.5]}]}']
  return ['application/json', JSON.stringify(chunk('Hello', 2, { finishReason: 'STOP' }))]
}

async function aBench (t: Test) {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => { pieces.push(piece) })
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      seen.push({ method, url, headers, body: Buffer.concat(pieces).toString() })
      const [type, text] = answerTo(url)
      response.writeHead(200, { 'content-type': type }).end(text)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  const google = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const upstreams = { gemini: { url: google, apiKey: PROVIDER_KEY, settingName: 'RELAYCORE_GEMINI_API_KEY' } }
  return { seen, google, ...await aGateway(t, { upstreams }) }
}

t.test('Google\'s SDK, streaming and not, with both versions of its paths, below the prefix and at the root', async (t) => {
  const { seen, url, gate } = await aBench(t)
  for (const [prefix, apiVersion] of [['/gemini', 'v1beta'], ['/gemini', 'v1'], ['', 'v1beta'], ['', 'v1']] as const) {
    const { models } = new GoogleGenAI({ apiKey: KEY, apiVersion, httpOptions: { baseUrl: `${url}${prefix}` } })
    const call = { model: 'gemini-2.5-flash', contents: 'Hello', config: { maxOutputTokens: 40 } }
    t.equal((await models.generateContent(call)).text, 'Hello')
    let text = ''
    for await (const piece of await models.generateContentStream(call)) text += piece.text ?? ''
    t.equal(text, 'Hello')
    t.equal((await models.countTokens({ model: call.model, contents: call.contents })).totalTokens, 9)
    t.same((await models.embedContent({ model: 'gemini-embedding-001', contents: 'Hello' })).embeddings?.[0]?.values, [0.5])
    t.equal((await models.get({ model: 'claude-test' })).name, 'models/claude-test')
    const list = await models.list()
    t.same(list.page.map(({ name }) => name), ['models/claude-test'])
    t.same(seen.splice(0).map(({ url }) => url), [
      `/${apiVersion}/models/gemini-2.5-flash:generateContent`,
      `/${apiVersion}/models/gemini-2.5-flash:streamGenerateContent?alt=sse`,
      `/${apiVersion}/models/gemini-2.5-flash:countTokens`,
      `/${apiVersion}/models/gemini-embedding-001:batchEmbedContents`,
    ])
  }
  await gate.ended(12)
  const usages = gate.calls.map(({ request: { model }, ended: [end] }) => end?.how === 'settled' ? [model, end.ending.reading?.usage?.outputTokens] : [])
  t.same(usages.slice(0, 3), [['gemini-2.5-flash', 2], ['gemini-2.5-flash', 2], ['gemini-embedding-001', undefined]])
})

t.test('interactions by Google\'s SDK, and embeddings by OpenAI\'s', async (t) => {
  const { seen, url, gate } = await aBench(t)
  const { interactions } = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: `${url}/gemini` } })
  t.match(await interactions.create({ model: 'gemini-2.5-flash', input: 'Hello', store: false }), { id: 'int-1' })
  const openai = new OpenAI({ apiKey: KEY, baseURL: `${url}/gemini/v1beta/openai` })
  const asked = { model: 'gemini-embedding-001', input: 'Hello', encoding_format: 'float' as const }
  t.match(await openai.embeddings.create(asked), { data: [{ embedding: [0.5] }] })
  t.match(seen.map(({ url }) => url), [/^\/v1(?:beta)?\/interactions$/, '/v1beta/openai/embeddings'])
  await gate.ended(2)
  const used = gate.calls.map(({ ended: [end] }) => end?.how === 'settled' && end.ending.reading?.usage)
  t.match(used, [{ inputTokens: 9, outputTokens: 2 }, { inputTokens: 3, outputTokens: 0 }])
})

t.test('the provider gets its own key where it looks for it, and never the client\'s', async (t) => {
  const { seen, url } = await aBench(t)
  const path = '/v1beta/models/gemini-2.5-flash:generateContent'
  const ways: [string, Record<string, string>][] = [[path, { 'x-goog-api-key': KEY }], [`${path}?key=${KEY}`, {}], [path, { authorization: `Bearer ${KEY}` }]]
  for (const [way, headers] of ways) {
    const answer = await ask(`${url}${way}`, { headers: { 'content-type': 'application/json', ...headers }, body: '{"contents":"Hi"}' })
    t.equal(answer.status, 200)
  }
  for (const { url, headers } of seen) {
    t.equal(url, path)
    t.equal(headers['x-goog-api-key'], PROVIDER_KEY)
    t.notMatch(JSON.stringify(headers), KEY)
  }
})

t.test('a stream that is a JSON array passes as it is and is metered', async (t) => {
  const { url, gate } = await aBench(t)
  const answer = await ask(`${url}/v1/models/gemini-2.5-flash:streamGenerateContent`, {
    headers: { 'content-type': 'application/json', 'x-goog-api-key': KEY }, body: '{"contents":"Hi"}',
  })
  t.equal(answer.body.toString(), JSON.stringify(CHUNKS))
  t.match(await gate.ended(), { ending: { reading: { final: true, usage: { inputTokens: 9, outputTokens: 2 } } } })
})

t.test('what is refused is refused as Google does, wherever the path leads', async (t) => {
  const { url, seen } = await aBench(t)
  const headers = { 'content-type': 'application/json', 'x-goog-api-key': KEY }
  const told = async (path: string, more: object = headers, body = '{"contents":"Hi"}') => {
    const answer = await ask(`${url}${path}`, { headers: more as Record<string, string>, body })
    return { status: answer.status, ...json(answer)['error'] as object }
  }
  const path = '/v1/models/gemini-2.5-flash:generateContent'
  t.match(await told(path, { 'content-type': 'application/json' }), { status: 'UNAUTHENTICATED', code: 401 })
  t.match(await told(path, headers, '{'), { status: 'INVALID_ARGUMENT', code: 400 })
  t.match(await told(path, headers, '{"tools":[{"googleMaps":{}}]}'), { status: 'PERMISSION_DENIED', code: 403 })
  t.match(await told('/gemini/v1beta/files'), { status: 'PERMISSION_DENIED', message: /not available.*batchEmbedContents/ })
  t.match(await told('/v1beta/models/x:predictLongRunning'), { status: 'PERMISSION_DENIED' })
  t.match(await told('/v1/models/x:generateVideos'), { status: 'PERMISSION_DENIED' }, 'the header says whose it is')
  t.match(await told(`${path}?$httpMethod=GET`), { status: 'INVALID_ARGUMENT', message: /The query may have alt/ })
  t.equal(seen.length, 0)
})
