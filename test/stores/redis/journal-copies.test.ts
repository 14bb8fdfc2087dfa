import { randomUUID } from 'node:crypto'
import { cpSync } from 'node:fs'
import t, { type Test } from 'tap'
import { type Authority } from '../../../src/account/authority.ts'
import { JournalCopy } from '../../../src/journal/copy.ts'
import { EndedCall } from '../../../src/journal/ended-call.ts'
import { LostCalls, readCopy } from '../../../src/journal/lost-calls.ts'
import { recover } from '../../../src/journal/recovery.ts'
import { RedisJournalCopies } from '../../../src/stores/redis/journal-copies.ts'
import { type UsageEvent } from '../../../src/usage/usage.ts'
import { anEvent } from '../../account/contract-authority.ts'
import { aFolder, aLog, open, written } from '../../journal/builders.ts'
import { aWorld, type PostgresWorld } from '../postgres/world.ts'
import { aRedisServer } from './server.ts'

const redis = await aRedisServer(t)

function quiet () {
  const log = aLog()
  return { ...log, info: log.warn }
}

async function someCopies (t: Test, deploymentId = randomUUID()): Promise<RedisJournalCopies> {
  const copies = new RedisJournalCopies({ url: redis.url, deploymentId, log: quiet() })
  t.teardown(() => copies.close())
  await copies.start()
  return copies
}

async function eventually (what: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000
  while (!await what()) if (Date.now() > deadline) throw new Error('it did not come to pass')
}

const ids = (events: readonly UsageEvent[]) => events.map(({ opening }) => opening.id)
const copied = async (copies: RedisJournalCopies, incarnation: number) => ids(await readCopy(copies, incarnation) ?? [])

/** a gateway that has leased 100 of 1,000 and has calls that ended at 30 each, in its copy alone; it is not heard of */
async function aLostGateway (t: Test, calls: number) {
  const world = await aWorld(t)
  const deploymentId = randomUUID()
  const copies = await someCopies(t, deploymentId)
  const [made] = await world.authority.ensureAccounts([
    { budgetId: await world.defineBudget(1_000n), subject: '', periodStart: Date.UTC(2020, 0), periodEnd: null },
  ])
  const account = made?.accountId as number
  const folder = await open(aFolder(t))
  const lost = await world.authority.join(folder.journalId, 'lost-host')
  await world.authority.grant(lost, { calls: [{ needs: [{ accountId: account, needNano: 100n }] }], extras: [] })
  const copy = new JournalCopy({ store: copies, incarnation: lost, maxBytes: 1e6 })
  const charges = [{ accountId: account, amountNano: 30n, coveredNano: 30n }]
  const events = Array.from({ length: calls }, () => anEvent(charges))
  for (const event of events) copy.add(EndedCall.of(event))
  await eventually(async () => (await copied(copies, lost)).length === calls)
  await world.silence(lost)
  const key = `relaycore:${deploymentId}:journal:${lost}`
  return { world, copies, folder, lost, account, events, key }
}

function looking (world: PostgresWorld, copies: RedisJournalCopies, post?: Authority['post'], incarnation = 0) {
  const { authority } = world
  const log = quiet()
  const lostCalls = new LostCalls({
    authority: { silent: (ms) => authority.silent(ms), post: post ?? ((...args) => authority.post(...args)) },
    copies,
    incarnation,
    keptMs: 3_600_000,
    now: Date.now,
    log,
  })
  return Object.assign(lostCalls, { log })
}

async function figures ({ world, account }: { world: PostgresWorld, account: number }) {
  const [found] = (await world.authority.inspect([account])).accounts
  return { settled: found?.settledNano, leased: found?.leasedNano, inDoubt: found?.inDoubtNano }
}

t.test('ended calls of a silent gateway are recorded once, whoever looks; what else it leased stays in doubt', async (t) => {
  const lost = await aLostGateway(t, 2)
  const { world, copies } = lost
  const [one, other] = [looking(world, copies), looking(world, copies)]
  await Promise.all([one.look(), other.look()])
  t.equal(one.recorded + other.recorded, 2)
  t.strictSame(await figures(lost), { settled: 60n, leased: 40n, inDoubt: 40n })
  t.strictSame(await copied(copies, lost.lost), [], 'they are needed no more')
  t.match(await world.authority.gateways(), [{ incarnation: lost.lost, state: 'live' }])
  await world.assertAudit(t)
})

