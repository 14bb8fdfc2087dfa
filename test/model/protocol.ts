/**
 * The lease protocol as a set of atomic actions over a State. Each action is one that the real parts take without
 * being interrupted: one transaction of PostgreSQL, one turn of a gateway's event loop, one write to a journal.
 * Every safeguard can be taken away by name, so that a test can see the check find out.
 */
import {
  copy, freeOf, restOf, type Account, type Call, type JournalRecord, type Life, type Memory, type Message, type State,
} from './state.ts'

export const SAFEGUARDS = {
  'conditional grant': 'a grant happens only if settled + leased + need <= limit',
  'incarnation check': 'a grant happens only to an incarnation that is live',
  'greatest granted': 'of the granted figures it hears a gateway keeps the greatest',
  'heartbeat tells granted': 'a gateway hears of grants whose answers were lost',
  'all-or-none hold': 'a call is held on all of its accounts or on none',
  'journal before send': 'a call is sent only once its opening is in the journal',
  'journal before give-up': 'rights that an end or a void sets free are given up only once that record is written',
  'memory first': 'a gateway gives rights up in memory before PostgreSQL hears of it',
  'absolute returned': 'returned is a cumulative figure, not an increment',
  dedupe: 'an event is inserted once and only then moves its accounts',
  covered: 'a post takes from the lease what it covers, not what the call cost',
  'forget after answer': 'a journal record is dropped only when PostgreSQL is known to have the event',
  'uncertain on crash': 'a call that a crash left open is charged at its quote',
  'write-once close': 'a lease is closed once, by what PostgreSQL itself has of it',
  'long once': 'what a call holds is moved to a row once, however often that is asked',
  'long while live': 'it is moved only from the lease of an incarnation that is live',
  'returned once told': 'a gateway counts it as given back only once it has been told',
  'row before uncertain': 'no event of a call is inserted that a row holds',
  'write-off replaced': 'what turns up after a write-off takes its place, and counts once',
  'posted before closed': 'leases are closed, and a write-off is taken back, only once all of the journal is posted',
  'doubt after a power cut': 'what is left of leases stays in doubt where records may be missing',
  'beyond a dead lease': 'what the lease of a gateway that is gone does not cover is recorded beyond it',
  'set-aside stays leased': 'closing a lease keeps what covers events that are set aside',
  'set-aside stays written off': 'taking a write-off back leaves what covers events that are set aside',
} as const

export type Safeguard = keyof typeof SAFEGUARDS

export interface Bounds {
  /** one per account */
  limits: number[]
  calls: number
  quotes: number[]
  /** cost beyond the quote that a call may have */
  overrun: number
  /** most that one lease is ever granted */
  granted: number
  /** what one grant may be of, per account */
  needs: number[][]
  lives: number
  gateways: number
  crashes: number
  posts: number
  grantAnswers: number
  lowering: boolean
  poison: boolean
  /** calls may go on behind their answers */
  long: boolean
  /** what a gateway leases may be counted as spent, also where it only seems dead */
  writeOff: boolean
  /** machines stop, and what their journals had not synced is lost */
  powerCut: boolean
  /** another gateway posts ended calls of one that is not heard, from the copy of its journal */
  copies: boolean
}

/** In the order in which they bring the system to rest; those after `null` never do. */
const TO_REST = [
  'post arrives and is answered', 'grant answer arrives', 'a process ends that was written off', 'keep arrives and is answered', 'keep arrives, its answer lost', 'journal writes a record', 'journal is synced', 'send', 'settle',
  'heartbeat is answered', 'give up unused rights', 'post leaves', 'recovery begins', 'recovery posts a call',
  'keep leaves again', 'row is settled', 'close arrives', 'refused event is made acceptable', 'set-aside event is posted', 'recovery asks to close', 'what is in doubt is written off',
] as const

