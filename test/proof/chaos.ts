import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { formatNano } from '../../src/money/amount.ts'
import { migrate } from '../../src/stores/postgres/migrate.ts'
import { agree, type Agreement, neverOver, nothingLeft } from './books.ts'
import { Members } from './chaos-faults.ts'
import { Random } from '../random.ts'
import { kill, ProofWorld } from './world.ts'

/**
 * Three gateways at load, with a PostgreSQL, a Redis and a network that break at random all the while, and so do the
 * gateways, the provider's answers and the clients, and a limit moves. At each sampled instant no account is overdrawn,
 * and leased is the sum of its leases. When all is mended: every call that reached the provider has its one event, at
 * what the provider's own books say, or at its quote where nobody saw its end, and nothing is held or leased.
 *
 * A seed fixes which faults come in which order, not what processes make of them.
 */
export interface ChaosOptions {
  ms: number
  seed: number
  clients: number
}

export interface ChaosResult extends Agreement {
  /** requests that clients sent */
  sent: number
  /** answers by what they were */
  answers: Record<string, number>
  faults: Record<string, number>
  /** instants at which the accounts were looked at */
  samples: number
  /** of the longest time in which no call was admitted, ms */
  longestPauseMs: number
}

type Say = (line: string) => void

const NANO_OF_A_CALL = 70_000n
/** of the team whose periods end all the time */
const PERIOD_MS = 15_000

