-- The limit of an account: its budget's amount, with the adjustments that are in force. Approvals raise what
-- require-approval keeps it at. Thresholds may be amounts.

create table budget_adjustments (
  id uuid primary key,
  budget_id uuid not null references budget_definitions,
  kind text not null check (kind in ('increase', 'top-up', 'transfer', 'approval')),
  amount_nano bigint check (amount_nano <> 0 and abs(amount_nano) <= 9000000000000000000),
  effective_from timestamptz(3) not null,
  effective_until timestamptz(3) check (effective_until > effective_from),
  reason text not null check (length(reason) between 1 and 1024),
  counterpart_id uuid references budget_adjustments deferrable initially deferred,
  created_at timestamptz(3) not null,
  created_by text not null check (length(created_by) between 1 and 256),
  revoked_at timestamptz(3),
  revoked_by text check (length(revoked_by) between 1 and 256),
  check (amount_nano > 0 or kind = 'transfer' or (kind = 'approval' and amount_nano is null)),
  check ((kind = 'transfer') = (counterpart_id is not null)),
  check ((revoked_at is null) = (revoked_by is null))
);
comment on table budget_adjustments is 'what is added to the amount of a budget for a time, or taken from it';
comment on column budget_adjustments.amount_nano is 'null: an approval of whatever block-all leaves';
comment on column budget_adjustments.effective_until is 'null: for good';
comment on column budget_adjustments.counterpart_id is 'of a transfer: the other side of it';
create index budget_adjustments_budget on budget_adjustments (budget_id, created_at, id);

create table approval_requests (
  id uuid primary key,
  budget_id uuid not null references budget_definitions,
  amount_nano bigint check (amount_nano > 0 and amount_nano <= 9000000000000000000),
  reason text not null check (length(reason) between 1 and 1024),
  requested_by text not null check (length(requested_by) between 1 and 256),
  key_id text,
  user_id text,
  created_at timestamptz(3) not null,
  state text not null default 'open' check (state in ('open', 'approved', 'denied')),
  decided_at timestamptz(3),
  decided_by text check (length(decided_by) between 1 and 256),
  decision_reason text check (length(decision_reason) between 1 and 1024),
  adjustment_id uuid references budget_adjustments,
  check ((state = 'open') = (decided_at is null) and (state = 'open') = (decided_by is null)),
  check ((state = 'approved') = (adjustment_id is not null))
);
comment on table approval_requests is 'who asked for more where require-approval refuses, and what was decided';
comment on column approval_requests.amount_nano is 'null: whatever is approved';
comment on column approval_requests.key_id is 'of the gateway key that asked; null: an administrator did';
create index approval_requests_budget on approval_requests (budget_id, created_at, id);
create unique index approval_requests_open on approval_requests (budget_id, key_id) where state = 'open';
create index approval_requests_age on approval_requests (created_at, id);

alter table budget_accounts
  add column total_nano bigint not null default 0 check (total_nano >= 0),
  add column carried_nano bigint not null default 0,
  add column limit_until timestamptz(3);
comment on column budget_accounts.total_nano is 'the amount of the budget with its adjustments: 100 % of its thresholds';
comment on column budget_accounts.carried_nano is 'part of total_nano: from the period before';
comment on column budget_accounts.limit_until is 'when total_nano and limit_nano change by time alone; null: they do not';
create index budget_accounts_limit_until on budget_accounts (limit_until) where limit_until is not null;
update budget_accounts a set total_nano = b.amount_nano from budget_definitions b where b.id = a.budget_id;

-- Thresholds that are amounts have no percentage.
alter table budget_alert_history alter column threshold drop not null;
alter table budget_alert_history add column amount_nano bigint;
alter table budget_alert_history add check ((threshold is null) <> (amount_nano is null));
comment on column budget_alert_history.amount_nano is 'the threshold, where it is an amount';
alter table budget_alert_history drop constraint budget_alert_history_account_id_threshold_key;
create unique index budget_alert_history_crossing on budget_alert_history (account_id, coalesce(threshold, -1), coalesce(amount_nano, -1));

create function threshold_nano(_alert jsonb, _total bigint) returns numeric language sql immutable as $$
  select coalesce((_alert ->> 'amount')::numeric * 1000000000, trunc(_total * (_alert ->> 'threshold')::numeric / 100))
$$;
comment on function threshold_nano is 'a threshold of a budget as an amount, where 100 % is the total; rounded down';

-- Block-all and require-approval: the lowest counts. `_approved`: what was approved beyond the latter; null: all of it.
create function enforced_limit(_total bigint, _alerts jsonb, _approved numeric) returns bigint language sql immutable as $$
  select least(_total, min(case
    when t -> 'actions' ? 'block-all' then threshold_nano(t, _total)
    when t -> 'actions' ? 'require-approval' then threshold_nano(t, _total) + _approved end))::bigint
  from jsonb_array_elements(_alerts) t
