import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { formatNano } from '../../src/money/amount.ts'
import { type FaultProxy, startFaultProxy } from '../services/fault-proxy.ts'
import { type RedisServer, startRedisServer } from '../services/redis-server.ts'
import { startRedisCluster, startSentinels, until } from '../services/redis-topologies.ts'
import { neverOver, nothingLeft } from './books.ts'
import { bookedCost, type GatewayProcess, kill, ProofWorld } from './world.ts'

/**
 * Redis fails in every way while calls are made: no figure changes, no call waits for it longer than its deadline, and
 * what it costs in speed and in refusals is measured. Each fault has two budgets of its own: one with room for
 * everything, with rate limits that Redis is asked about for each call, of which no call may be refused; and one that
 * the gateways use up together, to the last call that fits.
 */
export interface FaultResult {
  fault: string
  calls: number
  /** of the calls with room */
  p50: number
  p99: number
  slowest: number
  /** of calls with room */
  refused: number
  /** the last cent: how long it took, and the attempts that were told to try again for each call admitted */
  usedUpMs: number
  retries: number
}

type Say = (line: string) => void

/** What is done to Redis: before the calls, again and again while they are made, and after them. */
export interface Fault {
  name: string
  begin? (): Promise<void> | void
  during? (): Promise<void> | void
  end? (): Promise<void> | void
}

/** while so long calls are made without pause */
const WORKERS = 3
const SMALLEST = { max_tokens: 20 }

export class RedisProof {
  readonly #world: ProofWorld
  readonly #say: Say
  #calls = 0
  #faults = 0

  constructor (world: ProofWorld, say: Say) {
    this.#world = world
    this.#say = say
  }

