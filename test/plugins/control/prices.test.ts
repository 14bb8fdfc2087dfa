import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { PostgresPriceStore } from '../../../src/stores/postgres/price-store.ts'
import { aGateway } from '../../e2e/gateway.ts'

// Prices by the admin API and by a file, and what they do to calls.

t.test('prices that are added count for calls that open from then on, here at once and elsewhere with the next look', async (t) => {
  const gateway = await aGateway(t)
  const { admin, provider, core } = gateway
  provider.behave = () => ({ usage: { input: 1_000, output: 1_000 } })
  await gateway.budget()
  const key = await gateway.key()
  const costOf = async (model: string) => {
    t.equal((await gateway.chat(key, { model, max_tokens: 2_000, messages: [] })).status, 200)
    return (await gateway.events()).at(-1)
  }
  t.match(await costOf('gpt-4o'), { cost_nano: '12500000', certainty: 'exact' })

  const said = { provider: 'openai', model: 'gpt-4o', prices: { input: '1', output: '2' } }
  const added = await admin('POST', '/prices', said)
  t.match(added, { status: 201, body: { provider: 'openai', model: 'gpt-4o', prices: { input: '1', output: '2' }, effectiveAt: String } })
  t.match(await costOf('gpt-4o-2024-08-06'), { cost_nano: '3000000', price_version: `openai/gpt-4o@api.${String(added.body['effectiveAt'])}` })
  const same = { ...said, effectiveAt: added.body['effectiveAt'] }
  t.match(await admin('POST', '/prices', same), { status: 201 }, 'the same again is one')
  t.match(await admin('POST', '/prices', { ...same, prices: { input: '3', output: '3' } }), { status: 409, body: { code: 'conflict' } })

  const later = new Date(Date.now() + 3_600_000).toISOString()
  await admin('POST', '/prices', { ...said, prices: { input: '9', output: '9' }, effectiveAt: later })
  t.match(await costOf('gpt-4o'), { cost_nano: '3000000' }, 'not yet')

  const tiny = { contextWindow: 8_000, maxOutput: 4_000, input: '0.5', output: '0.5' }
  // as another gateway does it
  await new PostgresPriceStore(core.database).add({
    provider: 'openai', model: 'tiny', since: Date.now() - 3_600_000, said: tiny, version: '',
  })
  await core.registry.refresh()
  t.match(await costOf('tiny'), { cost_nano: '1000000' })

  const listed = await admin('GET', '/prices?provider=openai&limit=2')
  t.match(listed.body, { count: 2, prices: [{ model: 'gpt-4o', effectiveAt: later, prices: { input: '9' } }, { model: 'gpt-4o' }] })
  const next = await admin('GET', `/prices?provider=openai&limit=2&cursor=${String(listed.body['nextCursor'])}`)
  t.match(next.body, { count: 1, nextCursor: null, prices: [{ model: 'tiny' }] })
  t.match((await admin('GET', '/prices?model=gpt-4o')).body, { count: 2 })

  for (const [body, field] of [
    [{ ...said, provider: 'Open AI' }, 'provider'], [{ ...said, model: ' ' }, 'model'], [{ ...said, prices: {} }, 'prices'],
    [{ ...said, prices: { input: '1e3', output: '1' } }, 'prices'], [{ ...said, model: 'new', prices: { input: '1', output: '1' } }, 'prices'],
    [{ ...said, prices: { output: '8' } }, 'prices.input'], [{ ...said, prices: { input: '8' } }, 'prices.output'],
    [{ ...said, prices: { tiers: [] } }, 'prices.input'],
    [{ ...said, effectiveAt: 'soon' }, 'effectiveAt'], [{ ...said, prices: { input: '1', output: '1', tiers: [{ fromInputTokens: 5, input: '1' }] } }, 'prices'],
  ] as const) t.match(await admin('POST', '/prices', body), { status: 400, body: { field } }, JSON.stringify(body))
})

t.test('a file of prices counts from the start on, and models without a price as their provider\'s setting says', async (t) => {
  const file = join(t.testdir({}), 'prices.yaml')
  writeFileSync(file, 'version: mine\nproviders: { openai: { gpt-4o: { input: "1", output: "1" } } }\n')
  const unknown = { openai: { unknownModels: 'allowUnpriced' }, anthropic: { unknownModels: 'priceAs:claude-sonnet-5' } }
  const gateway = await aGateway(t, { RELAYCORE_PRICES: file, RELAYCORE_PROVIDERS: JSON.stringify(unknown) })
  gateway.provider.behave = () => ({ usage: { input: 1_000, output: 1_000 } })
  const budget = await gateway.budget({ amount: '0.005' })
  const key = await gateway.key()
  t.equal((await gateway.chat(key, { model: 'gpt-4o', max_tokens: 2_000, messages: [] })).status, 200)
  const through = await gateway.chat(key, { model: 'gpt-0', messages: [] })
  t.equal(through.status, 200)
  t.equal(through.headers.get('x-relaycore-quote'), '0')
  const message = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'claude-0', max_tokens: 500, messages: [{ role: 'user', content: 'hi' }] }),
  })
  t.equal(message.status, 402, 'priced as another, it does not fit')
  t.match(await gateway.events(), [
    { model: 'gpt-4o', cost_nano: '2000000', price_version: 'openai/gpt-4o@mine', certainty: 'exact' },
    { model: 'gpt-0', cost_nano: '0', quote_nano: '0', certainty: 'uncertain', price_version: 'openai/gpt-0@unpriced', input_tokens: '1000' },
  ])
  t.match((await gateway.admin('GET', `/budgets/${budget}/status`)).body, { currentAmount: '0.002' })
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
  t.match(metrics, /relaycore_unknown_model_calls_total\{provider="openai",assumed="unpriced"\} 1/)
  t.match(metrics, /relaycore_calls_total\{provider="openai",model="other",outcome="completed"\} 1/)
})
