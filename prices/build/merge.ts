import { defined } from '../../src/pricing/decimal.ts'
import { dearer, type Entry, type Prices, times } from './entry.ts'

const RATES = ['input', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'output'] as const

export interface Difference { model: string, rate: string, older: string, newer: string }

/**
 * Two lists of the same provider as one. Where both know a price, that of the newer counts (or the dearer, where prices
 * depend on who serves a call), and the difference is told; what only one of them says is kept, and of limits the
 * larger.
 */
export function merged (
  older: readonly Entry[], newer: readonly Entry[], differences: Difference[], which: 'newer' | 'dearer'
): Entry[] {
  const all = new Map(older.map((entry) => [entry.model, entry]))
  const aliases = new Map(older.flatMap((entry) => (entry.aliases ?? []).map((alias) => [alias, entry.model])))
  for (const entry of newer) {
    const same = all.get(entry.model)
    const known = aliases.get(entry.model)
    if (same !== undefined) all.set(entry.model, both(same, entry, differences, which))
    else if (known !== undefined && samePrices(all.get(known) as Entry, entry)) {
      all.set(known, withLimits(all.get(known) as Entry, entry))
    } else all.set(entry.model, entry)
  }
  return [...all.values()].map((entry) => withoutAliases(entry, all))
}

/** a name that has an entry of its own is no alias */
function withoutAliases (entry: Entry, all: ReadonlyMap<string, Entry>): Entry {
  const aliases = entry.aliases?.filter((alias) => !all.has(alias))
  const { aliases: _, ...rest } = entry
  return aliases === undefined || aliases.length === 0 ? rest : { ...rest, aliases }
}

function both (older: Entry, newer: Entry, differences: Difference[], which: 'newer' | 'dearer'): Entry {
  const inForce = { ...older, ...pricesOf(older.changes?.at(-1)) }
  const differ = RATES.filter((rate) => {
    const [one, other] = [inForce[rate], newer[rate]]
    if (one === undefined || other === undefined || one === other) return false
    // what begins later than both were collected is none of today's
    if (older.changes?.some((change) => change[rate] === other) || older[rate] === other) return false
    differences.push({ model: newer.model, rate, older: one, newer: other })
    return true
  })
  const limits = withLimits(older, newer)
  if (differ.length === 0) return { ...limits, ...defined({ tiers: older.tiers ?? newer.tiers }) }
  // the older history ends at a price that is none any more
  const { changes: _, ...rest } = limits
  if (which === 'newer') return { ...rest, ...pricesOf(newer), tiers: newer.tiers ?? tiersLike(older, newer) }
  const dearest = Object.fromEntries(RATES.map((rate) => [rate, dearer(inForce[rate], newer[rate])]))
  return { ...rest, ...defined(dearest), tiers: newer.tiers ?? older.tiers ?? [] }
}

/** tiers of the older as multiples are no prices: only those that are the same prices are kept */
function tiersLike (older: Entry, newer: Entry): NonNullable<Entry['tiers']> {
  return older.input === newer.input && older.output === newer.output ? older.tiers ?? [] : []
}

function withLimits (older: Entry, newer: Entry): Entry {
  return {
    ...older,
    ...defined({
      contextWindow: greater(older.contextWindow, newer.contextWindow),
      maxOutput: greater(older.maxOutput, newer.maxOutput),
      reasoning: newer.reasoning ?? older.reasoning,
      cacheRead: older.cacheRead ?? newer.cacheRead,
      cacheWrite5m: older.cacheWrite5m ?? newer.cacheWrite5m,
    }),
    from: [...new Set([...older.from, ...newer.from])],
  }
}

function samePrices (one: Entry, other: Entry): boolean {
  const inForce = { ...one, ...pricesOf(one.changes?.at(-1)) }
  return RATES.every((rate) => [undefined, other[rate]].includes(inForce[rate]) || other[rate] === undefined)
}

export function greater (one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? one ?? other : Math.max(one, other)
}

export function pricesOf (entry: Partial<Entry> | undefined): Prices {
  if (entry === undefined) return {}
  const { input, cacheRead, cacheWrite5m, cacheWrite1h, output, units } = entry
  return defined({ input, cacheRead, cacheWrite5m, cacheWrite1h, output, units })
}

/**
 * Bedrock: a name without a region, and one with the region of a continent, costs what the region does; of some the
 * sources have the lower price of `global.` for the bare name. The dearer counts.
 */
export function dearestRegion (entries: readonly Entry[]): Entry[] {
  const all = new Map(entries.map((entry) => [entry.model, entry]))
  return entries.map((entry) => {
    const regional = all.get(`us.${entry.model}`)
    if (regional === undefined) return entry
    const raised = Object.fromEntries(RATES.map((rate) => [rate, dearer(entry[rate], regional[rate])]))
    return { ...entry, ...defined(raised), ...regional.tiers === undefined ? {} : { tiers: regional.tiers } }
  })
}

/** Writing to the cache for the longer time costs this times the input, where nobody says what else. */
export function withLongCache (entry: Entry, factor: string): Entry {
  const long = <T extends Prices>(prices: T): T =>
    prices.cacheWrite5m === undefined || prices.cacheWrite1h !== undefined
      ? prices
      : { ...prices, cacheWrite1h: times(prices.input as string, factor) }
  const all = <T extends Prices & Pick<Entry, 'tiers'>>(prices: T): T =>
    ({ ...long(prices), ...prices.tiers === undefined ? {} : { tiers: prices.tiers.map(long) } })
  return { ...all(entry), ...entry.changes === undefined ? {} : { changes: entry.changes.map(all) } }
}
