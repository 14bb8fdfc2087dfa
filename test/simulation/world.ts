import {
  type AccountSpec, BatchRefusedError, type EnsuredAccount, type GrantRequest,
} from '../../src/account/authority.ts'
import { type Budget, type Identity } from '../../src/budget/budget.ts'
import { periodAt } from '../../src/budget/period.ts'
import { type Journal, type JournalRecord } from '../../src/journal/journal.ts'
import { type CallEnd, type UsageEvent } from '../../src/usage/usage.ts'
import { Calls, type SimCall } from './calls.ts'
import { Checks } from './checks.ts'
import { aCall } from './exchange.ts'
import { Copies } from './copies.ts'
import { type Faults, named, NO_FAULTS, someFaults } from './faults.ts'
import { Hub } from './hub.ts'
import { type Ledger } from './ledger.ts'
import { Machine, type Process } from './machine.ts'
import { type Mutant } from './mutants.ts'
import { SimProvider } from './provider.ts'
import { Random } from '../random.ts'
import { Scheduler } from './scheduler.ts'

export interface Outcome {
  seed: number
  /** null: everything held */
  problem: string | null
  steps: number
  calls: number
  /** virtual seconds */
  seconds: number
  faults: string
}

export interface WorldOptions {
  seed: number
  ledger: Ledger
  trace?: (line: string) => void
  /** instead of what the seed picks */
  faults?: Partial<Faults>
  /** the safeguard that is taken away; null: none */
  mutant: Mutant | null
}

type BudgetOf = Pick<Budget, 'scopeType' | 'scopeId' | 'period' | 'mode'> & { limit: bigint, parent: string | null }
type Done = (error: Error | null) => void

const MIDNIGHT = Date.UTC(2026, 2, 10)
const HOUR = 3_600_000
/** no decision takes longer, whatever the ledger does */
const DECIDED_MS = 20_000
/** a process that is found silent for so long is not waited for */
const CALM_MS = 14_000
const USED_UP = new Set(['budget_exhausted', 'quote_exceeds_budget'])
const PATIENCE_MS = 400
/** of what is waited for in peace, this much is as lively as ever; of the rest nothing but time is wanted */
const BRISK_MS = 3_000
const IDLE_EVERY_MS = 2_000

export const TEAMS = ['a', 'b'] as const

/** One run: a few machines with gateways, a ledger, a provider, clients and everything that goes wrong between them. */
export class World {
  readonly scheduler = new Scheduler()
  readonly random: Random
  readonly ledger: Ledger
  readonly hub: Hub
  readonly provider = new SimProvider()
  /** null: journals have no copies */
  readonly copies: Copies | null
  readonly calls = new Calls()
  readonly checks = new Checks()
  readonly machines: Machine[]
  readonly segmentBytes: number
  /** how long leases carry calls while the ledger is away */
  readonly outageMs: number
  /** ms since the epoch at the beginning */
  readonly epoch: number
  readonly mutant: Mutant | null
  faults: Faults
  readonly wild: Faults
  /** as administrators have set them */
  budgets: Budget[] = []
  ledgerDown = false
  problem: string | null = null
  /** calls whose events the ledger refuses, until somebody sees to it */
  readonly #poisoned = new Set<string>()
  /** there ever was one */
  #refuses = false
  open = 0
  readonly #accounts = new Map<string, number>()
  readonly #names = new Map<number, string>()
  /** lives that have joined */
  readonly #joined = new Map<number, Process>()
  #ledgerSkew = 0
  #dirty = false
  readonly #largest: number
  /** of calls, ms: at first, and now */
  readonly #pace: number
  #every: number

  constructor ({ seed, ledger, trace, faults, mutant }: WorldOptions) {
    this.mutant = mutant
    this.ledger = ledger
    this.random = new Random(seed)
    this.wild = { ...someFaults(this.random), ...faults }
    this.faults = this.wild
    this.scheduler.trace = trace ?? null
    this.hub = new Hub(this.scheduler, this.random, () => this.faults)
    this.epoch = this.wild.midnight ? MIDNIGHT - 4_000 : MIDNIGHT + 11 * HOUR
    this.segmentBytes = this.random.pick([1_500, 6_000, 1_000_000])
    this.outageMs = this.random.pick([2_000, 60_000])
    this.#largest = this.random.pick([3, 10, 40])
    this.#every = this.#pace = this.random.pick([20, 80, 300])
    const machines = this.random.pick([1, 2, 2, 3, 3, 4])
    this.copies = this.random.chance(0.3) ? new Copies(this) : null
    if (this.copies !== null) {
      // it is of use where calls that the ledger does not have yet are lost with their disk
      this.wild.diskGoneEvery = Math.min(this.wild.diskGoneEvery, 4_000)
      this.wild.outageEvery = Math.min(this.wild.outageEvery, 4_000)
    }
    this.machines = Array.from({ length: machines }, (_, i) => new Machine(this, `gateway${i + 1}`))
  }

