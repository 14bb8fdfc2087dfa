import { type Authority } from '../../src/account/authority.ts'
import { type AccountBooks, type LeaseBooks, MemoryAuthority } from '../account/memory-authority.ts'
import { type Ledger, type SimAuthority } from './ledger.ts'
import { AUTHORITY, type LedgerPort } from './ledger-port.ts'

/**
 * PostgreSQL's ledger, and beside it the one in memory, which is asked the same: whatever they answer differently is a
 * fault of one of them, and of all that is found with the other.
 */
export class ComparedLedger implements Ledger {
  readonly authority: SimAuthority
  /** what they first answered differently */
  difference: string | null = null
  readonly #real: LedgerPort
  readonly #memory: MemoryAuthority
  #now = 0

  constructor (real: LedgerPort) {
    this.#real = real
    this.#memory = new MemoryAuthority({ now: () => this.#now, silentAfterMs: 10_000, blocking: true })
    const methods = AUTHORITY.map((name) => [name, async (...args: unknown[]) => {
      const call = async (of: Authority): Promise<unknown> =>
        await (of as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]?.(...args)
      const [told, expected] = [await outcomeOf(call(real.authority)), await outcomeOf(call(this.#memory))]
      this.#compare(name, args, told, expected)
      if ('error' in told) throw told.error
      return told.value
    }])
    this.authority = Object.fromEntries(methods) as unknown as SimAuthority
  }

  #compare (name: string, args: unknown[], told: Told, expected: Told): void {
    const [a, b] = [plain(told), plain(expected)]
    if (a === b) return
    this.difference ??= `${name} of ${text(args)}: PostgreSQL answers\n${a}\nand the ledger in memory\n${b}`
  }

  async empty (): Promise<void> { await this.#real.empty() }

  async defineBudget (limitNano: bigint | null): Promise<string> {
    const id = await this.#real.defineBudget(limitNano)
    this.#memory.defineBudget(id, limitNano)
    return id
  }

  async setLimit (id: string, limitNano: bigint): Promise<void> {
    await this.#real.setLimit(id, limitNano)
    this.#memory.setLimit(id, limitNano)
  }

  async writeOff (incarnation: number): Promise<boolean> {
    const done = await this.#real.writeOff(incarnation)
    if (done !== this.#memory.doubtful(incarnation)) this.difference ??= `write-off of ${incarnation}: ${done}`
    if (this.#memory.doubtful(incarnation)) this.#memory.writeOff(incarnation)
    return done
  }

  async settleLongHold (id: string, costNano: bigint): Promise<void> {
    await this.#real.settleLongHold(id, costNano)
    this.#memory.settleLongHold(id, costNano)
  }

  async books (): Promise<AccountBooks[]> {
    const books = await this.#real.books()
    this.#compare('books', [], { value: books }, { value: this.#memory.books() })
    return books
  }

  async leases (): Promise<LeaseBooks[]> {
    const leases = await this.#real.leases()
    this.#compare('leases', [], { value: leases }, { value: this.#memory.leases() })
    return leases
  }

  costOf (callId: string): Promise<bigint | null> { return this.#real.costOf(callId) }
  longHolds (): Promise<string[]> { return this.#real.longHolds() }

  setClock (now: number): null {
    this.#now = now
    return this.#real.setClock(now)
  }

  close (): void { this.#real.close() }
}

type Told = { value: unknown } | { error: Error }

async function outcomeOf (answer: Promise<unknown>): Promise<Told> {
  return await answer.then((value) => ({ value }), (error: unknown) => ({ error: error as Error }))
}

/** of errors their kind alone is told */
function plain (told: Told): string {
  return 'error' in told ? told.error.constructor.name : text(told.value)
}

/** in whatever order accounts, leases and events are told */
function text (value: unknown): string {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) {
    const list = value.map(text)
    return `[${(typeof value[0] === 'boolean' ? list : list.sort()).join(', ')}]`
  }
  if (value === null || typeof value !== 'object') return String(value)
  return `{ ${Object.entries(value).map(([name, one]) => `${name}: ${text(one)}`).sort().join(', ')} }`
}
