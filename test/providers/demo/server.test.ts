import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { startDemoProvider } from '../../../src/providers/demo/server.ts'
import { demoReply } from '../../../src/providers/demo/reply.ts'

const MESSAGES = [{ role: 'user' as const, content: 'four words are these' }]

async function aDemo (t: Test): Promise<{ url: string, openai: OpenAI, anthropic: Anthropic }> {
  const demo = await startDemoProvider({ gapMs: 0 })
  t.teardown(() => demo.close())
  return {
    url: demo.url,
    openai: new OpenAI({ baseURL: `${demo.url}/v1`, apiKey: 'none', maxRetries: 0 }),
    anthropic: new Anthropic({ baseURL: demo.url, apiKey: 'none', maxRetries: 0 }),
  }
}

t.test('a demo model answers OpenAI\'s SDK, with the words of the request as its tokens', async (t) => {
  const { openai } = await aDemo(t)

  const whole = await openai.chat.completions.create({ model: 'demo-small', messages: MESSAGES })
  const short = await openai.chat.completions.create({ model: 'demo-small', messages: MESSAGES, max_tokens: 3, n: 2 })

  t.match(whole.choices[0]?.message.content, /You said: "four words are these"\./)
  t.equal(whole.choices[0]?.finish_reason, 'stop')
  t.equal(whole.usage?.prompt_tokens, 4)
  t.equal(whole.usage?.completion_tokens, whole.choices[0]?.message.content?.split(' ').length)
  t.equal(short.choices.length, 2)
  t.equal(short.choices[1]?.message.content, 'This is a')
  t.equal(short.choices[1]?.finish_reason, 'length')
  t.equal(short.usage?.completion_tokens, 6)
})

t.test('its stream adds up to the same answer, with usage only where it is asked for', async (t) => {
  const { openai } = await aDemo(t)
  const whole = await openai.chat.completions.create({ model: 'demo-small', messages: MESSAGES })
  for (const asked of [true, false]) {
    const stream = await openai.chat.completions.create({
      model: 'demo-small', messages: MESSAGES, stream: true, ...(asked ? { stream_options: { include_usage: true } } : {}),
    })
    let text = ''
    let usage: OpenAI.CompletionUsage | null | undefined
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      usage = chunk.usage ?? usage
    }
    t.equal(text, whole.choices[0]?.message.content)
    t.same(usage, asked ? whole.usage : undefined)
  }
})

t.test('a demo model answers Anthropic\'s SDK, whole, in a stream, and counting tokens', async (t) => {
  const { anthropic } = await aDemo(t)
  const request = { model: 'demo-large', system: 'be brief', max_tokens: 500, messages: MESSAGES }

  const whole = await anthropic.messages.create(request)
  const streamed = await anthropic.messages.stream(request).finalMessage()
  const cut = await anthropic.messages.create({ ...request, max_tokens: 2 })
  const counted = await anthropic.messages.countTokens({ model: 'demo-large', system: 'be brief', messages: MESSAGES })

  t.match(whole, { stop_reason: 'end_turn', usage: { input_tokens: 6 }, content: [{ type: 'text', text: /four words/ }] })
  t.same(streamed.content, whole.content)
  t.match(streamed.usage, { input_tokens: 6, output_tokens: whole.usage.output_tokens })
  t.match(cut, { stop_reason: 'max_tokens', usage: { output_tokens: 2 } })
  t.equal(counted.input_tokens, 6)
})

t.test('a stop sequence ends the answer before it', async (t) => {
  const { openai, anthropic } = await aDemo(t)
  const stop = ['nowhere', 'demo']

  const chat = await openai.chat.completions.create({ model: 'demo-small', messages: MESSAGES, stop })
  const message = await anthropic.messages.create({
    model: 'demo-small', max_tokens: 50, messages: MESSAGES, stop_sequences: stop,
  })

  t.equal(chat.choices[0]?.message.content, 'This is a ')
  t.match(message, { stop_reason: 'stop_sequence', stop_sequence: 'demo' })
})

t.test('what it does not have is an error in the dialect', async (t) => {
  const { openai, anthropic, url } = await aDemo(t)
  const noChat = openai.chat.completions.create({ model: 'gpt-4o', messages: MESSAGES })
  const noMessage = anthropic.messages.create({ model: 'claude', max_tokens: 1, messages: MESSAGES })
  t.type(await noChat.catch((error: unknown) => error), OpenAI.NotFoundError)
  t.type(await noMessage.catch((error: unknown) => error), Anthropic.NotFoundError)
  t.equal((await fetch(`${url}/v1/embeddings`, { method: 'POST' })).status, 404)
  t.equal((await fetch(`${url}/v1/messages`)).status, 405)
  t.equal((await fetch(`${url}/v1/messages`, { method: 'POST', body: 'no JSON' })).status, 400)
})

t.test('the tokens of a request never pass its bytes, nor those of a reply its limit', async (t) => {
  for (const text of ['', ' ', 'a b  c\n\td', 'x'.repeat(10_000), '🙂 '.repeat(100)]) {
    const messages = [{ role: 'system', content: 'be kind' }, { role: 'user', content: [{ type: 'text', text }] }]
    for (const maxTokens of [0, 1, 7, null]) {
      const reply = demoReply({ messages, maxTokens, stop: [] })
      t.ok(reply.inputTokens <= Buffer.byteLength(JSON.stringify(messages)))
      t.ok(maxTokens === null || reply.words.length <= maxTokens)
    }
  }
})
