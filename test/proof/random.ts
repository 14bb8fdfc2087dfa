/** Numbers that look random and are the same for the same seed (mulberry32). */
export interface Random {
  /** whole, from 0 to below `n` */
  below (n: number): number
  between (from: number, to: number): number
  /** true so often, 0 to 1 */
  chance (share: number): boolean
  pick<T> (from: readonly T[]): T
}

export function randomOf (seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    below: (n) => Math.floor(next() * n),
    between: (from, to) => from + next() * (to - from),
    chance: (share) => next() < share,
    pick: (from) => {
      if (from.length === 0) throw new Error('nothing to pick from')
      return from[Math.floor(next() * from.length)] as (typeof from)[number]
    },
  }
}
