import { join } from 'node:path'
import { MessageChannel, Worker } from 'node:worker_threads'
import { answerAt } from './ledger-port.ts'
import { type PostgresLedger } from './postgres-ledger.ts'
import type { WorkerNews, WorkerOrder } from './worker.ts'

/** nothing of a run outlives it, so there is little to collect where there is room for several */
const LIMITS = { maxYoungGenerationSizeMb: 96 }

/**
 * Simulations in threads of their own, since they take over their timers. Answers what failed first, null: nothing did.
 * `told` hears of each run.
 * `ledgers`: the real ones, one for each thread; none: those in memory.
 */
export async function simulateMany (
  orders: Partial<WorkerOrder>[], told: (news: WorkerNews) => void = () => {}, ledgers: PostgresLedger[] = []
): Promise<WorkerNews | null> {
  let failed: WorkerNews | null = null
  const workers: Worker[] = []
  await Promise.all(orders.map(async (order, i) => {
    const ledger = ledgers[i]
    const { port1, port2 } = new MessageChannel()
    if (ledger !== undefined) answerAt(port1, ledger)
    const port = ledger === undefined ? null : port2
    const workerData: WorkerOrder = { first: 1, step: 1, count: 1, mutant: null, traced: false, port, ...order }
    const transferList = port === null ? [] : [port]
    const worker = new Worker(join(import.meta.dirname, 'worker.js'), { workerData, transferList, resourceLimits: LIMITS })
    workers.push(worker)
    worker.on('message', (news: WorkerNews) => {
      told(news)
      if (news.problem === null || failed !== null) return
      failed = news
      for (const one of workers) void one.terminate()
    })
    await new Promise<void>((resolve, reject) => {
      worker.once('error', reject)
      worker.once('exit', () => { resolve() })
    })
    port1.close()
  }))
  return failed
}
