-- What was not spent in a period goes on into the next, and what was spent too much as well.

alter table budget_definitions add column carry_over jsonb;
comment on column budget_definitions.carry_over is 'percent, max (of what is unused, a decimal string) and debt; null: every period begins anew';

-- more debt than the amount leaves less than nothing
alter table budget_accounts drop constraint budget_accounts_total_nano_check;
alter table budget_accounts
  add column carried_from bigint references budget_accounts,
  add column carried_on boolean default false not null,
  add column carry_open boolean default false not null;
comment on column budget_accounts.carried_from is 'the account that carried_nano comes from';
comment on column budget_accounts.carried_on is 'the account after this one has what was left of it';
comment on column budget_accounts.carry_open is 'that is to be worked out again: something is leased here still, or was charged since';
create index budget_accounts_carried_from on budget_accounts (carried_from) where carried_from is not null;
create index budget_accounts_carry_open on budget_accounts (id) where carry_open;

create or replace function limits_of(_budget budget_definitions, _carried bigint, _period_end timestamptz, _at timestamptz)
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
  cross join lateral (select least(_budget.amount_nano + _carried + f.adjusted, 9000000000000000000)::bigint as nano) t
$$;

-- What the period after gets of this account: what is leased counts as spent until it comes back.
create function carried_of(_budget budget_definitions, _from budget_accounts) returns bigint language sql immutable as $$
  select case
    when u.nano >= 0 then least(trunc(u.nano * (_budget.carry_over ->> 'percent')::numeric / 100),
      (_budget.carry_over ->> 'max')::numeric * 1000000000)
    when (_budget.carry_over ->> 'debt')::boolean then u.nano
    else 0 end::bigint
  from (select (_from.total_nano - _from.settled_nano - _from.leased_nano)::numeric as nano) u
$$;

-- The accounts are locked by the caller. What the account after one has is not there any more: a gateway whose clock is
-- late is granted nothing of it.
create or replace function apply_limits(_accounts bigint[]) returns void language sql as $$
  update budget_accounts a set total_nano = l.total_nano, limit_until = l.until,
    limit_nano = case when a.carried_on and l.limit_nano is not null
      then least(l.limit_nano, a.settled_nano + a.leased_nano) else l.limit_nano end
  from (
    select o.id, f.* from budget_accounts o
    join budget_definitions b on b.id = o.budget_id
    cross join lateral limits_of(b, o.carried_nano, o.period_end, clock_timestamp()) f
    where o.id = any (_accounts)
  ) l
  where a.id = l.id
$$;

-- Works out anew what these accounts have from those before them, and what may be spent on both. All are locked by the
-- caller.
create function carry_into(_accounts bigint[]) returns void language plpgsql as $$
declare
  _from bigint[];
begin
  select array_agg(a.carried_from) into _from from budget_accounts a where a.id = any (_accounts) and a.carried_from is not null;
  update budget_accounts a set carried_nano = carried_of(b, p)
  from budget_accounts o
  join budget_accounts p on p.id = o.carried_from
  join budget_definitions b on b.id = o.budget_id
  where o.id = any (_accounts) and a.id = o.id and b.carry_over is not null;
  update budget_accounts p set carried_on = true, carry_open = p.leased_nano > 0 where p.id = any (_from);
  -- and then those after these
  update budget_accounts a set carry_open = true where a.id = any (_accounts) and a.carried_on;
  perform apply_limits(_accounts || _from);
end $$;

-- Late posts, corrections and backdated usage charge accounts of which the one after has what was left.
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
  on conflict do nothing;
  update budget_accounts a set carry_open = true where a.id = any (_accounts) and a.carried_on and not a.carry_open;
$$;

create or replace function sweep_due_limits(_most integer) returns setof bigint language plpgsql as $$
declare
  _due bigint[];
  _after bigint[];
begin
  select array_agg(d.id) into _due from (
    select a.id from budget_accounts a where a.limit_until <= clock_timestamp() order by a.limit_until limit _most) d;
  if _due is not null then
    perform apply_due_limits(_due);
  end if;
  select array_agg(n.id) into _after from (
    select a.id from budget_accounts a where a.carry_open order by a.id limit _most) o
  join budget_accounts n on n.carried_from = o.id;
  if _after is not null then
    perform 1 from budget_accounts a
    where a.id = any (_after) or a.id in (select n.carried_from from budget_accounts n where n.id = any (_after))
    order by a.id for no key update;
    perform carry_into(_after);
  end if;
  return query select unnest(_due) union select unnest(_after);
end $$;

-- `earlier`: of a budget that carries over, the periods before, [start, end] of each. Those that nobody used since the
-- last one that somebody did get their accounts too, so that what they had goes on through them.
create or replace function ensure_accounts(_specs json) returns table (ordinal integer, account_id bigint, currency text)
language plpgsql as $$
#variable_conflict use_column
declare
  _made bigint[];
  _one record;
  _id bigint;
begin
  perform 1 from budget_definitions b
  where b.id in (select s.budget_id from json_to_recordset(_specs) s (budget_id uuid)) order by b.id for share;
  perform 1 from budget_accounts a
  where a.id in (
    select last.id
    from json_to_recordset(_specs) s (budget_id uuid, subject text, period_start timestamptz)
    join budget_definitions b on b.id = s.budget_id and b.carry_over is not null
    cross join lateral (select p.id from budget_accounts p where p.budget_id = b.id and p.subject = s.subject
      and p.period_start < s.period_start order by p.period_start desc limit 1) last)
  order by a.id for no key update;
  for _one in
    select b.id as budget_id, b.currency, s.subject, e.period_start, e.period_end
    from json_to_recordset(_specs) s (budget_id uuid, subject text, period_start timestamptz, period_end timestamptz, earlier json)
    join budget_definitions b on b.id = s.budget_id and b.carry_over is not null
    cross join lateral (select max(a.period_start) as period_start from budget_accounts a
      where a.budget_id = b.id and a.subject = s.subject and a.period_start < s.period_start) last
    cross join lateral (
      select (p.period ->> 0)::timestamptz, (p.period ->> 1)::timestamptz from json_array_elements(s.earlier) p (period)
      where (p.period ->> 0)::timestamptz > last.period_start or (last.period_start is null and s.subject = '')
      union select s.period_start, s.period_end
    ) e (period_start, period_end)
    order by 1, 3, 4
  loop
    insert into budget_accounts (budget_id, subject, period_start, period_end, currency, limit_nano, carried_from)
    values (_one.budget_id, _one.subject, _one.period_start, _one.period_end, _one.currency, 0, (
      select a.id from budget_accounts a where a.budget_id = _one.budget_id and a.subject = _one.subject
        and a.period_end <= _one.period_start order by a.period_start desc limit 1))
    on conflict do nothing returning id into _id;
    if _id is not null then
      perform carry_into(array[_id]);
    end if;
  end loop;
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
