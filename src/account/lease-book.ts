import { type AccountFigures, type GrantAnswer, type GrantRequest, type LeaseReturn, type LeaseTotals } from './authority.ts'
import { type HotFigures } from './hot-status.ts'
import { Lease, SIZING } from './lease.ts'

/**
 * The decision: may a call be held now, must more be asked for, or is it refused? Pure and synchronous: time,
 * randomness and what others publish are passed in, messages to the authority are values. One book is one process life.
 *
 * Guaranteed: a call is held on all of its accounts or on none, only from rights that the authority granted to this
 * life, and only once. Calls that wait are served in their order; a newer call takes nothing that an older one asked
 * for. A refusal rests on the authority's word, or on figures of it that are under 250 ms old and of the same version
 * of the budget.
 */

/** Figures older than this may not refuse a call. */
export const FRESH_MS = 250
/** What others do not use by figures up to this old is worth asking for: each heartbeat tells it anew. */
const WORTH_ASKING_MS = 3_000
/** How long a call waits for others to give back what they do not use, before it asks once more. */
const RECALL_WAIT_MS = 12
const RECALL_SPREAD_MS = 6
/** So long a call waits for what this gateway itself is giving back, which is on its way to the authority. */
const OWN_RETURNS_MS = 1_000
/** One recall per account in this time. */
const RECALL_EVERY_MS = 5
const MAX_CALLS_PER_GRANT = 256

export interface Need {
  accountId: number
  quoteNano: bigint
  /** of the budget, as the caller knows it: figures of another version may not refuse */
  budgetVersion: number
}

export type Held = Pick<Need, 'accountId' | 'quoteNano'>

export type ShortReason =
  | 'too_large'      // the quote alone is above the limit
  | 'exhausted'      // spent for good: settled, and finished but not yet recorded, leave less than the quote
  | 'in_doubt'       // what is missing is leased by a process that does not answer
  | 'long_held'      // long holds set aside what is missing, for as long as they are open
  | 'contention'     // open calls hold the rest; it may be free in a moment
  | 'unavailable'    // the authority did not answer
  | 'crowded'        // too many calls wait already

export interface Short {
  kind: 'short'
  reason: ShortReason
  accountId: number
  neededNano: bigint
  figures: AccountFigures | null
}

export type HoldDecision = { kind: 'held' } | Short

interface Waiting {
  readonly needs: Need[]
  readonly decide: (decision: HoldDecision) => void
  state: 'queued' | 'asked' | 'recalling' | 'decided'
  retryAt: number
  /** when others were first asked to give back for it; null: not yet */
  recalledAt: number | null
  reasked: boolean
}

export interface LeaseBookOptions {
  random: () => number
  /** what other gateways published of an account; undefined: not known */
  others: (accountId: number) => HotFigures[] | undefined
  /** asks the other gateways to give back what they do not use */
  recall: (accountId: number) => void
  /** the authority's clock minus the one that `now` is of, which only ever goes on, ms */
  clockOffset: () => number
  /** so much time of spending is asked for before it is needed; absent: none is */
  carryMs?: number
}

const HELD: HoldDecision = { kind: 'held' }

export class LeaseBook {
  readonly #options: LeaseBookOptions
  readonly #leases = new Map<number, Lease>()
  /** accounts on which something happened since the last look */
  readonly #touched = new Set<Lease>()
  /** accounts with rights to give back, until the authority has confirmed it */
  readonly #giving = new Set<Lease>()
  /** accounts on which calls were refused of late */
  readonly #refused = new Set<Lease>()
  #line: Waiting[] = []
  #asked: Waiting[] | null = null
  readonly #recalledAt = new Map<number, number>()

