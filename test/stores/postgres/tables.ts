/** What tests do with the tables themselves. */
export const DEFINE = `
  insert into budget_definitions (id, organization_id, name, scope_type, scope_id, amount_nano, enforced_limit_nano,
    currency, period, timezone, start_date, recurring, mode, alerts, created_at, updated_at, version)
  values ($1, 'acme', 'test', 'organization', 'acme', $2, $2, 'USD', 'annual', 'UTC', '2020-01-01Z', true, $3, $4, now(), now(), 1)`

export const BOOKS = `
  select a.id, a.limit_nano, a.settled_nano, a.leased_nano,
    (select coalesce(sum(granted_nano - returned_nano - posted_nano), 0) from leases where account_id = a.id)
      + (select coalesce(sum(held_nano), 0) from long_hold_accounts where account_id = a.id) as leases_nano,
    (select coalesce(sum(r.held_nano), 0) from long_hold_accounts r join long_holds h on h.id = r.hold_id
      where r.account_id = a.id and h.state = 'open') as holds_nano, a.long_held_nano,
    (select coalesce(sum(amount_nano), 0) from budget_usage_records where account_id = a.id) as charged_nano,
    coalesce(c.settled_nano, 0) as cached_nano, s.settled_nano as calculated_nano
  from budget_accounts a
  left join budget_status_cache c on c.account_id = a.id
  join lateral calculate_budget_status(a.budget_id) s on s.account_id = a.id
  order by a.id`

/** What a migrated database has in its tables, and where its sequences stand. */
export const KEEP = `
  create schema kept;
  do $$ declare name text; filled boolean; begin
    for name in select relname from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r' and not relispartition loop
      execute format('select exists (select from %I)', name) into filled;
      if filled then execute format('create table kept.%I as table %1$I', name); end if;
    end loop;
  end $$;
  create table kept.sequences as select quote_ident(sequencename) as name, start_value, last_value from pg_sequences
    where schemaname = 'public'`

/** That again, without triggers. The audit log is never emptied: whoever writes to it takes a fresh world. */
export const EMPTY = `
  do $$ declare name text; filled boolean; begin
    if exists (select from audit_log) then raise 'the audit log of this world has been written to'; end if;
    perform set_config('session_replication_role', 'replica', true);
    for name in select relname from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
        and relname <> 'audit_head' loop
      execute format('select exists (select from %I)', name) into filled;
      if filled then execute format('delete from %I', name); end if;
    end loop;
    for name in select relname from pg_class where relnamespace = 'kept'::regnamespace
      and relname not in ('sequences', 'audit_head') loop
      execute format('insert into %I overriding system value table kept.%1$I', name);
    end loop;
    perform setval(k.name::regclass, coalesce(k.last_value, k.start_value), k.last_value is not null)
    from kept.sequences k;
  end $$`
