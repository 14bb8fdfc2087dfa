import { type Static, Type } from 'typebox'
import { SNAPSHOT } from '../../src/pricing/price-book.ts'
import { CatalogModelSchema, CatalogProviderSchema } from '../../src/pricing/catalog.ts'
import { type Entry } from './entry.ts'
import { pricesOf, withLongCache } from './merge.ts'

/** The shape of prices/hand-kept.yaml, and how it is laid over what the sources say. */

const { model: _model, source: _source, checkedAt: _checkedAt, ...Model } = CatalogModelSchema.properties
const Said = Type.Partial(Type.Object(Model, { additionalProperties: false }))
const { cachesUnasked, units, asText } = CatalogProviderSchema.properties

export const HandKeptSchema = Type.Object({
  version: Type.String(),
  /** for all models of these providers whose names match, and that have a price of text */
  rules: Type.Array(Type.Object({
    providers: Type.Array(Type.String()),
    match: Type.String(),
    set: Type.Optional(Said),
    /** what writing to the cache for the longer time costs, as a multiple of the input */
    longCache: Type.Optional(Type.String()),
    /** where its one context tier begins */
    tiersFrom: Type.Optional(Type.Integer()),
  }, { additionalProperties: false })),
  providers: Type.Record(Type.String(), Type.Object({
    cachesUnasked: Type.Optional(cachesUnasked),
    units,
    asText,
    /** null: not to be in the catalog */
    models: Type.Optional(Type.Record(Type.String(), Type.Union([Said, Type.Null()]))),
  }, { additionalProperties: false })),
}, { additionalProperties: false })

export type HandKept = Static<typeof HandKeptSchema>

export function laidOver (entries: readonly Entry[], provider: string, { rules, providers }: HandKept): Entry[] {
  const said = providers[provider]?.models ?? {}
  const all = new Map(entries.map((entry) => [entry.model, entry]))
  for (const [model, over] of Object.entries(said)) {
    if (over === null) all.delete(model)
    else if (!all.has(model)) all.set(model, { model, from: [] })
  }
  const mine = rules.filter((rule) => rule.providers.includes(provider))
  const laid = [...all.values()].map((entry) => {
    const own = said[entry.model]
    let ruled = own === undefined || own === null ? entry : { ...over(entry, own), from: [...entry.from, 'hand'] }
    for (const rule of mine) {
      if (ruled.input !== undefined && new RegExp(rule.match).test(entry.model)) ruled = ruledBy(ruled, rule)
    }
    return ruled
  })
  const names = new Set(laid.map(({ model }) => model))
  return laid.map((entry) => onlyAliases(entry, names))
}

function ruledBy (entry: Entry, { set, longCache, tiersFrom }: HandKept['rules'][number]): Entry {
  let ruled = set === undefined ? entry : over(entry, set)
  if (longCache !== undefined) ruled = withLongCache(ruled, longCache)
  if (tiersFrom === undefined) return ruled
  const from = <T extends Pick<Entry, 'tiers'>>(prices: T): T => prices.tiers?.length === 1
    ? { ...prices, tiers: prices.tiers.map((tier) => ({ ...tier, fromInputTokens: tiersFrom })) }
    : prices
  return { ...from(ruled), ...ruled.changes === undefined ? {} : { changes: ruled.changes.map(from) } }
}

/** units and multipliers by name, all else as a whole */
function over (entry: Entry, said: Static<typeof Said>): Entry {
  const whole = { ...entry, ...said } as Entry
  if (said.units !== undefined) whole.units = { ...entry.units, ...said.units }
  if (said.multipliers !== undefined) whole.multipliers = { ...entry.multipliers, ...said.multipliers }
  if (said.aliases !== undefined) whole.aliases = [...new Set([...entry.aliases ?? [], ...said.aliases])].sort()
  return whole
}

/**
 * A dated snapshot is found by the name without its date: it is no alias of that, and no entry of its own where it
 * costs the same.
 */
export function onceOnly (entries: readonly Entry[]): Entry[] {
  const all = new Map(entries.map((entry) => [entry.model, entry]))
  return entries.flatMap((entry) => {
    const undated = all.get(entry.model.replace(SNAPSHOT, ''))
    const same = undated !== undefined && pricesText(undated, entry) === pricesText(entry, undated)
    if (same && undated !== entry) return []
    const { aliases, ...rest } = entry
    const needed = aliases?.filter((alias) => alias.replace(SNAPSHOT, '') !== entry.model) ?? []
    return [needed.length === 0 ? rest : { ...rest, aliases: needed }]
  })
}

/** units count where both have some */
function pricesText (entry: Entry, other: Entry): string {
  const { units, ...text } = pricesOf(entry.changes?.at(-1) ?? entry)
  return JSON.stringify([text, entry.tiers ?? [], other.units === undefined ? null : units ?? null])
}

/** a name is taken once: by an entry of its own, else by the first that claims it */
function onlyAliases (entry: Entry, taken: Set<string>): Entry {
  const { aliases, ...rest } = entry
  const free = aliases?.filter((alias) => !taken.has(alias)) ?? []
  for (const alias of free) taken.add(alias)
  return free.length === 0 ? rest : { ...rest, aliases: free }
}
