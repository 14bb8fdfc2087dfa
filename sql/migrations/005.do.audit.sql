-- The audit log: who changed what, written in the change's own transaction, and chained by hashes, so that a row that was
-- altered, removed or moved is found. The head is locked last of all, for the rest of the transaction: whoever has it
-- waits for nothing but the commit.

create table audit_log (
  seq bigint primary key,
  id uuid not null unique,
  at timestamptz(3) not null,
  actor_id text not null,
  actor_name text not null,
  actor_role text not null,
  request_id text,
  from_address text,
  action text not null,
  object_type text not null,
  object_id text not null,
  organization_id text,
  scopes text[] not null,
  scopes_above text[] not null,
  before json,
  after json,
  hash bytea not null check (length(hash) = 32)
);
comment on table audit_log is 'one row per change, numbered without a gap; no row is ever changed or removed';
comment on column audit_log.organization_id is 'whose object it is; null: of none, or of different ones before and after';
comment on column audit_log.scopes is 'type:id of the object''s scope and of those above it, as they were, before and after alike';
comment on column audit_log.scopes_above is 'of those above it alone: to whom it may be told what it stands below';
comment on column audit_log.before is 'as the API shows the object, in the very text that was hashed; null: there was none';
comment on column audit_log.hash is 'audit_hash() of the row and of the hash before it; of the first, of 32 zero bytes';
create index audit_log_at on audit_log (at, seq);
create index audit_log_actor on audit_log (actor_id, seq);
create index audit_log_action on audit_log (action, seq);
create index audit_log_object on audit_log (object_type, object_id, seq);
create index audit_log_organization on audit_log (organization_id, seq);
create index audit_log_scopes on audit_log using gin (scopes);

create table audit_head (
  singleton boolean primary key default true check (singleton),
  seq bigint not null,
  hash bytea not null check (length(hash) = 32)
);
comment on table audit_head is 'one row: the last entry of the audit log, so that an end that was cut off is missed';
insert into audit_head (seq, hash) values (0, decode(repeat('00', 32), 'hex'));

-- A value behind its length in bytes of UTF-8: what is put together so can be taken apart in one way only.
create function audit_framed(_value text) returns text language sql stable as $$
  select coalesce(length(convert_to(_value, 'UTF8')) || ':' || _value, '-')
$$;

create function audit_framed_list(_values text[]) returns text language sql stable as $$
  select audit_framed(cardinality(_values)::text) || coalesce(string_agg(audit_framed(v.value), '' order by v.n), '')
  from unnest(_values) with ordinality v (value, n)
$$;

create function audit_hash(_previous bytea, _row audit_log) returns bytea language sql stable as $$
  select sha256(_previous || convert_to(
    audit_framed(_row.seq::text) || audit_framed(_row.id::text) ||
    audit_framed(to_char(_row.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ||
    audit_framed(_row.actor_id) || audit_framed(_row.actor_name) || audit_framed(_row.actor_role) ||
    audit_framed(_row.request_id) || audit_framed(_row.from_address) ||
    audit_framed(_row.action) || audit_framed(_row.object_type) || audit_framed(_row.object_id) ||
    audit_framed(_row.organization_id) || audit_framed_list(_row.scopes) || audit_framed_list(_row.scopes_above) ||
    audit_framed(_row.before::text) || audit_framed(_row.after::text), 'UTF8'))
$$;

-- The one way into the log. `_entries`: a list of objects with the columns' names; before and after as texts.
create function append_audit(_entries json) returns table (seq bigint, hash bytea) language plpgsql security definer as $$
#variable_conflict use_column
declare
  _head audit_head;
  _row audit_log;
  _entry json;
begin
  select h.* into strict _head from audit_head h for update;
  for _entry in select e.entry from json_array_elements(_entries) with ordinality e (entry, n) order by e.n loop
    _row := row(_head.seq + 1, _entry ->> 'id', date_trunc('milliseconds', clock_timestamp()), _entry ->> 'actor_id',
      _entry ->> 'actor_name', _entry ->> 'actor_role', _entry ->> 'request_id', _entry ->> 'from_address',
      _entry ->> 'action', _entry ->> 'object_type', _entry ->> 'object_id', _entry ->> 'organization_id',
      array(select s.scope from json_array_elements_text(_entry -> 'scopes') with ordinality s (scope, n) order by s.n),
      array(select s.scope from json_array_elements_text(_entry -> 'scopes_above') with ordinality s (scope, n) order by s.n),
      _entry ->> 'before', _entry ->> 'after', null);
    _row.hash := audit_hash(_head.hash, _row);
    insert into audit_log select _row.*;
    _head.seq := _row.seq;
    _head.hash := _row.hash;
    seq := _row.seq;
    hash := _row.hash;
    return next;
  end loop;
  update audit_head h set seq = _head.seq, hash = _head.hash;
end $$;

create function refuse_change_of_audit() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is only ever added to: % of % is refused', lower(tg_op), tg_table_name using errcode = 'RC003';
end $$;
create trigger append_only before update or delete or truncate on audit_log
  for each statement execute function refuse_change_of_audit();
create trigger append_only before delete or truncate on audit_head
  for each statement execute function refuse_change_of_audit();
create trigger only_forward before update on audit_head
  for each row when (new.seq < old.seq) execute function refuse_change_of_audit();
-- replicas and restores are no exception
alter table audit_log enable always trigger append_only;
alter table audit_head enable always trigger append_only, enable always trigger only_forward;

-- Called by whoever may call the gateway's role, with the rights of the owner: nobody's own tables come first.
do $$
begin
  execute format('alter function append_audit(json) set search_path = %I, pg_temp', current_schema());
end $$;
revoke execute on function append_audit(json) from public;
