import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createMistral } from '@ai-sdk/mistral'
import { createOpenAI } from '@ai-sdk/openai'
import { ChatAnthropic } from '@langchain/anthropic'
import { ChatOpenAI } from '@langchain/openai'
import { Mistral } from '@mistralai/mistralai'
import { OpenRouter } from '@openrouter/sdk'
import { type ChatStreamChunk } from '@openrouter/sdk/models'
import { generateText, type LanguageModel, streamText } from 'ai'
import { CohereClientV2 } from 'cohere-ai'
import Groq from 'groq-sdk'
import { Ollama } from 'ollama'
import t, { type Test } from 'tap'
import { type Refusal } from '../../src/errors.ts'
import { aGateway, FakeGate, KEY, PROVIDER_KEY } from '../plugins/gateway/fakes.ts'
import { recorded } from '../provider/recorded.ts'

// SDKs beside those of OpenAI, Anthropic, Google and AWS, which have tests of their own: what each gets of an answer
// and of a stream, and how often it sends what is refused, with its own defaults for retries.

/** what a client is asked to do, at a gateway */
interface Client {
  provider: string
  whole: (url: string) => Promise<unknown>
  stream: (url: string) => Promise<string>
  /** of the provider, whole and as a stream */
  answers: [whole: string, stream: string, streamType?: string]
  /** by what was refused; where it is not named: 1 */
  attempts?: Partial<Record<keyof typeof REFUSALS, number | 'for a minute'>>
  /** class of the error that an exhausted budget becomes */
  error: string
}

const messages = [{ role: 'user' as const, content: 'Say hello' }]
const sse = (events: (object | string)[]) => events.map((event) => {
  if (typeof event === 'string') return `data: ${event}\n\n`
  return `${'type' in event ? `event: ${String(event.type)}\n` : ''}data: ${JSON.stringify(event)}\n\n`
}).join('')

const USED = { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 }
const CHAT_HEAD = { id: 'c-1', created: 1_800_000_000, model: 'm' }
const CHAT = JSON.stringify({
  ...CHAT_HEAD,
  object: 'chat.completion',
  system_fingerprint: null,
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: USED,
})
const piece = (delta: object, end: string | null = null) =>
  ({ ...CHAT_HEAD, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: end }] })
const CHUNKS = sse([
  piece({ role: 'assistant', content: 'hel' }), piece({ content: 'lo' }), piece({}, 'stop'), { ...piece({}), choices: [], usage: USED }, '[DONE]',
])
/** as those whose last chunk has it unasked */
const CHUNKS_WITH_USAGE = sse([piece({ role: 'assistant', content: 'hel' }), { ...piece({ content: 'lo' }, 'stop'), usage: USED }, '[DONE]'])

const MESSAGE_HEAD = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', stop_sequence: null }
const MESSAGE = JSON.stringify({
  ...MESSAGE_HEAD, stop_reason: 'end_turn', content: [{ type: 'text', text: 'hello' }], usage: { input_tokens: 12, output_tokens: 5 },
})
const MESSAGE_EVENTS = sse([
  { type: 'message_start', message: { ...MESSAGE_HEAD, stop_reason: null, content: [], usage: { input_tokens: 12, output_tokens: 1 } } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hello' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
])

const CONTENT = {
  candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'hello' }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 12, candidatesTokenCount: 5, totalTokenCount: 17 },
}

const BILLED = { billed_units: { input_tokens: 12, output_tokens: 5 }, tokens: { input_tokens: 12, output_tokens: 5 } }
const COHERE = JSON.stringify({
  id: 'c-1', finish_reason: 'COMPLETE', message: { role: 'assistant', content: [{ type: 'text', text: 'hello' }] }, usage: BILLED,
})
const COHERE_EVENTS = sse([
  { type: 'message-start', id: 'c-1', delta: { message: { role: 'assistant', content: [] } } },
  { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
  { type: 'content-delta', index: 0, delta: { message: { content: { text: 'hello' } } } },
  { type: 'content-end', index: 0 },
  { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage: BILLED } },
])

const OLLAMA_END = { done: true, done_reason: 'stop', prompt_eval_count: 12, eval_count: 5 }
const ollamaSays = (content: string, more: object) =>
  JSON.stringify({ model: 'm', created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content }, ...more })