  /** `ms`: for how long calls with room are made */
  async under (fault: Fault, ms: number): Promise<FaultResult> {
    const n = this.#faults++
    const ample = await this.#aBudget(`ample-${n}`, 1_000_000_000_000n)
    await this.#call(this.#world.gateways[0] as GatewayProcess, ample)
    const tight = await this.#aBudget(`tight-${n}`, 30n * await this.#costOfOne())
    const calls = { over: false }
    await fault.begin?.()
    const doing = (async () => {
      while (!calls.over && fault.during !== undefined) {
        await fault.during()
        await wait(20)
      }
    })()
    const times: number[] = []
    let refused = 0
    const until = performance.now() + ms
    const withRoom = this.#world.gateways.flatMap((gateway) => Array.from({ length: WORKERS }, async () => {
      while (performance.now() < until) {
        const from = performance.now()
        const { status } = await this.#call(gateway, ample)
        times.push(performance.now() - from)
        if (status !== 200) refused++
      }
    }))
    const { usedUpMs, admitted, attempts } = await this.#useUp(tight)
    await Promise.all(withRoom)
    calls.over = true
    await doing
    await fault.end?.()
    times.sort((a, b) => a - b)
    const at = (share: number) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0)
    const result: FaultResult = {
      fault: fault.name,
      calls: times.length,
      p50: at(0.5),
      p99: at(0.99),
      slowest: at(1),
      refused,
      usedUpMs: Math.round(usedUpMs),
      retries: Math.round(100 * (attempts - admitted) / admitted) / 100,
    }
    this.#say(`${fault.name}: ${result.calls} calls with room, ${refused} refused, ${result.p50} ms (p50), ${result.p99} ms (p99), ` +
      `${result.slowest} ms (slowest); the last cent after ${result.usedUpMs} ms, ${result.retries} retries per call`)
    if (refused > 0) throw new Error(`${fault.name}: ${refused} calls were refused for which there was room`)
    return result
  }

  /** nothing grows while Redis is gone: attempts to connect a second, memory, log; most of it is after a third of it */
  async outage (proxies: FaultProxy[], ms: number): Promise<void> {
    const { gateways } = this.#world
    for (const proxy of proxies) proxy.refuse()
    const attempts = () => proxies.reduce((sum, { accepted }) => sum + accepted, 0)
    const grown = () => ({
      memory: memoryOf(this.#world), lines: gateways.reduce((sum, { output }) => sum + output.join('').split('\n').length, 0),
    })
    const from = performance.now()
    const before = attempts()
    const key = await this.#aBudget('outage', 1_000_000_000_000n)
    let early = null
    for (let passed = 0; passed < ms; passed = performance.now() - from) {
      if (early === null && passed > ms / 3) early = grown()
      for (const gateway of gateways) {
        const { status } = await this.#call(gateway, key)
        if (status !== 200) throw new Error(`a call for which there was room ended with ${status}`)
      }
      await wait(20)
    }
    const late = grown()
    const perSecond = (attempts() - before) / (performance.now() - from) * 1_000 / proxies.length
    for (const proxy of proxies) proxy.pass()
    const [lines, memory] = [late.lines - (early?.lines ?? 0), late.memory - (early?.memory ?? 0)]
    this.#say(`gone for ${Math.round(ms / 1_000)} s: ${perSecond.toFixed(1)} attempts to connect a second and gateway; in the last ` +
      `two thirds of it ${lines} log lines and ${(memory / gateways.length / 2 ** 20).toFixed(1)} MiB more a gateway`)
    if (perSecond > 8) throw new Error(`${perSecond} attempts to connect a second`)
    if (lines > gateways.length) throw new Error(`${lines} log lines while nothing changed`)
  }

  /** everybody's books agree, no limit was passed at any instant, nothing is left */
  async audit (): Promise<void> {
    const world = this.#world
    const events = async () => await world.rows<{ request_id: string, cost_nano: string, certainty: string }>(
      'select request_id, cost_nano, certainty from usage_events')
    const books = await world.books()
    await world.settled(async () => (await events()).length === books.length, 30_000)
    const recorded = new Map((await events()).map((event) => [event.request_id, event]))
    for (const entry of books) {
      const event = recorded.get(entry.requestId ?? '')
      if (event?.cost_nano !== bookedCost(entry).toString() || event.certainty !== 'exact') {
        throw new Error(`call ${entry.requestId} cost ${bookedCost(entry)}, and what is recorded is ${JSON.stringify(event)}`)
      }
    }
    await neverOver(world)
    for (const { child, output } of world.gateways) {
      const code = await kill(child, 'SIGTERM')
      if (code !== 0) throw new Error(`a gateway ended with ${code}: ${output.join('').slice(-2_000)}`)
    }
    await nothingLeft(world)
    this.#say(`${books.length} calls reached the provider, as many events, ${formatNano([...recorded.values()].reduce(
      (sum, { cost_nano: cost }) => sum + BigInt(cost), 0n))} USD in both books; nothing held, nothing leased`)
  }

  async #aBudget (organizationId: string, amount: bigint): Promise<string> {
    const [gateway] = this.#world.gateways as [GatewayProcess]
    await this.#world.admin(gateway, 'POST', '/budgets', {
      name: organizationId, scopeType: 'organization', scopeId: organizationId, amount: formatNano(amount), currency: 'USD', period: 'annual',
    })
    const { key } = await this.#world.admin<{ key: string }>(gateway, 'POST', '/keys', {
      name: organizationId, organizationId, rateLimits: { requestsPerMinute: 1_000_000, concurrentCalls: 1_000 },
    })
    return key
  }

  async #call (gateway: GatewayProcess, key: string) {
    return await this.#world.call(gateway, key, `call-${this.#calls++}`, SMALLEST)
  }

  /** nano-USD, of the call that was just made */
  async #costOfOne (): Promise<bigint> {
    const books = await this.#world.books()
    return bookedCost(books.at(-1) as typeof books[number])
  }

  /** by all gateways, until each says for good that no call fits */
  async #useUp (key: string) {
    const from = performance.now()
    let admitted = 0
    let attempts = 0
    await Promise.all(this.#world.gateways.map(async (gateway) => {
      for (;;) {
        if (performance.now() - from > 90_000) throw new Error('the last cent was not spent within 90 s')
        attempts++
        const { status, retryable } = await this.#call(gateway, key)
        if (status === 200) admitted++
        else if (!retryable) return
        else await wait(20 + Math.random() * 60)
      }
    }))
    return { usedUpMs: performance.now() - from, admitted, attempts }
  }
}

