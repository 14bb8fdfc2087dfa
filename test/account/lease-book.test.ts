import fc from 'fast-check'
import t from 'tap'
import { type GrantAnswer, type GrantRequest, type LeaseReturn, NotLiveError } from '../../src/account/authority.ts'
import { type HotFigures } from '../../src/account/hot-status.ts'
import { type HoldDecision, LeaseBook, type Need } from '../../src/account/lease-book.ts'
import { type UsageEvent } from '../../src/usage/usage.ts'
import { MemoryAuthority } from './memory-authority.ts'

/**
 * Several gateways, each with its own book, on one authority, against a plain model of the promises. Messages are lost,
 * late or doubled, gateways crash and are recovered, limits rise, idle accounts are forgotten and come back; after
 * every single step nothing is overspent.
 */
const BUDGETS = ['org', 'team a', 'team b']
/** which budgets a call is held on */
const PATHS = [[0], [0, 1], [0, 2], [1], [0, 1, 2]]

const SPECS = BUDGETS.map((budgetId) => ({ budgetId, subject: '', periodStart: 0, periodEnd: null }))

interface Open { id: string, needs: Need[] }

class Gateway {
  alive = true
  readonly open = new Map<string, Open>()
  readonly ended = new Map<string, UsageEvent>()
  asked: GrantRequest | null = null
  answer: GrantAnswer | 'failed' | null = null
  readonly book: LeaseBook
  readonly incarnation: number

  constructor (incarnation: number, world: World) {
    this.incarnation = incarnation
    this.book = new LeaseBook({
      random: () => 0.5,
      others: (accountId) => world.published(accountId, this),
      recall: (accountId) => { world.recall(accountId, this) },
      clockOffset: () => 0,
      carryMs: 600_000,
    })
    for (const accountId of world.accountIds) this.book.know(accountId, null, world.now, null, false)
  }
}

class World {
  now = 1_000_000
  accountIds: number[] = []
  gateways: Gateway[] = []
  /** messages of crashed gateways that are still on their way */
  late: (() => Promise<unknown>)[] = []
  calls = 0
  undecided = 0
  /** accounts that a gateway had had leases of, had forgotten, and needed again */
  cameBack = 0
  askedAhead = 0
  heldIds = new Set<string>()
  decisions: HoldDecision[] = []
  readonly authority = new MemoryAuthority({ now: () => this.now, blocking: true })

  static async of (limits: bigint[], gateways: number): Promise<World> {
    const world = new World()
    BUDGETS.forEach((name, i) => { world.authority.defineBudget(name, limits[i] as bigint) })
    const made = await world.authority.ensureAccounts(SPECS)
    world.accountIds = made.map(({ accountId }) => accountId)
    for (let i = 0; i < gateways; i++) await world.join()
    return world
  }

  async join (): Promise<void> { this.gateways.push(new Gateway(await this.authority.join('j', 'h'), this)) }

  published (accountId: number, asking: Gateway): HotFigures[] {
    return this.gateways.filter((one) => one !== asking && one.alive).flatMap((one) => {
      const lease = one.book.lease(accountId)
      const f = lease?.figures
      if (lease === undefined || f === null || f === undefined) return []
      return [{
        accountId,
        incarnation: one.incarnation,
        budgetVersion: f.budgetVersion,
        limitNano: f.limitNano,
        settledNano: f.settledNano,
        leasedNano: f.leasedNano,
        inDoubtNano: f.inDoubtNano,
        at: f.at,
        heldNano: lease.held,
        consumedNano: lease.consumed,
        unusedNano: lease.free,
      }]
    })
  }

  recall (accountId: number, asking: Gateway): void {
    for (const one of this.gateways) if (one !== asking && one.alive) one.book.recalled(accountId, this.now)
  }

