import { LRUCache } from 'lru-cache'
import { type Budget, type Identity } from './budget.ts'

/** Where definitions live; see stores/postgres. */
export interface BudgetStore {
  /**
   * Every budget, not archived, whose scope the identity has, those for each of many that may be for it, whatever its
   * session, end user and tags, and all of their ancestors.
   */
  forIdentity (identity: Identity): Promise<Budget[]>
  /** for which sessions, end users and tags there are budgets of their own, that are for this organization */
  named (organizationId: string): Promise<NamedScopes>
  /**
   * Counters that grow with every change of a budget, of a key, and with every price that is added. `keysSince`: a
   * former counter of keys, since which the changed ones are to be named.
   */
  versions (keysSince?: number): Promise<Versions>
}

export interface Versions {
  budgets: number
  keys: number
  prices?: number
  /** ids of those that were changed since the counter that was asked about; null or absent: nobody knows which */
  changedKeys?: string[] | null
}

export interface NamedScopes {
  session: boolean
  endUser: boolean
  /** the names of tags, of which some values have a budget */
  tags: readonly string[]
}

export interface RegistryOptions {
  /** identities remembered */
  max?: number
  /** how often other gateways' changes are looked for, ms */
  intervalMs?: number
  /** of which, by their ids; null: nobody knows */
  onKeysChanged?: (ids: string[] | null) => void
  /** where it fails it is asked again with the next look */
  onPricesChanged?: () => Promise<void>
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
  readonly #named = new LRUCache<string, NamedScopes>({ max: 5_000 })
  /** what lists have in common is there once, and compiled once */
  readonly #budgets = new Map<string, Budget>()
  #generation = 0
  #versions: Versions | null = null
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
    const { sessionId, endUserId, tags } = identity
    if (sessionId === null && endUserId === undefined && tags === null) return this.#find(keyOf(identity), identity)
    const named = this.#named.get(identity.organizationId)
    if (named === undefined) return this.#learnNamed(identity)
    return this.#find(keyOf(identity) + namedKeyOf(identity, named), identity)
  }

  /** nothing read before this is answered after it */
  invalidate (): void {
    this.#generation++
    this.#cache.clear()
    this.#loading.clear()
    this.#named.clear()
    this.#budgets.clear()
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

  #find (key: string, identity: Identity): Budget[] | Promise<Budget[]> {
    return this.#cache.get(key) ?? this.#loading.get(key) ?? this.#load(key, identity)
  }

  async #learnNamed (identity: Identity): Promise<Budget[]> {
    const generation = this.#generation
    const { organizationId } = identity
    const named = await this.#store.named(organizationId)
    if (generation === this.#generation) this.#named.set(organizationId, named)
    return await this.#find(keyOf(identity) + namedKeyOf(identity, named), identity)
  }

  #load (key: string, identity: Identity): Promise<Budget[]> {
    const generation = this.#generation
    const load = this.#store.forIdentity(identity).then((found) => {
      if (generation !== this.#generation) return found
      const budgets = found.map((budget) => this.#shared(budget))
      this.#cache.set(key, budgets)
      return budgets
    }).finally(() => {
      if (this.#loading.get(key) === load) this.#loading.delete(key)
    })
    this.#loading.set(key, load)
    return load
  }

  #shared (budget: Budget): Budget {
    const known = this.#budgets.get(budget.id)
    if (known?.version === budget.version && known.rateAt === budget.rateAt && known.rate === budget.rate) return known
    this.#budgets.set(budget.id, budget)
    return budget
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
      // behind an outage may be another server, which counted what others were told again
      const since = this.#down ? undefined : this.#versions?.keys
      const found = await this.#store.versions(since)
      const known = this.#versions
      this.#versions = found
      this.#down = false
      if (known?.budgets !== found.budgets) this.invalidate()
      if (known?.keys !== found.keys) this.#options.onKeysChanged?.(found.changedKeys ?? null)
      if (known?.prices !== found.prices) {
        this.#versions = { ...found, prices: known?.prices ?? 0 }
        await this.#options.onPricesChanged?.()
        this.#versions = found
      }
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
    const { organizationId, teamId, projectId, userId, keyId } = identity
    keys.set(identity, key = JSON.stringify([organizationId, teamId, projectId, userId, keyId]))
  }
  return key
}

/** what of a call leads to budgets of its own; of most calls nothing does, so that they share one list */
function namedKeyOf ({ sessionId, endUserId, tags }: Identity, named: NamedScopes): string {
  const session = named.session ? sessionId : null
  const endUser = named.endUser ? endUserId : undefined
  const values = tags === null ? [] : named.tags.map((name) => Object.hasOwn(tags, name) ? tags[name] : null)
  if (session === null && endUser === undefined && values.every((value) => value === null)) return ''
  return JSON.stringify([session, endUser, values])
}