/** One server, of which each gateway has a network of its own. */
export async function proveRedisFaults (
  { gateways, ms, outageMs, only }: { gateways: number, ms: number, outageMs: number, only?: string[] },
  say: Say,
  databaseUrl?: string
): Promise<FaultResult[]> {
  const world = await ProofWorld.open({ redis: false, databaseUrl })
  const server = await startRedisServer()
  const replica = await startRedisServer(['--replicaof', `127.0.0.1 ${server.port}`, '--repl-diskless-sync-delay', '0'])
  const proxies: FaultProxy[] = []
  try {
    for (let i = 0; i < gateways; i++) {
      const proxy = await startFaultProxy(server.port)
      proxies.push(proxy)
      await world.startGateway(undefined, { REDIS_URL: `redis://127.0.0.1:${proxy.port}` })
    }
    const proof = new RedisProof(world, say)
    const faults = faultsOf(server, replica, proxies).filter(({ name }) => only === undefined || only.includes(name))
    const results: FaultResult[] = []
    for (const fault of faults) results.push(await proof.under(fault, ms))
    if (outageMs > 0) await proof.outage(proxies, outageMs)
    await proof.audit()
    return results
  } finally {
    for (const proxy of proxies) await proxy.close()
    await Promise.all([server.stop(), replica.stop()])
    await world.close()
  }
}

function faultsOf (server: RedisServer, replica: RedisServer, proxies: FaultProxy[]): Fault[] {
  const all = (what: (proxy: FaultProxy) => void) => () => { for (const proxy of proxies) what(proxy) }
  const pass = all((proxy) => { proxy.pass() })
  const [one] = proxies as [FaultProxy]
  return [
    { name: 'nothing' },
    { name: 'wiped again and again', during: async () => { await server.admin.flushall() } },
    {
      name: 'killed, and restored from an old snapshot',
      begin: async () => {
        await server.admin.save()
        copyFileSync(join(server.folder, 'dump.rdb'), join(server.folder, 'old.rdb'))
      },
      during: async () => {
        await wait(500)
        await server.kill()
        copyFileSync(join(server.folder, 'old.rdb'), join(server.folder, 'dump.rdb'))
        await server.start()
      },
    },
    { name: 'unreachable for one gateway', begin: () => { one.refuse() }, end: pass },
    { name: 'silent for one gateway', begin: () => { one.hold() }, end: pass },
    { name: 'silent for all: it accepts and never answers', begin: all((proxy) => { proxy.hold() }), end: pass },
    { name: 'heard and not answering', begin: all((proxy) => { proxy.hold('replies') }), end: pass },
    {
      name: 'half-open again and again',
      during: async () => {
        all((proxy) => { proxy.halfOpen() })()
        await wait(700)
      },
    },
    { name: 'slow by 100 ms each way', begin: all((proxy) => { proxy.delay(100) }), end: pass },
    { name: 'slow by 300 ms each way', begin: all((proxy) => { proxy.delay(300) }), end: pass },
    {
      name: 'full (OOM)',
      begin: async () => { await server.admin.config('SET', 'maxmemory', '1') },
      end: async () => { await server.admin.config('SET', 'maxmemory', '0') },
    },
    {
      name: 'read-only (demoted)',
      begin: async () => { await server.admin.replicaof('127.0.0.1', 1) },
      end: async () => { await server.admin.replicaof('NO', 'ONE') },
    },
    {
      // it does not lose anything by standing still alone: what it was sent waits in its socket
      name: 'replaced by a replica that misses the last second',
      begin: async () => {
        await until(async () => (await replica.admin.info('replication')).includes('master_link_status:up'))
        replica.freeze()
        await server.admin.call('CLIENT', 'KILL', 'TYPE', 'replica')
        void wait(1_000).then(async () => {
          await server.kill()
          replica.thaw()
          await replica.admin.replicaof('NO', 'ONE')
          all((proxy) => {
            proxy.retarget(replica.port)
            proxy.cut()
          })()
        })
      },
      end: async () => {
        await server.start()
        all((proxy) => {
          proxy.retarget(server.port)
          proxy.cut()
        })()
      },
    },
  ]
}

