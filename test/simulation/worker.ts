import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { LedgerPort } from './ledger-port.ts'
import { ComparedLedger } from './compared-ledger.ts'
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
  /** of the real ledger; null: the one in memory */
  port: MessagePort | null
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

const { first, step, count, mutant, traced, port } = workerData as WorkerOrder
const real = port === null ? null : new LedgerPort(port)
for (let seed = first, done = 0; done < count; seed += step, done++) {
  const trace: string[] = []
  const tell = (line: string): void => { trace.push(line) }
  const ledger = real === null ? null : new ComparedLedger(real)
  await ledger?.empty()
  const outcome = await simulate(seed, {
    ...traced ? { trace: tell } : {}, ...mutant === null ? {} : { mutant }, ...ledger === null ? {} : { ledger },
  })
  const news: WorkerNews = { ...outcome, trace }
  parentPort?.postMessage(news)
  if (outcome.problem !== null) break
}
real?.close()