  /** what was forgotten is known again, with what the gateway had of it */
  async call (gateway: Gateway, path: number[], quoteNano: bigint): Promise<void> {
    for (const { accountId, lease } of await this.authority.ensureAccounts(SPECS, gateway.incarnation)) {
      if (gateway.book.lease(accountId) === undefined && lease !== null) this.cameBack++
      gateway.book.know(accountId, null, this.now, lease, false)
    }
    this.hold(gateway, path, quoteNano)
  }

  hold (gateway: Gateway, path: number[], quoteNano: bigint): void {
    const id = `call ${this.calls++}`
    const needs = path.map((i) => ({
      accountId: this.accountIds[i] as number, quoteNano, budgetVersion: 1,
    }))
    this.undecided++
    const decide = (decision: HoldDecision) => {
      this.undecided--
      this.decisions.push(decision)
      if (decision.kind !== 'held' || !gateway.alive) return
      gateway.open.set(id, { id, needs })
      this.heldIds.add(id)
    }
    const decision = gateway.book.hold(needs, this.now, decide)
    if (decision !== null) decide(decision)
  }

  end (gateway: Gateway, open: Open, cost: (quote: bigint) => bigint): void {
    const costs = open.needs.map(({ quoteNano }) => cost(quoteNano))
    const covered = open.needs.map((need, i) => gateway.book.settle(need, costs[i] ?? 0n, this.now))
    gateway.open.delete(open.id)
    gateway.ended.set(open.id, event(open, costs, covered))
  }

  /** the request reaches the authority, its answer is on its way */
  async deliver (gateway: Gateway): Promise<void> {
    const { asked } = gateway
    if (asked === null || gateway.answer !== null) return
    gateway.answer = await this.authority.grant(gateway.incarnation, asked).catch(expectNotLive)
  }

  hear (gateway: Gateway): void {
    const { answer } = gateway
    if (answer === null) return
    gateway.asked = null
    gateway.answer = null
    if (answer === 'failed') gateway.book.grantFailed(this.now)
    else gateway.book.granted(answer, this.now)
  }

  async post (gateway: Gateway, which: 'due' | 'all' | 'everything', fate: 'heard' | 'lost' | 'unheard' | 'twice'): Promise<void> {
    const events = [...gateway.ended.values()]
    const returns = gateway.book.collectReturns(this.now, which)
    const send = () => this.authority.post(gateway.incarnation, events, returns)
    if (fate === 'lost') return
    if (fate === 'twice') await send()
    const answer = await send()
    if (fate === 'unheard') return
    this.recorded(gateway, events, returns)
    for (const figures of answer.accounts) gateway.book.learn(figures, this.now)
  }

  recorded (gateway: Gateway, events: UsageEvent[], returns: LeaseReturn[]): void {
    for (const { opening } of events) gateway.ended.delete(opening.id)
    gateway.book.returnsKnown(returns)
  }

  /** a minute and more in which nothing happens here, and what is idle by then goes */
  async forget (gateway: Gateway): Promise<void> {
    gateway.asked ??= gateway.book.nextGrant(this.now)
    await this.deliver(gateway)
    this.hear(gateway)
    for (const open of gateway.open.values()) this.end(gateway, open, (quote) => quote / 2n)
    this.now += 61_000
    gateway.book.sweep(this.now)
    await this.post(gateway, 'due', this.now % 4 === 0 ? 'unheard' : 'heard')
    if (this.now % 3 === 0) await this.beat(gateway)
    gateway.book.retire(this.now, Infinity)
  }

  /** more is asked for before a call needs it; the answer comes, or is lost, or nobody was asked */
  async ahead (gateway: Gateway, fate: 'heard' | 'unheard' | 'lost'): Promise<void> {
    // who has just spent knows what it will
    await this.call(gateway, [0, 1], 5n)
    gateway.asked ??= gateway.book.nextGrant(this.now)
    await this.deliver(gateway)
    this.hear(gateway)
    for (const open of [...gateway.open.values()].slice(0, 2)) this.end(gateway, open, (quote) => quote)
    await this.beat(gateway)
    const request = gateway.book.aheadOfCalls(this.now)
    if (request === null) return
    this.askedAhead++
    const answer = fate === 'lost' ? null : await this.authority.grant(gateway.incarnation, request)
    if (answer === null || fate === 'unheard') gateway.book.aheadFailed(request, this.now)
    else for (const figures of answer.accounts) gateway.book.learn(figures, this.now)
  }

