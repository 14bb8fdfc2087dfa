import { proveKill } from './kill.ts'
import { proveMidnight } from './midnight.ts'
import { provePolicies } from './policies.ts'
import { proveRecording } from './record.ts'
import { proveSpend } from './spend.ts'

/** `npm run proof`: the promises as they are written, with real processes. Ends with 1 where one does not hold. */
const say = (line: string) => { console.log(`  ${line}`) }

console.log('Never overspent: 1,000 calls, 100 at once, over 3 gateways, one PostgreSQL, one Redis, 3 levels of budgets')
await proveSpend(1_000, 100, say)
for (const redis of [false, true]) {
  console.log(`Exactly once: kill -9 in the middle of 200 calls, 20 times, ${redis ? 'with' : 'without'} Redis`)
  await proveKill({ rounds: 20, calls: 200, redis }, say)
}
console.log('Limits that move: increases, top-ups, transfers, approvals, thresholds, periods that end, 60 s, over 3 gateways')
await provePolicies(60_000, say)
for (const zone of ['Asia/Kathmandu', 'America/St_Johns', 'Pacific/Auckland']) {
  console.log(`Midnight in ${zone} with calls open at 3 gateways, and carry-over`)
  await proveMidnight(zone, 2_000, say)
}
console.log('Books agree: 100,000 random records and reversals, backdated, in four currencies, over changes of clocks')
await proveRecording(100_000, say)
console.log('All hold.')
