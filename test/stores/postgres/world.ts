import root, { type Test } from 'tap'
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { type Authorship } from '../../../src/access/changes.ts'
import { type WrittenOff } from '../../../src/account/lost-gateways.ts'
import { PostgresAuthority, type PostgresAuthorityOptions } from '../../../src/stores/postgres/authority.ts'
import { PostgresChanges } from '../../../src/stores/postgres/changes.ts'
import { Database } from '../../../src/stores/postgres/pool.ts'
import { type AuthorityWorld } from '../../account/contract-authority.ts'
import { aDatabase } from './database.ts'
import { BOOKS, DEFINE, EMPTY, KEEP } from './tables.ts'

const ADA: Authorship = {
  actor: { id: 'ada', name: 'Ada', role: 'administrator', reach: null }, requestId: null, from: null,
}

interface Alert { threshold: number, actions: string[] }

/** A database with three gateways' connections to it, and an auditor who reads the tables themselves. */
export interface PostgresWorld extends AuthorityWorld {
  url: string
  authority: PostgresAuthority
  authorities: PostgresAuthority[]
  /** for the stores beside it, of three gateways as well */
  databases: [Database, Database, Database]
  /** by an administrator */
  writeOff: (incarnation: number) => Promise<WrittenOff[]>
  defineBudget (limitNano: bigint | null, alerts?: Alert[]): Promise<string>
  sql (text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** asks again and again until a statement with this text waits for a lock, or there is no need to wait any more */
  waiting (text: string, enough?: () => boolean): Promise<void>
  /** leases, records, the cache and the account rows say the same */
  assertAudit (t: Test): Promise<void>
}

const SET_LIMIT = `
  with budget as (
    update budget_definitions set amount_nano = $2, enforced_limit_nano = $2, version = version + 1 where id = $1 returning id
  )
  update budget_accounts a set limit_nano = $2 from budget where a.budget_id = budget.id`

const WAITING = `
  select 1 from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock' and query like $1 and pid <> pg_backend_pid()`

const DEADLOCKS = 'select deadlocks::integer from pg_stat_database where datname = current_database()'

/** of tests that are over, emptied for the next one, with their connections and what those have compiled */
const free: PostgresWorld[] = []

export async function aWorld (t: Test): Promise<PostgresWorld> {
  const world = free.pop() ?? await aKeptWorld()
  t.teardown(async () => {
    await world.sql(EMPTY)
    free.push(world)
  })
  return world
}

async function aKeptWorld (): Promise<PostgresWorld> {
  const world = await aFreshWorld(root)
  await world.sql(KEEP)
  return world
}

/** For whoever changes the schema, what is known of the sizes of tables, or anything that is audited. */
export async function aFreshWorld (t: Test, options: Partial<PostgresAuthorityOptions> = {}): Promise<PostgresWorld> {
  const url = await aDatabase(t)
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  const authorities = [1, 2, 3].map(() => new PostgresAuthority({ connectionString: url, ...options }))
  const aPool = () => new Database({ connectionString: url })
  const databases: PostgresWorld['databases'] = [aPool(), aPool(), aPool()]
  t.teardown(async () => {
    await Promise.all([pool.end(), ...[...authorities, ...databases].map((one) => one.close())])
  })
  const [database] = databases
  const changes = new PostgresChanges({ database, changed: () => undefined })
  const sql = async (text: string, values: unknown[] = []) => {
    return (await pool.query<Record<string, string>>(text, values)).rows
  }
  const [authority] = authorities
  if (authority === undefined) throw new Error('no authority')
  pool.on('error', () => t.comment('a connection of the auditor was ended'))

  const world: PostgresWorld = {
    url,
    authority,
    authorities,
    databases,
    sql,
    async waiting (text, enough = () => false) {
      // PostgreSQL tells nobody that somebody waits: each look is a question to it
      while (!enough()) if ((await sql(WAITING, [`%${text}%`])).length > 0) return
    },
    writeOff: async (incarnation) => await changes.run(ADA, async ({ gateways }) =>
      await gateways.writeOff(incarnation)),
    async defineBudget (limitNano, alerts = []) {
      const id = uuidv7()
      const mode = limitNano === null ? 'soft' : 'enforced'
      await sql(DEFINE, [id, limitNano ?? 1000n, mode, JSON.stringify(alerts)])
      return id
    },
    async setLimit (budgetId, limitNano) { await sql(SET_LIMIT, [budgetId, limitNano]) },
    async silence (incarnation, ahead = false) {
      await sql("update gateways set heartbeat_at = now() + $2 * interval '1 minute' where incarnation = $1", [incarnation, ahead ? 1 : -1])
    },
    async giveUp (incarnation) { await sql('select write_off($1)', [incarnation]) },
    async books () {
      return (await sql(BOOKS)).map((row) => ({
        accountId: Number(row['id']),
        limitNano: row['limit_nano'] === null ? null : BigInt(row['limit_nano'] ?? ''),
        settledNano: BigInt(row['settled_nano'] ?? ''),
        leasedNano: BigInt(row['leased_nano'] ?? ''),
        leasesNano: BigInt(row['leases_nano'] ?? ''),
        chargedNano: BigInt(row['charged_nano'] ?? ''),
      }))
    },
    async assertAudit (t) {
      for (const row of await sql(BOOKS)) {
        t.equal(row['leased_nano'], row['leases_nano'], 'leased is the sum over its leases and long holds')
        t.equal(row['long_held_nano'], row['holds_nano'], 'open long holds alone hold something')
        t.equal(row['settled_nano'], row['charged_nano'], 'settled is the sum of its records')
        t.equal(row['settled_nano'], row['cached_nano'], 'the status cache says the same')
        t.equal(row['settled_nano'], row['calculated_nano'], 'and so does the audit function')
      }
      t.same(await sql(DEADLOCKS), [{ deadlocks: 0 }], 'nobody was in the other\'s way for good')
    },
  }
  return world
}
