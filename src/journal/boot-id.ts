import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/**
 * Which run of the machine this is. What a process wrote survives its own death; what the machine had not yet brought
 * to the disk does not survive the machine's. Recovery compares the two ids to know which of them happened, and takes
 * the worse one where it cannot know.
 */
const LINUX_BOOT_ID = '/proc/sys/kernel/random/boot_id'

/** Boot times are computed from two clocks that drift apart a little. */
const TOLERANCE_MS = 10_000

export function readBootId (now: number = Date.now(), path: string = LINUX_BOOT_ID): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    // Only Linux has this file; elsewhere the moment of the boot tells one run from another.
    return `booted:${Math.round(now - uptime() * 1000)}`
  }
}

export function sameBoot (a: string, b: string): boolean {
  if (a === '' || b === '') return false
  const bootedA = bootTime(a)
  const bootedB = bootTime(b)
  if (bootedA === null || bootedB === null) return a === b
  return Math.abs(bootedA - bootedB) < TOLERANCE_MS
}

function bootTime (id: string): number | null {
  const match = /^booted:(-?\d+)$/.exec(id)
  return match === null ? null : Number(match[1])
}
