import t, { type Test } from 'tap'
import fc from 'fast-check'
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { type AccountFigures, type AccountSpec } from '../../../src/account/authority.ts'
import { recover } from '../../../src/journal/recovery.ts'
import { PostgresAuthority, type PostgresAuthorityOptions } from '../../../src/stores/postgres/authority.ts'
import { type Charge, type UsageEvent } from '../../../src/usage/usage.ts'
import { anEvent, authorityContract } from '../../account/contract-authority.ts'
import { aFolder, open } from '../../journal/builders.ts'
import { aFreshWorld, aWorld, type PostgresWorld } from './world.ts'

const SPEC: Omit<AccountSpec, 'budgetId'> = { subject: '', periodStart: Date.UTC(2020, 0), periodEnd: null }

async function accountsOf (world: PostgresWorld, ...limits: (bigint | null)[]): Promise<number[]> {
  const budgets = await Promise.all(limits.map((limit) => world.defineBudget(limit)))
  const accounts = await world.authority.ensureAccounts(budgets.map((budgetId) => ({ budgetId, ...SPEC })))
  return accounts.map(({ accountId }) => accountId)
}

function charges (accounts: number[], amountNano: bigint): Charge[] {
  return accounts.map((accountId) => ({ accountId, amountNano, coveredNano: amountNano }))
}

function needOf (accounts: number[], needNano: bigint) {
  return { needs: accounts.map((accountId) => ({ accountId, needNano })) }
}

t.test('PostgreSQL keeps the contract of an authority', async (t) => {
  await authorityContract(t, (t) => aWorld(t))
})

t.test('tells which process lives of a journal never had a lease', async (t) => {
  const world = await aWorld(t)
  const { authority } = world
  const [accountId = 0] = await accountsOf(world, 100n)
  const [first, second, third] = [await authority.join('a', 'h'), await authority.join('a', 'h'), await authority.join('b', 'h')]

  t.same(await authority.unbegun('a'), [first, second])
  t.same(await authority.unbegun('b'), [third])
  t.same(await authority.unbegun('c'), [])
  await authority.grant(second, { calls: [needOf([accountId], 10n)], extras: [] })
  t.same(await authority.unbegun('a'), [first], 'what was granted may have been used')
  await authority.beginRecovery(first)
  await authority.closeLeases(first, [])
  t.same(await authority.unbegun('a'), [])
})

t.test('a start that died before its journal began is closed by the next one', async (t) => {
  const { authority, sql } = await aWorld(t)
  const path = aFolder(t)
  const first = await open(path)
  const died = await authority.join(first.journalId, 'h')
  const other = await authority.join('another', 'h')
  await first.close()

  const quiet = (): void => undefined
  const folder = await open(path)
  t.teardown(() => folder.close())
  await recover({ folder, authority, now: Date.now, log: { info: quiet, warn: quiet, error: quiet } })

  t.same(await sql('select incarnation, state from gateways where incarnation = any ($1) order by 1', [[died, other]]),
    [{ incarnation: String(died), state: 'closed' }, { incarnation: String(other), state: 'live' }])
})

t.test('grants nothing on an account that does not exist', async (t) => {
  const world = await aWorld(t)
  const [accountId = 0] = await accountsOf(world, 1000n)
  const incarnation = await world.authority.join('journal', 'host')

  const answer = await world.authority.grant(incarnation, {
    calls: [needOf([accountId, 999_999], 1n), needOf([999_999], 1n), needOf([accountId], 1n), { needs: [] }],
    extras: [],
  })

  t.same(answer.granted, [false, false, true, true], 'and a call that needs nothing has all it needs')
  t.match(answer.accounts, [{ accountId, leasedNano: 1n }])
})

