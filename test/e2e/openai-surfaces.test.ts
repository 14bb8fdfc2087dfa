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

t.test('what has no price or no bound is refused by its name and goes nowhere', async (t) => {
  const arrived = gateway.provider.books.length
  const refused = async (call: Promise<unknown>): Promise<unknown> => call.then(() => null, (error: unknown) => error)
  const body = { model: 'gpt-5', input: 'Hello' }
  t.match(await refused(openai.responses.create({ ...body, tools: [{ type: 'web_search' }] })),
    { status: 403, message: /the tool "web_search" without max_tool_calls may cost/ })
  t.match(await refused(openai.responses.create({ ...body, background: true })), { status: 403, message: /background/ })
  t.equal(gateway.provider.books.length, arrived)
})
