-- What the admin API needs: answers that can be given again, keys that expire and rotate, the part of spending that
-- budgets below share, and the rules of definitions as constraints.
-- An idempotency key's row is locked before everything else; then the lock order of the ledger.

create table idempotency_keys (
  actor_id text not null,
  key_hash bytea not null check (length(key_hash) = 32),
  route text not null,
  body_hash bytea not null check (length(body_hash) = 32),
  answer bytea,
  created_at timestamptz(3) not null default clock_timestamp(),
  primary key (actor_id, key_hash)
);
comment on table idempotency_keys is 'one row per change that was asked for with an Idempotency-Key, in the change''s own transaction';
comment on column idempotency_keys.answer is 'encrypted under a key derived from the idempotency key, of which only the hash is kept';
create index idempotency_keys_age on idempotency_keys (created_at);

alter table budget_definitions
  add check (length(name) between 1 and 256),
  add check (length(description) <= 4096),
  add check (length(scope_id) between 1 and 256),
  add check (length(organization_id) between 1 and 256),
  add check (length(created_by) <= 256),
  add check (length(timezone) between 1 and 64),
  add check (amount_nano <= 9000000000000000000),
  add check (scope_type <> 'organization' or organization_id = scope_id),
  add check (period <> 'custom' or end_date is not null or not recurring),
  add check (parent_budget_id <> id),
  add check (jsonb_typeof(filters) = 'object'),
  add check (jsonb_typeof(tags) = 'object'),
  add check (jsonb_typeof(alerts) = 'array');
create index budget_definitions_age on budget_definitions (created_at, id);
create index budget_definitions_organization on budget_definitions (organization_id, scope_type, scope_id);

alter table budget_status_cache
  add column below_nano bigint not null default 0;
comment on column budget_status_cache.below_nano is
  'the part of settled_nano whose events charged a budget below too, by the hierarchy as it stood when they were recorded';

-- Of the charges just recorded, what an event charges a budget and one below it alike. Where no two budgets of a batch
-- stand in one line nothing is looked at any further.
create function keep_spending_below() returns trigger language plpgsql as $$
declare
  _above bigint[];
  _below bigint[];
begin
  with recursive touched as materialized (
    select a.id, a.budget_id from budget_accounts a
    where a.id in (select distinct n.account_id from new_records n)
  ),
  line as (
    select b.id as budget_id, b.parent_budget_id as above from budget_definitions b
    where b.id in (select budget_id from touched) and b.parent_budget_id is not null
    union
    select l.budget_id, p.parent_budget_id from line l join budget_definitions p on p.id = l.above
    where p.parent_budget_id is not null
  )
  select array_agg(u.id), array_agg(d.id) into _above, _below
  from line join touched u on u.budget_id = line.above join touched d on d.budget_id = line.budget_id;
  if _above is null then
    return null;
  end if;
  update budget_status_cache c set below_nano = c.below_nano + s.amount_nano
  from (
    select n.account_id, sum(n.amount_nano) as amount_nano
    from new_records n
    where (n.day, n.event_id, n.account_id) in (
      select m.day, m.event_id, p.above
      from unnest(_above, _below) p (above, below) join new_records m on m.account_id = p.below)
    group by n.account_id
  ) s
  where c.account_id = s.account_id;
  return null;
end $$;
-- after keep_budget_status_cache, by its name: the rows are there
create trigger keep_spending_below after insert on budget_usage_records
  referencing new table as new_records for each statement execute function keep_spending_below();

alter table api_keys
  add column expires_at timestamptz(3),
  add column disabled_at timestamptz(3),
  add column allowed_providers text[],
  add column allowed_models text[],
  add column updated_at timestamptz(3) not null default clock_timestamp(),
  add column version bigint not null default 0,
  add check (length(name) between 1 and 256),
  add check (allow_headers <@ array['user', 'team', 'project', 'session', 'tags']),
  add check (require_headers <@ array['user', 'team', 'project', 'session', 'tags']),
  add check (cardinality(allowed_providers) between 1 and 100),
  add check (cardinality(allowed_models) between 1 and 100);
comment on column api_keys.disabled_at is 'may be taken back, other than revoked_at';
comment on column api_keys.allowed_models is 'exact names or globs with *; null: every model';
create index api_keys_age on api_keys (created_at, id);
create index api_keys_organization on api_keys (organization_id);

create table api_key_former_secrets (
  hash bytea primary key check (length(hash) = 32),
  key_id uuid not null references api_keys,
  valid_until timestamptz(3) not null
);
comment on table api_key_former_secrets is 'what a rotation replaced, and how long it still works';
create index api_key_former_secrets_key on api_key_former_secrets (key_id);
