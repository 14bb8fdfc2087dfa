-- What budgets ask of calls besides their amount.

alter table budget_definitions drop constraint budget_definitions_mode_check;
alter table budget_definitions add constraint budget_definitions_mode_check check (mode in ('enforced', 'soft', 'shadow'));

alter table budget_definitions
  add column cap_to_fit jsonb,
  add column fail_open_nano bigint check (fail_open_nano > 0);
comment on column budget_definitions.cap_to_fit is 'minimumTokens and reasoning; null: output limits stay as they are asked for';
comment on column budget_definitions.fail_open_nano is 'what each gateway may let through while PostgreSQL does not answer; null: nothing';