  async beat (gateway: Gateway): Promise<void> {
    const figures = await this.authority.heartbeat(gateway.incarnation, this.accountIds)
    for (const one of figures) gateway.book.learn(one, this.now)
  }

  crash (gateway: Gateway): void {
    gateway.alive = false
    gateway.book.abandon()
    const { asked, incarnation } = gateway
    const events = [...gateway.ended.values()]
    if (asked !== null && gateway.answer === null) {
      this.late.push(() => this.authority.grant(incarnation, asked).catch(expectNotLive))
    }
    this.late.push(() => this.authority.post(incarnation, events, []))
  }

  /** by its journal: what ended is posted, what was open is charged at its quote, the rest goes back */
  async recover (gateway: Gateway): Promise<void> {
    await this.authority.beginRecovery(gateway.incarnation)
    const lost = [...gateway.open.values()].map((open) => {
      const quotes = open.needs.map(({ quoteNano }) => quoteNano)
      return event(open, quotes, quotes)
    })
    await this.authority.post(gateway.incarnation, [...gateway.ended.values(), ...lost], [])
    gateway.open.clear()
    gateway.ended.clear()
    await this.authority.closeLeases(gateway.incarnation, [])
    this.gateways = this.gateways.filter((one) => one !== gateway)
    await this.join()
  }

  check (): void {
    for (const books of this.authority.books()) {
      if (books.leasedNano !== books.leasesNano) throw new Error('leased is not the sum of the leases')
      if (books.settledNano !== books.chargedNano) throw new Error('settled is not the sum of the charges')
      const spent = books.settledNano + this.#outside(books.accountId) + this.authority.longHeld(books.accountId)
      if (spent > (books.limitNano as bigint)) throw new Error(`${spent} of ${books.limitNano} spent or held`)
    }
    for (const { book } of this.gateways) {
      for (const lease of book.leases()) if (lease.free < 0n || lease.held < 0n) throw new Error('a lease is overdrawn')
    }
  }

  /** ended and not recorded, or open, with whomever */
  #outside (accountId: number): bigint {
    let sum = 0n
    for (const { ended, open } of this.gateways) {
      for (const { opening, end } of ended.values()) {
        if (this.authority.events.has(opening.id)) continue
        for (const charge of end.charges) if (charge.accountId === accountId) sum += charge.amountNano
      }
      for (const call of open.values()) {
        for (const need of call.needs) if (need.accountId === accountId) sum += need.quoteNano
      }
    }
    return sum
  }

  /** everything ends, is recorded and goes back */
  async quiet (): Promise<void> {
    for (const send of this.late) await send()
    for (const id of this.authority.longHolds()) this.authority.settleLongHold(id, 0n)
    for (const gateway of [...this.gateways]) if (!gateway.alive) await this.recover(gateway)
    for (let round = 0; round < 60 && this.undecided > 0; round++) {
      this.now += 5
      for (const gateway of this.gateways) {
        gateway.asked ??= gateway.book.nextGrant(this.now)
        await this.deliver(gateway)
        this.hear(gateway)
        for (const open of gateway.open.values()) this.end(gateway, open, (quote) => quote / 2n)
        await this.post(gateway, 'due', 'heard')
        this.check()
      }
    }
    for (const gateway of this.gateways) {
      for (const open of gateway.open.values()) this.end(gateway, open, (quote) => quote)
      gateway.answer ??= gateway.asked === null ? null : 'failed'
      this.hear(gateway)
      await this.beat(gateway)
      await this.post(gateway, 'everything', 'heard')
      this.check()
    }
  }
}

