import { invalidField } from '../errors.ts'
import { unitRate } from './cost.ts'
import { type PriceBook, type PricedModel, type Rates } from './price.ts'

/**
 * Checks the maps of `auto-downgrade`: each model that is named has a price, and is replaced by one of the same
 * provider that is dearer in nothing. Throws, naming the field.
 */
export function checkDowngrades (
  alerts: readonly { downgrade?: Record<string, string> }[], prices: PriceBook, at: number
): void {
  alerts.forEach(({ downgrade }, i) => {
    for (const [from, to] of Object.entries(downgrade ?? {})) checkDowngrade(`alerts/${i}/downgrade/${from}`, from, to, prices, at)
  })
}

function checkDowngrade (path: string, from: string, to: string, prices: PriceBook, at: number): void {
  const sources = prices.providers.map((provider) => prices.find(provider, from, at)).filter((model) => model !== null)
  if (sources.length === 0) throw invalidField(path, 'of a model that the catalog has a price for', from)
  for (const source of sources) {
    const target = prices.find(source.provider, to, at)
    if (target === null) throw invalidField(path, `a model of ${source.provider} that the catalog has a price for`, to)
    if (target === source) throw invalidField(path, `another model than ${source.model}`, to)
    const dearer = dearerIn(source, target)
    if (dearer !== null) throw invalidField(path, `a model that costs no more than ${source.model}; its price of ${dearer} is higher, or not known`, to)
  }
}

const KINDS: Record<keyof Rates, string> = {
  input: 'input', output: 'output', cacheRead: 'cache reads', cacheWrite5m: 'cache writes', cacheWrite1h: 'long cache writes',
}

function dearerIn (source: PricedModel, target: PricedModel): string | null {
  for (const [rate, kind] of Object.entries(KINDS) as [keyof Rates, string][]) {
    const [from, to] = [source.rates[rate], target.rates[rate]]
    if (from !== null && (to === null || to > from)) return kind
  }
  for (const [unit, from] of Object.entries(source.unitRates)) {
    const to = unitRate(target, unit)
    if (to === null || to > from) return unit
  }
  return null
}
