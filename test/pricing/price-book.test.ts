import t from 'tap'
import { CATALOG } from '../../src/pricing/catalog-data.ts'
import { type CatalogProvider } from '../../src/pricing/catalog.ts'
import { CatalogPriceBook } from '../../src/pricing/price-book.ts'
import { book } from './builders.ts'

t.test('a model is found by its name, an alias or a dated snapshot', async (t) => {
  t.equal(book.find('openai', 'gpt-5')?.model, 'gpt-5')
  t.equal(book.find('openai', 'gpt-5-2025-08-07')?.model, 'gpt-5')
  t.equal(book.find('openai', 'gpt-5.6')?.model, 'gpt-5.6-sol')
  t.equal(book.find('openai', 'gpt-5.6-2026-07-09')?.model, 'gpt-5.6-sol', 'a snapshot of an alias')
  t.equal(book.find('anthropic', 'claude-haiku-4-5-20251001')?.model, 'claude-haiku-4-5')
  t.equal(book.find('anthropic', 'claude-opus-4-20250514')?.model, 'claude-opus-4-0')
  t.equal(book.find('openai', 'gpt-4o-2024-05-13')?.rates.input, 5_000_000_000n, 'a snapshot with its own price')
  t.equal(book.find('openai', 'gpt-4o-2024-11-20')?.rates.input, 2_500_000_000n)
})

t.test('a model is never found by a prefix, nor where it is not', async (t) => {
  const names = [
    'gpt-4o-foo', 'gpt', '', 'claude-sonnet-5-7', '__proto__', 'constructor', 'toString', 'GPT-4o', 'gpt-4o-2024',
    'gpt-4o-2024-05', 'gpt-4o-20240513x', 'ft:gpt-4o-2024-08-06', 'models/gpt-4o', ' gpt-4o', '-2025-08-07',
    'gpt-5-2025-08-07-2025-08-07', `gpt-5${'-2025-08-07'.repeat(100_000)}`,
  ]
  for (const name of names) t.equal(book.find('openai', name), null, name.slice(0, 40))
  t.equal(book.find('constructor', 'gpt-4o'), null)
  t.equal(book.find('anthropic', 'gpt-4o'), null)
  t.same(book.list('constructor'), [])
})

t.test('the version of a price names its provider, its model and its catalog', async (t) => {
  const small = new CatalogPriceBook(CATALOG, '2030-01-02')
  t.equal(small.find('openai', 'gpt-5-2025-08-07')?.priceVersion, 'openai/gpt-5@2030-01-02')
})

t.test('a list has each model once, in the order of the catalog', async (t) => {
  for (const { provider, models } of CATALOG) {
    t.same(book.list(provider).map(({ model }) => model), models.map(({ model }) => model))
  }
})

t.test('a name that stands for two models stops the start', async (t) => {
  const [provider] = CATALOG as [CatalogProvider]
  const twice = { ...provider, models: [...provider.models, { ...provider.models[0], model: 'gpt-0', aliases: ['o1'] }] }
  t.throws(() => new CatalogPriceBook([twice as CatalogProvider]), { message: 'catalog: openai/o1 is there twice' })
  t.throws(() => new CatalogPriceBook([provider, provider]), { message: 'catalog: provider openai is there twice' })
})
