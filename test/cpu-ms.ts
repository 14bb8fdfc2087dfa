/**
 * How long some work keeps a processor busy, ms, the best of five: unlike the time that passes, it does not grow with
 * what else runs.
 */
export function cpuMs (work: () => void): number {
  return Math.min(...Array.from({ length: 5 }, () => {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  }))
}
