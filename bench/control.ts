/**
 * How the bench's runner talks to the processes that it measures: one message out, one answer back, over the channel
 * that Node gives a forked process. Nothing of it goes over the sockets that are measured.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** What a measured process has used since it started. */
export interface Used {
  /** CPU of all its threads, us */
  cpuMicros: number
  /** statements to PostgreSQL, batches of the ledger left out */
  queries: number
  /** batches of the ledger */
  posts: number
  /** commands to Redis */
  redis: number
}

interface Told { id: number, ask: unknown }
interface Answered { id: number, answer?: unknown, error?: string }

/** In the child: answers each message by `answer`, and ends the process in order on `end`. */
export function serve (ready: object, answer: (ask: unknown) => Promise<unknown>, close: () => Promise<void>): void {
  process.on('message', ({ id, ask }: Told) => {
    const done = ask === 'end' ? close() : answer(ask)
    done.then((value) => { tell({ id, answer: value }) }, (error: unknown) => { tell({ id, error: String(error) }) })
  })
  process.once('disconnect', () => { close().then(() => { process.exit(0) }, () => { process.exit(1) }) })
  tell({ id: 0, answer: ready })
}

function tell (message: Answered): void { process.send?.(message) }

export interface WorkerOptions {
  args?: string[]
  env?: Record<string, string>
  /** options of Node itself */
  node?: string[]
}

/** In the runner: a forked program of the bench. */
export class Worker<Ready = unknown> {
  readonly #child: ChildProcess
  readonly #open = new Map<number, { resolve: (value: unknown) => void, reject: (error: Error) => void }>()
  #next = 0
  ready!: Ready

  static async start<Ready> (file: string, options: WorkerOptions = {}): Promise<Worker<Ready>> {
    const worker = new Worker<Ready>(file, options)
    worker.ready = await worker.#answer(0) as Ready
    return worker
  }

  private constructor (file: string, { args = [], env = {}, node = [] }: WorkerOptions) {
    // the line that a gateway logs for each call is written, and read by nobody
    this.#child = fork(join(import.meta.dirname, file), args, {
      env: { ...cleanEnv(), ...env }, execArgv: node, stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child.on('message', ({ id, answer, error }: Answered) => {
      const open = this.#open.get(id)
      this.#open.delete(id)
      if (error === undefined) open?.resolve(answer)
      else open?.reject(new Error(error))
    })
    this.#child.once('exit', (code) => {
      for (const { reject } of this.#open.values()) reject(new Error(`${file} ended with ${code}`))
      this.#open.clear()
    })
  }

  async ask<T> (ask: unknown): Promise<T> {
    const id = ++this.#next
    const answer = this.#answer(id)
    this.#child.send({ id, ask })
    return await answer as T
  }

  async end (): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    await this.ask('end').catch(() => undefined)
    if (this.#child.connected) this.#child.disconnect()
    await ended
  }

  #answer (id: number): Promise<unknown> {
    return new Promise((resolve, reject) => { this.#open.set(id, { resolve, reject }) })
  }
}

/** Settings of the shell must not reach what is measured. */
export function cleanEnv (): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => {
    return !name.startsWith('RELAYCORE_') && !['DATABASE_URL', 'REDIS_URL', 'PORT', 'HOST'].includes(name)
  }))
}
