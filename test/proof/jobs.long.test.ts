import t from 'tap'
import { type BackgroundJob, startJobProvider } from '../provider/jobs.ts'
import { aDatabase } from '../stores/postgres/database.ts'
import { type GatewayProcess, kill, ProofWorld } from './world.ts'

/**
 * A gateway is killed while a call of it becomes long. Before the ledger has it as a long hold the call is uncertain,
 * at its quote; afterwards the row alone says what becomes of it, though nobody has heard its name.
 */
t.test('a gateway that is killed before or after a response is held for long leaves one record of it, and nothing held', async (t) => {
  const provider = await startJobProvider(t)
  const world = await ProofWorld.open({ redis: false, databaseUrl: await aDatabase(t) })
  t.teardown(() => world.close())
  const env = { RELAYCORE_OPENAI_BASE_URL: provider.url }
  let gateway = await world.startGateway(undefined, env)
  await world.admin(gateway, 'POST', '/budgets', {
    name: 'acme', scopeType: 'organization', scopeId: 'acme', amount: '1', currency: 'USD', period: 'monthly',
  })
  const { key } = await world.admin<{ key: string }>(gateway, 'POST', '/keys', { name: 'k', organizationId: 'acme' })
  const send = (to: GatewayProcess, method: string, path = '', body?: object) => fetch(`${to.url}/v1/responses${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...body === undefined ? {} : { 'content-type': 'application/json' } },
    ...body === undefined ? {} : { body: JSON.stringify(body) },
  }).then(async (response) => await response.json() as unknown, () => null)
  const begin = async (): Promise<{ job: BackgroundJob, answer: Promise<unknown> }> => {
    const begun = provider.begun()
    const answer = send(gateway, 'POST', '', { model: 'gpt-4o', input: 'hi', max_output_tokens: 100, background: true })
    return { job: await begun, answer }
  }
  const restarted = async () => {
    await kill(gateway.child, 'SIGKILL')
    gateway = await world.startGateway(gateway, env)
  }
  const events = async () => await world.rows<Record<string, string>>(
    'select id, outcome, certainty, cost_nano, quote_nano, provider_request_id from usage_events order by id')

  // the provider has begun, and has not answered yet
  let answering: () => void = () => {}
  provider.until = new Promise((resolve) => { answering = resolve })
  const early = await begin()
  await restarted()
  answering()
  t.equal(await early.answer, null)
  const [lost] = await events()
  t.match(lost, { outcome: 'crashed', certainty: 'uncertain', cost_nano: lost?.['quote_nano'] })
  t.same(await world.rows('select id from long_holds'), [])
  const unknown = await send(gateway, 'GET', `/${early.job.id}`)
  t.match(unknown, { error: { code: 'job_not_found' } }, 'and nobody has heard of it')

  // the statement that holds it for long is under way, and comes about without its gateway
  provider.until = new Promise((resolve) => { answering = resolve })
  const late = await begin()
  const client = await world.db.connect()
  await client.query('begin')
  await client.query('select 1 from budget_accounts for update')
  answering()
  const waiting = "select count(*)::integer as n from pg_stat_activity where wait_event_type = 'Lock' and query like '%keep_long%' and datname = current_database()"
  while ((await world.rows<{ n: number }>(waiting))[0]?.n !== 1);
  await kill(gateway.child, 'SIGKILL')
  await client.query('commit')
  client.release()
  gateway = await world.startGateway(gateway, env)
  t.equal(await late.answer, null)
  t.match(await world.rows('select state, job_id from long_holds'), [{ state: 'open', job_id: late.job.id }])
  t.equal((await events()).length, 1, 'what is held by a row is not uncertain')

  late.job.finish({ input: 100, output: 50 })
  await Promise.all([send(gateway, 'GET', `/${late.job.id}`), send(gateway, 'GET', `/${late.job.id}`)])
  // 100 x 2.50 + 50 x 10 USD per million
  t.match(await events(), [{ outcome: 'crashed' }, { outcome: 'completed', certainty: 'exact', cost_nano: '750000', provider_request_id: late.job.id }])
  t.equal(await kill(gateway.child, 'SIGTERM'), 0)
  const settled = String(750_000n + BigInt(lost?.['quote_nano'] ?? 0))
  t.match(await world.rows('select leased_nano, long_held_nano, settled_nano from budget_accounts'),
    [{ leased_nano: '0', long_held_nano: '0', settled_nano: settled }])
})
