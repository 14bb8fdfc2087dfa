import { v7 as uuidv7 } from 'uuid'
import { type Reach } from '../../access/actor.ts'
import {
  type Adjustment, type AdjustmentDraft, type AdjustmentPage, type AdjustmentQuery, type AdjustmentReader,
  type AdjustmentStore,
} from '../../budget/adjustments.ts'
import { type Budget } from '../../budget/budget.ts'
import { periodAt } from '../../budget/period.ts'
import { systemNow } from '../../clock.ts'
import { holdRefusal, Unprocessable } from '../../errors.ts'
import { formatNano } from '../../money/amount.ts'
import { PostgresBudgetStore } from './budget-store.ts'
import { Conditions } from './conditions.ts'
import { pageById, positionOf } from './cursor.ts'
import { bigintOf, idOf, isUuid, reached, type Queryable, type Transactional } from './pool.ts'

/** Adjustments as they are read. */
export class PostgresAdjustmentReader implements AdjustmentReader {
  readonly #on: Queryable

  constructor (on: Queryable) { this.#on = on }

  async page (budgetId: string, { current, limit, cursor }: AdjustmentQuery): Promise<AdjustmentPage> {
    const list = { list: 'adjustments', budgetId, current }
    const conditions = new Conditions()
    conditions.same('d.budget_id', budgetId)
    if (current) conditions.and('d.revoked_at is null and (d.effective_until is null or d.effective_until > clock_timestamp())')
    if (cursor !== undefined) conditions.and(`d.id < ${conditions.value(positionOf(list, cursor).id)}::uuid`)
    const rows = await reached(this.#on.query<AdjustmentRow>({
      text: `${ADJUSTMENTS} where ${conditions.text} order by d.id desc limit ${conditions.value(limit + 1)}`,
      values: conditions.values,
    }))
    const page = pageById(list, rows, limit)
    return { adjustments: page.rows.map(adjustmentOf), nextCursor: page.nextCursor }
  }
}

/** Adjustments as they are made, in a transaction of the caller's. */
export class PostgresAdjustmentStore implements AdjustmentStore {
  readonly #tx: Queryable
  readonly #budgets: PostgresBudgetStore

  constructor (tx: Transactional, reach: Reach | null) {
    this.#tx = tx
    this.#budgets = new PostgresBudgetStore(tx, systemNow, reach)
  }

  async add (budgetId: string, subject: string, make: (budget: Budget) => AdjustmentDraft): Promise<Adjustment> {
    return await this.#budgets.adjusting([budgetId], async ([budget]) => {
      const id = uuidv7()
      await this.#insert(id, budgetId, make(budget as Budget), null)
      return await this.#stored(id)
    }, subject)
  }

  async transfer (
    fromId: string, toId: string, make: (from: Budget, to: Budget) => [AdjustmentDraft, AdjustmentDraft]
  ): Promise<[Adjustment, Adjustment]> {
    return await this.#budgets.adjusting([fromId, toId], async ([from, to]) => {
      const [taken, given] = make(from as Budget, to as Budget)
      await this.#requireLeft(from as Budget, taken)
      const ids = [uuidv7(), uuidv7()] as const
      await this.#insert(ids[0], fromId, taken, ids[1])
      await this.#insert(ids[1], toId, given, ids[0])
      return [await this.#stored(ids[0]), await this.#stored(ids[1])]
    })
  }

  async revoke (budgetId: string, id: string, by: string): Promise<{ before: Adjustment, after: Adjustment } | null> {
    if (!isUuid(id)) return null
    const [known] = await this.#select('d.id = $1 and d.budget_id = $2', [id, budgetId])
    if (known === undefined) return null
    const sides = known.counterpartBudgetId === null ? [budgetId] : [budgetId, known.counterpartBudgetId]
    return await this.#budgets.adjusting(sides, async () => {
      const before = await this.#stored(id)
      await this.#tx.query({ text: REVOKE, values: [id, by] })
      return { before, after: await this.#stored(id) }
    }, known.subject)
  }

  /** what is set aside or spent is not there to be given away; the accounts are locked */
  async #requireLeft (budget: Budget, { amountNano, from }: AdjustmentDraft): Promise<void> {
    const period = periodAt(budget, from)
    const [row] = await this.#tx.query<LeftRow>({
      text: LEFT,
      values: [budget.id, new Date(period?.start ?? from), period?.end == null ? null : new Date(period.end)],
    })
    if (row === undefined) throw new Error(`budget ${budget.id} is not there, though it was locked`)
    const total = bigintOf(row.total_nano)
    const settled = bigintOf(row.settled_nano)
    const leased = bigintOf(row.leased_nano)
    const asked = -(amountNano ?? 0n)
    if (asked <= total - settled - leased) return
    const said = (nano: bigint) => `${formatNano(nano > 0n ? nano : 0n)} ${budget.currency}`
    if (asked > total - settled) {
      throw Object.assign(new Unprocessable(`amount must be at most the ${said(total - settled)} that budget ${budget.id} has left`), { field: 'amount' })
    }
    throw holdRefusal('budget_contention', `Of the ${said(total - settled)} that budget ${budget.id} has not spent, ${said(leased)} are set aside ` +
      'for open calls', { remedy: 'Try again in a moment, or transfer less.', ...row.id === null ? {} : { accounts: [idOf(row.id)] } })
  }

  async #insert (id: string, budgetId: string, draft: AdjustmentDraft, counterpartId: string | null): Promise<void> {
    const { kind, subject, amountNano, from, until, reason, createdBy } = draft
    await reached(this.#tx.query({
      text: INSERT,
      values: [
        id, budgetId, kind, amountNano, new Date(from), until === null ? null : new Date(until), reason, counterpartId,
        new Date(systemNow()), createdBy, subject,
      ],
    }))
  }

  async #stored (id: string): Promise<Adjustment> {
    const [found] = await this.#select('d.id = $1', [id])
    if (found === undefined) throw new Error(`adjustment ${id} is not in the transaction that wrote it`)
    return found
  }

  async #select (where: string, values: unknown[]): Promise<Adjustment[]> {
    return (await reached(this.#tx.query<AdjustmentRow>({ text: `${ADJUSTMENTS} where ${where}`, values }))).map(adjustmentOf)
  }
}

