import { type AccountFigures, type LeaseTotals } from './authority.ts'

/** Constants of sizing; the reasons are in ARCHITECTURE.md, "Leases". */
export const SIZING = {
  /** while there is room, own at least this many of the largest recent quotes */
  quotesOwned: 8n,
  /** and so much time of spending beyond the busiest moment */
  spendingMs: 3_000,
  /** figures that are older than two heartbeats and a half say too little to ask for more by themselves */
  knownMs: 2_500,
  /** recent: the busiest moment and the largest quote are remembered for one to two of these */
  recentMs: 5_000,
  /** no use for this long gives everything back */
  idleMs: 60_000,
  /** after a grant was not answered, it may still come about for so long */
  lateMs: 5_000,
  /** no answer of the authority comes so late; what seems older was told by a clock that has been set back since */
  latestMs: 30_000,
  /** a recall keeps the account under pressure for this long */
  recallMs: 1_000,
}

/**
 * One account as this gateway sees it: its lease (cumulative figures that only grow), what is held on it now, and the
 * authority's last figures. All amounts in nano-units of the account's currency.
 * Always `returned + consumed + held <= granted`: what is not free cannot be taken.
 */
export class Lease {
  readonly accountId: number
  /** ms since the epoch, null: the account's period never ends */
  readonly periodEnd: number | null

  granted = 0n
  returned = 0n
  /** the part of `returned` that the authority has confirmed */
  returnedKnown = 0n
  /** paid by this lease: covered parts of finished calls */
  consumed = 0n
  held = 0n
  /** the part of `consumed` that the authority has recorded */
  posted = 0n

  /** null: nothing heard of the account yet */
  figures: AccountFigures | null = null
  /** this process's time when `figures` came */
  figuresAt = -Infinity
  /** calls in line that ask for more of this account */
  waiting = 0
  recalledAt = -Infinity
  refusedAt = -Infinity
  usedAt: number
  /** a grant was not answered: until the authority is heard again, more may be granted than is known */
  unsureSince = -Infinity
  /** when the authority was asked for more the last time */
  askedAt = -Infinity
  /** so much time of spending is asked for before it is needed; 0: none is */
  readonly #carryMs: number
  /** false: let go as soon as it is idle, and found in the authority when it is needed again */
  lasting = true
  #pressed = false
  #largest = 0n
  #largestBefore = 0n
  #busiest = 0n
  #busiestBefore = 0n
  #spentNow = 0n
  #spentBefore = 0n
  #rolledAt: number

  /** `had`: what this process life has had of the account already, and let go of */
  constructor (
    accountId: number, periodEnd: number | null, now: number, had: LeaseTotals | null = null, carryMs = 0
  ) {
    this.#carryMs = carryMs
    this.accountId = accountId
    this.periodEnd = periodEnd
    this.usedAt = now
    this.#rolledAt = now
    if (had === null) return
    this.granted = had.grantedNano
    this.returned = had.returnedNano
    this.returnedKnown = had.returnedNano
    this.consumed = had.postedNano
    this.posted = had.postedNano
  }

  /** nothing is held or may be spent, and the authority knows all that was */
  get isEmpty (): boolean {
    return this.held === 0n && this.free === 0n && this.unposted === 0n && this.returned === this.returnedKnown &&
      this.waiting === 0 && !this.unsure
  }

  /** the authority may still work on what it did not answer for as long as it takes a statement to be given up */
  get unsure (): boolean { return this.figuresAt < this.unsureSince + SIZING.lateMs }

  /** nothing that was asked for can come about any more without being known, though it came twice */
  get isHeardOut (): boolean { return this.figuresAt >= this.askedAt + SIZING.lateMs }

  get free (): bigint { return this.granted - this.returned - this.consumed - this.held }

  /** finished and paid by the lease, and not in the authority's `settled` yet */
  get unposted (): bigint { return this.consumed - this.posted }

  /** what the authority could still grant, by its last figures; negative: past the limit */
  get room (): bigint {
    const f = this.figures
    return f === null || f.limitNano === null ? 0n : f.limitNano - f.settledNano - f.leasedNano
  }

