import fc from 'fast-check'
import { DateTime } from 'luxon'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import t, { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { BatchRefusedError } from '../../../src/account/authority.ts'
import { type Charge, type UsageEvent } from '../../../src/usage/usage.ts'
import { anEvent } from '../../account/contract-authority.ts'
import { aFreshWorld, aWorld, type PostgresWorld } from './world.ts'

/** What the sums must be, from the records themselves: the account's period and the event's time decide the hour. */
const FACTS = `
  select f.account_id, d.facet, d.value, date_trunc('hour', f.at, f.timezone) as hour,
    (f.at at time zone f.timezone)::date as day, f.charged_nano, coalesce(f.input_tokens, 0)
      + coalesce(f.cache_read_tokens, 0) + coalesce(f.cache_write_5m_tokens, 0) + coalesce(f.cache_write_1h_tokens, 0)
      + coalesce((f.units ->> 'inputAudioTokens')::bigint, 0) + coalesce((f.units ->> 'cachedImageTokens')::bigint, 0) as input,
    coalesce(f.output_tokens, 0) + coalesce((f.units ->> 'outputImageTokens')::bigint, 0) as output
  from (
    select r.account_id, r.amount_nano as charged_nano, e.*, b.timezone,
      greatest(a.period_start, least(e.opened_at, coalesce(a.period_end, 'infinity') - interval '1 millisecond')) as at
    from budget_usage_records r join budget_accounts a on a.id = r.account_id
    join budget_definitions b on b.id = a.budget_id join usage_events e on e.day = r.day and e.id = r.event_id
  ) f
  cross join lateral (
    values ('model', array[f.source, f.provider, coalesce(f.model_used, f.model)]),
      ('key', array[f.key_id, f.team_id, f.project_id]), ('user', array[f.user_id])
    union all select 'tag:' || k, array[v] from jsonb_each_text(f.tags) x (k, v)
  ) d (facet, value) where num_nulls(variadic d.value) < cardinality(d.value)`

const WRONG = (['hour', 'day'] as const).map((grain) => `
  with expected as (
    select account_id, facet, ${grain}, value, sum(charged_nano)::bigint as amount, count(*) as records,
      sum(input)::bigint as input, sum(output)::bigint as output
    from (${FACTS}) fact group by 1, 2, 3, 4
  ),
  kept as (
    select account_id, facet, ${grain}, value, amount_nano, records, input_tokens, output_tokens from usage_by_${grain}
  )
  select 'missing' as what, * from (table expected except table kept) m
  union all select 'surplus', * from (table kept except table expected) s`)

const UNSETTLED = `
  select a.id, a.settled_nano, sum(d.amount_nano) as days from budget_accounts a
  left join usage_by_day d on d.account_id = a.id and d.facet = 'model'
  group by a.id having coalesce(sum(d.amount_nano), 0) <> a.settled_nano`

async function assertSums (t: Test, { sql }: PostgresWorld): Promise<void> {
  for (const query of WRONG) t.same(await sql(query), [])
  t.same(await sql(UNSETTLED), [], 'the days of a period are what is settled on its account')
}

interface Placed { zone: string, accounts: number[], from: number, to: number }

/** a daily and a monthly budget in a zone, with the accounts of some days around a time */
async function aZone (world: PostgresWorld, zone: string, around: string): Promise<Placed> {
  const start = DateTime.fromISO(around, { zone }).startOf('day')
  const [daily, monthly] = [await world.defineBudget(null), await world.defineBudget(null)]
  await world.sql('update budget_definitions set timezone = $1 where id = any ($2)', [zone, [daily, monthly]])
  const specs = [-1, 0, 1].map((day) => ({
    budgetId: daily,
    subject: '',
    periodStart: start.plus({ days: day }).toMillis(),
    periodEnd: start.plus({ days: day + 1 }).toMillis(),
  }))
  const month = start.startOf('month')
  const periodEnd = month.plus({ months: 1 }).toMillis()
  specs.push({ budgetId: monthly, subject: '', periodStart: month.toMillis(), periodEnd })
  const accounts = (await world.authority.ensureAccounts(specs)).map(({ accountId }) => accountId)
  return { zone, accounts, from: start.minus({ days: 2 }).toMillis(), to: start.plus({ days: 3 }).toMillis() }
}

interface Drawn {
  /** a part of the time of its place */
  at: number
  /** place of the account, and amount */
  charges: [number, number][]
  user: string | null
  tags: Record<string, string> | null
  model: string
}

const charge = fc.tuple(fc.nat(3), fc.integer({ min: -1000, max: 1_000_000 }))
const tag = fc.dictionary(fc.constantFrom('env', 'feature', 'Ünï 🚀'), fc.constantFrom('', 'a', 'ß'), { noNullPrototype: true })

const drawn: fc.Arbitrary<Drawn> = fc.record({
  at: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
  charges: fc.uniqueArray(charge, { selector: ([account]) => account, minLength: 1 }),
  user: fc.constantFrom('ann', 'bob', null),
  tags: fc.option(tag),
  model: fc.constantFrom('small', 'large'),
})

function eventOf ({ at, charges, user, tags, model }: Drawn, { accounts, from, to }: Placed): UsageEvent {
  const openedAt = Math.floor(from + at * (to - from))
  const paid: Charge[] = charges.map(([account, amount]) => ({
    accountId: accounts[account] ?? 0, amountNano: BigInt(amount), coveredNano: 0n,
  }))
  const event = anEvent(paid, { id: uuidv7({ msecs: openedAt }) })
  return {
    opening: { ...event.opening, userId: user, tags, teamId: user === null ? null : 'red', model },
    end: {
      ...event.end,
      modelUsed: null,
      usage: {
        inputTokens: 3,
        cacheReadTokens: 5,
        cacheWrite5mTokens: 7,
        cacheWrite1hTokens: 11,
        outputTokens: charges.length,
        reasoningTokens: 1,
        webSearches: 0,
        tier: null,
        ...charges.length === 1
          ? {}
          : { units: { inputAudioTokens: 13, cachedImageTokens: 17, outputImageTokens: 19, seconds: 23 } },
      },
    },
  }
}

const PLACES: [string, string][] = [
  ['Europe/Berlin', '2026-03-29'], ['Europe/Berlin', '2026-10-25'], ['America/New_York', '2026-11-01'],
  ['Asia/Kolkata', '2026-01-01'], ['Australia/Lord_Howe', '2026-04-05'], ['America/Havana', '2025-11-02'],
  ['Asia/Beirut', '2026-03-29'], ['UTC', '2024-02-29'],
]

t.test('sums by hour and day are those of the records, over changes of the clocks and ends of months', async (t) => {
  const world = await aWorld(t)
  const places = await Promise.all(PLACES.map(([zone, around]) => aZone(world, zone, around)))
  const incarnation = await world.authority.join('journal', 'host')
  const batch = fc.array(fc.tuple(fc.nat(PLACES.length - 1), drawn), { minLength: 1, maxLength: 30 })

  await fc.assert(fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 4 }), async (batches) => {
    const events = batches.map((some) => some.map(([place, one]) => eventOf(one, places[place] as Placed)))
    await Promise.all(events.map((some, i) => world.authorities[i % 3]?.post(incarnation, some, [])))
    // a batch that is sent again adds nothing
    await world.authority.post(incarnation, events[0] ?? [], [])
  }), { numRuns: 15 })

  await assertSums(t, world)
  const all = 'select * from usage_by_hour order by account_id, facet, hour, value'
  const before = await world.sql(all)
  t.ok(before.length > 100)
  await world.sql('update usage_by_hour set amount_nano = 1; delete from usage_by_day')
  const rebuilt = await world.sql('select rebuild_usage_rollups(id) as accounts from budget_definitions')
  t.equal(rebuilt.reduce((sum, { accounts }) => sum + Number(accounts), 0), PLACES.length * 4)
  t.same(await world.sql(all), before, 'and the same when they are made anew')
  await assertSums(t, world)
  await world.assertAudit(t)
})

