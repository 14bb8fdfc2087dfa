-- The ledger: who may spend what (accounts, leases), what was spent (events, charges), and the definitions behind both.
-- Amounts are integers in nano-units (1e-9) of the row's currency; names say so.
-- Lock order, everywhere: the row of config_versions, budgets by id, the gateway's row, accounts by id, everything else.

create table deployment (
  singleton boolean primary key default true check (singleton),
  id uuid not null default gen_random_uuid(),
  created_at timestamptz(3) not null default clock_timestamp()
);
comment on table deployment is 'one row: names this ledger, e.g. in the keys of the shared hot status';
insert into deployment default values;

-- A change takes its row's lock first and until it commits, so changes of a kind happen one after the other: their
-- versions become visible in order, a poller misses none, and what a change checks stays true until it is done.
create table config_versions (
  kind text primary key check (kind in ('budgets', 'keys')),
  version bigint not null default 0
);
insert into config_versions (kind) values ('budgets'), ('keys');

create table budget_definitions (
  id uuid primary key,
  organization_id text,
  name text not null,
  description text,
  scope_type text not null check (scope_type in ('organization', 'team', 'user', 'project')),
  scope_id text not null,
  amount_nano bigint not null check (amount_nano > 0),
  enforced_limit_nano bigint not null check (enforced_limit_nano between 0 and amount_nano),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  period text not null check (period in ('daily', 'weekly', 'monthly', 'quarterly', 'annual', 'custom')),
  timezone text not null,
  start_date timestamptz(3) not null,
  end_date timestamptz(3) check (end_date > start_date),
  recurring boolean not null,
  mode text not null check (mode in ('enforced', 'soft')),
  paused boolean not null default false,
  filters jsonb not null default '{}',
  alerts jsonb not null default '[]',
  tags jsonb not null default '{}',
  parent_budget_id uuid references budget_definitions,
  created_at timestamptz(3) not null,
  updated_at timestamptz(3) not null,
  created_by text,
  archived_at timestamptz(3),
  version bigint not null
);
create index budget_definitions_scope on budget_definitions (scope_type, scope_id);
create index budget_definitions_parent on budget_definitions (parent_budget_id);

create table budget_accounts (
  id bigint generated always as identity primary key,
  budget_id uuid not null references budget_definitions,
  subject text not null default '',
  period_start timestamptz(3) not null,
  period_end timestamptz(3),
  currency text not null,
  limit_nano bigint,
  settled_nano bigint not null default 0,
  leased_nano bigint not null default 0 check (leased_nano >= 0),
  unique (budget_id, subject, period_start),
  check (period_end > period_start)
) with (fillfactor = 50);
comment on table budget_accounts is 'one budget in one period; the start is part of the key, so a reset is a new row';
comment on column budget_accounts.limit_nano is 'null: the budget is soft, nothing is refused for it';
comment on column budget_accounts.leased_nano is 'always the sum over its leases of granted - returned - posted';

create table gateways (
  incarnation bigint generated always as identity primary key,
  journal_id text not null,
  host text not null,
  state text not null default 'live' check (state in ('live', 'recovering', 'closed', 'written off')),
  started_at timestamptz(3) not null default clock_timestamp(),
  heartbeat_at timestamptz(3) not null default clock_timestamp()
);
comment on table gateways is 'one row per process life';
create index gateways_unclosed on gateways (journal_id) where state in ('live', 'recovering');

-- Where this is false, what the gateway leases is in doubt: nobody can be asked to give it back.
create function responds(_gateway gateways) returns boolean language sql as $$
  select _gateway.state = 'live' and _gateway.heartbeat_at > clock_timestamp() - interval '10 seconds'
$$;

