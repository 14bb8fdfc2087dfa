-- Prices that administrators say, over those of the catalog: added, never changed, each from a time on.

create table model_prices (
  provider text not null check (length(provider) between 1 and 100),
  model text not null check (length(model) between 1 and 200),
  effective_at timestamptz(3) not null,
  prices jsonb not null check (jsonb_typeof(prices) = 'object'),
  created_at timestamptz(3) not null default clock_timestamp(),
  primary key (provider, model, effective_at)
);
comment on table model_prices is 'USD per million of each unit, as texts, in the form of the catalog';
