import pg from 'pg'
import t, { type Test } from 'tap'
import { ADMIN_CODES, type AdminCode } from '../../../src/error-codes.ts'
import { aGateway, type AdminAnswer, type GatewayUnderTest } from '../../e2e/gateway.ts'

/**
 * Every code of the admin API, provoked over HTTP at one gateway, or the reason why nobody outside can. A code without
 * a case does not compile, and is missed when it runs.
 */
type Case = ((world: World) => Promise<AdminAnswer>) | { notFromOutside: string }

interface World {
  t: Test
  gateway: GatewayUnderTest
  admin: GatewayUnderTest['admin']
  /** beside the gateway's own connections */
  sql: (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>
}

const BUDGET = { name: 'b', scopeType: 'team', amount: '5', currency: 'USD', period: 'monthly', organizationId: 'acme' }
const NOBODY = '0198f4f4-0000-7000-8000-000000000000'

const TERMINATE = `
  select pid, pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock' and query like '%config_versions%'`

const CASES: Record<AdminCode, Case> = {
  bad_request: {
    notFromOutside: 'what is no HTTP is answered before any route by the server itself, as test/plugins/control/wire.test.ts ' +
      'has it; this is for what Fastify may refuse one day and the gateway does not know',
  },
  invalid_url: ({ admin }) => admin('GET', '/budgets/%ff'),
  invalid_body: ({ admin }) => admin('POST', '/budgets', '{"name":'),
  invalid_field: ({ admin }) => admin('POST', '/budgets', { ...BUDGET, scopeId: 's', amount: 'much' }),
  unauthorized: ({ admin }) => admin('GET', '/budgets', undefined, { authorization: '' }),
  forbidden: async ({ admin }) => {
    const { body } = await admin('POST', '/tokens', { name: 'v', role: 'viewer', reach: { organizationId: 'acme' } })
    return await admin('POST', '/budgets', { ...BUDGET, scopeId: 's' }, { authorization: `Bearer ${String(body['token'])}` })
  },
  not_found: ({ admin }) => admin('GET', `/budgets/${NOBODY}`),
  route_not_found: ({ admin }) => admin('GET', '/nowhere'),
  method_not_allowed: ({ admin }) => admin('DELETE', '/budgets'),
  conflict: async (world) => {
    const id = await aTeam(world)
    await world.admin('POST', `/budgets/${id}/usage`, { id: 'once', amount: '1' })
    return await world.admin('POST', `/budgets/${id}/usage`, { id: 'once', amount: '2' })
  },
  budget_in_use: async (world) => {
    const id = await aTeam(world)
    await world.admin('POST', `/budgets/${id}/usage`, { amount: '1' })
    return await world.admin('PATCH', `/budgets/${id}`, { currency: 'EUR' })
  },
  hold_settled: async (world) => {
    const { body } = await hold(world, await aTeam(world), '1')
    await world.admin('POST', `/holds/${String(body['id'])}/release`)
    return await world.admin('POST', `/holds/${String(body['id'])}/settle`, { amount: '1' })
  },
  no_budget: ({ admin }) => admin('POST', '/holds', { identity: { organizationId: 'nobody' }, amount: '1' }),
  quote_exceeds_budget: async (world) => await hold(world, await aTeam(world), '6'),
  budget_exhausted: async (world) => {
    const id = await aTeam(world)
    await world.admin('POST', `/budgets/${id}/usage`, { amount: '4' })
    return await hold(world, id, '2')
  },
  approval_required: async (world) =>
    await hold(world, await aTeam(world, { alerts: [{ threshold: 20, actions: ['require-approval'] }] }), '2'),
  budget_in_doubt: async (world) => {
    const id = await aTeam(world)
    const other = await leasedElsewhere(world, id)
    await world.sql("update gateways set heartbeat_at = now() - interval '1 minute' where incarnation = $1", [other])
    return await hold(world, id, '2')
  },
  budget_held: async (world) => {
    const id = await aTeam(world)
    await hold(world, id, '4')
    return await hold(world, id, '2')
  },
  budget_paused: async (world) => await hold(world, await aTeam(world, { paused: true }), '1'),
  budget_contention: async (world) => {
    const id = await aTeam(world)
    await leasedElsewhere(world, id)
    return await hold(world, id, '2')
  },
  precondition_failed: async (world) =>
    await world.admin('PATCH', `/budgets/${await aTeam(world)}`, { name: 'c' }, { 'if-match': '"1"' }),
  body_too_large: ({ admin }) => admin('POST', '/budgets', { ...BUDGET, scopeId: 's', description: 'x'.repeat(1_100_000) }),
  url_too_long: ({ admin }) => admin('GET', `/budgets/${'x'.repeat(1_000)}`),
  unsupported_media_type: ({ admin }) => admin('POST', '/budgets', 'name=b', { 'content-type': 'text/plain' }),
  unprocessable: async (world) =>
    await world.admin('POST', `/budgets/${await aTeam(world)}/usage`, { amount: '-1', reverses: NOBODY }),
  idempotency_key_reused: async ({ admin }) => {
    const key = { 'idempotency-key': 'one' }
    await admin('POST', '/keys', { name: 'a', organizationId: 'acme' }, key)
    return await admin('POST', '/keys', { name: 'b', organizationId: 'acme' }, key)
  },
  internal_error: async (world) => {
    // the ledger is not what the gateway takes it for
    await world.sql('alter table budget_alert_history rename to gone')
    try {
      return await world.admin('GET', `/budgets/${await aTeam(world)}/status`)
    } finally {
      await world.sql('alter table gone rename to budget_alert_history')
    }
  },
  dependency_unavailable: async ({ t, gateway, admin, sql }) => {
    const blocker = await connect(t, gateway)
    await blocker.query("begin; select from config_versions where kind = 'keys' for update")
    const answer = admin('POST', '/keys', { name: 'k', organizationId: 'acme' })
    while ((await sql(TERMINATE)).length === 0) { /* until it has come that far */ }
    await blocker.query('rollback')
    return await answer
  },
  // the last, since this address is not believed any more
  too_many_failures: async ({ t, admin }) => {
    const wrong = { authorization: 'Bearer guessed' }
    for (let i = 0; i < 50; i++) await admin('GET', '/budgets', undefined, wrong)
    t.equal((await admin('GET', '/budgets')).status, 429, 'nor is a token that somebody chose')
    return await admin('GET', '/budgets', undefined, wrong)
  },
}

t.test('every error code of the admin API is provoked over HTTP, and is as its table says', async (t) => {
  const gateway = await aGateway(t)
  const client = await connect(t, gateway)
  const sql: World['sql'] = async (text, values) => (await client.query<Record<string, unknown>>(text, values)).rows
  const world: World = { t, gateway, admin: gateway.admin, sql }
  t.same(Object.keys(CASES).sort(), Object.keys(ADMIN_CODES).sort(), 'each has a case')

  for (const [code, provoke] of Object.entries(CASES) as [AdminCode, Case][]) {
    if (typeof provoke !== 'function') {
      t.comment(`${code}: ${provoke.notFromOutside}`)
      continue
    }
    const { status, headers, body } = await provoke(world)

    t.match(body, { code, status, type: `/docs/errors#${code}`, title: String, detail: String, requestId: String }, code)
    t.equal(status, ADMIN_CODES[code].status, code)
    t.match(headers.get('content-type'), /^application\/problem\+json/, code)
    t.equal(headers.get('retry-after') !== null, status === 429 || status === 503, code)
    t.equal(headers.get('www-authenticate') !== null, status === 401, code)
  }
})

let made = 0

async function aTeam ({ gateway }: World, fields: object = {}): Promise<string> {
  return await gateway.budget({ ...BUDGET, scopeId: `team ${made++}`, ...fields })
}

async function hold ({ admin }: World, budgetId: string, amount: string): Promise<AdminAnswer> {
  return await admin('POST', '/holds', { budgetId, amount })
}

/** the number of a gateway that took most of a budget, and gives nothing back */
async function leasedElsewhere ({ gateway, admin }: World, budgetId: string): Promise<number> {
  const { authority } = gateway.core
  const { body } = await admin('GET', `/budgets/${budgetId}/status`)
  const periodStart = Date.parse(String(body['periodStart']))
  const periodEnd = Date.parse(String(body['periodEnd']))
  const [account] = await authority.ensureAccounts([{ budgetId, subject: '', periodStart, periodEnd }])
  if (account === undefined) throw new Error('there is no account')
  const other = await authority.join('elsewhere', 'elsewhere')
  const needs = [{ accountId: account.accountId, needNano: 4_000_000_000n }]
  await authority.grant(other, { calls: [{ needs }], extras: [] })
  return other
}

async function connect (t: Test, { core }: GatewayUnderTest): Promise<pg.Client> {
  const client = new pg.Client(core.config.databaseUrl)
  await client.connect()
  t.teardown(() => client.end())
  return client
}
