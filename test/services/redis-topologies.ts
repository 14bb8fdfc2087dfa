import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { findServer } from './redis.ts'
import { freePort } from './free-port.ts'
import { readiness, type RedisServer, startRedisServer } from './redis-server.ts'

/** A primary, its replicas, and the sentinels that watch over them. */
export interface Sentinels {
  /** for `REDIS_URL` */
  url: string
  /** the first is the primary as it starts */
  servers: RedisServer[]
  ports: number[]
  /** the port of whom the sentinels call the primary now */
  primary (): Promise<number>
  /** makes a replica the primary, though all is well */
  failover (): Promise<unknown>
  stop (): Promise<void>
}

export interface SentinelOptions {
  sentinels: number
  replicas: number
  password?: string
  downAfterMs?: number
}

export async function startSentinels (
  { sentinels, replicas, password, downAfterMs = 1_000 }: SentinelOptions
): Promise<Sentinels> {
  const secret = password === undefined ? [] : ['--requirepass', password, '--masterauth', password]
  const first = await startRedisServer(secret, password)
  const others = await Promise.all(Array.from({ length: replicas }, () =>
    startRedisServer([...secret, '--replicaof', `127.0.0.1 ${first.port}`, '--repl-diskless-sync-delay', '0'], password)))
  const servers = [first, ...others]
  await until(async () => (await first.admin.info('replication')).match(/state=online/g)?.length === replicas || replicas === 0)
  const folder = mkdtempSync(join(tmpdir(), 'sentinel-'))
  const { program, env } = findServer()
  const ports: number[] = []
  const children: ChildProcess[] = []
  for (let i = 0; i < sentinels; i++) {
    const port = await freePort()
    const file = join(folder, `${i}.conf`)
    writeFileSync(file, [
      `port ${port}`, 'bind 127.0.0.1', `dir ${folder}`,
      `sentinel monitor main 127.0.0.1 ${first.port} ${Math.floor(sentinels / 2) + 1}`,
      `sentinel down-after-milliseconds main ${downAfterMs}`,
      'sentinel failover-timeout main 5000',
      ...password === undefined ? [] : [`sentinel auth-pass main ${password}`, `requirepass ${password}`],
      '',
    ].join('\n'))
    const child = spawn(program, [file, '--sentinel'], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } })
    await readiness(child)
    children.push(child)
    ports.push(port)
  }
  const asking = await aSentinelClient(ports[0] as number, password)
  await until(async () => {
    const [entry = []] = await asking.call('SENTINEL', 'MASTERS') as string[][]
    const field = (name: string) => Number(entry[entry.indexOf(name) + 1])
    return field('num-other-sentinels') === sentinels - 1 && field('num-slaves') === replicas
  })
  const secretUrl = password === undefined ? ['', ''] : [`:${password}@`, `?sentinelPassword=${password}`]
  return {
    url: `redis+sentinel://${secretUrl[0]}${ports.map((port) => `127.0.0.1:${port}`).join(',')}/main${secretUrl[1]}`,
    servers,
    ports,
    async primary () {
      const [, port] = await asking.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main') as [string, string]
      return Number(port)
    },
    failover: () => asking.call('SENTINEL', 'FAILOVER', 'main'),
    async stop () {
      asking.disconnect()
      await Promise.all(children.map(async (child) => {
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }))
      await Promise.all(servers.map((server) => server.stop()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function aSentinelClient (port: number, password: string | undefined) {
  const { Redis } = await import('ioredis')
  const client = new Redis({ port, host: '127.0.0.1', protocol: 2, ...password === undefined ? {} : { password } })
  client.on('error', () => {})
  return client
}

/** Nodes of a cluster: the first `primaries` have the slots in equal parts, each of the others is a replica of one. */
export interface RedisCluster {
  url: string
  nodes: RedisServer[]
  /** the node that has this key's slot, as the others see it */
  ownerOf (key: string): Promise<RedisServer>
  /** moves a slot with its keys, as `redis-cli --cluster reshard` does; `between`: while it is half moved */
  moveSlot (slot: number, from: RedisServer, to: RedisServer, between?: () => Promise<void>): Promise<void>
  stop (): Promise<void>
}

export const SLOTS = 16_384

export interface ClusterOptions {
  primaries: number
  replicas?: number
  args?: string[]
  password?: string
  nodeTimeoutMs?: number
}

export async function startRedisCluster (
  { primaries, replicas = 0, args = [], password, nodeTimeoutMs = 2_000 }: ClusterOptions
): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: primaries + replicas }, async () => await startRedisServer([
    ...args, '--cluster-enabled', 'yes', '--cluster-port', String(await freePort()),
    '--cluster-node-timeout', String(nodeTimeoutMs), '--repl-diskless-sync-delay', '0',
    ...password === undefined ? [] : ['--requirepass', password, '--masterauth', password],
  ], password)))
  const ids: string[] = []
  for (const [i, { admin }] of nodes.entries()) {
    ids.push(await admin.call('CLUSTER', 'MYID') as string)
    if (i >= primaries) continue
    const [from, to] = [i, i + 1].map((part) => Math.floor(part * SLOTS / primaries)) as [number, number]
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', from, to - 1)
  }
  const [first, ...others] = nodes as [RedisServer, ...RedisServer[]]
  for (const { port } of others) {
    await first.admin.call('CLUSTER', 'MEET', '127.0.0.1', port, await busOf(nodes, port))
  }
  const agree = async () => {
    const states = await Promise.all(nodes.map(async ({ admin }) => await admin.call('CLUSTER', 'INFO') as string))
    return states.every((state) => state.includes('cluster_state:ok') && state.includes(`cluster_known_nodes:${nodes.length}`))
  }
  await until(agree)
  for (const [i, { admin }] of nodes.entries()) {
    if (i >= primaries) await admin.call('CLUSTER', 'REPLICATE', ids[i % primaries] as string)
  }
  if (replicas > 0) {
    await until(async () => (await Promise.all(nodes.slice(primaries).map(({ admin }) => admin.info('replication'))))
      .every((info) => info.includes('role:slave') && info.includes('master_link_status:up')))
  }
  const idOf = (node: RedisServer) => ids[nodes.indexOf(node)] as string
  const ownerOfSlot = async (slot: number): Promise<RedisServer> => {
    for (const { admin } of nodes) {
      if (admin.status !== 'ready') continue
      const ranges = await admin.call('CLUSTER', 'SLOTS') as [number, number, [string, number]][]
      const range = ranges.find(([from, to]) => from <= slot && slot <= to)
      const owner = nodes.find(({ port }) => port === range?.[2][1])
      if (owner !== undefined) return owner
    }
    throw new Error(`nobody has slot ${slot}`)
  }
  return {
    url: `redis+cluster://${password === undefined ? '' : `:${password}@`}` +
      nodes.slice(0, 2).map(({ port }) => `127.0.0.1:${port}`).join(','),
    nodes,
    async ownerOf (key) { return await ownerOfSlot(await first.admin.call('CLUSTER', 'KEYSLOT', key) as number) },
    async moveSlot (slot, from, to, between) {
      await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', idOf(from))
      await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', idOf(to))
      for (;;) {
        const keys = await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, 100) as string[]
        if (keys.length === 0) break
        const secret = password === undefined ? [] : ['AUTH', password]
        await from.admin.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, ...secret, 'KEYS', ...keys)
      }
      await between?.()
      for (const node of new Set([to, from, ...nodes.slice(0, primaries)])) await node.admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', idOf(to))
    },
    async stop () { await Promise.all(nodes.map((node) => node.stop())) },
  }
}

async function busOf (nodes: RedisServer[], port: number): Promise<string> {
  const node = nodes.find((one) => one.port === port)
  const [, bus = ''] = await node?.admin.config('GET', 'cluster-port') as string[]
  return bus
}

/** asks again, since servers tell nobody when they agree */
export async function until (what: () => Promise<boolean>, ms = 30_000): Promise<void> {
  const deadline = Date.now() + ms
  while (!await what()) {
    if (Date.now() > deadline) throw new Error(`it did not come to pass within ${ms} ms`)
    await wait(20)
  }
}
