import t, { type Test } from 'tap'
import pg from 'pg'
import { type Budget, type Identity } from '../../../src/budget/budget.ts'
import { type BudgetDraft } from '../../../src/budget/hierarchy.ts'
import { PostgresRateStore } from '../../../src/stores/postgres/rates.ts'
import { PostgresBudgetStore } from '../../../src/stores/postgres/budget-store.ts'
import { Database } from '../../../src/stores/postgres/pool.ts'
import { anEvent } from '../../account/contract-authority.ts'
import { aWorld, type PostgresWorld } from './world.ts'

const NOW = Date.UTC(2026, 5, 15)
const JANUARY = Date.UTC(2026, 0)

const UNPROCESSABLE = /^unprocessable$/i
const NOT_FOUND = /^not_found$/i
const UNAVAILABLE = /^dependency_unavailable$/i
const IN_USE = /^budget_in_use$/i
const CONFLICT = /^conflict$/i

function aDraft (overrides: Partial<BudgetDraft> = {}): BudgetDraft {
  return {
    organizationId: 'acme',
    name: 'a budget',
    description: null,
    scopeType: 'team',
    scopeId: 'red',
    amountNano: 1000n,
    currency: 'USD',
    period: 'monthly',
    timezone: 'UTC',
    startDate: JANUARY,
    endDate: null,
    recurring: true,
    mode: 'enforced',
    paused: false,
    capToFit: null,
    carryOver: null,
    failOpenNano: null,
    rateLimits: null,
    filters: {},
    overrides: {},
    alerts: [],
    tags: {},
    parentBudgetId: null,
    createdBy: null,
    ...overrides,
  }
}

function anIdentity (overrides: Partial<Identity> = {}): Identity {
  return {
    organizationId: 'acme',
    teamId: null,
    projectId: null,
    userId: null,
    keyId: 'k',
    sessionId: null,
    tags: null,
    ...overrides,
  }
}

interface Stored { store: PostgresBudgetStore, world: PostgresWorld, rates: PostgresRateStore }

async function aStore (t: Test): Promise<Stored> {
  const world = await aWorld(t)
  const [database] = world.databases
  return { store: new PostgresBudgetStore(database, () => NOW), world, rates: new PostgresRateStore(database) }
}

/** the account of a period that is running, whatever the day */
async function anAccount (world: PostgresWorld, budget: Budget, periodEnd: number | null = null): Promise<number> {
  const [account] = await world.authority.ensureAccounts([{
    budgetId: budget.id, subject: '', periodStart: periodEnd === null ? JANUARY : periodEnd - 1, periodEnd,
  }])
  return account?.accountId ?? 0
}

async function charge (world: PostgresWorld, accountId: number): Promise<void> {
  const incarnation = await world.authority.join('journal', 'host')
  await world.authority.post(incarnation, [anEvent([{ accountId, amountNano: 1n, coveredNano: 0n }])], [])
}

async function limitOf (world: PostgresWorld, accountId: number): Promise<bigint | null | undefined> {
  return (await world.books()).find((row) => row.accountId === accountId)?.limitNano
}