function expectNotLive (error: unknown): 'failed' {
  if (error instanceof NotLiveError) return 'failed'
  throw error
}

function event (open: Open, costs: bigint[], covered: bigint[]): UsageEvent {
  return {
    opening: {
      id: open.id,
      openedAt: 0,
      organizationId: 'o',
      teamId: null,
      projectId: null,
      userId: null,
      keyId: 'k',
      sessionId: null,
      tags: null,
      provider: 'p',
      endpoint: 'e',
      model: 'm',
      stream: false,
      requestId: null,
      quoteNano: 0n,
      priceVersion: 'v',
      holds: open.needs.map(({ accountId, quoteNano }) => ({ accountId, quoteNano, rate: null, enforced: true })),
    },
    end: {
      id: open.id,
      endedAt: 1,
      outcome: 'completed',
      status: 200,
      certainty: 'exact',
      modelUsed: null,
      usage: null,
      costNano: 0n,
      charges: open.needs.map(({ accountId }, i) => ({
        accountId, amountNano: costs[i] as bigint, coveredNano: covered[i] as bigint,
      })),
      providerRequestId: null,
    },
  }
}

const STEPS = ['call', 'call', 'call', 'pump', 'pump', 'deliver', 'deliver', 'hear', 'hear', 'lose', 'end', 'end', 'post', 'post',
  'beat', 'crash', 'recover', 'late', 'time', 'ahead', 'ahead', 'forget', 'forget', 'raise', 'recall', 'long hold', 'long settle'] as const

const aStep = fc.record({
  what: fc.constantFrom(...STEPS), who: fc.nat({ max: 2 }), a: fc.nat({ max: 1_000 }), b: fc.nat({ max: 1_000 }),
})
type Step = typeof aStep extends fc.Arbitrary<infer S> ? S : never

async function take (world: World, { what, who, a, b }: Step, limits: bigint[], overruns: boolean): Promise<void> {
  const gateway = world.gateways[who % world.gateways.length] as Gateway
  const mayAct = gateway.alive
  switch (what) {
    case 'call':
      if (mayAct) await world.call(gateway, PATHS[a % PATHS.length] as number[], BigInt(1 + b % 40))
      break
    case 'pump': if (mayAct) gateway.asked ??= gateway.book.nextGrant(world.now); break
    case 'deliver': if (mayAct) await world.deliver(gateway); break
    case 'hear': if (mayAct) world.hear(gateway); break
    case 'lose':
      if (mayAct && gateway.asked !== null) {
        gateway.answer = 'failed'
        world.hear(gateway)
      }
      break
    case 'end': {
      const open = [...gateway.open.values()][a % Math.max(1, gateway.open.size)]
      const most = overruns ? 3n : 1n
      if (mayAct && open !== undefined) world.end(gateway, open, (quote) => quote * most * BigInt(b) / 1_000n)
      break
    }
    case 'post': {
      const fate = (['heard', 'lost', 'unheard', 'twice'] as const)[b % 4] ?? 'heard'
      if (mayAct) await world.post(gateway, a % 3 === 0 ? 'all' : 'due', fate)
      break
    }
    case 'beat': if (mayAct) await world.beat(gateway); break
    case 'crash': if (mayAct && b % 3 === 0) world.crash(gateway); break
    case 'recover': if (!mayAct) await world.recover(gateway); break
    case 'late': await world.late.shift()?.(); break
    case 'time': world.now += a * (b % 10 === 0 ? 100 : 1); break
    case 'ahead': if (mayAct) await world.ahead(gateway, (['heard', 'unheard', 'lost'] as const)[b % 3] ?? 'heard'); break
    case 'forget': if (mayAct) await world.forget(gateway); break
    case 'raise': {
      const i = a % BUDGETS.length
      limits[i] = (limits[i] as bigint) + BigInt(b % 50)
      world.authority.setLimit(BUDGETS[i] as string, limits[i] as bigint)
      break
    }
    case 'long hold': {
      const on = (PATHS[a % PATHS.length] as number[]).map((i) => world.accountIds[i] as number)
      world.authority.openLongHold(`long ${world.calls++}`, on, BigInt(1 + b % 60))
      break
    }
    case 'long settle': {
      const open = world.authority.longHolds()
      const id = open[a % Math.max(1, open.length)]
      if (id !== undefined) world.authority.settleLongHold(id, 0n)
      break
    }
    case 'recall': if (mayAct) gateway.book.recalled(world.accountIds[a % BUDGETS.length] as number, world.now); break
  }
}

