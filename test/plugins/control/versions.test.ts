import t from 'tap'
import { anOrganization, type AdminAnswer } from '../../e2e/gateway.ts'

const BUDGET = { name: 'b', scopeType: 'team', scopeId: 'search', organizationId: 'acme', amount: '5', currency: 'USD', period: 'monthly' }
const STALE = { status: 412, body: { code: 'precondition_failed', field: 'if-match' } }

const etag = ({ headers }: AdminAnswer) => headers.get('etag') ?? ''
const ifMatch = (tag: string) => ({ 'if-match': tag })

t.test('every answer with a budget names its version, and a known one is not sent again', async (t) => {
  const { admin } = await anOrganization()
  const made = await admin('POST', '/budgets', BUDGET)
  const path = `/budgets/${made.body['id']}`
  t.equal(etag(made), `"${made.body['version']}"`)
  t.equal(etag(await admin('GET', path)), etag(made))
  for (const known of [etag(made), `W/${etag(made)}`, `"0", ${etag(made)}`, '*']) {
    const answer = await admin('GET', path, undefined, { 'if-none-match': known })
    t.same([answer.status, answer.body, etag(answer)], [304, {}, etag(made)], known)
    t.equal(answer.headers.get('content-length'), null, 'it has no body, so no length')
  }
  const put = await admin('PUT', path, { amount: '6' })
  t.not(etag(put), etag(made))
  t.match(await admin('GET', path, undefined, { 'if-none-match': etag(made) }), { status: 200, body: { amount: '6' } })
  t.not(etag(await admin('PATCH', path, { amount: '7' })), etag(put))
})

t.test('a change of another version than the one that was read changes nothing', async (t) => {
  const { admin } = await anOrganization()
  const made = await admin('POST', '/budgets', BUDGET)
  const path = `/budgets/${made.body['id']}`
  const first = await admin('PUT', path, { amount: '6' }, ifMatch(etag(made)))
  t.equal(first.status, 200)
  t.match(await admin('PUT', path, { amount: '7' }, ifMatch(etag(made))), STALE)
  t.match(await admin('PATCH', path, { amount: '7' }, ifMatch(etag(made))), STALE)
  t.match(await admin('DELETE', path, undefined, ifMatch(etag(made))), STALE)
  t.match(await admin('PATCH', path, { amount: '7' }, ifMatch(`W/${etag(first)}`)), STALE, 'a weak tag is no promise')
  t.same((await admin('GET', path)).body, first.body)
  t.equal((await admin('PATCH', path, { name: 'c' }, ifMatch('*'))).status, 200)
  const last = await admin('PATCH', path, { name: 'd' }, ifMatch(`"1", ${etag(await admin('GET', path))}`))
  t.equal(last.status, 200)
  t.equal((await admin('DELETE', path, undefined, ifMatch(etag(last)))).status, 204)
  t.match(await admin('POST', `${path}/restore`, undefined, ifMatch(etag(last))), STALE)
  t.match((await admin('GET', path)).body, { archivedAt: String, name: 'd' })
  for (const tag of ['42', '"', 'W/"1', '"a" "b"', '']) {
    t.match(await admin('PATCH', path, {}, ifMatch(tag)), { status: 400, body: { field: 'if-match' } }, `malformed: ${tag}`)
  }
})

t.test('of two updates at once that read the same version one is done, and the other is told', async (t) => {
  const { admin } = await anOrganization()
  let known = await admin('POST', '/budgets', BUDGET)
  const path = `/budgets/${known.body['id']}`
  for (let round = 1; round <= 10; round++) {
    const answers = await Promise.all(['x', 'y', 'z'].map(async (name) =>
      await admin('PATCH', path, { name: `${name}${round}` }, ifMatch(etag(known)))))
    t.same(answers.map(({ status }) => status).sort(), [200, 412, 412])
    const done = answers.find(({ status }) => status === 200) as AdminAnswer
    known = await admin('GET', path)
    t.same(known.body, done.body)
  }
})

t.test('PUT replaces what it names, PATCH merges it, and null takes away', async (t) => {
  const { admin } = await anOrganization()
  const made = await admin('POST', '/budgets', {
    ...BUDGET, description: 'd', timezone: 'Europe/Berlin', tags: { a: '1', b: '2' }, filters: { models: ['gpt-*'], providers: ['openai'] },
  })
  const path = `/budgets/${made.body['id']}`
  t.match((await admin('PUT', path, { tags: { c: '3' } })).body, { tags: { c: '3' }, description: 'd', timezone: 'Europe/Berlin' })
  const patched = await admin('PATCH', path, { tags: { d: '4', c: null }, filters: { models: null }, description: null })
  t.same(patched.body['tags'], { d: '4' })
  t.same(patched.body['filters'], { providers: ['openai'] })
  t.match(patched.body, { description: null, timezone: 'Europe/Berlin', amount: '5' })
  t.match((await admin('PATCH', path, { timezone: null })).body, { timezone: 'UTC' })
  t.match(await admin('PATCH', path, { amount: null }), { status: 400, body: { field: 'amount' } })
  t.match(await admin('PATCH', path, { tags: { a: 1 } }), { status: 400, body: { field: 'tags/a' } })
  t.match(await admin('PATCH', path, { id: 'x' }), { status: 400, body: { field: 'id' } })
  t.match(await admin('PATCH', path, []), { status: 400, body: { field: 'body' } })
  const merge = await admin('PATCH', path, { name: 'merged' }, { 'content-type': 'application/merge-patch+json' })
  t.match(merge, { status: 200, body: { name: 'merged' } })
})

t.test('a deleted budget is restored with its accounts, and not under a deleted parent', async (t) => {
  const gateway = await anOrganization()
  const { admin } = gateway
  const parent = await gateway.budget()
  const child = await gateway.budget({ parentBudgetId: parent })
  const key = await gateway.key()
  t.equal((await gateway.chat(key, {})).status, 200)
  await gateway.events()
  await admin('DELETE', `/budgets/${parent}`)
  await admin('DELETE', `/budgets/${child}`)
  t.match(await gateway.chat(key, {}), { status: 403, text: /no_budget/ })
  t.match(await admin('PATCH', `/budgets/${child}`, { name: 'x' }), { status: 409, body: { code: 'conflict' } })
  t.match(await admin('POST', `/budgets/${child}/restore`), { status: 409, body: { code: 'conflict' } })
  const restored = await admin('POST', `/budgets/${parent}/restore`)
  t.match(restored, { status: 200, body: { archivedAt: null } })
  t.same((await admin('POST', `/budgets/${parent}/restore`)).body, restored.body, 'a second time changes nothing')
  t.equal((await admin('POST', `/budgets/${child}/restore`)).status, 200)
  t.equal((await gateway.chat(key, {})).status, 200)
  await gateway.events()
  t.match((await admin('GET', `/budgets/${child}/usage`)).body, { count: 2 })
  t.equal((await admin('POST', '/budgets/none/restore')).status, 404)
})
