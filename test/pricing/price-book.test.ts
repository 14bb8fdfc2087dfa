import t from 'tap'
import { type CatalogFile } from '../../src/pricing/catalog.ts'
import { ownCatalog } from '../../src/pricing/catalog-file.ts'
import { CatalogPriceBook } from '../../src/pricing/price-book.ts'
import { AT, book } from './builders.ts'

t.test('a model is found by its name, an alias or a dated snapshot', async (t) => {
  t.equal(book.find('openai', 'gpt-5', AT)?.model, 'gpt-5')
  t.equal(book.find('openai', 'gpt-5-2025-08-07', AT)?.model, 'gpt-5')
  t.equal(book.find('openai', 'gpt-5.6', AT)?.model, 'gpt-5.6-sol')
  t.equal(book.find('openai', 'gpt-5.6-2026-07-09', AT)?.model, 'gpt-5.6-sol', 'a snapshot of an alias')
  t.equal(book.find('anthropic', 'claude-haiku-4-5-20251001', AT)?.model, 'claude-haiku-4-5')
  t.equal(book.find('anthropic', 'claude-opus-4-20250514', AT)?.model, 'claude-opus-4-0')
  t.equal(book.find('openai', 'gpt-4o-2024-05-13', AT)?.rates.input, 5_000_000_000n, 'a snapshot with its own price')
  t.equal(book.find('openai', 'gpt-4o-2024-11-20', AT)?.rates.input, 2_500_000_000n)
})

t.test('a model is never found by a prefix, nor where it is not', async (t) => {
  const names = [
    'gpt-4o-foo', 'gpt', '', 'claude-sonnet-5-7', '__proto__', 'constructor', 'toString', 'GPT-4o', 'gpt-4o-2024',
    'gpt-4o-2024-05', 'gpt-4o-20240513x', 'ft:gpt-4o-2024-08-06', 'models/gpt-4o', ' gpt-4o', '-2025-08-07',
    'gpt-5-2025-08-07-2025-08-07', `gpt-5${'-2025-08-07'.repeat(100_000)}`,
  ]
  for (const name of names) t.equal(book.find('openai', name, AT), null, name.slice(0, 40))
  t.equal(book.find('constructor', 'gpt-4o', AT), null)
  t.equal(book.find('anthropic', 'gpt-4o', AT), null)
  t.same(book.list('constructor', AT), [])
})

t.test('the version of a price names its provider, its model and its catalog', async (t) => {
  const small = new CatalogPriceBook({ ...ownCatalog(), version: '2030-01-02' })
  t.equal(small.find('openai', 'gpt-5-2025-08-07', AT)?.priceVersion, 'openai/gpt-5@2030-01-02')
})

t.test('a list has each model once, in the order of the catalog', async (t) => {
  for (const { provider, models } of ownCatalog().providers) {
    t.same(book.list(provider, AT).map(({ model }) => model), models.map(({ model }) => model))
  }
})

t.test('a name that stands for two models stops the start', async (t) => {
  const [provider] = ownCatalog().providers as [CatalogFile['providers'][0]]
  const twice = { ...provider, models: [...provider.models, { ...provider.models[0], model: 'gpt-0', aliases: ['o1'] }] }
  const of = (providers: object[]) => () => new CatalogPriceBook({ schema: 1, version: '1', providers } as CatalogFile)
  t.throws(of([twice]), { message: 'catalog: openai/o1 is there twice' })
  t.throws(of([provider, provider]), { message: 'catalog: provider openai is there twice' })
})

t.test('the price in force when a call opens counts', async (t) => {
  const rates = { input: '1', output: '2' }
  const model = {
    model: 'one',
    contextWindow: 10,
    maxOutput: 10,
    reasoning: false,
    ...rates,
    changes: [
      { since: '2026-03-01T00:00:00.000Z', input: '3', output: '4' }, { since: '2027-01-01T00:00:00.000Z', input: '5', output: '6' },
    ],
  }
  const dated = new CatalogPriceBook({ schema: 1, version: '1', providers: [{ provider: 'acme', cachesUnasked: false, models: [model] }] })
  const at = (time: number) => [dated.find('acme', 'one', time)?.rates.input, dated.list('acme', time)[0]?.priceVersion]
  t.same(at(0), [1_000_000_000n, 'acme/one@1'])
  t.same(at(Date.UTC(2026, 2, 1) - 1), [1_000_000_000n, 'acme/one@1'])
  t.same(at(Date.UTC(2026, 2, 1)), [3_000_000_000n, 'acme/one@1+2026-03-01'])
  t.same(at(Date.UTC(2027, 0, 1)), [5_000_000_000n, 'acme/one@1+2027-01-01'])
})

t.test('names of every provider are read as they are', async (t) => {
  const names: [string, string, string?][] = [
    ['gemini', 'gemini-2.5-flash'], ['vertex', 'claude-sonnet-4-5@20250929', 'claude-sonnet-4-5'], ['vertex', 'gemini-3.1-pro-preview'],
    ['azure', 'gpt-4o'], ['azure', 'text-embedding-3-small'], ['bedrock', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
    ['bedrock', 'global.anthropic.claude-sonnet-5'], ['mistral', 'mistral-large-latest'], ['cohere', 'command-a-03-2025', 'command-a'],
    ['openrouter', 'anthropic/claude-sonnet-5'], ['groq', 'openai/gpt-oss-120b'], ['deepseek', 'deepseek-v4-pro'], ['xai', 'grok-4.7'],
  ]
  for (const [provider, name, is = name] of names) t.equal(book.find(provider, name, AT)?.model, is, `${provider}/${name}`)
})
