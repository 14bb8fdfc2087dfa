import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { type Refusal } from '../../../src/errors.ts'
import { startProvider } from '../../provider/provider.ts'
import { aGateway, type Bench, KEY } from './fakes.ts'

// The official SDKs against the gateway and against the provider itself: what they send and what they get must be the
// same bytes.

interface Wire {
  sent: string[]
  got: string[]
  fetch: typeof fetch
}

/** A fetch that keeps the bodies that pass through it. */
function tapped (): Wire {
  const wire: Wire = {
    sent: [],
    got: [],
    fetch: async (url, init) => {
      wire.sent.push(String(init?.body ?? ''))
      const response = await fetch(url, init)
      const bytes = Buffer.from(await response.arrayBuffer())
      wire.got.push(bytes.toString('latin1'))
      return new Response(response.status === 204 ? null : bytes, response)
    },
  }
  return wire
}

interface Pair<Client> {
  through: Client
  direct: Client
  throughWire: Wire
  directWire: Wire
  bench: Bench
}

async function aPair<Client> (
  t: Test, make: (origin: string, apiKey: string, wire: Wire, prefix: string) => Client, prefix: string
): Promise<Pair<Client>> {
  const bench = await aGateway(t)
  const provider = await startProvider()
  t.teardown(() => provider.close())
  const [throughWire, directWire] = [tapped(), tapped()]
  return {
    bench,
    throughWire,
    directWire,
    through: make(bench.url + prefix, KEY, throughWire, prefix),
    direct: make(provider.url, 'sk', directWire, ''),
  }
}

const openai = (origin: string, apiKey: string, wire: Wire): OpenAI =>
  new OpenAI({ baseURL: `${origin}/v1`, apiKey, fetch: wire.fetch })
const anthropic = (origin: string, apiKey: string, wire: Wire): Anthropic =>
  new Anthropic({ baseURL: origin, apiKey, fetch: wire.fetch })

function sameBytes<Client> (t: Test, { throughWire, directWire, bench }: Pair<Client>): void {
  t.same(throughWire.sent, directWire.sent)
  t.same(throughWire.got, directWire.got)
  const arrived = bench.provider.books.map((entry) => Buffer.from(entry.body ?? '', 'base64').toString())
  t.same(arrived, throughWire.sent)
  t.ok(bench.gate.calls.every((call) => call.ended.length === 1 && call.ended[0]?.how === 'settled'))
}

const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: 'häßlich 🙂 \u2028' }], max_tokens: 40 }
const MESSAGE = { model: 'claude-haiku', messages: CHAT.messages, max_tokens: 40 }

for (const prefix of ['/openai', '']) {
  t.test(`OpenAI's SDK under ${prefix}/v1: whole answers and streams`, async (t) => {
    const pair = await aPair(t, openai, prefix)
    for (const client of [pair.through, pair.direct]) {
      const whole = await client.chat.completions.create(CHAT)
      t.match(whole, { object: 'chat.completion', usage: { completion_tokens: Number } })
      const stream = await client.chat.completions.create({
        ...CHAT, stream: true, stream_options: { include_usage: true },
      })
      let last: OpenAI.ChatCompletionChunk | undefined
      for await (const chunk of stream) last = chunk
      t.match(last?.usage, { completion_tokens: Number })
    }
    sameBytes(t, pair)
    const models = await pair.through.models.list()
    t.same(models.data.map((model) => model.id), ['gpt-test', 'gpt/with slash'])
    t.equal((await pair.through.models.retrieve('gpt-test')).id, 'gpt-test')
  })

  t.test(`OpenAI's SDK under ${prefix}/v1: a stream without usage is one without usage`, async (t) => {
    const pair = await aPair(t, openai, prefix)
    for (const client of [pair.through, pair.direct]) {
      for await (const chunk of await client.chat.completions.create({ ...CHAT, stream: true })) {
        t.equal(chunk.choices.length, 1)
      }
    }
    t.same(pair.throughWire.sent, pair.directWire.sent)
    t.same(pair.throughWire.got, pair.directWire.got)
    t.match(pair.bench.gate.calls[0]?.ended, [{ ending: { reading: { final: true } } }])
  })

  t.test(`Anthropic's SDK under ${prefix}/v1: whole answers, streams and counting`, async (t) => {
    const pair = await aPair(t, anthropic, prefix.replace('openai', 'anthropic'))
    for (const client of [pair.through, pair.direct]) {
      t.match(await client.messages.create(MESSAGE), { type: 'message', usage: { output_tokens: Number } })
      t.match(await client.messages.stream(MESSAGE).finalMessage(), { stop_reason: 'end_turn' })
      t.match(await client.messages.countTokens({ model: MESSAGE.model, messages: MESSAGE.messages }), {
        input_tokens: Number,
      })
    }
    sameBytes(t, pair)
    const models = await pair.through.models.list()
    t.same(models.data.map((model) => model.id), ['claude-test'])
  })
}

t.test('a refused call is the SDK\'s own error, after one attempt', async (t) => {
  const exhausted: Refusal = { code: 'budget_exhausted', message: 'Budget team-a is used up.', retryable: false }
  const chats = await aPair(t, openai, '/openai')
  chats.bench.gate.answer = exhausted
  const messages = await aPair(t, anthropic, '/anthropic')
  messages.bench.gate.answer = exhausted

  const chatError = await chats.through.chat.completions.create(CHAT).catch((error: unknown) => error)
  const messageError = await messages.through.messages.create(MESSAGE).catch((error: unknown) => error)

  t.type(chatError, OpenAI.RateLimitError)
  t.match(chatError, { status: 429, code: 'insufficient_quota', message: /team-a/ })
  t.equal(chats.throughWire.sent.length, 1)
  t.type(messageError, Anthropic.APIError)
  t.match(messageError, { status: 402, message: /team-a/ })
  t.equal(messages.throughWire.sent.length, 1)
})

t.test('a wrong key and an unlisted path are the SDK\'s own errors, after one attempt', async (t) => {
  const { url } = await aGateway(t)
  const wire = tapped()
  const stranger = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'wrong', fetch: wire.fetch })
  const known = new OpenAI({ baseURL: `${url}/v1`, apiKey: KEY, fetch: wire.fetch })
  t.type(await stranger.chat.completions.create(CHAT).catch((error: unknown) => error), OpenAI.AuthenticationError)
  const tuning = known.fineTuning.jobs.create({ model: 'gpt-4o', training_file: 'x' })
  t.type(await tuning.catch((error: unknown) => error), OpenAI.PermissionDeniedError)
  t.equal(wire.sent.length, 2)
})

t.test('a contended budget is retried, and a call that may have been billed is not', async (t) => {
  const pair = await aPair(t, openai, '/openai')
  const { gate, provider } = pair.bench
  gate.answer = { code: 'budget_contention', message: 'Others hold it.', retryable: true, retryAfterMs: 5 }
  const retried = pair.through.chat.completions.create(CHAT)
  gate.events.once('opening', () => setImmediate(() => { gate.answer = null }))
  t.match(await retried, { object: 'chat.completion' })
  t.equal(pair.throughWire.sent.length, 2)

  provider.behave = () => ({ fault: 'close' })
  await t.rejects(pair.through.chat.completions.create(CHAT))
  t.equal(pair.throughWire.sent.length, 3)
})
