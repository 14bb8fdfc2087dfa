import { setTimeout as wait } from 'node:timers/promises'
import { formatNano } from '../../src/money/amount.ts'
import { neverOver } from './books.ts'
import { bookedCost, kill, ProofWorld } from './world.ts'

/**
 * Many calls at once over three gateways, one PostgreSQL, one Redis, three levels of budgets that run out: at no
 * instant is more spent and held than any limit allows, and in the end everybody's books agree to the nano-unit.
 */
export interface SpendResult {
  calls: number
  admitted: number
  attempts: number
  accounts: AccountResult[]
}

export interface AccountResult {
  name: string
  limit: bigint
  spent: bigint
  /** the highest that was spent and held at once */
  peak: bigint
  smallestQuote: bigint
}

const TEAMS = ['search', 'support']

type Say = (line: string) => void

export async function proveSpend (
  calls: number, concurrency: number, say: Say, databaseUrl?: string
): Promise<SpendResult> {
  const world = await ProofWorld.open({ redis: true, databaseUrl })
  try {
    const gateways = [await world.startGateway(), await world.startGateway(), await world.startGateway()]
    const [first] = gateways
    if (first === undefined) throw new Error('no gateway')
    const keys = await makeBudgets(world, calls)
    say(`3 gateways, ${calls} calls, ${concurrency} at once`)
    let admitted = 0
    let attempts = 0
    /** sends a call until it is admitted or refused for good; true: admitted */
    const send = async (id: string, key: string, body: object, behaviour: object): Promise<boolean> => {
      for (let attempt = 0; attempt < 500; attempt++) {
        attempts++
        const gateway = gateways[attempts % 3] ?? first
        const answer = await world.call(gateway, key, `${id}.${attempt}`, body, behaviour)
        if (answer.status === 200) {
          admitted++
          return true
        }
        if (answer.code === null) throw new Error(`call ${id}: ${JSON.stringify(answer)}`)
        if (!answer.retryable) return false
        await wait(20 + Math.random() * 60)
      }
      throw new Error(`call ${id} was told to try again too often`)
    }
    let next = 0
    await Promise.all(Array.from({ length: concurrency }, async () => {
      for (let n = next++; n < calls; n = next++) {
        const body = { max_tokens: 20 + (n * 37) % 400, stream: n % 3 === 0 }
        await send(String(n), keys[n % keys.length] as string, body, { delayMs: (n * 13) % 40, pieces: 2 })
      }
    }))
    // and then the smallest call, until there is no room for one more
    await Promise.all(keys.map(async (key, k) => {
      for (let n = 0; await send(`small ${k}.${n}`, key, { max_tokens: 20 }, {}); n++);
    }))
    say(`${admitted} admitted, ${attempts} attempts`)
    await world.settled(async () => {
      const [row] = await world.rows<{ n: string }>('select count(*) as n from usage_events')
      return Number(row?.n) === admitted
    })
    const result = { calls, admitted, attempts, accounts: await audit(world) }
    await agreeWithStatus(world)
    for (const { child } of gateways) {
      const code = await kill(child, 'SIGTERM')
      if (code !== 0) throw new Error(`a gateway ended with ${code}`)
    }
    const left = await world.rows<{ id: string, leased_nano: string }>(
      'select id, leased_nano from budget_accounts where leased_nano <> 0')
    if (left.length > 0) throw new Error(`after a clean stop something is leased: ${JSON.stringify(left)}`)
    for (const one of result.accounts) {
      say(`${one.name}: limit ${formatNano(one.limit)}, spent ${formatNano(one.spent)}, most at once ${formatNano(one.peak)}`)
    }
    return result
  } finally {
    await world.close()
  }
}

