/**
 * The state of the lease protocol's model: what PostgreSQL has, what each gateway's memory and journal have, what
 * is under way between them. A life is one incarnation of a gateway, from its start to its death. Amounts are small
 * whole numbers. README.md in this folder says in words what is modelled and what is not.
 */

export type Phase =
  | 'none'         // not made yet
  | 'held'         // held in memory; its opening waits to be written
  | 'opened'       // its opening is in the journal; no byte has gone upstream
  | 'sent'         // the provider has it
  | 'keeping'      // it goes on behind its answer: PostgreSQL is asked to hold it by a row
  | 'kept'         // a row holds it; its void waits to be written
  | 'settled'      // its cost is known in memory; its end waits to be written
  | 'ended'        // its end is in the journal; PostgreSQL is not known to have it
  | 'released'     // never sent; its void waits to be written
  | 'set aside'    // PostgreSQL refused its event; kept on disk until a retry
  | 'found open'   // its gateway died; the journal has its opening only
  | 'found ended'  // its gateway died; the journal has its end
  | 'done'         // nobody has anything left to do about it
  | 'gone'         // its gateway died and the journal knows nothing of it

export interface Call {
  phase: Phase
  life: number
  quote: number
  /** 0 until known */
  cost: number
  /** what it has cost its provider, also where a power cut made everybody forget; 0 until then */
  spent: number
  /** per account: what was set aside, and what of the cost the lease pays */
  holds: number[]
  covered: number[]
  reachedProvider: boolean
  /** rows in PostgreSQL for this call, and the amount of the last one */
  events: number
  charge: number
  /** of the row that holds it for long */
  row: 'none' | 'open' | 'settled'
}

export interface Account {
  limit: number
  settled: number
  leased: number
  /** the most that may be settled, spent and held: the limit, or more after an overrun or a lowered limit */
  ceiling: number
}

/** A lease as PostgreSQL has it. `writtenOff`: counted as spent by a write-off, and not yet replaced by what was. */
export interface Lease { granted: number, returned: number, posted: number, writtenOff: number }

/** A lease as its gateway has it. */
export interface MemoryLease { granted: number, returned: number, consumed: number, held: number }

export type JournalRecord = { type: 'open' | 'end' | 'void', call: number }

export interface Memory {
  leases: MemoryLease[]
  /** records in the order in which they will be written */
  queue: JournalRecord[]
  /** records that a power cut would lose, in the order in which they were written */
  unsynced: JournalRecord[]
}

export interface Life {
  state: 'live' | 'recovering' | 'closed' | 'written off'
  leases: Lease[]
  /** null: the process is dead */
  memory: Memory | null
  /** its machine stopped: records may be missing from its journal */
  lossy: boolean
}

export type Message =
  | { type: 'grant answer', life: number, granted: number[] }
  | { type: 'post', life: number, calls: number[], returned: number[] }
  | { type: 'keep', life: number, call: number }
  | { type: 'close', life: number, setAside: number[], rest: number[] }

export interface State {
  accounts: Account[]
  lives: Life[]
  calls: Call[]
  messages: Message[]
  crashes: number
  /** PostgreSQL refuses the event of the first call */
  poisoned: boolean
  lowered: boolean
}

export function copy (state: State): State {
  return {
    accounts: state.accounts.map((a) => ({ limit: a.limit, settled: a.settled, leased: a.leased, ceiling: a.ceiling })),
    lives: state.lives.map(copyLife),
    calls: state.calls.map(copyCall),
    messages: state.messages.slice(),
    crashes: state.crashes,
    poisoned: state.poisoned,
    lowered: state.lowered,
  }
}

function copyLife ({ state, leases, memory, lossy }: Life): Life {
  return {
    state,
    lossy,
    leases: leases.map((l) => ({
      granted: l.granted, returned: l.returned, posted: l.posted, writtenOff: l.writtenOff,
    })),
    memory: memory === null
      ? null
      : {
          leases: memory.leases.map((l) => ({
            granted: l.granted, returned: l.returned, consumed: l.consumed, held: l.held,
          })),
          queue: memory.queue.slice(),
          unsynced: memory.unsynced.slice(),
        },
  }
}

