import { laid, type LaidCatalog, type PriceOverride } from './layers.ts'
import { CatalogPriceBook } from './price-book.ts'
import { type PriceBook, type PricedModel } from './price.ts'

/** The catalog with what administrators have said since: all of it, each time something was added. */
export class LivePrices implements PriceBook {
  readonly catalog: LaidCatalog
  #laid: LaidCatalog
  #book: PriceBook

  constructor (catalog: LaidCatalog) {
    this.catalog = catalog
    this.#laid = catalog
    this.#book = new CatalogPriceBook(catalog)
  }

  /** For calls that open from now on; what is held keeps its prices. `leftOut` hears of what cannot be. */
  replace (overrides: readonly PriceOverride[], leftOut: (override: PriceOverride, why: Error) => void): void {
    this.#laid = overrides.length === 0 ? this.catalog : laid(this.catalog, overrides, leftOut)
    this.#book = new CatalogPriceBook(this.#laid)
  }

  /** throws, naming the entry, where it cannot be laid over what there is */
  check (override: PriceOverride): void { laid(this.#laid, [override]) }

  get providers (): readonly string[] { return this.#book.providers }

  find (provider: string, model: string, at: number): PricedModel | null { return this.#book.find(provider, model, at) }

  list (provider: string, at: number): PricedModel[] { return this.#book.list(provider, at) }
}
