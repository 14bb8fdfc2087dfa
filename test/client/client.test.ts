import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'
import { ApiError, createClient, type RelaycoreClient } from '../../src/client/index.ts'
import { ADMIN, aGateway, anOrganization } from '../e2e/gateway.ts'
import { aFlakyWay } from './flaky.ts'

const BUDGET = {
  name: 'Docs', scopeType: 'team', scopeId: 'docs', organizationId: 'acme', amount: '50', currency: 'USD', period: 'monthly',
} as const

async function refusal (asking: Promise<unknown>): Promise<ApiError> {
  const error = await asking.then(() => null, (thrown: unknown) => thrown)
  if (error instanceof ApiError) return error
  throw new Error('nothing was refused', { cause: error })
}

async function count (api: RelaycoreClient, organizationId = 'acme'): Promise<number> {
  return (await api.GET('/budgets', { params: { query: { organizationId } } })).data.count
}

t.test('a budget is made, read, changed and archived', async (t) => {
  const { url } = await anOrganization()
  const api = createClient({ baseUrl: `${url}/`, token: async () => await Promise.resolve(ADMIN) })
  const { data: made, response } = await api.POST('/budgets', { body: BUDGET })
  t.match(made, { name: 'Docs', amount: '50', version: Number })
  t.equal(response.headers.get('etag'), `"${made.version}"`)
  const params = { path: { id: made.id } }
  t.match((await api.GET('/budgets/{id}/status', { params })).data, { remaining: '50', status: 'normal' })
  const change = { params: { ...params, header: { 'if-match': `"${made.version}"` } }, body: { amount: '80' } }
  t.match((await api.PUT('/budgets/{id}', change)).data, { amount: '80' })
  const stale = await refusal(api.PUT('/budgets/{id}', change))
  t.match(stale, { code: 'precondition_failed', status: 412, field: 'if-match', requestId: /^req-/, retryAfter: null })
  t.equal((await api.DELETE('/budgets/{id}', { params })).data, undefined)
  t.type((await api.GET('/budgets/{id}', { params })).data.archivedAt, 'string')
})

t.test('an answer that is no success is thrown with its code, its field and what was expected', async (t) => {
  const { url } = await anOrganization()
  const api = createClient({ baseUrl: url, token: ADMIN })
  const wrong = await refusal(api.POST('/budgets', { body: { ...BUDGET, currency: 'usd' } }))
  t.match(wrong, { code: 'invalid_field', status: 400, field: 'currency', expected: /ISO 4217/, message: /currency must be/ })
  const none = { params: { path: { id: '0198f4f4-0000-7000-8000-000000000000' } } }
  t.match(await refusal(api.GET('/budgets/{id}', none)), { code: 'not_found', status: 404, name: 'ApiError' })
  t.match(await refusal(createClient({ baseUrl: url, token: 'x' }).GET('/keys')), { code: 'unauthorized', status: 401 })
  const { data: { id, version } } = await api.POST('/budgets', { body: BUDGET })
  const known = { params: { path: { id }, header: { 'if-none-match': `"${version}"` } } }
  t.match(await refusal(api.GET('/budgets/{id}', known)), { code: 'not_modified', status: 304 })
})

t.test('pages come one after the other, and end', async (t) => {
  const { url, budget } = await aGateway(t)
  for (const name of ['a', 'b', 'c', 'd', 'e']) await budget({ name })
  const api = createClient({ baseUrl: url, token: ADMIN })
  const seen: string[][] = []
  for await (const { budgets } of api.pages('/budgets', { params: { query: { limit: 2, sort: 'name' } } })) {
    seen.push(budgets.map(({ name }) => name))
  }
  t.same(seen, [['a', 'b'], ['c', 'd'], ['e']])
  const keys = []
  for await (const page of api.pages('/keys')) keys.push(...page.keys)
  t.same(keys, [])
})

