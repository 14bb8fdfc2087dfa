import t, { type Test } from 'tap'
import { type Authorship } from '../../src/access/changes.ts'
import { Auditor } from '../../src/auditor/auditor.ts'
import { DRIFT_KINDS, isDerived, isRepairable, type DriftKind } from '../../src/auditor/drift.ts'
import { PostgresAuditLog } from '../../src/stores/postgres/audit-log.ts'
import { PostgresAuditorBooks } from '../../src/stores/postgres/auditor-books.ts'
import { PostgresChanges } from '../../src/stores/postgres/changes.ts'
import { aBound, aModel } from '../pricing/builders.ts'
import { anEvent } from '../account/contract-authority.ts'
import { aFreshWorld, type PostgresWorld } from '../stores/postgres/world.ts'

const ITSELF: Authorship = {
  actor: { id: 'gateway 1', name: 'host', role: 'system', reach: null }, requestId: null, from: null,
}

interface Audited {
  world: PostgresWorld
  books: PostgresAuditorBooks
  changes: PostgresChanges
  auditor: Auditor
  lines: string[]
  /** looks until all accounts have been read once more */
  turn (): Promise<void>
}

async function audited (t: Test): Promise<Audited> {
  const world = await aFreshWorld(t)
  const [, database, other] = world.databases
  const books = new PostgresAuditorBooks(other, { accounts: 3 })
  const changes = new PostgresChanges({ database, changed: () => undefined })
  const lines: string[] = []
  const line = (details: object, message: string) => { lines.push(`${message} ${JSON.stringify(details)}`) }
  const auditor = new Auditor({
    books,
    heal: async (accountId) => await changes.run(ITSELF, async ({ repairs }) => await repairs.healDerived(accountId)),
    everyMs: 0,
    log: { info: line, warn: line, error: line },
  })
  const turn = async () => {
    const ended = async () => String((await world.sql('select turn_ended_at::text as at from auditor'))[0]?.['at'])
    // a turn that is under way may have passed what was changed since
    for (const _ of [1, 2]) {
      const before = await ended()
      do {
        await auditor.look()
        t.notMatch(lines.join('\n'), /could not be/)
      } while (t.passing() && await ended() === before)
    }
  }
  return { world, books, changes, auditor, lines, turn }
}

interface Used { budgetIds: string[], accounts: number[], open: number, gone: number, event: string }

/** calls and recoveries of every kind: closed with and without what is kept, written off and back, for long */
async function use ({ world }: Audited): Promise<Used> {
  const { authority } = world
  const budgetIds = [await world.defineBudget(1_000_000_000n), await world.defineBudget(null)]
  const specs = budgetIds.flatMap((budgetId) => [0, 1].map((n) => ({
    budgetId, subject: '', periodStart: Date.UTC(2026 + n), periodEnd: Date.UTC(2027 + n),
  })))
  const accounts = (await authority.ensureAccounts(specs)).map(({ accountId }) => accountId)
  const [a = 0, , soft = 0] = accounts
  const [open = 0, closed = 0, kept = 0, gone = 0] = await Promise.all([0, 1, 2, 3].map(() => authority.join('journal', 'host')))
  const event = (amountNano: bigint, coveredNano = amountNano) => anEvent([
    { accountId: a, amountNano, coveredNano }, { accountId: soft, amountNano, coveredNano: 0n },
  ])
  for (const incarnation of [open, closed, kept, gone]) {
    await authority.grant(incarnation, { calls: [{ needs: [{ accountId: a, needNano: 10_000n }] }], extras: [] })
    await authority.post(incarnation, [event(1_000n)], [{ accountId: a, returnedNano: 500n }])
  }
  for (const incarnation of [closed, kept]) await authority.beginRecovery(incarnation)
  await authority.closeLeases(closed, [])
  await authority.closeLeases(kept, [{ accountId: a, keptNano: 700n }])
  await authority.post(closed, [event(50n)], [])
  await world.silence(gone)
  await world.writeOff(gone)
  const late = event(300n)
  await authority.post(gone, [late], [])
  const long = event(2_000n)
  await authority.keep(open, {
    opening: long.opening,
    jobId: 'job',
    terms: { asked: 'demo-small', model: aModel('demo', 'demo-small'), bound: aBound() },
    expiresAt: long.opening.openedAt + 60_000,
    pollInMs: 1_000,
  })
  return { budgetIds, accounts, open, gone, event: late.opening.id }
}

