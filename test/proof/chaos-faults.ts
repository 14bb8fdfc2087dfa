import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import pg from 'pg'
import { formatNano, parseAmount, percentOf } from '../../src/money/amount.ts'
import { launchPostgres, type LaunchedPostgres } from '../../src/stores/postgres/launcher.ts'
import { type FaultProxy, startFaultProxy, startPostgresProxy } from '../services/fault-proxy.ts'
import { freePort } from '../services/free-port.ts'
import { type PrivateRedis, startRedis } from '../services/redis.ts'
import { type Random } from '../random.ts'
import { type GatewayProcess, kill, type ProofWorld } from './world.ts'

/** a gateway, and its own ways to PostgreSQL and Redis */
export interface Member {
  gateway: GatewayProcess
  readonly postgres: FaultProxy
  readonly redis: FaultProxy
  readonly env: Record<string, string>
}

/** what is broken at the moment is not broken once more */
type Part = Member | FaultProxy | 'postgres' | 'redis' | 'limit'

interface Fault {
  name: string
  /** how often, among the others */
  weight: number
  /** chooses what to break; null: nothing, this time */
  aim: () => Aim | null
}

interface Aim {
  part: Part
  /** breaks it, and mends it */
  run: () => Promise<void>
}

/** Everything that can be broken, and what breaks it. */
export class Members {
  readonly all: Member[] = []
  readonly faults: Record<string, number> = {}
  /** the budget whose limit moves, with its amount when nothing goes wrong */
  moved: { id: string, amount: string } | null = null
  /** how often it has been, counted before and after */
  moves = 0
  readonly #folder: string
  readonly #random: Random
  #postgres: LaunchedPostgres
  #redis: PrivateRedis
  readonly #redisPort: number
  readonly #broken = new Set<Part>()
  /** gateways that lost their disks, on the disks that they lost */
  readonly #lost: Member[] = []
  #world: ProofWorld | null = null

  static async open (folder: string, random: Random): Promise<Members> {
    const port = await freePort()
    const [postgres, redis] = await Promise.all([launchIn(folder), startRedis(port)])
    return new Members(folder, random, postgres, redis, port)
  }

  constructor (folder: string, random: Random, postgres: LaunchedPostgres, redis: PrivateRedis, redisPort: number) {
    this.#folder = folder
    this.#random = random
    this.#postgres = postgres
    this.#redis = redis
    this.#redisPort = redisPort
  }

