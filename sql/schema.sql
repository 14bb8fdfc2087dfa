-- What the migrations make, as the catalog tells it. Not to be edited: test/stores/postgres/schema.test.ts compares it
-- with a fresh database, and writes it when WRITE_SCHEMA=1. Monthly partitions are left out, and the table of versions.

create table admin_tokens (
  id uuid default gen_random_uuid() not null,
  hash bytea not null,
  created_at timestamp(3) with time zone default clock_timestamp() not null,
  revoked_at timestamp(3) with time zone,
  name text default 'admin token'::text not null,
  hint text,
  role text default 'administrator'::text not null,
  organization_id text,
  scope_type text,
  scope_id text,
  expires_at timestamp(3) with time zone,
  created_by text
);
alter table admin_tokens add constraint admin_tokens_check CHECK (((role = 'administrator'::text) = (organization_id IS NULL)));
alter table admin_tokens add constraint admin_tokens_check1 CHECK (((scope_type IS NULL) = (scope_id IS NULL)));
alter table admin_tokens add constraint admin_tokens_check2 CHECK (((scope_type IS NULL) OR (organization_id IS NOT NULL)));
alter table admin_tokens add constraint admin_tokens_hash_check CHECK ((length(hash) = 32));
alter table admin_tokens add constraint admin_tokens_hash_key UNIQUE (hash);
alter table admin_tokens add constraint admin_tokens_name_check CHECK (((length(name) >= 1) AND (length(name) <= 256)));
alter table admin_tokens add constraint admin_tokens_organization_id_check CHECK (((length(organization_id) >= 1) AND (length(organization_id) <= 256)));
alter table admin_tokens add constraint admin_tokens_pkey PRIMARY KEY (id);
alter table admin_tokens add constraint admin_tokens_role_check CHECK ((role = ANY (ARRAY['administrator'::text, 'manager'::text, 'viewer'::text])));
alter table admin_tokens add constraint admin_tokens_scope_id_check CHECK (((length(scope_id) >= 1) AND (length(scope_id) <= 256)));
alter table admin_tokens add constraint admin_tokens_scope_type_check CHECK ((scope_type = ANY (ARRAY['team'::text, 'project'::text])));
CREATE INDEX admin_tokens_age ON public.admin_tokens USING btree (created_at, id);
comment on table admin_tokens is 'who may ask the admin API; the tokens themselves are kept nowhere';
comment on column admin_tokens.organization_id is 'with scope_type and scope_id the reach of a manager or viewer';

create table api_key_former_secrets (
  hash bytea not null,
  key_id uuid not null,
  valid_until timestamp(3) with time zone not null
);
alter table api_key_former_secrets add constraint api_key_former_secrets_hash_check CHECK ((length(hash) = 32));
alter table api_key_former_secrets add constraint api_key_former_secrets_key_id_fkey FOREIGN KEY (key_id) REFERENCES api_keys(id);
alter table api_key_former_secrets add constraint api_key_former_secrets_pkey PRIMARY KEY (hash);
CREATE INDEX api_key_former_secrets_key ON public.api_key_former_secrets USING btree (key_id);
comment on table api_key_former_secrets is 'what a rotation replaced, and how long it still works';

create table api_keys (
  id uuid not null,
  hash bytea not null,
  hint text not null,
  name text not null,
  organization_id text not null,
  team_id text,
  project_id text,
  user_id text,
  allow_headers text[] default '{}'::text[] not null,
  require_headers text[] default '{}'::text[] not null,
  created_at timestamp(3) with time zone default clock_timestamp() not null,
  revoked_at timestamp(3) with time zone,
  expires_at timestamp(3) with time zone,
  disabled_at timestamp(3) with time zone,
  allowed_providers text[],
  allowed_models text[],
  updated_at timestamp(3) with time zone default clock_timestamp() not null,
  version bigint default 0 not null,
  rate_limits jsonb,
  end_user text default 'ignore'::text not null
);
alter table api_keys add constraint api_keys_allow_headers_check CHECK ((allow_headers <@ ARRAY['user'::text, 'team'::text, 'project'::text, 'session'::text, 'tags'::text]));
alter table api_keys add constraint api_keys_allowed_models_check CHECK (((cardinality(allowed_models) >= 1) AND (cardinality(allowed_models) <= 100)));
alter table api_keys add constraint api_keys_allowed_providers_check CHECK (((cardinality(allowed_providers) >= 1) AND (cardinality(allowed_providers) <= 100)));
alter table api_keys add constraint api_keys_end_user_check CHECK ((end_user = ANY (ARRAY['ignore'::text, 'allow'::text, 'require'::text])));
alter table api_keys add constraint api_keys_hash_check CHECK ((length(hash) = 32));
alter table api_keys add constraint api_keys_hash_key UNIQUE (hash);
alter table api_keys add constraint api_keys_name_check CHECK (((length(name) >= 1) AND (length(name) <= 256)));
alter table api_keys add constraint api_keys_pkey PRIMARY KEY (id);
alter table api_keys add constraint api_keys_rate_limits_check CHECK ((jsonb_typeof(rate_limits) = 'object'::text));
alter table api_keys add constraint api_keys_require_headers_check CHECK ((require_headers <@ ARRAY['user'::text, 'team'::text, 'project'::text, 'session'::text, 'tags'::text]));
CREATE INDEX api_keys_age ON public.api_keys USING btree (created_at, id);
CREATE INDEX api_keys_organization ON public.api_keys USING btree (organization_id);
comment on column api_keys.hash is 'SHA-256 of the key; the key itself is kept nowhere';
comment on column api_keys.disabled_at is 'may be taken back, other than revoked_at';
comment on column api_keys.allowed_models is 'exact names or globs with *; null: every model';
comment on column api_keys.rate_limits is 'requestsPerMinute, tokensPerMinute, concurrentCalls; null: none';
comment on column api_keys.end_user is 'whether the end user that a body names counts';

create table approval_requests (
  id uuid not null,
  budget_id uuid not null,
  amount_nano bigint,
  reason text not null,
  requested_by text not null,
  key_id text,
  user_id text,
  created_at timestamp(3) with time zone not null,
  state text default 'open'::text not null,
  decided_at timestamp(3) with time zone,
  decided_by text,
  decision_reason text,
  adjustment_id uuid,
  subject text default ''::text not null
);
alter table approval_requests add constraint approval_requests_adjustment_id_fkey FOREIGN KEY (adjustment_id) REFERENCES budget_adjustments(id);
alter table approval_requests add constraint approval_requests_amount_nano_check CHECK (((amount_nano > 0) AND (amount_nano <= '9000000000000000000'::bigint)));
alter table approval_requests add constraint approval_requests_budget_id_fkey FOREIGN KEY (budget_id) REFERENCES budget_definitions(id);
alter table approval_requests add constraint approval_requests_check CHECK ((((state = 'open'::text) = (decided_at IS NULL)) AND ((state = 'open'::text) = (decided_by IS NULL))));
alter table approval_requests add constraint approval_requests_check1 CHECK (((state = 'approved'::text) = (adjustment_id IS NOT NULL)));
alter table approval_requests add constraint approval_requests_decided_by_check CHECK (((length(decided_by) >= 1) AND (length(decided_by) <= 256)));
alter table approval_requests add constraint approval_requests_decision_reason_check CHECK (((length(decision_reason) >= 1) AND (length(decision_reason) <= 1024)));
alter table approval_requests add constraint approval_requests_pkey PRIMARY KEY (id);
alter table approval_requests add constraint approval_requests_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 1024)));
alter table approval_requests add constraint approval_requests_requested_by_check CHECK (((length(requested_by) >= 1) AND (length(requested_by) <= 256)));
alter table approval_requests add constraint approval_requests_state_check CHECK ((state = ANY (ARRAY['open'::text, 'approved'::text, 'denied'::text])));
alter table approval_requests add constraint approval_requests_subject_check CHECK ((length(subject) <= 256));
CREATE INDEX approval_requests_age ON public.approval_requests USING btree (created_at, id);
CREATE INDEX approval_requests_budget ON public.approval_requests USING btree (budget_id, created_at, id);
CREATE UNIQUE INDEX approval_requests_open ON public.approval_requests USING btree (budget_id, key_id, subject) WHERE (state = 'open'::text);
comment on table approval_requests is 'who asked for more where require-approval refuses, and what was decided';
comment on column approval_requests.amount_nano is 'null: whatever is approved';
comment on column approval_requests.key_id is 'of the gateway key that asked; null: an administrator did';
comment on column approval_requests.subject is 'for whom, of a budget for each of many; empty: for all of them';

create table audit_head (
  singleton boolean default true not null,
  seq bigint not null,
  hash bytea not null
);
alter table audit_head add constraint audit_head_hash_check CHECK ((length(hash) = 32));
alter table audit_head add constraint audit_head_pkey PRIMARY KEY (singleton);
alter table audit_head add constraint audit_head_singleton_check CHECK (singleton);
comment on table audit_head is 'one row: the last entry of the audit log, so that an end that was cut off is missed';

create table audit_log (
  seq bigint not null,
  id uuid not null,
  at timestamp(3) with time zone not null,
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
  hash bytea not null
);
alter table audit_log add constraint audit_log_hash_check CHECK ((length(hash) = 32));
alter table audit_log add constraint audit_log_id_key UNIQUE (id);
alter table audit_log add constraint audit_log_pkey PRIMARY KEY (seq);
CREATE INDEX audit_log_action ON public.audit_log USING btree (action, seq);
CREATE INDEX audit_log_actor ON public.audit_log USING btree (actor_id, seq);
CREATE INDEX audit_log_at ON public.audit_log USING btree (at, seq);
CREATE INDEX audit_log_object ON public.audit_log USING btree (object_type, object_id, seq);
CREATE INDEX audit_log_organization ON public.audit_log USING btree (organization_id, seq);
CREATE INDEX audit_log_scopes ON public.audit_log USING gin (scopes);
comment on table audit_log is 'one row per change, numbered without a gap; no row is ever changed or removed';
comment on column audit_log.organization_id is 'whose object it is; null: of none, or of different ones before and after';
comment on column audit_log.scopes is 'type:id of the object''s scope and of those above it, as they were, before and after alike';
comment on column audit_log.scopes_above is 'of those above it alone: to whom it may be told what it stands below';
comment on column audit_log.before is 'as the API shows the object, in the very text that was hashed; null: there was none';
comment on column audit_log.hash is 'audit_hash() of the row and of the hash before it; of the first, of 32 zero bytes';

create table auditor (
  singleton boolean default true not null,
  looked_at timestamp(3) with time zone default '-infinity'::timestamp with time zone not null,
  in_use_after bigint default 0 not null,
  turn_after bigint default 0 not null,
  turn_began_at timestamp(3) with time zone default clock_timestamp() not null,
  turn_ended_at timestamp(3) with time zone
);
alter table auditor add constraint auditor_pkey PRIMARY KEY (singleton);
alter table auditor add constraint auditor_singleton_check CHECK (singleton);
comment on table auditor is 'one row: how far the auditor has come, whichever gateway looks next';
comment on column auditor.in_use_after is 'of the accounts that are leased, it has looked at those up to this one';
comment on column auditor.turn_after is 'of all accounts, it has read the records of those up to this one';
comment on column auditor.turn_ended_at is 'when all accounts had been read once more; null: not yet';

create table budget_accounts (
  id bigint generated always as identity not null,
  budget_id uuid not null,
  subject text default ''::text not null,
  period_start timestamp(3) with time zone not null,
  period_end timestamp(3) with time zone,
  currency text not null,
  limit_nano bigint,
  settled_nano bigint default 0 not null,
  leased_nano bigint default 0 not null,
  long_held_nano bigint default 0 not null,
  total_nano bigint default 0 not null,
  carried_nano bigint default 0 not null,
  limit_until timestamp(3) with time zone,
  carried_from bigint,
  carried_on boolean default false not null,
  carry_open boolean default false not null
) with (fillfactor=50);
alter table budget_accounts add constraint budget_accounts_budget_id_fkey FOREIGN KEY (budget_id) REFERENCES budget_definitions(id);
alter table budget_accounts add constraint budget_accounts_budget_id_subject_period_start_key UNIQUE (budget_id, subject, period_start);
alter table budget_accounts add constraint budget_accounts_carried_from_fkey FOREIGN KEY (carried_from) REFERENCES budget_accounts(id);
alter table budget_accounts add constraint budget_accounts_check CHECK ((period_end > period_start));
alter table budget_accounts add constraint budget_accounts_check1 CHECK (((long_held_nano >= 0) AND (long_held_nano <= leased_nano)));
alter table budget_accounts add constraint budget_accounts_leased_nano_check CHECK ((leased_nano >= 0));
alter table budget_accounts add constraint budget_accounts_pkey PRIMARY KEY (id);
CREATE INDEX budget_accounts_carried_from ON public.budget_accounts USING btree (carried_from) WHERE (carried_from IS NOT NULL);
CREATE INDEX budget_accounts_carry_open ON public.budget_accounts USING btree (id) WHERE carry_open;
CREATE INDEX budget_accounts_limit_until ON public.budget_accounts USING btree (limit_until) WHERE (limit_until IS NOT NULL);
CREATE INDEX budget_accounts_period ON public.budget_accounts USING btree (budget_id, period_start);
comment on table budget_accounts is 'one budget in one period; the start is part of the key, so a reset is a new row';
comment on column budget_accounts.limit_nano is 'null: the budget is soft, nothing is refused for it';
comment on column budget_accounts.leased_nano is 'always the sum over its leases of granted - returned - posted, and long_held_nano';
comment on column budget_accounts.long_held_nano is 'always the sum of what long holds hold of it';
comment on column budget_accounts.total_nano is 'the amount of the budget with its adjustments: 100 % of its thresholds';
comment on column budget_accounts.carried_nano is 'part of total_nano: from the period before';
comment on column budget_accounts.limit_until is 'when total_nano and limit_nano change by time alone; null: they do not';
comment on column budget_accounts.carried_from is 'the account that carried_nano comes from';
comment on column budget_accounts.carried_on is 'the account after this one has what was left of it';
comment on column budget_accounts.carry_open is 'that is to be worked out again: something is leased here still, or was charged since';

create table budget_adjustments (
  id uuid not null,
  budget_id uuid not null,
  kind text not null,
  amount_nano bigint,
  effective_from timestamp(3) with time zone not null,
  effective_until timestamp(3) with time zone,
  reason text not null,
  counterpart_id uuid,
  created_at timestamp(3) with time zone not null,
  created_by text not null,
  revoked_at timestamp(3) with time zone,
  revoked_by text,
  subject text default ''::text not null
);
alter table budget_adjustments add constraint budget_adjustments_amount_nano_check CHECK (((amount_nano <> 0) AND (abs(amount_nano) <= '9000000000000000000'::bigint)));
alter table budget_adjustments add constraint budget_adjustments_budget_id_fkey FOREIGN KEY (budget_id) REFERENCES budget_definitions(id);
alter table budget_adjustments add constraint budget_adjustments_check CHECK ((effective_until > effective_from));
alter table budget_adjustments add constraint budget_adjustments_check1 CHECK (((amount_nano > 0) OR (kind = 'transfer'::text) OR ((kind = 'approval'::text) AND (amount_nano IS NULL))));
alter table budget_adjustments add constraint budget_adjustments_check2 CHECK (((kind = 'transfer'::text) = (counterpart_id IS NOT NULL)));
alter table budget_adjustments add constraint budget_adjustments_check3 CHECK (((revoked_at IS NULL) = (revoked_by IS NULL)));
alter table budget_adjustments add constraint budget_adjustments_counterpart_id_fkey FOREIGN KEY (counterpart_id) REFERENCES budget_adjustments(id) DEFERRABLE INITIALLY DEFERRED;
alter table budget_adjustments add constraint budget_adjustments_created_by_check CHECK (((length(created_by) >= 1) AND (length(created_by) <= 256)));
alter table budget_adjustments add constraint budget_adjustments_kind_check CHECK ((kind = ANY (ARRAY['increase'::text, 'top-up'::text, 'transfer'::text, 'approval'::text])));
alter table budget_adjustments add constraint budget_adjustments_pkey PRIMARY KEY (id);
alter table budget_adjustments add constraint budget_adjustments_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 1024)));
alter table budget_adjustments add constraint budget_adjustments_revoked_by_check CHECK (((length(revoked_by) >= 1) AND (length(revoked_by) <= 256)));
alter table budget_adjustments add constraint budget_adjustments_subject_check CHECK ((length(subject) <= 256));
CREATE INDEX budget_adjustments_budget ON public.budget_adjustments USING btree (budget_id, created_at, id);
comment on table budget_adjustments is 'what is added to the amount of a budget for a time, or taken from it';
comment on column budget_adjustments.amount_nano is 'null: an approval of whatever block-all leaves';
comment on column budget_adjustments.effective_until is 'null: for good';
comment on column budget_adjustments.counterpart_id is 'of a transfer: the other side of it';
comment on column budget_adjustments.subject is 'empty: for every subject of the budget';

