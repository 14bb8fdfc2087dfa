import type pg from 'pg'

/**
 * A year of usage in the ledger, made by set-based SQL with triggers off, and then brought to where the triggers would
 * have brought it. 200 monthly budgets in four levels: one organization, 9 teams, 40 projects, 150 users, each a child
 * of one above; every event charges a user's budget and, up to `levels`, those above it.
 */
export interface SeedOptions {
  events: number
  /** 1 to 4: charges per event */
  levels: number
}

export const SEED = {
  organizationId: 'acme',
  zone: 'Europe/Berlin',
  budgets: 200,
  models: 20,
  /** by their number, 0 to 199 */
  budgetId: (no: number): string => `01900000-0000-7000-8000-${String(no).padStart(12, '0')}`,
  keyId: (no: number): string => `01900000-0000-7000-9000-${String(no).padStart(12, '0')}`,
}

export async function seedLedger (client: pg.ClientBase, { events, levels }: SeedOptions): Promise<void> {
  const run = async (text: string, values: unknown[] = []) => { await client.query(text, values) }
  // without jit, as the gateway's own connections are; without foreign keys and triggers
  await run('set jit = off; set session_replication_role = replica; set synchronous_commit = off')
  await run(`
    select ensure_partition(parent, (date_trunc('month', now()) - make_interval(months => m))::date)
    from generate_series(2, 13) m, unnest(array['usage_events', 'budget_usage_records']) parent`)
  await run(BUDGETS)
  await run(ACCOUNTS)
  await run(CHAIN, [levels])
  await run(EVENTS, [events])
  await run('analyze seed_chain; analyze seed_events; analyze budget_accounts')
  await run(`insert into usage_events (${COLUMNS}) select ${COLUMNS} from seed_events order by id`)
  await run(RECORDS)
  await run(SETTLED)
  await run(STATUS)
  await run(`
    select add_to_usage_rollups(array_agg(r.day), array_agg(r.event_id), array_agg(r.account_id), array_agg(r.amount_nano))
    from budget_usage_records r group by date_trunc('month', r.day)`)
  await run(KEYS)
  await run('drop table seed_events, seed_chain; set session_replication_role = origin')
  await run('analyze')
}

const COLUMNS = `day, id, source, organization_id, team_id, project_id, user_id, key_id, tags, provider, endpoint, model, model_used,
  stream, outcome, status, certainty, input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
  output_tokens, reasoning_tokens, web_searches, quote_nano, cost_nano, price_version, opened_at, ended_at,
  recorded_at`

const BUDGETS = `
  insert into budget_definitions (id, organization_id, name, scope_type, scope_id, amount_nano, enforced_limit_nano, currency,
    period, timezone, start_date, recurring, mode, alerts, parent_budget_id, created_at, updated_at, version)
  select ('01900000-0000-7000-8000-' || lpad(no::text, 12, '0'))::uuid, '${SEED.organizationId}', 'budget ' || no,
    case when no = 0 then 'organization' when no < 10 then 'team' when no < 50 then 'project' else 'user' end,
    case when no = 0 then '${SEED.organizationId}' when no < 10 then 'team ' || no when no < 50 then 'project ' || no
      else 'user ' || no end,
    1000000000000000, 1000000000000000, 'USD', 'monthly', '${SEED.zone}', '2020-01-01Z', true, 'enforced',
    '[{"threshold": 80, "actions": ["notify"], "notificationChannels": [], "message": null}]',
    ('01900000-0000-7000-8000-' || lpad((case when no = 0 then null when no < 10 then 0 when no < 50 then 1 + no % 9
      else 10 + no % 40 end)::text, 12, '0'))::uuid, now() - interval '2 years', now(), 1
  from generate_series(0, ${SEED.budgets - 1}) no`

const ACCOUNTS = `
  insert into budget_accounts (budget_id, period_start, period_end, currency, limit_nano)
  select b.id, m at time zone b.timezone, (m + interval '1 month') at time zone b.timezone, 'USD', b.enforced_limit_nano
  from generate_series(0, 13) n
  cross join lateral (select date_trunc('month', now() at time zone '${SEED.zone}') - make_interval(months => n)) m (m)
  cross join budget_definitions b
  order by m, b.id`

