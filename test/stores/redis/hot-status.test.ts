import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { RedisHotStatus, type RedisHotStatusOptions } from '../../../src/stores/redis/hot-status.ts'
import { figures, hotStatusContract, until } from '../../account/hot-status-contract.ts'
import { aLog } from '../../journal/builders.ts'
import { aFaultProxy } from '../../services/fault-proxy.ts'
import { aRedisServer, type RedisServer } from './server.ts'

interface Log { lines: { details: object, message: string }[] }

function quiet () {
  const log = aLog()
  return { ...log, info: log.warn }
}

async function aGateway (t: Test, url: string, options: Partial<RedisHotStatusOptions> = {}):
Promise<RedisHotStatus & { log: Log }> {
  const log = quiet()
  const status = new RedisHotStatus({ url, deploymentId: 'test', incarnation: 1, log, ...options })
  t.teardown(() => status.close())
  await status.start()
  return Object.assign(status, { log })
}

/** does the others' part: keeps what is published coming, and says when it has arrived */
function seesOne (status: RedisHotStatus, accountId: number) {
  return until(() => {
    const others = status.others(accountId)
    return others?.length === 1 && others[0]
  })
}

const shared = await aRedisServer(t)

t.test('the contract', (t) => {
  hotStatusContract(t, async (t) => {
    const deploymentId = randomUUID()
    return (incarnation) => aGateway(t, shared.url, { deploymentId, incarnation })
  })
  t.end()
})

t.test('the contract holds without a single message: by reading again', (t) => {
  hotStatusContract(t, async (t) => {
    const server = await aRedisServer(t)
    const deploymentId = randomUUID()
    const deaf = t.name.includes('recalls') ? [] : ['-psubscribe', '-subscribe']
    if (deaf.length > 0) await server.admin.call('ACL', 'SETUSER', 'default', ...deaf)
    return (incarnation) => aGateway(t, server.url, { deploymentId, incarnation })
  })
  t.end()
})

t.test('deployments that share a Redis do not see one another', async (t) => {
  const a = await aGateway(t, shared.url, { deploymentId: 'one', incarnation: 1 })
  const b = await aGateway(t, shared.url, { deploymentId: 'two', incarnation: 2 })
  const heard: number[] = []
  b.onRecall((accountId) => heard.push(accountId))
  await b.watch(1)
  a.publish(figures(), true)
  a.recall(1)
  const c = await aGateway(t, shared.url, { deploymentId: 'one', incarnation: 3 })
  await c.watch(1)
  await seesOne(c, 1)

  t.strictSame(b.others(1), [])
  t.strictSame(heard, [])
})

t.test('every key expires, and stands alone under the prefix of its deployment', async (t) => {
  const server = await aRedisServer(t)
  const a = await aGateway(t, server.url, { incarnation: 41, ttlMs: 7_000 })
  a.publish(figures({ accountId: 5, incarnation: 41 }), true)
  await until(() => a.reachable && a.commands > 3)
  const b = await aGateway(t, server.url, { incarnation: 42 })
  await b.watch(5)
  await seesOne(b, 5)

  const keys = (await server.admin.keys('*')).sort()
  t.strictSame(keys, ['relaycore:test:gateways', 'relaycore:test:hot:5:41'])
  for (const key of keys) t.ok(await server.admin.pttl(key) > 0, key)
  t.ok(await server.admin.pttl('relaycore:test:hot:5:41') <= 7_000)
})

t.test('figures stay while their gateway lives and go when it is silent', async (t) => {
  const server = await aRedisServer(t)
  const a = await aGateway(t, server.url, { incarnation: 1, ttlMs: 1_500 })
  const b = await aGateway(t, server.url, { incarnation: 2, ttlMs: 1_500 })
  await b.watch(1)
  a.publish(figures())
  await seesOne(b, 1)
  const first = Date.now()
  await until(() => {
    if (b.others(1)?.length !== 1) t.fail('gone while it lives')
    return Date.now() - first > 3_200
  })

  const silent = JSON.stringify([1, 9, 1, 1, null, '1', '1', '0', 1, '1', '1', '1'])
  await server.admin.set('relaycore:test:hot:1:9', silent, 'PX', 2_500)
  await server.admin.zadd('relaycore:test:gateways', Date.now(), '9')
  await until(() => b.others(1)?.length === 2)
  await until(() => b.others(1)?.length === 1)
  t.equal(b.others(1)?.[0]?.incarnation, 1)
})

