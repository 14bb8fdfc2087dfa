import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { type HotStatus } from '../../../src/account/hot-status.ts'
import { type Command, RedisConnection, type Reply } from '../../../src/stores/redis/connection.ts'
import { RedisHotStatus } from '../../../src/stores/redis/hot-status.ts'
import { RedisRateLimiter } from '../../../src/stores/redis/rate-limiter.ts'
import { hotStatusContract } from '../../account/hot-status-contract.ts'
import { aLog } from '../../journal/builders.ts'
import { limiterContract } from '../../limits/contract.ts'
import { type RedisServer } from '../../services/redis-server.ts'
import { startRedisCluster, startSentinels, until } from '../../services/redis-topologies.ts'

/** Sentinel and Cluster as they are when all is well; their failovers are in `npm run proof -- redis`. */
const PASSWORD = 'of-a-redis'
const cluster = await startRedisCluster({
  primaries: 3, password: PASSWORD, nodeTimeoutMs: 15_000, args: ['--cluster-require-full-coverage', 'no'],
})
t.teardown(() => cluster.stop())
const sentinels = await startSentinels({ sentinels: 1, replicas: 0, password: PASSWORD })
t.teardown(() => sentinels.stop())

function quiet () {
  const log = aLog()
  return { ...log, info: log.warn }
}

async function aHotStatus (t: Test, url: string, deploymentId: string, incarnation: number): Promise<HotStatus> {
  const status = new RedisHotStatus({ url, deploymentId, incarnation, log: quiet(), deadlineMs: 2_000, watchMs: 2_000 })
  t.teardown(() => status.close())
  await status.start()
  return status
}

async function aConnection (t: Test, url: string, deadlineMs = 2_000): Promise<RedisConnection> {
  const connection = new RedisConnection({ url, deadlineMs, onReady: () => {}, onLost: () => {} })
  t.teardown(() => { connection.close() })
  await connection.connect()
  await until(async () => connection.ready)
  return connection
}

for (const [name, { url }] of Object.entries({ sentinels, cluster })) {
  t.test(`the contracts hold with ${name}`, async (t) => {
    t.test('of hot status', (t) => {
      hotStatusContract(t, async (t) => {
        const deploymentId = randomUUID()
        return (incarnation) => aHotStatus(t, url, deploymentId, incarnation)
      })
      t.end()
    })
    t.test('of rate limits', (t) => {
      limiterContract(t, async (t) => {
        const limiter = new RedisRateLimiter({
          url, deploymentId: randomUUID(), incarnation: 1, now: Date.now, log: quiet(), deadlineMs: 2_000,
        })
        t.teardown(() => limiter.close())
        await limiter.start()
        await until(async () => limiter.reachable)
        return limiter
      })
      t.end()
    })
  })
}

const KEYS = Array.from({ length: 30 }, (_, i) => `key ${i}`)
const writes = (value: string): Command[] => KEYS.map((key) => ['set', key, value, 'PX', 60_000])
const reads = KEYS.map((key): Command => ['get', key])

t.test('a batch goes to all nodes of a cluster, and follows a slot that is moving and that has moved', async (t) => {
  const connection = await aConnection(t, cluster.url)
  const [key = ''] = KEYS
  const [first] = cluster.nodes
  const slot = await first?.admin.call('CLUSTER', 'KEYSLOT', key) as number
  const from = await cluster.ownerOf(key)
  const to = cluster.nodes.find((node) => node !== from) as RedisServer
  t.ok(new Set(await Promise.all(KEYS.map((one) => cluster.ownerOf(one)))).size === 3, 'keys are everywhere')
  t.strictSame(await connection.batch(writes('a')), KEYS.map(() => [null, 'OK']))
  await cluster.moveSlot(slot, from, to, async () => {
    t.strictSame(await connection.batch([...writes('b'), ...reads]), [
      ...KEYS.map(() => [null, 'OK']), ...KEYS.map(() => [null, 'b']),
    ], 'half moved')
  })
  t.equal((await cluster.ownerOf(key)).port, to.port)
  t.strictSame(await connection.batch(writes('c')), KEYS.map(() => [null, 'OK']), 'moved')
  t.strictSame(await connection.batch(reads), KEYS.map(() => [null, 'c']))
})

t.test('a node of a cluster that hangs costs a batch its deadline once; the others answer as ever', async (t) => {
  const connection = await aConnection(t, cluster.url, 1_000)
  const [, node] = cluster.nodes as [RedisServer, RedisServer]
  const ports = await Promise.all(KEYS.map(async (key) => (await cluster.ownerOf(key)).port))
  await until(async () => (await connection.batch(writes('a')))?.every(isDone) === true)
  node.freeze()
  t.teardown(() => { node.thaw() })

  const failed = await connection.batch(reads)
  t.strictSame(failed?.map(isDone), ports.map((port) => port !== node.port))
  for (let n = 0; n < 20; n++) {
    const errors = (await connection.batch(reads))?.map(([error]) => error?.message)
    t.strictSame(errors, ports.map((port) => port === node.port ? 'its node of the cluster is not reachable' : undefined),
      'nothing is sent to a node that does not answer, and so nothing waits for it')
  }
  node.thaw()
  await until(async () => (await connection.batch(reads))?.every(isDone) === true)
})

t.test('a cluster that is away as a whole, and comes back, is found again', async (t) => {
  const told: string[] = []
  const onLost = (why: string) => told.push(why)
  const connection = new RedisConnection({ url: cluster.url, deadlineMs: 200, onReady: () => {}, onLost })
  t.teardown(() => { connection.close() })
  await connection.connect()
  await until(async () => (await connection.batch(writes('a')))?.every(isDone) === true)
  for (const node of cluster.nodes) node.freeze()
  await until(async () => {
    await connection.batch(reads)
    return !connection.ready
  })
  const { commands } = connection
  t.equal(await connection.batch(reads), null)
  t.equal(connection.commands, commands)
  for (const node of cluster.nodes) node.thaw()
  await until(async () => (await connection.batch(reads))?.every(isDone) === true)
  t.equal(told.length, 1)
})

t.test('sentinels that want another password, or know no such primary, are told without the password', async (t) => {
  for (const url of [
    sentinels.url.replace(`sentinelPassword=${PASSWORD}`, 'sentinelPassword=wrong-secret'),
    sentinels.url.replace('/main', '/other'),
  ]) {
    const told: string[] = []
    const connection = new RedisConnection({ url, deadlineMs: 200, onReady: () => {}, onLost: (why) => told.push(why) })
    t.teardown(() => { connection.close() })
    void connection.connect()
    await until(async () => told.length > 0)
    t.equal(connection.ready, false)
    t.notMatch(told.join(), /wrong-secret/)
  }
})

function isDone ([error]: Reply): boolean { return error === null }
