-- A user is forgotten: whatever names them gets another name that nobody can lead back, so that sums, accounts and
-- records stay what they are; what their calls say beyond that is removed. The audit log is not touched: it proves what was.

create function stored_of_user(_user text) returns table (what text, stored bigint) language sql stable as $$
  select * from (
    select 'usage events' as what, (select count(*) from usage_events e where e.user_id = _user) as stored
    union all select 'sums by hour and day', (select count(*) from usage_by_hour h where h.facet = 'user' and h.value = array[left(_user, 256)])
      + (select count(*) from usage_by_day d where d.facet = 'user' and d.value = array[left(_user, 256)])
    union all select 'accounts', (select count(*) from budget_accounts a join budget_definitions b on b.id = a.budget_id
      where b.scope_type = 'user' and a.subject = _user)
    union all select 'budgets', (select count(*) from budget_definitions b where b.scope_type = 'user' and (b.scope_id = _user or b.overrides ? _user))
    union all select 'adjustments and approvals', (select count(*) from budget_adjustments o join budget_definitions b on b.id = o.budget_id
        where b.scope_type = 'user' and o.subject = _user)
      + (select count(*) from approval_requests r join budget_definitions b on b.id = r.budget_id
        where r.user_id = _user or (b.scope_type = 'user' and r.subject = _user))
    union all select 'gateway keys', (select count(*) from api_keys k where k.user_id = _user)
    union all select 'long holds', (select count(*) from long_holds h where h.user_id = _user)
    union all select 'entries of the audit log', (select count(*) from audit_log l where ('user:' || _user) = any (l.scopes)
      or l.actor_id = _user or l.before::jsonb ->> 'userId' = _user or l.after::jsonb ->> 'userId' = _user)
  ) s
  where s.stored > 0
$$;
comment on function stored_of_user is 'what names this user, by kind';

create function rename_in_events(_user text, _as text, _from date, _since timestamptz) returns bigint language plpgsql as $$
declare
  _renamed bigint;
begin
  update usage_events e set user_id = _as, session_id = null, end_user_id = null, request_id = null, description = null,
    metadata = null
  where e.user_id = _user and e.day >= _from and e.recorded_at >= _since;
  get diagnostics _renamed = row_count;
  return _renamed;
end $$;

create function forget_user(_user text, _as text) returns void language plpgsql as $$
declare
  _begun timestamptz := clock_timestamp();
  _budgets bigint;
  _keys bigint;
begin
  update config_versions set version = version + 1 where kind = 'budgets' returning version into _budgets;
  update config_versions set version = version + 1 where kind = 'keys' returning version into _keys;
  perform 1 from budget_definitions b where b.scope_type = 'user' and (b.scope_id = _user or b.overrides ? _user) order by b.id for update;
  -- long, and nobody waits for these rows
  perform rename_in_events(_user, _as, '-infinity', '-infinity');
  perform 1 from budget_accounts a
  where a.id in (select d.account_id from usage_by_day d where d.facet = 'user' and d.value = array[left(_user, 256)])
    or a.id in (select o.id from budget_accounts o join budget_definitions b on b.id = o.budget_id
      where b.scope_type = 'user' and o.subject = _user)
  order by a.id for update;
  -- what came meanwhile; from here on nothing comes on these accounts
  perform rename_in_events(_user, _as, (_begun at time zone 'UTC')::date - 2, _begun);
  update budget_definitions b set scope_id = _as, version = _budgets, updated_at = clock_timestamp()
  where b.scope_type = 'user' and b.scope_id = _user;
  update budget_definitions b set overrides = (b.overrides - _user) || jsonb_build_object(_as, b.overrides -> _user),
    version = _budgets, updated_at = clock_timestamp()
  where b.scope_type = 'user' and b.overrides ? _user;
  update budget_accounts a set subject = _as from budget_definitions b
  where b.id = a.budget_id and b.scope_type = 'user' and a.subject = _user;
  update budget_adjustments o set subject = _as from budget_definitions b
  where b.id = o.budget_id and b.scope_type = 'user' and o.subject = _user;
  update approval_requests r set subject = case when r.subject = _user then _as else r.subject end,
    user_id = case when r.user_id = _user then _as else r.user_id end, reason = 'forgotten',
    requested_by = case when r.requested_by = _user then _as else r.requested_by end
  from budget_definitions b
  where b.id = r.budget_id and (r.user_id = _user or (b.scope_type = 'user' and r.subject = _user));
  update long_holds h set user_id = _as, session_id = null, end_user_id = null, request_id = null, description = null, metadata = null
  where h.user_id = _user;
  update api_keys k set user_id = _as, name = _as, revoked_at = coalesce(k.revoked_at, clock_timestamp()),
    updated_at = clock_timestamp(), version = _keys
  where k.user_id = _user;
  update usage_by_hour h set value = array[_as] where h.facet = 'user' and h.value = array[left(_user, 256)];
  update usage_by_day d set value = array[_as] where d.facet = 'user' and d.value = array[left(_user, 256)];
end $$;
comment on function forget_user is 'by the owner of the tables; what it is called after may not have been used before';
