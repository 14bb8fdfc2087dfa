-- What is billed beside text tokens (audio and images in tokens, seconds, characters, pages, tools), and what the provider
-- itself says that a call cost.

alter table usage_events add column units jsonb;
comment on column usage_events.units is 'what was billed beside text tokens, by name; null: nothing';
alter table usage_events add column reported_nano bigint;
comment on column usage_events.reported_nano is 'what the provider says that it cost, USD; null: it does not say';

create function unit_tokens(_units jsonb, _names text[]) returns bigint language sql immutable as $$
  select coalesce(sum((_units ->> n.name)::bigint), 0)::bigint from unnest(_names) n (name)
$$;

-- with units
create or replace function post_usage(_incarnation bigint, _calls json, _returns json)
returns table (event_id uuid, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint,
  budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint,
  in_doubt_since timestamptz, in_doubt_holder text, answered_at timestamptz, long_held_nano bigint, long_hold uuid,
  long_held_until timestamptz, total_nano bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  _events uuid[];
  _accounts bigint[];
  _amounts bigint[];
  _covered bigint[];
  _quotes bigint[];
  _rates text[];
  _touched bigint[];
  _inserted uuid[];
  _state text;
begin
  select g.state into _state from gateways g where g.incarnation = _incarnation for key share;
  if not found then
    raise exception 'gateway % is unknown', _incarnation using errcode = 'RC001';
  end if;
  select array_agg(o.id), array_agg((c.charge ->> 0)::bigint), array_agg((c.charge ->> 1)::bigint),
    array_agg((c.charge ->> 2)::bigint), array_agg(coalesce((h.hold ->> 1)::bigint, 0)), array_agg(h.hold ->> 2)
  into _events, _accounts, _amounts, _covered, _quotes, _rates
  from json_to_recordset(_calls) o (id uuid, holds json, "end" json)
  cross join lateral json_array_elements(o."end" -> 'charges') with ordinality c (charge, n)
  -- mostly they are in the same order
  cross join lateral (
    select case when o.holds -> (c.n - 1)::integer ->> 0 = c.charge ->> 0 then o.holds -> (c.n - 1)::integer
      else (select h.hold from json_array_elements(o.holds) h (hold) where h.hold ->> 0 = c.charge ->> 0 limit 1) end as hold
  ) h;
  select array_agg(distinct t.account_id) into _touched from (
    select a.account_id from unnest(_accounts) a (account_id)
    union select r.account_id from json_to_recordset(_returns) r (account_id bigint)) t;
  perform 1 from budget_accounts a where a.id = any (_touched) order by a.id for no key update;

  with inserted as (
    insert into usage_events (day, id, incarnation, organization_id, team_id, project_id, user_id, key_id, session_id, end_user_id,
      tags,
      provider, endpoint, model, model_used, stream, request_id, provider_request_id, outcome, status, certainty,
      input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens,
      web_searches, tier, units, reported_nano, quote_nano, cost_nano, price_version, opened_at, ended_at)
    select day_of(o.id), o.id, _incarnation, o.org, o.team, o.project, o."user", o.key, o.session, o."endUser", o.tags,
      o.provider, o.endpoint, o.model, e.model, o.stream, o.request, e.request, e.outcome, e.status, e.certainty,
      u."inputTokens", u."cacheReadTokens", u."cacheWrite5mTokens", u."cacheWrite1hTokens", u."outputTokens",
      u."reasoningTokens", u."webSearches", u.tier, u.units, u."reportedNano", o.quote, e.cost, o.price, to_timestamp(o.at / 1000.0),
      to_timestamp(e.at / 1000.0)
    from json_to_recordset(_calls) o (id uuid, at bigint, org text, team text, project text, "user" text, key text,
      session text, "endUser" text, tags jsonb, provider text, endpoint text, model text, stream boolean, request text, quote bigint,
      price text, "end" json)
    cross join lateral json_to_record(o."end") e (at bigint, outcome text, status smallint, certainty text, model text,
      usage json, cost bigint, request text)
    left join lateral json_to_record(e.usage) u ("inputTokens" bigint, "cacheReadTokens" bigint, "cacheWrite5mTokens" bigint,
      "cacheWrite1hTokens" bigint, "outputTokens" bigint, "reasoningTokens" bigint, "webSearches" integer, tier text,
      units jsonb, "reportedNano" bigint) on true
    order by 1, 2
    on conflict do nothing
    returning day, id
  ),
  recorded as (
    insert into budget_usage_records (day, event_id, account_id, amount_nano, covered_nano, quote_nano, rate)
    select inserted.day, inserted.id, c.account_id, c.amount_nano, c.covered_nano, c.quote_nano, c.rate
    from unnest(_events, _accounts, _amounts, _covered, _quotes, _rates)
      c (event_id, account_id, amount_nano, covered_nano, quote_nano, rate)
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
    perform note_crossings(_touched);
  end if;

  return query
  select i.id, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint,
    null::integer, null::bigint, null::timestamptz, null::text, null::timestamptz, null::bigint, null::uuid,
    null::timestamptz, null::bigint
  from unnest(_inserted) i (id)
  union all
  select null::uuid, f.* from account_figures(_incarnation, _touched) f;
end $$;

-- with units
create or replace function end_long_hold(_hold uuid, _to text, _end json, _costs json) returns boolean language plpgsql as $$
declare
  _from text := lock_long_hold(_hold);
  _h long_holds;
  _id uuid := _hold;
  _day date;
  _cost bigint;
  _before uuid[] := '{}';
  _now timestamptz := clock_timestamp();
begin
  select * into _h from long_holds h where h.id = _hold;
  if _from is null or _from not in ('open', 'uncertain')
    or (_to = 'uncertain' and (_from <> 'open' or _h.expires_at > _now)) then
    return false;
  end if;
  _cost := case _to when 'released' then 0 when 'uncertain' then _h.quote_nano else (_end ->> 'cost_nano')::bigint end;
  update budget_accounts a set leased_nano = a.leased_nano - r.held_nano, long_held_nano = a.long_held_nano - r.held_nano
  from long_hold_accounts r where r.hold_id = _hold and a.id = r.account_id and r.held_nano > 0;
  _day := (_h.opened_at at time zone 'UTC')::date;
  if _from = 'uncertain' then
    _id := (_end ->> 'correction_id')::uuid;
    select array_append(array_agg(e.id), _hold) into _before from usage_events e where e.day = _day and e.corrects = _hold;
  end if;
  -- what was never begun, or never recorded, leaves no event
  if not (_from = 'open' and _to = 'released') then
    with event as (
      insert into usage_events (day, id, incarnation, source, organization_id, team_id, project_id, user_id, key_id,
        session_id, tags, provider, endpoint, model, model_used, stream, request_id, provider_request_id, outcome, certainty,
        input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens,
        web_searches, tier, units, reported_nano, quote_nano, cost_nano, price_version, opened_at, ended_at, corrects,
        caller_id, description, metadata)
      select _day, _id, _h.incarnation, _h.source, _h.organization_id, _h.team_id,
        _h.project_id, _h.user_id, _h.key_id, _h.session_id, _h.tags, coalesce(_h.provider, 'none'), _h.endpoint,
        coalesce(_h.model, 'none'), e.model_used, false, e.request_id, e.provider_request_id,
        case _to when 'settled' then 'completed' when 'released' then 'released' else 'expired' end,
        case _to when 'uncertain' then 'uncertain' else 'exact' end,
        e.input_tokens, e.cache_read_tokens, e.cache_write_5m_tokens, e.cache_write_1h_tokens, e.output_tokens,
        e.reasoning_tokens, e.web_searches, e.tier, e.units, e.reported_nano, case _from when 'open' then _h.quote_nano else 0 end,
        _cost - coalesce((select sum(b.cost_nano) from usage_events b where b.day = _day and b.id = any (_before)), 0)::bigint,
        _h.price_version, _h.opened_at, greatest(_now, _h.opened_at),
        case _from when 'uncertain' then _hold end, _h.external_id, nullif(_h.description, ''), _h.metadata
      from json_to_record(_end) e (model_used text, request_id text, provider_request_id text, input_tokens bigint,
        cache_read_tokens bigint, cache_write_5m_tokens bigint, cache_write_1h_tokens bigint, output_tokens bigint,
        reasoning_tokens bigint, web_searches integer, tier text, units jsonb, reported_nano bigint)
      on conflict do nothing
      returning day, id
    ),
    charge as materialized (
      select r.account_id, r.quote_nano, r.rate, cost.nano, cost.nano - coalesce((
          select sum(b.amount_nano) from budget_usage_records b
          where b.day = _day and b.event_id = any (_before) and b.account_id = r.account_id), 0)::bigint as amount_nano
      from long_hold_accounts r
      left join json_to_recordset(_costs) c (account_id bigint, amount_nano bigint) on c.account_id = r.account_id
      cross join lateral (
        select case _to when 'released' then 0 when 'uncertain' then r.quote_nano else c.amount_nano end as nano
      ) cost
      where r.hold_id = _hold and exists (select from event)
    ),
    recorded as (
      insert into budget_usage_records (day, event_id, account_id, amount_nano, covered_nano, quote_nano, rate)
      select event.day, event.id, charge.account_id, charge.amount_nano, 0,
        case _from when 'open' then charge.quote_nano else 0 end, charge.rate
      from event, charge
    ),
    charged as (
      update long_hold_accounts r set held_nano = 0, charged_nano = charge.nano
      from charge where r.hold_id = _hold and r.account_id = charge.account_id
    )
    update budget_accounts a set settled_nano = a.settled_nano + charge.amount_nano
    from charge where a.id = charge.account_id;
    perform note_crossings((select array_agg(r.account_id) from long_hold_accounts r where r.hold_id = _hold));
  end if;
  update long_hold_accounts r set held_nano = 0 where r.hold_id = _hold and r.held_nano > 0;
  update long_holds h set state = _to, ended_at = _now, cost_nano = _cost,
    expired_at = case _to when 'uncertain' then _now else h.expired_at end,
    settlement = case when _to <> 'uncertain' then (_end ->> 'settlement')::jsonb end
  where h.id = _hold;
  return true;
end $$;

-- with tokens that are no text
create or replace function add_to_usage_rollups(_days date[], _events uuid[], _accounts bigint[], _amounts bigint[]) returns void
language plpgsql
-- how large a batch is the planner cannot know, and a nested loop over it would be quadratic; what must be looked up row
-- by row says so by "limit 1"
set enable_nestloop = off
set jit = off
as $$
#variable_conflict use_column
declare
  _input constant text[] := array['inputAudioTokens', 'cachedAudioTokens', 'inputImageTokens', 'cachedImageTokens', 'inputVideoTokens'];
  _output constant text[] := array['outputAudioTokens', 'outputImageTokens'];
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
        + coalesce(e.cache_write_1h_tokens, 0) + case when e.units is null then 0 else unit_tokens(e.units, _input) end as input_tokens,
      coalesce(e.output_tokens, 0) + case when e.units is null then 0 else unit_tokens(e.units, _output) end as output_tokens
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
