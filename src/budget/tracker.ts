import {
  type AccountFigures, type Authority, type EnsuredAccount, type GrantAnswer, type GrantRequest,
  type LeaseReturn, LostCommitsError, NotLiveError, type PostAnswer,
} from '../account/authority.ts'
import { type HotFigures, type HotStatus } from '../account/hot-status.ts'
import { type Lease } from '../account/lease.ts'
import { FRESH_MS, type HoldDecision, LeaseBook, type Need, type Short } from '../account/lease-book.ts'
import { type Now, steadyNow } from '../clock.ts'
import { type Refusal } from '../errors.ts'
import { overloaded } from '../load.ts'
import { convertNano } from '../money/amount.ts'
import { type AccountHold, type Charge } from '../usage/usage.ts'
import { within } from '../within.ts'
import { accountSpec } from './account-spec.ts'
import { type AppliedBudget } from './applies.ts'
import { type Spending } from './policy.ts'
import { shortageOf, shortRefusal, type Stands } from './shortage.ts'

/**
 * BudgetTracker: accounts, leases and holds of this gateway, and the status of budgets. It wires the pure lease book to
 * the authority, to the hot status and to time. On the warm path `hold` answers synchronously, without a query.
 *
 * Fails closed: where the authority does not answer in time, a call that needs more than the leases have is refused.
 */

/** One call's quote, set aside on all of its accounts. */
export interface CallHold {
  readonly holds: AccountHold[]
  /** the budgets in the order of `holds` */
  readonly applied: readonly AppliedBudget[]
  /** those of `holds` that no lease stands behind, since the ledger did not answer and their budgets fail open */
  readonly unbacked?: readonly AccountHold[]
}

export interface TrackerLog {
  warn (details: object, message: string): void
  error (details: object, message: string): void
}

export interface TrackerOptions {
  authority: Authority
  hot: HotStatus
  incarnation: number
  now: Now
  /** of how long something takes; default: the process's own */
  steady?: Now
  random: () => number
  log: TrackerLog
  /** rights are to be given back: at once, or with the next batch */
  onReturnsDue: (atOnce: boolean) => void
  /** this process life was declared over: nothing may be admitted any more */
  onNotLive: (error: Error) => void
  /** most calls that wait for a grant; absent: however many */
  mostWaiting?: number
  /** a call was refused because as many wait */
  onLineFull?: () => void
  /** so long calls go on from what was leased before, while the authority does not answer; absent: for ever */
  outageMs?: number
  /** so much time of spending is leased before it is needed; absent: none is */
  carryMs?: number
}

const HOUSEKEEPING_MS = 100
const HEARTBEAT_MS = 1_000
/** accounts that are idle, or whose period is over, are looked for */
const SWEEP_MS = 5_000
/** figures of accounts that refuse are read again before they are too old to refuse */
const REFRESH_MS = FRESH_MS - 100
/** older figures are read again before a call is judged by what is spent */
const JUDGED_FRESH_MS = 2_500
/** after it did not answer */
const DOWN_MS = 1_000
/** the authority has not answered for so long: calls that leases do not cover are refused without asking it */
const SILENT_MS = 5_000
/** so long a call waits for newer figures, where it can be judged by older ones */
const READ_WITHIN_MS = 1_000
const RETIRE_AFTER_MS = 3_600_000
/** accounts asked about in one heartbeat */
const HEARTBEAT_ACCOUNTS = 2_000

