-- What is kept twice is compared: accounts, leases, the status cache and the sums with the records, and the records with
-- their events. All that reads is one statement or runs in one snapshot, and everybody who writes moves these figures in
-- one transaction, so what differs is wrong. What is derived is put right by itself; what gives rights to spend is put
-- right by a command alone.

create table auditor (
  singleton boolean primary key default true check (singleton),
  looked_at timestamptz(3) not null default '-infinity',
  in_use_after bigint not null default 0,
  turn_after bigint not null default 0,
  turn_began_at timestamptz(3) not null default clock_timestamp(),
  turn_ended_at timestamptz(3)
);
comment on table auditor is 'one row: how far the auditor has come, whichever gateway looks next';
comment on column auditor.in_use_after is 'of the accounts that are leased, it has looked at those up to this one';
comment on column auditor.turn_after is 'of all accounts, it has read the records of those up to this one';
comment on column auditor.turn_ended_at is 'when all accounts had been read once more; null: not yet';
insert into auditor default values;

create table drifts (
  id bigint generated always as identity primary key,
  kind text not null check (kind in
    ('settled', 'leased', 'long_held', 'negative', 'posted', 'status_cache', 'usage_by_hour', 'usage_by_day', 'event', 'charge')),
  account_id bigint not null references budget_accounts,
  object text not null default '',
  kept text not null,
  due text not null,
  found_at timestamptz(3) not null default clock_timestamp(),
  seen_at timestamptz(3) not null default clock_timestamp(),
  gone_at timestamptz(3)
);
comment on table drifts is 'figures that were not what they are kept of, as the auditor found them';
comment on column drifts.object is 'the gateway of a lease, the event of a charge; else empty';
comment on column drifts.kept is 'in nano-units, or in words';
comment on column drifts.due is 'what it is kept of says this';
comment on column drifts.gone_at is 'it was put right; null: not yet';
create unique index drifts_open on drifts (kind, account_id, object) where gone_at is null;
create index drifts_of_account on drifts (account_id) where gone_at is null;

-- Cheap, for accounts in use: none of their records is read. Whether the account or one of those is wrong the records say.
create function suspect_accounts(_accounts bigint[]) returns setof bigint language sql stable as $$
  select a.id
  from budget_accounts a
  left join budget_status_cache c on c.account_id = a.id
  cross join lateral (
    select coalesce(sum(d.amount_nano), 0) as amount_nano, coalesce(sum(d.records), 0) as records
    from usage_by_day d where d.account_id = a.id and d.facet = 'model'
  ) day
  cross join lateral (
    select coalesce(sum(l.granted_nano - l.returned_nano - l.posted_nano), 0) as rest_nano from leases l where l.account_id = a.id
  ) lease
  cross join lateral (
    select coalesce(sum(r.held_nano), 0) as held_nano from long_hold_accounts r where r.account_id = a.id and r.held_nano > 0
  ) hold
  where a.id = any (_accounts) and (
    a.settled_nano <> coalesce(c.settled_nano, 0) or a.settled_nano <> day.amount_nano or coalesce(c.charges, 0) <> day.records
    or a.settled_nano < 0 or a.long_held_nano <> hold.held_nano or a.leased_nano <> lease.rest_nano + hold.held_nano)
  order by a.id
$$;

create function recorded_of(_account bigint) returns table (settled_nano bigint, charges bigint) language sql stable as $$
  select (r.settled_nano + d.settled_nano)::bigint, (r.charges + d.charges)::bigint
  from (select coalesce(sum(r.amount_nano), 0) as settled_nano, count(*) as charges
      from budget_usage_records r where r.account_id = _account) r,
    (select coalesce(sum(d.settled_nano), 0) as settled_nano, coalesce(sum(d.charges), 0) as charges
      from detached_usage d where d.account_id = _account) d
$$;
comment on function recorded_of is 'as calculate_budget_status() has it, of one account';

-- As add_to_usage_rollups() makes them, from all records of an account.
create function usage_sums(_account bigint)
returns table (facet text, hour timestamptz, day date, value text[], amount_nano bigint, records bigint, input_tokens bigint,
  output_tokens bigint)
