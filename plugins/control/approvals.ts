import { type FastifyReply, type FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type AuditTrail } from '../../src/access/audit.ts'
import { type Stores } from '../../src/access/changes.ts'
import {
  approval, type ApprovalRequest, askFor, type Decision, noRequest, reasonOf, renderRequest, subjectAsked, subjectOfKey,
} from '../../src/budget/adjustments.ts'
import { NotFound } from '../../src/errors.ts'
import { Approve, Deny, NewRequest, RequestAnswer, RequestListQuery, RequestPageAnswer } from './adjustment-schemas.ts'
import { note as noteAdjustment } from './adjustments.ts'
import { type Scope, type Tools } from './index.ts'
import { Id, Once, problems } from './schemas.ts'

const tags = ['approvals']

/** Where require-approval refuses: who calls asks, who may change the budget decides. */
export function approvalRoutes (scope: Scope, tools: Tools): void {
  askRoutes(scope, tools)
  decideRoutes(scope, tools)
}

function askRoutes (scope: Scope, { approvals, guard, mutate }: Tools): void {
  scope.post('/approval-requests', {
    config: { access: 'hold' },
    schema: {
      summary: 'Ask for an approval',
      description: 'On a budget that requires one past a threshold. A gateway key has at most one open request for a budget.',
      headers: Once,
      body: NewRequest,
      response: { 201: RequestAnswer, ...problems(404, 409, 413, 422) },
      tags,
    },
  }, async (request, reply) => {
    const { body, actor } = request
    const budget = await guard.budget(request, body.budgetId.toLowerCase())
    const asked = askFor(body)
    const subject = actor.identity === undefined
      ? subjectAsked(budget, body.subject)
      : subjectOfKey(budget, actor.identity, body.subject)
    return await mutate(request, reply, async ({ approvals, audit }) => {
      const { identity } = actor
      const made = await approvals.ask({
        ...asked,
        budgetId: budget.id,
        subject,
        requestedBy: actor.name,
        keyId: identity?.keyId ?? null,
        userId: identity?.userId ?? null,
      })
      await note(audit, 'created', null, made)
      return { status: 201, headers: { location: `/api/v1/approval-requests/${made.id}` }, body: renderRequest(made) }
    })
  })

  scope.get('/approval-requests', {
    config: { access: 'check' },
    schema: {
      summary: 'List requests for approval, the newest first',
      description: 'A gateway key sees its own.',
      querystring: RequestListQuery,
      response: { 200: RequestPageAnswer, ...problems() },
      tags,
    },
  }, async (request) => {
    const { limit, budgetId } = request.query
    const { identity } = request.actor
    const whose = identity === undefined ? { reach: guard.reach(request) } : { reach: null, keyId: identity.keyId }
    const { requests, nextCursor } = await approvals.page({
      ...request.query, ...budgetId === undefined ? {} : { budgetId: budgetId.toLowerCase() }, ...whose,
    })
    return { requests: requests.map(renderRequest), count: requests.length, limit, nextCursor }
  })

  scope.get('/approval-requests/:id', {
    config: { access: 'check' },
    schema: {
      operationId: 'getApprovalRequest',
      summary: 'Read a request for approval',
      params: Id,
      response: { 200: RequestAnswer, ...problems(404) },
      tags,
    },
  }, async (request) => renderRequest(await seen(request, request.params.id, { approvals, guard })))
}

function decideRoutes (scope: Scope, tools: Tools): void {
  scope.post('/approval-requests/:id/approve', {
    config: { access: 'change' },
    schema: {
      summary: 'Approve a request',
      description: 'The approval is an adjustment of the budget, which acts at once and can be revoked.',
      params: Id,
      headers: Once,
      body: Type.Union([Approve, Type.Null()]),
      response: { 200: RequestAnswer, ...problems(404, 409, 413, 422) },
      tags,
    },
  }, async (request, reply) => {
    const { actor, params: { id } } = request
    const body = request.body ?? {}
    return await decided(request, reply, id, body.reason, tools, async ({ adjustments, audit }, asked) => {
      const made = await adjustments.add(asked.budgetId, asked.subject, (budget) =>
        approval(budget, body, asked, actor.name, Date.now()))
      await noteAdjustment(audit, 'created', null, made)
      return { state: 'approved', adjustmentId: made.id }
    })
  })

  scope.post('/approval-requests/:id/deny', {
    config: { access: 'change' },
    schema: {
      summary: 'Deny a request',
      params: Id,
      headers: Once,
      body: Type.Union([Deny, Type.Null()]),
      response: { 200: RequestAnswer, ...problems(404, 409, 413, 422) },
      tags,
    },
  }, async (request, reply) => await decided(request, reply, request.params.id, request.body?.reason, tools, async () =>
    ({ state: 'denied', adjustmentId: null })))
}

/** once, by somebody who may change the budget */
async function decided (
  request: FastifyRequest, reply: FastifyReply, id: string, given: string | undefined,
  { approvals: reader, guard, mutate }: Tools,
  decide: (stores: Stores, asked: ApprovalRequest) => Promise<Pick<Decision, 'state' | 'adjustmentId'>>
): Promise<FastifyReply> {
  await seen(request, id, { approvals: reader, guard }, 'change')
  const reason = given === undefined ? null : reasonOf(given)
  return await mutate(request, reply, async (stores) => {
    const { before, after } = await stores.approvals.decide(id, async (asked) =>
      ({ ...await decide(stores, asked), by: request.actor.name, reason }))
    await note(stores.audit, after.state, before, after)
    return { status: 200, body: renderRequest(after) }
  })
}

/** a client its own; of the others, who sees the budget */
async function seen (
  request: FastifyRequest, id: string, { approvals, guard }: Pick<Tools, 'approvals' | 'guard'>, to: 'see' | 'change' = 'see'
): Promise<ApprovalRequest> {
  const found = await approvals.get(id)
  if (found === null) throw noRequest(id)
  const { identity } = request.actor
  if (identity !== undefined) {
    if (found.keyId !== identity.keyId) throw noRequest(id)
    return found
  }
  try {
    await guard.budget(request, found.budgetId, to)
  } catch (error) {
    throw error instanceof NotFound ? noRequest(id) : error
  }
  return found
}

async function note (
  audit: AuditTrail, action: string, before: ApprovalRequest | null, after: ApprovalRequest
): Promise<void> {
  audit.note({
    action: `approval_request.${action}`,
    objectType: 'approval_request',
    objectId: after.id,
    before: before === null ? null : renderRequest(before),
    after: renderRequest(after),
    ...await audit.ownersOf(after.budgetId),
  })
}
