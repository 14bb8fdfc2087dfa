import { existsSync, mkdirSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { holdChange } from './access/audit.ts'
import { formatLink } from './access/audit-chain.ts'
import { type Authorship } from './access/changes.ts'
import { Authenticator } from './access/authenticator.ts'
import { FailureLimit } from './access/failures.ts'
import { Issuer } from './access/issuer.ts'
import { MemoryHotStatus, MemoryHub } from './account/memory-hot-status.ts'
import { type HotStatus } from './account/hot-status.ts'
import { LostGateways } from './account/lost-gateways.ts'
import { BudgetRegistry } from './budget/registry.ts'
import { BudgetTracker } from './budget/tracker.ts'
import { Auditor } from './auditor/auditor.ts'
import { steadyNow, systemNow } from './clock.ts'
import { type Config } from './config.ts'
import { identifyBy } from './gateway/identify.ts'
import { BudgetIntegration } from './gateway/integration.ts'
import { Keeper } from './gateway/keeper.ts'
import { Jobs } from './holds/jobs.ts'
import { LongHolds } from './holds/long-holds.ts'
import { MemoryRateLimiter } from './limits/memory-limiter.ts'
import { type RateLimiter } from './limits/limiter.ts'
import { JournalCopy } from './journal/copy.ts'
import { JournalFolder } from './journal/folder.ts'
import { type Journal } from './journal/journal.ts'
import { LostCalls } from './journal/lost-calls.ts'
import { recover } from './journal/recovery.ts'
import { AdminTokens } from './keys/admin-tokens.ts'
import { KeyRing } from './keys/key-ring.ts'
import { Load, type Overloaded } from './load.ts'
import { Metrics } from './metrics.ts'
import { type LaidCatalog } from './pricing/layers.ts'
import { LivePrices } from './pricing/live-prices.ts'
import { catalogWith } from './pricing/price-overlay.ts'
import { NamedPrices } from './pricing/named-prices.ts'
import { type PriceBook } from './pricing/price.ts'
import { type ConfiguredProvider, configuredProviders, namingsOf } from './providers/configured.ts'
import { KeyFile } from './providers/key-file.ts'
import { RateFeed } from './money/rate-feed.ts'
import { PostgresAuthority } from './stores/postgres/authority.ts'
import { PostgresAdminTokenStore } from './stores/postgres/admin-token-store.ts'
import { PostgresAuditLog } from './stores/postgres/audit-log.ts'
import { PostgresAuditorBooks } from './stores/postgres/auditor-books.ts'
import { PostgresBudgetStore } from './stores/postgres/budget-store.ts'
import { PostgresKeyStore } from './stores/postgres/key-store.ts'
import { type Changed, PostgresChanges } from './stores/postgres/changes.ts'
import { Sweep } from './sweep.ts'
import { sweepDueLimits } from './stores/postgres/adjustment-store.ts'
import { PostgresHoldStore } from './stores/postgres/hold-store.ts'
import { PostgresJobStore } from './stores/postgres/job-store.ts'
import { type LaunchedPostgres, launchPostgres } from './stores/postgres/launcher.ts'
import { ensurePartitions, isMigrated, migrate } from './stores/postgres/migrate.ts'
import { Database, reached } from './stores/postgres/pool.ts'
import { PostgresPriceStore } from './stores/postgres/price-store.ts'
import { PostgresRateStore } from './stores/postgres/rates.ts'
import { PostgresUsageSums } from './stores/postgres/usage-sums.ts'
import { PostgresUsageStore } from './stores/postgres/usage-store.ts'
import { RedisHotStatus } from './stores/redis/hot-status.ts'
import { COPIES_KEPT_MS, RedisJournalCopies } from './stores/redis/journal-copies.ts'
import { RedisRateLimiter } from './stores/redis/rate-limiter.ts'
import { LedgerWriter } from './usage/ledger-writer.ts'

/**
 * The whole business of one gateway process, composed: everything but the web. Opening is the order of a start (lock
 * the journal, database, schema, recovery, a life of its own), closing is the order of a stop (open calls settle, what
 * is spent is recorded, all rights go back). A start that fails undoes what it did; a stop may be cut at any point.
 */
export interface Log {
  info (details: object, message: string): void
  warn (details: object, message: string): void
  error (details: object, message: string): void
  fatal (details: object, message: string): void
}

export interface CoreOptions {
  config: Config
  log: Log
  /** progress of a start, for people */
  say?: (message: string) => void
  /** the process must end: it may not admit anything any more, and a new one recovers what it leaves */
  onFatal: (error: Error) => void
}

/** ended calls of those that are silent */
const LOST_CALLS_EVERY_MS = 10_000
/** those that may have been silent for too long */
const LOST_EVERY_MS = 60_000
/** long holds that are past their deadline */
const OVERDUE_EVERY_MS = 1_000
/** jobs that are due are asked about; when they are is theirs */
const ASKED_EVERY_MS = 5_000
/** an account of millions of records is read by one statement */
const AUDITOR_STATEMENT_MS = 20_000
const SEGMENT_BYTES = 16 * 1024 * 1024
const PARTITIONS_EVERY_MS = 12 * 3_600_000
/** an embedded database that has not answered for so long is looked after */
const EMBEDDED_SILENT_MS = 3_000

type Close = () => Promise<void>

export class Core {
  readonly config: Config
  readonly gate: BudgetIntegration
  readonly tracker: BudgetTracker
  readonly registry: BudgetRegistry
  readonly writer: LedgerWriter
  readonly journal: Journal
  readonly authority: PostgresAuthority
  readonly hot: HotStatus
  readonly limiter: RateLimiter
  /** null, as the two that need it: there is no Redis, or it is to have no copies */
  readonly copies: RedisJournalCopies | null
  readonly copy: JournalCopy | null
  readonly lostCalls: LostCalls | null
  readonly database: Database
  readonly budgets: PostgresBudgetStore
  readonly usage: PostgresUsageStore
  readonly sums: PostgresUsageSums
  readonly changes: PostgresChanges
  readonly rates: PostgresRateStore
  readonly audit: PostgresAuditLog
  readonly holds: PostgresHoldStore
  readonly longHolds: LongHolds
  readonly jobs: Jobs
  readonly keyStore: PostgresKeyStore
  readonly keys: KeyRing
  readonly adminTokens: AdminTokens
  readonly tokenStore: PostgresAdminTokenStore
  readonly authenticator: Authenticator
  readonly prices: PriceBook
  readonly livePrices: LivePrices
  readonly overrides: PostgresPriceStore
  readonly providers: readonly ConfiguredProvider[]
  /** null: the settings have them all */
  readonly keyFile: KeyFile | null
  readonly metrics: Metrics
  /** what this gateway has taken on */
  readonly load: Load
  readonly auditor: Auditor
  readonly incarnation: number
  readonly #options: CoreOptions
  readonly #closers: Close[]
  readonly #partitions: NodeJS.Timeout
  readonly #lost: NodeJS.Timeout
  readonly #lostCalls: NodeJS.Timeout
  readonly #overdue: NodeJS.Timeout
  readonly #asking: NodeJS.Timeout
  readonly #watch: NodeJS.Timeout | null
  readonly #audits: NodeJS.Timeout | null
  readonly #feed: RateFeed | null
  readonly #keeper: Keeper
  #reviving = false
  #pricesLoaded: Promise<void> = Promise.resolve()
  #closed: Promise<void> | null = null

  static async open (options: CoreOptions): Promise<Core> {
    const closers: Close[] = []
    try {
      return await open(options, closers)
    } catch (error) {
      for (const close of closers.reverse()) await close().catch(() => undefined)
      throw error
    }
  }

  constructor (options: CoreOptions, closers: Close[], parts: Parts) {
    const { config, log } = options
    const { authority, database, hot, limiter, incarnation, journal, copies } = parts
    this.#options = options
    this.#closers = closers
    this.config = config
    this.authority = authority
    this.database = database
    this.hot = hot
    this.limiter = limiter
    this.copies = copies
    this.copy = copies === null
      ? null
      : new JournalCopy({ store: copies, incarnation, maxBytes: config.journalCopyBytes })
    this.lostCalls = copies === null
      ? null
      : new LostCalls({ authority, copies, incarnation, keptMs: COPIES_KEPT_MS, now: systemNow, log })
    this.incarnation = incarnation
    this.journal = journal
    this.metrics = new Metrics()
    const overloaded = (limit: Overloaded): void => { this.metrics.overloads.inc({ limit }) }
    const { maxCalls: calls, maxBodyBytes: bodyBytes, maxSockets: sockets } = config
    this.load = new Load({ calls, bodyBytes, sockets }, overloaded)
    this.livePrices = new LivePrices(parts.catalog)
    this.prices = new NamedPrices(this.livePrices, namingsOf(config))
    this.providers = parts.providers
    this.keyFile = parts.keyFile
    this.budgets = new PostgresBudgetStore(database)
    this.usage = new PostgresUsageStore(database)
    this.sums = new PostgresUsageSums(database)
    this.changes = new PostgresChanges({
      database,
      changed: (what) => { this.changed(what) },
      charged: (accounts) => this.tracker.charged(accounts),
      noted: ({ actor, requestId, from }, { action, objectType, objectId }, link) => {
        log.info({ audit: formatLink(link), action, objectType, objectId, actor: actor.id, requestId, from }, 'a change')
      },
      moved: (accountIds) => this.tracker.refresh(accountIds),
      priced: async () => {
        // the next look at the versions tries again
        await this.loadPrices().catch((err: unknown) => { log.error({ err }, 'the prices that were added could not be read') })
      },
    })
    this.overrides = new PostgresPriceStore(database)
    this.rates = new PostgresRateStore(database)
    this.holds = new PostgresHoldStore(database)
    this.audit = new PostgresAuditLog(database)
    this.keyStore = new PostgresKeyStore(database)
    this.keys = new KeyRing({ store: this.keyStore, maxAsked: config.maxWaiting, onFull: () => { overloaded('keys') } })
    this.tokenStore = new PostgresAdminTokenStore(database)
    this.adminTokens = new AdminTokens({ store: this.tokenStore, configured: config.adminToken })
    this.authenticator = new Authenticator({
      tokens: this.adminTokens,
      issuer: issuerOf(config),
      identify: identifyBy(this.keys),
      failures: new FailureLimit({ now: steadyNow }),
    })
    this.registry = new BudgetRegistry(this.budgets, {
      onKeysChanged: (ids) => {
        if (ids === null) this.keys.invalidate()
        else this.keys.forget(ids)
      },
      onPricesChanged: async () => { await this.loadPrices() },
      onError: (err) => { log.error({ err }, 'changes of budgets and keys cannot be seen: PostgreSQL does not answer') },
    })
    const onNotLive = (error: Error) => { options.onFatal(error) }
    this.tracker = new BudgetTracker({
      mostWaiting: config.maxWaiting,
      onLineFull: () => { overloaded('line') },
      authority,
      hot,
      incarnation,
      now: systemNow,
      random: Math.random,
      log,
      onReturnsDue: (atOnce) => { this.writer.returnsDue(atOnce) },
      onNotLive,
      carryMs: config.carryMs,
      outageMs: config.outageMs === 0 ? Infinity : config.outageMs,
    })
    this.writer = new LedgerWriter({
      authority,
      incarnation,
      journal,
      copy: this.copy ?? undefined,
      now: systemNow,
      log,
      collectReturns: (everything) => this.tracker.collectReturns(everything),
      onPosted: (answer, charges, returns) => { this.tracker.posted(answer, charges, returns) },
      onNotLive,
      maxJournalBytes: config.journalMaxBytes,
    })
    this.jobs = new Jobs({
      store: new PostgresJobStore(database),
      prices: this.prices,
      tracker: this.tracker,
      metrics: this.metrics,
      log,
      now: systemNow,
    })
    this.#keeper = new Keeper({ authority, incarnation, log, onNotLive })
    this.gate = new BudgetIntegration({
      keeper: this.#keeper,
      jobs: this.jobs,
      identify: identifyBy(this.keys),
      registry: this.registry,
      prices: this.prices,
      tracker: this.tracker,
      limiter,
      journal,
      collector: this.writer,
      metrics: this.metrics,
      log,
      now: systemNow,
      ...this.terms,
    })
    const { prices, tracker, metrics } = this
    this.longHolds = new LongHolds({ prices, tracker, metrics, now: systemNow })
    hot.onHint(() => { void this.registry.refresh() })
    this.#partitions = setInterval(() => { void this.#keepPartitions() }, PARTITIONS_EVERY_MS).unref()
    const itself: Authorship = {
      actor: { id: `gateway ${incarnation}`, name: hostname(), role: 'system', reach: null },
      requestId: null,
      from: hostname(),
    }
    const lost = new LostGateways({
      authority,
      writeOff: async (lost) => await this.changes.run(itself, async ({ gateways }) => await gateways.writeOff(lost)),
      afterMs: config.writeOffMs,
      log,
    })
    this.#lost = setInterval(() => { void lost.look() }, LOST_EVERY_MS).unref()
    this.#lostCalls = setInterval(() => { void this.lostCalls?.look() }, LOST_CALLS_EVERY_MS).unref()
    const inBooks = new Database({
      connectionString: parts.url, applicationName: 'relaycore auditor', max: 1, statementTimeoutMs: AUDITOR_STATEMENT_MS,
    })
    closers.push(() => inBooks.close())
    this.auditor = new Auditor({
      books: new PostgresAuditorBooks(inBooks),
      heal: async (accountId) =>
        await this.changes.run(itself, async ({ repairs }) => await repairs.healDerived(accountId)),
      everyMs: config.auditorMs,
      log,
    })
    this.#audits = config.auditorMs === 0
      ? null
      : setInterval(() => { void this.auditor.look() }, config.auditorMs).unref()
    // holds whose deadline has passed, and limits of accounts that nobody uses, of which an adjustment began or ended
    const sweeps = [
      new Sweep({
        run: async (most) => {
          const expired = await this.changes.run(itself, async ({ holds, audit }) => {
            const holdsOver = await holds.expire(most)
            for (const hold of holdsOver) audit.note(holdChange('expired', { state: 'open' }, hold))
            return holdsOver
          })
          return expired.map(({ id, accounts }) => {
            log.warn({ hold: id }, 'a hold is past its deadline: it is charged at its amount until it is settled or released')
            return accounts.map(({ accountId }) => accountId)
          })
        },
        tracker,
        failed: (err) => { log.warn({ err }, 'whether long holds are past their deadline could not be looked up') },
      }),
      new Sweep({
        run: async (most) => (await sweepDueLimits(database, most)).map((id) => [id]),
        tracker,
        failed: (err) => { log.warn({ err }, 'whether adjustments have begun or ended could not be looked up') },
      }),
    ]
    // one after the other: at once each would want a connection of its own
    const sweepAll = async () => { for (const sweep of sweeps) await sweep.look() }
    this.#overdue = setInterval(() => { void sweepAll() }, OVERDUE_EVERY_MS).unref()
    this.#asking = setInterval(() => { void this.jobs.look() }, ASKED_EVERY_MS).unref()
    this.#feed = config.ratesUrl === undefined
      ? null
      : new RateFeed({
        url: config.ratesUrl,
        add: async (rates) => await this.changes.run(itself, async (stores) => await stores.rates.add(rates)),
        log,
      })
    this.#feed?.start()
    this.#watch = config.databaseUrl === undefined
      ? setInterval(() => { void this.#reviveEmbedded() }, EMBEDDED_SILENT_MS / 3).unref()
      : null
  }

  /** what administrators have said of prices; one after the other, so that the last one that is read counts */
  loadPrices (): Promise<void> {
    const { log } = this.#options
    this.#pricesLoaded = this.#pricesLoaded.catch(() => undefined).then(async () => {
      this.livePrices.replace(await this.overrides.all(), ({ provider, model, since }, err) => {
        log.error({ err, provider, model, since: new Date(since) }, 'a price that was added does not fit the catalog, and is left out')
      })
    })
    return this.#pricesLoaded
  }

  /** an administrator changed something: acts here before it is answered, elsewhere at the hint */
  changed ({ budgets, keys, tokens }: Changed): void {
    if (budgets) this.registry.invalidate()
    if (keys.size > 0) this.keys.forget(keys)
    if (tokens) this.adminTokens.invalidate()
    this.hot.hint({ kind: 'changed' })
  }

  /** why a call would be refused now whatever its budget; null: it would not */
  notReady (): string | null {
    if (this.#closed !== null) return 'the gateway is stopping'
    if (!this.journal.writable) return 'the journal cannot be written'
    if (this.writer.backlogged) return 'too many ended calls wait to be recorded'
    return this.tracker.refusesForSilence ? 'PostgreSQL does not answer, and what is leased does not suffice' : null
  }

  /** what is decided about calls beside their budgets */
  get terms () {
    const { unbudgeted, ratesMaxAgeHours } = this.config
    return { unbudgeted, rateMaxAgeMs: ratesMaxAgeHours === 0 ? Infinity : ratesMaxAgeHours * 3_600_000 }
  }

  /** statements sent to PostgreSQL by this process */
  get queries (): number {
    const { grants, posts } = this.authority.queries
    return this.database.queries + grants + posts
  }

  /** ends this process's life in order; `open` calls that have not ended by then are found by the next start */
  close (): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close (): Promise<void> {
    const { log, config } = this.#options
    clearInterval(this.#partitions)
    clearInterval(this.#lost)
    clearInterval(this.#lostCalls)
    clearInterval(this.#overdue)
    clearInterval(this.#asking)
    if (this.#watch !== null) clearInterval(this.#watch)
    if (this.#audits !== null) clearInterval(this.#audits)
    this.tracker.stop()
    this.#keeper.stop()
    await this.#feed?.stop()
    await this.registry.stop()
    await this.lostCalls?.stop()
    try {
      await this.gate.endsCollected()
      await this.writer.stop(systemNow() + Math.max(5_000, config.shutdownMs))
      // else the next start does it, once it has recorded what is open
      if (this.tracker.isAtRest && this.writer.setAside === 0) {
        await this.authority.beginRecovery(this.incarnation)
        await this.authority.closeLeases(this.incarnation, [])
      }
    } catch (err) {
      log.error({ err }, 'not everything could be recorded; the next start does it from the journal')
    }
    await this.copy?.close()
    for (const close of this.#closers.reverse()) {
      await close().catch((err: unknown) => { log.error({ err }, 'closing failed') })
    }
  }

  /** nobody else starts the embedded database again, should it die while the gateway lives */
  async #reviveEmbedded (): Promise<void> {
    if (this.#reviving || steadyNow() - this.tracker.answeredAt < EMBEDDED_SILENT_MS) return
    this.#reviving = true
    try {
      const { adopted } = await launchPostgres({ folder: join(this.config.dataDir, 'postgres') })
      if (!adopted) this.#options.log.warn({}, 'the embedded PostgreSQL had ended, and was started again')
    } catch (err) {
      this.#options.log.error({ err }, 'the embedded PostgreSQL does not answer and cannot be started')
    }
    this.#reviving = false
  }

  async #keepPartitions (): Promise<void> {
    try {
      await ensurePartitions(this.database.pool)
    } catch (err) {
      this.#options.log.error({ err }, 'the partitions of the next months could not be made')
    }
  }
}

function issuerOf (config: Config): Issuer | null {
  const { oidcIssuer: issuer, oidcAudience: audience } = config
  if (issuer === undefined || audience === undefined) return null
  return new Issuer({
    issuer,
    audience,
    jwksUrl: config.oidcJwksUrl,
    claims: {
      role: config.oidcRoleClaim,
      organization: config.oidcOrganizationClaim,
      team: config.oidcTeamClaim,
      project: config.oidcProjectClaim,
    },
    algorithms: config.oidcAlgorithms.split(','),
    clockTolerance: config.oidcClockToleranceS,
    now: systemNow,
  })
}

interface Parts {
  authority: PostgresAuthority
  database: Database
  hot: HotStatus
  limiter: RateLimiter
  copies: RedisJournalCopies | null
  incarnation: number
  journal: Journal
  providers: ConfiguredProvider[]
  keyFile: KeyFile | null
  catalog: LaidCatalog
  /** of the database */
  url: string
}

async function open (options: CoreOptions, closers: Close[]): Promise<Core> {
  const { config, log } = options
  const providers = configuredProviders(config)
  const catalog = catalogWith(config.prices, log)
  const keyFile = config.providerKeys === undefined
    ? null
    : await KeyFile.open(config.providerKeys, providers.map(({ provider }) => provider.name), log)
  closers.push(async () => { keyFile?.close() })
  makeDataFolder(config.dataDir)
  const folder = await JournalFolder.open(join(config.dataDir, 'journal'), {
    log,
    syncIntervalMs: config.journalSyncMs,
    // a segment goes whole, so that of a small journal they are small
    segmentBytes: Math.min(SEGMENT_BYTES, config.journalMaxBytes / 8),
  })
  closers.push(() => folder.close())
  const url = config.databaseUrl ?? await embedded(options, closers)
  const database = new Database({ connectionString: url, applicationName: 'relaycore admin' })
  closers.push(() => database.close())
  // migrations take as long as they take, on a connection without the deadlines of these
  if (!await isMigrated(database.pool)) await migrate(url, { say: (line) => { log.warn({}, line) } })
  const authority = new PostgresAuthority({ connectionString: url })
  closers.push(() => authority.close())
  const deploymentId = await deploymentOf(database)
  const copies = await openCopies(config, deploymentId, log)
  closers.push(async () => { await copies?.close() })
  await recover({ folder, authority, copies: copies ?? undefined, now: systemNow, log })

  const incarnation = await authority.join(folder.journalId, hostname())
  const journal = folder.begin(incarnation)
  const { hot, limiter } = await openShared(config, deploymentId, incarnation, log)
  closers.push(() => hot.close(), () => limiter.close())
  const parts = { authority, database, hot, limiter, copies, incarnation, journal, providers, keyFile, catalog, url }
  const core = new Core(options, closers, parts)
  await core.registry.follow()
  await core.loadPrices()
  core.tracker.start()
  void core.lostCalls?.look()
  return core
}

/** Not by `recursive`: where a folder cannot be, e.g. below /proc, Node 20 tries for ever. */
function makeFolders (path: string, mode: number): void {
  if (!existsSync(dirname(path))) makeFolders(dirname(path), mode)
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error
  }
}

function makeDataFolder (path: string): void {
  try {
    // as root the database's own user passes through it, and sees nothing of it
    makeFolders(resolve(path), process.getuid?.() === 0 ? 0o711 : 0o700)
  } catch (error) {
    throw new Error(`The data folder ${path} cannot be made: ${(error as Error).message}. Set RELAYCORE_DATA_DIR to a folder ` +
      'that this user may write to.', { cause: error })
  }
}

async function embedded ({ config, say }: CoreOptions, closers: Close[]): Promise<string> {
  const server: LaunchedPostgres = await launchPostgres({
    folder: join(config.dataDir, 'postgres'), ...say === undefined ? {} : { say },
  })
  // it may be another process by then
  closers.push(async () => { await (await launchPostgres({ folder: join(config.dataDir, 'postgres') })).stop() })
  return server.url
}

/** what tells this ledger apart from others that share a Redis with it */
async function deploymentOf (database: Database): Promise<string> {
  const [row] = await reached(database.query<{ id: string }>({ text: 'select id from deployment' }))
  if (row === undefined) throw new Error('The ledger has no name of its own (table deployment)')
  return row.id
}

async function openCopies (
  { redisUrl: url, journalCopyBytes }: Config, deploymentId: string, log: Log
): Promise<RedisJournalCopies | null> {
  if (url === undefined || journalCopyBytes === 0) return null
  const copies = new RedisJournalCopies({ url, deploymentId, log })
  await copies.start()
  return copies
}

/** what gateways share besides the ledger */
async function openShared (
  { redisUrl: url }: Config, deploymentId: string, incarnation: number, log: Log
): Promise<Pick<Parts, 'hot' | 'limiter'>> {
  if (url === undefined) {
    return { hot: new MemoryHotStatus(new MemoryHub(), incarnation), limiter: new MemoryRateLimiter(steadyNow) }
  }
  const hot = new RedisHotStatus({ url, deploymentId, incarnation, log })
  const limiter = new RedisRateLimiter({ url, deploymentId, incarnation, log, now: steadyNow })
  await Promise.all([hot.start(), limiter.start()])
  return { hot, limiter }
}
