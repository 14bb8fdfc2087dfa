-- What calls are charged is read from their text as arrays, not as JSON: of a post of a thousand events PostgreSQL takes
-- an eighth less. Else post_usage is as it was.
create or replace function post_usage(_incarnation bigint, _calls json, _returns json) returns table (
  event_id uuid, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint,
  budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint,
  in_doubt_since timestamp with time zone, in_doubt_holder text, answered_at timestamp with time zone,
  long_held_nano bigint, long_hold uuid, long_held_until timestamp with time zone, total_nano bigint
) language plpgsql as $$
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
  select array_agg(k.id), array_agg(k.charges[c.n][1]), array_agg(k.charges[c.n][2]), array_agg(k.charges[c.n][3]),
    array_agg(coalesce(k.holds[h.n][2]::bigint, 0)), array_agg(k.holds[h.n][3])
  into _events, _accounts, _amounts, _covered, _quotes, _rates
  from (
    -- lists of lists of numbers, of which JSON and arrays differ by their brackets
    select o.id, translate(o."end" ->> 'charges', '[]', '{}')::bigint[] as charges,
      translate(o.holds::text, '[]', '{}')::text[] as holds
    from json_to_recordset(_calls) o (id uuid, holds json, "end" json) offset 0
  ) k
  cross join lateral generate_subscripts(k.charges, 1) c (n)
  -- mostly they are in the same order
  cross join lateral (
    select case when k.holds[c.n][1] = k.charges[c.n][1]::text then c.n
      else (select m from generate_subscripts(k.holds, 1) m where k.holds[m][1] = k.charges[c.n][1]::text limit 1) end as n
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
  -- what a gateway that is gone has spent it was granted, also where the database is older than that;
  -- a lease that was closed has given back all it could: what was kept for events pays for them, and nothing else
  given as (
    select l.account_id,
      case when l.state = 'open' then coalesce(moved.covered, 0)
        else least(coalesce(moved.covered, 0), l.granted_nano - l.returned_nano - l.posted_nano) end as covered,
      case when l.state = 'open' and _state <> 'live'
        then greatest(coalesce(moved.covered, 0) - (l.granted_nano - l.returned_nano - l.posted_nano), 0) else 0 end as unknown,
      case when l.state = 'open' then greatest(coalesce(r.returned_nano, 0) - l.returned_nano, 0) else 0 end as back
    from leases l
    left join (select r.account_id, max(r.returned_nano) as returned_nano
      from json_to_recordset(_returns) r (account_id bigint, returned_nano bigint) group by 1) r using (account_id)
    left join moved using (account_id)
    where l.incarnation = _incarnation and l.account_id = any (_touched)
  ),
  lease as (
    update leases l set granted_nano = l.granted_nano + given.unknown, posted_nano = l.posted_nano + given.covered,
      returned_nano = l.returned_nano + given.back,
      state = case when l.state = 'kept' and l.granted_nano = l.returned_nano + l.posted_nano + given.covered
        then 'closed' else l.state end
    from given
    where l.account_id = given.account_id and l.incarnation = _incarnation and (given.covered <> 0 or given.back <> 0)
  ),
  account as (
    update budget_accounts a set
      settled_nano = a.settled_nano + coalesce(moved.amount, 0),
      leased_nano = a.leased_nano - coalesce(given.back, 0) - coalesce(given.covered - given.unknown, 0)
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
end$$;