t.test('what is malformed or another program\'s is ignored', async (t) => {
  const server = await aRedisServer(t)
  const a = await aGateway(t, server.url, { incarnation: 1 })
  const good = [1, 9, 1, 1, null, '1', '1', '0', 1, '1', '1', '1']
  const bad = [
    'x', '{}', '[]', 'null', '[1,9]',
    JSON.stringify(good.with(5, '1.5')), JSON.stringify(good.with(5, 1)), JSON.stringify(good.with(0, '1')),
    JSON.stringify(good.with(8, 'now')), JSON.stringify(good.with(4, '9'.repeat(40))),
  ]
  await a.watch(1)
  const b = await aGateway(t, server.url, { incarnation: 2 })
  await server.admin.zadd('relaycore:test:gateways', Date.now(), '9', Date.now(), 'somebody')
  for (const text of bad) {
    await server.admin.set('relaycore:test:hot:1:9', text)
    for (const message of [text, `{"kind":"figures","rows":[${text}]}`, '{"kind":"figures","rows":7}',
      '{"kind":"recall","accountId":"1"}', '{"kind":"hint","hint":{"kind":"other"}}', '{"kind":"gone"}', '7']) {
      await server.admin.publish('relaycore:test:news', message)
    }
    t.strictSame((await a.read([1])).get(1), [], text)
  }
  for (const elsewhere of [good.with(0, 2), good.with(1, 8)]) {
    await server.admin.set('relaycore:test:hot:1:9', JSON.stringify(elsewhere))
    t.strictSame((await a.read([1])).get(1), [], 'figures under a key that is not theirs')
  }
  await server.admin.del('relaycore:test:hot:1:9')
  await server.admin.hset('relaycore:test:hot:1:9', 'a', 'b')
  t.strictSame((await a.read([1])).get(1), [], 'a key of another type')
  b.publish(figures({ incarnation: 2 }))

  t.strictSame(await until(() => a.others(1)?.find((one) => one.incarnation === 2)), figures({ incarnation: 2 }))
  t.equal(a.others(1)?.length, 1)
})

t.test('a Redis that was wiped has everything again within an interval or two', async (t) => {
  const server = await aRedisServer(t)
  const a = await aGateway(t, server.url, { incarnation: 1 })
  const b = await aGateway(t, server.url, { incarnation: 2 })
  for (let accountId = 1; accountId <= 50; accountId++) a.publish(figures({ accountId }))
  await until(() => a.reachable)
  await all(b, 50)
  await server.admin.flushall()
  const from = Date.now()
  await all(b, 50)

  t.ok(Date.now() - from < 1_000)
})

async function all (status: RedisHotStatus, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, i) => i + 1)
  for (;;) {
    const found = await status.read(ids)
    if (ids.every((id) => found.get(id)?.length === 1)) return
    await new Promise((resolve) => { setTimeout(resolve, 10) })
  }
}

t.test('killed and started again, Redis is missed, found and filled again', async (t) => {
  const server = await aRedisServer(t)
  const a = await aGateway(t, server.url, { incarnation: 1 })
  const b = await aGateway(t, server.url, { incarnation: 2 })
  const recalled: number[] = []
  b.onRecall((accountId) => recalled.push(accountId))
  await b.watch(1)
  a.publish(figures({ consumedNano: 1n }))
  await seesOne(b, 1)

  await server.kill()
  await until(() => !a.reachable && !b.reachable)
  const from = performance.now()
  await b.watch(2)
  t.strictSame(b.others(2), [], 'an account watched meanwhile has nobody else')
  t.strictSame((await b.read([1])).get(1), [figures({ consumedNano: 1n })], 'what was last heard')
  t.ok(performance.now() - from < 40, 'nothing waits')
  const { commands } = a
  for (let n = 0; n < 10_000; n++) {
    a.publish(figures({ consumedNano: BigInt(n) }), true)
    a.recall(1)
    a.hint({ kind: 'changed' })
  }
  a.publish(figures({ accountId: 2, consumedNano: 5n }))
  t.equal(a.commands, commands, 'nothing is sent or queued')
  t.equal(a.log.lines.filter((line) => line.message.includes('not reachable')).length, 1)

  await server.start()
  await until(() => a.reachable && b.reachable)
  await until(() => b.others(1)?.some((one) => one.consumedNano === 9_999n))
  t.strictSame(await seesOne(b, 2), figures({ accountId: 2, consumedNano: 5n }))
  await until(() => {
    a.recall(1)
    return recalled.includes(1)
  })
})

t.test('a Redis that is away at the start is no reason not to start', async (t) => {
  const server = await aRedisServer(t)
  await server.kill()
  const from = performance.now()
  const a = await aGateway(t, server.url, { incarnation: 1 })
  t.ok(performance.now() - from < 2_000)
  t.equal(a.reachable, false)
  a.publish(figures())
  await a.watch(3)

  await server.start()
  await until(() => a.reachable)
  const b = await aGateway(t, server.url, { incarnation: 2 })
  await b.watch(1)
  t.strictSame(await seesOne(b, 1), figures())
})

