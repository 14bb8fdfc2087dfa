import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { WorkerNews, WorkerOrder } from './worker.ts'

/** nothing of a run outlives it, so there is little to collect where there is room for several */
const LIMITS = { maxYoungGenerationSizeMb: 96 }

/**
 * Simulations in threads of their own, since they take over their timers. Answers what failed first, null: nothing did.
 * `told` hears of each run.
 */
export async function simulateMany (
  orders: Partial<WorkerOrder>[], told: (news: WorkerNews) => void = () => {}
): Promise<WorkerNews | null> {
  let failed: WorkerNews | null = null
  const workers: Worker[] = []
  await Promise.all(orders.map(async (order) => {
    const workerData: WorkerOrder = { first: 1, step: 1, count: 1, mutant: null, traced: false, ...order }
    const worker = new Worker(join(import.meta.dirname, 'worker.js'), { workerData, resourceLimits: LIMITS })
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
  }))
  return failed
}
