import { type PriceBook, type PricedModel } from './price.ts'

/** How one provider's names are to be read. */
export interface Naming {
  /** what its names of models (deployments) are in the catalog */
  models?: Readonly<Record<string, string>> | undefined
  /** the catalog's providers whose prices it has: of each model those of the first that knows it */
  pricesOf?: readonly string[] | undefined
  /** true: all of its names are its operator's own, also those that are a model's in the catalog */
  deployments?: boolean | undefined
  /** what becomes of calls of models that have no price */
  unknownModels?: UnknownModels | undefined
  /** the catalog's name of one that the settings do not say; null: only they can */
  catalogName?: ((name: string) => string | null) | undefined
}

/**
 * block: refused. allowUnpriced: forwarded, held at nothing and recorded at zero, as uncertain; only tokens bound it.
 * `priceAs:<model>`: priced as that one.
 */
export type UnknownModels = 'block' | 'allowUnpriced' | `priceAs:${string}`

/** Prices of providers that call models otherwise than the catalog does, or that have another one's prices. */
export class NamedPrices implements PriceBook {
  readonly #prices: PriceBook
  readonly #naming: ReadonlyMap<string, Naming>

  constructor (prices: PriceBook, naming: Readonly<Record<string, Naming>>) {
    this.#prices = prices
    this.#naming = new Map(Object.entries(naming))
  }

  get providers (): string[] {
    const more = [...this.#naming].filter(([, { pricesOf, models }]) => pricesOf !== undefined || models !== undefined)
    return [...new Set([...this.#prices.providers, ...more.map(([name]) => name)])]
  }

  find (provider: string, model: string, at: number): PricedModel | null {
    const naming = this.#naming.get(provider)
    if (naming === undefined) return this.#prices.find(provider, model, at)
    const { catalogName } = naming
    const own = mapped(naming, model)
    const name = own ?? (catalogName === undefined ? model : catalogName(model))
    if (name === null) return null
    return this.#known(provider, naming, name, at) ?? this.#unknown(provider, naming, name, at)
  }

  #known (provider: string, { pricesOf = [provider] }: Naming, name: string, at: number): PricedModel | null {
    for (const one of pricesOf) {
      const priced = this.#prices.find(one, name, at)
      if (priced !== null) return priced
    }
    return null
  }

  #unknown (provider: string, naming: Naming, name: string, at: number): PricedModel | null {
    const { unknownModels = 'block' } = naming
    if (unknownModels === 'block' || !NAME.test(name)) return null
    if (unknownModels === 'allowUnpriced') return unpriced(provider, name)
    const like = this.#known(provider, naming, unknownModels.slice('priceAs:'.length), at)
    return like === null ? null : { ...like, model: name, assumed: 'priced' }
  }

  list (provider: string, at: number): PricedModel[] {
    const { models, pricesOf = [provider], deployments } = this.#naming.get(provider) ?? {}
    if (deployments !== true) return pricesOf.flatMap((one) => this.#prices.list(one, at))
    return Object.keys(models ?? {}).flatMap((name) => {
      const priced = this.find(provider, name, at)
      return priced === null ? [] : [{ ...priced, model: name }]
    })
  }

  missing (provider: string, model: string): string | null {
    const naming = this.#naming.get(provider)
    if (naming === undefined || mapped(naming, model) !== undefined) return null
    return naming.deployments === true || naming.catalogName?.(model) === null ? `providers.${provider}.models` : null
  }

  answered (provider: string, asked: string, used: string | null, at: number): PricedModel | null | undefined {
    const naming = this.#naming.get(provider)
    if (used === null || naming === undefined || mapped(naming, asked) === undefined) return undefined
    const found = this.find(provider, used, at)
    // others than deployments may be called otherwise in answers than in paths (Claude's, of Bedrock)
    if (found === null && naming.deployments !== true) return undefined
    return found !== null && found.priceVersion === this.find(provider, asked, at)?.priceVersion ? undefined : found
  }
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}$/
/** of a model of which nothing is known; limits of tokens go by them alone */
const [WINDOW, OUTPUT] = [1_000_000, 128_000]
const NOTHING = { input: 0n, cacheRead: 0n, cacheWrite5m: 0n, cacheWrite1h: 0n, output: 0n }

function unpriced (provider: string, model: string): PricedModel {
  return {
    provider,
    model,
    contextWindow: WINDOW,
    maxOutput: OUTPUT,
    reasoning: true,
    rates: NOTHING,
    unitRates: {},
    tiers: [],
    cachesUnasked: false,
    multipliers: {},
    webSearchNano: 0n,
    priceVersion: `${provider}/${model}@unpriced`,
    assumed: 'unpriced',
  }
}

function mapped ({ models }: Naming, name: string): string | undefined {
  return models !== undefined && Object.hasOwn(models, name) ? models[name] : undefined
}
