import { type AccountBooks, type LeaseBooks } from '../account/memory-authority.ts'
import { type Charge } from '../../src/usage/usage.ts'
import { type Calls, obligation, type SimCall } from './calls.ts'

/**
 * What must be true after every step. P1 is judged by who sees everything: the ledger's figures, and of what it has not
 * heard yet the costs of calls that have ended and the quotes of those that have not, whatever has become of their
 * gateways. A limit that is lowered, or an overrun, leaves an account with more than its limit; that is its ceiling
 * then, and never rises again. Where the end or the release of a call was lost with a machine, or could not be written,
 * recovery charges its quote, also where what it did not use was given back already: that was never spent.
 */
export class Checks {
  readonly #ceilings = new Map<number, bigint>()
  /** what recorded charges took beyond leases, since the last look */
  readonly #debts = new Map<number, bigint>()
  /** by account and life: what has been recorded and leases paid */
  readonly #recorded = new Map<string, bigint>()
  /** lives of whose journal a part may be lost */
  readonly lossy = new Set<number>()
  /** lives of which more was charged than their calls have cost */
  readonly #overcharged = new Set<number>()
  /** by account and life: so much more, and so much of it no lease has paid */
  readonly #excess = new Map<string, bigint>()
  readonly #unpaid = new Map<string, bigint>()
  readonly #unpaidOn = new Map<number, bigint>()
  /** by account and life: what pays for charges */
  readonly #pays = new Map<string, bigint>()

  /** before the call is said to be recorded; null: it may be */
  recorded (call: SimCall, { accountId, amountNano, coveredNano }: Charge): string | null {
    add(this.#debts, accountId, amountNano - coveredNano)
    const { incarnation } = call
    const key = `${accountId} ${incarnation}`
    const hold = call.holds.find((one) => one.accountId === accountId)
    const due = hold === undefined ? 0n : obligation(call, hold).covered
    if (coveredNano > due) {
      this.#overcharged.add(incarnation)
      add(this.#excess, key, coveredNano - due)
    }
    const backing = this.#pays.get(key) ?? 0n
    const paid = coveredNano < backing ? coveredNano : backing
    this.#pays.set(key, backing - paid)
    add(this.#recorded, key, paid)
    add(this.#unpaid, key, coveredNano - paid)
    add(this.#unpaidOn, accountId, coveredNano - paid)
    const excess = this.#excess.get(key) ?? 0n
    return (this.#unpaid.get(key) ?? 0n) <= excess
      ? null
      : `the lease: a charge of ${coveredNano} on account ${accountId} for life ${incarnation}, of which ${backing} can be paid`
  }

  /** null: all is as it must be */
  look (accounts: readonly AccountBooks[], leases: readonly LeaseBooks[], calls: Calls): string | null {
    const backing = this.#backing(leases, calls)
    if (backing.problem !== null) return backing.problem
    for (const account of accounts) {
      const problem = this.#account(account, backing)
      if (problem !== null) return problem
    }
    return null
  }

  #account (account: AccountBooks, { unheard, debts, rows }: Backing): string | null {
    const { accountId, limitNano, settledNano, leasedNano, leasesNano, chargedNano } = account
    const on = `on account ${accountId}`
    if (leasedNano !== leasesNano) return `the ledger: leased is ${leasedNano} ${on}, the sum of its leases and holds ${leasesNano}`
    if (settledNano !== chargedNano) return `the ledger: settled is ${settledNano} ${on}, the sum of its charges ${chargedNano}`
    if (leasedNano < 0n) return `the ledger: leased is ${leasedNano} ${on}`
    if (limitNano === null) return null
    const known = (this.#ceilings.get(accountId) ?? limitNano) + (this.#debts.get(accountId) ?? 0n)
    this.#debts.delete(accountId)
    const most = known < settledNano + leasedNano ? known : settledNano + leasedNano
    const ceiling = most > limitNano ? most : limitNano
    this.#ceilings.set(accountId, ceiling)
    const spent = settledNano - (this.#unpaidOn.get(accountId) ?? 0n)
    const exposed = spent + (unheard.get(accountId) ?? 0n) + (rows.get(accountId) ?? 0n)
    if (exposed <= ceiling + (debts.get(accountId) ?? 0n)) return null
    return `P1: ${exposed} is spent or may be spent ${on}, of ${ceiling} (limit ${limitNano}, settled ${settledNano}, leased ${leasedNano})`
  }

  /** what each lease has to stand for, and does it? */
  #backing (leases: readonly LeaseBooks[], calls: Calls): Backing {
    const debts = new Map<number, bigint>()
    const rows = new Map<number, bigint>()
    const unheard = new Map<number, bigint>()
    const owed = new Map<string, bigint>()
    const asked = this.lossy.size + this.#overcharged.size === 0 ? calls.unrecorded : calls.all
    for (const call of asked) {
      if (!this.#inAll(call.incarnation) && !calls.unrecorded.has(call)) continue
      for (const hold of call.holds) {
        const { covered, debt } = obligation(call, hold)
        if (call.row === 'open') add(rows, hold.accountId, hold.enforced ? hold.quoteNano : 0n)
        if (call.row !== 'none') continue
        add(owed, `${hold.accountId} ${call.incarnation}`, covered)
        if (call.inserted !== null) continue
        add(debts, hold.accountId, debt)
        add(unheard, hold.accountId, debt)
      }
    }
    let problem: string | null = null
    for (const { accountId, incarnation, restNano, writtenOffNano } of leases) {
      const key = `${accountId} ${incarnation}`
      this.#pays.set(key, restNano + writtenOffNano)
      let due = owed.get(key) ?? 0n
      if (this.#inAll(incarnation)) due -= this.#recorded.get(key) ?? 0n
      if (due <= 0n) continue
      if (due > restNano + writtenOffNano) {
        problem ??= `the lease: calls of life ${incarnation} need ${due} of account ${accountId}, of which the ledger has ` +
          `${restNano} leased and ${writtenOffNano} written off for it`
      }
      if (due > writtenOffNano) add(unheard, accountId, due - writtenOffNano)
    }
    return { debts, rows, unheard, problem }
  }

  /** one call's charge may stand for another: only all of them together say what is due */
  #inAll (incarnation: number): boolean { return this.lossy.has(incarnation) || this.#overcharged.has(incarnation) }
}

interface Backing {
  debts: Map<number, bigint>
  rows: Map<number, bigint>
  unheard: Map<number, bigint>
  problem: string | null
}

function add<K> (sums: Map<K, bigint>, key: K, nano: bigint): void {
  if (nano !== 0n) sums.set(key, (sums.get(key) ?? 0n) + nano)
}