t.test('shows every lease with a rest, whoever asks', async (t) => {
  const world = await aWorld(t)
  const [one = 0, two = 0] = await accountsOf(world, 100n, null)
  const [first, second] = [await world.authority.join('a', 'h'), await world.authority.join('b', 'h')]
  for (const incarnation of [first, second]) {
    await world.authority.grant(incarnation, { calls: [needOf([one], 20n)], extras: [] })
  }
  await world.authority.post(first, [anEvent(charges([one], 5n))], [])
  await world.silence(second)

  const { accounts, leases } = await world.authority.inspect([one, two])

  t.match(accounts.sort((a, b) => a.accountId - b.accountId), [
    { accountId: one, limitNano: 100n, settledNano: 5n, leasedNano: 35n, inDoubtNano: 20n, inDoubtHolder: 'h (gateway 2)' },
    { accountId: two, limitNano: null, settledNano: 0n, leasedNano: 0n, inDoubtNano: 0n },
  ])
  t.same(leases, [
    { accountId: one, incarnation: first, restNano: 15n, postedNano: 5n, responds: true },
    { accountId: one, incarnation: second, restNano: 20n, postedNano: 0n, responds: false },
  ])
  await world.authority.post(first, [], [{ accountId: one, returnedNano: 15n }])
  t.match((await world.authority.inspect([one])).leases, [{ incarnation: second }])
})

t.test('records every field of an event', async (t) => {
  const world = await aWorld(t)
  const [accountId = 0] = await accountsOf(world, 1000n)
  const incarnation = await world.authority.join('journal', 'host')
  await world.authority.grant(incarnation, { calls: [needOf([accountId], 100n)], extras: [] })
  const bare = anEvent(charges([accountId], 90n))
  const event: UsageEvent = {
    opening: {
      ...bare.opening,
      teamId: 'team',
      projectId: 'project',
      userId: 'user\u0000 \ud800 \u00e9',
      sessionId: 'session',
      tags: { env: 'prod' },
      requestId: 'r-1',
      quoteNano: 100n,
      holds: [{ accountId, quoteNano: 95n, rate: '0.92', enforced: true }],
    },
    end: {
      ...bare.end,
      providerRequestId: 'p-1',
      usage: {
        inputTokens: 1,
        cacheReadTokens: 2,
        cacheWrite5mTokens: 3,
        cacheWrite1hTokens: 4,
        outputTokens: 5,
        reasoningTokens: 6,
        webSearches: 7,
        tier: 'flex',
        units: { inputAudioTokens: 8, seconds: 9 },
        reportedNano: 10n,
      },
    },
  }

  await world.authority.post(incarnation, [event], [])

  const [row] = await world.sql('select * from usage_events')
  t.match(row, {
    id: event.end.id,
    organization_id: 'acme',
    team_id: 'team',
    project_id: 'project',
    user_id: 'user\ufffd \ufffd \u00e9',
    key_id: event.opening.keyId,
    session_id: 'session',
    tags: { env: 'prod' },
    provider: 'demo',
    endpoint: 'chat.completions',
    model: 'demo-small',
    model_used: 'demo-small',
    stream: false,
    request_id: 'r-1',
    provider_request_id: 'p-1',
    outcome: 'completed',
    status: 200,
    certainty: 'exact',
    input_tokens: '1',
    cache_read_tokens: '2',
    cache_write_5m_tokens: '3',
    cache_write_1h_tokens: '4',
    output_tokens: '5',
    reasoning_tokens: '6',
    web_searches: 7,
    tier: 'flex',
    units: { inputAudioTokens: 8, seconds: 9 },
    reported_nano: '10',
    quote_nano: '100',
    cost_nano: '90',
    price_version: 'test',
    opened_at: new Date(event.opening.openedAt),
    ended_at: new Date(event.end.endedAt),
    source: 'relaycore',
  })
  t.match(await world.sql('select * from budget_usage_records'), [{
    event_id: event.end.id, account_id: String(accountId), amount_nano: '90', covered_nano: '90', quote_nano: '95', rate: '0.92',
  }])
})

t.test('a charge of an account that does not exist is refused, and an account that was charged stays', async (t) => {
  const { sql, authority, defineBudget } = await aWorld(t)
  const budgetId = await defineBudget(1n)
  const [account] = await authority.ensureAccounts([{ budgetId, subject: '', periodStart: Date.UTC(2026, 0), periodEnd: null }])
  const charge = async (accountId: unknown) => await sql(`
    insert into budget_usage_records (day, event_id, account_id, amount_nano, covered_nano, quote_nano)
    values ('2026-01-01', gen_random_uuid(), $1, 1, 0, 0)`, [accountId])
  await t.rejects(charge(4711), { code: '23503', message: /account 4711/ })
  await charge(account?.accountId)
  await t.rejects(sql('delete from budget_accounts where id = $1', [account?.accountId]), { code: '23503' })
  t.equal((await sql('select from budget_usage_records')).length, 1)
})