  fail (problem: string): void {
    if (this.problem !== null) return
    this.problem = problem
    const { trace } = this.scheduler
    trace?.(this.scheduler.line(`*** ${problem}`, this.scheduler.current))
    if (trace === null) return
    for (const call of this.calls.all) {
      const { no, process, written, end, voided, reached, inserted, row } = call
      trace(`    call ${no} of ${process.name} (life ${call.incarnation}): ${this.holdsOf(call)}; ${written === null ? '' : 'opened'} ${reached ? 'reached' : ''} ` +
        `${end === null ? '' : `cost ${end.costNano}`} ${voided ? 'void' : ''} ` +
        `${inserted === null ? '' : `recorded ${inserted.costNano} ${inserted.certainty}`} ${row === 'none' ? '' : `row ${row}`}`)
    }
  }

  async run (): Promise<Outcome> {
    const { scheduler, random } = this
    scheduler.trace?.(`faults: ${named(this.wild)}`)
    await this.#define()
    for (const machine of this.machines) machine.start()
    this.#arrivals()
    this.#misfortunes()
    const wildMs = random.pick([3_000, 6_000, 12_000])
    await this.#until(wildMs)
    if (this.problem === null) await this.#comeToRest()
    const { wild, calls, problem } = this
    for (const { process } of this.machines) if (process !== null) process.dead = true
    const { steps, now } = scheduler
    return { seed: 0, problem, steps, calls: calls.all.length, seconds: now / 1000, faults: named(wild) }
  }

  async #until (at: number, enough: () => boolean = () => false): Promise<void> {
    await this.scheduler.run(at, () => this.problem !== null || enough(), () => this.#check())
  }