/** organization <- teams <- users, each too small for the calls that come; a key for each user */
async function makeBudgets (world: ProofWorld, calls: number): Promise<string[]> {
  const [gateway] = world.gateways
  if (gateway === undefined) throw new Error('no gateway')
  const budget = async (scopeType: string, scopeId: string, amount: bigint, parentBudgetId: string | null) => {
    const { id } = await world.admin<{ id: string }>(gateway, 'POST', '/budgets', {
      name: `${scopeType} ${scopeId}`,
      scopeType,
      scopeId,
      organizationId: 'acme',
      amount: formatNano(amount),
      currency: 'USD',
      period: 'monthly',
      parentBudgetId,
    })
    return id
  }
  // a call costs about 70,000 nano-USD and is quoted at twice that
  const each = 70_000n * BigInt(calls)
  const organization = await budget('organization', 'acme', each / 2n, null)
  const keys: string[] = []
  for (const team of TEAMS) {
    const teamBudget = await budget('team', team, each / 3n, organization)
    for (let i = 0; i < 3; i++) {
      const userId = `${team}-${i}`
      await budget('user', userId, each / (i === 0 ? 40n : 6n), teamBudget)
      const { key } = await world.admin<{ key: string }>(gateway, 'POST', '/keys', {
        name: userId, organizationId: 'acme', teamId: team, userId,
      })
      keys.push(key)
    }
  }
  return keys
}

interface Record {
  account_id: string
  name: string
  limit_nano: string
  settled_nano: string
  amount_nano: string
  quote_nano: string
  request_id: string
}

async function audit (world: ProofWorld): Promise<AccountResult[]> {
  const records = await world.rows<Record>(`
    select a.id as account_id, b.name, a.limit_nano, a.settled_nano, r.amount_nano, r.quote_nano, e.request_id
    from budget_usage_records r
    join usage_events e on e.day = r.day and e.id = r.event_id
    join budget_accounts a on a.id = r.account_id join budget_definitions b on b.id = a.budget_id`)
  const costs = new Map((await world.books()).map((entry) => [entry.requestId, bookedCost(entry)]))
  const peaks = await neverOver(world)
  const accounts: AccountResult[] = []
  for (const id of new Set(records.map((one) => one.account_id))) {
    const own = records.filter((one) => one.account_id === id)
    const [{ name, limit_nano: limitText, settled_nano: settledText }] = own as [Record]
    const limit = BigInt(limitText)
    let spent = 0n
    for (const one of own) {
      const booked = costs.get(one.request_id)
      if (booked !== BigInt(one.amount_nano)) {
        throw new Error(`call ${one.request_id} cost ${booked}, and ${one.amount_nano} is recorded`)
      }
      spent += booked
    }
    if (spent !== BigInt(settledText)) throw new Error(`${name}: ${settledText} settled, ${spent} in the provider's books`)
    const peak = peaks.get(id) ?? 0n
    const smallestQuote = own.map((one) => BigInt(one.quote_nano)).reduce((a, b) => a < b ? a : b)
    accounts.push({ name, limit, spent, peak, smallestQuote })
  }
  checkUsedUp(accounts)
  return accounts
}

/** nobody's smallest call fits any more: on each user's path one budget has less left than its quote */
function checkUsedUp (accounts: AccountResult[]): void {
  const full = (name: string) => accounts.some((one) => one.name === name && one.limit - one.spent < one.smallestQuote)
  for (const team of TEAMS) {
    for (let i = 0; i < 3; i++) {
      if (full('organization acme') || full(`team ${team}`) || full(`user ${team}-${i}`)) continue
      throw new Error(`the smallest call of ${team}-${i} would still fit: ${accounts.map(({ name, limit, spent }) =>
        `${name} ${spent} of ${limit}`).join(', ')}`)
    }
  }
}

/** every gateway says the same as the ledger */
async function agreeWithStatus (world: ProofWorld): Promise<void> {
  const accounts = await world.rows<{ budget_id: string, settled_nano: string, cached: string }>(`
    select a.budget_id, a.settled_nano, c.settled_nano as cached
    from budget_accounts a join budget_status_cache c on c.account_id = a.id`)
  for (const { budget_id: id, settled_nano: settled, cached } of accounts) {
    if (settled !== cached) throw new Error(`budget ${id}: the cache has ${cached}, the account ${settled}`)
    for (const gateway of world.gateways) {
      const status = await world.admin<{ currentAmount: string, held: string }>(gateway, 'GET', `/budgets/${id}/status`)
      if (status.currentAmount !== formatNano(BigInt(settled)) || status.held !== '0') {
        throw new Error(`budget ${id}: ${settled} settled, and a gateway says ${JSON.stringify(status)}`)
      }
    }
  }
}
