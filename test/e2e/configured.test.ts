import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startProvider } from '../provider/provider.ts'
import { aGateway } from './gateway.ts'

t.test('servers by configuration alone are called where they are, under their own names and at the prices said', async (t) => {
  const server = await startProvider()
  t.teardown(() => server.close())
  const gateway = await aGateway(t, {
    RELAYCORE_PROVIDERS: JSON.stringify({
      house: { url: `${server.url}/tenant/v1`, pricesOf: 'openai', models: { 'our-model': 'gpt-4o' } },
      odd: { url: `${server.url}/v3`, pricesOf: 'openai' },
    }),
    RELAYCORE_ALLOW_UNMETERED: 'POST /house/v1/files',
  })
  await gateway.budget()
  const headers = { authorization: `Bearer ${await gateway.key()}`, 'content-type': 'application/json' }
  const post = async (path: string, body: object) =>
    await fetch(gateway.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  const call = { max_tokens: 50, messages: [] }

  const house = await post('/house/v1/chat/completions', { ...call, model: 'our-model' })
  const odd = await post('/odd/v1/chat/completions', { ...call, model: 'gpt-4o' })
  const unmetered = await post('/house/v1/files', { purpose: 'none' })

  t.equal(house.status, 200)
  t.match(await odd.text(), /./)
  t.ok(unmetered.status < 500)
  t.same(server.books.map(({ path }) => path), ['/tenant/v1/chat/completions', '/v3/chat/completions', '/tenant/v1/files'])
  t.equal(server.books[0]?.headers.authorization, undefined, 'no key is sent where none is set, and never the gateway\'s')
  const events = await gateway.events()
  t.match(events, [{ provider: 'house', model: 'gpt-4o', certainty: 'exact' }, { provider: 'odd', outcome: 'upstream_error' }])
  t.ok(BigInt(String(events[0]?.['cost_nano'])) > 0n)
  t.equal(events.length, 2, 'what is allowed unmetered leaves no event')
  t.equal((await post('/house/v1/images/variations', {})).status, 403)
  const others = ['completions', 'responses', 'embeddings', 'images/generations', 'images/edits', 'audio/speech']
  for (const path of others) t.equal((await post(`/house/v1/${path}`, {})).status, 400, path)
})

t.test('an organization\'s calls go out with its own key, and a new one is used at once', async (t) => {
  const keys = (acme: string) => JSON.stringify({ openai: { apiKey: 'sk-all', organizations: { acme } } })
  const path = join(t.testdir({ keys: keys('sk-acme') }), 'keys')
  const gateway = await aGateway(t, { RELAYCORE_PROVIDER_KEYS: path, RELAYCORE_UNBUDGETED: 'allow' })
  const [acme, other] = [await gateway.key(), await gateway.key({ organizationId: 'other' })]
  const sent = async (key: string) => {
    t.equal((await gateway.chat(key, {})).status, 200)
    return gateway.provider.books.at(-1)?.headers.authorization
  }

  t.equal(await sent(acme), 'Bearer sk-acme')
  t.equal(await sent(other), 'Bearer sk-all')
  writeFileSync(path, keys('sk-rotated'))
  await gateway.core.keyFile?.look()
  t.equal(await sent(acme), 'Bearer sk-rotated')
  t.notMatch(gateway.logs.join('\n'), /sk-/)
})
