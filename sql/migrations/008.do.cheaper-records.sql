-- Recording usage for less: the same rows and sums, by fewer and narrower reads of what a batch says.

-- Each charge had its account looked up by its foreign key, four times per event of a hierarchy, while its accounts are
-- locked. A statement looks each account up once instead, with the same refusal; and an account that was charged stays,
-- since its row of the cache refers to it.
alter table budget_usage_records drop constraint budget_usage_records_account_id_fkey;
comment on column budget_usage_records.account_id is 'a row of budget_accounts, which keep_budget_status_cache() sees to';

create or replace function keep_budget_status_cache() returns trigger language plpgsql as $$
declare
  _unknown bigint;
begin
  with charged as materialized (
    select n.account_id, sum(n.amount_nano) as amount_nano, count(*) as charges from new_records n group by n.account_id
  ),
  account as materialized (
    select c.*, a.budget_id from charged c
    left join lateral (select a.budget_id from budget_accounts a where a.id = c.account_id limit 1) a on true
  ),
  kept as (
    insert into budget_status_cache as c (account_id, budget_id, settled_nano, charges, last_updated)
    select a.account_id, a.budget_id, a.amount_nano, a.charges, clock_timestamp()
    from account a where a.budget_id is not null order by a.account_id
    on conflict (account_id) do update set
      settled_nano = c.settled_nano + excluded.settled_nano,
      charges = c.charges + excluded.charges,
      last_updated = excluded.last_updated
  )
  select min(a.account_id) into _unknown from account a where a.budget_id is null;
  if _unknown is not null then
    raise exception 'account % is charged and does not exist', _unknown using errcode = 'foreign_key_violation';
  end if;
  return null;
end $$;

-- Usage that was made elsewhere, and reversals: all of a batch or, where a row has a problem, nothing. Charges move what
-- is settled and no lease. A record whose caller's id is known is the one that is there already.
-- `_days` and `_ids`: of each record, by its ordinal, counted from 0. `_callers`: the ids that their recorders gave, of
-- those that have one. `_of`, `_accounts`, `_amounts`, `_rates`: what `_events` are charged, by the ordinal of each.
-- Rows: each record that was known, with which it is, or has a problem; then the accounts that were charged.
drop function record_usage(json, json, json, json);
create function record_usage(_days date[], _ids uuid[], _callers json, _events json, _reversals json, _of integer[],
  _accounts bigint[], _amounts bigint[], _rates text[])
returns table (ordinal integer, problem text, id uuid, base_nano numeric, event_currency text, budget_currency text,
  account_id bigint, period_end timestamptz, recorded_at timestamptz)
language plpgsql as $$
#variable_conflict use_column
declare
  _now timestamptz(3) := clock_timestamp();
  _reverses boolean := json_array_length(_reversals) > 0;
  _touched bigint[];
  _known integer[] := '{}';
  _claims integer := json_array_length(_callers);
  _claimed integer;
