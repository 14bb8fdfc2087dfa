import t from 'tap'
import { judgeDatabase, type DatabaseFacts, type LedgerFacts } from '../../src/doctor/database.ts'
import { judgeDisk, type DiskFacts, type JournalFacts } from '../../src/doctor/disk.ts'
import { type Finding } from '../../src/doctor/finding.ts'
import { judgeRedis, type RedisFacts } from '../../src/doctor/redis.ts'
import { judgeSettings, type SettingsFacts } from '../../src/doctor/settings.ts'

const JOURNAL: JournalFacts = {
  owner: { pid: 7, host: 'here', startedAt: '2026-01-01T00:00:00.000Z' }, bytes: 100, lives: 1, setAside: 0, unreadable: 0, kept: 0,
}
const DISK: DiskFacts = {
  folder: '/data', exists: true, refused: null, free: 2 ** 40, fileSystem: 0xef53, open: false, journal: JOURNAL,
}
const LEDGER: LedgerFacts = {
  gateways: { live: 2, oldestMs: 86_400_000, silent: [] },
  uncertainLastDay: 0,
  callsLastDay: 100,
  overdueHolds: 0,
  defaultRows: 'none',
  monthsAhead: 3,
  budgets: 1,
  keys: 1,
  rates: [{ currency: 'EUR', ageMs: 3_600_000 }],
  drifts: {},
  lookedMs: 30_000,
  turnMs: 60_000,
}
const DATABASE: DatabaseFacts = {
  version: 160_004,
  schema: { known: 26, found: 26, fits: true },
  user: 'gateway',
  missing: [],
  superuser: false,
  aheadMs: 3,
  settings: { fsync: true, fullPageWrites: true, synchronousCommit: 'on', maxConnections: 100 },
  connections: 20,
  longest: { ms: 50, who: 'somebody' },
  pooled: false,
  transactions: true,
  plain: false,
  ledger: LEDGER,
}
const REDIS: RedisFacts = {
  name: 'Redis', version: '7.2.4', role: 'master', maxMemory: 0, policy: 'allkeys-lru', usedMemory: 1, aheadMs: -5, plain: false,
}
const SETTINGS: SettingsFacts = {
  host: '127.0.0.1',
  port: 8080,
  adminHost: null,
  adminPort: null,
  metricsToken: false,
  behindProxy: false,
  hasRedis: true,
  gateways: 2,
  providers: [{ name: 'openai', configured: true, reached: null }],
  ports: [{ port: 8080, is: 'ours' }],
  notReady: null,
  oldPrices: 0,
  missingPrices: [],
}
const TERMS = { rateMaxAgeMs: 172_800_000, auditorMs: 60_000, embedded: false }

const disk = (over: Partial<DiskFacts> = {}) => judgeDisk({ ...DISK, ...over })
const journal = (over: Partial<JournalFacts>) => disk({ journal: { ...JOURNAL, ...over } })
const database = (over: Partial<DatabaseFacts> = {}, terms = TERMS) => judgeDatabase({ ...DATABASE, ...over }, terms)
const set = (over: Partial<DatabaseFacts['settings']>) => database({ settings: { ...DATABASE.settings, ...over } })
const ledger = (over: Partial<LedgerFacts>, terms = TERMS) =>
  judgeDatabase({ ...DATABASE, ledger: { ...LEDGER, ...over } }, terms)
const redis = (over: Partial<RedisFacts> = {}) => judgeRedis({ ...REDIS, ...over })
const settings = (over: Partial<SettingsFacts> = {}) => judgeSettings({ ...SETTINGS, ...over })

t.test('a deployment in order has nothing to be done', async (t) => {
  for (const { level, about, says, todo } of [...disk(), ...database(), ...redis(), ...settings()]) {
    t.same({ level, todo }, { level: 'ok', todo: null }, `${about}: ${says}`)
  }
})