create table leases (
  account_id bigint not null references budget_accounts,
  incarnation bigint not null references gateways,
  granted_nano bigint not null default 0,
  returned_nano bigint not null default 0,
  posted_nano bigint not null default 0,
  state text not null default 'open' check (state in ('open', 'kept', 'closed')),
  written_off_nano bigint not null default 0 check (written_off_nano >= 0),
  primary key (account_id, incarnation),
  check (returned_nano >= 0 and posted_nano >= 0 and returned_nano + posted_nano <= granted_nano)
) with (fillfactor = 50);
comment on table leases is 'cumulative figures that only grow: what one process life took of one account, gave back, and spent';
comment on column leases.state is 'kept: closed, but for what events that were set aside will be posted with; closed: nothing is left';
comment on column leases.written_off_nano is 'counted as spent by a write-off, and not yet replaced by what was really spent';
create index leases_open on leases (incarnation) where state = 'open';
create index leases_left on leases (account_id) where state <> 'closed';

create table usage_events (
  day date not null,
  id uuid not null,
  incarnation bigint,
  source text not null default 'relaycore' check (source in ('relaycore', 'auterity', 'manual')),
  organization_id text,
  team_id text,
  project_id text,
  user_id text,
  key_id text,
  session_id text,
  tags jsonb,
  provider text not null,
  endpoint text not null,
  model text not null,
  model_used text,
  stream boolean not null,
  request_id text,
  provider_request_id text,
  outcome text not null,
  status smallint,
  certainty text not null check (certainty in ('exact', 'estimated', 'uncertain')),
  input_tokens bigint,
  cache_read_tokens bigint,
  cache_write_5m_tokens bigint,
  cache_write_1h_tokens bigint,
  output_tokens bigint,
  reasoning_tokens bigint,
  web_searches integer,
  tier text,
  quote_nano bigint not null,
  cost_nano bigint not null,
  price_version text not null,
  opened_at timestamptz(3) not null,
  ended_at timestamptz(3) not null,
  recorded_at timestamptz(3) not null default clock_timestamp(),
  primary key (day, id)
) partition by range (day);
comment on table usage_events is 'the facts of one call, exactly once; day is the day (UTC) in the id; quote and cost in USD';

create table budget_usage_records (
  day date not null,
  event_id uuid not null,
  account_id bigint not null references budget_accounts,
  amount_nano bigint not null,
  covered_nano bigint not null,
  quote_nano bigint not null,
  rate text,
  primary key (day, event_id, account_id)
) partition by range (day);
comment on table budget_usage_records is 'what one event costs one account; covered: the part that the gateway''s lease paid';
create index budget_usage_records_account on budget_usage_records (account_id, event_id desc);

create table usage_events_default partition of usage_events default;
create table budget_usage_records_default partition of budget_usage_records default;

-- Made apart and then attached, which no insert waits for long; rows that were early leave the default partition.
create function ensure_partition(_parent text, _month date) returns void language plpgsql as $$
declare
  _name text := _parent || to_char(_month, '_YYYY_MM');
begin
  if to_regclass(quote_ident(_name)) is not null then
    return;
  end if;
  lock table budget_accounts in share row exclusive mode;
  execute format('create table %I (like %I including defaults including constraints including indexes)', _name, _parent);
  execute format('with early as (delete from %I where day >= %L and day < %L returning *) insert into %I select * from early',
    _parent || '_default', _month, _month + interval '1 month', _name);
  execute format('alter table %I attach partition %I for values from (%L) to (%L)',
    _parent, _name, _month, _month + interval '1 month');
end $$;

create function ensure_partitions(_months integer) returns void language plpgsql as $$
declare
  _this date := date_trunc('month', clock_timestamp() at time zone 'UTC');
begin
  perform pg_advisory_xact_lock(hashtext('relaycore ensure_partitions'));
  for _i in -1 .. _months loop
    perform ensure_partition('usage_events', (_this + make_interval(months => _i))::date);
    perform ensure_partition('budget_usage_records', (_this + make_interval(months => _i))::date);
  end loop;
end $$;
comment on function ensure_partitions is 'partitions of the last, this and the next months; what falls outside lands in the default partition';