begin
  select array_agg(distinct a.account_id) into _touched from unnest(_accounts) a (account_id);
  if _reverses then
    select array_agg(distinct t.account_id) into _touched from (
      select a.account_id from unnest(_touched) a (account_id)
      union all
      select o.account_id from json_to_recordset(_reversals) r (ordinal integer, corrects uuid)
      cross join lateral (
        select u.account_id from budget_usage_records u where u.day = _days[r.ordinal + 1] and u.event_id = r.corrects limit 1000
      ) o) t;
  end if;
  perform 1 from budget_accounts a where a.id = any (_touched) order by a.id for no key update;

  if _claims > 0 then
    insert into usage_ids (organization_id, source, caller_id, day, event_id, content_hash)
    select c.organization_id, c.source, c.caller_id, _days[c.ordinal + 1], _ids[c.ordinal + 1], c.content_hash::bytea
    from json_to_recordset(_callers) c (ordinal integer, organization_id text, source text, caller_id text, content_hash text)
    order by 1, 2, 3
    on conflict do nothing;
    get diagnostics _claimed = row_count;
    if _claimed < _claims then
      -- read behind the wait for whoever claimed them at the same time
      return query
      select c.ordinal, case when u.content_hash <> c.content_hash::bytea then 'conflict' end, u.event_id,
        null::numeric, null::text, null::text, null::bigint, null::timestamptz, null::timestamptz
      from json_to_recordset(_callers) c (ordinal integer, organization_id text, source text, caller_id text, content_hash text)
      cross join lateral (
        select * from usage_ids u
        where (u.organization_id, u.source, u.caller_id) = (c.organization_id, c.source, c.caller_id) limit 1
      ) u
      where u.event_id <> _ids[c.ordinal + 1];
      select coalesce(array_agg(c.ordinal), '{}') into _known
      from json_to_recordset(_callers) c (ordinal integer, organization_id text, source text, caller_id text)
      cross join lateral (
        select u.event_id from usage_ids u
        where (u.organization_id, u.source, u.caller_id) = (c.organization_id, c.source, c.caller_id) limit 1
      ) u
      where u.event_id <> _ids[c.ordinal + 1];
    end if;
  end if;

  if _reverses then
    return query
    select t.ordinal, t.problem, null::uuid, t.base_nano, t.event_currency, t.budget_currency, null::bigint,
      null::timestamptz, null::timestamptz
    from taken_back(_reversals) t where t.problem is not null and t.ordinal <> all (_known);
    if found then
      return;
    end if;
  end if;

  insert into usage_events (day, id, source, organization_id, team_id, project_id, user_id, tags, provider, endpoint, model,
    stream, request_id, outcome, certainty, quote_nano, cost_nano, price_version, opened_at, ended_at, recorded_at, budget_id,
    caller_id, amount_nano, currency, rate, description, metadata)
  select _days[e.ordinal + 1], _ids[e.ordinal + 1], e.source, e.organization_id, e.team_id, e.project_id, e.user_id, e.tags,
    e.provider, 'recorded', e.model, false, e.request_id, 'recorded', 'exact', 0, e.cost_nano, 'none', e.at, e.at,
    _now, e.budget_id, e.caller_id, e.amount_nano, e.currency, e.rate, e.description, e.metadata
  from json_to_recordset(_events) e (ordinal integer, source text, organization_id text, team_id text, project_id text,
    user_id text, tags jsonb, provider text, model text, request_id text, cost_nano bigint, at timestamptz, budget_id uuid,
    caller_id text, amount_nano bigint, currency text, rate text, description text, metadata jsonb)
  where e.ordinal <> all (_known)
  order by 1, 2;

  if _reverses then
    with
    reversal as materialized (
      select r.* from json_to_recordset(_reversals) r (ordinal integer, budget_id uuid, corrects uuid, source text,
        caller_id text, request_id text, description text, metadata jsonb)
      where r.ordinal <> all (_known)
    ),
    taken as materialized (select t.* from taken_back(_reversals) t where t.ordinal <> all (_known)),
    -- for whom and what it was stays as it was, so that reports of both add up
    event as (
      insert into usage_events (day, id, source, organization_id, team_id, project_id, user_id, key_id, session_id, tags,
        provider, endpoint, model, model_used, stream, request_id, outcome, certainty, quote_nano, cost_nano, price_version,
        opened_at, ended_at, recorded_at, budget_id, caller_id, amount_nano, currency, rate, corrects, description, metadata)
      select o.day, _ids[r.ordinal + 1], r.source, o.organization_id, o.team_id, o.project_id, o.user_id, o.key_id,
        o.session_id, o.tags, o.provider, o.endpoint, o.model, o.model_used, o.stream, r.request_id, 'reversed', 'exact', 0,
        t.event_cost_nano, o.price_version, o.opened_at, o.ended_at, _now, r.budget_id, r.caller_id,
        t.event_amount_nano, t.event_currency, o.rate, r.corrects, r.description, r.metadata
      from reversal r
      cross join lateral (select * from usage_events o where o.day = _days[r.ordinal + 1] and o.id = r.corrects limit 1) o
      cross join lateral (select * from taken t where t.ordinal = r.ordinal limit 1) t
      order by 1, 2
    )
    select _of || array_agg(t.ordinal), _accounts || array_agg(t.account_id), _amounts || array_agg(t.amount_nano),
      _rates || array_agg(t.rate)
    into _of, _accounts, _amounts, _rates from taken t;
  end if;

  insert into budget_usage_records (day, event_id, account_id, amount_nano, covered_nano, quote_nano, rate)
  select _days[c.ordinal + 1], _ids[c.ordinal + 1], c.account_id, c.amount_nano, 0, 0, c.rate
  from unnest(_of, _accounts, _amounts, _rates) c (ordinal, account_id, amount_nano, rate)
  where c.ordinal <> all (_known);
  update budget_accounts a set settled_nano = a.settled_nano + m.amount_nano
  from (
    select c.account_id, sum(c.amount_nano) as amount_nano from unnest(_of, _accounts, _amounts) c (ordinal, account_id, amount_nano)
    where c.ordinal <> all (_known) group by c.account_id
  ) m
  where a.id = m.account_id;

  perform note_crossings(_touched);
  return query
  select null::integer, null::text, null::uuid, null::numeric, null::text, null::text, a.id, a.period_end, _now
  from budget_accounts a where a.id = any (_touched);
end $$;
