import { type ChainableCommander } from 'ioredis'
import { type CopyBatch, type CopyStore } from '../../journal/copy.ts'
import { type Reply, RedisConnection } from './connection.ts'

/**
 * Copies of journals in a Redis or Valkey that gateways share: a stream per process life,
 * `relaycore:<deployment>:journal:<incarnation>`, an entry per batch of ended calls. Every key stands alone and
 * expires. It has a connection of its own, so that large batches are in nobody's way.
 */
export interface RedisJournalCopiesOptions {
  url: string
  /** tells the deployments apart that share a Redis */
  deploymentId: string
  log: { warn (details: object, message: string): void, info (details: object, message: string): void }
  /** how long a copy is kept after its last change */
  ttlMs?: number
  /** for each write and read */
  deadlineMs?: number
}

/** an entry's only field */
const CALLS = 'calls'

export class RedisJournalCopies implements CopyStore {
  readonly #o: Required<RedisJournalCopiesOptions>
  readonly #redis: RedisConnection
  readonly #listeners: (() => void)[] = []
  #refusing = false

  constructor (options: RedisJournalCopiesOptions) {
    this.#o = { ttlMs: COPIES_KEPT_MS, deadlineMs: 2_000, ...options }
    this.#redis = new RedisConnection({
      url: this.#o.url,
      deadlineMs: this.#o.deadlineMs,
      onReady: () => { for (const listener of this.#listeners) listener() },
      onLost: (reason) => { this.#o.log.warn({ reason }, 'the journal has no copy: redis is not reachable') },
    })
  }

  get commands (): number { return this.#redis.commands }

  async start (): Promise<void> {
    const late = new Promise((resolve) => { setTimeout(resolve, this.#o.deadlineMs).unref() })
    await Promise.race([this.#redis.connect(), late])
  }

  async close (): Promise<void> { this.#redis.close() }

  onBack (listener: () => void): void { this.#listeners.push(listener) }

  async write (
    incarnation: number, batches: readonly CopyBatch[], needed: number | null, anew: boolean
  ): Promise<boolean> {
    const key = this.#key(incarnation)
    const replies = await this.#done((pipeline) => {
      if (anew) pipeline.del(key)
      else pipeline.pexpire(key, this.#o.ttlMs)
      for (const { number, bytes } of batches) pipeline.xadd(key, idOf(number), CALLS, bytes)
      if (needed !== null) pipeline.xtrim(key, 'MINID', '=', idOf(needed))
      if (anew) pipeline.pexpire(key, this.#o.ttlMs)
    })
    // it was not there any more: redis has forgotten what was written before
    const gone = !anew && replies?.[0]?.[1] === 0
    return replies !== null && !gone
  }

  async read (incarnation: number, after: number, most: number): Promise<CopyBatch[] | null> {
    const replies = await this.#done((pipeline) => {
      pipeline.xrange(this.#key(incarnation), idOf(after + 1), '+', 'COUNT', most)
    })
    if (replies === null) return null
    const entries = replies[0]?.[1] as [id: string, fields: string[]][]
    return entries.map(([id, [, calls = '']]) => ({ number: Number(id.split('-')[0]), bytes: Buffer.from(calls) }))
  }

  async drop (incarnation: number, through?: number): Promise<void> {
    const key = this.#key(incarnation)
    await this.#done((pipeline) => {
      if (through === undefined) pipeline.del(key)
      else pipeline.xtrim(key, 'MINID', '=', idOf(through + 1))
    })
  }

  /** null: not all of it was done. An answer that does not come in time costs the connection. */
  async #done (fill: (pipeline: ChainableCommander) => void): Promise<Reply[] | null> {
    if (!this.#redis.ready) return null
    const replies = await this.#redis.batch(fill)
    if (replies === null) {
      this.#redis.reset('no answer in time')
      return null
    }
    const failed = replies.find(([error]) => error !== null)?.[0]
    if (failed === undefined || failed === null) {
      this.#refusing = false
      return replies
    }
    if (!this.#refusing) this.#o.log.warn({ reason: failed.message }, 'the journal has no copy: redis does not take it')
    this.#refusing = true
    return null
  }

  #key (incarnation: number): string { return `relaycore:${this.#o.deploymentId}:journal:${incarnation}` }
}

/** a lost gateway is looked after for so long */
export const COPIES_KEPT_MS = 7 * 86_400_000

function idOf (number: number): string { return `${number}-0` }
