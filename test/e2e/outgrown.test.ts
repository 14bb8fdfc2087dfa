import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'
import { ApiError, GoogleGenAI } from '@google/genai'
import OpenAI, { APIError } from 'openai'
import t, { type Test } from 'tap'
import { aGateway, type GatewayUnderTest } from './gateway.ts'

// A provider that keeps to no bound: it puts out what it likes, and says with every chunk how much that was.

interface Unbounded {
  url: string
  /** sends a chunk after which the answer has this many tokens */
  put: (outputTokens: number) => void
  /** the last figure, in a chunk of its own, and the end */
  finish: (outputTokens: number) => void
  end: () => void
  /** 'finished' or 'aborted' */
  over: Promise<string>
  asked: Promise<void>
}

/** a chunk that says how many tokens the answer has by then, or the last that does */
type Chunk = (outputTokens: number, last?: boolean) => string

const openaiChunk: Chunk = (outputTokens, last = false) => event({
  id: 'c',
  model: 'gpt-4o',
  object: 'chat.completion.chunk',
  choices: last ? [] : [{ index: 0, delta: { content: `${outputTokens}` }, finish_reason: null }],
  usage: { prompt_tokens: 10, completion_tokens: outputTokens, total_tokens: 10 + outputTokens },
})

const geminiChunk: Chunk = (outputTokens) => event({
  candidates: [{ content: { role: 'model', parts: [{ text: `${outputTokens}` }] } }],
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: outputTokens, totalTokenCount: 10 + outputTokens },
  modelVersion: 'gemini-2.5-flash',
})

function event (data: object): string { return `data: ${JSON.stringify(data)}\n\n` }

async function anUnboundedProvider (t: Test, chunk: Chunk = openaiChunk): Promise<Unbounded> {
  let answer: ServerResponse | null = null
  let told: (how: string) => void = () => {}
  let arrived: () => void = () => {}
  const over = new Promise<string>((resolve) => { told = resolve })
  const asked = new Promise<void>((resolve) => { arrived = resolve })
  const server = createServer((request, response) => {
    answer = response
    request.resume()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    response.on('close', () => { told(response.writableFinished ? 'finished' : 'aborted') })
    arrived()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    put: (outputTokens) => { answer?.write(chunk(outputTokens)) },
    finish: (outputTokens) => { answer?.end(`${chunk(outputTokens, true)}data: [DONE]\n\n`) },
    end: () => { answer?.end('data: [DONE]\n\n') },
    over,
    asked,
  }
}

/** what a stream says, and after each piece of it the next step of the provider */
async function follow (
  gateway: GatewayUnderTest, key: string, steps: (() => void)[], asked: Promise<void>
): Promise<string[]> {
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 3 })
  const stream = await client.chat.completions.create({
    model: 'gpt-4o', max_tokens: 50, stream: true, stream_options: { include_usage: true }, messages: [],
  })
  await asked
  const seen: string[] = []
  steps.shift()?.()
  for await (const { choices: [choice] } of stream) {
    seen.push(choice?.delta.content ?? '')
    steps.shift()?.()
  }
  return seen
}

// gpt-4o: 10 USD per million tokens put out, 2.5 of input
const INPUT_NANO = 10 * 2_500

t.test('an answer that outgrows its hold is held in slices, and goes on while there is room', async (t) => {
  const provider = await anUnboundedProvider(t)
  const gateway = await aGateway(t, { RELAYCORE_OPENAI_BASE_URL: provider.url })
  const id = await gateway.budget({ amount: '1' })
  const key = await gateway.key()
  const steps = [20, 60, 100, 5_000].map((tokens) => () => { provider.put(tokens) })

  const seen = await follow(gateway, key, [...steps, provider.end], provider.asked)

  t.same(seen, ['20', '60', '100', '5000'])
  const [event] = await gateway.events()
  t.match(event, { outcome: 'completed', certainty: 'exact', cost_nano: String(5_000 * 10_000 + INPUT_NANO) })
  t.ok(BigInt(String(event?.['quote_nano'])) >= BigInt(String(event?.['cost_nano'])), 'all of it was held before it was spent')
  t.match((await gateway.admin('GET', `/budgets/${id}/status`)).body, { currentAmount: '0.050025', held: '0' })
})