t.test('what is charged after its period is summed within it', async (t) => {
  const world = await aFreshWorld(t)
  const { accounts: [, , , accountId = 0] } = await aZone(world, 'Europe/Berlin', '2026-10-31')
  const incarnation = await world.authority.join('journal', 'host')
  await world.authority.grant(incarnation, { calls: [{ needs: [{ accountId, needNano: 500n }] }], extras: [] })
  await world.silence(incarnation)
  await world.writeOff(incarnation)

  t.same(await world.sql(`
    select hour, amount_nano, records from usage_by_hour where facet = 'model'`), [
    { hour: new Date('2026-10-31T22:00:00Z'), amount_nano: '500', records: '1' },
  ], 'in its last hour, since its time is past the end')
  await assertSums(t, world)
})

t.test('no text keeps an event from being recorded, and a hundred tags cost what eight do', async (t) => {
  const world = await aWorld(t)
  const { accounts: [, accountId = 0] } = await aZone(world, 'UTC', '2026-05-05')
  const incarnation = await world.authority.join('journal', 'host')
  const id = uuidv7({ msecs: Date.UTC(2026, 4, 5) })
  const event = anEvent([{ accountId, amountNano: 7n, coveredNano: 0n }], { id })
  const long = '🚀'.repeat(600)
  const tags = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i + 100}${long}`, long]))
  const answer = await world.authority.post(incarnation, [{
    opening: { ...event.opening, tags, model: long, userId: long, provider: long, teamId: '' },
    end: { ...event.end, modelUsed: long },
  }], [])

  t.equal(answer.inserted.length, 1)
  const [row] = await world.sql(`
    select count(*)::integer as rows, max(length(value[1])) as longest, sum(amount_nano)::integer as sum from usage_by_hour
    where facet like 'tag:%'`)
  t.same(row, { rows: 8, longest: 256, sum: 56 })
  t.match(await world.sql("select value[2] as team from usage_by_day where facet = 'key'"), [{ team: '' }])
})

t.test('months that are detached as the README says leave accounts, status and sums as they were', async (t) => {
  const world = await aFreshWorld(t)
  const { accounts: [before = 0, , , month = 0] } = await aZone(world, 'Europe/Berlin', '2025-02-01')
  const incarnation = await world.authority.join('journal', 'host')
  await world.sql(`
    select ensure_partition(parent, '2025-01-01') from unnest(array['usage_events', 'budget_usage_records']) parent`)
  const at = ['2025-01-31T22:59:00Z', '2025-01-31T23:30:00Z', '2025-02-01T12:00:00Z']
  await world.authority.post(incarnation, at.map((time, i) => {
    const accounts = [before, month].slice(Math.min(i, 1))
    const charges = accounts.map((accountId) => ({ accountId, amountNano: BigInt(10 ** i), coveredNano: 0n }))
    return anEvent(charges, { id: uuidv7({ msecs: Date.parse(time) }) })
  }), [])
  const sums = 'select * from usage_by_hour order by account_id, facet, hour, value'
  const kept = await world.sql(sums)
  t.ok(kept.length > 0)
  const readme = await readFile(resolve(import.meta.dirname, '../../../../README.md'), 'utf8')
  const commands = /```sql\n([^`]*detach partition[^`]*)```/.exec(readme)?.[1] ?? ''

  await world.sql(commands)

  t.match(await world.sql('select count(*)::integer as records from budget_usage_records'), [{ records: 1 }])
  t.same(await world.sql(`
    select a.settled_nano, s.settled_nano as calculated, c.settled_nano as cached from budget_accounts a
    join lateral calculate_budget_status(a.budget_id) s on s.account_id = a.id
    join budget_status_cache c on c.account_id = a.id and c.charges = s.charges order by a.id`), [
    { settled_nano: '1', calculated: '1', cached: '1' }, { settled_nano: '111', calculated: '111', cached: '111' },
  ])
  await world.sql('select rebuild_usage_rollups(id) from budget_definitions')
  t.same(await world.sql(sums), kept, 'what has no records any more keeps its sums')

  const late = [before, month].map((accountId) => ({ accountId, amountNano: 5n, coveredNano: 0n }))
  for (const charges of [late, []]) {
    const event = anEvent(charges, { id: uuidv7({ msecs: Date.parse('2025-01-31T12:00:00Z') }) })
    const refused: unknown = await world.authority.post(incarnation, [event], []).catch((error: unknown) => error)
    t.type(refused, BatchRefusedError, 'what comes late would not meet what it repeats')
  }
  t.match(await world.sql('select sum(settled_nano)::integer as settled from budget_accounts'), [{ settled: 112 }])
})

t.test('a month is not detached before it is over for long, nor with holds that are open', async (t) => {
  const { sql } = await aWorld(t)
  const detach = async (month: string) => await sql(`insert into detached_months (month) values (date_trunc('month', ${month}))`)
  await t.rejects(detach('now()'), /is not over for long enough/)
  await t.rejects(detach("now() at time zone 'UTC' - interval '1 month'"), /is not over for long enough/)
  await sql(`
    insert into long_holds (id, endpoint, amount_nano, currency, quote_nano, price_version, opened_at, expires_at)
    values (gen_random_uuid(), 'holds', 1, 'USD', 1, 'none', '2025-01-31T23:59:59Z', '2099-01-01')`)
  await t.rejects(detach("date '2025-01-01'"), /are still open/)
  await detach("date '2024-12-01'")
})

t.test('a zone that PostgreSQL does not know is no zone of a budget', async (t) => {
  const { sql, defineBudget } = await aWorld(t)
  const id = await defineBudget(1n)
  await t.rejects(sql('update budget_definitions set timezone = $1 where id = $2', ['Mars/Olympus', id]), { code: '22023' })
})
