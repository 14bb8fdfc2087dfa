import { setTimeout as wait } from 'node:timers/promises'
import { formatNano } from '../../src/money/amount.ts'
import { bookedCost, type GatewayProcess, kill, ProofWorld } from './world.ts'

/**
 * Limits that move while calls come from three gateways at once: increases that begin and end, top-ups that are
 * revoked, transfers both ways, approvals that are granted and taken back, thresholds that change the model, periods
 * that end with calls open and carry over. At every opening what is spent and held is within the limit of that moment,
 * or of the two seconds before it, in which what was leased may still be used; and every charge is what the provider's
 * own books say.
 */
const LATE_MS = 2_000
const COST = 1_000_000n
/** a call reports what costs 0.001 USD by gpt-4o, and is quoted at less than 0.0014 */
const USAGE = { input: 0, output: 100 }
const AMOUNT = 20n * COST

interface Race {
  organization: string
  budgets: string[]
  key: string
  /** again and again, until the time is up */
  act: (admin: Admin, ids: string[], round: number) => Promise<void>
}

type Admin = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) => Promise<Record<string, unknown>>

export interface PolicyResult { calls: number, refusals: number, downgraded: number }

export async function provePolicies (
  ms: number, say: (line: string) => void, databaseUrl?: string
): Promise<PolicyResult> {
  const world = await ProofWorld.open({ redis: true, databaseUrl })
  try {
    const gateways = [await world.startGateway(), await world.startGateway(), await world.startGateway()]
    const races = await prepare(world, gateways[0] as GatewayProcess, ms)
    const result = await run(world, gateways, races, Date.now() + ms)
    for (const race of races) say(await audit(world, race))
    for (const { child } of gateways) {
      const code = await kill(child, 'SIGTERM')
      if (code !== 0) throw new Error(`a gateway ended with ${code}`)
    }
    const left = await world.rows('select id from budget_accounts where leased_nano <> 0')
    if (left.length > 0) throw new Error(`after a clean stop something is leased: ${JSON.stringify(left)}`)
    say(`${result.calls} calls, ${result.refusals} refusals, ${result.downgraded} by the cheaper model`)
    return result
  } finally {
    await world.close()
  }
}

async function prepare (world: ProofWorld, gateway: GatewayProcess, ms: number): Promise<Race[]> {
  const make = async (organization: string, act: Race['act'], ...definitions: object[]): Promise<Race> => {
    const budgets: string[] = []
    for (const definition of definitions) {
      const { id } = await world.admin<{ id: string }>(gateway, 'POST', '/budgets', {
        name: organization, scopeType: 'organization', scopeId: organization, amount: formatNano(AMOUNT), currency: 'USD', period: 'annual', ...definition,
      })
      budgets.push(id)
    }
    const { key } = await world.admin<{ key: string }>(gateway, 'POST', '/keys', { name: organization, organizationId: organization, teamId: 't' })
    return { organization, budgets, key, act }
  }
  const reason = 'a race'
  const amount = formatNano(10n * COST)
  const rest = async () => { await wait(250) }
  const start = Date.now()
  // three zones, and each period ends at another moment
  const carrying = ['Asia/Kathmandu', 'America/St_Johns', 'UTC'].map((timezone, i) => ({
    scopeType: ['organization', 'team', 'team'][i],
    ...i === 0 ? {} : { scopeId: 't', organizationId: 'carrying' },
    timezone,
    period: 'custom',
    recurring: true,
    carryOver: true,
    startDate: new Date(start).toISOString(),
    endDate: new Date(start + Math.round(ms / (i + 2))).toISOString(),
  }))
  return [
    await make('increased', async (admin, [id]) => {
      const to = new Date(Date.now() + 1_500).toISOString()
      const added = admin('POST', `/budgets/${id}/adjustments`, { kind: 'increase', amount, to, reason })
      // on a busy machine it may be over before it arrives
      await added.catch((error: Error) => { if (!error.message.includes('in the future')) throw error })
      await wait(2_000)
    }, {}),
    await make('topped-up', async (admin, [id]) => {
      const added = await admin('POST', `/budgets/${id}/adjustments`, { kind: 'top-up', amount, reason })
      await rest()
      await admin('DELETE', `/budgets/${id}/adjustments/${String(added['id'])}`)
      await rest()
    }, {}),
    await make('moved', async (admin, ids, round) => {
      const [from, to] = round % 2 === 0 ? ids : ids.toReversed()
      // there may be nothing left, or all of it in use
      await admin('POST', `/budgets/${from}/transfers`, { toBudgetId: to, amount: formatNano(3n * COST), reason }).catch(() => undefined)
      await wait(100)
    }, {}, { scopeType: 'team', scopeId: 't', organizationId: 'moved' }),
    await make('approved', async (admin, [id]) => {
      const asked = await admin('POST', '/approval-requests', { budgetId: id, amount: formatNano(4n * COST), reason })
      const { adjustmentId } = await admin('POST', `/approval-requests/${String(asked['id'])}/approve`, {})
      await rest()
      await admin('DELETE', `/budgets/${id}/adjustments/${String(adjustmentId)}`)
      await rest()
    }, { alerts: [{ threshold: 50, actions: ['require-approval'] }] }),
    await make('cheaper', rest, { alerts: [{ threshold: 50, actions: ['auto-downgrade'], downgrade: { 'gpt-4o': 'gpt-4o-mini' } }] }),
    await make('carrying', rest, ...carrying),
  ]
}

