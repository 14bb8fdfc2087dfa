import OpenAI from 'openai'
import t from 'tap'
import { type Behaviour } from '../provider/provider.ts'
import { wav } from '../usage/wav.ts'
import { aGateway } from './gateway.ts'

// OpenAI's own SDK through a whole gateway, where what goes in or comes out is no text.

const gateway = await aGateway(t)
await gateway.budget({ amount: '1000' })
const apiKey = await gateway.key()
const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 })

/** what the provider answers from now on */
function answers (body: object | string, more: Behaviour = {}): void {
  gateway.provider.behave = () => ({ status: 200, body: typeof body === 'string' ? body : JSON.stringify(body), ...more })
}

const sse = (events: { type: string }[]) => events.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join('')

let looked = 0

/** endpoint, certainty and USD of the call since this was last asked */
async function recorded (): Promise<unknown[]> {
  let events = await gateway.events()
  while (events.length === looked) events = await gateway.events()
  looked = events.length
  const event = events.at(-1)
  return [event?.['endpoint'], event?.['certainty'], Number(event?.['cost_nano']) / 1e9]
}

t.test('images, streaming and not: 50 x 5 + 1,056 x 40 USD per million; by their size and quality: 2 x 0.018 USD', async (t) => {
  const details = { text_tokens: 50, image_tokens: 0 }
  const usage = { input_tokens: 50, input_tokens_details: details, output_tokens: 1_056, total_tokens: 1_106 }
  const call = { model: 'gpt-image-1', prompt: 'A cat', size: '1024x1024', quality: 'medium' } as const
  answers({ created: 1, data: [{ b64_json: 'A'.repeat(3_000_000) }], usage })
  const made = await openai.images.generate(call)
  t.equal(made.data?.[0]?.b64_json?.length, 3_000_000)
  t.same(await recorded(), ['images.generations', 'exact', 0.042_49])

  const completed = { type: 'image_generation.completed', usage }
  answers(sse([{ type: 'image_generation.partial_image' }, completed]), { contentType: 'text/event-stream' })
  const types: string[] = []
  const stream = await openai.images.generate({ ...call, stream: true, partial_images: 1 })
  for await (const event of stream) types.push(event.type)
  t.same(types, ['image_generation.partial_image', 'image_generation.completed'])
  t.same(await recorded(), ['images.generations', 'exact', 0.042_49])

  answers({ created: 1, data: [{ url: 'https://x/1' }, { url: 'https://x/2' }] })
  await openai.images.generate({ model: 'dall-e-2', prompt: 'A cat', n: 2, size: '512x512' })
  t.same(await recorded(), ['images.generations', 'exact', 0.036])
})

t.test('images made of others go up as the client sent them: 60 x 5 + 800 x 10 + 272 x 40 USD per million', async (t) => {
  const details = { text_tokens: 60, image_tokens: 800 }
  const usage = { input_tokens: 860, input_tokens_details: details, output_tokens: 272, total_tokens: 1_132 }
  const image = () => new File([Buffer.alloc(20_000, 'p')], 'a.png', { type: 'image/png' })
  answers({ created: 1, data: [{ b64_json: 'AAAA' }], usage })
  await openai.images.edit({ model: 'gpt-image-1', prompt: 'A hat', image: [image(), image()], size: '1024x1024' })
  t.same(await recorded(), ['images.edits', 'exact', 0.019_18])
  const sent = gateway.provider.books.at(-1)
  t.match(sent?.headers['content-type'], /^multipart\/form-data; ?boundary=/)
  const body = Buffer.from(sent?.body ?? '', 'base64')
  t.ok(body.length > 40_000)
  t.equal(Number(sent?.headers['content-length']), body.length)

  answers(sse([{ type: 'image_edit.completed', usage } as { type: string }]), { contentType: 'text/event-stream' })
  const stream = await openai.images.edit({ model: 'gpt-image-1', prompt: 'A hat', image: image(), stream: true })
  for await (const event of stream) t.equal(event.type, 'image_edit.completed')
  t.same(await recorded(), ['images.edits', 'exact', 0.019_18])

  answers({ created: 1, data: [{ url: 'https://x' }] })
  await openai.images.createVariation({ image: image(), size: '256x256' })
  t.same(await recorded(), ['images.variations', 'exact', 0.016])
})

