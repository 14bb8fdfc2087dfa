import { compileModel } from './catalog.ts'
import { CATALOG, CATALOG_VERSION, type CatalogProvider } from './catalog-data.ts'
import { type PriceBook, type PricedModel } from './price.ts'

/** `-2025-08-07` or `-20250807`: the same model at the same price, unless the catalog lists the snapshot itself */
const SNAPSHOT = /-(?:\d{4}-\d{2}-\d{2}|20\d{6})$/

/**
 * Prices by exact id, then by declared alias, then by the id without its dated snapshot. Never by a prefix: a newer
 * model that begins like an older one has no price until somebody says it.
 */
export class CatalogPriceBook implements PriceBook {
  readonly #models = new Map<string, Map<string, PricedModel>>()
  readonly #lists = new Map<string, PricedModel[]>()

  constructor (catalog: readonly CatalogProvider[] = CATALOG, version = CATALOG_VERSION) {
    for (const { provider, models } of catalog) {
      const byName = new Map<string, PricedModel>()
      const list: PricedModel[] = []
      for (const model of models) {
        const priced = compileModel(provider, model, version)
        list.push(priced)
        for (const name of [model.model, ...model.aliases ?? []]) {
          if (byName.has(name)) throw new Error(`catalog: ${provider}/${name} is there twice`)
          byName.set(name, priced)
        }
      }
      this.#models.set(provider, byName)
      this.#lists.set(provider, list)
    }
  }

  find (provider: string, model: string): PricedModel | null {
    const models = this.#models.get(provider)
    if (models === undefined) return null
    return models.get(model) ?? (model.length < 200 ? models.get(model.replace(SNAPSHOT, '')) : undefined) ?? null
  }

  list (provider: string): PricedModel[] { return this.#lists.get(provider) ?? [] }
}