t.test('keeps amounts that no double can hold', async (t) => {
  const world = await aWorld(t)
  const large = 9_000_000_000_000_000_000n
  const [accountId = 0] = await accountsOf(world, large)
  const incarnation = await world.authority.join('journal', 'host')

  const answer = await world.authority.grant(incarnation, { calls: [needOf([accountId], large - 7n)], extras: [] })
  t.same(answer.granted, [true])
  t.match(answer.accounts, [{ limitNano: large, leasedNano: large - 7n, grantedNano: large - 7n }])
  const posted = await world.authority.post(incarnation, [anEvent(charges([accountId], large - 8n))], [])
  t.match(posted.accounts, [{ settledNano: large - 8n, leasedNano: 1n, postedNano: large - 8n }])
  await world.assertAudit(t)
})

t.test('refuses a batch for what is in it, and takes the rest of it without', async (t) => {
  const world = await aWorld(t)
  const [accountId = 0] = await accountsOf(world, 1000n)
  const incarnation = await world.authority.join('journal', 'host')
  await world.authority.grant(incarnation, { calls: [needOf([accountId], 100n)], extras: [] })
  const good = anEvent(charges([accountId], 10n))
  const bad: Record<string, UsageEvent> = {
    'an id that is none': anEvent(charges([accountId], 10n), { id: 'no-uuid' }),
    'an account that does not exist': anEvent(charges([999_999], 10n)),
    'one account twice': anEvent(charges([accountId, accountId], 10n)),
    'more covered than the lease has': anEvent(charges([accountId], 101n)),
    'an amount that no bigint holds': anEvent(charges([accountId], 2n ** 64n)),
    'a certainty that is none': { ...good, end: { ...good.end, certainty: 'perhaps' as 'exact' } },
    'a time that is none': { ...good, end: { ...good.end, endedAt: Number.NaN } },
  }

  for (const [name, event] of Object.entries(bad)) {
    await t.rejects(world.authority.post(incarnation, [good, event], []), { code: 'batch_refused' }, name)
  }

  t.same(await world.sql('select 1 from usage_events'), [], 'nothing of a refused batch took effect')
  t.same((await world.authority.post(incarnation, [good], [])).inserted, [good.end.id])
  await world.assertAudit(t)
})

t.test('says that it cannot be reached, within its deadline', async (t) => {
  const nowhere = new PostgresAuthority({ connectionString: 'postgres://postgres@127.0.0.1:1/none' })
  t.teardown(() => nowhere.close())
  await t.rejects(nowhere.join('journal', 'host'), { code: 'authority_unavailable' })

  const world = await aFreshWorld(t, { grantTimeoutMs: 1_500, postTimeoutMs: 1_500 })
  const [accountId = 0] = await accountsOf(world, 1000n)
  const incarnation = await world.authority.join('journal', 'host')
  const blocker = new pg.Client(world.url)
  await blocker.connect()
  await blocker.query('begin; select from budget_accounts for update')

  const grant = () => world.authority.grant(incarnation, { calls: [needOf([accountId], 1n)], extras: [] })
  await t.rejects(grant(), { code: 'authority_unavailable' })
  const event = anEvent(charges([accountId], 1n))
  await t.rejects(world.authority.post(incarnation, [event], []), { code: 'authority_unavailable' })

  await blocker.query('rollback')
  await blocker.end()
  t.same((await grant()).granted, [true])
  t.same((await world.authority.post(incarnation, [event], [])).inserted, [event.end.id])
  await world.assertAudit(t)
})

