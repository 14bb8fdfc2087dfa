-- Migrations only add, so that gateways of the version before run on while others are started anew, and may be started
-- again. One that takes something away, or means it differently, says so in the same file: `update deployment set
-- programs_from = ...`, the first version whose programs know of it.
alter table deployment add column programs_from integer not null default 30;
comment on column deployment.programs_from is 'programs that know this version of the schema, or a later one, may run on it';

-- it may have to wait behind a long transaction, and then everything waits behind it
alter function ensure_partitions set lock_timeout = '500ms';
