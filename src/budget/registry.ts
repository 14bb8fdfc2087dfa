import { LRUCache } from 'lru-cache'
import { type Budget, type Identity } from './budget.ts'

/** Where definitions live; see stores/postgres. */
export interface BudgetStore {
  /** every budget, not archived, whose scope the identity has, and all of their ancestors */
  forIdentity (identity: Identity): Promise<Budget[]>
  /** counters that grow with every change of a budget, and of a key */
  versions (): Promise<{ budgets: number, keys: number }>
}

export interface RegistryOptions {
  /** identities remembered */
  max?: number
  /** how often other gateways' changes are looked for, ms */
  intervalMs?: number
  onKeysChanged?: () => void
  /** once per outage */
  onError?: (error: unknown) => void
}

/**
 * BudgetRegistry: the budgets of an identity, from memory. A change acts at once on the gateway that took it (it calls
 * `invalidate` before it answers), on the others with the next look at the versions, at most half a second later, or
 * at a hint. While PostgreSQL cannot be reached the last known definitions go on: they grant nothing by themselves,
 * since rights to spend come from leases, and a lease is granted by PostgreSQL's own figure of the limit.
 */
export class BudgetRegistry {
  readonly #store: BudgetStore
  readonly #options: RegistryOptions
  readonly #cache: LRUCache<string, Budget[]>
  readonly #loading = new Map<string, Promise<Budget[]>>()
  #generation = 0
  #versions: { budgets: number, keys: number } | null = null
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> | null = null
  #down = false
  #stopped = true

  constructor (store: BudgetStore, options: RegistryOptions = {}) {
    this.#store = store
    this.#options = options
    this.#cache = new LRUCache({ max: options.max ?? 20_000 })
  }

  /** the candidates and their ancestors, at once where they are known */
  lookup (identity: Identity): Budget[] | Promise<Budget[]> {
    const key = keyOf(identity)
    return this.#cache.get(key) ?? this.#loading.get(key) ?? this.#load(key, identity)
  }

  /** nothing read before this is answered after it */
  invalidate (): void {
    this.#generation++
    this.#cache.clear()
    this.#loading.clear()
  }

  /** begins to look for changes made elsewhere */
  async follow (): Promise<void> {
    this.#versions = await this.#store.versions()
    this.#stopped = false
    this.#schedule()
  }

  /** looks now, e.g. at a hint */
  async refresh (): Promise<void> {
    this.#looking ??= this.#look().finally(() => { this.#looking = null })
    await this.#looking
  }

  async stop (): Promise<void> {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#looking
  }

  #load (key: string, identity: Identity): Promise<Budget[]> {
    const generation = this.#generation
    const load = this.#store.forIdentity(identity).then((budgets) => {
      if (generation === this.#generation) this.#cache.set(key, budgets)
      return budgets
    }).finally(() => {
      if (this.#loading.get(key) === load) this.#loading.delete(key)
    })
    this.#loading.set(key, load)
    return load
  }

  #schedule (): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      void this.refresh().then(() => { this.#schedule() })
    }, this.#options.intervalMs ?? 400)
    this.#timer.unref()
  }

  async #look (): Promise<void> {
    try {
      const found = await this.#store.versions()
      const known = this.#versions
      this.#versions = found
      this.#down = false
      if (known?.budgets !== found.budgets) this.invalidate()
      if (known?.keys !== found.keys) this.#options.onKeysChanged?.()
    } catch (error) {
      if (!this.#down) this.#options.onError?.(error)
      this.#down = true
    }
  }
}

/** mostly an identity is the one object that its key stands for */
const keys = new WeakMap<Identity, string>()

function keyOf (identity: Identity): string {
  let key = keys.get(identity)
  if (key === undefined) {
    const { organizationId, teamId, projectId, userId } = identity
    keys.set(identity, key = JSON.stringify([organizationId, teamId, projectId, userId]))
  }
  return key
}
