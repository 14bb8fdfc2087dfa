import t, { type Test } from 'tap'
import { LostGateways } from '../../../src/account/lost-gateways.ts'
import { type UsageEvent } from '../../../src/usage/usage.ts'
import { anEvent } from '../../account/contract-authority.ts'
import { aFreshWorld, type PostgresWorld } from './world.ts'

const HOUR_AGO = "update gateways set heartbeat_at = now() - interval '1 hour' where incarnation = $1"

/** a gateway that has leased 100 of an account's 1,000, and is not heard of any more */
async function aLostGateway (t: Test): Promise<{ world: PostgresWorld, lost: number, account: number }> {
  const world = await aFreshWorld(t)
  const budgetId = await world.defineBudget(1_000n)
  const [made] = await world.authority.ensureAccounts([
    { budgetId, subject: '', periodStart: Date.UTC(2020, 0), periodEnd: null },
  ])
  const account = made?.accountId as number
  const lost = await world.authority.join('journal', 'lost-host')
  await world.authority.grant(lost, { calls: [{ needs: [{ accountId: account, needNano: 100n }] }], extras: [] })
  await world.sql(HOUR_AGO, [lost])
  return { world, lost, account }
}

async function figures ({ world, account }: { world: PostgresWorld, account: number }) {
  const [found] = (await world.authority.inspect([account])).accounts
  return { settled: found?.settledNano, leased: found?.leasedNano, inDoubt: found?.inDoubtNano }
}

const spent = (accountId: number, nano: bigint): UsageEvent =>
  anEvent([{ accountId, amountNano: nano, coveredNano: nano }])

t.test('a gateway that does not answer is listed, and what it leased is in doubt', async (t) => {
  const lost = await aLostGateway(t)
  t.match(await lost.world.authority.gateways(), [{ incarnation: lost.lost, host: 'lost-host', state: 'live', accounts: 1 }])
  t.same(await figures(lost), { settled: 0n, leased: 100n, inDoubt: 100n })
})

t.test('a write-off counts as spent what was leased, once', async (t) => {
  const lost = await aLostGateway(t)
  t.match(await lost.world.writeOff(lost.lost), [{ accountId: lost.account, amountNano: 100n, currency: 'USD' }])
  t.same(await figures(lost), { settled: 100n, leased: 0n, inDoubt: 0n })
  await t.rejects(lost.world.writeOff(lost.lost), /closed already/)
  t.same(await lost.world.authority.gateways(), [])
  await lost.world.assertAudit(t)
})

t.test('a gateway that was silent for the set time is given up once, by whoever looks', async (t) => {
  const lost = await aLostGateway(t)
  const { authorities } = lost.world
  const said: string[] = []
  const say = (_: object, message: string) => { said.push(message) }
  const look = (afterMs: number) => Promise.all(authorities.map((authority) =>
    new LostGateways({ authority, writeOff: lost.world.writeOff, afterMs, log: { warn: say, error: say } }).look()))

  await look(0)
  await look(2 * 3_600_000)
  t.same(await figures(lost), { settled: 0n, leased: 100n, inDoubt: 100n })

  await look(1_800_000)
  t.same(await figures(lost), { settled: 100n, leased: 0n, inDoubt: 0n })
  t.equal(said.filter((message) => message.startsWith('a gateway is given up')).length, 1)
  t.match(await lost.world.sql('select * from audit_log'), [{
    action: 'gateway.written_off', object_id: String(lost.lost), before: { state: 'live' }, after: { state: 'written off' },
  }], 'and the audit log says so')
  await lost.world.assertAudit(t)
})

t.test('a gateway that answers cannot be written off', async (t) => {
  const { world, lost } = await aLostGateway(t)
  await world.sql('update gateways set heartbeat_at = now() where incarnation = $1', [lost])
  await t.rejects(world.writeOff(lost), /answers/)
})

t.test('what turns up after a write-off takes its place, and nothing counts twice', async (t) => {
  const lost = await aLostGateway(t)
  const { world, account } = lost
  await world.writeOff(lost.lost)
  const event = spent(account, 30n)
  await world.authority.post(lost.lost, [event], [])
  await world.authority.post(lost.lost, [event], [])
  t.same(await figures(lost), { settled: 100n, leased: 0n, inDoubt: 0n })
  await world.assertAudit(t)

  await world.authority.beginRecovery(lost.lost)
  await world.authority.closeLeases(lost.lost, [])
  t.same(await figures(lost), { settled: 30n, leased: 0n, inDoubt: 0n }, 'its journal is posted whole: the rest was never spent')
  await world.authority.closeLeases(lost.lost, [])
  t.same(await figures(lost), { settled: 30n, leased: 0n, inDoubt: 0n })
  await world.assertAudit(t)
})

t.test('what turns up beyond the write-off is spent too', async (t) => {
  const lost = await aLostGateway(t)
  await lost.world.writeOff(lost.lost)
  const overrun = anEvent([{ accountId: lost.account, amountNano: 170n, coveredNano: 100n }])
  await lost.world.authority.post(lost.lost, [overrun], [])
  t.same(await figures(lost), { settled: 170n, leased: 0n, inDoubt: 0n })
  await lost.world.assertAudit(t)
})
