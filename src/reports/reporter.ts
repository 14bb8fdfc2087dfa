import { type Reach } from '../access/actor.ts'
import { type HotStatus } from '../account/hot-status.ts'
import { takesModel } from '../budget/applies.ts'
import { type Budget, type ScopeType } from '../budget/budget.ts'
import { forSubject, isForEach } from '../budget/subject.ts'
import { shownPeriod } from '../budget/period.ts'
import { type BudgetTracker } from '../budget/tracker.ts'
import { type Now } from '../clock.ts'
import { Unprocessable } from '../errors.ts'
import { formatNano } from '../money/amount.ts'
import { type PriceBook } from '../pricing/price.ts'
import { type RenderedCheck, renderCheck, seenIn } from './chain.ts'
import { judge } from './constraints.ts'
import { renderTree, treesOf } from './hierarchy.ts'
import { type ConstraintQuestion, readQuestion } from './question.ts'
import { type ReportStore, type SubjectPage } from './report-store.ts'
import { type LedgerAccount, nothingOn, standingOf, standingOfAll, untouched, type Untouched } from './standing.ts'
import { type BudgetStanding, renderStatus, renderSums, type SummedStanding } from './status.ts'
import { subjectsOf, type Whom } from './whom.ts'
import { suggestionsFor } from './suggestions.ts'

/**
 * BudgetReporter: how budgets stand now, over all gateways, with the figures that the next hold finds. It reads alone:
 * no account comes into being, no lease moves. However many budgets are asked about: one statement for their accounts,
 * and one pipeline for what other gateways say of those that they lease.
 */
export interface ReporterOptions {
  store: ReportStore
  hot: Pick<HotStatus, 'read'>
  tracker: Pick<BudgetTracker, 'view' | 'debts'>
  prices: PriceBook
  incarnation: number
  now: Now
}

/** what an answer may hold; a larger hierarchy is to be asked for in parts */
const MOST_BUDGETS = 5_000

export class BudgetReporter {
  readonly #o: ReporterOptions

