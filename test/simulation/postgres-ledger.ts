import pg from 'pg'
import { migrate } from '../../src/stores/postgres/migrate.ts'
import { PostgresAuthority } from '../../src/stores/postgres/authority.ts'
import { sqlStateOf } from '../../src/stores/postgres/pool.ts'
import { type AccountBooks, type LeaseBooks, NO_LIMIT_NANO } from '../account/memory-authority.ts'
import { DEFINE, EMPTY, KEEP } from '../stores/postgres/tables.ts'
import { type Ledger } from './ledger.ts'

/**
 * PostgreSQL's own SQL under the clock of the simulation: what stands before the catalog in the search path answers
 * for it, so that each `clock_timestamp()` of a function or a statement is that one.
 */
const CLOCK = `
  create table sim_clock (now timestamptz not null);
  insert into sim_clock values ('2026-03-10Z');
  create function public.clock_timestamp() returns timestamptz language sql as 'select now from sim_clock';
  do $$ declare one record; begin
    for one in select d.adrelid::regclass::text as name, a.attname from pg_attrdef d
      join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
      where pg_get_expr(d.adbin, d.adrelid) like '%clock_timestamp()' loop
      execute format('alter table %s alter %I set default public.clock_timestamp()', one.name, one.attname);
    end loop;
  end $$`

const STATE = `
  select coalesce((select json_agg(json_build_object('accountId', a.id, 'limitNano', a.limit_nano,
      'settledNano', a.settled_nano, 'leasedNano', a.leased_nano, 'leasesNano',
      (select coalesce(sum(l.granted_nano - l.returned_nano - l.posted_nano), 0) from leases l where l.account_id = a.id)
        + (select coalesce(sum(h.held_nano), 0) from long_hold_accounts h where h.account_id = a.id), 'chargedNano',
      (select coalesce(sum(r.amount_nano), 0) from budget_usage_records r where r.account_id = a.id)) order by a.id)
    from budget_accounts a), '[]') as accounts,
  coalesce((select json_agg(json_build_object('accountId', l.account_id, 'incarnation', l.incarnation, 'state', g.state,
      'restNano', l.granted_nano - l.returned_nano - l.posted_nano, 'writtenOffNano', l.written_off_nano)
      order by l.account_id, l.incarnation)
    from leases l join gateways g on g.incarnation = l.incarnation), '[]') as leases`

/** as the budget API does it: the budget, then the accounts of periods that are not over */
const SET_LIMIT = `
  with budget as (
    update budget_definitions set amount_nano = $2, enforced_limit_nano = $2, version = version + 1 where id = $1
  )
  select a.id from budget_accounts a where a.budget_id = $1 and (a.period_end is null or a.period_end > clock_timestamp())
  order by a.id for no key update`

const SETTLE = `
  select end_long_hold($1, 'settled', json_build_object('cost_nano', $2::text, 'settlement', json_build_object('outcome', 'settled')), (
    select json_agg(json_build_object('account_id', h.account_id, 'amount_nano', $2::text)) from long_hold_accounts h
    where h.hold_id = $1)) as ended`

type AsJson<T> = { [K in keyof T]: T[K] extends bigint | null ? number | null : T[K] }

/** a run's amounts are small: as JSON has them they are exact */
function inNano<T> (row: AsJson<T>): T {
  const amounts = Object.entries(row).map(([name, value]) => [name, name.endsWith('Nano') && value !== null ? BigInt(value as number) : value])
  return Object.fromEntries(amounts) as T
}

interface State { accounts: AccountBooks[], leases: LeaseBooks[] }

/** The real authority on a database of its own, which is empty again before each run. */
export class PostgresLedger implements Ledger {
  readonly authority: PostgresAuthority
  readonly #pool: pg.Pool
  #budgets = 0
  #now: number | null = null
  /** null: something may have changed since */
  #state: Promise<State> | null = null

