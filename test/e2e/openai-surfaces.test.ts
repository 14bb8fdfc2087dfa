import OpenAI from 'openai'
import t from 'tap'
import { type Behaviour } from '../provider/provider.ts'
import { aGateway } from './gateway.ts'

// OpenAI's own SDK, surface by surface, through a whole gateway: what it gets is what the provider sent, and what is
// recorded is what the answer says at the catalog's prices.

const gateway = await aGateway(t)
await gateway.budget({ amount: '1000' })
const apiKey = await gateway.key()
const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 })

/** what the provider answers from now on */
function answers (body: object | string, more: Behaviour = {}): void {
  gateway.provider.behave = () => ({ status: 200, body: typeof body === 'string' ? body : JSON.stringify(body), ...more })
}

const sse = (events: object[], done = '') => events.map((one) => `event: x\ndata: ${JSON.stringify(one)}\n\n`).join('') + done

/** endpoint, certainty and USD of the last call */
async function recorded (): Promise<unknown[]> {
  const event = (await gateway.events()).at(-1)
  return [event?.['endpoint'], event?.['certainty'], Number(event?.['cost_nano']) / 1e9]
}

t.test('responses, streaming and not, and their compaction: 1,000 x 1.25 + 200 x 10 USD per million', async (t) => {
  const usage = { input_tokens: 1_000, output_tokens: 200, total_tokens: 1_200 }
  const response = {
    id: 'resp_1',
    object: 'response',
    status: 'completed',
    model: 'gpt-5',
    service_tier: 'default',
    usage,
    output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi', annotations: [] }] }]
  }
  answers(response)
  t.equal((await openai.responses.create({ model: 'gpt-5', input: 'Hello' })).output_text, 'Hi')
  t.same(await recorded(), ['responses', 'exact', 0.003_25])

  answers(sse([{ type: 'response.created', response: { ...response, usage: null, status: 'in_progress', output: [] } },
    { type: 'response.output_text.delta', delta: 'Hi' }, { type: 'response.completed', response }]))
  const types: string[] = []
  for await (const event of await openai.responses.create({ model: 'gpt-5', input: 'Hello', stream: true })) types.push(event.type)
  t.same(types, ['response.created', 'response.output_text.delta', 'response.completed'])
  t.same(await recorded(), ['responses', 'exact', 0.003_25])

  answers({ id: 'c', object: 'response.compaction', output: [], created_at: 1, usage })
  t.equal((await openai.responses.compact({ model: 'gpt-5', input: 'Hello' })).object, 'response.compaction')
  t.same(await recorded(), ['responses.compact', 'exact', 0.003_25])

  const before = (await gateway.events()).length
  answers({ object: 'response.input_tokens', input_tokens: 7 })
  t.equal((await openai.responses.inputTokens.count({ model: 'gpt-5', input: 'Hello' })).input_tokens, 7)
  t.equal((await gateway.events()).length, before, 'counting is free')
})

t.test('embeddings, completions of a prompt, and moderation for free', async (t) => {
  answers({ object: 'list', model: 'text-embedding-3-small', data: [], usage: { prompt_tokens: 500, total_tokens: 500 } })
  await openai.embeddings.create({ model: 'text-embedding-3-small', input: ['Hello', 'you'], encoding_format: 'float' })
  t.same(await recorded(), ['embeddings', 'exact', 0.000_01], '500 x 0.02 USD per million')

  const usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 }
  const model = 'gpt-3.5-turbo-instruct'
  const completion = { id: 'cmpl-1', object: 'text_completion', model, choices: [{ text: 'x' }] }
  answers({ ...completion, usage })
  const call = { model, prompt: 'Hello', max_tokens: 30, best_of: 2 }
  await openai.completions.create(call)
  t.same(await recorded(), ['completions', 'exact', 0.000_19], '100 x 1.5 + 20 x 2 USD per million')
  const chunks = [{ ...completion, usage: null }, { ...completion, choices: [], usage }]
  answers(chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('') + 'data: [DONE]\n\n')
  let seen = 0
  const stream = await openai.completions.create({ ...call, best_of: 1, stream: true })
  for await (const chunk of stream) seen += chunk.choices.length
  t.equal(seen, 1)
  t.same(await recorded(), ['completions', 'exact', 0.000_19])

  const before = (await gateway.events()).length
  answers({ id: 'm', model: 'omni-moderation-latest', results: [{ flagged: false }] })
  t.equal((await openai.moderations.create({ input: 'Hello' })).results[0]?.flagged, false)
  t.equal((await gateway.events()).length, before)
})

t.test('what has no price or no bound is refused by its name and goes nowhere', async (t) => {
  const arrived = gateway.provider.books.length
  const refused = async (call: Promise<unknown>): Promise<unknown> => call.then(() => null, (error: unknown) => error)
  const body = { model: 'gpt-5', input: 'Hello' }
  t.match(await refused(openai.responses.create({ ...body, tools: [{ type: 'image_generation' }] })),
    { status: 400, message: /the tool type "image_generation" may cost/ })
  t.equal(gateway.provider.books.length, arrived)
})