t.test('a change whose answer is lost is asked for again with its key, and happens once', async (t) => {
  const { url } = await aGateway(t)
  const way = await aFlakyWay(t, url)
  const api = createClient({ baseUrl: way.url, token: ADMIN })
  way.fates.push('lose the answer')
  const { data: made } = await api.POST('/budgets', { body: BUDGET })
  t.equal(way.asked.length, 2)
  t.match(way.asked[0], /^POST [0-9a-f]{32}$/)
  t.equal(way.asked[1], way.asked[0])
  t.equal(await count(api), 1)

  way.fates.push('lose the answer')
  const header = { 'if-match': `"${made.version}"` }
  const changed = await api.PUT('/budgets/{id}', { params: { path: { id: made.id }, header }, body: { amount: '60' } })
  t.match(changed.data, { amount: '60' }, 'though the version is another one by now')
  way.fates.push('lose the answer')
  await api.DELETE('/budgets/{id}', { params: { path: { id: made.id } } })
  t.equal(await count(api), 0)

  const own = { params: { header: { 'idempotency-key': 'mine' } }, body: BUDGET }
  t.equal((await api.POST('/budgets', own)).data.id, (await api.POST('/budgets', own)).data.id, 'a key of one\'s own is kept')
})

t.test('what passes is tried again a few times, what does not is not', async (t) => {
  const { url, organizationId } = await anOrganization()
  const way = await aFlakyWay(t, url)
  const api = createClient({ baseUrl: way.url, token: ADMIN, retries: 2 })
  way.fates.push({ status: 503, headers: { 'retry-after': '1' } }, { status: 429 })
  const from = performance.now()
  t.equal(await count(api, organizationId), 0)
  t.equal(way.asked.length, 3)
  t.ok(performance.now() - from >= 1_000, 'it waits as long as it is told')

  way.fates.push({ status: 503 }, { status: 503 }, { status: 503, headers: { 'retry-after': '7' } })
  t.match(await refusal(api.GET('/budgets')), { status: 503, code: 'unexpected_answer', retryAfter: 7 })
  t.equal(way.asked.length, 6)
  way.fates.push({ status: 503, headers: { 'retry-after': '3600' } })
  t.match(await refusal(api.GET('/budgets')), { retryAfter: 3600 })
  way.fates.push({ status: 500 })
  t.match(await refusal(api.GET('/budgets')), { status: 500 })
  t.equal(way.asked.length, 8)
  await refusal(api.POST('/budgets', { body: { ...BUDGET, amount: '-1' } }))
  t.equal(way.asked.length, 9)
  await t.rejects(createClient({ baseUrl: 'http://127.0.0.1:1', token: ADMIN, retries: 0 }).GET('/budgets'), TypeError)
})

t.test('nothing waits for ever, and a signal ends it at once', async (t) => {
  const { url, organizationId } = await anOrganization()
  const way = await aFlakyWay(t, url)
  way.fates.push('keep waiting')
  t.equal(await count(createClient({ baseUrl: way.url, token: ADMIN, timeoutMs: 1_500 }), organizationId), 0)
  way.fates.push('keep waiting')
  await t.rejects(createClient({ baseUrl: way.url, token: ADMIN, timeoutMs: 50, retries: 0 }).GET('/budgets'), { name: 'TimeoutError' })

  const changed = new Error('changed my mind')
  way.fates.push('keep waiting')
  const leaving = new AbortController()
  const arrived = once(way.events, 'arrived')
  const asking = t.rejects(createClient({ baseUrl: way.url, token: ADMIN }).GET('/budgets', { signal: leaving.signal }), changed)
  await arrived
  leaving.abort(changed)
  await asking

  // before the pause that the answer asks for, and within it
  for (const when of [(leave: () => void) => { leave() }, (leave: () => void) => { setImmediate(leave) }]) {
    const pausing = new AbortController()
    const body = new ReadableStream({ cancel: () => { when(() => { pausing.abort(changed) }) } })
    const told = async () => await Promise.resolve(new Response(body, { status: 503, headers: { 'retry-after': '20' } }))
    const api = createClient({ baseUrl: way.url, token: ADMIN, fetch: told })
    await t.rejects(api.GET('/budgets', { signal: pausing.signal }), changed)
  }
})

t.test('it imports nothing of Node and nothing of the gateway, so it runs in browsers', async (t) => {
  const root = resolve(import.meta.dirname, '../../src/client')
  const seen = new Set<string>()
  const walk = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    const text = readFileSync(file, 'utf8')
    t.notMatch(text, /\b(process|Buffer|require|global)\b[.([]/, file)
    for (const [, name = ''] of text.matchAll(/(?:from|import) ?\(?['"]([^'"]+)['"]/g)) {
      if (name.startsWith('.')) walk(join(dirname(file), name))
      else t.equal(name, 'openapi-fetch', file)
    }
  }
  walk(join(root, 'index.js'))
  t.ok(seen.size >= 3)
  for (const file of seen) t.equal(dirname(file), root)
})
