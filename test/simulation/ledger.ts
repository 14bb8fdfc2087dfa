import { type Authority } from '../../src/account/authority.ts'
import { type UsageEvent } from '../../src/usage/usage.ts'
import { type AccountBooks, type LeaseBooks, MemoryAuthority } from '../account/memory-authority.ts'

export interface SimAuthority extends Authority {
  silent (withinMs: number): Promise<number[]>
}

/** The ledger of a run: the authority itself, and what administrators and auditors do with it. */
export interface Ledger {
  readonly authority: SimAuthority
  /** null: soft; its id */
  defineBudget (limitNano: bigint | null): Promise<string>
  setLimit (id: string, limitNano: bigint): Promise<void>
  /** what is leased by a process that does not answer counts as spent; false: it answers, or has nothing */
  writeOff (incarnation: number): Promise<boolean>
  settleLongHold (id: string, costNano: bigint): Promise<void>
  books (): AccountBooks[] | Promise<AccountBooks[]>
  leases (): LeaseBooks[] | Promise<LeaseBooks[]>
  /** of a call's event: what it cost by the ledger; null: there is none */
  costOf (callId: string): bigint | null | Promise<bigint | null>
  longHolds (): string[] | Promise<string[]>
  /** null: it answers as it should, as far as it knows itself */
  readonly difference?: string | null
  /** ms since the epoch, by its own clock */
  setClock (now: number): Promise<void> | null
}

export class MemoryLedger implements Ledger {
  readonly authority: MemoryAuthority
  #now = 0
  #budgets = 0

  constructor (blocking: boolean) {
    this.authority = new MemoryAuthority({ now: () => this.#now, silentAfterMs: 10_000, blocking })
  }

  async defineBudget (limitNano: bigint | null): Promise<string> {
    const id = `budget ${++this.#budgets}`
    this.authority.defineBudget(id, limitNano)
    return id
  }

  async setLimit (id: string, limitNano: bigint): Promise<void> { this.authority.setLimit(id, limitNano) }

  async writeOff (incarnation: number): Promise<boolean> {
    const { authority } = this
    if (!authority.doubtful(incarnation)) return false
    authority.writeOff(incarnation)
    return true
  }

  async settleLongHold (id: string, costNano: bigint): Promise<void> { this.authority.settleLongHold(id, costNano) }
  books (): AccountBooks[] { return this.authority.books() }
  leases (): LeaseBooks[] { return this.authority.leases() }
  longHolds (): string[] { return this.authority.longHolds() }

  costOf (callId: string): bigint | null {
    const event: UsageEvent | undefined = this.authority.events.get(callId)
    return event === undefined ? this.authority.settledHolds.get(callId) ?? null : event.end.costNano
  }

  setClock (now: number): null {
    this.#now = now
    return null
  }
}
