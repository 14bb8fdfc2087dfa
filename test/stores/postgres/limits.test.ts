import * as fc from 'fast-check'
import t from 'tap'
import { type BudgetAlert, type CarryOver } from '../../../src/budget/budget.ts'
import { approvalLimit, blockLimit } from '../../../src/budget/limits.ts'
import { formatNano } from '../../../src/money/amount.ts'
import { anEvent } from '../../account/contract-authority.ts'
import { aWorld, type PostgresWorld } from './world.ts'

const DAY_MS = 86_400_000
const FIRST = Date.UTC(2026, 0, 1)
const AMOUNT = 1_000n

const alert = fc.record({
  mark: fc.oneof(
    fc.record({ threshold: fc.integer({ min: 1, max: 1_000_000 }).map((n) => n / 10_000) }),
    fc.record({ amount: fc.bigInt(1n, 2_000n).map(formatNano) })
  ),
  actions: fc.uniqueArray(fc.constantFrom('notify' as const, 'block-all' as const, 'require-approval' as const), { minLength: 1 }),
}).map(({ mark, actions }): BudgetAlert => ({ ...mark, actions, notificationChannels: [], message: null }))

t.test('the ledger and what is only explained agree where a budget ends', async (t) => {
  const world = await aWorld(t)
  await fc.assert(fc.asyncProperty(
    fc.array(alert, { maxLength: 5 }), fc.bigInt(0n, 3_000n), fc.option(fc.bigInt(0n, 500n), { nil: null }),
    async (alerts, total, approved) => {
      const [row] = await world.sql('select enforced_limit($1, $2, $3) as limit', [total, JSON.stringify(alerts), approved])
      const blocked = blockLimit({ alerts }, total)
      const asked = approvalLimit({ alerts }, total)
      const approvedTo = asked === null || approved === null ? blocked : asked + approved
      return BigInt(String(row?.['limit'])) === (approvedTo < blocked ? approvedTo : blocked)
    }
  ), { numRuns: 200 })
})

const day = fc.record({ skip: fc.nat(3), spent: fc.bigInt(0n, 1_500n), leased: fc.bigInt(0n, 400n) })
const terms = fc.record({
  percent: fc.constantFrom(0, 33.3, 50, 100),
  max: fc.option(fc.bigInt(0n, 1_500n).map(formatNano), { nil: null }),
  debt: fc.boolean(),
})

t.test('what is unused goes on from period to period, and debt with it, whatever happens when', async (t) => {
  const world = await aWorld(t)
  await fc.assert(fc.asyncProperty(terms, fc.array(day, { minLength: 1, maxLength: 5 }), fc.nat(4), fc.bigInt(1n, 500n),
    async (carryOver, days, late, lateNano) => {
      const budget = await aCarryingBudget(world, carryOver)
      const incarnation = await world.authority.join('journal', 'host')
      const spent = new Map<number, bigint>()
      const leases: { accountId: number, nano: bigint }[] = []
      let n = -1
      for (const { skip, spent: nano, leased } of days) {
        n += 1 + skip
        const accountId = await anAccount(world, budget, n)
        // while something is leased it counts as spent
        if (leases.length === 0 && await totalOf(world, accountId) !== model(carryOver, n, spent)) return false
        spent.set(n, nano)
        if (nano > 0n) await charge(world, incarnation, accountId, nano)
        if (await lease(world, incarnation, accountId, leased)) leases.push({ accountId, nano: leased })
      }
      // what is leased comes back, and something is charged late
      for (const { accountId, nano } of leases) {
        await world.authority.post(incarnation, [], [{ accountId, returnedNano: nano }])
      }
      const lateDay = Math.min(late, n)
      await charge(world, incarnation, await anAccount(world, budget, lateDay), lateNano)
      spent.set(lateDay, (spent.get(lateDay) ?? 0n) + lateNano)
      for (let i = 0; i <= n + 1; i++) await world.sql('select sweep_due_limits(100)')
      const last = await anAccount(world, budget, n)
      return await totalOf(world, last) === model(carryOver, n, spent)
    }), { numRuns: 40 })
  await world.assertAudit(t)
})

