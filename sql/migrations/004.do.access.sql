-- Admin tokens have a name, a role and a reach, and may expire. Those made before are administrators'.

alter table admin_tokens
  add column name text not null default 'admin token' check (length(name) between 1 and 256),
  add column hint text,
  add column role text not null default 'administrator' check (role in ('administrator', 'manager', 'viewer')),
  add column organization_id text check (length(organization_id) between 1 and 256),
  add column scope_type text check (scope_type in ('team', 'project')),
  add column scope_id text check (length(scope_id) between 1 and 256),
  add column expires_at timestamptz(3),
  add column created_by text,
  add check ((role = 'administrator') = (organization_id is null)),
  add check ((scope_type is null) = (scope_id is null)),
  add check (scope_type is null or organization_id is not null);
comment on table admin_tokens is 'who may ask the admin API; the tokens themselves are kept nowhere';
comment on column admin_tokens.organization_id is 'with scope_type and scope_id the reach of a manager or viewer';
create index admin_tokens_age on admin_tokens (created_at, id);