const TO_UNREST = [
  'grant, its answer under way', 'grant, its answer lost', 'late grant to a dead gateway', 'hold', 'release',
  'post arrives, its answer lost and a copy under way', 'post is lost', 'close arrives, a copy under way', 'crash', 'power cut',
  'recovery posts a call, its answer lost',
  'a new life joins', 'write-off', 'a copied call is posted by another gateway', 'limit is lowered', 'a call becomes long', 'keep is lost',
] as const

export const ACTIONS = [...TO_REST, ...TO_UNREST]
export type Action = typeof ACTIONS[number]

/** Actions that move towards rest come first: the lower, the sooner. -1: does not. */
export function restRank (action: Action): number {
  return (TO_REST as readonly Action[]).indexOf(action)
}

/** `who` is a life, `what` the action's amount or call: for traces only. */
export type Emit = (action: Action, next: State, who: number, what: number) => void

export function initial (bounds: Bounds): State {
  const zeros = bounds.limits.map(() => 0)
  return {
    accounts: bounds.limits.map((limit) => ({ limit, settled: 0, leased: 0, ceiling: limit })),
    lives: Array.from({ length: bounds.gateways }, () => aLife(bounds.limits.length)),
    calls: Array.from({ length: bounds.calls }, () => ({
      phase: 'none',
      life: 0,
      quote: 0,
      cost: 0,
      spent: 0,
      holds: zeros,
      covered: zeros,
      reachedProvider: false,
      events: 0,
      charge: 0,
      row: 'none',
    })),
    messages: [],
    crashes: 0,
    poisoned: bounds.poison,
    lowered: false,
  }
}

function aLife (accounts: number): Life {
  return {
    state: 'live',
    leases: Array.from({ length: accounts }, () => ({ granted: 0, returned: 0, posted: 0, writtenOff: 0 })),
    memory: {
      leases: Array.from({ length: accounts }, () => ({ granted: 0, returned: 0, consumed: 0, held: 0 })),
      queue: [],
      unsynced: [],
    },
    lossy: false,
  }
}

export class Protocol {
  readonly #bounds: Bounds
  readonly #without: Safeguard | null

  constructor (bounds: Bounds, without: Safeguard | null = null) {
    this.#bounds = bounds
    this.#without = without
  }

