import t, { type Test } from 'tap'
import { type BackgroundJob, type JobProvider, startJobProvider } from '../provider/jobs.ts'
import { aGateway, type GatewayUnderTest, type Json } from './gateway.ts'

// Responses that go on at OpenAI behind their answer, over two gateways on one PostgreSQL.
// gpt-4o: 2.50 and 10 USD per million tokens; 100 input and 50 output cost 0.00025 + 0.0005 = 0.00075 USD.

const USED = { input: 100, output: 50 }
const COST = '750000'

interface World {
  a: GatewayUnderTest
  b: GatewayUnderTest
  provider: JobProvider
  organizationId: string
  key: string
  /** of another organization */
  other: string
}

const shared = (async () => {
  const provider = await startJobProvider(t)
  const env = { RELAYCORE_OPENAI_BASE_URL: provider.url }
  const a = await aGateway(t, env)
  const b = await aGateway(t, { ...env, DATABASE_URL: a.core.config.databaseUrl ?? '' })
  await a.budget({ scopeId: 'globex' })
  return { a, b, provider, other: await a.key({ organizationId: 'globex' }) }
})()

let organizations = 0

/** an organization of its own at the two gateways, whose calls are on two budgets */
async function aWorld (): Promise<World> {
  const { a, ...rest } = await shared
  const organizationId = `org-${String(++organizations)}`
  await a.budget({ scopeId: organizationId })
  await a.budget({ scopeType: 'user', scopeId: '*', organizationId })
  return { a, ...rest, organizationId, key: await a.key({ organizationId, userId: 'ann' }) }
}

const BODY = { model: 'gpt-4o', input: 'hi', max_output_tokens: 1_000, background: true }

