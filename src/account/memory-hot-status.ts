import { type ChangeHint, type HotFigures, type HotStatus } from './hot-status.ts'

/**
 * The hot status of gateways that live in one process: what one publishes, the others see at once. Recalls and hints
 * arrive in a later turn of the event loop, as they would from elsewhere. A gateway that closes takes its figures
 * with it.
 */
export class MemoryHub {
  readonly #figures = new Map<number, Map<number, HotFigures>>()
  readonly #members = new Set<MemoryHotStatus>()

  join (member: MemoryHotStatus): void { this.#members.add(member) }

  leave (member: MemoryHotStatus): void {
    this.#members.delete(member)
    for (const accountId of this.#figures.keys()) this.withdraw(accountId, member.incarnation)
  }

  put (figures: HotFigures): void {
    const { accountId, incarnation } = figures
    const known = this.#figures.get(accountId)
    if (known === undefined) this.#figures.set(accountId, new Map([[incarnation, figures]]))
    else known.set(incarnation, figures)
  }

  withdraw (accountId: number, incarnation: number): void {
    const known = this.#figures.get(accountId)
    known?.delete(incarnation)
    if (known?.size === 0) this.#figures.delete(accountId)
  }

  others (accountId: number, incarnation: number): HotFigures[] {
    const known = this.#figures.get(accountId)
    if (known === undefined) return []
    return [...known.values()].filter((figures) => figures.incarnation !== incarnation)
  }

  tell (from: MemoryHotStatus, how: (member: MemoryHotStatus) => void): void {
    setImmediate(() => {
      for (const member of this.#members) if (member !== from) how(member)
    })
  }
}

export class MemoryHotStatus implements HotStatus {
  readonly incarnation: number
  readonly reachable = true
  readonly commands = 0
  readonly #hub: MemoryHub
  readonly #watched = new Set<number>()
  readonly #recallListeners: ((accountId: number) => void)[] = []
  readonly #hintListeners: ((hint: ChangeHint) => void)[] = []
  #closed = false

  constructor (hub: MemoryHub, incarnation: number) {
    this.#hub = hub
    this.incarnation = incarnation
  }

  async start (): Promise<void> { this.#hub.join(this) }

  async close (): Promise<void> {
    this.#closed = true
    this.#hub.leave(this)
  }

  publish (figures: HotFigures): void {
    if (!this.#closed) this.#hub.put(figures)
  }

  others (accountId: number): HotFigures[] | undefined {
    return this.#watched.has(accountId) ? this.#hub.others(accountId, this.incarnation) : undefined
  }

  async watch (accountId: number): Promise<void> { this.#watched.add(accountId) }

  unwatch (accountId: number): void {
    this.#watched.delete(accountId)
    this.#hub.withdraw(accountId, this.incarnation)
  }

  async read (accountIds: number[]): Promise<Map<number, HotFigures[]>> {
    return new Map(accountIds.map((id) => [id, this.#hub.others(id, this.incarnation)]))
  }

  recall (accountId: number): void {
    this.#hub.tell(this, (member) => {
      for (const listener of member.#recallListeners) listener(accountId)
    })
  }

  onRecall (listener: (accountId: number) => void): void { this.#recallListeners.push(listener) }

  hint (hint: ChangeHint): void {
    this.#hub.tell(this, (member) => {
      for (const listener of member.#hintListeners) listener(hint)
    })
  }

  onHint (listener: (hint: ChangeHint) => void): void { this.#hintListeners.push(listener) }
}
