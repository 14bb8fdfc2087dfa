import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from 'jose'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { Issuer, type IssuerOptions, isJwt, isSafeUrl } from '../../src/access/issuer.ts'
import { aGateway } from '../e2e/gateway.ts'

type Key = Awaited<ReturnType<typeof generateKeyPair>>

/** An issuer with keys of its own, which a test may change or take away. */
interface TestIssuer {
  url: string
  jwksUrl: string
  keys: JWK[]
  /** how it answers; default 200 */
  status: number
  fetches: number
  key: Key
  token (claims?: object, header?: object, key?: Key['privateKey']): Promise<string>
  stop (): Promise<void>
}

const ROLE = { relaycore_role: 'manager', relaycore_organization: 'acme' }

async function jwkOf (key: Key, kid: string, alg: string): Promise<JWK> {
  return { ...await exportJWK(key.publicKey), kid, alg, use: 'sig' }
}

async function anIssuer (t: Test): Promise<TestIssuer> {
  const key = await generateKeyPair('ES256')
  const server: Server = createServer((request, response) => {
    if (request.url === '/keys') issuer.fetches++
    const body = request.url === '/keys' ? { keys: issuer.keys } : { issuer: issuer.url, jwks_uri: issuer.jwksUrl }
    response.writeHead(issuer.status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => { server.close(resolve) })
  }
  t.teardown(stop)
  const issuer: TestIssuer = {
    url,
    jwksUrl: `${url}/keys`,
    keys: [await jwkOf(key, 'one', 'ES256')],
    status: 200,
    fetches: 0,
    key,
    token: async (claims = {}, header = {}, privateKey = key.privateKey) => {
      const now = Math.floor(Date.now() / 1_000)
      const usual = { iss: url, aud: 'relaycore', sub: 'ada', iat: now, exp: now + 300, ...ROLE }
      const all = Object.entries({ ...usual, ...claims })
      const payload = Object.fromEntries(all.filter(([, value]) => value !== undefined))
      return await new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'one', ...header }).sign(privateKey)
    },
    stop,
  }
  return issuer
}

function verifier ({ url, jwksUrl }: TestIssuer, options: Partial<IssuerOptions> = {}): Issuer {
  return new Issuer({
    issuer: url,
    audience: 'relaycore',
    jwksUrl,
    claims: {
      role: 'relaycore_role', organization: 'relaycore_organization', team: 'relaycore_team', project: 'relaycore_project',
    },
    algorithms: ['ES256', 'RS256'],
    clockTolerance: 30,
    now: () => Date.now(),
    ...options,
  })
}

t.test('a token of the issuer says who asks, as what and how far', async (t) => {
  const issuer = await anIssuer(t)
  const verify = async (claims: object) => await verifier(issuer).verify(await issuer.token(claims))
  t.same(await verify({ name: 'Ada' }), {
    id: `${issuer.url} ada`, name: 'Ada', role: 'manager', reach: { organizationId: 'acme', scope: null },
  })
  t.match(await verify({ relaycore_role: ['offline', 'viewer'], relaycore_team: 'red' }),
    { name: 'ada', role: 'viewer', reach: { organizationId: 'acme', scope: { type: 'team', id: 'red' } } })
  t.match(await verify({ relaycore_project: 'p' }), { reach: { scope: { type: 'project', id: 'p' } } })
  t.same((await verify({ relaycore_role: 'administrator', relaycore_organization: undefined }))?.reach, null)
  t.match(await verify({ aud: ['other', 'relaycore'] }), { role: 'manager' })
  const named = verifier(issuer, { claims: { role: 'https://x.example/role', organization: 'org', team: 't', project: 'p' } })
  t.match(await named.verify(await issuer.token({ 'https://x.example/role': 'viewer', org: 'umbrella' })),
    { role: 'viewer', reach: { organizationId: 'umbrella' } })
})

