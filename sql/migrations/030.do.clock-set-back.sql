-- Where the clock of PostgreSQL was set back, the last sign of a dead gateway lies ahead of it, for as long as it was set
-- back. That is no sign of life: a living one brings a new sign within a second.
create or replace function responds(_gateway gateways) returns boolean language sql as $$
  select _gateway.state = 'live' and _gateway.heartbeat_at
    between clock_timestamp() - interval '10 seconds' and clock_timestamp() + interval '10 seconds'
$$;

create or replace function write_off(_incarnation bigint) returns table (account_id bigint, amount_nano bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  _accounts bigint[];
  _amounts bigint[];
begin
  perform 1 from gateways g where g.incarnation = _incarnation and (g.state = 'recovering' or
    (g.state = 'live' and not responds(g)) or
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
