import { randomUUID } from 'node:crypto'
import t from 'tap'
import { Database } from '../../../src/stores/postgres/pool.ts'
import { PostgresReportStore } from '../../../src/stores/postgres/report-store.ts'
import { anEvent } from '../../account/contract-authority.ts'
import { aLedger, TODAY } from './ledger.ts'

t.test('shows accounts as the ledger has them', async (t) => {
  const ledger = await aLedger(t)
  await ledger.charge(0)
  await ledger.charge(0)
  const accountId = await ledger.account(0)
  const dead = await ledger.world.authority.join('other', 'host')
  for (const incarnation of [ledger.incarnation, dead]) {
    await ledger.world.authority.grant(incarnation, { calls: [{ needs: [{ accountId, needNano: 20n }] }], extras: [] })
  }
  await ledger.world.silence(dead)
  const period = { budgetId: ledger.budgetId, subject: '', periodStart: TODAY, periodEnd: null }

  const found = await ledger.reports.accounts([
    period, { ...period, periodStart: 1 }, { ...period, budgetId: randomUUID() },
  ])
  const accounts = found.filter((one) => 'accountId' in one)

  t.match(accounts, [{
    accountId,
    budgetId: ledger.budgetId,
    periodStart: TODAY,
    limitNano: 1_000_000n,
    settledNano: 3n,
    belowNano: 0n,
    leasedNano: 40n,
    doubt: { holder: `host (gateway ${dead})`, since: Number },
    alerts: [],
    chargedAt: Number,
  }])
  const leases = accounts.flatMap((one) => one.leases).sort((a, b) => a.incarnation - b.incarnation)
  t.match(leases, [
    { accountId, incarnation: ledger.incarnation, restNano: 20n, postedNano: 0n, responds: true },
    { accountId, incarnation: dead, restNano: 20n, postedNano: 0n, responds: false },
  ])
  t.equal(accounts.length, 1)
  t.match(found.find((one) => !('accountId' in one) && one.budgetId === ledger.budgetId), { totalNano: 1_000_000n, limitNano: 1_000_000n }, 'of a period without an account there are the limits')
  t.same(await ledger.reports.accounts([]), [])
})

t.test('shows the thresholds that an account has crossed', async (t) => {
  const ledger = await aLedger(t)
  const accountId = await ledger.account(0)
  const crossed = async () =>
    (await ledger.reports.accounts([{ budgetId: ledger.budgetId, subject: '', periodStart: TODAY, periodEnd: null }]))
      .flatMap((one) => 'accountId' in one ? one.alerts : [])
  t.same(await crossed(), [])

  const event = anEvent([{ accountId, amountNano: 600_000n, coveredNano: 0n }])
  await ledger.world.authority.post(ledger.incarnation, [event], [])

  const alerts = await crossed()
  t.match(alerts, [{ threshold: 50, actions: ['notify'], settledNano: 600_000n, acknowledgedAt: null, acknowledgedBy: null }])
  t.type(alerts[0]?.triggeredAt, 'number')
})

t.test('an outage is said to be one', async (t) => {
  const database = new Database({ connectionString: 'postgres://postgres@127.0.0.1:1/none' })
  t.teardown(() => database.close())
  const store = new PostgresReportStore(database)
  const UNAVAILABLE = { code: /^dependency_unavailable$/i }

  await t.rejects(store.accounts([{ budgetId: randomUUID(), subject: '', periodStart: 0, periodEnd: null }]), UNAVAILABLE)
  await t.rejects(store.chain(randomUUID()), UNAVAILABLE)
  await t.rejects(store.rate('EUR'), UNAVAILABLE)
})
