import { readdirSync, readFileSync } from 'node:fs'

/** The CPU that a PostgreSQL on this machine has used so far, ms; NaN where the system is not Linux. */
export function postgresCpuMs (postmaster: number): number {
  if (process.platform !== 'linux') return NaN
  let ticks = 0
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const { parent, used } = statOf(pid)
    if (parent === postmaster || Number(pid) === postmaster) ticks += used
  }
  return ticks * MS_PER_TICK
}

/** of every Linux that Node runs on */
const MS_PER_TICK = 10

function statOf (pid: string): { parent: number, used: number } {
  try {
    // behind the name, which may hold anything
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').pop()?.split(' ') ?? []
    return { parent: Number(fields[1]), used: Number(fields[11]) + Number(fields[12]) }
  } catch {
    // it has ended meanwhile
    return { parent: 0, used: 0 }
  }
}