  #check (): void | Promise<void> {
    if (!this.#dirty) return
    this.#dirty = false
    if (this.ledger.difference != null) this.fail(this.ledger.difference)
    const accounts = this.ledger.books()
    const leases = this.ledger.leases()
    if (accounts instanceof Promise || leases instanceof Promise) {
      return Promise.all([accounts, leases]).then(([a, l]) => { this.#judge(this.checks.look(a, l, this.calls)) })
    }
    this.#judge(this.checks.look(accounts, leases, this.calls))
  }

  #judge (problem: string | null): void { if (problem !== null) this.fail(problem) }

  // ---- budgets

  async #define (): Promise<void> {
    const { random } = this
    const limit = (): bigint => BigInt(random.int(2, 30) * this.#largest)
    const base = { limit: limit(), parent: null, scopeType: 'organization', scopeId: 'acme', period: 'annual', mode: 'enforced' } as const
    const org = await this.#budget(base)
    const soft = random.chance(0.2) ? 'soft' : 'enforced'
    await this.#budget({ ...base, limit: limit(), parent: org.id, scopeType: 'team', scopeId: 'a', period: 'annual', mode: soft })
    await this.#budget({ ...base, limit: limit(), parent: org.id, scopeType: 'team', scopeId: 'b', period: 'daily' })
  }

  async #budget (of: BudgetOf): Promise<Budget> {
    const { limit, parent, ...fields } = of
    const id = await this.ledger.defineBudget(of.mode === 'soft' ? null : limit)
    const budget: Budget = {
      id,
      organizationId: 'acme',
      name: `${of.scopeType} ${of.scopeId}`,
      description: null,
      amountNano: limit,
      enforcedLimitNano: limit,
      currency: 'USD',
      rate: null,
      rateAt: null,
      timezone: 'UTC',
      startDate: Date.UTC(2020, 0),
      endDate: null,
      recurring: true,
      paused: false,
      capToFit: null,
      carryOver: null,
      failOpenNano: null,
      rateLimits: null,
      filters: {},
      overrides: {},
      alerts: [],
      tags: {},
      parentBudgetId: parent,
      createdAt: 0,
      updatedAt: 0,
      createdBy: null,
      archivedAt: null,
      version: 1,
      ...fields,
    }
    this.budgets = [...this.budgets, budget]
    return budget
  }

  async #setLimit (): Promise<void> {
    const { random } = this
    const budget = random.pick(this.budgets.filter(({ mode }) => mode === 'enforced'))
    const limit = BigInt(random.int(1, 30) * this.#largest)
    await this.atLedger(() => this.ledger.setLimit(budget.id, limit))
    const version = budget.version + 1
    this.budgets = this.budgets.map((one) => one.id === budget.id
      ? { ...one, amountNano: limit, enforcedLimitNano: limit, version }
      : one)
    const { budgets } = this
    for (const { process } of this.machines) {
      if (process === null) continue
      this.scheduler.after(random.latency(50, 1_000), 'hears of a changed budget', () => {
        if ((process.budgets.find(({ id }) => id === budget.id)?.version ?? 0) < version) process.budgets = budgets
      }, process)
    }
  }

  // ---- what the parts tell

  /** does it at the ledger's own time */
  atLedger<T> (run: () => Promise<T>): Promise<T> {
    this.#dirty = true
    const set = this.ledger.setClock(Math.floor(this.epoch + this.scheduler.now + this.#ledgerSkew))
    return set === null ? run() : set.then(run)
  }

  appends (process: Process, record: JournalRecord, done: Done | undefined, journal: Journal): Buffer {
    if (process.dead) return Buffer.alloc(0)
    this.#dirty = true
    const { calls } = this
    if (record.t === 'open') {
      const call = calls.opens(process, record)
      const held = call.holds.map((hold) => ({ ...hold }))
      this.#traced(process, `call ${call.no} is held: ${this.holdsOf(call)}`)
      return journal.append(record, (error) => {
        if (error === null) call.written = held
        else if (call.written === null) call.voided = true
        done?.(error)
      })
    }
    if (record.t === 'end') {
      const call = calls.get(record.end.id)
      call.end = record.end
      this.#traced(process, `call ${call.no} costs ${record.end.costNano}, ${record.end.certainty}`)
      return journal.append(record, (error) => {
        call.endWritten = error === null
        done?.(error)
      })
    }
    const call = calls.get(record.id)
    if (call.row === 'none') call.voided = true
    this.#traced(process, `call ${call.no} is void`)
    return journal.append(record, done)
  }

  inserted (end: CallEnd): void {
    const call = this.calls.get(end.id)
    if (call.inserted !== null) this.fail(`P2: call ${call.no} has more than one event`)
    for (const charge of end.charges) this.#judge(this.checks.recorded(call, charge))
    this.calls.inserted(end)
  }

  keptAsRow (id: string): void {
    const call = this.calls.get(id)
    if (call.row === 'none') call.row = 'open'
  }

  joined (process: Process): void { this.#joined.set(process.incarnation, process) }

  died (process: Process): void {
    this.#dirty = true
    this.calls.died(process)
    this.hub.buried(process)
  }

  startFailed (process: Process, error: Error): void {
    if (process.name.endsWith('.x')) return
    const code = (error as { code?: string }).code ?? ''
    const known = ['authority_unavailable', 'ENOSPC', 'EIO', 'journal_locked', 'batch_refused'].includes(code)
    const full = error.message === 'the file takes no more bytes'
    if (!known && !full && !process.dead) this.fail(`a start fails: ${error.message}`)
  }

  logged (process: Process, level: string, message: string, details: object): void {
    const { err } = details as { err?: Error }
    this.#traced(process, `${level}: ${message}${err === undefined ? '' : ` (${err.message})`}`)
  }

  #traced (process: Process, what: string): void { this.scheduler.trace?.(this.scheduler.line(what, process)) }

  opened (specs: AccountSpec[], found: EnsuredAccount[]): void {
    specs.forEach(({ budgetId, periodStart }, i) => {
      const { accountId } = found[i] as EnsuredAccount
      const { name = '' } = this.budgets.find(({ id }) => id === budgetId) ?? {}
      this.#accounts.set(`${budgetId} ${periodStart}`, accountId)
      this.#names.set(accountId, this.budgets.some(({ id, period }) => id === budgetId && period === 'daily')
        ? `${name} ${new Date(periodStart).toISOString().slice(5, 10)}`
        : name)
    })
  }

  // ---- names, for the trace

  accountName (accountId: number): string { return (this.#names.get(accountId) ?? String(accountId)).replace('organization ', '').replace(' ', '-') }
  nameOf (callId: string): string { return String(this.calls.byId.get(callId)?.no ?? '?') }

  holdsOf ({ holds }: SimCall): string {
    return holds.map(({ accountId, quoteNano, enforced }) => `${this.accountName(accountId)}:${quoteNano}${enforced ? '' : ' (soft)'}`).join(' ')
  }

  needsOf ({ calls, extras }: GrantRequest): string {
    const needs = calls.map((call) => `[${call.needs.map(({ accountId, needNano }) => `${this.accountName(accountId)}:${needNano}`).join(' ')}]`)
    return `${needs.join('')}${extras.map(({ accountId, extraNano }) => ` +${this.accountName(accountId)}:${extraNano}`).join('')}`
  }

  // ---- events that the ledger refuses

  poison (callId: string): void {
    this.#refuses = true
    this.#poisoned.add(callId)
    if (this.random.chance(0.5)) this.scheduler.after(this.random.between(50, 3_000), '', () => { this.#poisoned.delete(callId) }, null)
  }

  refuseSome (batch: readonly UsageEvent[]): void {
    if (batch.some(({ end }) => this.#poisoned.has(end.id))) throw new BatchRefusedError('it does not take this event')
  }

  refused (process: Process, error: BatchRefusedError): void {
    // recovery may have charged what a late post of a machine that stopped gives back
    if (process.dead && this.checks.lossy.has(process.incarnation)) return
    if (error.message !== 'it does not take this event') this.fail(`the ledger refuses what ${process.name} posts: ${error.message}`)
  }

  // ---- clients

  identity (): Identity {
    const team = this.random.pick([null, ...TEAMS])
    return { organizationId: 'acme', teamId: team, projectId: null, userId: null, keyId: 'key', sessionId: null, tags: null }
  }

  #arrivals (): void {
    const next = (): void => {
      if (this.faults !== this.wild) return
      const serving = this.machines.filter(({ process }) => process?.gate != null)
      const machine = serving.length === 0 ? null : this.random.pick(serving)
      const process = machine?.process
      if (process?.gate != null) void this.ask(process, this.identity(), this.random.int(1, this.#largest))
      this.scheduler.after(this.random.until(this.#every), '', next, null)
    }
    this.scheduler.after(this.random.until(this.#pace), '', next, null)
  }

  /** one client's call; nobody waits for a decision for ever */
  ask (process: Process, identity: Identity, tokens: number): void {
    const { scheduler } = this
    const overdue = (): void => {
      this.fail(`P9: a call at ${process.name} is not decided after ${DECIDED_MS / 1000} s`)
    }
    scheduler.after(0, '', () => {
      const deadline = scheduler.after(DECIDED_MS, '', overdue, process)
      aCall(this, process, identity, tokens).then((answer) => {
        scheduler.cancel(deadline)
        // where a budget is used up, clients ask more seldom, until somebody is let through again
        if (answer === null) this.#every = this.#pace
        else if (USED_UP.has(answer)) this.#every = Math.max(this.#pace, Math.min(this.#every * 1.5, PATIENCE_MS))
        if (answer !== null) this.#traced(process, `refuses ${tokens} for ${identity.teamId ?? 'acme'}: ${answer}`)
      }, (error: unknown) => { this.fail(`a call fails: ${String(error)}`) })
    }, process)
  }

  // ---- what goes wrong

  #misfortunes (): void {
    const { random, wild } = this
    const some = (every: number, what: string, how: () => void | Promise<void>): void => {
      if (every === Infinity) return
      const next = (): void => {
        if (this.faults !== wild) return
        this.scheduler.trace?.(this.scheduler.line(`--- ${what}`, null))
        const done = how()
        if (done !== undefined) this.scheduler.awaiting(done)
        this.scheduler.after(random.until(every), '', next, null)
      }
      this.scheduler.after(random.until(every), '', next, null)
    }
    const machine = (): Machine => random.pick(this.machines)
    const process = (): Process | null => machine().process
    const forAWhile = (most: number, begin: () => void, end: () => void): void => {
      begin()
      this.scheduler.after(random.between(50, most), '', end, null)
    }
    some(wild.outageEvery, 'the ledger is away', () => {
      forAWhile(4_000, () => { this.ledgerDown = true }, () => { this.ledgerDown = false })
    })
    some(wild.crashEvery, 'a crash', () => { process()?.die('killed') })
    some(wild.powerCutEvery, 'a power cut', () => { this.#lose(machine(), (one) => { one.powerCut() }) })
    some(wild.diskGoneEvery, 'a disk is changed', () => { this.#lose(machine(), (one) => { one.swapDisk() }) })
    some(wild.stoppedEvery, 'a process is stopped', () => {
      const one = process()
      if (one === null || one.stopped !== null) return
      const ms = random.pick([500, 3_000, 15_000])
      forAWhile(ms, () => { this.scheduler.stop(one) }, () => { this.scheduler.resume(one) })
    })
    some(wild.clockJumpEvery, 'a clock jumps', () => {
      const one = machine()
      one.skew = one.skew === 0 ? random.pick([-HOUR, HOUR]) : 0
    })
    some(wild.ledgerClockJumpEvery, 'the clock of the ledger jumps', () => {
      this.#ledgerSkew = this.#ledgerSkew === 0 ? random.pick([-HOUR, HOUR]) : 0
    })
    some(wild.limitEvery, 'a limit is changed', () => this.#setLimit())
    some(wild.hotWipeEvery, 'the hot status is wiped', () => {
      this.hub.wipe()
      this.copies?.wipe()
    })
    some(wild.diskFullEvery, 'a disk is full', () => {
      const { disk: { health } } = machine()
      forAWhile(1_500, () => { health.full = true }, () => { health.full = false })
    })
    some(wild.syncFailsEvery, 'a disk does not sync', () => {
      const { disk: { health } } = machine()
      forAWhile(1_500, () => { health.syncFails = true }, () => { health.syncFails = false })
    })
    const { shortWrites, syncMs } = wild
    for (const { disk: { health } } of this.machines) Object.assign(health, { shortWrites, syncMs })
    some(wild.writeOffEvery, 'a write-off', () => this.#writeOff())
    some(wild.stopEvery, 'a process is to end', () => { this.#stop(process()) })
    some(wild.secondStartEvery, 'a second start on one journal', () => { machine().startSecond() })
  }

  #stop (process: Process | null): void {
    if (process === null) return
    this.scheduler.after(0, 'is to end', () => { void process.stop() }, process)
  }

  #lose (machine: Machine, how: (machine: Machine) => void): void {
    for (const [incarnation, { machine: of }] of this.#joined) if (of === machine) this.checks.lossy.add(incarnation)
    how(machine)
  }

  /** of whatever may be */
  async #writeOff (): Promise<void> {
    for (const incarnation of this.#joined.keys()) {
      const done = await this.atLedger(() => this.ledger.writeOff(incarnation))
      if (done) this.scheduler.trace?.(this.scheduler.line(`${this.#joined.get(incarnation)?.name} is written off`, null))
    }
  }

  // ---- the end

  /** nothing goes wrong any more, and everything is finished, and all that was ever held or leased is accounted for */
  async #comeToRest (): Promise<void> {
    const { scheduler, random } = this
    const after = async (ms: number): Promise<void> => {
      const until = scheduler.now + ms
      await this.#until(Math.min(until, scheduler.now + BRISK_MS))
      scheduler.leastMs = IDLE_EVERY_MS
      await this.#until(until)
      scheduler.leastMs = 0
    }
    scheduler.trace?.(scheduler.line('=== nothing goes wrong any more', null))
    this.faults = { ...NO_FAULTS }
    this.ledgerDown = false
    for (const machine of this.machines) {
      const { shortWrites, syncMs } = NO_FAULTS
      Object.assign(machine.disk.health, { full: false, shortWrites, syncFails: false, syncMs })
      if (machine.process !== null) {
        machine.process.fuse = 0
        scheduler.resume(machine.process)
      }
    }
    await after(CALM_MS)
    await this.#done(this.#settleRows())
    this.#poisoned.clear()
    // what is set aside is tried again with each start, but with one that was under way already
    for (let round = 0; round < 2 && this.#refuses; round++) {
      for (const { process } of this.machines) this.#stop(process)
      await after(CALM_MS)
    }
    await after(CALM_MS)
    await this.#done(this.#writeOff())
    await this.#done(this.#settleRows())
    await after(2_000)
    if (this.problem === null) await this.#probe()
    if (this.problem !== null) return
    await after(1_000)
    if (random.chance(0.3)) await after(75_000)
    else {
      for (const { process } of this.machines) this.#stop(process)
      await after(250)
    }
    if (this.problem === null) await this.#atRest()
  }

  async #done (what: Promise<void>): Promise<void> {
    this.scheduler.after(0, '', () => { this.scheduler.awaiting(what) }, null)
    await this.#until(this.scheduler.now)
    await what
  }

  async #settleRows (): Promise<void> {
    for (const id of await this.ledger.longHolds()) {
      const call = this.calls.get(id)
      const entry = this.provider.books.get(call.no)
      await this.atLedger(() => this.ledger.settleLongHold(id, entry?.costNano ?? 0n))
      call.row = 'settled'
      this.calls.unrecorded.delete(call)
    }
  }

  /** what is left can be spent, to the last, and no more than that */
  async #probe (): Promise<void> {
    for (const teamId of [null, ...TEAMS]) {
      const { process } = this.random.pick(this.machines)
      if (process?.gate == null) return this.fail('P3: a gateway does not come back')
      const books = await this.ledger.books()
      const applied = this.budgets.filter(({ scopeType, scopeId, mode }) =>
        mode === 'enforced' && (scopeType === 'organization' || scopeId === teamId))
      let free = 10_000n
      for (const budget of applied) {
        const start = periodAt(budget, process.machine.now())?.start ?? 0
        const account = books.find(({ accountId }) => accountId === this.#accounts.get(`${budget.id} ${start}`))
        const left = account === undefined ? budget.enforcedLimitNano : (account.limitNano ?? 0n) - account.settledNano
        if (left < free) free = left
      }
      if (free > 0n) await this.#mustBe('held', process, teamId, Number(free))
      await this.#mustBe('refused', process, teamId, Number(free < 0n ? 0n : free) + 1)
    }
  }

  async #mustBe (what: 'held' | 'refused', process: Process, teamId: string | null, tokens: number): Promise<void> {
    const identity = { organizationId: 'acme', teamId, projectId: null, userId: null, keyId: 'key', sessionId: null, tags: null }
    for (let tries = 0; tries < 6; tries++) {
      let answer: string | null | undefined
      this.scheduler.after(tries === 0 ? 0 : 500, 'is tried', () => {
        void aCall(this, process, identity, tokens, true).then((told) => { answer = told })
      }, process)
      await this.#until(this.scheduler.now + 30_000, () => answer !== undefined)
      if (this.problem !== null) return
      if (what === 'held' ? answer === null : answer != null && answer !== 'budget_contention') return
      if (what === 'held' && answer !== 'budget_contention') {
        return this.fail(`P3: ${tokens} are left for ${teamId ?? 'acme'}, and a call of so much is refused: ${answer}`)
      }
      if (what === 'refused' && answer === null) return this.fail(`P1: ${tokens} are held for ${teamId ?? 'acme'}, which are not there`)
    }
    this.fail(`P3: a call of ${tokens} for ${teamId ?? 'acme'} should be ${what}, and hears of contention again and again`)
  }

  async #atRest (): Promise<void> {
    for (const { process } of this.machines) {
      for (const { held, free, unposted } of process === null ? [] : this.#leasesOf(process)) {
        if (held !== 0n || free !== 0n || unposted !== 0n) return this.fail(`P3: at rest, ${process?.name} holds something`)
      }
    }
    for (const { accountId, leasedNano } of await this.ledger.books()) {
      if (leasedNano !== 0n) return this.fail(`P3: at rest, ${leasedNano} stay leased on ${this.accountName(accountId)}`)
    }
    if (this.provider.twice > 0) return this.fail('P2: the provider had a call twice')
    for (const call of this.calls.all) {
      const problem = await this.#accounted(call)
      if (problem !== null) return this.fail(problem)
    }
  }

  #leasesOf (process: Process) {
    const { tracker } = process
    return tracker === null ? [] : [...this.#names.keys()].flatMap((accountId) => tracker.view(accountId) ?? [])
  }

  /** every call that reached its provider is one event, of what it cost at least, or part of what was written off */
  async #accounted (call: SimCall): Promise<string | null> {
    const entry = this.provider.books.get(call.no)
    const cost = await this.ledger.costOf(call.id)
    if (entry === undefined) {
      const certain = cost !== null && cost > 0n && call.inserted?.certainty === 'exact'
      return certain ? `P2: call ${call.no} never reached its provider, and is charged` : null
    }
    if (cost !== null) {
      const unknown = call.inserted?.certainty === 'uncertain' && call.overran
      if (cost < entry.costNano && !unknown) return `P5: call ${call.no} cost ${entry.costNano}, and ${cost} are charged`
      const exact = call.inserted?.certainty === 'exact' || call.row === 'settled'
      return exact && cost !== entry.costNano ? `P2: call ${call.no} cost ${entry.costNano} exactly, and ${cost} are charged` : null
    }
    if (!this.checks.lossy.has(call.incarnation)) return `P2: call ${call.no} reached its provider, and there is no event of it`
    // the checks have seen to it that what was written off or charged too much stands for it
    return null
  }
}
