import { type JournalRecord } from '../../src/journal/journal.ts'
import { type AccountHold, type CallEnd, type Charge } from '../../src/usage/usage.ts'
import { type Process } from './machine.ts'

/** One call as somebody who sees everything has it. */
export interface SimCall {
  no: number
  id: string
  process: Process
  incarnation: number
  /** the very ones of the gateway: they grow where a hold is extended */
  holds: AccountHold[]
  quoteNano: () => bigint
  /** its holds by what is in the journal; null: its opening is not there */
  written: AccountHold[] | null
  /** null: it has not ended */
  end: CallEnd | null
  /** the journal said that it has that */
  endWritten: boolean
  voided: boolean
  /** the provider has it */
  reached: boolean
  /** it used more than it was held for: what of that a crash leaves unknown is not claimed */
  overran: boolean
  /** the ledger has its event */
  inserted: CallEnd | null
  /** a row of the ledger holds it */
  row: 'none' | 'open' | 'settled'
}

/** All calls of a run, by what the gateways tell their journals. */
export class Calls {
  readonly all: SimCall[] = []
  readonly byId = new Map<string, SimCall>()
  /** of which the ledger may still hear */
  unrecorded = new Set<SimCall>()

  opens (process: Process, { call }: JournalRecord & { t: 'open' }): SimCall {
    const known = this.byId.get(call.id)
    if (known !== undefined) return known
    const made: SimCall = {
      no: this.all.length + 1,
      id: call.id,
      process,
      incarnation: process.incarnation,
      holds: call.holds,
      quoteNano: () => call.quoteNano,
      written: null,
      end: null,
      endWritten: false,
      voided: false,
      reached: false,
      overran: false,
      inserted: null,
      row: 'none',
    }
    this.all.push(made)
    this.byId.set(call.id, made)
    this.unrecorded.add(made)
    return made
  }

  get (id: string): SimCall {
    const call = this.byId.get(id)
    if (call === undefined) throw new Error(`nobody made the call ${id}`)
    return call
  }

  inserted (end: CallEnd): void {
    const call = this.get(end.id)
    call.inserted = end
    this.unrecorded.delete(call)
  }

  /**
   * A call that was not sent, and whose opening nobody was told of, is none; nor is more held than was written. Of an
   * end that nobody was told of only as much is sure as its hold covers.
   */
  died (process: Process): void {
    for (const call of this.unrecorded) {
      if (call.process !== process) continue
      if (call.end !== null && !call.endWritten) call.end = heldOf(call.end, call.written ?? call.holds)
      if (call.written !== null) call.holds = call.written
      else if (!call.reached) {
        call.voided = true
        this.unrecorded.delete(call)
      }
    }
  }
}

/** What a call may still cost one account, as far as its lease stands for it and beyond. */
export function obligation (call: SimCall, hold: AccountHold): { covered: bigint, debt: bigint } {
  if (call.voided) return NOTHING
  const end = call.end ?? call.inserted
  if (end === null) return { covered: hold.enforced ? hold.quoteNano : 0n, debt: 0n }
  const charge = end.charges.find(({ accountId }) => accountId === hold.accountId) as Charge
  return { covered: charge.coveredNano, debt: charge.amountNano - charge.coveredNano }
}

const NOTHING = { covered: 0n, debt: 0n }

function heldOf (end: CallEnd, holds: readonly AccountHold[]): CallEnd {
  const charges = end.charges.map((charge) => {
    const { quoteNano = 0n } = holds.find(({ accountId }) => accountId === charge.accountId) ?? {}
    const nano = charge.coveredNano < quoteNano ? charge.coveredNano : quoteNano
    return { ...charge, amountNano: nano, coveredNano: nano }
  })
  return { ...end, charges }
}
