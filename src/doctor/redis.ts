import { clockOf, ok, problem, warning, type Finding } from './finding.ts'

export interface RedisFacts {
  /** Redis or Valkey */
  name: string
  version: string
  role: string
  maxMemory: number
  /** of maxMemory, used; 0 where there is no limit */
  policy: string
  usedMemory: number
  aheadMs: number
  /** it is another machine, and what is said on the way is not encrypted */
  plain: boolean
}

const ABOUT = 'Redis'
/** which trims streams by their ids, as copies of journals are */
const OLDEST = '6.2'

export function judgeRedis (facts: RedisFacts): Finding[] {
  const { name, version, role, maxMemory, usedMemory, policy, aheadMs, plain } = facts
  const found = [
    version.localeCompare(OLDEST, 'en', { numeric: true }) >= 0
      ? ok(ABOUT, `${name} ${version} answers`)
      : warning(ABOUT, `it is of version ${version}`, `use Redis ${OLDEST} or later, or Valkey`),
    clockOf(ABOUT, aheadMs),
  ]
  if (role !== 'master') found.push(problem(ABOUT, 'it is a replica, which takes no writes', 'set REDIS_URL to the primary, or to Sentinel'))
  if (maxMemory > 0 && usedMemory > maxMemory * 0.9) {
    found.push(warning(ABOUT, `${Math.round(usedMemory / maxMemory * 100)} % of its memory are used`, 'raise maxmemory: what gateways cannot write they do without, more slowly'))
  }
  // keys expire by themselves
  if (maxMemory > 0 && policy !== 'noeviction') {
    found.push(warning(ABOUT, `it throws keys away when it is full (${policy}): limits of rates then begin anew, and copies of journals are gone`, 'set maxmemory-policy noeviction'))
  }
  if (plain) found.push(warning(ABOUT, 'it is on another machine, and what is said on the way is not encrypted', 'use a rediss:// URL'))
  return found
}
