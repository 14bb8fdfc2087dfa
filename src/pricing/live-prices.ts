import { laid, type LaidCatalog, type PriceOverride } from './layers.ts'
import { CatalogPriceBook } from './price-book.ts'
import { type PriceBook, type PricedModel } from './price.ts'

/** The catalog with what administrators have said since: all of it, each time something was added. */
export class LivePrices implements PriceBook {
  readonly catalog: LaidCatalog
  #book: PriceBook

  constructor (catalog: LaidCatalog) {
    this.catalog = catalog
    this.#book = new CatalogPriceBook(catalog)
  }

  /** calls that open from now on; what is held keeps its prices. Throws, naming the entry, where one cannot be. */
  replace (overrides: readonly PriceOverride[]): void {
    this.#book = new CatalogPriceBook(overrides.length === 0 ? this.catalog : laid(this.catalog, overrides))
  }

  get providers (): readonly string[] { return this.#book.providers }

  find (provider: string, model: string, at: number): PricedModel | null { return this.#book.find(provider, model, at) }

  list (provider: string, at: number): PricedModel[] { return this.#book.list(provider, at) }
}