$$;

-- What may be spent on a budget at a moment of a period; in one that is over, at its end. `until`: when that changes.
create function limits_of(_budget budget_definitions, _carried bigint, _period_end timestamptz, _at timestamptz)
returns table (total_nano bigint, limit_nano bigint, until timestamptz) language sql stable as $$
  select t.nano, case when _budget.mode = 'enforced' then enforced_limit(t.nano, _budget.alerts, f.approved) end, f.until
  from (
    select coalesce(sum(d.amount_nano) filter (where d.in_force and d.kind <> 'approval'), 0) as adjusted,
      case when not coalesce(bool_or(d.in_force and d.amount_nano is null), false)
        then coalesce(sum(d.amount_nano) filter (where d.in_force and d.kind = 'approval'), 0) end as approved,
      least(min(d.effective_from) filter (where d.effective_from > d.at),
        min(d.effective_until) filter (where d.effective_until > d.at)) as until
    from (
      select d.*, m.at, d.effective_from <= m.at and coalesce(d.effective_until > m.at, true) as in_force
      from budget_adjustments d
      cross join lateral (select least(_at, _period_end - interval '1 millisecond') as at) m
      where d.budget_id = _budget.id and d.revoked_at is null
        and coalesce(d.effective_until > m.at, true) and coalesce(d.effective_from < _period_end, true)
    ) d
  ) f
  cross join lateral (select least(greatest(_budget.amount_nano + _carried + f.adjusted, 0), 9000000000000000000)::bigint as nano) t
$$;

-- The accounts are locked by the caller.
create function apply_limits(_accounts bigint[]) returns void language sql as $$
  update budget_accounts a set total_nano = l.total_nano, limit_nano = l.limit_nano, limit_until = l.until
  from (
    select o.id, f.* from budget_accounts o
    join budget_definitions b on b.id = o.budget_id
    cross join lateral limits_of(b, o.carried_nano, o.period_end, clock_timestamp()) f
    where o.id = any (_accounts)
  ) l
  where a.id = l.id
$$;

create function apply_due_limits(_accounts bigint[]) returns void language plpgsql as $$
begin
  if exists (select from budget_accounts a where a.id = any (_accounts) and a.limit_until <= clock_timestamp()) then
    perform 1 from budget_accounts a where a.id = any (_accounts) order by a.id for no key update;
    perform apply_limits(_accounts);
  end if;
end $$;
comment on function apply_due_limits is 'an adjustment that began or ended meanwhile acts now';

-- The same for accounts that nobody uses. Answers those that changed.
create function sweep_due_limits(_most integer) returns setof bigint language plpgsql as $$
declare
  _due bigint[];
begin
  select array_agg(d.id) into _due from (
    select a.id from budget_accounts a where a.limit_until <= clock_timestamp() order by a.limit_until limit _most) d;
  if _due is not null then
    perform apply_due_limits(_due);
  end if;
  return query select unnest(_due);
end $$;

create or replace function note_crossings(_accounts bigint[]) returns void language sql as $$
  insert into budget_alert_history (budget_id, account_id, threshold, amount_nano, actions, settled_nano)
  select b.id, a.id, (t ->> 'threshold')::numeric, n.amount_nano,
    array(select jsonb_array_elements_text(t -> 'actions')), a.settled_nano
  from budget_accounts a
  join budget_definitions b on b.id = a.budget_id
  cross join lateral jsonb_array_elements(b.alerts) t
  cross join lateral (select ((t ->> 'amount')::numeric * 1000000000)::bigint as amount_nano) n
  where a.id = any (_accounts) and a.settled_nano > 0
    and a.settled_nano >= coalesce(n.amount_nano, a.total_nano::numeric * (t ->> 'threshold')::numeric / 100)
    and not exists (select from budget_alert_history h
      where h.account_id = a.id and h.threshold is not distinct from (t ->> 'threshold')::numeric
        and h.amount_nano is not distinct from n.amount_nano)
  on conflict do nothing
$$;

create or replace function ensure_accounts(_specs json) returns table (ordinal integer, account_id bigint, currency text)
language plpgsql as $$
#variable_conflict use_column
declare
  _made bigint[];
begin
  perform 1 from budget_definitions b
  where b.id in (select s.budget_id from json_to_recordset(_specs) s (budget_id uuid)) order by b.id for share;
  with made as (
    insert into budget_accounts (budget_id, subject, period_start, period_end, currency, limit_nano)
    select b.id, s.subject, s.period_start, s.period_end, b.currency, 0
    from json_to_recordset(_specs) s (budget_id uuid, subject text, period_start timestamptz, period_end timestamptz)
    join budget_definitions b on b.id = s.budget_id
    order by b.id, s.subject, s.period_start
    on conflict do nothing
    returning id
  )
  select array_agg(made.id) into _made from made;
  perform apply_limits(_made);
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

