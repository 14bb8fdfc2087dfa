-- A month whose records were taken out takes none any more: they would not meet what they repeat or correct. Its days
-- have no partition, so all that comes late lands in those by default, which ask; other inserts pay nothing for it.

create function refuse_detached_month() returns trigger language plpgsql as $$
begin
  if exists (select from detached_months d where d.month = date_trunc('month', new.day)) then
    raise exception 'the records of % were taken out of the ledger: nothing of that month can be recorded any more',
      to_char(new.day, 'YYYY-MM') using errcode = 'check_violation', constraint = 'detached_month';
  end if;
  return new;
end $$;
create trigger refuse_detached_month before insert on usage_events_default
  for each row execute function refuse_detached_month();
create trigger refuse_detached_month before insert on budget_usage_records_default
  for each row execute function refuse_detached_month();

create function require_finished_month() returns trigger language plpgsql as $$
begin
  -- partitions of the last month and of later ones are made whenever they are missing
  if new.month >= date_trunc('month', clock_timestamp() at time zone 'UTC') - interval '1 month' then
    raise exception 'month % is not over for long enough: only those before the last one can be detached',
      to_char(new.month, 'YYYY-MM') using errcode = 'check_violation', constraint = 'detached_months_finished';
  end if;
  if exists (select from long_holds h where h.state = 'open' and h.opened_at < (new.month + interval '1 month') at time zone 'UTC') then
    raise exception 'holds that were opened in % or before are still open', to_char(new.month, 'YYYY-MM')
      using errcode = 'check_violation', constraint = 'detached_months_held';
  end if;
  return new;
end $$;
create trigger require_finished_month before insert on detached_months
  for each row execute function require_finished_month();
