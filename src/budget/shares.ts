import { exchangeNano, formatNano } from '../money/amount.ts'
import { type Budget, type Period } from './budget.ts'
import { isForEach } from './subject.ts'

/**
 * Whether the budgets right below one have more together than it has itself. That is allowed, since a call is held on
 * all of them, and perhaps not meant: so it is a warning.
 */
export interface Warning {
  code: 'children_exceed_parent'
  message: string
  /** the budget that has less than what is below it */
  budgetId: string
}

type Share = Pick<Budget, 'id' | 'name' | 'scopeType' | 'scopeId' | 'amountNano' | 'currency' | 'rate' | 'period' |
  'startDate' | 'endDate' | 'recurring' | 'archivedAt'>

/** in the 400 years after which the calendar repeats */
const PERIODS: Record<Exclude<Period, 'custom'>, bigint> = {
  daily: 146_097n, weekly: 20_871n, monthly: 4_800n, quarterly: 1_600n, annual: 400n,
}

const PER: Record<Period, string> = {
  daily: ' a day', weekly: ' a week', monthly: ' a month', quarterly: ' a quarter', annual: ' a year', custom: '',
}

/**
 * Amounts of another currency count at the rates that both have now, those of another period by its average length.
 * Custom periods compare with the very same period alone; what does not compare is left out, and the warning says so.
 * Archived children, those whose time is over, and those for each of however many do not count. Rounded down: what
 * warns is more indeed.
 */
export function sharesWarning (parent: Share, children: readonly Share[], now: number): Warning | null {
  const counted = children.filter((child) =>
    child.archivedAt === null && !isOver(child, now) && !isForEach(child))
  let sum = 0n
  let left = 0
  for (const child of counted) {
    const share = shareOf(parent, child)
    if (share === null) left++
    else sum += share
  }
  if (sum <= parent.amountNano) return null
  const amount = (nano: bigint) => `${formatNano(nano)} ${parent.currency}`
  const how = [
    ...counted.some(({ currency }) => currency !== parent.currency) ? ['currencies at today\'s rates'] : [],
    ...counted.some(({ period }) => period !== parent.period) ? ['periods by their average length'] : [],
    ...left > 0 ? [`without ${left} whose ${left === 1 ? 'period does' : 'periods do'} not compare`] : [],
  ]
  return {
    code: 'children_exceed_parent',
    message: `The budgets below "${parent.name}" have ${amount(sum)}${PER[parent.period]} together, more than its own ` +
      `${amount(parent.amountNano)}${how.length === 0 ? '' : ` (${how.join(', ')})`}`,
    budgetId: parent.id,
  }
}

function isOver ({ endDate, period, recurring }: Share, now: number): boolean {
  return endDate !== null && now >= endDate && !(period === 'custom' && recurring)
}

/** null: it does not compare */
function shareOf (parent: Share, child: Share): bigint | null {
  const same = child.currency === parent.currency
  const inParents = (nano: bigint) => same ? nano : exchangeNano(nano, child.rate, parent.rate)
  const { amountNano } = child
  if (child.period === 'custom' || parent.period === 'custom') {
    return samePeriod(parent, child) ? inParents(amountNano) : null
  }
  if (child.period === parent.period) return inParents(amountNano)
  return child.recurring ? inParents(amountNano * PERIODS[child.period]) / PERIODS[parent.period] : null
}

function samePeriod (one: Share, other: Share): boolean {
  return one.period === other.period && one.startDate === other.startDate && one.endDate === other.endDate &&
    one.recurring === other.recurring
}
