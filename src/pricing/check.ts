import { formatNano, parseAmount } from '../money/amount.ts'
import { type LaidCatalog, type SaidModel } from './layers.ts'
import { type Naming, NamedPrices } from './named-prices.ts'
import { type PriceFile } from './price-file.ts'
import { type PriceBook, type PricedModel } from './price.ts'

/** Something about prices that somebody should look at. */
export interface PriceFinding {
  kind: 'old' | 'missing' | 'differs'
  /** a provider, or one and its model */
  where: string
  /** a sentence without its subject */
  says: string
}

export interface PriceCheck {
  catalog: LaidCatalog
  /** the same, with what administrators have said since */
  prices: PriceBook
  namings: Readonly<Record<string, Naming>>
  /** somebody else's prices, and what they are called */
  against: { file: PriceFile, name: string } | null
  now: number
  /** after which a price that nobody looked at is old */
  days: number
}

const DAY_MS = 86_400_000
const TEXT = ['input', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'output'] as const
const LIMITS = ['contextWindow', 'maxOutput'] as const

/** What is old, what the settings name and has no price, what a file knows and we do not, and where it differs. */
export function checkPrices (check: PriceCheck): PriceFinding[] {
  return [...oldPrices(check), ...missingPrices(check), ...check.against === null ? [] : differences(check)]
}

/** prices that were said here are as their operator wants them */
function oldPrices ({ catalog, now, days }: PriceCheck): PriceFinding[] {
  return catalog.providers.flatMap(({ provider, checkedAt, models }) => {
    const byDay = new Map<string, number>()
    for (const model of models) {
      if (model.version !== undefined) continue
      const day = model.checkedAt ?? checkedAt ?? 'never'
      byDay.set(day, (byDay.get(day) ?? 0) + 1)
    }
    return [...byDay].flatMap(([day, count]): PriceFinding[] => {
      const age = day === 'never' ? Infinity : Math.floor((now - Date.parse(day)) / DAY_MS)
      if (age <= days) return []
      const since = day === 'never' ? 'it is not known when' : `on ${day}, ${age} days ago`
      const whose = count === 1 ? 'one model' : `${count} models`
      return [{ kind: 'old', where: provider, says: `the prices of ${whose} were looked at ${since}` }]
    })
  })
}

function missingPrices ({ prices, namings, now }: PriceCheck): PriceFinding[] {
  const named = new NamedPrices(prices, namings)
  return Object.entries(namings).flatMap(([provider, { models = {}, pricesOf = [], unknownModels }]) => {
    const missing = (says: string): PriceFinding => ({ kind: 'missing', where: provider, says })
    const wrong = Object.entries(models)
      .filter(([name]) => known(named.find(provider, name, now)) === null)
      .map(([name, model]) => missing(`providers.${provider}.models calls ${name} ${model}, which has no price`))
    for (const one of pricesOf) {
      if (!prices.providers.includes(one)) wrong.push(missing(`providers.${provider}.pricesOf is ${one}, of which no price is known`))
    }
    const like = /^priceAs:(.*)$/.exec(unknownModels ?? '')?.[1]
    if (like !== undefined && known(named.find(provider, like, now)) === null) {
      wrong.push(missing(`providers.${provider}.unknownModels is priceAs:${like}, which has no price`))
    }
    return wrong
  })
}

function differences ({ prices, against, now }: PriceCheck): PriceFinding[] {
  if (against === null) return []
  const unknown = new Map<string, string[]>()
  const differing: PriceFinding[] = []
  for (const { provider, model, said, since } of against.file.overrides) {
    if (!prices.providers.includes(provider) || since > now) continue
    const ours = known(prices.find(provider, model, now))
    if (ours === null) {
      unknown.set(provider, [...unknown.get(provider) ?? [], model])
      continue
    }
    const different = differencesOf(ours, said)
    if (different.length > 0) differing.push({ kind: 'differs', where: `${provider}/${model}`, says: different.join('; ') })
  }
  const missing = [...unknown].map(([provider, models]): PriceFinding =>
    ({ kind: 'missing', where: provider, says: `${against.name} has prices that are not here: ${models.sort().join(', ')}` }))
  return [...missing, ...differing]
}

/** only of what is said there; context tiers have to be alike where there are any */
function differencesOf (ours: PricedModel, said: SaidModel): string[] {
  const here = (rate: bigint | null | undefined) => rate == null ? 'none' : formatNano(rate)
  const compare = (name: string, rate: bigint | null | undefined, text: string | undefined): string[] => {
    if (text === undefined) return []
    const theirs = parseAmount(text)
    return theirs === (rate ?? null) ? [] : [`${name} ${here(rate)} here, ${text} there`]
  }
  const tiers = said.tiers?.flatMap((tier) => {
    const own = ours.tiers.find(({ fromInputTokens }) => Math.abs(fromInputTokens - tier.fromInputTokens) <= 1)
    const from = `from ${tier.fromInputTokens} tokens`
    if (own === undefined) return [`no tier ${from} here`]
    return TEXT.flatMap((name) => compare(`${name} ${from}`, own.rates[name], tier[name]))
  })
  return [
    ...TEXT.flatMap((name) => compare(name, ours.rates[name], said[name])),
    ...Object.entries(said.units ?? {}).flatMap(([unit, text]) => compare(unit, unitPrice(ours, unit), text)),
    ...tiers ?? [],
    ...LIMITS.filter((name) => said[name] !== undefined && said[name] !== ours[name])
      .map((name) => `${name} ${ours[name]} here, ${said[name]} there`),
  ]
}

/** of a million */
function unitPrice ({ unitRates, webSearchNano }: PricedModel, unit: string): bigint | null | undefined {
  return unit !== 'webSearches' ? unitRates[unit] : webSearchNano === null ? null : webSearchNano * 1_000_000n
}

/** one that is only assumed is none */
function known (priced: PricedModel | null): PricedModel | null {
  return priced === null || priced.assumed !== undefined ? null : priced
}
