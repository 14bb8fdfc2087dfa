import { type ExchangeRate, parseEcbDaily } from './exchange-rates.ts'

/**
 * Looks at a URL for new exchange rates, at the start and each few hours. What it brings is added like what an
 * administrator adds. A failure is logged and tried again; the last rates stay in force meanwhile.
 */
export interface RateFeedOptions {
  url: string
  add: (rates: ExchangeRate[]) => Promise<ExchangeRate[]>
  log: { info (details: object, message: string): void, warn (details: object, message: string): void }
}

const EVERY_MS = 6 * 3_600_000
const RETRY_MS = 10 * 60_000
const WITHIN_MS = 20_000
const MOST_BYTES = 1024 * 1024

export class RateFeed {
  readonly #o: RateFeedOptions
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> | null = null
  readonly #stop = new AbortController()

  constructor (options: RateFeedOptions) { this.#o = options }

  start (): void { this.#looking = this.look() }

  async stop (): Promise<void> {
    this.#stop.abort()
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#looking
  }

  /** never rejects */
  async look (): Promise<void> {
    const { url, add, log } = this.#o
    let next = EVERY_MS
    try {
      const rates = parseEcbDaily(await this.#read())
      const added = await add(rates)
      if (added.length > 0) log.info({ url, added: added.length }, 'exchange rates were added')
    } catch (err) {
      next = RETRY_MS
      if (!this.#stop.signal.aborted) log.warn({ err, url }, 'exchange rates could not be read; the last stay in force')
    }
    if (this.#stop.signal.aborted) return
    this.#timer = setTimeout(() => { this.start() }, next)
    this.#timer.unref()
  }

  async #read (): Promise<string> {
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(WITHIN_MS)])
    const response = await fetch(this.#o.url, { signal, redirect: 'error' })
    if (!response.ok || response.body === null) throw new Error(`answered ${response.status}`)
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body) {
      text += decoder.decode(chunk as Uint8Array, { stream: true })
      if (text.length > MOST_BYTES) throw new Error(`answered more than ${MOST_BYTES} bytes`)
    }
    return text
  }
}
