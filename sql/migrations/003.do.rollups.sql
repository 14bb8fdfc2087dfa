-- Sums of what was charged, by hour and by day of the budget's zone, so that a report over a year reads days and not
-- records. A row for what goes together: what a call is (source, provider, model), by which key it came and so for which team
-- and project, and for which user; each tag by itself. What has no user counts in no user.

-- the zone must be one that PostgreSQL knows too, or no charge could be summed by its days
alter table budget_definitions add check (timezone(timezone, created_at) is not null);

create table usage_by_hour (
  account_id bigint not null,
  facet text collate "C" not null,
  hour timestamptz(3) not null,
  value text[] collate "C" not null,
  amount_nano bigint not null,
  records bigint not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  primary key (account_id, facet, hour, value)
) with (fillfactor = 80);
comment on table usage_by_hour is 'sums of budget_usage_records; account_id needs no check of its own, each row comes of a record';
comment on column usage_by_hour.facet is
  'model: {source, provider, model}; key: {key, team, project}; user: {user}; tag: and its name: {value}. Where all is null, no row';
comment on column usage_by_hour.hour is 'in which the call opened, by the clocks of the budget''s zone';
comment on column usage_by_hour.input_tokens is 'all that went in, read from and written to caches too';

create table usage_by_day (
  account_id bigint not null,
  facet text collate "C" not null,
  day date not null,
  value text[] collate "C" not null,
  amount_nano bigint not null,
  records bigint not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  primary key (account_id, facet, day, value)
) with (fillfactor = 80);
comment on table usage_by_day is 'as usage_by_hour; day: in the budget''s zone';

-- Adds records to the sums: one upsert per distinct key of the batch, in the order of keys. The accounts are locked by
-- everybody who records, so no two add to the sums of one account at once.
-- A charge belongs to the hour in which its call opened, kept within the period of its account: so the sums of a period
-- are what is settled on its account, also after a write-off or a correction that came later.
-- Nothing that an event contains may keep it from being recorded: texts are cut to what an index takes, and of its tags
-- the first 8 count, by name.
create function add_to_usage_rollups(_days date[], _events uuid[], _accounts bigint[], _amounts bigint[]) returns void
language plpgsql
-- how large a batch is the planner cannot know, and a nested loop over it would be quadratic; what must be looked up row
-- by row says so by "limit 1"
set enable_nestloop = off
set jit = off
as $$
#variable_conflict use_column
begin
  with charge as materialized (
    select * from unnest(_days, _events, _accounts, _amounts) c (event_day, event_id, account_id, amount_nano)
  ),
  account as materialized (
    select k.account_id, a.period_start, coalesce(a.period_end, 'infinity') as period_end, b.timezone
    from (select distinct account_id from charge) k
    cross join lateral (select * from budget_accounts a where a.id = k.account_id limit 1) a
    cross join lateral (select * from budget_definitions b where b.id = a.budget_id limit 1) b
  ),
  event as materialized (
    select k.event_id, e.source, left(e.provider, 256) as provider, left(coalesce(e.model_used, e.model), 256) as model,
      left(e.key_id, 256) as key_id, left(e.user_id, 256) as user_id, left(e.team_id, 256) as team_id,
      left(e.project_id, 256) as project_id, e.tags, e.opened_at,
      coalesce(e.input_tokens, 0) + coalesce(e.cache_read_tokens, 0) + coalesce(e.cache_write_5m_tokens, 0)
        + coalesce(e.cache_write_1h_tokens, 0) as input_tokens,
      coalesce(e.output_tokens, 0) as output_tokens
    from (select distinct event_day, event_id from charge) k
    cross join lateral (select * from usage_events e where e.day = k.event_day and e.id = k.event_id limit 1) e
  ),
  tag as materialized (
    select e.event_id, t.facet, t.value
    from event e cross join lateral (
      select 'tag:' || left(t.name, 64) as facet, left(t.value, 256) as value
      from jsonb_each_text(case when jsonb_typeof(e.tags) = 'object' then e.tags end) t (name, value)
      where t.value is not null order by t.name limit 8
    ) t
    where e.tags is not null
  ),
  fact as materialized (
    select c.account_id, c.amount_nano, e.*, a.timezone,
      date_trunc('hour', greatest(a.period_start, least(e.opened_at, a.period_end - interval '1 millisecond')), a.timezone) as hour
    from charge c join event e using (event_id) join account a using (account_id)
  ),
  by_hour as materialized (
    select f.account_id, f.timezone, f.hour,
      case when grouping(f.model) = 0 then 'model' when grouping(f.key_id) = 0 then 'key' else 'user' end as facet,
      case when grouping(f.model) = 0 then array[f.source, f.provider, f.model]
        when grouping(f.key_id) = 0 then array[f.key_id, f.team_id, f.project_id] else array[f.user_id] end as value,
      sum(f.amount_nano)::bigint as amount_nano, count(*) as records, sum(f.input_tokens)::bigint as input_tokens,
      sum(f.output_tokens)::bigint as output_tokens
    from fact f
    group by f.account_id, f.timezone, f.hour,
      grouping sets ((f.source, f.provider, f.model), (f.key_id, f.team_id, f.project_id), (f.user_id))
    union all
    select f.account_id, f.timezone, f.hour, t.facet, array[t.value], sum(f.amount_nano)::bigint, count(*),
      sum(f.input_tokens)::bigint, sum(f.output_tokens)::bigint
    from fact f join tag t using (event_id)
    group by f.account_id, f.timezone, f.hour, t.facet, t.value
  ),
  hours as (
    insert into usage_by_hour as r (account_id, facet, hour, value, amount_nano, records, input_tokens, output_tokens)
    select s.account_id, s.facet, s.hour, s.value, s.amount_nano, s.records, s.input_tokens, s.output_tokens
    from by_hour s where num_nulls(variadic s.value) < cardinality(s.value)
    order by s.account_id, s.facet, s.hour, s.value
    on conflict (account_id, facet, hour, value) do update set
      amount_nano = r.amount_nano + excluded.amount_nano, records = r.records + excluded.records,
      input_tokens = r.input_tokens + excluded.input_tokens, output_tokens = r.output_tokens + excluded.output_tokens
  )
  insert into usage_by_day as r (account_id, facet, day, value, amount_nano, records, input_tokens, output_tokens)
  select s.account_id, s.facet, (s.hour at time zone s.timezone)::date, s.value, sum(s.amount_nano), sum(s.records),
    sum(s.input_tokens), sum(s.output_tokens)
  from by_hour s where num_nulls(variadic s.value) < cardinality(s.value)
  group by 1, 2, 3, 4 order by 1, 2, 3, 4
  on conflict (account_id, facet, day, value) do update set
    amount_nano = r.amount_nano + excluded.amount_nano, records = r.records + excluded.records,
    input_tokens = r.input_tokens + excluded.input_tokens, output_tokens = r.output_tokens + excluded.output_tokens;
