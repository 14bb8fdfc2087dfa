-- Usage that no gateway metered: recorded over the API for calls made elsewhere, and events that correct another one.
-- Lock order: a caller's id and everything else behind the accounts.

alter table usage_events
  add column budget_id uuid,
  add column caller_id text check (length(caller_id) between 1 and 256),
  add column amount_nano bigint,
  add column currency text check (currency ~ '^[A-Z]{3}$'),
  add column rate text,
  add column corrects uuid check (corrects <> id),
  add column description text check (length(description) between 1 and 4096),
  add column metadata jsonb check (jsonb_typeof(metadata) = 'object'),
  add check ((amount_nano is null) = (currency is null)),
  add check (corrects is not null or amount_nano >= 0);
comment on column usage_events.budget_id is 'of recorded usage, the budget that it was recorded on; those above it are charged too';
comment on column usage_events.caller_id is 'what its recorder calls it';
comment on column usage_events.amount_nano is 'of recorded usage, as it was recorded, in currency; null: cost_nano says it all';
comment on column usage_events.rate is 'units of currency per USD by which cost_nano was computed; null: currency is USD';
comment on column usage_events.corrects is
  'the event whose cost this one changes, by its own charges on the same accounts; of the same day, so found with it';
comment on column usage_events.metadata is 'what its recorder said beyond the columns';
create index usage_events_corrects on usage_events (corrects) where corrects is not null;

create table usage_ids (
  organization_id text not null,
  source text not null check (source in ('relaycore', 'auterity', 'manual')),
  caller_id text not null check (length(caller_id) between 1 and 256),
  day date not null,
  event_id uuid not null,
  content_hash bytea not null check (length(content_hash) = 32),
  primary key (organization_id, source, caller_id)
);
comment on table usage_ids is 'ids that recorders gave: each once and for good, which a partitioned table cannot promise';
comment on column usage_ids.organization_id is 'of the budget; empty where it has none';
comment on column usage_ids.content_hash is 'SHA-256 of what was recorded: the same id with other content is a conflict';

-- One row of history per account and threshold that what is settled has reached; the accounts are locked.
create function note_crossings(_accounts bigint[]) returns void language sql as $$
  insert into budget_alert_history (budget_id, account_id, threshold, actions, settled_nano)
  select b.id, a.id, (t ->> 'threshold')::numeric, array(select jsonb_array_elements_text(t -> 'actions')), a.settled_nano
  from budget_accounts a
  join budget_definitions b on b.id = a.budget_id
  cross join lateral jsonb_array_elements(b.alerts) t
  where a.id = any (_accounts)
    and a.settled_nano::numeric * 100 >= b.amount_nano::numeric * (t ->> 'threshold')::numeric
    and not exists (select from budget_alert_history h
      where h.account_id = a.id and h.threshold = (t ->> 'threshold')::numeric)
  on conflict do nothing
$$;

-- What reversals take back of each account that the event was charged to: the same part of all, of what is left of
-- them, rounded so that what stays is rounded up. `back_nano` is in the event's own currency, or in that of the budget:
-- `base_nano` is what is left in these terms. A row per reversal and account, or one with a problem.
create function taken_back(_reversals json)
returns table (ordinal integer, problem text, base_nano numeric, event_currency text, budget_currency text,
  account_id bigint, amount_nano bigint, rate text, event_amount_nano bigint, event_cost_nano bigint)