export class BudgetTracker {
  readonly #o: TrackerOptions
  /** everything here but whether a period is over goes by it: a clock that is set must keep nobody waiting */
  readonly #steady: Now
  readonly #book: LeaseBook
  /** by budget and subject: the newest account; older periods stay reachable by their id in the book */
  readonly #accounts = new Map<string, { applied: AppliedBudget, accountId: number }>()
  /** the keys of #accounts, by account */
  readonly #keys = new Map<number, string>()
  readonly #opening = new Map<string, Promise<number>>()
  /** charges beyond what leases pay, of finished calls that are not recorded yet, by account */
  readonly #debt = new Map<number, bigint>()
  readonly #reading = new Map<string, Promise<void>>()
  /** quotes of open calls that were let through without the ledger, by account */
  readonly #unbacked = new Map<number, bigint>()
  /** until then the ledger is not asked again for calls that may go without */
  #downUntil = -Infinity
  #toOpen: { applied: AppliedBudget, resolve: (account: EnsuredAccount) => void, reject: (error: Error) => void }[] = []
  #clockOffset = 0
  #pumping = false
  #granting = false
  #askingAhead = false
  #stopped = false
  #heartbeatAt = 0
  #sweptAt = 0
  #beatFrom = 0
  #beating = false
  #timer: NodeJS.Timeout | null = null
  #retryTimer: NodeJS.Timeout | null = null
  /** the last heartbeat failed */
  #unanswered = false
  /** the last call that was refused because the authority does not answer */
  #refusedDownAt = -Infinity
  grants = 0
  /** of the steady clock: the authority's last answer to a heartbeat */
  answeredAt = 0
  /** calls that were let through without the ledger */
  failedOpen = 0

