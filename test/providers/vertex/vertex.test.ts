import { once } from 'node:events'
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { loadConfig } from '../../../src/config.ts'
import { quoteNano, withoutPrice } from '../../../src/pricing/quote.ts'
import { configuredProviders } from '../../../src/providers/configured.ts'
import { pathTemplate } from '../../../src/providers/paths.ts'
import { bearerOf, googleTokens } from '../../../src/providers/vertex/access.ts'
import { vertex } from '../../../src/providers/vertex/index.ts'
import { read } from '../gemini/builders.ts'
import { at, costIn, PLACE, priceOf } from './builders.ts'

const GENERATE = at('google/models/{model}:generateContent')
const PREDICT = at('google/models/{model}:predict')
const RAW = at('anthropic/models/{model}:rawPredict')
const STREAM_RAW = at('anthropic/models/{model}:streamRawPredict')
const HELLO = { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] }
const MESSAGE = { anthropic_version: 'vertex-2023-10-16', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] }
const content = (prompt: number, answer: number) => ({
  candidates: [{ content: { parts: [{ text: 'hi' }], role: 'model' }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: prompt, candidatesTokenCount: answer, totalTokenCount: prompt + answer, trafficType: 'ON_DEMAND' },
})
const message = (input: number, output: number, more: object = {}) => ({
  id: 'msg_vrtx_1', model: 'claude-sonnet-4-5', stop_reason: 'end_turn', usage: { input_tokens: input, output_tokens: output, ...more },
})

t.test('a place that is not the global one costs a tenth more from Gemini 3 and Claude 4.5 on', async (t) => {
  const claude = 'claude-sonnet-4-5@20250929'
  const cost = (location: string, model: string) => model.startsWith('gemini')
    ? costIn(location, model, GENERATE, HELLO, content(1_000, 100)).cost
    : costIn(location, model, RAW, MESSAGE, message(1_000, 100)).cost
  // 1,000 x 3 + 100 x 15 USD per million
  t.equal(cost('global', claude), 4_500_000n)
  for (const location of ['us-east5', 'eu', 'us']) t.equal(cost(location, claude), 4_950_000n, location)
  // 1,000 x 1.5 + 100 x 9
  t.equal(cost('global', 'gemini-3.5-flash'), 2_400_000n)
  t.equal(cost('europe-west1', 'gemini-3.5-flash'), 2_640_000n)
  // 1,000 x 0.3 + 100 x 2.5, everywhere
  t.equal(cost('global', 'gemini-2.5-flash'), 550_000n)
  t.equal(cost('us-central1', 'gemini-2.5-flash'), 550_000n)
  // 1,000 x 3 + 100 x 15, everywhere
  t.equal(cost('us-east5', 'claude-sonnet-4-0'), 4_500_000n)
  t.equal(quoteNano(priceOf(claude), { inputTokens: 1_000, outputTokens: 100, choices: 1, cacheWrite: 'none', tier: null, surcharge: 'regional', webSearches: 0 }), 4_950_000n)
})

t.test('what the answer says of speed or region takes nothing from the price of the place', async (t) => {
  const usage = { speed: 'standard', inference_geo: 'not_available', service_tier: 'standard' }
  t.equal(costIn('us-east5', 'claude-opus-4-6', RAW, MESSAGE, message(1_000, 100, usage)).cost, 8_250_000n)
  t.equal(costIn('us-east5', 'claude-opus-4-6@default', RAW, MESSAGE, message(1_000, 100)).cost, 8_250_000n)
  t.match(costIn('global', 'claude-opus-4-6', RAW, MESSAGE, message(1_000, 100, usage)), { cost: 7_500_000n })
})

t.test('messages are read as Anthropic reads them, with the model and the stream of the path', async (t) => {
  const { call } = costIn('us-east5', 'claude-sonnet-4-5@20250929', STREAM_RAW, { ...MESSAGE, stream: true }, message(1, 1))
  t.match(call, { model: 'claude-sonnet-4-5@20250929', stream: true, bound: { outputTokens: 100, surcharge: 'regional' } })
  const asked = (body: object, search = '') =>
    read(body, { model: 'claude-opus-5', of: RAW, params: { project: 'p', location: 'global' }, search })
  t.match(asked(MESSAGE), { stream: false })
  t.match(asked({ ...MESSAGE, stream: true }), { stream: true }, 'whatever the path says')
  t.match(asked({ ...MESSAGE, model: 'claude-haiku-4-5' }), { code: 'invalid_request', field: 'model' })
  t.match(asked({ ...MESSAGE, stream: 'yes' }), { code: 'invalid_request', field: 'stream' })
  t.match(asked({ messages: [] }), { code: 'invalid_request', field: 'max_tokens' })
  t.match(asked(MESSAGE, '?$httpMethod=GET'), { code: 'invalid_request', message: /query/ })
  const bytes = Buffer.from('{"max_tokens": 100, "messages": []}')
  const lower = RAW.forwardBody(call, JSON.parse(bytes.toString()), bytes, { model: 'claude-haiku-4-5', outputTokens: 50 })
  t.equal(lower.toString(), '{"max_tokens": 50, "messages": []}', 'a model is changed in the path')
})

t.test('predictions are embeddings of text, by the tokens that each says it had', async (t) => {
  const body = { instances: [{ content: 'one' }, { content: 'two', task_type: 'RETRIEVAL_QUERY' }], parameters: { outputDimensionality: 8 } }
  const prediction = (tokens: number) =>
    ({ embeddings: { values: [0.5], statistics: { token_count: tokens, truncated: false } } })
  const answer = { predictions: [prediction(700), prediction(300)] }
  const { call, cost } = costIn('us-central1', 'gemini-embedding-001', PREDICT, body, answer)
  // 1,000 x 0.15 USD per million
  t.equal(cost, 150_000n)
  t.match(call.bound, { inputs: 2, outputTokens: 0 })
  t.equal(costIn('global', 'gemini-embedding-001', PREDICT, body, { predictions: [prediction(1), {}] }).cost, null)
  t.equal(costIn('global', 'gemini-embedding-001', PREDICT, body, { error: 1 }).cost, null)
  const asked = (body: object) => read(body, { model: 'm', of: PREDICT, params: { project: 'p', location: 'global' } })
  t.match(asked({ instances: [{ title: 'x' }] }), { code: 'feature_not_metered' })
  t.match(asked({ instances: [] }), { code: 'invalid_request', field: 'instances' })
  t.match(asked({ ...body, labels: {} }), { code: 'feature_not_metered' })
})

t.test('images of Imagen are paid by the piece, those that were kept back are not', async (t) => {
  const of = (sampleCount: number | undefined, predictions: object[], location = 'us-central1') => {
    const body = { instances: [{ prompt: 'a cat' }], parameters: { sampleCount, aspectRatio: '1:1' } }
    const { call, cost } = costIn(location, 'imagen-4.0-generate-001', PREDICT, body, { predictions })
    return [quoteNano(priceOf('imagen-4.0-generate-001'), call.bound), cost]
  }
  const [image, stored, filtered] = [{ mimeType: 'image/png', bytesBase64Encoded: 'AAAA' }, { gcsUri: 'gs://b/1' }, { raiFilteredReason: 'x' }]
  // 0.04 USD each
  t.same(of(2, [image, stored]), [80_000_000n, 80_000_000n])
  t.same(of(undefined, [image, filtered]), [160_000_000n, 40_000_000n], 'four, where nothing says how many')
  t.same(of(1, [filtered], 'global'), [40_000_000n, 0n])
  const asked = (body: object, model = 'imagen-4.0-generate-001') =>
    read(body, { of: PREDICT, model, params: { project: 'p-1', location: 'global' } })
  t.match(asked({ instances: [{ prompt: 'x' }] }), { bound: { units: { images: 4 } } })
  t.match(asked({ instances: [{ prompt: 'x', image: {} }] }), { code: 'feature_not_metered', message: /^instances.image / })
  t.match(asked({ instances: [{ prompt: 'x' }], parameters: { mode: 'upscale' } }), { message: /^parameters.mode / })
  t.match(asked({ instances: [{ prompt: 'x' }], parameters: { sampleCount: 9 } }), { field: 'parameters.sampleCount' })
  t.match(asked({ instances: [{ prompt: 'x' }, { prompt: 'y' }] }), { code: 'invalid_request', field: 'instances' })
  const text = asked({ instances: [{ prompt: 'x' }] }, 'gemini-2.5-flash')
  t.equal('bound' in text && quoteNano(priceOf('gemini-2.5-flash'), text.bound), null, 'a model of text has no price for them')
})

t.test('whatever usage the rules allow, no call costs more than its quote, wherever it is served', async () => {
  const share = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }))
  const asked = fc.record({
    model: fc.constantFrom('gemini-3.1-pro-preview', 'gemini-2.5-flash', 'claude-sonnet-4-6', 'claude-opus-4-6@default'), location: fc.constantFrom('global', 'eu', 'us-east5'), text: fc.string({ maxLength: 200 }), limit: fc.integer({ min: 1, max: 100_000 }),
  })
  fc.assert(fc.property(asked, share, share, share, ({ model: name, location, text, limit }, a, b, c) => {
    const model = priceOf(name)
    const claude = name.startsWith('claude')
    const body = claude
      ? { ...MESSAGE, max_tokens: limit, messages: [{ role: 'user', content: text }] }
      : { contents: [{ parts: [{ text }] }], generationConfig: { maxOutputTokens: limit } }
    const input = Math.floor(Buffer.byteLength(JSON.stringify(body)) * a)
    const output = Math.floor(Math.min(limit, model.maxOutput) * b)
    const answer = claude
      ? message(input, output, c > 0.5 ? { speed: 'standard', inference_geo: 'not_available' } : {})
      : content(input, output)
    const { call, cost } = costIn(location, name, claude ? RAW : GENERATE, body, answer)
    const quote = quoteNano(model, call.bound)
    return quote !== null && cost !== null && cost <= quote
  }))
})

