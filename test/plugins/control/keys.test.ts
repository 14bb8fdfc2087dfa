import t from 'tap'
import { aGateway, anOrganization, type GatewayUnderTest, type Json } from '../../e2e/gateway.ts'

async function ask ({ chat }: GatewayUnderTest, key: string, body: object = {}): Promise<unknown> {
  const { status, json } = await chat(key, body)
  return status === 200 ? 200 : [status, ((json['error'] as Json)['relaycore'] as Json)['code']]
}

async function made ({ admin, organizationId }: GatewayUnderTest, fields: object = {}) {
  const { status, headers, body } = await admin('POST', '/keys', { name: 'k', organizationId, ...fields })
  if (status !== 201) throw new Error(JSON.stringify(body))
  return { path: `/keys/${body['id']}`, secret: String(body['key']), etag: headers.get('etag') ?? '', body }
}

t.test('a rotated key has a new secret, and the old one works until the overlap ends', async (t) => {
  const gateway = await anOrganization()
  await gateway.budget()
  const { path, secret, body } = await made(gateway)
  t.equal(await ask(gateway, secret), 200)
  const rotated = await gateway.admin('POST', `${path}/rotate`, { overlapSeconds: 60 })
  t.match(rotated, { status: 200, body: { id: body['id'], key: /^rk_[0-9A-Za-z]{34}$/ } })
  const second = String(rotated.body['key'])
  t.not(second, secret)
  t.notOk('key' in (await gateway.admin('GET', path)).body)
  t.equal((await gateway.admin('GET', path)).body['hint'], rotated.body['hint'])
  t.same([await ask(gateway, secret), await ask(gateway, second)], [200, 200])
  const third = String((await gateway.admin('POST', `${path}/rotate`)).body['key'])
  t.same([await ask(gateway, secret), await ask(gateway, second), await ask(gateway, third)], [200, [401, 'key_expired'], 200],
    'each overlap ends by itself')
  await gateway.core.database.query({ text: `update api_key_former_secrets set valid_until = now() - interval '1 second' where key_id = '${body['id']}'` })
  gateway.core.keys.invalidate()
  t.same([await ask(gateway, secret), await ask(gateway, third)], [[401, 'key_expired'], 200])
  await gateway.admin('DELETE', path)
  t.same([await ask(gateway, secret), await ask(gateway, third)], [[401, 'key_revoked'], [401, 'key_revoked']])
  t.match(await gateway.admin('POST', `${path}/rotate`), { status: 409, body: { code: 'conflict' } })
  for (const overlapSeconds of [-1, 1.5, 30 * 86_400 + 1, '60']) {
    t.match(await gateway.admin('POST', `${path}/rotate`, { overlapSeconds }), { status: 400, body: { field: 'overlapSeconds' } })
  }
  t.equal((await gateway.admin('POST', '/keys/none/rotate')).status, 404)
})

t.test('a key is disabled and enabled again, expires, and is revoked for good', async (t) => {
  const gateway = await anOrganization()
  await gateway.budget()
  const { path, secret, body } = await made(gateway)
  t.match((await gateway.admin('PATCH', path, { disabled: true })).body, { disabled: true, disabledAt: String })
  t.same(await ask(gateway, secret), [401, 'key_disabled'])
  const anthropic = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST', headers: { 'x-api-key': secret, 'content-type': 'application/json' }, body: '{}',
  })
  t.match([anthropic.status, await anthropic.json()], [401, { type: 'error', error: { type: 'authentication_error' } }])
  t.match((await gateway.admin('PATCH', path, { disabled: false })).body, { disabled: false, disabledAt: null })
  t.equal(await ask(gateway, secret), 200)
  const soon = new Date(Date.now() + 3_600_000).toISOString()
  t.match((await gateway.admin('PATCH', path, { expiresAt: soon })).body, { expiresAt: soon })
  t.equal(await ask(gateway, secret), 200)
  await gateway.core.database.query({ text: `update api_keys set expires_at = now() - interval '1 second' where id = '${body['id']}'` })
  gateway.core.keys.invalidate()
  t.same(await ask(gateway, secret), [401, 'key_expired'])
  t.match((await gateway.admin('PATCH', path, { expiresAt: null })).body, { expiresAt: null })
  t.equal(await ask(gateway, secret), 200)
  t.equal((await gateway.admin('DELETE', path)).status, 204)
  t.same(await ask(gateway, secret), [401, 'key_revoked'])
  t.match(await gateway.admin('PATCH', path, { disabled: false }), { status: 409, body: { code: 'conflict' } })
  t.equal((await gateway.admin('DELETE', path)).status, 204, 'once and again')
})

