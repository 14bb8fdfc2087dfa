import t from 'tap'
import { Authenticator } from '../../src/access/authenticator.ts'
import { FailureLimit } from '../../src/access/failures.ts'
import { AdminTokens, type AdminToken } from '../../src/keys/admin-tokens.ts'
import { hashSecret, makeSecret } from '../../src/keys/secret.ts'

function aClock (now = 1_000_000) {
  return { now: () => now, pass: (ms: number) => { now += ms } }
}

t.test('an address may be wrong so often at once, and then once a second', async (t) => {
  const clock = aClock()
  const limit = new FailureLimit({ now: clock.now, burst: 3 })
  for (let i = 0; i < 3; i++) {
    t.equal(limit.wait('10.0.0.1'), 0)
    limit.failed('10.0.0.1')
  }
  t.equal(limit.wait('10.0.0.1'), 1)
  t.equal(limit.wait('10.0.0.2'), 0, 'others are not concerned')
  clock.pass(1_000)
  t.equal(limit.wait('10.0.0.1'), 0)
  limit.failed('10.0.0.1')
  t.equal(limit.wait('10.0.0.1'), 1)
  clock.pass(60_000)
  for (let i = 0; i < 3; i++) limit.failed('10.0.0.1')
  t.equal(limit.wait('10.0.0.1'), 1, 'all is forgiven in time, and not more than all')
})

t.test('addresses of one network of IPv6 count together, and those not wrong for longest are forgotten', async (t) => {
  const limit = new FailureLimit({ now: aClock().now, burst: 1, max: 2 })
  limit.failed('2001:db8:0:7::1')
  t.equal(limit.wait('2001:db8::7:ffff:ffff:ffff:ffff'), 1)
  t.equal(limit.wait('2001:db8:0:8::1'), 0)
  t.equal(limit.wait('::ffff:10.0.0.1'), 0)
  limit.failed('::1')
  t.equal(limit.wait('::1'), 1)
  limit.failed('10.0.0.1')
  t.same(['2001:db8:0:7::1', '::1', '10.0.0.1'].map((one) => limit.wait(one)), [0, 1, 1])
})

t.test('who guesses is stopped; a token that cannot be guessed passes all the same', async (t) => {
  const clock = aClock()
  const secret = makeSecret('ra')
  const token: AdminToken = {
    id: '1', hint: null, name: 'n', role: 'viewer', reach: null, expiresAt: null, createdAt: 0, createdBy: null, revokedAt: null,
  }
  const store = {
    byHash: async (hash: Buffer) => hash.equals(hashSecret(secret)) ? token : null,
    any: async () => true,
    insert: async () => token,
    replaceAdministrators: async () => undefined,
  }
  const authenticator = new Authenticator({
    tokens: new AdminTokens({ store, configured: 'chosen by an operator' }),
    issuer: null,
    identify: () => ({ code: 'key_invalid', message: 'no', retryable: false }),
    failures: new FailureLimit({ now: clock.now, burst: 2 }),
  })
  const ask = async (bearer: string, from = '10.0.0.1') =>
    (await authenticator.authenticate({ authorization: `Bearer ${bearer}` }, from)).name
  t.equal(await ask('chosen by an operator'.replaceAll(' ', '_')).catch(({ statusCode }) => statusCode as number), 401)
  t.equal(await ask(makeSecret('rk')).catch(({ statusCode }) => statusCode as number), 401)
  t.match(await ask('guess').catch((error: unknown) => error), { statusCode: 429, retryAfter: 1 })
  await t.rejects(ask(makeSecret('ra')), { code: /^too_many_failures$/i }, 'made up ones are told so too')
  t.equal(await ask(secret), 'n')
  t.equal(await ask('guess', '10.0.0.2').catch(({ statusCode }) => statusCode as number), 401)
  clock.pass(1_000)
  t.equal(await ask('guess').catch(({ statusCode }) => statusCode as number), 401)
  await t.rejects(authenticator.authenticate({}, '10.0.0.3'), { code: /^unauthorized$/i }, 'no token is no guess')
})
