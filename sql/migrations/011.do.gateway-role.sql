-- A gateway may run as a role that owns nothing: `relaycore migrate --grant` gives it what it needs. Partitions of the
-- coming months are the one thing that it makes, so that is done with the rights of the owner, and bounded.

create or replace function ensure_partitions(_months integer) returns void language plpgsql security definer as $$
declare
  _this date := date_trunc('month', clock_timestamp() at time zone 'UTC');
begin
  if _months is null or _months not between 0 and 24 then
    raise exception 'partitions are made of 0 to 24 months ahead, not of %', _months using errcode = '22023';
  end if;
  perform pg_advisory_xact_lock(hashtext('relaycore ensure_partitions'));
  for _i in -1 .. _months loop
    perform ensure_partition('usage_events', (_this + make_interval(months => _i))::date);
    perform ensure_partition('budget_usage_records', (_this + make_interval(months => _i))::date);
  end loop;
end $$;

-- Whoever calls it: nobody's own tables come first.
do $$
begin
  execute format('alter function ensure_partitions(integer) set search_path = %I, pg_temp', current_schema());
end $$;
revoke execute on function ensure_partitions(integer), ensure_partition(text, date) from public;
