/**
 * The lease authority in memory, for tests only. It decides what PostgreSQL decides, by the same rules and in
 * the same atomic steps: every method takes effect whole, at the moment it is called, or throws and changes
 * nothing. It is stricter in one place: figures that a gateway can never rightly send (more covered or returned
 * than its lease has left, a lease closed while its owner lives) are thrown at it, as a check constraint would.
 */
import {
  BatchRefusedError, NotLiveError, type AccountFigures, type AccountSpec, type Authority, type EnsuredAccount,
  type GrantAnswer,
  type GrantCall, type GrantRequest, type KeptCharge, type LeaseFigures, type LeaseReturn, type PostAnswer,
} from '../../src/account/authority.ts'
import { type Now } from '../../src/clock.ts'
import { type KeptCall } from '../../src/holds/job.ts'
import { type Charge, type UsageEvent } from '../../src/usage/usage.ts'

export type IncarnationState = 'live' | 'recovering' | 'closed' | 'written off'

interface BudgetRow { currency: string, limitNano: bigint | null, version: number }

interface AccountRow extends AccountSpec {
  accountId: number
  currency: string
  limitNano: bigint | null
  settledNano: bigint
  leasedNano: bigint
}

interface GatewayRow {
  incarnation: number
  host: string
  journalId: string
  state: IncarnationState
  /** ms since the epoch: the last sign of life */
  heartbeatAt: number
}

interface LeaseRow {
  grantedNano: bigint
  returnedNano: bigint
  postedNano: bigint
  /** counted as spent by a write-off, and not yet replaced by what was really spent */
  writtenOffNano: bigint
}

/** One lease as an auditor sees it. */
export interface LeaseBooks {
  accountId: number
  incarnation: number
  state: IncarnationState
  restNano: bigint
  writtenOffNano: bigint
}

/** One account as an auditor sees it: what the row says, and what its leases and charges add up to. */
export interface AccountBooks {
  accountId: number
  limitNano: bigint | null
  settledNano: bigint
  leasedNano: bigint
  /** sum over all leases of granted - returned - posted, and what long holds hold */
  leasesNano: bigint
  /** sum of everything that was charged to this account */
  chargedNano: bigint
}

export interface MemoryAuthorityOptions {
  now: Now
  /** a live gateway that is not heard of for so long is in doubt */
  silentAfterMs?: number
  /**
   * true: once a call of a request is refused, later calls on its accounts are refused too. An authority may be
   * so conservative, since it decides a batch in one statement; the gateway then asks again for what fits.
   */
  blocking?: boolean
}

export class MemoryAuthority implements Authority {
  readonly #now: Now
  readonly #silentAfterMs: number
  readonly #blocking: boolean
  readonly #budgets = new Map<string, BudgetRow>()
  readonly #accounts = new Map<number, AccountRow>()
  #lastAccountId = 0
  readonly #accountIds = new Map<string, number>()
  readonly #gateways: GatewayRow[] = []
  /** by account, then by incarnation */
  readonly #leases = new Map<number, Map<number, LeaseRow>>()
  /** by account: all charges, with a call or without */
  readonly #chargedNano = new Map<number, bigint>()
  readonly #longHolds = new Map<string, { held: Map<number, bigint>, until: number }>()
  /** calls that are, or were, long holds */
  readonly #kept = new Set<string>()
  readonly #jobs = new Set<string>()
  /** what long holds that are over have cost */
  readonly settledHolds = new Map<string, bigint>()
  /** every event that was ever inserted, by its id */
  readonly events = new Map<string, UsageEvent>()

  constructor (options: MemoryAuthorityOptions) {
    this.#now = options.now
    this.#silentAfterMs = options.silentAfterMs ?? 15_000
    this.#blocking = options.blocking ?? false
  }

  /** What an administrator does: a budget must exist before its accounts. `limitNano` null: soft. */
  defineBudget (budgetId: string, limitNano: bigint | null, currency = 'USD'): void {
    this.#budgets.set(budgetId, { currency, limitNano, version: 1 })
  }

