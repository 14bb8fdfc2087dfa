import { compileModel, type Period } from './catalog.ts'
import { ownCatalog } from './catalog-file.ts'
import { type LaidCatalog, type LaidProvider } from './layers.ts'
import { type PriceBook, type PricedModel } from './price.ts'

/** `-2025-08-07`, `-20250807`, `@20250807`: the same model at the same price, unless the catalog lists it itself */
export const SNAPSHOT = /(?:-20\d{2}-\d{2}-\d{2}|[-@]20\d{6})$/
/** no provider's model has a longer name; a longer one is not looked at any further */
const LONGEST_NAME = 200

/**
 * Prices by exact id, then by declared alias, then by the id without its dated snapshot. Never by a prefix: a newer
 * model that begins like an older one has no price until somebody says it. Of our own catalog, which is tested as a
 * whole, a model is compiled when it is first asked for.
 */
export class CatalogPriceBook implements PriceBook {
  readonly #providers = new Map<string, Named>()

  /** Throws, naming the entry, where a name stands for two models. */
  constructor ({ version, providers }: LaidCatalog = ownCatalog()) {
    for (const provider of providers) {
      if (this.#providers.has(provider.provider)) throw new Error(`catalog: provider ${provider.provider} is there twice`)
      this.#providers.set(provider.provider, named(provider, version))
    }
  }

  find (provider: string, model: string, at: number): PricedModel | null {
    if (model.length > LONGEST_NAME) return null
    const names = this.#providers.get(provider)?.byName
    const found = names?.get(model) ?? names?.get(model.replace(SNAPSHOT, ''))
    return found === undefined ? null : found.at(at)
  }

  get providers (): string[] { return [...this.#providers.keys()] }

  list (provider: string, at: number): PricedModel[] {
    return this.#providers.get(provider)?.models.map((model) => model.at(at)) ?? []
  }
}

interface Named { models: Compiled[], byName: Map<string, Compiled> }

/** One model, compiled once, when it is needed. */
class Compiled {
  readonly #compile: () => Period[]
  #periods: Period[] | undefined

  constructor (compile: () => Period[]) { this.#compile = compile }

  /** the prices in force then; what was before the first of them is not known, so they count for it too */
  at (time: number): PricedModel {
    const periods = this.#periods ??= this.#compile()
    let last = periods.length - 1
    while (last > 0 && (periods[last] as Period).since > time) last--
    return (periods[last] as Period).model
  }
}

function named (provider: LaidProvider, version: string): Named {
  const byName = new Map<string, Compiled>()
  const models = provider.models.map((model) => {
    const compiled = new Compiled(() => compileModel(provider, model, model.version ?? version, model.free))
    for (const name of [model.model, ...model.aliases ?? []]) {
      if (byName.has(name)) throw new Error(`catalog: ${provider.provider}/${name} is there twice`)
      byName.set(name, compiled)
    }
    return compiled
  })
  return { models, byName }
}
