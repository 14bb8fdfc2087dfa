import t from 'tap'
import { type Authorship } from '../../../src/access/changes.ts'
import { PostgresAuditorBooks } from '../../../src/stores/postgres/auditor-books.ts'
import { PostgresChanges } from '../../../src/stores/postgres/changes.ts'
import { anEvent } from '../../account/contract-authority.ts'
import { aFreshWorld } from './world.ts'

const ADA: Authorship = {
  actor: { id: 'ada', name: 'Ada', role: 'administrator', reach: null }, requestId: null, from: null,
}

t.test('behind a restore nothing is given out twice, and journals bring what the backup does not know', async (t) => {
  const world = await aFreshWorld(t)
  const { authority, sql } = world
  const [database] = world.databases
  const changes = new PostgresChanges({ database, changed: () => undefined })
  const restored = async () => await changes.run(ADA, async ({ repairs }) => { await repairs.restored() })
  const spec = { budgetId: await world.defineBudget(1_000_000n), subject: '', periodStart: Date.UTC(2026), periodEnd: null }
  const accountId = (await authority.ensureAccounts([spec]))[0]?.accountId ?? 0
  const event = (amountNano: bigint, others: number[] = []) => anEvent([accountId, ...others].map((id) =>
    ({ accountId: id, amountNano, coveredNano: amountNano })))
  const known = await authority.join('journal', 'host')
  await authority.grant(known, { calls: [{ needs: [{ accountId, needNano: 1_000n }] }], extras: [] })
  const [before] = await sql('select id from deployment')

  await t.rejects(restored(), { statusCode: 409, message: /stop all gateways/ }, 'not beside a gateway that answers')
  await world.silence(known)
  await t.rejects(authority.beginRecovery(known + 1, 'other'), /is unknown/, 'an unknown life is refused before')
  await restored()
  t.not((await sql('select id from deployment'))[0]?.['id'], before?.['id'], 'what is left in Redis counts no more')
  t.same(await sql('select state from gateways'), [{ state: 'recovering' }])
  t.match(await sql('select action from audit_log'), [{ action: 'ledger.restored' }])
  t.ok(await authority.join('third', 'host') > known + 1_000_000, 'no number of a life is given out again')

  // it was granted more, and spent it, behind the backup
  await t.rejects(authority.beginRecovery(known, 'another'), /of another journal/)
  await authority.beginRecovery(known, 'journal')
  await authority.post(known, [event(800n), event(700n)], [])
  await authority.closeLeases(known, [])
  t.same(await sql('select granted_nano, returned_nano, posted_nano from leases'),
    [{ granted_nano: '1500', returned_nano: '0', posted_nano: '1500' }])
  // one that the backup does not know at all, with a charge on an account that it does not know either
  await authority.beginRecovery(known + 2, 'other')
  await authority.post(known + 2, [event(40n)], [])
  const [row] = await sql('select account_after + 5 as id from restores')
  const lost = event(60n, [Number(row?.['id'])])
  await t.rejects(authority.post(known + 2, [lost], []), /does not exist/)
  t.ok(await changes.run(ADA, async ({ repairs }) => await repairs.record(known + 2, lost)))
  t.match((await sql('select after from audit_log order by seq')).at(-1),
    { after: { onAccountsUnknownSinceARestore: [{ account: Number(row?.['id']), amountNano: '60' }] } })
  await authority.closeLeases(known + 2, [])
  t.match(await sql('select settled_nano, leased_nano from budget_accounts'), [{ settled_nano: '1600', leased_nano: '0' }])
  t.same((await new PostgresAuditorBooks(database).look(0))?.drifts, [])
  await world.assertAudit(t)
})