t.test('searches that are billed by the query have no bound, those billed by the prompt have', async (t) => {
  const body = { ...HELLO, tools: [{ googleSearch: {} }] }
  const quoted = (model: string) => {
    const call = read(body, { of: GENERATE, model, params: { project: 'p', location: 'global' } })
    if ('code' in call) throw new Error(call.message)
    return quoteNano(priceOf(model), call.bound) === null ? withoutPrice(priceOf(model), call.bound) : 'quoted'
  }
  t.equal(quoted('gemini-2.5-flash'), 'quoted')
  t.match(quoted('gemini-3.5-flash'), /^with searches that it bills by the query/)
})

t.test('names with their versions have the price of the model', async (t) => {
  t.equal(priceOf('gemini-2.0-flash-001').model, 'gemini-2.0-flash')
  t.equal(priceOf('google/gemini-2.0-flash-001').model, 'gemini-2.0-flash')
  t.equal(priceOf('google/gemini-3.5-flash').model, 'gemini-3.5-flash')
  t.equal(priceOf('claude-opus-4-6@default').model, 'claude-opus-4-6')
  t.equal(priceOf('gemini-embedding-001').model, 'gemini-embedding-001')
})

t.test('counting tokens is no model\'s prediction, and stands before them', async (t) => {
  const path = '/v1/projects/p-1/locations/global/publishers/anthropic/models/count-tokens:rawPredict'
  const found = vertex.endpoints.find((endpoint) => pathTemplate(endpoint.path).match(path) !== null)
  t.match(found, { kind: 'free', name: 'messages.count_tokens' })
})

