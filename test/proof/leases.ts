import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { type GrantAnswer, type GrantRequest } from '../../src/account/authority.ts'
import { MemoryHotStatus, MemoryHub } from '../../src/account/memory-hot-status.ts'
import { type AppliedBudget, appliedTo } from '../../src/budget/applies.ts'
import { type Budget, type Identity } from '../../src/budget/budget.ts'
import { defineBudget } from '../../src/budget/define.ts'
import { BudgetTracker, type CallHold } from '../../src/budget/tracker.ts'
import { type Refusal } from '../../src/errors.ts'
import { newCallId } from '../../src/gateway/call-id.ts'
import { formatNano } from '../../src/money/amount.ts'
import { isRefusal } from '../../src/providers/provider.ts'
import { PostgresAuthority } from '../../src/stores/postgres/authority.ts'
import { migrate } from '../../src/stores/postgres/migrate.ts'
import { LedgerWriter } from '../../src/usage/ledger-writer.ts'
import { type UsageEvent } from '../../src/usage/usage.ts'
import { startPostgres } from '../services/postgres.ts'

/**
 * Leases where they are hardest: many holders of one account, the last cent of it, a limit that is lowered below what
 * is leased, recalls that are lost, holders that are idle, and a thousand budgets whose accounts begin at once. The
 * gateways' trackers and ledger writers are the real ones, many in one process, on the real SQL of a PostgreSQL.
 */
type Say = (line: string) => void

const CENT = 10_000_000n
const NOBODY: Identity = {
  organizationId: 'acme', teamId: null, projectId: null, userId: null, keyId: 'key', sessionId: null, tags: null,
}
const CALL = { provider: 'openai', model: 'gpt-4o', endpoint: 'chat.completions' }

const DEFINE = `
  insert into budget_definitions (id, organization_id, name, scope_type, scope_id, amount_nano, enforced_limit_nano,
    currency, period, timezone, start_date, recurring, mode, alerts, created_at, updated_at, version)
  select id, 'acme', 'test', 'organization', 'acme', $2, $2, 'USD', 'annual', 'UTC', '2020-01-01Z', true, 'enforced', '[]',
    now(), now(), 1 from unnest($1::uuid[]) id`

const LOWER = `
  with budget as (
    update budget_definitions set amount_nano = $2, enforced_limit_nano = $2, version = version + 1 where id = $1 returning id
  )
  update budget_accounts a set limit_nano = $2, total_nano = $2 from budget where a.budget_id = budget.id`

interface AccountRow { limit: bigint, settled: bigint, leased: bigint }

/** one process life of a gateway, without its web */
interface Holder {
  tracker: BudgetTracker
  writer: LedgerWriter
  /** holds, works and settles at `costNano`; the refusal where there is one */
  call (budget: Budget, quoteNano: bigint, costNano: bigint, workMs?: number): Promise<Refusal | null>
  hold (budget: Budget, quoteNano: bigint): CallHold | Refusal | Promise<CallHold | Refusal>
  end (hold: CallHold, costNano: bigint): void
  close (): Promise<void>
}

class WatchedAuthority extends PostgresAuthority {
  /** under way */
  readonly granting = new Set<Promise<GrantAnswer>>()

  override async grant (incarnation: number, request: GrantRequest): Promise<GrantAnswer> {
    const granting = super.grant(incarnation, request)
    this.granting.add(granting)
    try {
      return await granting
    } finally {
      this.granting.delete(granting)
    }
  }
}

export class LeaseWorld {
  readonly db: pg.Pool
  readonly authority: WatchedAuthority
  readonly hub = new MemoryHub()
  readonly holders: Holder[] = []
  /** no recall arrives */
  recallsLost = false
  readonly #closers: (() => Promise<void>)[] = []

  private constructor (url: string) {
    this.db = new pg.Pool({ connectionString: url, max: 2 })
    this.authority = new WatchedAuthority({ connectionString: url })
  }

  static async open (databaseUrl?: string): Promise<LeaseWorld> {
    if (databaseUrl !== undefined) return new LeaseWorld(databaseUrl)
    const { url, stop } = await startPostgres()
    await migrate(url)
    const world = new LeaseWorld(url)
    world.#closers.push(stop)
    return world
  }

