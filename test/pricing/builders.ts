import fc from 'fast-check'
import { CatalogPriceBook } from '../../src/pricing/price-book.ts'
import { type CallBound, type PricedModel } from '../../src/pricing/price.ts'
import { isCountedUnit, isInputUnit, isOutputUnit } from '../../src/usage/units.ts'
import { type Usage } from '../../src/usage/usage.ts'

export const book = new CatalogPriceBook()
/** so that no test depends on the day */
export const AT = Date.UTC(2026, 10, 26)
export const models = book.providers.flatMap((provider) => book.list(provider, AT))

export function aModel (provider: string, name: string, over: Partial<PricedModel> = {}): PricedModel {
  const model = book.find(provider, name, AT)
  if (model === null) throw new Error(`no such model: ${provider}/${name}`)
  return { ...model, ...over }
}

export function aUsage (over: Partial<Usage> = {}): Usage {
  return {
    inputTokens: 0,
    cacheReadTokens: 0,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    webSearches: 0,
    tier: null,
    ...over,
  }
}

export function aBound (over: Partial<CallBound> = {}): CallBound {
  return {
    inputTokens: 100, outputTokens: 1_000, choices: 1, cacheWrite: 'none', tier: null, webSearches: 0, ...over,
  }
}

/** Token counts that like to lie at the edges of the catalog. */
export const aCount = fc.oneof(
  fc.integer({ min: 0, max: 5_000 }),
  fc.integer({ min: 0, max: 2_000_000 }),
  fc.constantFrom(0, 1, 99_999, 100_000, 100_001, 199_999, 200_000, 200_001, 271_999, 272_000, 272_001, 1_050_001)
)

const UNITS = [
  'inputAudioTokens', 'cachedAudioTokens', 'inputImageTokens', 'outputAudioTokens', 'seconds', 'images', 'images/hd/1024x1792',
  'fileSearches', 'groundedQueries',
]
const unitRates = fc.dictionary(fc.constantFrom(...UNITS), fc.bigInt({ min: 1n, max: 10n ** 17n }), {
  maxKeys: 6, noNullPrototype: true,
})

/** A model whose prices nobody would ask for: cheaper when long, caches dearer to read than input, odd multipliers. */
const anInventedModel: fc.Arbitrary<PricedModel> = fc.record({
  rates: fc.array(fc.bigInt({ min: 1n, max: 100_000_000_000n }), { minLength: 15, maxLength: 15 }),
  tiers: fc.integer({ min: 0, max: 2 }),
  contextWindow: fc.integer({ min: 1, max: 300_000 }),
  maxOutput: fc.integer({ min: 1, max: 300_000 }),
  cachesUnasked: fc.boolean(),
  multipliers: fc.dictionary(fc.constantFrom('flex', 'priority', 'fast', 'us'),
    fc.constantFrom('0.5', '0.333', '1.1', '5/3', '1/7', '20/11', '6'), { maxKeys: 4 }),
  units: fc.array(unitRates, { minLength: 3, maxLength: 3 }),
}).map((raw) => {
  const rates = (i: number) => ({
    input: raw.rates[i] as bigint,
    cacheRead: raw.rates[i + 1] as bigint,
    cacheWrite5m: raw.rates[i + 2] as bigint,
    cacheWrite1h: raw.rates[i + 3] as bigint,
    output: raw.rates[i + 4] as bigint,
  })
  const units = (i: number) => ({ ...raw.units[0], ...raw.units[i] })
  const tiers = [
    { fromInputTokens: 1_000, rates: rates(5), unitRates: units(1) },
    { fromInputTokens: 100_000, rates: rates(10), unitRates: units(2) },
  ]
  const { contextWindow, cachesUnasked, multipliers } = raw
  return {
    provider: 'invented',
    model: 'invented',
    contextWindow,
    maxOutput: Math.min(raw.maxOutput, contextWindow),
    reasoning: false,
    cachesUnasked,
    rates: rates(0),
    unitRates: units(0),
    tiers: tiers.slice(0, raw.tiers).filter((tier) => tier.fromInputTokens <= contextWindow),
    multipliers,
    webSearchNano: 10_000_000n,
    priceVersion: 'invented',
  }
})

export const anyModel = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...models) }, anInventedModel)

/** What the model may be asked for: nothing, or some of its modifiers. */
const someModifiers = (model: PricedModel) => fc.subarray(Object.keys(model.multipliers))
const joined = (modifiers: string[]) => modifiers.length === 0 ? null : modifiers.join('+')

/**
 * A bound, and a usage that keeps within it but in every other way does what it likes; any mix of what the bound
 * permits, served with all the modifiers that were asked for or only with some of them.
 */
export const aCallWithinItsBound = anyModel.chain((model) => fc.record({
  model: fc.constant(model),
  inputTokens: fc.oneof(aCount, fc.constant(Infinity), fc.double({ min: 0, max: 1e7, noNaN: true })),
  outputTokens: fc.option(aCount),
  choices: fc.integer({ min: 1, max: 5 }),
  cacheWrite: fc.constantFrom('none' as const, '5m' as const, ...model.rates.cacheWrite1h === null ? [] : ['1h' as const]),
  webSearches: model.webSearchNano === null
    ? fc.constant(0)
    : fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 5 })),
  asked: someModifiers(model),
  inputs: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 50 })),
  named: fc.subarray(Object.keys(model.unitRates)),
  most: fc.nat({ max: 1_000 }),
  shares: fc.array(fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
    { minLength: 6 + UNITS.length, maxLength: 6 + UNITS.length }),
  dropped: fc.nat({ max: 15 }),
})).map(({ model, shares, asked, dropped, named, most, ...raw }) => {
  const bound: CallBound = { ...raw, tier: joined(asked), ...boundOf(named, most) }
  const share = (i: number) => shares[i] as number
  const window = model.contextWindow
  const readable = raw.webSearches === 0
    ? Math.min(Math.ceil(raw.inputTokens), window * raw.inputs)
    : window * raw.inputs * (raw.webSearches + 1)
  let left = Math.floor(readable * share(0))
  const take = (i: number) => {
    const taken = Math.floor(left * share(i))
    left -= taken
    return taken
  }
  const longest = Math.min(raw.outputTokens ?? model.maxOutput, model.maxOutput) * raw.choices * (raw.webSearches + 1)
  const units: Record<string, number> = {}
  let longestLeft = Math.floor(longest * share(4))
  named.forEach((unit, i) => {
    const of = share(6 + i)
    if (isInputUnit(unit)) units[unit] = take(6 + i)
    else if (isOutputUnit(unit)) longestLeft -= units[unit] = Math.floor(longestLeft * of)
    else units[unit] = Math.floor(most * of)
  })
  const writes = raw.cacheWrite !== 'none' || model.cachesUnasked
  const usage = aUsage({
    cacheReadTokens: take(1),
    cacheWrite5mTokens: writes ? take(2) : 0,
    cacheWrite1hTokens: raw.cacheWrite === '1h' ? take(3) : 0,
    inputTokens: left,
    outputTokens: longestLeft,
    webSearches: Math.floor(raw.webSearches * share(5)),
    tier: joined(asked.filter((_, i) => (dropped >> i & 1) === 0)),
    ...named.length === 0 ? {} : { units },
  })
  return { model, bound, usage }
})

function boundOf (named: readonly string[], most: number): Pick<CallBound, 'inputUnits' | 'outputUnits' | 'units'> {
  return {
    inputUnits: named.filter(isInputUnit),
    outputUnits: named.filter(isOutputUnit),
    units: Object.fromEntries(named.filter(isCountedUnit).map((unit) => [unit, most])),
  }
}
