import { type CopyBatch, type CopyStore } from '../../journal/copy.ts'
import { type Command, type Reply, RedisConnection } from './connection.ts'

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
    const expire: Command = ['pexpire', key, this.#o.ttlMs]
    const replies = await this.#done([
      anew ? ['del', key] : expire,
      ...batches.map(({ number, bytes }): Command => ['xadd', key, idOf(number), CALLS, bytes]),
      ...needed === null ? [] : [['xtrim', key, 'MINID', '=', idOf(needed)] satisfies Command],
      ...anew ? [expire] : [],
    ])
    // it was not there any more: redis has forgotten what was written before
    const gone = !anew && replies?.[0]?.[1] === 0
    return replies !== null && !gone
  }

  async read (incarnation: number, after: number, most: number): Promise<CopyBatch[] | null> {
    const replies = await this.#done([['xrange', this.#key(incarnation), idOf(after + 1), '+', 'COUNT', most]])
    if (replies === null) return null
    const entries = replies[0]?.[1] as [id: string, fields: string[]][]
    return entries.map(([id, [, calls = '']]) => ({ number: Number(id.split('-')[0]), bytes: Buffer.from(calls) }))
  }

  async drop (incarnation: number, through?: number): Promise<void> {
    const key = this.#key(incarnation)
    await this.#done([through === undefined ? ['del', key] : ['xtrim', key, 'MINID', '=', idOf(through + 1)]])
  }

  /** null: not all of it was done. An answer that does not come in time costs the connection. */
  async #done (commands: Command[]): Promise<Reply[] | null> {
    const replies = await this.#redis.batch(commands)
    if (replies === null) return null
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