t.test('a form where JSON belongs is refused, and so is JSON where a form does', async (t) => {
  const post = (path: string, type: string, body: string) => fetch(`${gateway.url}/v1${path}`, {
    method: 'POST', headers: { authorization: `Bearer ${apiKey}`, 'content-type': type }, body,
  })
  const arrived = gateway.provider.books.length
  t.equal((await post('/images/generations', 'multipart/form-data; boundary=X', '--X--')).status, 415)
  t.equal((await post('/images/variations', 'application/json', '{}')).status, 415)
  t.equal((await post('/images/variations', 'multipart/form-data; boundary=X', '--X--x')).status, 400)
  const asked = { identity: { organizationId: 'acme' }, path: '/v1/audio/transcriptions', body: {} }
  t.match(await gateway.admin('POST', '/explain', asked), { status: 400, body: { field: 'path', detail: /takes a form/ } })
  t.equal(gateway.provider.books.length, arrived)
})

t.test('speech, by 5 characters at 15 USD per million, or by tokens: 14 x 0.6 + 101 x 12 USD per million', async (t) => {
  const call = { model: 'tts-1', voice: 'alloy', input: 'Hello' }
  answers('ID3 sound', { contentType: 'audio/mpeg' })
  const sound = await openai.audio.speech.create(call)
  t.equal(await sound.text(), 'ID3 sound')
  t.same(await recorded(), ['audio.speech', 'exact', 0.000_075])

  const done = { type: 'speech.audio.done', usage: { input_tokens: 14, output_tokens: 101, total_tokens: 115 } }
  answers(sse([{ type: 'speech.audio.delta' }, done]), { contentType: 'text/event-stream' })
  await (await openai.audio.speech.create({ ...call, model: 'gpt-4o-mini-tts', stream_format: 'sse' })).text()
  t.same(await recorded(), ['audio.speech', 'exact', 0.001_220_4])
})

t.test('transcriptions by tokens: 5 x 2.5 + 20 x 6 + 8 x 10 USD per million; by seconds: 2 x 0.0001 USD', async (t) => {
  const file = new File([Buffer.from(wav(2))], 'speech.wav', { type: 'audio/wav' })
  const details = { text_tokens: 5, audio_tokens: 20 }
  const usage = { type: 'tokens', input_tokens: 25, input_token_details: details, output_tokens: 8, total_tokens: 33 }
  answers({ text: 'Hi', usage })
  t.equal((await openai.audio.transcriptions.create({ file, model: 'gpt-4o-transcribe' })).text, 'Hi')
  t.same(await recorded(), ['audio.transcriptions', 'exact', 0.000_212_5])

  const done = { type: 'transcript.text.done', text: 'Hi', usage }
  answers(sse([{ type: 'transcript.text.delta' }, done]), { contentType: 'text/event-stream' })
  const types: string[] = []
  const stream = await openai.audio.transcriptions.create({ file, model: 'gpt-4o-transcribe', stream: true })
  for await (const event of stream) types.push(event.type)
  t.same(types, ['transcript.text.delta', 'transcript.text.done'])
  t.same(await recorded(), ['audio.transcriptions', 'exact', 0.000_212_5])

  answers({ text: 'Hi', usage: { type: 'duration', seconds: 2 } })
  await openai.audio.transcriptions.create({ file, model: 'whisper-1' })
  t.same(await recorded(), ['audio.transcriptions', 'exact', 0.000_2])
  answers('Hi', { contentType: 'text/plain' })
  t.equal(await openai.audio.transcriptions.create({ file, model: 'whisper-1', response_format: 'text' }), 'Hi')
  t.same(await recorded(), ['audio.transcriptions', 'estimated', 0.000_2])
  answers({ text: 'Hi' })
  await openai.audio.translations.create({ file, model: 'whisper-1' })
  t.same(await recorded(), ['audio.translations', 'estimated', 0.000_2])
})

