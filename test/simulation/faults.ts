import { type Random } from '../random.ts'

/**
 * What goes wrong in one run. Each seed picks its own kinds of faults and how often they come, so that rare faults get
 * runs in which they are common, and each meets the others in every company. Chances are per message or call, times the
 * mean between two of them, ms; Infinity: it does not happen.
 */
export interface Faults {
  requestLost: number
  answerLost: number
  duplicated: number
  /** of the ledger, ms */
  latency: number
  outageEvery: number
  /** a process ends at any step */
  crashEvery: number
  /** or amid the n-th thing that it does to the world; 0: it does not */
  fuse: number
  powerCutEvery: number
  /** a machine comes back with nothing on its disk; the old one may turn up again */
  diskGoneEvery: number
  stoppedEvery: number
  clockJumpEvery: number
  ledgerClockJumpEvery: number
  limitEvery: number
  overrun: number
  long: number
  answerBroken: number
  upstreamError: number
  clientGone: number
  notConnected: number
  hotLost: number
  hotDelay: number
  hotWipeEvery: number
  diskFullEvery: number
  syncFailsEvery: number
  shortWrites: boolean
  /** how long a sync takes, ms */
  syncMs: number
  writeOffEvery: number
  /** a process ends in order */
  stopEvery: number
  secondStartEvery: number
  eventRefused: number
  /** a period ends in the middle of the run */
  midnight: boolean
}

export const NO_FAULTS: Faults = {
  requestLost: 0,
  answerLost: 0,
  duplicated: 0,
  latency: 1,
  outageEvery: Infinity,
  crashEvery: Infinity,
  fuse: 0,
  powerCutEvery: Infinity,
  diskGoneEvery: Infinity,
  stoppedEvery: Infinity,
  clockJumpEvery: Infinity,
  ledgerClockJumpEvery: Infinity,
  limitEvery: Infinity,
  overrun: 0,
  long: 0,
  answerBroken: 0,
  upstreamError: 0,
  clientGone: 0,
  notConnected: 0,
  hotLost: 0,
  hotDelay: 1,
  hotWipeEvery: Infinity,
  diskFullEvery: Infinity,
  syncFailsEvery: Infinity,
  shortWrites: false,
  syncMs: 2,
  writeOffEvery: Infinity,
  stopEvery: Infinity,
  secondStartEvery: Infinity,
  eventRefused: 0,
  midnight: false,
}

export function someFaults (random: Random): Faults {
  // some runs are quiet, some are wild
  const share = random.pick([0.1, 0.25, 0.5])
  const faults: Faults = { ...NO_FAULTS, latency: random.pick([0.5, 2, 20, 150]), hotDelay: random.pick([0.2, 1, 30]) }
  const some = (set: () => void): void => { if (random.chance(share)) set() }
  const rate = (): number => random.pick([0.02, 0.1, 0.4])
  const every = (): number => random.pick([1_500, 4_000, 10_000])
  some(() => { faults.requestLost = rate() })
  some(() => { faults.answerLost = rate() })
  some(() => { faults.duplicated = rate() })
  some(() => { faults.outageEvery = every() })
  some(() => { faults.crashEvery = every() })
  some(() => { faults.fuse = random.pick([20, 100, 400]) })
  some(() => { faults.powerCutEvery = every() })
  some(() => { faults.diskGoneEvery = every() })
  some(() => { faults.stoppedEvery = every() })
  some(() => { faults.clockJumpEvery = every() })
  some(() => { faults.ledgerClockJumpEvery = every() })
  some(() => { faults.limitEvery = every() })
  some(() => { faults.overrun = rate() })
  some(() => { faults.long = rate() })
  some(() => { faults.answerBroken = rate() })
  some(() => { faults.upstreamError = rate() })
  some(() => { faults.clientGone = rate() })
  some(() => { faults.notConnected = rate() })
  some(() => { faults.hotLost = rate() })
  some(() => { faults.hotWipeEvery = every() })
  some(() => { faults.diskFullEvery = every() })
  some(() => { faults.syncFailsEvery = every() })
  some(() => { faults.shortWrites = true })
  some(() => { faults.syncMs = random.pick([100, 1_000]) })
  some(() => { faults.writeOffEvery = every() })
  some(() => { faults.stopEvery = every() })
  some(() => { faults.secondStartEvery = every() })
  some(() => { faults.eventRefused = rate() })
  some(() => { faults.midnight = true })
  return faults
}

/** those that differ from none, for people */
export function named (faults: Faults): string {
  const names = (Object.keys(NO_FAULTS) as (keyof Faults)[]).filter((name) => faults[name] !== NO_FAULTS[name])
  return names.map((name) => `${name} ${String(faults[name])}`).join(', ')
}
