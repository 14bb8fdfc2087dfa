import t from 'tap'
import pg from 'pg'
import { aGateway } from './gateway.ts'

t.test('a call that ends as its gateway stops is recorded before the leases are closed', async (t) => {
  const gateway = await aGateway(t)
  await gateway.budget()
  const key = await gateway.key()
  const client = new pg.Client(gateway.core.config.databaseUrl)
  await client.connect()
  t.teardown(() => client.end())

  // its end is over only once it is written, and that takes its time
  const { journal } = gateway.core
  const append = journal.append.bind(journal)
  let written = (): void => { t.fail('no call has ended') }
  journal.append = (record, done) => append(record, record.t === 'end' ? (error) => { written = () => done?.(error) } : done)
  t.equal((await gateway.chat(key, {})).status, 200)
  while (gateway.core.gate.openCalls > 0) await client.query('select')
  const closed = gateway.core.close()
  const states = new Set<string | undefined>()
  for (let look = 0; look < 1_000; look++) {
    states.add((await client.query<{ state: string }>('select state from gateways')).rows[0]?.state)
  }
  t.same([...states], ['live'], 'as long as the ledger does not know what the call cost')
  written()
  await closed
  const { rows } = await client.query(`
    select g.state, a.leased_nano, a.settled_nano > 0 as settled, (select count(*) from usage_events) as events
    from gateways g, budget_accounts a`)
  t.same(rows, [{ state: 'closed', leased_nano: '0', settled: true, events: '1' }])
})