language sql stable as $$
  with target as materialized (
    select r.ordinal, r.day, r.budget_id, r.currency as terms, r.back_nano, e.id, coalesce(e.currency, 'USD') as currency,
      e.corrects is not null or e.endpoint = 'write-off' as is_entry,
      coalesce(e.amount_nano, e.cost_nano) + coalesce(c.amount_nano, 0) as amount_left,
      e.cost_nano + coalesce(c.cost_nano, 0) as cost_left,
      array_append(c.ids, e.id) as ids
    from json_to_recordset(_reversals) r (ordinal integer, day date, budget_id uuid, corrects uuid, currency text,
      back_nano bigint)
    left join lateral (select * from usage_events e where e.day = r.day and e.id = r.corrects limit 1) e on true
    left join lateral (
      select sum(coalesce(c.amount_nano, c.cost_nano)) as amount_nano, sum(c.cost_nano) as cost_nano, array_agg(c.id) as ids
      from usage_events c where c.day = r.day and c.corrects = r.corrects
    ) c on true
  ),
  charge as materialized (
    select t.ordinal, a.budget_id, a.currency, o.*
    from target t
    cross join lateral (
      select r.account_id, sum(r.amount_nano) as left_nano, min(r.rate) filter (where r.event_id = t.id) as rate
      from budget_usage_records r where r.day = t.day and r.event_id = any (t.ids)
      group by r.account_id
    ) o
    join budget_accounts a on a.id = o.account_id
  ),
  judged as materialized (
    select t.*, own.currency as own_currency, b.base_nano,
      case
        when own.account_id is null then 'unknown'
        when t.is_entry then 'entry'
        when b.base_nano is null then 'currency'
        when t.back_nano > b.base_nano then 'too much'
      end as problem
    from target t
    left join charge own on own.ordinal = t.ordinal and own.budget_id = t.budget_id
    cross join lateral (
      select case t.terms when t.currency then t.amount_left when own.currency then own.left_nano end as base_nano
    ) b
  )
  select j.ordinal, j.problem, j.base_nano, j.currency, j.own_currency, null, null, null, null, null
  from judged j where j.problem is not null
  union all
  select j.ordinal, null, j.base_nano, j.currency, j.own_currency, c.account_id,
    (-div(c.left_nano * j.back_nano, j.base_nano))::bigint, c.rate,
    (-div(j.amount_left * j.back_nano, j.base_nano))::bigint, (-div(j.cost_left * j.back_nano, j.base_nano))::bigint
  from judged j join charge c using (ordinal)
  where j.problem is null
$$;

-- Usage that was made elsewhere, and reversals: all of a batch or, where a row has a problem, nothing. Charges move what
-- is settled and no lease. A record whose caller's id is known is the one that is there already. Rows: each record with
-- where it is, or with its problem; then the accounts that were charged.
create function record_usage(_events json, _charges json, _reversals json, _ids json)
returns table (ordinal integer, problem text, day date, id uuid, known boolean, base_nano numeric, event_currency text,
  budget_currency text, account_id bigint, period_end timestamptz)
language plpgsql as $$
#variable_conflict use_column
declare
  _touched bigint[];
  _known integer[];