function copyCall (call: Call): Call {
  return {
    phase: call.phase,
    life: call.life,
    quote: call.quote,
    cost: call.cost,
    spent: call.spent,
    holds: call.holds,
    covered: call.covered,
    reachedProvider: call.reachedProvider,
    events: call.events,
    charge: call.charge,
    row: call.row,
  }
}

const PHASE_CODE: Record<Phase, number> = {
  none: 0,
  held: 1,
  opened: 2,
  sent: 3,
  settled: 4,
  ended: 5,
  released: 6,
  'set aside': 7,
  'found open': 8,
  'found ended': 9,
  done: 10,
  gone: 11,
  keeping: 12,
  kept: 13,
}
const ROW_CODE = { none: 0, open: 1, settled: 2 }
const LIFE_CODE = { live: 0, recovering: 1, closed: 2, 'written off': 3 }
const RECORD_CODE = { open: 0, end: 1, void: 2 }
const MESSAGE_CODE = { 'grant answer': 0, post: 1, close: 2, keep: 3 }

/**
 * The same text for states that have the same future, and for no others. Messages under way have no order among
 * themselves, and lives have no order either: each is written with its calls and its messages, and the texts are
 * sorted. Of a closed lease only what is left on it can still matter.
 */
export function encode (state: State): string {
  const head: number[] = [state.crashes, Number(state.poisoned), Number(state.lowered)]
  for (const a of state.accounts) head.push(a.limit, a.settled, shifted(a.leased), a.ceiling)
  const lives = state.lives.map((_, who) => encodeLife(state, who))
  return String.fromCharCode(...head) + (lives.length > 1 ? lives.sort().join(BETWEEN_LIVES) : lives.join())
}

const BETWEEN_LIVES = '\u00fe'
const BETWEEN_MESSAGES = '\u00fd'
const NO_MEMORY = 0xfc

function encodeLife ({ lives, calls, messages }: State, who: number): string {
  const life = lives[who]
  if (life === undefined) return ''
  const out: number[] = [LIFE_CODE[life.state] + (life.lossy ? 4 : 0)]
  for (const l of life.leases) {
    if (life.state === 'closed') out.push(shifted(restOf(l)))
    else out.push(l.granted, l.returned, l.posted)
    if (life.state === 'written off') out.push(l.writtenOff)
  }
  if (life.memory === null) out.push(NO_MEMORY)
  else encodeMemory(life.memory, out)
  for (const [index, call] of calls.entries()) {
    if (call.phase === 'none' || call.life !== who) continue
    out.push(index)
    encodeCall(call, out)
  }
  const text = String.fromCharCode(...out)
  if (messages.length === 0) return text
  const mine = messages.filter((message) => message.life === who)
  return mine.length === 0 ? text : text + BETWEEN_MESSAGES + mine.map(encodeMessage).sort().join(BETWEEN_MESSAGES)
}

function encodeMemory ({ leases, queue, unsynced }: Memory, out: number[]): void {
  for (const l of leases) out.push(l.granted, l.returned, l.consumed, l.held)
  for (const records of [queue, unsynced]) {
    out.push(records.length)
    for (const { type, call } of records) out.push(call * 4 + RECORD_CODE[type])
  }
}

function encodeCall (call: Call, out: number[]): void {
  const { phase, row } = call
  const { cost, spent, events, charge } = call
  out.push(PHASE_CODE[phase], cost, spent, Number(call.reachedProvider), events, charge, ROW_CODE[row])
  for (const amount of call.covered) out.push(amount)
  if (call.phase === 'done' && call.row !== 'open') return
  out.push(call.quote)
  for (const amount of call.holds) out.push(amount)
}

function encodeMessage (message: Message): string {
  const code = MESSAGE_CODE[message.type]
  switch (message.type) {
    case 'grant answer': return String.fromCharCode(code, ...message.granted)
    case 'post': return String.fromCharCode(code, ...message.returned, ...message.calls)
    case 'keep': return String.fromCharCode(code, message.call)
    case 'close': return String.fromCharCode(code, ...message.rest, ...message.setAside)
  }
}

/** A mutant may drive a figure below zero. */
function shifted (amount: number): number {
  return amount + 100
}

export function restOf (lease: Pick<Lease, 'granted' | 'returned' | 'posted'>): number {
  return lease.granted - lease.returned - lease.posted
}

export function freeOf (lease: MemoryLease): number {
  return lease.granted - lease.returned - lease.consumed - lease.held
}