  constructor (options: TrackerOptions) {
    this.#o = options
    this.#steady = options.steady ?? steadyNow
    this.#book = new LeaseBook({
      random: options.random,
      others: (accountId) => options.hot.others(accountId),
      recall: (accountId) => { options.hot.recall(accountId) },
      clockOffset: () => this.#clockOffset,
      carryMs: options.carryMs ?? 0,
    })
    options.hot.onRecall((accountId) => {
      this.#book.recalled(accountId, this.#steady())
      options.onReturnsDue(true)
    })
  }

  start (): void {
    this.#heartbeatAt = this.#steady()
    this.answeredAt = this.#heartbeatAt
    this.#timer = setInterval(() => { this.#keepHouse() }, HOUSEKEEPING_MS)
    this.#timer.unref()
  }

  /** admits nothing any more and refuses who waits; open holds can still settle */
  stop (): void {
    this.#stopped = true
    if (this.#timer !== null) clearInterval(this.#timer)
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    this.#book.abandon()
  }

  get waiting (): number { return this.#book.waiting }

  /** nothing is held, and the authority knows all that was spent: leases may be closed */
  get isAtRest (): boolean {
    for (const lease of this.#book.leases()) if (lease.held > 0n || lease.unposted > 0n) return false
    return true
  }

  get #outageMs (): number { return this.#o.outageMs ?? Infinity }

  /** how long the authority has not answered, ms; 0: it does */
  get silentMs (): number { return this.#unanswered ? Math.max(0, this.#steady() - this.answeredAt) : 0 }

  /** calls are refused because it does not answer: its leases do not cover those that come, or not any more */
  get refusesForSilence (): boolean {
    const { silentMs } = this
    return silentMs > this.#outageMs || (silentMs > SILENT_MS && this.#steady() - this.#refusedDownAt < REFUSING_MS)
  }

  /** sets a call's quote (nano-USD) aside on every budget that applies, or says why it cannot */
  hold (applied: readonly AppliedBudget[], quoteNano: bigint): CallHold | Refusal | Promise<CallHold | Refusal> {
    if (this.#stopped) return SHUTTING_DOWN
    const ids: number[] = []
    for (const one of applied) {
      const id = this.#known(one)
      if (id === null) return this.#holdUnknown(applied, quoteNano)
      ids.push(id)
    }
    return this.#holdOn(applied, ids, quoteNano)
  }

  /**
   * Sets more aside (nano-USD) on the accounts of a hold, or says why it cannot. Where the ledger does not answer no
   * more is held, whatever a budget says to that.
   */
  extend (hold: CallHold, moreNano: bigint): CallHold | Refusal | Promise<CallHold | Refusal> {
    if (this.#stopped) return SHUTTING_DOWN
    // of an account on which nothing stands behind the hold nothing can stand behind more of it
    if (hold.unbacked !== undefined) return LEDGER_UNAVAILABLE
    const more = this.#holdOn(hold.applied, hold.holds.map(({ accountId }) => accountId), moreNano, Infinity)
    const backed = (extension: CallHold | Refusal): CallHold | Refusal => {
      if (!('holds' in extension) || extension.unbacked === undefined) return extension
      this.release(extension)
      return LEDGER_UNAVAILABLE
    }
    return more instanceof Promise ? more.then(backed) : backed(more)
  }

  /** makes two holds of the same accounts one */
  join (hold: CallHold, more: CallHold): void {
    hold.holds.forEach((held, i) => { held.quoteNano += more.holds[i]?.quoteNano ?? 0n })
  }

  /** replaces the hold by the cost (nano-USD); answers what each account is charged. Unconditional. */
  settle (hold: CallHold, costNano: bigint): Charge[] {
    const now = this.#steady()
    const charges: Charge[] = []
    for (const held of hold.holds) {
      const { accountId } = held
      const amountNano = convertNano(costNano, held.rate)
      const coveredNano = held.enforced ? this.#book.settle(held, amountNano, now) : 0n
      if (amountNano > coveredNano) this.#owe(accountId, amountNano - coveredNano)
      charges.push({ accountId, amountNano, coveredNano })
    }
    this.#back(hold)
    if (this.#book.restless) this.#pumpSoon()
    return charges
  }

  /** a row of the ledger holds it from now on, as these figures say */
  kept (hold: CallHold, figures: readonly AccountFigures[]): void {
    const now = this.#steady()
    for (const held of hold.holds) if (held.enforced) this.#book.handOver(held, now)
    this.#back(hold)
    this.#learn(figures)
  }

  /** the call never reached the provider */
  release (hold: CallHold): void {
    const now = this.#steady()
    for (const held of hold.holds) if (held.enforced) this.#book.settle(held, 0n, now)
    this.#back(hold)
    if (this.#book.restless) this.#pumpSoon()
  }

  /** what goes back with the next post; `everything` when the gateway stops */
  collectReturns (everything = false): LeaseReturn[] {
    return this.#book.collectReturns(this.#steady(), everything ? 'everything' : 'due')
  }

  /** the authority recorded these charges and returns */
  posted (answer: PostAnswer, charges: readonly Charge[], returns: readonly LeaseReturn[]): void {
    for (const charge of charges) this.#owe(charge.accountId, charge.coveredNano - charge.amountNano)
    this.#book.returnsKnown(returns)
    this.#learn(answer.accounts)
    if (this.#book.restless) this.#pumpSoon()
  }

  /**
   * The ledger charged these accounts beside what gateways post: their figures are read again and told to the others at
   * once, so that the next hold knows them. Where the ledger does not answer, the next heartbeat brings them.
   */
  async charged (accounts: readonly { accountId: number, periodEnd: number | null }[]): Promise<void> {
    const now = this.#o.now()
    const running = accounts.filter(({ periodEnd }) => periodEnd === null || periodEnd > now)
    if (running.length === 0) return
    const ends = new Map(running.map(({ accountId, periodEnd }) => [accountId, periodEnd]))
    try {
      const found = await this.#o.authority.heartbeat(this.#o.incarnation, [...ends.keys()])
      for (const { accountId, grantedNano, postedNano } of found) {
        // of what was had and forgotten nothing is left
        const had = { grantedNano, postedNano, returnedNano: grantedNano - postedNano }
        this.#book.know(accountId, ends.get(accountId) ?? null, this.#steady(), had, false)
      }
      this.#learn(found)
      for (const { accountId } of found) this.#publishNow(accountId)
    } catch (error) {
      this.#o.log.warn({ err: error, accounts: running.length }, 'the ledger did not tell what usage that was recorded has changed')
      this.#heedNotLive(error)
    }
    if (this.#book.giving) this.#o.onReturnsDue(true)
  }

  /**
   * Makes sure that what is spent of these budgets is known well enough to judge by: null at once where it is, a
   * refusal where nothing is known of one of them and the ledger does not answer.
   */
  prepare (applied: readonly AppliedBudget[]): null | Promise<Refusal | null> {
    const now = this.#steady()
    const known = applied.every((one) => {
      const id = this.#known(one)
      const lease = id === null ? undefined : this.#book.lease(id)
      return lease?.figures != null && now - lease.figuresAt < JUDGED_FRESH_MS && !lease.precedes(one.budget.version)
    })
    if (known) return null
    if (this.silentMs <= SILENT_MS) return this.#prepare(applied)
    const refusal = this.#judgeable(applied)
    return refusal === null ? null : Promise.resolve(refusal)
  }

  /** of the budget's account; nothing spent where nothing is known of it */
  spendingOf (one: AppliedBudget): Spending {
    const id = this.#known(one)
    const lease = id === null ? undefined : this.#book.lease(id)
    if (id === null || lease?.figures == null) return { spentNano: 0n, totalNano: one.budget.amountNano }
    const { totalNano } = lease.figures
    let { settledNano, at } = lease.figures
    for (const other of this.#o.hot.others(id) ?? []) if (other.at > at) ({ settledNano, at } = other)
    return { spentNano: settledNano + (lease.unposted > 0n ? lease.unposted : 0n) + this.debt(id), totalNano }
  }

  /** what a call could be held for on the budget's account, by what is known of it; null: nothing is */
  roomNano (one: AppliedBudget): bigint | null {
    const id = this.#known(one)
    const lease = id === null ? undefined : this.#book.lease(id)
    if (lease?.figures == null) return null
    const room = lease.room
    return lease.free + (room > 0n ? room : 0n)
  }

  /** how the budget's account stands, by what is known of it; null: nothing is */
  stands (one: AppliedBudget): Stands | null {
    const id = this.#known(one)
    const lease = id === null ? undefined : this.#book.lease(id)
    if (id === null || lease?.figures == null) return null
    const { inDoubtNano, inDoubtHolder, inDoubtSince, longHeldNano, limitNano } = lease.figures
    let heldNano = lease.held + inDoubtNano + longHeldNano
    for (const other of this.#o.hot.others(id) ?? []) heldNano += other.heldNano
    return {
      ...this.spendingOf(one),
      heldNano,
      inDoubtNano,
      heldLongNano: longHeldNano,
      limitNano,
      doubt: inDoubtHolder === null ? null : { holder: inDoubtHolder, since: inDoubtSince ?? 0 },
    }
  }

  /** a life that ends in order is over by its own word, which an answer still under way may bring */
  #heedNotLive (error: unknown): void {
    if (error instanceof NotLiveError && !this.#stopped) this.#o.onNotLive(error)
  }

  /** live view of one account for status and metrics; null: this gateway does not know the account */
  view (accountId: number): Lease | null { return this.#book.lease(accountId) ?? null }

  /** finished calls' charges that no post has recorded yet, beyond what leases paid */
  debt (accountId: number): bigint { return this.#debt.get(accountId) ?? 0n }

  /** of all accounts that have some, as it is now */
  debts (): Map<number, bigint> { return new Map(this.#debt) }

  /** the newest account of each budget that this gateway has used, and its lease */
  * inUse (): IterableIterator<{ applied: AppliedBudget, lease: Lease }> {
    for (const { applied, accountId } of this.#accounts.values()) {
      const lease = this.#book.lease(accountId)
      if (lease !== undefined) yield { applied, lease }
    }
  }

  /** what is unused of these accounts goes back, here and elsewhere: something that is not a call is short of it */
  recall (accountIds: readonly number[]): void {
    for (const accountId of accountIds) {
      this.#book.recalled(accountId, this.#steady())
      this.#o.hot.recall(accountId)
    }
    this.#o.onReturnsDue(true)
  }

  /** the ledger moved these accounts by other than a call: reads them again, and tells the others. Never rejects. */
  async refresh (accountIds: readonly number[]): Promise<void> {
    const known = accountIds.map((accountId) => this.#book.lease(accountId)).filter((lease) => lease !== undefined)
    if (!this.#stopped) await this.charged(known)
  }

  /** the account of a budget in a period, made if it is missing */
  accountOf (applied: AppliedBudget): Promise<number> {
    const known = this.#known(applied)
    if (known === null) return this.#open(applied)
    this.#book.touch(known, this.#steady())
    return Promise.resolve(known)
  }

  async #prepare (applied: readonly AppliedBudget[]): Promise<Refusal | null> {
    try {
      const old = this.#judgeable(applied) === null
      const reading = Promise.all(applied.map((one) => this.accountOf(one))).then((ids) => this.#read(ids))
      await (old ? within(reading, READ_WITHIN_MS, undefined) : reading)
    } catch (error) {
      this.#o.log.warn({ err: error }, 'what is spent of the budgets of a call could not be read')
      this.#heedNotLive(error)
    }
    return this.#judgeable(applied)
  }

  /** what was known before is old, and better than no answer */
  #judgeable (applied: readonly AppliedBudget[]): Refusal | null {
    return applied.every((one) => this.roomNano(one) !== null) ? null : this.#unavailable()
  }

  #unavailable (refusal = LEDGER_UNAVAILABLE): Refusal {
    this.#refusedDownAt = this.#steady()
    return refusal
  }

  /** calls that want to know the same at once ask once */
  async #read (ids: readonly number[]): Promise<void> {
    const key = ids.join()
    let reading = this.#reading.get(key)
    if (reading === undefined) {
      reading = this.#o.authority.heartbeat(this.#o.incarnation, [...ids])
        .then((figures) => { this.#learn(figures) })
        .finally(() => { this.#reading.delete(key) })
      this.#reading.set(key, reading)
    }
    await reading
  }

  #known (one: AppliedBudget): number | null {
    const account = this.#accounts.get(keyOf(one))
    return account?.applied.periodStart === one.periodStart ? account.accountId : null
  }

  async #holdUnknown (applied: readonly AppliedBudget[], quoteNano: bigint): Promise<CallHold | Refusal> {
    if (this.silentMs > SILENT_MS) return this.#unavailable()
    let ids: number[]
    try {
      ids = await Promise.all(applied.map((one) => this.accountOf(one)))
    } catch (error) {
      this.#o.log.error({ err: error }, 'the accounts of a call could not be opened')
      return this.#unavailable()
    }
    if (this.#stopped) return SHUTTING_DOWN
    return await this.#holdOn(applied, ids, quoteNano)
  }

  #holdOn (
    applied: readonly AppliedBudget[], ids: readonly number[], quoteNano: bigint, mostWaiting = this.#o.mostWaiting
  ): CallHold | Refusal | Promise<CallHold | Refusal> {
    const holds: AccountHold[] = []
    const needs: Need[] = []
    for (let i = 0; i < applied.length; i++) {
      const { budget } = applied[i] as AppliedBudget
      const accountId = ids[i] as number
      const enforced = budget.mode === 'enforced'
      const quote = convertNano(quoteNano, budget.rate)
      holds.push({ accountId, quoteNano: quote, rate: budget.rate, enforced })
      if (enforced) {
        needs.push({ accountId, quoteNano: quote, budgetVersion: budget.version })
      }
    }
    const hold: CallHold = { holds, applied }
    let answer: ((value: CallHold | Refusal) => void) | null = null
    const told = (decision: HoldDecision): CallHold | Refusal => {
      if (decision.kind === 'held') return hold
      const open = decision.reason === 'unavailable' ? this.#holdOpen(applied, holds, needs) : null
      return open ?? this.#refusal(decision, applied, ids)
    }
    const now = this.#steady()
    if (now < this.#downUntil) {
      const open = this.#holdOpen(applied, holds, needs)
      if (open !== null) return open
    }
    const { silentMs } = this
    if (silentMs > SILENT_MS && needs.length > 0) {
      const carried = silentMs <= this.#outageMs
      if (carried && this.#book.holdAtOnce(needs, now)) return hold
      return this.#holdOpen(applied, holds, needs) ?? this.#unavailable(carried ? LEDGER_UNAVAILABLE : LEDGER_GONE)
    }
    const decision = this.#book.hold(needs, now, (late) => { answer?.(told(late)) }, mostWaiting)
    if (decision !== null) return told(decision)
    this.#pumpSoon()
    return new Promise((resolve) => { answer = resolve })
  }

  /**
   * The ledger does not answer: held on what the leases have and, where they have too little, on nothing at all, as far
   * as each such budget lets this gateway go. null: one does not.
   */
  #holdOpen (
    applied: readonly AppliedBudget[], holds: readonly AccountHold[], needs: readonly Need[]
  ): CallHold | null {
    if (this.#stopped) return null
    const unbacked: AccountHold[] = []
    const backed: Need[] = []
    const opened = holds.map((held, i): AccountHold => {
      const need = needs.find(({ accountId }) => accountId === held.accountId)
      if (need === undefined) return held
      if ((this.#book.lease(held.accountId)?.free ?? 0n) >= held.quoteNano) {
        backed.push(need)
        return held
      }
      const without = { ...held, enforced: false }
      const allowed = applied[i]?.budget.failOpenNano ?? 0n
      const used = this.debt(held.accountId) + (this.#unbacked.get(held.accountId) ?? 0n)
      if (used + held.quoteNano <= allowed) unbacked.push(without)
      return without
    })
    if (backed.length + unbacked.length < needs.length || unbacked.length === 0) return null
    if (!this.#book.holdAtOnce(backed, this.#steady())) return null
    for (const { accountId, quoteNano } of unbacked) {
      this.#unbacked.set(accountId, (this.#unbacked.get(accountId) ?? 0n) + quoteNano)
    }
    this.failedOpen++
    return { holds: opened, applied, unbacked }
  }

  /** the call has ended: what it cost without a lease is debt until it is recorded */
  #back ({ unbacked }: CallHold): void {
    if (unbacked === undefined) return
    for (const { accountId, quoteNano } of unbacked) {
      const rest = (this.#unbacked.get(accountId) ?? 0n) - quoteNano
      if (rest > 0n) this.#unbacked.set(accountId, rest)
      else this.#unbacked.delete(accountId)
    }
  }

  /** accounts wanted in one tick are opened by one statement, and read from the hot status once */
  #open (applied: AppliedBudget): Promise<number> {
    const key = `${applied.periodStart} ${keyOf(applied)}`
    const under = this.#opening.get(key)
    if (under !== undefined) return under
    const opened = new Promise<EnsuredAccount>((resolve, reject) => {
      if (this.#toOpen.push({ applied, resolve, reject }) === 1) setImmediate(() => { void this.#openAll() })
    }).then(async ({ accountId, lease }) => {
      this.#book.know(accountId, applied.periodEnd, this.#steady(), lease, applied.subject === '')
      await this.#o.hot.watch(accountId)
      const ofWhom = keyOf(applied)
      const newest = this.#accounts.get(ofWhom)
      if (newest === undefined || newest.applied.periodStart <= applied.periodStart) {
        this.#accounts.set(ofWhom, { applied, accountId })
        this.#keys.set(accountId, ofWhom)
      }
      return accountId
    }).finally(() => { this.#opening.delete(key) })
    this.#opening.set(key, opened)
    return opened
  }

  async #openAll (): Promise<void> {
    const batch = this.#toOpen
    this.#toOpen = []
    try {
      const ids = await this.#o.authority.ensureAccounts(batch.map(({ applied: one }) =>
        accountSpec(one.budget, one.subject, { start: one.periodStart, end: one.periodEnd })), this.#o.incarnation)
      batch.forEach((one, i) => {
        const found = ids[i]
        if (found === undefined) one.reject(new Error(`budget ${one.applied.budget.id} is not in the ledger`))
        else one.resolve(found)
      })
    } catch (error) {
      for (const one of batch) one.reject(error as Error)
    }
  }

  /** one statement for all calls that wait in this tick */
  #pumpSoon (): void {
    if (this.#pumping) return
    this.#pumping = true
    setImmediate(() => {
      this.#pumping = false
      this.#pump()
    })
  }

  #pump (): void {
    if (this.#granting || this.#stopped) return
    const now = this.#steady()
    const request = this.#book.nextGrant(now)
    if (request !== null) void this.#grant(request)
    const retryAt = this.#book.nextRetryAt
    if (retryAt === Infinity || this.#retryTimer !== null) return
    this.#o.onReturnsDue(true)
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null
      this.#pump()
    }, Math.max(1, retryAt - now))
  }

  async #grant (request: GrantRequest): Promise<void> {
    this.#granting = true
    this.grants++
    let answer: GrantAnswer | null = null
    try {
      answer = await this.#o.authority.grant(this.#o.incarnation, request)
    } catch (error) {
      this.#o.log.error({ err: error, calls: request.calls.length }, 'the ledger granted nothing')
      this.#heedNotLive(error)
    }
    this.#granting = false
    this.#downUntil = answer === null ? this.#steady() + DOWN_MS : -Infinity
    if (answer === null) this.#book.grantFailed(this.#steady())
    else {
      this.#noteClock(answer.accounts)
      this.#book.granted(answer, this.#steady())
    }
    if (this.#book.restless) this.#pump()
  }

  /** figures that only grow are smaller than they were before they were asked for */
  #heedLoss (found: readonly AccountFigures[], known: ReadonlyMap<number, Told>): void {
    const lost = found.find(({ accountId, grantedNano, postedNano }) => {
      const before = known.get(accountId)
      return before !== undefined && (grantedNano < before.grantedNano || postedNano < before.postedNano)
    })
    if (lost !== undefined && !this.#stopped) this.#o.onNotLive(new LostCommitsError())
  }

  #learn (accounts: readonly AccountFigures[]): void {
    this.#noteClock(accounts)
    for (const figures of accounts) this.#book.learn(figures, this.#steady())
  }

  /** answers take time to come: figures look younger than they are by as long as the last one took; they only refuse */
  #noteClock (accounts: readonly AccountFigures[]): void {
    const last = accounts[accounts.length - 1]
    if (last !== undefined) this.#clockOffset = last.at - this.#steady()
  }

  #owe (accountId: number, nano: bigint): void {
    if (nano === 0n) return
    const sum = (this.#debt.get(accountId) ?? 0n) + nano
    if (sum > 0n) this.#debt.set(accountId, sum)
    else this.#debt.delete(accountId)
  }

  #keepHouse (): void {
    const now = this.#steady()
    for (const lease of this.#book.takeTouched(now)) this.#publish(lease)
    if (this.#book.giving) this.#o.onReturnsDue(false)
    const due = now - this.#heartbeatAt >= HEARTBEAT_MS
    const refusing = this.#refusing(now)
    if ((due || refusing.length > 0) && !this.#beating) {
      if (due && !this.#askingAhead) void this.#askAhead(now)
      void this.#heartbeat(due, refusing)
    }
    if (now - this.#sweptAt >= SWEEP_MS) this.#sweep(now)
    if (this.#book.restless) this.#pump()
  }

  /** there may be many accounts, most of them idle */
  #sweep (now: number): void {
    this.#sweptAt = now
    this.#book.sweep(now)
    for (const accountId of this.#book.retire(now, RETIRE_AFTER_MS)) this.#forget(accountId)
  }

  #forget (accountId: number): void {
    this.#o.hot.unwatch(accountId)
    const ofWhom = this.#keys.get(accountId)
    if (ofWhom === undefined) return
    this.#keys.delete(accountId)
    if (this.#accounts.get(ofWhom)?.accountId === accountId) this.#accounts.delete(ofWhom)
  }

  async #askAhead (now: number): Promise<void> {
    const request = this.#book.aheadOfCalls(now)
    if (request === null) return
    this.#askingAhead = true
    this.grants++
    try {
      this.#learn((await this.#o.authority.grant(this.#o.incarnation, request)).accounts)
    } catch (error) {
      this.#o.log.warn({ err: error, accounts: request.calls.length }, 'the ledger granted nothing ahead of calls')
      this.#heedNotLive(error)
      this.#book.aheadFailed(request, this.#steady())
    }
    this.#askingAhead = false
  }

  #refusing (now: number): number[] {
    const ids: number[] = []
    for (const lease of this.#book.refusedWithin(now, HEARTBEAT_MS)) {
      if (now - lease.figuresAt > REFRESH_MS) ids.push(lease.accountId)
    }
    return ids.length > HEARTBEAT_ACCOUNTS ? ids.slice(0, HEARTBEAT_ACCOUNTS) : ids
  }

  /** tells that this life goes on; reads the figures of what it uses, so that no lost answer strands rights */
  async #heartbeat (due: boolean, refusing: number[]): Promise<void> {
    this.#beating = true
    const now = this.#steady()
    if (due) this.#heartbeatAt = now
    try {
      const ids = due ? this.#heldOrUsed(now) : refusing
      const known = new Map(ids.map((id) => [id, toldOf(this.#book.lease(id))]))
      const found = await this.#o.authority.heartbeat(this.#o.incarnation, ids)
      this.#heedLoss(found, known)
      this.#learn(found)
      this.answeredAt = this.#steady()
      this.#unanswered = false
    } catch (error) {
      this.#unanswered = true
      this.#o.log.warn({ err: error }, 'the ledger did not answer a heartbeat')
      this.#heedNotLive(error)
    }
    this.#beating = false
  }

  #heldOrUsed (now: number): number[] {
    const ids: number[] = []
    for (const lease of this.#book.leases()) {
      const used = now - lease.usedAt < 2 * HEARTBEAT_MS || now - lease.refusedAt < 2 * HEARTBEAT_MS
      if (used || lease.held > 0n || lease.free > 0n || lease.unsure || !lease.isHeardOut) ids.push(lease.accountId)
    }
    if (ids.length <= HEARTBEAT_ACCOUNTS) return ids
    // each gets its turn
    const from = this.#beatFrom % ids.length
    this.#beatFrom = from + HEARTBEAT_ACCOUNTS
    return [...ids.slice(from), ...ids.slice(0, from)].slice(0, HEARTBEAT_ACCOUNTS)
  }

  #publish (lease: Lease): void {
    const figures = this.hotFigures(lease)
    if (figures !== null) this.#o.hot.publish(figures, lease.refusedAt > this.#steady() - HOUSEKEEPING_MS)
  }

  #publishNow (accountId: number): void {
    const lease = this.#book.lease(accountId)
    const figures = lease === undefined ? null : this.hotFigures(lease)
    if (figures !== null) this.#o.hot.publish(figures, true)
  }

  /** what this gateway says of one account; null: it has heard nothing of it yet */
  hotFigures (lease: Lease): HotFigures | null {
    const f = lease.figures
    if (f === null) return null
    return {
      accountId: lease.accountId,
      incarnation: this.#o.incarnation,
      budgetVersion: f.budgetVersion,
      limitNano: f.limitNano,
      settledNano: f.settledNano,
      leasedNano: f.leasedNano,
      inDoubtNano: f.inDoubtNano,
      at: f.at,
      heldNano: lease.held,
      consumedNano: lease.consumed,
      unusedNano: lease.free,
    }
  }

  #refusal (short: Short, applied: readonly AppliedBudget[], ids: readonly number[]): Refusal {
    const one = applied[ids.indexOf(short.accountId)]
    if (short.reason === 'crowded') {
      this.#o.onLineFull?.()
      return overloaded(`As many calls wait for a budget as may (${this.waiting}), so this one was not forwarded.`)
    }
    if (short.reason === 'unavailable' || one === undefined) return this.#stopped ? SHUTTING_DOWN : this.#unavailable()
    return shortRefusal(shortageOf(short, one, this.#book.lease(short.accountId) ?? null), one)
  }
}

/** the id of a budget is as long as all others */
function keyOf ({ budget, subject }: AppliedBudget): string {
  return subject === '' ? budget.id : `${budget.id} ${subject}`
}

const SHUTTING_DOWN: Refusal = {
  code: 'shutting_down', message: 'The gateway is shutting down; the same call will work on another one or after its restart.', retryable: true, retryAfterMs: 1_000,
}

/** a gateway that has refused no call for so long is worth another try */
const REFUSING_MS = 10_000

const LEDGER_GONE: Refusal = {
  code: 'ledger_unavailable',
  message: 'The budget ledger (PostgreSQL) has not answered for longer than calls may go on without it, so the call was not forwarded.',
  retryable: true,
  retryAfterMs: 5_000,
}

const LEDGER_UNAVAILABLE: Refusal = {
  code: 'ledger_unavailable', message: 'The budget ledger (PostgreSQL) did not answer in time, so the call was not forwarded.', retryable: true, retryAfterMs: 2_000,
}

/** what the authority has said of a lease, of what only grows */
type Told = Pick<AccountFigures, 'grantedNano' | 'postedNano'>

function toldOf (lease: Lease | undefined): Told {
  return { grantedNano: lease?.granted ?? 0n, postedNano: lease?.posted ?? 0n }
}