for (const kind of ['frozen', 'behind a network that swallows everything'] as const) {
  t.test(`a Redis that is ${kind} costs a watch its deadline once, and then nothing`, async (t) => {
    const server = await aRedisServer(t)
    const proxy = await aFaultProxy(t, server.port)
    const a = await aGateway(t, `redis://127.0.0.1:${proxy.port}`, { incarnation: 1 })
    const b = await aGateway(t, server.url, { incarnation: 2 })
    await a.watch(1)
    b.publish(figures({ incarnation: 2, consumedNano: 1n }))
    await seesOne(a, 1)

    if (kind === 'frozen') server.freeze()
    else proxy.hold()
    const from = performance.now()
    await a.watch(2)
    t.ok(performance.now() - from < 150, 'bounded')
    t.strictSame(a.others(2), [])
    await until(() => !a.reachable)
    t.ok(performance.now() - from < 1_000, 'noticed soon')
    const { commands } = a
    for (let accountId = 100; accountId < 1_100; accountId++) await a.watch(accountId)
    await a.read([1, 2, 3])
    t.equal(a.commands, commands, 'nothing is sent that could be waited for')

    if (kind === 'frozen') server.thaw()
    else proxy.pass()
    await until(() => a.reachable)
    b.publish(figures({ incarnation: 2, consumedNano: 2n }))
    await until(() => a.others(1)?.some((one) => one.consumedNano === 2n))
  })
}

t.test('a Redis that refuses to write counts as not reachable, and is told once', async (t) => {
  const server = await aRedisServer(t)
  const a = await aGateway(t, server.url, { incarnation: 1 })
  await until(() => a.reachable)
  await server.admin.config('SET', 'maxmemory', '1')
  a.publish(figures())
  await until(() => !a.reachable)
  t.equal(a.log.lines.filter((line) => line.message === 'redis refuses commands').length, 1)

  await server.admin.config('SET', 'maxmemory', '0')
  const from = performance.now()
  const b = await aGateway(t, server.url, { incarnation: 2 })
  await all(b, 1)
  t.ok(performance.now() - from < 1_000, 'written as soon as it can be')
  await until(() => a.reachable)
})

t.test('after a lost connection everything is written again: the Redis behind the new one may be an older one', async (t) => {
  const server = await aRedisServer(t)
  const a = await aGateway(t, server.url, { incarnation: 1 })
  const b = await aGateway(t, server.url, { incarnation: 2 })
  a.publish(figures(), true)
  await all(b, 1)
  await server.admin.del('relaycore:test:hot:1:1')
  await server.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')

  const from = performance.now()
  await all(b, 1)
  t.ok(performance.now() - from < 1_000)
})

t.test('a wrong password is told without the password', async (t) => {
  const server = await aRedisServer(t, ['--requirepass', 'right'])
  const wrong = await aGateway(t, server.url.replace('//', '//:wrong-secret@'), { incarnation: 1 })
  await until(() => wrong.log.lines.length > 0)
  t.equal(wrong.reachable, false)
  t.notMatch(JSON.stringify(wrong.log.lines), /wrong-secret/)

  const right = await aGateway(t, server.url.replace('//', '//:right@'), { incarnation: 2 })
  await until(() => right.reachable)
})

t.test('memory is bounded by the number of accounts it may know', async (t) => {
  const a = await aGateway(t, shared.url, { deploymentId: 'small', incarnation: 1, maxAccounts: 10 })
  const b = await aGateway(t, shared.url, { deploymentId: 'small', incarnation: 2 })
  for (let accountId = 1; accountId <= 30; accountId++) a.publish(figures({ accountId }))
  for (let accountId = 1; accountId <= 30; accountId++) await a.watch(accountId)
  const watched = Array.from({ length: 30 }, (_, i) => i + 1).filter((id) => a.others(id) !== undefined)

  t.equal(watched.length, 10)
  t.ok(watched.includes(30))
  const found = await all10(b)
  t.equal(found, 10)
})

async function all10 (status: RedisHotStatus): Promise<number> {
  const ids = Array.from({ length: 30 }, (_, i) => i + 1)
  for (;;) {
    const found = await status.read(ids)
    const count = ids.filter((id) => found.get(id)?.length === 1).length
    if (found.get(30)?.length === 1) return count
    await new Promise((resolve) => { setTimeout(resolve, 10) })
  }
}

t.test('accounts that are not used cost no commands', async (t) => {
  const server: RedisServer = await aRedisServer(t)
  const b = await aGateway(t, server.url, { incarnation: 2 })
  for (let accountId = 1; accountId <= 200; accountId++) b.publish(figures({ accountId, incarnation: 2 }))
  const a = await aGateway(t, server.url, { incarnation: 1 })
  for (let accountId = 1; accountId <= 200; accountId++) await a.watch(accountId)
  await until(() => a.others(200)?.length === 1)

  const idleFrom = Date.now()
  await until(() => Date.now() - idleFrom > 300)
  const before = a.commands
  const from = Date.now()
  await until(() => Date.now() - from > 1_000)
  t.ok(a.commands - before < 30, `${a.commands - before} commands in a second`)
})