t.test('a key calls the providers and models that it is allowed to', async (t) => {
  const gateway = await anOrganization()
  await gateway.budget()
  const { path, secret } = await made(gateway, { allowedModels: ['gpt-4o-mini*', 'demo-*'] })
  t.same(await ask(gateway, secret), [403, 'model_not_allowed'])
  t.equal(await ask(gateway, secret, { model: 'gpt-4o-mini' }), 200)
  t.equal(await ask(gateway, secret, { model: 'gpt-4o-mini-2024-07-18' }), 200)
  t.equal(await ask(gateway, secret, { model: 'demo-small' }), 200)
  await gateway.admin('PATCH', path, { allowedProviders: ['openai'] })
  t.same(await ask(gateway, secret, { model: 'demo-small' }), [403, 'provider_not_allowed'])
  t.equal(await ask(gateway, secret, { model: 'gpt-4o-mini' }), 200)
  const messages = await fetch(`${gateway.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': secret, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'claude-opus-4-1', max_tokens: 5, messages: [] }),
  })
  t.match([messages.status, await messages.json()],
    [403, { error: { type: 'permission_error', relaycore: { code: 'provider_not_allowed' } } }])
  await gateway.admin('PATCH', path, { allowedProviders: null, allowedModels: null })
  t.equal(await ask(gateway, secret), 200)
  t.equal(gateway.provider.books.length, 4, 'what is not allowed goes nowhere')
})

t.test('the terms of a key change, whom it speaks for stays, and no change is lost', async (t) => {
  const gateway = await anOrganization()
  const { path, etag } = await made(gateway, { allowHeaders: ['user', 'user'], teamId: ' red ' })
  t.match((await gateway.admin('GET', path)).body, { allowHeaders: ['user'], teamId: 'red', allowedModels: null, expiresAt: null })
  const changed = await gateway.admin('PATCH', path, { name: 'n', requireHeaders: ['team'] }, { 'if-match': etag })
  t.match(changed, { status: 200, body: { name: 'n', allowHeaders: ['user'], requireHeaders: ['team'] } })
  for (const [method, body, rest = ''] of [['PATCH', {}], ['DELETE', undefined], ['POST', {}, '/rotate']] as const) {
    const answer = await gateway.admin(method, path + rest, body, { 'if-match': etag })
    t.match(answer, { status: 412, body: { code: 'precondition_failed' } }, method)
  }
  const again = await gateway.admin('GET', path, undefined, { 'if-none-match': changed.headers.get('etag') ?? '' })
  t.equal(again.status, 304)
  const wrong: [object, string][] = [
    [{ organizationId: 'x' }, 'organizationId'], [{ allowHeaders: ['x-user'] }, 'allowHeaders/0'], [{ name: ' ' }, 'name'],
    [{ name: '' }, 'name'], [{ allowedModels: [] }, 'allowedModels'], [{ allowedProviders: ['Open AI'] }, 'allowedProviders/0'],
    [{ expiresAt: '2001-01-01' }, 'expiresAt'], [{ expiresAt: 'soon' }, 'expiresAt'], [{ disabled: 'yes' }, 'disabled'],
    [{ name: 'a\0b' }, 'name'], [{ name: '\ud800' }, 'name'], [{ x: 1 }, 'x'],
  ]
  for (const [body, field] of wrong) {
    t.match(await gateway.admin('PATCH', path, body), { status: 400, body: { code: 'invalid_field', field } }, JSON.stringify(body))
  }
  t.same((await gateway.admin('GET', path)).body, changed.body)
})

t.test('keys are listed by pages and by whom they speak for', async (t) => {
  const gateway = await aGateway(t)
  const { path } = await made(gateway, { name: 'a', teamId: 'red' })
  await made(gateway, { name: 'b', userId: 'ada' })
  await made(gateway, { name: 'c', organizationId: 'umbrella' })
  const ask = async (query: string) => (await gateway.admin('GET', `/keys?${query}`)).body
  t.match(await ask('organizationId=acme&total=true'), { keys: [{ name: 'a' }, { name: 'b' }], count: 2, total: 2 })
  t.match(await ask('userId=ada'), { keys: [{ name: 'b' }], count: 1 })
  t.match(await ask('teamId=red'), { keys: [{ name: 'a' }], count: 1 })
  await gateway.admin('DELETE', path)
  t.match(await ask('organizationId=acme'), { keys: [{ name: 'b' }], count: 1 })
  const first = await ask('includeRevoked=true&limit=2')
  t.match(first, { keys: [{ name: 'a', revokedAt: String }, { name: 'b' }], count: 2, nextCursor: String })
  t.match(await ask(`includeRevoked=true&limit=2&cursor=${String(first['nextCursor'])}`), {
    keys: [{ name: 'c' }], count: 1, nextCursor: null,
  })
  const reached = await gateway.core.keyStore.page({
    includeRevoked: true, limit: 9, total: false, reach: { organizationId: 'acme', scope: { type: 'team', id: 'red' } },
  })
  t.same(reached.keys.map(({ name }) => name), ['a'])
})
