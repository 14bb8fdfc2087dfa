import Anthropic from '@anthropic-ai/sdk'
import t from 'tap'
import { type JobProvider, type MessageBatch, startJobProvider } from '../provider/jobs.ts'
import { aGateway, type GatewayUnderTest } from './gateway.ts'

// Batches, by the official SDKs, over two gateways on one PostgreSQL. claude-haiku-4-5: 1 and 5 USD per million tokens, as a
// batch half of that: 100 input and 50 output cost 50 + 125 = 175 micro-USD, 1,000 and 200 cost 500 + 500 = 1,000.

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
  const holds = async () => await world.a.core.database.query<Record<string, unknown>>({
    text: 'select id, state, job_id, quote_nano, cost_nano, description from long_holds where organization_id = $1 order by id', values: [organizationId],
  })
  return { ...world, organizationId, key, holds, at: client }
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
    endpoint: 'messages.batches', model: 'claude-haiku-4-5', cost_nano: '1175000', input_tokens: '1100', output_tokens: '250', tier: 'batch',
    certainty: 'exact', outcome: 'completed',
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
  const refused = async (...of: object[]) => await at(a).messages.batches
    .create({ requests: of.map((one, i) => ({ custom_id: String(i), params: one })) as never }).then(() => null, (error: unknown) => error)
  const error = (message: RegExp, status = 403) => ({ status, error: { error: { message } } })
  t.match(await refused(params(), params({ model: 'claude-opus-4-6' })), error(/several models/))
  t.match(await refused(params(), params({ mcp_servers: [{ url: 'x' }] })), error(/^requests\.1: mcp_servers/))
  t.match(await refused(params(), params({ stream: true })), error(/^requests\.1 cannot be streamed/, 400))
  t.match(await refused(params({ max_tokens: undefined })), error(/^requests\.0\.max_tokens: max_tokens is required/, 400))
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
