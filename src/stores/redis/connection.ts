import { parseRedisUrl } from '../../redis-address.ts'
import { ClusterLink } from './cluster-link.ts'
import { type Command, inTime, type Link, type Reply } from './link.ts'
import { ServerLink } from './server-link.ts'

export { type Command, type Reply } from './link.ts'

/**
 * A connection to Redis for things that may fail: to one server, to the primary that sentinels name, or to a cluster.
 * Nothing waits for it: no command is queued while it is away or sent again after it was, every batch has a deadline,
 * and a batch that misses it costs the connection, so that commands without an answer cannot pile up behind it. It
 * connects again by itself, for ever.
 */
export interface RedisConnectionOptions {
  /** as `REDIS_URL` */
  url: string
  deadlineMs: number
  onReady: () => void
  /** once per outage, which is over when a command was done; the message never holds a password */
  onLost: (message: string) => void
  /** only to hear messages */
  listens?: boolean
}

export interface BatchOptions {
  deadlineMs?: number
  /** whether a missed deadline costs the connection; else yes */
  drop?: boolean
}

export class RedisConnection {
  readonly #link: Link
  readonly #o: RedisConnectionOptions
  #ready = false
  #told = false
  #closed = false
  #lastError: string | null = null
  commands = 0

  constructor (options: RedisConnectionOptions) {
    this.#o = options
    const address = parseRedisUrl(options.url)
    const link = {
      address,
      deadlineMs: options.deadlineMs,
      listens: options.listens === true,
      events: {
        ready: () => {
          if (this.#closed) return
          this.#ready = true
          this.#lastError = null
          options.onReady()
        },
        lost: () => { this.#lost() },
        failed: (error: Error) => {
          this.#lastError = error.message
          if (!this.#ready) this.#lost()
        },
        noted: (error: Error) => { this.#lastError = error.message },
      },
    }
    this.#link = address.topology === 'cluster' ? new ClusterLink(link) : new ServerLink(link)
  }

  get ready (): boolean { return this.#ready }

  /** resolves when the first attempt is over, and with whether it succeeded; never rejects */
  async connect (): Promise<boolean> {
    try {
      await this.#link.connect()
      return true
    } catch (error) {
      // Not an accident here: whoever owns this connection is told by `onLost`, and it goes on trying.
      this.#lastError ??= (error as Error).message
      this.#lost()
      return false
    }
  }

  /** one reply for each command, in order; null: no answer in time, or not connected */
  async batch (
    commands: Command[], { deadlineMs = this.#o.deadlineMs, drop = true }: BatchOptions = {}
  ): Promise<Reply[] | null> {
    if (!this.#ready) return null
    if (commands.length === 0) return []
    this.commands += commands.length
    const replies = await this.#link.send(commands, deadlineMs, drop)
    if (replies === null) {
      this.#lastError = 'no answer in time'
      if (drop) this.#lost()
    } else if (replies.every(([error]) => error === null)) {
      this.#told = false
    }
    return replies
  }

  /** no reply is waited for; what cannot be sent now is not sent */
  send (channel: string, message: string): void {
    void this.batch([['publish', channel, message]])
  }

  async subscribe (channel: string, listener: (message: string) => void): Promise<void> {
    this.commands++
    await inTime(this.#link.subscribe(channel, listener), this.#o.deadlineMs)
  }

  /** drops the connection and what waits on it, and connects again */
  reset (reason: string): void {
    if (this.#closed) return
    this.#lastError = reason
    this.#lost()
    this.#link.reset()
  }

  close (): void {
    this.#closed = true
    this.#ready = false
    this.#link.close()
  }

  #lost (): void {
    this.#ready = false
    if (this.#told || this.#closed) return
    this.#told = true
    this.#o.onLost(this.#lastError ?? 'the connection was closed')
  }
}
