import { Type } from 'typebox'
import { type AuditTrail } from '../../src/access/audit.ts'
import { type Adjustment, increase, renderAdjustment, subjectAsked, topUp, transfer } from '../../src/budget/adjustments.ts'
import { invalidField, NotFound } from '../../src/errors.ts'
import { AdjustmentAnswer, AdjustmentListQuery, AdjustmentPageAnswer, NewAdjustment, NewTransfer, TransferAnswer } from './adjustment-schemas.ts'
import { type Scope, type Tools } from './index.ts'
import { Id, Once, problems } from './schemas.ts'

const tags = ['adjustments']

const AdjustmentId = Type.Object({ ...Id.properties, adjustmentId: Type.String({ minLength: 1, maxLength: 64, description: 'UUID' }) })

/** What is added to the amount of a budget for a time, or moved from one to another. */
export function adjustmentRoutes (scope: Scope, tools: Tools): void {
  readRoute(scope, tools)
  addRoutes(scope, tools)
  revokeRoute(scope, tools)
}

function readRoute (scope: Scope, { adjustments, guard }: Tools): void {
  scope.get('/budgets/:id/adjustments', {
    config: { access: 'see' },
    schema: {
      summary: 'List the adjustments of a budget, the newest first',
      params: Id,
      querystring: AdjustmentListQuery,
      response: { 200: AdjustmentPageAnswer, ...problems(404) },
      tags,
    },
  }, async (request) => {
    const { limit } = request.query
    const { id } = await guard.budget(request, request.params.id)
    const { adjustments: found, nextCursor } = await adjustments.page(id, request.query)
    return { adjustments: found.map(renderAdjustment), count: found.length, limit, nextCursor }
  })
}

function addRoutes (scope: Scope, { guard, longHolds, mutate }: Tools): void {
  scope.post('/budgets/:id/adjustments', {
    config: { access: 'change' },
    schema: {
      summary: 'Add to the amount of a budget',
      description: 'increase: from a time to a time, in each period that it is in force in; top-up: to the running period. It acts ' +
        'at once on what holds are measured by.',
      params: Id,
      headers: Once,
      body: NewAdjustment,
      response: { 201: AdjustmentAnswer, ...problems(404, 409, 413, 422) },
      tags,
    },
  }, async (request, reply) => {
    const { body, actor } = request
    const budget = await guard.budget(request, request.params.id, 'change')
    const { id } = budget
    const subject = subjectAsked(budget, body.subject)
    return await mutate(request, reply, async ({ adjustments, audit }) => {
      const added = await adjustments.add(id, subject, (budget) => {
        if (body.kind === 'increase') return increase(budget, body, actor.name, Date.now())
        const field = body.from === undefined ? 'to' : 'from'
        if (body[field] !== undefined) throw invalidField(field, 'absent: a top-up is for the running period', body[field])
        return topUp(budget, body, actor.name, Date.now())
      })
      await note(audit, 'created', null, added)
      return { status: 201, headers: { location: `/api/v1/budgets/${id}/adjustments` }, body: renderAdjustment(added) }
    })
  })

  scope.post('/budgets/:id/transfers', {
    config: { access: 'change' },
    schema: {
      summary: 'Transfer an amount to another budget',
      description: 'From the running period of this budget to that of another one of the same organization and currency: both or ' +
        'neither. What is spent or held here stays here.',
      params: Id,
      headers: Once,
      body: NewTransfer,
      response: { 201: TransferAnswer, ...problems(404, 409, 413, 422, 429) },
      errors: ['budget_contention'],
      tags,
    },
  }, async (request, reply) => {
    const { body, actor } = request
    const from = await guard.budget(request, request.params.id, 'change')
    const to = await guard.budget(request, body.toBudgetId.toLowerCase(), 'change')
    return await longHolds.trying(() => mutate(request, reply, async ({ adjustments, audit }) => {
      const [taken, given] = await adjustments.transfer(from.id, to.id, (one, other) =>
        transfer(one, other, body, actor.name, Date.now()))
      await note(audit, 'created', null, taken)
      await note(audit, 'created', null, given)
      const headers = { location: `/api/v1/budgets/${from.id}/adjustments` }
      return { status: 201, headers, body: { from: renderAdjustment(taken), to: renderAdjustment(given) } }
    }))
  })
}

function revokeRoute (scope: Scope, { guard, mutate }: Tools): void {
  scope.delete('/budgets/:id/adjustments/:adjustmentId', {
    config: { access: 'change' },
    schema: {
      summary: 'Revoke an adjustment',
      description: 'It ends now; of a transfer both sides do. One that has ended stays as it is.',
      params: AdjustmentId,
      response: { 204: Type.Null(), ...problems(404, 409) },
      tags,
    },
  }, async (request, reply) => {
    const { adjustmentId } = request.params
    const { id } = await guard.budget(request, request.params.id, 'change')
    return await mutate(request, reply, async ({ adjustments, audit }) => {
      const done = await adjustments.revoke(id, adjustmentId, request.actor.name)
      if (done === null) throw new NotFound(`Budget ${id} has no adjustment ${adjustmentId}`)
      if (done.before.revokedAt !== done.after.revokedAt) await note(audit, 'revoked', done.before, done.after)
      return { status: 204, body: null }
    })
  })
}

export async function note (
  audit: AuditTrail, action: string, before: Adjustment | null, after: Adjustment
): Promise<void> {
  audit.note({
    action: `adjustment.${action}`,
    objectType: 'adjustment',
    objectId: after.id,
    before: before === null ? null : renderAdjustment(before),
    after: renderAdjustment(after),
    ...await audit.ownersOf(after.budgetId),
  })
}
