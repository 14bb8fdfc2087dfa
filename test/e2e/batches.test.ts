import Anthropic from '@anthropic-ai/sdk'
import OpenAI, { toFile } from 'openai'
import t from 'tap'
import { type FileBatch, type JobProvider, type MessageBatch, startJobProvider } from '../provider/jobs.ts'
import { aGateway, type GatewayUnderTest } from './gateway.ts'

// Batches, by the official SDKs, over two gateways on one PostgreSQL. claude-haiku-4-5: 1 and 5 USD per million tokens,
// as a batch half of that: 100 input and 50 output cost 50 + 125 = 175 micro-USD, 1,000 and 200 cost 1,000.

interface World { a: GatewayUnderTest, b: GatewayUnderTest, provider: JobProvider }

const shared: Promise<World> = (async () => {
  const provider = await startJobProvider(t)
  const env = { RELAYCORE_ANTHROPIC_BASE_URL: provider.url, RELAYCORE_OPENAI_BASE_URL: provider.url }
  const a = await aGateway(t, env)
  const b = await aGateway(t, { ...env, DATABASE_URL: a.core.config.databaseUrl ?? '' })
  return { a, b, provider }
})()

let organizations = 0

async function aWorld () {
  const world = await shared
  const organizationId = `org-${String(++organizations)}`
  await world.a.budget({ scopeId: organizationId })
  const key = await world.a.key({ organizationId })
  const client = ({ url }: GatewayUnderTest) => new Anthropic({ baseURL: `${url}/anthropic`, apiKey: key, maxRetries: 0 })
  const openai = ({ url }: GatewayUnderTest) => new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: key, maxRetries: 0 })
  const holds = async () => await world.a.core.database.query<Record<string, unknown>>({
    text: 'select id, state, job_id, quote_nano, cost_nano, description from long_holds where organization_id = $1 order by id', values: [organizationId],
  })
  return { ...world, organizationId, key, holds, at: client, openai }
}

const params = (over: object = {}) =>
  ({ model: 'claude-haiku-4-5', max_tokens: 100, messages: [{ role: 'user' as const, content: 'hi' }], ...over })

t.test('a batch of messages is held at the sum of its requests, half the price, and settled by its results', async (t) => {
  const world = await aWorld()
  const { a, b, provider, holds, at } = world
  const requests = [{ custom_id: 'one', params: params() }, { custom_id: 'two', params: params({ max_tokens: 1_000 }) }, { custom_id: 'three', params: params() }]
  const made = await at(a).messages.batches.create({ requests })
  t.equal(made.processing_status, 'in_progress')
  const batch = provider.batches.get(made.id) as MessageBatch
  // at most a token per byte, 89 + 90 + 89 at 1 USD, and 1,200 at 5 USD per million: half of 6,268 micro-USD
  t.equal(requests.reduce((sum, one) => sum + Buffer.byteLength(JSON.stringify(one.params)), 0), 268)
  t.match(await holds(), [{ state: 'open', job_id: made.id, quote_nano: '3134000' }])
  t.equal((await at(b).messages.batches.retrieve(made.id)).results_url, null)
  const results = await at(b).messages.batches.results(made.id).then(() => null, (error: unknown) => error)
  t.match(String(results), /No batch `results_url`/)

  batch.finish({ input: 100, output: 50 }, { input: 1_000, output: 200 }, null)
  const ended = await at(b).messages.batches.retrieve(made.id)
  t.equal(ended.results_url?.trim(), `/v1/messages/batches/${made.id}/results`, 'the SDK comes back for them')
  const lines = []
  for await (const line of await at(b).messages.batches.results(made.id)) lines.push([line.custom_id, line.result.type])
  t.same(lines, [['one', 'succeeded'], ['two', 'succeeded'], ['three', 'errored']])
  t.match(await holds(), [{ state: 'settled', cost_nano: '1175000' }])
  const events = (await a.events()).filter(({ organization_id: of }) => of === world.organizationId)
  t.match(events, [{
    endpoint: 'messages.batches',
    model: 'claude-haiku-4-5',
    cost_nano: '1175000',
    input_tokens: '1100',
    output_tokens: '250',
    tier: 'batch',
    certainty: 'exact',
    outcome: 'completed',
  }])
  t.match(await a.core.database.query({
    text: 'select leased_nano - (select coalesce(sum(granted_nano - returned_nano - posted_nano), 0) from leases l where l.account_id = a.id) as rest, long_held_nano, settled_nano from budget_accounts a where budget_id in (select id from budget_definitions where scope_id = $1)',
    values: [world.organizationId],
  }), [{ rest: '0', long_held_nano: '0', settled_nano: '1175000' }])
})

