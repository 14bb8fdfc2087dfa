import fc from 'fast-check'
import { formatNano } from '../../src/money/amount.ts'
import { type GatewayProcess, ProofWorld } from './world.ts'

/**
 * Random usage over two gateways: single and in batches, backdated over ends of periods and changes of clocks, in
 * several currencies, on hierarchies of three levels, with reversals of parts and of all. What the records say, the
 * cache, the accounts and the status are the same to the nano-unit at every look; a batch with one bad record leaves
 * nothing; and when all is taken back, every account stands at exactly nothing.
 */
export interface RecordResult {
  records: number
  reversals: number
  refused: number
  accounts: number
}

type Say = (line: string) => void

interface Usage { id: string, budgetId: string, amount: string, currency: string }

interface Item {
  budget: number
  currency: string | null
  amountNano: bigint
  at: number
  reverse: number
  part: number
}

const DAY_MS = 86_400_000
const BATCH = 1_000
const CURRENCIES = ['USD', 'EUR', 'JPY', 'BHD']
/** each below the one before */
const LINES = [
  [['USD', 'monthly', 'Europe/Berlin'], ['EUR', 'daily', 'America/New_York'], ['JPY', 'weekly', 'Australia/Lord_Howe']],
  [['JPY', 'annual', 'UTC'], ['USD', 'quarterly', 'Pacific/Apia'], ['USD', 'daily', 'Europe/Berlin']],
] as const

/** clocks change there, and the day is 23, 25 or 23.5 hours long */
const CHANGES = [
  '2026-03-29T01:00:00Z', '2025-10-26T01:00:00Z', '2026-03-08T07:00:00Z', '2025-11-02T06:00:00Z', '2026-04-04T15:00:00Z',
]

function anItem (): fc.Arbitrary<Item> {
  const now = Date.now()
  const near = (text: string) =>
    fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS }).map((ms) => Math.min(now, Date.parse(text) + ms))
  return fc.record({
    budget: fc.nat(LINES.flat().length - 1),
    currency: fc.option(fc.constantFrom(...CURRENCIES)),
    amountNano: fc.oneof(fc.bigInt(0n, 10n ** 6n), fc.bigInt(0n, 10n ** 13n), fc.constantFrom(0n, 1n)),
    at: fc.oneof(...[500, 1].map((days) => fc.integer({ min: now - days * DAY_MS, max: now })), ...CHANGES.map(near)),
    reverse: fc.nat(99),
    part: fc.integer({ min: 1, max: 100 }),
  })
}

export async function proveRecording (
  count: number, say: Say, databaseUrl?: string, seed = Date.now() % 1e9
): Promise<RecordResult> {
  const world = await ProofWorld.open({ redis: true, databaseUrl })
  try {
    const gateways = [await world.startGateway(), await world.startGateway()]
    const budgets = await makeBudgets(world, gateways[0] as GatewayProcess)
    say(`${count} records on ${budgets.length} budgets, seed ${seed}`)
    const items = fc.sample(anItem(), { numRuns: count, seed })
    const known: Usage[] = []
    /** what is left of a record, in the currency of its budget */
    const left = new Map<string, bigint>()
    const result: RecordResult = { records: 0, reversals: 0, refused: 0, accounts: 0 }
    const size = Math.min(BATCH, Math.ceil(count / 10))
    for (let from = 0; from < count; from += size) {
      const gateway = gateways[(from / size) % 2] as GatewayProcess
      const records = batchOf(items.slice(from, from + size), budgets, known, left, result)
      await refuseSpoilt(world, gateway, records, result)
      const { usage } = await world.admin<{ usage: Usage[] }>(gateway, 'POST', '/usage/batch', { records })
      usage.forEach((one, i) => {
        if (records[i]?.['reverses'] !== undefined) return
        known.push(one)
        left.set(one.id, nanoOf(one.amount))
      })
      result.records += records.length
      if (from % (10 * size) === 0) await agree(world, gateways)
    }
    result.accounts = await agree(world, gateways)
    say(`${result.records} recorded, ${result.reversals} of them reversals, ${result.refused} batches refused whole; books agree`)
    const rest = known.filter(({ id }) => (left.get(id) ?? 0n) > 0n)
    for (let from = 0; from < rest.length; from += BATCH) {
      const records = rest.slice(from, from + BATCH).map(({ id, budgetId }) =>
        ({ budgetId, amount: formatNano(-(left.get(id) ?? 0n)), reverses: id }))
      await world.admin(gateways[0] as GatewayProcess, 'POST', '/usage/batch', { records })
    }
    await agree(world, gateways)
    const wrong = await world.rows('select id from budget_accounts where settled_nano <> 0')
    if (wrong.length > 0) throw new Error(`all is taken back, and ${wrong.length} accounts have something left`)
    say(`all taken back: ${result.accounts} accounts at nothing`)
    return result
  } finally {
    await world.close()
  }
}

