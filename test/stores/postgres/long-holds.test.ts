import t, { type Test } from 'tap'
import fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import { type HoldDraft } from '../../../src/holds/hold.ts'
import { PostgresHoldStore } from '../../../src/stores/postgres/hold-store.ts'
import { type Database } from '../../../src/stores/postgres/pool.ts'
import { anEvent } from '../../account/contract-authority.ts'
import { aWorld, type PostgresWorld } from './world.ts'

interface HoldWorld extends PostgresWorld {
  accounts (...limits: (bigint | null)[]): Promise<number[]>
  hold (accounts: number[], nano: bigint, fields?: Partial<HoldDraft>, on?: number): Promise<string | null>
  settle (id: string, nano: bigint, on?: number): Promise<boolean>
  release (id: string): Promise<boolean>
  overdue (id: string): Promise<void>
  expire (on?: number): Promise<string[]>
  figures (account: number): Promise<Record<string, bigint | undefined>>
}

/** SQL that the store sends inside a change, sent by itself */
const END = 'select end_long_hold($1, $2, $3, $4) as ended'
const PERIOD = { subject: '', periodStart: Date.UTC(2020, 0), periodEnd: null }

async function aHoldWorld (t: Test): Promise<HoldWorld> {
  const world = await aWorld(t)
  const at = (on: number) => world.databases[on] as Database
  const store = (on: number) => new PostgresHoldStore(at(on))
  const end = async (id: string, to: string, costNano: bigint, on = 0): Promise<boolean> => {
    const hold = await store(on).get(id)
    const costs = hold?.accounts.map(({ accountId }) => ({ account_id: accountId, amount_nano: String(costNano) }))
    const settlement = { outcome: to, cost: null, usage: null }
    const said = { cost_nano: String(costNano), correction_id: uuidv7({ msecs: hold?.openedAt ?? 0 }), settlement }
    const values = [id, to, JSON.stringify(said), JSON.stringify(costs)]
    const [row] = await at(on).query<{ ended: boolean }>({ text: END, values })
    return row?.ended === true
  }
  return {
    ...world,
    accounts: async (...limits) => {
      const alerts = [{ threshold: 80, actions: ['notify'] }]
      const budgets = await Promise.all(limits.map((limit) => world.defineBudget(limit, alerts)))
      const made = await world.authority.ensureAccounts(budgets.map((budgetId) => ({ budgetId, ...PERIOD })))
      return made.map(({ accountId }) => accountId)
    },
    hold: async (accounts, nano, fields = {}, on = 0) => {
      const draft = aDraft(nano, fields)
      const amounts = accounts.map((accountId) => ({ accountId, quoteNano: nano, rate: null }))
      const { opened } = await store(on).open(draft, amounts)
      return opened ? draft.id : null
    },
    settle: (id, nano, on) => end(id, 'settled', nano, on),
    release: (id) => end(id, 'released', 0n),
    overdue: async (id) => {
      await world.sql("update long_holds set opened_at = opened_at - interval '1 minute', expires_at = now() - interval '1 s' where id = $1", [id])
    },
    expire: async (on = 0) => (await store(on).expire(100)).map(({ id }) => id),
    figures: async (account) => {
      const [found] = (await world.authority.inspect([account])).accounts
      return { settled: found?.settledNano, leased: found?.leasedNano, held: found?.longHeldNano }
    },
  }
}

function aDraft (nano: bigint, fields: Partial<HoldDraft>): HoldDraft {
  const openedAt = Date.now()
  return {
    id: uuidv7({ msecs: openedAt }),
    source: 'manual',
    organizationId: 'acme',
    teamId: null,
    projectId: null,
    userId: null,
    tags: null,
    keyId: null,
    provider: null,
    model: null,
    externalId: null,
    description: null,
    metadata: null,
    amountNano: nano,
    currency: 'USD',
    rate: null,
    quoteNano: nano,
    priceVersion: 'none',
    createdBy: 'test',
    openedAt,
    expiresAt: openedAt + 3_600_000,
    ...fields,
  }
}

const lease = (world: PostgresWorld, incarnation: number, accountId: number, needNano: bigint, on = 0) =>
  world.authorities[on]?.grant(incarnation, { calls: [{ needs: [{ accountId, needNano }] }], extras: [] })

