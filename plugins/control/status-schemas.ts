import { Type } from 'typebox'
import { Nullable, PageAnswer, Time } from './schemas.ts'

/** Shapes of how budgets stand. What each figure means is said here, and computed in src/reports. */
const Figure = (description: string, example?: string) =>
  Type.String({ description, ...example === undefined ? {} : { examples: [example] } })

export const ActiveAlert = Type.Object({
  threshold: Nullable(Type.Number({ description: 'percent of limit; null: it is an amount' })),
  amount: Nullable(Type.String({ description: 'the threshold, where it is an amount', examples: ['250'] })),
  triggeredAt: Time,
  actions: Type.Array(Type.String(), { examples: [['notify']] }),
  acknowledged: Type.Boolean(),
  acknowledgedBy: Nullable(Type.String({ description: 'who acknowledged it first' })),
  acknowledgedAt: Nullable(Time),
}, { title: 'ActiveAlert', description: 'A threshold that was crossed in a period.' })

export const State = Type.Enum(['running', 'paused', 'not_started', 'ended', 'archived'], {
  description: 'running: calls are held on it; paused: it refuses every call to which it applies; else it applies to none',
})

export const STATUS_FIELDS = {
  budgetId: Type.String(),
  subject: Type.Optional(Type.String({ description: 'of a budget for each of many: whose account', examples: ['alice'] })),
  subjects: Type.Optional(Type.Integer({ description: 'of a budget for each of many, asked about as a whole: how many have an account; all figures are sums over them' })),
  currentAmount: Figure('spent in this period: settled, and finished calls that are not recorded yet'),
  limit: Figure('the amount with what was carried over and the adjustments in force, which is 100 %; negative: debt is more than all of it'),
  limitParts: Type.Object({
    amount: Figure('of the definition'),
    carriedOver: Figure('from the period before; negative: debt'),
    adjustments: Figure('in force: increases, top-ups and transfers'),
  }, { description: 'what limit is the sum of' }),
  enforcedLimit: Figure('what holds are measured by: limit, or less where block-all or require-approval says so'),
  currency: Type.String({ description: 'ISO 4217, of all amounts here' }),
  percentUsed: Type.Number({ description: 'currentAmount in percent of limit, rounded down to a ten-thousandth' }),
  remaining: Figure('enforcedLimit - currentAmount - held, never below 0: what the next hold can take'),
  held: Figure('quotes of open calls on all gateways, long holds, and what is in doubt'),
  inDoubt: Figure('part of held: leased by gateways that do not answer'),
  longHeld: Figure('part of held: set aside by long holds'),
  leased: Figure('leased by gateways and idle: neither spent nor held; they give it back when it is needed'),
  heldIsUpperBound: Type.Boolean({
    description: 'true: the live figures of a gateway are missing, so all that it leases and has not recorded counts as held',
  }),
  daysRemaining: Nullable(Type.Number({
    description: 'until the budget ends to apply in this period, in calendar days of its time zone: a day of 23 or 25 hours ' +
      'is one day, a part of a day its part of that day\'s length; rounded up to a ten-thousandth. 0: it has ended; ' +
      'null: its period never ends; before it begins, the days for which it will apply',
  })),
  burnRate: Figure('per day of the budget\'s time zone: currentAmount by the days since the budget began to apply in this ' +
    'period, at least a 24th of a day, and at most until it ended; rounded up to the nano-unit'),
  projectedTotal: Nullable(Figure('currentAmount, and as much per remaining day as on the days before; rounded up to the ' +
    'nano-unit. Of a budget that has ended: currentAmount. null: its period never ends')),
  status: Type.Enum(['normal', 'warning', 'critical', 'exceeded'], {
    description: 'by currentAmount: warning from 80 % of limit, critical from 95 %, exceeded from 100 %',
  }),
  state: State,
  activeAlerts: Type.Array(ActiveAlert, { description: 'thresholds that were crossed in this period, the lowest first' }),
  periodStart: Time,
  periodEnd: Nullable(Time),
  lastUpdated: Type.String({
    description: 'when these figures last changed: by a charge, a hold, a change of the budget, or the start of the period',
    examples: ['2026-11-24T09:15:00.000Z'],
  }),
}

export const StatusAnswer = Type.Object(STATUS_FIELDS, {
  title: 'BudgetStatus',
  description: 'The running period; of a budget that has not begun its first, of one that has ended its last.',
})

const { total: _total, ...Page } = PageAnswer

export const AccountPageAnswer = Type.Object({ accounts: Type.Array(StatusAnswer), ...Page })

export const NodeStatus = Type.Object({
  ...STATUS_FIELDS,
  ownAmount: Figure('part of currentAmount that came in at this budget and not through one below it, by the hierarchy as it ' +
    'stood when it was recorded; where there are budgets below, without what is not recorded yet', '12.5'),
  belowAmount: Figure('recorded part of currentAmount that came in through budgets below', '100'),
}, { title: 'BudgetNodeStatus' })