t.test('the settings, or what Google\'s SDKs read, say where it is; other places are refused by their name', async (t) => {
  const named = (env: NodeJS.ProcessEnv) =>
    configuredProviders(loadConfig(env), env).find(({ provider }) => provider.name === 'vertex')
  const of = (settings: object) => ({ RELAYCORE_PROVIDERS: JSON.stringify({ vertex: settings }) })
  t.match(named({}), { url: null, settingName: /providers\.vertex\.region or GOOGLE_CLOUD_LOCATION/ })
  const urls = { 'us-east5': 'https://us-east5-aiplatform.googleapis.com', global: 'https://aiplatform.googleapis.com', eu: 'https://aiplatform.eu.rep.googleapis.com' }
  for (const [region, url] of Object.entries(urls)) {
    t.match(named(of({ region })), { url, sign: Function, apiKey: null })
  }
  t.match(named({ GOOGLE_CLOUD_LOCATION: 'us-east5', ...of({ region: 'global' }) }), { url: urls.global })
  t.match(named({ GOOGLE_CLOUD_LOCATION: 'evil.example/' }), { url: null }, 'a place is no address')
  t.match(named({ GOOGLE_CLOUD_LOCATION: 'us-east5', CLOUDSDK_AUTH_ACCESS_TOKEN: 'ya29' }), { apiKey: 'ya29' })
  t.equal(named({ GOOGLE_CLOUD_LOCATION: 'us-east5', RELAYCORE_VERTEX_API_KEY: 'ya29' })?.sign, undefined, 'a token that is set counts first')
  t.throws(() => named({ RELAYCORE_PROVIDERS: '{"bedrock":{"project":"p"}}' }), { message: /providers\.bedrock\.project means nothing/ })

  const asked = (env: NodeJS.ProcessEnv, location: string, project = 'p-1') => {
    const endpoint = named(env)?.provider.endpoints.find(({ path }) => path === `${PLACE}/google/models/{model}:generateContent`)
    return endpoint?.kind === 'billable' && read(HELLO, { of: endpoint, params: { location, project } })
  }
  const here = of({ region: 'us-east5', project: 'p-1' })
  t.match(asked(here, 'us-east5'), { model: 'gemini-2.5-flash' })
  const free = named(here)?.provider.endpoints.flatMap(({ kind, path }) => kind === 'free' && path.includes('projects') ? [path] : [])
  t.ok(free?.length === 4 && free.every((path) => path.includes('/projects/p-1/locations/us-east5/')), 'what is free too')
  t.match(asked(here, 'europe-west1'), { code: 'path_not_allowed', field: 'location', message: /us-east5 .*providers\.vertex\.region/ })
  t.match(asked(here, 'us-east5', 'p-2'), { code: 'path_not_allowed', field: 'project', message: /providers\.vertex\.project/ })
  t.match(asked({ GOOGLE_CLOUD_PROJECT: 'p-3', ...of({ region: 'global' }) }, 'global'), { field: 'project' })
  t.match(asked(of({ region: 'us-east5' }), 'us-east5', 'p-2'), { model: 'gemini-2.5-flash' })
  t.match(asked({ RELAYCORE_VERTEX_BASE_URL: 'https://us-west1-aiplatform.googleapis.com' }, 'global'), { field: 'location' })
  t.match(asked({ RELAYCORE_VERTEX_BASE_URL: 'https://aiplatform.googleapis.com/' }, 'us-west1'), { field: 'location' })
  t.match(asked({ RELAYCORE_VERTEX_BASE_URL: 'https://proxy.example/x' }, 'us-west1'), { bound: { surcharge: 'regional' } })
})