export async function proveChaos ({ ms, seed, clients }: ChaosOptions, say: Say): Promise<ChaosResult> {
  const random = new Random(seed)
  const folder = mkdtempSync(join(tmpdir(), 'relaycore-chaos-'))
  // as root the server runs as another user, who has to pass through
  chmodSync(folder, 0o711)
  const members = await Members.open(folder, random)
  try {
    await migrate(members.databaseUrl)
    // a killed server keeps what it has said is committed; a machine does not crash here
    await runSql(members.databaseUrl, 'alter database relaycore set synchronous_commit = on')
    const world = await ProofWorld.open({ redis: false, databaseUrl: members.databaseUrl })
    try {
      return await run(world, members, { ms, seed, clients }, random, say)
    } finally {
      await world.close()
    }
  } finally {
    await members.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run (
  world: ProofWorld, members: Members, { ms, seed, clients }: ChaosOptions, random: Random, say: Say
): Promise<ChaosResult> {
  await members.startGateways(world, 3)
  const keys = await makeBudgets(world, members, ms, clients)
  say(`seed ${seed}: 3 gateways, ${clients} clients, ${Math.round(ms / 1000)} s`)
  const until = Date.now() + ms
  const load = new Load(world, members, keys, random)
  const sampler = new Sampler(world, members)
  await Promise.all([
    ...Array.from({ length: clients }, () => load.run(until)),
    members.breakThings(until, (line) => { say(line) }),
    sampler.run(until),
  ])
  await members.mend()
  await world.settled(async () => await agree(world).then(() => true, () => false), 60_000)
  for (const member of members.all) {
    const code = await kill(member.gateway.child, 'SIGTERM')
    if (code !== 0) throw new Error(`a gateway ended with ${code}: ${member.gateway.output.join('').slice(-3000)}`)
  }
  const books = await agree(world)
  await nothingLeft(world).catch((error: unknown) => {
    const said = members.all.map(({ gateway }) => gateway.output.join('').slice(-2000))
    throw new Error(`seed ${seed}: ${String(error)}\n${said.join('\n--\n')}`, { cause: error })
  })
  await derivedAgree(world)
  await neverOver(world)
  const result = {
    ...books,
    sent: load.sent,
    answers: load.answers,
    faults: members.faults,
    samples: sampler.samples,
    longestPauseMs: load.longestPauseMs,
  }
  report(result, say)
  return result
}

function report (result: ChaosResult, say: Say): void {
  const counts = (of: Record<string, number>) => Object.entries(of).sort((a, b) => b[1] - a[1]).map(([name, n]) => `${n} ${name}`).join(', ')
  say(`faults: ${counts(result.faults)}`)
  say(`${result.sent} requests: ${counts(result.answers)}`)
  say(`${result.reached} calls the provider saw, ${result.events} events in the ledger, ${result.neverSent} of them held and never sent`)
  say(`${formatNano(result.exact)} USD exact in both books; ${result.uncertain} uncertain, charged ${formatNano(result.beyond)} USD beyond what the provider says`)
  say(`0 accounts overdrawn at ${result.samples} sampled instants; nothing held, nothing leased; no call admitted for ${result.longestPauseMs} ms at the longest`)
}

/** an organization, teams (one whose period ends again and again) and each user's own; some run out, some never do */
async function makeBudgets (world: ProofWorld, members: Members, ms: number, clients: number): Promise<string[]> {
  const [gateway] = world.gateways
  if (gateway === undefined) throw new Error('no gateway')
  const budget = async (fields: object, calls: number) => await world.admin<{ id: string, amount: string }>(gateway, 'POST', '/budgets', {
    organizationId: 'acme', currency: 'USD', period: 'annual', amount: formatNano(NANO_OF_A_CALL * BigInt(Math.ceil(calls))), ...fields,
  })
  const seconds = ms / 1000
  const start = Date.now()
  await budget({ name: 'all', scopeType: 'organization', scopeId: 'acme' }, 1_000_000)
  await budget({
    name: 'often',
    scopeType: 'team',
    scopeId: 'often',
    period: 'custom',
    recurring: true,
    startDate: new Date(start).toISOString(),
    endDate: new Date(start + PERIOD_MS).toISOString(),
  }, clients * 6)
  members.moved = await budget({ name: 'once', scopeType: 'team', scopeId: 'once' }, seconds * clients)
  await budget({ name: 'each', scopeType: 'user', scopeId: '*' }, seconds * clients / 2)
  return await Promise.all(['often', 'often', 'once', 'once'].map(async (teamId, n) => {
    const made = await world.admin<{ key: string }>(gateway, 'POST', '/keys', {
      name: `k${n}`, organizationId: 'acme', teamId, userId: `user-${n}`,
    })
    return made.key
  }))
}

/** what clients send, and what they hear */
class Load {
  readonly answers: Record<string, number> = {}
  sent = 0
  longestPauseMs = 0
  #admittedAt = Date.now()
  readonly #world: ProofWorld
  readonly #members: Members
  readonly #keys: string[]
  readonly #random: Random

  constructor (world: ProofWorld, members: Members, keys: string[], random: Random) {
    this.#world = world
    this.#members = members
    this.#keys = keys
    this.#random = random
  }

  async run (until: number): Promise<void> {
    while (Date.now() < until) {
      const said = await this.#call()
      this.answers[said] = (this.answers[said] ?? 0) + 1
      if (said === 'answered') this.#admitted()
      await wait(this.#random.between(20, 200))
    }
  }

  async #call (): Promise<string> {
    const random = this.#random
    const { gateway } = random.pick(this.#members.running)
    const body = { max_tokens: 20 + random.int(0, 399), stream: random.chance(0.4) }
    const leaves = random.chance(0.04) ? AbortSignal.timeout(5 + random.int(0, 59)) : undefined
    try {
      const { status, code, retryable } = await this.#world.call(
        gateway, random.pick(this.#keys), `call-${this.sent++}`, body, behaviourOf(random), { signal: leaves })
      if (status === 200) return 'answered'
      if (code === null) return 'failed at the provider'
      return retryable || status === 503 ? `told to try again (${code})` : `refused (${code})`
    } catch {
      return leaves?.aborted === true ? 'left by the client' : 'cut with their gateway'
    }
  }

  #admitted (): void {
    const now = Date.now()
    this.longestPauseMs = Math.max(this.longestPauseMs, now - this.#admittedAt)
    this.#admittedAt = now
  }
}

/** what the provider makes of a call: most are answered well */
function behaviourOf (random: Random): object {
  const slow = { delayMs: random.int(0, 59), pieces: 3, gapMs: random.int(0, 9) }
  if (random.chance(0.9)) return slow
  return { ...slow, ...random.pick([{ status: 500 }, { status: 429 }, { fault: 'cut' }, { fault: 'reset' }, { omitUsage: true }, { gzip: true }]) }
}

interface Account {
  id: string
  budget_id: string
  limit_nano: string
  settled_nano: string
  leased_nano: string
  leases: string
}

/** the accounts, again and again, each time in one snapshot */
class Sampler {
  samples = 0
  readonly #world: ProofWorld
  readonly #members: Members
  /** of the budget whose limit moves: the most that it may have out, until that moves again */
  #ceiling = 0n
  #moves = -1

  constructor (world: ProofWorld, members: Members) {
    this.#world = world
    this.#members = members
  }

  async run (until: number): Promise<void> {
    while (Date.now() < until) {
      const { moves } = this.#members
      // while PostgreSQL is down there is nothing to be seen
      const accounts = await this.#world.rows<Account>(`
        select a.id, a.budget_id, a.limit_nano, a.settled_nano, a.leased_nano, a.long_held_nano + coalesce((
          select sum(l.granted_nano - l.returned_nano - l.posted_nano) from leases l where l.account_id = a.id), 0) as leases
        from budget_accounts a`).catch(() => null)
      if (accounts !== null) this.#judge(accounts, moves === this.#members.moves ? moves : NaN)
      await wait(100)
    }
    if (this.samples === 0) throw new Error('the accounts could never be looked at')
  }

  /** `moves`: how often a limit had been moved; NaN: one was meanwhile */
  #judge (accounts: Account[], moves: number): void {
    this.samples++
    for (const one of accounts) {
      const out = BigInt(one.settled_nano) + BigInt(one.leased_nano)
      const limit = BigInt(one.limit_nano)
      const most = one.budget_id === this.#members.moved?.id ? this.#mostOfMoved(out, limit, moves) : limit
      if (out > most) throw new Error(`an account is overdrawn: ${JSON.stringify(one)}`)
      if (one.leased_nano !== one.leases) throw new Error(`leased is not the sum of the leases: ${JSON.stringify(one)}`)
    }
  }

  /** what was out when its limit was lowered may stay out, and never gets more */
  #mostOfMoved (out: bigint, limit: bigint, moves: number): bigint {
    const still = moves === this.#moves
    this.#moves = moves
    const most = still && this.#ceiling < out ? this.#ceiling : out
    this.#ceiling = most > limit ? most : limit
    return this.#ceiling
  }
}

/** the status cache and the sums by hour and day are what the records make them */
async function derivedAgree (world: ProofWorld): Promise<void> {
  const differing = await world.rows(`
    select b.id, s.account_id, s.settled_nano, c.settled_nano as cached, h.amount as by_hour, d.amount as by_day
    from budget_definitions b cross join lateral calculate_budget_status(b.id) s
    left join budget_status_cache c on c.account_id = s.account_id
    left join lateral (select sum(amount_nano) as amount from usage_by_hour u where u.account_id = s.account_id and u.facet = 'model') h on true
    left join lateral (select sum(amount_nano) as amount from usage_by_day u where u.account_id = s.account_id and u.facet = 'model') d on true
    where s.charges > 0 and (s.settled_nano <> c.settled_nano or s.settled_nano <> h.amount or s.settled_nano <> d.amount)`)
  if (differing.length > 0) throw new Error(`what is made of the records differs from them: ${JSON.stringify(differing)}`)
}

async function runSql (url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}
