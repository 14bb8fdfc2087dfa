import { MemoryHotStatus } from '../../src/account/memory-hot-status.ts'
import { type Budget } from '../../src/budget/budget.ts'
import { BudgetTracker } from '../../src/budget/tracker.ts'
import { BudgetIntegration } from '../../src/gateway/integration.ts'
import { Keeper } from '../../src/gateway/keeper.ts'
import { type Jobs } from '../../src/holds/jobs.ts'
import { JournalCopy } from '../../src/journal/copy.ts'
import { JournalFolder } from '../../src/journal/folder.ts'
import { type Journal } from '../../src/journal/journal.ts'
import { LostCalls } from '../../src/journal/lost-calls.ts'
import { recover } from '../../src/journal/recovery.ts'
import { MemoryRateLimiter } from '../../src/limits/memory-limiter.ts'
import { Metrics } from '../../src/metrics.ts'
import { LedgerWriter } from '../../src/usage/ledger-writer.ts'
import { type DiskUser, SimDisk } from './disk.ts'
import { linkOf } from './link.ts'
import { PRICES } from './provider.ts'
import { type Owner, type Step } from './scheduler.ts'
import { type World } from './world.ts'

const FOLDER = '/data/journal'
/** of what the gateways count for people, one is enough for all */
const METRICS = new Metrics()
const RESTART_MS = 300
const LOST_CALLS_EVERY_MS = 2_000
const COPIES_KEPT_MS = 86_400_000

/** A machine with a disk and a clock, on which one gateway is kept running. */
export class Machine {
  readonly name: string
  readonly world: World
  disk: SimDisk
  /** taken out, and perhaps put in again */
  readonly shelf: SimDisk[] = []
  boot = 1
  /** how far its clock is off, ms */
  skew = 0
  process: Process | null = null
  #lives = 0

  constructor (world: World, name: string) {
    this.world = world
    this.name = name
    this.disk = new SimDisk(world.random)
  }

  now (): number { return Math.floor(this.world.epoch + this.world.scheduler.now + this.skew) }

  start (): void {
    if (this.process !== null) return
    const process = this.process = new Process(this, `${this.name}.${++this.#lives}`)
    process.begin()
  }

  /** a process of its own for the same data, by mistake; it has to end by itself */
  startSecond (): void { new Process(this, `${this.name}.x`).begin() }

  /** what supervises it starts it again */
  ended (process: Process): void {
    if (this.process !== process) return
    this.process = null
    this.world.scheduler.after(RESTART_MS, '', () => { this.start() }, null)
  }

  powerCut (): void {
    this.process?.die('power cut')
    this.disk.powerCut()
    this.boot++
  }

  swapDisk (): void {
    const { shelf, world: { random } } = this
    this.process?.die('disk gone')
    const old = shelf.length > 0 && random.chance(0.5) ? shelf.shift() : undefined
    shelf.push(this.disk)
    this.disk = old ?? new SimDisk(random)
  }
}

/** One life of a gateway: the real parts, put together as src/core.ts does, with hands on what is outside of them. */
export class Process implements Owner, DiskUser {
  readonly name: string
  readonly machine: Machine
  dead = false
  stopped: Step[] | null = null
  /** it ends amid so many more things that it does to the world; 0: it does not */
  fuse: number
  /** 0: it has not joined yet */
  incarnation = 0
  /** null: it does not serve yet, or not any more */
  gate: BudgetIntegration | null = null
  tracker: BudgetTracker | null = null
  writer: LedgerWriter | null = null
  journal: Journal | null = null
  hasJournal = false
  /** as this gateway knows them: a list of its own per version */
  budgets: Budget[]
  #end: (() => Promise<void>) | null = null

  constructor (machine: Machine, name: string) {
    const { world } = machine
    this.machine = machine
    this.name = name
    this.budgets = world.budgets
    this.fuse = world.faults.fuse === 0 ? 0 : world.random.int(1, world.faults.fuse)
  }

  effect (): boolean {
    if (this.dead) return false
    if (this.fuse > 0 && --this.fuse === 0) this.die('amid what it does')
    return !this.dead
  }

  later (ms: number, run: () => void): void { this.machine.world.scheduler.after(ms, '', run, this) }

  begin (): void {
    this.machine.world.scheduler.after(0, 'starts', () => {
      this.#begin().catch((error: unknown) => { this.#failed(error as Error) })
    }, this)
  }

  /** at once, without a word */
  die (why: string): void {
    if (this.dead) return
    const { world } = this.machine
    world.scheduler.trace?.(world.scheduler.line(`dies: ${why}`, this))
    this.dead = true
    this.hasJournal = false
    this.gate = null
    world.died(this)
    this.machine.ended(this)
  }