create table budget_status_cache (
  account_id bigint primary key references budget_accounts,
  budget_id uuid not null references budget_definitions,
  settled_nano bigint not null,
  charges bigint not null,
  last_updated timestamptz(3) not null
) with (fillfactor = 50);
create index budget_status_cache_budget on budget_status_cache (budget_id);

create function keep_budget_status_cache() returns trigger language plpgsql as $$
begin
  insert into budget_status_cache as c (account_id, budget_id, settled_nano, charges, last_updated)
  select n.account_id, a.budget_id, sum(n.amount_nano), count(*), clock_timestamp()
  from new_records n join budget_accounts a on a.id = n.account_id
  group by n.account_id, a.budget_id
  order by n.account_id
  on conflict (account_id) do update set
    settled_nano = c.settled_nano + excluded.settled_nano,
    charges = c.charges + excluded.charges,
    last_updated = excluded.last_updated;
  return null;
end $$;
create trigger keep_budget_status_cache after insert on budget_usage_records
  referencing new table as new_records for each statement execute function keep_budget_status_cache();

create function calculate_budget_status(_budget uuid)
returns table (account_id bigint, subject text, period_start timestamptz, period_end timestamptz, limit_nano bigint,
  settled_nano bigint, charges bigint)
language sql stable as $$
  select a.id, a.subject, a.period_start, a.period_end, a.limit_nano,
    coalesce(sum(r.amount_nano), 0)::bigint, count(r.event_id)
  from budget_accounts a left join budget_usage_records r on r.account_id = a.id
  where a.budget_id = _budget
  group by a.id
  order by a.id
$$;
comment on function calculate_budget_status is 'from the records alone, for audit: the cache and the accounts must equal it';

create function refresh_budget_status_cache(_budget uuid) returns void language plpgsql as $$
begin
  perform 1 from budget_accounts a where a.budget_id = _budget order by a.id for no key update;
  insert into budget_status_cache as c (account_id, budget_id, settled_nano, charges, last_updated)
  select s.account_id, _budget, s.settled_nano, s.charges, clock_timestamp() from calculate_budget_status(_budget) s
  on conflict (account_id) do update set
    settled_nano = excluded.settled_nano, charges = excluded.charges, last_updated = excluded.last_updated;
end $$;

create table budget_alert_history (
  id bigint generated always as identity primary key,
  budget_id uuid not null references budget_definitions,
  account_id bigint not null references budget_accounts,
  threshold numeric not null,
  actions text[] not null,
  settled_nano bigint not null,
  triggered_at timestamptz(3) not null default clock_timestamp(),
  acknowledged_at timestamptz(3),
  acknowledged_by text,
  unique (account_id, threshold)
);
create index budget_alert_history_budget on budget_alert_history (budget_id);

create table api_keys (
  id uuid primary key,
  hash bytea not null unique check (length(hash) = 32),
  hint text not null,
  name text not null,
  organization_id text not null,
  team_id text,
  project_id text,
  user_id text,
  allow_headers text[] not null default '{}',
  require_headers text[] not null default '{}',
  created_at timestamptz(3) not null default clock_timestamp(),
  revoked_at timestamptz(3)
);
comment on column api_keys.hash is 'SHA-256 of the key; the key itself is kept nowhere';

create table admin_tokens (
  id uuid primary key default gen_random_uuid(),
  hash bytea not null unique check (length(hash) = 32),
  created_at timestamptz(3) not null default clock_timestamp(),
  revoked_at timestamptz(3)
);

create table exchange_rates (
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  effective_at timestamptz(3) not null,
  rate numeric not null check (rate > 0),
  primary key (currency, effective_at)
);
comment on column exchange_rates.rate is 'units of the currency per USD';

-- What a gateway needs to know of accounts, in one read.
create function account_figures(_incarnation bigint, _accounts bigint[])
returns table (account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint, budget_version bigint,
  granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint, in_doubt_since timestamptz,
  in_doubt_holder text, answered_at timestamptz)