  /** straight, without a network that breaks */
  get databaseUrl (): string { return this.#postgres.url }

  /** those that whatever spreads calls over them would choose from; all, where there is none */
  get running (): Member[] {
    const running = this.all.filter(({ gateway: { child } }) => child.exitCode === null && child.signalCode === null)
    return running.length > 0 ? running : this.all
  }

  async startGateways (world: ProofWorld, count: number): Promise<void> {
    this.#world = world
    for (let n = 0; n < count; n++) {
      const { proxy: postgres, url } = await startPostgresProxy(this.databaseUrl)
      const redis = await startFaultProxy(this.#redisPort)
      const env = {
        DATABASE_URL: url,
        REDIS_URL: `redis://127.0.0.1:${redis.port}`,
        RELAYCORE_SHUTDOWN_MS: '3000',
      }
      this.all.push({ postgres, redis, env, gateway: await world.startGateway(undefined, env) })
    }
  }

  /** one fault after the other, some at the same time, until then; resolves when all are mended */
  async breakThings (until: number, say: (line: string) => void): Promise<void> {
    const running = new Set<Promise<void>>()
    const failed: Error[] = []
    const faults = this.#all()
    while (Date.now() < until && failed.length === 0) {
      const { name, aim } = this.#pick(faults)
      const aimed = aim()
      if (aimed !== null && !this.#broken.has(aimed.part)) {
        const { part, run } = aimed
        this.#broken.add(part)
        this.#count(name)
        const one = run().catch((error: Error) => {
          say(`${name}: ${error.message}`)
          failed.push(error)
        }).finally(() => {
          this.#broken.delete(part)
          running.delete(one)
        })
        running.add(one)
      }
      await wait(this.#random.between(200, 1_200))
      await this.#reviveThoseThatEnded()
    }
    await Promise.all(running)
    const [first] = failed
    if (first !== undefined) throw first
  }

  /** everything works; gateways whose disk was lost have it again, for as long as it takes to say what is on it */
  async mend (): Promise<void> {
    for (const { postgres, redis } of this.all) {
      postgres.pass()
      redis.pass()
    }
    await this.#reviveThoseThatEnded()
    await this.#world?.settled(() => this.#moveLimit(100), 30_000)
    await Promise.all(this.#lost.map(async (lost) => {
      await this.#start(lost, lost.gateway)
      await stopped(lost.gateway)
    }))
  }

  async close (): Promise<void> {
    for (const { postgres, redis } of this.all) await Promise.all([postgres.close(), redis.close()])
    await Promise.all([this.#postgres.stop(), this.#redis.stop()])
  }

  #all (): Fault[] {
    const gateway = (name: string, weight: number, run: (member: Member) => Promise<void>): Fault => ({
      name,
      weight,
      aim: () => {
        const member = this.#random.pick(this.all)
        return { part: member, run: () => run(member) }
      },
    })
    const network = (name: string, weight: number, run: (proxy: FaultProxy) => unknown): Fault => ({
      name,
      weight,
      aim: () => {
        const proxy = this.#random.pick(this.all)[this.#random.pick(['postgres', 'redis'] as const)]
        return {
          part: proxy,
          run: async () => {
            await run(proxy)
            await this.#pause(100, 2_500)
            proxy.pass()
          },
        }
      },
    })
    const server = (name: string, weight: number, part: 'postgres' | 'redis', run: () => Promise<void>): Fault =>
      ({ name, weight, aim: () => ({ part, run }) })
    return [
      gateway('gateways killed', 4, async (member) => {
        await kill(member.gateway.child, 'SIGKILL')
        await this.#start(member, member.gateway)
      }),
      gateway('gateways stopped and started', 2, async (member) => {
        await stopped(member.gateway)
        await this.#start(member, member.gateway)
      }),
      gateway('gateways frozen', 3, async ({ gateway: { child } }) => {
        child.kill('SIGSTOP')
        await this.#pause(300, 4_000)
        child.kill('SIGCONT')
      }),
      gateway('disks lost', 1, async (member) => {
        await kill(member.gateway.child, 'SIGKILL')
        this.#lost.push({ ...member })
        await this.#start(member)
      }),
      { name: 'limits moved', weight: 4, aim: () => ({ part: 'limit', run: async () => { await this.#moveLimit(this.#random.int(1, 100)) } }) },
      network('connections cut', 4, (proxy) => { proxy.cut() }),
      network('connections half open', 2, (proxy) => { proxy.halfOpen() }),
      network('partitions', 3, (proxy) => { proxy.hold() }),
      network('partitions of answers alone', 2, (proxy) => { proxy.hold('replies') }),
      network('refused connections', 2, (proxy) => { proxy.refuse() }),
      network('slow networks', 2, (proxy) => { proxy.delay(this.#random.between(20, 300)) }),
      network('lost answers', 3, (proxy) => { void proxy.cutOn(this.#random.pick(['post_usage', 'grant_leases', 'commit']), 'unanswered') }),
      server('connections ended by PostgreSQL', 2, 'postgres', () => this.#sql(
        "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()")),
      server('locks on all accounts', 2, 'postgres', () => this.#sql(
        'begin; select from budget_accounts order by id for update', () => this.#pause(500, 2_500))),
      server('crashes of PostgreSQL', 1, 'postgres', async () => {
        process.kill(this.#postgres.pid, 'SIGQUIT')
        await this.#pause(200, 1_500)
        this.#postgres = await launchIn(this.#folder)
      }),
      server('crashes of Redis', 2, 'redis', async () => {
        await this.#redis.stop()
        await this.#pause(100, 2_000)
        this.#redis = await startRedis(this.#redisPort)
      }),
      server('wipes of Redis', 2, 'redis', async () => {
        const client = new Redis(this.#redis.socket)
        await client.flushall()
        client.disconnect()
      }),
      server('freezes of Redis', 2, 'redis', async () => {
        process.kill(this.#redis.pid, 'SIGSTOP')
        await this.#pause(300, 3_000)
        process.kill(this.#redis.pid, 'SIGCONT')
      }),
    ]
  }

  #pick (faults: Fault[]): Fault {
    let at = this.#random.int(0, faults.reduce((sum, { weight }) => sum + weight, 0) - 1)
    for (const fault of faults) {
      at -= fault.weight
      if (at < 0) return fault
    }
    throw new Error('no fault')
  }

  async #pause (from: number, to: number): Promise<void> { await wait(this.#random.between(from, to)) }

  /** without `again`: on an empty disk */
  async #start (member: Member, again?: GatewayProcess): Promise<void> {
    if (this.#world === null) throw new Error('no world')
    const deadline = Date.now() + 60_000
    for (;;) {
      try {
        member.gateway = await this.#world.startGateway(again, member.env)
        return
      } catch (error) {
        // it says so in its last line and ends: whatever supervises it starts it again
        const last = (error as Error).message.trim().split('\n').at(-1) ?? ''
        const mayGoOn = /The database cannot be reached|PostgreSQL did not answer/.test(last) && Date.now() < deadline
        if (!mayGoOn) throw error
        this.#count('starts without a database')
      }
    }
  }

  /** as whatever supervises them would: a gateway ends by itself where it may not go on */
  async #reviveThoseThatEnded (): Promise<void> {
    for (const member of this.all) {
      const { child } = member.gateway
      if (this.#broken.has(member) || (child.exitCode === null && child.signalCode === null)) continue
      this.#count('gateways that ended by themselves')
      await this.#start(member, member.gateway)
    }
  }

  /** To so many hundredths of its amount, by any gateway; true: it says so. Where it cannot, or dies, nobody knows. */
  async #moveLimit (percent: number): Promise<boolean> {
    const { moved } = this
    if (moved === null || this.#world === null) throw new Error('no budget')
    const amount = formatNano(percentOf(parseAmount(moved.amount) ?? 0n, percent))
    this.moves++
    const told = this.#world.admin(this.#random.pick(this.running).gateway, 'PUT', `/budgets/${moved.id}`, { amount })
    const known = await told.then(() => true, () => false)
    this.moves++
    return known
  }

  #count (name: string): void { this.faults[name] = (this.faults[name] ?? 0) + 1 }

  /** `meanwhile`: before the connection ends, and what it has locked is free again */
  async #sql (text: string, meanwhile?: () => Promise<void>): Promise<void> {
    const client = new pg.Client({ connectionString: this.databaseUrl })
    client.on('error', () => undefined)
    // it may be down, or its own connection be ended
    await client.connect().then(() => client.query(text)).then(meanwhile).catch(() => undefined)
    await client.end().catch(() => undefined)
  }
}

async function launchIn (folder: string): Promise<LaunchedPostgres> {
  return await launchPostgres({ folder: join(folder, 'data', 'postgres'), durability: 'off' })
}

async function stopped ({ child, output }: GatewayProcess): Promise<void> {
  const code = await kill(child, 'SIGTERM')
  if (code !== 0) throw new Error(`a gateway that was stopped ended with ${code}: ${output.join('').slice(-2_000)}`)
}
