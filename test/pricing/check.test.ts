import t from 'tap'
import { checkPrices, type PriceCheck } from '../../src/pricing/check.ts'
import { laid, type LaidCatalog } from '../../src/pricing/layers.ts'
import { CatalogPriceBook } from '../../src/pricing/price-book.ts'
import { readPriceFile } from '../../src/pricing/price-file.ts'
import { AT } from './builders.ts'

const LIMITS = { contextWindow: 1_000, maxOutput: 100, reasoning: false }
const CATALOG: LaidCatalog = {
  schema: 1,
  version: '2026-11-26',
  providers: [{
    provider: 'openai',
    checkedAt: '2026-11-20',
    cachesUnasked: false,
    models: [
      { model: 'big', ...LIMITS, input: '2', output: '8', tiers: [{ fromInputTokens: 501, input: '4', output: '16' }] },
      { model: 'old', ...LIMITS, input: '1', output: '1', checkedAt: '2026-01-01' },
      { model: 'heard', ...LIMITS, contextWindow: 0, maxOutput: 0, units: { seconds: '100' } },
    ],
  }],
}

const check = (over: Partial<PriceCheck> & { catalog?: LaidCatalog } = {}) => {
  const catalog = over.catalog ?? CATALOG
  const found = checkPrices({
    prices: new CatalogPriceBook(catalog), namings: {}, against: null, now: AT, days: 90, ...over, catalog,
  })
  return found.map(({ kind, where, says }) => `${kind} ${where}: ${says}`)
}
const against = (openai: object) =>
  ({ name: 'theirs.json', file: readPriceFile(JSON.stringify({ version: 'x', providers: { openai } })) })

t.test('a price is old when nobody looked at it for so long, unless it was said here', async (t) => {
  t.same(check(), ['old openai: the prices of one model were looked at on 2026-01-01, 329 days ago'])
  t.same(check({ days: 3 }), [
    'old openai: the prices of 2 models were looked at on 2026-11-20, 6 days ago',
    'old openai: the prices of one model were looked at on 2026-01-01, 329 days ago',
  ])
  const said = [{ provider: 'openai', model: 'old', since: 0, said: { input: '1', output: '2' }, version: 'ours' }]
  t.same(check({ catalog: laid(CATALOG, said) }), [])
})

t.test('what the settings name and has no price is missing', async (t) => {
  const namings = {
    azure: { models: { prod: 'big', other: 'bigger' }, pricesOf: ['openai'], deployments: true },
    house: { pricesOf: ['nobody'] },
    openai: { unknownModels: 'priceAs:none' as const },
  }
  t.same(check({ namings, days: 999 }), [
    'missing azure: providers.azure.models calls other bigger, which has no price',
    'missing house: providers.house.pricesOf is nobody, of which no price is known',
    'missing openai: providers.openai.unknownModels is priceAs:none, which has no price',
  ])
})

t.test('where a file has other prices, both are said; what it does not say is not compared', async (t) => {
  const differ = (openai: object) => check({ against: against(openai), days: 999 })
  t.same(differ({ big: { input: '2.0', output: '8' }, heard: { units: { seconds: '100' } } }), [])
  t.same(differ({ big: { input: '2.5', output: '8', cacheRead: '0.2', contextWindow: 2_000 } }),
    ['differs openai/big: input 2 here, 2.5 there; cacheRead 2 here, 0.2 there; contextWindow 1000 here, 2000 there'])
  t.same(differ({ heard: { units: { seconds: '90', pages: '1' } } }), ['differs openai/heard: seconds 100 here, 90 there; pages none here, 1 there'])
  const tier = (from: number, input: string) => ({ big: { tiers: [{ fromInputTokens: from, input }] } })
  t.same(differ(tier(500, '4')), [], 'whether a tier begins at or behind its limit is told differently')
  t.same(differ(tier(501, '5')), ['differs openai/big: input from 501 tokens 4 here, 5 there'])
  t.same(differ(tier(800, '4')), ['differs openai/big: no tier from 800 tokens here'])
  t.same(differ({ small: { input: '1', output: '1' }, tiny: { input: '1' } }), ['missing openai: theirs.json has prices that are not here: small, tiny'])
  const later = { big: { input: '9', output: '9', since: '2027-01-01' } }
  t.same(differ(later), [], 'a price to come is none yet')
})
