import { type Redis, type RedisOptions } from 'ioredis'
import { type RedisAddress } from '../../redis-address.ts'

/** name and arguments; of those that have a key, it is the first (of `eval` the third) */
export type Command = [name: string, ...args: (string | number | Buffer)[]]

export type Reply = [error: Error | null, value: unknown]

/** What carries commands to Redis, by topology. It connects by itself, for ever; nothing is queued or sent twice. */
export interface Link {
  /** resolves when commands can be sent, rejects when the first attempt failed; more follow by themselves */
  connect (): Promise<void>
  /**
   * One reply for each command, an error where there is none. null: nothing was answered in time. `drop`: a connection
   * that misses the deadline is made anew, so that commands without an answer cannot pile up behind it.
   */
  send (commands: Command[], deadlineMs: number, drop: boolean): Promise<Reply[] | null>
  subscribe (channel: string, listener: (message: string) => void): Promise<unknown>
  /** makes its connections anew */
  reset (): void
  close (): void
}

export interface LinkEvents {
  ready (): void
  lost (): void
  /** an attempt to connect, or the connection */
  failed (error: Error): void
  /** one of several ways, which may be the reason of what comes */
  noted (error: Error): void
}

export interface LinkOptions {
  address: RedisAddress
  deadlineMs: number
  /** it hears messages and sends no commands */
  listens: boolean
  events: LinkEvents
}

export const CONNECT_TIMEOUT_MS = 2_000
const MAX_PAUSE_MS = 1_000

/** before the attempt with this number, ms */
export function pauseBefore (attempt: number): number {
  return Math.min(MAX_PAUSE_MS, 25 * 2 ** Math.min(attempt, 6)) * (0.75 + Math.random() / 2)
}

/** of every connection to a server that holds data */
export function serverOptions ({ address, deadlineMs }: LinkOptions) {
  const { username, password, tls } = address
  return {
    // RESP2 is understood by every Redis, Valkey and proxy; nothing here needs more.
    protocol: 2 as const,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // how long an end may wait for that of the other side
    disconnectTimeout: deadlineMs,
    // Also covers the greeting, which a paused server never answers.
    socketTimeout: Math.max(CONNECT_TIMEOUT_MS, 4 * deadlineMs),
    ...username === undefined ? {} : { username },
    ...password === undefined ? {} : { password },
    ...tls ? { tls: {} } : {},
  } satisfies RedisOptions
}

/** null: too late, or failed. Commands whose answer comes later are answered into nothing. */
export function inTime<T> (promise: Promise<T>, deadlineMs: number): Promise<T | null> {
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

/** an error is an answer too */
export async function answersInTime (redis: Redis, deadlineMs: number): Promise<boolean> {
  return await inTime(redis.ping().catch((error: Error) => error.message), deadlineMs) !== null
}
