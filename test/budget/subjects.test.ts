import fc from 'fast-check'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { MemoryHotStatus, MemoryHub } from '../../src/account/memory-hot-status.ts'
import { type AppliedBudget, appliedTo } from '../../src/budget/applies.ts'
import { type Budget, type Identity } from '../../src/budget/budget.ts'
import { defineBudget } from '../../src/budget/define.ts'
import { BudgetRegistry } from '../../src/budget/registry.ts'
import { BudgetTracker, type CallHold } from '../../src/budget/tracker.ts'
import { isRefusal } from '../../src/providers/provider.ts'
import { type Charge, type UsageEvent } from '../../src/usage/usage.ts'
import { MemoryAuthority } from '../account/memory-authority.ts'

const NOW = Date.UTC(2026, 10, 25)
const CALL = { provider: 'openai', model: 'gpt-4o', endpoint: 'chat.completions' }
const NANO = 1_000_000_000n

function aBudget (id: string, fields: object): Budget {
  const draft = defineBudget({
    name: id, organizationId: 'acme', scopeType: 'user', scopeId: '*', amount: '1', currency: 'USD', period: 'monthly', startDate: '2026-01-01', ...fields,
  }, NOW)
  return {
    ...draft,
    id,
    enforcedLimitNano: draft.amountNano,
    rate: null,
    rateAt: null,
    createdAt: 0,
    updatedAt: 0,
    archivedAt: null,
    version: 1,
  }
}

const NOBODY: Identity = {
  organizationId: 'acme', teamId: null, projectId: null, userId: null, keyId: 'key', sessionId: null, tags: null,
}
const EACH = aBudget('each user', {})

/** a gateway's tracker on an authority of its own, with what it finished and has not recorded */
async function aGateway (t: Test | null, mostWaiting = Infinity) {
  const world = { now: NOW, lineFull: 0 }
  const authority = new MemoryAuthority({ now: () => world.now })
  authority.defineBudget(EACH.id, EACH.amountNano)
  const incarnation = await authority.join('journal', 'host')
  const tracker = new BudgetTracker({
    authority,
    hot: new MemoryHotStatus(new MemoryHub(), incarnation),
    outageMs: Infinity,
    incarnation,
    now: () => world.now,
    steady: () => world.now,
    random: Math.random,
    log: { warn: () => {}, error: () => {} },
    onReturnsDue: () => {},
    onNotLive: (error) => { throw error },
    mostWaiting,
    onLineFull: () => { world.lineFull++ },
  })
  t?.teardown(() => { tracker.stop() })
  const ended: UsageEvent[] = []
  let calls = 0
  return {
    world,
    authority,
    tracker,
    applied: (userId: string): AppliedBudget[] => appliedTo([EACH], { ...NOBODY, userId }, CALL, world.now),
    end (hold: CallHold, costNano: bigint): Charge[] {
      const id = `call ${calls++}`
      const charges = tracker.settle(hold, costNano)
      ended.push({ opening: { id, holds: hold.holds }, end: { id, charges } } as unknown as UsageEvent)
      return charges
    },
    async post (): Promise<void> {
      const events = ended.splice(0)
      const returns = tracker.collectReturns()
      const answer = await authority.post(incarnation, events, returns)
      tracker.posted(answer, events.flatMap(({ end }) => end.charges), returns)
    },
  }
}

t.test('of ten thousand users nothing is left once they are idle, and whoever comes back has spent what they had', async (t) => {
  const gateway = await aGateway(t)
  const { world, tracker, authority } = gateway
  const users = Array.from({ length: 10_000 }, (_, i) => `user ${i}`)
  for (let i = 0; i < users.length; i += 500) {
    await Promise.all(users.slice(i, i + 500).map(async (user) => {
      const hold = await tracker.hold(gateway.applied(user), NANO / 2n)
      if (isRefusal(hold)) throw new Error(hold.message)
      gateway.end(hold, NANO / 4n)
    }))
    await gateway.post()
  }
  const inUse = () => [...tracker.inUse()].length
  t.equal(inUse(), 10_000)

  tracker.start()
  const until = Date.now() + 60_000
  for (; inUse() > 0 && Date.now() < until; await wait(20)) {
    world.now += 6_000
    await gateway.post()
  }
  t.equal(inUse(), 0)
  const { accounts } = await authority.inspect(users.map((_, i) => i + 1))
  t.equal(accounts.length, 10_000)
  t.ok(accounts.every(({ leasedNano, accountId }) => leasedNano === 0n && tracker.view(accountId) === null))
  t.equal(tracker.debts().size, 0)

  const again = await tracker.hold(gateway.applied('user 7'), NANO / 2n)
  if (isRefusal(again)) throw new Error(again.message)
  gateway.end(again, NANO / 2n)
  const refused = await tracker.hold(gateway.applied('user 7'), NANO / 2n)
  t.match(refused, { code: 'budget_exhausted', message: /user user 7/, budget: { spent: '0.75' } })
})