language plpgsql stable set jit to off as $$
#variable_conflict use_column
begin
  return query with fact as materialized (
    select r.amount_nano, e.source, left(e.provider, 256) as provider, left(coalesce(e.model_used, e.model), 256) as model,
      left(e.key_id, 256) as key_id, left(e.user_id, 256) as user_id, left(e.team_id, 256) as team_id,
      left(e.project_id, 256) as project_id, case when jsonb_typeof(e.tags) = 'object' then e.tags end as tags,
      coalesce(e.input_tokens, 0) + coalesce(e.cache_read_tokens, 0) + coalesce(e.cache_write_5m_tokens, 0)
        + coalesce(e.cache_write_1h_tokens, 0) + case when e.units is null then 0 else unit_tokens(e.units, array['inputAudioTokens',
          'cachedAudioTokens', 'inputImageTokens', 'cachedImageTokens', 'inputVideoTokens']) end as input_tokens,
      coalesce(e.output_tokens, 0) + case when e.units is null then 0
        else unit_tokens(e.units, array['outputAudioTokens', 'outputImageTokens']) end as output_tokens,
      date_trunc('hour', greatest(a.period_start,
        least(e.opened_at, coalesce(a.period_end, 'infinity') - interval '1 millisecond')), b.timezone) as hour, b.timezone
    from budget_accounts a
    join budget_definitions b on b.id = a.budget_id
    join budget_usage_records r on r.account_id = a.id
    join usage_events e on e.day = r.day and e.id = r.event_id
    where a.id = _account
  ),
  summed as (
    select f.hour, f.timezone,
      case when grouping(f.model) = 0 then 'model' when grouping(f.key_id) = 0 then 'key' else 'user' end as facet,
      case when grouping(f.model) = 0 then array[f.source, f.provider, f.model]
        when grouping(f.key_id) = 0 then array[f.key_id, f.team_id, f.project_id] else array[f.user_id] end as value,
      sum(f.amount_nano)::bigint as amount_nano, count(*) as records, sum(f.input_tokens)::bigint as input_tokens,
      sum(f.output_tokens)::bigint as output_tokens
    from fact f
    group by f.hour, f.timezone, grouping sets ((f.source, f.provider, f.model), (f.key_id, f.team_id, f.project_id), (f.user_id))
    union all
    select f.hour, f.timezone, 'tag:' || left(t.name, 64), array[left(t.value, 256)], sum(f.amount_nano)::bigint, count(*),
      sum(f.input_tokens)::bigint, sum(f.output_tokens)::bigint
    from fact f
    cross join lateral (
      select t.name, t.value from jsonb_each_text(f.tags) t (name, value) where t.value is not null order by t.name limit 8
    ) t
    where f.tags is not null
    group by 1, 2, 3, 4
  )
  select s.facet, s.hour, (s.hour at time zone s.timezone)::date, s.value, s.amount_nano, s.records, s.input_tokens, s.output_tokens
  from summed s where num_nulls(variadic s.value) < cardinality(s.value);
end $$;

