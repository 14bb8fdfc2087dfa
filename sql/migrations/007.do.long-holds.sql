-- Long holds: amounts that a row of their own sets aside, for what outlives a process. They are rights as a lease's are:
-- what is held by them is part of the account's `leased`.
-- Lock order: as in the ledger; a long hold's row comes after the accounts that it is held on, which never change.

alter table budget_accounts
  add column long_held_nano bigint not null default 0,
  add check (long_held_nano between 0 and leased_nano);
comment on column budget_accounts.leased_nano is
  'always the sum over its leases of granted - returned - posted, and long_held_nano';
comment on column budget_accounts.long_held_nano is 'always the sum of what long holds hold of it';

create table long_holds (
  id uuid primary key,
  state text not null default 'open' check (state in ('open', 'settled', 'released', 'uncertain')),
  source text not null default 'manual' check (source in ('relaycore', 'auterity', 'manual')),
  incarnation bigint references gateways,
  organization_id text check (length(organization_id) between 1 and 256),
  team_id text check (length(team_id) between 1 and 256),
  project_id text check (length(project_id) between 1 and 256),
  user_id text check (length(user_id) between 1 and 256),
  key_id text,
  session_id text,
  tags jsonb check (jsonb_typeof(tags) = 'object'),
  provider text check (length(provider) between 1 and 256),
  endpoint text not null,
  model text check (length(model) between 1 and 256),
  external_id text check (length(external_id) between 1 and 256),
  description text check (length(description) <= 4096),
  metadata jsonb check (jsonb_typeof(metadata) = 'object'),
  amount_nano bigint not null check (amount_nano >= 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  rate text,
  quote_nano bigint not null check (quote_nano >= 0),
  price_version text not null default 'none',
  created_by text,
  opened_at timestamptz(3) not null,
  expires_at timestamptz(3) not null check (expires_at > opened_at),
  ended_at timestamptz(3),
  expired_at timestamptz(3),
  settlement jsonb,
  cost_nano bigint,
  check ((state = 'open') = (ended_at is null)),
  check ((state in ('settled', 'released')) = (settlement is not null))
);
comment on table long_holds is 'what is set aside by a row, not by a gateway: settled once, at any gateway, by this row';
comment on column long_holds.rate is 'units of its currency per USD, pinned for all that is charged; null: USD';
comment on column long_holds.quote_nano is 'amount_nano in USD';
comment on column long_holds.expired_at is
  'when its deadline had passed and it was charged at its amount; what came after is a correction';
comment on column long_holds.settlement is 'how it was ended by who holds it, to know the same end when it comes again';
comment on column long_holds.cost_nano is 'charged so far, in USD';
create index long_holds_due on long_holds (expires_at) where state = 'open';
create index long_holds_state on long_holds (state, id);
create unique index long_holds_external on long_holds (coalesce(organization_id, ''), source, external_id)
  where external_id is not null;

create table long_hold_accounts (
  hold_id uuid not null references long_holds,
  account_id bigint not null references budget_accounts,
  quote_nano bigint not null check (quote_nano >= 0),
  held_nano bigint not null check (held_nano between 0 and quote_nano),
  charged_nano bigint not null default 0,
  rate text,
  primary key (hold_id, account_id)
) with (fillfactor = 80);
comment on column long_hold_accounts.held_nano is
  'of the account''s leased; nothing once the hold has ended, or where the account is not enforced';
create index long_hold_accounts_held on long_hold_accounts (account_id, held_nano desc);

drop function account_figures(bigint, bigint[]);
drop function beat(bigint, bigint[]);
drop function grant_leases(bigint, integer[], bigint[], bigint[], bigint[], bigint[]);
drop function post_usage(bigint, json, json, json);

-- What a gateway needs to know of accounts, in one read. Of several long holds the largest is named.
create function account_figures(_incarnation bigint, _accounts bigint[])
returns table (account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint, budget_version bigint,
  granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint, in_doubt_since timestamptz,
  in_doubt_holder text, answered_at timestamptz, long_held_nano bigint, long_hold uuid, long_held_until timestamptz)
language sql stable as $$
  select a.id, a.limit_nano, a.settled_nano, a.leased_nano, b.version,
    coalesce(own.granted_nano, 0), coalesce(own.posted_nano, 0), o.holders, o.in_doubt_nano, o.since, o.holder,
    clock_timestamp(), a.long_held_nano, held.hold_id, held.expires_at
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
  left join lateral (
    select r.hold_id, h.expires_at
    from long_hold_accounts r join long_holds h on h.id = r.hold_id
    where r.account_id = a.id and r.held_nano > 0 and a.long_held_nano > 0
    order by r.held_nano desc limit 1
  ) held on true
  where a.id = any (_accounts)
$$;

-- A process life shows that it is there, and learns what it may have missed.
create function beat(_incarnation bigint, _accounts bigint[])
returns table (account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint, budget_version bigint,
  granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint, in_doubt_since timestamptz,
  in_doubt_holder text, answered_at timestamptz, long_held_nano bigint, long_hold uuid, long_held_until timestamptz)
language plpgsql as $$
begin
  update gateways g set heartbeat_at = clock_timestamp() where g.incarnation = _incarnation and g.state = 'live';
  if not found then
    raise exception 'gateway % is not live', _incarnation using errcode = 'RC001';
  end if;
  return query select f.* from account_figures(_incarnation, _accounts) f;
end $$;

-- Rights to spend: each call gets its needs on all of its accounts or on none, in order; then, where no call was
-- refused, an extra of at most half the rest, shared by the holders. Rows: `call` of each granted call, then figures.
create function grant_leases(_incarnation bigint, _calls integer[], _accounts bigint[], _needs bigint[],
  _extra_accounts bigint[], _extras bigint[])
returns table (call integer, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint,
  budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint,
  in_doubt_since timestamptz, in_doubt_holder text, answered_at timestamptz, long_held_nano bigint, long_hold uuid,
  long_held_until timestamptz)
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
    null::integer, null::bigint, null::timestamptz, null::text, null::timestamptz, null::bigint, null::uuid,
    null::timestamptz
  from unnest(_granted) g (call)
  union all
  select null::integer, f.* from account_figures(_incarnation, _accounts) f;
end $$;

-- Records of spending, and rights given back: idempotent by the event's id and by the returned figure's size.
-- Rows: `event_id` of each event that was really inserted, then the figures of the accounts touched.
create function post_usage(_incarnation bigint, _events json, _charges json, _returns json)
returns table (event_id uuid, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint,
  budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint,
  in_doubt_since timestamptz, in_doubt_holder text, answered_at timestamptz, long_held_nano bigint, long_hold uuid,
  long_held_until timestamptz)
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
    perform note_crossings(_touched);
  end if;

  return query
  select i.id, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint,
    null::integer, null::bigint, null::timestamptz, null::text, null::timestamptz, null::bigint, null::uuid,
    null::timestamptz
  from unnest(_inserted) i (id)
  union all
  select null::uuid, f.* from account_figures(_incarnation, _touched) f;
end $$;

-- Sets an amount aside on all of its accounts or on none, straight by its row. An account that is not enforced is only
-- charged when the hold ends. Rows: whether it was, with the figures of each account after it.
create function open_long_hold(_hold json, _amounts json)
returns table (opened boolean, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint,
  budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint,
  in_doubt_since timestamptz, in_doubt_holder text, answered_at timestamptz, long_held_nano bigint, long_hold uuid,
  long_held_until timestamptz)
language plpgsql as $$
#variable_conflict use_column
declare
  _accounts bigint[];
  _fits boolean;
begin
  select array_agg(r.account_id) into _accounts from json_to_recordset(_amounts) r (account_id bigint);
  perform 1 from budget_accounts a where a.id = any (_accounts) order by a.id for no key update;
  select bool_and(a.limit_nano is null or r.quote_nano <= a.limit_nano - a.settled_nano - a.leased_nano)
    and count(*) = cardinality(_accounts)
  into _fits
  from json_to_recordset(_amounts) r (account_id bigint, quote_nano bigint) join budget_accounts a on a.id = r.account_id;
  if _fits then
    perform write_long_hold(_hold, null);
    insert into long_hold_accounts (hold_id, account_id, quote_nano, held_nano, rate)
    select (_hold ->> 'id')::uuid, a.id, r.quote_nano, case when a.limit_nano is null then 0 else r.quote_nano end, r.rate
    from json_to_recordset(_amounts) r (account_id bigint, quote_nano bigint, rate text)
    join budget_accounts a on a.id = r.account_id;
    update budget_accounts a set leased_nano = a.leased_nano + r.held_nano, long_held_nano = a.long_held_nano + r.held_nano
    from long_hold_accounts r where r.hold_id = (_hold ->> 'id')::uuid and a.id = r.account_id and r.held_nano > 0;
  end if;
  return query select coalesce(_fits, false), f.* from account_figures(0, _accounts) f;
end $$;

create function write_long_hold(_hold json, _incarnation bigint) returns void language sql as $$
  insert into long_holds (id, source, incarnation, organization_id, team_id, project_id, user_id, key_id, session_id, tags,
    provider, endpoint, model, external_id, description, metadata, amount_nano, currency, rate, quote_nano, price_version,
    created_by, opened_at, expires_at)
  select h.id, h.source, _incarnation, h.organization_id, h.team_id, h.project_id, h.user_id, h.key_id, h.session_id, h.tags,
    h.provider, h.endpoint, h.model, h.external_id, h.description, h.metadata, h.amount_nano, h.currency, h.rate,
    h.quote_nano, h.price_version, h.created_by, h.opened_at, h.expires_at
  from json_to_record(_hold) h (id uuid, source text, organization_id text, team_id text, project_id text, user_id text,
    key_id text, session_id text, tags jsonb, provider text, endpoint text, model text, external_id text, description text,
    metadata jsonb, amount_nano bigint, currency text, rate text, quote_nano bigint, price_version text, created_by text,
    opened_at timestamptz, expires_at timestamptz)
$$;

-- Takes the row and its accounts, in the order in which everybody locks; the state that it had.
create function lock_long_hold(_hold uuid) returns text language plpgsql as $$
declare
  _state text;
begin
  perform 1 from budget_accounts a
  where a.id in (select r.account_id from long_hold_accounts r where r.hold_id = _hold) order by a.id for no key update;
  select h.state into _state from long_holds h where h.id = _hold for update;
  return _state;
end $$;

-- Ends a hold, exactly once: open, it becomes settled (the cost replaces what it held), released (nothing is charged) or
-- uncertain (its deadline has passed, so it is charged at its amount: never free because of the time). Uncertain, it
-- becomes settled or released by one linked event of exactly the difference to what it was charged and, it may be, was
-- corrected by since; that moves `settled` alone.
-- _costs: what each account is charged; none: its own amount. false: it had ended already, or is not due.
create function end_long_hold(_hold uuid, _to text, _end json, _costs json) returns boolean language plpgsql as $$
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
        web_searches, tier, quote_nano, cost_nano, price_version, opened_at, ended_at, corrects,
        caller_id, description, metadata)
      select _day, _id, _h.incarnation, _h.source, _h.organization_id, _h.team_id,
        _h.project_id, _h.user_id, _h.key_id, _h.session_id, _h.tags, coalesce(_h.provider, 'none'), _h.endpoint,
        coalesce(_h.model, 'none'), e.model_used, false, e.request_id, e.provider_request_id,
        case _to when 'settled' then 'completed' when 'released' then 'released' else 'expired' end,
        case _to when 'uncertain' then 'uncertain' else 'exact' end,
        e.input_tokens, e.cache_read_tokens, e.cache_write_5m_tokens, e.cache_write_1h_tokens, e.output_tokens,
        e.reasoning_tokens, e.web_searches, e.tier, case _from when 'open' then _h.quote_nano else 0 end,
        _cost - coalesce((select sum(b.cost_nano) from usage_events b where b.day = _day and b.id = any (_before)), 0)::bigint,
        _h.price_version, _h.opened_at, greatest(_now, _h.opened_at),
        case _from when 'uncertain' then _hold end, _h.external_id, nullif(_h.description, ''), _h.metadata
      from json_to_record(_end) e (model_used text, request_id text, provider_request_id text, input_tokens bigint,
        cache_read_tokens bigint, cache_write_5m_tokens bigint, cache_write_1h_tokens bigint, output_tokens bigint,
        reasoning_tokens bigint, web_searches integer, tier text)
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

-- Every gateway asks for this, and one at a time does it. The accounts of all that are due are locked first, in order:
-- to lock the holds first, be it with `skip locked`, would turn the order round for who settles one of them.
create function expire_long_holds(_most integer) returns table (hold_id uuid, account_id bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  _due uuid[];
  _expired uuid[] := '{}';
  _id uuid;
begin
  if not pg_try_advisory_xact_lock(hashtext('relaycore expire_long_holds')) then
    return;
  end if;
  select array_agg(d.id order by d.id) into _due from (
    select h.id from long_holds h where h.state = 'open' and h.expires_at <= clock_timestamp()
    order by h.expires_at limit _most) d;
  if _due is null then
    return;
  end if;
  perform 1 from budget_accounts a
  where a.id in (select r.account_id from long_hold_accounts r where r.hold_id = any (_due))
  order by a.id for no key update;
  foreach _id in array _due loop
    if end_long_hold(_id, 'uncertain', '{}', '[]') then
      _expired := _expired || _id;
    end if;
  end loop;
  return query select r.hold_id, r.account_id from long_hold_accounts r where r.hold_id = any (_expired);
end $$;
