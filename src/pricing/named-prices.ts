import { type PriceBook, type PricedModel } from './price.ts'

/** How one provider's names are to be read. */
export interface Naming {
  /** what its names of models (deployments) are in the catalog */
  models?: Readonly<Record<string, string>> | undefined
  /** the catalog's provider whose prices it has */
  pricesOf?: string | undefined
}

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
    const { models, pricesOf = provider } = naming
    const name = models !== undefined && Object.hasOwn(models, model) ? models[model] as string : model
    return this.#prices.find(pricesOf, name, at)
  }

  list (provider: string): PricedModel[] { return this.#prices.list(this.#naming.get(provider)?.pricesOf ?? provider) }
}
