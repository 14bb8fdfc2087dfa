import { Type } from 'typebox'
import { Nullable, PageAnswer, PageQuery, RateLimits, Text, Time, UUID } from './schemas.ts'

/** Shapes of budgets. Bodies are described here, and checked by src/budget/define.ts, which says what is wrong. */
export const ScopeTypes = Type.Enum(['organization', 'team', 'user', 'project', 'key', 'session', 'tag', 'endUser'], { description: 'whom a budget is for' })
const Periods = Type.Enum(['daily', 'weekly', 'monthly', 'quarterly', 'annual', 'custom'], {
  description: 'by the calendar of the time zone, weeks from Monday; custom: from startDate to endDate, and again',
})
const Modes = Type.Enum(['enforced', 'soft', 'shadow'], {
  description: 'soft counts and never refuses; shadow neither, and logs and counts what it would have done; enforced if not given',
})
const Currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217', examples: ['USD'] })
export const Uuid = Type.String({
  pattern: UUID, examples: ['01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55'],
})
const Moment = Type.String({ ...Time, description: 'RFC 3339, or a day, which begins in the time zone; answered in UTC' })
const Tags = Type.Record(Type.String(), Type.String({ maxLength: 256 }), { examples: [{ costCenter: '4711' }] })
const Name = (description: string) => Type.String({ minLength: 1, maxLength: 256, description })

export const Amount = Type.Union([Type.String(), Type.Number()], {
  description: 'more than 0, at most 9,000,000,000, at most 9 decimals: a decimal string, or a number that means its ' +
    'shortest decimal form',
  examples: ['12.50'],
})

const Alert = Type.Object({
  threshold: Type.Optional(Type.Number({
    exclusiveMinimum: 0, maximum: 1000, description: 'percent of the amount with the adjustments in force', examples: [80],
  })),
  amount: Type.Optional(Type.Union([Type.String(), Type.Number()], {
    description: 'in place of a percentage, in the currency of the budget', examples: ['250'],
  })),
  actions: Type.Array(Type.Enum(['notify', 'restrict-models', 'require-approval', 'auto-downgrade', 'block-all']), {
    description: 'block-all: nothing is held past the threshold, at most 100 %; require-approval: only as far as it is ' +
      'approved; the others judge by what is spent',
  }),
  notificationChannels: Type.Array(Type.String({ maxLength: 256 })),
  message: Nullable(Type.String({ maxLength: 1024 })),
  models: Type.Optional(Type.Array(Type.String({ maxLength: 256 }), {
    description: 'of restrict-models: names, or patterns with *, of the models that are still allowed',
    examples: [['gpt-4o-mini', 'claude-haiku-*']],
  })),
  downgrade: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 256 }), {
    description: 'of auto-downgrade: from a model to a cheaper one of the same provider, which is called instead',
    examples: [{ 'gpt-4o': 'gpt-4o-mini' }],
  })),
})

const CapToFit = Type.Object({
  minimumTokens: Type.Optional(Type.Integer({
    minimum: 1, maximum: 10_000_000, default: 1024, description: 'per answer, besides those of stated thinking; with less left the call is refused',
  })),
  reasoning: Type.Optional(Type.Boolean({
    default: false, description: 'also of models that think as long as they like: their answer may be cut off before it begins',
  })),
}, { additionalProperties: false })

const CarryOver = Type.Object({
  percent: Type.Optional(Type.Number({ minimum: 0, maximum: 100, default: 100, description: 'of what was not spent' })),
  max: Type.Optional(Nullable(Type.Union([Type.String(), Type.Number()], { description: 'at most so much of it; null: all', examples: ['50'] }))),
  debt: Type.Optional(Type.Boolean({ default: true, description: 'also what was spent past the limit' })),
}, { additionalProperties: false })

const FailOpen = Type.Object({
  openUpTo: Type.Union([Type.String(), Type.Number()], {
    description: 'what each gateway may let through while PostgreSQL does not answer', examples: ['5'],
  }),
}, { additionalProperties: false })

const Filters = Type.Object({
  providers: Type.Optional(Type.Array(Type.String(), { examples: [['openai']] })),
  models: Type.Optional(Type.Array(Type.String(), { description: 'names, or patterns with *', examples: [['gpt-*']] })),
  endpoints: Type.Optional(Type.Array(Type.String(), {
    description: 'names, or patterns with *, as usage events have them; that of long holds is `holds`', examples: [['chat.completions']],
  })),
  tags: Type.Optional(Tags),
}, { description: 'the budget applies to calls that pass all of them' })

