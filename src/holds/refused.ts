import { type AccountFigures } from '../account/authority.ts'
import { type AppliedBudget } from '../budget/applies.ts'
import { blockLimit } from '../budget/limits.ts'
import { refusalBudget } from '../budget/shortage.ts'
import { subjectName } from '../budget/subject.ts'
import { holdRefusal, type HoldRefusalCode, type RefusalBudget } from '../errors.ts'
import { formatNano } from '../money/amount.ts'
import { judgeNeeds } from '../reports/constraints.ts'
import { nothingOn } from '../reports/standing.ts'
import { remedyText, suggestionsFor } from '../reports/suggestions.ts'
import { type HoldAmount, type Holder } from './hold.ts'

/**
 * Why nothing was set aside: which budget, what it has, and what would help. All of them are final but contention, and
 * that one says by `short` on which accounts leases that nobody may be using are in the way.
 */
export function noBudget (holder: Holder, budgetId: string | null): Error {
  const whom = budgetId === null ? `this identity (organization ${holder.organizationId})` : `budget ${budgetId} now`
  return holdRefusal('no_budget', `No budget applies to ${whom}, so nothing can be set aside.`, {
    remedy: budgetId === null
      ? 'Create a budget for it; one with filters applies only to a hold that names what they ask for (provider, model, tags).'
      : 'Restore it, or choose one whose period is running.',
  })
}

export function paused ({ budget, subject }: AppliedBudget): Error {
  return holdRefusal('budget_paused', `The budget "${budget.name}" (${subjectName(budget, subject)}) is paused.`, {
    remedy: 'Resume it.', budgetId: budget.id,
  })
}

interface Lack {
  one: AppliedBudget
  neededNano: bigint
  figures: AccountFigures
  limitNano: bigint
}

/** `figures`: of the accounts that it was refused on, from the statement that refused; `now`: ms since the epoch */
export function short (
  applied: readonly AppliedBudget[], amounts: readonly HoldAmount[], figures: readonly AccountFigures[], now: number
): Error {
  const lacks: Lack[] = []
  amounts.forEach(({ accountId, quoteNano }, i) => {
    const found = figures.find((one) => one.accountId === accountId)
    if (found === undefined || found.limitNano === null) return
    if (found.settledNano + found.leasedNano + quoteNano <= found.limitNano) return
    lacks.push({ one: applied[i] as AppliedBudget, neededNano: quoteNano, figures: found, limitNano: found.limitNano })
  })
  const decided = lacks.map((lack) => ({ lack, code: codeOf(lack) }))
  const worst = decided.find(({ code }) => code !== 'budget_contention') ?? decided[0]
  if (worst === undefined) throw new Error('a hold was refused that fits on all of its accounts')
  const chain = applied.map((one, i) => standingOf(one, amounts[i] as HoldAmount, figures))
  const suggestions = suggestionsFor(judgeNeeds(chain, now), null)
  return refusal(worst.code, worst.lack, lacks.map((lack) => lack.figures.accountId), (first) =>
    remedyText(suggestions, ({ budget, subject }) => `budget "${budget.name}" (${subjectName(budget, subject)})`, first) ??
      'Raise its amount.')
}

/** all that is leased may be in use; of an account without figures only that it has room is known */
function standingOf (one: AppliedBudget, amount: HoldAmount, figures: readonly AccountFigures[]) {
  const { budget, subject, periodStart, periodEnd } = one
  const f = figures.find(({ accountId }) => accountId === amount.accountId)
  const standing = f === undefined
    ? nothingOn(one)
    : {
        ...nothingOn(one),
        spentNano: f.settledNano,
        heldNano: f.leasedNano,
        inDoubtNano: f.inDoubtNano,
        heldLongNano: f.longHeldNano,
        limitNano: f.limitNano,
        totalNano: f.totalNano,
        doubt: f.inDoubtHolder === null ? null : { holder: f.inDoubtHolder, since: f.inDoubtSince ?? 0 },
      }
  return { budget, subject, period: { start: periodStart, end: periodEnd }, standing, needNano: amount.quoteNano }
}

function codeOf ({ one, neededNano, figures: f, limitNano }: Lack): HoldRefusalCode {
  const rest = limitNano - f.settledNano
  const blocked = blockLimit(one.budget, f.totalNano)
  if (neededNano > rest && limitNano < blocked && neededNano <= blocked - f.settledNano) return 'approval_required'
  if (neededNano > limitNano) return 'quote_exceeds_budget'
  if (neededNano > rest) return 'budget_exhausted'
  if (neededNano > rest - f.inDoubtNano) return 'budget_in_doubt'
  return neededNano > rest - f.inDoubtNano - f.longHeldNano ? 'budget_held' : 'budget_contention'
}

function refusal (
  code: HoldRefusalCode, lack: Lack, accounts: number[], remedyWith: (first: string) => string
): Error {
  const budget = budgetOf(lack)
  const { longHold } = lack.figures
  const hold = longHold === null ? null : { id: longHold.id, until: new Date(longHold.until).toISOString() }
  const named = `budget "${budget.name}" (${subjectName(lack.one.budget, lack.one.subject)})`
  const { what, first } = wordsOf(code, lack, hold)
  return holdRefusal(code, `${budget.needed} ${budget.currency} cannot be set aside on the ${named}: ${what} (limit ${budget.limit}, ` +
    `spent ${budget.spent}, held ${budget.held}, remaining ${budget.remaining}).`, {
    budget, budgetId: budget.id, remedy: remedyWith(first), ...code === 'budget_held' && hold !== null ? { hold } : {}, ...code === 'budget_contention' ? { accounts } : {},
  })
}

/** what is in the way, and what helps besides waiting and raising */
function wordsOf (code: HoldRefusalCode, { one, figures: f }: Lack, hold: { id: string, until: string } | null) {
  const { currency } = one.budget
  switch (code) {
    case 'quote_exceeds_budget': return { what: 'it is more than the whole limit', first: 'Ask for less' }
    case 'approval_required': return { what: 'past it the budget requires approval', first: '' }
    case 'budget_in_doubt':
      return { what: `${formatNano(f.inDoubtNano)} ${currency} leased by ${f.inDoubtHolder ?? 'a gateway'} is in doubt`, first: '' }
    case 'budget_held':
      return {
        what: `long holds set ${formatNano(f.longHeldNano)} ${currency} aside`,
        first: hold === null ? 'Settle or release them' : `Settle or release hold ${hold.id}, the largest, open until ${hold.until}`,
      }
    case 'budget_contention': return { what: 'open calls hold the rest', first: '' }
    default: return { what: 'what is spent leaves less', first: '' }
  }
}

/** `held`: all that is leased, of which calls and long holds may leave a part */
function budgetOf ({ one, neededNano, figures: { settledNano, leasedNano }, limitNano }: Lack): RefusalBudget {
  return refusalBudget(one, { limitNano, spentNano: settledNano, heldNano: leasedNano, neededNano })
}