/** mostly tight; where there is room, more is asked for than calls need */
const aLimit = fc.oneof(fc.bigInt({ min: 10n, max: 400n }), fc.bigInt({ min: 10_000n, max: 40_000n }))
const someLimits = fc.tuple(...BUDGETS.map(() => aLimit))

t.test('whatever is lost, late or crashes, nothing is overspent, and in the end every call is recorded once', async (t) => {
  let cameBack = 0
  let askedAhead = 0
  const steps = fc.array(aStep, { minLength: 20, maxLength: 120 })
  await fc.assert(fc.asyncProperty(someLimits, steps, async (start, steps) => {
    const limits = [...start]
    const world = await World.of(limits, 3)
    for (const step of steps) {
      await take(world, step, limits, false)
      world.check()
    }
    await world.quiet()
    if (world.undecided > 0) throw new Error(`${world.undecided} calls were never decided`)
    const recorded = [...world.authority.events.keys()]
    if (recorded.length !== world.heldIds.size) throw new Error('a call is missing in the ledger')
    if (recorded.some((id) => !world.heldIds.has(id))) throw new Error('a call that was never held is in the ledger')
    for (const books of world.authority.books()) if (books.leasedNano !== 0n) throw new Error('something stays leased')
    cameBack += world.cameBack
    askedAhead += world.askedAhead
  }), { numRuns: 400 })
  t.ok(askedAhead > 20, `${askedAhead} times more was asked for before it was needed`)
  t.ok(cameBack > 20, `${cameBack} accounts were forgotten and needed again`)
})

t.test('with costs above their quotes the books still agree, and nothing stays leased', async () => {
  const steps = fc.array(aStep, { minLength: 20, maxLength: 80 })
  await fc.assert(fc.asyncProperty(someLimits, steps, async (start, steps) => {
    const limits = [...start]
    const world = await World.of(limits, 2)
    world.check = () => undefined
    for (const step of steps) await take(world, step, limits, true)
    await world.quiet()
    for (const books of world.authority.books()) {
      if (books.leasedNano !== 0n || books.leasesNano !== 0n) throw new Error('something stays leased')
      if (books.settledNano !== books.chargedNano) throw new Error('settled is not the sum of the charges')
    }
  }), { numRuns: 200 })
})

t.test('one gateway alone admits exactly what fits, in order, with one grant', async (t) => {
  const world = await World.of([100n, 100n, 100n], 1)
  const gateway = world.gateways[0] as Gateway
  for (let i = 0; i < 12; i++) world.hold(gateway, [0], 10n)
  gateway.asked = gateway.book.nextGrant(world.now)
  t.equal(gateway.asked?.calls.length, 12)
  await world.deliver(gateway)
  world.hear(gateway)
  t.equal(gateway.open.size, 10)
  t.same(world.decisions.filter(({ kind }) => kind === 'short').map((one) => 'reason' in one && one.reason),
    ['contention', 'contention'], 'open calls hold the rest: it may be free in a moment')
  for (const open of gateway.open.values()) world.end(gateway, open, (quote) => quote)
  await world.post(gateway, 'due', 'heard')
  world.hold(gateway, [0], 10n)
  t.match(world.decisions.at(-1), { kind: 'short', reason: 'exhausted' }, 'at once, by fresh figures')
  t.equal(gateway.book.nextGrant(world.now), null)
})