t.test('where there is no room it ends in the provider\'s own way, is cancelled there and charged', async (t) => {
  const provider = await anUnboundedProvider(t)
  const gateway = await aGateway(t, { RELAYCORE_OPENAI_BASE_URL: provider.url })
  const id = await gateway.budget({ amount: '0.005' })
  const key = await gateway.key()
  const steps = [40, 200, 900, 1_000].map((tokens) => () => { provider.put(tokens) })

  const error = await follow(gateway, key, steps, provider.asked).then(() => null, (error: unknown) => error)

  t.ok(error instanceof APIError)
  t.match(error, { code: 'insufficient_quota', message: /The answer cost more than what was held for this call, and was ended/ })
  t.equal(await provider.over, 'aborted')
  const [event] = await gateway.events()
  t.match(event, { outcome: 'budget_cut', certainty: 'estimated', cost_nano: String(900 * 10_000 + INPUT_NANO) })
  t.match((await gateway.admin('GET', `/budgets/${id}/status`)).body, { currentAmount: '0.009025', held: '0', status: 'exceeded' })
})

t.test('an answer that outgrew its hold with its last figure is not cut: it has come to its end', async (t) => {
  const provider = await anUnboundedProvider(t)
  const gateway = await aGateway(t, { RELAYCORE_OPENAI_BASE_URL: provider.url })
  await gateway.budget({ amount: '0.005' })
  const key = await gateway.key()

  const steps = [() => { provider.put(40) }, () => { provider.finish(1_000) }]
  const seen = await follow(gateway, key, steps, provider.asked)

  t.same(seen, ['40', ''])
  t.equal(await provider.over, 'finished')
  const [event] = await gateway.events()
  t.match(event, { outcome: 'completed', certainty: 'exact', cost_nano: String(1_000 * 10_000 + INPUT_NANO) })
})

t.test('Gemini\'s figures grow with each chunk: its answer is ended in its own way where there is no room', async (t) => {
  const provider = await anUnboundedProvider(t, geminiChunk)
  const gateway = await aGateway(t, { RELAYCORE_GEMINI_BASE_URL: provider.url, RELAYCORE_GEMINI_API_KEY: 'AIza' })
  const id = await gateway.budget({ amount: '0.005' })
  const apiKey = await gateway.key()
  const { models } = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: gateway.url } })
  const steps = [40, 800, 4_000, 5_000]
  const seen: string[] = []
  const follow = async () => {
    const answer = await models.generateContentStream({
      model: 'gemini-2.5-flash', contents: 'x', config: { maxOutputTokens: 50 },
    })
    await provider.asked
    provider.put(steps.shift() ?? 0)
    for await (const { text = '' } of answer) {
      seen.push(text)
      const next = steps.shift()
      if (next !== undefined) provider.put(next)
    }
  }

  const error = await follow().then(() => null, (error: unknown) => error)

  t.same(seen, ['40', '800', '4000'])
  t.ok(error instanceof ApiError)
  t.match(error, { message: /cost more than what was held for this call, and was ended.*RESOURCE_EXHAUSTED/s })
  t.equal(await provider.over, 'aborted')
  const [event] = await gateway.events()
  // gemini-2.5-flash: 2.5 USD per million tokens put out, 0.3 of input
  const cost = 4_000n * 2_500n + 10n * 300n
  t.match(event, { outcome: 'budget_cut', certainty: 'estimated', cost_nano: String(cost) })
  const { body } = await gateway.admin('GET', `/budgets/${id}/status`)
  t.match(body, { currentAmount: '0.010003', held: '0', status: 'exceeded' })
})