t.test('gives a budget back as it was put in', async (t) => {
  const { store } = await aStore(t)
  const draft = aDraft({
    description: 'all of it',
    amountNano: 9_000_000_000n * 1_000_000_000n,
    period: 'custom',
    timezone: 'Europe/Berlin',
    startDate: JANUARY + 1,
    endDate: JANUARY + 2,
    recurring: false,
    mode: 'soft',
    paused: true,
    filters: { providers: ['openai'], models: ['gpt-*'], tags: { env: 'prod' } },
    alerts: [{ threshold: 80.5, actions: ['notify'], notificationChannels: ['x'], message: 'm' }],
    tags: { a: 'b' },
    createdBy: 'me',
  })

  const budget = await store.insert(draft)

  t.match(budget, { ...draft, rate: null, createdAt: NOW, updatedAt: NOW, archivedAt: null, version: 1 })
  t.match(budget.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  t.same(await store.get(budget.id), budget)
  t.same(await store.list(), [budget])
  t.equal(await store.get('no-uuid'), null)
  t.equal(await store.get('00000000-0000-7000-8000-000000000000'), null)
})

t.test('changes what is asked, counts the version up, and leaves the rest', async (t) => {
  const { store } = await aStore(t)
  const budget = await store.insert(aDraft())
  const before = await store.versions()

  const changed = await store.update(budget.id, (current) => ({ ...current, name: 'renamed' }))

  t.same(changed, { ...budget, name: 'renamed', version: budget.version + 1 })
  const after = await store.versions()
  t.equal(after.budgets, before.budgets + 1)
  t.equal(after.keys, before.keys)
  await t.rejects(store.update(budget.id, () => { throw new Error('no') }), { message: 'no' })
  t.same(await store.get(budget.id), changed)
  t.same(await store.versions(), after, 'what failed counts nothing up')
  await t.rejects(store.update('00000000-0000-7000-8000-000000000000', (current) => current), { code: NOT_FOUND })
  await t.rejects(store.update('x', (current) => current), { code: NOT_FOUND })
})

t.test('finds the budgets of an identity, and all that is above them', async (t) => {
  const { store } = await aStore(t)
  const add = async (name: string, overrides: Partial<BudgetDraft>) => store.insert(aDraft({ name, ...overrides }))
  const company = await add('company', { scopeType: 'project', scopeId: 'elsewhere' })
  const division = await add('division', { scopeType: 'project', scopeId: 'elsewhere', parentBudgetId: company.id })
  await add('team', { parentBudgetId: division.id })
  await add('user', { scopeType: 'user', scopeId: 'ann' })
  await add('anywhere', { organizationId: null })
  await add('other organization', { organizationId: 'other' })
  await add('other team', { scopeId: 'blue' })
  await add('project named as the team', { scopeType: 'project' })
  const gone = await add('gone', {})
  await store.archive(gone.id)
  const names = async (identity: Partial<Identity>) =>
    (await store.forIdentity(anIdentity(identity))).map(({ name }) => name).sort()

  t.same(await names({ teamId: 'red' }), ['anywhere', 'company', 'division', 'team'])
  t.same(await names({ teamId: 'red', userId: 'ann' }), ['anywhere', 'company', 'division', 'team', 'user'])
  t.same(await names({ teamId: 'red', organizationId: 'third' }), ['anywhere'])
  t.same(await names({}), [])
  await store.archive(division.id)
  t.same(await names({ teamId: 'red' }), ['anywhere', 'company', 'division', 'team'],
    'an archived budget still links those below to those above')
})

t.test('takes the organization from the scope, from the budget, from its parent, in this order', async (t) => {
  const { store } = await aStore(t)
  const organization = await store.insert(aDraft({ scopeType: 'organization', scopeId: 'acme', organizationId: null }))

  t.equal(organization.organizationId, 'acme')
  t.equal((await store.insert(aDraft({ organizationId: null, parentBudgetId: organization.id }))).organizationId, 'acme')
  t.equal((await store.insert(aDraft({ organizationId: null }))).organizationId, null)
  await t.rejects(store.insert(aDraft({ organizationId: 'other', parentBudgetId: organization.id })), {
    code: UNPROCESSABLE, message: /another organization/,
  })
})

t.test('refuses parents that cannot be', async (t) => {
  const { store } = await aStore(t)
  const chain: Budget[] = []
  for (let level = 0; level < 7; level++) {
    chain.push(await store.insert(aDraft({ parentBudgetId: chain.at(-1)?.id ?? null })))
  }
  const [top, second] = chain as [Budget, Budget]
  const bottom = chain.at(-1) as Budget

  await t.rejects(store.insert(aDraft({ parentBudgetId: 'x' })), { code: UNPROCESSABLE, message: /names no budget/ })
  await t.rejects(store.insert(aDraft({ parentBudgetId: '00000000-0000-7000-8000-000000000000' })), { code: UNPROCESSABLE })
  await t.rejects(store.update(top.id, under(top.id)), { code: UNPROCESSABLE, message: /itself/ })
  const shouted = under(bottom.id.toUpperCase())
  await t.rejects(store.update(top.id.toUpperCase(), shouted), { code: UNPROCESSABLE, message: /below it/ })
  const lowest = await store.insert(aDraft({ parentBudgetId: bottom.id }))
  await t.rejects(store.insert(aDraft({ parentBudgetId: lowest.id })), { code: UNPROCESSABLE, message: /8 levels/ })
  const pair = await store.insert(aDraft())
  await store.insert(aDraft({ parentBudgetId: pair.id }))
  await t.rejects(store.update(pair.id, under(bottom.id)), { code: UNPROCESSABLE, message: /8 levels/ })
  await store.archive(top.id)
  await t.rejects(store.insert(aDraft({ parentBudgetId: top.id })), { code: UNPROCESSABLE, message: /deleted/ })
  const renamed = await store.update(second.id, (current) => ({ ...current, name: 'still' }))
  t.match(renamed, { parentBudgetId: top.id, name: 'still' })
  t.match(await store.update(second.id, under(null)), { parentBudgetId: null })
})

t.test('two changes at once cannot make a cycle', async (t) => {
  const { store } = await aStore(t)
  for (let round = 0; round < 10; round++) {
    const [one, two] = await Promise.all([store.insert(aDraft()), store.insert(aDraft())])

    const outcomes = await Promise.allSettled([
      store.update(one.id, under(two.id)),
      store.update(two.id, under(one.id)),
    ])

    t.same(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  }
})

const under = (id: string | null) => (current: Budget) => ({ ...current, parentBudgetId: id })

/** the topmost first */
async function aLine (store: PostgresBudgetStore, levels: number): Promise<Budget[]> {
  const line: Budget[] = []
  for (let level = 0; level < levels; level++) {
    line.push(await store.insert(aDraft({ parentBudgetId: line.at(-1)?.id ?? null })))
  }
  return line
}

t.test('two moves at once cannot make a cycle of two lines', async (t) => {
  const { store } = await aStore(t)
  for (let round = 0; round < 5; round++) {
    const [one, two] = await Promise.all([aLine(store, 3), aLine(store, 3)])

    const outcomes = await Promise.allSettled([
      store.update(one[0]?.id ?? '', under(two[2]?.id ?? '')),
      store.update(two[0]?.id ?? '', under(one[2]?.id ?? '')),
    ])

    t.same(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') t.match(outcome.reason, { code: UNPROCESSABLE, message: /below it/ })
    }
  }
})

t.test('a move and an insert, or two moves, at once cannot make nine levels', async (t) => {
  const { store } = await aStore(t)
  for (let round = 0; round < 6; round++) {
    const [above, below, alone] = await Promise.all([aLine(store, 4), aLine(store, 4), store.insert(aDraft())])
    const lowest = below[3]?.id ?? ''

    const outcomes = await Promise.allSettled([
      store.update(below[0]?.id ?? '', under(above[3]?.id ?? '')),
      round % 2 === 0 ? store.insert(aDraft({ parentBudgetId: lowest })) : store.update(alone.id, under(lowest)),
    ])

    t.same(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') t.match(outcome.reason, { code: UNPROCESSABLE, message: /8 levels/ })
    }
  }
})

t.test('a child put below a parent that is archived at the same time came before that, or is refused', async (t) => {
  const { store } = await aStore(t)
  const seen = new Set<string>()
  for (let round = 0; round < 12; round++) {
    const [parent, moved] = await Promise.all([store.insert(aDraft()), store.insert(aDraft())])
    const attach = async () => round % 2 === 0
      ? await store.insert(aDraft({ parentBudgetId: parent.id }))
      : await store.update(moved.id, under(parent.id))
    const both = round % 4 < 2 ? [attach(), store.archive(parent.id)] : [store.archive(parent.id), attach()].reverse()

    const [attached, archived] = await Promise.allSettled(both)

    seen.add(attached?.status ?? '')
    if (archived?.status !== 'fulfilled') throw new Error('archived whatever stands below')
    if (attached?.status === 'fulfilled') t.ok(attached.value.version < archived.value.version)
    else t.match(attached?.reason, { code: UNPROCESSABLE, message: /deleted/ })
  }
  t.comment([...seen].join())
})

t.test('finds who stands next to a budget, past those that are archived', async (t) => {
  const { store } = await aStore(t)
  const [top, middle, low] = await aLine(store, 3) as [Budget, Budget, Budget]
  const beside = await store.insert(aDraft({ parentBudgetId: top.id }))
  const ids = (budgets: Budget[]) => budgets.map(({ id }) => id)
  const family = async (id: string) => {
    const { above, siblings, below } = await store.family(id)
    return [above?.id ?? null, ids(siblings), ids(below)]
  }

  t.same(await family(top.id), [null, [], [middle.id, beside.id]])
  t.same(await family(low.id), [middle.id, [low.id], []])
  await store.archive(middle.id)
  t.same(await family(low.id), [top.id, [low.id, beside.id], []])
  t.same(await family(top.id), [null, [], [low.id, beside.id]])
  t.same(await family('none'), [null, [], []])
})

const BLOCK_AT_80: BudgetDraft['alerts'][number] = {
  threshold: 80, actions: ['block-all'], notificationChannels: [], message: null,
}

t.test('a change of amount acts at once on the running account, and not on those that are over', async (t) => {
  const { store, world } = await aStore(t)
  const budget = await store.insert(aDraft())
  const running = await anAccount(world, budget, Date.now() + 3_600_000)
  const over = await anAccount(world, budget, Date.now() - 3_600_000)
  const other = await anAccount(world, await store.insert(aDraft()))

  await store.update(budget.id, (current) => ({ ...current, amountNano: 500n, alerts: [BLOCK_AT_80] }))

  t.equal(await limitOf(world, running), 400n)
  t.equal(await limitOf(world, over), 1000n)
  t.equal(await limitOf(world, other), 1000n)
  await store.update(budget.id, (current) => ({ ...current, mode: 'soft' }))
  t.equal(await limitOf(world, running), null)
  await store.update(budget.id, (current) => ({ ...current, mode: 'enforced', amountNano: 9n, alerts: [] }))
  t.equal(await limitOf(world, running), 9n)
})

t.test('no account misses a change of amount that happens while it is made', async (t) => {
  const { store, world } = await aStore(t)
  for (let round = 0; round < 20; round++) {
    const budget = await store.insert(aDraft())
    const [accountId] = await Promise.all([
      anAccount(world, budget),
      store.update(budget.id, (current) => ({ ...current, amountNano: 7n })),
    ])

    t.equal(await limitOf(world, accountId), 7n)
  }
})

t.test('changes of amount, grants and posts at once do not deadlock', async (t) => {
  const { store, world } = await aStore(t)
  const budgets = await Promise.all([1, 2, 3].map(() => store.insert(aDraft())))
  const accounts = await Promise.all(budgets.map((budget) => anAccount(world, budget)))
  const incarnation = await world.authority.join('journal', 'host')

  await Promise.all(Array.from({ length: 40 }, async (_, n) => {
    const order = n % 2 === 0 ? accounts : accounts.toReversed()
    const nano = 500n + BigInt(n)
    const id = budgets[n % 3]?.id ?? ''
    if (n % 4 === 0) return await store.update(id, (now) => ({ ...now, amountNano: nano }))
    if (n % 4 === 1) return await anAccount(world, budgets[n % 3] as Budget, Date.now() + n * 1_000)
    const needs = order.map((accountId) => ({ accountId, needNano: 2n }))
    if (n % 4 === 2) return await world.authority.grant(incarnation, { calls: [{ needs }], extras: [] })
    const charges = order.map((accountId) => ({ accountId, amountNano: 1n, coveredNano: 0n }))
    await world.authority.post(incarnation, [anEvent(charges)], [])
  }))

  await world.assertAudit(t)
})

t.test('what calls were charged in cannot change any more', async (t) => {
  const { store, world, rates } = await aStore(t)
  await rates.add([{ currency: 'EUR', rate: '0.9', effectiveAt: NOW - 1 }])
  const changes: Partial<BudgetDraft>[] = [
    { currency: 'EUR' }, { period: 'daily' }, { timezone: 'Europe/Berlin' }, { startDate: JANUARY + 1 },
    { scopeId: 'blue' }, { scopeType: 'user' }, { organizationId: 'other' },
  ]
  const free = await store.insert(aDraft())
  for (const change of changes) t.match(await store.update(free.id, (current) => ({ ...current, ...change })), change)

  const charged = await store.insert(aDraft())
  await charge(world, await anAccount(world, charged))
  const leased = await store.insert(aDraft())
  const accountId = await anAccount(world, leased)
  const incarnation = await world.authority.join('journal', 'host')
  await world.authority.grant(incarnation, { calls: [{ needs: [{ accountId, needNano: 1n }] }], extras: [] })

  for (const { id } of [charged, leased]) {
    for (const change of changes) {
      const [field = ''] = Object.keys(change)
      const refused = { code: IN_USE, message: new RegExp(field) }
      await t.rejects(store.update(id, (current) => ({ ...current, ...change })), refused)
    }
    const raised = await store.update(id, (current) => ({ ...current, amountNano: 2000n, endDate: NOW }))
    t.match(raised, { amountNano: 2000n, endDate: NOW })
  }
  const known = await store.insert(aDraft())
  await anAccount(world, known)
  await t.rejects(store.update(known.id, (current) => ({ ...current, currency: 'EUR' })), { code: IN_USE })
  t.match(await store.update(known.id, (current) => ({ ...current, period: 'daily' })), { period: 'daily' })
})

t.test('pins the rate that is in force, and needs one', async (t) => {
  const { store, rates } = await aStore(t)
  await t.rejects(store.insert(aDraft({ currency: 'JPY' })), { code: UNPROCESSABLE, message: /JPY/ })
  const dollars = await store.insert(aDraft())
  await t.rejects(store.update(dollars.id, (current) => ({ ...current, currency: 'JPY' })), { code: UNPROCESSABLE })
  await rates.add([{ currency: 'JPY', rate: '140.50', effectiveAt: Date.now() - 2_000 }])
  await rates.add([{ currency: 'JPY', rate: '999', effectiveAt: Date.now() + 3_600_000 }])

  const yen = await store.insert(aDraft({ currency: 'JPY' }))

  t.equal(yen.rate, '140.5')
  const before = await store.versions()
  await rates.add([{ currency: 'JPY', rate: '150.123456789', effectiveAt: Date.now() - 1_000 }])
  t.equal((await store.get(yen.id))?.rate, '150.123456789')
  t.not((await store.versions()).budgets, before.budgets, 'gateways look again')
  t.equal((await store.get(dollars.id))?.rate, null)
})

t.test('archives: out of sight, its figures stay, and it cannot be changed', async (t) => {
  const { store, world } = await aStore(t)
  const budget = await store.insert(aDraft())
  const accountId = await anAccount(world, budget)

  const archived = await store.archive(budget.id)

  t.match(archived, { archivedAt: NOW, version: budget.version + 1 })
  t.same(await store.archive(budget.id), archived, 'once')
  t.same(await store.get(budget.id), archived)
  t.same(await store.list(), [])
  t.same(await store.list({ includeArchived: true }), [archived])
  t.same(await store.forIdentity(anIdentity({ teamId: 'red' })), [])
  await t.rejects(store.update(budget.id, (current) => current), { code: CONFLICT })
  await t.rejects(store.archive('x'), { code: NOT_FOUND })
  await charge(world, accountId)
  t.match(await world.books(), [{ settledNano: 1n }])
})

t.test('lists by scope, by parent, and so many', async (t) => {
  const { store } = await aStore(t)
  const parent = await store.insert(aDraft())
  const child = await store.insert(aDraft({ scopeId: 'blue', parentBudgetId: parent.id }))
  const user = await store.insert(aDraft({ scopeType: 'user', scopeId: 'blue' }))

  t.same(await store.list({ scopeType: 'team', scopeId: 'blue' }), [child])
  t.same(await store.list({ scopeId: 'blue' }), [child, user])
  t.same(await store.list({ parentBudgetId: parent.id }), [child])
  t.same(await store.list({ parentBudgetId: 'x' }), [])
  t.same(await store.list({ limit: 2 }), [parent, child])
})

t.test('says that PostgreSQL is not there, and what it cannot hold', async (t) => {
  const database = new Database({ connectionString: 'postgres://postgres@127.0.0.1:1/none' })
  t.teardown(() => database.close())
  const nowhere = new PostgresBudgetStore(database)
  await t.rejects(nowhere.list(), { code: UNAVAILABLE })
  await t.rejects(nowhere.versions(), { code: UNAVAILABLE })
  await t.rejects(nowhere.insert(aDraft()), { code: UNAVAILABLE })

  const world = await aWorld(t)
  const impatient = new Database({ connectionString: world.url, statementTimeoutMs: 2_000 })
  t.teardown(() => impatient.close())
  const store = new PostgresBudgetStore(impatient, () => NOW)
  await t.rejects(store.insert(aDraft({ name: 'a\u0000b' })), { code: UNPROCESSABLE })
  const blocker = new pg.Client(world.url)
  await blocker.connect()
  await blocker.query('begin; lock table config_versions')
  await t.rejects(store.insert(aDraft()), { code: UNAVAILABLE }, 'a lock that is not given back in time')
  await blocker.end()
  t.type((await store.insert(aDraft())).id, 'string')
})
