-- Budgets for keys, sessions, tags and end users, and for each of many: then a subject has an account of its own.

alter table budget_definitions drop constraint budget_definitions_scope_type_check;
alter table budget_definitions add constraint budget_definitions_scope_type_check
  check (scope_type in ('organization', 'team', 'user', 'project', 'key', 'session', 'tag', 'endUser'));

create function is_for_each(_scope_type text, _scope_id text) returns boolean language sql immutable as $$
  select case _scope_type when 'tag' then substr(_scope_id, strpos(_scope_id, '=') + 1) else _scope_id end = '*'
$$;
comment on function is_for_each is 'whether a budget of this scope has an account for each subject';

create index budget_definitions_for_each on budget_definitions (organization_id) where is_for_each(scope_type, scope_id);
create index budget_definitions_changing on budget_definitions (organization_id) where scope_type in ('session', 'tag', 'endUser');

-- the accounts of a period, of a budget that has many
create index budget_accounts_period on budget_accounts (budget_id, period_start);