t.test('a hold is on all of its accounts or on none, and never on more than is left', async (t) => {
  const world = await aHoldWorld(t)
  const [one = 0, two = 0, soft = 0] = await world.accounts(100n, 60n, null)
  t.equal(await world.hold([one, two], 61n), null)
  const id = await world.hold([one, two, soft], 60n)
  t.type(id, 'string')
  t.same(await world.figures(one), { settled: 0n, leased: 60n, held: 60n })
  t.same(await world.figures(two), { settled: 0n, leased: 60n, held: 60n })
  t.same(await world.figures(soft), { settled: 0n, leased: 0n, held: 0n }, 'what is not enforced is only charged')
  t.equal(await world.hold([two], 1n), null)
  t.equal(await world.settle(id as string, 70n), true)
  for (const account of [one, two, soft]) t.same(await world.figures(account), { settled: 70n, leased: 0n, held: 0n })
  t.match(await world.sql('select threshold from budget_alert_history where account_id = $1', [two]), [{ threshold: '80' }])
  await world.assertAudit(t)
})

t.test('of many at once for the last of a budget exactly as many are held as fit', async (t) => {
  const world = await aHoldWorld(t)
  const [wide = 0, narrow = 0] = await world.accounts(1_000n, 70n)
  const orders = [[wide, narrow], [narrow, wide]]
  const asked = Array.from({ length: 30 }, (_, i) => world.hold(orders[i % 2] as number[], 10n, {}, i % 3))
  const held = (await Promise.all(asked)).filter((id) => id !== null)
  t.equal(held.length, 7)
  t.same(await world.figures(wide), { settled: 0n, leased: 70n, held: 70n })
  t.same(await world.figures(narrow), { settled: 0n, leased: 70n, held: 70n })
  await world.assertAudit(t)
})

t.test('holds and leases at once never take more than the limit', async (t) => {
  const world = await aHoldWorld(t)
  const [account = 0] = await world.accounts(100n)
  const gateways = await Promise.all([0, 1, 2].map((i) => world.authorities[i]?.join(`j${i}`, 'h')))
  const work = Array.from({ length: 24 }, async (_, i) => {
    if (i % 2 === 0) return (await world.hold([account], 7n, {}, i % 3)) === null ? 0 : 7
    const answer = await lease(world, gateways[i % 3] as number, account, 7n, i % 3)
    return answer?.granted[0] === true ? 7 : 0
  })
  const taken = (await Promise.all(work)).reduce((sum: number, one) => sum + one, 0)
  t.equal(taken, 98)
  t.match(await world.figures(account), { leased: 98n })
  await world.assertAudit(t)
})

t.test('a refusal tells how much long holds set aside, and which is the largest', async (t) => {
  const world = await aHoldWorld(t)
  const [account = 0] = await world.accounts(100n)
  const gateway = await world.authority.join('j', 'h')
  await world.hold([account], 10n)
  const large = await world.hold([account], 50n)
  await world.hold([account], 20n)
  const answer = await lease(world, gateway, account, 21n)
  t.same(answer?.granted, [false])
  const found = { longHeldNano: 80n, longHold: { id: large }, leasedNano: 80n, holders: 0, inDoubtNano: 0n }
  t.match(answer?.accounts, [found])
  t.match(await world.authority.heartbeat(gateway, [account]), [{ longHeldNano: 80n }])
  const event = anEvent([{ accountId: account, amountNano: 1n, coveredNano: 0n }])
  t.match((await world.authority.post(gateway, [event], [])).accounts, [{ longHeldNano: 80n, settledNano: 1n }])
})

t.test('a hold that two gateways settle at once, and a sweep ends, is ended once', async (t) => {
  const world = await aHoldWorld(t)
  const [account = 0] = await world.accounts(1_000n)
  for (let i = 0; i < 8; i++) {
    const id = await world.hold([account], 10n) as string
    if (i % 2 === 0) await world.overdue(id)
    const ends = await Promise.all([world.settle(id, 4n), world.settle(id, 4n, 1), world.expire(2), world.expire(0)])
    const settled = ends.slice(0, 2).filter((one) => one === true).length
    t.equal(settled, 1, 'before the deadline or, by a correction, after it')
  }
  t.same(await world.figures(account), { settled: 32n, leased: 0n, held: 0n })
  await world.assertAudit(t)
})

t.test('a deadline charges the amount, once, whoever looks, and a later end corrects exactly the difference', async (t) => {
  const world = await aHoldWorld(t)
  const [one = 0, soft = 0] = await world.accounts(100n, null)
  const ids = await Promise.all([1, 2, 3].map(() => world.hold([one, soft], 30n) as Promise<string>))
  t.same(await world.expire(), [], 'none is due')
  for (const id of ids) await world.overdue(id)
  const swept = (await Promise.all([world.expire(0), world.expire(1), world.expire(2)])).flat()
  t.same(swept.sort(), [...ids].sort())
  for (const account of [one, soft]) t.same(await world.figures(account), { settled: 90n, leased: 0n, held: 0n })
  t.equal(await world.settle(ids[0] as string, 45n), true, 'it cost more')
  t.equal(await world.settle(ids[1] as string, 30n), true, 'it cost as much')
  t.equal(await world.release(ids[2] as string), true, 'it cost nothing')
  for (const id of ids) t.equal(await world.settle(id, 1n), false, 'and that is all')
  for (const account of [one, soft]) t.same(await world.figures(account), { settled: 75n, leased: 0n, held: 0n })
  t.match(await world.sql(`
    select e.certainty, e.corrects is null as first, e.cost_nano from usage_events e order by e.id, e.recorded_at`), { length: 6 })
  await world.assertAudit(t)
})