  /** What an administrator does: acts at once on the accounts whose periods are not over. */
  setLimit (budgetId: string, limitNano: bigint | null): void {
    const budget = this.#budget(budgetId)
    budget.limitNano = limitNano
    budget.version++
    for (const account of this.#accounts.values()) {
      if (account.budgetId !== budgetId || isOver(account, this.#now())) continue
      account.limitNano = limitNano
    }
  }

  /** Usage that no call held: recorded by hand, or a correction. Moves `settled` only and is never refused. */
  charge (accountId: number, amountNano: bigint): void {
    this.#account(accountId).settledNano += amountNano
    add(this.#chargedNano, accountId, amountNano)
  }

  /** The gateway's last sign of life was longer ago than is allowed, or is to come. */
  silence (incarnation: number, ahead = false): void {
    const by = this.#silentAfterMs + 1
    this.#gateway(incarnation).heartbeatAt = this.#now() + (ahead ? by : -by)
  }

  /** On all of its accounts or on none, by a row of its own; false: it does not fit. */
  openLongHold (id: string, accountIds: number[], nano: bigint, until = this.#now() + 3_600_000): boolean {
    const accounts = accountIds.map((accountId) => this.#account(accountId))
    if (accounts.some((a) => a.limitNano !== null && a.settledNano + a.leasedNano + nano > a.limitNano)) return false
    for (const account of accounts) account.leasedNano += nano
    this.#longHolds.set(id, { held: new Map(accountIds.map((accountId) => [accountId, nano])), until })
    return true
  }

  /** The cost replaces what it held; more than once is once. */
  settleLongHold (id: string, costNano: bigint): void {
    const hold = this.#longHolds.get(id)
    if (!this.#longHolds.delete(id) || hold === undefined) return
    this.settledHolds.set(id, costNano)
    for (const [accountId, heldNano] of hold.held) {
      this.#account(accountId).leasedNano -= heldNano
      this.charge(accountId, costNano)
    }
  }

  /** Counts what a gateway that does not answer has leased as spent. */
  writeOff (incarnation: number): void {
    const gateway = this.#gateway(incarnation)
    if (!this.doubtful(incarnation)) throw new Error(`incarnation ${incarnation} is ${gateway.state}, and answers`)
    gateway.state = 'written off'
    for (const [accountId, leases] of this.#leases) {
      const lease = leases.get(incarnation)
      if (lease === undefined) continue
      lease.writtenOffNano = restOf(lease)
      lease.postedNano += lease.writtenOffNano
      this.#account(accountId).leasedNano -= lease.writtenOffNano
      this.charge(accountId, lease.writtenOffNano)
    }
  }

  /** what it leases may be written off */
  doubtful (incarnation: number): boolean {
    const gateway = this.#gateway(incarnation)
    // what was kept for events that are set aside
    const keeps = () => [...this.#leases.values()].some((leases) => restOf(leases.get(incarnation) ?? noLease()) > 0n)
    return gateway.state === 'recovering' || (gateway.state === 'live' && this.#isInDoubt(gateway)) ||
      (gateway.state === 'closed' && keeps())
  }

  longHolds (): string[] { return [...this.#longHolds.keys()] }

  longHeld (accountId: number): bigint {
    return sum(this.#longHoldsOn(accountId).map(([, { held }]) => held.get(accountId) ?? 0n))
  }

  stateOf (incarnation: number): IncarnationState {
    return this.#gateway(incarnation).state
  }

  books (): AccountBooks[] {
    return [...this.#accounts.values()].map(({ accountId, limitNano, settledNano, leasedNano }) => ({
      accountId,
      limitNano,
      settledNano,
      leasedNano,
      leasesNano: sum([...this.#leasesOf(accountId).values()].map(restOf)) + this.longHeld(accountId),
      chargedNano: this.#chargedNano.get(accountId) ?? 0n,
    }))
  }

  leases (): LeaseBooks[] {
    const books: LeaseBooks[] = []
    for (const [accountId, leases] of this.#leases) {
      for (const [incarnation, lease] of leases) {
        const { state } = this.#gateway(incarnation)
        books.push({ accountId, incarnation, state, restNano: restOf(lease), writtenOffNano: lease.writtenOffNano })
      }
    }
    return books
  }

  async join (journalId: string, host: string): Promise<number> {
    const incarnation = this.#gateways.length + 1
    this.#gateways.push({
      incarnation, host, journalId, state: 'live', heartbeatAt: this.#now(),
    })
    return incarnation
  }

  async unbegun (journalId: string): Promise<number[]> {
    return this.#gateways
      .filter((gateway) => gateway.journalId === journalId && gateway.state === 'live')
      .map(({ incarnation }) => incarnation)
      .filter((incarnation) => ![...this.#leases.values()].some((leases) => leases.has(incarnation)))
  }

  async ensureAccounts (specs: AccountSpec[], incarnation?: number): Promise<EnsuredAccount[]> {
    for (const spec of specs) this.#budget(spec.budgetId)
    for (const spec of [...specs].sort(inOrder)) this.#ensureAccount(spec)
    return specs.map((spec) => {
      const { accountId, currency } = this.#account(this.#accountIds.get(keyOf(spec)) ?? 0)
      const lease = incarnation === undefined ? undefined : this.#leasesOf(accountId).get(incarnation)
      if (lease === undefined) return { accountId, currency, lease: null }
      const { grantedNano, returnedNano, postedNano } = lease
      return { accountId, currency, lease: { grantedNano, returnedNano, postedNano } }
    })
  }

  async grant (incarnation: number, request: GrantRequest): Promise<GrantAnswer> {
    this.#assertLive(incarnation)
    assertPositive(request)
    const accountIds = accountsOf(request)
    const freeNano = new Map(accountIds.map((id) => [id, this.#freeOf(id)]))
    const refusedOn = new Set<number>()

    const granted = request.calls.map((call) => this.#take(call, freeNano, refusedOn))

    const addedNano = new Map<number, bigint>()
    request.calls.forEach((call, index) => {
      if (!granted[index]) return
      for (const { accountId, needNano } of call.needs) add(addedNano, accountId, needNano)
    })
    for (const { accountId, extraNano } of request.extras) {
      if (refusedOn.has(accountId)) continue
      const share = (freeNano.get(accountId) ?? 0n) / BigInt(2 * this.#holdersOf(accountId, incarnation))
      add(addedNano, accountId, min(extraNano, share))
    }
    for (const [accountId, amountNano] of addedNano) this.#addToLease(accountId, incarnation, amountNano)
    return { granted, accounts: accountIds.map((id) => this.#figures(id, incarnation)) }
  }

  async silent (withinMs: number): Promise<number[]> {
    const silent = this.#gateways.filter((gateway) => gateway.state !== 'closed' && this.#isInDoubt(gateway))
    const lately = silent.filter(({ heartbeatAt }) => heartbeatAt > this.#now() - withinMs)
    return lately.map(({ incarnation }) => incarnation)
  }

  async heartbeat (incarnation: number, accountIds: number[]): Promise<AccountFigures[]> {
    this.#assertLive(incarnation)
    this.#gateway(incarnation).heartbeatAt = this.#now()
    return accountIds.map((id) => this.#figures(id, incarnation))
  }

  async inspect (accountIds: number[]): Promise<{ accounts: AccountFigures[], leases: LeaseFigures[] }> {
    const leases = accountIds.flatMap((accountId) => [...this.#leasesOf(accountId)].map(([incarnation, lease]) => ({
      accountId,
      incarnation,
      restNano: restOf(lease),
      postedNano: lease.postedNano,
      responds: !this.#isInDoubt(this.#gateway(incarnation)),
    })))
    return {
      accounts: accountIds.map((id) => ({ ...this.#figures(id, 0), grantedNano: 0n, postedNano: 0n })),
      leases: leases.filter(({ restNano }) => restNano > 0n),
    }
  }

  /**
   * Accepts events in every state of the incarnation: nothing that was spent is ever turned away. A lease that
   * was closed pays only with what was kept on it for events set aside; the rest moves `settled` alone.
   */
  async post (incarnation: number, events: UsageEvent[], returns: LeaseReturn[]): Promise<PostAnswer> {
    const { state } = this.#gateway(incarnation)
    const fresh = this.#fresh(events)
    const changes = new LeaseChanges((accountId) => this.#lease(accountId, incarnation), state)
    for (const { end } of fresh) for (const charge of end.charges) changes.charge(charge)
    for (const back of returns) changes.giveBack(back)
    changes.check()

    for (const event of fresh) {
      this.events.set(event.end.id, event)
      for (const { accountId, amountNano } of event.end.charges) add(this.#chargedNano, accountId, amountNano)
    }
    for (const change of changes.all()) this.#apply(change, incarnation)
    if (state === 'written off') {
      for (const { end } of fresh) for (const charge of end.charges) this.#replaceWriteOff(incarnation, charge)
    }
    const touched = [...events.flatMap(({ end }) => end.charges), ...returns].map(({ accountId }) => accountId)
    return {
      inserted: fresh.map(({ end }) => end.id),
      accounts: unique(touched).map((id) => this.#figures(id, incarnation)),
    }
  }

  async keep (incarnation: number, { opening, jobId, expiresAt }: KeptCall) {
    this.#assertLive(incarnation)
    const figures = () => opening.holds.map(({ accountId }) => this.#figures(accountId, incarnation))
    if (this.#kept.has(opening.id)) return { kept: true, accounts: figures() }
    const held = opening.holds.filter(({ enforced }) => enforced)
    const job = `${opening.provider} ${jobId}`
    const standing = held.every(({ accountId, quoteNano }) => restOf(this.#lease(accountId, incarnation)) >= quoteNano)
    if (!standing || this.events.has(opening.id) || this.#jobs.has(job)) return { kept: false, accounts: figures() }
    this.#kept.add(opening.id)
    this.#jobs.add(job)
    for (const { accountId, quoteNano } of held) this.#lease(accountId, incarnation).returnedNano += quoteNano
    const amountOf = ({ quoteNano, enforced }: { quoteNano: bigint, enforced: boolean }) => enforced ? quoteNano : 0n
    const amounts = new Map(opening.holds.map((one) => [one.accountId, amountOf(one)]))
    this.#longHolds.set(opening.id, { held: amounts, until: expiresAt })
    return { kept: true, accounts: figures() }
  }

  async beginRecovery (incarnation: number): Promise<void> {
    const gateway = this.#gateway(incarnation)
    if (gateway.state !== 'live') return
    gateway.state = 'recovering'
  }

  async closeLeases (incarnation: number, kept: KeptCharge[]): Promise<void> {
    const gateway = this.#gateway(incarnation)
    if (gateway.state === 'closed') return
    if (gateway.state === 'live') throw new Error(`incarnation ${incarnation} is live: its leases cannot be closed`)

    const keptNano = new Map<number, bigint>()
    for (const { callId = '', accountId, keptNano: nano } of kept) if (!this.events.has(callId)) add(keptNano, accountId, nano)
    if (gateway.state === 'written off') {
      this.#closeWrittenOff(gateway, keptNano)
      return
    }
    for (const [accountId, leases] of this.#leases) {
      const lease = leases.get(incarnation)
      if (lease === undefined) continue
      const backNano = restOf(lease) - min(keptNano.get(accountId) ?? 0n, restOf(lease))
      lease.returnedNano += backNano
      this.#account(accountId).leasedNano -= backNano
    }
    gateway.state = 'closed'
  }

  /** What events that are set aside will still cost stays in the entry, from which their posts take it. */
  #closeWrittenOff (gateway: GatewayRow, keptNano: Map<number, bigint>): void {
    let left = 0n
    for (const [accountId, leases] of this.#leases) {
      const lease = leases.get(gateway.incarnation)
      if (lease === undefined) continue
      const stays = min(keptNano.get(accountId) ?? 0n, lease.writtenOffNano)
      this.charge(accountId, stays - lease.writtenOffNano)
      lease.writtenOffNano = stays
      left += stays
    }
    if (left === 0n) gateway.state = 'closed'
  }

  #replaceWriteOff (incarnation: number, { accountId, coveredNano }: Charge): void {
    const lease = this.#lease(accountId, incarnation)
    const backNano = min(coveredNano, lease.writtenOffNano)
    lease.writtenOffNano -= backNano
    this.charge(accountId, -backNano)
  }

  /** All accounts of the call or none: only when every one of them has room is anything taken. */
  #take (call: GrantCall, freeNano: Map<number, bigint>, refusedOn: Set<number>): boolean {
    const fits = call.needs.every(({ accountId, needNano }) => needNano <= (freeNano.get(accountId) ?? 0n))
    const blocked = this.#blocking && call.needs.some(({ accountId }) => refusedOn.has(accountId))
    if (!fits || blocked) {
      for (const { accountId } of call.needs) refusedOn.add(accountId)
      return false
    }
    for (const { accountId, needNano } of call.needs) add(freeNano, accountId, -needNano)
    return true
  }

  /** Who asks on an account that has just lost its limit is not refused: the answer tells it not to ask again. */
  #freeOf (accountId: number): bigint {
    const { limitNano, settledNano, leasedNano } = this.#account(accountId)
    if (limitNano === null) return NO_LIMIT_NANO
    const freeNano = limitNano - settledNano - leasedNano
    return freeNano > 0n ? freeNano : 0n
  }

  #addToLease (accountId: number, incarnation: number, amountNano: bigint): void {
    if (amountNano <= 0n) return
    const leases = this.#leasesOf(accountId)
    const lease = leases.get(incarnation) ?? noLease()
    lease.grantedNano += amountNano
    leases.set(incarnation, lease)
    this.#leases.set(accountId, leases)
    this.#account(accountId).leasedNano += amountNano
  }

  #apply (change: LeaseChange, incarnation: number): void {
    const account = this.#account(change.accountId)
    account.settledNano += change.settledNano
    const lease = this.#leasesOf(change.accountId).get(incarnation)
    if (lease === undefined) return
    lease.grantedNano += change.unknownNano
    lease.postedNano += change.postedNano
    lease.returnedNano += change.backNano
    account.leasedNano -= change.postedNano - change.unknownNano + change.backNano
  }

  #figures (accountId: number, incarnation: number): AccountFigures {
    const account = this.#account(accountId)
    const lease = this.#lease(accountId, incarnation)
    const doubtful = [...this.#leasesOf(accountId)]
      .filter(([owner]) => owner !== incarnation)
      .map(([owner, row]) => ({ gateway: this.#gateway(owner), restNano: restOf(row) }))
      .filter(({ gateway, restNano }) => restNano > 0n && this.#isInDoubt(gateway))
      .sort((a, b) => a.gateway.heartbeatAt - b.gateway.heartbeatAt)
    const first = doubtful[0]?.gateway
    const longHolds = this.#longHoldsOn(accountId)
    const on = ({ held }: { held: Map<number, bigint> }) => held.get(accountId) ?? 0n
    const largest = [...longHolds].sort(([, a], [, b]) => Number(on(b) - on(a)))[0]
    return {
      accountId,
      limitNano: account.limitNano,
      totalNano: account.limitNano ?? NO_LIMIT_NANO,
      settledNano: account.settledNano,
      leasedNano: account.leasedNano,
      budgetVersion: this.#budget(account.budgetId).version,
      grantedNano: lease.grantedNano,
      postedNano: lease.postedNano,
      holders: this.#respondingOn(accountId, incarnation),
      inDoubtNano: sum(doubtful.map(({ restNano }) => restNano)),
      inDoubtSince: first === undefined ? null : first.heartbeatAt,
      inDoubtHolder: first === undefined ? null : `${first.host} (gateway ${first.incarnation})`,
      longHeldNano: this.longHeld(accountId),
      longHold: largest === undefined ? null : { id: largest[0], until: largest[1].until },
      at: this.#now(),
    }
  }

  #longHoldsOn (accountId: number) {
    return [...this.#longHolds].filter(([, { held }]) => held.has(accountId))
  }

  #isInDoubt (gateway: GatewayRow): boolean {
    return gateway.state !== 'live' || Math.abs(this.#now() - gateway.heartbeatAt) > this.#silentAfterMs
  }

  /** Those that have something left and answer, as the asking one does. */
  #respondingOn (accountId: number, incarnation: number): number {
    const leases = [...this.#leasesOf(accountId)].filter(([, lease]) => restOf(lease) > 0n)
    return leases.filter(([owner]) => owner === incarnation || !this.#isInDoubt(this.#gateway(owner))).length
  }

  /** The asking gateway counts even when it has nothing left: it is about to. */
  #holdersOf (accountId: number, incarnation: number): number {
    const leases = [...this.#leasesOf(accountId)].filter(([owner]) => owner !== incarnation)
    return leases.filter(([, lease]) => restOf(lease) > 0n).length + 1
  }

  #fresh (events: UsageEvent[]): UsageEvent[] {
    const fresh = new Map<string, UsageEvent>()
    for (const event of events) {
      // what became long is settled by its row alone
      if (this.events.has(event.end.id) || fresh.has(event.end.id) || this.#kept.has(event.end.id)) continue
      for (const { accountId } of event.end.charges) this.#account(accountId)
      fresh.set(event.end.id, event)
    }
    return [...fresh.values()]
  }

  #ensureAccount (spec: AccountSpec): AccountRow {
    const key = keyOf(spec)
    // who wants an account takes a number, as by a sequence of PostgreSQL, whether there is one already or not
    this.#lastAccountId++
    const known = this.#accountIds.get(key)
    if (known !== undefined) return this.#account(known)
    const { currency, limitNano } = this.#budget(spec.budgetId)
    const accountId = this.#lastAccountId
    const account = {
      ...spec, accountId, currency, limitNano, settledNano: 0n, leasedNano: 0n,
    }
    this.#accounts.set(accountId, account)
    this.#accountIds.set(key, accountId)
    return account
  }

  #assertLive (incarnation: number): void {
    const { state } = this.#gateway(incarnation)
    if (state !== 'live') throw new NotLiveError(`incarnation ${incarnation} is ${state}`)
  }

  #budget (budgetId: string): BudgetRow {
    const budget = this.#budgets.get(budgetId)
    if (budget === undefined) throw new Error(`no budget ${budgetId}`)
    return budget
  }

  #account (accountId: number): AccountRow {
    const account = this.#accounts.get(accountId)
    if (account === undefined) throw new Error(`no account ${accountId}`)
    return account
  }

  #gateway (incarnation: number): GatewayRow {
    const gateway = this.#gateways[incarnation - 1]
    if (gateway === undefined) throw new Error(`no incarnation ${incarnation}`)
    return gateway
  }

  #leasesOf (accountId: number): Map<number, LeaseRow> {
    return this.#leases.get(accountId) ?? new Map<number, LeaseRow>()
  }

  #lease (accountId: number, incarnation: number): LeaseRow {
    return this.#leasesOf(accountId).get(incarnation) ?? noLease()
  }
}

/** More than any sum of needs, and still a bigint of PostgreSQL. */
export const NO_LIMIT_NANO = 2n ** 62n

interface LeaseChange {
  accountId: number
  settledNano: bigint
  postedNano: bigint
  backNano: bigint
  /** what a gateway that is gone has spent it was granted, whatever is known of that */
  unknownNano: bigint
  /** of the lease, once this change is applied */
  leftNano: bigint
}

/** What one post does to one incarnation's leases, worked out and checked before any of it is applied. */
class LeaseChanges {
  readonly #leaseOf: (accountId: number) => LeaseRow
  readonly #closed: boolean
  readonly #recovering: boolean
  readonly #changes = new Map<number, LeaseChange>()

  constructor (leaseOf: (accountId: number) => LeaseRow, state: IncarnationState) {
    this.#leaseOf = leaseOf
    this.#closed = state === 'closed' || state === 'written off'
    this.#recovering = state === 'recovering'
  }

  charge ({ accountId, amountNano, coveredNano }: Charge): void {
    if (coveredNano < 0n || coveredNano > amountNano) {
      throw new RangeError(`a charge of ${amountNano} cannot be covered by ${coveredNano}`)
    }
    const change = this.#change(accountId)
    const postedNano = this.#closed ? min(coveredNano, change.leftNano) : coveredNano
    change.settledNano += amountNano
    change.postedNano += postedNano
    change.leftNano -= postedNano
    if (!this.#recovering || change.leftNano >= 0n) return
    change.unknownNano -= change.leftNano
    change.leftNano = 0n
  }

  /** Absolute figures: an older or repeated one changes nothing. A closed lease has given back all it ever will. */
  giveBack ({ accountId, returnedNano }: LeaseReturn): void {
    if (this.#closed) return
    const change = this.#change(accountId)
    const lease = this.#leaseOf(accountId)
    const moreNano = returnedNano - lease.returnedNano - change.backNano
    if (moreNano <= 0n) return
    change.backNano += moreNano
    change.leftNano -= moreNano
  }

  check (): void {
    for (const { accountId, leftNano } of this.#changes.values()) {
      if (leftNano < 0n) throw new BatchRefusedError(`${-leftNano} more than the lease of account ${accountId} has left`)
    }
  }

  all (): LeaseChange[] {
    return [...this.#changes.values()]
  }

  #change (accountId: number): LeaseChange {
    const known = this.#changes.get(accountId)
    if (known !== undefined) return known
    const change = {
      accountId,
      settledNano: 0n,
      postedNano: 0n,
      backNano: 0n,
      unknownNano: 0n,
      leftNano: restOf(this.#leaseOf(accountId)),
    }
    this.#changes.set(accountId, change)
    return change
  }
}

function accountsOf (request: GrantRequest): number[] {
  const needed = request.calls.flatMap((call) => call.needs).map(({ accountId }) => accountId)
  return unique([...needed, ...request.extras.map(({ accountId }) => accountId)])
}

function assertPositive (request: GrantRequest): void {
  for (const { accountId, needNano } of request.calls.flatMap((call) => call.needs)) {
    if (needNano <= 0n) throw new RangeError(`a need of ${needNano} on account ${accountId}`)
  }
}

function keyOf ({ budgetId, subject, periodStart }: AccountSpec): string {
  return JSON.stringify([budgetId, subject, periodStart])
}

function inOrder (one: AccountSpec, other: AccountSpec): number {
  const byName = orderOf(one.budgetId, other.budgetId) || orderOf(one.subject, other.subject)
  return byName || one.periodStart - other.periodStart
}

function orderOf (one: string, other: string): number { return one < other ? -1 : Number(one > other) }

function isOver ({ periodEnd }: AccountSpec, at: number): boolean { return periodEnd !== null && periodEnd <= at }

function noLease (): LeaseRow {
  return { grantedNano: 0n, returnedNano: 0n, postedNano: 0n, writtenOffNano: 0n }
}

function restOf (lease: LeaseRow): bigint {
  return lease.grantedNano - lease.returnedNano - lease.postedNano
}

function add (map: Map<number, bigint>, key: number, amountNano: bigint): void {
  map.set(key, (map.get(key) ?? 0n) + amountNano)
}

function min (a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

function sum (amounts: bigint[]): bigint {
  return amounts.reduce((total, amountNano) => total + amountNano, 0n)
}

function unique (ids: number[]): number[] {
  return [...new Set(ids)]
}