end $$;

create function keep_usage_rollups() returns trigger language plpgsql as $$
begin
  perform add_to_usage_rollups(array_agg(n.day), array_agg(n.event_id), array_agg(n.account_id), array_agg(n.amount_nano))
  from new_records n having count(*) > 0;
  return null;
end $$;
create trigger keep_usage_rollups after insert on budget_usage_records
  referencing new table as new_records for each statement execute function keep_usage_rollups();

-- Months whose records were taken out of the ledger's tables, and what they had charged: accounts, status and sums stay.
create table detached_months (
  month date primary key check (month = date_trunc('month', month)),
  detached_at timestamptz(3) not null default clock_timestamp()
);
create table detached_usage (
  account_id bigint not null references budget_accounts,
  month date not null references detached_months on delete cascade,
  settled_nano bigint not null,
  charges bigint not null,
  primary key (account_id, month)
);
comment on table detached_usage is 'what the records of a detached month charged each account';

create or replace function calculate_budget_status(_budget uuid)
returns table (account_id bigint, subject text, period_start timestamptz, period_end timestamptz, limit_nano bigint,
  settled_nano bigint, charges bigint)
language sql stable as $$
  select a.id, a.subject, a.period_start, a.period_end, a.limit_nano, (r.settled_nano + d.settled_nano)::bigint,
    (r.charges + d.charges)::bigint
  from budget_accounts a
  cross join lateral (select coalesce(sum(r.amount_nano), 0) as settled_nano, count(*) as charges
    from budget_usage_records r where r.account_id = a.id) r
  cross join lateral (select coalesce(sum(d.settled_nano), 0) as settled_nano, coalesce(sum(d.charges), 0) as charges
    from detached_usage d where d.account_id = a.id) d
  where a.budget_id = _budget
  order by a.id
$$;
comment on function calculate_budget_status is
  'from the records and detached months alone, for audit: the cache and the accounts must equal it';

-- The sums of a budget made anew from its records. Accounts with a detached month keep theirs. Returns how many did not.
create function rebuild_usage_rollups(_budget uuid) returns integer language plpgsql as $$
declare
  _account bigint;
  _day date;
  _rebuilt integer := 0;
begin
  perform 1 from budget_accounts a where a.budget_id = _budget order by a.id for no key update;
  for _account in
    select a.id from budget_accounts a
    where a.budget_id = _budget and not exists (select from detached_usage d where d.account_id = a.id) order by a.id
  loop
    delete from usage_by_hour h where h.account_id = _account;
    delete from usage_by_day d where d.account_id = _account;
    for _day in select distinct r.day from budget_usage_records r where r.account_id = _account order by r.day loop
      perform add_to_usage_rollups(array_agg(r.day), array_agg(r.event_id), array_agg(r.account_id), array_agg(r.amount_nano))
      from budget_usage_records r where r.account_id = _account and r.day = _day;
    end loop;
    _rebuilt := _rebuilt + 1;
  end loop;
  return _rebuilt;
end $$;
comment on function rebuild_usage_rollups is 'returns of how many accounts';

select rebuild_usage_rollups(id) from budget_definitions order by id;
