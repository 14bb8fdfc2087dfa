import t from 'tap'
import { anthropic } from '../../src/providers/anthropic/index.ts'
import { gemini } from '../../src/providers/gemini/index.ts'
import { providers } from '../../src/providers/index.ts'
import { openai } from '../../src/providers/openai/index.ts'

t.test('no provider has the same path twice', async (t) => {
  for (const { name, endpoints } of providers) {
    const paths = endpoints.map(({ method, path }) => `${method} ${path}`)
    t.equal(new Set(paths).size, paths.length, name)
  }
})

t.test('each provider gets its credential where it looks for it', async (t) => {
  t.strictSame(openai.credential('k'), { authorization: 'Bearer k' })
  t.strictSame(anthropic.credential('k'), { 'x-api-key': 'k' })
  t.strictSame(gemini.credential('k'), { 'x-goog-api-key': 'k' })
})

t.test('the catalog\'s models are listed in the shape of each SDK', async (t) => {
  const parsed = (text: string | null) => JSON.parse(text ?? 'null') as unknown
  t.match(parsed(openai.dialect.renderModels(['a', 'b'])), { object: 'list', data: [{ id: 'a', object: 'model' }, { id: 'b' }] })
  t.match(parsed(openai.dialect.renderModels(['a'], 'a')), { id: 'a', object: 'model', owned_by: 'openai' })
  t.match(parsed(anthropic.dialect.renderModels(['a', 'b'])), {
    data: [{ id: 'a', type: 'model', display_name: 'a' }, { id: 'b' }], has_more: false, first_id: 'a', last_id: 'b',
  })
  t.match(parsed(anthropic.dialect.renderModels([])), { data: [], has_more: false, first_id: null, last_id: null })
  t.match(parsed(anthropic.dialect.renderModels(['a'], 'a')), { id: 'a', type: 'model' })
  t.match(parsed(gemini.dialect.renderModels(['a', 'b'])), { models: [{ name: 'models/a', displayName: 'a' }, { name: 'models/b' }] })
  t.match(parsed(gemini.dialect.renderModels(['a'], 'a')), { name: 'models/a' })
  for (const provider of providers) t.equal(provider.dialect.renderModels(['a'], 'b'), null)
})