/** bytes in memory, of all gateways */
function memoryOf (world: ProofWorld): number {
  return world.gateways.reduce((sum, { child }) => {
    const [, kilobytes = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
    return sum + 1_024 * Number(kilobytes)
  }, 0)
}

/** Sentinels, and clusters: primaries that die, hang and are replaced on purpose, slots that move, all under calls. */
export async function proveRedisTopologies (ms: number, say: Say): Promise<FaultResult[]> {
  return [...await withSentinels(ms, say), ...await withCluster(ms, say)]
}

async function withSentinels (ms: number, say: Say): Promise<FaultResult[]> {
  const sentinels = await startSentinels({ sentinels: 3, replicas: 2, password: 'of-a-redis' })
  const at = async () => sentinels.servers.find(({ port }) => port === primary) as RedisServer
  let primary = await sentinels.primary()
  const moved = async () => {
    const before = primary
    await until(async () => (primary = await sentinels.primary()) !== before)
  }
  const healthy = async () => {
    await until(async () => (await (await at()).admin.info('replication')).match(/state=online/g)?.length === 2, 60_000)
  }
  try {
    return await inTopology(sentinels.url, ms, say, [
      { name: 'Sentinel: nothing' },
      {
        name: 'Sentinel: the primary is killed',
        begin: async () => { await (await at()).kill() },
        end: async () => {
          const old = await at()
          await moved()
          await old.start()
          await healthy()
        },
      },
      {
        name: 'Sentinel: the primary hangs',
        begin: async () => { (await at()).freeze() },
        end: async () => {
          const old = await at()
          await moved()
          old.thaw()
          await healthy()
        },
      },
      { name: 'Sentinel: a failover on purpose', begin: async () => { await sentinels.failover() }, end: async () => { await moved() } },
    ])
  } finally {
    await sentinels.stop()
  }
}

async function withCluster (ms: number, say: Say): Promise<FaultResult[]> {
  const cluster = await startRedisCluster({ primaries: 3, replicas: 3, password: 'of-a-redis' })
  const [a, b, c, spare] = cluster.nodes as [RedisServer, RedisServer, RedisServer, RedisServer]
  const whole = async () => {
    await until(async () => (await Promise.all(cluster.nodes.map(async ({ admin }) => await admin.call('CLUSTER', 'INFO') as string)))
      .every((info) => info.includes('cluster_state:ok') && info.includes('cluster_slots_fail:0')), 60_000)
  }
  let moves = 0
  try {
    return await inTopology(cluster.url, ms, say, [
      { name: 'Cluster: nothing' },
      {
        name: 'Cluster: all slots that have keys move all the time',
        end: () => { say(`  ${moves} moves of slots`) },
        during: async () => {
          // those that have keys, from each primary to the next
          for (const [from, to] of [[a, b], [b, c], [c, a]] as const) {
            for (const key of await from.admin.keys('relaycore:*')) {
              await cluster.moveSlot(await from.admin.call('CLUSTER', 'KEYSLOT', key) as number, from, to)
              moves++
            }
          }
        },
      },
      {
        name: 'Cluster: a primary hangs until its replica takes over',
        begin: () => { c.freeze() },
        end: async () => {
          c.thaw()
          await whole()
        },
      },
      {
        name: 'Cluster: a primary is killed, and its replica takes over',
        begin: async () => { await a.kill() },
        end: async () => {
          await until(async () => (await spare.admin.info('replication')).includes('role:master'))
          await a.start()
          await whole()
        },
      },
    ])
  } finally {
    await cluster.stop()
  }
}

async function inTopology (url: string, ms: number, say: Say, faults: Fault[]): Promise<FaultResult[]> {
  const world = await ProofWorld.open({ redis: false })
  try {
    for (let i = 0; i < 3; i++) await world.startGateway(undefined, { REDIS_URL: url })
    const proof = new RedisProof(world, say)
    const results: FaultResult[] = []
    for (const fault of faults) results.push(await proof.under(fault, ms))
    await proof.audit()
    return results
  } finally {
    await world.close()
  }
}