-- All that is wrong about one account. Its plan is kept by the session, which a function in SQL would make for each account. Sums of accounts of which a month was detached cannot be made again.
create function drifts_of(_account bigint)
returns table (kind text, account_id bigint, object text, kept text, due text)
language plpgsql stable set jit to off as $$
#variable_conflict use_column
begin
  return query with account as materialized (select * from budget_accounts a where a.id = _account),
  charge as materialized (
    select r.day, r.event_id, r.amount_nano, r.covered_nano, r.rate, e.id is not null as known, e.incarnation, e.cost_nano,
      e.source, e.endpoint, e.outcome, e.corrects, e.budget_id
    from budget_usage_records r left join usage_events e on e.day = r.day and e.id = r.event_id
    where r.account_id = _account
  ),
  detached as materialized (select exists (select from detached_usage d where d.account_id = _account) as some),
  book as materialized (select * from recorded_of(_account)),
  rest as materialized (
    select coalesce(sum(l.granted_nano - l.returned_nano - l.posted_nano), 0) as nano from leases l where l.account_id = _account
  ),
  held as materialized (
    select coalesce(sum(r.held_nano), 0) as nano from long_hold_accounts r where r.account_id = _account and r.held_nano > 0
  ),
  paid as (
    select c.incarnation, coalesce(sum(c.covered_nano), 0) as covered_nano,
      coalesce(sum(c.amount_nano) filter (where c.endpoint = 'write-off' and c.outcome = 'written_off'), 0) as written_off_nano
    from charge c where c.incarnation is not null group by c.incarnation
  ),
  sums as materialized (select s.* from usage_sums(_account) s where not (select d.some from detached d)),
  by_hour as (
    select coalesce(k.hour, s.hour) as hour, coalesce(k.amount_nano, 0) as kept_nano, coalesce(s.amount_nano, 0) as due_nano
    from (select * from usage_by_hour h where h.account_id = _account and not (select d.some from detached d)) k
    full join sums s on (s.facet, s.hour, s.value) = (k.facet, k.hour, k.value)
    where (k.amount_nano, k.records, k.input_tokens, k.output_tokens)
      is distinct from (s.amount_nano, s.records, s.input_tokens, s.output_tokens)
  ),
  by_day as (
    select coalesce(k.day, s.day) as day, coalesce(k.amount_nano, 0) as kept_nano, coalesce(s.amount_nano, 0) as due_nano
    from (select * from usage_by_day d where d.account_id = _account and not (select d.some from detached d)) k
    full join (
      select s.facet, s.day, s.value, sum(s.amount_nano) as amount_nano, sum(s.records) as records,
        sum(s.input_tokens) as input_tokens, sum(s.output_tokens) as output_tokens from sums s group by 1, 2, 3
    ) s on (s.facet, s.day, s.value) = (k.facet, k.day, k.value)
    where (k.amount_nano, k.records, k.input_tokens, k.output_tokens)
      is distinct from (s.amount_nano, s.records, s.input_tokens, s.output_tokens)
  )
  select f.kind, _account, f.object, f.kept, f.due
  from (
    select 'settled' as kind, '' as object, a.settled_nano::text as kept, b.settled_nano::text as due
    from account a, book b where a.settled_nano <> b.settled_nano
    union all
    select 'negative', '', a.settled_nano::text, 'not below zero' from account a, book b
    where a.settled_nano < 0 and a.settled_nano = b.settled_nano
    union all
    select 'long_held', '', a.long_held_nano::text, h.nano::text from account a, held h where a.long_held_nano <> h.nano
    union all
    select 'leased', '', a.leased_nano::text, (r.nano + h.nano)::text from account a, rest r, held h
    where a.leased_nano <> r.nano + h.nano
    union all
    -- what came late to a lease that had ended was not paid by it; what was written off it counts as posted
    select 'posted', l.incarnation::text, l.posted_nano::text, (p.covered_nano + case when l.state = 'open' then 0 else p.written_off_nano end)::text
    from leases l
    left join paid on paid.incarnation = l.incarnation
    cross join lateral (
      select coalesce(paid.covered_nano, 0) as covered_nano, coalesce(paid.written_off_nano, 0) as written_off_nano
    ) p
    where l.account_id = _account and not (select d.some from detached d)
      and case when l.state = 'open' then l.posted_nano <> p.covered_nano
        else l.posted_nano > p.covered_nano + p.written_off_nano end
    union all
    select 'status_cache', '', coalesce(c.settled_nano, 0) || ' in ' || coalesce(c.charges, 0) || ' charges',
      b.settled_nano || ' in ' || b.charges || ' charges'
    from book b left join budget_status_cache c on c.account_id = _account
    where (coalesce(c.settled_nano, 0), coalesce(c.charges, 0)) is distinct from (b.settled_nano, b.charges)
    union all
    select 'usage_by_hour', '', sum(h.kept_nano) || ' in ' || count(*) || ' sums, from ' || min(h.hour), sum(h.due_nano)::text
    from by_hour h having count(*) > 0
    union all
    select 'usage_by_day', '', sum(d.kept_nano) || ' in ' || count(*) || ' sums, from ' || min(d.day), sum(d.due_nano)::text
    from by_day d having count(*) > 0
    union all
    select 'event', c.event_id::text, case when c.known then 'on ' || c.day else 'a charge of ' || c.amount_nano || ' without an event' end,
      case when c.known then 'on ' || day_of(c.event_id) else 'an event on ' || c.day end
    from charge c where not c.known or c.day <> day_of(c.event_id)
    union all
    -- of calls: what is recorded by hand, set aside by hand or written off is in other currencies, or of many accounts
    select 'charge', c.event_id::text, c.amount_nano::text, due.nano::text
    from charge c
    cross join lateral (select case when c.rate is null then c.cost_nano else ceil(c.cost_nano * c.rate::numeric) end as nano) due
    where c.source = 'relaycore' and c.corrects is null and c.budget_id is null
      and c.endpoint not in ('holds', 'recorded', 'write-off') and c.amount_nano <> due.nano
  ) f;
