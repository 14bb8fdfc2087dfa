import { LRUCache } from 'lru-cache'
import { type Now } from '../clock.ts'

/**
 * How often an address may be wrong about who it is: so many times at once, and then once a second. Addresses are
 * counted apart, those of one IPv6 network (/64) together; those that were not wrong for longest are forgotten first.
 */
export interface FailureLimitOptions {
  now: Now
  /** how many at once; default 20 */
  burst?: number
  /** addresses that are remembered; default 10,000 */
  max?: number
}

const REFILL_MS = 1_000

export class FailureLimit {
  readonly #now: Now
  readonly #burst: number
  /** per address, when its failures are all forgiven, ms since the epoch */
  readonly #until: LRUCache<string, number>

  constructor ({ now, burst = 20, max = 10_000 }: FailureLimitOptions) {
    this.#now = now
    this.#burst = burst
    this.#until = new LRUCache({ max })
  }

  /** seconds until it may be wrong again; 0: now */
  wait (address: string): number {
    const over = this.#left(address) - (this.#burst - 1) * REFILL_MS
    return over <= 0 ? 0 : Math.ceil(over / 1_000)
  }

  failed (address: string): void {
    this.#until.set(networkOf(address), this.#now() + this.#left(address) + REFILL_MS)
  }

  #left (address: string): number {
    return Math.max(0, (this.#until.get(networkOf(address)) ?? 0) - this.#now())
  }
}

/** an IPv6 address stands for its /64, of which one host has all addresses */
function networkOf (address: string): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail] = address.split('::')
  const groups = head.split(':').filter((group) => group !== '')
  const behind = tail === undefined ? 0 : tail.split(':').filter((group) => group !== '').length
  const zeros = tail === undefined ? 0 : 8 - groups.length - behind
  return [...groups, ...Array<string>(zeros).fill('0'), ...tail?.split(':') ?? []].slice(0, 4).join(':')
}