t.test('what is held stays held where the limit is lowered, and is charged where the budget ends', async (t) => {
  const world = await aHoldWorld(t)
  const budgetId = await world.defineBudget(100n)
  const [made] = await world.authority.ensureAccounts([{
    budgetId, subject: '', periodStart: Date.UTC(2020, 0), periodEnd: Date.UTC(2020, 1),
  }])
  const account = made?.accountId as number
  const id = await world.hold([account], 80n) as string
  await world.setLimit(budgetId, 50n)
  t.equal(await world.hold([account], 1n), null)
  await world.sql('update budget_definitions set archived_at = now() where id = $1', [budgetId])
  t.equal(await world.settle(id, 60n), true, 'also in a period that is over')
  t.same(await world.figures(account), { settled: 60n, leased: 0n, held: 0n })
  await world.assertAudit(t)
})

t.test('a change that dies half way holds nothing, and ends nothing', async (t) => {
  const world = await aHoldWorld(t)
  const [account = 0] = await world.accounts(100n)
  const database = world.databases[0] as Database
  const draft = aDraft(10n, {})
  await t.rejects(database.transaction(async (tx) => {
    await new PostgresHoldStore(tx).open(draft, [{ accountId: account, quoteNano: 10n, rate: null }])
    await tx.query({ text: 'select pg_terminate_backend(pg_backend_pid())' })
  }))
  t.same(await world.figures(account), { settled: 0n, leased: 0n, held: 0n })
  const id = await world.hold([account], 10n) as string
  await t.rejects(database.transaction(async (tx) => {
    await tx.query({ text: END, values: [id, 'released', JSON.stringify({ settlement: {} }), '[]'] })
    await tx.query({ text: 'select pg_terminate_backend(pg_backend_pid())' })
  }))
  t.same(await world.figures(account), { settled: 0n, leased: 10n, held: 10n })
  t.equal(await world.release(id), true)
  await world.assertAudit(t)
})

type Step =
  | { do: 'hold', nano: number }
  | { do: 'settle', nano: number }
  | { do: 'release' | 'expire' | 'give back' }
  | { do: 'lease', nano: number }
  | { do: 'post', nano: number }

const STEP = fc.oneof(
  fc.record({ do: fc.constant('hold' as const), nano: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ do: fc.constant('settle' as const), nano: fc.integer({ min: 0, max: 80 }) }),
  fc.record({ do: fc.constantFrom('release' as const, 'expire' as const, 'give back' as const) }),
  fc.record({ do: fc.constant('lease' as const), nano: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ do: fc.constant('post' as const), nano: fc.integer({ min: 0, max: 10 }) }))

t.test('whatever happens, leased is what leases and open holds have, and settled what was charged', async (t) => {
  const world = await aHoldWorld(t)
  await fc.assert(fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 25 }), async (steps) => {
    const accounts = await world.accounts(100n, 200n, null)
    const [first = 0] = accounts
    const gateway = await world.authority.join('j', 'h')
    const holds: string[] = []
    const run = async (step: Step): Promise<void> => {
      const id = holds[holds.length - 1]
      switch (step.do) {
        case 'hold': {
          const made = await world.hold(accounts, BigInt(step.nano))
          if (made !== null) holds.push(made)
          return
        }
        case 'settle': if (id !== undefined && await world.settle(id, BigInt(step.nano))) holds.pop()
          return
        case 'release': if (id !== undefined && await world.release(id)) holds.pop()
          return
        case 'expire': if (id !== undefined) await world.overdue(id)
          await world.expire()
          return
        case 'lease': await lease(world, gateway, first, BigInt(step.nano))
          return
        case 'post': await world.authority.post(gateway, [anEvent([{ accountId: first, amountNano: BigInt(step.nano), coveredNano: 0n }])], [])
          return
        case 'give back': {
          const [figures] = await world.authority.heartbeat(gateway, [first])
          await world.authority.post(gateway, [], [{ accountId: first, returnedNano: figures?.grantedNano ?? 0n }])
        }
      }
    }
    for (const step of steps) await run(step)
  }), { numRuns: 12 })
  await world.assertAudit(t)
})
