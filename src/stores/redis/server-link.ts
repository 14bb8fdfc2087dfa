import { Redis } from 'ioredis'
import { type RedisAddress } from '../../redis-address.ts'
import {
  answersInTime, type Command, CONNECT_TIMEOUT_MS, inTime, type Link, type LinkOptions, pauseBefore, type Reply,
  serverOptions,
} from './link.ts'

/**
 * One connection to one server: that of the address, or the primary of the moment by its sentinels, who are asked anew
 * for each attempt to connect.
 */
export class ServerLink implements Link {
  readonly #redis: Redis
  #connectedAnewAt = -Infinity
  #proving: Promise<void> | null = null

  constructor (options: LinkOptions) {
    const { address, events } = options
    this.#redis = new Redis({
      ...serverOptions(options),
      ...whereTo(address),
      db: address.database,
      lazyConnect: true,
      enableOfflineQueue: false,
      retryStrategy: pauseBefore,
      reconnectOnError: (error) => this.#isDemoted(error),
    })
    this.#redis.on('ready', () => { this.#proving = this.#prove(options) })
    this.#redis.on('close', events.lost)
    this.#redis.on('error', events.failed)
    this.#redis.on('sentinelError', events.noted)
  }

  async connect (): Promise<void> {
    await this.#redis.connect()
    await this.#proving
  }

  async send (commands: Command[], deadlineMs: number, drop: boolean): Promise<Reply[] | null> {
    const replies = await inTime(this.#redis.pipeline(commands).exec(), deadlineMs)
    if (replies === null && drop) this.reset()
    return replies
  }

  async subscribe (channel: string, listener: (message: string) => void): Promise<unknown> {
    this.#redis.removeAllListeners('message')
    this.#redis.on('message', (_channel: string, message: string) => { listener(message) })
    return await this.#redis.subscribe(channel)
  }

  reset (): void { this.#redis.disconnect(true) }

  close (): void { this.#redis.disconnect() }

  /** it answers in time now: else each connection to a server that is slow would cost others a deadline first */
  async #prove ({ deadlineMs, events }: LinkOptions): Promise<void> {
    const answers = await answersInTime(this.#redis, deadlineMs)
    if (this.#redis.status !== 'ready') return
    if (answers) events.ready()
    else this.reset()
  }

  /**
   * A primary that became a replica refuses writes for ever on the old connection; a new one may lead to the primary.
   * Where it leads to the same replica, once a second is enough.
   */
  #isDemoted (error: Error): boolean {
    if (!error.message.startsWith('READONLY') || performance.now() - this.#connectedAnewAt < 1_000) return false
    this.#connectedAnewAt = performance.now()
    return true
  }
}

function whereTo ({ topology, hosts, name, tls, sentinelUsername, sentinelPassword }: RedisAddress) {
  if (topology === 'server') return { ...hosts[0] }
  return {
    sentinels: hosts,
    name,
    ...sentinelUsername === undefined ? {} : { sentinelUsername },
    ...sentinelPassword === undefined ? {} : { sentinelPassword },
    ...tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {},
    sentinelRetryStrategy: pauseBefore,
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
  }
}
