import { type Refusal } from './errors.ts'

/**
 * What this gateway has taken on, and how much of it it takes at once: calls, the bytes of their bodies, WebSockets.
 * Past a limit what comes is refused at once, retryable, so that what is under way goes on at its pace and memory has
 * a bound. Everything entered must leave, once.
 */
export interface LoadLimits {
  /** requests that were let in and are not over, calls over WebSockets, answers that are read on */
  calls: number
  /** of their bodies, being read and kept until they are over */
  bodyBytes: number
  sockets: number
}

export const DEFAULT_LOAD: LoadLimits = { calls: 4_096, bodyBytes: 256 * 1024 * 1024, sockets: 1_024 }

/** of which there are too many */
export type Overloaded = keyof LoadLimits | 'line' | 'keys' | 'connections'

export class Load {
  readonly limits: LoadLimits
  readonly #overloaded: (what: Overloaded) => void
  #calls = 0
  #bodyBytes = 0
  #sockets = 0

  /** `overloaded`: hears of each refusal */
  constructor (limits: Partial<LoadLimits> = {}, overloaded: (what: Overloaded) => void = () => {}) {
    this.limits = { ...DEFAULT_LOAD, ...limits }
    this.#overloaded = overloaded
  }

  get calls (): number { return this.#calls }
  get bodyBytes (): number { return this.#bodyBytes }
  get sockets (): number { return this.#sockets }

  /** null: it has entered, and leaves by `leaveCall` with as many bytes as it has by then */
  enterCall (bytes: number): Refusal | null {
    if (this.#calls >= this.limits.calls) return this.#refuse('calls')
    const full = this.grow(bytes)
    if (full === null) this.#calls++
    return full
  }

  leaveCall (bytes: number): void {
    this.#calls--
    this.#bodyBytes -= bytes
  }

  /** more of a body has come, or of a message that waits */
  grow (bytes: number): Refusal | null {
    // alone each of them may be as large as a body may be
    if (bytes > 0 && this.#bodyBytes > 0 && this.#bodyBytes + bytes > this.limits.bodyBytes) return this.#refuse('bodyBytes')
    this.#bodyBytes += bytes
    return null
  }

  shrink (bytes: number): void { this.#bodyBytes -= bytes }

  enterSocket (): Refusal | null {
    if (this.#sockets >= this.limits.sockets) return this.#refuse('sockets')
    this.#sockets++
    return null
  }

  leaveSocket (): void { this.#sockets-- }

  #refuse (what: keyof LoadLimits): Refusal {
    this.#overloaded(what)
    return overloaded(`This gateway has taken on all that it takes at once: ${this.limits[what]} ${NAMES[what]}.`)
  }
}

const NAMES: Record<keyof LoadLimits, string> = { calls: 'calls', bodyBytes: 'bytes of requests', sockets: 'WebSockets' }

/** those that are refused together do not come back together */
const RETRY_AFTER_MS = 1_000

export function overloaded (message: string): Refusal {
  const retryAfterMs = RETRY_AFTER_MS + Math.floor(Math.random() * RETRY_AFTER_MS)
  return { code: 'overloaded', message: `${message} Nothing was sent and nothing is charged.`, retryable: true, retryAfterMs }
}