  constructor (options: LeaseBookOptions) { this.#options = options }

  /**
   * The account must be known before a call needs it. `had`: by the authority, what this life had of the account and
   * has forgotten since; null: nothing. Not `lasting`: it is forgotten when it is idle, and not only when its period is
   * over.
   */
  know (
    accountId: number, periodEnd: number | null, now: number, had: LeaseTotals | null = null, lasting = true
  ): void {
    let lease = this.#leases.get(accountId)
    if (lease === undefined) {
      this.#leases.set(accountId, lease = new Lease(accountId, periodEnd, now, had, this.#options.carryMs))
      lease.lasting = lasting
    }
    if (lasting) lease.lasting = true
  }

  /** a call is about to need it, so it is not to be forgotten meanwhile */
  touch (accountId: number, now: number): void {
    const lease = this.#leases.get(accountId)
    if (lease !== undefined && lease.usedAt < now) lease.usedAt = now
  }

  lease (accountId: number): Lease | undefined { return this.#leases.get(accountId) }

  leases (): IterableIterator<Lease> { return this.#leases.values() }

  get waiting (): number { return this.#line.length }

  /** a decision at once, or null: it waits, if not as many do already, and `decide` is called later, exactly once */
  hold (
    needs: Need[], now: number, decide: (decision: HoldDecision) => void, mostWaiting = Infinity
  ): HoldDecision | null {
    for (const need of needs) this.#heedLimit(need)
    if (this.#take(needs, now, true)) return HELD
    const known = this.#refusedByFigures(needs, now)
    if (known !== null) return known
    if (this.#line.length >= mostWaiting) return this.#short('crowded', needs[0] as Need)
    for (const need of needs) this.#of(need).noteQuote(need.quoteNano, now)
    this.#enqueue({ needs, decide, state: 'queued', retryAt: 0, recalledAt: null, reasked: false })
    return null
  }

  /** held from what is free now, by a call that nobody can be asked for; false: nothing was taken */
  holdAtOnce (needs: readonly Need[], now: number): boolean {
    for (const need of needs) this.#heedLimit(need)
    return this.#take(needs, now, false)
  }

  /** the call is over, on one of its accounts: what that account's lease pays */
  settle (held: Held, costNano: bigint, now: number): bigint {
    const lease = this.#of(held)
    this.#touched.add(lease)
    return lease.settle(held.quoteNano, costNano, now)
  }

  /** the authority has moved what a call held to a row of its own; its `returned` grew by it, ours does now */
  handOver (held: Held, now: number): void {
    const lease = this.#of(held)
    lease.handOver(held.quoteNano, now)
    this.#touched.add(lease)
    this.#giving.add(lease)
  }

  /**
   * Serves who can be served and says what to ask the authority for, null: nothing. At most one grant is under way;
   * its outcome must be told by `granted` or `grantFailed`.
   */
  nextGrant (now: number): GrantRequest | null {
    this.#wake(now)
    if (this.#asked !== null || this.#line.length === 0) return null
    const claimed = new Map<number, bigint>()
    const request: GrantRequest = { calls: [], extras: [] }
    const asked: Waiting[] = []
    for (const call of [...this.#line]) {
      if (call.state !== 'queued' || asked.length >= MAX_CALLS_PER_GRANT) continue
      const needs = this.#claim(call.needs, claimed)
      if (needs.length === 0) { this.#serve(call, now); continue }
      call.state = 'asked'
      asked.push(call)
      request.calls.push({ needs })
    }
    if (asked.length === 0) return null
    request.extras = this.#extras(request, now)
    this.#asked = asked
    this.#noteAsked(request, now)
    return request
  }

  granted (answer: GrantAnswer, now: number): void {
    for (const figures of answer.accounts) this.learn(figures, now)
    const asked = this.#asked ?? []
    this.#asked = null
    const open = asked.filter((call, i) => !(answer.granted[i] === true && this.#serveIfFree(call, now)))
    const refused = open.filter((call) => !this.#serveIfFree(call, now))
    this.#reask(refused)
    for (const call of refused) if (call.state === 'asked') this.#resolve(call, now)
  }

  /** the authority refused to answer or did not in time: whatever it granted is found by its next answer */
  grantFailed (now: number): void {
    const asked = this.#asked ?? []
    this.#asked = null
    for (const call of asked) {
      for (const need of call.needs) this.#of(need).unsureSince = now
      if (this.#serveIfFree(call, now)) continue
      const need = call.needs[0] as Need
      this.#decide(call, this.#short('unavailable', need))
    }
  }

  /** what to ask for before calls need it, whatever is asked for them meanwhile; null: nothing */
  aheadOfCalls (now: number): GrantRequest | null {
    const calls: GrantRequest['calls'] = []
    for (const lease of this.#leases.values()) {
      const needNano = lease.ahead(now, this.#time(now))
      if (needNano > 0n) calls.push({ needs: [{ accountId: lease.accountId, needNano }] })
      if (calls.length >= MAX_CALLS_PER_GRANT) break
    }
    if (calls.length === 0) return null
    const request: GrantRequest = { calls, extras: [] }
    this.#noteAsked(request, now)
    return request
  }

  /** it was not answered: what it granted is found by the next answer */
  aheadFailed ({ calls }: GrantRequest, now: number): void {
    for (const { needs } of calls) for (const need of needs) this.#of(need).unsureSince = now
  }

  learn (figures: AccountFigures, now: number): void {
    const lease = this.#leases.get(figures.accountId)
    if (lease === undefined) return
    lease.learn(figures, now)
    this.#touched.add(lease)
  }

  /** another gateway is short of this account */
  recalled (accountId: number, now: number): void {
    const lease = this.#leases.get(accountId)
    if (lease === undefined) return
    lease.recall(now)
    this.#touched.add(lease)
    this.#giving.add(lease)
  }

  /** true: calls in line may be served or asked for now */
  get restless (): boolean { return this.#line.length > 0 }

  /** when the next call in line wants another try, Infinity: none does */
  get nextRetryAt (): number {
    let at = Infinity
    for (const call of this.#line) if (call.state === 'recalling' && call.retryAt < at) at = call.retryAt
    return at
  }

  /** rights to give back with the next post: already given up in memory when this returns */
  collectReturns (now: number, which: 'due' | 'all' | 'everything'): LeaseReturn[] {
    const returns: LeaseReturn[] = []
    for (const lease of which === 'due' ? [...this.#giving] : this.#leases.values()) {
      const surplus = which === 'everything' ? lease.free : lease.surplus(now, this.#time(now))
      if (surplus > 0n) lease.giveUp(surplus)
      if (lease.returned > lease.returnedKnown) {
        this.#giving.add(lease)
        returns.push({ accountId: lease.accountId, returnedNano: lease.returned })
      } else this.#giving.delete(lease)
    }
    return returns
  }

  returnsKnown (returns: readonly LeaseReturn[]): void {
    for (const { accountId, returnedNano } of returns) {
      const lease = this.#leases.get(accountId)
      if (lease !== undefined && returnedNano > lease.returnedKnown) lease.returnedKnown = returnedNano
    }
  }

  /** the accounts on which something happened since the last call of this; notes those that have too much */
  takeTouched (now: number): Lease[] {
    const touched = [...this.#touched]
    this.#touched.clear()
    for (const lease of touched) if (lease.surplus(now, this.#time(now)) > 0n) this.#giving.add(lease)
    return touched
  }

  /** notes what has been idle for too long, to be given back */
  sweep (now: number): void {
    for (const lease of this.#leases.values()) if (lease.surplus(now, this.#time(now)) > 0n) this.#giving.add(lease)
  }

  /** those on which a call was refused within this time */
  refusedWithin (now: number, ms: number): Iterable<Lease> {
    for (const lease of this.#refused) if (now - lease.refusedAt >= ms) this.#refused.delete(lease)
    return this.#refused
  }

  /** true: there is something to give back */
  get giving (): boolean { return this.#giving.size > 0 }

  /**
   * Forgets accounts on which nothing is open, held or unknown to the authority, once their period ended so long ago;
   * those that are not lasting when they are idle. Whoever needs one again finds in the authority what was had of it.
   */
  retire (now: number, afterMs: number): number[] {
    const gone: number[] = []
    const inLine = new Set(this.#line.flatMap(({ needs }) => needs.map(({ accountId }) => accountId)))
    for (const lease of this.#leases.values()) {
      const idle = !lease.lasting && now - lease.usedAt > SIZING.idleMs && now - lease.refusedAt > SIZING.idleMs
      if (!idle && (lease.periodEnd === null || this.#time(now) < lease.periodEnd + afterMs)) continue
      if (!lease.isEmpty || inLine.has(lease.accountId)) continue
      this.#leases.delete(lease.accountId)
      this.#touched.delete(lease)
      this.#giving.delete(lease)
      this.#refused.delete(lease)
      this.#recalledAt.delete(lease.accountId)
      gone.push(lease.accountId)
    }
    return gone
  }

  /** by the authority's clock: this process's own may be set at any moment */
  #time (now: number): number { return now + this.#options.clockOffset() }

  #noteAsked ({ calls, extras }: GrantRequest, now: number): void {
    for (const { needs } of calls) for (const need of needs) this.#of(need).askedAt = now
    for (const extra of extras) this.#of(extra).askedAt = now
  }

  #refuse (lease: Lease, now: number): void {
    lease.refusedAt = now
    this.#refused.add(lease)
  }

  /** refuses everybody in line: the gateway stops */
  abandon (): void {
    for (const call of [...this.#line]) this.#decide(call, this.#short('unavailable', call.needs[0] as Need))
    this.#asked = null
  }

  #of (need: { accountId: number }): Lease {
    const lease = this.#leases.get(need.accountId)
    if (lease === undefined) throw new Error(`account ${need.accountId} is not known to this gateway`)
    return lease
  }

  #take (needs: readonly Need[], now: number, behindTheLine: boolean): boolean {
    for (let i = 0; i < needs.length; i++) {
      const need = needs[i] as Need
      const lease = this.#of(need)
      if (lease.free < need.quoteNano || (behindTheLine && lease.waiting > 0)) return false
    }
    for (let i = 0; i < needs.length; i++) {
      const need = needs[i] as Need
      const lease = this.#of(need)
      lease.hold(need.quoteNano, now)
      this.#touched.add(lease)
    }
    return true
  }

  /** past the limit, or where it may have been lowered since, no right that was granted before may be spent */
  #heedLimit (need: Need): void {
    const lease = this.#of(need)
    if (lease.free <= 0n || (lease.room >= 0n && !lease.precedes(need.budgetVersion))) return
    lease.giveUp(lease.free)
    this.#giving.add(lease)
    this.#touched.add(lease)
  }

  #serve (call: Waiting, now: number): void {
    if (!this.#take(call.needs, now, false)) throw new Error('a call was to be served from rights that are not there')
    this.#decide(call, HELD)
  }

  #serveIfFree (call: Waiting, now: number): boolean {
    if (!this.#take(call.needs, now, false)) return false
    this.#decide(call, HELD)
    return true
  }

  #enqueue (call: Waiting): void {
    this.#line.push(call)
    for (const need of call.needs) this.#of(need).waiting++
  }

  /** a call that waits for a recall stands in nobody's way */
  #setState (call: Waiting, state: Waiting['state']): void {
    const inTheWay = (s: Waiting['state']) => s === 'queued' || s === 'asked'
    const change = Number(inTheWay(state)) - Number(inTheWay(call.state))
    if (change !== 0) for (const need of call.needs) this.#of(need).waiting += change
    call.state = state
  }

  #decide (call: Waiting, decision: HoldDecision): void {
    if (call.state === 'decided') return
    this.#setState(call, 'decided')
    this.#line = this.#line.filter((other) => other !== call)
    call.decide(decision)
  }

  #wake (now: number): void {
    for (const call of [...this.#line]) {
      if (call.state !== 'recalling') continue
      const inLine = call.needs.some((need) => this.#of(need).waiting > 0)
      if (!inLine && this.#serveIfFree(call, now)) continue
      if (now >= call.retryAt) this.#setState(call, 'queued')
    }
  }

  /** sets aside what is free for this call, ahead of those behind it, and answers what is missing */
  #claim (needs: readonly Need[], claimed: Map<number, bigint>): { accountId: number, needNano: bigint }[] {
    const missing: { accountId: number, needNano: bigint }[] = []
    const taken: [number, bigint][] = []
    for (const need of needs) {
      const before = claimed.get(need.accountId) ?? 0n
      const free = this.#of(need).free - before
      const take = free <= 0n ? 0n : free < need.quoteNano ? free : need.quoteNano
      taken.push([need.accountId, before + take])
      if (take < need.quoteNano) missing.push({ accountId: need.accountId, needNano: need.quoteNano - take })
    }
    // a call that is served at once claims nothing: what it takes is held
    if (missing.length > 0) for (const [accountId, sum] of taken) claimed.set(accountId, sum)
    return missing
  }

  #extras (request: GrantRequest, now: number): GrantRequest['extras'] {
    const needed = new Map<number, bigint>()
    for (const call of request.calls) {
      for (const { accountId, needNano } of call.needs) needed.set(accountId, (needed.get(accountId) ?? 0n) + needNano)
    }
    const extras: GrantRequest['extras'] = []
    for (const [accountId, needNano] of needed) {
      const lease = this.#of({ accountId })
      if (lease.pressed(now)) continue
      const extraNano = lease.target(now) - lease.held - lease.free - needNano
      if (extraNano > 0n) extras.push({ accountId, extraNano })
    }
    return extras
  }

  /** the authority grants in line; those who fit behind one that does not are found here, and ask once more */
  #reask (refused: readonly Waiting[]): void {
    const claimed = new Map<number, bigint>()
    const room = new Map<number, bigint>()
    for (const call of refused) {
      if (call.reasked) continue
      const missing = this.#claim(call.needs, claimed)
      const fits = missing.every((need) => (room.get(need.accountId) ?? this.#of(need).room) >= need.needNano)
      if (!fits) continue
      for (const need of missing) {
        room.set(need.accountId, (room.get(need.accountId) ?? this.#of(need).room) - need.needNano)
      }
      call.reasked = true
      this.#setState(call, 'queued')
    }
  }

  #resolve (call: Waiting, now: number): void {
    let contended: Need | null = null
    for (const need of call.needs) {
      const lease = this.#of(need)
      if (lease.free >= need.quoteNano) continue
      const final = finalReason(need.quoteNano, lease)
      if (final !== null) {
        this.#refuse(lease, now)
        this.#decide(call, this.#short(final, need))
        return
      }
      if (lease.room + lease.free < need.quoteNano) contended = need
    }
    const worthATry = contended === null || this.#canBeFreed(call, now)
    if (worthATry && this.#mayTry(call, now)) this.#recall(call, now)
    else {
      const need = contended ?? call.needs[0] as Need
      this.#refuse(this.#of(need), now)
      this.#decide(call, this.#short('contention', need))
    }
  }

  /** once more after a recall, and again while what this gateway gives back has not arrived */
  #mayTry ({ needs, recalledAt }: Waiting, now: number): boolean {
    if (recalledAt === null) return true
    return now < recalledAt + OWN_RETURNS_MS && needs.some((need) => {
      const lease = this.#of(need)
      return lease.returned > lease.returnedKnown
    })
  }

  /** what others do not use, or what this gateway is just giving back, would be enough on every account */
  #canBeFreed (call: Waiting, now: number): boolean {
    return call.needs.every((need) => {
      const lease = this.#of(need)
      let there = lease.free + lease.room + lease.returned - lease.returnedKnown
      for (const other of this.#told(need.accountId, now, WORTH_ASKING_MS)) there += other.unusedNano
      return there >= need.quoteNano
    })
  }

  #recall (call: Waiting, now: number): void {
    call.recalledAt ??= now
    call.retryAt = now + RECALL_WAIT_MS + this.#options.random() * RECALL_SPREAD_MS
    this.#setState(call, 'recalling')
    for (const need of call.needs) {
      const lease = this.#of(need)
      // two gateways that hold each other's missing account give back before they retry
      if (lease.free > 0n) {
        lease.recall(now)
        this.#giving.add(lease)
      }
      if (lease.free + lease.room >= need.quoteNano) continue
      if (now - (this.#recalledAt.get(need.accountId) ?? -Infinity) < RECALL_EVERY_MS) continue
      this.#recalledAt.set(need.accountId, now)
      this.#options.recall(need.accountId)
    }
  }

  /** what others have told within this time */
  #told (accountId: number, now: number, withinMs: number): HotFigures[] {
    const time = this.#time(now)
    return (this.#options.others(accountId) ?? []).filter((other) => Math.abs(time - other.at) < withinMs)
  }

  /** a refusal without a question: only for good, only by fresh figures of the budget version that the caller knows */
  #refusedByFigures (needs: readonly Need[], now: number): Short | null {
    for (const need of needs) {
      const lease = this.#of(need)
      const own = lease.figures
      if (own !== null && now - lease.figuresAt < FRESH_MS && own.budgetVersion === need.budgetVersion) {
        const reason = finalReason(need.quoteNano, lease)
        if (reason === 'too_large' || reason === 'exhausted') {
          this.#refuse(lease, now)
          return this.#short(reason, need)
        }
      }
      for (const other of this.#told(need.accountId, now, FRESH_MS)) {
        if (other.budgetVersion !== need.budgetVersion || other.limitNano === null) continue
        if (other.settledNano + need.quoteNano <= other.limitNano) continue
        this.#refuse(lease, now)
        return { ...this.#short('exhausted', need), figures: figuresOf(other, own) }
      }
    }
    return null
  }

  #short (reason: ShortReason, need: Need): Short {
    return {
      kind: 'short',
      reason,
      accountId: need.accountId,
      neededNano: need.quoteNano,
      figures: this.#of(need).figures,
    }
  }
}

/** The reason for which no giving back can help, null: there is none. `posted` and `settled` come from one read. */
function finalReason (quoteNano: bigint, lease: Lease): ShortReason | null {
  const f = lease.figures
  if (f === null || f.limitNano === null) return null
  if (quoteNano > f.limitNano) return 'too_large'
  const unposted = lease.consumed > f.postedNano ? lease.consumed - f.postedNano : 0n
  const rest = f.limitNano - f.settledNano - unposted
  if (quoteNano > rest) return 'exhausted'
  if (f.inDoubtNano > 0n && quoteNano > rest - f.inDoubtNano) return 'in_doubt'
  if (f.longHeldNano > 0n && quoteNano > rest - f.inDoubtNano - f.longHeldNano) return 'long_held'
  return null
}

function figuresOf (other: HotFigures, own: AccountFigures | null): AccountFigures {
  return {
    accountId: other.accountId,
    limitNano: other.limitNano,
    totalNano: own?.totalNano ?? 0n,
    settledNano: other.settledNano,
    leasedNano: other.leasedNano,
    budgetVersion: other.budgetVersion,
    grantedNano: own?.grantedNano ?? 0n,
    postedNano: own?.postedNano ?? 0n,
    holders: own?.holders ?? 1,
    inDoubtNano: other.inDoubtNano,
    inDoubtSince: own?.inDoubtSince ?? null,
    inDoubtHolder: own?.inDoubtHolder ?? null,
    longHeldNano: own?.longHeldNano ?? 0n,
    longHold: own?.longHold ?? null,
    at: other.at,
  }
}
