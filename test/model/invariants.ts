/** What must be true of every state, and of every state at rest. Each answer is a sentence, or null. */
import { freeOf, restOf, type Account, type Call, type Life, type State } from './state.ts'

/** `promises`: only what a user or an administrator would notice. `everything`: the equations behind it too. */
export type Judge = 'promises' | 'everything'

export function violation (state: State, judge: Judge): string | null {
  const broken = brokenPromise(state)
  if (broken !== null || judge === 'promises') return broken
  return brokenBooks(state) ?? brokenLease(state)
}

/** A state at rest: nothing more will happen by itself. Nothing is then held, leased, unwritten or under way. */
export function unrest (state: State): string | null {
  if (state.messages.length > 0) return 'a message stays under way'
  if (state.calls.some(({ phase }) => phase !== 'none' && phase !== 'done' && phase !== 'gone')) {
    return 'a call stays unfinished'
  }
  if (state.lives.some((life) => life.memory === null && !isOver(life))) return 'a dead gateway stays unrecovered'
  if (state.calls.some(({ row }) => row === 'open')) return 'a long hold stays open'
  if (state.accounts.some(({ leased }) => leased !== 0)) return 'something stays leased'
  return null
}

/** where records may be missing nobody closes leases: what was left of them is written off, and stays so */
function isOver ({ state, lossy, leases }: Life): boolean {
  return state === 'closed' || (lossy && state !== 'live' && leases.every((lease) => restOf(lease) === 0))
}

/** P1 and P2 of the promises. */
function brokenPromise (state: State): string | null {
  for (const [index, account] of state.accounts.entries()) {
    if (exposure(state, account, index) > account.ceiling + unpostedDebt(state, index)) {
      return 'P1: settled, finished costs and open quotes together pass the limit'
    }
  }
  for (const call of state.calls) {
    if (call.events > 1) return 'P2: a call has more than one event'
    if (call.phase === 'gone' && call.reachedProvider && state.lives[call.life]?.lossy !== true) return 'P2: a call reached the provider and nobody knows of it'
    const recorded = call.events === 1 || call.row === 'open'
    if (call.phase === 'done' && call.reachedProvider && !recorded) return 'P2: a call was forgotten without an event'
    if (call.events === 1 && call.cost > call.charge) return 'P5: an event charges less than its call is known to have cost'
    if (call.reachedProvider && call.holds.some((hold) => hold !== call.quote)) return 'P1: a call was sent without a hold'
  }
  return null
}

function brokenBooks (state: State): string | null {
  for (const life of state.lives) {
    if (life.leases.some((row) => restOf(row) < 0)) return 'a lease gave back and paid more than it was granted'
  }
  const charged = state.calls.reduce((sum, { events, charge }) => sum + events * charge, 0)
  for (const [index, account] of state.accounts.entries()) {
    const leases = state.lives.reduce((sum, life) => sum + lease(life.leases, index), 0)
    const rows = state.calls.reduce((sum, { row, holds }) => sum + (row === 'open' ? holds[index] ?? 0 : 0), 0)
    if (account.leased !== leases + rows) return 'leased is not the sum over its leases and long holds'
    const writtenOff = state.lives.reduce((sum, { leases }) => sum + (leases[index]?.writtenOff ?? 0), 0)
    if (account.settled !== charged + writtenOff) return 'settled is not the sum of its charges'
    if (account.leased < 0) return 'leased is negative'
  }
  return null
}

function brokenLease (state: State): string | null {
  for (const [who, life] of state.lives.entries()) {
    for (const [account, mine] of (life.memory?.leases ?? []).entries()) {
      const row = life.leases[account]
      if (row === undefined) continue
      if (freeOf(mine) < 0) return 'a gateway holds, spent and gave back more than it was granted'
      if (mine.granted > row.granted) return 'a gateway believes in a grant that PostgreSQL does not know'
      if (mine.returned + moved(state.calls, who, account) < row.returned) return 'PostgreSQL took back what its gateway has not given up'
    }
    if (life.state !== 'closed') continue
    for (const [account, row] of life.leases.entries()) {
      if (restOf(row) !== setAside(state.calls, who, account)) return 'P3: a closed lease keeps money that nothing stands for'
    }
  }
  return null
}

/**
 * What the account may have to pay: what it has paid, and the worst of what PostgreSQL has not seen yet. Where a power
 * cut made everybody forget what a call has cost, it is charged at its most, also past the limit: what it cost counts.
 */
function exposure (state: State, account: Account, index: number): number {
  let sum = account.settled
  for (const [who, { leases, lossy }] of state.lives.entries()) {
    let own = 0
    for (const call of state.calls) {
      if (call.life !== who) continue
      if (call.events === 0) own += lossy ? costly(call) : unposted(call)
      else if (lossy) sum -= Math.max(0, call.charge - costly(call))
    }
    // of a life that was written off that much counts as spent already
    sum += Math.max(0, own - (leases[index]?.writtenOff ?? 0))
  }
  return sum
}

/** of a call whose gateway is gone: the most that it may have cost */
function costly ({ reachedProvider, spent, quote }: Call): number {
  if (!reachedProvider) return 0
  return spent > 0 ? spent : quote
}

function unposted (call: Call): number {
  switch (call.phase) {
    case 'none': case 'released': return 0
    case 'done': case 'gone': return call.reachedProvider ? Math.max(call.cost, call.quote) : 0
    case 'settled': case 'ended': case 'found ended': case 'set aside': return call.cost
    default: return call.quote
  }
}

/** What overruns took beyond every hold and PostgreSQL has not heard of yet: it cannot keep that room free. */
function unpostedDebt (state: State, account: number): number {
  const unheard = state.calls.filter(({ events }) => events === 0)
  return unheard.reduce((sum, { cost, covered }) => sum + Math.max(0, cost - (covered[account] ?? 0)), 0)
}

function lease (leases: State['lives'][number]['leases'], index: number): number {
  const row = leases[index]
  return row === undefined ? 0 : restOf(row)
}

/** what its row has taken over of calls whose gateway does not know it yet */
function moved (calls: Call[], who: number, account: number): number {
  const unknown = calls.filter(({ life, phase, row }) => life === who && phase === 'keeping' && row !== 'none')
  return unknown.reduce((sum, { holds }) => sum + (holds[account] ?? 0), 0)
}

function setAside (calls: Call[], who: number, account: number): number {
  const aside = calls.filter(({ life, phase, events }) => {
    return life === who && phase === 'set aside' && events === 0
  })
  return aside.reduce((sum, { covered }) => sum + (covered[account] ?? 0), 0)
}
