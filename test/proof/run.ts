import { proveKill } from './kill.ts'
import { proveLeases } from './leases.ts'
import { proveMidnight } from './midnight.ts'
import { provePolicies } from './policies.ts'
import {
  FAULTS, proveFailover, proveFaults, proveFullDisk, proveJournalBound, provePgBouncer,
} from './postgres.ts'
import { proveRecording } from './record.ts'
import { proveSpend } from './spend.ts'

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
