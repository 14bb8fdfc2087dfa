-- Single ones of a budget for each of many have another amount.

alter table budget_definitions add column overrides jsonb not null default '{}' check (jsonb_typeof(overrides) = 'object');
comment on column budget_definitions.overrides is 'by subject: another amount than that of all others, a decimal string';

create function of_subject(_budget budget_definitions, _subject text) returns budget_definitions language plpgsql immutable as $$
begin
  if _budget.overrides ? _subject then
    _budget.amount_nano := (_budget.overrides ->> _subject)::numeric * 1000000000;
  end if;
  return _budget;
end $$;
comment on function of_subject is 'the budget as it is for one of its subjects';

-- with what the subject of each has
create or replace function apply_limits(_accounts bigint[]) returns void language sql as $$
  update budget_accounts a set total_nano = l.total_nano, limit_until = l.until,
    limit_nano = case when a.carried_on and l.limit_nano is not null
      then least(l.limit_nano, a.settled_nano + a.leased_nano) else l.limit_nano end
  from (
    select o.id, f.* from budget_accounts o
    join budget_definitions b on b.id = o.budget_id
    cross join lateral limits_of(of_subject(b, o.subject), o.carried_nano, o.period_end, clock_timestamp()) f
    where o.id = any (_accounts)
  ) l
  where a.id = l.id
$$;
