import { setTimeout as wait } from 'node:timers/promises'
import { formatNano } from '../../src/money/amount.ts'
import { bookedCost, kill, ProofWorld } from './world.ts'

/**
 * A gateway is killed in the middle of its calls, again and again. After each restart the ledger has exactly one event
 * per call that reached the provider, exact where its end was written down, uncertain at its quote where not; after
 * the last one nothing is held or leased, and the accounts are the sum of their records. A call whose opening was
 * journaled and that was killed before its first byte went out is recorded as uncertain too: nobody can know that.
 */
export interface KillResult {
  rounds: number
  reached: number
  events: number
  uncertain: number
  /** recorded as uncertain, and unknown to the provider */
  neverSent: number
}

export async function proveKill (
  options: { rounds: number, calls: number, redis: boolean }, say: (line: string) => void, databaseUrl?: string
): Promise<KillResult> {
  const world = await ProofWorld.open({ redis: options.redis, databaseUrl })
  try {
    let gateway = await world.startGateway()
    await world.admin(gateway, 'POST', '/budgets', {
      name: 'acme', scopeType: 'organization', scopeId: 'acme', amount: '100', currency: 'USD', period: 'monthly',
    })
    const { key } = await world.admin<{ key: string }>(gateway, 'POST', '/keys', { name: 'k', organizationId: 'acme' })
    for (let round = 0; round < options.rounds; round++) {
      const before = (await world.books()).length
      const calls = Array.from({ length: options.calls }, async (_, n) => {
        await wait(Math.random() * 400)
        const behaviour = { delayMs: Math.random() * 80, pieces: 4, gapMs: Math.random() * 10 }
        // the connection breaks when the gateway is killed
        await world.call(gateway, key, `${round}.${n}`, { max_tokens: 100, stream: n % 2 === 0 }, behaviour)
          .catch(() => undefined)
      })
      // in the middle of its calls, however slow the machine is
      while ((await world.books()).length === before) await wait(5)
      await wait(Math.random() * 350)
      await kill(gateway.child, 'SIGKILL')
      await Promise.all(calls)
      gateway = await world.startGateway(gateway)
      await agree(world)
    }
    const code = await kill(gateway.child, 'SIGTERM')
    if (code !== 0) throw new Error(`the last gateway ended with ${code}: ${gateway.output.join('')}`)
    const result = await agree(world)
    await nothingLeft(world)
    say(`${options.rounds} kills ${options.redis ? 'with' : 'without'} Redis: ${result.reached} calls reached the provider, ` +
      `${result.events} events, ${result.uncertain} uncertain, of them ${result.neverSent} never sent`)
    return { rounds: options.rounds, ...result }
  } finally {
    await world.close()
  }
}

async function agree (world: ProofWorld): Promise<Omit<KillResult, 'rounds'>> {
  const books = await world.books()
  const events = await world.rows<{ request_id: string, certainty: string, cost_nano: string, quote_nano: string }>(
    'select request_id, certainty, cost_nano, quote_nano from usage_events')
  const recorded = new Map(events.map((event) => [event.request_id, event]))
  if (recorded.size !== events.length) throw new Error('a call is recorded twice')
  for (const entry of books) {
    const event = recorded.get(entry.requestId ?? '')
    if (event === undefined) throw new Error(`call ${entry.requestId} reached the provider and is not recorded`)
    const cost = event.certainty === 'exact' ? bookedCost(entry) : BigInt(event.quote_nano)
    if (BigInt(event.cost_nano) !== cost) throw new Error(`call ${entry.requestId} is recorded at ${event.cost_nano}, not ${cost}`)
  }
  const reached = new Set(books.map((entry) => entry.requestId))
  const neverSent = events.filter((event) => !reached.has(event.request_id))
  for (const event of neverSent) {
    if (event.certainty !== 'uncertain') throw new Error(`call ${event.request_id} never reached the provider, and is exact`)
  }
  const uncertain = events.filter((event) => event.certainty === 'uncertain')
  return { reached: books.length, events: events.length, uncertain: uncertain.length, neverSent: neverSent.length }
}

async function nothingLeft (world: ProofWorld): Promise<void> {
  const accounts = await world.rows<{ leased_nano: string, settled_nano: string, recorded: string, leases: string }>(`
    select a.leased_nano, a.settled_nano,
      (select coalesce(sum(r.amount_nano), 0) from budget_usage_records r where r.account_id = a.id) as recorded,
      (select coalesce(sum(l.granted_nano - l.returned_nano - l.posted_nano), 0) from leases l where l.account_id = a.id)
        as leases
    from budget_accounts a`)
  if (accounts.length === 0) throw new Error('no account was used')
  for (const one of accounts) {
    if (one.leased_nano !== '0' || one.leases !== '0') throw new Error(`something stays leased: ${JSON.stringify(one)}`)
    if (one.settled_nano !== one.recorded) {
      throw new Error(`${formatNano(BigInt(one.settled_nano))} settled, ${formatNano(BigInt(one.recorded))} recorded`)
    }
  }
  const open = await world.rows("select 1 from gateways where state not in ('closed')")
  if (open.length > 0) throw new Error('a gateway is not closed')
}