t.test('of what has gone on nothing can be spent where it was', async (t) => {
  const world = await aWorld(t)
  const budget = await aCarryingBudget(world, { percent: 100, max: null, debt: true })
  const incarnation = await world.authority.join('journal', 'host')
  const before = await anAccount(world, budget, 0)
  t.equal(await lease(world, incarnation, before, 300n), true)
  const after = await anAccount(world, budget, 1)
  t.equal(await totalOf(world, after), 1_700n, 'what is leased counts as spent')
  t.equal(await lease(world, incarnation, before, 1n), false, 'a gateway whose clock is late gets nothing of it')
  await world.authority.post(incarnation, [], [{ accountId: before, returnedNano: 300n }])
  t.equal(await lease(world, incarnation, after, 1_701n), false)
  await world.sql('select sweep_due_limits(100)')
  t.equal(await totalOf(world, after), 2_000n, 'until it comes back')
  t.equal(await lease(world, incarnation, before, 1n), false)
  t.equal(await lease(world, incarnation, after, 2_000n), true)
})

t.test('of one of many only what its account had goes on', async (t) => {
  const world = await aWorld(t)
  const budget = await aCarryingBudget(world, { percent: 100, max: null, debt: true })
  t.equal(await totalOf(world, await anAccount(world, budget, 5, 'ada')), AMOUNT, 'who is new has nothing from before')
  t.equal(await totalOf(world, await anAccount(world, budget, 7, 'ada')), 3n * AMOUNT)
})

/** what a period has in all */
function model ({ percent, max, debt }: CarryOver, n: number, spent: Map<number, bigint>): bigint {
  const most = max === null ? null : BigInt(Math.round(Number(max) * 1e9))
  let carried = 0n
  for (let i = 0; i < n; i++) {
    const unused = AMOUNT + carried - (spent.get(i) ?? 0n)
    const share = unused * BigInt(Math.round(percent * 10)) / 1_000n
    carried = unused < 0n ? debt ? unused : 0n : most !== null && share > most ? most : share
  }
  return AMOUNT + carried
}

async function aCarryingBudget (world: PostgresWorld, carryOver: object): Promise<string> {
  const id = await world.defineBudget(AMOUNT)
  await world.sql('update budget_definitions set carry_over = $2 where id = $1', [id, JSON.stringify(carryOver)])
  return id
}

async function anAccount (world: PostgresWorld, budgetId: string, n: number, subject = ''): Promise<number> {
  const period = (i: number) => ({ start: FIRST + i * DAY_MS, end: FIRST + (i + 1) * DAY_MS })
  const { start, end } = period(n)
  const [account] = await world.authority.ensureAccounts([{
    budgetId,
    subject,
    periodStart: start,
    periodEnd: end,
    earlier: Array.from({ length: n }, (_, i) => period(n - 1 - i)),
  }])
  return account?.accountId ?? 0
}

async function totalOf (world: PostgresWorld, accountId: number): Promise<bigint> {
  const [row] = await world.sql('select total_nano from budget_accounts where id = $1', [accountId])
  return BigInt(String(row?.['total_nano']))
}

async function charge (
  world: PostgresWorld, incarnation: number, accountId: number, amountNano: bigint
): Promise<void> {
  await world.authority.post(incarnation, [anEvent([{ accountId, amountNano, coveredNano: 0n }])], [])
}

async function lease (
  world: PostgresWorld, incarnation: number, accountId: number, needNano: bigint
): Promise<boolean> {
  if (needNano === 0n) return false
  const request = { calls: [{ needs: [{ accountId, needNano }] }], extras: [] }
  const { granted } = await world.authority.grant(incarnation, request)
  return granted[0] === true
}
