-- Files at a provider that batches are made of or have made: many organizations may share the credential that they are kept by,
-- so whose each is is kept here.
create table provider_files (
  provider text not null,
  file_id text not null check (length(file_id) between 1 and 512),
  organization_id text not null,
  created_at timestamptz(3) not null default clock_timestamp(),
  primary key (provider, file_id)
);
comment on table provider_files is 'whose a file at a provider is, by the gateway key that brought it or the batch that made it';