t.test('sounds in a conversation: 12 x 2.5 + 20 x 32 + 3 x 10 + 40 x 64 USD per million', async (t) => {
  const usage = {
    prompt_tokens: 32,
    prompt_tokens_details: { audio_tokens: 20, text_tokens: 12 },
    completion_tokens: 43,
    completion_tokens_details: { audio_tokens: 40, text_tokens: 3 },
    total_tokens: 75,
  }
  const data = wav(2).toString('base64')
  const sound = { type: 'input_audio', input_audio: { data, format: 'wav' } } as const
  const content = [{ type: 'text', text: 'What is it?' } as const, sound]
  const call = {
    model: 'gpt-audio',
    modalities: ['text', 'audio'] as ('text' | 'audio')[],
    audio: { voice: 'ash', format: 'pcm16' } as const,
    messages: [{ role: 'user' as const, content }],
  }
  const spoken = { id: 'audio_1', data: 'AAAA', transcript: 'Nothing', expires_at: 1 }
  answers({ id: 'c', model: 'gpt-audio', choices: [{ index: 0, message: { role: 'assistant', audio: spoken } }], usage })
  const answer = await openai.chat.completions.create(call)
  t.equal(answer.choices[0]?.message.audio?.transcript, 'Nothing')
  t.same(await recorded(), ['chat.completions', 'exact', 0.003_26])

  const chunks = [{ choices: [{ index: 0, delta: { audio: spoken } }], usage: null }, { choices: [], usage }]
  answers(`${chunks.map((one) => `data: ${JSON.stringify({ id: 'c', ...one })}\n\n`).join('')}data: [DONE]\n\n`,
    { contentType: 'text/event-stream' })
  let seen = 0
  const stream = await openai.chat.completions.create({ ...call, stream: true })
  for await (const chunk of stream) seen += chunk.choices.length
  t.equal(seen, 1)
  t.same(await recorded(), ['chat.completions', 'exact', 0.003_26])
})

t.test('a file of 25 MB goes through, and one whose length cannot be told does not where seconds are billed', async (t) => {
  const large = new File([Buffer.from(wav(1_600))], 'speech.wav', { type: 'audio/wav' })
  answers({ text: 'Hi', usage: { type: 'duration', seconds: 1_600 } })
  await openai.audio.transcriptions.create({ file: large, model: 'whisper-1' })
  t.same(await recorded(), ['audio.transcriptions', 'exact', 0.16])
  const unknown = new File(['what is it?'], 'speech.wav')
  const refused = await openai.audio.transcriptions.create({ file: unknown, model: 'whisper-1' })
    .then(() => null, (error: unknown) => error)
  t.match(refused, { status: 400, message: /whisper-1 for an input of which it cannot be told how many seconds/ })
})

t.test('a cheaper model takes the place of one in a form, and nothing else of it changes', async (t) => {
  const downgrade = { 'gpt-4o-transcribe': 'gpt-4o-mini-transcribe' }
  const alerts = [{ threshold: 0.0001, actions: ['auto-downgrade'], downgrade }]
  await gateway.budget({ scopeType: 'team', scopeId: 'sounds', alerts })
  const key = await gateway.key({ teamId: 'sounds' })
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 })
  answers({ text: 'Hi', usage: { type: 'tokens', input_tokens: 20, output_tokens: 8 } })
  const sound = Buffer.from(wav(1))
  const call = { file: new File([sound], 'speech.wav'), model: 'gpt-4o-transcribe' }
  // passes the threshold
  await client.audio.transcriptions.create(call)
  await gateway.events()
  const { response } = await client.audio.transcriptions.create(call).withResponse()
  t.equal(response.headers.get('x-relaycore-model-used'), 'gpt-4o-mini-transcribe')
  const sent = Buffer.from(gateway.provider.books.at(-1)?.body ?? '', 'base64')
  t.ok(sent.includes(sound))
  t.match(sent.toString('latin1'), /name="model"\r\n\r\ngpt-4o-mini-transcribe\r\n/)
})

t.test('what has no price for images or speech is refused by its name and goes nowhere', async (t) => {
  const arrived = gateway.provider.books.length
  const refused = async (call: Promise<unknown>): Promise<unknown> => call.then(() => null, (error: unknown) => error)
  t.match(await refused(openai.images.generate({ model: 'gpt-4o', prompt: 'A cat' })),
    { status: 400, message: /no price for gpt-4o with outputImageTokens/ })
  t.match(await refused(openai.images.generate({ model: 'dall-e-3', prompt: 'A cat', size: '256x256' })),
    { status: 400, message: /no price for dall-e-3 with images\/standard\/256x256/ })
  t.match(await refused(openai.audio.speech.create({ model: 'whisper-1', voice: 'ash', input: 'x' })),
    { status: 400, message: /no price for whisper-1 with .*characters/ })
  t.equal(gateway.provider.books.length, arrived)
})
