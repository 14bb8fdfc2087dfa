import {
  BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, CountTokensCommand,
  InvokeModelWithResponseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import t, { type Test } from 'tap'
import { loadConfig } from '../../../src/config.ts'
import { CatalogPriceBook } from '../../../src/pricing/price-book.ts'
import { NamedPrices } from '../../../src/pricing/named-prices.ts'
import { signerFor } from '../../../src/providers/bedrock/sign.ts'
import { configuredProviders, namingsOf } from '../../../src/providers/configured.ts'
import { aGateway, FakeGate, KEY, PROVIDER_KEY } from '../../plugins/gateway/fakes.ts'
import { type Arrived, recorded, type Recorded } from '../../provider/recorded.ts'
import { chunk, frame } from './frames.ts'

// AWS's own SDK as the client, with the gateway key as its bearer token.

const PROFILE = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'
const ARN = `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${PROFILE}`
const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'the-secret', sessionToken: 'the-session' }
const messages = [{ role: 'user' as const, content: [{ text: 'hello' }] }]
const usage = { inputTokens: 9, outputTokens: 4, totalTokens: 13 }

async function aBench (t: Test, answer: Recorded, signed = false) {
  const provider = await recorded(t, answer)
  const gate = new FakeGate()
  const sign = signed ? { apiKey: null, sign: signerFor('eu-west-1', CREDENTIALS) } : { apiKey: PROVIDER_KEY }
  const { url } = await aGateway(t, { gate, upstreams: { bedrock: { url: provider.url, settingName: 'KEY', ...sign } } })
  const client = new BedrockRuntimeClient({
    endpoint: `${url}/bedrock`,
    region: 'us-east-1',
    token: { token: KEY },
    authSchemePreference: ['httpBearerAuth'],
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 2,
  })
  t.teardown(() => { client.destroy() })
  return { provider, gate, client }
}

const frames = (...all: Buffer[]): Recorded =>
  ({ headers: { 'content-type': 'application/vnd.amazon.eventstream' }, body: Buffer.concat(all) })

t.test('Converse, of a profile and of its ARN: the key changes, the path stays as it came', async (t) => {
  const answer = { output: { message: { role: 'assistant', content: [{ text: 'hi' }] } }, stopReason: 'end_turn', usage, metrics: { latencyMs: 1 } }
  const { provider, gate, client } = await aBench(t, { body: JSON.stringify(answer) })
  for (const modelId of [PROFILE, ARN]) t.match(await client.send(new ConverseCommand({ modelId, messages })), { usage, stopReason: 'end_turn' })
  t.same(provider.arrived.map(({ path }) => path), [PROFILE, ARN].map((id) => `/model/${encodeURIComponent(id)}/converse`))
  t.equal(provider.arrived[0]?.headers.authorization, `Bearer ${PROVIDER_KEY}`)
  t.notMatch(JSON.stringify(provider.arrived), KEY, 'no gateway key goes upstream')
  t.match(gate.calls.map(({ request: { model } }) => model), [PROFILE, ARN])
  t.match(gate.calls[0]?.ended, [{ how: 'settled', ending: { reading: { final: true, usage: { inputTokens: 9, outputTokens: 4 } } } }])
})

t.test('streams come through frame by frame, and counting tokens is free', async (t) => {
  const { provider, gate, client } = await aBench(t, frames(
    frame('messageStart', { role: 'assistant' }), frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'hi' } }),
    frame('messageStop', { stopReason: 'end_turn' }), frame('metadata', { usage, metrics: { latencyMs: 1 } })))
  const seen: unknown[] = []
  const { stream = [] } = await client.send(new ConverseStreamCommand({ modelId: PROFILE, messages }))
  for await (const event of stream) seen.push(event)
  t.match(seen, [{ messageStart: {} }, { contentBlockDelta: { delta: { text: 'hi' } } }, { messageStop: {} }, { metadata: { usage } }])
  t.match(await gate.ended(), { ending: { reading: { final: true, usage: { outputTokens: 4 } } } })

  provider.answer = frames(chunk({ type: 'message_start', message: { usage: { input_tokens: 5, output_tokens: 1 } } }),
    chunk({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } }))
  const body = JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 9, messages: [] })
  const invoked = await client.send(new InvokeModelWithResponseStreamCommand({ modelId: PROFILE, body, contentType: 'application/json' }))
  let chunks = 0
  for await (const { chunk } of invoked.body ?? []) chunks += chunk?.bytes === undefined ? 0 : 1
  t.equal(chunks, 2)
  t.match(await gate.ended(2), { ending: { reading: { final: true, usage: { inputTokens: 5, outputTokens: 3 } } } })

  provider.answer = { body: JSON.stringify({ inputTokens: 7 }) }
  const counting = new CountTokensCommand({ modelId: PROFILE, input: { converse: { messages } } })
  t.match(await client.send(counting), { inputTokens: 7 })
  t.equal(gate.calls.length, 2)
})

t.test('a refusal is the SDK\'s own exception, after one attempt; contention is tried again', async (t) => {
  const { gate, client } = await aBench(t, { body: '{}' })
  const refusedWith = async () => await client.send(new ConverseCommand({ modelId: PROFILE, messages }))
    .catch((error: unknown) => error)
  gate.answer = { code: 'budget_exhausted', message: 'Budget team-a is used up.', retryable: false }
  t.match(await refusedWith(), { name: 'ServiceQuotaExceededException', message: /team-a/, $metadata: { httpStatusCode: 402, attempts: 1 } })
  gate.answer = { code: 'model_not_found', message: 'No price.', retryable: false, field: 'model' }
  t.match(await refusedWith(), { name: 'ResourceNotFoundException', message: /model: No price/, $metadata: { httpStatusCode: 404, attempts: 1 } })
  gate.answer = { code: 'feature_not_metered', message: 'guardrailConfig may cost more.', retryable: false }
  t.match(await refusedWith(), { name: 'AccessDeniedException', $metadata: { attempts: 1 } })
  gate.answer = { code: 'budget_contention', message: 'Others hold it.', retryable: true, retryAfterMs: 5 }
  t.match(await refusedWith(), { name: 'ThrottlingException', $metadata: { httpStatusCode: 429, attempts: 2 } })
})