t.test('a newer call takes nothing that an older one waits for', async (t) => {
  const world = await World.of([200n, 200n, 200n], 1)
  const gateway = world.gateways[0] as Gateway
  const serve = async () => {
    gateway.asked = gateway.book.nextGrant(world.now)
    await world.deliver(gateway)
    world.hear(gateway)
  }
  world.hold(gateway, [0], 10n)
  await serve()
  const free = gateway.book.lease(world.accountIds[0] as number)?.free ?? 0n
  t.ok(free >= 10n)
  world.hold(gateway, [0], free + 1n)
  world.hold(gateway, [0], 10n)
  t.equal(gateway.open.size, 1, 'the newer call would fit, and waits')
  await serve()
  t.same([...gateway.open.values()].map(({ needs }) => needs[0]?.quoteNano), [10n, free + 1n, 10n])
})

t.test('a quote above the limit is refused for good', async (t) => {
  const world = await World.of([100n, 100n, 100n], 1)
  const gateway = world.gateways[0] as Gateway
  world.hold(gateway, [0], 101n)
  gateway.asked = gateway.book.nextGrant(world.now)
  await world.deliver(gateway)
  world.hear(gateway)
  t.match(world.decisions, [{ kind: 'short', reason: 'too_large', neededNano: 101n }])
})

t.test('what another gateway does not use is recalled, and the call is served', async (t) => {
  const world = await World.of([100n, 100n, 100n], 2)
  const [a, b] = world.gateways as [Gateway, Gateway]
  world.hold(a, [0], 10n)
  a.asked = a.book.nextGrant(world.now)
  await world.deliver(a)
  world.hear(a)
  t.ok((a.book.lease(world.accountIds[0] as number)?.free ?? 0n) > 0n, 'it keeps some for the next calls')
  world.hold(b, [0], 80n)
  b.asked = b.book.nextGrant(world.now)
  await world.deliver(b)
  world.hear(b)
  t.equal(b.open.size, 0)
  await world.post(a, 'due', 'heard')
  world.now += 20
  b.asked = b.book.nextGrant(world.now)
  await world.deliver(b)
  world.hear(b)
  t.equal(b.open.size, 1)
})

t.test('what another gateway does not use is recalled also where it is idle, and told of it a second ago', async (t) => {
  const world = await World.of([100n, 100n, 100n], 2)
  const [a, b] = world.gateways as [Gateway, Gateway]
  world.hold(a, [0], 10n)
  a.asked = a.book.nextGrant(world.now)
  await world.deliver(a)
  world.hear(a)
  world.now += 1_000
  world.hold(b, [0], 80n)
  b.asked = b.book.nextGrant(world.now)
  await world.deliver(b)
  world.hear(b)
  t.same(world.decisions.map(({ kind }) => kind), ['held'], 'the other one waits')
  await world.post(a, 'due', 'heard')
  world.now += 20
  b.asked = b.book.nextGrant(world.now)
  await world.deliver(b)
  world.hear(b)
  t.equal(b.open.size, 1)
})

t.test('an account is heard out: also where a grant comes about once more after its answer, and nobody uses it any more', async (t) => {
  const world = await World.of([100n, 100n, 100n], 1)
  const [gateway] = world.gateways as [Gateway]
  const [accountId = 0] = world.accountIds
  world.hold(gateway, [0], 10n)
  gateway.asked = gateway.book.nextGrant(world.now)
  const again = gateway.asked
  await world.deliver(gateway)
  world.hear(gateway)
  const lease = gateway.book.lease(accountId)
  t.equal(lease?.isHeardOut, false)
  if (again !== null) await world.authority.grant(gateway.incarnation, again)
  world.now += 5_000
  const [figures] = await world.authority.heartbeat(gateway.incarnation, [accountId])
  const known = lease?.granted ?? 0n
  if (figures !== undefined) gateway.book.learn(figures, world.now)
  t.ok((lease?.granted ?? 0n) > known, 'it has the rights of both')
  t.equal(lease?.isHeardOut, true)
})

