-- Requests and tokens per minute and concurrent calls, of a gateway key and of whom a budget is for.

alter table budget_definitions add column rate_limits jsonb check (jsonb_typeof(rate_limits) = 'object');
comment on column budget_definitions.rate_limits is 'requestsPerMinute, tokensPerMinute, concurrentCalls, for each of its subjects; null: none';

alter table api_keys add column rate_limits jsonb check (jsonb_typeof(rate_limits) = 'object');
comment on column api_keys.rate_limits is 'requestsPerMinute, tokensPerMinute, concurrentCalls; null: none';