t.test('a gateway that was only away finds its calls recorded, and nothing counts twice', async (t) => {
  const lost = await aLostGateway(t, 2)
  const { world, copies, account } = lost
  await looking(world, copies).look()
  const returns = [{ accountId: account, returnedNano: 10n }]
  const { inserted, accounts } = await world.authority.post(lost.lost, lost.events, returns)
  t.strictSame(inserted, [])
  t.match(accounts, [{ postedNano: 60n, leasedNano: 30n }], 'and hears what of its lease is posted')
  await world.assertAudit(t)
})

t.test('after a write-off they take its place, and nothing counts twice', async (t) => {
  const lost = await aLostGateway(t, 2)
  const { world, copies } = lost
  await world.sql('select write_off($1)', [lost.lost])
  t.strictSame(await figures(lost), { settled: 100n, leased: 0n, inDoubt: 0n })
  await looking(world, copies).look()
  t.strictSame(await figures(lost), { settled: 100n, leased: 0n, inDoubt: 0n })
  t.match(await world.sql('select outcome, cost_nano from usage_events order by id'), [
    { outcome: 'completed' }, { outcome: 'completed' }, { outcome: 'written_off' }, { outcome: 'write_off_replaced' },
  ])
  await world.assertAudit(t)
})

t.test('its own gateway, one that answers, and one that is closed, are left alone', async (t) => {
  const lost = await aLostGateway(t, 1)
  const { world, copies, lost: incarnation } = lost
  await looking(world, copies, undefined, incarnation).look()
  await world.sql('update gateways set heartbeat_at = now() where incarnation = $1', [incarnation])
  await looking(world, copies).look()
  await world.silence(incarnation)
  await world.sql("update gateways set state = 'closed' where incarnation = $1", [incarnation])
  await looking(world, copies).look()
  t.equal((await copied(copies, incarnation)).length, 1)
})

t.test('while PostgreSQL takes nothing the copy stays', async (t) => {
  const { world, copies, lost } = await aLostGateway(t, 2)
  await looking(world, copies, async () => { throw new Error('no answer') }).look()
  t.equal((await copied(copies, lost)).length, 2)
})

t.test('what another version wrote is left where it is, said once, and keeps nothing else from being recorded', async (t) => {
  const lost = await aLostGateway(t, 1)
  const { world, copies } = lost
  const bytes = Buffer.from('{"t":"open","id":"x"}\n{"t":"end","id":"x"}\nrest')
  await copies.write(lost.lost, [{ number: 9, bytes }], null, false)
  const looks = looking(world, copies)
  await looks.look()
  await looks.look()
  t.equal(looks.recorded, 1)
  t.equal(looks.log.lines.filter(({ message }) => message.includes('cannot read')).length, 1)
  t.equal(await redis.admin.xlen(lost.key), 2)
})

t.test('a start on a journal whose last records the disk lost takes them from the copy', async (t) => {
  const lost = await aLostGateway(t, 2)
  const { world, copies, folder, account } = lost
  const journal = folder.begin(lost.lost)
  // of the first call the opening alone reached the disk, of the second nothing
  const [first] = lost.events as [UsageEvent]
  const holds = [{ accountId: account, quoteNano: 90n, rate: null, enforced: true }]
  await written(journal, { t: 'open', call: { ...first.opening, holds } })
  const disk = aFolder(t)
  cpSync(folder.path, disk, { recursive: true })
  await folder.close()
  const again = await open(disk, { bootId: 'boot-2' })
  const found = await recover({ folder: again, authority: world.authority, copies, now: Date.now, log: quiet() })
  await again.close()
  t.strictSame(found, { lives: 1, posted: 2, uncertain: 0, inDoubt: 1 })
  t.strictSame(await figures(lost), { settled: 60n, leased: 40n, inDoubt: 40n })
  t.equal(await redis.admin.exists(lost.key), 0)
})

t.test('a copy expires, and is whole again after Redis has forgotten it', async (t) => {
  const copies = await someCopies(t)
  const copy = new JournalCopy({ store: copies, incarnation: 5, maxBytes: 1e6 })
  const first = EndedCall.of(anEvent([]))
  copy.add(first)
  await eventually(async () => (await copied(copies, 5)).length === 1)
  const [key] = await redis.admin.keys('*:journal:5')
  t.ok(await redis.admin.pttl(key as string) > 86_400_000)
  await redis.admin.del(key as string)
  const second = EndedCall.of(anEvent([]))
  copy.add(second)
  await eventually(async () => (await copied(copies, 5)).length === 2)
  t.strictSame(await copied(copies, 5), [first.id, second.id])
  copy.posted(2)
  await copy.close()
  t.strictSame(await redis.admin.keys('*:journal:5'), [])
})