language sql stable as $$
  select a.id, a.limit_nano, a.settled_nano, a.leased_nano, b.version,
    coalesce(own.granted_nano, 0), coalesce(own.posted_nano, 0), o.holders, o.in_doubt_nano, o.since, o.holder,
    clock_timestamp()
  from budget_accounts a
  join budget_definitions b on b.id = a.budget_id
  left join leases own on own.account_id = a.id and own.incarnation = _incarnation
  cross join lateral (
    select count(*) filter (where h.responds)::integer as holders,
      coalesce(sum(h.rest) filter (where not h.responds), 0)::bigint as in_doubt_nano,
      min(h.heartbeat_at) filter (where not h.responds) as since,
      (array_agg(h.host || ' (gateway ' || h.incarnation || ')' order by h.heartbeat_at) filter (where not h.responds))[1]
        as holder
    from (
      select l.granted_nano - l.returned_nano - l.posted_nano as rest, g.heartbeat_at, g.host, g.incarnation,
        g.incarnation = _incarnation or responds(g) as responds
      from leases l join gateways g on g.incarnation = l.incarnation
      where l.account_id = a.id and l.state <> 'closed' and l.granted_nano > l.returned_nano + l.posted_nano
    ) h
  ) o
  where a.id = any (_accounts)
$$;

-- A process life shows that it is there, and learns what it may have missed.
create function beat(_incarnation bigint, _accounts bigint[])
returns table (account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint, budget_version bigint,
  granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint, in_doubt_since timestamptz,
  in_doubt_holder text, answered_at timestamptz)
language plpgsql as $$
begin
  update gateways g set heartbeat_at = clock_timestamp() where g.incarnation = _incarnation and g.state = 'live';
  if not found then
    raise exception 'gateway % is not live', _incarnation using errcode = 'RC001';
  end if;
  return query select f.* from account_figures(_incarnation, _accounts) f;
end $$;

-- Accounts are created before they are asked of: rows that a statement inserts it cannot lock.
-- The budgets are locked, so an account cannot miss a change of amount; an end that has moved is taken over.
create function ensure_accounts(_specs json) returns table (ordinal integer, account_id bigint, currency text)
language plpgsql as $$
#variable_conflict use_column
begin
  perform 1 from budget_definitions b
  where b.id in (select s.budget_id from json_to_recordset(_specs) s (budget_id uuid)) order by b.id for share;
  insert into budget_accounts (budget_id, subject, period_start, period_end, currency, limit_nano)
  select b.id, s.subject, s.period_start, s.period_end, b.currency,
    case when b.mode = 'enforced' then b.enforced_limit_nano end
  from json_to_recordset(_specs) s (budget_id uuid, subject text, period_start timestamptz, period_end timestamptz)
  join budget_definitions b on b.id = s.budget_id
  order by b.id, s.subject, s.period_start
  on conflict do nothing;
  with moved as materialized (
    select a.id, s.period_end
    from json_to_recordset(_specs) s (budget_id uuid, subject text, period_start timestamptz, period_end timestamptz)
    join budget_accounts a
      on a.budget_id = s.budget_id and a.subject = s.subject and a.period_start = s.period_start
    where a.period_end is distinct from s.period_end
    order by a.id for no key update of a
  )
  update budget_accounts a set period_end = moved.period_end from moved where a.id = moved.id;
  return query
  select s.ordinal, a.id, a.currency
  from json_to_recordset(_specs) s (ordinal integer, budget_id uuid, subject text, period_start timestamptz)
  join budget_accounts a
    on a.budget_id = s.budget_id and a.subject = s.subject and a.period_start = s.period_start;
end $$;

-- Rights to spend: each call gets its needs on all of its accounts or on none, in order; then, where no call was
-- refused, an extra of at most half the rest, shared by the holders. Rows: `call` of each granted call, then figures.
create function grant_leases(_incarnation bigint, _calls integer[], _accounts bigint[], _needs bigint[],
  _extra_accounts bigint[], _extras bigint[])
