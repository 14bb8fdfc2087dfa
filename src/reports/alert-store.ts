import { type AlertRecord } from '../usage/history.ts'

export interface AlertPeriod {
  budgetId: string
  /** empty, or whose account of a budget for each of many */
  subject: string
  /** ms since the epoch */
  periodStart: number
}

/** a threshold: a percentage as decimal text, or an amount */
export type AlertMark = { percent: string } | { amountNano: bigint }

export interface Acknowledged {
  alert: AlertRecord
  /** false: it was acknowledged before */
  first: boolean
}

/** Crossings of thresholds as people work on them. */
export interface AlertStore {
  /**
   * That somebody knows of a crossing: the first who says so is remembered, and nothing changes after. null: the
   * budget has not crossed this threshold in this period.
   */
  acknowledge (period: AlertPeriod, mark: AlertMark, by: string): Promise<Acknowledged | null>
}
