import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { runCommand } from '../../src/commands.ts'
import { keepSetAside } from '../../src/journal/set-aside.ts'
import { PostgresAuditorBooks } from '../../src/stores/postgres/auditor-books.ts'
import { anEvent } from '../account/contract-authority.ts'
import { aBound, aModel } from '../pricing/builders.ts'
import { aFreshWorld } from '../stores/postgres/world.ts'

t.test('reconcile says what it would do, and does it when it is told to, each repair with its entry', async (t) => {
  const world = await aFreshWorld(t)
  const { authority, sql } = world
  const dataDir = mkdtempSync(join(tmpdir(), 'relaycore-reconcile-'))
  t.teardown(() => { rmSync(dataDir, { recursive: true, force: true }) })
  const reconcile = async (...args: string[]) => {
    const output: string[] = []
    const add = (text: string) => { output.push(text) }
    const env = { DATABASE_URL: world.url, RELAYCORE_DATA_DIR: dataDir }
    const code = await runCommand(['reconcile', ...args], env, { say: add, warn: add }, async () => 1)
    t.equal(code, 0)
    return output.join('\n')
  }
  t.equal(await reconcile(), 'Every gateway that has leased something answers.\nThe ledger agrees with itself (as far as the auditor has looked).')

  const spec = { budgetId: await world.defineBudget(1_000_000n), subject: '', periodStart: Date.UTC(2026), periodEnd: null }
  const accountId = (await authority.ensureAccounts([spec]))[0]?.accountId ?? 0
  const incarnation = await authority.join('journal', 'host')
  await authority.grant(incarnation, { calls: [{ needs: [{ accountId, needNano: 10_000n }] }], extras: [] })
  const event = (amountNano: bigint, id = uuidv7()) =>
    anEvent([{ accountId, amountNano, coveredNano: amountNano }], { id })
  await authority.post(incarnation, [event(500n)], [])
  const { opening } = event(2_000n, uuidv7({ msecs: Date.now() - 60_000 }))
  const terms = { asked: 'demo-small', model: aModel('demo', 'demo-small'), bound: aBound() }
  await authority.keep(incarnation, { opening, jobId: 'job', terms, expiresAt: opening.openedAt + 1_000, pollInMs: 1_000 })
  const folder = join(dataDir, 'journal')
  mkdirSync(folder)
  const aside = event(300n)
  keepSetAside(folder, { incarnation, at: Date.now(), reason: 'a rule of the ledger', event: aside })
  await sql('update budget_accounts set settled_nano = settled_nano - 100, leased_nano = leased_nano + 1 where id = $1', [accountId])
  await sql('update usage_by_day set amount_nano = 1 where facet = $1', ['key'])
  t.match(await new PostgresAuditorBooks(world.databases[0]).look(0), { drifts: { length: 3 } })

  const figures = async () => await sql('select settled_nano, leased_nano, long_held_nano from budget_accounts')
  const before = await figures()
  const dry = await reconcile()
  for (const says of [
    `event ${aside.opening.id} of gateway ${incarnation}, set aside because: a rule of the ledger: is to be recorded`,
    `hold ${opening.id}: past its deadline since ${new Date(opening.openedAt + 1_000).toISOString()}, is to be charged at 0.000002 USD`,
    `account ${accountId}: settled is kept as 400, and should be 500: is to be put right`,
    `account ${accountId}: usage_by_day is kept as 1 in 1 sums`,
    'Nothing was changed.',
  ]) t.match(dry, says)
  t.same(await figures(), before)
  t.same(await sql('select action from audit_log'), [])

  t.match(await reconcile('--apply'), 'set aside because: a rule of the ledger: recorded')
  t.same(await figures(), [{ settled_nano: '2800', leased_nano: '7200', long_held_nano: '0' }])
  t.same((await sql('select action from audit_log order by seq')).map(({ action }) => action),
    ['usage.set_aside_recorded', 'hold.expired', 'ledger.account_healed', 'ledger.sums_healed'])
  t.equal(readFileSync(join(folder, 'set-aside.jsonl'), 'utf8'), '')
  t.ok(existsSync(join(folder, 'lock')))
  await world.assertAudit(t)
  t.match(await reconcile('--all'), /The ledger agrees with itself \(1 accounts compared with their records\)/)

  await sql('delete from relaycore_migrations where version > 25')
  await t.rejects(reconcile(), /has schema version 25, this program \d+: run `relaycore migrate` first/)
})
