-- Calls that go on at the provider behind their answer (a response in the background, a batch): what is held for one leaves
-- its gateway's lease for a row of long_holds, by which any gateway settles it.

alter table long_holds
  add column stream boolean not null default false,
  add column request_id text,
  add column end_user_id text,
  add column job_id text check (length(job_id) between 1 and 512),
  add column job jsonb check (jsonb_typeof(job) = 'object'),
  add column poll_at timestamptz(3),
  add column missed integer not null default 0,
  add check ((job_id is null) = (job is null));
comment on column long_holds.job_id is 'what the provider calls it; null: no call stands behind this hold';
comment on column long_holds.job is 'what it takes to work its cost out: the prices and terms that it was quoted by';
comment on column long_holds.poll_at is 'from then on some gateway asks the provider about it; null: nobody does by themselves';
comment on column long_holds.missed is 'how often in a row the provider did not know it';
create unique index long_holds_job on long_holds (provider, job_id) where job_id is not null;
create index long_holds_poll on long_holds (poll_at) where state = 'open' and poll_at is not null;

-- Moves what a call holds from its gateway's lease to a row: the lease gives it back, and the account keeps it leased, for
-- the row. What does not stand on an open lease is not moved, nor what has ended, nor a job that is another call's. The
-- same call again changes nothing.
create function keep_long(_incarnation bigint, _hold json, _amounts json)
returns table (kept boolean, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint,
  budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint,
  in_doubt_since timestamptz, in_doubt_holder text, answered_at timestamptz, long_held_nano bigint, long_hold uuid,
  long_held_until timestamptz, total_nano bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  _id uuid := (_hold ->> 'id')::uuid;
  _accounts bigint[];
  _kept boolean;
begin
  perform 1 from gateways g where g.incarnation = _incarnation and g.state = 'live' for key share;
  if not found then
    raise exception 'gateway % is not live', _incarnation using errcode = 'RC001';
  end if;
  select coalesce(array_agg(r.account_id), '{}') into _accounts from json_to_recordset(_amounts) r (account_id bigint);
  perform 1 from budget_accounts a where a.id = any (_accounts) order by a.id for no key update;
  _kept := exists (select from long_holds h where h.id = _id);
  if not _kept then
    select coalesce(bool_and(r.held_nano = 0 or coalesce(l.state = 'open'
      and l.granted_nano - l.returned_nano - l.posted_nano >= r.held_nano, false)), true)
      and not exists (select from usage_events e where e.day = day_of(_id) and e.id = _id)
      and not exists (select from long_holds h
        where h.provider = _hold ->> 'provider' and h.job_id = _hold ->> 'job_id')
    into _kept
    from json_to_recordset(_amounts) r (account_id bigint, held_nano bigint)
    left join leases l on l.account_id = r.account_id and l.incarnation = _incarnation;
    if _kept then
      insert into long_holds (id, source, incarnation, organization_id, team_id, project_id, user_id, key_id, session_id,
        end_user_id, tags, provider, endpoint, model, stream, request_id, amount_nano, currency, quote_nano, price_version,
        opened_at, expires_at, job_id, job, poll_at)
      select h.id, 'relaycore', _incarnation, h.organization_id, h.team_id, h.project_id, h.user_id, h.key_id, h.session_id,
        h.end_user_id, h.tags, h.provider, h.endpoint, h.model, h.stream, h.request_id, h.quote_nano, 'USD', h.quote_nano,
        h.price_version, h.opened_at, h.expires_at, h.job_id, h.job, clock_timestamp() + make_interval(secs => h.poll_in)
      from json_to_record(_hold) h (id uuid, organization_id text, team_id text, project_id text, user_id text, key_id text,
        session_id text, end_user_id text, tags jsonb, provider text, endpoint text, model text, stream boolean,
        request_id text, quote_nano bigint, price_version text, opened_at timestamptz, expires_at timestamptz, job_id text,
        job jsonb, poll_in double precision);
      insert into long_hold_accounts (hold_id, account_id, quote_nano, held_nano, rate)
      select _id, r.account_id, r.quote_nano, r.held_nano, r.rate
      from json_to_recordset(_amounts) r (account_id bigint, quote_nano bigint, held_nano bigint, rate text);
      update leases l set returned_nano = l.returned_nano + r.held_nano
      from long_hold_accounts r
      where r.hold_id = _id and r.held_nano > 0 and l.account_id = r.account_id and l.incarnation = _incarnation;
      update budget_accounts a set long_held_nano = a.long_held_nano + r.held_nano
      from long_hold_accounts r where r.hold_id = _id and r.held_nano > 0 and a.id = r.account_id;
    end if;
  end if;
  return query
  select _kept, f.* from account_figures(_incarnation, _accounts) f
  union all
  select _kept, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint,
    null::integer, null::bigint, null::timestamptz, null::text, null::timestamptz, null::bigint, null::uuid,
    null::timestamptz, null::bigint
  where cardinality(_accounts) = 0;
end $$;

-- Of the jobs that are to be asked about, at most so many, for one gateway: until the time that is set here nobody else
-- takes them. It grows with their age. Only rows of jobs are locked, and nothing is waited for while they are.
create function claim_jobs(_most integer) returns setof uuid language sql as $$
  update long_holds h set
    poll_at = clock_timestamp() + least(greatest((clock_timestamp() - h.opened_at) / 4, interval '15 seconds'), interval '10 minutes')
  from (
    select d.id from long_holds d
    where d.state = 'open' and d.poll_at <= clock_timestamp()
    order by d.poll_at limit _most for update skip locked
  ) due
  where h.id = due.id
  returning h.id
$$;

-- what became long in the meantime is settled by its row alone, whoever says how it ended
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
    where not exists (select from long_holds h where h.id = o.id)
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

-- the end of a job too, which may become uncertain before its deadline where `note` says why
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
    or (_to = 'uncertain' and (_from <> 'open' or (_h.expires_at > _now and _end ->> 'note' is null))) then
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
        session_id, end_user_id, tags, provider, endpoint, model, model_used, stream, request_id, provider_request_id, outcome, status, certainty,
        input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens,
        web_searches, tier, units, reported_nano, quote_nano, cost_nano, price_version, opened_at, ended_at, corrects,
        caller_id, description, metadata)
      select _day, _id, _h.incarnation, _h.source, _h.organization_id, _h.team_id,
        _h.project_id, _h.user_id, _h.key_id, _h.session_id, _h.end_user_id, _h.tags, coalesce(_h.provider, 'none'), _h.endpoint,
        coalesce(_h.model, 'none'), e.model_used, _h.stream, coalesce(_h.request_id, e.request_id),
        coalesce(e.provider_request_id, _h.job_id),
        case _to when 'settled' then 'completed' when 'released' then 'released' else coalesce(e.outcome, 'expired') end,
        e.status,
        case _to when 'uncertain' then 'uncertain' else 'exact' end,
        e.input_tokens, e.cache_read_tokens, e.cache_write_5m_tokens, e.cache_write_1h_tokens, e.output_tokens,
        e.reasoning_tokens, e.web_searches, e.tier, e.units, e.reported_nano, case _from when 'open' then _h.quote_nano else 0 end,
        _cost - coalesce((select sum(b.cost_nano) from usage_events b where b.day = _day and b.id = any (_before)), 0)::bigint,
        _h.price_version, _h.opened_at, greatest(_now, _h.opened_at),
        case _from when 'uncertain' then _hold end, _h.external_id, coalesce(e.note, nullif(_h.description, '')), _h.metadata
      from json_to_record(_end) e (note text, outcome text, status smallint, model_used text, request_id text, provider_request_id text, input_tokens bigint,
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
    settlement = case when _to <> 'uncertain' then (_end ->> 'settlement')::jsonb end,
    description = coalesce(_end ->> 'note', h.description)
  where h.id = _hold;
  return true;
end $$;
