-- What is kept when leases are closed is for events that are set aside, and not recorded meanwhile, e.g. by the recovery
-- itself or a late post. What they will cost stays counted by a write-off too, from which their posts take it.
create or replace function close_leases(_incarnation bigint, _kept json) returns void language plpgsql as $$
#variable_conflict use_column
declare
  _accounts bigint[];
  _amounts bigint[];
begin
  perform 1 from gateways g where g.incarnation = _incarnation and g.state <> 'live' for update;
  if not found then
    raise exception 'gateway % is not being recovered', _incarnation using errcode = 'RC002';
  end if;
  perform 1 from budget_accounts a
  where a.id in (select l.account_id from leases l
    where l.incarnation = _incarnation and (l.state = 'open' or l.written_off_nano > 0))
  order by a.id for no key update;
  select array_agg(k.account_id), array_agg(k.nano) into _accounts, _amounts from (
    select k.account_id, sum(k.kept_nano)::bigint as nano
    from json_to_recordset(_kept) k (event_id uuid, account_id bigint, kept_nano bigint)
    where not exists (select from usage_events e where e.day = day_of(k.event_id) and e.id = k.event_id)
    group by 1) k;
  -- the rest of its journal is posted: what a write-off still counts beyond that was never spent
  perform replace_write_off(_incarnation, array_agg(l.account_id),
    array_agg(l.written_off_nano - least(coalesce(k.nano, 0), l.written_off_nano)))
  from leases l left join unnest(_accounts, _amounts) k (account_id, nano) using (account_id)
  where l.incarnation = _incarnation and l.written_off_nano > 0;
  with rest as materialized (
    select l.account_id, l.granted_nano - l.returned_nano - l.posted_nano as total,
      least(coalesce(k.nano, 0), l.granted_nano - l.returned_nano - l.posted_nano) as kept
    from leases l left join unnest(_accounts, _amounts) k (account_id, nano) using (account_id)
    where l.incarnation = _incarnation and l.state = 'open'
  ),
  ended as (
    update leases l set returned_nano = l.returned_nano + rest.total - rest.kept,
      state = case when rest.kept > 0 then 'kept' else 'closed' end
    from rest where l.account_id = rest.account_id and l.incarnation = _incarnation
  )
  update budget_accounts a set leased_nano = a.leased_nano - (rest.total - rest.kept)
  from rest where a.id = rest.account_id and rest.total <> rest.kept;
  update gateways g set state = case when exists (select from leases l
    where l.incarnation = _incarnation and l.written_off_nano > 0) then 'written off' else 'closed' end
  where g.incarnation = _incarnation;
end $$;

-- Also of a gateway that was closed, where what was kept for events that are set aside waits for a disk that is lost.
create or replace function write_off(_incarnation bigint) returns table (account_id bigint, amount_nano bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  _accounts bigint[];
  _amounts bigint[];
begin
  perform 1 from gateways g where g.incarnation = _incarnation and (g.state = 'recovering' or
    (g.state = 'live' and g.heartbeat_at < clock_timestamp() - interval '10 seconds') or
    (g.state = 'closed' and exists (select from leases l where l.incarnation = _incarnation and l.state = 'kept'))) for update;
  if not found then
    raise exception 'gateway % is unknown, answers, or is closed already', _incarnation using errcode = 'RC002';
  end if;
  update gateways set state = 'written off' where incarnation = _incarnation;
  perform 1 from budget_accounts a
  where a.id in (select l.account_id from leases l where l.incarnation = _incarnation and l.state <> 'closed')
  order by a.id for no key update;
  select array_agg(l.account_id order by l.account_id),
    array_agg(l.granted_nano - l.returned_nano - l.posted_nano order by l.account_id)
  into _accounts, _amounts
  from leases l where l.incarnation = _incarnation and l.state <> 'closed'
    and l.granted_nano > l.returned_nano + l.posted_nano;
  update budget_accounts a set leased_nano = a.leased_nano - e.amount
  from unnest(_accounts, _amounts) e (account_id, amount) where a.id = e.account_id;
  update leases l set state = 'closed', posted_nano = l.granted_nano - l.returned_nano,
    written_off_nano = l.granted_nano - l.returned_nano - l.posted_nano
  where l.incarnation = _incarnation and l.state <> 'closed';
  if _accounts is not null then
    perform record_entry(_incarnation, 'written_off', _accounts, _amounts);
  end if;
  return query select e.id, e.amount from unnest(_accounts, _amounts) e (id, amount);
end $$;
