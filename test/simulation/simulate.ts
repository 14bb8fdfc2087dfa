import { type Faults } from './faults.ts'
import { type Ledger, MemoryLedger } from './ledger.ts'
import { type Mutant, MUTANTS } from './mutants.ts'
import { Scheduler, takeOverTimers } from './scheduler.ts'
import { type Outcome, World } from './world.ts'

let scheduler = new Scheduler()
let taken = false
let mutated: Mutant | null = null

export interface SimulateOptions {
  trace?: (line: string) => void
  faults?: Partial<Faults>
  /** instead of the one in memory */
  ledger?: Ledger
  /** a safeguard that is taken away, for good */
  mutant?: Mutant
}

/** One run. From the first on, this process or thread has no timers of its own any more. */
export async function simulate (seed: number, options: SimulateOptions = {}): Promise<Outcome> {
  const { trace, faults, mutant = null, ledger = new MemoryLedger(seed % 2 === 0) } = options
  if (!taken) takeOverTimers(() => scheduler)
  taken = true
  if (mutant !== null && mutant !== mutated) MUTANTS[mutated = mutant].take()
  const given = { ...trace === undefined ? {} : { trace }, ...faults === undefined ? {} : { faults } }
  const world = new World({ seed, ledger, mutant, ...given })
  scheduler = world.scheduler
  return { ...await world.run(), seed }
}
