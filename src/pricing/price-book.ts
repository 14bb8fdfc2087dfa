import { type CatalogProvider, compileProvider } from './catalog.ts'
import { CATALOG, CATALOG_VERSION } from './catalog-data.ts'
import { type PriceBook, type PricedModel } from './price.ts'

/** `-2025-08-07` or `-20250807`: the same model at the same price, unless the catalog lists the snapshot itself */
const SNAPSHOT = /-(?:20\d{2}-\d{2}-\d{2}|20\d{6})$/
/** no provider's model has a longer name; a longer one is not looked at any further */
const LONGEST_NAME = 200

/**
 * Prices by exact id, then by declared alias, then by the id without its dated snapshot. Never by a prefix: a newer
 * model that begins like an older one has no price until somebody says it. Throws, naming the entry, on a bad catalog.
 */
export class CatalogPriceBook implements PriceBook {
  readonly #models = new Map<string, Map<string, PricedModel>>()
  readonly #lists = new Map<string, PricedModel[]>()

  constructor (catalog: readonly CatalogProvider[] = CATALOG, version = CATALOG_VERSION) {
    for (const entry of catalog) {
      const list = compileProvider(entry, version)
      if (this.#lists.has(entry.provider)) throw new Error(`catalog: provider ${entry.provider} is there twice`)
      this.#lists.set(entry.provider, list)
      this.#models.set(entry.provider, byName(entry, list))
    }
  }

  find (provider: string, model: string): PricedModel | null {
    if (model.length > LONGEST_NAME) return null
    const models = this.#models.get(provider)
    return models?.get(model) ?? models?.get(model.replace(SNAPSHOT, '')) ?? null
  }

  get providers (): string[] { return [...this.#lists.keys()] }

  list (provider: string): PricedModel[] { return this.#lists.get(provider) ?? [] }
}

function byName ({ provider, models }: CatalogProvider, list: PricedModel[]): Map<string, PricedModel> {
  const names = new Map<string, PricedModel>()
  models.forEach(({ model, aliases = [] }, i) => {
    for (const name of [model, ...aliases]) {
      if (names.has(name)) throw new Error(`catalog: ${provider}/${name} is there twice`)
      names.set(name, list[i] as PricedModel)
    }
  })
  return names
}