returns table (call integer, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint,
  budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint,
  in_doubt_since timestamptz, in_doubt_holder text, answered_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
declare
  _granted integer[];
begin
  -- the weakest lock that recovery's "for update" waits for; a heartbeat does not wait for it
  perform 1 from gateways g where g.incarnation = _incarnation and g.state = 'live' for key share;
  if not found then
    raise exception 'gateway % is not live', _incarnation using errcode = 'RC001';
  end if;
  perform 1 from budget_accounts a where a.id = any (_accounts) order by a.id for no key update;
  with
  account as materialized (
    select a.id, coalesce(a.limit_nano, 4611686018427387904) - a.settled_nano - a.leased_nano as free
    from budget_accounts a where a.id = any (_accounts)
  ),
  need as materialized (
    select n.call, n.id, n.need, account.free,
      coalesce(sum(n.need) over (partition by n.id order by n.call) <= account.free, false) as fits
    from unnest(_calls, _accounts, _needs) n (call, id, need) left join account using (id)
  ),
  -- first pass: in line behind everybody; second: those who fit, and then those who fit behind them
  first_pass as (select call, bool_and(fits) as ok from need group by call),
  second_pass as (
    select need.call,
      coalesce(sum(need.need) over (partition by need.id order by first_pass.ok desc, need.call) <= need.free, false) as fits
    from need join first_pass using (call)
  ),
  granted as materialized (select call from second_pass group by call having bool_and(fits)),
  per_account as (
    select need.id, sum(need.need) as asked, coalesce(sum(need.need) filter (where granted.call is not null), 0) as given
    from need left join granted using (call) group by need.id
  ),
  other as (
    select l.account_id as id, count(*) as n from leases l
    where l.account_id = any (_accounts) and l.incarnation <> _incarnation and l.state <> 'closed'
      and l.granted_nano > l.returned_nano + l.posted_nano
    group by 1
  ),
  amount as materialized (
    select account.id, (p.given + case when p.given < p.asked then 0 else greatest(0, least(coalesce(e.extra, 0),
      trunc((account.free - p.given) / (2 * (coalesce(other.n, 0) + 1))))) end)::bigint as nano
    from account join per_account p using (id)
    left join (select e.id, max(e.extra) as extra from unnest(_extra_accounts, _extras) e (id, extra) group by e.id) e using (id)
    left join other using (id)
  ),
  taken as (
    update budget_accounts a set leased_nano = a.leased_nano + amount.nano
    from amount where a.id = amount.id and amount.nano > 0
  ),
  leased as (
    insert into leases as l (account_id, incarnation, granted_nano)
    select amount.id, _incarnation, amount.nano from amount where amount.nano > 0 order by amount.id
    on conflict (account_id, incarnation) do update set granted_nano = l.granted_nano + excluded.granted_nano
  )
  select array_agg(granted.call) into _granted from granted;
  return query
  select g.call, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint,
    null::integer, null::bigint, null::timestamptz, null::text, null::timestamptz
  from unnest(_granted) g (call)
  union all
  select null::integer, f.* from account_figures(_incarnation, _accounts) f;
end $$;

-- What is not the cost of one call, as an event of its own; the accounts are locked. Amounts may be negative.
create function record_entry(_incarnation bigint, _outcome text, _accounts bigint[], _amounts bigint[]) returns void
language plpgsql as $$
declare
  _at timestamptz := clock_timestamp();
  _id uuid := (lpad(to_hex((extract(epoch from _at) * 1000)::bigint), 12, '0') || '7' ||
    substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid;
  _day date := (_at at time zone 'UTC')::date;
begin
  insert into usage_events (day, id, incarnation, provider, endpoint, model, stream, outcome, certainty, quote_nano,
    cost_nano, price_version, opened_at, ended_at)
  select _day, _id, _incarnation, 'relaycore', 'write-off', 'none', false, _outcome, 'uncertain', 0,
    coalesce(max(e.amount) filter (where a.currency = 'USD'), 0), 'none', _at, _at
  from unnest(_accounts, _amounts) e (account_id, amount) join budget_accounts a on a.id = e.account_id;
  insert into budget_usage_records (day, event_id, account_id, amount_nano, covered_nano, quote_nano)
  select _day, _id, e.account_id, e.amount, 0, 0 from unnest(_accounts, _amounts) e (account_id, amount);
  update budget_accounts a set settled_nano = a.settled_nano + e.amount
  from unnest(_accounts, _amounts) e (account_id, amount) where a.id = e.account_id;
end $$;

-- Counts what a gateway that will not come back has leased as spent. Its calls are not known, so nothing less is safe.
create function write_off(_incarnation bigint) returns table (account_id bigint, amount_nano bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  _accounts bigint[];
  _amounts bigint[];
begin
  perform 1 from gateways g where g.incarnation = _incarnation and (g.state = 'recovering' or
    (g.state = 'live' and g.heartbeat_at < clock_timestamp() - interval '10 seconds')) for update;
  if not found then
    raise exception 'gateway % is unknown, answers, or is closed already', _incarnation using errcode = 'RC002';
  end if;
  update gateways set state = 'written off' where incarnation = _incarnation;
  perform 1 from budget_accounts a
  where a.id in (select l.account_id from leases l where l.incarnation = _incarnation and l.state = 'open')
  order by a.id for no key update;
  select array_agg(l.account_id order by l.account_id),
    array_agg(l.granted_nano - l.returned_nano - l.posted_nano order by l.account_id)
  into _accounts, _amounts
  from leases l where l.incarnation = _incarnation and l.state = 'open'
    and l.granted_nano > l.returned_nano + l.posted_nano;
  update budget_accounts a set leased_nano = a.leased_nano - e.amount
  from unnest(_accounts, _amounts) e (account_id, amount) where a.id = e.account_id;
  update leases l set state = 'closed', posted_nano = l.granted_nano - l.returned_nano,
    written_off_nano = l.granted_nano - l.returned_nano - l.posted_nano
  where l.incarnation = _incarnation and l.state = 'open';
  if _accounts is not null then
    perform record_entry(_incarnation, 'written_off', _accounts, _amounts);
  end if;
  return query select e.id, e.amount from unnest(_accounts, _amounts) e (id, amount);
end $$;

create function used_by(_events uuid[]) returns table (account_id bigint, covered_nano bigint) language sql stable as $$
  select r.account_id, sum(r.covered_nano)::bigint from budget_usage_records r where r.event_id = any (_events) group by 1
$$;

-- What turns out to be spent after a write-off is no longer counted by the write-off; the rest of its entry stays.
create function replace_write_off(_incarnation bigint, _accounts bigint[], _covered bigint[]) returns void
language plpgsql as $$
#variable_conflict use_column
declare
  _of bigint[];
  _back bigint[];
begin
  select array_agg(l.account_id order by l.account_id), array_agg(-least(e.covered, l.written_off_nano) order by l.account_id)
  into _of, _back
  from unnest(_accounts, _covered) e (account_id, covered) join leases l using (account_id)
  where l.incarnation = _incarnation and least(e.covered, l.written_off_nano) > 0;
  if _of is null then
    return;
  end if;
  update leases l set written_off_nano = l.written_off_nano + e.back
  from unnest(_of, _back) e (account_id, back) where l.account_id = e.account_id and l.incarnation = _incarnation;
  perform record_entry(_incarnation, 'write_off_replaced', _of, _back);
end $$;

-- Records of spending, and rights given back: idempotent by the event's id and by the returned figure's size.
-- Rows: `event_id` of each event that was really inserted, then the figures of the accounts touched.
create function post_usage(_incarnation bigint, _events json, _charges json, _returns json)
returns table (event_id uuid, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint,
  budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint,
  in_doubt_since timestamptz, in_doubt_holder text, answered_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
declare
  _touched bigint[];
  _inserted uuid[];
  _state text;
begin
  select g.state into _state from gateways g where g.incarnation = _incarnation for key share;
  if not found then
    raise exception 'gateway % is unknown', _incarnation using errcode = 'RC001';
  end if;
  select array_agg(distinct t.account_id) into _touched from (
    select c.account_id from json_to_recordset(_charges) c (account_id bigint)
    union select r.account_id from json_to_recordset(_returns) r (account_id bigint)) t;
  perform 1 from budget_accounts a where a.id = any (_touched) order by a.id for no key update;

  with inserted as (
    insert into usage_events (day, id, incarnation, organization_id, team_id, project_id, user_id, key_id, session_id, tags,
      provider, endpoint, model, model_used, stream, request_id, provider_request_id, outcome, status, certainty,
      input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens,
      web_searches, tier, quote_nano, cost_nano, price_version, opened_at, ended_at)
    select e.day, e.id, _incarnation, e.organization_id, e.team_id, e.project_id, e.user_id, e.key_id, e.session_id, e.tags,
      e.provider, e.endpoint, e.model, e.model_used, e.stream, e.request_id, e.provider_request_id, e.outcome, e.status,
      e.certainty, e.input_tokens, e.cache_read_tokens, e.cache_write_5m_tokens, e.cache_write_1h_tokens, e.output_tokens,
      e.reasoning_tokens, e.web_searches, e.tier, e.quote_nano, e.cost_nano, e.price_version, e.opened_at, e.ended_at
    from json_to_recordset(_events) e (day date, id uuid, organization_id text, team_id text, project_id text, user_id text,
      key_id text, session_id text, tags jsonb, provider text, endpoint text, model text, model_used text, stream boolean,
      request_id text, provider_request_id text, outcome text, status smallint, certainty text, input_tokens bigint,
      cache_read_tokens bigint, cache_write_5m_tokens bigint, cache_write_1h_tokens bigint, output_tokens bigint,
      reasoning_tokens bigint, web_searches integer, tier text, quote_nano bigint, cost_nano bigint, price_version text,
      opened_at timestamptz, ended_at timestamptz)
    order by e.day, e.id
    on conflict do nothing
    returning id
  ),
  recorded as (
    insert into budget_usage_records (day, event_id, account_id, amount_nano, covered_nano, quote_nano, rate)
    select c.day, c.event_id, c.account_id, c.amount_nano, c.covered_nano, c.quote_nano, c.rate
    from json_to_recordset(_charges) c (day date, event_id uuid, account_id bigint, amount_nano bigint, covered_nano bigint,
      quote_nano bigint, rate text)
    join inserted on inserted.id = c.event_id
    returning account_id, amount_nano, covered_nano
  ),
  moved as (
    select recorded.account_id, sum(recorded.amount_nano) as amount, sum(recorded.covered_nano) as covered
    from recorded group by 1
  ),
  -- a lease that was closed has given back all it could: what was kept for events pays for them, and nothing else
  given as (
    select l.account_id,
      case when l.state = 'open' then coalesce(moved.covered, 0)
        else least(coalesce(moved.covered, 0), l.granted_nano - l.returned_nano - l.posted_nano) end as covered,
      case when l.state = 'open' then greatest(coalesce(r.returned_nano, 0) - l.returned_nano, 0) else 0 end as back
    from leases l
    left join (select r.account_id, max(r.returned_nano) as returned_nano
      from json_to_recordset(_returns) r (account_id bigint, returned_nano bigint) group by 1) r using (account_id)
    left join moved using (account_id)
    where l.incarnation = _incarnation and l.account_id = any (_touched)
  ),
  lease as (
    update leases l set posted_nano = l.posted_nano + given.covered, returned_nano = l.returned_nano + given.back,
      state = case when l.state = 'kept' and l.granted_nano = l.returned_nano + l.posted_nano + given.covered
        then 'closed' else l.state end
    from given
    where l.account_id = given.account_id and l.incarnation = _incarnation and (given.covered <> 0 or given.back <> 0)
  ),
  account as (
    update budget_accounts a set
      settled_nano = a.settled_nano + coalesce(moved.amount, 0),
      leased_nano = a.leased_nano - coalesce(given.back, 0) - coalesce(given.covered, 0)
    from unnest(_touched) t (account_id) left join moved using (account_id) left join given using (account_id)
    where a.id = t.account_id and (moved.account_id is not null or given.back <> 0)
  )
  select coalesce(array_agg(inserted.id), '{}') into _inserted from inserted;

  if _state = 'written off' then
    perform replace_write_off(_incarnation, (select array_agg(r.account_id order by r.account_id) from used_by(_inserted) r),
      (select array_agg(r.covered_nano order by r.account_id) from used_by(_inserted) r));
  end if;

  if cardinality(_inserted) > 0 then
    insert into budget_alert_history (budget_id, account_id, threshold, actions, settled_nano)
    select b.id, a.id, (t ->> 'threshold')::numeric, array(select jsonb_array_elements_text(t -> 'actions')), a.settled_nano
    from budget_accounts a
    join budget_definitions b on b.id = a.budget_id
    cross join lateral jsonb_array_elements(b.alerts) t
    where a.id = any (_touched)
      and a.settled_nano::numeric * 100 >= b.amount_nano::numeric * (t ->> 'threshold')::numeric
      and not exists (select from budget_alert_history h
        where h.account_id = a.id and h.threshold = (t ->> 'threshold')::numeric)
    on conflict do nothing;
  end if;

  return query
  select i.id, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint,
    null::integer, null::bigint, null::timestamptz, null::text, null::timestamptz
  from unnest(_inserted) i (id)
  union all
  select null::uuid, f.* from account_figures(_incarnation, _touched) f;
end $$;

-- Committed before a lease of it is touched. Waits for the grants and posts that are under way, and none comes after.
create function begin_recovery(_incarnation bigint) returns void language plpgsql as $$
begin
  perform 1 from gateways g where g.incarnation = _incarnation for update;
  if not found then
    raise exception 'gateway % is unknown', _incarnation using errcode = 'RC001';
  end if;
  update gateways g set state = 'recovering' where g.incarnation = _incarnation and g.state = 'live';
end $$;

-- Write-once: what a dead process life was granted and neither posted nor keeps for events set aside goes back.
create function close_leases(_incarnation bigint, _kept json) returns void language plpgsql as $$
#variable_conflict use_column
begin
  perform 1 from gateways g where g.incarnation = _incarnation and g.state <> 'live' for update;
  if not found then
    raise exception 'gateway % is not being recovered', _incarnation using errcode = 'RC002';
  end if;
  perform 1 from budget_accounts a
  where a.id in (select l.account_id from leases l
    where l.incarnation = _incarnation and (l.state = 'open' or l.written_off_nano > 0))
  order by a.id for no key update;
  -- its journal is posted whole: what a write-off still counts was never spent
  perform replace_write_off(_incarnation, array_agg(l.account_id), array_agg(l.written_off_nano))
  from leases l where l.incarnation = _incarnation and l.written_off_nano > 0;
  with rest as materialized (
    select l.account_id, l.granted_nano - l.returned_nano - l.posted_nano as total,
      least(coalesce(k.kept_nano, 0), l.granted_nano - l.returned_nano - l.posted_nano) as kept
    from leases l
    left join (select k.account_id, sum(k.kept_nano) as kept_nano
      from json_to_recordset(_kept) k (account_id bigint, kept_nano bigint) group by 1) k using (account_id)
    where l.incarnation = _incarnation and l.state = 'open'
  ),
  ended as (
    update leases l set returned_nano = l.returned_nano + rest.total - rest.kept,
      state = case when rest.kept > 0 then 'kept' else 'closed' end
    from rest where l.account_id = rest.account_id and l.incarnation = _incarnation
  )
  update budget_accounts a set leased_nano = a.leased_nano - (rest.total - rest.kept)
  from rest where a.id = rest.account_id and rest.total <> rest.kept;
  update gateways set state = 'closed' where incarnation = _incarnation;
end $$;
