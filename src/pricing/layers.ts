import { type Static, Type } from 'typebox'
import {
  type CatalogFile, type CatalogModel, CatalogModelSchema, type CatalogProvider, checkModel, compileModel,
  type ModelChange,
} from './catalog.ts'
import { defined } from './decimal.ts'

/**
 * What somebody here says of prices, laid over the catalog: a file, and overrides with a start. A price of text that is
 * said is the whole price of text: the catalog's other rates and tiers of the model do not stay beside it. Units and
 * multipliers are replaced by name. What is not said stays.
 */
export interface PriceOverride {
  provider: string
  model: string
  /** calls that open from then on, ms since the epoch; 0: all */
  since: number
  said: SaidModel
  /** in the `priceVersion` */
  version: string
}

const { model: _, changes: __, source: ___, checkedAt: ____, ...Said } = CatalogModelSchema.properties

/** Of a model that the catalog has not, its limits and its prices have to be said. */
export const SaidModelSchema = Type.Object(Type.Partial(Type.Object(Said)).properties, { additionalProperties: false })
export type SaidModel = Static<typeof SaidModelSchema>

/** a model as it is laid together; `free`: zero is a price, since it was said here */
export interface LaidModel extends CatalogModel { version?: string, free?: boolean }
export interface LaidProvider extends Omit<CatalogProvider, 'models'> { models: LaidModel[] }
export interface LaidCatalog extends Omit<CatalogFile, 'providers'> { providers: LaidProvider[] }

/**
 * The catalog with all of these, of the same model the oldest first. Throws, naming the entry, where one cannot be;
 * with `leftOut` it hears of it, and the others count.
 */
export function laid (
  catalog: LaidCatalog, overrides: readonly PriceOverride[], leftOut?: (override: PriceOverride, why: Error) => void
): LaidCatalog {
  const providers = new Map(catalog.providers.map((provider) => [provider.provider, provider]))
  const models = new Map<string, Map<string, LaidModel>>()
  for (const override of [...overrides].sort((one, other) => one.since - other.since)) {
    const { provider: name, model } = override
    const provider = providers.get(name) ?? { provider: name, cachesUnasked: false, models: [] }
    providers.set(name, provider)
    let changed = models.get(name)
    if (changed === undefined) models.set(name, changed = new Map(provider.models.map((one) => [one.model, one])))
    // what is said of an alias is said of its model
    const known = changed.get(model) ?? [...changed.values()].find(({ aliases = [] }) => aliases.includes(model))
    try {
      const next = over(known, override)
      checkModel(next, `${name}/${next.model}`)
      compileModel(provider, next, catalog.version, true)
      changed.set(next.model, next)
    } catch (error) {
      if (leftOut === undefined) throw error
      leftOut(override, error as Error)
    }
  }
  return {
    ...catalog,
    providers: [...providers.values()].flatMap((provider) => {
      const changed = models.get(provider.provider)
      if (changed === undefined) return [provider]
      return changed.size === 0 ? [] : [{ ...provider, models: [...changed.values()] }]
    }),
  }
}

function over (known: LaidModel | undefined, { model, since, said, version }: PriceOverride): LaidModel {
  const { aliases, contextWindow = 0, maxOutput = 0, reasoning = maxOutput > 0 } = said
  // of a model that nobody knows the first price counts from the beginning on: there is no other
  if (known === undefined) return { model, ...said, contextWindow, maxOutput, reasoning, free: true, version }
  const changes = (known.changes ?? []).filter((change) => Date.parse(change.since) < since)
  const before: ModelChange = changes.at(-1) ?? { ...pricesOf(known), since: BEGINNING }
  const byName = nested(said, { ...known, ...before })
  const next = defined({ ...before, ...textOf(said, before), ...byName, ...limitsOf(said), version })
  const names = aliases === undefined ? known.aliases : [...new Set([...known.aliases ?? [], ...aliases])]
  const named = { ...known, ...names === undefined ? {} : { aliases: names }, free: true }
  if (since > 0) return { ...named, changes: [...changes, { ...next, since: new Date(since).toISOString() }] }
  const { since: _, version: __, ...whole } = next
  const { changes: ___, ...rest } = withoutText(named)
  return { ...rest, ...whole, version }
}

const BEGINNING = new Date(0).toISOString()
/** what a price of text consists of */
export const TEXT = ['input', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'output', 'tiers'] as const

function pricesOf (model: CatalogModel): Omit<ModelChange, 'since'> {
  return Object.fromEntries(TEXT.flatMap((name) => model[name] === undefined ? [] : [[name, model[name]]]))
}

function withoutText (model: LaidModel): LaidModel {
  const texts: readonly string[] = TEXT
  return Object.fromEntries(Object.entries(model).filter(([name]) => !texts.includes(name))) as never
}

/** all of the text's rates as said, or as they were; `undefined` takes a rate away */
function textOf (said: SaidModel, before: ModelChange): Partial<ModelChange> {
  const speaks = TEXT.some((name) => said[name] !== undefined)
  const of: Partial<ModelChange> = speaks ? said : before
  return Object.fromEntries(TEXT.map((name) => [name, of[name]])) as never
}

function nested (said: SaidModel, before: Partial<CatalogModel>): Partial<ModelChange> {
  return {
    ...said.units === undefined ? {} : { units: { ...before.units, ...said.units } },
    ...said.multipliers === undefined ? {} : { multipliers: { ...before.multipliers, ...said.multipliers } },
  }
}

function limitsOf ({ contextWindow, maxOutput, reasoning }: SaidModel): Partial<ModelChange> {
  return defined({ contextWindow, maxOutput, reasoning })
}