t.test('each thing that is wrong is said in a sentence, with what to do', async (t) => {
  const silent = { incarnation: 3, host: 'gone', state: 'live', silentMs: 7_200_000, accounts: 4 }
  const cases: [Finding[], Finding['level'], RegExp, RegExp | null][] = [
    [disk({ exists: false }), 'warning', /\/data is not there/, /RELAYCORE_DATA_DIR/],
    [disk({ refused: 'EROFS: read-only file system' }), 'problem', /cannot be written: EROFS/, /right to write/],
    [disk({ free: 2 ** 29 }), 'warning', /512 MiB are free/, /make room/],
    [disk({ free: 1_000 }), 'problem', /0 MiB are free/, /make room/],
    [disk({ fileSystem: 0x01021994 }), 'problem', /tmpfs: it is in memory/, /on a disk/],
    [disk({ fileSystem: 0x794c7630 }), 'warning', /overlay/, /volume of its own/],
    [disk({ fileSystem: 0x6969 }), 'warning', /NFS/, /on a disk/],
    [disk({ exists: false, refused: 'EACCES: permission denied' }), 'problem', /\/data cannot be looked into: EACCES/, /as the user/],
    [disk({ journal: 'EACCES: permission denied' }), 'problem', /\/data\/journal cannot be read: EACCES/, /as the user/],
    [disk({ open: true }), 'warning', /others than its owner may read it/, /chmod/],
    [journal({ owner: 'nobody' }), 'problem', /1 process lives ended on it that are not recorded/, /start a gateway/],
    [journal({ setAside: 2 }), 'problem', /2 usage events were refused/, /reconcile --apply/],
    [journal({ unreadable: 1 }), 'problem', /cannot be read/, /they are money/],
    [journal({ kept: 3 }), 'warning', /3 files of journals/, /kept/],
    [database({ version: 130_010 }), 'problem', /version 13/, /14 or later/],
    [database({ aheadMs: -5_000 }), 'warning', /5 s behind/, /time server/],
    [database({ aheadMs: 3_600_000 }), 'problem', /60 min ahead of/, /time server/],
    [set({ fsync: false }), 'problem', /fsync is off/, /fsync = on/],
    [set({ fullPageWrites: false }), 'problem', /full_page_writes/, /= on/],
    [set({ synchronousCommit: 'off' }), 'problem', /synchronous_commit is off/, /= on/],
    [database({ connections: 95 }), 'warning', /95 of 100 connections/, /max_connections/],
    [database({ longest: { ms: 3_600_000, who: 'psql' } }), 'warning', /psql is open for 60 min/, /end it/],
    [database({ pooled: true, transactions: false }), 'problem', /each statement another server/, /pool_mode/],
    [database({ plain: true }), 'warning', /not encrypted/, /sslmode/],
    [database({ schema: { known: 26, found: null, fits: false }, ledger: null }), 'problem', /no ledger/, /migrate/],
    [database({ schema: { known: 26, found: 25, fits: false }, ledger: null }), 'problem', /of version 25/, /migrate/],
    [database({ schema: { known: 26, found: 27, fits: false }, ledger: null }), 'problem', /of version 27/, /newer program/],
    [database({ schema: { known: 26, found: 27, fits: true } }), 'ok', /version 27.*may run on it/, null],
    [database({ missing: ['insert on drifts'] }), 'problem', /gateway may not: insert on drifts/, /--grant gateway/],
    [database({ superuser: true }), 'warning', /superuser/, /least privilege/],
    [database({ superuser: true }, { ...TERMS, embedded: true }), 'ok', /may do what a gateway needs/, null],
    [ledger({ gateways: { live: 0, oldestMs: null, silent: [] } }), 'warning', /none answers/, /start one/],
    [ledger({ gateways: { live: 1, oldestMs: 60_000, silent: [silent] } }), 'problem', /gateway 3 on gone .* silent for 2 h/, /--write-off 3/],
    [ledger({ uncertainLastDay: 5 }), 'warning', /5 of 100 calls/, /outcomes/],
    [ledger({ overdueHolds: 1 }), 'warning', /past their deadline/, /reconcile/],
    [ledger({ defaultRows: 'calls' }), 'warning', /default partitions hold calls/, /clocks/],
    [ledger({ defaultRows: 'imported' }), 'ok', /default partitions hold usage .* before the first partition/, null],
    [ledger({ monthsAhead: 1 }), 'problem', /the next month has no partition/, /migrate/],
    [ledger({ budgets: 0 }), 'warning', /no budget/, /make one/],
    [ledger({ keys: 0 }), 'warning', /no gateway key/, /keys create/],
    [ledger({ rates: [{ currency: 'CHF', ageMs: null }] }), 'problem', /in CHF have no exchange rate/, /RATES_URL/],
    [ledger({ rates: [{ currency: 'CHF', ageMs: 200_000_000 }] }), 'problem', /CHF is 2 days old/, /RATES_URL/],
    [ledger({ rates: [{ currency: 'CHF', ageMs: 9e8 }] }, { ...TERMS, rateMaxAgeMs: Infinity }), 'warning', /10 days/, /newer/],
    [ledger({ drifts: { settled: 2 } }), 'problem', /does not agree with itself: settled \(2\)/, /reconcile/],
    [ledger({ lookedMs: null }), 'warning', /never looked/, /start a gateway/],
    [ledger({ lookedMs: null, gateways: { live: 1, oldestMs: 30_000, silent: [] } }), 'ok', /started 30 s ago, and looks each 60 s/, null],
    [ledger({ lookedMs: 7_200_000 }), 'warning', /looked 2 h ago/, /its log/],
    [ledger({}, { ...TERMS, auditorMs: 0 }), 'warning', /switched off/, /AUDITOR_MS/],
    [redis({ version: '6.0.20' }), 'warning', /version 6\.0/, /Redis 6\.2 or later/],
    [redis({ role: 'slave' }), 'problem', /replica/, /primary/],
    [redis({ maxMemory: 100, usedMemory: 95 }), 'warning', /95 % of its memory/, /maxmemory/],
    [redis({ maxMemory: 100 }), 'warning', /allkeys-lru/, /noeviction/],
    [redis({ plain: true }), 'warning', /not encrypted/, /rediss:/],
    [settings({ host: '0.0.0.0' }), 'warning', /gateway keys come over the network/, /TLS/],
    [settings({ host: '0.0.0.0' }), 'warning', /admin API is on the port/, /RELAYCORE_ADMIN_PORT/],
    [settings({ host: '0.0.0.0' }), 'warning', /\/metrics is open/, /RELAYCORE_METRICS_TOKEN/],
    [settings({ hasRedis: false }), 'warning', /2 gateways answer/, /REDIS_URL|set it on all/],
    [settings({ ports: [{ port: 8080, is: 'another program listens there' }] }), 'problem', /8080: another program/, /PORT/],
    [settings({ notReady: 'PostgreSQL does not answer' }), 'problem', /refuses calls/, /log/],
    [settings({ providers: [] }), 'warning', /no provider has a credential/, /OPENAI_API_KEY/],
    [settings({ providers: [{ name: 'openai', configured: true, reached: 'ENOTFOUND' }] }), 'problem', /cannot be reached: ENOTFOUND/, /DNS/],
    [settings({ oldPrices: 2 }), 'warning', /2 providers/, /prices check/],
    [settings({ missingPrices: ['azure: x has no price'] }), 'warning', /x has no price/, /price/],
  ]
  for (const [findings, level, says, todo] of cases) {
    const found = findings.find((one) => says.test(one.says))
    t.match(found, { level, todo }, String(says))
  }
})
