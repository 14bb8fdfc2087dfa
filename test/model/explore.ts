/**
 * Visits every state that the protocol can reach within its bounds, breadth first, so that the first violation
 * found has a shortest trace. Nothing is sampled: when it ends without one, there is none within the bounds.
 */
import { unrest, violation, type Judge } from './invariants.ts'
import { initial, Protocol, restRank, type Action, type Bounds, type Safeguard } from './protocol.ts'
import { encode, type State } from './state.ts'

export interface Exploration {
  states: number
  transitions: number
  /** length of the longest shortest way to a state */
  depth: number
  /** the actions that were taken at least once */
  taken: Set<Action>
  /** null: every state keeps every invariant, and from every state the system can come to rest */
  violation: string | null
  /** the actions that lead to the violation */
  trace: string[]
}

export function explore (bounds: Bounds, without: Safeguard | null = null, judge: Judge = 'everything'): Exploration {
  return new Explorer(bounds, without, judge).run()
}

class Explorer {
  readonly #bounds: Bounds
  readonly #judge: Judge
  readonly #protocol: Protocol
  /** every state seen, in the order of discovery, by its canonical text */
  readonly #seen = new Map<string, number>()
  readonly #parent: number[] = []
  /** of each state: the state that the first of its actions towards rest leads to; -1: at rest */
  readonly #towardsRest: number[] = []
  readonly #unrest: (string | null)[] = []
  readonly #taken = new Set<Action>()
  #transitions = 0
  #found: { message: string, at: number } | null = null

  constructor (bounds: Bounds, without: Safeguard | null, judge: Judge) {
    this.#bounds = bounds
    this.#judge = judge
    this.#protocol = new Protocol(bounds, without)
  }

  run (): Exploration {
    const start = initial(this.#bounds)
    this.#visit(start, -1)
    let layer = [start]
    let depth = 0
    let first = 0
    while (layer.length > 0 && this.#found === null) {
      const next: State[] = []
      for (const [offset, state] of layer.entries()) {
        if (this.#found !== null) break
        this.#expand(state, first + offset, next)
      }
      first += layer.length
      layer = next
      depth++
    }
    if (this.#found === null) this.#checkRest()
    return {
      states: this.#seen.size,
      transitions: this.#transitions,
      depth: depth - 1,
      taken: this.#taken,
      violation: this.#found?.message ?? null,
      trace: this.#found === null ? [] : this.#trace(this.#found.at),
    }
  }

  /** Takes every action once, and remembers the one that leads soonest towards rest. */
  #expand (state: State, index: number, next: State[]): void {
    let rank = Number.POSITIVE_INFINITY
    this.#protocol.successors(state, (action, successor) => {
      this.#transitions++
      this.#taken.add(action)
      const key = encode(successor)
      let target = this.#seen.get(key)
      if (target === undefined) {
        target = this.#visit(successor, index, key)
        next.push(successor)
      }
      const restful = restRank(action)
      if (restful === -1 || restful >= rank || target === index) return
      rank = restful
      this.#towardsRest[index] = target
    })
    if (rank === Number.POSITIVE_INFINITY) this.#unrest[index] = unrest(state)
  }

  #visit (state: State, parent: number, key = encode(state)): number {
    const index = this.#seen.size
    this.#seen.set(key, index)
    this.#parent.push(parent)
    this.#towardsRest.push(-1)
    this.#unrest.push(null)
    const message = this.#found === null ? violation(state, this.#judge) : null
    if (message !== null) this.#found = { message, at: index }
    return index
  }

  /** Follows the actions towards rest from every state: each way must end, and end in a state at rest. */
  #checkRest (): void {
    const verdict = new Uint8Array(this.#seen.size)
    for (let start = 0; start < verdict.length; start++) {
      const way: number[] = []
      let at = start
      while (verdict[at] === 0) {
        verdict[at] = 1
        way.push(at)
        const onward = this.#towardsRest[at] ?? -1
        if (onward === -1) break
        at = onward
        if (verdict[at] === 1) return this.#report('P3: the system never comes to rest', start)
      }
      const message = this.#unrest[at] ?? null
      if (message !== null) return this.#report(`P3: at rest, ${message}`, at)
      for (const passed of way) verdict[passed] = 2
    }
  }

  #report (message: string, at: number): void {
    this.#found = { message, at }
  }

  /** Goes the way again from the start, since names were not kept for every state. */
  #trace (at: number): string[] {
    const keys = [...this.#seen.keys()]
    const way: number[] = []
    for (let index = at; index > 0; index = this.#parent[index] ?? 0) way.unshift(index)
    const trace: string[] = []
    let state = initial(this.#bounds)
    for (const index of way) {
      let reached: State | null = null
      this.#protocol.successors(state, (action, successor, who, what) => {
        if (reached !== null || encode(successor) !== keys[index]) return
        reached = successor
        trace.push(`${action} (gateway ${who}, ${what})`)
      })
      state = reached ?? state
    }
    return trace
  }
}