t.test('a token is asked for once for all that wait, and anew before it ends while the last one is good', async (t) => {
  let [now, asks, fails] = [0, 0, false]
  const sign = bearerOf(async () => {
    asks++
    if (fails) throw new Error('nothing there')
    return { token: `t${asks}`, endsAt: now + 3_600_000 }
  }, () => now)
  const request = { method: 'POST', url: 'https://x/', headers: [], body: null }
  const signed = async () => (await sign(request))[1]
  t.same(await Promise.all([signed(), signed(), signed()]), ['Bearer t1', 'Bearer t1', 'Bearer t1'])
  t.equal(asks, 1)
  now = 3_000_000
  t.equal(await signed(), 'Bearer t1')
  t.equal(asks, 1)
  now = 3_400_000
  t.equal(await signed(), 'Bearer t1', 'the call does not wait')
  t.equal(asks, 2)
  await turn()
  t.equal(await signed(), 'Bearer t2')
  fails = true
  now += 3_500_000
  t.equal(await signed(), 'Bearer t2', 'a failed ask holds up nobody while the last token is good')
  await turn()
  now += 95_000
  await t.rejects(signed(), { message: 'nothing there' })
  fails = false
  t.equal(await signed(), 'Bearer t5')
})

t.test('a token that does not come fails the call in time', async (t) => {
  const sign = bearerOf(async () => await new Promise(() => {}), () => 0, 1)
  await t.rejects(async () => await sign({ method: 'POST', url: 'https://x/', headers: [], body: null }), { message: /no access token came within 1 ms/ })
})