/** Vercel's AI SDK with one of its providers */
function vercel (model: (url: string) => LanguageModel): Pick<Client, 'whole' | 'stream' | 'attempts' | 'error'> {
  return {
    whole: async (url) => await generateText({ model: model(url), prompt: 'Say hello', maxOutputTokens: 40 }),
    stream: async (url) => {
      const { textStream } = streamText({ model: model(url), prompt: 'Say hello', maxOutputTokens: 40 })
      return await join(textStream, (text) => text)
    },
    // it knows no x-should-retry, and tries again whatever is 429 or 5xx
    attempts: { contention: 3, unconfigured: 3 },
    error: 'AI_APICallError',
  }
}

const CLIENTS: Record<string, Client> = {
  'groq-sdk': {
    provider: 'groq',
    whole: (url) => new Groq({ baseURL: `${url}/groq`, apiKey: KEY }).chat.completions.create({ model: 'm', messages }),
    stream: async (url) => await join(
      await new Groq({ baseURL: `${url}/groq`, apiKey: KEY }).chat.completions.create({ model: 'm', messages, stream: true }),
      (chunk) => chunk.choices[0]?.delta.content),
    answers: [CHAT, CHUNKS],
    attempts: { contention: 3 },
    error: 'RateLimitError',
  },
  '@mistralai/mistralai': {
    provider: 'mistral',
    whole: (url) => new Mistral({ serverURL: `${url}/mistral`, apiKey: KEY }).chat.complete({ model: 'm', messages }),
    stream: async (url) => await join(
      await new Mistral({ serverURL: `${url}/mistral`, apiKey: KEY }).chat.stream({ model: 'm', messages }),
      (event) => String(event.data.choices[0]?.delta.content ?? '')),
    answers: [CHAT, CHUNKS_WITH_USAGE],
    error: 'SDKError',
  },
  '@openrouter/sdk': {
    provider: 'openrouter',
    whole: (url) => anOpenRouter(url).chat.send({ chatRequest: { model: 'm', messages } }),
    stream: async (url) => await join(
      // its types do not tell a stream from an answer
      await anOpenRouter(url).chat.send({ chatRequest: { model: 'm', messages, stream: true } }) as AsyncIterable<ChatStreamChunk>,
      (chunk) => chunk.choices[0]?.delta.content),
    answers: [CHAT, CHUNKS],
    error: 'PaymentRequiredResponseError',
  },
  'cohere-ai': {
    provider: 'cohere',
    whole: (url) => new CohereClientV2({ environment: `${url}/cohere`, token: KEY }).chat({ model: 'm', messages }),
    stream: async (url) => await join(
      await new CohereClientV2({ environment: `${url}/cohere`, token: KEY }).chatStream({ model: 'm', messages }),
      (event) => event.type === 'content-delta' ? event.delta?.message?.content?.text : ''),
    answers: [COHERE, COHERE_EVENTS],
    // it knows no x-should-retry
    attempts: { contention: 3 },
    error: 'CohereError',
  },
  ollama: {
    provider: 'ollama',
    whole: (url) => anOllama(url).chat({ model: 'm', messages }),
    stream: async (url) => await join(await anOllama(url).chat({ model: 'm', messages, stream: true }), (part) => part.message.content),
    answers: [
      ollamaSays('hello', OLLAMA_END), `${ollamaSays('hel', { done: false })}\n${ollamaSays('lo', OLLAMA_END)}\n`, 'application/x-ndjson',
    ],
    error: 'ResponseError',
  },
  'ai with @ai-sdk/openai': {
    provider: 'openai',
    answers: [CHAT, CHUNKS],
    ...vercel((url) => createOpenAI({ baseURL: `${url}/openai/v1`, apiKey: KEY }).chat('m')),
  },
  'ai with @ai-sdk/anthropic': {
    provider: 'anthropic',
    answers: [MESSAGE, MESSAGE_EVENTS],
    ...vercel((url) => createAnthropic({ baseURL: `${url}/anthropic/v1`, apiKey: KEY })('m')),
  },
  'ai with @ai-sdk/google': {
    provider: 'gemini',
    answers: [JSON.stringify(CONTENT), sse([CONTENT])],
    ...vercel((url) => createGoogleGenerativeAI({ baseURL: `${url}/gemini/v1beta`, apiKey: KEY })('m')),
  },
  'ai with @ai-sdk/mistral': {
    provider: 'mistral',
    answers: [CHAT, CHUNKS_WITH_USAGE],
    ...vercel((url) => createMistral({ baseURL: `${url}/mistral/v1`, apiKey: KEY })('m')),
  },
  '@langchain/openai': {
    provider: 'openai',
    whole: (url) => chain(url).invoke('Say hello'),
    stream: async (url) => await join(await chain(url).stream('Say hello'), ({ content }) => String(content)),
    answers: [CHAT, CHUNKS],
    attempts: { contention: 'for a minute', unconfigured: 'for a minute' },
    error: 'InsufficientQuotaError',
  },
  '@langchain/anthropic': {
    provider: 'anthropic',
    whole: (url) => claudeChain(url).invoke('Say hello'),
    stream: async (url) => await join(await claudeChain(url).stream('Say hello'), ({ content }) => String(content)),
    answers: [MESSAGE, MESSAGE_EVENTS],
    attempts: { contention: 'for a minute', unconfigured: 'for a minute' },
    error: 'APIError',
  },
}