  hold (quoteNano: bigint, now: number): void {
    this.held += quoteNano
    this.usedAt = now
    this.noteQuote(quoteNano, now)
    if (this.held > this.#busiest) this.#busiest = this.held
  }

  /** sizing counts what is asked for, also while it is not granted */
  noteQuote (quoteNano: bigint, now: number): void {
    this.#roll(now)
    if (quoteNano > this.#largest) this.#largest = quoteNano
  }

  /** replaces a hold by the cost; answers what the lease pays: beyond the hold only what is free */
  settle (quoteNano: bigint, costNano: bigint, now: number): bigint {
    const payable = quoteNano + this.free
    const covered = costNano < payable ? costNano : payable
    this.held -= quoteNano
    this.consumed += covered
    this.usedAt = now
    this.#roll(now)
    this.#spentNow += costNano
    return covered
  }

  /** the authority has moved a hold to a row of its own: it is given back here, and is not free there */
  handOver (quoteNano: bigint, now: number): void {
    this.held -= quoteNano
    this.returned += quoteNano
    this.usedAt = now
  }

  /** gives up what nobody holds, in memory, before the authority hears of it */
  giveUp (nano: bigint): void { this.returned += nano }

  /** answers may be lost or come out of order: cumulative figures take the greatest, the rest the newest */
  learn (figures: AccountFigures, now: number): void {
    if (figures.grantedNano > this.granted) this.granted = figures.grantedNano
    if (figures.postedNano > this.posted) this.posted = figures.postedNano
    const behindMs = this.figures === null ? 0 : this.figures.at - figures.at
    if (behindMs > 0 && behindMs < SIZING.latestMs) return
    this.figures = figures
    this.figuresAt = now
    this.#feelPressure(now)
  }

  /** its last figures are of before this version of the budget */
  precedes (budgetVersion: number): boolean {
    return this.figures !== null && this.figures.budgetVersion < budgetVersion
  }

  recall (now: number): void {
    this.recalledAt = now
    this.#pressed = true
  }

  get largestQuote (): bigint {
    return this.#largest > this.#largestBefore ? this.#largest : this.#largestBefore
  }

  /** under pressure a gateway asks exactly what it needs and keeps nothing */
  pressed (now: number): boolean {
    this.#feelPressure(now)
    return this.#pressed
  }

  /** what this gateway should own of the account in all, while there is room */
  target (now: number): bigint {
    // what is asked for ahead lasts half as long again, so that it is not asked for all the time
    const byUse = this.#useIn(Math.max(SIZING.spendingMs, this.#carryMs * 3 / 2), now)
    const floor = SIZING.quotesOwned * this.largestQuote
    return byUse > floor ? byUse : floor
  }

  /** what calls that go on as they did would take in so much time, with what is open at once */
  #useIn (ms: number, now: number): bigint {
    this.#roll(now)
    const busiest = this.#busiest > this.#busiestBefore ? this.#busiest : this.#busiestBefore
    const spending = (this.#spentNow + this.#spentBefore) * BigInt(Math.round(ms)) /
      BigInt(SIZING.recentMs + Math.max(1, Math.round(now - this.#rolledAt)))
    return busiest + spending + this.largestQuote
  }

  /**
   * What to ask for before a call needs it, so that calls go on for a while where the authority does not answer; 0n:
   * nothing. At most half of the room, shared by the holders: whoever asks ahead must bring nobody under pressure.
   */
  ahead (now: number, time: number): bigint {
    const { figures } = this
    if (this.#carryMs === 0 || figures === null || figures.limitNano === null || this.unsure) return 0n
    if (now - this.figuresAt > SIZING.knownMs || now - this.usedAt > SIZING.recentMs) return 0n
    if (this.waiting > 0 || this.pressed(now) || (this.periodEnd !== null && time >= this.periodEnd)) return 0n
    const owned = this.held + this.free
    if (owned >= this.#useIn(this.#carryMs, now)) return 0n
    const wanted = this.target(now) - owned
    const share = this.room / BigInt(2 * Math.max(1, figures.holders))
    const more = wanted < share ? wanted : share
    return more > this.largestQuote ? more : 0n
  }

  /** what should go back now: all unused, what is clearly too much, or nothing. `time`: by the authority's clock */
  surplus (now: number, time: number): bigint {
    const free = this.free
    if (free <= 0n || this.waiting > 0) return 0n
    if (this.pressed(now) || now - this.usedAt > SIZING.idleMs) return free
    if (this.periodEnd !== null && time >= this.periodEnd) return free
    const target = this.target(now)
    const quotes = 2n * this.largestQuote
    const holders = BigInt(this.figures?.holders ?? 1)
    if (this.room >= 4n * holders * (target > quotes ? target : quotes)) return 0n
    const tooMuch = this.held + free - target * 5n / 4n
    return tooMuch <= 0n ? 0n : tooMuch < free ? tooMuch : free
  }

  #feelPressure (now: number): void {
    if (now - this.recalledAt < SIZING.recallMs) { this.#pressed = true; return }
    if (this.figures === null || this.figures.limitNano === null) return
    const holders = BigInt(Math.max(1, this.figures.holders))
    const little = SIZING.quotesOwned * holders * this.largestQuote
    const room = this.room
    if (room < little) this.#pressed = true
    else if (room * 2n > little * 3n) this.#pressed = false
  }

  #roll (now: number): void {
    if (now - this.#rolledAt < SIZING.recentMs) return
    const long = now - this.#rolledAt >= 2 * SIZING.recentMs
    this.#largestBefore = long ? 0n : this.#largest
    this.#busiestBefore = long ? this.held : this.#busiest
    this.#spentBefore = long ? 0n : this.#spentNow
    this.#largest = 0n
    this.#busiest = this.held
    this.#spentNow = 0n
    this.#rolledAt = now
  }
}