  /** Every state that one action leads to. */
  successors (state: State, emit: Emit): void {
    const emitSeen: Emit = (action, next, who, what) => {
      for (const account of next.accounts) account.ceiling = ceilingOf(account)
      emit(action, next, who, what)
    }
    state.messages.forEach((message, index) => this.#deliver(state, message, index, emitSeen))
    state.lives.forEach((life, who) => {
      this.#grants(state, life, who, emitSeen)
      if (life.memory === null) this.#recover(state, life, who, emitSeen)
      else this.#run(state, life, life.memory, who, emitSeen)
    })
    state.calls.forEach((call, index) => this.#advance(state, call, index, emitSeen))
    this.#administer(state, emitSeen)
  }

  // ---- PostgreSQL

  #grants (state: State, life: Life, who: number, emit: Emit): void {
    if (life.memory !== null && !this.#wants(state, life.memory)) return
    for (const needs of life.memory === null ? this.#bounds.needs.slice(0, 1) : this.#bounds.needs) {
      const next = this.#granted(state, who, needs)
      if (next === null) continue
      const need = Math.max(...needs)
      if (life.memory === null) {
        emit('late grant to a dead gateway', next, who, need)
        continue
      }
      emit('grant, its answer lost', next, who, need)
      const underWay = state.messages.filter((m) => m.type === 'grant answer' && m.life === who).length
      if (underWay >= this.#bounds.grantAnswers) continue
      const answered = copy(next)
      answered.messages.push({ type: 'grant answer', life: who, granted: leasesOf(next, who).map((l) => l.granted) })
      emit('grant, its answer under way', answered, who, need)
    }
  }

  /** A gateway asks for rights when it could not hold the next call. */
  #wants (state: State, memory: Memory): boolean {
    if (!state.calls.some(({ phase }) => phase === 'none')) return false
    return this.#bounds.quotes.some((quote) => memory.leases.some((lease) => freeOf(lease) < quote))
  }

  /** All accounts or none. The bound on what is ever granted keeps the model finite. */
  #granted (state: State, who: number, needs: number[]): State | null {
    const { state: lifeState, leases } = lifeOf(state, who)
    if (lifeState !== 'live' && this.#keeps('incarnation check')) return null
    if (leases.some((lease, account) => lease.granted + at(needs, account) > this.#bounds.granted)) return null
    const room = state.accounts.every((a, account) => {
      const need = at(needs, account)
      return need === 0 || a.settled + a.leased + need <= a.limit
    })
    if (!room && this.#keeps('conditional grant')) return null
    const next = copy(state)
    next.accounts.forEach((account, index) => { account.leased += at(needs, index) })
    leasesOf(next, who).forEach((lease, index) => { lease.granted += at(needs, index) })
    return next
  }

  /** Inserts one event and moves its accounts; false: refused. Idempotent by the call. */
  #insert (next: State, index: number, amount: number, covered: number[]): boolean {
    if (next.poisoned && index === 0) return false
    const call = callOf(next, index)
    if (call.events > 0 && this.#keeps('dedupe')) return true
    if (call.row !== 'none' && this.#keeps('row before uncertain')) return true
    if (this.#isShort(next, call, covered)) return false
    call.events++
    call.charge = amount
    const { state } = lifeOf(next, call.life)
    const writtenOff = state === 'written off'
    leasesOf(next, call.life).forEach((lease, account) => {
      if (writtenOff) {
        const back = this.#keeps('write-off replaced') ? Math.min(covered[account] ?? 0, lease.writtenOff) : 0
        lease.writtenOff -= back
        accountOf(next, account).settled += amount - back
        return
      }
      const fromLease = this.#keeps('covered') ? covered[account] ?? 0 : amount
      const unknown = state === 'recovering' ? Math.max(0, fromLease - restOf(lease)) : 0
      lease.granted += unknown
      accountOf(next, account).leased += unknown
      lease.posted += fromLease
      accountOf(next, account).leased -= fromLease
      accountOf(next, account).settled += amount
      accountOf(next, account).ceiling += Math.max(0, amount - (covered[account] ?? 0))
    })
    return true
  }

  /** its lease does not have what its charge is to take from it */
  #isShort (next: State, call: Call, covered: number[]): boolean {
    const { state, leases } = lifeOf(next, call.life)
    if (state !== 'recovering' || this.#keeps('beyond a dead lease')) return false
    return leases.some((lease, account) => (covered[account] ?? 0) > restOf(lease))
  }

  #takeBack (next: State, who: number, returned: number[]): void {
    const { state } = lifeOf(next, who)
    if (state === 'closed' || state === 'written off') return
    leasesOf(next, who).forEach((lease, account) => {
      const figure = returned[account] ?? 0
      const more = this.#keeps('absolute returned') ? Math.max(0, figure - lease.returned) : figure
      lease.returned += more
      accountOf(next, account).leased -= more
    })
  }

  #close (next: State, message: Message & { type: 'close' }): void {
    const life = lifeOf(next, message.life)
    const calls = message.setAside.map((index) => callOf(next, index)).filter(({ events }) => events === 0)
    const kept = life.leases.map((_, account) => calls.reduce((sum, { covered }) => sum + (covered[account] ?? 0), 0))
    if (life.state === 'written off') {
      life.leases.forEach((lease, account) => {
        const stays = this.#keeps('set-aside stays written off') ? Math.min(kept[account] ?? 0, lease.writtenOff) : 0
        accountOf(next, account).settled -= lease.writtenOff - stays
        lease.writtenOff = stays
      })
      if (life.leases.every(({ writtenOff }) => writtenOff === 0)) life.state = 'closed'
      return
    }
    if (life.state !== 'recovering' && this.#keeps('write-once close')) return
    life.state = 'closed'
    life.leases.forEach((lease, account) => {
      const rest = this.#keeps('write-once close') ? restOf(lease) : message.rest[account] ?? 0
      const back = rest - (kept[account] ?? 0)
      lease.returned += back
      accountOf(next, account).leased -= back
    })
  }

  // ---- what is under way

  #deliver (state: State, message: Message, index: number, emit: Emit): void {
    const who = message.life
    const arrived = copy(state)
    if (message.type === 'grant answer') {
      arrived.messages.splice(index, 1)
      this.#learnGranted(arrived, who, message.granted)
      emit('grant answer arrives', arrived, who, message.granted[0] ?? 0)
      return
    }
    if (message.type === 'close') {
      this.#close(arrived, message)
      emit('close arrives, a copy under way', arrived, who, 0)
      const last = copy(arrived)
      last.messages.splice(index, 1)
      emit('close arrives', last, who, 0)
      return
    }
    if (message.type === 'keep') this.#deliverKeep(state, arrived, message, index, emit)
    else this.#deliverPost(state, arrived, message, index, emit)
  }

  #deliverKeep (state: State, arrived: State, { life: who, call }: Message & { type: 'keep' }, index: number, emit: Emit): void {
    const lost = copy(state)
    lost.messages.splice(index, 1)
    emit('keep is lost', lost, who, call)

    arrived.messages.splice(index, 1)
    const kept = this.#keep(arrived, who, call)
    emit('keep arrives, its answer lost', arrived, who, call)
    if (lifeOf(state, who).memory === null || callOf(state, call).phase !== 'keeping') return
    const answered = copy(arrived)
    const told = callOf(answered, call)
    const memory = memoryOf(answered, who)
    told.phase = kept ? 'kept' : 'sent'
    if (kept) memory.queue.push({ type: 'void', call })
    if (kept && this.#keeps('returned once told')) handOver(memory, told)
    emit('keep arrives and is answered', answered, who, call)
  }

  /** Moves what it holds from its lease to a row; true: a row holds it. */
  #keep (next: State, who: number, index: number): boolean {
    const call = callOf(next, index)
    const life = lifeOf(next, who)
    if (life.state !== 'live' && this.#keeps('long while live')) return false
    if (call.row !== 'none' && this.#keeps('long once')) return true
    if (call.row === 'none') call.row = 'open'
    life.leases.forEach((lease, account) => { lease.returned += call.holds[account] ?? 0 })
    return true
  }

  #deliverPost (state: State, arrived: State, message: Message & { type: 'post' }, index: number, emit: Emit): void {
    const { life: who, calls, returned } = message
    const lost = copy(state)
    lost.messages.splice(index, 1)
    emit('post is lost', lost, who, 0)

    for (const call of calls) this.#insert(arrived, call, callOf(arrived, call).spent, callOf(arrived, call).covered)
    this.#takeBack(arrived, who, returned)
    // what a recovery has charged meanwhile cannot be given back: all of it is refused
    if (lifeOf(arrived, who).state === 'recovering' && leasesOf(arrived, who).some((lease) => restOf(lease) < 0)) {
      emit('post arrives and is answered', lost, who, calls.length)
      return
    }
    emit('post arrives, its answer lost and a copy under way', arrived, who, calls.length)

    const answered = copy(arrived)
    answered.messages.splice(index, 1)
    this.#learnPosted(answered, message)
    emit('post arrives and is answered', answered, who, calls.length)
  }

  #learnGranted (next: State, who: number, granted: number[]): void {
    lifeOf(next, who).memory?.leases.forEach((lease, account) => {
      const figure = granted[account] ?? 0
      lease.granted = this.#keeps('greatest granted') ? Math.max(lease.granted, figure) : figure
    })
  }

  #learnPosted (next: State, { life: who, calls, returned }: Message & { type: 'post' }): void {
    const { memory } = lifeOf(next, who)
    if (memory === null) return
    for (const index of calls) {
      const call = callOf(next, index)
      if (call.phase === 'ended') call.phase = call.events > 0 ? 'done' : 'set aside'
    }
    if (this.#keeps('memory first')) return
    memory.leases.forEach((lease, account) => { lease.returned = Math.max(lease.returned, returned[account] ?? 0) })
  }

  // ---- a running gateway

  #run (state: State, life: Life, memory: Memory, who: number, emit: Emit): void {
    this.#hold(state, memory, who, emit)
    this.#write(state, memory, who, emit)
    this.#giveUp(state, memory, who, emit)
    this.#post(state, life, memory, who, emit)
    const unheard = life.leases.some((lease, account) => lease.granted > (memory.leases[account]?.granted ?? 0))
    if (unheard && this.#keeps('heartbeat tells granted')) {
      const next = copy(state)
      this.#learnGranted(next, who, life.leases.map((lease) => lease.granted))
      emit('heartbeat is answered', next, who, 0)
    }
    if (state.crashes < this.#bounds.crashes) emit('crash', crashed(state, who), who, 0)
    if (this.#bounds.powerCut) this.#losePower(state, memory, who, emit)
    if (life.state === 'written off') {
      emit('a process ends that was written off', { ...crashed(state, who), crashes: state.crashes }, who, 0)
    }
  }

  /** of what was not synced any part at the end is lost, or nothing */
  #losePower (state: State, { unsynced }: Memory, who: number, emit: Emit): void {
    if (unsynced.length > 0) {
      const next = copy(state)
      memoryOf(next, who).unsynced = []
      emit('journal is synced', next, who, unsynced.length)
    }
    if (state.crashes >= this.#bounds.crashes) return
    for (let left = 0; left <= unsynced.length; left++) {
      const next = crashed(state, who, unsynced.slice(left))
      lifeOf(next, who).lossy = true
      emit('power cut', next, who, unsynced.length - left)
    }
  }

  #hold (state: State, memory: Memory, who: number, emit: Emit): void {
    const index = state.calls.findIndex(({ phase }) => phase === 'none')
    if (index === -1) return
    for (const quote of this.#bounds.quotes) {
      const fits = memory.leases.map((lease) => freeOf(lease) >= quote)
      const enough = this.#keeps('all-or-none hold') ? fits.every(Boolean) : fits.some(Boolean)
      if (!enough) continue
      const next = copy(state)
      const call = callOf(next, index)
      call.phase = 'held'
      call.life = who
      call.quote = quote
      call.holds = fits.map((fit) => fit ? quote : 0)
      const mine = memoryOf(next, who)
      mine.leases.forEach((lease, account) => { lease.held += call.holds[account] ?? 0 })
      mine.queue.push({ type: 'open', call: index })
      emit('hold', next, who, quote)
    }
  }

  #write (state: State, memory: Memory, who: number, emit: Emit): void {
    if (memory.queue.length === 0) return
    const next = copy(state)
    const mine = memoryOf(next, who)
    const record = mine.queue.shift()
    if (record === undefined) return
    if (this.#bounds.powerCut) mine.unsynced.push(record)
    const call = callOf(next, record.call)
    if (record.type === 'open' && call.phase === 'held') call.phase = 'opened'
    if (record.type === 'end') call.phase = this.#keeps('forget after answer') ? 'ended' : 'done'
    if (record.type === 'void') call.phase = 'done'
    emit('journal writes a record', next, who, record.call)
  }

  #giveUp (state: State, memory: Memory, who: number, emit: Emit): void {
    if (!this.#keeps('memory first') || memory.leases.every((lease) => freeOf(lease) <= 0)) return
    const unwritten = memory.queue.some(({ type }) => type !== 'open')
    if (unwritten && this.#keeps('journal before give-up')) return
    const next = copy(state)
    for (const lease of memoryOf(next, who).leases) lease.returned += Math.max(0, freeOf(lease))
    emit('give up unused rights', next, who, 0)
  }

  #post (state: State, life: Life, memory: Memory, who: number, emit: Emit): void {
    const calls: number[] = []
    state.calls.forEach((call, index) => { if (call.life === who && call.phase === 'ended') calls.push(index) })
    const early = this.#keeps('memory first') ? 0 : 1
    const returned = memory.leases.map((lease) => lease.returned + early * Math.max(0, freeOf(lease)))
    const news = calls.length > 0 || returned.some((figure, account) => figure > (life.leases[account]?.returned ?? 0))
    const underWay = state.messages.filter((m) => m.type === 'post' && m.life === who)
    if (!news || underWay.length >= this.#bounds.posts) return
    const next = copy(state)
    next.messages.push({ type: 'post', life: who, calls, returned })
    emit('post leaves', next, who, calls.length)
  }

  // ---- a call

  #advance (state: State, call: Call, index: number, emit: Emit): void {
    const who = call.life
    if (call.phase === 'opened' || (call.phase === 'held' && !this.#keeps('journal before send'))) {
      const sent = copy(state)
      callOf(sent, index).phase = 'sent'
      callOf(sent, index).reachedProvider = true
      emit('send', sent, who, index)
    }
    if (call.phase === 'opened') emit('release', released(state, index), who, index)
    if (call.phase === 'sent') {
      for (let cost = 1; cost <= call.quote + this.#bounds.overrun; cost++) {
        emit('settle', settled(state, index, cost), who, cost)
      }
    }
    if (call.phase === 'sent' && this.#bounds.long) {
      const next = copy(state)
      const long = callOf(next, index)
      long.phase = 'keeping'
      next.messages.push({ type: 'keep', life: who, call: index })
      if (!this.#keeps('returned once told')) handOver(memoryOf(next, who), long)
      emit('a call becomes long', next, who, index)
    }
    if (call.phase === 'keeping' && !state.messages.some((one) => one.type === 'keep' && one.call === index)) {
      const next = copy(state)
      next.messages.push({ type: 'keep', life: who, call: index })
      emit('keep leaves again', next, who, index)
    }
    for (let cost = call.row === 'open' ? 1 : Infinity; cost <= call.quote; cost++) {
      const next = copy(state)
      const ended = callOf(next, index)
      ended.row = 'settled'
      ended.events++
      ended.cost = ended.spent = ended.charge = cost
      next.accounts.forEach((account, one) => {
        account.leased -= call.holds[one] ?? 0
        account.settled += cost
      })
      emit('row is settled', next, who, cost)
    }
    const ended = call.phase === 'ended' || call.phase === 'found ended'
    if (this.#bounds.copies && ended && call.events === 0) {
      const next = copy(state)
      if (this.#insert(next, index, call.cost, call.covered)) emit('a copied call is posted by another gateway', next, who, index)
    }
    if (call.phase === 'set aside') this.#retry(state, call, index, emit)
  }

  /** The owner of the journal retries: a gateway for itself, or whoever recovers it, or has. */
  #retry (state: State, call: Call, index: number, emit: Emit): void {
    if (state.poisoned) return
    const next = copy(state)
    if (!this.#insert(next, index, call.cost, call.covered)) return
    callOf(next, index).phase = 'done'
    emit('set-aside event is posted', next, call.life, index)
  }

  // ---- a dead gateway

  #recover (state: State, life: Life, who: number, emit: Emit): void {
    if (life.state === 'closed') return
    if (life.state === 'live') {
      const next = copy(state)
      lifeOf(next, who).state = 'recovering'
      emit('recovery begins', next, who, 0)
      return
    }
    let found = 0
    state.calls.forEach((call, index) => {
      if (call.life !== who || (call.phase !== 'found open' && call.phase !== 'found ended')) return
      found++
      const posted = this.#recovered(state, call, index)
      emit('recovery posts a call', posted, who, index)
      const unheard = copy(posted)
      callOf(unheard, index).phase = call.phase
      if (call.events === 0) emit('recovery posts a call, its answer lost', unheard, who, index)
    })
    const asked = state.messages.some((m) => m.type === 'close' && m.life === who)
    if (asked || (found > 0 && this.#keeps('posted before closed'))) return
    if (life.lossy && this.#keeps('doubt after a power cut')) {
      this.#writeOffDoubt(state, life, who, emit)
      return
    }
    const next = copy(state)
    next.messages.push({ type: 'close', life: who, setAside: this.#setAside(state, who), rest: this.#restNow(life) })
    emit('recovery asks to close', next, who, 0)
  }

  /** nobody else will say what it was spent on */
  #writeOffDoubt (state: State, life: Life, who: number, emit: Emit): void {
    if (life.state === 'written off' || life.leases.every((lease) => restOf(lease) === 0)) return
    const next = copy(state)
    writeOff(next, who)
    emit('what is in doubt is written off', next, who, 0)
  }

  #recovered (state: State, call: Call, index: number): State {
    const next = copy(state)
    const found = callOf(next, index)
    if (call.phase === 'found open' && call.row !== 'none' && this.#keeps('row before uncertain')) {
      found.phase = 'done'
      return next
    }
    if (call.phase === 'found open') {
      if (!this.#keeps('uncertain on crash')) {
        found.phase = 'done'
        return next
      }
      if (call.events === 0) {
        found.cost = call.quote
        found.covered = call.holds
      }
    }
    found.phase = this.#insert(next, index, found.cost, found.covered) ? 'done' : 'set aside'
    return next
  }

  #setAside (state: State, who: number): number[] {
    if (!this.#keeps('set-aside stays leased')) return []
    return [...state.calls.keys()].filter((index) => {
      const { life, phase } = callOf(state, index)
      return life === who && phase === 'set aside'
    })
  }

  /** Without the safeguard the recovering process works out itself what to give back, and asks for that. */
  #restNow (life: Life): number[] {
    return this.#keeps('write-once close') ? [] : life.leases.map(restOf)
  }

  // ---- administrators and operators

  #administer (state: State, emit: Emit): void {
    if (this.#bounds.lowering && !state.lowered) {
      const next = copy(state)
      next.lowered = true
      for (const account of next.accounts) account.limit--
      emit('limit is lowered', next, 0, 1)
    }
    if (this.#bounds.writeOff) this.#writeOff(state, emit)
    if (state.poisoned) emit('refused event is made acceptable', { ...copy(state), poisoned: false }, 0, 0)
    const closed = state.lives.filter((life) => life.state === 'closed').length
    const more = state.lives.length - closed < this.#bounds.gateways && state.lives.length < this.#bounds.lives
    if (!more || !state.calls.some(({ phase }) => phase === 'none')) return
    const next = copy(state)
    next.lives.push(aLife(this.#bounds.limits.length))
    emit('a new life joins', next, next.lives.length - 1, 0)
  }

  /** of a gateway that is dead, or cannot be reached: once in all */
  #writeOff (state: State, emit: Emit): void {
    if (state.lives.some((life) => life.state === 'written off')) return
    state.lives.forEach((life, who) => {
      if (life.state === 'closed' || life.leases.every((lease) => restOf(lease) === 0)) return
      const next = copy(state)
      writeOff(next, who)
      emit('write-off', next, who, 0)
    })
  }

  #keeps (safeguard: Safeguard): boolean {
    return this.#without !== safeguard
  }
}

function settled (state: State, index: number, cost: number): State {
  const next = copy(state)
  const call = callOf(next, index)
  const memory = memoryOf(next, call.life)
  call.phase = 'settled'
  call.cost = call.spent = cost
  call.covered = memory.leases.map((lease, account) => {
    const hold = call.holds[account] ?? 0
    const overrun = Math.min(Math.max(0, cost - hold), Math.max(0, freeOf(lease)))
    const covered = Math.min(cost, hold) + overrun
    lease.held -= hold
    lease.consumed += covered
    return covered
  })
  memory.queue.push({ type: 'end', call: index })
  return next
}

function writeOff (next: State, who: number): void {
  lifeOf(next, who).state = 'written off'
  leasesOf(next, who).forEach((lease, account) => {
    const rest = restOf(lease)
    lease.posted += rest
    lease.writtenOff = rest
    accountOf(next, account).leased -= rest
    accountOf(next, account).settled += rest
  })
}

function handOver (memory: Memory, call: Call): void {
  memory.leases.forEach((lease, account) => {
    lease.held -= call.holds[account] ?? 0
    lease.returned += call.holds[account] ?? 0
  })
}

function released (state: State, index: number): State {
  const next = copy(state)
  const call = callOf(next, index)
  const memory = memoryOf(next, call.life)
  call.phase = 'released'
  memory.leases.forEach((lease, account) => { lease.held -= call.holds[account] ?? 0 })
  memory.queue.push({ type: 'void', call: index })
  return next
}

/**
 * Memory and unwritten records are lost; what was written, and what is under way to PostgreSQL, is not. `lost`: records
 * that were written, and are lost too.
 */
function crashed (state: State, who: number, lost: readonly JournalRecord[] = []): State {
  const next = copy(state)
  const records = [...memoryOf(next, who).queue, ...lost]
  for (const [index, call] of next.calls.entries()) {
    if (call.life !== who) continue
    const mayBePosted = call.phase === 'ended'
    const mine = records.filter((record) => record.call === index)
    call.phase = phaseAfterCrash(call, (type) => mine.some((record) => record.type === type))
    if (call.phase !== 'found open') continue
    call.cost = 0
    if (!mayBePosted) call.covered = call.covered.map(() => 0)
  }
  next.messages = next.messages.filter((m) => m.type !== 'grant answer' || m.life !== who)
  lifeOf(next, who).memory = null
  next.crashes++
  return next
}

function phaseAfterCrash ({ phase, events }: Call, isLost: (type: JournalRecord['type']) => boolean): Call['phase'] {
  if (phase === 'none' || phase === 'set aside') return phase
  if (events > 0 && (isLost('open') || isLost('end'))) return 'done'
  if (isLost('open')) return 'gone'
  if (phase === 'done' && !isLost('void')) return 'done'
  return phase === 'ended' && !isLost('end') ? 'found ended' : 'found open'
}

/**
 * An overrun that is posted, or a limit that is lowered, leaves an account with more settled and leased than its
 * limit. That much may be spent; what is once less than that is less for good, since nothing may be granted.
 */
function ceilingOf ({ limit, ceiling, settled, leased }: Account): number {
  return Math.max(limit, Math.min(ceiling, settled + leased))
}

function accountOf (state: State, index: number): Account {
  return at(state.accounts, index)
}

function callOf (state: State, index: number): Call {
  return at(state.calls, index)
}

function lifeOf (state: State, who: number): Life {
  return at(state.lives, who)
}

function leasesOf (state: State, who: number): Life['leases'] {
  return lifeOf(state, who).leases
}

function memoryOf (state: State, who: number): Memory {
  const { memory } = lifeOf(state, who)
  if (memory === null) throw new Error(`life ${who} is dead`)
  return memory
}

function at<T> (list: T[], index: number): T {
  const item = list[index]
  if (item === undefined) throw new RangeError(`nothing at ${index}`)
  return item
}