  private constructor (url: string) {
    // a statement that is given up makes another run of it, and of a machine that is busy
    const patient = { grantTimeoutMs: 60_000, postTimeoutMs: 60_000 }
    this.authority = new PostgresAuthority({ connectionString: url, applicationName: 'simulation', ...patient })
    this.#pool = new pg.Pool({ connectionString: url, max: 1 })
    this.#pool.on('error', () => undefined)
  }

  /** `url` of a database without tables of its own, or with those that the migrations make */
  static async on (url: string): Promise<PostgresLedger> {
    await migrate(url)
    const first = new pg.Client({ connectionString: url })
    await first.connect()
    const { rows: [row] } = await first.query<{ name: string }>('select quote_ident(current_database()) as name')
    await first.query(`alter database ${row?.name ?? ''} set search_path = public, pg_catalog`)
    await first.query(`alter database ${row?.name ?? ''} set synchronous_commit = off`)
    await first.end()
    const ledger = new PostgresLedger(url)
    await ledger.#sql(CLOCK)
    await ledger.#sql(KEEP)
    return ledger
  }

  /** in a database of its own, which is made for it */
  static async of (server: string, name: string): Promise<PostgresLedger> {
    const client = new pg.Client({ connectionString: server })
    await client.connect()
    await client.query(`create database ${name}`)
    await client.end()
    return await PostgresLedger.on(server.replace(/\/[^/?]*(\?|$)/, `/${name}$1`))
  }

  async #sql<R extends pg.QueryResultRow> (text: string, values: unknown[] = []): Promise<R[]> {
    return (await this.#pool.query<R>(text, values)).rows
  }

  async empty (): Promise<void> {
    await this.#sql(EMPTY)
    this.#budgets = 0
    this.#now = null
    this.#state = null
  }

  async close (): Promise<void> {
    await Promise.all([this.authority.close(), this.#pool.end()])
  }

  async setClock (now: number): Promise<void> {
    this.#state = null
    if (now === this.#now) return
    await this.#pool.query({ name: 'clock', text: 'update sim_clock set now = $1', values: [new Date(now)] })
    this.#now = now
  }

  async defineBudget (limitNano: bigint | null): Promise<string> {
    // the ledger locks budgets by their ids: those of one seed are always the same
    const id = `00000000-0000-7000-8000-${String(++this.#budgets).padStart(12, '0')}`
    await this.#sql(DEFINE, [id, limitNano ?? NO_LIMIT_NANO, limitNano === null ? 'soft' : 'enforced', '[]'])
    return id
  }

  async setLimit (id: string, limitNano: bigint): Promise<void> {
    const accounts = await this.#sql<{ id: string }>(SET_LIMIT, [id, limitNano])
    await this.#sql('select apply_limits($1::bigint[])', [accounts.map(({ id }) => id)])
  }

  async writeOff (incarnation: number): Promise<boolean> {
    try {
      await this.#sql('select write_off($1)', [incarnation])
      return true
    } catch (error) {
      if (sqlStateOf(error) === 'RC002') return false
      throw error
    }
  }

  async settleLongHold (id: string, costNano: bigint): Promise<void> {
    const [row] = await this.#sql<{ ended: boolean }>(SETTLE, [id, costNano])
    if (row?.ended !== true) throw new Error(`the hold ${id} does not end`)
  }

  async books (): Promise<AccountBooks[]> { return (await this.#read()).accounts }
  async leases (): Promise<LeaseBooks[]> { return (await this.#read()).leases }

  #read (): Promise<State> {
    this.#state ??= this.#sql<{ accounts: AsJson<AccountBooks>[], leases: AsJson<LeaseBooks>[] }>(STATE)
      .then(([state]) => ({ accounts: (state?.accounts ?? []).map(inNano), leases: (state?.leases ?? []).map(inNano) }))
    return this.#state
  }

  async costOf (callId: string): Promise<bigint | null> {
    const [row] = await this.#sql<{ cost: string }>('select cost_nano as cost from usage_events where id = $1', [callId])
    return row === undefined ? null : BigInt(row.cost)
  }

  async longHolds (): Promise<string[]> {
    return (await this.#sql<{ id: string }>("select id from long_holds where state = 'open' order by id")).map(({ id }) => id)
  }
}