async function ask ({ url }: GatewayUnderTest, key: string, method: string, path: string, body?: object) {
  const response = await fetch(`${url}/v1/responses${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...body === undefined ? {} : { 'content-type': 'application/json' } },
    ...body === undefined ? {} : { body: JSON.stringify(body) },
  })
  const text = await response.text()
  return { status: response.status, text, json: (text.startsWith('{') ? JSON.parse(text) : {}) as Json }
}

async function begun (world: World, gateway = world.a): Promise<BackgroundJob> {
  const { status, json } = await ask(gateway, world.key, 'POST', '', BODY)
  if (status !== 200) throw new Error(JSON.stringify(json))
  return world.provider.jobs.get(String(json['id'])) as BackgroundJob
}

const accounts = async ({ a, organizationId }: World) => await a.core.database.query<Record<string, string>>({
  text: `select leased_nano, long_held_nano, settled_nano from budget_accounts
    where budget_id in (select id from budget_definitions where organization_id = $1) order by id`,
  values: [organizationId],
})
const holds = async ({ a, organizationId }: World) => await a.core.database.query<Record<string, unknown>>({
  text: 'select id, state, job_id, quote_nano, cost_nano, description from long_holds where organization_id = $1 order by id',
  values: [organizationId],
})

/** books that must agree whatever happened */
async function balanced (t: Test, { core }: GatewayUnderTest): Promise<void> {
  const wrong = await core.database.query({
    text: `select a.id from budget_accounts a
      cross join lateral (select coalesce(sum(granted_nano - returned_nano - posted_nano), 0) as n from leases l where l.account_id = a.id) l
      cross join lateral (select coalesce(sum(held_nano), 0) as n from long_hold_accounts r where r.account_id = a.id) h
      where a.leased_nano <> l.n + h.n or a.long_held_nano <> h.n
      or a.settled_nano <> (select coalesce(sum(amount_nano), 0) from budget_usage_records r where r.account_id = a.id)
      union all
      select s.account_id from budget_definitions b cross join lateral calculate_budget_status(b.id) s
      left join budget_status_cache c on c.account_id = s.account_id where s.settled_nano <> coalesce(c.settled_nano, 0)`,
  })
  t.same(wrong, [])
}

t.test('a response in the background, made at one gateway and fetched at another, is settled once at 0.00075 USD', async (t) => {
  const world = await aWorld()
  const { a, b, key, other } = world
  const job = await begun(world)
  const [held] = await holds(world)
  t.match(held, { state: 'open', job_id: job.id })
  // the input is at most its 76 bytes, the output 1,000 tokens
  t.match(await accounts(world), [{ long_held_nano: held?.['quote_nano'] }, { long_held_nano: held?.['quote_nano'] }])
  t.equal(a.core.gate.openCalls, 0)

  job.status = 'in_progress'
  t.match((await ask(b, key, 'GET', `/${job.id}`)).json, { status: 'in_progress' })
  t.match(await holds(world), [{ state: 'open' }])
  const foreign = await ask(b, other, 'GET', `/${job.id}`)
  t.equal(foreign.status, 404, 'another organization at the same credential')
  t.equal((foreign.json['error'] as Json)['code'], 'job_not_found')
  t.equal((await ask(b, key, 'GET', '/resp_unknown')).status, 404)

  job.finish(USED)
  const fetched = await Promise.all([a, b, a, b].map((one) => ask(one, key, 'GET', `/${job.id}`)))
  for (const { json } of fetched) t.match(json, { status: 'completed', output: [{ content: [{ text: 'Hello' }] }] })
  t.match(await holds(world), [{ state: 'settled', cost_nano: COST }])
  const events = (await a.events()).filter(({ organization_id: of }) => of === world.organizationId)
  t.equal(events.length, 1)
  t.match(events, [{
    id: held?.['id'],
    endpoint: 'responses',
    outcome: 'completed',
    status: 200,
    certainty: 'exact',
    cost_nano: COST,
    input_tokens: '100',
    output_tokens: '50',
    provider_request_id: job.id,
    user_id: 'ann',
  }])
  await balanced(t, a)
  t.match(await accounts(world), [{ long_held_nano: '0', settled_nano: COST }, { long_held_nano: '0', settled_nano: COST }])
})

t.test('nobody need fetch it: some gateway asks, and one alone', async (t) => {
  const world = await aWorld()
  const { a, b, provider } = world
  const job = await begun(world)
  await look(a)
  t.match(await holds(world), [{ state: 'open' }], 'it is not due')
  job.finish(USED)
  await due(world)
  provider.asked.length = 0
  await Promise.all([look(a), look(b)])
  t.same(provider.asked, [`GET /v1/responses/${job.id}`])
  t.match(await holds(world), [{ state: 'settled', cost_nano: COST }])
  await balanced(t, a)
})

t.test('what is not known in the end is charged at its quote and named: unknown to the provider, or past its deadline', async (t) => {
  const world = await aWorld()
  const { a, b, provider, key } = world
  const [gone, late] = [await begun(world), await begun(world)]
  const [first] = await holds(world)
  const quote = String(first?.['quote_nano'])
  provider.jobs.delete(gone.id)
  for (let i = 0; i < 3; i++) {
    t.match(await holds(world), [{ state: 'open' }, { state: 'open' }])
    await due(world)
    await look(a)
  }
  t.match(await holds(world), [
    { state: 'uncertain', cost_nano: quote, description: 'Its provider does not know it any more.' }, { state: 'open' },
  ])
  await a.core.database.query({ text: 'update long_holds set expires_at = opened_at + interval \'1 ms\' where job_id = $1', values: [late.id] })
  await a.core.database.query({ text: 'select expire_long_holds(10)' })
  t.match(await holds(world), [{ state: 'uncertain' }, { state: 'uncertain', cost_nano: quote }])
  await balanced(t, a)

  late.finish(USED)
  t.equal((await ask(b, key, 'GET', `/${late.id}`)).status, 200)
  t.match(await holds(world), [{ state: 'uncertain' }, { state: 'settled', cost_nano: COST }], 'the truth corrects it')
  await balanced(t, a)
})

t.test('cancelled, deleted, failed: what it used is charged, and what nobody says is charged in full', async (t) => {
  const world = await aWorld()
  const { a, b, key } = world
  const [cancelled, failed, cut] = [await begun(world), await begun(world), await begun(world)]
  const refused = await ask(b, key, 'DELETE', `/${failed.id}`)
  t.equal(refused.status, 400)
  t.equal((refused.json['error'] as Json)['code'], 'job_not_over')

  t.match((await ask(b, key, 'POST', `/${cancelled.id}/cancel`)).json, { status: 'cancelled' })
  failed.finish(null, 'failed')
  cut.finish(USED, 'incomplete')
  t.match((await ask(b, key, 'DELETE', `/${failed.id}`)).json, { deleted: true })
  t.match((await ask(a, key, 'DELETE', `/${cut.id}`)).json, { deleted: true }, 'it was asked about before')
  const note = 'The provider says that it ended, and not what it used.'
  t.match(await holds(world), [
    { state: 'uncertain', description: note }, { state: 'uncertain', description: note }, { state: 'settled', cost_nano: COST },
  ])
  await balanced(t, a)
})

t.test('a client cannot end the hold of its own response, and reads it', async (t) => {
  const world = await aWorld()
  const { a, key } = world
  const job = await begun(world)
  const [{ id } = {}] = await holds(world)
  const own = { authorization: `Bearer ${key}` }
  t.match((await a.admin('GET', `/holds/${String(id)}`, undefined, own)).body, { state: 'open', provider: 'openai', model: 'gpt-4o', jobId: job.id })
  for (const [path, body] of [['release'], ['settle', { amount: '0' }], ['extend', { ttlSeconds: 60 }]] as [string, object?][]) {
    const { status, body: said } = await a.admin('POST', `/holds/${String(id)}/${path}`, body, own)
    t.equal(status, 403, path)
    t.match(said['detail'], /made by a call/)
  }
  t.match((await a.admin('POST', `/holds/${String(id)}/settle`, { amount: '0.5' })).body, { state: 'settled', cost: '0.5' }, 'an administrator may')
  job.finish(USED)
  t.equal((await ask(a, key, 'GET', `/${job.id}`)).status, 200)
  t.match(await holds(world), [{ state: 'settled', cost_nano: '500000000' }], 'once is once')
  await balanced(t, a)
})

t.test('what a response in the background holds refuses others for good, by name', async (t) => {
  const world = await aWorld()
  const { a, key } = world
  await a.admin('POST', '/budgets', {
    name: 'small', scopeType: 'user', scopeId: 'ann', organizationId: world.organizationId, amount: '0.015', currency: 'USD', period: 'monthly',
  })
  await begun(world)
  const [{ id } = {}] = await holds(world)
  const { status, json } = await ask(a, key, 'POST', '', BODY)
  t.equal(status, 429)
  const { code, message } = json['error'] as Json
  t.equal(((json['error'] as Json)['relaycore'] as Json)['code'], 'budget_held', JSON.stringify(code))
  t.ok(String(message).includes(String(id)), String(message))
})

t.test('a stream in the background is held before its name is told, and settled by its end, wherever that passes', async (t) => {
  const world = await aWorld()
  const { a, b, provider, key } = world
  const streamed = async (gateway: GatewayUnderTest, method: string, path: string, body?: object) => {
    const response = await fetch(`${gateway.url}/v1/responses${path}`, {
      method, headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, ...body === undefined ? {} : { body: JSON.stringify(body) },
    })
    const reader = response.body?.getReader()
    const first = Buffer.from((await reader?.read())?.value ?? []).toString('utf8')
    const rest = async () => {
      let text = ''
      for (let piece = await reader?.read(); piece?.done === false; piece = await reader?.read()) text += Buffer.from(piece.value).toString('utf8')
      return text
    }
    return { first, rest, leave: async () => { await reader?.cancel() } }
  }
  const whole = await streamed(a, 'POST', '', { ...BODY, stream: true })
  t.match(whole.first, /response\.created/)
  const [one] = [...provider.jobs.values()].slice(-1)
  t.match(await holds(world), [{ state: 'open', job_id: one?.id }])
  one?.finish(USED)
  t.match(await whole.rest(), /response\.completed/)
  t.match(await holds(world), [{ state: 'settled', cost_nano: COST }])

  const left = await streamed(a, 'POST', '', { ...BODY, stream: true })
  await left.leave()
  const [two] = [...provider.jobs.values()].slice(-1)
  const again = await streamed(b, 'GET', `/${String(two?.id)}?stream=true&starting_after=0`)
  two?.finish(USED)
  t.match(await again.rest(), /response\.completed/)
  t.match(await holds(world), [{ state: 'settled' }, { state: 'settled', cost_nano: COST }])
  await balanced(t, a)
})

async function due ({ a, organizationId }: World): Promise<void> {
  await a.core.database.query({
    text: "update long_holds set poll_at = clock_timestamp() - interval '1 second' where organization_id = $1", values: [organizationId],
  })
}

async function look (gateway: GatewayUnderTest): Promise<void> { await gateway.core.jobs.look() }
