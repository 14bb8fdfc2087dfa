/** One gateway's own view of one account, as it publishes it. Nano-units, cumulative where the lease's figures are. */
export interface HotFigures {
  accountId: number
  incarnation: number
  /** of the budget, as this gateway knows it */
  budgetVersion: number
  /** from the authority's last answer, null: not enforced */
  limitNano: bigint | null
  settledNano: bigint
  leasedNano: bigint
  /** leased by incarnations that are not live, from the same answer */
  inDoubtNano: bigint
  /** the authority's clock at that answer, ms since the epoch: the age of these figures counts from here */
  at: number
  /** this gateway's lease */
  heldNano: bigint
  consumedNano: bigint
  /** granted - returned - consumed - held: what it could give back at once */
  unusedNano: bigint
}

/** What one gateway tells the others to look at again: a budget or a key was changed by an administrator. */
export type ChangeHint = { kind: 'changed' }

/**
 * Per account, what all gateways together know right now. It may refuse, never admit: rights to spend come from
 * leases alone, so a wiped, stale or unreachable hot status costs speed and never correctness.
 */
export interface HotStatus {
  start (): Promise<void>
  close (): Promise<void>
  /** queues this gateway's figures; sent with the next flush (at most one pipeline each 100 ms), at once if `urgent` */
  publish (figures: HotFigures, urgent?: boolean): void
  /** the local copy of what the *other* gateways published; undefined: this account is not watched yet */
  others (accountId: number): HotFigures[] | undefined
  /** reads an account for the first time and keeps its copy fresh while it is used; never rejects, bounded in time */
  watch (accountId: number): Promise<void>
  /** lets the copy go, and takes back what this gateway published of the account */
  unwatch (accountId: number): void
  /** the figures of all other gateways for accounts that may not be watched, for status requests */
  read (accountIds: number[]): Promise<Map<number, HotFigures[]>>
  /** asks the other gateways to give back what they do not use of this account */
  recall (accountId: number): void
  onRecall (listener: (accountId: number) => void): void
  hint (hint: ChangeHint): void
  onHint (listener: (hint: ChangeHint) => void): void
  /** false: not reachable now (always true in process) */
  readonly reachable: boolean
  /** commands sent, for the metric and the bench */
  readonly commands: number
}
