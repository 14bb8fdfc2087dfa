-- Of a budget for each of many, an adjustment may be for one of them, and so may an approval that somebody asks for.

alter table budget_adjustments add column subject text not null default '' check (length(subject) <= 256);
comment on column budget_adjustments.subject is 'empty: for every subject of the budget';
alter table approval_requests add column subject text not null default '' check (length(subject) <= 256);
comment on column approval_requests.subject is 'for whom, of a budget for each of many; empty: for all of them';
drop index approval_requests_open;
create unique index approval_requests_open on approval_requests (budget_id, key_id, subject) where state = 'open';

drop function limits_of(budget_definitions, bigint, timestamptz, timestamptz);

-- What one subject of a budget may spend at a moment of a period; in one that is over, at its end. `until`: when that
-- changes.
create function limits_of(_budget budget_definitions, _subject text, _carried bigint, _period_end timestamptz, _at timestamptz)
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
      where d.budget_id = _budget.id and d.subject in ('', _subject) and d.revoked_at is null
        and coalesce(d.effective_until > m.at, true) and coalesce(d.effective_from < _period_end, true)
    ) d
  ) f
  cross join lateral (select least(
    (of_subject(_budget, _subject)).amount_nano + _carried + f.adjusted, 9000000000000000000)::bigint as nano) t
$$;

create or replace function apply_limits(_accounts bigint[]) returns void language sql as $$
  update budget_accounts a set total_nano = l.total_nano, limit_until = l.until, limit_nano = l.limit_nano
  from (
    select o.id, f.total_nano, f.until, case when o.carried_on and f.limit_nano is not null
      then least(f.limit_nano, o.settled_nano + o.leased_nano) else f.limit_nano end as limit_nano
    from budget_accounts o
    join budget_definitions b on b.id = o.budget_id
    cross join lateral limits_of(b, o.subject, o.carried_nano, o.period_end, clock_timestamp()) f
    where o.id = any (_accounts)
  ) l
  where a.id = l.id and (a.total_nano, a.limit_until, a.limit_nano) is distinct from (l.total_nano, l.until, l.limit_nano)
$$;