t.test('survives connections that PostgreSQL ends', async (t) => {
  const errors: Error[] = []
  const world = await aFreshWorld(t, { onIdleError: (error) => { errors.push(error) } })
  await world.authority.join('journal', 'host')

  await world.sql(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name like 'relaycore %'`)
  const joined = async () => {
    for (;;) {
      const outcome = await world.authority.join('journal', 'host').catch((error: unknown) => error)
      if (typeof outcome === 'number') return outcome
      t.match(outcome, { code: 'authority_unavailable' })
    }
  }

  t.type(await joined(), 'number')
})

t.test('a heartbeat does not wait for a post, a recovery does', async (t) => {
  const world = await aFreshWorld(t, { grantTimeoutMs: 1_000 })
  const [accountId = 0] = await accountsOf(world, 1000n)
  const incarnation = await world.authority.join('journal', 'host')
  await world.authority.grant(incarnation, { calls: [needOf([accountId], 10n)], extras: [] })
  const slow = new pg.Client(world.url)
  await slow.connect()
  const returned = JSON.stringify([{ account_id: accountId, returned_nano: '10' }])
  await slow.query('begin')
  await slow.query('select from post_usage($1, $2, $3)', [incarnation, '[]', returned])

  await world.authority.heartbeat(incarnation, [])
  let begun = false
  const recovery = world.authority.beginRecovery(incarnation).then(() => { begun = true })
  await world.waiting('begin_recovery', () => begun)
  t.notOk(begun)
  await slow.query('commit')
  await recovery
  await slow.end()

  t.ok(begun)
  t.match((await world.books())[0], { leasedNano: 0n })
})

t.test('a recovery waits for a grant that is under way, and none comes after it', async (t) => {
  const world = await aWorld(t)
  const [accountId = 0] = await accountsOf(world, 1000n)
  const incarnation = await world.authority.join('journal', 'host')
  const blocker = new pg.Client(world.url)
  await blocker.connect()
  await blocker.query('begin; select from budget_accounts for update')
  const request = { calls: [needOf([accountId], 10n)], extras: [] }

  const grant = world.authority.grant(incarnation, request)
  await world.waiting('grant_leases')
  let begun = false
  const recovery = world.authority.beginRecovery(incarnation).then(() => { begun = true })
  await world.waiting('begin_recovery', () => begun)
  t.notOk(begun)
  await blocker.query('rollback')
  await blocker.end()

  t.same((await grant).granted, [true])
  await recovery
  await t.rejects(world.authority.grant(incarnation, request), { code: 'incarnation_not_live' })
  await world.authority.closeLeases(incarnation, [])
  t.match(await world.books(), [{ leasedNano: 0n }])
})

t.test('a late return does not free what is kept for events set aside', async (t) => {
  const world = await aWorld(t)
  const [accountId = 0] = await accountsOf(world, 1000n)
  const incarnation = await world.authority.join('journal', 'host')
  await world.authority.grant(incarnation, { calls: [needOf([accountId], 10n)], extras: [] })
  await world.authority.beginRecovery(incarnation)
  await world.authority.closeLeases(incarnation, [{ accountId, keptNano: 4n }])

  await world.authority.post(incarnation, [], [{ accountId, returnedNano: 10n }])

  t.match(await world.books(), [{ leasedNano: 4n }])
  await world.authority.post(incarnation, [anEvent(charges([accountId], 4n))], [{ accountId, returnedNano: 10n }])
  t.match(await world.books(), [{ leasedNano: 0n, settledNano: 4n }])
  await world.assertAudit(t)
})

t.test('a late grant or post that meets a recovery counts whole or not at all', async (t) => {
  const world = await aWorld(t)
  const accounts = await accountsOf(world, 10_000n, 10_000n)
  for (let round = 0; round < 15; round++) {
    const dead = await world.authority.join(`journal-${round}`, 'host')
    await world.authority.grant(dead, { calls: [needOf(accounts, 50n)], extras: [] })
    const open = anEvent(charges(accounts.toReversed(), 4n), { certainty: 'uncertain' })
    const known = [anEvent(charges(accounts, 3n)), open]
    const returns = accounts.map((accountId) => ({ accountId, returnedNano: 20n }))
    const late = (work: Promise<unknown>) => work.catch((error: unknown) => {
      t.match(error, { code: 'incarnation_not_live' })
    })

    await Promise.all([
      late(world.authority.grant(dead, { calls: [needOf(accounts.toReversed(), 5n)], extras: [] })),
      late(world.authority.post(dead, known.slice(0, 1), returns)),
      late(world.authority.grant(dead, { calls: [needOf(accounts, 5n)], extras: [] })),
      world.authority.beginRecovery(dead)
        .then(() => world.authority.post(dead, known, []))
        .then(() => world.authority.closeLeases(dead, [])),
    ])

    for (const row of await world.books()) t.match(row, { leasedNano: 0n, settledNano: BigInt(7 * (round + 1)) })
  }
  await world.assertAudit(t)
})

t.test('records what comes outside of all months at hand, and moves it into its month once there is one', async (t) => {
  const world = await aFreshWorld(t)
  const [accountId = 0] = await accountsOf(world, 1000n)
  const incarnation = await world.authority.join('journal', 'host')
  const soon = new Date()
  soon.setUTCMonth(soon.getUTCMonth() + 6, 15)
  const early = anEvent([{ accountId, amountNano: 5n, coveredNano: 0n }], { id: uuidv7({ msecs: soon.getTime() }) })
  await world.authority.post(incarnation, [early], [])
  t.same(await world.sql('select id from usage_events_default'), [{ id: early.end.id }])

  await world.sql('select ensure_partitions(8)')

  t.same(await world.sql('select id from usage_events_default'), [])
  t.same(await world.sql('select id from usage_events'), [{ id: early.end.id }])
  t.same((await world.authority.post(incarnation, [early], [])).inserted, [], 'and it is still known')
  await world.assertAudit(t)
})

t.test('writes one alert per threshold that is crossed, in the statement that crosses it', async (t) => {
  const world = await aWorld(t)
  const budgetId = await world.defineBudget(100n, [
    { threshold: 50, actions: ['notify'] },
    { threshold: 80.5, actions: ['notify'] },
    { threshold: 100, actions: ['block-all'] },
  ])
  const [account] = await world.authority.ensureAccounts([{ budgetId, ...SPEC }])
  const accountId = account?.accountId ?? 0
  const incarnation = await world.authority.join('journal', 'host')
  const post = (amountNano: bigint) =>
    world.authority.post(incarnation, [anEvent([{ accountId, amountNano, coveredNano: 0n }])], [])
  const alerts = () => world.sql('select threshold, actions, settled_nano from budget_alert_history order by id')

  await post(49n)
  t.same(await alerts(), [])
  await post(1n)
  t.same(await alerts(), [{ threshold: '50', actions: ['notify'], settled_nano: '50' }])
  await Promise.all([post(20n), post(31n), post(1n)])
  t.same((await alerts()).map(({ threshold }) => threshold).sort(), ['100', '50', '80.5'])
  await post(100n)
  t.equal((await alerts()).length, 3)
})

/** What a gateway knows of its own lease: enough to send what a right gateway sends. */
interface Lease { grantedNano: bigint, consumedNano: bigint, returnedNano: bigint }

class Gateway {
  readonly incarnation: number
  readonly #authority: PostgresAuthority
  readonly #leases = new Map<number, Lease>()
  readonly #sent: UsageEvent[] = []

  constructor (authority: PostgresAuthority, incarnation: number) {
    this.#authority = authority
    this.incarnation = incarnation
  }

  async take (accounts: number[], needNano: bigint, extraNano: bigint): Promise<void> {
    const answer = await this.#authority.grant(this.incarnation, {
      calls: [needOf(accounts, needNano), needOf(accounts.slice(0, 1), needNano + 1n)],
      extras: accounts.map((accountId) => ({ accountId, extraNano })),
    })
    this.#learn(answer.accounts)
  }

  /** Spends up to `amountNano` of what it has on all of these accounts; sends the event twice, with old ones. */
  async spend (accounts: number[], amountNano: bigint, returning: boolean): Promise<void> {
    const event = anEvent(charges(accounts, this.#consume(accounts, amountNano)))
    this.#sent.push(event)
    const returns = returning ? this.#giveUp(accounts) : []
    const again = this.#sent.slice(-3)
    const answers = await Promise.all([
      this.#authority.post(this.incarnation, [event], returns),
      this.#authority.post(this.incarnation, again, returns),
    ])
    for (const { accounts } of answers) this.#learn(accounts)
  }

  #consume (accounts: number[], amountNano: bigint): bigint {
    const most = accounts.map((id) => this.#lease(id)).reduce((least, lease) => {
      const free = lease.grantedNano - lease.consumedNano - lease.returnedNano
      return free < least ? free : least
    }, amountNano)
    for (const id of accounts) this.#lease(id).consumedNano += most
    return most
  }

  #giveUp (accounts: number[]) {
    return accounts.map((accountId) => {
      const lease = this.#lease(accountId)
      lease.returnedNano += (lease.grantedNano - lease.consumedNano - lease.returnedNano) / 2n
      return { accountId, returnedNano: lease.returnedNano }
    })
  }

  #learn (figures: AccountFigures[]): void {
    for (const { accountId, grantedNano } of figures) {
      const lease = this.#lease(accountId)
      if (grantedNano > lease.grantedNano) lease.grantedNano = grantedNano
    }
  }

  #lease (accountId: number): Lease {
    const lease = this.#leases.get(accountId) ?? { grantedNano: 0n, consumedNano: 0n, returnedNano: 0n }
    this.#leases.set(accountId, lease)
    return lease
  }
}

type Step =
  | { kind: 'take', gateway: number, accounts: number[], nano: bigint, extraNano: bigint }
  | { kind: 'spend', gateway: number, accounts: number[], nano: bigint, returning: boolean }
  | { kind: 'limit', budget: number, nano: bigint }

const subset = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('take' as const),
    gateway: fc.nat(2),
    accounts: subset,
    nano: fc.bigInt(1n, 40n),
    extraNano: fc.bigInt(0n, 60n),
  }),
  fc.record({
    kind: fc.constant('spend' as const),
    gateway: fc.nat(2),
    accounts: subset,
    nano: fc.bigInt(0n, 30n),
    returning: fc.boolean(),
  }),
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('limit' as const), budget: fc.nat(3), nano: fc.bigInt(300n, 900n) }) }
)

/** Everything at once: each step is started without waiting for the others, so PostgreSQL alone orders them. */
async function atOnce (world: PostgresWorld, budgets: string[], accountIds: number[], steps: Step[]): Promise<void> {
  const gateways = await Promise.all([1, 2, 3].map(async (n) => new Gateway(world.authorities[n - 1] ?? world.authority,
    await world.authority.join(`journal-${n}`, 'host'))))
  await Promise.all(steps.map(async (step) => {
    if (step.kind === 'limit') return await world.setLimit(budgets[step.budget] ?? '', step.nano)
    const accounts = step.accounts.map((n) => accountIds[n] ?? 0)
    const gateway = gateways[step.gateway]
    if (step.kind === 'take') return await gateway?.take(accounts, step.nano, step.extraNano)
    await gateway?.spend(accounts, step.nano, step.returning)
  }))
}

async function concurrencyHolds (t: Test, options: Partial<PostgresAuthorityOptions>): Promise<void> {
  const world = await aFreshWorld(t, options)
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
    const budgets = await Promise.all([300n, 500n, 900n, 300n].map((limit) => world.defineBudget(limit)))
    const accounts = await world.authority.ensureAccounts(budgets.map((budgetId) => ({ budgetId, ...SPEC })))
    await atOnce(world, budgets, accounts.map(({ accountId }) => accountId), steps)
    await world.assertAudit(t)
    // Limits here are never below 300, and only a lowered limit may leave an account above it.
    const lowered = steps.some(({ kind }) => kind === 'limit')
    for (const { limitNano, settledNano, leasedNano } of await world.books()) {
      if (!lowered) t.ok(settledNano + leasedNano <= (limitNano ?? 0n), 'nothing passes its limit')
    }
  }), { numRuns: 12, endOnFailure: true })
}

t.test('grants, posts, repeats, returns and changes of limits at once keep every equation, without a deadlock', async (t) => {
  await concurrencyHolds(t, {})
})
