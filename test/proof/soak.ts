import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { formatNano } from '../../src/money/amount.ts'
import { agree, nothingLeft } from './books.ts'
import { kill, ProofWorld } from './world.ts'

/**
 * Two gateways at a moderate load for long: what they keep (memory, descriptors, journal, keys in Redis, held and
 * leased amounts) is as much at the end as it was once they were warm. Users come and go, and a period ends
 * each minute.
 */
export interface SoakOptions {
  ms: number
  /** over both gateways */
  callsPerSecond: number
}

interface Sample {
  /** of both gateways together */
  memoryMb: number
  descriptors: number
  journalKb: number
  openCalls: number
  redisKeys: number
  redisMb: number
  connections: number
  leasedUsd: number
}

/** the least that may be set: its segments, an eighth of it each, fill up and go often */
const JOURNAL_BYTES = 4 * 1024 * 1024
/** what may be more at the end: so many times, and so much beside */
const MAY_GROW: Record<keyof Sample, { times: number, by: number }> = {
  memoryMb: { times: 1.1, by: 20 },
  descriptors: { times: 1.1, by: 10 },
  // of each gateway the segment that it writes to, which goes once it is full and recorded
  journalKb: { times: 1, by: 2 * JOURNAL_BYTES / 8 / 1024 },
  openCalls: { times: 1.5, by: 20 },
  redisKeys: { times: 1.1, by: 20 },
  redisMb: { times: 1.1, by: 1 },
  connections: { times: 1, by: 4 },
  leasedUsd: { times: 1.5, by: 0.01 },
}

const USERS = 2_000
const PERIOD_MS = 60_000
const SAMPLES = 120

export async function proveSoak ({ ms, callsPerSecond }: SoakOptions, say: (line: string) => void): Promise<void> {
  const world = await ProofWorld.open({ redis: true })
  const redis = new Redis(world.redisUrl as string)
  try {
    const small = { RELAYCORE_JOURNAL_MAX_BYTES: String(JOURNAL_BYTES) }
    const gateways = [await world.startGateway(undefined, small), await world.startGateway(undefined, small)]
    const key = await makeBudgets(world)
    say(`2 gateways, ${callsPerSecond} calls/s, ${Math.round(ms / 60_000)} min`)
    const start = Date.now()
    const until = start + ms
    let sent = 0
    const load = async (nth: number) => {
      for (let n = nth; Date.now() < until; n += LOOPS) {
        await wait(Math.max(0, start + n * 1000 / callsPerSecond - Date.now()))
        const gateway = gateways[n % 2] ?? gateways[0]
        if (gateway === undefined) throw new Error('no gateway')
        const body = { max_tokens: 20 + n % 200, stream: n % 3 === 0 }
        await world.call(gateway, key, `call-${n}`, body, { delayMs: n % 50, pieces: 3 }, {
          headers: { 'x-relaycore-user': `user-${n % USERS}` },
        })
        sent++
      }
    }
    const samples: Sample[] = []
    const look = async () => {
      while (Date.now() < until) {
        await wait(ms / SAMPLES)
        const sample = await sampleOf(world, redis)
        samples.push(sample)
        if (samples.length % (SAMPLES / 10) === 0) say(`${sent} calls; ${textOf(sample)}`)
      }
    }
    await Promise.all([look(), ...Array.from({ length: LOOPS }, (_, nth) => load(nth))])
    judge(samples, say)
    await world.settled(async () => await agree(world).then(() => true, () => false), 30_000)
    for (const { child } of gateways) {
      const code = await kill(child, 'SIGTERM')
      if (code !== 0) throw new Error(`a gateway ended with ${code}`)
    }
    const { reached, events, exact } = await agree(world)
    await nothingLeft(world)
    say(`${sent} calls, ${reached} at the provider, ${events} events, ${formatNano(exact)} USD in both books; nothing held, nothing leased`)
  } finally {
    redis.disconnect()
    await world.close()
  }
}

/** so many calls are under way at the most */
const LOOPS = 16

/** the second quarter, when all is warm, and the last */
function judge (samples: Sample[], say: (line: string) => void): void {
  const quarter = Math.floor(samples.length / 4)
  const [early, late] = [samples.slice(quarter, 2 * quarter), samples.slice(-quarter)]
  const grown: string[] = []
  for (const [name, { times, by }] of Object.entries(MAY_GROW) as [keyof Sample, { times: number, by: number }][]) {
    const [before, after] = [median(early.map((one) => one[name])), median(late.map((one) => one[name]))]
    const line = `${name}: ${shortOf(before)} in the second quarter, ${shortOf(after)} in the last`
    say(line)
    if (after > before * times + by) grown.push(line)
  }
  if (grown.length > 0) throw new Error(`something grows: ${grown.join('; ')}`)
}

async function sampleOf (world: ProofWorld, redis: Redis): Promise<Sample> {
  const [db] = await world.rows<{ leased: string, connections: string }>(`
    select (select coalesce(sum(leased_nano), 0) from budget_accounts) as leased,
      (select count(*) from pg_stat_activity where datname = current_database()) as connections`)
  const pids = world.gateways.map(({ child }) => child.pid as number)
  const metrics = await Promise.all(world.gateways.map(async (gateway) => await world.metrics(gateway)))
  const sum = (name: string) => metrics.reduce((total, one) => total + (one.get(name) ?? 0), 0)
  return {
    memoryMb: pids.reduce((total, pid) => total + residentKb(pid) / 1024, 0),
    descriptors: pids.reduce((total, pid) => total + readdirSync(`/proc/${pid}/fd`).length, 0),
    journalKb: sum('relaycore_journal_bytes') / 1024,
    openCalls: sum('relaycore_open_calls'),
    redisKeys: await redis.dbsize(),
    redisMb: Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]) / 1024 ** 2,
    connections: Number(db?.connections),
    leasedUsd: Number(db?.leased) / 1e9,
  }
}

function residentKb (pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

function textOf (sample: Sample): string {
  return Object.entries(sample).map(([name, value]) => `${name} ${shortOf(value as number)}`).join(', ')
}

function shortOf (value: number): string { return String(Number(value.toPrecision(4))) }

function median (values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

async function makeBudgets (world: ProofWorld): Promise<string> {
  const [gateway] = world.gateways
  if (gateway === undefined) throw new Error('no gateway')
  const common = { organizationId: 'acme', currency: 'USD', amount: '1000000' }
  const start = Date.now()
  for (const budget of [
    { name: 'all', scopeType: 'organization', scopeId: 'acme', period: 'annual' },
    { name: 'each', scopeType: 'user', scopeId: '*', period: 'daily' },
    {
      name: 'minutes',
      scopeType: 'team',
      scopeId: 'team',
      period: 'custom',
      recurring: true,
      startDate: new Date(start).toISOString(),
      endDate: new Date(start + PERIOD_MS).toISOString(),
    },
  ]) await world.admin(gateway, 'POST', '/budgets', { ...common, ...budget })
  const { key } = await world.admin<{ key: string }>(gateway, 'POST', '/keys', {
    name: 'k', organizationId: 'acme', teamId: 'team', allowHeaders: ['user'],
  })
  return key
}
