import { setTimeout as wait } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type BudgetTracker } from '../budget/tracker.ts'
import { type Now } from '../clock.ts'
import { Conflict, HoldSettled, invalidField, shortAccounts } from '../errors.ts'
import { newCallId } from '../gateway/call-id.ts'
import { type Metrics } from '../metrics.ts'
import { formatNano } from '../money/amount.ts'
import { type PriceBook } from '../pricing/price.ts'
import { type Usage } from '../usage/usage.ts'
import { type HoldDraft, type LongHold, type Settlement } from './hold.ts'
import { type HoldStore } from './hold-store.ts'
import { noHold } from './holder.ts'
import { amountsOn, appliedBudgets, costOf, modelName, requireAllowed, worthOf, type HoldOrder, type Spent } from './placing.ts'
import { noBudget, paused, short } from './refused.ts'

/**
 * What other systems do with long holds. Each of these is one transaction, whose row in PostgreSQL decides: no gateway
 * remembers a hold. Refusals are errors that name the budget and what would help; nothing is held then.
 */
export interface LongHoldsOptions {
  prices: PriceBook
  tracker: Pick<BudgetTracker, 'recall'>
  metrics: Pick<Metrics, 'overruns'>
  now: Now
}

/** how long gateways have to give back what they do not use: a message, and a statement of theirs */
const RECALL_WAIT_MS = 60

export interface NewHold extends HoldOrder, Pick<HoldDraft, 'source' | 'externalId' | 'description' | 'metadata' | 'createdBy'> {
  /** from its opening, both ms since the epoch */
  deadline: (openedAt: number) => number
}

/** How a hold is said to have ended. */
export interface Ending {
  outcome: Settlement['outcome']
  /** null: by what was used */
  spent: Spent
  usage: Usage | null
  modelUsed: string | null
  requestId: string | null
}

export class LongHolds {
  readonly #o: LongHoldsOptions

  constructor (options: LongHoldsOptions) { this.#o = options }

  /**
   * `attempt` makes one try, in a transaction of its own. Where leases are in the way that gateways may not be using,
   * those are recalled and one more try is made.
   */
  async trying<T> (attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt()
    } catch (error) {
      const accounts = shortAccounts(error)
      if (accounts.length === 0) throw error
      this.#o.tracker.recall(accounts)
      await wait(RECALL_WAIT_MS)
      return await attempt()
    }
  }

  /** sets it aside on every budget that applies, or on none */
  async open (store: HoldStore, order: NewHold): Promise<LongHold> {
    const { prices, now } = this.#o
    const { holder, budgetId, asked: _asked, deadline, limits: _limits, ...said } = order
    const openedAt = now()
    const expiresAt = deadline(openedAt)
    if (expiresAt <= openedAt) throw invalidField('expiresAt', 'a time in the future', new Date(expiresAt).toISOString())
    const worth = await worthOf(order, prices, (currency) => store.rate(currency), openedAt)
    const budgets = budgetId === null ? await store.budgetsOf(holder) : await store.budgetLine(budgetId)
    const model = modelName(order, prices, openedAt)
    requireAllowed(order, model)
    const applied = appliedBudgets(order, budgets, model, openedAt)
    if (applied.length === 0) throw noBudget(holder, budgetId)
    const stopped = applied.find(({ budget }) => budget.paused)
    if (stopped !== undefined) throw paused(stopped)

    const amounts = amountsOn(applied, await store.accountsOf(applied), worth)
    const hold: HoldDraft = {
      ...said,
      ...holder,
      ...worth,
      id: newCallId(openedAt),
      model: order.model === null ? null : model,
      openedAt,
      expiresAt,
    }
    const { opened, figures } = await store.open(hold, amounts)
    if (!opened) throw short(applied, amounts, figures, openedAt)
    return await stored(store, hold.id)
  }

  /**
   * The cost replaces what is held, or nothing does: once. The same end again changes nothing; another one is refused.
   * After the deadline it corrects what was charged then.
   */
  async end (store: HoldStore, id: string, ending: Ending): Promise<LongHold> {
    const hold = await store.lock(id)
    if (hold === null) throw noHold(id)
    const { spent, ...said } = ending
    const end = ending.outcome === 'released'
      ? { cost: null, costNano: 0n, costs: hold.accounts.map(({ accountId }) => ({ accountId, amountNano: 0n })) }
      : costOf(hold, spent, ending.usage, this.#o.prices)
    const settlement: Settlement = { ...said, cost: end.cost }
    if (hold.settlement !== null) {
      if (isDeepStrictEqual(hold.settlement, settlement)) return hold
      throw new HoldSettled(`Hold ${id} was ${endOf(hold.settlement)} at ${new Date(hold.endedAt ?? 0).toISOString()}, and is not ` +
        `${endOf(settlement)} any more`)
    }
    const { costNano, costs } = end
    await store.end(id, { settlement, costNano, costs, correctionId: newCallId(hold.openedAt) })
    if (costNano > hold.quoteNano) this.#o.metrics.overruns.inc({ provider: 'long hold' })
    return await stored(store, id)
  }

  /** another deadline, from now on; of an open hold only */
  async extend (store: HoldStore, id: string, expiresAt: number): Promise<LongHold> {
    const hold = await store.lock(id)
    if (hold === null) throw noHold(id)
    if (hold.state === 'uncertain') throw new Conflict(`The deadline of hold ${id} has passed: settle or release it`)
    if (hold.state !== 'open') throw new HoldSettled(`Hold ${id} was ${hold.state} already`)
    await store.extend(id, expiresAt)
    return await stored(store, id)
  }
}

async function stored (store: HoldStore, id: string): Promise<LongHold> {
  const hold = await store.get(id)
  if (hold === null) throw new Error(`hold ${id} is not in the transaction that wrote it`)
  return hold
}

function endOf ({ outcome, cost, usage }: Settlement): string {
  if (cost === null) return outcome
  return `settled at ${formatNano(cost.amountNano)} ${cost.currency}${usage === null ? '' : ', with what was used'}`
}