  constructor (options: ReporterOptions) { this.#o = options }

  /** the answer of GET /budgets/:id/status */
  async status (budget: Budget, subject: string) {
    const now = this.#o.now()
    return renderStatus((await this.standings([{ budget, subject }], now))[0] as BudgetStanding, now)
  }

  /** the same of a budget for each of many, summed over them */
  async statusOfAll (budget: Budget) {
    const now = this.#o.now()
    return renderSums((await this.#sums([budget], now))[0] as SummedStanding, now)
  }

  /** the answer of GET /budgets/:id/accounts */
  async accounts (budget: Budget, page: SubjectPage) {
    const now = this.#o.now()
    const key = { budgetId: budget.id, periodStart: shownPeriod(budget, now).start }
    const { subjects, nextCursor } = await this.#o.store.subjects(key, page)
    const standings = await this.standings(subjects.map((subject) => ({ budget, subject })), now)
    return {
      accounts: standings.map((one) => renderStatus(one, now)), count: standings.length, limit: page.limit, nextCursor,
    }
  }

  /** the answer of GET /budgets/hierarchy/:type/:id */
  async hierarchy (scope: { type: ScopeType, id: string }, { reach, includeArchived }: HierarchyOptions) {
    const found = await this.#o.store.tree(scope, reach, MOST_BUDGETS + 1)
    if (found.length > MOST_BUDGETS) {
      throw new Unprocessable(`These are more than ${MOST_BUDGETS} budgets: ask for the hierarchy of a scope further down`)
    }
    const now = this.#o.now()
    const shown = includeArchived ? found : found.filter(({ archivedAt }) => archivedAt === null)
    const single = shown.filter((budget) => !isForEach(budget)).map((budget) => ({ budget, subject: '' }))
    const standings = new Map((await this.standings(single, now)).map((one) => [one.budget.id, one]))
    const sums = new Map((await this.#sums(shown.filter(isForEach), now)).map((one) => [one.budget.id, one]))
    const figures = { standings, sums }
    return {
      hierarchy: treesOf(found, includeArchived).map((node) => renderTree(node, figures, now)),
      count: shown.length,
    }
  }

  /** the answer of POST /budgets/:id/check-constraints; `reach`: of which budgets above it may tell */
  async check (
    budget: Budget, question: ConstraintQuestion, whom: Whom, reach: Reach | null
  ): Promise<RenderedCheck> {
    const { prices, store } = this.#o
    const now = this.#o.now()
    const asked = await readQuestion(question, budget, { prices, now, rate: (currency) => store.rate(currency) })
    const { estimate, priced } = asked
    const line = await store.chain(budget.id)
    const chain = await this.standings(subjectsOf(line, budget, whom), now)
    const passes = priced === null || takesModel(budget, priced.model.provider, priced.model.model)
    const verdict = judge(chain, estimate, now, passes)
    const shown = priced === null
      ? { estimatedCost: formatNano(estimate.nano), currency: estimate.currency }
      : { estimatedCost: formatNano(verdict.chain[0]?.needNano ?? 0n), currency: budget.currency }
    return renderCheck(verdict, suggestionsFor(verdict, priced), shown, seenIn(line, reach))
  }

  async #sums (budgets: readonly Budget[], now: number): Promise<SummedStanding[]> {
    const periods = budgets.map((budget) => shownPeriod(budget, now))
    const keys = budgets.map(({ id }, i) => ({ budgetId: id, periodStart: periods[i]?.start ?? 0 }))
    const found = new Map((await this.#o.store.sums(keys)).map((one) => [one.budgetId, one]))
    return budgets.map((budget, i) => {
      const sums = found.get(budget.id)
      const standing = sums === undefined ? nothingOn({ budget }) : standingOfAll(sums)
      const all = sums === undefined ? budget : { ...budget, amountNano: sums.amountNano }
      const period = periods[i] as BudgetStanding['period']
      return { budget: all, subject: '', period, standing, subjects: sums?.subjects ?? 0 }
    })
  }

  /** in the order asked */
  async standings (asked: readonly OfWhom[], now: number): Promise<BudgetStanding[]> {
    const { store, hot, tracker, incarnation } = this.#o
    const periods = asked.map(({ budget }) => shownPeriod(budget, now))
    // before the ledger is asked: what is recorded meanwhile is then rather counted twice than left out
    const debts = tracker.debts()
    const keys = asked.map(({ budget: { id }, subject }, i) =>
      ({ budgetId: id, subject, periodStart: periods[i]?.start ?? 0, periodEnd: periods[i]?.end ?? null }))
    const found = await store.accounts(keys)
    const shared = found.filter(isAccount).filter((one) => hasOthers(one, incarnation))
    const others = await hot.read(shared.map(({ accountId }) => accountId))
    const accounts = new Map(found.map((account) => [keyOf(account.budgetId, account.subject), account]))
    return asked.map(({ budget: of, subject }, i) => {
      const budget = forSubject(of, subject)
      const period = periods[i] as BudgetStanding['period']
      const account = accounts.get(keyOf(budget.id, subject))
      if (account === undefined) throw new Error(`budget ${budget.id} is not in the ledger`)
      if (!isAccount(account)) return { budget, subject, period, standing: untouched(account) }
      const { accountId } = account
      const own = { incarnation, lease: tracker.view(accountId), debtNano: debts.get(accountId) ?? 0n }
      return { budget, subject, period, standing: standingOf(account, own, others.get(accountId) ?? []) }
    })
  }
}

/** An account that is asked about: of a budget for each of many, that of one; else the subject is empty. */
export interface OfWhom { budget: Budget, subject: string }

function keyOf (budgetId: string, subject: string): string { return `${budgetId} ${subject}` }

function isAccount (one: LedgerAccount | Untouched): one is LedgerAccount { return 'accountId' in one }

export interface HierarchyOptions {
  /** null: everything */
  reach: Reach | null
  includeArchived: boolean
}

/** Where nobody else leases anything, nobody else can say anything that counts. */
function hasOthers ({ leases }: LedgerAccount, incarnation: number): boolean {
  return leases.some((lease) => lease.incarnation !== incarnation && lease.responds && lease.restNano > 0n)
}