t.test('a token that is not wholly good is none', async (t) => {
  const issuer = await anIssuer(t)
  const other = await generateKeyPair('ES256')
  const rsa = await generateKeyPair('RS256')
  issuer.keys.push(await jwkOf(rsa, 'rsa', 'RS256'))
  const now = Math.floor(Date.now() / 1_000)
  const good = await issuer.token()
  const [head, body, signature = ''] = good.split('.')
  const secret = new TextEncoder().encode(await exportSPKI(rsa.publicKey))
  const symmetric = await new SignJWT({ iss: issuer.url, aud: 'relaycore', sub: 'eve', exp: now + 300, ...ROLE })
    .setProtectedHeader({ alg: 'HS256', kid: 'rsa' }).sign(secret)
  const unsigned = new UnsecuredJWT({ ...ROLE })
    .setIssuer(issuer.url).setAudience('relaycore').setSubject('eve').setExpirationTime('5m').encode()
  const bad: Record<string, string> = {
    'of another issuer': await issuer.token({ iss: 'https://issuer.example' }),
    'of none': await issuer.token({ iss: undefined }),
    'for others': await issuer.token({ aud: 'another service' }),
    'for nobody': await issuer.token({ aud: undefined }),
    expired: await issuer.token({ exp: now - 31 }),
    'without an end': await issuer.token({ exp: undefined }),
    'not yet valid': await issuer.token({ nbf: now + 60 }),
    'about nobody': await issuer.token({ sub: undefined }),
    'signed by another key': await issuer.token({}, {}, other.privateKey),
    'with an unknown key': await issuer.token({}, { kid: 'two' }, other.privateKey),
    'signed with another algorithm': await issuer.token({}, { kid: 'rsa', alg: 'PS256' }, (await generateKeyPair('PS256')).privateKey),
    'signed with the public key as a secret': symmetric,
    unsigned,
    'with its signature cut': `${head}.${body}.${signature.slice(0, -4)}`,
    'without its signature': `${head}.${body}.`,
    'with claims of another': `${head}.${(await issuer.token({ sub: 'eve' })).split('.')[1]}.${signature}`,
    'not JSON': 'a.b.c',
    'with what must be understood': await issuer.token({}, { crit: ['exp'], exp: 1 }).catch(() => 'a.b.c'),
  }
  const one = verifier(issuer)
  t.ok(await one.verify(good))
  for (const [what, token] of Object.entries(bad)) t.equal(await one.verify(token), null, what)
  t.ok(await one.verify(await issuer.token({ exp: now - 20, nbf: now + 20 })), 'clocks may differ a little')
})

t.test('a good token that makes no sense here is told so, and gives nothing', async (t) => {
  const issuer = await anIssuer(t)
  const cases = [
    { relaycore_role: undefined }, { relaycore_role: 'owner' }, { relaycore_role: ['manager', 'viewer'] },
    { relaycore_role: 'client' },
    { relaycore_organization: undefined }, { relaycore_organization: 7 }, { relaycore_organization: ' ' }, { relaycore_team: ['red'] },
    { relaycore_team: 'red', relaycore_project: 'p' }, { relaycore_role: 'administrator' },
    { relaycore_organization: undefined, relaycore_team: 'red' }, { relaycore_organization: 'x'.repeat(257) },
  ]
  for (const claims of cases) {
    const asked = verifier(issuer).verify(await issuer.token(claims))
    await t.rejects(asked, { code: /^forbidden$/i }, JSON.stringify(claims))
  }
})

t.test('keys are fetched once, and again for a token of a new one, not more often than that', async (t) => {
  const issuer = await anIssuer(t)
  const eager = verifier(issuer, { cooldownMs: 0 })
  const patient = verifier(issuer)
  for (const one of [eager, patient]) for (let i = 0; i < 3; i++) t.ok(await one.verify(await issuer.token()))
  t.equal(issuer.fetches, 2, 'once each')
  const next = await generateKeyPair('ES256')
  issuer.keys.push(await jwkOf(next, 'two', 'ES256'))
  const rotated = await issuer.token({}, { kid: 'two' }, next.privateKey)
  t.ok(await eager.verify(rotated))
  t.equal(issuer.fetches, 3)
  for (let i = 0; i < 3; i++) t.equal(await patient.verify(rotated), null, 'it has looked a moment ago')
  t.equal(issuer.fetches, 3)
})