t.test('a batch that nobody fetches is asked about, and then its results are', async (t) => {
  const { a, provider, organizationId, holds, at } = await aWorld()
  const made = await at(a).messages.batches.create({ requests: [{ custom_id: 'one', params: params() }] })
  ;(provider.batches.get(made.id) as MessageBatch).finish({ input: 100, output: 50 })
  await a.core.database.query({ text: 'update long_holds set poll_at = opened_at where organization_id = $1', values: [organizationId] })
  provider.asked.length = 0
  await a.core.jobs.look()
  t.same(provider.asked, [`GET /v1/messages/batches/${made.id}`, `GET /v1/messages/batches/${made.id}/results`])
  t.match(await holds(), [{ state: 'settled', cost_nano: '175000' }])
})

t.test('batches that cannot be bounded are refused, with which request it is', async (t) => {
  const { a, holds, at } = await aWorld()
  const refused = async (...of: object[]) => {
    const requests = of.map((one, i) => ({ custom_id: String(i), params: one })) as never
    return await at(a).messages.batches.create({ requests }).then(() => null, (error: unknown) => error)
  }
  const error = (message: RegExp, status = 403) => ({ status, error: { error: { message } } })
  t.match(await refused(params(), params({ model: 'claude-opus-4-6' })), error(/several models/))
  t.match(await refused(params(), params({ mcp_servers: [{ url: 'x' }] })), error(/^requests\.1: mcp_servers/))
  t.match(await refused(params(), params({ stream: true })), error(/^requests\.1 cannot be streamed/, 400))
  const without = params({ max_tokens: undefined })
  t.match(await refused(without), error(/^requests\.0\.max_tokens: max_tokens is required/, 400))
  t.match(await refused(), error(/at least one request/, 400))
  t.match(await refused(params({ model: 'claude-none' })), { status: 404 })
  t.same(await holds(), [])
})

t.test('another organization sees nothing of a batch, and nobody a list of all', async (t) => {
  const { a, at } = await aWorld()
  const other = await aWorld()
  const made = await at(a).messages.batches.create({ requests: [{ custom_id: 'one', params: params() }] })
  const refusal = (call: Promise<unknown>) => call.then(() => null, (error: unknown) => error)
  t.match(await refusal(other.at(a).messages.batches.retrieve(made.id)), { status: 404 })
  t.match(await refusal(other.at(a).messages.batches.cancel(made.id)), { status: 404 })
  t.match(await refusal(other.at(a).messages.batches.delete(made.id)), { status: 404 })
  t.match(await refusal(at(a).messages.batches.delete(made.id)), { status: 400 }, 'it goes on')
  t.match(await refusal(Promise.resolve(at(a).messages.batches.list())), { status: 403 })
  t.equal((await at(a).messages.batches.cancel(made.id)).processing_status, 'canceling')
})

const line = (body: object, over: object = {}) =>
  JSON.stringify({ custom_id: 'x', method: 'POST', url: '/v1/chat/completions', body: { model: 'gpt-4o', messages: [], max_tokens: 100, ...body }, ...over })
const completion = (prompt: number, output: number) => ({
  id: 'c',
  object: 'chat.completion',
  model: 'gpt-4o-2024-08-06',
  choices: [],
  service_tier: 'default',
  usage: { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output },
})

async function anInput (client: OpenAI, lines: string[]): Promise<string> {
  return (await client.files.create({ purpose: 'batch', file: await toFile(Buffer.from(lines.join('\n')), 'b.jsonl') })).id
}

