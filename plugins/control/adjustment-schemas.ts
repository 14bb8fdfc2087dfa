import { Type } from 'typebox'
import { Amount, Uuid } from './budget-schemas.ts'
import { Nullable, PageAnswer, PageQuery, Text, Time } from './schemas.ts'

/** Shapes of adjustments and approvals; src/budget/adjustments.ts says what is valid. */
const Reason = Type.String({ minLength: 1, maxLength: 1024, description: 'why, for people', examples: ['launch week'] })
const Subject = Type.Optional(Type.String({
  minLength: 1, maxLength: 256, description: 'of a budget for each of many, for whom; for all of them if not given', examples: ['ada'],
}))
const Whom = Nullable(Type.String({ description: 'of a budget for each of many, for whom; null: for all of them, or the budget is for one' }))
const Moment = (description: string) => Type.String({ maxLength: 64, description: `RFC 3339: ${description}`, examples: ['2026-12-01T00:00:00Z'] })

export const NewAdjustment = Type.Object({
  kind: Type.Enum(['increase', 'top-up'], { description: 'increase: for a time; top-up: for the running period' }),
  amount: Amount,
  from: Type.Optional(Moment('of an increase; now if not given')),
  to: Type.Optional(Moment('of an increase, which must have one')),
  subject: Subject,
  reason: Reason,
}, {
  additionalProperties: false,
  examples: [{ kind: 'top-up', amount: '50', reason: 'launch week' }],
})

export const NewTransfer = Type.Object({ toBudgetId: Uuid, amount: Amount, reason: Reason }, {
  additionalProperties: false,
  examples: [{ toBudgetId: '01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55', amount: '20', reason: 'moved to search' }],
})

export const AdjustmentAnswer = Type.Object({
  id: Uuid,
  budgetId: Uuid,
  subject: Whom,
  kind: Type.Enum(['increase', 'top-up', 'transfer', 'approval']),
  amount: Nullable(Type.String({ description: 'added, or taken where there is a minus; null: whatever block-all leaves', examples: ['50'] })),
  from: Time,
  to: Nullable(Type.String({ description: 'when it ends by itself; null: never', examples: ['2027-01-01T00:00:00.000Z'] })),
  reason: Type.String(),
  counterpartBudgetId: Nullable(Type.String({ description: 'of a transfer: the budget on its other side' })),
  createdAt: Time,
  createdBy: Type.String(),
  revokedAt: Nullable(Time),
  revokedBy: Nullable(Type.String()),
}, { title: 'Adjustment', description: 'In force from `from` on, until `to` or until it is revoked.' })

export const TransferAnswer = Type.Object({ from: AdjustmentAnswer, to: AdjustmentAnswer })

export const AdjustmentListQuery = Type.Object({
  ...PageQuery,
  current: Type.Boolean({ default: false, description: 'only those that have not ended' }),
}, { additionalProperties: false })

export const AdjustmentPageAnswer = Type.Object({
  adjustments: Type.Array(AdjustmentAnswer),
  count: PageAnswer.count,
  limit: PageAnswer.limit,
  nextCursor: PageAnswer.nextCursor,
})

export const NewRequest = Type.Object({
  budgetId: Uuid,
  subject: Subject,
  amount: Type.Optional(Amount),
  reason: Reason,
}, { additionalProperties: false, examples: [{ budgetId: '01981a3e-6a5c-7cc0-8e1f-0d7d7f1b5a55', amount: '20', reason: 'evaluation run' }] })

export const Approve = Type.Object({
  amount: Type.Optional(Amount),
  to: Type.Optional(Moment('when it ends; the end of the running period if not given')),
  reason: Type.Optional(Reason),
}, {
  additionalProperties: false,
  description: 'an amount, for the running period or until `to`; with `to` alone, all that block-all leaves until then; else ' +
    'what the request asks for',
  examples: [{ amount: '20' }],
})

export const Deny = Type.Object({ reason: Type.Optional(Reason) }, { additionalProperties: false, examples: [{ reason: 'next month' }] })

export const RequestAnswer = Type.Object({
  id: Uuid,
  budgetId: Uuid,
  subject: Whom,
  amount: Nullable(Text),
  currency: Type.String(),
  reason: Type.String(),
  requestedBy: Type.String(),
  keyId: Nullable(Type.String({ description: 'of the gateway key that asked; null: somebody with an admin token did' })),
  userId: Nullable(Type.String()),
  createdAt: Time,
  state: Type.Enum(['open', 'approved', 'denied']),
  decidedAt: Nullable(Time),
  decidedBy: Nullable(Type.String()),
  decisionReason: Nullable(Type.String()),
  adjustmentId: Nullable(Type.String({ description: 'of the approval, by which it can be revoked' })),
}, { title: 'ApprovalRequest', description: 'Of somebody who needs more than require-approval leaves.' })

export const RequestListQuery = Type.Object({
  ...PageQuery,
  budgetId: Type.Optional(Uuid),
  state: Type.Optional(Type.Enum(['open', 'approved', 'denied'])),
}, { additionalProperties: false })

export const RequestPageAnswer = Type.Object({
  requests: Type.Array(RequestAnswer),
  count: PageAnswer.count,
  limit: PageAnswer.limit,
  nextCursor: PageAnswer.nextCursor,
})