end $$;

-- Only makes true what is derived, so whoever runs gateways may call it, with the rights of the owner.
create function heal_derived(_account bigint) returns text[] language plpgsql security definer as $$
declare
  _wrong text[];
  _day date;
begin
  perform 1 from budget_accounts a where a.id = _account for no key update;
  select array_agg(d.kind) into _wrong from drifts_of(_account) d
  where d.kind in ('status_cache', 'usage_by_hour', 'usage_by_day');
  if 'status_cache' = any (_wrong) then
    insert into budget_status_cache as c (account_id, budget_id, settled_nano, charges, last_updated)
    select a.id, a.budget_id, b.settled_nano, b.charges, clock_timestamp()
    from budget_accounts a, recorded_of(_account) b where a.id = _account
    on conflict (account_id) do update set
      settled_nano = excluded.settled_nano, charges = excluded.charges, last_updated = excluded.last_updated;
  end if;
  if _wrong && array['usage_by_hour', 'usage_by_day'] then
    delete from usage_by_hour h where h.account_id = _account;
    delete from usage_by_day d where d.account_id = _account;
    for _day in select distinct r.day from budget_usage_records r where r.account_id = _account order by r.day loop
      perform add_to_usage_rollups(array_agg(r.day), array_agg(r.event_id), array_agg(r.account_id), array_agg(r.amount_nano))
      from budget_usage_records r where r.account_id = _account and r.day = _day;
    end loop;
  end if;
  return coalesce(_wrong, '{}');
end $$;
comment on function heal_derived is 'makes the status cache and the sums of an account anew where they are wrong; returns which were';

-- By command alone: it may give rights to spend back. Records are believed, then leases and holds, and then the account.
create function heal_account(_account bigint)
returns table (kind text, object text, kept text, due text)
language plpgsql as $$
#variable_conflict use_column
begin
  perform 1 from budget_accounts a where a.id = _account for no key update;
  return query select d.kind, d.object, d.kept, d.due from drifts_of(_account) d
    where d.kind in ('settled', 'leased', 'long_held', 'posted');
  if not found then
    return;
  end if;
  update leases l set posted_nano = p.nano, granted_nano = case
      when l.state = 'closed' then l.returned_nano + p.nano else greatest(l.granted_nano, l.returned_nano + p.nano) end
  from drifts_of(_account) d
  cross join lateral (select d.due::bigint as nano) p
  where d.kind = 'posted' and l.account_id = _account and l.incarnation = d.object::bigint;
  update budget_accounts a set settled_nano = b.settled_nano, long_held_nano = h.nano, leased_nano = r.nano + h.nano,
    carry_open = a.carried_on
  from recorded_of(_account) b,
    (select coalesce(sum(r.held_nano), 0) as nano from long_hold_accounts r where r.account_id = _account) h,
    (select coalesce(sum(l.granted_nano - l.returned_nano - l.posted_nano), 0) as nano from leases l where l.account_id = _account) r
  where a.id = _account;
  perform apply_limits(array[_account]);
end $$;
comment on function heal_account is 'returns what was wrong';

do $$
begin
  execute format('alter function heal_derived(bigint) set search_path = %I, pg_temp', current_schema());
end $$;
revoke execute on function heal_derived(bigint) from public;
