import { parseAmount, percentOf } from '../money/amount.ts'
import { type Budget, type BudgetAlert } from './budget.ts'

/**
 * What thresholds are in amounts, and where they end a budget. Pure; the ledger's `enforced_limit()` says the same of
 * an account, and is what holds are measured by.
 */

/** `totalNano`: what 100 % are; rounded down */
export function thresholdNano ({ threshold, amount }: Pick<BudgetAlert, 'threshold' | 'amount'>, totalNano: bigint): bigint {
  if (threshold !== undefined) return percentOf(totalNano, threshold)
  const nano = parseAmount(amount)
  if (nano === null) throw new Error(`a threshold without a percentage or an amount: ${amount}`)
  return nano
}

/** `80 %`, or `40 USD` */
export function thresholdText ({ threshold, amount }: Pick<BudgetAlert, 'threshold' | 'amount'>, currency: string): string {
  return threshold === undefined ? `${amount} ${currency}` : `${threshold} %`
}

/** past it nothing is held, whatever is approved */
export function blockLimit ({ alerts }: Pick<Budget, 'alerts'>, totalNano: bigint): bigint {
  return lowest(alerts, 'block-all', totalNano) ?? totalNano
}

/** past it something is held only as far as it was approved; null: no approval is required before it ends */
export function approvalLimit (budget: Pick<Budget, 'alerts'>, totalNano: bigint): bigint | null {
  const limit = lowest(budget.alerts, 'require-approval', totalNano)
  return limit !== null && limit < blockLimit(budget, totalNano) ? limit : null
}

function lowest (alerts: readonly BudgetAlert[], action: BudgetAlert['actions'][number], totalNano: bigint): bigint | null {
  let least: bigint | null = null
  for (const alert of alerts) {
    if (!alert.actions.includes(action)) continue
    const nano = thresholdNano(alert, totalNano)
    if (nano < totalNano && (least === null || nano < least)) least = nano
  }
  return least
}
