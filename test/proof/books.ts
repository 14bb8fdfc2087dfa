import { formatNano } from '../../src/money/amount.ts'
import { bookedCost, type ProofWorld } from './world.ts'

/** What all books must say of each other: the provider's, the events, the records, the accounts. */
export interface Agreement {
  /** calls that the provider saw */
  reached: number
  events: number
  uncertain: number
  /** recorded as uncertain, and unknown to the provider */
  neverSent: number
  /** nano-USD of calls whose cost is exact: the ledger's and the provider's sum */
  exact: bigint
  /** nano-USD that are charged beyond what the provider's books say, for calls whose end nobody saw */
  beyond: bigint
}

interface Event { request_id: string, certainty: 'exact' | 'estimated' | 'uncertain', cost_nano: string, quote_nano: string }

/**
 * Each call that reached the provider has one event, exact or at no more than its quote. A call whose opening was
 * journaled and that was killed before its first byte went out is recorded as uncertain too: nobody can know that.
 */
export async function agree (world: ProofWorld): Promise<Agreement> {
  const books = await world.books()
  const events = await world.rows<Event>('select request_id, certainty, cost_nano, quote_nano from usage_events where request_id is not null and corrects is null')
  const recorded = new Map(events.map((event) => [event.request_id, event]))
  if (recorded.size !== events.length) throw new Error('a call is recorded twice')
  let exact = 0n
  let beyond = 0n
  for (const entry of books) {
    const event = recorded.get(entry.requestId ?? '')
    if (event === undefined) throw new Error(`call ${entry.requestId} reached the provider and is not recorded`)
    const cost = BigInt(event.cost_nano)
    const booked = bookedCost(entry)
    if (event.certainty === 'exact') {
      if (cost !== booked) throw new Error(`call ${entry.requestId} is recorded at ${cost}, not ${booked}`)
      exact += cost
    } else {
      const quote = BigInt(event.quote_nano)
      if (event.certainty === 'uncertain' ? cost !== quote : cost > quote) {
        throw new Error(`call ${entry.requestId} is ${event.certainty} at ${cost}, its quote was ${quote}`)
      }
      beyond += cost - booked
    }
  }
  const reached = new Set(books.map((entry) => entry.requestId))
  const neverSent = events.filter((event) => !reached.has(event.request_id))
  for (const event of neverSent) {
    if (event.certainty === 'exact' && event.cost_nano !== '0') {
      throw new Error(`call ${event.request_id} never reached the provider, and cost ${event.cost_nano}`)
    }
  }
  const uncertain = events.filter((event) => event.certainty === 'uncertain').length
  return { reached: books.length, events: events.length, uncertain, neverSent: neverSent.length, exact, beyond }
}

/** after all gateways have stopped: nothing is held, leased or open, and every account is the sum of its records */
export async function nothingLeft (world: ProofWorld): Promise<void> {
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
  const open = await world.rows("select incarnation, state from gateways where state not in ('closed', 'written off')")
  if (open.length > 0) throw new Error(`a gateway is not closed: ${JSON.stringify(open)}`)
}

/**
 * By the id of each account the highest sum of costs of ended and quotes of open calls, over all instants; at one
 * instant, ends before openings. Throws where that passes its limit.
 */
export async function neverOver (world: ProofWorld): Promise<Map<string, bigint>> {
  const rows = await world.rows<{ account: string, limit: string | null, peak: string }>(`
    with calls as (
      select r.account_id, r.amount_nano, r.quote_nano, e.opened_at, e.ended_at
      from budget_usage_records r join usage_events e on e.day = r.day and e.id = r.event_id
    ), changes as (
      select account_id, opened_at as at, quote_nano as by, 1 as late from calls
      union all select account_id, ended_at, amount_nano - quote_nano, 0 from calls
    ), sums as (
      select account_id, sum(by) over (partition by account_id order by at, late rows unbounded preceding) as sum from changes
    )
    select a.id as account, a.limit_nano as limit, max(s.sum) as peak
    from sums s join budget_accounts a on a.id = s.account_id group by a.id, a.limit_nano`)
  for (const { account, limit, peak } of rows) {
    if (limit === null || BigInt(peak) <= BigInt(limit)) continue
    throw new Error(`account ${account}: ${peak} spent and held at once, of ${limit}`)
  }
  return new Map(rows.map(({ account, peak }) => [account, BigInt(peak)]))
}