begin
  select array_agg(distinct t.account_id) into _touched from (
    select c.account_id from json_to_recordset(_charges) c (account_id bigint)
    union all
    select o.account_id from json_to_recordset(_reversals) r (day date, corrects uuid)
    cross join lateral (
      select u.account_id from budget_usage_records u where u.day = r.day and u.event_id = r.corrects limit 1000
    ) o) t;
  perform 1 from budget_accounts a where a.id = any (_touched) order by a.id for no key update;

  insert into usage_ids (organization_id, source, caller_id, day, event_id, content_hash)
  select i.organization_id, i.source, i.caller_id, i.day, i.id, i.content_hash::bytea
  from json_to_recordset(_ids) i (organization_id text, source text, caller_id text, day date, id uuid, content_hash text)
  order by 1, 2, 3
  on conflict do nothing;
  return query
  select i.ordinal, case when u.content_hash <> i.content_hash::bytea then 'conflict' end, u.day, u.event_id, true,
    null::numeric, null::text, null::text, null::bigint, null::timestamptz
  from json_to_recordset(_ids) i (ordinal integer, organization_id text, source text, caller_id text, id uuid,
    content_hash text)
  cross join lateral (
    select * from usage_ids u
    where (u.organization_id, u.source, u.caller_id) = (i.organization_id, i.source, i.caller_id) limit 1
  ) u
  where u.event_id <> i.id;
  select coalesce(array_agg(i.ordinal), '{}') into _known
  from json_to_recordset(_ids) i (ordinal integer, organization_id text, source text, caller_id text, id uuid)
  cross join lateral (
    select u.event_id from usage_ids u
    where (u.organization_id, u.source, u.caller_id) = (i.organization_id, i.source, i.caller_id) limit 1
  ) u
  where u.event_id <> i.id;

  return query
  select t.ordinal, t.problem, null::date, null::uuid, false, t.base_nano, t.event_currency, t.budget_currency,
    null::bigint, null::timestamptz
  from taken_back(_reversals) t where t.problem is not null and t.ordinal <> all (_known);
  if found then
    return;
  end if;

  with
  reversal as materialized (
    select r.* from json_to_recordset(_reversals) r (ordinal integer, day date, id uuid, budget_id uuid, corrects uuid,
      source text, caller_id text, request_id text, description text, metadata jsonb)
    where r.ordinal <> all (_known)
  ),
  taken as materialized (select t.* from taken_back(_reversals) t where t.ordinal <> all (_known)),
  event as (
    insert into usage_events (day, id, source, organization_id, team_id, project_id, user_id, key_id, session_id, tags,
      provider, endpoint, model, model_used, stream, request_id, outcome, certainty, quote_nano, cost_nano, price_version,
      opened_at, ended_at, budget_id, caller_id, amount_nano, currency, rate, corrects, description, metadata)
    select e.day, e.id, e.source, e.organization_id, e.team_id, e.project_id, e.user_id, null, null, e.tags,
      e.provider, 'recorded', e.model, null, false, e.request_id, 'recorded', 'exact', 0, e.cost_nano, 'none',
      e.at, e.at, e.budget_id, e.caller_id, e.amount_nano, e.currency, e.rate, null, e.description, e.metadata
    from json_to_recordset(_events) e (ordinal integer, day date, id uuid, source text, organization_id text, team_id text,
      project_id text, user_id text, tags jsonb, provider text, model text, request_id text, cost_nano bigint,
      at timestamptz, budget_id uuid, caller_id text, amount_nano bigint, currency text, rate text, description text,
      metadata jsonb)
    where e.ordinal <> all (_known)
    union all
    -- for whom and what it was stays as it was, so that reports of both add up
    select r.day, r.id, r.source, o.organization_id, o.team_id, o.project_id, o.user_id, o.key_id, o.session_id, o.tags,
      o.provider, o.endpoint, o.model, o.model_used, o.stream, r.request_id, 'reversed', 'exact', 0, t.event_cost_nano,
      o.price_version, o.opened_at, o.ended_at, r.budget_id, r.caller_id, t.event_amount_nano, t.event_currency, o.rate,
      r.corrects, r.description, r.metadata
    from reversal r
    cross join lateral (select * from usage_events o where o.day = r.day and o.id = r.corrects limit 1) o
    cross join lateral (select * from taken t where t.ordinal = r.ordinal limit 1) t
    order by 1, 2
  ),
  recorded as (
    insert into budget_usage_records (day, event_id, account_id, amount_nano, covered_nano, quote_nano, rate)
    select c.day, c.id, c.account_id, c.amount_nano, 0, 0, c.rate
    from json_to_recordset(_charges) c (ordinal integer, day date, id uuid, account_id bigint, amount_nano bigint, rate text)
    where c.ordinal <> all (_known)
    union all
    select r.day, r.id, t.account_id, t.amount_nano, 0, 0, t.rate from reversal r join taken t using (ordinal)
    returning account_id, amount_nano
  ),
  moved as (select recorded.account_id, sum(recorded.amount_nano) as amount from recorded group by 1)
  update budget_accounts a set settled_nano = a.settled_nano + moved.amount from moved where a.id = moved.account_id;

  perform note_crossings(_touched);
  return query
  select null::integer, null::text, null::date, null::uuid, null::boolean, null::numeric, null::text, null::text, a.id,
    a.period_end
  from budget_accounts a where a.id = any (_touched);
end $$;

-- Brings the cache of a budget back to its records, and nothing else. What differs is looked for in one snapshot, in
-- which records, cache and accounts are of the same instant; only accounts whose cache differs are locked.
-- Answers how many accounts it looked at, how many it healed, and how many say something else than their records.
drop function refresh_budget_status_cache(uuid);
create function refresh_budget_status_cache(_budget uuid)
returns table (accounts integer, healed integer, accounts_differing integer)
language plpgsql as $$
#variable_conflict use_column
declare
  _wrong bigint[];
  _accounts integer;
  _differing integer;
begin
  select array_agg(s.account_id) filter (where (s.settled_nano, s.charges) is distinct from
      (coalesce(c.settled_nano, 0), coalesce(c.charges, 0))),
    count(*), count(*) filter (where a.settled_nano <> s.settled_nano)
  into _wrong, _accounts, _differing
  from calculate_budget_status(_budget) s
  join budget_accounts a on a.id = s.account_id
  left join budget_status_cache c on c.account_id = s.account_id;
  if _wrong is not null then
    perform 1 from budget_accounts a where a.id = any (_wrong) order by a.id for no key update;
    insert into budget_status_cache as c (account_id, budget_id, settled_nano, charges, last_updated)
    select s.account_id, _budget, s.settled_nano, s.charges, clock_timestamp()
    from calculate_budget_status(_budget) s where s.account_id = any (_wrong)
    on conflict (account_id) do update set
      settled_nano = excluded.settled_nano, charges = excluded.charges, last_updated = excluded.last_updated;
  end if;
  return query select _accounts, coalesce(cardinality(_wrong), 0), _differing;
end $$;
