import t, { type Test } from 'tap'
import { type Authority, AuthorityUnavailableError } from '../../src/account/authority.ts'
import { MemoryHotStatus, MemoryHub } from '../../src/account/memory-hot-status.ts'
import { type AppliedBudget, appliedTo } from '../../src/budget/applies.ts'
import { type Budget, type Identity } from '../../src/budget/budget.ts'
import { defineBudget } from '../../src/budget/define.ts'
import { BudgetTracker, type CallHold } from '../../src/budget/tracker.ts'
import { type Refusal } from '../../src/errors.ts'
import { isRefusal } from '../../src/providers/provider.ts'
import { within } from '../../src/within.ts'
import { MemoryAuthority } from '../account/memory-authority.ts'

const NOW = Date.UTC(2026, 10, 25)
const NANO = 1_000_000_000n
const CALL = { provider: 'openai', model: 'gpt-4o', endpoint: 'chat.completions' }
const OUTAGE_MS = 60_000
const ACME: Identity = {
  organizationId: 'acme', teamId: null, projectId: null, userId: null, keyId: 'key', sessionId: null, tags: null,
}

function aBudget (id: string, scopeId: string, fields: object = {}): Budget {
  const draft = defineBudget({
    name: id,
    scopeType: 'organization',
    scopeId,
    amount: '100',
    currency: 'USD',
    period: 'monthly',
    startDate: '2026-01-01',
    ...fields,
  }, NOW)
  const never = { rate: null, rateAt: null, createdAt: 0, updatedAt: 0, archivedAt: null }
  return { ...draft, ...never, id, enforcedLimitNano: draft.amountNano, version: 1 }
}

/** a tracker whose authority answers until the test says otherwise; its clock is the test's */
async function aGateway (t: Test) {
  const world = { now: NOW, down: false, asked: 0 }
  const real = new MemoryAuthority({ now: () => world.now })
  const authority = new Proxy(real, {
    get (target, name) {
      const found: unknown = Reflect.get(target, name)
      if (typeof found !== 'function') return found
      return async (...args: unknown[]): Promise<unknown> => {
        world.asked++
        if (world.down) throw new AuthorityUnavailableError('no answer')
        return await (found as (...args: unknown[]) => unknown).apply(target, args)
      }
    },
  }) as Authority
  const incarnation = await real.join('journal', 'host')
  let beaten = (): void => {}
  const tracker = new BudgetTracker({
    authority,
    hot: new MemoryHotStatus(new MemoryHub(), incarnation),
    incarnation,
    now: () => world.now,
    steady: () => world.now,
    random: Math.random,
    log: { warn: (_, message) => { if (message.includes('heartbeat')) beaten() }, error: () => {} },
    onReturnsDue: () => {},
    onNotLive: (error) => { throw error },
    outageMs: OUTAGE_MS,
  })
  t.teardown(() => { tracker.stop() })
  tracker.start()
  const define = (...budgets: Budget[]) => {
    for (const { id, amountNano } of budgets) real.defineBudget(id, amountNano)
  }
  const hold = async (budget: Budget, nano: bigint): Promise<CallHold | Refusal> => {
    const applied: AppliedBudget[] = appliedTo([budget], { ...ACME, organizationId: budget.scopeId }, CALL, world.now)
    return await tracker.hold(applied, nano)
  }
  /** the authority answers no more, and the tracker has noticed */
  const goDown = async () => {
    const noticed = new Promise<void>((resolve) => { beaten = resolve })
    world.down = true
    world.now += 5_001
    const alive = setInterval(() => {}, 1_000)
    await noticed
    clearInterval(alive)
  }
  return { world, tracker, define, hold, goDown }
}

const codeOf = (answer: CallHold | Refusal) => isRefusal(answer) ? answer.code : 'held'

t.test('through an outage calls go on from what was leased, and others are refused without a question', async (t) => {
  const { world, tracker, define, hold, goDown } = await aGateway(t)
  const warm = aBudget('warm', 'acme')
  const cold = aBudget('cold', 'other')
  define(warm, cold)
  t.equal(codeOf(await hold(warm, NANO)), 'held')

  await goDown()
  const asked = world.asked
  t.equal(tracker.silentMs, 5_001)
  t.notOk(tracker.refusesForSilence, 'it has refused nobody yet')
  t.equal(codeOf(await hold(warm, NANO)), 'held')
  t.match(await hold(cold, NANO), { code: 'ledger_unavailable', retryable: true })
  t.equal(world.asked, asked, 'nobody was asked')
  t.ok(tracker.refusesForSilence)
  world.now += 10_000
  t.notOk(tracker.refusesForSilence, 'it is worth another try, for those that it can serve')

  let held = 0
  while (codeOf(await hold(warm, NANO)) === 'held') held++
  t.ok(held >= 5 && held < 10, `${held} more of eight quotes that were leased`)
  t.match(await hold(warm, NANO), { code: 'ledger_unavailable' })
})

t.test('longer than it may, nothing goes on, but for budgets that say so', async (t) => {
  const { world, tracker, define, hold, goDown } = await aGateway(t)
  const warm = aBudget('warm', 'acme')
  const open = aBudget('open', 'open', { failMode: { openUpTo: '2' } })
  const soft = aBudget('soft', 'soft', { mode: 'soft' })
  define(warm, open, soft)
  for (const budget of [warm, open, soft]) t.equal(codeOf(await hold(budget, NANO)), 'held')
  await goDown()
  world.now = NOW + OUTAGE_MS
  t.equal(codeOf(await hold(warm, NANO)), 'held', 'until then')
  world.now++
  t.match(await hold(warm, NANO), { code: 'ledger_unavailable', retryable: true, message: /for longer than/ })
  t.ok(tracker.refusesForSilence)
  t.equal(codeOf(await hold(soft, NANO)), 'held', 'it refuses nothing')
  for (let n = 0; n < 20; n++) await hold(open, NANO)
  t.match(await hold(open, NANO), { code: 'ledger_unavailable' }, 'as far as it fails open')

  world.down = false
  world.now += 1_000
  const alive = setInterval(() => {}, 1_000)
  while (tracker.silentMs > 0) await new Promise(setImmediate)
  clearInterval(alive)
  t.equal(codeOf(await hold(warm, NANO)), 'held', 'once it answers again')
  t.notOk(tracker.refusesForSilence)
})

t.test('what takes too long is answered without, and what it answers after all is handed over', async (t) => {
  t.equal(await within(Promise.resolve('in time'), 1_000, 'late'), 'in time')
  await t.rejects(within(Promise.reject(new Error('failed')), 1_000, 'late'), { message: 'failed' })
  let answer = (_text: string): void => {}
  const slow = new Promise<string>((resolve) => { answer = resolve })
  const handed = new Promise<string>((resolve) => {
    void within(slow, 1, 'late', resolve).then((first) => {
      t.equal(first, 'late')
      answer('after all')
    })
  })
  t.equal(await handed, 'after all')
})
