import { type Acknowledged, type AlertMark, type AlertPeriod, type AlertStore } from '../../reports/alert-store.ts'
import { type AlertRecord } from '../../usage/history.ts'
import { bigintOf, reached, type Queryable } from './pool.ts'

/** Crossings of thresholds in PostgreSQL. */
export class PostgresAlertStore implements AlertStore {
  readonly #database: Queryable

  constructor (database: Queryable) { this.#database = database }

  async acknowledge (period: AlertPeriod, mark: AlertMark, by: string): Promise<Acknowledged | null> {
    const [percent, amountNano] = 'percent' in mark ? [mark.percent, null] : [null, mark.amountNano]
    const of = [period.budgetId, new Date(period.periodStart), percent, amountNano, period.subject]
    const [row] = await reached(this.#database.query<AlertRow>({ text: ACKNOWLEDGE, values: [...of, by] }))
    if (row !== undefined) return { alert: alertOf(row), first: true }
    const [known] = await reached(this.#database.query<AlertRow>({ text: CROSSING, values: of }))
    return known === undefined ? null : { alert: alertOf(known), first: false }
  }
}

const OF = `
  a.budget_id = $1 and a.subject = $5 and a.period_start = $2 and h.account_id = a.id
  and h.threshold is not distinct from $3::numeric and h.amount_nano is not distinct from $4::bigint`
const COLUMNS = 'h.threshold, h.amount_nano, h.actions, h.settled_nano, h.triggered_at, h.acknowledged_at, h.acknowledged_by'

/** Of two at once the second waits for the first, and finds nothing to do. */
const ACKNOWLEDGE = `
  update budget_alert_history h set acknowledged_at = clock_timestamp(), acknowledged_by = $6
  from budget_accounts a where ${OF} and h.acknowledged_at is null
  returning ${COLUMNS}`

const CROSSING = `select ${COLUMNS} from budget_alert_history h, budget_accounts a where ${OF}`

interface AlertRow {
  threshold: string | null
  amount_nano: string | null
  actions: string[]
  settled_nano: string
  triggered_at: Date
  acknowledged_at: Date | null
  acknowledged_by: string | null
}

function alertOf (row: AlertRow): AlertRecord {
  return {
    threshold: row.threshold === null ? null : Number(row.threshold),
    amountNano: row.amount_nano === null ? null : bigintOf(row.amount_nano),
    actions: row.actions,
    settledNano: bigintOf(row.settled_nano),
    triggeredAt: row.triggered_at.getTime(),
    acknowledgedAt: row.acknowledged_at?.getTime() ?? null,
    acknowledgedBy: row.acknowledged_by,
  }
}