create table budget_alert_history (
  id bigint generated always as identity not null,
  budget_id uuid not null,
  account_id bigint not null,
  threshold numeric,
  actions text[] not null,
  settled_nano bigint not null,
  triggered_at timestamp(3) with time zone default clock_timestamp() not null,
  acknowledged_at timestamp(3) with time zone,
  acknowledged_by text,
  amount_nano bigint
);
alter table budget_alert_history add constraint budget_alert_history_account_id_fkey FOREIGN KEY (account_id) REFERENCES budget_accounts(id);
alter table budget_alert_history add constraint budget_alert_history_budget_id_fkey FOREIGN KEY (budget_id) REFERENCES budget_definitions(id);
alter table budget_alert_history add constraint budget_alert_history_check CHECK (((threshold IS NULL) <> (amount_nano IS NULL)));
alter table budget_alert_history add constraint budget_alert_history_pkey PRIMARY KEY (id);
CREATE INDEX budget_alert_history_budget ON public.budget_alert_history USING btree (budget_id);
CREATE UNIQUE INDEX budget_alert_history_crossing ON public.budget_alert_history USING btree (account_id, COALESCE(threshold, ('-1'::integer)::numeric), COALESCE(amount_nano, ('-1'::integer)::bigint));
comment on column budget_alert_history.amount_nano is 'the threshold, where it is an amount';

create table budget_definitions (
  id uuid not null,
  organization_id text,
  name text not null,
  description text,
  scope_type text not null,
  scope_id text not null,
  amount_nano bigint not null,
  enforced_limit_nano bigint not null,
  currency text not null,
  period text not null,
  timezone text not null,
  start_date timestamp(3) with time zone not null,
  end_date timestamp(3) with time zone,
  recurring boolean not null,
  mode text not null,
  paused boolean default false not null,
  filters jsonb default '{}'::jsonb not null,
  alerts jsonb default '[]'::jsonb not null,
  tags jsonb default '{}'::jsonb not null,
  parent_budget_id uuid,
  created_at timestamp(3) with time zone not null,
  updated_at timestamp(3) with time zone not null,
  created_by text,
  archived_at timestamp(3) with time zone,
  version bigint not null,
  cap_to_fit jsonb,
  fail_open_nano bigint,
  carry_over jsonb,
  rate_limits jsonb,
  overrides jsonb default '{}'::jsonb not null
);
alter table budget_definitions add constraint budget_definitions_alerts_check CHECK ((jsonb_typeof(alerts) = 'array'::text));
alter table budget_definitions add constraint budget_definitions_amount_nano_check CHECK ((amount_nano > 0));
alter table budget_definitions add constraint budget_definitions_amount_nano_check1 CHECK ((amount_nano <= '9000000000000000000'::bigint));
alter table budget_definitions add constraint budget_definitions_check CHECK (((enforced_limit_nano >= 0) AND (enforced_limit_nano <= amount_nano)));
alter table budget_definitions add constraint budget_definitions_check1 CHECK ((end_date > start_date));
alter table budget_definitions add constraint budget_definitions_check2 CHECK (((scope_type <> 'organization'::text) OR (organization_id = scope_id)));
alter table budget_definitions add constraint budget_definitions_check3 CHECK (((period <> 'custom'::text) OR (end_date IS NOT NULL) OR (NOT recurring)));
alter table budget_definitions add constraint budget_definitions_check4 CHECK ((parent_budget_id <> id));
alter table budget_definitions add constraint budget_definitions_check5 CHECK ((timezone(timezone, created_at) IS NOT NULL));
alter table budget_definitions add constraint budget_definitions_created_by_check CHECK ((length(created_by) <= 256));
alter table budget_definitions add constraint budget_definitions_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text));
alter table budget_definitions add constraint budget_definitions_description_check CHECK ((length(description) <= 4096));
alter table budget_definitions add constraint budget_definitions_fail_open_nano_check CHECK ((fail_open_nano > 0));
alter table budget_definitions add constraint budget_definitions_filters_check CHECK ((jsonb_typeof(filters) = 'object'::text));
alter table budget_definitions add constraint budget_definitions_mode_check CHECK ((mode = ANY (ARRAY['enforced'::text, 'soft'::text, 'shadow'::text])));
alter table budget_definitions add constraint budget_definitions_name_check CHECK (((length(name) >= 1) AND (length(name) <= 256)));
alter table budget_definitions add constraint budget_definitions_organization_id_check CHECK (((length(organization_id) >= 1) AND (length(organization_id) <= 256)));
alter table budget_definitions add constraint budget_definitions_overrides_check CHECK ((jsonb_typeof(overrides) = 'object'::text));
alter table budget_definitions add constraint budget_definitions_parent_budget_id_fkey FOREIGN KEY (parent_budget_id) REFERENCES budget_definitions(id);
alter table budget_definitions add constraint budget_definitions_period_check CHECK ((period = ANY (ARRAY['daily'::text, 'weekly'::text, 'monthly'::text, 'quarterly'::text, 'annual'::text, 'custom'::text])));
alter table budget_definitions add constraint budget_definitions_pkey PRIMARY KEY (id);
alter table budget_definitions add constraint budget_definitions_rate_limits_check CHECK ((jsonb_typeof(rate_limits) = 'object'::text));
alter table budget_definitions add constraint budget_definitions_scope_id_check CHECK (((length(scope_id) >= 1) AND (length(scope_id) <= 256)));
alter table budget_definitions add constraint budget_definitions_scope_type_check CHECK ((scope_type = ANY (ARRAY['organization'::text, 'team'::text, 'user'::text, 'project'::text, 'key'::text, 'session'::text, 'tag'::text, 'endUser'::text])));
alter table budget_definitions add constraint budget_definitions_tags_check CHECK ((jsonb_typeof(tags) = 'object'::text));
alter table budget_definitions add constraint budget_definitions_timezone_check CHECK (((length(timezone) >= 1) AND (length(timezone) <= 64)));
CREATE INDEX budget_definitions_age ON public.budget_definitions USING btree (created_at, id);
CREATE INDEX budget_definitions_changing ON public.budget_definitions USING btree (organization_id) WHERE (scope_type = ANY (ARRAY['session'::text, 'tag'::text, 'endUser'::text]));
CREATE INDEX budget_definitions_for_each ON public.budget_definitions USING btree (organization_id) WHERE is_for_each(scope_type, scope_id);
CREATE INDEX budget_definitions_organization ON public.budget_definitions USING btree (organization_id, scope_type, scope_id);
CREATE INDEX budget_definitions_parent ON public.budget_definitions USING btree (parent_budget_id);
CREATE INDEX budget_definitions_scope ON public.budget_definitions USING btree (scope_type, scope_id);
comment on column budget_definitions.cap_to_fit is 'minimumTokens and reasoning; null: output limits stay as they are asked for';
comment on column budget_definitions.fail_open_nano is 'what each gateway may let through while PostgreSQL does not answer; null: nothing';
comment on column budget_definitions.carry_over is 'percent, max (of what is unused, a decimal string) and debt; null: every period begins anew';
comment on column budget_definitions.rate_limits is 'requestsPerMinute, tokensPerMinute, concurrentCalls, for each of its subjects; null: none';
comment on column budget_definitions.overrides is 'by subject: another amount than that of all others, a decimal string';

create table budget_status_cache (
  account_id bigint not null,
  budget_id uuid not null,
  settled_nano bigint not null,
  charges bigint not null,
  last_updated timestamp(3) with time zone not null,
  below_nano bigint default 0 not null
) with (fillfactor=50);
alter table budget_status_cache add constraint budget_status_cache_account_id_fkey FOREIGN KEY (account_id) REFERENCES budget_accounts(id);
alter table budget_status_cache add constraint budget_status_cache_budget_id_fkey FOREIGN KEY (budget_id) REFERENCES budget_definitions(id);
alter table budget_status_cache add constraint budget_status_cache_pkey PRIMARY KEY (account_id);
CREATE INDEX budget_status_cache_budget ON public.budget_status_cache USING btree (budget_id);
comment on column budget_status_cache.below_nano is 'the part of settled_nano whose events charged a budget below too, by the hierarchy as it stood when they were recorded';

create table budget_usage_records (
  day date not null,
  event_id uuid not null,
  account_id bigint not null,
  amount_nano bigint not null,
  covered_nano bigint not null,
  quote_nano bigint not null,
  rate text
) partition by RANGE (day);
alter table budget_usage_records add constraint budget_usage_records_pkey PRIMARY KEY (day, event_id, account_id);
CREATE INDEX budget_usage_records_account ON ONLY public.budget_usage_records USING btree (account_id, event_id DESC);
comment on table budget_usage_records is 'what one event costs one account; covered: the part that the gateway''s lease paid';
comment on column budget_usage_records.account_id is 'a row of budget_accounts, which keep_budget_status_cache() sees to';

create table budget_usage_records_default partition of budget_usage_records DEFAULT (
  day date not null,
  event_id uuid not null,
  account_id bigint not null,
  amount_nano bigint not null,
  covered_nano bigint not null,
  quote_nano bigint not null,
  rate text
);
alter table budget_usage_records_default add constraint budget_usage_records_default_pkey PRIMARY KEY (day, event_id, account_id);
CREATE INDEX budget_usage_records_default_account_id_event_id_idx ON public.budget_usage_records_default USING btree (account_id, event_id DESC);

create table config_versions (
  kind text not null,
  version bigint default 0 not null
);
alter table config_versions add constraint config_versions_kind_check CHECK ((kind = ANY (ARRAY['budgets'::text, 'keys'::text])));
alter table config_versions add constraint config_versions_pkey PRIMARY KEY (kind);

create table deployment (
  singleton boolean default true not null,
  id uuid default gen_random_uuid() not null,
  created_at timestamp(3) with time zone default clock_timestamp() not null,
  programs_from integer default 30 not null
);
alter table deployment add constraint deployment_pkey PRIMARY KEY (singleton);
alter table deployment add constraint deployment_singleton_check CHECK (singleton);
comment on table deployment is 'one row: names this ledger, e.g. in the keys of the shared hot status';
comment on column deployment.programs_from is 'programs that know this version of the schema, or a later one, may run on it';

create table detached_months (
  month date not null,
  detached_at timestamp(3) with time zone default clock_timestamp() not null
);
alter table detached_months add constraint detached_months_month_check CHECK ((month = date_trunc('month'::text, (month)::timestamp with time zone)));
alter table detached_months add constraint detached_months_pkey PRIMARY KEY (month);

create table detached_usage (
  account_id bigint not null,
  month date not null,
  settled_nano bigint not null,
  charges bigint not null
);
alter table detached_usage add constraint detached_usage_account_id_fkey FOREIGN KEY (account_id) REFERENCES budget_accounts(id);
alter table detached_usage add constraint detached_usage_month_fkey FOREIGN KEY (month) REFERENCES detached_months(month) ON DELETE CASCADE;
alter table detached_usage add constraint detached_usage_pkey PRIMARY KEY (account_id, month);
comment on table detached_usage is 'what the records of a detached month charged each account';

create table drifts (
  id bigint generated always as identity not null,
  kind text not null,
  account_id bigint not null,
  object text default ''::text not null,
  kept text not null,
  due text not null,
  found_at timestamp(3) with time zone default clock_timestamp() not null,
  seen_at timestamp(3) with time zone default clock_timestamp() not null,
  gone_at timestamp(3) with time zone
);
alter table drifts add constraint drifts_account_id_fkey FOREIGN KEY (account_id) REFERENCES budget_accounts(id);
alter table drifts add constraint drifts_kind_check CHECK ((kind = ANY (ARRAY['settled'::text, 'leased'::text, 'long_held'::text, 'negative'::text, 'posted'::text, 'status_cache'::text, 'usage_by_hour'::text, 'usage_by_day'::text, 'event'::text, 'charge'::text])));
alter table drifts add constraint drifts_pkey PRIMARY KEY (id);
CREATE INDEX drifts_of_account ON public.drifts USING btree (account_id) WHERE (gone_at IS NULL);
CREATE UNIQUE INDEX drifts_open ON public.drifts USING btree (kind, account_id, object) WHERE (gone_at IS NULL);
comment on table drifts is 'figures that were not what they are kept of, as the auditor found them';
comment on column drifts.object is 'the gateway of a lease, the event of a charge; else empty';
comment on column drifts.kept is 'in nano-units, or in words';
comment on column drifts.due is 'what it is kept of says this';
comment on column drifts.gone_at is 'it was put right; null: not yet';

create table exchange_rates (
  currency text not null,
  effective_at timestamp(3) with time zone not null,
  rate numeric not null
);
alter table exchange_rates add constraint exchange_rates_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text));
alter table exchange_rates add constraint exchange_rates_pkey PRIMARY KEY (currency, effective_at);
alter table exchange_rates add constraint exchange_rates_rate_check CHECK ((rate > (0)::numeric));
comment on column exchange_rates.rate is 'units of the currency per USD';

create table gateways (
  incarnation bigint generated always as identity not null,
  journal_id text not null,
  host text not null,
  state text default 'live'::text not null,
  started_at timestamp(3) with time zone default clock_timestamp() not null,
  heartbeat_at timestamp(3) with time zone default clock_timestamp() not null
);
alter table gateways add constraint gateways_pkey PRIMARY KEY (incarnation);
alter table gateways add constraint gateways_state_check CHECK ((state = ANY (ARRAY['live'::text, 'recovering'::text, 'closed'::text, 'written off'::text])));
CREATE INDEX gateways_unclosed ON public.gateways USING btree (journal_id) WHERE (state = ANY (ARRAY['live'::text, 'recovering'::text]));
comment on table gateways is 'one row per process life';

create table idempotency_keys (
  actor_id text not null,
  key_hash bytea not null,
  route text not null,
  body_hash bytea not null,
  answer bytea,
  created_at timestamp(3) with time zone default clock_timestamp() not null
);
alter table idempotency_keys add constraint idempotency_keys_body_hash_check CHECK ((length(body_hash) = 32));
alter table idempotency_keys add constraint idempotency_keys_key_hash_check CHECK ((length(key_hash) = 32));
alter table idempotency_keys add constraint idempotency_keys_pkey PRIMARY KEY (actor_id, key_hash);
CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);
comment on table idempotency_keys is 'one row per change that was asked for with an Idempotency-Key, in the change''s own transaction';
comment on column idempotency_keys.answer is 'encrypted under a key derived from the idempotency key, of which only the hash is kept';

create table leases (
  account_id bigint not null,
  incarnation bigint not null,
  granted_nano bigint default 0 not null,
  returned_nano bigint default 0 not null,
  posted_nano bigint default 0 not null,
  state text default 'open'::text not null,
  written_off_nano bigint default 0 not null
) with (fillfactor=50);
alter table leases add constraint leases_account_id_fkey FOREIGN KEY (account_id) REFERENCES budget_accounts(id);
alter table leases add constraint leases_check CHECK (((returned_nano >= 0) AND (posted_nano >= 0) AND ((returned_nano + posted_nano) <= granted_nano)));
alter table leases add constraint leases_incarnation_fkey FOREIGN KEY (incarnation) REFERENCES gateways(incarnation);
alter table leases add constraint leases_pkey PRIMARY KEY (account_id, incarnation);
alter table leases add constraint leases_state_check CHECK ((state = ANY (ARRAY['open'::text, 'kept'::text, 'closed'::text])));
alter table leases add constraint leases_written_off_nano_check CHECK ((written_off_nano >= 0));
CREATE INDEX leases_left ON public.leases USING btree (account_id) WHERE (state <> 'closed'::text);
CREATE INDEX leases_open ON public.leases USING btree (incarnation) WHERE (state = 'open'::text);
comment on table leases is 'cumulative figures that only grow: what one process life took of one account, gave back, and spent';
comment on column leases.state is 'kept: closed, but for what events that were set aside will be posted with; closed: nothing is left';
comment on column leases.written_off_nano is 'counted as spent by a write-off, and not yet replaced by what was really spent';

