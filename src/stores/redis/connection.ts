import { type ChainableCommander, Redis, type RedisOptions } from 'ioredis'

/**
 * One connection to Redis for things that may fail. Nothing waits for it: no command is queued while it is away or sent
 * again after it was, every batch has a deadline, and a batch that misses it costs the connection, so that commands
 * without an answer cannot pile up behind it. It connects again by itself, for ever.
 */
export interface RedisConnectionOptions {
  /** redis:// or rediss://, with user, password and database as needed */
  url: string
  deadlineMs: number
  onReady: () => void
  /** once per outage; the message never holds a password */
  onLost: (message: string) => void
}

const CONNECT_TIMEOUT_MS = 2_000
const MAX_PAUSE_MS = 1_000

export type Reply = [error: Error | null, value: unknown]

export class RedisConnection {
  readonly #redis: Redis
  readonly #o: RedisConnectionOptions
  #ready = false
  #told = false
  #closed = false
  #lastError: string | null = null
  commands = 0

  constructor (options: RedisConnectionOptions) {
    this.#o = options
    this.#redis = new Redis(options.url, connectionOptions(options.deadlineMs))
    this.#redis.on('ready', () => {
      this.#ready = true
      this.#told = false
      this.#lastError = null
      options.onReady()
    })
    this.#redis.on('close', () => { this.#lost() })
    this.#redis.on('error', (error) => { this.#lastError = error.message })
  }

  get ready (): boolean { return this.#ready }

  /** resolves when the first attempt is over, with or without success; never rejects */
  async connect (): Promise<void> {
    try {
      await this.#redis.connect()
    } catch (error) {
      // Not an accident here: whoever owns this connection is told by `onLost`, and it goes on trying.
      this.#lastError = (error as Error).message
      this.#lost()
    }
  }

  /** null: no answer in time, or not connected */
  async batch (fill: (pipeline: ChainableCommander) => void, deadlineMs = this.#o.deadlineMs): Promise<Reply[] | null> {
    if (!this.#ready) return null
    const pipeline = this.#redis.pipeline()
    fill(pipeline)
    if (pipeline.length === 0) return []
    this.commands += pipeline.length
    return await inTime(pipeline.exec(), deadlineMs)
  }

  /** no reply is waited for; what cannot be sent now is not sent */
  send (channel: string, message: string): void {
    if (!this.#ready) return
    this.commands++
    this.#redis.publish(channel, message).catch((error: Error) => { this.#lastError = error.message })
  }

  async subscribe (channel: string, listener: (message: string) => void): Promise<void> {
    this.#redis.removeAllListeners('message')
    this.#redis.on('message', (_channel: string, message: string) => { listener(message) })
    this.commands++
    await inTime(this.#redis.subscribe(channel), this.#o.deadlineMs)
  }

  async ping (): Promise<boolean> {
    if (!this.#ready) return false
    this.commands++
    return await inTime(this.#redis.ping(), this.#o.deadlineMs) !== null
  }

  /** drops the connection and what waits on it, and connects again */
  reset (reason: string): void {
    if (this.#closed) return
    this.#lastError = reason
    this.#lost()
    this.#redis.disconnect(true)
  }

  close (): void {
    this.#closed = true
    this.#ready = false
    this.#redis.disconnect()
  }

  #lost (): void {
    this.#ready = false
    if (this.#told || this.#closed) return
    this.#told = true
    this.#o.onLost(this.#lastError ?? 'the connection was closed')
  }
}

function connectionOptions (deadlineMs: number) {
  return {
    lazyConnect: true,
    // RESP2 is understood by every Redis, Valkey and proxy; nothing here needs more.
    protocol: 2 as const,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Also covers the greeting, which a paused server never answers.
    socketTimeout: Math.max(CONNECT_TIMEOUT_MS, 4 * deadlineMs),
    retryStrategy: (times: number) => Math.min(MAX_PAUSE_MS, 25 * 2 ** Math.min(times, 6)) * (0.75 + Math.random() / 2),
    // A demoted primary refuses writes for ever on the old connection.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions
}

/** null: too late, or failed. Commands whose answer comes later are answered into nothing. */
function inTime<T> (promise: Promise<T>, deadlineMs: number): Promise<T | null> {
  return new Promise((resolve) => {
    // One more turn of the loop: after a stall the answer may be there already and only not yet read.
    const timer = setTimeout(() => { setImmediate(resolve, null) }, deadlineMs)
    const settle = (value: T | null): void => {
      clearTimeout(timer)
      resolve(value)
    }
    promise.then(settle, () => { settle(null) })
  })
}
