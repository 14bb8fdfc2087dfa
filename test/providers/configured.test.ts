import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { CatalogPriceBook } from '../../src/pricing/price-book.ts'
import { NamedPrices } from '../../src/pricing/named-prices.ts'
import { configuredProviders } from '../../src/providers/configured.ts'
import { providers } from '../../src/providers/index.ts'

const configured = (env: NodeJS.ProcessEnv) => configuredProviders(loadConfig(env), env)
const named = (env: NodeJS.ProcessEnv, name: string) => configured(env).find(({ provider }) => provider.name === name)

t.test('each provider that the gateway knows has settings of its own', async (t) => {
  const env = Object.fromEntries(providers.flatMap(({ name }) => [
    [`RELAYCORE_${name.toUpperCase()}_BASE_URL`, `http://${name}.invalid`], [`RELAYCORE_${name.toUpperCase()}_API_KEY`, `key of ${name}`],
  ]))
  for (const { provider: { name }, url, apiKey } of configured(env)) {
    t.same({ url, apiKey }, { url: `http://${name}.invalid`, apiKey: `key of ${name}` }, name)
  }
})

t.test('without settings a provider says what it lacks', async (t) => {
  t.match(named({}, 'openai'), { url: 'https://api.openai.com', apiKey: null, settingName: 'RELAYCORE_OPENAI_API_KEY' })
  t.match(named({}, 'vllm'), { url: null, settingName: 'RELAYCORE_VLLM_BASE_URL' })
  t.match(named({ RELAYCORE_VLLM_BASE_URL: 'http://gpu:8000' }, 'vllm'), { url: 'http://gpu:8000', apiKey: null, settingName: null })
  t.match(named({}, 'ollama'), { url: 'http://127.0.0.1:11434', settingName: null })
})

t.test('any server that speaks a dialect is set up by configuration alone', async (t) => {
  const env = {
    RELAYCORE_PROVIDERS: JSON.stringify({
      house: { url: 'http://gpu.invalid:8000/v3', apiKeyEnv: 'HOUSE_KEY', onDisconnect: 'abort' },
      claude: { url: 'http://claude.invalid', dialect: 'anthropic' },
      groq: { onDisconnect: 'abort' },
    }),
    HOUSE_KEY: 'k',
  }
  t.match(named(env, 'house'), {
    url: 'http://gpu.invalid:8000/v3',
    apiKey: 'k',
    asWritten: true,
    onDisconnect: 'abort',
    settingName: null,
    provider: { endpoints: [{ path: '/v1/chat/completions' }] },
  })
  t.match(named(env, 'claude'), { apiKey: null, provider: { dialect: { name: 'anthropic' }, endpoints: [{ path: '/v1/messages' }] } })
  t.match(named(env, 'groq'), { onDisconnect: 'abort', url: 'https://api.groq.com' })
})

t.test('what cannot be is refused by its name', async (t) => {
  const bad: [object, RegExp][] = [
    [{ RELAYCORE_PROVIDERS: '{"house":{}}' }, /providers\.house\.url must be set/],
    [{ RELAYCORE_PROVIDERS: '{"api":{"url":"http://x"}}' }, /providers\.api: the name is taken/],
    [{ RELAYCORE_PROVIDERS: '{"openai":{"dialect":"anthropic"}}' }, /providers\.openai\.dialect cannot be set/],
    [{ RELAYCORE_PROVIDERS: '{"house":{"url":"http://x","apiKeyEnv":"NOWHERE"}}' }, /apiKeyEnv names NOWHERE, which is not set/],
    [{ RELAYCORE_PROVIDERS: '{"House":{"url":"http://x"}}' }, /RELAYCORE_PROVIDERS must be an object of providers by name/],
    [{ RELAYCORE_PROVIDERS: 'x' }, /RELAYCORE_PROVIDERS must be an object of providers by name/],
    [{ RELAYCORE_ALLOW_UNMETERED: 'POST /nobody/v1/files' }, /is below no provider/],
    [{ RELAYCORE_ALLOW_UNMETERED: 'POST /openai/v1/chat/completions' }, /is known, and cannot be allowed unmetered/],
    [{ RELAYCORE_ALLOW_UNMETERED: 'POST /openai/v1/files?x' }, /RELAYCORE_ALLOW_UNMETERED must be a list/],
  ]
  for (const [env, message] of bad) {
    t.throws(() => configured(env as NodeJS.ProcessEnv), { message }, JSON.stringify(env))
  }
})

t.test('an exact path can be allowed unmetered', async (t) => {
  const openai = named({ RELAYCORE_ALLOW_UNMETERED: 'POST /openai/v1/uploads, DELETE /openai/v1/uploads/f' }, 'openai')
  t.match(openai?.provider.endpoints.slice(-2), [
    { kind: 'free', name: 'unmetered', method: 'POST', path: '/v1/uploads', served: 'forward' }, { method: 'DELETE', path: '/v1/uploads/f' },
  ])
})

t.test('a provider may have other names for models, and another one\'s prices', async (t) => {
  const prices = new NamedPrices(new CatalogPriceBook(), {
    house: { pricesOf: ['openai'], models: { 'my-deployment': 'gpt-4o' } }, openai: {}, other: { pricesOf: ['nobody'] },
  })
  const gpt = prices.find('openai', 'gpt-4o', 0)
  t.ok(gpt)
  t.equal(prices.find('house', 'my-deployment', 0), gpt)
  t.equal(prices.find('house', 'gpt-4o', 0), gpt)
  t.equal(prices.find('other', 'gpt-4o', 0), null)
  t.equal(prices.find('house', 'toString', 0), null)
  t.ok(prices.list('house', Date.now()).length > 10)
})
