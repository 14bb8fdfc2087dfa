import { v7 as uuidv7 } from 'uuid'
import {
  type ApprovalPage, type ApprovalQuery, type ApprovalRequest, type ApprovalRequestDraft, type ApprovalStore,
  type Decision, noRequest,
} from '../../budget/adjustments.ts'
import { Conflict } from '../../errors.ts'
import { Conditions, withinReach } from './conditions.ts'
import { pageById, positionOf } from './cursor.ts'
import { bigintOf, constraintOf, isUuid, reached, type Queryable } from './pool.ts'

/** Requests for approval in PostgreSQL. */
export class PostgresApprovalStore implements ApprovalStore {
  readonly #on: Queryable

  constructor (on: Queryable) { this.#on = on }

  async ask (draft: ApprovalRequestDraft): Promise<ApprovalRequest> {
    const id = uuidv7()
    const { budgetId, subject, amountNano, reason, requestedBy, keyId, userId } = draft
    const values = [id, budgetId, amountNano, reason, requestedBy, keyId, userId, subject]
    await reached(this.#on.query({ text: INSERT, values })
      .catch((error: unknown) => {
        if (constraintOf(error) !== 'approval_requests_open') throw error
        throw new Conflict(`This key has an open request for budget ${budgetId} already`)
      }))
    return await this.#stored(id)
  }

  async decide (
    id: string, decide: (request: ApprovalRequest) => Promise<Decision>
  ): Promise<{ before: ApprovalRequest, after: ApprovalRequest }> {
    if (!isUuid(id)) throw noRequest(id)
    await reached(this.#on.query({ text: 'select from approval_requests where id = $1 for update', values: [id] }))
    const before = await this.get(id)
    if (before === null) throw noRequest(id)
    if (before.state !== 'open') throw new Conflict(`Request ${id} was ${before.state} already`)
    const { state, by, reason, adjustmentId } = await decide(before)
    await reached(this.#on.query({ text: DECIDE, values: [id, state, by, reason, adjustmentId] }))
    return { before, after: await this.#stored(id) }
  }

  async get (id: string): Promise<ApprovalRequest | null> {
    if (!isUuid(id)) return null
    const [row] = await reached(this.#on.query<RequestRow>({ text: `${REQUESTS} where r.id = $1`, values: [id] }))
    return row === undefined ? null : requestOf(row)
  }

  async page (query: ApprovalQuery): Promise<ApprovalPage> {
    const { limit, cursor, ...list } = query
    const conditions = new Conditions()
    if (query.budgetId !== undefined) conditions.same('r.budget_id', isUuid(query.budgetId) ? query.budgetId : null)
    conditions.same('r.state', query.state)
    conditions.same('r.key_id', query.keyId)
    withinReach(conditions, query.reach)
    if (cursor !== undefined) conditions.and(`r.id < ${conditions.value(positionOf(list, cursor).id)}::uuid`)
    const rows = await reached(this.#on.query<RequestRow>({
      text: `${REQUESTS} where ${conditions.text} order by r.id desc limit ${conditions.value(limit + 1)}`,
      values: conditions.values,
    }))
    const page = pageById(list, rows, limit)
    return { requests: page.rows.map(requestOf), nextCursor: page.nextCursor }
  }

  async #stored (id: string): Promise<ApprovalRequest> {
    const found = await this.get(id)
    if (found === null) throw new Error(`request ${id} is not in the transaction that wrote it`)
    return found
  }
}

const REQUESTS = 'select r.*, b.currency from approval_requests r join budget_definitions b on b.id = r.budget_id'

const INSERT = `
  insert into approval_requests (id, budget_id, amount_nano, reason, requested_by, key_id, user_id, subject, created_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp())`

const DECIDE = `
  update approval_requests set state = $2, decided_at = clock_timestamp(), decided_by = $3, decision_reason = $4, adjustment_id = $5
  where id = $1`

interface RequestRow {
  id: string
  budget_id: string
  subject: string
  amount_nano: string | null
  currency: string
  reason: string
  requested_by: string
  key_id: string | null
  user_id: string | null
  created_at: Date
  state: ApprovalRequest['state']
  decided_at: Date | null
  decided_by: string | null
  decision_reason: string | null
  adjustment_id: string | null
}

function requestOf (row: RequestRow): ApprovalRequest {
  return {
    id: row.id,
    budgetId: row.budget_id,
    subject: row.subject,
    amountNano: row.amount_nano === null ? null : bigintOf(row.amount_nano),
    currency: row.currency,
    reason: row.reason,
    requestedBy: row.requested_by,
    keyId: row.key_id,
    userId: row.user_id,
    createdAt: row.created_at.getTime(),
    state: row.state,
    decidedAt: row.decided_at?.getTime() ?? null,
    decidedBy: row.decided_by,
    decisionReason: row.decision_reason,
    adjustmentId: row.adjustment_id,
  }
}