async function run (
  world: ProofWorld, gateways: readonly GatewayProcess[], races: readonly Race[], end: number
): Promise<PolicyResult> {
  const result: PolicyResult = { calls: 0, refusals: 0, downgraded: 0 }
  let turn = 0
  const next = () => gateways[turn++ % gateways.length] as GatewayProcess
  await Promise.all(races.flatMap(({ organization, budgets, key, act }) => [
    (async () => {
      for (let round = 0; Date.now() < end; round++) {
        await act(async (method, path, body) => await world.admin(next(), method, path, body), budgets, round)
      }
    })(),
    ...Array.from({ length: 5 }, async (_, n) => {
      for (let i = 0; Date.now() < end; i++) {
        const body = { model: 'gpt-4o', max_tokens: 100 }
        const { status } = await world.call(next(), key, `${organization}.${n}.${i}`, body, { usage: USAGE, delayMs: (i * 17) % 50 })
        if (status === 200) result.calls++
        else result.refusals++
        // as fast as the budget grows again
        await wait(status === 200 ? 25 : 40)
      }
    }),
  ]))
  const used = (await world.books()).filter(({ model }) => model?.startsWith('gpt-4o-mini'))
  result.downgraded = used.length
  await world.settled(async () => {
    const [row] = await world.rows<{ n: string }>('select count(*) as n from usage_events')
    return Number(row?.n) === result.calls
  })
  return result
}

interface Entry { at: number, opening: boolean, by: bigint }

async function audit (world: ProofWorld, { organization, budgets }: Race): Promise<string> {
  const costs = new Map((await world.books()).map((entry) => [entry.requestId, bookedCost(entry)]))
  const peaks: string[] = []
  for (const id of budgets) {
    const records = await world.rows<{ request_id: string, amount_nano: string, quote_nano: string, opened_at: Date, ended_at: Date, settled: string }>(`
      select e.request_id, r.amount_nano, r.quote_nano, e.opened_at, e.ended_at
      from budget_usage_records r join usage_events e on e.day = r.day and e.id = r.event_id
      join budget_accounts a on a.id = r.account_id where a.budget_id = $1`, [id])
    for (const { request_id: call, amount_nano: amount } of records) {
      if (costs.get(call) !== BigInt(amount)) throw new Error(`call ${call} cost ${costs.get(call)}, and ${amount} is recorded`)
    }
    const [sum] = await world.rows<{ settled: string }>('select sum(settled_nano) as settled from budget_accounts where budget_id = $1', [id])
    const spent = records.reduce((all, { amount_nano: amount }) => all + BigInt(amount), 0n)
    if (spent !== BigInt(sum?.settled ?? '0')) throw new Error(`${organization}: ${sum?.settled} settled, ${spent} in the books`)
    const limitAt = await limits(world, id)
    const entries = records.flatMap((one): Entry[] => [
      { at: one.opened_at.getTime(), opening: true, by: BigInt(one.quote_nano) },
      { at: one.ended_at.getTime(), opening: false, by: BigInt(one.amount_nano) - BigInt(one.quote_nano) },
    ]).sort((a, b) => a.at - b.at || Number(a.opening) - Number(b.opening))
    let now = 0n
    let peak = 0n
    for (const { at, opening, by } of entries) {
      now += by
      if (now > peak) peak = now
      const limit = limitAt(at)
      if (opening && now > limit) throw new Error(`${organization}: ${now} spent and held at ${new Date(at).toISOString()}, of ${limit}`)
    }
    peaks.push(`${formatNano(spent)} spent, ${formatNano(peak)} at once at most`)
  }
  return `${organization}: ${peaks.join('; ')}`
}

/** the highest limit that a budget had in the last two seconds; of all its periods together, where it carries over */
async function limits (world: ProofWorld, id: string): Promise<(at: number) => bigint> {
  const [budget] = await world.rows<{ alerts: { actions: string[] }[], carry_over: object | null }>('select alerts, carry_over from budget_definitions where id = $1', [id])
  const periods = await world.rows<{ period_start: Date }>('select period_start from budget_accounts where budget_id = $1', [id])
  const adjustments = await world.rows<{ amount_nano: string, effective_from: Date, ends: Date | null }>(`
    select amount_nano, effective_from, least(effective_until, revoked_at) as ends from budget_adjustments where budget_id = $1`, [id])
  const approves = budget?.alerts.some(({ actions }) => actions.includes('require-approval')) === true
  const own = approves ? AMOUNT / 2n : AMOUNT
  const inForce = (at: number) => {
    const begun = periods.filter((one) => one.period_start.getTime() <= at).length
    let limit = budget?.carry_over == null ? own : own * BigInt(begun)
    for (const { effective_from: from, ends, amount_nano: nano } of adjustments) {
      if (from.getTime() <= at && (ends === null || at < ends.getTime())) limit += BigInt(nano)
    }
    return limit
  }
  const changes = adjustments.flatMap(({ effective_from: from, ends }) =>
    [from.getTime(), ...ends === null ? [] : [ends.getTime()]])
  return (at) => [at, at - LATE_MS, ...changes.filter((change) => change > at - LATE_MS && change <= at)]
    .map(inForce).reduce((a, b) => a > b ? a : b)
}