t.test('where the keys cannot be had a token is neither good nor bad', async (t) => {
  const issuer = await anIssuer(t)
  let now = Date.now()
  const one = verifier(issuer, { now: () => now })
  const outage = { code: /^dependency_unavailable$/i }
  issuer.status = 500
  await t.rejects(one.verify(await issuer.token()), outage)
  await t.rejects(one.verify(await issuer.token()), outage)
  t.equal(issuer.fetches, 1, 'nobody asks again at once')
  issuer.status = 200
  now += 1_001
  t.ok(await one.verify(await issuer.token()))
  await issuer.stop()
  t.ok(await one.verify(await issuer.token()), 'keys that are known go on')
  await t.rejects(verifier(issuer).verify(await issuer.token()), outage)

  const silent = createServer(() => undefined).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => { silent.closeAllConnections(); silent.close() })
  const jwksUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`
  await t.rejects(verifier(issuer, { jwksUrl, timeoutMs: 50 }).verify(await issuer.token()), outage, 'nobody waits for ever')
})

t.test('the issuer itself says where its keys are', async (t) => {
  const issuer = await anIssuer(t)
  t.ok(await verifier(issuer, { jwksUrl: undefined }).verify(await issuer.token()))
  issuer.jwksUrl = 'http://keys.example/keys'
  await t.rejects(verifier(issuer, { jwksUrl: undefined }).verify(await issuer.token()), { code: /^dependency_unavailable$/i }, 'not where all can listen')
})

t.test('what can be listened to is no address of an issuer', async (t) => {
  for (const url of ['https://issuer.example/realm', 'http://127.0.0.1:99', 'http://localhost/x', 'http://[::1]/']) t.ok(isSafeUrl(url), url)
  for (const url of ['http://issuer.example', 'ftp://x', 'x', '', 'https://user:word@issuer.example', 'http://127.0.0.1.example/']) {
    t.notOk(isSafeUrl(url), url)
  }
  t.same(['a.b.c', 'a.b.', 'a.b', 'ra_x', 'a.b.c.d.e'].map(isJwt), [true, true, false, false, false])
})

t.test('the admin API takes tokens of the issuer beside its own', async (t) => {
  const issuer = await anIssuer(t)
  const gateway = await aGateway(t, {
    RELAYCORE_OIDC_ISSUER: issuer.url, RELAYCORE_OIDC_AUDIENCE: 'relaycore', RELAYCORE_OIDC_JWKS_URL: issuer.jwksUrl,
  })
  await gateway.budget({ name: 'ours' })
  await gateway.budget({ name: 'theirs', scopeId: 'umbrella' })
  const ask = async (token: string, method = 'GET', body?: object) =>
    await gateway.admin(method, '/budgets', body, { authorization: `Bearer ${token}` })
  issuer.status = 503
  const down = await ask(await issuer.token())
  t.match(down, { status: 503, body: { code: 'dependency_unavailable' } })
  t.ok(down.headers.get('retry-after'))
  t.match(await gateway.admin('GET', '/budgets'), { status: 200, body: { count: 2 } }, 'other tokens go on')
  issuer.status = 200
  await new Promise((resolve) => { setTimeout(resolve, 1_010) })
  t.match(await ask(await issuer.token()), { status: 200, body: { count: 1, budgets: [{ name: 'ours' }] } })
  const viewer = await issuer.token({ relaycore_role: 'viewer' })
  t.match(await ask(viewer, 'POST', {}), { status: 403, body: { code: 'forbidden' } })
  const bodies = await Promise.all([
    issuer.token({ exp: 1 }), issuer.token({ aud: 'x' }), issuer.token({ iss: 'x' }), issuer.token({}, { kid: 'none' }),
  ].map(async (token) => {
    const { status, body: { requestId: _, ...body } } = await ask(await token)
    return [status, body]
  }))
  for (const one of bodies) t.same(one, bodies[0], 'why it is not good is not told')
  t.equal(bodies[0]?.[0], 401)
})