create table long_hold_accounts (
  hold_id uuid not null,
  account_id bigint not null,
  quote_nano bigint not null,
  held_nano bigint not null,
  charged_nano bigint default 0 not null,
  rate text
) with (fillfactor=80);
alter table long_hold_accounts add constraint long_hold_accounts_account_id_fkey FOREIGN KEY (account_id) REFERENCES budget_accounts(id);
alter table long_hold_accounts add constraint long_hold_accounts_check CHECK (((held_nano >= 0) AND (held_nano <= quote_nano)));
alter table long_hold_accounts add constraint long_hold_accounts_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES long_holds(id);
alter table long_hold_accounts add constraint long_hold_accounts_pkey PRIMARY KEY (hold_id, account_id);
alter table long_hold_accounts add constraint long_hold_accounts_quote_nano_check CHECK ((quote_nano >= 0));
CREATE INDEX long_hold_accounts_held ON public.long_hold_accounts USING btree (account_id, held_nano DESC);
comment on column long_hold_accounts.held_nano is 'of the account''s leased; nothing once the hold has ended, or where the account is not enforced';

create table long_holds (
  id uuid not null,
  state text default 'open'::text not null,
  source text default 'manual'::text not null,
  incarnation bigint,
  organization_id text,
  team_id text,
  project_id text,
  user_id text,
  key_id text,
  session_id text,
  tags jsonb,
  provider text,
  endpoint text not null,
  model text,
  external_id text,
  description text,
  metadata jsonb,
  amount_nano bigint not null,
  currency text not null,
  rate text,
  quote_nano bigint not null,
  price_version text default 'none'::text not null,
  created_by text,
  opened_at timestamp(3) with time zone not null,
  expires_at timestamp(3) with time zone not null,
  ended_at timestamp(3) with time zone,
  expired_at timestamp(3) with time zone,
  settlement jsonb,
  cost_nano bigint,
  stream boolean default false not null,
  request_id text,
  end_user_id text,
  job_id text,
  job jsonb,
  poll_at timestamp(3) with time zone,
  missed integer default 0 not null
);
alter table long_holds add constraint long_holds_amount_nano_check CHECK ((amount_nano >= 0));
alter table long_holds add constraint long_holds_check CHECK ((expires_at > opened_at));
alter table long_holds add constraint long_holds_check1 CHECK (((state = 'open'::text) = (ended_at IS NULL)));
alter table long_holds add constraint long_holds_check2 CHECK (((state = ANY (ARRAY['settled'::text, 'released'::text])) = (settlement IS NOT NULL)));
alter table long_holds add constraint long_holds_check3 CHECK (((job_id IS NULL) = (job IS NULL)));
alter table long_holds add constraint long_holds_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text));
alter table long_holds add constraint long_holds_description_check CHECK ((length(description) <= 4096));
alter table long_holds add constraint long_holds_external_id_check CHECK (((length(external_id) >= 1) AND (length(external_id) <= 256)));
alter table long_holds add constraint long_holds_incarnation_fkey FOREIGN KEY (incarnation) REFERENCES gateways(incarnation);
alter table long_holds add constraint long_holds_job_check CHECK ((jsonb_typeof(job) = 'object'::text));
alter table long_holds add constraint long_holds_job_id_check CHECK (((length(job_id) >= 1) AND (length(job_id) <= 512)));
alter table long_holds add constraint long_holds_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text));
alter table long_holds add constraint long_holds_model_check CHECK (((length(model) >= 1) AND (length(model) <= 256)));
alter table long_holds add constraint long_holds_organization_id_check CHECK (((length(organization_id) >= 1) AND (length(organization_id) <= 256)));
alter table long_holds add constraint long_holds_pkey PRIMARY KEY (id);
alter table long_holds add constraint long_holds_project_id_check CHECK (((length(project_id) >= 1) AND (length(project_id) <= 256)));
alter table long_holds add constraint long_holds_provider_check CHECK (((length(provider) >= 1) AND (length(provider) <= 256)));
alter table long_holds add constraint long_holds_quote_nano_check CHECK ((quote_nano >= 0));
alter table long_holds add constraint long_holds_source_check CHECK ((source = ANY (ARRAY['relaycore'::text, 'auterity'::text, 'manual'::text])));
alter table long_holds add constraint long_holds_state_check CHECK ((state = ANY (ARRAY['open'::text, 'settled'::text, 'released'::text, 'uncertain'::text])));
alter table long_holds add constraint long_holds_tags_check CHECK ((jsonb_typeof(tags) = 'object'::text));
alter table long_holds add constraint long_holds_team_id_check CHECK (((length(team_id) >= 1) AND (length(team_id) <= 256)));
alter table long_holds add constraint long_holds_user_id_check CHECK (((length(user_id) >= 1) AND (length(user_id) <= 256)));
CREATE INDEX long_holds_due ON public.long_holds USING btree (expires_at) WHERE (state = 'open'::text);
CREATE UNIQUE INDEX long_holds_external ON public.long_holds USING btree (COALESCE(organization_id, ''::text), source, external_id) WHERE (external_id IS NOT NULL);
CREATE UNIQUE INDEX long_holds_job ON public.long_holds USING btree (provider, job_id) WHERE (job_id IS NOT NULL);
CREATE INDEX long_holds_poll ON public.long_holds USING btree (poll_at) WHERE ((state = 'open'::text) AND (poll_at IS NOT NULL));
CREATE INDEX long_holds_state ON public.long_holds USING btree (state, id);
comment on table long_holds is 'what is set aside by a row, not by a gateway: settled once, at any gateway, by this row';
comment on column long_holds.rate is 'units of its currency per USD, pinned for all that is charged; null: USD';
comment on column long_holds.quote_nano is 'amount_nano in USD';
comment on column long_holds.expired_at is 'when its deadline had passed and it was charged at its amount; what came after is a correction';
comment on column long_holds.settlement is 'how it was ended by who holds it, to know the same end when it comes again';
comment on column long_holds.cost_nano is 'charged so far, in USD';
comment on column long_holds.job_id is 'what the provider calls it; null: no call stands behind this hold';
comment on column long_holds.job is 'what it takes to work its cost out: the prices and terms that it was quoted by';
comment on column long_holds.poll_at is 'from then on some gateway asks the provider about it; null: nobody does by themselves';
comment on column long_holds.missed is 'how often in a row the provider did not know it';

create table model_prices (
  provider text not null,
  model text not null,
  effective_at timestamp(3) with time zone not null,
  prices jsonb not null,
  created_at timestamp(3) with time zone default clock_timestamp() not null
);
alter table model_prices add constraint model_prices_model_check CHECK (((length(model) >= 1) AND (length(model) <= 200)));
alter table model_prices add constraint model_prices_pkey PRIMARY KEY (provider, model, effective_at);
alter table model_prices add constraint model_prices_prices_check CHECK ((jsonb_typeof(prices) = 'object'::text));
alter table model_prices add constraint model_prices_provider_check CHECK (((length(provider) >= 1) AND (length(provider) <= 100)));
comment on table model_prices is 'USD per million of each unit, as texts, in the form of the catalog';

create table provider_files (
  provider text not null,
  file_id text not null,
  organization_id text not null,
  created_at timestamp(3) with time zone default clock_timestamp() not null
);
alter table provider_files add constraint provider_files_file_id_check CHECK (((length(file_id) >= 1) AND (length(file_id) <= 512)));
alter table provider_files add constraint provider_files_pkey PRIMARY KEY (provider, file_id);
comment on table provider_files is 'whose a file at a provider is, by the gateway key that brought it or the batch that made it';

create table restores (
  at timestamp(3) with time zone default clock_timestamp() not null,
  incarnation_after bigint not null,
  incarnation_up_to bigint not null,
  account_after bigint not null,
  account_up_to bigint not null,
  deployment_id uuid not null
);
alter table restores add constraint restores_pkey PRIMARY KEY (at);
comment on table restores is 'when the database was restored from a backup, and the numbers that may have been given out behind it';
comment on column restores.deployment_id is 'what this ledger was called before: what Redis has under it counts no more';

create table usage_by_day (
  account_id bigint not null,
  facet text not null,
  day date not null,
  value text[] not null,
  amount_nano bigint not null,
  records bigint not null,
  input_tokens bigint not null,
  output_tokens bigint not null
) with (fillfactor=80);
alter table usage_by_day add constraint usage_by_day_pkey PRIMARY KEY (account_id, facet, day, value);
comment on table usage_by_day is 'as usage_by_hour; day: in the budget''s zone';

create table usage_by_hour (
  account_id bigint not null,
  facet text not null,
  hour timestamp(3) with time zone not null,
  value text[] not null,
  amount_nano bigint not null,
  records bigint not null,
  input_tokens bigint not null,
  output_tokens bigint not null
) with (fillfactor=80);
alter table usage_by_hour add constraint usage_by_hour_pkey PRIMARY KEY (account_id, facet, hour, value);
comment on table usage_by_hour is 'sums of budget_usage_records; account_id needs no check of its own, each row comes of a record';
comment on column usage_by_hour.facet is 'model: {source, provider, model}; key: {key, team, project}; user: {user}; tag: and its name: {value}. Where all is null, no row';
comment on column usage_by_hour.hour is 'in which the call opened, by the clocks of the budget''s zone';
comment on column usage_by_hour.input_tokens is 'all that went in, read from and written to caches too';

create table usage_events (
  day date not null,
  id uuid not null,
  incarnation bigint,
  source text default 'relaycore'::text not null,
  organization_id text,
  team_id text,
  project_id text,
  user_id text,
  key_id text,
  session_id text,
  tags jsonb,
  provider text not null,
  endpoint text not null,
  model text not null,
  model_used text,
  stream boolean not null,
  request_id text,
  provider_request_id text,
  outcome text not null,
  status smallint,
  certainty text not null,
  input_tokens bigint,
  cache_read_tokens bigint,
  cache_write_5m_tokens bigint,
  cache_write_1h_tokens bigint,
  output_tokens bigint,
  reasoning_tokens bigint,
  web_searches integer,
  tier text,
  quote_nano bigint not null,
  cost_nano bigint not null,
  price_version text not null,
  opened_at timestamp(3) with time zone not null,
  ended_at timestamp(3) with time zone not null,
  recorded_at timestamp(3) with time zone default clock_timestamp() not null,
  budget_id uuid,
  caller_id text,
  amount_nano bigint,
  currency text,
  rate text,
  corrects uuid,
  description text,
  metadata jsonb,
  end_user_id text,
  units jsonb,
  reported_nano bigint
) partition by RANGE (day);
alter table usage_events add constraint usage_events_caller_id_check CHECK (((length(caller_id) >= 1) AND (length(caller_id) <= 256)));
alter table usage_events add constraint usage_events_certainty_check CHECK ((certainty = ANY (ARRAY['exact'::text, 'estimated'::text, 'uncertain'::text])));
alter table usage_events add constraint usage_events_check CHECK ((corrects <> id));
alter table usage_events add constraint usage_events_check1 CHECK (((amount_nano IS NULL) = (currency IS NULL)));
alter table usage_events add constraint usage_events_check2 CHECK (((corrects IS NOT NULL) OR (amount_nano >= 0)));
alter table usage_events add constraint usage_events_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text));
alter table usage_events add constraint usage_events_description_check CHECK (((length(description) >= 1) AND (length(description) <= 4096)));
alter table usage_events add constraint usage_events_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text));
alter table usage_events add constraint usage_events_pkey PRIMARY KEY (day, id);
alter table usage_events add constraint usage_events_source_check CHECK ((source = ANY (ARRAY['relaycore'::text, 'auterity'::text, 'manual'::text])));
CREATE INDEX usage_events_corrects ON ONLY public.usage_events USING btree (corrects) WHERE (corrects IS NOT NULL);
comment on table usage_events is 'the facts of one call, exactly once; day is the day (UTC) in the id; quote and cost in USD';
comment on column usage_events.budget_id is 'of recorded usage, the budget that it was recorded on; those above it are charged too';
comment on column usage_events.caller_id is 'what its recorder calls it';
comment on column usage_events.amount_nano is 'of recorded usage, as it was recorded, in currency; null: cost_nano says it all';
comment on column usage_events.rate is 'units of currency per USD by which cost_nano was computed; null: currency is USD';
comment on column usage_events.corrects is 'the event whose cost this one changes, by its own charges on the same accounts; of the same day, so found with it';
comment on column usage_events.metadata is 'what its recorder said beyond the columns';
comment on column usage_events.units is 'what was billed beside text tokens, by name; null: nothing';
comment on column usage_events.reported_nano is 'what the provider says that it cost, USD; null: it does not say';

create table usage_events_default partition of usage_events DEFAULT (
  day date not null,
  id uuid not null,
  incarnation bigint,
  source text default 'relaycore'::text not null,
  organization_id text,
  team_id text,
  project_id text,
  user_id text,
  key_id text,
  session_id text,
  tags jsonb,
  provider text not null,
  endpoint text not null,
  model text not null,
  model_used text,
  stream boolean not null,
  request_id text,
  provider_request_id text,
  outcome text not null,
  status smallint,
  certainty text not null,
  input_tokens bigint,
  cache_read_tokens bigint,
  cache_write_5m_tokens bigint,
  cache_write_1h_tokens bigint,
  output_tokens bigint,
  reasoning_tokens bigint,
  web_searches integer,
  tier text,
  quote_nano bigint not null,
  cost_nano bigint not null,
  price_version text not null,
  opened_at timestamp(3) with time zone not null,
  ended_at timestamp(3) with time zone not null,
  recorded_at timestamp(3) with time zone default clock_timestamp() not null,
  budget_id uuid,
  caller_id text,
  amount_nano bigint,
  currency text,
  rate text,
  corrects uuid,
  description text,
  metadata jsonb,
  end_user_id text,
  units jsonb,
  reported_nano bigint
);
alter table usage_events_default add constraint usage_events_caller_id_check CHECK (((length(caller_id) >= 1) AND (length(caller_id) <= 256)));
alter table usage_events_default add constraint usage_events_certainty_check CHECK ((certainty = ANY (ARRAY['exact'::text, 'estimated'::text, 'uncertain'::text])));
alter table usage_events_default add constraint usage_events_check CHECK ((corrects <> id));
alter table usage_events_default add constraint usage_events_check1 CHECK (((amount_nano IS NULL) = (currency IS NULL)));
alter table usage_events_default add constraint usage_events_check2 CHECK (((corrects IS NOT NULL) OR (amount_nano >= 0)));
alter table usage_events_default add constraint usage_events_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text));
alter table usage_events_default add constraint usage_events_default_pkey PRIMARY KEY (day, id);
alter table usage_events_default add constraint usage_events_description_check CHECK (((length(description) >= 1) AND (length(description) <= 4096)));
alter table usage_events_default add constraint usage_events_metadata_check CHECK ((jsonb_typeof(metadata) = 'object'::text));
alter table usage_events_default add constraint usage_events_source_check CHECK ((source = ANY (ARRAY['relaycore'::text, 'auterity'::text, 'manual'::text])));
CREATE INDEX usage_events_default_corrects_idx ON public.usage_events_default USING btree (corrects) WHERE (corrects IS NOT NULL);

create table usage_ids (
  organization_id text not null,
  source text not null,
  caller_id text not null,
  day date not null,
  event_id uuid not null,
  content_hash bytea not null
);
alter table usage_ids add constraint usage_ids_caller_id_check CHECK (((length(caller_id) >= 1) AND (length(caller_id) <= 256)));
alter table usage_ids add constraint usage_ids_content_hash_check CHECK ((length(content_hash) = 32));
alter table usage_ids add constraint usage_ids_pkey PRIMARY KEY (organization_id, source, caller_id);
alter table usage_ids add constraint usage_ids_source_check CHECK ((source = ANY (ARRAY['relaycore'::text, 'auterity'::text, 'manual'::text])));
comment on table usage_ids is 'ids that recorders gave: each once and for good, which a partitioned table cannot promise';
comment on column usage_ids.organization_id is 'of the budget; empty where it has none';
comment on column usage_ids.content_hash is 'SHA-256 of what was recorded: the same id with other content is a conflict';

