import { proveBackup } from './backup.ts'
import {
  inAWorld, proveBlocked, proveClockSteps, proveFrozen, proveFullJournal, proveLost, proveNoDescriptors,
  proveStop, proveStopLimit,
} from './gateways.ts'
import { proveRolling, proveUpgrade, theVersionBefore } from './deploy.ts'
import { proveKill } from './kill.ts'
import { proveLeases } from './leases.ts'
import { proveMidnight } from './midnight.ts'
import { proveOverload } from './overload.ts'
import { provePolicies } from './policies.ts'
import {
  FAULTS, proveFailover, proveFaults, proveFullDisk, proveJournalBound, proveLostCommits, provePgBouncer,
} from './postgres.ts'
import { proveRecording } from './record.ts'
import { proveRedisFaults, proveRedisTopologies } from './redis.ts'
import { proveSpend } from './spend.ts'
import { mayContain, proveMemory, proveReadOnly } from './starved.ts'

/**
 * `npm run proof`: the promises as they are written, with real processes; `npm run proof -- NAME ...`: those that are
 * named. Ends with 1 where one does not hold.
 */
interface Proof { title: string, run: (say: (line: string) => void) => Promise<unknown> }

const PROOFS: Record<string, Proof[]> = {
  spend: [{
    title: 'Never overspent: 1,000 calls, 100 at once, over 3 gateways, one PostgreSQL, one Redis, 3 levels of budgets',
    run: async (say) => await proveSpend(1_000, 100, say),
  }],
  kill: [false, true].map((redis) => ({
    title: `Exactly once: kill -9 in the middle of 200 calls, 20 times, ${redis ? 'with' : 'without'} Redis`,
    run: async (say) => await proveKill({ rounds: 20, calls: 200, redis }, say),
  })),
  policies: [{
    title: 'Limits that move: increases, top-ups, transfers, approvals, thresholds, periods that end, 60 s, over 3 gateways',
    run: async (say) => { await provePolicies(60_000, say) },
  }],
  midnight: ['Asia/Kathmandu', 'America/St_Johns', 'Pacific/Auckland'].map((zone) => ({
    title: `Midnight in ${zone} with calls open at 3 gateways, and carry-over`,
    run: async (say) => { await proveMidnight(zone, 2_000, say) },
  })),
  postgres: [{
    title: 'PostgreSQL fails in every way while calls are made at 2 gateways',
    run: async (say) => { await proveFaults(Object.keys(FAULTS) as (keyof typeof FAULTS)[], say) },
  }],
  backlog: [{
    title: 'PostgreSQL is away until the journal is full',
    run: async (say) => { await proveJournalBound(say) },
  }],
  failover: [{
    title: 'PostgreSQL: a synchronous replica at another address is promoted',
    run: async (say) => { await proveFailover(say) },
  }, {
    title: 'PostgreSQL: a replica that lacks the last commits is promoted',
    run: async (say) => { await proveLostCommits(say) },
  }],
  disk: [{
    title: 'PostgreSQL: its disk is full',
    run: async (say) => { await proveFullDisk(say) },
  }],
  pgbouncer: [{
    title: 'PostgreSQL behind PgBouncer in transaction mode',
    run: async (say) => { await provePgBouncer(say) },
  }],
  leases: [{
    title: 'Leases at the edge: 100 holders, the last cent, lowered limits, lost recalls, 1,000 accounts at once',
    run: async (say) => { await proveLeases(say) },
  }],
  lost: [true, false].map((copy) => ({
    title: `A host is lost with 200 calls that had ended, and turns up later, ${copy ? 'with' : 'without'} the journal's copy`,
    run: async (say) => { await inAWorld((world) => proveLost(world, { copy, ended: 200, short: false }, say)) },
  })),
  frozen: [{
    title: 'A gateway is stopped for seconds and goes on; stopped, given up by another, and woken',
    run: async (say) => { await inAWorld((world) => proveFrozen(world, { really: true }, say)) },
  }],
  clock: [{
    title: 'The clock of a running gateway is set an hour ahead, back, behind, and back, with calls open',
    run: async (say) => {
      await inAWorld(async (world) => {
        const setting = await proveClockSteps(world, { calls: 50 }, say)
        await proveStop(world, { streams: 50, pieces: 10 }, say, setting)
      })
    },
  }],
  stop: [{
    title: 'SIGTERM under 200 live streams of three seconds, and under streams that are longer than a stop may take',
    run: async (say) => {
      await inAWorld((world) => proveStop(world, { streams: 200, pieces: 30 }, say))
      await inAWorld((world) => proveStopLimit(world, say))
    },
  }],
  blocked: [{
    title: 'The event loop does nothing for five seconds, with 50 streams open',
    run: async (say) => { await inAWorld((world) => proveBlocked(world, { ms: 5_000, calls: 50 }, say)) },
  }],
  'journal-full': [{
    title: 'The journal may not grow any more, as on a full disk, and then it may again',
    run: async (say) => { await inAWorld((world) => proveFullJournal(world, { bytes: 40_000 }, say)) },
  }],
  descriptors: [{
    title: 'Clients take every descriptor of a gateway',
    run: async (say) => { await inAWorld((world) => proveNoDescriptors(world, { spare: 20, clients: 300 }, say)) },
  }],
  overload: [{
    title: 'Too much at once: 1,000 streams, 10,000 idle connections, slow clients and providers, strangers, what trickles',
    run: async (say) => {
      await proveOverload({
        streams: 1_000,
        idle: 10_000,
        places: 1_200,
        beyond: 800,
        bodies: { calls: 150, bytes: 500_000, most: 33_554_432 },
        strangers: 5_000,
        waiting: 300,
        readers: { clients: 20, pieces: 1_000, ms: 15_000 },
        trickling: 100,
        rounds: 8,
        timed: { calls: 21, times: 5 },
      }, say)
    },
  }],
  deploy: [{
    title: 'The schema is upgraded under calls at 3 gateways, behind a long transaction',
    run: async (say) => {
      await inAWorld((world) => proveUpgrade(world, { gateways: 3, clients: 8, heldMs: 3_000, short: false }, say))
    },
  }, {
    title: 'A rolling deploy: the version before gives way, and comes back, with calls at 3 gateways',
    run: async (say) => {
      const before = theVersionBefore()
      if (before === null) say('not shown: the history of the repository, and the version before with it, is not here')
      else await proveRolling(before, say)
    },
  }],
  memory: (['heap', 'container'] as const).map((by) => ({
    title: `The memory of a gateway's ${by} is full, with calls open`,
    run: async (say) => {
      if (by === 'container' && !mayContain()) say('not shown: to limit the memory of a group takes root and cgroups')
      else await inAWorld((world) => proveMemory(world, by, say))
    },
  })),
  'read-only': [{
    title: 'The file system of the journal becomes read-only, with calls open',
    run: async (say) => {
      if (process.getuid?.() === 0) await proveReadOnly(say)
      else say('not shown: a file system of its own takes root')
    },
  }],
  backup: [{
    title: 'A backup taken under load, restored: gateways on their journals, and on new data folders',
    run: async (say) => { await proveBackup({ calls: 300 }, say) },
  }],
  redis: [{
    title: 'Redis fails in every way under calls at 3 gateways: no figure changes, what it costs is measured',
    run: async (say) => await proveRedisFaults({ gateways: 3, ms: 5_000, outageMs: 60_000 }, say),
  }, {
    title: 'Redis Sentinel and Redis Cluster: failovers and resharding under calls at 3 gateways',
    run: async (say) => await proveRedisTopologies(8_000, say),
  }],
  record: [{
    title: 'Books agree: 100,000 random records and reversals, backdated, in four currencies, over changes of clocks',
    run: async (say) => { await proveRecording(100_000, say) },
  }],
}

const named = process.argv.slice(2)
const unknown = named.filter((name) => !(name in PROOFS))
if (unknown.length > 0) {
  console.error(`There is no proof ${unknown.join(', ')}; there are: ${Object.keys(PROOFS).join(', ')}`)
  process.exit(2)
}
for (const name of named.length > 0 ? named : Object.keys(PROOFS)) {
  for (const { title, run } of PROOFS[name] ?? []) {
    console.log(title)
    await run((line) => { console.log(`  ${line}`) })
  }
}
console.log('All hold.')