t.test('without a bearer token each request is signed anew, as AWS will check it', async (t) => {
  const { provider, client } = await aBench(t, { body: JSON.stringify({ usage }) }, true)
  await client.send(new ConverseCommand({ modelId: ARN, messages }))
  const { path, headers, body } = provider.arrived[0] as Arrived
  t.match(headers.authorization, /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/bedrock\/aws4_request, /)
  t.match(headers.authorization, 'SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token,')
  t.equal(headers['x-amz-security-token'], 'the-session')
  const date = String(headers['x-amz-date'])
  const at = new Date(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  const verifier = new SignatureV4({ service: 'bedrock', region: 'eu-west-1', credentials: CREDENTIALS, sha256: Sha256 })
  const again = await verifier.sign({
    method: 'POST', protocol: 'http:', hostname: '127.0.0.1', path, query: {}, headers: { host: headers.host ?? '', 'content-type': 'application/json' }, body,
  }, { signingDate: at })
  t.equal(again.headers['authorization'], headers.authorization)
})

t.test('a client\'s own signature goes nowhere', async (t) => {
  const { provider, gate } = await aBench(t, { body: JSON.stringify({ usage }) })
  const port = new URL((await aGateway(t, {
    gate, upstreams: { bedrock: { url: provider.url, settingName: 'KEY', apiKey: PROVIDER_KEY } },
  })).url)
  const answer = await fetch(`${port.href}bedrock/model/${PROFILE}/converse`, {
    method: 'POST',
    body: JSON.stringify({ messages }),
    headers: {
      'x-api-key': KEY, authorization: 'AWS4-HMAC-SHA256 Credential=x', 'x-amz-date': '1', 'x-amz-content-sha256': '2', 'x-amz-security-token': '3', 'content-type': 'application/json',
    },
  })
  t.equal(answer.status, 200)
  const { headers } = provider.arrived[0] as Arrived
  t.equal(headers.authorization, `Bearer ${PROVIDER_KEY}`)
  for (const name of ['x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token', 'x-api-key']) t.equal(headers[name], undefined, name)
})

t.test('the settings, or what AWS\'s SDKs read, say where it is and how it is paid', async (t) => {
  const named = (env: NodeJS.ProcessEnv) => configuredProviders(loadConfig(env), env).find(({ provider }) => provider.name === 'bedrock')
  t.match(named({}), { url: null, settingName: /AWS_REGION/ })
  t.match(named({ AWS_REGION: 'eu-west-1' }), { url: 'https://bedrock-runtime.eu-west-1.amazonaws.com', apiKey: null, settingName: /AWS_BEARER_TOKEN_BEDROCK/ })
  t.match(named({ AWS_DEFAULT_REGION: 'us-east-1', AWS_BEARER_TOKEN_BEDROCK: 'b' }), { apiKey: 'b' })
  const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' }
  t.type(named({ AWS_REGION: 'eu-west-1', ...keys })?.sign, 'function')
  t.equal(named({ AWS_REGION: 'eu-west-1', ...keys, AWS_BEARER_TOKEN_BEDROCK: 'b' })?.sign, undefined, 'a bearer token counts first')
  const providers = JSON.stringify({ bedrock: { region: 'ap-south-1', models: { 'arn:aws:bedrock:eu-west-1:1:application-inference-profile/x': PROFILE } } })
  t.match(named({ RELAYCORE_PROVIDERS: providers, AWS_REGION: 'eu-west-1' }), { url: 'https://bedrock-runtime.ap-south-1.amazonaws.com' })
  t.match(named({ RELAYCORE_BEDROCK_BASE_URL: 'https://vpce.bedrock-runtime.us-west-2.vpce.amazonaws.com', ...keys }), { url: /vpce/, sign: Function })
  t.throws(() => named({ RELAYCORE_PROVIDERS: '{"groq":{"region":"eu-west-1"}}' }), { message: /providers\.groq\.region/ })

  const prices = new NamedPrices(new CatalogPriceBook(), namingsOf(loadConfig({ RELAYCORE_PROVIDERS: providers })))
  const profile = prices.find('bedrock', PROFILE, Date.now())
  t.ok(profile)
  t.equal(prices.find('bedrock', ARN, Date.now())?.priceVersion, profile?.priceVersion)
  t.equal(prices.find('bedrock', 'arn:aws:bedrock:eu-west-1:1:application-inference-profile/x', Date.now())?.priceVersion, profile?.priceVersion)
  t.equal(prices.missing('bedrock', 'arn:aws:bedrock:eu-west-1:1:application-inference-profile/x'), null)
  t.equal(prices.missing('bedrock', 'arn:aws:bedrock:eu-west-1:1:provisioned-model/y'), 'providers.bedrock.models')
  t.equal(prices.missing('bedrock', ARN), null)
  const answered = (used: string) =>
    prices.answered('bedrock', 'arn:aws:bedrock:eu-west-1:1:application-inference-profile/x', used, Date.now())
  t.equal(answered('claude-sonnet-4-5-20250929'), undefined, 'Claude\'s own answers name it otherwise')
  t.equal(answered(ARN), undefined)
  t.equal(answered('amazon.nova-pro-v1:0')?.model, 'amazon.nova-pro-v1:0', 'a router has chosen another one')
})
