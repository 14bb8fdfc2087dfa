export type Level = 'ok' | 'warning' | 'problem'

export interface Finding {
  level: Level
  /** what it is about, in a word or two */
  about: string
  /** what is so */
  says: string
  /** what to do; null: nothing */
  todo: string | null
}

export function ok (about: string, says: string): Finding { return { level: 'ok', about, says, todo: null } }

export function warning (about: string, says: string, todo: string): Finding { return { level: 'warning', about, says, todo } }

export function problem (about: string, says: string, todo: string): Finding { return { level: 'problem', about, says, todo } }

/** from whole days down */
export function lasting (ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`
}

/** by how much the clock of a server is ahead of ours; negative: behind */
export function clockOf (about: string, aheadMs: number): Finding {
  const by = Math.abs(aheadMs)
  const says = `its clock is ${lasting(by)} ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine's`
  if (by < 2_000) return ok(about, says)
  const todo = 'let both follow a time server: a period begins by the gateway\'s clock, and who is silent is judged by the database\'s'
  return by < 10_000 ? warning(about, says, todo) : problem(about, says, todo)
}