const Fields = {
  name: Name('for people'),
  description: Nullable(Type.String({ maxLength: 4096 })),
  organizationId: Nullable(Name('of scope organization: its scopeId; none: the scopeId matches in every organization')),
  scopeType: ScopeTypes,
  scopeId: Name('of the organization, team, user and so on; of a key its id; of a tag `name=value`; `*` (`name=*`): for each of them an account of its own'),
  currency: Currency,
  period: Periods,
  timezone: Type.String({ description: 'IANA time zone', default: 'UTC', examples: ['Europe/Berlin'] }),
  startDate: Moment,
  endDate: Nullable(Moment),
  recurring: Type.Boolean({ description: 'default true, false for custom; false: only the period that holds startDate' }),
  mode: Modes,
  paused: Type.Boolean({ description: 'refuses new calls until it is resumed', default: false }),
  capToFit: Type.Union([Type.Boolean(), CapToFit], {
    description: 'lowers the output limit of a call that does not fit to what is left; true: with the defaults', default: false,
  }),
  carryOver: Type.Union([Type.Boolean(), CarryOver], {
    description: 'what goes on into the next period; true: all that was not spent, and debt', default: false,
  }),
  failMode: Type.Union([Type.Enum(['closed']), FailOpen], {
    description: 'what happens while PostgreSQL does not answer and the leases are used up', default: 'closed',
  }),
  rateLimits: Nullable(RateLimits),
  filters: Filters,
  overrides: Type.Record(Type.String(), Amount, {
    description: 'of a budget for each of many: those that have another amount, at most 1000', examples: [{ alice: '50' }],
  }),
  tags: Tags,
  parentBudgetId: Nullable(Uuid),
  createdBy: Nullable(Type.String({ maxLength: 256 })),
}

const BodyFields = {
  ...Fields,
  amount: Amount,
  alerts: Type.Array(Type.Partial(Alert), { maxItems: 50 }),
}

const EXAMPLE = {
  name: 'Search team',
  organizationId: 'acme',
  scopeType: 'team',
  scopeId: 'search',
  amount: '250',
  currency: 'USD',
  period: 'monthly',
  timezone: 'Europe/Berlin',
  alerts: [{ threshold: 80 }, { threshold: 95, actions: ['block-all'] }],
}

export const NewBudget = Type.Object({
  ...Type.Partial(Type.Object(BodyFields)).properties,
  ...Type.Pick(Type.Object(BodyFields), ['name', 'scopeType', 'scopeId', 'amount', 'currency', 'period']).properties,
}, { additionalProperties: false, examples: [EXAMPLE] })

export const BudgetChange = Type.Partial(Type.Object(BodyFields), {
  additionalProperties: false,
  description: 'absent fields stay, null takes away what may be absent',
  examples: [{ amount: '300', paused: false }],
})

const Warning = Type.Object({
  code: Type.Enum(['children_exceed_parent']),
  message: Type.String({ examples: ['The budgets below "Search" have 300 USD a month together, more than its own 250 USD'] }),
  budgetId: Type.String({ description: 'the budget that has less than those right below it together' }),
}, { title: 'BudgetWarning' })

export const Warnings = Type.Array(Warning, { description: 'what is allowed, and perhaps not meant; in answers to changes, where there is some' })

export const BudgetAnswer = Type.Object({
  id: Uuid,
  ...Fields,
  amount: Text,
  enforcedLimit: Type.String({ description: 'the amount, or less where block-all or require-approval says so', examples: ['237.5'] }),
  alerts: Type.Array(Alert),
  version: Type.Integer({ description: 'also the ETag; grows with every change' }),
  createdAt: Time,
  updatedAt: Time,
  archivedAt: Nullable(Time),
  warnings: Type.Optional(Warnings),
})

export const BudgetPageAnswer = Type.Object({ budgets: Type.Array(BudgetAnswer), ...PageAnswer })

const Inactive = Type.Boolean({ default: false, description: 'archived ones too' })

export const BudgetListQuery = Type.Object({
  ...PageQuery,
  includeInactive: Inactive,
  parentBudgetId: Type.Optional(Uuid),
  scopeType: Type.Optional(ScopeTypes),
  scopeId: Type.Optional(Name('exactly')),
  organizationId: Type.Optional(Name('exactly')),
  mode: Type.Optional(Modes),
  currency: Type.Optional(Currency),
  period: Type.Optional(Periods),
  tag: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 400 }),
    Type.Array(Type.String({ minLength: 1, maxLength: 400 }), { maxItems: 20 })],
  { description: 'name:value, or a name alone; several: all of them', examples: ['costCenter:4711'] })),
  q: Type.Optional(Name('a part of the name, in letters of either case')),
  sort: Type.Enum(['name', '-name', 'createdAt', '-createdAt', 'updatedAt', '-updatedAt', 'amount', '-amount'], {
    default: 'createdAt', description: '-: the greatest first',
  }),
  total: Type.Boolean({ default: false, description: 'whether to count all pages' }),
}, { additionalProperties: false })

export const ScopeParams = Type.Object({ type: ScopeTypes, id: Name('of the scope') })

export const ScopeQuery = Type.Object({
  ...PageQuery, includeInactive: Inactive, parentBudgetId: Type.Optional(Uuid),
}, { additionalProperties: false })