  /** as on SIGTERM */
  async stop (): Promise<void> {
    if (this.#end === null) return
    const end = this.#end
    this.#end = null
    await end()
    this.die('in order')
  }

  #failed (error: Error): void {
    if (this.dead) return
    const { world } = this.machine
    world.startFailed(this, error)
    this.die(`cannot start: ${error.message}`)
  }

  async #begin (): Promise<void> {
    const { machine } = this
    const { world } = machine
    const now = () => machine.now()
    const steady = world.mutant === 'steady clock' ? now : () => world.epoch + world.scheduler.now
    const line = (level: string) => (details: object, message: string) => {
      world.logged(this, level, message, details)
    }
    const log = { info: () => {}, warn: line('warn'), error: line('error') }
    const authority = linkOf(this, world)
    const folder = await JournalFolder.open(FOLDER, {
      log,
      now,
      bootId: `${machine.name} ${machine.boot}`,
      files: machine.disk.files(this),
      segmentBytes: world.segmentBytes,
      syncIntervalMs: 50,
      carryAfterSegments: 2,
    })
    // whoever has the journal is the gateway of this machine
    if (machine.process !== this) {
      if (machine.process?.hasJournal === true) world.fail(`two processes of ${machine.name} have one journal`)
      machine.process = this
    }
    this.hasJournal = true
    await recover({ folder, authority, now, steady, log, timeoutMs: 10_000 })
    this.incarnation = await authority.join(folder.journalId, this.name)
    world.joined(this)
    const journal = this.journal = folder.begin(this.incarnation)
    const hot = new MemoryHotStatus(world.hub, this.incarnation)
    await hot.start()
    const onNotLive = (error: Error): void => { this.die(`is over: ${error.message}`) }
    const tracker: BudgetTracker = this.tracker = new BudgetTracker({
      authority,
      hot,
      incarnation: this.incarnation,
      now,
      steady,
      outageMs: world.outageMs,
      random: () => world.random.next(),
      log,
      onReturnsDue: (atOnce) => { writer.returnsDue(atOnce) },
      onNotLive,
    })
    const copies = world.copies?.of(this)
    const copy = copies === undefined
      ? undefined
      : new JournalCopy({ store: copies, incarnation: this.incarnation, maxBytes: 10_000, now: steady })
    const lostCalls = copies === undefined
      ? null
      : new LostCalls({ authority, copies, incarnation: this.incarnation, keptMs: COPIES_KEPT_MS, now, log })
    const writer: LedgerWriter = this.writer = new LedgerWriter({
      authority,
      incarnation: this.incarnation,
      journal,
      copy,
      now,
      steady,
      log,
      collectReturns: (everything) => tracker.collectReturns(everything),
      onPosted: (answer, charges, returns) => { tracker.posted(answer, charges, returns) },
      onNotLive,
    })
    const keeper = new Keeper({ authority, incarnation: this.incarnation, log, onNotLive })
    this.gate = new BudgetIntegration({
      keeper,
      jobs: NO_JOBS,
      identify: () => { throw new Error('who it is for is known') },
      registry: { lookup: ({ teamId }) => listFor(this.budgets, teamId) },
      prices: PRICES,
      tracker,
      limiter: new MemoryRateLimiter(now),
      journal: { append: (record, done) => world.appends(this, record, done, journal) },
      collector: writer,
      metrics: METRICS,
      log,
      now,
      unbudgeted: 'refuse',
      rateMaxAgeMs: Infinity,
    })
    tracker.start()
    void lostCalls?.look()
    const looks = setInterval(() => { void lostCalls?.look() }, LOST_CALLS_EVERY_MS)
    this.#end = async () => {
      clearInterval(looks)
      tracker.stop()
      keeper.stop()
      await lostCalls?.stop()
      try {
        await this.gate?.endsCollected()
        await writer.stop(now() + 5_000)
        if (tracker.isAtRest && writer.setAside === 0) {
          await authority.beginRecovery(this.incarnation)
          await authority.closeLeases(this.incarnation, [])
        }
      } catch (error) {
        line('error')({ err: error }, 'not everything could be recorded')
      }
      await copy?.close()
      await hot.close()
      await folder.close()
    }
  }
}

const lists = new WeakMap<readonly Budget[], Map<string | null, Budget[]>>()

/** the candidates of an identity, as the registry has them: always the same list while nothing changes */
function listFor (budgets: readonly Budget[], teamId: string | null): Budget[] {
  const known = lists.get(budgets) ?? new Map<string | null, Budget[]>()
  lists.set(budgets, known)
  const list = known.get(teamId) ?? budgets.filter(({ scopeType, scopeId }) => scopeType === 'organization' || scopeId === teamId)
  known.set(teamId, list)
  return list
}

/** nobody asks about jobs here: their rows are settled by the world */
const NO_JOBS = {} as Jobs
