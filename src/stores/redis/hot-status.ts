import { randomUUID } from 'node:crypto'
import { type ChangeHint, type HotFigures, type HotStatus } from '../../account/hot-status.ts'
import { type Now, steadyNow, systemNow } from '../../clock.ts'
import { type Command, type Reply, RedisConnection } from './connection.ts'
import { HotCopies, type Source } from './hot-copies.ts'
import { decodeFigures, decodeMessage, encodeFigures, encodeMessage, isFrom, type Published } from './hot-messages.ts'

/**
 * The hot status of gateways that share a Redis or Valkey. Each gateway writes its own absolute figures to one expiring
 * key per account, `relaycore:<deployment>:hot:<account>:<incarnation>`, and tells them to the others by message; a
 * sorted set, `relaycore:<deployment>:gateways`, says which incarnations there are. Every key stands alone: no script,
 * no command over several keys. One batch each interval, never two at once, writes what changed and reads again what
 * is used and was not heard of by message.
 *
 * Nothing here throws or waits for long. Without Redis the gateway goes on with what it last heard, which ages; when
 * Redis is back, or has lost everything, each gateway writes all of its figures again within an interval or two.
 */
export interface RedisHotStatusOptions {
  url: string
  /** tells the deployments apart that share a Redis */
  deploymentId: string
  incarnation: number
  log: { warn (details: object, message: string): void, info (details: object, message: string): void }
  now?: Now
  intervalMs?: number
  /** for how long figures stand that their gateway does not renew */
  ttlMs?: number
  /** for the first read of an account, which a call waits for */
  watchMs?: number
  /** for everything else */
  deadlineMs?: number
  maxAccounts?: number
}

const HOUSEKEEPING_MS = 1_000
/** own messages in a row that did not come back: then the connection that hears them is made anew */
const MOST_UNHEARD = 3
/** while Redis refuses now this, now that, it is told no more often */
const REFUSAL_TOLD_MS = 60_000
/** a gateway that has not been heard of for so long is not asked about; clocks may differ by less than that */
const FORGOTTEN_AFTER_MS = 60_000
/** the place of its reply */
const REGISTRY_READ = 4
const MAX_WRITES = 1_000
const MAX_READS = 2_000

interface Own extends Published { writtenAt: number }

export class RedisHotStatus implements HotStatus {
  readonly #o: Required<RedisHotStatusOptions>
  readonly #id = randomUUID()
  readonly #prefix: string
  readonly #news: string
  readonly #registry: string
  readonly #redis: RedisConnection
  readonly #subscriber: RedisConnection
  readonly #copies: HotCopies
  /** what this gateway published, to be written again when Redis has lost it; the longest unpublished first */
  readonly #own = new Map<number, Own>()
  readonly #dirty = new Set<number>()
  readonly #withdrawn = new Set<number>()
  readonly #incarnations = new Set<number>()
  readonly #firstReads = new Map<number, Promise<void>>()
  readonly #recallListeners: ((accountId: number) => void)[] = []
  readonly #hintListeners: ((hint: ChangeHint) => void)[] = []
  #order = 0
  #timer: NodeJS.Timeout | null = null
  #flushQueued = false
  #flushAgain = false
  #flushing: Promise<void> | null = null
  #keptHouseAt = -Infinity
  #failing = false
  #refusalToldAt = -Infinity
  /** it was told that Redis is away, or nothing was told yet */
  #away = true
  #unheard = 0
  #toldSubscribed = () => {}
  /** for the first time */
  readonly #subscribed = new Promise<void>((resolve) => { this.#toldSubscribed = resolve })
  #closed = false

