import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { isShort } from '../../../src/limits/limiter.ts'
import { RedisRateLimiter, type RedisRateLimiterOptions } from '../../../src/stores/redis/rate-limiter.ts'
import { until } from '../../account/hot-status-contract.ts'
import { aLog } from '../../journal/builders.ts'
import { aSubject, limiterContract } from '../../limits/contract.ts'
import { aFaultProxy } from '../../services/fault-proxy.ts'
import { aRedisServer } from './server.ts'

const shared = await aRedisServer(t)

async function aLimiter (t: Test, options: Partial<RedisRateLimiterOptions> = {}): Promise<RedisRateLimiter> {
  const log = aLog()
  const limiter = new RedisRateLimiter({
    url: shared.url,
    deploymentId: randomUUID(),
    incarnation: 1,
    now: Date.now,
    log: { ...log, info: log.warn },
    deadlineMs: 2_000,
    ...options,
  })
  t.teardown(() => limiter.close())
  await limiter.start()
  await until(() => limiter.reachable)
  return limiter
}

async function eventually (what: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000
  while (!await what()) if (Date.now() > deadline) throw new Error('it did not come to pass')
}

t.test('the contract', (t) => {
  limiterContract(t, aLimiter)
  t.end()
})

t.test('gateways of one deployment count together, those of another do not', async (t) => {
  const deploymentId = randomUUID()
  const one = await aLimiter(t, { deploymentId })
  const two = await aLimiter(t, { deploymentId, incarnation: 2 })
  const apart = await aLimiter(t)
  const key = aSubject({ requestsPerMinute: 3, concurrentCalls: 2 })
  const first = await one.take([key], 1)
  t.notOk(isShort(first))
  t.notOk(isShort(await two.take([key], 1)))
  t.match(await two.take([key], 1), { kind: 'calls' })
  t.notOk(isShort(await apart.take([key], 1)))
  if (!isShort(first)) one.end(first, 1)
  await eventually(async () => !isShort(await two.look([key], 1)))
  t.notOk(isShort(await two.take([key], 1)))
  t.match(await one.take([key], 1), { kind: 'requests' })
})

t.test('the slots of a gateway that dies become free, those of one that lives stay its own', async (t) => {
  const deploymentId = randomUUID()
  const lives = await aLimiter(t, { deploymentId, slotMs: 400, renewMs: 50 })
  const dies = await aLimiter(t, { deploymentId, incarnation: 2, slotMs: 400, renewMs: 1_000_000 })
  const key = aSubject({ concurrentCalls: 2 })
  await lives.take([key], 1)
  await dies.take([key], 1)
  t.match(await lives.take([key], 1), { kind: 'calls' })
  await eventually(async () => !isShort(await lives.take([key], 1)))
  // both are now of the gateway that lives, for longer than slots stand that are not renewed
  const end = Date.now() + 1_000
  let free = 0
  while (Date.now() < end) if (!isShort(await dies.look([key], 1))) free++
  t.equal(free, 0)
})

t.test('a process that is killed leaves its slot to expire, and one that lives keeps it for as long as it likes', async (t) => {
  const deploymentId = randomUUID()
  const limiter = await aLimiter(t, { deploymentId })
  const key = aSubject({ concurrentCalls: 1 })
  const holder = fork(join(import.meta.dirname, 'slot-holder.js'), [shared.url, deploymentId, key.id, '800'], { silent: true })
  t.teardown(() => { holder.kill('SIGKILL') })
  await once(holder.stdout as Readable, 'data')
  const end = Date.now() + 2_000
  let free = 0
  while (Date.now() < end) if (!isShort(await limiter.look([key], 1))) free++
  t.equal(free, 0, 'renewed')
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  await eventually(async () => !isShort(await limiter.take([key], 1)))
})

t.test('while Redis is away a gateway goes on with its own counts, and with the shared ones when it is back', async (t) => {
  const proxy = await aFaultProxy(t, shared.port)
  const deploymentId = randomUUID()
  const limiter = await aLimiter(t, { url: `redis://127.0.0.1:${proxy.port}`, deploymentId, deadlineMs: 60 })
  const other = await aLimiter(t, { deploymentId, incarnation: 2 })
  const key = aSubject({ requestsPerMinute: 4, concurrentCalls: 4 })
  await limiter.take([key], 1)
  await other.take([key], 1)
  proxy.hold()
  const started = Date.now()
  t.notOk(isShort(await limiter.take([key], 1)))
  t.ok(Date.now() - started < 1_000, 'it waits no longer than for its deadline')
  for (let i = 0; i < 2; i++) t.notOk(isShort(await limiter.take([key], 1)), 'by its own counts two more fit')
  t.match(await limiter.take([key], 1), { kind: 'requests' })
  t.ok(limiter.alone >= 4)
  proxy.pass()
  await until(() => limiter.reachable)
  await eventually(async () => {
    const seen = await other.look([key], 1)
    return isShort(seen) && seen.kind === 'calls'
  })
})
