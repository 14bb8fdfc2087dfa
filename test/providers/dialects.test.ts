import t from 'tap'
import { anthropic } from '../../src/providers/anthropic/index.ts'
import { providers } from '../../src/providers/index.ts'
import { openai } from '../../src/providers/openai/index.ts'

t.test('each dialect lists what is billable and what is free; nothing else is there', async (t) => {
  const paths = Object.fromEntries(providers.map(({ name, endpoints }) =>
    [name, endpoints.map(({ kind, method, path }) => `${kind} ${method} ${path}`)]))
  t.strictSame(paths, {
    openai: ['billable POST /v1/chat/completions', 'free GET /v1/models', 'free GET /v1/models/{model+}'],
    anthropic: ['billable POST /v1/messages', 'free POST /v1/messages/count_tokens', 'free GET /v1/models', 'free GET /v1/models/{model+}'],
  })
})

t.test('each provider gets its credential where it looks for it', async (t) => {
  t.strictSame(openai.credential('k'), { authorization: 'Bearer k' })
  t.strictSame(anthropic.credential('k'), { 'x-api-key': 'k' })
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
  for (const provider of providers) t.equal(provider.dialect.renderModels(['a'], 'b'), null)
})