drop function account_figures(bigint, bigint[]);
drop function beat(bigint, bigint[]);
drop function grant_leases(bigint, integer[], bigint[], bigint[], bigint[], bigint[]);
drop function open_long_hold(json, json);
drop function post_usage(bigint, json, json);

-- `budget_accounts` as a gateway sees them; see the function of the same name that this one replaces.
create function account_figures(_incarnation bigint, _accounts bigint[])
returns table (account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint,
  budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint,
  in_doubt_since timestamptz, in_doubt_holder text, answered_at timestamptz, long_held_nano bigint, long_hold uuid,
  long_held_until timestamptz, total_nano bigint)
language sql stable as $$
  select a.id, a.limit_nano, a.settled_nano, a.leased_nano, b.version,
    coalesce(own.granted_nano, 0), coalesce(own.posted_nano, 0), o.holders, o.in_doubt_nano, o.since, o.holder,
    clock_timestamp(), a.long_held_nano, held.hold_id, held.expires_at, a.total_nano
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

create function beat(_incarnation bigint, _accounts bigint[])
returns table (account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint,
  budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint,
  in_doubt_since timestamptz, in_doubt_holder text, answered_at timestamptz, long_held_nano bigint, long_hold uuid,
  long_held_until timestamptz, total_nano bigint)
language plpgsql as $$
begin
  update gateways g set heartbeat_at = clock_timestamp() where g.incarnation = _incarnation and g.state = 'live';
  if not found then
    raise exception 'gateway % is not live', _incarnation using errcode = 'RC001';
  end if;
  perform apply_due_limits(_accounts);
  return query select f.* from account_figures(_incarnation, _accounts) f;
end $$;

create function grant_leases(_incarnation bigint, _calls integer[], _accounts bigint[], _needs bigint[],
  _extra_accounts bigint[], _extras bigint[])
returns table (call integer, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint,
  budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint,
  in_doubt_since timestamptz, in_doubt_holder text, answered_at timestamptz, long_held_nano bigint, long_hold uuid,
  long_held_until timestamptz, total_nano bigint)
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
  perform apply_due_limits(_accounts);
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
    null::timestamptz, null::bigint
  from unnest(_granted) g (call)
  union all
  select null::integer, f.* from account_figures(_incarnation, _accounts) f;
end $$;

create function open_long_hold(_hold json, _amounts json)
returns table (opened boolean, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint,
  budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint,
  in_doubt_since timestamptz, in_doubt_holder text, answered_at timestamptz, long_held_nano bigint, long_hold uuid,
  long_held_until timestamptz, total_nano bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  _accounts bigint[];
  _fits boolean;
begin
  select array_agg(r.account_id) into _accounts from json_to_recordset(_amounts) r (account_id bigint);
  perform 1 from budget_accounts a where a.id = any (_accounts) order by a.id for no key update;
  perform apply_due_limits(_accounts);
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

create function post_usage(_incarnation bigint, _calls json, _returns json)
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
    insert into usage_events (day, id, incarnation, organization_id, team_id, project_id, user_id, key_id, session_id, tags,
      provider, endpoint, model, model_used, stream, request_id, provider_request_id, outcome, status, certainty,
      input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens,
      web_searches, tier, quote_nano, cost_nano, price_version, opened_at, ended_at)
    select day_of(o.id), o.id, _incarnation, o.org, o.team, o.project, o."user", o.key, o.session, o.tags,
      o.provider, o.endpoint, o.model, e.model, o.stream, o.request, e.request, e.outcome, e.status, e.certainty,
      u."inputTokens", u."cacheReadTokens", u."cacheWrite5mTokens", u."cacheWrite1hTokens", u."outputTokens",
      u."reasoningTokens", u."webSearches", u.tier, o.quote, e.cost, o.price, to_timestamp(o.at / 1000.0),
      to_timestamp(e.at / 1000.0)
    from json_to_recordset(_calls) o (id uuid, at bigint, org text, team text, project text, "user" text, key text,
      session text, tags jsonb, provider text, endpoint text, model text, stream boolean, request text, quote bigint,
      price text, "end" json)
    cross join lateral json_to_record(o."end") e (at bigint, outcome text, status smallint, certainty text, model text,
      usage json, cost bigint, request text)
    left join lateral json_to_record(e.usage) u ("inputTokens" bigint, "cacheReadTokens" bigint, "cacheWrite5mTokens" bigint,
      "cacheWrite1hTokens" bigint, "outputTokens" bigint, "reasoningTokens" bigint, "webSearches" integer, tier text) on true
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