function anOllama (url: string): Ollama {
  return new Ollama({ host: `${url}/ollama`, headers: { authorization: `Bearer ${KEY}` } })
}

function anOpenRouter (url: string): OpenRouter {
  return new OpenRouter({ serverURL: `${url}/openrouter/api/v1`, apiKey: KEY })
}

function chain (url: string): ChatOpenAI {
  return new ChatOpenAI({ model: 'm', apiKey: KEY, maxTokens: 40, configuration: { baseURL: `${url}/openai/v1` } })
}

function claudeChain (url: string): ChatAnthropic {
  return new ChatAnthropic({ model: 'm', apiKey: KEY, maxTokens: 40, anthropicApiUrl: `${url}/anthropic` })
}

const no = (code: Refusal['code']): Refusal => ({ code, message: 'No, and here is why.', retryable: false })
const REFUSALS = {
  exhausted: no('budget_exhausted'),
  contention: { code: 'budget_contention', message: 'Try again.', retryable: true, retryAfterMs: 1 } satisfies Refusal,
  key: no('key_revoked'),
  model: no('model_not_found'),
  feature: no('feature_not_metered'),
  unconfigured: no('provider_not_configured'),
}

async function join<Part> (
  parts: AsyncIterable<Part>, textOf: (part: Part) => string | null | undefined
): Promise<string> {
  let text = ''
  for await (const part of parts) text += textOf(part) ?? ''
  return text
}

/** a gateway in front of a provider that answers with what it is set to answer */
async function aBench (t: Test, provider: string) {
  const upstream = await recorded(t, { body: '' })
  const gate = new FakeGate()
  const upstreams = { [provider]: { url: upstream.url, apiKey: PROVIDER_KEY, settingName: 'KEY' } }
  const { url } = await aGateway(t, { upstreams, gate })
  return { upstream, gate, url }
}

for (const [name, client] of Object.entries(CLIENTS)) {
  const [whole, stream, streamType = 'text/event-stream'] = client.answers
  t.test(`${name}: answers and streams arrive, and are metered`, async (t) => {
    const { upstream, gate, url } = await aBench(t, client.provider)
    const reading = { final: true, usage: { inputTokens: 12, outputTokens: 5 } }
    const metered = { ending: { outcome: 'completed', reading } }
    upstream.answer = { body: whole, headers: { 'content-type': 'application/json' } }
    t.match(JSON.stringify(await client.whole(url)), /hello/)
    t.match(await gate.ended(1), metered)
    upstream.answer = { body: stream, headers: { 'content-type': streamType } }
    t.equal(await client.stream(url), 'hello')
    t.match(await gate.ended(2), metered)
    const sent = JSON.stringify(upstream.arrived.map(({ headers, path }) => ({ headers, path })))
    t.notMatch(sent, KEY, 'the gateway key stays here')
    t.match(sent, PROVIDER_KEY)
  })
}

t.test('what is final is sent once, as often as it can be told', async (t) => {
  await Promise.all(Object.entries(CLIENTS).map(async ([name, client]) => {
    const { upstream, gate, url } = await aBench(t, client.provider)
    for (const [kind, refusal] of Object.entries(REFUSALS)) {
      const { [kind as keyof typeof REFUSALS]: expected = 1 } = client.attempts ?? {}
      if (expected === 'for a minute') continue
      gate.answer = refusal
      const before = gate.intakes.length
      const error = await client.whole(url).then(() => null, (error: unknown) => error) as Error | null
      t.equal(gate.intakes.length - before, expected, `${name}: ${kind}`)
      t.match(error, Error, `${name}: ${kind}`)
      if (kind !== 'exhausted') continue
      t.equal(error?.name === 'Error' ? error.constructor.name : error?.name, client.error, name)
      t.match(error?.message, /here is why/, name)
    }
    t.equal(upstream.arrived.length, 0, name)
  }))
})