t.test('figures count that the authority tells after its clock was set back', async (t) => {
  const world = await World.of([100n, 100n, 100n], 1)
  const [gateway] = world.gateways as [Gateway]
  const [accountId = 0] = world.accountIds
  const beat = async (): Promise<void> => {
    const [figures] = await world.authority.heartbeat(gateway.incarnation, [accountId])
    if (figures !== undefined) gateway.book.learn(figures, world.now)
  }
  world.now += 7_200_000
  await beat()
  world.now -= 3_600_000
  world.authority.setLimit('org', 50n)
  await beat()
  t.equal(gateway.book.lease(accountId)?.figures?.limitNano, 50n)
  world.now -= 10
  world.authority.setLimit('org', 40n)
  await beat()
  t.equal(gateway.book.lease(accountId)?.figures?.limitNano, 50n, 'an answer that was overtaken does not')
})

t.test('what a silent gateway has leased is in doubt: the refusal is final and names it', async (t) => {
  const world = await World.of([100n, 100n, 100n], 2)
  const [a, b] = world.gateways as [Gateway, Gateway]
  world.hold(a, [0], 60n)
  a.asked = a.book.nextGrant(world.now)
  await world.deliver(a)
  world.hear(a)
  world.authority.silence(a.incarnation)
  world.hold(b, [0], 50n)
  b.asked = b.book.nextGrant(world.now)
  await world.deliver(b)
  world.hear(b)
  t.match(world.decisions.at(-1), { kind: 'short', reason: 'in_doubt', figures: { inDoubtNano: BigInt } })
})

t.test('what long holds set aside is refused for good, naming the largest, and nobody is asked to give back', async (t) => {
  const world = await World.of([100n, 100n, 100n], 2)
  const [a, b] = world.gateways as [Gateway, Gateway]
  const [account = 0] = world.accountIds
  world.hold(a, [0], 2n)
  a.asked = a.book.nextGrant(world.now)
  await world.deliver(a)
  world.hear(a)
  world.authority.openLongHold('small', [account], 20n)
  world.authority.openLongHold('large', [account], 40n)
  world.hold(b, [0], 41n)
  b.asked = b.book.nextGrant(world.now)
  await world.deliver(b)
  world.hear(b)
  t.match(world.decisions.at(-1), {
    kind: 'short', reason: 'long_held', neededNano: 41n, figures: { longHeldNano: 60n, longHold: { id: 'large' } },
  })
  t.equal(a.book.lease(account)?.recalledAt, -Infinity)
  world.hold(b, [0], 39n)
  b.asked = b.book.nextGrant(world.now)
  await world.deliver(b)
  world.hear(b)
  t.equal(b.open.size, 0, 'what is short because of a lease is recalled')
  await world.post(a, 'due', 'heard')
  world.now += 20
  b.asked = b.book.nextGrant(world.now)
  await world.deliver(b)
  world.hear(b)
  t.equal(b.open.size, 0, 'and refused while a call holds the rest')
  t.match(world.decisions.at(-1), { kind: 'short', reason: 'contention' })
})

t.test('a call waits for what this gateway gives back, however late the authority hears of it', async (t) => {
  const world = await World.of([100n, 100n, 100n], 1)
  const [gateway] = world.gateways as [Gateway]
  const ask = async () => {
    gateway.asked = gateway.book.nextGrant(world.now)
    await world.deliver(gateway)
    world.hear(gateway)
  }
  world.hold(gateway, [0], 50n)
  await ask()
  for (const open of gateway.open.values()) world.end(gateway, open, () => 40n)
  const lease = gateway.book.lease(world.accountIds[0] as number)
  gateway.book.takeTouched(world.now)
  await world.post(gateway, 'due', 'lost')
  t.ok((lease?.returned ?? 0n) > 0n && lease?.free === 0n, 'under pressure all that is unused is on its way back')
  world.hold(gateway, [0], 50n)
  for (let i = 0; i < 5; i++) {
    await ask()
    t.equal(world.undecided, 1, 'it is there, only not known there yet')
    world.now += 20
  }
  await world.post(gateway, 'due', 'heard')
  await ask()
  t.equal(gateway.open.size, 1)

  // and not for ever: what is never heard of is contention to whoever waits
  for (const open of gateway.open.values()) world.end(gateway, open, () => 5n)
  gateway.book.takeTouched(world.now)
  await world.post(gateway, 'due', 'lost')
  world.hold(gateway, [0], 50n)
  for (let i = 0; i < 80 && world.undecided > 0; i++) {
    await ask()
    world.now += 20
  }
  t.match(world.decisions.at(-1), { kind: 'short', reason: 'contention' })
})