CREATE OR REPLACE FUNCTION public.account_figures(_incarnation bigint, _accounts bigint[])
 RETURNS TABLE(account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint, budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint, in_doubt_since timestamp with time zone, in_doubt_holder text, answered_at timestamp with time zone, long_held_nano bigint, long_hold uuid, long_held_until timestamp with time zone, total_nano bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select a.id, a.limit_nano, a.settled_nano, a.leased_nano, b.version,
    coalesce(own.granted_nano, 0), coalesce(own.posted_nano, 0), o.holders, o.in_doubt_nano, o.since, o.holder,
    clock_timestamp(), a.long_held_nano, held.hold_id, held.expires_at, a.total_nano
  from budget_accounts a
  join budget_definitions b on b.id = a.budget_id
  left join leases own on own.account_id = a.id and own.incarnation = _incarnation
  cross join lateral (
    select count(*) filter (where h.responds)::integer as holders,
      coalesce(sum(h.rest) filter (where not h.responds), 0)::bigint as in_doubt_nano,
      min(h.heartbeat_at) filter (where not h.responds) as since,
      (array_agg(h.host || ' (gateway ' || h.incarnation || ')' order by h.heartbeat_at) filter (where not h.responds))[1]
        as holder
    from (
      select l.granted_nano - l.returned_nano - l.posted_nano as rest, g.heartbeat_at, g.host, g.incarnation,
        g.incarnation = _incarnation or responds(g) as responds
      from leases l join gateways g on g.incarnation = l.incarnation
      where l.account_id = a.id and l.state <> 'closed' and l.granted_nano > l.returned_nano + l.posted_nano
    ) h
  ) o
  left join lateral (
    select r.hold_id, h.expires_at
    from long_hold_accounts r join long_holds h on h.id = r.hold_id
    where r.account_id = a.id and r.held_nano > 0 and a.long_held_nano > 0
    order by r.held_nano desc limit 1
  ) held on true
  where a.id = any (_accounts)
$function$
;

CREATE OR REPLACE FUNCTION public.add_to_usage_rollups(_days date[], _events uuid[], _accounts bigint[], _amounts bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
AS $function$
#variable_conflict use_column
declare
  _input constant text[] := array['inputAudioTokens', 'cachedAudioTokens', 'inputImageTokens', 'cachedImageTokens', 'inputVideoTokens'];
  _output constant text[] := array['outputAudioTokens', 'outputImageTokens'];
begin
  with charge as materialized (
    select * from unnest(_days, _events, _accounts, _amounts) c (event_day, event_id, account_id, amount_nano)
  ),
  account as materialized (
    select k.account_id, a.period_start, coalesce(a.period_end, 'infinity') as period_end, b.timezone
    from (select distinct account_id from charge) k
    cross join lateral (select * from budget_accounts a where a.id = k.account_id limit 1) a
    cross join lateral (select * from budget_definitions b where b.id = a.budget_id limit 1) b
  ),
  event as materialized (
    select k.event_id, e.source, left(e.provider, 256) as provider, left(coalesce(e.model_used, e.model), 256) as model,
      left(e.key_id, 256) as key_id, left(e.user_id, 256) as user_id, left(e.team_id, 256) as team_id,
      left(e.project_id, 256) as project_id, e.tags, e.opened_at,
      coalesce(e.input_tokens, 0) + coalesce(e.cache_read_tokens, 0) + coalesce(e.cache_write_5m_tokens, 0)
        + coalesce(e.cache_write_1h_tokens, 0) + case when e.units is null then 0 else unit_tokens(e.units, _input) end as input_tokens,
      coalesce(e.output_tokens, 0) + case when e.units is null then 0 else unit_tokens(e.units, _output) end as output_tokens
    from (select distinct event_day, event_id from charge) k
    cross join lateral (select * from usage_events e where e.day = k.event_day and e.id = k.event_id limit 1) e
  ),
  tag as materialized (
    select e.event_id, t.facet, t.value
    from event e cross join lateral (
      select 'tag:' || left(t.name, 64) as facet, left(t.value, 256) as value
      from jsonb_each_text(case when jsonb_typeof(e.tags) = 'object' then e.tags end) t (name, value)
      where t.value is not null order by t.name limit 8
    ) t
    where e.tags is not null
  ),
  fact as materialized (
    select c.account_id, c.amount_nano, e.*, a.timezone,
      date_trunc('hour', greatest(a.period_start, least(e.opened_at, a.period_end - interval '1 millisecond')), a.timezone) as hour
    from charge c join event e using (event_id) join account a using (account_id)
  ),
  by_hour as materialized (
    select f.account_id, f.timezone, f.hour,
      case when grouping(f.model) = 0 then 'model' when grouping(f.key_id) = 0 then 'key' else 'user' end as facet,
      case when grouping(f.model) = 0 then array[f.source, f.provider, f.model]
        when grouping(f.key_id) = 0 then array[f.key_id, f.team_id, f.project_id] else array[f.user_id] end as value,
      sum(f.amount_nano)::bigint as amount_nano, count(*) as records, sum(f.input_tokens)::bigint as input_tokens,
      sum(f.output_tokens)::bigint as output_tokens
    from fact f
    group by f.account_id, f.timezone, f.hour,
      grouping sets ((f.source, f.provider, f.model), (f.key_id, f.team_id, f.project_id), (f.user_id))
    union all
    select f.account_id, f.timezone, f.hour, t.facet, array[t.value], sum(f.amount_nano)::bigint, count(*),
      sum(f.input_tokens)::bigint, sum(f.output_tokens)::bigint
    from fact f join tag t using (event_id)
    group by f.account_id, f.timezone, f.hour, t.facet, t.value
  ),
  hours as (
    insert into usage_by_hour as r (account_id, facet, hour, value, amount_nano, records, input_tokens, output_tokens)
    select s.account_id, s.facet, s.hour, s.value, s.amount_nano, s.records, s.input_tokens, s.output_tokens
    from by_hour s where num_nulls(variadic s.value) < cardinality(s.value)
    order by s.account_id, s.facet, s.hour, s.value
    on conflict (account_id, facet, hour, value) do update set
      amount_nano = r.amount_nano + excluded.amount_nano, records = r.records + excluded.records,
      input_tokens = r.input_tokens + excluded.input_tokens, output_tokens = r.output_tokens + excluded.output_tokens
  )
  insert into usage_by_day as r (account_id, facet, day, value, amount_nano, records, input_tokens, output_tokens)
  select s.account_id, s.facet, (s.hour at time zone s.timezone)::date, s.value, sum(s.amount_nano), sum(s.records),
    sum(s.input_tokens), sum(s.output_tokens)
  from by_hour s where num_nulls(variadic s.value) < cardinality(s.value)
  group by 1, 2, 3, 4 order by 1, 2, 3, 4
  on conflict (account_id, facet, day, value) do update set
    amount_nano = r.amount_nano + excluded.amount_nano, records = r.records + excluded.records,
    input_tokens = r.input_tokens + excluded.input_tokens, output_tokens = r.output_tokens + excluded.output_tokens;
end $function$
;

CREATE OR REPLACE FUNCTION public.append_audit(_entries json)
 RETURNS TABLE(seq bigint, hash bytea)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.apply_due_limits(_accounts bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  if exists (select from budget_accounts a where a.id = any (_accounts) and a.limit_until <= clock_timestamp()) then
    perform 1 from budget_accounts a where a.id = any (_accounts) order by a.id for no key update;
    perform apply_limits(_accounts);
  end if;
end $function$
;
comment on function apply_due_limits is 'an adjustment that began or ended meanwhile acts now';

CREATE OR REPLACE FUNCTION public.apply_limits(_accounts bigint[])
 RETURNS void
 LANGUAGE sql
AS $function$
  update budget_accounts a set total_nano = l.total_nano, limit_until = l.until, limit_nano = l.limit_nano
  from (
    select o.id, f.total_nano, f.until, case when o.carried_on and f.limit_nano is not null
      then least(f.limit_nano, o.settled_nano + o.leased_nano) else f.limit_nano end as limit_nano
    from budget_accounts o
    join budget_definitions b on b.id = o.budget_id
    cross join lateral limits_of(b, o.subject, o.carried_nano, o.period_end, clock_timestamp()) f
    where o.id = any (_accounts)
  ) l
  where a.id = l.id and (a.total_nano, a.limit_until, a.limit_nano) is distinct from (l.total_nano, l.until, l.limit_nano)
$function$
;

CREATE OR REPLACE FUNCTION public.audit_framed(_value text)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce(length(convert_to(_value, 'UTF8')) || ':' || _value, '-')
$function$
;

CREATE OR REPLACE FUNCTION public.audit_framed_list(_values text[])
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  select audit_framed(cardinality(_values)::text) || coalesce(string_agg(audit_framed(v.value), '' order by v.n), '')
  from unnest(_values) with ordinality v (value, n)
$function$
;

CREATE OR REPLACE FUNCTION public.audit_hash(_previous bytea, _row audit_log)
 RETURNS bytea
 LANGUAGE sql
 STABLE
AS $function$
  select sha256(_previous || convert_to(
    audit_framed(_row.seq::text) || audit_framed(_row.id::text) ||
    audit_framed(to_char(_row.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ||
    audit_framed(_row.actor_id) || audit_framed(_row.actor_name) || audit_framed(_row.actor_role) ||
    audit_framed(_row.request_id) || audit_framed(_row.from_address) ||
    audit_framed(_row.action) || audit_framed(_row.object_type) || audit_framed(_row.object_id) ||
    audit_framed(_row.organization_id) || audit_framed_list(_row.scopes) || audit_framed_list(_row.scopes_above) ||
    audit_framed(_row.before::text) || audit_framed(_row.after::text), 'UTF8'))
$function$
;

CREATE OR REPLACE FUNCTION public.beat(_incarnation bigint, _accounts bigint[])
 RETURNS TABLE(account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint, budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint, in_doubt_since timestamp with time zone, in_doubt_holder text, answered_at timestamp with time zone, long_held_nano bigint, long_hold uuid, long_held_until timestamp with time zone, total_nano bigint)
 LANGUAGE plpgsql
AS $function$
begin
  update gateways g set heartbeat_at = clock_timestamp() where g.incarnation = _incarnation and g.state = 'live';
  if not found then
    raise exception 'gateway % is not live', _incarnation using errcode = 'RC001';
  end if;
  perform apply_due_limits(_accounts);
  return query select f.* from account_figures(_incarnation, _accounts) f;
end $function$
;

CREATE OR REPLACE FUNCTION public.begin_recovery(_incarnation bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  perform 1 from gateways g where g.incarnation = _incarnation for update;
  if not found then
    raise exception 'gateway % is unknown', _incarnation using errcode = 'RC001';
  end if;
  update gateways g set state = 'recovering' where g.incarnation = _incarnation and g.state = 'live';
end $function$
;

CREATE OR REPLACE FUNCTION public.begin_recovery(_incarnation bigint, _journal_id text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  _of text;
begin
  select g.journal_id into _of from gateways g where g.incarnation = _incarnation;
  if _of is null then
    insert into gateways (incarnation, journal_id, host, state) overriding system value
    select _incarnation, _journal_id, 'unknown since a restore', 'recovering'
    where exists (select from restores r where _incarnation >= r.incarnation_after and _incarnation <= r.incarnation_up_to)
    on conflict do nothing;
    if not found then
      raise exception 'gateway % is unknown', _incarnation using errcode = 'RC001';
    end if;
  elsif _of <> _journal_id then
    raise exception 'gateway % is of another journal', _incarnation using errcode = 'RC001';
  end if;
  perform begin_recovery(_incarnation);
end $function$
;
comment on function begin_recovery is 'of the process life of a journal';

CREATE OR REPLACE FUNCTION public.calculate_budget_status(_budget uuid)
 RETURNS TABLE(account_id bigint, subject text, period_start timestamp with time zone, period_end timestamp with time zone, limit_nano bigint, settled_nano bigint, charges bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select a.id, a.subject, a.period_start, a.period_end, a.limit_nano, (r.settled_nano + d.settled_nano)::bigint,
    (r.charges + d.charges)::bigint
  from budget_accounts a
  cross join lateral (select coalesce(sum(r.amount_nano), 0) as settled_nano, count(*) as charges
    from budget_usage_records r where r.account_id = a.id) r
  cross join lateral (select coalesce(sum(d.settled_nano), 0) as settled_nano, coalesce(sum(d.charges), 0) as charges
    from detached_usage d where d.account_id = a.id) d
  where a.budget_id = _budget
  order by a.id
$function$
;
comment on function calculate_budget_status is 'from the records and detached months alone, for audit: the cache and the accounts must equal it';

CREATE OR REPLACE FUNCTION public.carried_of(_budget budget_definitions, _from budget_accounts)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select case
    when u.nano >= 0 then least(trunc(u.nano * (_budget.carry_over ->> 'percent')::numeric / 100),
      (_budget.carry_over ->> 'max')::numeric * 1000000000)
    when (_budget.carry_over ->> 'debt')::boolean then u.nano
    else 0 end::bigint
  from (select (_from.total_nano - _from.settled_nano - _from.leased_nano)::numeric as nano) u
$function$
;

CREATE OR REPLACE FUNCTION public.carry_into(_accounts bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  _from bigint[];
begin
  select array_agg(a.carried_from) into _from from budget_accounts a where a.id = any (_accounts) and a.carried_from is not null;
  update budget_accounts a set carried_nano = carried_of(b, p)
  from budget_accounts o
  join budget_accounts p on p.id = o.carried_from
  join budget_definitions b on b.id = o.budget_id
  where o.id = any (_accounts) and a.id = o.id and b.carry_over is not null and o.carried_nano <> carried_of(b, p);
  update budget_accounts p set carried_on = true, carry_open = p.leased_nano > 0
  where p.id = any (_from) and (not p.carried_on or p.carry_open <> (p.leased_nano > 0));
  -- and then those after these
  update budget_accounts a set carry_open = true where a.id = any (_accounts) and a.carried_on and not a.carry_open;
  perform apply_limits(_accounts || _from);
end $function$
;

CREATE OR REPLACE FUNCTION public.claim_jobs(_most integer)
 RETURNS SETOF uuid
 LANGUAGE sql
AS $function$
  update long_holds h set
    poll_at = clock_timestamp() + least(greatest((clock_timestamp() - h.opened_at) / 4, interval '15 seconds'), interval '10 minutes')
  from (
    select d.id from long_holds d
    where d.state = 'open' and d.poll_at <= clock_timestamp()
    order by d.poll_at limit _most for update skip locked
  ) due
  where h.id = due.id
  returning h.id
$function$
;

CREATE OR REPLACE FUNCTION public.close_leases(_incarnation bigint, _kept json)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.day_of(_id uuid)
 RETURNS date
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select (to_timestamp(('x' || lpad(left(replace(_id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0) at time zone 'UTC')::date
$function$
;
comment on function day_of is 'the day (UTC) in a UUIDv7';

CREATE OR REPLACE FUNCTION public.drifts_of(_account bigint)
 RETURNS TABLE(kind text, account_id bigint, object text, kept text, due text)
 LANGUAGE plpgsql
 STABLE
 SET jit TO 'off'
AS $function$
#variable_conflict use_column
begin
  return query with account as materialized (select * from budget_accounts a where a.id = _account),
  charge as materialized (
    select r.day, r.event_id, r.amount_nano, r.covered_nano, r.rate, e.id is not null as known, e.incarnation, e.cost_nano,
      e.source, e.endpoint, e.outcome, e.corrects, e.budget_id
    from budget_usage_records r left join usage_events e on e.day = r.day and e.id = r.event_id
    where r.account_id = _account
  ),
  detached as materialized (select exists (select from detached_usage d where d.account_id = _account) as some),
  book as materialized (select * from recorded_of(_account)),
  rest as materialized (
    select coalesce(sum(l.granted_nano - l.returned_nano - l.posted_nano), 0) as nano from leases l where l.account_id = _account
  ),
  held as materialized (
    select coalesce(sum(r.held_nano), 0) as nano from long_hold_accounts r where r.account_id = _account and r.held_nano > 0
  ),
  paid as (
    select c.incarnation, coalesce(sum(c.covered_nano), 0) as covered_nano,
      coalesce(sum(c.amount_nano) filter (where c.endpoint = 'write-off' and c.outcome = 'written_off'), 0) as written_off_nano
    from charge c where c.incarnation is not null group by c.incarnation
  ),
  sums as materialized (select s.* from usage_sums(_account) s where not (select d.some from detached d)),
  by_hour as (
    select coalesce(k.hour, s.hour) as hour, coalesce(k.amount_nano, 0) as kept_nano, coalesce(s.amount_nano, 0) as due_nano
    from (select * from usage_by_hour h where h.account_id = _account and not (select d.some from detached d)) k
    full join sums s on (s.facet, s.hour, s.value) = (k.facet, k.hour, k.value)
    where (k.amount_nano, k.records, k.input_tokens, k.output_tokens)
      is distinct from (s.amount_nano, s.records, s.input_tokens, s.output_tokens)
  ),
  by_day as (
    select coalesce(k.day, s.day) as day, coalesce(k.amount_nano, 0) as kept_nano, coalesce(s.amount_nano, 0) as due_nano
    from (select * from usage_by_day d where d.account_id = _account and not (select d.some from detached d)) k
    full join (
      select s.facet, s.day, s.value, sum(s.amount_nano) as amount_nano, sum(s.records) as records,
        sum(s.input_tokens) as input_tokens, sum(s.output_tokens) as output_tokens from sums s group by 1, 2, 3
    ) s on (s.facet, s.day, s.value) = (k.facet, k.day, k.value)
    where (k.amount_nano, k.records, k.input_tokens, k.output_tokens)
      is distinct from (s.amount_nano, s.records, s.input_tokens, s.output_tokens)
  )
  select f.kind, _account, f.object, f.kept, f.due
  from (
    select 'settled' as kind, '' as object, a.settled_nano::text as kept, b.settled_nano::text as due
    from account a, book b where a.settled_nano <> b.settled_nano
    union all
    select 'negative', '', a.settled_nano::text, 'not below zero' from account a, book b
    where a.settled_nano < 0 and a.settled_nano = b.settled_nano
    union all
    select 'long_held', '', a.long_held_nano::text, h.nano::text from account a, held h where a.long_held_nano <> h.nano
    union all
    select 'leased', '', a.leased_nano::text, (r.nano + h.nano)::text from account a, rest r, held h
    where a.leased_nano <> r.nano + h.nano
    union all
    -- what came late to a lease that had ended was not paid by it; what was written off it counts as posted
    select 'posted', l.incarnation::text, l.posted_nano::text, (p.covered_nano + case when l.state = 'open' then 0 else p.written_off_nano end)::text
    from leases l
    left join paid on paid.incarnation = l.incarnation
    cross join lateral (
      select coalesce(paid.covered_nano, 0) as covered_nano, coalesce(paid.written_off_nano, 0) as written_off_nano
    ) p
    where l.account_id = _account and not (select d.some from detached d)
      and case when l.state = 'open' then l.posted_nano <> p.covered_nano
        else l.posted_nano > p.covered_nano + p.written_off_nano end
    union all
    select 'status_cache', '', coalesce(c.settled_nano, 0) || ' in ' || coalesce(c.charges, 0) || ' charges',
      b.settled_nano || ' in ' || b.charges || ' charges'
    from book b left join budget_status_cache c on c.account_id = _account
    where (coalesce(c.settled_nano, 0), coalesce(c.charges, 0)) is distinct from (b.settled_nano, b.charges)
    union all
    select 'usage_by_hour', '', sum(h.kept_nano) || ' in ' || count(*) || ' sums, from ' || min(h.hour), sum(h.due_nano)::text
    from by_hour h having count(*) > 0
    union all
    select 'usage_by_day', '', sum(d.kept_nano) || ' in ' || count(*) || ' sums, from ' || min(d.day), sum(d.due_nano)::text
    from by_day d having count(*) > 0
    union all
    select 'event', c.event_id::text, case when c.known then 'on ' || c.day else 'a charge of ' || c.amount_nano || ' without an event' end,
      case when c.known then 'on ' || day_of(c.event_id) else 'an event on ' || c.day end
    from charge c where not c.known or c.day <> day_of(c.event_id)
    union all
    -- of calls: what is recorded by hand, set aside by hand or written off is in other currencies, or of many accounts
    select 'charge', c.event_id::text, c.amount_nano::text, due.nano::text
    from charge c
    cross join lateral (select case when c.rate is null then c.cost_nano else ceil(c.cost_nano * c.rate::numeric) end as nano) due
    where c.source = 'relaycore' and c.corrects is null and c.budget_id is null
      and c.endpoint not in ('holds', 'recorded', 'write-off') and c.amount_nano <> due.nano
  ) f;
end $function$
;

CREATE OR REPLACE FUNCTION public.end_long_hold(_hold uuid, _to text, _end json, _costs json)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
declare
  _from text := lock_long_hold(_hold);
  _h long_holds;
  _id uuid := _hold;
  _day date;
  _cost bigint;
  _before uuid[] := '{}';
  _now timestamptz := clock_timestamp();
begin
  select * into _h from long_holds h where h.id = _hold;
  if _from is null or _from not in ('open', 'uncertain')
    or (_to = 'uncertain' and (_from <> 'open' or (_h.expires_at > _now and _end ->> 'note' is null))) then
    return false;
  end if;
  _cost := case _to when 'released' then 0 when 'uncertain' then _h.quote_nano else (_end ->> 'cost_nano')::bigint end;
  update budget_accounts a set leased_nano = a.leased_nano - r.held_nano, long_held_nano = a.long_held_nano - r.held_nano
  from long_hold_accounts r where r.hold_id = _hold and a.id = r.account_id and r.held_nano > 0;
  _day := (_h.opened_at at time zone 'UTC')::date;
  if _from = 'uncertain' then
    _id := (_end ->> 'correction_id')::uuid;
    select array_append(array_agg(e.id), _hold) into _before from usage_events e where e.day = _day and e.corrects = _hold;
  end if;
  -- what was never begun, or never recorded, leaves no event
  if not (_from = 'open' and _to = 'released') then
    with event as (
      insert into usage_events (day, id, incarnation, source, organization_id, team_id, project_id, user_id, key_id,
        session_id, end_user_id, tags, provider, endpoint, model, model_used, stream, request_id, provider_request_id, outcome, status, certainty,
        input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens,
        web_searches, tier, units, reported_nano, quote_nano, cost_nano, price_version, opened_at, ended_at, corrects,
        caller_id, description, metadata)
      select _day, _id, _h.incarnation, _h.source, _h.organization_id, _h.team_id,
        _h.project_id, _h.user_id, _h.key_id, _h.session_id, _h.end_user_id, _h.tags, coalesce(_h.provider, 'none'), _h.endpoint,
        coalesce(_h.model, 'none'), e.model_used, _h.stream, coalesce(_h.request_id, e.request_id),
        coalesce(e.provider_request_id, _h.job_id),
        case _to when 'settled' then 'completed' when 'released' then 'released' else coalesce(e.outcome, 'expired') end,
        e.status,
        case _to when 'uncertain' then 'uncertain' else 'exact' end,
        e.input_tokens, e.cache_read_tokens, e.cache_write_5m_tokens, e.cache_write_1h_tokens, e.output_tokens,
        e.reasoning_tokens, e.web_searches, e.tier, e.units, e.reported_nano, case _from when 'open' then _h.quote_nano else 0 end,
        _cost - coalesce((select sum(b.cost_nano) from usage_events b where b.day = _day and b.id = any (_before)), 0)::bigint,
        _h.price_version, _h.opened_at, greatest(_now, _h.opened_at),
        case _from when 'uncertain' then _hold end, _h.external_id, coalesce(e.note, nullif(_h.description, '')), _h.metadata
      from json_to_record(_end) e (note text, outcome text, status smallint, model_used text, request_id text, provider_request_id text, input_tokens bigint,
        cache_read_tokens bigint, cache_write_5m_tokens bigint, cache_write_1h_tokens bigint, output_tokens bigint,
        reasoning_tokens bigint, web_searches integer, tier text, units jsonb, reported_nano bigint)
      on conflict do nothing
      returning day, id
    ),
    charge as materialized (
      select r.account_id, r.quote_nano, r.rate, cost.nano, cost.nano - coalesce((
          select sum(b.amount_nano) from budget_usage_records b
          where b.day = _day and b.event_id = any (_before) and b.account_id = r.account_id), 0)::bigint as amount_nano
      from long_hold_accounts r
      left join json_to_recordset(_costs) c (account_id bigint, amount_nano bigint) on c.account_id = r.account_id
      cross join lateral (
        select case _to when 'released' then 0 when 'uncertain' then r.quote_nano else c.amount_nano end as nano
      ) cost
      where r.hold_id = _hold and exists (select from event)
    ),
    recorded as (
      insert into budget_usage_records (day, event_id, account_id, amount_nano, covered_nano, quote_nano, rate)
      select event.day, event.id, charge.account_id, charge.amount_nano, 0,
        case _from when 'open' then charge.quote_nano else 0 end, charge.rate
      from event, charge
    ),
    charged as (
      update long_hold_accounts r set held_nano = 0, charged_nano = charge.nano
      from charge where r.hold_id = _hold and r.account_id = charge.account_id
    )
    update budget_accounts a set settled_nano = a.settled_nano + charge.amount_nano
    from charge where a.id = charge.account_id;
    perform note_crossings((select array_agg(r.account_id) from long_hold_accounts r where r.hold_id = _hold));
  end if;
  update long_hold_accounts r set held_nano = 0 where r.hold_id = _hold and r.held_nano > 0;
  update long_holds h set state = _to, ended_at = _now, cost_nano = _cost,
    expired_at = case _to when 'uncertain' then _now else h.expired_at end,
    settlement = case when _to <> 'uncertain' then (_end ->> 'settlement')::jsonb end,
    description = coalesce(_end ->> 'note', h.description)
  where h.id = _hold;
  return true;
end $function$
;

CREATE OR REPLACE FUNCTION public.enforced_limit(_total bigint, _alerts jsonb, _approved numeric)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select least(_total, min(case
    when t -> 'actions' ? 'block-all' then threshold_nano(t, _total)
    when t -> 'actions' ? 'require-approval' then threshold_nano(t, _total) + _approved end))::bigint
  from jsonb_array_elements(_alerts) t
$function$
;

CREATE OR REPLACE FUNCTION public.ensure_accounts(_specs json)
 RETURNS TABLE(ordinal integer, account_id bigint, currency text)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  _made bigint[];
  _one record;
  _id bigint;
begin
  perform 1 from budget_definitions b
  where b.id in (select s.budget_id from json_to_recordset(_specs) s (budget_id uuid)) order by b.id for share;
  perform 1 from budget_accounts a
  where a.id in (
    select last.id
    from json_to_recordset(_specs) s (budget_id uuid, subject text, period_start timestamptz)
    join budget_definitions b on b.id = s.budget_id and b.carry_over is not null
    cross join lateral (select p.id from budget_accounts p where p.budget_id = b.id and p.subject = s.subject
      and p.period_start < s.period_start order by p.period_start desc limit 1) last)
  order by a.id for no key update;
  for _one in
    select b.id as budget_id, b.currency, s.subject, e.period_start, e.period_end
    from json_to_recordset(_specs) s (budget_id uuid, subject text, period_start timestamptz, period_end timestamptz, earlier json)
    join budget_definitions b on b.id = s.budget_id and b.carry_over is not null
    cross join lateral (select max(a.period_start) as period_start from budget_accounts a
      where a.budget_id = b.id and a.subject = s.subject and a.period_start < s.period_start) last
    cross join lateral (
      select (p.period ->> 0)::timestamptz, (p.period ->> 1)::timestamptz from json_array_elements(s.earlier) p (period)
      where (p.period ->> 0)::timestamptz > last.period_start or (last.period_start is null and s.subject = '')
      union select s.period_start, s.period_end
    ) e (period_start, period_end)
    order by 1, 3, 4
  loop
    insert into budget_accounts (budget_id, subject, period_start, period_end, currency, limit_nano, carried_from)
    values (_one.budget_id, _one.subject, _one.period_start, _one.period_end, _one.currency, 0, (
      select a.id from budget_accounts a where a.budget_id = _one.budget_id and a.subject = _one.subject
        and a.period_end <= _one.period_start order by a.period_start desc limit 1))
    on conflict do nothing returning id into _id;
    if _id is not null then
      perform carry_into(array[_id]);
    end if;
  end loop;
  with made as (
    insert into budget_accounts (budget_id, subject, period_start, period_end, currency, limit_nano)
    select b.id, s.subject, s.period_start, s.period_end, b.currency, 0
    from json_to_recordset(_specs) s (budget_id uuid, subject text, period_start timestamptz, period_end timestamptz)
    join budget_definitions b on b.id = s.budget_id
    order by b.id, s.subject, s.period_start
    on conflict do nothing
    returning id
  )
  select array_agg(made.id) into _made from made;
  perform apply_limits(_made);
  with moved as materialized (
    select a.id, s.period_end
    from json_to_recordset(_specs) s (budget_id uuid, subject text, period_start timestamptz, period_end timestamptz)
    join budget_accounts a
      on a.budget_id = s.budget_id and a.subject = s.subject and a.period_start = s.period_start
    where a.period_end is distinct from s.period_end
    order by a.id for no key update of a
  )
  update budget_accounts a set period_end = moved.period_end from moved where a.id = moved.id;
  return query
  select s.ordinal, a.id, a.currency
  from json_to_recordset(_specs) s (ordinal integer, budget_id uuid, subject text, period_start timestamptz)
  join budget_accounts a
    on a.budget_id = s.budget_id and a.subject = s.subject and a.period_start = s.period_start;
end $function$
;

CREATE OR REPLACE FUNCTION public.ensure_partition(_parent text, _month date)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  _name text := _parent || to_char(_month, '_YYYY_MM');
begin
  if to_regclass(quote_ident(_name)) is not null then
    return;
  end if;
  lock table budget_accounts in share row exclusive mode;
  execute format('create table %I (like %I including defaults including constraints including indexes)', _name, _parent);
  execute format('with early as (delete from %I where day >= %L and day < %L returning *) insert into %I select * from early',
    _parent || '_default', _month, _month + interval '1 month', _name);
  execute format('alter table %I attach partition %I for values from (%L) to (%L)',
    _parent, _name, _month, _month + interval '1 month');
end $function$
;

CREATE OR REPLACE FUNCTION public.ensure_partitions(_months integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
 SET lock_timeout TO '500ms'
AS $function$
declare
  _this date := date_trunc('month', clock_timestamp() at time zone 'UTC');
begin
  if _months is null or _months not between 0 and 24 then
    raise exception 'partitions are made of 0 to 24 months ahead, not of %', _months using errcode = '22023';
  end if;
  perform pg_advisory_xact_lock(hashtext('relaycore ensure_partitions'));
  for _i in -1 .. _months loop
    perform ensure_partition('usage_events', (_this + make_interval(months => _i))::date);
    perform ensure_partition('budget_usage_records', (_this + make_interval(months => _i))::date);
  end loop;
end $function$
;
comment on function ensure_partitions is 'partitions of the last, this and the next months; what falls outside lands in the default partition';

CREATE OR REPLACE FUNCTION public.expire_long_holds(_most integer)
 RETURNS TABLE(hold_id uuid, account_id bigint)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  _due uuid[];
  _expired uuid[] := '{}';
  _id uuid;
begin
  if not pg_try_advisory_xact_lock(hashtext('relaycore expire_long_holds')) then
    return;
  end if;
  select array_agg(d.id order by d.id) into _due from (
    select h.id from long_holds h where h.state = 'open' and h.expires_at <= clock_timestamp()
    order by h.expires_at limit _most) d;
  if _due is null then
    return;
  end if;
  perform 1 from budget_accounts a
  where a.id in (select r.account_id from long_hold_accounts r where r.hold_id = any (_due))
  order by a.id for no key update;
  foreach _id in array _due loop
    if end_long_hold(_id, 'uncertain', '{}', '[]') then
      _expired := _expired || _id;
    end if;
  end loop;
  return query select r.hold_id, r.account_id from long_hold_accounts r where r.hold_id = any (_expired);
end $function$
;

CREATE OR REPLACE FUNCTION public.forget_user(_user text, _as text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$
;
comment on function forget_user is 'by the owner of the tables; what it is called after may not have been used before';

CREATE OR REPLACE FUNCTION public.grant_leases(_incarnation bigint, _calls integer[], _accounts bigint[], _needs bigint[], _extra_accounts bigint[], _extras bigint[])
 RETURNS TABLE(call integer, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint, budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint, in_doubt_since timestamp with time zone, in_doubt_holder text, answered_at timestamp with time zone, long_held_nano bigint, long_hold uuid, long_held_until timestamp with time zone, total_nano bigint)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  _granted integer[];
begin
  -- the weakest lock that recovery's "for update" waits for; a heartbeat does not wait for it
  perform 1 from gateways g where g.incarnation = _incarnation and g.state = 'live' for key share;
  if not found then
    raise exception 'gateway % is not live', _incarnation using errcode = 'RC001';
  end if;
  perform 1 from budget_accounts a where a.id = any (_accounts) order by a.id for no key update;
  perform apply_due_limits(_accounts);
  with
  account as materialized (
    select a.id, coalesce(a.limit_nano, 4611686018427387904) - a.settled_nano - a.leased_nano as free
    from budget_accounts a where a.id = any (_accounts)
  ),
  need as materialized (
    select n.call, n.id, n.need, account.free,
      coalesce(sum(n.need) over (partition by n.id order by n.call) <= account.free, false) as fits
    from unnest(_calls, _accounts, _needs) n (call, id, need) left join account using (id)
  ),
  -- first pass: in line behind everybody; second: those who fit, and then those who fit behind them
  first_pass as (select call, bool_and(fits) as ok from need group by call),
  second_pass as (
    select need.call,
      coalesce(sum(need.need) over (partition by need.id order by first_pass.ok desc, need.call) <= need.free, false) as fits
    from need join first_pass using (call)
  ),
  granted as materialized (select call from second_pass group by call having bool_and(fits)),
  per_account as (
    select need.id, sum(need.need) as asked, coalesce(sum(need.need) filter (where granted.call is not null), 0) as given
    from need left join granted using (call) group by need.id
  ),
  other as (
    select l.account_id as id, count(*) as n from leases l
    where l.account_id = any (_accounts) and l.incarnation <> _incarnation and l.state <> 'closed'
      and l.granted_nano > l.returned_nano + l.posted_nano
    group by 1
  ),
  amount as materialized (
    select account.id, (p.given + case when p.given < p.asked then 0 else greatest(0, least(coalesce(e.extra, 0),
      trunc((account.free - p.given) / (2 * (coalesce(other.n, 0) + 1))))) end)::bigint as nano
    from account join per_account p using (id)
    left join (select e.id, max(e.extra) as extra from unnest(_extra_accounts, _extras) e (id, extra) group by e.id) e using (id)
    left join other using (id)
  ),
  taken as (
    update budget_accounts a set leased_nano = a.leased_nano + amount.nano
    from amount where a.id = amount.id and amount.nano > 0
  ),
  leased as (
    insert into leases as l (account_id, incarnation, granted_nano)
    select amount.id, _incarnation, amount.nano from amount where amount.nano > 0 order by amount.id
    on conflict (account_id, incarnation) do update set granted_nano = l.granted_nano + excluded.granted_nano
  )
  select array_agg(granted.call) into _granted from granted;
  return query
  select g.call, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint,
    null::integer, null::bigint, null::timestamptz, null::text, null::timestamptz, null::bigint, null::uuid,
    null::timestamptz, null::bigint
  from unnest(_granted) g (call)
  union all
  select null::integer, f.* from account_figures(_incarnation, _accounts) f;
end $function$
;

CREATE OR REPLACE FUNCTION public.heal_account(_account bigint)
 RETURNS TABLE(kind text, object text, kept text, due text)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
begin
  perform 1 from budget_accounts a where a.id = _account for no key update;
  return query select d.kind, d.object, d.kept, d.due from drifts_of(_account) d
    where d.kind in ('settled', 'leased', 'long_held', 'posted');
  if not found then
    return;
  end if;
  update leases l set posted_nano = p.nano, granted_nano = case
      when l.state = 'closed' then l.returned_nano + p.nano else greatest(l.granted_nano, l.returned_nano + p.nano) end
  from drifts_of(_account) d
  cross join lateral (select d.due::bigint as nano) p
  where d.kind = 'posted' and l.account_id = _account and l.incarnation = d.object::bigint;
  update budget_accounts a set settled_nano = b.settled_nano, long_held_nano = h.nano, leased_nano = r.nano + h.nano,
    carry_open = a.carried_on
  from recorded_of(_account) b,
    (select coalesce(sum(r.held_nano), 0) as nano from long_hold_accounts r where r.account_id = _account) h,
    (select coalesce(sum(l.granted_nano - l.returned_nano - l.posted_nano), 0) as nano from leases l where l.account_id = _account) r
  where a.id = _account;
  perform apply_limits(array[_account]);
end $function$
;
comment on function heal_account is 'returns what was wrong';

CREATE OR REPLACE FUNCTION public.heal_derived(_account bigint)
 RETURNS text[]
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  _wrong text[];
  _day date;
begin
  perform 1 from budget_accounts a where a.id = _account for no key update;
  select array_agg(d.kind) into _wrong from drifts_of(_account) d
  where d.kind in ('status_cache', 'usage_by_hour', 'usage_by_day');
  if 'status_cache' = any (_wrong) then
    insert into budget_status_cache as c (account_id, budget_id, settled_nano, charges, last_updated)
    select a.id, a.budget_id, b.settled_nano, b.charges, clock_timestamp()
    from budget_accounts a, recorded_of(_account) b where a.id = _account
    on conflict (account_id) do update set
      settled_nano = excluded.settled_nano, charges = excluded.charges, last_updated = excluded.last_updated;
  end if;
  if _wrong && array['usage_by_hour', 'usage_by_day'] then
    delete from usage_by_hour h where h.account_id = _account;
    delete from usage_by_day d where d.account_id = _account;
    for _day in select distinct r.day from budget_usage_records r where r.account_id = _account order by r.day loop
      perform add_to_usage_rollups(array_agg(r.day), array_agg(r.event_id), array_agg(r.account_id), array_agg(r.amount_nano))
      from budget_usage_records r where r.account_id = _account and r.day = _day;
    end loop;
  end if;
  return coalesce(_wrong, '{}');
end $function$
;
comment on function heal_derived is 'makes the status cache and the sums of an account anew where they are wrong; returns which were';

CREATE OR REPLACE FUNCTION public.is_for_each(_scope_type text, _scope_id text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select case _scope_type when 'tag' then substr(_scope_id, strpos(_scope_id, '=') + 1) else _scope_id end = '*'
$function$
;
comment on function is_for_each is 'whether a budget of this scope has an account for each subject';

CREATE OR REPLACE FUNCTION public.keep_budget_status_cache()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  _unknown bigint;
begin
  with charged as materialized (
    select n.account_id, sum(n.amount_nano) as amount_nano, count(*) as charges from new_records n group by n.account_id
  ),
  account as materialized (
    select c.*, a.budget_id from charged c
    left join lateral (select a.budget_id from budget_accounts a where a.id = c.account_id limit 1) a on true
  ),
  kept as (
    insert into budget_status_cache as c (account_id, budget_id, settled_nano, charges, last_updated)
    select a.account_id, a.budget_id, a.amount_nano, a.charges, clock_timestamp()
    from account a where a.budget_id is not null order by a.account_id
    on conflict (account_id) do update set
      settled_nano = c.settled_nano + excluded.settled_nano,
      charges = c.charges + excluded.charges,
      last_updated = excluded.last_updated
  )
  select min(a.account_id) into _unknown from account a where a.budget_id is null;
  if _unknown is not null then
    raise exception 'account % is charged and does not exist', _unknown using errcode = 'foreign_key_violation';
  end if;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.keep_long(_incarnation bigint, _hold json, _amounts json)
 RETURNS TABLE(kept boolean, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint, budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint, in_doubt_since timestamp with time zone, in_doubt_holder text, answered_at timestamp with time zone, long_held_nano bigint, long_hold uuid, long_held_until timestamp with time zone, total_nano bigint)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  _id uuid := (_hold ->> 'id')::uuid;
  _accounts bigint[];
  _kept boolean;
begin
  perform 1 from gateways g where g.incarnation = _incarnation and g.state = 'live' for key share;
  if not found then
    raise exception 'gateway % is not live', _incarnation using errcode = 'RC001';
  end if;
  select coalesce(array_agg(r.account_id), '{}') into _accounts from json_to_recordset(_amounts) r (account_id bigint);
  perform 1 from budget_accounts a where a.id = any (_accounts) order by a.id for no key update;
  _kept := exists (select from long_holds h where h.id = _id);
  if not _kept then
    select coalesce(bool_and(r.held_nano = 0 or coalesce(l.state = 'open'
      and l.granted_nano - l.returned_nano - l.posted_nano >= r.held_nano, false)), true)
      and not exists (select from usage_events e where e.day = day_of(_id) and e.id = _id)
      and not exists (select from long_holds h
        where h.provider = _hold ->> 'provider' and h.job_id = _hold ->> 'job_id')
    into _kept
    from json_to_recordset(_amounts) r (account_id bigint, held_nano bigint)
    left join leases l on l.account_id = r.account_id and l.incarnation = _incarnation;
    if _kept then
      insert into long_holds (id, source, incarnation, organization_id, team_id, project_id, user_id, key_id, session_id,
        end_user_id, tags, provider, endpoint, model, stream, request_id, amount_nano, currency, quote_nano, price_version,
        opened_at, expires_at, job_id, job, poll_at)
      select h.id, 'relaycore', _incarnation, h.organization_id, h.team_id, h.project_id, h.user_id, h.key_id, h.session_id,
        h.end_user_id, h.tags, h.provider, h.endpoint, h.model, h.stream, h.request_id, h.quote_nano, 'USD', h.quote_nano,
        h.price_version, h.opened_at, h.expires_at, h.job_id, h.job, clock_timestamp() + make_interval(secs => h.poll_in)
      from json_to_record(_hold) h (id uuid, organization_id text, team_id text, project_id text, user_id text, key_id text,
        session_id text, end_user_id text, tags jsonb, provider text, endpoint text, model text, stream boolean,
        request_id text, quote_nano bigint, price_version text, opened_at timestamptz, expires_at timestamptz, job_id text,
        job jsonb, poll_in double precision);
      insert into long_hold_accounts (hold_id, account_id, quote_nano, held_nano, rate)
      select _id, r.account_id, r.quote_nano, r.held_nano, r.rate
      from json_to_recordset(_amounts) r (account_id bigint, quote_nano bigint, held_nano bigint, rate text);
      update leases l set returned_nano = l.returned_nano + r.held_nano
      from long_hold_accounts r
      where r.hold_id = _id and r.held_nano > 0 and l.account_id = r.account_id and l.incarnation = _incarnation;
      update budget_accounts a set long_held_nano = a.long_held_nano + r.held_nano
      from long_hold_accounts r where r.hold_id = _id and r.held_nano > 0 and a.id = r.account_id;
    end if;
  end if;
  return query
  select _kept, f.* from account_figures(_incarnation, _accounts) f
  union all
  select _kept, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint,
    null::integer, null::bigint, null::timestamptz, null::text, null::timestamptz, null::bigint, null::uuid,
    null::timestamptz, null::bigint
  where cardinality(_accounts) = 0;
end $function$
;

CREATE OR REPLACE FUNCTION public.keep_spending_below()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.keep_usage_rollups()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  perform add_to_usage_rollups(array_agg(n.day), array_agg(n.event_id), array_agg(n.account_id), array_agg(n.amount_nano))
  from new_records n having count(*) > 0;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.limits_of(_budget budget_definitions, _subject text, _carried bigint, _period_end timestamp with time zone, _at timestamp with time zone)
 RETURNS TABLE(total_nano bigint, limit_nano bigint, until timestamp with time zone)
 LANGUAGE sql
 STABLE
AS $function$
  select t.nano, case when _budget.mode = 'enforced' then enforced_limit(t.nano, _budget.alerts, f.approved) end, f.until
  from (
    select coalesce(sum(d.amount_nano) filter (where d.in_force and d.kind <> 'approval'), 0) as adjusted,
      case when not coalesce(bool_or(d.in_force and d.amount_nano is null), false)
        then coalesce(sum(d.amount_nano) filter (where d.in_force and d.kind = 'approval'), 0) end as approved,
      least(min(d.effective_from) filter (where d.effective_from > d.at),
        min(d.effective_until) filter (where d.effective_until > d.at)) as until
    from (
      select d.*, m.at, d.effective_from <= m.at and coalesce(d.effective_until > m.at, true) as in_force
      from budget_adjustments d
      cross join lateral (select least(_at, _period_end - interval '1 millisecond') as at) m
      where d.budget_id = _budget.id and d.subject in ('', _subject) and d.revoked_at is null
        and coalesce(d.effective_until > m.at, true) and coalesce(d.effective_from < _period_end, true)
    ) d
  ) f
  cross join lateral (select least(
    (of_subject(_budget, _subject)).amount_nano + _carried + f.adjusted, 9000000000000000000)::bigint as nano) t
$function$
;

CREATE OR REPLACE FUNCTION public.lock_long_hold(_hold uuid)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
declare
  _state text;
begin
  perform 1 from budget_accounts a
  where a.id in (select r.account_id from long_hold_accounts r where r.hold_id = _hold) order by a.id for no key update;
  select h.state into _state from long_holds h where h.id = _hold for update;
  return _state;
end $function$
;

CREATE OR REPLACE FUNCTION public.note_crossings(_accounts bigint[])
 RETURNS void
 LANGUAGE sql
AS $function$
  insert into budget_alert_history (budget_id, account_id, threshold, amount_nano, actions, settled_nano)
  select b.id, a.id, (t ->> 'threshold')::numeric, n.amount_nano,
    array(select jsonb_array_elements_text(t -> 'actions')), a.settled_nano
  from budget_accounts a
  join budget_definitions b on b.id = a.budget_id
  cross join lateral jsonb_array_elements(b.alerts) t
  cross join lateral (select ((t ->> 'amount')::numeric * 1000000000)::bigint as amount_nano) n
  where a.id = any (_accounts) and a.settled_nano > 0
    and a.settled_nano >= coalesce(n.amount_nano, a.total_nano::numeric * (t ->> 'threshold')::numeric / 100)
    and not exists (select from budget_alert_history h
      where h.account_id = a.id and h.threshold is not distinct from (t ->> 'threshold')::numeric
        and h.amount_nano is not distinct from n.amount_nano)
  on conflict do nothing;
  update budget_accounts a set carry_open = true where a.id = any (_accounts) and a.carried_on and not a.carry_open;
$function$
;

CREATE OR REPLACE FUNCTION public.note_restore()
 RETURNS SETOF restores
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  _incarnations text := pg_get_serial_sequence('gateways', 'incarnation');
  _accounts text := pg_get_serial_sequence('budget_accounts', 'id');
  _living bigint;
  _row restores;
begin
  select d.id into _row.deployment_id from deployment d for update;
  select g.incarnation into _living from gateways g where responds(g) limit 1;
  if _living is not null then
    raise exception 'gateway % answers, or has until seconds before the backup: stop all gateways, and wait ten seconds', _living
      using errcode = 'RC002';
  end if;
  _row.at := clock_timestamp();
  _row.incarnation_after := nextval(_incarnations);
  _row.incarnation_up_to := setval(_incarnations, _row.incarnation_after + 1000000);
  _row.account_after := nextval(_accounts);
  _row.account_up_to := setval(_accounts, _row.account_after + 1000000000);
  -- whoever lives still starts anew, on its journal
  update gateways g set state = 'recovering' where g.state = 'live';
  update deployment d set id = gen_random_uuid();
  insert into restores select _row.*;
  return next _row;
end $function$
;
comment on function note_restore is 'once, behind a restore and before any gateway starts';

CREATE OR REPLACE FUNCTION public.of_subject(_budget budget_definitions, _subject text)
 RETURNS budget_definitions
 LANGUAGE plpgsql
 IMMUTABLE
AS $function$
begin
  if _budget.overrides ? _subject then
    _budget.amount_nano := (_budget.overrides ->> _subject)::numeric * 1000000000;
  end if;
  return _budget;
end $function$
;
comment on function of_subject is 'the budget as it is for one of its subjects';

CREATE OR REPLACE FUNCTION public.open_long_hold(_hold json, _amounts json)
 RETURNS TABLE(opened boolean, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint, budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint, in_doubt_since timestamp with time zone, in_doubt_holder text, answered_at timestamp with time zone, long_held_nano bigint, long_hold uuid, long_held_until timestamp with time zone, total_nano bigint)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  _accounts bigint[];
  _fits boolean;
begin
  select array_agg(r.account_id) into _accounts from json_to_recordset(_amounts) r (account_id bigint);
  perform 1 from budget_accounts a where a.id = any (_accounts) order by a.id for no key update;
  perform apply_due_limits(_accounts);
  select bool_and(a.limit_nano is null or r.quote_nano <= a.limit_nano - a.settled_nano - a.leased_nano)
    and count(*) = cardinality(_accounts)
  into _fits
  from json_to_recordset(_amounts) r (account_id bigint, quote_nano bigint) join budget_accounts a on a.id = r.account_id;
  if _fits then
    perform write_long_hold(_hold, null);
    insert into long_hold_accounts (hold_id, account_id, quote_nano, held_nano, rate)
    select (_hold ->> 'id')::uuid, a.id, r.quote_nano, case when a.limit_nano is null then 0 else r.quote_nano end, r.rate
    from json_to_recordset(_amounts) r (account_id bigint, quote_nano bigint, rate text)
    join budget_accounts a on a.id = r.account_id;
    update budget_accounts a set leased_nano = a.leased_nano + r.held_nano, long_held_nano = a.long_held_nano + r.held_nano
    from long_hold_accounts r where r.hold_id = (_hold ->> 'id')::uuid and a.id = r.account_id and r.held_nano > 0;
  end if;
  return query select coalesce(_fits, false), f.* from account_figures(0, _accounts) f;
end $function$
;

CREATE OR REPLACE FUNCTION public.post_usage(_incarnation bigint, _calls json, _returns json)
 RETURNS TABLE(event_id uuid, account_id bigint, limit_nano bigint, settled_nano bigint, leased_nano bigint, budget_version bigint, granted_nano bigint, posted_nano bigint, holders integer, in_doubt_nano bigint, in_doubt_since timestamp with time zone, in_doubt_holder text, answered_at timestamp with time zone, long_held_nano bigint, long_hold uuid, long_held_until timestamp with time zone, total_nano bigint)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  _events uuid[];
  _accounts bigint[];
  _amounts bigint[];
  _covered bigint[];
  _quotes bigint[];
  _rates text[];
  _touched bigint[];
  _inserted uuid[];
  _state text;
begin
  select g.state into _state from gateways g where g.incarnation = _incarnation for key share;
  if not found then
    raise exception 'gateway % is unknown', _incarnation using errcode = 'RC001';
  end if;
  select array_agg(k.id), array_agg(k.charges[c.n][1]), array_agg(k.charges[c.n][2]), array_agg(k.charges[c.n][3]),
    array_agg(coalesce(k.holds[h.n][2]::bigint, 0)), array_agg(k.holds[h.n][3])
  into _events, _accounts, _amounts, _covered, _quotes, _rates
  from (
    -- lists of lists of numbers, of which JSON and arrays differ by their brackets
    select o.id, translate(o."end" ->> 'charges', '[]', '{}')::bigint[] as charges,
      translate(o.holds::text, '[]', '{}')::text[] as holds
    from json_to_recordset(_calls) o (id uuid, holds json, "end" json) offset 0
  ) k
  cross join lateral generate_subscripts(k.charges, 1) c (n)
  -- mostly they are in the same order
  cross join lateral (
    select case when k.holds[c.n][1] = k.charges[c.n][1]::text then c.n
      else (select m from generate_subscripts(k.holds, 1) m where k.holds[m][1] = k.charges[c.n][1]::text limit 1) end as n
  ) h;
  select array_agg(distinct t.account_id) into _touched from (
    select a.account_id from unnest(_accounts) a (account_id)
    union select r.account_id from json_to_recordset(_returns) r (account_id bigint)) t;
  perform 1 from budget_accounts a where a.id = any (_touched) order by a.id for no key update;

  with inserted as (
    insert into usage_events (day, id, incarnation, organization_id, team_id, project_id, user_id, key_id, session_id, end_user_id,
      tags,
      provider, endpoint, model, model_used, stream, request_id, provider_request_id, outcome, status, certainty,
      input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens,
      web_searches, tier, units, reported_nano, quote_nano, cost_nano, price_version, opened_at, ended_at)
    select day_of(o.id), o.id, _incarnation, o.org, o.team, o.project, o."user", o.key, o.session, o."endUser", o.tags,
      o.provider, o.endpoint, o.model, e.model, o.stream, o.request, e.request, e.outcome, e.status, e.certainty,
      u."inputTokens", u."cacheReadTokens", u."cacheWrite5mTokens", u."cacheWrite1hTokens", u."outputTokens",
      u."reasoningTokens", u."webSearches", u.tier, u.units, u."reportedNano", o.quote, e.cost, o.price, to_timestamp(o.at / 1000.0),
      to_timestamp(e.at / 1000.0)
    from json_to_recordset(_calls) o (id uuid, at bigint, org text, team text, project text, "user" text, key text,
      session text, "endUser" text, tags jsonb, provider text, endpoint text, model text, stream boolean, request text, quote bigint,
      price text, "end" json)
    cross join lateral json_to_record(o."end") e (at bigint, outcome text, status smallint, certainty text, model text,
      usage json, cost bigint, request text)
    left join lateral json_to_record(e.usage) u ("inputTokens" bigint, "cacheReadTokens" bigint, "cacheWrite5mTokens" bigint,
      "cacheWrite1hTokens" bigint, "outputTokens" bigint, "reasoningTokens" bigint, "webSearches" integer, tier text,
      units jsonb, "reportedNano" bigint) on true
    where not exists (select from long_holds h where h.id = o.id)
    order by 1, 2
    on conflict do nothing
    returning day, id
  ),
  recorded as (
    insert into budget_usage_records (day, event_id, account_id, amount_nano, covered_nano, quote_nano, rate)
    select inserted.day, inserted.id, c.account_id, c.amount_nano, c.covered_nano, c.quote_nano, c.rate
    from unnest(_events, _accounts, _amounts, _covered, _quotes, _rates)
      c (event_id, account_id, amount_nano, covered_nano, quote_nano, rate)
    join inserted on inserted.id = c.event_id
    returning account_id, amount_nano, covered_nano
  ),
  moved as (
    select recorded.account_id, sum(recorded.amount_nano) as amount, sum(recorded.covered_nano) as covered
    from recorded group by 1
  ),
  -- what a gateway that is gone has spent it was granted, also where the database is older than that;
  -- a lease that was closed has given back all it could: what was kept for events pays for them, and nothing else
  given as (
    select l.account_id,
      case when l.state = 'open' then coalesce(moved.covered, 0)
        else least(coalesce(moved.covered, 0), l.granted_nano - l.returned_nano - l.posted_nano) end as covered,
      case when l.state = 'open' and _state <> 'live'
        then greatest(coalesce(moved.covered, 0) - (l.granted_nano - l.returned_nano - l.posted_nano), 0) else 0 end as unknown,
      case when l.state = 'open' then greatest(coalesce(r.returned_nano, 0) - l.returned_nano, 0) else 0 end as back
    from leases l
    left join (select r.account_id, max(r.returned_nano) as returned_nano
      from json_to_recordset(_returns) r (account_id bigint, returned_nano bigint) group by 1) r using (account_id)
    left join moved using (account_id)
    where l.incarnation = _incarnation and l.account_id = any (_touched)
  ),
  lease as (
    update leases l set granted_nano = l.granted_nano + given.unknown, posted_nano = l.posted_nano + given.covered,
      returned_nano = l.returned_nano + given.back,
      state = case when l.state = 'kept' and l.granted_nano = l.returned_nano + l.posted_nano + given.covered
        then 'closed' else l.state end
    from given
    where l.account_id = given.account_id and l.incarnation = _incarnation and (given.covered <> 0 or given.back <> 0)
  ),
  account as (
    update budget_accounts a set
      settled_nano = a.settled_nano + coalesce(moved.amount, 0),
      leased_nano = a.leased_nano - coalesce(given.back, 0) - coalesce(given.covered - given.unknown, 0)
    from unnest(_touched) t (account_id) left join moved using (account_id) left join given using (account_id)
    where a.id = t.account_id and (moved.account_id is not null or given.back <> 0)
  )
  select coalesce(array_agg(inserted.id), '{}') into _inserted from inserted;

  if _state = 'written off' then
    perform replace_write_off(_incarnation, (select array_agg(r.account_id order by r.account_id) from used_by(_inserted) r),
      (select array_agg(r.covered_nano order by r.account_id) from used_by(_inserted) r));
  end if;

  if cardinality(_inserted) > 0 then
    perform note_crossings(_touched);
  end if;

  return query
  select i.id, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint,
    null::integer, null::bigint, null::timestamptz, null::text, null::timestamptz, null::bigint, null::uuid,
    null::timestamptz, null::bigint
  from unnest(_inserted) i (id)
  union all
  select null::uuid, f.* from account_figures(_incarnation, _touched) f;
end$function$
;

CREATE OR REPLACE FUNCTION public.rebuild_usage_rollups(_budget uuid)
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
declare
  _account bigint;
  _day date;
  _rebuilt integer := 0;
begin
  perform 1 from budget_accounts a where a.budget_id = _budget order by a.id for no key update;
  for _account in
    select a.id from budget_accounts a
    where a.budget_id = _budget and not exists (select from detached_usage d where d.account_id = a.id) order by a.id
  loop
    delete from usage_by_hour h where h.account_id = _account;
    delete from usage_by_day d where d.account_id = _account;
    for _day in select distinct r.day from budget_usage_records r where r.account_id = _account order by r.day loop
      perform add_to_usage_rollups(array_agg(r.day), array_agg(r.event_id), array_agg(r.account_id), array_agg(r.amount_nano))
      from budget_usage_records r where r.account_id = _account and r.day = _day;
    end loop;
    _rebuilt := _rebuilt + 1;
  end loop;
  return _rebuilt;
end $function$
;
comment on function rebuild_usage_rollups is 'returns of how many accounts';

CREATE OR REPLACE FUNCTION public.record_entry(_incarnation bigint, _outcome text, _accounts bigint[], _amounts bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  _at timestamptz := clock_timestamp();
  _id uuid := (lpad(to_hex((extract(epoch from _at) * 1000)::bigint), 12, '0') || '7' ||
    substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid;
  _day date := (_at at time zone 'UTC')::date;
begin
  insert into usage_events (day, id, incarnation, provider, endpoint, model, stream, outcome, certainty, quote_nano,
    cost_nano, price_version, opened_at, ended_at)
  select _day, _id, _incarnation, 'relaycore', 'write-off', 'none', false, _outcome, 'uncertain', 0,
    coalesce(max(e.amount) filter (where a.currency = 'USD'), 0), 'none', _at, _at
  from unnest(_accounts, _amounts) e (account_id, amount) join budget_accounts a on a.id = e.account_id;
  insert into budget_usage_records (day, event_id, account_id, amount_nano, covered_nano, quote_nano)
  select _day, _id, e.account_id, e.amount, 0, 0 from unnest(_accounts, _amounts) e (account_id, amount);
  update budget_accounts a set settled_nano = a.settled_nano + e.amount
  from unnest(_accounts, _amounts) e (account_id, amount) where a.id = e.account_id;
end $function$
;

CREATE OR REPLACE FUNCTION public.record_usage(_days date[], _ids uuid[], _callers json, _events json, _reversals json, _of integer[], _accounts bigint[], _amounts bigint[], _rates text[])
 RETURNS TABLE(ordinal integer, problem text, id uuid, base_nano numeric, event_currency text, budget_currency text, account_id bigint, period_end timestamp with time zone, recorded_at timestamp with time zone)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  _now timestamptz(3) := clock_timestamp();
  _reverses boolean := json_array_length(_reversals) > 0;
  _touched bigint[];
  _known integer[] := '{}';
  _claims integer := json_array_length(_callers);
  _claimed integer;
begin
  select array_agg(distinct a.account_id) into _touched from unnest(_accounts) a (account_id);
  if _reverses then
    select array_agg(distinct t.account_id) into _touched from (
      select a.account_id from unnest(_touched) a (account_id)
      union all
      select o.account_id from json_to_recordset(_reversals) r (ordinal integer, corrects uuid)
      cross join lateral (
        select u.account_id from budget_usage_records u where u.day = _days[r.ordinal + 1] and u.event_id = r.corrects limit 1000
      ) o) t;
  end if;
  perform 1 from budget_accounts a where a.id = any (_touched) order by a.id for no key update;

  if _claims > 0 then
    insert into usage_ids (organization_id, source, caller_id, day, event_id, content_hash)
    select c.organization_id, c.source, c.caller_id, _days[c.ordinal + 1], _ids[c.ordinal + 1], c.content_hash::bytea
    from json_to_recordset(_callers) c (ordinal integer, organization_id text, source text, caller_id text, content_hash text)
    order by 1, 2, 3
    on conflict do nothing;
    get diagnostics _claimed = row_count;
    if _claimed < _claims then
      -- read behind the wait for whoever claimed them at the same time
      return query
      select c.ordinal, case when u.content_hash <> c.content_hash::bytea then 'conflict' end, u.event_id,
        null::numeric, null::text, null::text, null::bigint, null::timestamptz, null::timestamptz
      from json_to_recordset(_callers) c (ordinal integer, organization_id text, source text, caller_id text, content_hash text)
      cross join lateral (
        select * from usage_ids u
        where (u.organization_id, u.source, u.caller_id) = (c.organization_id, c.source, c.caller_id) limit 1
      ) u
      where u.event_id <> _ids[c.ordinal + 1];
      select coalesce(array_agg(c.ordinal), '{}') into _known
      from json_to_recordset(_callers) c (ordinal integer, organization_id text, source text, caller_id text)
      cross join lateral (
        select u.event_id from usage_ids u
        where (u.organization_id, u.source, u.caller_id) = (c.organization_id, c.source, c.caller_id) limit 1
      ) u
      where u.event_id <> _ids[c.ordinal + 1];
    end if;
  end if;

  if _reverses then
    return query
    select t.ordinal, t.problem, null::uuid, t.base_nano, t.event_currency, t.budget_currency, null::bigint,
      null::timestamptz, null::timestamptz
    from taken_back(_reversals) t where t.problem is not null and t.ordinal <> all (_known);
    if found then
      return;
    end if;
  end if;

  insert into usage_events (day, id, source, organization_id, team_id, project_id, user_id, tags, provider, endpoint, model,
    stream, request_id, outcome, certainty, quote_nano, cost_nano, price_version, opened_at, ended_at, recorded_at, budget_id,
    caller_id, amount_nano, currency, rate, description, metadata)
  select _days[e.ordinal + 1], _ids[e.ordinal + 1], e.source, e.organization_id, e.team_id, e.project_id, e.user_id, e.tags,
    e.provider, 'recorded', e.model, false, e.request_id, 'recorded', 'exact', 0, e.cost_nano, 'none', e.at, e.at,
    _now, e.budget_id, e.caller_id, e.amount_nano, e.currency, e.rate, e.description, e.metadata
  from json_to_recordset(_events) e (ordinal integer, source text, organization_id text, team_id text, project_id text,
    user_id text, tags jsonb, provider text, model text, request_id text, cost_nano bigint, at timestamptz, budget_id uuid,
    caller_id text, amount_nano bigint, currency text, rate text, description text, metadata jsonb)
  where e.ordinal <> all (_known)
  order by 1, 2;

  if _reverses then
    with
    reversal as materialized (
      select r.* from json_to_recordset(_reversals) r (ordinal integer, budget_id uuid, corrects uuid, source text,
        caller_id text, request_id text, description text, metadata jsonb)
      where r.ordinal <> all (_known)
    ),
    taken as materialized (select t.* from taken_back(_reversals) t where t.ordinal <> all (_known)),
    -- for whom and what it was stays as it was, so that reports of both add up
    event as (
      insert into usage_events (day, id, source, organization_id, team_id, project_id, user_id, key_id, session_id, tags,
        provider, endpoint, model, model_used, stream, request_id, outcome, certainty, quote_nano, cost_nano, price_version,
        opened_at, ended_at, recorded_at, budget_id, caller_id, amount_nano, currency, rate, corrects, description, metadata)
      select o.day, _ids[r.ordinal + 1], r.source, o.organization_id, o.team_id, o.project_id, o.user_id, o.key_id,
        o.session_id, o.tags, o.provider, o.endpoint, o.model, o.model_used, o.stream, r.request_id, 'reversed', 'exact', 0,
        t.event_cost_nano, o.price_version, o.opened_at, o.ended_at, _now, r.budget_id, r.caller_id,
        t.event_amount_nano, t.event_currency, o.rate, r.corrects, r.description, r.metadata
      from reversal r
      cross join lateral (select * from usage_events o where o.day = _days[r.ordinal + 1] and o.id = r.corrects limit 1) o
      cross join lateral (select * from taken t where t.ordinal = r.ordinal limit 1) t
      order by 1, 2
    )
    select _of || array_agg(t.ordinal), _accounts || array_agg(t.account_id), _amounts || array_agg(t.amount_nano),
      _rates || array_agg(t.rate)
    into _of, _accounts, _amounts, _rates from taken t;
  end if;

  insert into budget_usage_records (day, event_id, account_id, amount_nano, covered_nano, quote_nano, rate)
  select _days[c.ordinal + 1], _ids[c.ordinal + 1], c.account_id, c.amount_nano, 0, 0, c.rate
  from unnest(_of, _accounts, _amounts, _rates) c (ordinal, account_id, amount_nano, rate)
  where c.ordinal <> all (_known);
  update budget_accounts a set settled_nano = a.settled_nano + m.amount_nano
  from (
    select c.account_id, sum(c.amount_nano) as amount_nano from unnest(_of, _accounts, _amounts) c (ordinal, account_id, amount_nano)
    where c.ordinal <> all (_known) group by c.account_id
  ) m
  where a.id = m.account_id;

  perform note_crossings(_touched);
  return query
  select null::integer, null::text, null::uuid, null::numeric, null::text, null::text, a.id, a.period_end, _now
  from budget_accounts a where a.id = any (_touched);
end $function$
;

CREATE OR REPLACE FUNCTION public.recorded_of(_account bigint)
 RETURNS TABLE(settled_nano bigint, charges bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select (r.settled_nano + d.settled_nano)::bigint, (r.charges + d.charges)::bigint
  from (select coalesce(sum(r.amount_nano), 0) as settled_nano, count(*) as charges
      from budget_usage_records r where r.account_id = _account) r,
    (select coalesce(sum(d.settled_nano), 0) as settled_nano, coalesce(sum(d.charges), 0) as charges
      from detached_usage d where d.account_id = _account) d
$function$
;
comment on function recorded_of is 'as calculate_budget_status() has it, of one account';

CREATE OR REPLACE FUNCTION public.refresh_budget_status_cache(_budget uuid)
 RETURNS TABLE(accounts integer, healed integer, accounts_differing integer)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  _wrong bigint[];
  _accounts integer;
  _differing integer;
begin
  select array_agg(s.account_id) filter (where (s.settled_nano, s.charges) is distinct from
      (coalesce(c.settled_nano, 0), coalesce(c.charges, 0))),
    count(*), count(*) filter (where a.settled_nano <> s.settled_nano)
  into _wrong, _accounts, _differing
  from calculate_budget_status(_budget) s
  join budget_accounts a on a.id = s.account_id
  left join budget_status_cache c on c.account_id = s.account_id;
  if _wrong is not null then
    perform 1 from budget_accounts a where a.id = any (_wrong) order by a.id for no key update;
    insert into budget_status_cache as c (account_id, budget_id, settled_nano, charges, last_updated)
    select s.account_id, _budget, s.settled_nano, s.charges, clock_timestamp()
    from calculate_budget_status(_budget) s where s.account_id = any (_wrong)
    on conflict (account_id) do update set
      settled_nano = excluded.settled_nano, charges = excluded.charges, last_updated = excluded.last_updated;
  end if;
  return query select _accounts, coalesce(cardinality(_wrong), 0), _differing;
end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_change_of_audit()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'the audit log is only ever added to: % of % is refused', lower(tg_op), tg_table_name using errcode = 'RC003';
end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_detached_month()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if exists (select from detached_months d where d.month = date_trunc('month', new.day)) then
    raise exception 'the records of % were taken out of the ledger: nothing of that month can be recorded any more',
      to_char(new.day, 'YYYY-MM') using errcode = 'check_violation', constraint = 'detached_month';
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.rename_in_events(_user text, _as text, _from date, _since timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  _renamed bigint;
begin
  update usage_events e set user_id = _as, session_id = null, end_user_id = null, request_id = null, description = null,
    metadata = null
  where e.user_id = _user and e.day >= _from and e.recorded_at >= _since;
  get diagnostics _renamed = row_count;
  return _renamed;
end $function$
;

CREATE OR REPLACE FUNCTION public.replace_write_off(_incarnation bigint, _accounts bigint[], _covered bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
declare
  _of bigint[];
  _back bigint[];
begin
  select array_agg(l.account_id order by l.account_id), array_agg(-least(e.covered, l.written_off_nano) order by l.account_id)
  into _of, _back
  from unnest(_accounts, _covered) e (account_id, covered) join leases l using (account_id)
  where l.incarnation = _incarnation and least(e.covered, l.written_off_nano) > 0;
  if _of is null then
    return;
  end if;
  update leases l set written_off_nano = l.written_off_nano + e.back
  from unnest(_of, _back) e (account_id, back) where l.account_id = e.account_id and l.incarnation = _incarnation;
  perform record_entry(_incarnation, 'write_off_replaced', _of, _back);
end $function$
;

CREATE OR REPLACE FUNCTION public.require_finished_month()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  -- partitions of the last month and of later ones are made whenever they are missing
  if new.month >= date_trunc('month', clock_timestamp() at time zone 'UTC') - interval '1 month' then
    raise exception 'month % is not over for long enough: only those before the last one can be detached',
      to_char(new.month, 'YYYY-MM') using errcode = 'check_violation', constraint = 'detached_months_finished';
  end if;
  if exists (select from long_holds h where h.state = 'open' and h.opened_at < (new.month + interval '1 month') at time zone 'UTC') then
    raise exception 'holds that were opened in % or before are still open', to_char(new.month, 'YYYY-MM')
      using errcode = 'check_violation', constraint = 'detached_months_held';
  end if;
  return new;
end $function$
;

CREATE OR REPLACE FUNCTION public.responds(_gateway gateways)
 RETURNS boolean
 LANGUAGE sql
AS $function$
  select _gateway.state = 'live' and _gateway.heartbeat_at
    between clock_timestamp() - interval '10 seconds' and clock_timestamp() + interval '10 seconds'
$function$
;

CREATE OR REPLACE FUNCTION public.stored_of_user(_user text)
 RETURNS TABLE(what text, stored bigint)
 LANGUAGE sql
 STABLE
AS $function$
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
$function$
;
comment on function stored_of_user is 'what names this user, by kind';

CREATE OR REPLACE FUNCTION public.suspect_accounts(_accounts bigint[])
 RETURNS SETOF bigint
 LANGUAGE sql
 STABLE
AS $function$
  select a.id
  from budget_accounts a
  left join budget_status_cache c on c.account_id = a.id
  cross join lateral (
    select coalesce(sum(d.amount_nano), 0) as amount_nano, coalesce(sum(d.records), 0) as records
    from usage_by_day d where d.account_id = a.id and d.facet = 'model'
  ) day
  cross join lateral (
    select coalesce(sum(l.granted_nano - l.returned_nano - l.posted_nano), 0) as rest_nano from leases l where l.account_id = a.id
  ) lease
  cross join lateral (
    select coalesce(sum(r.held_nano), 0) as held_nano from long_hold_accounts r where r.account_id = a.id and r.held_nano > 0
  ) hold
  where a.id = any (_accounts) and (
    a.settled_nano <> coalesce(c.settled_nano, 0) or a.settled_nano <> day.amount_nano or coalesce(c.charges, 0) <> day.records
    or a.settled_nano < 0 or a.long_held_nano <> hold.held_nano or a.leased_nano <> lease.rest_nano + hold.held_nano)
  order by a.id
$function$
;

CREATE OR REPLACE FUNCTION public.sweep_due_limits(_most integer)
 RETURNS SETOF bigint
 LANGUAGE plpgsql
AS $function$
declare
  _due bigint[];
  _after bigint[];
begin
  select array_agg(d.id) into _due from (
    select a.id from budget_accounts a where a.limit_until <= clock_timestamp() order by a.limit_until limit _most) d;
  if _due is not null then
    perform apply_due_limits(_due);
  end if;
  select array_agg(n.id) into _after from (
    select n.id
    from budget_accounts o
    join budget_definitions b on b.id = o.budget_id
    join budget_accounts n on n.carried_from = o.id
    where o.carry_open and (o.leased_nano = 0 or (b.carry_over is not null and n.carried_nano <> carried_of(b, o)))
    order by o.id limit _most
  ) n;
  if _after is not null then
    perform 1 from budget_accounts a
    where a.id = any (_after) or a.id in (select n.carried_from from budget_accounts n where n.id = any (_after))
    order by a.id for no key update;
    perform carry_into(_after);
  end if;
  return query select unnest(_due) union select unnest(_after);
end $function$
;

CREATE OR REPLACE FUNCTION public.taken_back(_reversals json)
 RETURNS TABLE(ordinal integer, problem text, base_nano numeric, event_currency text, budget_currency text, account_id bigint, amount_nano bigint, rate text, event_amount_nano bigint, event_cost_nano bigint)
 LANGUAGE sql
 STABLE
AS $function$
  with target as materialized (
    select r.ordinal, r.day, r.budget_id, r.currency as terms, r.back_nano, e.id, coalesce(e.currency, 'USD') as currency,
      e.corrects is not null or e.endpoint = 'write-off' as is_entry,
      coalesce(e.amount_nano, e.cost_nano) + coalesce(c.amount_nano, 0) as amount_left,
      e.cost_nano + coalesce(c.cost_nano, 0) as cost_left,
      array_append(c.ids, e.id) as ids
    from json_to_recordset(_reversals) r (ordinal integer, day date, budget_id uuid, corrects uuid, currency text,
      back_nano bigint)
    left join lateral (select * from usage_events e where e.day = r.day and e.id = r.corrects limit 1) e on true
    left join lateral (
      select sum(coalesce(c.amount_nano, c.cost_nano)) as amount_nano, sum(c.cost_nano) as cost_nano, array_agg(c.id) as ids
      from usage_events c where c.day = r.day and c.corrects = r.corrects
    ) c on true
  ),
  charge as materialized (
    select t.ordinal, a.budget_id, a.currency, o.*
    from target t
    cross join lateral (
      select r.account_id, sum(r.amount_nano) as left_nano, min(r.rate) filter (where r.event_id = t.id) as rate
      from budget_usage_records r where r.day = t.day and r.event_id = any (t.ids)
      group by r.account_id
    ) o
    join budget_accounts a on a.id = o.account_id
  ),
  judged as materialized (
    select t.*, own.currency as own_currency, b.base_nano,
      case
        when own.account_id is null then 'unknown'
        when t.is_entry then 'entry'
        when b.base_nano is null then 'currency'
        when t.back_nano > b.base_nano then 'too much'
      end as problem
    from target t
    left join charge own on own.ordinal = t.ordinal and own.budget_id = t.budget_id
    cross join lateral (
      select case t.terms when t.currency then t.amount_left when own.currency then own.left_nano end as base_nano
    ) b
  )
  select j.ordinal, j.problem, j.base_nano, j.currency, j.own_currency, null, null, null, null, null
  from judged j where j.problem is not null
  union all
  select j.ordinal, null, j.base_nano, j.currency, j.own_currency, c.account_id,
    (-div(c.left_nano * j.back_nano, j.base_nano))::bigint, c.rate,
    (-div(j.amount_left * j.back_nano, j.base_nano))::bigint, (-div(j.cost_left * j.back_nano, j.base_nano))::bigint
  from judged j join charge c using (ordinal)
  where j.problem is null
$function$
;

CREATE OR REPLACE FUNCTION public.threshold_nano(_alert jsonb, _total bigint)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select coalesce((_alert ->> 'amount')::numeric * 1000000000, trunc(_total * (_alert ->> 'threshold')::numeric / 100))
$function$
;
comment on function threshold_nano is 'a threshold of a budget as an amount, where 100 % is the total; rounded down';

CREATE OR REPLACE FUNCTION public.unit_tokens(_units jsonb, _names text[])
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select coalesce(sum((_units ->> n.name)::bigint), 0)::bigint from unnest(_names) n (name)
$function$
;

CREATE OR REPLACE FUNCTION public.usage_sums(_account bigint)
 RETURNS TABLE(facet text, hour timestamp with time zone, day date, value text[], amount_nano bigint, records bigint, input_tokens bigint, output_tokens bigint)
 LANGUAGE plpgsql
 STABLE
 SET jit TO 'off'
AS $function$
#variable_conflict use_column
begin
  return query with fact as materialized (
    select r.amount_nano, e.source, left(e.provider, 256) as provider, left(coalesce(e.model_used, e.model), 256) as model,
      left(e.key_id, 256) as key_id, left(e.user_id, 256) as user_id, left(e.team_id, 256) as team_id,
      left(e.project_id, 256) as project_id, case when jsonb_typeof(e.tags) = 'object' then e.tags end as tags,
      coalesce(e.input_tokens, 0) + coalesce(e.cache_read_tokens, 0) + coalesce(e.cache_write_5m_tokens, 0)
        + coalesce(e.cache_write_1h_tokens, 0) + case when e.units is null then 0 else unit_tokens(e.units, array['inputAudioTokens',
          'cachedAudioTokens', 'inputImageTokens', 'cachedImageTokens', 'inputVideoTokens']) end as input_tokens,
      coalesce(e.output_tokens, 0) + case when e.units is null then 0
        else unit_tokens(e.units, array['outputAudioTokens', 'outputImageTokens']) end as output_tokens,
      date_trunc('hour', greatest(a.period_start,
        least(e.opened_at, coalesce(a.period_end, 'infinity') - interval '1 millisecond')), b.timezone) as hour, b.timezone
    from budget_accounts a
    join budget_definitions b on b.id = a.budget_id
    join budget_usage_records r on r.account_id = a.id
    join usage_events e on e.day = r.day and e.id = r.event_id
    where a.id = _account
  ),
  summed as (
    select f.hour, f.timezone,
      case when grouping(f.model) = 0 then 'model' when grouping(f.key_id) = 0 then 'key' else 'user' end as facet,
      case when grouping(f.model) = 0 then array[f.source, f.provider, f.model]
        when grouping(f.key_id) = 0 then array[f.key_id, f.team_id, f.project_id] else array[f.user_id] end as value,
      sum(f.amount_nano)::bigint as amount_nano, count(*) as records, sum(f.input_tokens)::bigint as input_tokens,
      sum(f.output_tokens)::bigint as output_tokens
    from fact f
    group by f.hour, f.timezone, grouping sets ((f.source, f.provider, f.model), (f.key_id, f.team_id, f.project_id), (f.user_id))
    union all
    select f.hour, f.timezone, 'tag:' || left(t.name, 64), array[left(t.value, 256)], sum(f.amount_nano)::bigint, count(*),
      sum(f.input_tokens)::bigint, sum(f.output_tokens)::bigint
    from fact f
    cross join lateral (
      select t.name, t.value from jsonb_each_text(f.tags) t (name, value) where t.value is not null order by t.name limit 8
    ) t
    where f.tags is not null
    group by 1, 2, 3, 4
  )
  select s.facet, s.hour, (s.hour at time zone s.timezone)::date, s.value, s.amount_nano, s.records, s.input_tokens, s.output_tokens
  from summed s where num_nulls(variadic s.value) < cardinality(s.value);
end $function$
;

CREATE OR REPLACE FUNCTION public.used_by(_events uuid[])
 RETURNS TABLE(account_id bigint, covered_nano bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select r.account_id, sum(r.covered_nano)::bigint from budget_usage_records r where r.event_id = any (_events) group by 1
$function$
;

CREATE OR REPLACE FUNCTION public.write_long_hold(_hold json, _incarnation bigint)
 RETURNS void
 LANGUAGE sql
AS $function$
  insert into long_holds (id, source, incarnation, organization_id, team_id, project_id, user_id, key_id, session_id, tags,
    provider, endpoint, model, external_id, description, metadata, amount_nano, currency, rate, quote_nano, price_version,
    created_by, opened_at, expires_at)
  select h.id, h.source, _incarnation, h.organization_id, h.team_id, h.project_id, h.user_id, h.key_id, h.session_id, h.tags,
    h.provider, h.endpoint, h.model, h.external_id, h.description, h.metadata, h.amount_nano, h.currency, h.rate,
    h.quote_nano, h.price_version, h.created_by, h.opened_at, h.expires_at
  from json_to_record(_hold) h (id uuid, source text, organization_id text, team_id text, project_id text, user_id text,
    key_id text, session_id text, tags jsonb, provider text, endpoint text, model text, external_id text, description text,
    metadata jsonb, amount_nano bigint, currency text, rate text, quote_nano bigint, price_version text, created_by text,
    opened_at timestamptz, expires_at timestamptz)
$function$
;

CREATE OR REPLACE FUNCTION public.write_off(_incarnation bigint)
 RETURNS TABLE(account_id bigint, amount_nano bigint)
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

create aggregate total(bigint) (sfunc = int8pl, stype = bigint, initcond = '0', combinefunc = int8pl, parallel = s);
comment on aggregate total(bigint) is 'of counts; amounts of several accounts are summed by sum()';

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON public.audit_head FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit();

CREATE TRIGGER only_forward BEFORE UPDATE ON public.audit_head FOR EACH ROW WHEN ((new.seq < old.seq)) EXECUTE FUNCTION refuse_change_of_audit();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit();

CREATE TRIGGER keep_budget_status_cache AFTER INSERT ON public.budget_usage_records REFERENCING NEW TABLE AS new_records FOR EACH STATEMENT EXECUTE FUNCTION keep_budget_status_cache();

CREATE TRIGGER keep_spending_below AFTER INSERT ON public.budget_usage_records REFERENCING NEW TABLE AS new_records FOR EACH STATEMENT EXECUTE FUNCTION keep_spending_below();

CREATE TRIGGER keep_usage_rollups AFTER INSERT ON public.budget_usage_records REFERENCING NEW TABLE AS new_records FOR EACH STATEMENT EXECUTE FUNCTION keep_usage_rollups();

CREATE TRIGGER refuse_detached_month BEFORE INSERT ON public.budget_usage_records_default FOR EACH ROW EXECUTE FUNCTION refuse_detached_month();

CREATE TRIGGER require_finished_month BEFORE INSERT ON public.detached_months FOR EACH ROW EXECUTE FUNCTION require_finished_month();

CREATE TRIGGER refuse_detached_month BEFORE INSERT ON public.usage_events_default FOR EACH ROW EXECUTE FUNCTION refuse_detached_month();