t.test('no subject passes its limit, whatever the others spend', async () => {
  const step = fc.record({
    user: fc.constantFrom('a', 'b', 'c'), quote: fc.bigInt(1n, 400n), cost: fc.bigInt(0n, 400n), ends: fc.boolean(), posts: fc.boolean(),
  })
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const gateway = await aGateway(null)
    const spent = new Map<string, bigint>()
    const open: { user: string, hold: CallHold, quote: bigint, cost: bigint }[] = []
    const held = (user: string) => open.reduce((sum, one) => one.user === user ? sum + one.quote : sum, 0n)
    const of = (user: string) => (spent.get(user) ?? 0n) + held(user)
    const end = ({ user, hold, quote, cost }: typeof open[number]) => {
      const paid = cost < quote ? cost : quote
      gateway.end(hold, paid)
      spent.set(user, (spent.get(user) ?? 0n) + paid)
    }
    for (const { user, quote, cost, ends, posts } of steps) {
      const nano = quote * NANO / 1_000n
      const hold = await gateway.tracker.hold(gateway.applied(user), nano)
      if (!isRefusal(hold)) open.push({ user, hold, quote: nano, cost: cost * NANO / 1_000n })
      else if (of(user) + nano <= EACH.amountNano && hold.code !== 'budget_contention') throw new Error(`${user} was refused: ${hold.message}`)
      if (of(user) > EACH.amountNano) throw new Error(`${user} has passed the limit`)
      if (ends) for (const one of open.splice(0, 1)) end(one)
      if (posts) await gateway.post()
    }
    for (const one of open.splice(0)) end(one)
    await gateway.post()
    gateway.tracker.stop()
    const settled = gateway.authority.books().map(({ settledNano }) => settledNano).filter((nano) => nano > 0n).sort()
    const expected = [...spent.values()].filter((nano) => nano > 0n).sort()
    if (settled.join() !== expected.join()) throw new Error(`settled ${settled.join()}, spent ${expected.join()}`)
  }), { numRuns: 60 })
})

t.test('a budget for each of many is for those of the nearest budget above it that is for one', (t) => {
  const team = aBudget('team', { scopeType: 'team', scopeId: 'red' })
  const users = aBudget('users', { parentBudgetId: '00000000-0000-4000-8000-000000000000' })
  users.parentBudgetId = team.id
  const sessions = { ...aBudget('sessions', { scopeType: 'session' }), parentBudgetId: users.id }
  const found = (identity: Partial<Identity>, budgets = [team, users, sessions]) =>
    appliedTo(budgets, { ...NOBODY, ...identity }, CALL, NOW).map(({ budget, subject }) => `${budget.id}:${subject}`).sort()
  t.strictSame(found({ teamId: 'red', userId: 'ann', sessionId: 's' }), ['sessions:s', 'team:', 'users:ann'])
  t.strictSame(found({ teamId: 'red', sessionId: 's' }), ['sessions:s', 'team:'], 'one above is passed over for nobody')
  t.strictSame(found({ teamId: 'blue', userId: 'ann', sessionId: 's' }), [])
  t.strictSame(found({ teamId: 'red', userId: 'ann' }, [{ ...team, archivedAt: 1 }, users]), ['users:ann'])
  t.strictSame(found({ teamId: 'blue', userId: 'ann' }, [{ ...team, archivedAt: 1 }, users]), [], 'archived, it narrows still')
  t.end()
})

t.test('sessions and tags make no lists of budgets, but for those that a budget names', async (t) => {
  const asked: Identity[] = []
  const registry = new BudgetRegistry({
    forIdentity: async (identity) => {
      asked.push(identity)
      return [{ ...EACH }]
    },
    named: async () => ({ session: false, endUser: true, tags: ['stage'] }),
    versions: async () => ({ budgets: 1, keys: 1 }),
  })
  const lookup = async (identity: Partial<Identity>) => await registry.lookup({ ...NOBODY, ...identity })
  const [one, other] = [await lookup({ sessionId: 's1' }), await lookup({ sessionId: 's2', tags: { request: '7' } })]
  t.equal(one, other)
  t.equal(one, await lookup({}))
  t.equal(asked.length, 1)
  const staged = await lookup({ tags: { stage: 'test', request: '8' } })
  t.not(staged, one)
  t.equal(staged, await lookup({ tags: { stage: 'test', request: '9' } }))
  t.equal(staged[0], one[0], 'of all lists the same object')
  t.not(await lookup({ endUserId: 'zoe' }), one)
  t.equal(asked.length, 3)
})

t.test('while as many calls wait as may, only those are refused that would have to wait too', async (t) => {
  const gateway = await aGateway(t, 2)
  const { tracker, authority, world } = gateway
  const hold = async (user: string) => await tracker.hold(gateway.applied(user), NANO / 10n)
  // the leases of both are there, and the second's has room for more
  for (const user of ['a', 'b']) gateway.end(await hold(user) as CallHold, 0n)
  let answer = (): void => {}
  const answered = new Promise<void>((resolve) => { answer = resolve })
  const { grant } = authority
  authority.grant = async (...asked) => { await answered; return await grant.apply(authority, asked) }
  const waiting = [tracker.hold(gateway.applied('a'), NANO), tracker.hold(gateway.applied('a'), NANO)]
  const refused = await tracker.hold(gateway.applied('a'), NANO)
  t.match(refused, { code: 'overloaded', retryable: true, message: /As many calls wait for a budget as may \(2\)/ })
  const held = await hold('b')
  t.notOk(isRefusal(held), 'who need not wait is let through')
  t.notOk(isRefusal(await tracker.extend(held as CallHold, NANO / 100n)))
  answer()
  t.match((await Promise.all(waiting)).filter(isRefusal).length, 1)
  t.equal(world.lineFull, 1)
})
