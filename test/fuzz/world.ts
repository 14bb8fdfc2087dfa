import { randomBytes } from 'node:crypto'
import { type Test } from 'tap'
import { ADMIN, aGateway, type GatewayUnderTest, type Json } from '../e2e/gateway.ts'
import { type Caller } from './run.ts'
import { CROSSED, type Known } from './values.ts'

/** A gateway with something of everything, in two organizations, so that requests meet objects. */
export interface FuzzedGateway {
  gateway: GatewayUnderTest
  url: string
  callers: Caller[]
  known: Known
  /** after all that was asked: it admits calls, its database answers and has all its tables, nothing hangs in it */
  stillWhole (t: Test): Promise<void>
}

const METRICS = 'a-token-for-metrics'
const LIVES = { scopeType: 'team', organizationId: 'acme', amount: '5', currency: 'USD', period: 'monthly' }

export async function aFuzzedGateway (t: Test): Promise<FuzzedGateway> {
  const gateway = await aGateway(t, { RELAYCORE_METRICS_TOKEN: METRICS })
  const { admin, core, url } = gateway
  const canary = `canary-${randomBytes(6).toString('hex')}`
  await core.database.query({ text: 'create table fuzz_canary (n int)' })
  await core.rates.add([{ currency: 'EUR', rate: '0.9', effectiveAt: Date.now() - 1_000 }])
  const alerts = [{ threshold: CROSSED }]
  const top = await gateway.budget({ name: 'top', alerts })
  const red = await gateway.budget({ ...LIVES, name: 'red', scopeId: 'red', parentBudgetId: top, alerts })
  const foreign = await gateway.budget({
    ...LIVES, name: canary, organizationId: 'umbrella', scopeId: canary, tags: { of: canary }, alerts,
  })
  const archived = await gateway.budget({ ...LIVES, name: 'gone', scopeId: 'gone', currency: 'EUR' })
  await admin('DELETE', `/budgets/${archived}`)
  const secret = await gateway.key({ teamId: 'red' })
  const foreignKey = await admin('POST', '/keys', { name: canary, organizationId: 'umbrella', teamId: canary })
  for (let i = 0; i < 5; i++) await gateway.chat(secret, {})
  await gateway.chat(String(foreignKey.body['key']), {})
  await gateway.events()
  const holds = await Promise.all(Array.from({ length: 12 }, async () => (await admin('POST', '/holds', {
    identity: { organizationId: 'acme', teamId: 'red' }, amount: '0.1',
  })).body['id']))
  const keys = (await admin('GET', '/keys')).body['keys'] as Json[]
  const spared = new Set<string>()
  const token = async (role: string, reach: object): Promise<string> => {
    const { body } = await admin('POST', '/tokens', { name: role, role, reach })
    spared.add(String(body['id']))
    return String(body['token'])
  }
  const manager = await token('manager', { organizationId: 'acme' })
  const viewer = await token('viewer', { organizationId: 'acme', teamId: 'red' })
  // made after those that requests know, who might revoke it
  const client = (await admin('POST', '/keys', { name: 'client', organizationId: 'acme', teamId: 'red' })).body
  spared.add(String(client['id']))
  const secrets = [ADMIN, METRICS, 'openai-secret', 'anthropic-secret', secret, String(foreignKey.body['key']), gateway.dataDir]
  // of the other organization
  const hidden = [...secrets, canary, foreign, String(foreignKey.body['id'])]
  return {
    gateway,
    url,
    known: {
      ids: new Map([
        ['budgets', [top, red, foreign, archived]], ['keys', keys.map(({ id }) => String(id))], ['holds', holds.map(String)],
      ]),
      cursors: [],
      spared,
    },
    callers: [
      { name: 'an administrator', authorization: `Bearer ${ADMIN}`, secrets },
      { name: 'an administrator again', authorization: `Bearer ${ADMIN}`, secrets },
      { name: 'a manager of acme', authorization: `Bearer ${manager}`, secrets: [...hidden, viewer] },
      { name: 'a viewer of a team of acme', authorization: `Bearer ${viewer}`, secrets: [...hidden, manager] },
      { name: 'a key of a team of acme', authorization: `Bearer ${String(client['key'])}`, secrets: [...hidden, manager, viewer] },
    ],
    stillWhole: async (t) => {
      await core.database.query({ text: 'select from fuzz_canary' })
      t.same(await core.database.query({
        text: `select query from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'
          and clock_timestamp() - state_change > interval '2 seconds'`,
      }), [], 'no transaction is left open')
      t.equal(({} as Json)['admin'], undefined, 'no prototype has changed')
      t.same(gateway.fatal, [])
      await gateway.budget({ name: 'after', scopeId: 'after' })
      // a model that requests are not made of: what they said of the prices of others may leave calls without a quote
      const { status, text } = await gateway.chat(await gateway.key({ organizationId: 'after' }), { model: 'gpt-4.1-nano' })
      t.equal(status, 200, `it admits calls: ${text}`)
    },
  }
}