t.test('figures of another gateway refuse without a question, while they are fresh and of the same version', async (t) => {
  const world = await World.of([100n, 100n, 100n], 2)
  const [a, b] = world.gateways as [Gateway, Gateway]
  world.hold(a, [0], 100n)
  a.asked = a.book.nextGrant(world.now)
  await world.deliver(a)
  world.hear(a)
  for (const open of a.open.values()) world.end(a, open, (quote) => quote)
  await world.post(a, 'due', 'heard')
  world.hold(b, [0], 10n)
  t.match(world.decisions.at(-1), { kind: 'short', reason: 'exhausted' })
  t.equal(b.book.nextGrant(world.now), null, 'nobody was asked')
  world.now += 300
  world.hold(b, [0], 10n)
  t.not(b.book.nextGrant(world.now), null, 'old figures refuse nobody')
})

t.test('an account that is idle is forgotten, and known again with what was had of it', async (t) => {
  const world = await World.of([100n, 100n, 100n], 1)
  const [gateway] = world.gateways as [Gateway]
  const [account = 0] = world.accountIds
  const spend = async () => {
    await world.call(gateway, [0], 10n)
    gateway.asked = gateway.book.nextGrant(world.now)
    await world.deliver(gateway)
    world.hear(gateway)
    for (const open of gateway.open.values()) world.end(gateway, open, (quote) => quote)
  }
  await spend()
  world.now += 61_000
  gateway.book.sweep(world.now)
  await world.post(gateway, 'due', 'heard')
  gateway.book.retire(world.now, Infinity)
  t.equal(gateway.book.lease(account), undefined)
  t.equal([...gateway.book.leases()].length, 0)
  await spend()
  t.match(gateway.book.lease(account), { consumed: 20n, held: 0n }, 'and not what was given back or spent before')
  await world.post(gateway, 'everything', 'heard')
  t.match(world.authority.books()[0], { settledNano: 20n, leasedNano: 0n })
})

t.test('an account is kept while something of it is held, not recorded, or perhaps granted', async (t) => {
  const world = await World.of([100n, 100n, 100n], 1)
  const [gateway] = world.gateways as [Gateway]
  const [account = 0] = world.accountIds
  const isKept = () => {
    gateway.book.retire(world.now, Infinity)
    return gateway.book.lease(account) !== undefined
  }
  await world.call(gateway, [0], 10n)
  gateway.asked = gateway.book.nextGrant(world.now)
  await world.deliver(gateway)
  gateway.answer = 'failed'
  world.hear(gateway)
  world.now += 70_000
  t.ok(isKept(), 'what was granted by an answer that did not come is not known yet')
  await world.beat(gateway)
  t.ok(isKept(), 'and now it is, and to be given back')
  await world.call(gateway, [0], 10n)
  world.now += 70_000
  t.ok(isKept(), 'a call is open')
  for (const open of gateway.open.values()) world.end(gateway, open, (quote) => quote)
  gateway.book.sweep(world.now += 70_000)
  await world.post(gateway, 'due', 'unheard')
  t.ok(isKept(), 'its end may not be recorded')
  await world.beat(gateway)
  await world.post(gateway, 'due', 'heard')
  t.notOk(isKept())
})
