import { parentPort, workerData } from 'node:worker_threads'
import { type Mutant } from './mutants.ts'
import { simulate } from './simulate.ts'

/** Runs seeds one after the other: `first`, and each `step` further on, `count` of them or until one fails. */
export interface WorkerOrder {
  first: number
  step: number
  count: number
  mutant: Mutant | null
  /** each run's trace is sent too */
  traced: boolean
}

export interface WorkerNews {
  seed: number
  problem: string | null
  steps: number
  calls: number
  faults: string
  trace: string[]
}

// errors are made in each run, and nobody asks where
Error.stackTraceLimit = 0

const { first, step, count, mutant, traced } = workerData as WorkerOrder
for (let seed = first, done = 0; done < count; seed += step, done++) {
  const trace: string[] = []
  const tell = (line: string): void => { trace.push(line) }
  const outcome = await simulate(seed, { ...traced ? { trace: tell } : {}, ...mutant === null ? {} : { mutant } })
  const news: WorkerNews = { ...outcome, trace }
  parentPort?.postMessage(news)
  if (outcome.problem !== null) break
}
