-- What has not changed is not written again: a long hold may keep an account of the period before open for weeks.

create or replace function apply_limits(_accounts bigint[]) returns void language sql as $$
  update budget_accounts a set total_nano = l.total_nano, limit_until = l.until, limit_nano = l.limit_nano
  from (
    select o.id, f.total_nano, f.until, case when o.carried_on and f.limit_nano is not null
      then least(f.limit_nano, o.settled_nano + o.leased_nano) else f.limit_nano end as limit_nano
    from budget_accounts o
    join budget_definitions b on b.id = o.budget_id
    cross join lateral limits_of(of_subject(b, o.subject), o.carried_nano, o.period_end, clock_timestamp()) f
    where o.id = any (_accounts)
  ) l
  where a.id = l.id and (a.total_nano, a.limit_until, a.limit_nano) is distinct from (l.total_nano, l.until, l.limit_nano)
$$;

create or replace function carry_into(_accounts bigint[]) returns void language plpgsql as $$
declare
  _from bigint[];
begin
  select array_agg(a.carried_from) into _from from budget_accounts a where a.id = any (_accounts) and a.carried_from is not null;
  update budget_accounts a set carried_nano = carried_of(b, p)
  from budget_accounts o
  join budget_accounts p on p.id = o.carried_from
  join budget_definitions b on b.id = o.budget_id
  where o.id = any (_accounts) and a.id = o.id and b.carry_over is not null and o.carried_nano <> carried_of(b, p);
  update budget_accounts p set carried_on = true, carry_open = p.leased_nano > 0
  where p.id = any (_from) and (not p.carried_on or p.carry_open <> (p.leased_nano > 0));
  -- and then those after these
  update budget_accounts a set carry_open = true where a.id = any (_accounts) and a.carried_on and not a.carry_open;
  perform apply_limits(_accounts || _from);
end $$;

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
    select n.id
    from budget_accounts o
    join budget_definitions b on b.id = o.budget_id
    join budget_accounts n on n.carried_from = o.id
    where o.carry_open and (o.leased_nano = 0 or (b.carry_over is not null and n.carried_nano <> carried_of(b, o)))
    order by o.id limit _most
  ) n;
  if _after is not null then
    perform 1 from budget_accounts a
    where a.id = any (_after) or a.id in (select n.carried_from from budget_accounts n where n.id = any (_after))
    order by a.id for no key update;
    perform carry_into(_after);
  end if;
  return query select unnest(_due) union select unnest(_after);
end $$;
