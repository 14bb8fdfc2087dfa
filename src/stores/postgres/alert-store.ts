import { type AlertPeriod, type AlertStore } from '../../reports/alert-store.ts'
import { type AlertRecord } from '../../usage/history.ts'
import { bigintOf, reached, type Queryable } from './pool.ts'

/** Crossings of thresholds in PostgreSQL. */
export class PostgresAlertStore implements AlertStore {
  readonly #database: Queryable

  constructor (database: Queryable) { this.#database = database }

  async acknowledge (period: AlertPeriod, threshold: string, by: string): Promise<AlertRecord | null> {
    const [row] = await reached(this.#database.query<AlertRow>({
      text: ACKNOWLEDGE, values: [period.budgetId, new Date(period.periodStart), threshold, by],
    }))
    if (row === undefined) return null
    return {
      threshold: Number(row.threshold),
      actions: row.actions,
      settledNano: bigintOf(row.settled_nano),
      triggeredAt: row.triggered_at.getTime(),
      acknowledgedAt: row.acknowledged_at.getTime(),
      acknowledgedBy: row.acknowledged_by,
    }
  }
}

/** Of two at once the second waits for the first, and finds what that one wrote. */
const ACKNOWLEDGE = `
  update budget_alert_history h set
    acknowledged_at = coalesce(h.acknowledged_at, clock_timestamp()),
    acknowledged_by = case when h.acknowledged_at is null then $4 else h.acknowledged_by end
  from budget_accounts a
  where a.budget_id = $1 and a.subject = '' and a.period_start = $2 and h.account_id = a.id and h.threshold = $3::numeric
  returning h.threshold, h.actions, h.settled_nano, h.triggered_at, h.acknowledged_at, h.acknowledged_by`

interface AlertRow {
  threshold: string
  actions: string[]
  settled_nano: string
  triggered_at: Date
  acknowledged_at: Date
  acknowledged_by: string | null
}
