import { monitorEventLoopDelay } from 'node:perf_hooks'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { Core } from '../../src/core.ts'
import { type Behaviour } from '../provider/provider.ts'
import { aGateway, anOrganization, type Json } from './gateway.ts'

const code = (json: Json) => ((json['error'] as Json)['relaycore'] as Json)['code']

t.test('no key, a wrong one and a revoked one are told apart, and nothing is forwarded', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  await gateway.budget()
  const made = (await gateway.admin('POST', '/keys', { name: 'gone', organizationId })).body
  const revoked = String(made['key'])
  t.equal((await gateway.chat(revoked, {})).status, 200)
  t.equal((await gateway.admin('DELETE', `/keys/${made['id']}`)).status, 204)
  const bare = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body: '{}' })
  t.same([bare.status, code(await bare.json() as Json)], [401, 'key_missing'])
  const answers = [await gateway.chat('sk-wrong', {}), await gateway.chat(revoked, {})]
  t.same(answers.map(({ status, json }) => [status, code(json)]), [[401, 'key_invalid'], [401, 'key_revoked']])
  t.equal(gateway.provider.books.length, 1)
})

t.test('a body that is none is refused with what is wrong, and nothing is forwarded', async (t) => {
  const gateway = await aGateway(t, { RELAYCORE_BODY_LIMIT: '300000' })
  await gateway.budget()
  const key = await gateway.key()
  const deep = `{"model":"gpt-4o","messages":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
  const cases: [string, string | object, number, string][] = [
    ['not JSON', '{"model":', 400, 'invalid_request'],
    ['no object', '[1]', 400, 'invalid_request'],
    ['empty', '', 400, 'invalid_request'],
    ['over the limit', { messages: [{ role: 'user', content: 'x'.repeat(300_000) }] }, 413, 'body_too_large'],
    ['duplicate keys', '{"model":"gpt-4o","model":"gpt-5","messages":[]}', 400, 'invalid_request'],
    ['a negative limit', { max_tokens: -1 }, 400, 'invalid_request'],
    ['an unknown model', { model: 'gpt-77' }, 404, 'model_not_found'],
    ['a hosted tool', { tools: [{ type: 'web_search' }] }, 400, 'feature_not_metered'],
    ['a tier without a price', { service_tier: 'ultrafast' }, 400, 'feature_not_metered'],
  ]
  for (const [name, body, status, reason] of cases) {
    const answer = await gateway.chat(key, body)
    t.same([answer.status, code(answer.json)], [status, reason], name)
  }
  t.equal(gateway.provider.books.length, 0)
  t.equal((await gateway.chat(key, deep)).status, 200, 'deep nesting is the provider\'s to judge')
  const polluted = '{"model":"gpt-4o","max_tokens":5,"messages":[],"__proto__":{"model":"x"}}'
  t.equal((await gateway.chat(key, polluted)).status, 200)
  t.equal(({} as Json)['model'], undefined)
})

t.test('a run of 200 KB without a space does not hold up the event loop', async (t) => {
  const gateway = await anOrganization()
  await gateway.budget()
  const key = await gateway.key()
  const body = { messages: [{ role: 'user', content: 'a'.repeat(200_000) }] }
  await gateway.chat(key, body)
  const delays: number[] = []
  for (let i = 0; i < 5; i++) {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    t.equal((await gateway.chat(key, body)).status, 200)
    delay.disable()
    delays.push(delay.max / 1e6)
  }
  // the best of five: other processes share the machine
  t.ok(Math.min(...delays) < 20, `${delays.map(Math.round).join(', ')} ms`)
})

t.test('paths that are not known are refused with what is there', async (t) => {
  const gateway = await anOrganization()
  const headers = { authorization: `Bearer ${await gateway.key()}` }
  for (const path of ['/v1/videos', '/openai/v1/fine_tuning/jobs', '/anthropic/v1/agents', '/v1/chat/completions/']) {
    const answer = await fetch(gateway.url + path, { method: 'POST', headers })
    t.equal(answer.status, 403, path)
    t.match(await answer.text(), /path_not_allowed/)
  }
  t.equal(gateway.provider.books.length, 0)
})

t.test('what a provider does wrong is charged for what it is', async (t) => {
  const gateway = await aGateway(t, { RELAYCORE_UPSTREAM_HEADERS_MS: '1000', RELAYCORE_UPSTREAM_SILENCE_MS: '1000' })
  await gateway.budget()
  const key = await gateway.key()
  const cases: [string, Behaviour, object, string, string, boolean][] = [
    ['a 400', { status: 400 }, {}, 'upstream_error', 'exact', true],
    ['a 429', { status: 429 }, {}, 'upstream_error', 'exact', true],
    ['a 500', { status: 500 }, {}, 'upstream_error', 'exact', true],
    ['garbage', { fault: 'garbage' }, {}, 'completed', 'uncertain', false],
    ['an answer cut short', { fault: 'cut', after: 20 }, {}, 'upstream_broken', 'uncertain', false],
    ['a stream cut short', { fault: 'cut', after: 2 }, { stream: true }, 'upstream_broken', 'uncertain', false],
    ['no answer, ever', { fault: 'never' }, {}, 'upstream_broken', 'uncertain', false],
    ['a closed connection', { fault: 'close' }, {}, 'upstream_broken', 'uncertain', false],
    ['a stream without usage', { omitUsage: true }, { stream: true }, 'completed', 'uncertain', false],
    ['an overrun', { usage: { output: 5_000 } }, {}, 'completed', 'exact', false],
  ]
  for (const [name, behaviour, body, outcome, certainty, free] of cases) {
    gateway.provider.behave = () => behaviour
    await gateway.chat(key, body).catch(() => undefined)
    const event = (await gateway.events()).at(-1) as Json
    t.match(event, { outcome, certainty }, name)
    const [quote, cost] = [BigInt(String(event['quote_nano'])), BigInt(String(event['cost_nano']))]
    if (free) t.equal(cost, 0n, `${name} costs nothing`)
    else if (certainty === 'uncertain') t.equal(cost, quote, `${name} is charged at its quote`)
    else t.ok(cost > quote, name)
  }
  t.equal((await gateway.events()).length, cases.length)
  t.equal(gateway.provider.books.length, cases.length)
})

t.test('a provider that cannot be reached costs nothing, and leaves nothing held', async (t) => {
  const gateway = await aGateway(t, { RELAYCORE_OPENAI_BASE_URL: 'http://127.0.0.1:1' })
  const budget = await gateway.budget()
  const answer = await gateway.chat(await gateway.key(), {})
  t.same([answer.status, code(answer.json)], [502, 'upstream_unreachable'])
  t.equal((await gateway.events()).length, 0)
  t.match((await gateway.admin('GET', `/budgets/${budget}/status`)).body, { held: '0', currentAmount: '0' })
})

t.test('a client that leaves is charged for what was answered', async (t) => {
  const gateway = await anOrganization()
  await gateway.budget()
  const key = await gateway.key()
  gateway.provider.behave = () => ({ pieces: 20, gapMs: 10 })
  const leaving = new AbortController()
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    signal: leaving.signal,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o', max_tokens: 50, stream: true, messages: [] }),
  })
  await answer.body?.getReader().read()
  leaving.abort()
  t.match(await gateway.events(), [{ outcome: 'client_gone', certainty: 'exact' }], 'the answer was read to its end')
})

t.test('a second start on one journal ends at once and says who has it', async (t) => {
  const gateway = await anOrganization()
  const config = loadConfig({ RELAYCORE_DATA_DIR: gateway.dataDir, DATABASE_URL: 'postgres://127.0.0.1:1/none' })
  const note = () => undefined
  const start = Core.open({ config, log: { info: note, warn: note, error: note, fatal: note }, onFatal: note })
  await t.rejects(start, new RegExp(`${join(gateway.dataDir, 'journal')} is in use by process ${process.pid}`))
})

t.test('bad budgets are refused by the name of the field', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const good = { name: 'b', scopeType: 'team', scopeId: 's', organizationId, amount: '1', currency: 'USD', period: 'daily' }
  const cases: [object, string][] = [
    [{ amount: '-1' }, 'amount'], [{ amount: 0 }, 'amount'], [{ amount: '0.0000000001' }, 'amount'], [{ amount: 1e30 }, 'amount'],
    [{ amount: '9000000001' }, 'amount'], [{ amount: 'ten' }, 'amount'], [{ amount: null }, 'amount'],
    [{ currency: 'XYZ' }, 'currency'], [{ currency: 'usd' }, 'currency'], [{ timezone: 'Mars/Olympus' }, 'timezone'],
    [{ period: 'hourly' }, 'period'], [{ scopeType: 'planet' }, 'scopeType'], [{ name: '' }, 'name'], [{ surprise: 1 }, 'surprise'],
    [{ startDate: '2026-02-01', endDate: '2026-01-01' }, 'endDate'], [{ startDate: 'soon' }, 'startDate'],
    [{ alerts: [{ threshold: 120, actions: ['block-all'] }] }, 'alerts/0/threshold'],
    [{ alerts: [{ threshold: 50, actions: ['ask'] }] }, 'alerts/0/actions/0'], [{ carryOver: 1 }, 'carryOver'],
    [{ mode: 'hard' }, 'mode'], [{ capToFit: 'yes' }, 'capToFit'], [{ failMode: 'open' }, 'failMode'],
    [{ tags: { a: 1 } }, 'tags/a'], [{ filters: { colour: 1 } }, 'filters/colour'], [{ parentBudgetId: 'x' }, 'parentBudgetId'],
  ]
  for (const [change, field] of cases) {
    const { status, body } = await gateway.admin('POST', '/budgets', { ...good, ...change })
    t.match([status, body], [400, { code: 'invalid_field', field, status: 400, detail: new RegExp(field) }], JSON.stringify(change))
  }
  for (const field of ['name', 'scopeType', 'scopeId', 'amount', 'currency', 'period'] as const) {
    const { [field]: _, ...rest } = good
    t.match((await gateway.admin('POST', '/budgets', rest)).body, { code: 'invalid_field', field }, `without ${field}`)
  }
  t.match(await gateway.admin('POST', '/budgets', { ...good, currency: 'EUR' }), { status: 422, body: { detail: /exchange rate/ } })
  t.match(await gateway.admin('POST', '/budgets', '{'), { status: 400 })
  t.same((await gateway.admin('GET', `/budgets?organizationId=${organizationId}`)).body, { budgets: [], count: 0, limit: 100, nextCursor: null })
})

t.test('a parent in a cycle, or in another organization, is refused', async (t) => {
  const gateway = await anOrganization()
  const { organizationId } = gateway
  const parent = await gateway.budget()
  const child = await gateway.budget({ scopeType: 'team', scopeId: 'a', organizationId, parentBudgetId: parent })
  t.match(await gateway.admin('PUT', `/budgets/${parent}`, { parentBudgetId: child }), { status: 422, body: { detail: /below it/ } })
  t.match(await gateway.admin('PUT', `/budgets/${parent}`, { parentBudgetId: parent }), { status: 422 })
  const other = { name: 'o', scopeType: 'team', scopeId: 'z', organizationId: 'other', amount: 1, currency: 'USD', period: 'daily' }
  t.match(await gateway.admin('POST', '/budgets', { ...other, parentBudgetId: parent }),
    { status: 422, body: { detail: /another organization/ } })
})