async function makeBudgets (world: ProofWorld, gateway: GatewayProcess): Promise<{ id: string, currency: string }[]> {
  for (const [currency, rate] of [['EUR', '0.92'], ['JPY', '151.3721'], ['BHD', '0.376']]) {
    await world.rows(`insert into exchange_rates (currency, effective_at, rate)
      values ($1, '2020-01-01', $2), ($1, '2026-02-01', $2 * 1.1)`, [currency, rate])
  }
  const budgets: { id: string, currency: string }[] = []
  for (const [i, line] of LINES.entries()) {
    let parentBudgetId: string | null = null
    for (const [level, [currency, period, timezone]] of line.entries()) {
      const { id }: { id: string } = await world.admin(gateway, 'POST', '/budgets', {
        name: `${i}/${level}`,
        scopeType: 'team',
        scopeId: `${i}/${level}`,
        organizationId: 'acme',
        amount: '1000000',
        currency,
        period,
        timezone,
        parentBudgetId,
        startDate: '2026-01-01',
        alerts: [{ threshold: 50 }],
      })
      budgets.push({ id, currency })
      parentBudgetId = id
    }
  }
  return budgets
}

/** usage, and of what is known, a fifth reversals of a part or of all */
function batchOf (
  items: Item[], budgets: { id: string }[], known: Usage[], left: Map<string, bigint>, result: RecordResult
): Record<string, unknown>[] {
  const reversed = new Set<string>()
  return items.map(({ budget, currency, amountNano, at, reverse, part }) => {
    const target = reverse < 20 ? known[(at + reverse) % Math.max(1, known.length)] : undefined
    const rest = target === undefined ? 0n : left.get(target.id) ?? 0n
    const back = rest * BigInt(part) / 100n
    if (target !== undefined && back > 0n && !reversed.has(target.id)) {
      reversed.add(target.id)
      left.set(target.id, rest - back)
      result.reversals++
      return { budgetId: target.budgetId, amount: formatNano(-back), reverses: target.id }
    }
    const { id } = budgets[budget] as { id: string }
    const time = { timestamp: new Date(at).toISOString() }
    return { budgetId: id, amount: formatNano(amountNano), ...time, ...currency === null ? {} : { currency } }
  })
}

/** the same batch with one bad record more is refused, and changes nothing */
async function refuseSpoilt (
  world: ProofWorld, gateway: GatewayProcess, records: Record<string, unknown>[], result: RecordResult
): Promise<void> {
  const bad = { budgetId: records[0]?.['budgetId'], amount: '1', currency: 'XAU' }
  const spoilt = [...records.slice(1), bad]
  const sums = async () => JSON.stringify(await world.rows('select sum(settled_nano) as s, count(*) as n from budget_accounts'))
  const before = await sums()
  const refused = await world.admin(gateway, 'POST', '/usage/batch', { records: spoilt })
    .then(() => null, (error: Error) => error)
  if (refused === null || !refused.message.includes(`records/${spoilt.length - 1}/currency`)) {
    throw new Error(`a spoilt batch was not refused by its record: ${String(refused)}`)
  }
  if (await sums() !== before) throw new Error('a batch that was refused has left something')
  result.refused++
}

const BOOKS = `
  select a.id, a.budget_id, a.settled_nano, coalesce(c.settled_nano, 0) as cached, coalesce(c.charges, 0) as charges,
    s.settled_nano as calculated, s.charges as counted,
    a.period_start <= now() and (a.period_end is null or a.period_end > now()) as runs
  from budget_accounts a
  left join budget_status_cache c on c.account_id = a.id
  join lateral calculate_budget_status(a.budget_id) s on s.account_id = a.id`

interface Book {
  id: string
  budget_id: string
  settled_nano: string
  cached: string
  charges: string
  calculated: string
  counted: string
  runs: boolean
}

/** answers how many accounts there are */
async function agree (world: ProofWorld, gateways: GatewayProcess[]): Promise<number> {
  const books = await world.rows<Book & Record<string, unknown>>(BOOKS)
  for (const book of books) {
    const { settled_nano: settled, cached, calculated, charges, counted } = book
    if (settled !== cached || settled !== calculated || charges !== counted) {
      throw new Error(`books differ: ${JSON.stringify(book)}`)
    }
    if (!book.runs) continue
    for (const gateway of gateways) {
      const path = `/budgets/${book.budget_id}/status`
      const { currentAmount } = await world.admin<{ currentAmount: string }>(gateway, 'GET', path)
      if (nanoOf(currentAmount) !== BigInt(settled)) throw new Error(`status says ${currentAmount}, the account ${settled}`)
    }
  }
  return books.length
}

function nanoOf (text: string): bigint {
  const [units = '0', decimals = ''] = text.split('.')
  return BigInt(units) * 1_000_000_000n + BigInt(decimals.padEnd(9, '0'))
}
