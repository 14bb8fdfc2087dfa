import { setTimeout as wait } from 'node:timers/promises'
import { dayAt } from '../../src/budget/period.ts'
import { formatNano } from '../../src/money/amount.ts'
import { bookedCost, kill, ProofWorld } from './world.ts'

/**
 * Midnight in a time zone, with calls open at three gateways whose clocks say so: each call counts on the day on which
 * it opened, and what the day before has left goes on into the new one. Over both days no more is spent and held than
 * both have, at any moment, and every charge is what the provider's own books say.
 */
const COST = 1_000_000n
/** reports what costs 0.001 USD by gpt-4o */
const USAGE = { input: 0, output: 100 }
const AMOUNT = 30n * COST

export interface MidnightResult { before: number, after: number, across: number, carriedNano: bigint }

interface Row {
  request_id: string
  amount_nano: string
  quote_nano: string
  opened_at: Date
  ended_at: Date
  period_start: Date
}

/** gateways take their time to start */
const START_MS = 16_000

/** `aheadMs`: how long before midnight the calls begin */
export async function proveMidnight (
  zone: string, aheadMs: number, say: (line: string) => void, databaseUrl?: string
): Promise<MidnightResult> {
  const world = await ProofWorld.open({ redis: true, databaseUrl })
  try {
    const now = Date.now()
    const midnight = dayAt(zone, now).end
    const shift = midnight - now - aheadMs - START_MS
    const clock = () => Date.now() + shift
    const shifted = { SHIFT_MS: String(shift) }
    const gateways = await Promise.all([1, 2, 3].map(async () => await world.startGateway(undefined, shifted)))
    const [first] = gateways
    if (first === undefined) throw new Error('no gateway')
    const { id } = await world.admin<{ id: string }>(first, 'POST', '/budgets', {
      name: 'day',
      scopeType: 'organization',
      scopeId: 'acme',
      amount: formatNano(AMOUNT),
      currency: 'USD',
      period: 'daily',
      timezone: zone,
      carryOver: true,
    })
    const { key } = await world.admin<{ key: string }>(first, 'POST', '/keys', { name: 'k', organizationId: 'acme' })
    await wait(Math.max(0, midnight - aheadMs - clock()))
    let admitted = 0
    await Promise.all(Array.from({ length: 12 }, async (_, n) => {
      for (let i = 0; clock() < midnight + aheadMs; i++) {
        const gateway = gateways[(n + i) % 3] ?? first
        const behaviour = { usage: USAGE, delayMs: 100 + (n * 53 + i * 17) % 400 }
        const { status } = await world.call(gateway, key, `${n}.${i}`, { model: 'gpt-4o', max_tokens: 100 }, behaviour)
        if (status === 200) admitted++
        // a few early, one that is open at midnight, and then as many as there is room for
        await wait(clock() < midnight ? Math.max(0, midnight - 200 - clock()) : 20)
      }
    }))
    await world.settled(async () => {
      const [row] = await world.rows<{ n: string }>('select count(*) as n from usage_events')
      return Number(row?.n) === admitted
    })
    const result = await audit(world, id, midnight)
    if (result.across === 0) throw new Error('no call was open at midnight')
    await carried(world, id, result)
    say(`${zone}: ${result.before} calls before midnight, ${result.across} of them open then, ${result.after} after it, ` +
      `${formatNano(result.carriedNano)} carried over`)
    for (const { child } of gateways) if (await kill(child, 'SIGTERM') !== 0) throw new Error('a gateway did not end in order')
    return result
  } finally {
    await world.close()
  }
}

async function audit (world: ProofWorld, budgetId: string, midnight: number): Promise<MidnightResult> {
  const rows = await world.rows<Row>(`
    select e.request_id, r.amount_nano, r.quote_nano, e.opened_at, e.ended_at, a.period_start
    from budget_usage_records r join usage_events e on e.day = r.day and e.id = r.event_id
    join budget_accounts a on a.id = r.account_id where a.budget_id = $1`, [budgetId])
  const costs = new Map((await world.books()).map((entry) => [entry.requestId, bookedCost(entry)]))
  const changes: { at: number, opening: boolean, by: bigint }[] = []
  const result: MidnightResult = { before: 0, after: 0, across: 0, carriedNano: 0n }
  for (const row of rows) {
    if (costs.get(row.request_id) !== BigInt(row.amount_nano)) throw new Error(`call ${row.request_id} is recorded at ${row.amount_nano}`)
    const [opened, ended] = [row.opened_at.getTime(), row.ended_at.getTime()]
    const isNew = row.period_start.getTime() === midnight
    if (isNew !== (opened >= midnight)) throw new Error(`call ${row.request_id} opened at ${row.opened_at.toISOString()} counts on another day`)
    if (isNew) result.after++
    else result.before++
    if (!isNew && ended >= midnight) result.across++
    changes.push({ at: opened, opening: true, by: BigInt(row.quote_nano) })
    changes.push({ at: ended, opening: false, by: BigInt(row.amount_nano) - BigInt(row.quote_nano) })
  }
  let sum = 0n
  for (const { at, opening, by } of changes.sort((a, b) => a.at - b.at || Number(a.opening) - Number(b.opening))) {
    sum += by
    const limit = at < midnight ? AMOUNT : 2n * AMOUNT
    if (opening && sum > limit) throw new Error(`${sum} spent and held at ${new Date(at).toISOString()}, of ${limit}`)
  }
  return result
}

/** what is left of the day before is on the new one, once nothing is open there any more */
async function carried (world: ProofWorld, budgetId: string, result: MidnightResult): Promise<void> {
  const left = AMOUNT - BigInt(result.before) * COST
  await world.settled(async () => {
    const [row] = await world.rows<{ carried_nano: string }>(
      'select carried_nano from budget_accounts where budget_id = $1 order by period_start desc limit 1', [budgetId])
    result.carriedNano = BigInt(row?.carried_nano ?? '0')
    return result.carriedNano === left
  })
}