  constructor (options: RedisHotStatusOptions) {
    this.#o = {
      now: steadyNow, intervalMs: 100, ttlMs: 10_000, watchMs: 50, deadlineMs: 250, maxAccounts: 20_000, ...options,
    }
    this.#prefix = `relaycore:${options.deploymentId}:`
    this.#news = `${this.#prefix}news`
    this.#registry = `${this.#prefix}gateways`
    this.#copies = new HotCopies({
      maxAccounts: this.#o.maxAccounts,
      ttlMs: this.#o.ttlMs,
      refreshMs: this.#o.intervalMs,
      probeMs: HOUSEKEEPING_MS,
    })
    const { url, deadlineMs, log } = this.#o
    this.#redis = new RedisConnection({
      url,
      deadlineMs,
      onReady: () => { this.#back() },
      onLost: (reason) => {
        this.#away = true
        log.warn({ reason }, 'redis is not reachable: going on without it')
      },
    })
    this.#subscriber = new RedisConnection({
      url, deadlineMs, listens: true, onReady: () => { void this.#subscribe() }, onLost: () => {},
    })
  }

  get reachable (): boolean { return this.#redis.ready && !this.#failing }

  get commands (): number { return this.#redis.commands + this.#subscriber.commands }

  async start (): Promise<void> {
    this.#timer = setInterval(() => { this.#flush() }, this.#o.intervalMs)
    this.#timer.unref()
    const listening = this.#subscriber.connect().then((connected) => connected ? this.#subscribed : undefined)
    await Promise.race([Promise.all([this.#redis.connect(), listening]), pause(4 * this.#o.deadlineMs)])
    await this.#flushing
  }

  /** takes this gateway's figures out, if Redis is there to be told */
  async close (): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.#flushing
    await this.#redis.batch([
      ...[...this.#own.keys(), ...this.#withdrawn].map((accountId): Command => ['del', this.#key(accountId)]),
      ['zrem', this.#registry, String(this.#o.incarnation)],
      ['publish', this.#news, encodeMessage(this.#id, { kind: 'gone', incarnation: this.#o.incarnation })],
    ])
    this.#redis.close()
    this.#subscriber.close()
  }

  publish (figures: HotFigures, urgent = false): void {
    if (this.#closed) return
    const { accountId } = figures
    const writtenAt = this.#own.get(accountId)?.writtenAt ?? 0
    this.#own.delete(accountId)
    this.#own.set(accountId, { figures, order: ++this.#order, writtenAt })
    this.#dirty.add(accountId)
    this.#withdrawn.delete(accountId)
    this.#copies.used(accountId, this.#o.now())
    if (this.#own.size > this.#o.maxAccounts) this.#dropOldestOwn()
    if (urgent) this.#flushSoon()
  }

  others (accountId: number): HotFigures[] | undefined { return this.#copies.others(accountId, this.#o.now()) }

  watch (accountId: number): Promise<void> {
    const under = this.#firstReads.get(accountId)
    if (under !== undefined) return under
    if (this.#closed || this.#copies.has(accountId)) return Promise.resolve()
    this.#copies.add(accountId, this.#o.now())
    const first = this.#fetch([accountId], this.#o.watchMs).then((found) => {
      for (const published of found.values()) for (const one of published) this.#copies.heard(one, this.#o.now())
      this.#copies.ready(accountId)
      this.#firstReads.delete(accountId)
    })
    this.#firstReads.set(accountId, first)
    return first
  }

  unwatch (accountId: number): void {
    this.#copies.remove(accountId)
    this.#dirty.delete(accountId)
    // Where Redis is away, the key ends by itself.
    if (this.#own.delete(accountId) && this.reachable) this.#withdrawn.add(accountId)
  }

  async read (accountIds: number[]): Promise<Map<number, HotFigures[]>> {
    const now = this.#o.now()
    const fetched = await this.#fetch(accountIds, this.#o.deadlineMs)
    return new Map(accountIds.map((id) => {
      const published = fetched.get(id)
      for (const one of published ?? []) this.#copies.heard(one, now)
      return [id, published?.map((one) => one.figures) ?? this.#copies.others(id, now) ?? []]
    }))
  }

  recall (accountId: number): void {
    this.#redis.send(this.#news, encodeMessage(this.#id, { kind: 'recall', accountId }))
  }

  onRecall (listener: (accountId: number) => void): void { this.#recallListeners.push(listener) }

  hint (hint: ChangeHint): void {
    this.#redis.send(this.#news, encodeMessage(this.#id, { kind: 'hint', hint }))
  }

  onHint (listener: (hint: ChangeHint) => void): void { this.#hintListeners.push(listener) }

  #key (accountId: number, incarnation = this.#o.incarnation): string {
    return `${this.#prefix}hot:${accountId}:${incarnation}`
  }

  #back (): void {
    this.#writeAllAgain()
    this.#keptHouseAt = -Infinity
    this.#flushSoon()
  }

  #writeAllAgain (): void { for (const accountId of this.#own.keys()) this.#dirty.add(accountId) }

  #dropOldestOwn (): void {
    const oldest = this.#own.keys().next().value
    if (oldest === undefined) return
    this.#own.delete(oldest)
    this.#dirty.delete(oldest)
  }

  #flushSoon (): void {
    if (this.#flushQueued) return
    this.#flushQueued = true
    setImmediate(() => {
      this.#flushQueued = false
      this.#flushAgain = this.#flushing !== null
      this.#flush()
    })
  }

  #flush (): void {
    if (this.#closed) return
    const now = this.#o.now()
    const keepHouse = now - this.#keptHouseAt >= HOUSEKEEPING_MS
    if (keepHouse) this.#copies.expire(now)
    if (!this.#redis.ready || this.#flushing !== null) return
    if (keepHouse) this.#keepHouse(now)
    this.#flushing = this.#exchange(now, keepHouse).finally(() => {
      this.#flushing = null
      if (!this.#flushAgain) return
      this.#flushAgain = false
      this.#flush()
    })
  }

  #keepHouse (now: number): void {
    this.#keptHouseAt = now
    for (const [accountId, own] of this.#own) if (now - own.writtenAt > this.#o.ttlMs / 3) this.#dirty.add(accountId)
    if (!this.#subscriber.ready) this.#unheard = 0
    else if (this.#unheard++ >= MOST_UNHEARD) {
      this.#unheard = 0
      this.#subscriber.reset('own messages do not come back')
    }
  }

  /** one batch: this gateway is here, this changed, this is no more, and what do the others say */
  async #exchange (now: number, keepHouse: boolean): Promise<void> {
    const written = this.#takeDirty()
    const withdrawn = [...this.#withdrawn].slice(0, MAX_WRITES)
    for (const accountId of withdrawn) this.#withdrawn.delete(accountId)
    const sources = this.#copies.due(this.#incarnations, now, MAX_READS)
    const house = keepHouse ? this.#houseCommands() : []
    const replies = await this.#redis.batch([
      ['zadd', this.#registry, systemNow(), String(this.#o.incarnation)],
      ...house,
      ...sources.map(({ accountId, incarnation }): Command => ['get', this.#key(accountId, incarnation)]),
      ...written.map((own): Command => ['set', this.#key(own.figures.accountId), encodeFigures(own), 'PX', this.#o.ttlMs]),
      ...withdrawn.map((accountId): Command => ['del', this.#key(accountId)]),
      ...written.length === 0
        ? []
        : [['publish', this.#news, encodeMessage(this.#id, { kind: 'figures', published: written })] satisfies Command],
    ])
    const well = replies !== null && this.#allWell(replies)
    const rest = replies?.slice(1 + house.length) ?? []
    written.forEach((own, i) => {
      if (isDone(rest[sources.length + i])) own.writtenAt = now
      else if (this.#own.has(own.figures.accountId)) this.#dirty.add(own.figures.accountId)
    })
    withdrawn.forEach((accountId, i) => {
      const done = isDone(rest[sources.length + written.length + i])
      if (!done && !this.#own.has(accountId)) this.#withdrawn.add(accountId)
    })
    if (replies?.[0]?.[1] === 1) this.#writeAllAgain()
    if (keepHouse) this.#learnRegistry(replies?.[REGISTRY_READ]?.[1])
    sources.forEach((source, i) => { if (isDone(rest[i])) this.#learn(source, rest[i]?.[1], now, well) })
  }

  #takeDirty (): Own[] {
    const written: Own[] = []
    for (const accountId of this.#dirty) {
      if (written.length >= MAX_WRITES) break
      const own = this.#own.get(accountId)
      if (own !== undefined) written.push(own)
      this.#dirty.delete(accountId)
    }
    return written
  }

  /**
   * The last of them, of those after the first of the batch, reads the registry. Gateways compare their clocks there,
   * so it is the time that they are set to.
   */
  #houseCommands (): Command[] {
    const now = systemNow()
    return [
      // comes back to this gateway too, where all is well
      ['publish', this.#news, encodeMessage(this.#id, { kind: 'here' })],
      ['zremrangebyscore', this.#registry, '-inf', now - 10 * FORGOTTEN_AFTER_MS],
      ['pexpire', this.#registry, 10 * FORGOTTEN_AFTER_MS],
      ['zrangebyscore', this.#registry, now - FORGOTTEN_AFTER_MS, '+inf'],
    ]
  }

  /** a Redis that answers with errors (full, read-only, not permitted) is as good as none */
  #allWell (replies: Reply[]): boolean {
    if (!this.#redis.ready) return false
    const error = replies.find(([failed]) => failed !== null)?.[0] ?? null
    this.#failing = error !== null
    if (error === null) {
      if (this.#away) this.#o.log.info({}, 'redis is reachable')
      this.#away = false
    } else if (performance.now() - this.#refusalToldAt >= REFUSAL_TOLD_MS) {
      this.#refusalToldAt = performance.now()
      this.#o.log.warn({ reason: error.message }, 'redis refuses commands')
    }
    return error === null
  }

  #learnRegistry (value: unknown): void {
    if (!Array.isArray(value)) return
    this.#incarnations.clear()
    for (const member of value as unknown[]) {
      const incarnation = Number(member)
      if (Number.isSafeInteger(incarnation) && incarnation !== this.#o.incarnation) this.#incarnations.add(incarnation)
    }
  }

  /** `well`: what is not there was taken away, and not refused when it was to be written */
  #learn (source: Source, value: unknown, askedAt: number, well: boolean): void {
    const published = this.#publishedBy(source, value)
    if (published !== null) this.#copies.heard(published, this.#o.now())
    else if (well) this.#copies.missing(source, askedAt)
  }

  /** null: there is none, or something else is under that key */
  #publishedBy ({ accountId, incarnation }: Source, value: unknown): Published | null {
    const published = typeof value === 'string' ? decodeFigures(value) : null
    if (published === null) return null
    const { figures } = published
    return figures.accountId === accountId && figures.incarnation === incarnation ? published : null
  }

  /** what all other gateways say of these accounts; an account is missing where Redis did not answer in time */
  async #fetch (accountIds: number[], withinMs: number): Promise<Map<number, Published[]>> {
    const found = new Map<number, Published[]>()
    const until = performance.now() + withinMs
    const asked = new Set(this.#incarnations)
    if (!await this.#fetchFrom(accountIds, asked, found, until)) return new Map()
    // The registry came with the first answer: gateways that were new to this one are asked in a second.
    const unknown = new Set([...this.#incarnations].filter((incarnation) => !asked.has(incarnation)))
    if (unknown.size > 0 && !await this.#fetchFrom(accountIds, unknown, found, until)) return new Map()
    return found
  }

  async #fetchFrom (accountIds: number[], from: Set<number>, found: Map<number, Published[]>, until: number):
  Promise<boolean> {
    const sources = accountIds.flatMap((accountId) => [...from].map((incarnation) => ({ accountId, incarnation })))
    const replies = await this.#redis.batch([
      ['zrangebyscore', this.#registry, systemNow() - FORGOTTEN_AFTER_MS, '+inf'],
      ...sources.map(({ accountId, incarnation }): Command => ['get', this.#key(accountId, incarnation)]),
    ], { deadlineMs: Math.max(1, until - performance.now()), drop: false })
    if (replies === null) return false
    this.#learnRegistry(replies[0]?.[1])
    for (const accountId of accountIds) if (!found.has(accountId)) found.set(accountId, [])
    sources.forEach((source, i) => {
      const published = this.#publishedBy(source, replies[1 + i]?.[1])
      if (published !== null) found.get(source.accountId)?.push(published)
    })
    return true
  }

  async #subscribe (): Promise<void> {
    await this.#subscriber.subscribe(this.#news, (text) => { this.#hear(text) })
    this.#toldSubscribed()
  }

  #hear (text: string): void {
    if (this.#closed) return
    if (isFrom(text, this.#id)) {
      this.#unheard = 0
      return
    }
    const message = decodeMessage(text)
    if (message === null) return
    const now = this.#o.now()
    switch (message.kind) {
      case 'figures':
        for (const one of message.published) {
          if (one.figures.incarnation === this.#o.incarnation) continue
          this.#incarnations.add(one.figures.incarnation)
          this.#copies.heard(one, now)
        }
        return
      case 'here': return
      case 'gone':
        this.#incarnations.delete(message.incarnation)
        this.#copies.gone(message.incarnation)
        return
      case 'recall':
        for (const listener of this.#recallListeners) listener(message.accountId)
        return
      case 'hint':
        for (const listener of this.#hintListeners) listener(message.hint)
    }
  }
}

function isDone (reply: Reply | undefined): boolean { return reply?.[0] === null }

function pause (ms: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, ms).unref() })
}