t.test('a batch of OpenAI is quoted by its file, and settled by the lines of its output, some of which failed', async (t) => {
  const world = await aWorld()
  const { a, b, provider, holds, openai } = world
  const input = await anInput(openai(a), [line({}), line({ max_tokens: 200 }), line({}), ''])
  const made = await openai(b).batches.create({ endpoint: '/v1/chat/completions', completion_window: '24h', input_file_id: input })
  // at most a token per byte, 49 each at 2.50 USD, and 400 at 10 USD per million: half of 4,367.5 micro-USD
  t.equal(JSON.stringify({ model: 'gpt-4o', messages: [], max_tokens: 100 }).length, 49)
  t.match(await holds(), [{ state: 'open', job_id: made.id, quote_nano: '2183750' }])
  t.equal((await openai(a).batches.retrieve(made.id)).status, 'validating')

  const batch = provider.fileBatches.get(made.id) as FileBatch
  batch.finish('completed', completion(100, 50), completion(1_000, 200), null)
  const ended = await openai(a).batches.retrieve(made.id)
  await a.core.jobs.idle()
  // half of 100 x 2.50 + 50 x 10, and of 1,000 x 2.50 + 200 x 10 micro-USD
  t.match(await holds(), [{ state: 'settled', cost_nano: '2625000' }])
  t.match(await (await openai(b).files.content(String(ended.output_file_id))).text(), /"status_code":200/)
  t.match(await (await openai(b).files.content(String(ended.error_file_id))).text(), /"status_code":400/)
  const events = (await a.events()).filter(({ organization_id: of }) => of === world.organizationId)
  t.match(events, [{ endpoint: 'batches', model: 'gpt-4o', input_tokens: '1100', output_tokens: '250', tier: 'batch', certainty: 'exact' }])
})

t.test('a batch of which nothing came about costs nothing; one that OpenAI polled for is found', async (t) => {
  const { a, provider, holds, openai, organizationId } = await aWorld()
  const input = await anInput(openai(a), [line({})])
  const ids = []
  for (let i = 0; i < 2; i++) ids.push((await openai(a).batches.create({ endpoint: '/v1/chat/completions', completion_window: '24h', input_file_id: input })).id)
  provider.fileBatches.get(String(ids[0]))?.finish('failed')
  provider.fileBatches.get(String(ids[1]))?.finish('cancelled', completion(100, 50))
  await a.core.database.query({ text: 'update long_holds set poll_at = opened_at where organization_id = $1', values: [organizationId] })
  await a.core.jobs.look()
  t.match(await holds(), [{ state: 'settled', cost_nano: '0' }, { state: 'settled', cost_nano: '375000' }])
})

t.test('files and batches are those of the organization that made them', async (t) => {
  const { a, openai, holds } = await aWorld()
  const other = await aWorld()
  const input = await anInput(openai(a), [line({})])
  const refusal = (call: Promise<unknown>) => call.then(() => null, (error: unknown) => error)
  const batch = (client: OpenAI, file: string, endpoint = '/v1/chat/completions') =>
    refusal(client.batches.create({ endpoint: endpoint as '/v1/responses', completion_window: '24h', input_file_id: file }))
  t.match(await batch(other.openai(a), input), { status: 404, param: 'input_file_id' })
  t.match(await refusal(other.openai(a).files.content(input)), { status: 404 })
  t.match(await refusal(other.openai(a).files.delete(input)), { status: 404 })
  t.match(await refusal(Promise.resolve(openai(a).files.list())), { status: 403 })
  t.match(await refusal(Promise.resolve(openai(a).batches.list())), { status: 403 })
  t.match(await batch(openai(a), input, '/v1/responses'), { status: 400, message: /line 1 of input_file_id: it must be POST \/v1\/responses/ })
  t.match(await batch(openai(a), input, '/v1/videos'), { status: 400, message: /endpoint must be one of \/v1\/chat\/completions/ })
  const mixed = await anInput(openai(a), [line({}), line({ model: 'gpt-4o-mini' })])
  t.match(await batch(openai(a), mixed), { status: 400, message: /several models/ })
  t.match(await batch(openai(a), await anInput(openai(a), [line({}), '{'])), { status: 400, message: /line 2 of input_file_id/ })
  t.same(await holds(), [])
})