  async close (): Promise<void> {
    for (const holder of this.holders) await holder.close()
    await this.authority.close()
    await this.db.end()
    for (const close of this.#closers) await close()
  }

  async budgets (count: number, amountNano: bigint): Promise<Budget[]> {
    const ids = Array.from({ length: count }, () => randomUUID())
    await this.db.query(DEFINE, [ids, amountNano])
    return ids.map((id) => aBudget(id, amountNano))
  }

  async budget (amountNano: bigint): Promise<Budget> {
    const [budget] = await this.budgets(1, amountNano)
    if (budget === undefined) throw new Error('no budget')
    return budget
  }

  async join (count: number): Promise<Holder[]> {
    const joined: Holder[] = []
    for (let n = 0; n < count; n++) joined.push(await this.#join())
    return joined
  }

  async #join (): Promise<Holder> {
    const { authority } = this
    const incarnation = await authority.join('journal', 'host')
    const hot = new MemoryHotStatus(this.hub, incarnation)
    const recall = hot.recall.bind(hot)
    hot.recall = (accountId) => { if (!this.recallsLost) recall(accountId) }
    await hot.start()
    const log = { warn: () => undefined, error: () => undefined }
    const common = { authority, incarnation, now: Date.now, log, onNotLive: (error: Error) => { throw error } }
    const tracker: BudgetTracker = new BudgetTracker({
      ...common, hot, random: Math.random, carryMs: 30_000, onReturnsDue: (atOnce) => { writer.returnsDue(atOnce) },
    })
    const writer: LedgerWriter = new LedgerWriter({
      ...common,
      journal: { bytes: 0, posted: () => undefined, setAside: (_event, reason) => { throw new Error(reason) } },
      collectReturns: (everything) => tracker.collectReturns(everything),
      onPosted: (answer, charges, returns) => { tracker.posted(answer, charges, returns) },
    })
    tracker.start()
    const holder: Holder = {
      tracker,
      writer,
      hold: (budget, quoteNano) => tracker.hold(applied(budget), quoteNano),
      end: (hold, costNano) => { writer.add(anEvent(tracker, hold, costNano)) },
      async call (budget, quoteNano, costNano, workMs = 0) {
        const hold = await this.hold(budget, quoteNano)
        if (isRefusal(hold)) return hold
        if (workMs > 0) await wait(workMs)
        this.end(hold, costNano)
        return null
      },
      async close () {
        // what is granted after the last post would be the next start's to give back, and here is none
        while (authority.granting.size > 0) await Promise.allSettled(authority.granting)
        tracker.stop()
        await writer.stop(Date.now() + 10_000)
        await hot.close()
      },
    }
    this.holders.push(holder)
    return holder
  }

  async account (budget: Budget): Promise<AccountRow> {
    const { rows: [row] } = await this.db.query<{ limit_nano: string, settled_nano: string, leased_nano: string }>(
      'select limit_nano, settled_nano, leased_nano from budget_accounts where budget_id = $1', [budget.id])
    if (row === undefined) throw new Error('no account')
    return { limit: BigInt(row.limit_nano), settled: BigInt(row.settled_nano), leased: BigInt(row.leased_nano) }
  }

  /** ms until the account is as wanted */
  async until (budget: Budget, is: (account: AccountRow) => boolean, within = 10_000): Promise<number> {
    const from = Date.now()
    for (;;) {
      const account = await this.account(budget)
      if (is(account)) return Date.now() - from
      if (Date.now() - from > within) {
        const { settled, leased, limit } = account
        throw new Error(`not within ${within} ms: settled ${settled}, leased ${leased} of ${limit}`)
      }
      await wait(10)
    }
  }
}

function aBudget (id: string, amountNano: bigint): Budget {
  const draft = defineBudget({
    name: 'test',
    scopeType: 'organization',
    scopeId: 'acme',
    amount: formatNano(amountNano),
    currency: 'USD',
    period: 'annual',
    startDate: '2020-01-01T00:00:00Z',
  }, Date.now())
  const never = { rate: null, rateAt: null, createdAt: 0, updatedAt: 0, archivedAt: null }
  return { ...draft, ...never, id, enforcedLimitNano: amountNano, version: 1 }
}

function applied (budget: Budget): AppliedBudget[] { return appliedTo([budget], NOBODY, CALL, Date.now()) }

function anEvent (tracker: BudgetTracker, hold: CallHold, costNano: bigint): UsageEvent {
  const id = newCallId(Date.now())
  return {
    opening: {
      id,
      openedAt: Date.now(),
      organizationId: 'acme',
      teamId: null,
      projectId: null,
      userId: null,
      keyId: 'key',
      sessionId: null,
      tags: null,
      provider: 'openai',
      endpoint: 'chat.completions',
      model: 'gpt-4o',
      stream: false,
      requestId: null,
      quoteNano: costNano,
      priceVersion: 'v',
      holds: hold.holds,
    },
    end: {
      id,
      endedAt: Date.now(),
      outcome: 'completed',
      status: 200,
      certainty: 'exact',
      modelUsed: null,
      usage: null,
      costNano,
      charges: tracker.settle(hold, costNano),
      providerRequestId: null,
    },
  }
}

export interface UsedUp {
  calls: number
  ms: number
  contended: number
  falseRefusals: number
  strandedNano: bigint
  excessNano: bigint
}

/**
 * Every holder calls until it is refused for good, tries again where that is worth it, and the account is used up to
 * the last cent.
 */
export async function useUp (
  world: LeaseWorld, holders: readonly Holder[], limitNano: bigint, quoteNano: bigint
): Promise<UsedUp> {
  const budget = await world.budget(limitNano)
  const from = Date.now()
  let calls = 0
  let contended = 0
  let heldNano = 0n
  let spentNano = 0n
  let mostNano = 0n
  let falseRefusals = 0
  await Promise.all(holders.map(async (holder) => {
    for (;;) {
      const hold = await holder.hold(budget, quoteNano)
      if (isRefusal(hold)) {
        if (hold.retryable) {
          contended++
          await wait(10 + Math.random() * 20)
          continue
        }
        // for good, though what is spent leaves room for it
        if (spentNano + heldNano + quoteNano <= limitNano) falseRefusals++
        return
      }
      calls++
      heldNano += quoteNano
      if (spentNano + heldNano > mostNano) mostNano = spentNano + heldNano
      await wait(5)
      heldNano -= quoteNano
      spentNano += quoteNano / 2n
      holder.end(hold, quoteNano / 2n)
    }
  }))
  const ms = Date.now() - from
  await world.until(budget, ({ leased }) => leased === 0n)
  const { settled } = await world.account(budget)
  if (settled !== spentNano) throw new Error(`${settled} settled, ${spentNano} spent`)
  const rest = limitNano - settled
  return {
    calls,
    ms,
    contended,
    falseRefusals,
    strandedNano: rest >= quoteNano ? rest : 0n,
    excessNano: mostNano > limitNano ? mostNano - limitNano : 0n,
  }
}

export interface Lowered { excessNano: bigint, ms: number, grantedAfter: number }

/** the limit is lowered below what all together have leased, and below what they have spent */
export async function lower (world: LeaseWorld, holders: readonly Holder[]): Promise<Lowered> {
  const budget = await world.budget(1_000n * 100n * CENT)
  await Promise.all(holders.map(async (holder) => {
    for (let n = 0; n < 5; n++) await holder.call(budget, 10n * CENT, 5n * CENT)
  }))
  await world.until(budget, ({ settled }) => settled >= BigInt(holders.length) * 25n * CENT)
  const before = await world.account(budget)
  const limit = before.settled + before.leased / 2n
  const from = Date.now()
  await world.db.query(LOWER, [budget.id, limit])
  // as their registries would say, up to half a second later
  const lowered: Budget = { ...budget, amountNano: limit, enforcedLimitNano: limit, version: 2 }
  await world.until(budget, ({ settled, leased }) => settled + leased <= limit, 5_000)
  const ms = Date.now() - from
  let grantedAfter = 0
  await Promise.all(holders.map(async (holder) => {
    if (await holder.call(lowered, limit, 0n) === null) grantedAfter++
  }))
  return { excessNano: before.settled + before.leased - limit, ms, grantedAfter }
}

/** one holder has nearly all, and is idle; another one needs it: how long that takes, and how often it has to try */
export async function idle (
  world: LeaseWorld, holders: readonly Holder[], recallsLost: boolean
): Promise<{ ms: number, refused: number }> {
  const [owner, asker] = holders as [Holder, Holder]
  const limit = 100n * CENT
  const budget = await world.budget(limit)
  world.recallsLost = recallsLost
  const hold = await owner.hold(budget, 95n * CENT)
  if (isRefusal(hold)) throw new Error(hold.message)
  owner.end(hold, CENT)
  const from = Date.now()
  let refused = 0
  for (;;) {
    const refusal = await asker.call(budget, 50n * CENT, CENT)
    if (refusal === null) break
    if (!refusal.retryable) throw new Error(`refused for good: ${refusal.message}`)
    refused++
    if (Date.now() - from > 70_000) throw new Error('an idle holder has kept what it does not use')
    await wait(50)
  }
  world.recallsLost = false
  return { ms: Date.now() - from, refused }
}

export interface Storm { ms: number, grants: number, refused: number }

/** all of these budgets are needed at once, and none has an account */
export async function storm (world: LeaseWorld, holders: readonly Holder[], count: number): Promise<Storm> {
  const budgets = await world.budgets(count, 100n * CENT)
  const granted = () => holders.reduce((sum, { tracker }) => sum + tracker.grants, 0)
  const before = granted()
  const from = Date.now()
  let refused = 0
  await Promise.all(holders.flatMap((holder) => budgets.map(async (budget) => {
    const refusal = await holder.call(budget, CENT, CENT / 2n)
    if (refusal !== null) refused++
  })))
  return { ms: Date.now() - from, grants: granted() - before, refused }
}

/** in the end nothing is leased, by nobody, on any account */
export async function nothingLeased (world: LeaseWorld): Promise<void> {
  for (const holder of world.holders.splice(0)) await holder.close()
  const { rows } = await world.db.query<{ n: string, leases: string }>(`select
    (select count(*) from budget_accounts where leased_nano <> 0) as n,
    (select count(*) from leases where granted_nano <> returned_nano + posted_nano) as leases`)
  if (rows[0]?.n !== '0' || rows[0].leases !== '0') throw new Error(`something stays leased: ${JSON.stringify(rows[0])}`)
}

export async function proveLeases (say: Say): Promise<void> {
  const world = await LeaseWorld.open()
  try {
    const hundred = await world.join(100)
    for (const [limit, quote] of [[100n * CENT, CENT], [10n * CENT, CENT], [CENT, CENT]] as const) {
      const used = await useUp(world, hundred, limit, quote)
      const { calls, ms, contended, falseRefusals, strandedNano, excessNano } = used
      if (excessNano > 0n || strandedNano > 0n || falseRefusals > 0) {
        throw new Error(`excess ${excessNano}, stranded ${strandedNano}, refused for good though there was room ${falseRefusals}`)
      }
      say(`100 holders use up ${formatNano(limit)} by calls of at most ${formatNano(quote)}: ${calls} calls, ${ms} ms, ` +
        `${contended} told to try again, none refused for good while it fitted, nothing stranded`)
    }
    const lowered = await lower(world, hundred)
    if (lowered.grantedAfter > 0) throw new Error(`${lowered.grantedAfter} holds past the limit`)
    say(`a limit lowered by ${formatNano(lowered.excessNano)} below what 100 holders have leased: within it again after ${lowered.ms} ms`)
    for (const recallsLost of [false, true]) {
      const { ms, refused } = await idle(world, hundred, recallsLost)
      say(`an idle holder has nearly all, recalls ${recallsLost ? 'are lost' : 'arrive'}: another one is served after ${ms} ms, ` +
        `${refused} times told to try again`)
    }
    for (const holders of [1, 3]) {
      const { ms, grants, refused } = await storm(world, hundred.slice(0, holders), 1_000)
      if (refused > 0) throw new Error(`${refused} calls were refused`)
      say(`1,000 budgets needed at once at each of ${holders} gateways: the last call is held after ${ms} ms, ` +
        `${grants} grants`)
    }
    await nothingLeased(world)
    say('nothing stays leased')
  } finally {
    await world.close()
  }
}