/** Works out anew what may be spent on accounts of which an adjustment has begun or ended; answers them. */
export async function sweepDueLimits (database: Queryable, most: number): Promise<number[]> {
  const rows = await reached(database.query<{ id: string }>({
    name: 'sweep_due_limits', text: 'select id from sweep_due_limits($1) id', values: [most],
  }))
  return rows.map(({ id }) => idOf(id))
}

const ADJUSTMENTS = `
  select d.*, c.budget_id as counterpart_budget_id
  from budget_adjustments d left join budget_adjustments c on c.id = d.counterpart_id`

const INSERT = `
  insert into budget_adjustments (id, budget_id, kind, amount_nano, effective_from, effective_until, reason, counterpart_id,
    created_at, created_by, subject)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`

/** What has ended by itself or was revoked before stays as it is. */
const REVOKE = `
  update budget_adjustments set revoked_at = clock_timestamp(), revoked_by = $2
  where (id = $1 or counterpart_id = $1) and revoked_at is null
    and (effective_until is null or effective_until > clock_timestamp())`

/** also where nobody has used the period yet */
const LEFT = `
  select a.id, f.total_nano, coalesce(a.settled_nano, 0) as settled_nano, coalesce(a.leased_nano, 0) as leased_nano
  from budget_definitions b
  left join budget_accounts a on a.budget_id = b.id and a.subject = '' and a.period_start = $2
  cross join lateral limits_of(b, '', coalesce(a.carried_nano, 0), $3::timestamptz, clock_timestamp()) f
  where b.id = $1`

interface LeftRow { id: string | null, total_nano: string, settled_nano: string, leased_nano: string }

interface AdjustmentRow {
  id: string
  budget_id: string
  subject: string
  kind: Adjustment['kind']
  amount_nano: string | null
  effective_from: Date
  effective_until: Date | null
  reason: string
  counterpart_budget_id: string | null
  created_at: Date
  created_by: string
  revoked_at: Date | null
  revoked_by: string | null
}

function adjustmentOf (row: AdjustmentRow): Adjustment {
  return {
    id: row.id,
    budgetId: row.budget_id,
    subject: row.subject,
    kind: row.kind,
    amountNano: row.amount_nano === null ? null : bigintOf(row.amount_nano),
    from: row.effective_from.getTime(),
    until: row.effective_until?.getTime() ?? null,
    reason: row.reason,
    counterpartBudgetId: row.counterpart_budget_id,
    createdAt: row.created_at.getTime(),
    createdBy: row.created_by,
    revokedAt: row.revoked_at?.getTime() ?? null,
    revokedBy: row.revoked_by,
  }
}