t.test('a ledger in use shows no drift, whatever moves while the auditor looks', async (t) => {
  const it = await audited(t)
  const { world, auditor, lines } = it
  const { accounts: [a = 0, , soft = 0] } = await use(it)
  const state = { working: 3, looks: 0 }
  const work = async (authority: PostgresWorld['authority']) => {
    const incarnation = await authority.join('journal', 'host')
    let returned = 0n
    for (let round = 0; round < 10; round++) {
      await authority.grant(incarnation, { calls: [{ needs: [{ accountId: a, needNano: 1_000n }] }], extras: [] })
      returned += 100n
      const events = [400n, 500n].map((amountNano) => anEvent([
        { accountId: a, amountNano, coveredNano: amountNano }, { accountId: soft, amountNano, coveredNano: 0n },
      ]))
      await authority.post(incarnation, events, [{ accountId: a, returnedNano: returned }])
    }
    await authority.beginRecovery(incarnation)
    await authority.closeLeases(incarnation, [])
    state.working--
  }
  const looking = async () => { for (; state.working > 0; state.looks++) await auditor.look() }
  await Promise.all([looking(), ...world.authorities.map(work)])
  t.ok(state.looks > 2, `${state.looks} looks`)
  t.same(lines, [])
  t.same(await world.sql('select * from drifts'), [])
  await world.assertAudit(t)
})

t.test('drift of each kind is found and told; sums are healed by the look, rights to spend by command', async (t) => {
  const it = await audited(t)
  const { world: { sql, authority }, auditor, books, changes, lines, turn } = it
  const { budgetIds, accounts: [a = 0, , soft = 0], open, gone, event } = await use(it)
  const other = anEvent([{ accountId: soft, amountNano: 5n, coveredNano: 0n }])
  await authority.post(open, [other], [])
  await turn()
  t.same([...auditor.found], [])
  const faults: Record<DriftKind, [string, unknown[]]> = {
    settled: ['update budget_accounts set settled_nano = settled_nano - 1 where id = $1', [a]],
    leased: ['update budget_accounts set leased_nano = leased_nano + 7 where id = $1', [a]],
    long_held: ['update budget_accounts set long_held_nano = long_held_nano - 1 where id = $1', [a]],
    posted: ['update leases set posted_nano = posted_nano + 9 where account_id = $1 and incarnation = $2', [a, open]],
    status_cache: ['update budget_status_cache set settled_nano = settled_nano + 1 where account_id = $1', [a]],
    usage_by_hour: ["delete from usage_by_hour where account_id = $1 and facet = 'key'", [a]],
    usage_by_day: ["update usage_by_day set amount_nano = 1 where account_id = $1 and facet = 'model'", [soft]],
    event: ['delete from usage_events where id = $1', [other.opening.id]],
    charge: ['update usage_events set cost_nano = cost_nano + 1 where id = $1', [event]],
    negative: [`with one as (update budget_usage_records set amount_nano = amount_nano - 1000000 where account_id = $1 and event_id = $2)
      update budget_accounts set settled_nano = settled_nano - 1000000 where id = $1`, [soft, event]],
  }
  for (const kind of DRIFT_KINDS) {
    await sql(...faults[kind])
    const unseen = auditor.found.get(kind) ?? 0
    await turn()
    t.ok((auditor.found.get(kind) ?? 0) > unseen, `${kind} is found`)
    if (isDerived({ kind })) t.notOk(auditor.drifts.has(kind), `${kind} is healed`)
    else t.ok(auditor.drifts.has(kind), `${kind} is left to people`)
  }
  t.match(lines.join('\n'), new RegExp(`account ${a}: posted of gateway ${open} is kept as 1009, and should be 1000`))
  t.match(lines.join('\n'), /what is derived from records was made anew/)

  for (const id of [a, soft]) await changes.run(ITSELF, async ({ repairs }) => await repairs.healAccount(id))
  const left = [...await books.open()].map(([kind]) => kind)
  t.notOk(left.some((kind) => isRepairable({ kind })), `what can be put right is: ${left.join(', ')} left`)
  const healed = await sql('select action, object_id, before, after from audit_log where object_type = $1 order by seq', ['budget'])
  t.match(healed.at(-1), {
    action: 'ledger.account_healed',
    object_id: budgetIds[0],
    before: { figures: ['settled', 'long_held', 'leased', 'posted'].map((kind) => ({ kind })) },
  })
  t.ok(healed.some(({ action }) => action === 'ledger.sums_healed'))
  t.match(await new PostgresAuditLog(it.world.databases[0]).verify(), { broken: null })

  // put back, it is gone with the next look
  await sql('update usage_events set cost_nano = cost_nano - 1 where id = $1', [event])
  await sql(faults.negative[0].replaceAll('- 1000000', '+ 1000000'), [soft, event])
  await turn()
  t.same([...auditor.drifts.keys()], ['event'])
  t.same(await sql('select posted_nano, written_off_nano from leases where incarnation = $1', [gone]),
    [{ posted_nano: '9500', written_off_nano: '8200' }], 'what was written off is as it was')
})

t.test('one gateway looks at a time, and none where another has just looked', async (t) => {
  const it = await audited(t)
  await use(it)
  t.ok(await it.books.look(60_000))
  t.equal(await it.books.look(60_000), null)
  await it.world.databases[0].transaction(async (tx) => {
    await tx.query({ text: "select pg_advisory_xact_lock(hashtext('relaycore auditor'))" })
    t.equal(await it.books.look(0), null)
  })
  t.ok(await it.books.look(0))
})