/** Google's endpoint for tokens, on loopback. */
async function tokenEndpoint (
  t: Test, answer: (body: string, request: IncomingMessage, response: ServerResponse) => void
): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => { chunks.push(chunk) })
    request.once('end', () => { answer(Buffer.concat(chunks).toString(), request, response) })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.closeAllConnections(); server.close() })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('a service account\'s key signs for its tokens, which Google\'s endpoint gives out', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const file = join(t.testdir(), 'account.json')
  writeFileSync(file, JSON.stringify({
    type: 'service_account',
    project_id: 'p-1',
    private_key_id: 'k-1',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'gateway@p-1.iam.gserviceaccount.com',
  }))
  let broken = false
  const asked: string[] = []
  const host = await tokenEndpoint(t, (body, _request, response) => {
    asked.push(body)
    response.writeHead(broken ? 400 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(broken ? { error: 'invalid_grant', error_description: 'the account is disabled' } : { access_token: `ya29.${asked.length}`, expires_in: 3_599, token_type: 'Bearer' }))
  })
  const there: typeof fetch = async (url, init) => {
    t.equal(String(url), 'https://oauth2.googleapis.com/token')
    return await fetch(`http://${host}/token`, init)
  }
  const tokens = googleTokens({ GOOGLE_APPLICATION_CREDENTIALS: file }, there)
  const { token, endsAt } = await tokens()
  t.equal(token, 'ya29.1')
  t.ok(Math.abs(endsAt - Date.now() - 3_599_000) < 60_000)
  const form = new URLSearchParams(asked[0])
  t.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer')
  const { payload } = await jwtVerify(form.get('assertion') ?? '', publicKey, { audience: 'https://oauth2.googleapis.com/token' })
  t.match(payload, { iss: 'gateway@p-1.iam.gserviceaccount.com', scope: 'https://www.googleapis.com/auth/cloud-platform' })
  t.equal((await tokens()).token, 'ya29.1', 'it lasts')

  broken = true
  const again = googleTokens({ GOOGLE_APPLICATION_CREDENTIALS: file }, there)
  const refused = await again().then(() => null, (error: unknown) => error)
  t.match(refused, { message: /Google gave no access token: invalid_grant: the account is disabled/ })
  t.same(Object.keys(refused as object), [], 'nothing of what was asked is in the log')
  await t.rejects(googleTokens({ GOOGLE_APPLICATION_CREDENTIALS: join(t.testdir(), 'none.json') })(), { message: /Google gave no access token: ENOENT/ })
})

t.test('what a person has signed in with counts on the project that they have chosen', async (t) => {
  const file = join(t.testdir(), 'person.json')
  writeFileSync(file, JSON.stringify({
    type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r', quota_project_id: 'p-quota',
  }))
  const host = await tokenEndpoint(t, (body, _request, response) => {
    const known = new URLSearchParams(body).get('refresh_token') === 'r'
    response.writeHead(known ? 200 : 400, { 'content-type': 'application/json' })
      .end('{"access_token":"ya29.person","expires_in":3599,"token_type":"Bearer"}')
  })
  const there: typeof fetch = async (_url, init) => await fetch(`http://${host}/token`, init)
  const sign = bearerOf(googleTokens({ GOOGLE_APPLICATION_CREDENTIALS: file }, there))
  t.same(await sign({ method: 'POST', url: 'https://x/', headers: [], body: null }),
    ['authorization', 'Bearer ya29.person', 'x-goog-user-project', 'p-quota'])
})

t.test('where no file is named, the machine gives the token', async (t) => {
  const host = await tokenEndpoint(t, (_body, { url = '', headers }, response) => {
    const told = headers['metadata-flavor'] === 'Google' && url.includes('/service-accounts/default/token')
    response.writeHead(200, { 'content-type': 'application/json', 'metadata-flavor': 'Google' })
      .end(told ? '{"access_token":"ya29.machine","expires_in":3599,"token_type":"Bearer"}' : '{}')
  })
  const env = { GCE_METADATA_HOST: host, METADATA_SERVER_DETECTION: 'assume-present', HOME: t.testdir(), APPDATA: t.testdir() }
  const before = Object.fromEntries([...Object.keys(env), 'GOOGLE_APPLICATION_CREDENTIALS'].map((name) => [name, process.env[name]]))
  t.teardown(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
  Object.assign(process.env, env)
  delete process.env['GOOGLE_APPLICATION_CREDENTIALS']
  t.match(await googleTokens({})(), { token: 'ya29.machine' })
})
