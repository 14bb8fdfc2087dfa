import { type CallEnd, type CallOpening, type Charge, type UsageEvent } from '../usage/usage.ts'
import { endJson, endOf, Fields, openingOf, openJson } from './records.ts'

/**
 * A call that has ended, until the ledger has it: its two records in the bytes that the journal wrote, which are what
 * is posted. Kept as the values that they say, each call would be some forty objects for the collector to copy.
 */
export class EndedCall implements UsageEvent {
  readonly id: string
  /** charges that the leases did not pay in full; mostly there are none */
  readonly unpaid: readonly Charge[]
  readonly openJson: Buffer
  readonly endJson: Buffer

  static of (event: UsageEvent): EndedCall {
    if (event instanceof EndedCall) return event
    const { opening, end } = event
    return new EndedCall(opening.id, Buffer.from(openJson(opening)), Buffer.from(endJson(end)), end.charges)
  }

  constructor (id: string, openJson: Buffer, endJson: Buffer, charges: readonly Charge[]) {
    this.id = id
    this.openJson = openJson
    this.endJson = endJson
    this.unpaid = charges.every(isPaid) ? NONE : charges.filter((charge) => !isPaid(charge))
  }

  get opening (): CallOpening { return openingOf(new Fields(JSON.parse(this.openJson.toString()))) }
  get end (): CallEnd { return endOf(new Fields(JSON.parse(this.endJson.toString()))) }
}

const NONE: readonly Charge[] = []

function isPaid ({ amountNano, coveredNano }: Charge): boolean { return amountNano === coveredNano }
