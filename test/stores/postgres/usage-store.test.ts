import t from 'tap'
import { cursorOf } from '../../../src/stores/postgres/cursor.ts'
import { Database } from '../../../src/stores/postgres/pool.ts'
import { PostgresUsageStore } from '../../../src/stores/postgres/usage-store.ts'
import { type UsageRecord } from '../../../src/usage/history.ts'
import { anEvent } from '../../account/contract-authority.ts'
import { type UsageEvent } from '../../../src/usage/usage.ts'
import { aLedger, DAY_MS, type Ledger, ledgerOf, TODAY } from './ledger.ts'
import { aFreshWorld } from './world.ts'

async function allPages (ledger: Ledger, limit: number): Promise<UsageRecord[][]> {
  const pages: UsageRecord[][] = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page = await ledger.store.page(ledger.budgetId, cursor === undefined ? { limit } : { limit, cursor })
    pages.push(page.records)
    cursor = page.nextCursor
  }
  return pages
}

t.test('tells what an event cost and whose it was', async (t) => {
  const ledger = await aLedger(t)
  const event = await ledger.charge(0, {
    teamId: 'red', userId: 'ann', projectId: 'p', tags: { env: 'prod' }, requestId: 'r-1', quoteNano: 9n,
  })

  const { records, nextCursor } = await ledger.store.page(ledger.budgetId, { limit: 10 })

  t.match(records, [{
    id: event.end.id,
    budgetId: ledger.budgetId,
    amountNano: 1n,
    quoteNano: 1n,
    currency: 'USD',
    rate: null,
    source: 'relaycore',
    certainty: 'exact',
    outcome: 'completed',
    provider: 'demo',
    endpoint: 'chat.completions',
    model: 'demo-small',
    requestId: 'r-1',
    organizationId: 'acme',
    teamId: 'red',
    projectId: 'p',
    userId: 'ann',
    tags: { env: 'prod' },
    openedAt: event.opening.openedAt,
    endedAt: event.end.endedAt,
  }])
  t.ok((records[0]?.recordedAt ?? 0) > 0)
  t.equal(nextCursor, null)
})

t.test('pages through all periods of a budget, newest first, each record once', async (t) => {
  const ledger = await aLedger(t)
  const made: UsageEvent[] = []
  for (const daysAgo of [70, 40, 40, 3, 2, 2, 2, 2, 1, 0, 0]) made.push(await ledger.charge(daysAgo))
  await ledger.account(5)
  const other = await ledger.world.defineBudget(1000n)
  const foreign = await ledger.account(2, other)
  const event = anEvent([{ accountId: foreign, amountNano: 1n, coveredNano: 0n }])
  await ledger.world.authority.post(ledger.incarnation, [event], [])
  const newestFirst = made.map(({ end }) => end.id).sort().reverse()

  for (const limit of [1, 2, 3, 4, 7, 10, 11, 12, 1000]) {
    const pages = await allPages(ledger, limit)

    t.same(pages.flat().map(({ id }) => id), newestFirst, `${limit} at a time`)
    t.ok(pages.slice(0, -1).every(({ length }) => length === limit), 'all but the last are full')
    t.ok((pages.at(-1)?.length ?? 0) > 0, 'no page is asked for in vain')
  }
})

t.test('a budget without usage has an empty history, and a wrong cursor is said to be one', async (t) => {
  const { store, budgetId } = await aLedger(t)

  t.same(await store.page(budgetId, { limit: 1 }), { records: [], nextCursor: null })
  t.same(await store.page('no-uuid', { limit: 1 }), { records: [], nextCursor: null })
  await t.rejects(store.page(budgetId, { limit: 1, cursor: 'x' }), { code: /^invalid_field$/i, message: /cursor/ })
})

/** A year of a daily budget: 100 records on each day but today. */
async function aYear ({ world, budgetId }: Ledger): Promise<void> {
  await world.sql(`
    select ensure_partition(parent, (date_trunc('month', now()) - make_interval(months => m))::date)
    from generate_series(2, 13) m, unnest(array['usage_events', 'budget_usage_records']) parent`)
  await world.sql(`
    insert into budget_accounts (budget_id, period_start, period_end, currency)
    select $1, d, d + interval '1 day', 'USD' from generate_series($2::timestamptz - interval '364 days',
      $2::timestamptz - interval '1 day', interval '1 day') d`, [budgetId, new Date(TODAY)])
  await world.sql(`
    with made as (
      select a.id as account, (lpad(to_hex((extract(epoch from a.period_start) * 1000)::bigint + n * 1000), 12, '0')
          || '70008' || lpad(to_hex(a.id * 1000 + n), 15, '0'))::uuid as event,
        (a.period_start at time zone 'UTC')::date as day
      from budget_accounts a, generate_series(1, 100) n
    ), events as (
      insert into usage_events (day, id, provider, endpoint, model, stream, outcome, certainty, quote_nano, cost_nano,
        price_version, opened_at, ended_at)
      select day, event, 'p', 'e', 'm', false, 'completed', 'exact', 1, 1, 'v', now(), now() from made
    )
    insert into budget_usage_records (day, event_id, account_id, amount_nano, covered_nano, quote_nano)
    select day, event, account, 1, 0, 1 from made`)
  await world.sql('analyze')
}

t.test('a page of a year reads about as much as it shows', async (t) => {
  const ledger = await ledgerOf(await aFreshWorld(t))
  await aYear(ledger)
  const database = new Database({ connectionString: ledger.world.url, max: 1 })
  t.teardown(() => database.close())
  const store = new PostgresUsageStore(database)
  const rowsRead = async () => {
    await database.query({ text: 'select pg_stat_force_next_flush()' })
    const [row] = await ledger.world.sql(`
      select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::integer as rows from pg_stat_user_tables
      where relname ~ '^(budget_usage_records|usage_events)'`)
    return Number(row?.['rows'])
  }
  const middle = (TODAY - 200 * DAY_MS).toString(16).padStart(12, '0')
  const id = `${middle.slice(0, 8)}-${middle.slice(8)}-7000-8000-000000000000`
  const cursor = cursorOf([ledger.budgetId, {}], { value: new Date(TODAY - 200 * DAY_MS).toISOString(), id })

  const to = TODAY - 100 * DAY_MS
  for (const options of [{ limit: 100 }, { limit: 100, cursor }, { limit: 100, to, model: 'm' }]) {
    const before = await rowsRead()
    const page = await store.page(ledger.budgetId, options)
    const read = await rowsRead() - before

    t.equal(page.records.length, 100)
    t.ok(read > 0 && read < 2_500, `${read} of 72,800 rows`)
  }
})

t.test('an outage is said to be one', async (t) => {
  const database = new Database({ connectionString: 'postgres://postgres@127.0.0.1:1/none' })
  t.teardown(() => database.close())
  const store = new PostgresUsageStore(database)
  const UNAVAILABLE = { code: /^dependency_unavailable$/i }

  await t.rejects(store.page('00000000-0000-7000-8000-000000000000', { limit: 1 }), UNAVAILABLE)
  await t.rejects(store.get('00000000-0000-7000-8000-000000000000'), UNAVAILABLE)
})
