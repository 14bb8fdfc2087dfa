import { type Test } from 'tap'
import { v7 as uuidv7 } from 'uuid'
import { PostgresReportStore } from '../../../src/stores/postgres/report-store.ts'
import { PostgresUsageStore } from '../../../src/stores/postgres/usage-store.ts'
import { type UsageEvent } from '../../../src/usage/usage.ts'
import { anEvent } from '../../account/contract-authority.ts'
import { aWorld, type PostgresWorld } from './world.ts'

export const DAY_MS = 86_400_000
export const TODAY = Math.floor(Date.now() / DAY_MS) * DAY_MS

export interface Ledger {
  world: PostgresWorld
  store: PostgresUsageStore
  reports: PostgresReportStore
  budgetId: string
  incarnation: number
  /** account of the day so many days ago */
  account (daysAgo: number, budgetId?: string): Promise<number>
  /** one event on that day's account; later ones of a day have later times */
  charge (daysAgo: number, overrides?: Partial<UsageEvent['opening']>): Promise<UsageEvent>
}

export async function aLedger (t: Test): Promise<Ledger> {
  return await ledgerOf(await aWorld(t))
}

export async function ledgerOf (world: PostgresWorld): Promise<Ledger> {
  const [database] = world.databases
  const budgetId = await world.defineBudget(1_000_000n, [{ threshold: 50, actions: ['notify'] }])
  const incarnation = await world.authority.join('journal', 'host')
  let events = 0
  const account = async (daysAgo: number, id = budgetId) => {
    const periodStart = TODAY - daysAgo * DAY_MS
    const spec = { budgetId: id, subject: '', periodStart, periodEnd: periodStart + DAY_MS }
    return (await world.authority.ensureAccounts([spec]))[0]?.accountId ?? 0
  }
  return {
    world,
    store: new PostgresUsageStore(database),
    reports: new PostgresReportStore(database),
    budgetId,
    incarnation,
    account,
    async charge (daysAgo, overrides = {}) {
      const accountId = await account(daysAgo)
      const id = uuidv7({ msecs: TODAY - daysAgo * DAY_MS + ++events })
      const event = anEvent([{ accountId, amountNano: BigInt(events), coveredNano: 0n }], { id })
      const told = { ...event, opening: { ...event.opening, ...overrides } }
      await world.authority.post(incarnation, [told], [])
      return told
    },
  }
}
