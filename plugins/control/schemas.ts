import { Type } from 'typebox'

/** Shapes of the admin API: validation of what comes in, and the description of what goes out. */
const Amount = Type.Union([Type.String(), Type.Number()], {
  description: 'more than 0, at most 9 decimals: a decimal string, or a number that means its shortest decimal form',
})
const Time = Type.String({ description: 'RFC 3339' })
const Nullable = <T extends ReturnType<typeof Type.String>> (schema: T) => Type.Union([schema, Type.Null()])

/** Field by field, domain rules give the errors their names; so here only the outline. */
const BudgetFields = {
  name: Type.String(),
  description: Nullable(Type.String()),
  organizationId: Nullable(Type.String({ description: 'none: its scopeId matches in every organization' })),
  scopeType: Type.String({ description: 'organization, team, user or project' }),
  scopeId: Type.String(),
  amount: Amount,
  currency: Type.String({ description: 'ISO 4217' }),
  period: Type.String({ description: 'daily, weekly, monthly, quarterly, annual or custom' }),
  timezone: Type.String({ description: 'IANA, default UTC' }),
  startDate: Time,
  endDate: Nullable(Time),
  recurring: Type.Boolean(),
  mode: Type.String({ description: 'enforced (default) or soft' }),
  paused: Type.Boolean(),
  filters: Type.Object({}, { description: '{providers?, models? (with *), tags?}', additionalProperties: true }),
  alerts: Type.Array(Type.Any(), { description: '[{threshold, actions[], notificationChannels[], message}]' }),
  tags: Type.Object({}, { additionalProperties: true }),
  parentBudgetId: Nullable(Type.String()),
  createdBy: Nullable(Type.String()),
}

/** described, not validated by the framework: src/budget/define.ts names the field, what is expected and what came */
export const BudgetBody = { description: 'a budget', type: 'object', properties: BudgetFields }

export const BudgetAnswer = Type.Object({
  ...BudgetFields,
  id: Type.String(),
  enforcedLimit: Type.String({ description: 'where block-all sets the limit' }),
  amount: Type.String(),
  version: Type.Integer(),
  createdAt: Time,
  updatedAt: Time,
  archivedAt: Nullable(Time),
}, { additionalProperties: true })

export const BudgetList = Type.Object({ budgets: Type.Array(BudgetAnswer), count: Type.Integer() })

const Text = Type.String({ description: 'decimal amount in the currency of the budget' })

export const StatusAnswer = Type.Object({
  budgetId: Type.String(),
  currentAmount: Text,
  limit: Text,
  enforcedLimit: Text,
  currency: Type.String(),
  percentUsed: Type.Number(),
  remaining: Text,
  held: Text,
  inDoubt: Text,
  leased: Text,
  heldIsUpperBound: Type.Boolean(),
  daysRemaining: Type.Union([Type.Number(), Type.Null()]),
  burnRate: Type.String({ description: 'per day' }),
  projectedTotal: Text,
  status: Type.String({ description: 'normal, warning, critical or exceeded' }),
  activeAlerts: Type.Array(Type.Any()),
  periodStart: Nullable(Time),
  periodEnd: Nullable(Time),
  lastUpdated: Time,
})

export const UsageAnswer = Type.Object({
  usage: Type.Array(Type.Object({
    id: Type.String(),
    budgetId: Type.String(),
    amount: Text,
    currency: Type.String(),
    timestamp: Time,
    source: Type.String(),
    description: Nullable(Type.String()),
    certainty: Type.String({ description: 'exact, estimated or uncertain' }),
    quote: Text,
    openedAt: Time,
    endedAt: Time,
    metadata: Type.Any(),
  })),
  count: Type.Integer(),
  limit: Type.Integer(),
  nextCursor: Nullable(Type.String()),
})

export const UsageQuery = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
  cursor: Type.Optional(Type.String()),
}, { additionalProperties: false })

export const ListQuery = Type.Object({
  includeInactive: Type.Optional(Type.Boolean()),
  parentBudgetId: Type.Optional(Type.String()),
  scopeType: Type.Optional(Type.String()),
  scopeId: Type.Optional(Type.String()),
}, { additionalProperties: false })

export const Id = Type.Object({ id: Type.String({ maxLength: 64 }) })

const Header = Type.Enum(['user', 'team', 'project', 'session', 'tags'])
const Name = Type.String({ minLength: 1, maxLength: 256 })

export const KeyBody = Type.Object({
  name: Name,
  organizationId: Name,
  teamId: Type.Optional(Nullable(Name)),
  projectId: Type.Optional(Nullable(Name)),
  userId: Type.Optional(Nullable(Name)),
  allowHeaders: Type.Optional(Type.Array(Header, { maxItems: 5 })),
  requireHeaders: Type.Optional(Type.Array(Header, { maxItems: 5 })),
}, { additionalProperties: false })

export const KeyAnswer = Type.Object({
  id: Type.String(),
  key: Type.Optional(Type.String({ description: 'the key itself: shown once, in the answer that made it' })),
  hint: Type.String(),
  name: Type.String(),
  organizationId: Type.String(),
  teamId: Nullable(Type.String()),
  projectId: Nullable(Type.String()),
  userId: Nullable(Type.String()),
  allowHeaders: Type.Array(Type.String()),
  requireHeaders: Type.Array(Type.String()),
  createdAt: Time,
  revokedAt: Nullable(Time),
})

export const KeyList = Type.Object({ keys: Type.Array(KeyAnswer), count: Type.Integer() })

export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String({ description: 'of the status' }),
  status: Type.Integer(),
  detail: Type.String({ description: 'what is wrong with this request, for people' }),
  code: Type.String({ description: 'stable, for programs; docs/ERRORS.md has them all' }),
  requestId: Type.String({ description: 'by which the gateway\'s log and audit log name this request' }),
  field: Type.Optional(Type.String({ description: 'which one is wrong, e.g. alerts/0/threshold' })),
  expected: Type.Optional(Type.String({ description: 'what would be right' })),
}, { title: 'Problem', description: 'RFC 9457' })