/** a user's budget, and so many above it */
const CHAIN = `
  create temp table seed_chain as
  with recursive line as (
    select id as leaf, id, parent_budget_id, 1 as level from budget_definitions where scope_type = 'user'
    union all
    select l.leaf, b.id, b.parent_budget_id, l.level + 1 from line l join budget_definitions b on b.id = l.parent_budget_id
    where l.level < $1
  )
  select leaf, id from line`

/** evenly over the last 365 days, in runs of 50 by one user; what opens later has the greater id */
const EVENTS = `
  create temp table seed_events as
  select (f.at at time zone 'UTC')::date as day,
    (lpad(to_hex((extract(epoch from f.at) * 1000)::bigint), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid as id,
    case when n % 50 = 0 then 'manual' else 'relaycore' end as source, '${SEED.organizationId}' as organization_id,
    'team ' || f.team as team_id, 'project ' || f.project as project_id, 'user ' || f.person as user_id,
    '01900000-0000-7000-9000-' || lpad((n / 50 % 40)::text, 12, '0') as key_id,
    jsonb_build_object('env', (array['prod', 'test'])[1 + n / 50 % 2], 'feature', 'f' || n / 50 % 12) as tags,
    (array['openai', 'anthropic', 'demo'])[1 + n / 10 % 3] as provider, 'chat.completions' as endpoint,
    'model-' || n / 10 % ${SEED.models} as model, 'model-' || n / 10 % ${SEED.models} as model_used, n % 3 = 0 as stream,
    'completed' as outcome, 200::smallint as status, case when n % 97 = 0 then 'uncertain' else 'exact' end as certainty,
    900::bigint as input_tokens, 0 as cache_read_tokens, 0 as cache_write_5m_tokens, 0 as cache_write_1h_tokens,
    250::bigint as output_tokens, 0 as reasoning_tokens, 0 as web_searches, 2000000::bigint as quote_nano,
    (1000 + n % 100000)::bigint as cost_nano, 'seed' as price_version, f.at as opened_at,
    f.at + interval '1 second' as ended_at, f.at + interval '2 seconds' as recorded_at
  from generate_series(1, $1::integer) n
  cross join lateral (select 50 + n / 50 * 7919::bigint % 150 as person) p
  cross join lateral (select date_trunc('milliseconds', now() - interval '365 days' + n * (interval '365 days' / $1)) as at,
    p.person, 10 + p.person % 40 as project, 1 + (10 + p.person % 40) % 9 as team) f`

const RECORDS = `
  insert into budget_usage_records (day, event_id, account_id, amount_nano, covered_nano, quote_nano)
  select e.day, e.id, a.id, e.cost_nano, 0, e.quote_nano
  from seed_events e
  join seed_chain c on c.leaf = ('01900000-0000-7000-8000-' || lpad(substr(e.user_id, 6), 12, '0'))::uuid
  join budget_accounts a on a.budget_id = c.id and a.subject = '' and a.period_start =
    date_trunc('month', e.opened_at, '${SEED.zone}')
  order by e.id`

const SETTLED = `
  update budget_accounts a set settled_nano = s.sum
  from (select account_id, sum(amount_nano) as sum from budget_usage_records group by 1) s where s.account_id = a.id`

const STATUS = `
  insert into budget_status_cache (account_id, budget_id, settled_nano, charges, last_updated)
  select a.id, a.budget_id, a.settled_nano, r.charges, now()
  from budget_accounts a join (select account_id, count(*) as charges from budget_usage_records group by 1) r on r.account_id = a.id`

const KEYS = `
  insert into api_keys (id, hash, hint, name, organization_id)
  select ('01900000-0000-7000-9000-' || lpad(n::text, 12, '0'))::uuid, sha256(n::text::bytea), 'rk_…' || n, 'key ' || n,
    '${SEED.organizationId}'
  from generate_series(0, 39) n`
